//! What the platform tells of a message of ours (protocol, 4.10).

use domain::channel::{
    ChannelEvent, Conversation, Pricing, PricingCategory, PricingKind, PricingModel, Receipt,
    ReceiptStatus, Recipient, UnreadableElement,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    errors::{ErrorWire, Way},
    person::{ContactWire, PersonIds},
    wire::{Loose, lenient, one_or_more, problem, read_object},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusWire {
    id: Loose,
    status: Loose,
    timestamp: Loose,
    recipient_id: Loose,
    recipient_user_id: Loose,
    parent_recipient_user_id: Loose,
    recipient_type: Loose,
    recipient_participant_id: Loose,
    biz_opaque_callback_data: Loose,
    #[serde(deserialize_with = "lenient")]
    conversation: Option<ConversationWire>,
    #[serde(deserialize_with = "lenient")]
    pricing: Option<PricingWire>,
    #[serde(deserialize_with = "one_or_more")]
    errors: Vec<ErrorWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ConversationWire {
    id: Loose,
    expiration_timestamp: Loose,
    #[serde(deserialize_with = "lenient")]
    origin: Option<OriginWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OriginWire {
    #[serde(rename = "type")]
    kind: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct PricingWire {
    billable: Loose,
    pricing_model: Loose,
    #[serde(rename = "type")]
    kind: Loose,
    category: Loose,
}

/// Reads one of `statuses[]`.
pub(super) fn read_status(
    value: &Value,
    contacts: &[ContactWire],
) -> Result<ChannelEvent, UnreadableElement> {
    let wire: StatusWire =
        read_object(value).ok_or_else(|| problem("a status that is no object"))?;
    let word = wire.status.as_str().ok_or_else(|| problem("a status without its word"))?;
    let status = match word.to_ascii_lowercase().as_str() {
        "sent" => ReceiptStatus::Sent,
        "delivered" => ReceiptStatus::Delivered,
        "read" => ReceiptStatus::Read,
        "played" => ReceiptStatus::Played,
        "failed" => {
            // Of several errors the first decides.
            let error = wire.errors.first().cloned().unwrap_or_default();
            ReceiptStatus::Failed { refusal: error.refusal(), class: error.class(Way::Webhook) }
        }
        _ => return Ok(ChannelEvent::Other { kind: format!("status {word}") }),
    };
    Ok(ChannelEvent::Receipt(Receipt {
        at: wire.timestamp.as_instant().ok_or_else(|| problem("a status without a time"))?,
        recipient: wire.recipient(contacts),
        errors: wire.errors.iter().map(ErrorWire::refusal).collect(),
        provider_id: wire.id.0.ok_or_else(|| problem("a status without an id"))?,
        callback_id: wire.biz_opaque_callback_data.0,
        status,
        pricing: wire.pricing.map(Pricing::from),
        conversation: wire.conversation.map(Conversation::from),
    }))
}

impl StatusWire {
    fn recipient(&self, contacts: &[ContactWire]) -> Recipient {
        let identity = |number: &Loose| {
            let ids = PersonIds {
                number: number.clone(),
                scoped: self.recipient_user_id.clone(),
                parent: self.parent_recipient_user_id.clone(),
            };
            ids.identity(contacts)
        };
        if self.recipient_type.upper() == "GROUP" {
            return Recipient::Group {
                group: self.recipient_id.0.clone(),
                participant: identity(&self.recipient_participant_id),
            };
        }
        Recipient::Contact(identity(&self.recipient_id))
    }
}

impl From<PricingWire> for Pricing {
    fn from(wire: PricingWire) -> Self {
        Self {
            model: wire.pricing_model.as_str().map(PricingModel::parse),
            kind: wire.kind.as_str().map(PricingKind::parse),
            category: category_of(&wire.category),
            told_billable: wire.billable.as_flag(),
        }
    }
}

impl From<ConversationWire> for Conversation {
    fn from(wire: ConversationWire) -> Self {
        Self {
            id: wire.id.0,
            expires_at: wire.expiration_timestamp.as_instant(),
            origin: wire.origin.and_then(|origin| category_of(&origin.kind)),
        }
    }
}

/// The category, which is written with a hyphen in one place and with an underscore in the other.
fn category_of(word: &Loose) -> Option<PricingCategory> {
    word.as_str().map(|word| PricingCategory::parse(&word.replace('-', "_")))
}
