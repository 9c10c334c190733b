//! The JSON of each kind of webhook (protocol, sections 3.10, 4.9, 4.10 and 5).

use serde_json::{Value, json};

use crate::message::{ChatMessage, Failure, Status};
use crate::number::Number;
use crate::template::Template;

const ERROR_PAGE: &str =
    "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";

/// What a customer sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inbound {
    Text(String),
    /// A tap on the quick reply of a template.
    Button {
        payload: String,
        text: String,
    },
    /// An emoji on a message; an empty one takes it away.
    Reaction {
        message: String,
        emoji: String,
    },
}

/// One change of `field`, in its envelope; `time_ms` is set for the account-level fields only.
pub(crate) fn envelope(waba_id: &str, field: &str, value: Value, time_ms: Option<i64>) -> Value {
    let mut entry = json!({ "id": waba_id, "changes": [{ "field": field, "value": value }] });
    if let (Some(time_ms), Some(fields)) = (time_ms, entry.as_object_mut()) {
        fields.insert("time".to_owned(), json!(time_ms.div_euclid(1_000)));
    }
    json!({ "object": "whatsapp_business_account", "entry": [entry] })
}

/// A message's status of `at_ms`, in the form of v24 and later.
pub(crate) fn status(
    number: &Number,
    message: &ChatMessage,
    recipient: &str,
    status: Status,
    at_ms: i64,
) -> Value {
    let mut fields = json!({
        "id": message.id,
        "status": status.as_str(),
        "timestamp": seconds(at_ms),
        "recipient_id": recipient,
    });
    if let Some(map) = fields.as_object_mut() {
        if let Some(data) = &message.callback_data {
            map.insert("biz_opaque_callback_data".to_owned(), json!(data));
        }
        if matches!(status, Status::Sent | Status::Delivered) {
            map.insert("pricing".to_owned(), pricing(message));
        }
        if let (Status::Failed, Some(failure)) = (status, message.failure) {
            map.insert("errors".to_owned(), json!([error(failure)]));
        }
    }
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(number),
        "statuses": [fields],
    });
    envelope(&number.seed.waba_id, "messages", value, None)
}

/// A message from a customer.
pub(crate) fn inbound(
    number: &Number,
    customer: (&str, Option<&str>),
    message: &ChatMessage,
    inbound: &Inbound,
) -> Value {
    let (wa_id, _) = customer;
    let mut fields = json!({
        "from": wa_id,
        "id": message.id,
        "timestamp": seconds(message.at_ms),
        "type": message.kind,
    });
    let content = match inbound {
        Inbound::Text(body) => json!({ "body": body }),
        Inbound::Button { payload, text } => json!({ "payload": payload, "text": text }),
        Inbound::Reaction { message, emoji } => json!({ "message_id": message, "emoji": emoji }),
    };
    if let Some(map) = fields.as_object_mut() {
        map.insert(message.kind.clone(), content);
        if let Some(context) = &message.context {
            map.insert("context".to_owned(), json!({ "from": number.digits(), "id": context }));
        }
    }
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(number),
        "contacts": [contact(customer)],
        "messages": [fields],
    });
    envelope(&number.seed.waba_id, "messages", value, None)
}

/// A customer stopped or resumed marketing.
pub(crate) fn preference(
    number: &Number,
    customer: (&str, Option<&str>),
    stopped: bool,
    at_ms: i64,
) -> Value {
    let (wa_id, _) = customer;
    let (word, detail) = if stopped {
        ("stop", "User asked to stop marketing messages")
    } else {
        ("resume", "User asked to resume marketing messages")
    };
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(number),
        "contacts": [contact(customer)],
        "user_preferences": [{
            "wa_id": wa_id,
            "detail": detail,
            "category": "marketing_messages",
            "value": word,
            "timestamp": at_ms.div_euclid(1_000),
        }],
    });
    envelope(&number.seed.waba_id, "user_preferences", value, Some(at_ms))
}

/// A template's status changed.
pub(crate) fn template_status(template: &Template, at_ms: i64) -> Value {
    let seed = &template.seed;
    let mut value = json!({
        "event": seed.status,
        "message_template_id": template.id,
        "message_template_name": seed.name,
        "message_template_language": seed.language,
        "message_template_category": seed.category,
        "reason": template.rejected_reason,
    });
    let more = match seed.status.as_str() {
        "PAUSED" => Some((
            "other_info",
            json!({ "title": "FIRST_PAUSE", "description": "Paused for three hours because of low quality." }),
        )),
        "DISABLED" => Some((
            "other_info",
            json!({ "title": "DISABLED", "description": "Disabled because of low quality." }),
        )),
        "REJECTED" => Some((
            "rejection_info",
            json!({ "reason": "The text does not fit the category.", "recommendation": "Change the text or the category." }),
        )),
        _ => None,
    };
    if let (Some((key, info)), Some(map)) = (more, value.as_object_mut()) {
        map.insert(key.to_owned(), info);
    }
    envelope(&seed.waba_id, "message_template_status_update", value, Some(at_ms))
}

/// A number's limit or throughput changed.
pub(crate) fn number_update(
    number: &Number,
    event: &str,
    old_limit: Option<&str>,
    limit: &str,
    at_ms: i64,
) -> Value {
    let mut value = json!({
        "display_phone_number": number.digits(),
        "event": event,
        "current_limit": limit,
        "max_daily_conversations_per_business": limit,
    });
    if let (Some(old), Some(map)) = (old_limit, value.as_object_mut()) {
        map.insert("old_limit".to_owned(), json!(old));
    }
    envelope(&number.seed.waba_id, "phone_number_quality_update", value, Some(at_ms))
}

/// What the whole account may do changed with the limit.
pub(crate) fn capability_update(number: &Number, limit: &str, at_ms: i64) -> Value {
    let value =
        json!({ "max_daily_conversations_per_business": limit, "max_phone_numbers_per_waba": 25 });
    envelope(&number.seed.waba_id, "business_capability_update", value, Some(at_ms))
}

/// Who a webhook speaks of; a customer without a name has a profile without one (protocol, section 4.9).
fn contact((wa_id, name): (&str, Option<&str>)) -> Value {
    let profile = name.map_or_else(|| json!({}), |name| json!({ "name": name }));
    json!({ "profile": profile, "wa_id": wa_id })
}

fn metadata(number: &Number) -> Value {
    json!({
        "display_phone_number": number.digits(),
        "phone_number_id": number.seed.phone_number_id,
    })
}

fn pricing(message: &ChatMessage) -> Value {
    let category =
        message.template.as_ref().map_or("service".to_owned(), |t| t.category.to_lowercase());
    let free = message.in_window && matches!(category.as_str(), "service" | "utility");
    json!({
        "billable": !free,
        "pricing_model": "PMP",
        "type": if free { "free_customer_service" } else { "regular" },
        "category": category,
    })
}

fn error(failure: Failure) -> Value {
    json!({
        "code": failure.code,
        "title": failure.title,
        "message": failure.title,
        "error_data": { "details": failure.details },
        "href": ERROR_PAGE,
    })
}

fn seconds(at_ms: i64) -> String {
    at_ms.div_euclid(1_000).to_string()
}
