//! The envelope of a webhook, taken apart into its elements (protocol, 4.2 and 4.9 to 4.12).
//!
//! The four levels of arrays are cut along the text, and each element is read on its own, so that neither a shape nor a
//! number nor an escape that cannot be read spoils more than the element it stands in.

use std::collections::BTreeMap;

use domain::channel::{ChannelEvent, UnreadableElement, WebhookElement, WebhookRejection};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use super::{
    account::read_account,
    contact_change::{read_echo, read_preference},
    errors::{ErrorWire, Way},
    inbound::read_message,
    person::ContactWire,
    receipt::read_status,
    template_change::{self, read_template},
    wire::{Loose, problem, read_object},
};

/// The fields the protocol names without a feature here.
const KEPT_FIELDS: [&str; 11] = [
    "history",
    "smb_app_state_sync",
    "calls",
    "flows",
    "automatic_events",
    "partner_solutions",
    "payment_configuration_update",
    "group_lifecycle_update",
    "group_participants_update",
    "group_settings_update",
    "group_status_update",
];

/// What stands beside the lists of a value and is no element.
const BESIDES: [&str; 1] = ["contacts"];

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
    let changes = parts.as_ref().and_then(|parts| list(parts.get("changes")?));
    let told = |key: &str| parts.as_ref().and_then(|parts| text(parts, key)).unwrap_or_default();
    let told = Told { account: told("id"), time: told("time"), external_id: None };
    let Some(changes) = changes else {
        return vec![told.unreadable(entry, "an entry without changes")];
    };
    changes.into_iter().flat_map(|change| read_change(change, told.clone())).collect()
}

/// Of what, and when, the elements of an entry are told.
#[derive(Debug, Clone)]
struct Told {
    account: Loose,
    time: Loose,
    external_id: Option<String>,
}

impl Told {
    /// An element that came as `raw`. The entry's instant is that of what has neither id nor instant.
    fn element(
        &self,
        raw: &RawValue,
        event: Result<ChannelEvent, UnreadableElement>,
    ) -> WebhookElement {
        let told_at = match &event {
            Ok(
                ChannelEvent::Account { .. }
                | ChannelEvent::Template(_)
                | ChannelEvent::Trouble { .. }
                | ChannelEvent::Kept { .. }
                | ChannelEvent::Other { .. },
            ) => self.time.as_instant(),
            Ok(
                ChannelEvent::Inbound(_)
                | ChannelEvent::Edited(_)
                | ChannelEvent::Revoked(_)
                | ChannelEvent::IdentityChanged(_)
                | ChannelEvent::Preference(_)
                | ChannelEvent::Echo(_)
                | ChannelEvent::Receipt(_),
            )
            | Err(_) => None,
        };
        WebhookElement {
            account_id: self.account.0.clone(),
            external_id: self.external_id.clone(),
            told_at,
            raw: raw.get().to_owned(),
            event,
        }
    }

    fn unreadable(&self, raw: &RawValue, reason: &str) -> WebhookElement {
        self.element(raw, Err(problem(reason)))
    }
}

fn read_change(change: &RawValue, mut told: Told) -> Vec<WebhookElement> {
    let parts: Option<Parts<'_>> = object(change);
    let Some(parts) = parts else {
        return vec![told.unreadable(change, "a change that is no object")];
    };
    let value: Parts<'_> = parts.get("value").and_then(|value| object(value)).unwrap_or_default();
    let field_in = |parts: &Parts<'_>| text(parts, "field").and_then(|field| field.0);
    // Some of the platform's own samples have it inside the value.
    let Some(field) = field_in(&parts).or_else(|| field_in(&value)) else {
        return vec![told.unreadable(change, "a change without a field")];
    };
    told.external_id = value
        .get("metadata")
        .and_then(|metadata| object::<Parts<'_>>(metadata))
        .and_then(|metadata| text(&metadata, "phone_number_id"))
        .and_then(|id| id.0);
    let lists = Lists { contacts: contacts_of(&value), value, told };
    let elements = match field.as_str() {
        "messages" => lists.read_messages(),
        "user_preferences" => lists.read(&[("user_preferences", &|preference, _| {
            read_preference(preference, &lists.contacts)
        })]),
        "smb_message_echoes" => lists
            .read(&[("message_echoes", &|echo, raw| Ok(read_echo(echo, raw, &lists.contacts)))]),
        _ => Vec::new(),
    };
    if !elements.is_empty() {
        return elements;
    }
    let read =
        || read_value(parts.get("value").ok_or_else(|| problem("a change without a value"))?);
    let entry_time = &lists.told.time;
    let event = if template_change::FIELDS.contains(&field.as_str()) {
        read().and_then(|value| read_template(&field, &value, entry_time))
    } else if KEPT_FIELDS.contains(&field.as_str()) {
        Ok(ChannelEvent::Kept { kind: field })
    } else {
        let event = read().ok().and_then(|value| read_account(&field, &value));
        Ok(event.map_or(ChannelEvent::Other { kind: field }, |event| ChannelEvent::Account {
            event,
            at: entry_time.as_instant(),
        }))
    };
    vec![lists.told.element(change, event)]
}

/// How an element of a list is read, of which its text is at hand, too.
type Read<'a> = &'a dyn Fn(&Value, &str) -> Result<ChannelEvent, UnreadableElement>;

/// The lists of a value, of which there may be several at once.
struct Lists<'a> {
    value: Parts<'a>,
    contacts: Vec<ContactWire>,
    told: Told,
}

impl Lists<'_> {
    /// The field `messages`, whose value may hold messages, statuses and errors, even together.
    fn read_messages(&self) -> Vec<WebhookElement> {
        self.read(&[
            ("messages", &|message, raw| read_message(message, raw, &self.contacts)),
            ("statuses", &|status, _| read_status(status, &self.contacts)),
            ("errors", &|error, _| Ok(read_trouble(error))),
        ])
    }

    /// One element for each of every list, those that are `known` first; what is in other lists is kept as it came.
    fn read(&self, known: &[(&str, Read<'_>)]) -> Vec<WebhookElement> {
        let mut elements = Vec::new();
        for (key, read) in known {
            let Some(raw) = self.value.get(*key) else { continue };
            match list(raw) {
                Some(list) => {
                    elements.extend(list.into_iter().map(|element| self.element(element, *read)));
                }
                None => {
                    elements.push(self.told.unreadable(raw, "not a list"));
                }
            }
        }
        let is_known = |key: &str| known.iter().any(|(name, _)| *name == key);
        for (key, raw) in &self.value {
            if is_known(key) || BESIDES.contains(&key.as_str()) {
                continue;
            }
            let keep: Read<'_> = &|_, _| Ok(ChannelEvent::Other { kind: key.clone() });
            let list = list(raw).unwrap_or_default();
            elements.extend(list.into_iter().map(|element| self.element(element, keep)));
        }
        elements
    }

    fn element(&self, element: &RawValue, read: Read<'_>) -> WebhookElement {
        let event = read_value(element).and_then(|value| read(&value, element.get()));
        self.told.element(element, event)
    }
}

/// Reads one of the value's own `errors[]`.
fn read_trouble(value: &Value) -> ChannelEvent {
    read_object(value).map_or_else(
        || ChannelEvent::Other { kind: "errors".to_owned() },
        |error: ErrorWire| ChannelEvent::Trouble {
            refusal: error.refusal(),
            class: error.class(Way::Webhook),
        },
    )
}

fn contacts_of(value: &Parts<'_>) -> Vec<ContactWire> {
    let contacts = value.get("contacts").and_then(|contacts| list(contacts)).unwrap_or_default();
    contacts.into_iter().filter_map(|contact| read_object(&read_value(contact).ok()?)).collect()
}

/// The element as a value. Its nesting is limited, and of a key given twice the last counts.
fn read_value(element: &RawValue) -> Result<Value, UnreadableElement> {
    serde_json::from_str(element.get()).map_err(|_| problem("not readable JSON"))
}

fn object<'a, T: Deserialize<'a>>(raw: &'a RawValue) -> Option<T> {
    serde_json::from_str(raw.get()).ok()
}

fn list(raw: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(raw.get()).ok()
}

fn text(parts: &Parts<'_>, key: &str) -> Option<Loose> {
    serde_json::from_str(parts.get(key)?.get()).ok()
}

#[cfg(test)]
mod tests;
