//! The envelope of a webhook, taken apart into its elements (protocol, 4.2 and 4.9 to 4.12).
//!
//! The four levels of arrays are cut along the text, and each element is read on its own, so that neither a shape nor a
//! number nor an escape that cannot be read spoils more than the element it stands in.

use std::collections::BTreeMap;

use domain::channel::{ChannelEvent, UnreadableElement, WebhookElement, WebhookRejection};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    account_change::{read_preference, read_template_status},
    inbound::{ContactWire, read_message},
    receipt::read_status,
    wire::{Loose, problem},
};

/// An object whose values are not yet read. Of a key given twice the last counts.
type Parts<'a> = BTreeMap<String, &'a RawValue>;

/// Reads a verified body into its elements.
pub(super) fn parse(body: &[u8]) -> Result<Vec<WebhookElement>, WebhookRejection> {
    // The platform writes ASCII; stray bytes spoil only the text they stand in.
    let body = String::from_utf8_lossy(body);
    let envelope: Parts<'_> =
        serde_json::from_str(&body).map_err(|_| WebhookRejection::Unreadable)?;
    let entries = envelope
        .get("entry")
        .and_then(|entries| serde_json::from_str::<Vec<&RawValue>>(entries.get()).ok())
        .ok_or(WebhookRejection::Unreadable)?;
    Ok(entries.into_iter().flat_map(read_entry).collect())
}

fn read_entry(entry: &RawValue) -> Vec<WebhookElement> {
    let parts: Option<Parts<'_>> = object(entry);
    let changes = parts.as_ref().and_then(|parts| list(parts, "changes"));
    let Some(changes) = changes else {
        return vec![unreadable(None, entry, "an entry without changes")];
    };
    let time = parts.as_ref().and_then(|parts| text(parts, "time")).unwrap_or_default();
    changes.into_iter().flat_map(|change| read_change(change, &time)).collect()
}

fn read_change(change: &RawValue, entry_time: &Loose) -> Vec<WebhookElement> {
    let parts: Option<Parts<'_>> = object(change);
    let Some(parts) = parts else {
        return vec![unreadable(None, change, "a change that is no object")];
    };
    let Some(field) = text(&parts, "field").and_then(|field| field.0) else {
        return vec![unreadable(None, change, "a change without a field")];
    };
    let value: Parts<'_> = parts.get("value").and_then(|value| object(value)).unwrap_or_default();
    let external_id = value
        .get("metadata")
        .and_then(|metadata| object::<Parts<'_>>(metadata))
        .and_then(|metadata| text(&metadata, "phone_number_id"))
        .and_then(|id| id.0);
    let elements = match field.as_str() {
        "messages" => read_messages(&value, external_id.as_deref()),
        "user_preferences" => {
            each(&value, "user_preferences", external_id.as_deref(), read_preference)
        }
        "message_template_status_update" => {
            let event = parts
                .get("value")
                .ok_or_else(|| problem("a change without a value"))
                .and_then(|value| read_value(value))
                .and_then(|value| read_template_status(value, entry_time));
            vec![WebhookElement { external_id: None, raw: change.get().to_owned(), event }]
        }
        _ => Vec::new(),
    };
    if elements.is_empty() {
        let event = Ok(ChannelEvent::Other { kind: field });
        return vec![WebhookElement { external_id, raw: change.get().to_owned(), event }];
    }
    elements
}

/// The field `messages`, whose value may hold messages, statuses and errors, even together.
fn read_messages(value: &Parts<'_>, external_id: Option<&str>) -> Vec<WebhookElement> {
    let contacts = contacts_of(value);
    let mut elements =
        each(value, "messages", external_id, |message| read_message(message, &contacts));
    elements.extend(each(value, "statuses", external_id, read_status));
    elements.extend(each(value, "errors", external_id, |_| {
        Ok(ChannelEvent::Other { kind: "errors".to_owned() })
    }));
    elements
}

fn contacts_of(value: &Parts<'_>) -> Vec<ContactWire> {
    let contacts = list(value, "contacts").unwrap_or_default();
    contacts.into_iter().filter_map(object).collect()
}

/// One element for each of the array at `key`; none when there is no such key.
fn each(
    value: &Parts<'_>,
    key: &str,
    external_id: Option<&str>,
    read: impl Fn(Value) -> Result<ChannelEvent, UnreadableElement>,
) -> Vec<WebhookElement> {
    let Some(raw) = value.get(key) else { return Vec::new() };
    let Some(elements) = list(value, key) else {
        return vec![unreadable(external_id, raw, "not a list")];
    };
    elements
        .into_iter()
        .map(|element| WebhookElement {
            external_id: external_id.map(str::to_owned),
            raw: element.get().to_owned(),
            event: read_value(element).and_then(&read),
        })
        .collect()
}

/// The element as a value. Its nesting is limited, and of a key given twice the last counts.
fn read_value(element: &RawValue) -> Result<Value, UnreadableElement> {
    serde_json::from_str(element.get()).map_err(|_| problem("not readable JSON"))
}

fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn list<'a>(parts: &Parts<'a>, key: &str) -> Option<Vec<&'a RawValue>> {
    serde_json::from_str(parts.get(key)?.get()).ok()
}

fn text(parts: &Parts<'_>, key: &str) -> Option<Loose> {
    serde_json::from_str(parts.get(key)?.get()).ok()
}

fn unreadable(external_id: Option<&str>, raw: &RawValue, reason: &str) -> WebhookElement {
    WebhookElement {
        external_id: external_id.map(str::to_owned),
        raw: raw.get().to_owned(),
        event: Err(problem(reason)),
    }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
