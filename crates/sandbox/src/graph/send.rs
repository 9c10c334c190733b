//! The body of a send, read and checked before any rule about number or template (protocol, 2.1 to 2.6).

use serde_json::Value;

use super::error::GraphError;
use crate::message::{Content, MediaKind};
use crate::template::{field, media_of};

const TEXT_MAX: usize = 4_096;
const CAPTION_MAX: usize = 1_024;
const CALLBACK_MAX: usize = 512;

/// What a body asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    Message(Box<Draft>),
    /// A read mark on a customer's message, with or without the typing indicator.
    Read(String),
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    /// The recipient as it was written.
    pub input: String,
    /// The recipient's digits.
    pub to: String,
    pub kind: String,
    pub body: DraftBody,
    pub context: Option<String>,
    pub callback_data: Option<String>,
}

/// What the message holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DraftBody {
    Content(Content),
    Template { name: String, language: String, components: Value },
    Reaction { message: String, emoji: String },
}

/// Reads the body of `POST /{phone}/messages`.
///
/// # Errors
///
/// 100, 131008, 131009 or 131062, as the platform answers.
pub(crate) fn read(body: &Value) -> Result<Request, GraphError> {
    if field(body, "messaging_product") != "whatsapp" {
        return Err(GraphError::parameter("messaging_product must be whatsapp"));
    }
    if field(body, "status") == "read" {
        return match field(body, "message_id") {
            "" => Err(GraphError::missing("message_id is needed")),
            message => Ok(Request::Read(message.to_owned())),
        };
    }
    let (input, to) = recipient(body)?;
    let kind = match field(body, "type") {
        "" => "text",
        kind => kind,
    };
    let object = &body[kind];
    let has_its_shape = object.is_object() || (kind == "contacts" && object.is_array());
    if !has_its_shape {
        return Err(match kind_is_known(kind) {
            true => GraphError::missing(format!("Parameter '{kind}' is required for this type.")),
            false => GraphError::parameter(format!("type: {kind} is not a known message type")),
        });
    }
    let callback_data = match field(body, "biz_opaque_callback_data") {
        "" => None,
        data if CALLBACK_MAX < data.chars().count() => {
            return Err(GraphError::parameter("biz_opaque_callback_data is too long"));
        }
        data => Some(data.to_owned()),
    };
    let context = match field(&body["context"], "message_id") {
        "" => None,
        id => Some(id.to_owned()),
    };
    let body = content(kind, object)?;
    let kind = kind.to_owned();
    Ok(Request::Message(Box::new(Draft { input, to, kind, body, context, callback_data })))
}

fn recipient(body: &Value) -> Result<(String, String), GraphError> {
    let input = field(body, "to");
    if input.is_empty() {
        return Err(match field(body, "recipient") {
            "" => GraphError::missing("The parameter to is required."),
            _ => GraphError::business_scoped(),
        });
    }
    let is_written_so = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')');
    let to: String = input.chars().filter(char::is_ascii_digit).collect();
    if !input.chars().all(is_written_so) || !(7..=15).contains(&to.len()) {
        return Err(GraphError::value("to is no phone number"));
    }
    Ok((input.to_owned(), to))
}

fn kind_is_known(kind: &str) -> bool {
    MediaKind::parse(kind).is_some()
        || matches!(
            kind,
            "text" | "template" | "reaction" | "interactive" | "location" | "contacts"
        )
}

fn content(kind: &str, object: &Value) -> Result<DraftBody, GraphError> {
    match kind {
        "template" => template(object),
        "text" => match field(object, "body") {
            "" => Err(GraphError::missing("text.body is required.")),
            text if TEXT_MAX < text.chars().count() => {
                Err(GraphError::parameter("text.body has more than 4096 characters"))
            }
            text => Ok(DraftBody::Content(Content::text(text))),
        },
        "reaction" => match field(object, "message_id") {
            "" => Err(GraphError::missing("reaction.message_id is required.")),
            message => Ok(DraftBody::Reaction {
                message: message.to_owned(),
                emoji: field(object, "emoji").to_owned(),
            }),
        },
        "interactive" => match field(&object["body"], "text") {
            "" => Err(GraphError::missing("interactive.body is required.")),
            text => Ok(DraftBody::Content(Content::text(text))),
        },
        "location" => Ok(DraftBody::Content(Content::text(field(object, "name")))),
        "contacts" => {
            let name = field(&object[0]["name"], "formatted_name");
            Ok(DraftBody::Content(Content::text(name)))
        }
        _ => media(kind, object),
    }
}

fn media(kind: &str, object: &Value) -> Result<DraftBody, GraphError> {
    let Some(media) = MediaKind::parse(kind) else {
        return Err(GraphError::parameter(format!("type: {kind} is not a known message type")));
    };
    let caption = field(object, "caption");
    if CAPTION_MAX < caption.chars().count() {
        return Err(GraphError::parameter("caption has more than 1024 characters"));
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
    fn what_is_missing_or_wrong_has_the_platforms_code() {
        let long = "x".repeat(4_097);
        let cases = [
            ("no product", json!({ "to": "447700900777", "text": { "body": "a" } }), 100),
            (
                "no recipient",
                json!({ "messaging_product": "whatsapp", "text": { "body": "a" } }),
                131_008,
            ),
            (
                "a business-scoped one",
                json!({ "messaging_product": "whatsapp", "recipient": "GB.1", "text": { "body": "a" } }),
                131_062,
            ),
            (
                "no number",
                json!({ "messaging_product": "whatsapp", "to": "Imani", "text": { "body": "a" } }),
                131_009,
            ),
            ("no text", json!({ "messaging_product": "whatsapp", "to": "447700900777" }), 131_008),
            (
                "an empty text",
                json!({ "messaging_product": "whatsapp", "to": "447700900777", "text": { "body": "" } }),
                131_008,
            ),
            (
                "too long a text",
                json!({ "messaging_product": "whatsapp", "to": "447700900777", "text": { "body": long } }),
                100,
            ),
            (
                "an unknown type",
                json!({ "messaging_product": "whatsapp", "to": "447700900777", "type": "telex", "telex": {} }),
                100,
            ),
            (
                "link and id",
                json!({ "messaging_product": "whatsapp", "to": "447700900777", "type": "image", "image": { "id": "1", "link": "https://a.example/b.jpg" } }),
                100,
            ),
            (
                "no template name",
                json!({ "messaging_product": "whatsapp", "to": "447700900777", "type": "template", "template": {} }),
                131_008,
            ),
        ];
        for (case, body, code) in cases {
            assert_eq!(read(&body).unwrap_err().code, code, "{case}");
        }
    }

    #[test]
    fn a_recipient_is_read_down_to_its_digits() {
        let body = json!({ "messaging_product": "whatsapp", "to": "+44 (7700) 900-777", "text": { "body": "a" }, "biz_opaque_callback_data": "a1" });
        let Request::Message(draft) = read(&body).unwrap() else { panic!("a message") };
        assert_eq!(
            (draft.input.as_str(), draft.to.as_str()),
            ("+44 (7700) 900-777", "447700900777")
        );
        assert_eq!(draft.callback_data.as_deref(), Some("a1"));
    }
}
