//! The content of each type of message (protocol, 2.3 and 2.6).

use serde_json::Value;

use super::{DraftBody, interactive};
use crate::graph::error::GraphError;
use crate::message::{Content, MediaKind};
use crate::template::{field, media_of};

const TEXT_MAX: usize = 4_096;
const CAPTION_MAX: usize = 1_024;
/// So many people fit into one message.
const CONTACTS_MAX: usize = 257;

/// Whether the platform knows the type `kind`.
pub(super) fn is_known(kind: &str) -> bool {
    MediaKind::parse(kind).is_some()
        || matches!(
            kind,
            "text" | "template" | "reaction" | "interactive" | "location" | "contacts"
        )
}

/// Reads the `object` of a message of type `kind`.
///
/// # Errors
///
/// 131008 for what is missing, 100 for what is too long or not allowed, 131009 for a value that cannot be.
pub(super) fn read(kind: &str, object: &Value) -> Result<DraftBody, GraphError> {
    match kind {
        "template" => template(object),
        "text" => text(object),
        "reaction" => match field(object, "message_id") {
            "" => Err(GraphError::missing("reaction.message_id is required.")),
            message => Ok(DraftBody::Reaction {
                message: message.to_owned(),
                emoji: field(object, "emoji").to_owned(),
            }),
        },
        "interactive" => interactive::read(object).map(DraftBody::Content),
        "location" => location(object),
        "contacts" => contacts(object),
        _ => media(kind, object),
    }
}

fn text(object: &Value) -> Result<DraftBody, GraphError> {
    if !matches!(object["preview_url"], Value::Null | Value::Bool(_)) {
        return Err(GraphError::parameter("text.preview_url must be true or false"));
    }
    match field(object, "body") {
        "" => Err(GraphError::missing("text.body is required.")),
        text if TEXT_MAX < text.chars().count() => {
            Err(GraphError::parameter("text.body has more than 4096 characters"))
        }
        text => Ok(DraftBody::Content(Content::text(text))),
    }
}

fn location(object: &Value) -> Result<DraftBody, GraphError> {
    for (name, most) in [("latitude", 90.0), ("longitude", 180.0)] {
        let degrees = match &object[name] {
            Value::Null => {
                return Err(GraphError::missing(format!("location.{name} is required.")));
            }
            // Both ways of writing it are met.
            Value::String(text) => text.trim().parse::<f64>().ok(),
            value => value.as_f64(),
        };
        if !degrees.is_some_and(|degrees| degrees.abs() <= most) {
            return Err(GraphError::value(format!("location.{name} is no place on earth")));
        }
    }
    let shown = match (field(object, "name"), field(object, "address")) {
        ("", address) => address,
        (name, _) => name,
    };
    Ok(DraftBody::Content(Content::text(shown)))
}

fn contacts(object: &Value) -> Result<DraftBody, GraphError> {
    let people = object.as_array().map_or(&[][..], Vec::as_slice);
    if people.is_empty() {
        return Err(GraphError::missing("contacts: at least one is required."));
    }
    if CONTACTS_MAX < people.len() {
        return Err(GraphError::parameter("contacts: there are more than 257"));
    }
    for person in people {
        let name = &person["name"];
        if field(name, "formatted_name").is_empty() {
            return Err(GraphError::missing("contacts.name.formatted_name is required."));
        }
        let parts = ["first_name", "last_name", "middle_name", "prefix", "suffix"];
        if parts.iter().all(|part| field(name, part).is_empty()) {
            return Err(GraphError::missing(
                "contacts.name: one more part of the name is required.",
            ));
        }
        for list in ["phones", "emails", "urls", "addresses"] {
            if !matches!(person[list], Value::Null | Value::Array(_)) {
                return Err(GraphError::parameter(format!("contacts.{list} must be a list")));
            }
        }
    }
    let names: Vec<&str> =
        people.iter().map(|person| field(&person["name"], "formatted_name")).collect();
    Ok(DraftBody::Content(Content::text(names.join(", "))))
}

fn media(kind: &str, object: &Value) -> Result<DraftBody, GraphError> {
    let Some(media) = MediaKind::parse(kind) else {
        return Err(GraphError::parameter(format!("type: {kind} is not a known message type")));
    };
    let caption = field(object, "caption");
    if CAPTION_MAX < caption.chars().count() {
        return Err(GraphError::parameter("caption has more than 1024 characters"));
    }
    if matches!(media, MediaKind::Audio | MediaKind::Sticker) && !object["caption"].is_null() {
        return Err(GraphError::parameter(format!("{kind}: a caption is not allowed")));
    }
    if media != MediaKind::Document && !object["filename"].is_null() {
        return Err(GraphError::parameter(format!("{kind}: a filename is not allowed")));
    }
    let media = Some(media_of(media, object)?);
    Ok(DraftBody::Content(Content { media, ..Content::text(caption) }))
}

fn template(object: &Value) -> Result<DraftBody, GraphError> {
    let name = field(object, "name");
    let language = field(&object["language"], "code");
    if name.is_empty() || language.is_empty() {
        return Err(GraphError::missing("template.name and template.language.code are required."));
    }
    Ok(DraftBody::Template {
        name: name.to_owned(),
        language: language.replace('-', "_"),
        components: object["components"].clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_type_is_checked_as_the_platform_checks_it() {
        let caption = "x".repeat(1_025);
        let cases = [
            ("text", json!({ "body": "a", "preview_url": "yes" }), Some(100)),
            ("image", json!({ "link": "https://a.example/b.jpg", "caption": "c" }), None),
            ("image", json!({ "link": "https://a.example/b.jpg", "caption": caption }), Some(100)),
            ("image", json!({ "link": "https://a.example/b.jpg", "filename": "b" }), Some(100)),
            ("image", json!({}), Some(131_008)),
            ("image", json!({ "link": "ftp://a.example/b" }), Some(131_009)),
            ("audio", json!({ "id": "1", "voice": true }), None),
            ("audio", json!({ "id": "1", "caption": "c" }), Some(100)),
            ("sticker", json!({ "id": "1", "caption": "c" }), Some(100)),
            ("document", json!({ "id": "1", "filename": "b.pdf", "caption": "c" }), None),
            ("location", json!({ "latitude": 51.1, "longitude": -4.1 }), None),
            ("location", json!({ "latitude": "51.1", "longitude": "-4.1" }), None),
            ("location", json!({ "latitude": 51.1 }), Some(131_008)),
            ("location", json!({ "latitude": 90.1, "longitude": 0 }), Some(131_009)),
            ("contacts", json!([]), Some(131_008)),
            ("contacts", json!([{ "name": { "formatted_name": "A B", "first_name": "A" } }]), None),
            ("contacts", json!([{ "name": { "formatted_name": "A B" } }]), Some(131_008)),
            ("contacts", json!([{ "name": { "first_name": "A" } }]), Some(131_008)),
            ("reaction", json!({ "message_id": "w", "emoji": "" }), None),
            ("reaction", json!({ "emoji": "x" }), Some(131_008)),
        ];
        for (kind, object, code) in cases {
            let read = read(kind, &object).err().map(|error| error.code);
            assert_eq!(read, code, "{kind} {object}");
        }
    }
}
