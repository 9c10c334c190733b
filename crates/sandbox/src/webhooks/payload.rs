//! The JSON of each kind of webhook (protocol, sections 3.10, 4.9, 4.10 and 5).

use serde_json::{Map, Value, json};
use sha2::Digest as _;

use crate::message::{ChatMessage, Failure, Status};
use crate::number::{DAY_MS, Number};
use crate::template::Template;

const ERROR_PAGE: &str =
    "https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes/";

/// The last version of webhooks whose statuses tell of a conversation.
const LAST_WITH_CONVERSATION: u32 = 23;

/// What a customer sends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Inbound {
    /// The type, which names the object beside it.
    pub kind: String,
    /// The object; `None` for a type that has none.
    pub content: Option<Value>,
    /// What stands beside: `referral`, `errors`, a `context` of its own.
    pub beside: Map<String, Value>,
}

impl Inbound {
    pub(crate) fn new(kind: &str, content: Value) -> Self {
        Self { kind: kind.to_owned(), content: Some(content), beside: Map::new() }
    }
}

/// A customer as webhooks name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// Absent where the customer hides the number.
    pub wa_id: Option<String>,
    /// The business-scoped id; absent in webhooks from before 2026.
    pub user_id: Option<String>,
    pub name: Option<String>,
    pub username: Option<String>,
}

/// Which of the platform's ways to write a webhook is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    /// Up to 23 statuses tell of a conversation.
    pub version: u32,
}

/// One change of `field`, in its envelope; `time_ms` is set for the account-level fields only.
pub(crate) fn envelope(waba_id: &str, field: &str, value: Value, time_ms: Option<i64>) -> Value {
    let mut entry = json!({ "id": waba_id, "changes": [{ "field": field, "value": value }] });
    if let (Some(time_ms), Some(fields)) = (time_ms, entry.as_object_mut()) {
        fields.insert("time".to_owned(), json!(time_ms.div_euclid(1_000)));
    }
    json!({ "object": "whatsapp_business_account", "entry": [entry] })
}

/// A message's status of `at_ms`.
pub(crate) fn status(
    number: &Number,
    message: &ChatMessage,
    person: &Person,
    (status, at_ms): (Status, i64),
    style: Style,
) -> Value {
    let mut fields = json!({
        "id": message.id,
        "status": status.as_str(),
        "timestamp": seconds(at_ms),
    });
    set(&mut fields, "recipient_id", person.wa_id.clone());
    set(&mut fields, "recipient_user_id", person.user_id.clone());
    set(&mut fields, "biz_opaque_callback_data", message.callback_data.clone());
    if matches!(status, Status::Sent | Status::Delivered) {
        fields["pricing"] = pricing(message);
        if style.version <= LAST_WITH_CONVERSATION {
            fields["conversation"] = conversation(message, status, at_ms);
        }
    }
    if let (Status::Failed, Some(failure)) = (status, message.failure) {
        fields["errors"] = json!([error(failure)]);
    }
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(number),
        "statuses": [fields],
    });
    if person.user_id.is_some() && status != Status::Failed {
        value["contacts"] = json!([contact(person)]);
    }
    envelope(&number.seed.waba_id, "messages", value, None)
}

/// A message from a customer; one of the system has no contacts.
pub(crate) fn inbound(
    number: &Number,
    person: &Person,
    message: &ChatMessage,
    inbound: &Inbound,
) -> Value {
    let mut fields = json!({
        "id": message.id,
        "timestamp": seconds(message.at_ms),
        "type": inbound.kind,
    });
    set(&mut fields, "from", person.wa_id.clone());
    set(&mut fields, "from_user_id", person.user_id.clone());
    if let Some(content) = &inbound.content {
        fields[inbound.kind.as_str()] = content.clone();
    }
    if let Some(context) = &message.context {
        fields["context"] = json!({ "from": number.digits(), "id": context });
    }
    if let Some(map) = fields.as_object_mut() {
        map.extend(inbound.beside.clone());
    }
    let mut value = json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(number),
        "messages": [fields],
    });
    if inbound.kind != "system" {
        value["contacts"] = json!([contact(person)]);
    }
    envelope(&number.seed.waba_id, "messages", value, None)
}

/// A customer stopped or resumed marketing.
pub(crate) fn preference(number: &Number, person: &Person, stopped: bool, at_ms: i64) -> Value {
    let (word, detail) = if stopped {
        ("stop", "User asked to stop marketing messages")
    } else {
        ("resume", "User asked to resume marketing messages")
    };
    let mut preference = json!({
        "detail": detail,
        "category": "marketing_messages",
        "value": word,
        "timestamp": at_ms.div_euclid(1_000),
    });
    set(&mut preference, "wa_id", person.wa_id.clone());
    set(&mut preference, "user_id", person.user_id.clone());
    let value = json!({
        "messaging_product": "whatsapp",
        "metadata": metadata(number),
        "contacts": [contact(person)],
        "user_preferences": [preference],
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
fn contact(person: &Person) -> Value {
    let mut profile = json!({});
    set(&mut profile, "name", person.name.clone());
    set(&mut profile, "username", person.username.clone());
    let mut contact = json!({ "profile": profile });
    set(&mut contact, "wa_id", person.wa_id.clone());
    set(&mut contact, "user_id", person.user_id.clone());
    contact
}

/// Sets `name` unless there is nothing to say.
fn set(object: &mut Value, name: &str, text: Option<String>) {
    if let Some(text) = text {
        object[name] = json!(text);
    }
}

/// What statuses told of conversations until v23; only `sent` says until when.
fn conversation(message: &ChatMessage, status: Status, at_ms: i64) -> Value {
    let category = category(message);
    let id = hex::encode(&sha2::Sha256::digest(message.id.as_bytes())[..16]);
    let mut conversation = json!({ "id": id, "origin": { "type": category } });
    if status == Status::Sent {
        let until = (at_ms + DAY_MS).div_euclid(1_000).to_string();
        conversation["expiration_timestamp"] = json!(until);
    }
    conversation
}

fn category(message: &ChatMessage) -> String {
    message.template.as_ref().map_or("service".to_owned(), |used| used.category.to_lowercase())
}

fn metadata(number: &Number) -> Value {
    json!({
        "display_phone_number": number.digits(),
        "phone_number_id": number.seed.phone_number_id,
    })
}

fn pricing(message: &ChatMessage) -> Value {
    let category = category(message);
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
