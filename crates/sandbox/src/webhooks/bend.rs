//! Webhooks bent out of their usual shape, as they are met in the field (protocol, 11.6).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What is bent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bend {
    /// A message of a type nobody knows.
    UnknownType,
    /// A change of a field nobody knows.
    UnknownField,
    /// A value without `contacts`.
    NoContacts,
    /// No number of the customer anywhere.
    NoWaId,
    /// The number of the customer as an empty text.
    EmptyWaId,
    /// A message without the object its type names, with `errors` instead.
    NoContent,
    /// A template's id as text.
    TextTemplateId,
    /// A template's language with a hyphen.
    HyphenLanguage,
    /// Prices and conversation as before July 2025.
    OldPricing,
    /// Errors of the account beside what the value holds.
    ValueErrors,
}

/// Bends the first change of `body`; what it does not have stays as it is.
pub(crate) fn bend(body: &mut Value, how: Bend) {
    let Some(change) = body.pointer_mut("/entry/0/changes/0") else { return };
    if how == Bend::UnknownField {
        change["field"] = json!("sandbox_unheard_of");
        return;
    }
    let value = &mut change["value"];
    match how {
        Bend::UnknownType => each(value, "messages", |message| {
            rename_content(message, "hologram");
        }),
        Bend::NoContacts => remove(value, "contacts"),
        Bend::NoWaId => for_numbers(value, &|item, name| remove(item, name)),
        Bend::EmptyWaId => for_numbers(value, &|item, name| {
            if item.get(name).is_some() {
                item[name] = json!("");
            }
        }),
        Bend::NoContent => each(value, "messages", |message| {
            let kind = message["type"].as_str().unwrap_or_default().to_owned();
            remove(message, &kind);
            message["errors"] = json!([error(131_051)]);
        }),
        Bend::TextTemplateId => {
            if let Some(id) = value["message_template_id"].as_u64() {
                value["message_template_id"] = json!(id.to_string());
            }
        }
        Bend::HyphenLanguage => {
            if let Some(language) = value["message_template_language"].as_str() {
                value["message_template_language"] = json!(language.replace('_', "-"));
            }
        }
        Bend::OldPricing => each(value, "statuses", |status| {
            if status.get("pricing").is_some() {
                status["pricing"] = json!({
                    "pricing_model": "CBP", "billable": true, "category": "business_initiated",
                });
                status["conversation"] = json!({
                    "id": "fedcba9876543210fedcba9876543210",
                    "origin": { "type": "business_initiated" },
                });
            }
        }),
        Bend::ValueErrors => value["errors"] = json!([error(130_429)]),
        Bend::UnknownField => {}
    }
}

fn error(code: u32) -> Value {
    let title = crate::graph::error::title(code);
    json!({ "code": code, "title": title, "message": title, "error_data": { "details": title } })
}

fn each(value: &mut Value, list: &str, act: impl Fn(&mut Value)) {
    for item in value.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten() {
        act(item);
    }
}

fn remove(object: &mut Value, name: &str) {
    if let Some(fields) = object.as_object_mut() {
        fields.remove(name);
    }
}

fn rename_content(message: &mut Value, to: &str) {
    let kind = message["type"].as_str().unwrap_or_default().to_owned();
    let content = message.get(&kind).cloned();
    remove(message, &kind);
    message["type"] = json!(to);
    if let Some(content) = content {
        message[to] = content;
    }
}

/// Wherever a value holds the customer's number.
fn for_numbers(value: &mut Value, act: &dyn Fn(&mut Value, &str)) {
    each(value, "contacts", |contact| act(contact, "wa_id"));
    each(value, "messages", |message| act(message, "from"));
    each(value, "statuses", |status| act(status, "recipient_id"));
    each(value, "user_preferences", |preference| act(preference, "wa_id"));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body() -> Value {
        json!({ "entry": [{ "changes": [{ "field": "messages", "value": {
            "contacts": [{ "wa_id": "1" }],
            "messages": [{ "from": "1", "type": "text", "text": { "body": "a" } }],
            "statuses": [{ "recipient_id": "1", "pricing": {} }],
            "message_template_id": 7, "message_template_language": "en_GB" } }] }] })
    }

    #[test]
    fn each_bend_changes_its_place_and_no_other() {
        let value = "/entry/0/changes/0/value";
        let cases = [
            (Bend::UnknownType, "/messages/0/hologram/body", json!("a")),
            (Bend::NoContacts, "/contacts", Value::Null),
            (Bend::NoWaId, "/messages/0/from", Value::Null),
            (Bend::EmptyWaId, "/statuses/0/recipient_id", json!("")),
            (Bend::NoContent, "/messages/0/text", Value::Null),
            (Bend::TextTemplateId, "/message_template_id", json!("7")),
            (Bend::HyphenLanguage, "/message_template_language", json!("en-GB")),
            (Bend::OldPricing, "/statuses/0/pricing/pricing_model", json!("CBP")),
            (Bend::ValueErrors, "/errors/0/code", json!(130_429)),
        ];
        for (how, place, expected) in cases {
            let mut bent = body();
            bend(&mut bent, how);
            let found = bent.pointer(&format!("{value}{place}")).cloned().unwrap_or_default();
            assert_eq!(found, expected, "{how:?}");
        }
        let mut bent = body();
        bend(&mut bent, Bend::UnknownField);
        assert_eq!(bent.pointer("/entry/0/changes/0/field").unwrap(), "sandbox_unheard_of");
        bend(&mut json!(null), Bend::NoContent);
    }
}
