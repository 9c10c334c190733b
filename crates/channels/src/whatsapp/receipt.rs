//! What the platform tells of a message of ours (protocol, 4.10).

use domain::channel::{ChannelEvent, Receipt, ReceiptStatus, UnreadableElement};
use serde::Deserialize;
use serde_json::Value;

use super::{
    errors::{ErrorWire, Way},
    wire::{Loose, lenient_list, problem},
};

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct StatusWire {
    id: Loose,
    status: Loose,
    timestamp: Loose,
    biz_opaque_callback_data: Loose,
    #[serde(deserialize_with = "lenient_list")]
    errors: Vec<ErrorWire>,
}

/// Reads one of `statuses[]`.
pub(super) fn read_status(value: Value) -> Result<ChannelEvent, UnreadableElement> {
    let wire: StatusWire =
        serde_json::from_value(value).map_err(|_| problem("a status that is no object"))?;
    let word = wire.status.0.ok_or_else(|| problem("a status without its word"))?;
    let status = match word.to_ascii_lowercase().as_str() {
        "sent" => ReceiptStatus::Sent,
        "delivered" => ReceiptStatus::Delivered,
        // A voice note that was played was read.
        "read" | "played" => ReceiptStatus::Read,
        "failed" => {
            let error = wire.errors.into_iter().next().unwrap_or_default();
            ReceiptStatus::Failed { refusal: error.refusal(), class: error.class(Way::Webhook) }
        }
        _ => return Ok(ChannelEvent::Other { kind: format!("status {word}") }),
    };
    Ok(ChannelEvent::Receipt(Receipt {
        provider_id: wire.id.0.ok_or_else(|| problem("a status without an id"))?,
        callback_id: wire.biz_opaque_callback_data.0,
        status,
        at: wire.timestamp.as_instant().ok_or_else(|| problem("a status without a time"))?,
    }))
}
