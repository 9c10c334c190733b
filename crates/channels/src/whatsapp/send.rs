//! Sending one message: the platform's payload, and what its answer means (protocol, 2.1 to 2.6 and 8.6).

use domain::{
    channel::{
        ChannelAccess, MediaSource, OutgoingContent, OutgoingMedia, OutgoingMessage,
        PlatformRefusal, RefusalClass, RetryScope, SendOutcome,
    },
    media::FileKind,
    template::{MessageTemplate, VariableValues},
};
use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    errors::{Way, class_of_status},
    graph::{self, ANSWER_LIMIT, error_in},
    template_parameters::{ComponentWire, UnfilledVariable, components},
    wire::{Loose, lenient_list},
};
use crate::http::{Answer, Broken, OutgoingHttp, exchange};

/// A message as the platform takes it.
#[derive(Debug, Serialize)]
pub(super) struct MessageWire<'a> {
    messaging_product: &'static str,
    recipient_type: &'static str,
    /// A number or wa_id.
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<&'a str>,
    /// A business-scoped id.
    #[serde(skip_serializing_if = "Option::is_none")]
    recipient: Option<&'a str>,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(flatten)]
    content: ContentWire<'a>,
    /// The message it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    context: Option<ContextWire<'a>>,
    biz_opaque_callback_data: &'a str,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
enum ContentWire<'a> {
    Text { body: &'a str, preview_url: bool },
    Template { name: &'a str, language: LanguageWire<'a>, components: Vec<ComponentWire> },
    Reaction { message_id: &'a str, emoji: &'a str },
    Image(FileWire<'a>),
    Video(FileWire<'a>),
    Audio(FileWire<'a>),
    Document(FileWire<'a>),
    Sticker(FileWire<'a>),
}

/// A file: exactly one of id and link.
#[derive(Debug, Default, Serialize)]
struct FileWire<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    link: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    caption: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    filename: Option<&'a str>,
    /// Only said of what was spoken.
    #[serde(skip_serializing_if = "Option::is_none")]
    voice: Option<bool>,
}

#[derive(Debug, Serialize)]
struct ContextWire<'a> {
    message_id: &'a str,
}

#[derive(Debug, Serialize)]
struct LanguageWire<'a> {
    code: &'a str,
}

impl<'a> MessageWire<'a> {
    /// The payload of `message`.
    ///
    /// # Errors
    /// [`UnfilledVariable`] when a variable of the template has no value.
    pub(super) fn new(message: &'a OutgoingMessage) -> Result<Self, UnfilledVariable> {
        let (kind, content) = match &message.content {
            OutgoingContent::Text { body } => ("text", text(body)),
            OutgoingContent::Template { template, values } => {
                ("template", filled(template, values)?)
            }
            OutgoingContent::Reaction { to, emoji } => {
                ("reaction", ContentWire::Reaction { message_id: to, emoji })
            }
            OutgoingContent::Media(media) => file(media),
        };
        // A business-scoped id starts with letters, `GB.5530871129046618`; a number never does.
        let is_scoped = message.to.starts_with(|first: char| first.is_ascii_alphabetic());
        let to = Some(message.to.as_str());
        // A reaction names its message itself, and may carry no other.
        let quotes = message.quotes.as_deref().filter(|_| kind != "reaction");
        Ok(Self {
            messaging_product: "whatsapp",
            recipient_type: "individual",
            to: to.filter(|_| !is_scoped),
            recipient: to.filter(|_| is_scoped),
            kind,
            content,
            context: quotes.map(|message_id| ContextWire { message_id }),
            biz_opaque_callback_data: &message.callback_id,
        })
    }
}

fn text(body: &str) -> ContentWire<'_> {
    let has_link = body.contains("https://") || body.contains("http://");
    ContentWire::Text { body, preview_url: has_link }
}

fn file(media: &OutgoingMedia) -> (&'static str, ContentWire<'_>) {
    let (id, link) = match &media.source {
        MediaSource::Uploaded(id) => (Some(id.as_str()), None),
        MediaSource::Link(link) => (None, Some(link.as_str())),
    };
    let wire = FileWire {
        id,
        link,
        caption: media.caption.as_deref(),
        filename: media.name.as_deref(),
        voice: (media.kind == FileKind::Voice).then_some(true),
    };
    let content = match media.kind {
        FileKind::Image => ContentWire::Image(wire),
        FileKind::Video => ContentWire::Video(wire),
        FileKind::Audio | FileKind::Voice => ContentWire::Audio(wire),
        FileKind::Document => ContentWire::Document(wire),
        FileKind::Sticker => ContentWire::Sticker(wire),
    };
    (media.kind.message_kind(), content)
}

fn filled<'a>(
    template: &'a MessageTemplate,
    values: &VariableValues,
) -> Result<ContentWire<'a>, UnfilledVariable> {
    Ok(ContentWire::Template {
        name: &template.name,
        language: LanguageWire { code: &template.language },
        components: components(template, values)?,
    })
}

/// The platform takes marketing templates of this account by their own way only.
const MARKETING_ELSEWHERE: &str = "131063";

/// Sends `message`, once. A marketing template that the account sends by the Marketing Messages API alone goes there
/// after the platform has refused it here (protocol, 2.7): of what it refuses nothing is on its way.
pub(super) async fn send(
    http: &OutgoingHttp,
    access: &ChannelAccess,
    message: &OutgoingMessage,
) -> SendOutcome {
    let payload = match MessageWire::new(message) {
        Ok(payload) => payload,
        Err(unfilled) => return not_sendable(&unfilled),
    };
    let outcome = post(http, access, "messages", &payload).await;
    match &outcome {
        SendOutcome::Refused { refusal, .. } if refusal.code == MARKETING_ELSEWHERE => {
            post(http, access, "marketing_messages", &payload).await
        }
        _ => outcome,
    }
}

async fn post(
    http: &OutgoingHttp,
    access: &ChannelAccess,
    way: &str,
    payload: &MessageWire<'_>,
) -> SendOutcome {
    let path = &[access.external_id.as_str(), way];
    let request = match graph::call(http, access, Method::POST, path, &[]) {
        Ok(request) => request.json(payload),
        Err(broken) => return broken_outcome(broken),
    };
    match exchange(request, ANSWER_LIMIT).await {
        Ok(answer) => outcome_of(&answer),
        Err(broken) => broken_outcome(broken),
    }
}

/// The message can never be sent as it is; the platform would refuse it with its code for a wrong count.
fn not_sendable(unfilled: &UnfilledVariable) -> SendOutcome {
    let refusal = PlatformRefusal { code: "132000".to_owned(), title: unfilled.to_string() };
    SendOutcome::Refused { refusal, class: RefusalClass::Fail }
}

fn broken_outcome(broken: Broken) -> SendOutcome {
    let reason = broken.to_string();
    if broken.nothing_left() {
        SendOutcome::NotSent { reason }
    } else {
        SendOutcome::Unknown { reason }
    }
}

/// The part of an answer that names the message.
#[derive(Debug, Default, Deserialize)]
struct AcceptedWire {
    #[serde(default, deserialize_with = "lenient_list")]
    messages: Vec<AcceptedMessageWire>,
}

#[derive(Debug, Deserialize)]
struct AcceptedMessageWire {
    #[serde(default)]
    id: Loose,
}

/// What an answer means. Whatever may have been taken is unknown rather than refused.
pub(super) fn outcome_of(answer: &Answer) -> SendOutcome {
    let unknown = |reason: String| SendOutcome::Unknown { reason };
    if let Some(error) = answer.body.as_deref().ok().and_then(error_in) {
        let class = match error.class(Way::Answer(answer.status)) {
            // Where the platform says how long to wait, its word counts.
            RefusalClass::Retry { after, scope } => {
                let rest = answer.rest.filter(|_| scope == RetryScope::Number);
                RefusalClass::Retry { after: answer.retry_after.or(rest).or(after), scope }
            }
            class => class,
        };
        return SendOutcome::Refused { refusal: error.refusal(), class };
    }
    if let Some(class) = class_of_status(answer.status, answer.retry_after) {
        let code = format!("http_{}", answer.status);
        let refusal = PlatformRefusal { code, title: String::new() };
        return SendOutcome::Refused { refusal, class };
    }
    if answer.status != 200 {
        return unknown(format!("status {} without an error body", answer.status));
    }
    let body = match &answer.body {
        Ok(body) => body,
        Err(broken) => return unknown(broken.to_string()),
    };
    match accepted_id(body) {
        Some(provider_id) => SendOutcome::Accepted { provider_id },
        None => unknown("the answer names no message".to_owned()),
    }
}

/// The id of the message taken, whether it goes out at once or is held for pacing.
fn accepted_id(body: &[u8]) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let accepted: AcceptedWire = serde_json::from_value(value).ok()?;
    accepted.messages.into_iter().next()?.id.0
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::{
        channel::{Pause, PauseScope, PausedSends},
        ids::MessageId,
    };
    use serde_json::json;

    use super::*;

    fn message(to: &str, body: &str) -> OutgoingMessage {
        OutgoingMessage {
            id: MessageId(7),
            to: to.into(),
            callback_id: "janela-7".into(),
            quotes: None,
            content: OutgoingContent::Text { body: body.into() },
        }
    }

    fn stop(sends: PausedSends) -> RefusalClass {
        RefusalClass::Pause(Pause { scope: PauseScope::Number, sends })
    }

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, rest: None, body: Ok(body.as_bytes().to_vec()) }
    }

    #[test]
    fn a_text_goes_out_as_the_protocol_writes_it() {
        let message = message("447700900777", "Your glaze test tiles are ready");
        let expected = json!({
            "messaging_product": "whatsapp", "recipient_type": "individual", "to": "447700900777",
            "type": "text", "text": {"body": "Your glaze test tiles are ready", "preview_url": false},
            "biz_opaque_callback_data": "janela-7"
        });
        assert_eq!(serde_json::to_value(MessageWire::new(&message).unwrap()).unwrap(), expected);
    }

    #[test]
    fn a_link_is_previewed_and_a_business_scoped_id_is_no_number() {
        let message = message("GB.5530871129046618", "See https://harbourlane.example/t/8");
        let wire = serde_json::to_value(MessageWire::new(&message).unwrap()).unwrap();
        assert_eq!(wire["text"]["preview_url"], json!(true));
        assert_eq!(wire["recipient"], json!("GB.5530871129046618"));
        assert_eq!(wire.get("to"), None);
    }

    #[test]
    fn an_answer_names_its_message_and_a_reaction_the_one_it_is_put_on() {
        let answer =
            OutgoingMessage { quotes: Some("wamid.Q".into()), ..message("447700900777", "Yes") };
        let wire = serde_json::to_value(MessageWire::new(&answer).unwrap()).unwrap();
        assert_eq!(wire["context"], json!({"message_id": "wamid.Q"}));
        for emoji in ["\u{1f44d}", ""] {
            let content = OutgoingContent::Reaction { to: "wamid.R".into(), emoji: emoji.into() };
            let reaction = OutgoingMessage { content, ..answer.clone() };
            let wire = serde_json::to_value(MessageWire::new(&reaction).unwrap()).unwrap();
            assert_eq!(wire["type"], json!("reaction"));
            assert_eq!(wire["reaction"], json!({"message_id": "wamid.R", "emoji": emoji}));
            assert_eq!(wire.get("context"), None, "a reaction carries none");
        }
    }

    #[test]
    fn a_file_goes_out_by_its_id_or_its_link_with_what_its_kind_may_have() {
        let media = |kind, source, caption: Option<&str>, name: Option<&str>| OutgoingMedia {
            kind,
            source,
            caption: caption.map(str::to_owned),
            name: name.map(str::to_owned),
        };
        let id = || MediaSource::Uploaded("1199330045871126".into());
        let link = || MediaSource::Link("https://cdn.harbourlane.example/tiles/blue.jpg".into());
        let cases = [
            (
                media(FileKind::Image, link(), Some("Blue batch"), None),
                json!({"type": "image", "image": {
                    "link": "https://cdn.harbourlane.example/tiles/blue.jpg",
                    "caption": "Blue batch"}}),
            ),
            (
                media(FileKind::Document, id(), Some("Your quote"), Some("quote-8812.pdf")),
                json!({"type": "document", "document": {"id": "1199330045871126",
                    "filename": "quote-8812.pdf", "caption": "Your quote"}}),
            ),
            (
                media(FileKind::Voice, id(), None, None),
                json!({"type": "audio", "audio": {"id": "1199330045871126", "voice": true}}),
            ),
            (
                media(FileKind::Audio, id(), None, None),
                json!({"type": "audio", "audio": {"id": "1199330045871126"}}),
            ),
            (
                media(FileKind::Video, id(), None, None),
                json!({"type": "video", "video": {"id": "1199330045871126"}}),
            ),
            (
                media(FileKind::Sticker, id(), None, None),
                json!({"type": "sticker", "sticker": {"id": "1199330045871126"}}),
            ),
        ];
        for (media, expected) in cases {
            let mut outgoing = message("447700900777", "");
            outgoing.content = OutgoingContent::Media(media);
            let wire = serde_json::to_value(MessageWire::new(&outgoing).unwrap()).unwrap();
            for (key, value) in expected.as_object().unwrap() {
                assert_eq!(&wire[key], value);
            }
        }
    }

    #[test]
    fn an_acceptance_carries_the_id_of_the_platform() {
        for status in ["accepted", "held_for_quality_assessment", "something new"] {
            let body = json!({
                "messaging_product": "whatsapp",
                "contacts": [{"input": "+44 7700 900777", "wa_id": "447700900777"}],
                "messages": [{"id": "wamid.RVhBTVBMRS1NU0ctMDAwMQ==", "message_status": status}]
            });
            let expected =
                SendOutcome::Accepted { provider_id: "wamid.RVhBTVBMRS1NU0ctMDAwMQ==".into() };
            assert_eq!(outcome_of(&answer(200, &body.to_string())), expected);
        }
    }

    #[test]
    fn what_may_have_been_taken_is_unknown() {
        let deep = "[".repeat(10_000);
        let cases = [
            (200, "{}"),
            (200, ""),
            (200, "<html>"),
            (200, r#"{"messages": []}"#),
            (200, r#"{"messages": [{"id": ""}]}"#),
            (200, r#"{"messages": "none"}"#),
            (200, r#"{"messages": [{"id": "\ud83d"}]}"#),
            (200, r#"{"messages": [{"id": 1e400}]}"#),
            (200, deep.as_str()),
            (202, r#"{"messages": [{"id": "wamid.1"}]}"#),
            (302, ""),
            (307, ""),
            (408, ""),
            (500, "oops"),
            (502, "<html>Bad gateway</html>"),
            (503, ""),
            (500, r#"{"error": "plain words"}"#),
        ];
        for (status, body) in cases {
            let outcome = outcome_of(&answer(status, body));
            assert!(
                matches!(outcome, SendOutcome::Unknown { .. }),
                "{status} {body:.40}: {outcome:?}"
            );
        }
        for broken in [Broken::TimedOut, Broken::Reset, Broken::TooLarge] {
            let cut = Answer { status: 200, retry_after: None, rest: None, body: Err(broken) };
            assert!(matches!(outcome_of(&cut), SendOutcome::Unknown { .. }));
            assert!(matches!(broken_outcome(broken), SendOutcome::Unknown { .. }));
        }
    }

    #[test]
    fn an_error_body_decides_whatever_the_status() {
        let body = |code: u32| {
            json!({"error": {"message": "m", "type": "OAuthException", "code": code,
                             "error_data": {"details": "d"}, "fbtrace_id": "A"}})
            .to_string()
        };
        let passing = |scope| RefusalClass::Retry { after: None, scope };
        let cases = [
            (400, 130_429, passing(RetryScope::Number)),
            (400, 131_048, stop(PausedSends::Templates)),
            (400, 131_049, RefusalClass::Fail),
            (400, 132_015, RefusalClass::PauseTemplate),
            (401, 190, RefusalClass::CredentialsFail),
            (200, 131_026, RefusalClass::FailContact),
            (500, 131_000, passing(RetryScope::Message)),
            (503, 2, passing(RetryScope::Message)),
            (500, 424_242, passing(RetryScope::Message)),
            (400, 424_242, RefusalClass::FailAlert),
        ];
        for (status, code, expected) in cases {
            let refusal = PlatformRefusal { code: code.to_string(), title: "d".into() };
            let expected = SendOutcome::Refused { refusal, class: expected };
            assert_eq!(outcome_of(&answer(status, &body(code))), expected, "{status} {code}");
        }
    }

    #[test]
    fn the_platforms_own_wait_counts() {
        let wait = Some(Duration::from_secs(30));
        let expected = RefusalClass::Retry { after: wait, scope: RetryScope::Number };
        for body in ["", r#"{"error": {"code": 130429}}"#] {
            let answer =
                Answer { status: 429, retry_after: wait, rest: None, body: Ok(body.into()) };
            let SendOutcome::Refused { class, .. } = outcome_of(&answer) else { panic!("{body}") };
            assert_eq!(class, expected, "{body}");
        }
    }

    #[test]
    fn a_refusal_without_a_body_is_still_a_refusal() {
        for (status, class) in [
            (400, RefusalClass::Fail),
            (404, RefusalClass::Fail),
            (401, RefusalClass::CredentialsFail),
            (403, stop(PausedSends::All)),
        ] {
            let refusal = PlatformRefusal { code: format!("http_{status}"), title: String::new() };
            let expected = SendOutcome::Refused { refusal, class };
            assert_eq!(outcome_of(&answer(status, "<html>")), expected);
        }
    }
}
