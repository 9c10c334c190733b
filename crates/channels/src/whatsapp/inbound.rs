//! What a contact wrote, tapped or sent, and what it refers to (protocol, 4.9).

use chrono::{DateTime, Utc};
use domain::channel::{
    ChannelEvent, Forwarded, InboundContent, InboundMessage, MessageContext, PlatformRefusal,
    Referral, ReferralSource, ReferredProduct, SenderIdentity, UnreadableElement,
};
use serde::Deserialize;
use serde_json::Value;

use super::{
    contact_change::{read_edit, read_revocation, read_system},
    content::Said,
    errors::ErrorWire,
    person::{ContactWire, PersonIds},
    wire::{Loose, lenient, one_or_more, problem, read_object},
};

/// The types of what a contact says.
pub(super) const SAID: [&str; 15] = [
    "text",
    "button",
    "interactive",
    "reaction",
    "image",
    "video",
    "audio",
    "voice",
    "document",
    "sticker",
    "location",
    "contacts",
    "order",
    "unsupported",
    "unknown",
];

/// The types of what changes something else.
const CHANGES: [&str; 3] = ["system", "edit", "revoke"];

/// Stands for the type of a message that shows none.
const UNTYPED: &str = "untyped";

/// What every message has.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct MessageWire {
    id: Loose,
    from: Loose,
    from_user_id: Loose,
    from_parent_user_id: Loose,
    group_id: Loose,
    timestamp: Loose,
    #[serde(rename = "type")]
    kind: Loose,
    #[serde(deserialize_with = "lenient")]
    context: Option<ContextWire>,
    #[serde(deserialize_with = "lenient")]
    referral: Option<ReferralWire>,
    #[serde(deserialize_with = "one_or_more")]
    errors: Vec<ErrorWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ContextWire {
    id: Loose,
    forwarded: Loose,
    frequently_forwarded: Loose,
    #[serde(deserialize_with = "lenient")]
    referred_product: Option<ProductWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ProductWire {
    catalog_id: Loose,
    product_retailer_id: Loose,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ReferralWire {
    source_url: Loose,
    source_id: Loose,
    source_type: Loose,
    headline: Loose,
    body: Loose,
    media_type: Loose,
    image_url: Loose,
    video_url: Loose,
    thumbnail_url: Loose,
    ctwa_clid: Loose,
    #[serde(deserialize_with = "lenient")]
    welcome_message: Option<WelcomeWire>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct WelcomeWire {
    text: Loose,
}

/// Which message it is, of whom and when: what none can be without.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) provider_id: String,
    pub(super) sender: SenderIdentity,
    pub(super) at: DateTime<Utc>,
}

/// Reads one of `messages[]`, which came as `raw`.
pub(super) fn read_message(
    value: &Value,
    raw: &str,
    contacts: &[ContactWire],
) -> Result<ChannelEvent, UnreadableElement> {
    let wire: MessageWire =
        read_object(value).ok_or_else(|| problem("a message that is no object"))?;
    // What is said to a group opens no window between two.
    if wire.group_id.0.is_some() {
        return Ok(ChannelEvent::Kept { kind: "group".to_owned() });
    }
    let kind = kind_of(&wire.kind, value).to_owned();
    let head = wire.head(contacts);
    let event = match (kind.as_str(), head) {
        ("system", _) => read_system(value, &wire, contacts),
        // Someone opened the chat and has said nothing yet.
        ("request_welcome", _) => Some(ChannelEvent::Kept { kind: kind.clone() }),
        ("edit", Ok(head)) => read_edit(value, raw, head),
        ("revoke", Ok(head)) => read_revocation(value, head),
        (said, Ok(head)) => {
            let errors = wire.refusals();
            let content = Said { kind: said, message: value, raw, errors: &errors }.content();
            Some(wire.inbound(head, content, errors))
        }
        (said, Err(problem)) if said == UNTYPED || SAID.contains(&said) => return Err(problem),
        (_, Err(_)) => None,
    };
    Ok(event.unwrap_or(ChannelEvent::Other { kind }))
}

/// The content of a message that stands inside another element.
pub(super) fn read_content(message: &Value, raw: &str) -> InboundContent {
    let wire: MessageWire = read_object(message).unwrap_or_default();
    let kind = kind_of(&wire.kind, message);
    Said { kind, message, raw, errors: &wire.refusals() }.content()
}

/// The type, or the part that shows it.
fn kind_of<'a>(kind: &'a Loose, message: &Value) -> &'a str {
    let shown = || SAID.into_iter().chain(CHANGES).find(|part| message.get(part).is_some());
    kind.as_str().or_else(shown).unwrap_or(UNTYPED)
}

impl MessageWire {
    /// Which message it is, of whom and when.
    pub(super) fn head(&self, contacts: &[ContactWire]) -> Result<Head, UnreadableElement> {
        let provider_id = self.id.0.clone().ok_or_else(|| problem("a message without an id"))?;
        let sender = self.sender(contacts);
        if sender.is_anonymous() {
            return Err(problem("a message without a sender"));
        }
        let at = self.at().ok_or_else(|| problem("a message without a time"))?;
        Ok(Head { provider_id, sender, at })
    }

    pub(super) fn sender(&self, contacts: &[ContactWire]) -> SenderIdentity {
        let ids = PersonIds {
            number: self.from.clone(),
            scoped: self.from_user_id.clone(),
            parent: self.from_parent_user_id.clone(),
        };
        ids.identity(contacts)
    }

    pub(super) fn at(&self) -> Option<DateTime<Utc>> {
        self.timestamp.as_instant()
    }

    pub(super) fn id(&self) -> Option<&str> {
        self.id.as_str()
    }

    fn refusals(&self) -> Vec<PlatformRefusal> {
        self.errors.iter().map(ErrorWire::refusal).collect()
    }

    fn inbound(
        self,
        head: Head,
        content: InboundContent,
        errors: Vec<PlatformRefusal>,
    ) -> ChannelEvent {
        let context = self.context.map(MessageContext::from).unwrap_or_default();
        let referral = self.referral.map(|referral| Box::new(referral.into()));
        let Head { provider_id, sender, at } = head;
        ChannelEvent::Inbound(InboundMessage {
            provider_id,
            sender,
            at,
            content,
            context,
            referral,
            errors,
        })
    }
}

impl From<ContextWire> for MessageContext {
    fn from(wire: ContextWire) -> Self {
        let forwarded = match (wire.forwarded.as_flag(), wire.frequently_forwarded.as_flag()) {
            (_, Some(true)) => Some(Forwarded::Often),
            (Some(true), _) => Some(Forwarded::Once),
            _ => None,
        };
        let product = wire.referred_product.map(|product| ReferredProduct {
            catalog_id: product.catalog_id.0,
            product_id: product.product_retailer_id.0,
        });
        Self { in_reply_to: wire.id.0, forwarded, product }
    }
}

impl From<ReferralWire> for Referral {
    fn from(wire: ReferralWire) -> Self {
        Self {
            source_url: wire.source_url.0,
            source_id: wire.source_id.0,
            source_kind: wire.source_type.as_str().map(ReferralSource::parse),
            headline: wire.headline.0,
            body: wire.body.0,
            media_type: wire.media_type.0,
            image_url: wire.image_url.0,
            video_url: wire.video_url.0,
            thumbnail_url: wire.thumbnail_url.0,
            click_id: wire.ctwa_clid.0,
            welcome_text: wire.welcome_message.and_then(|welcome| welcome.text.0),
        }
    }
}
