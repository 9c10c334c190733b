//! The body of a send, read and checked before any rule about number or template (protocol, 2.1 to 2.6).

mod content;
mod interactive;

use serde_json::Value;

use super::error::GraphError;
use crate::message::Content;
use crate::template::field;

const CALLBACK_MAX: usize = 512;
/// What may stand beside the object that the type names.
const ENVELOPE: [&str; 9] = [
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "type",
    "context",
    "biz_opaque_callback_data",
    "recipient_identity_key_hash",
    "access_token",
];
/// What the Marketing Messages API takes beside it.
const MARKETING_ENVELOPE: [&str; 2] = ["product_policy", "message_activity_sharing"];

/// By which call a message is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Messages,
    MarketingMessages,
}

/// What a body asks for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Request {
    Message(Box<Draft>),
    /// A read mark on a customer's message, with the typing indicator or without.
    Read {
        message: String,
        typing: bool,
    },
}

/// Who is written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recipient {
    /// The digits of a number.
    Number(String),
    /// A business-scoped id.
    User(String),
}

/// A message to be sent.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    /// The recipient as it was written.
    pub input: String,
    pub to: Recipient,
    pub kind: String,
    pub body: DraftBody,
    pub context: Option<String>,
    pub callback_data: Option<String>,
    /// The identity the message is meant for; any when absent.
    pub identity_hash: Option<String>,
    pub by_marketing_api: bool,
}

/// What the message holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum DraftBody {
    Content(Content),
    Template { name: String, language: String, components: Value },
    Reaction { message: String, emoji: String },
}

/// Reads the body of `POST /{phone}/messages` or `/marketing_messages`.
///
/// # Errors
///
/// 100, 131008 or 131009, as the platform answers; 134100 for what is no template on the way of marketing.
pub(crate) fn read(body: &Value, way: Way) -> Result<Request, GraphError> {
    if field(body, "messaging_product") != "whatsapp" {
        return Err(GraphError::parameter("messaging_product must be whatsapp"));
    }
    if field(body, "status") == "read" {
        return read_mark(body);
    }
    let (input, to) = recipient(body)?;
    let kind = match field(body, "type") {
        "" => "text",
        kind => kind,
    };
    let by_marketing_api = way == Way::MarketingMessages;
    if by_marketing_api && kind != "template" {
        return Err(GraphError::parameter("type: only template goes by this call"));
    }
    let object = object(body, kind)?;
    check_keys(body, kind, by_marketing_api)?;
    let callback_data = match field(body, "biz_opaque_callback_data") {
        "" => None,
        data if CALLBACK_MAX < data.chars().count() => {
            return Err(GraphError::parameter("biz_opaque_callback_data is too long"));
        }
        data => Some(data.to_owned()),
    };
    let context = match (&body["context"], field(&body["context"], "message_id")) {
        (Value::Null, _) => None,
        (_, "") => return Err(GraphError::missing("context.message_id is required")),
        (_, _) if kind == "reaction" => {
            return Err(GraphError::parameter("A reaction cannot have a context."));
        }
        (_, id) => Some(id.to_owned()),
    };
    let identity_hash = match field(body, "recipient_identity_key_hash") {
        "" => None,
        hash => Some(hash.to_owned()),
    };
    let body = content::read(kind, &object)?;
    let kind = kind.to_owned();
    Ok(Request::Message(Box::new(Draft {
        input,
        to,
        kind,
        body,
        context,
        callback_data,
        identity_hash,
        by_marketing_api,
    })))
}

fn read_mark(body: &Value) -> Result<Request, GraphError> {
    let typing = &body["typing_indicator"];
    if !typing.is_null() && field(typing, "type") != "text" {
        return Err(GraphError::parameter("typing_indicator.type must be text"));
    }
    match field(body, "message_id") {
        "" => Err(GraphError::missing("message_id is needed")),
        message => Ok(Request::Read { message: message.to_owned(), typing: !typing.is_null() }),
    }
}

/// The object that the type names; one client writes it as text inside of the JSON, which the platform reads too.
fn object(body: &Value, kind: &str) -> Result<Value, GraphError> {
    let written = &body[kind];
    let parsed = written.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
    let object = parsed.unwrap_or_else(|| written.clone());
    let has_its_shape = object.is_object() || (kind == "contacts" && object.is_array());
    match (has_its_shape, content::is_known(kind)) {
        (true, _) => Ok(object),
        (false, true) => {
            Err(GraphError::missing(format!("Parameter '{kind}' is required for this type.")))
        }
        (false, false) => {
            Err(GraphError::parameter(format!("type: {kind} is not a known message type")))
        }
    }
}

fn check_keys(body: &Value, kind: &str, by_marketing_api: bool) -> Result<(), GraphError> {
    let is_known = |name: &str| {
        name == kind
            || ENVELOPE.contains(&name)
            || (by_marketing_api && MARKETING_ENVELOPE.contains(&name))
    };
    let unknown = body.as_object().and_then(|fields| fields.keys().find(|name| !is_known(name)));
    match unknown {
        Some(name) => Err(GraphError::parameter(format!("Unexpected key \"{name}\""))),
        None => Ok(()),
    }
}

fn recipient(body: &Value) -> Result<(String, Recipient), GraphError> {
    if !matches!(field(body, "recipient_type"), "" | "individual") {
        return Err(GraphError::parameter("recipient_type must be individual"));
    }
    let input = field(body, "to");
    if input.is_empty() {
        return match field(body, "recipient") {
            "" => Err(GraphError::missing("The parameter to is required.")),
            id if is_user_id(id) => Ok((id.to_owned(), Recipient::User(id.to_owned()))),
            _ => Err(GraphError::value("recipient is no business-scoped id")),
        };
    }
    let is_written_so = |c: char| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')');
    let to: String = input.chars().filter(char::is_ascii_digit).collect();
    if !input.chars().all(is_written_so) || !(7..=15).contains(&to.len()) {
        return Err(GraphError::value("to is no phone number"));
    }
    Ok((input.to_owned(), Recipient::Number(to)))
}

/// Two letters of a country, a point, and letters and digits, with `ENT.` before them for a parent's id.
fn is_user_id(id: &str) -> bool {
    let Some((country, scoped)) = id.split_once('.') else { return false };
    let scoped = scoped.strip_prefix("ENT.").unwrap_or(scoped);
    country.len() == 2
        && country.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=128).contains(&scoped.len())
        && scoped.bytes().all(|byte| byte.is_ascii_alphanumeric())
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
                "no business-scoped id",
                json!({ "messaging_product": "whatsapp", "recipient": "Imani", "text": { "body": "a" } }),
                131_009,
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
        let more = [
            ("an unknown key", json!({ "text": { "body": "a" }, "txt": {} }), 100),
            ("a group", json!({ "recipient_type": "group", "text": { "body": "a" } }), 100),
            ("an empty context", json!({ "context": {}, "text": { "body": "a" } }), 131_008),
            (
                "a reaction with a context",
                json!({ "type": "reaction", "reaction": { "message_id": "1", "emoji": "x" },
                    "context": { "message_id": "2" } }),
                100,
            ),
        ];
        let envelope = |mut body: Value| {
            body["messaging_product"] = json!("whatsapp");
            body["to"] = json!("447700900777");
            body
        };
        let more = more.map(|(case, body, code)| (case, envelope(body), code));
        for (case, body, code) in cases.into_iter().chain(more) {
            assert_eq!(read(&body, Way::Messages).unwrap_err().code, code, "{case}");
        }
    }

    #[test]
    fn a_recipient_is_read_down_to_its_digits() {
        let body = json!({ "messaging_product": "whatsapp", "to": "+44 (7700) 900-777", "text": { "body": "a" }, "biz_opaque_callback_data": "a1" });
        let Request::Message(draft) = read(&body, Way::Messages).unwrap() else {
            panic!("a message")
        };
        assert_eq!(
            (draft.input.as_str(), &draft.to),
            ("+44 (7700) 900-777", &Recipient::Number("447700900777".to_owned()))
        );
        assert_eq!(draft.callback_data.as_deref(), Some("a1"));
    }
}
