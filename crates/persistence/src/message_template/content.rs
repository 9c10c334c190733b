//! A template's content as JSON in its row: structs of this boundary alone.

use domain::template::{
    MediaKind, TemplateButton, TemplateContent, TemplateHeader, UnfillablePart,
};
use serde::{Deserialize, Serialize};

use crate::error::PersistenceError;

#[derive(Serialize, Deserialize)]
struct ContentJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    header: Option<HeaderJson>,
    body: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    footer: Option<String>,
    #[serde(default)]
    buttons: Vec<ButtonJson>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unfillable: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum HeaderJson {
    Text { text: String },
    Image,
    Video,
    Document,
    Location,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum ButtonJson {
    QuickReply { text: String },
    Url { text: String, url: String },
    Phone { text: String, phone: String },
    CopyCode { text: String },
    Other { text: String },
}

/// `content` with what of it cannot be filled from here.
pub(super) fn write(
    content: &TemplateContent,
    unfillable: Option<UnfillablePart>,
) -> Result<String, PersistenceError> {
    let json = ContentJson {
        header: content.header.as_ref().map(write_header),
        body: content.body.clone(),
        footer: content.footer.clone(),
        buttons: content.buttons.iter().map(write_button).collect(),
        unfillable: unfillable.map(|part| part.as_str().to_owned()),
    };
    serde_json::to_string(&json).map_err(|error| unreadable(&error))
}

/// The content, and what of it cannot be filled from here; a part this program does not know cannot either.
pub(super) fn read(
    json: &str,
) -> Result<(TemplateContent, Option<UnfillablePart>), PersistenceError> {
    let json: ContentJson = serde_json::from_str(json).map_err(|error| unreadable(&error))?;
    let unfillable = json.unfillable.as_deref();
    let unfillable =
        unfillable.map(|word| UnfillablePart::parse(word).unwrap_or(UnfillablePart::Other));
    let content = TemplateContent {
        header: json.header.map(read_header),
        body: json.body,
        footer: json.footer,
        buttons: json.buttons.into_iter().map(read_button).collect(),
    };
    Ok((content, unfillable))
}

fn unreadable(error: &serde_json::Error) -> PersistenceError {
    PersistenceError::unreadable("message_templates", "components", error.to_string())
}

fn write_header(header: &TemplateHeader) -> HeaderJson {
    match header {
        TemplateHeader::Text(text) => HeaderJson::Text { text: text.clone() },
        TemplateHeader::Media(MediaKind::Image) => HeaderJson::Image,
        TemplateHeader::Media(MediaKind::Video) => HeaderJson::Video,
        TemplateHeader::Media(MediaKind::Document) => HeaderJson::Document,
        TemplateHeader::Location => HeaderJson::Location,
    }
}

fn read_header(header: HeaderJson) -> TemplateHeader {
    match header {
        HeaderJson::Text { text } => TemplateHeader::Text(text),
        HeaderJson::Image => TemplateHeader::Media(MediaKind::Image),
        HeaderJson::Video => TemplateHeader::Media(MediaKind::Video),
        HeaderJson::Document => TemplateHeader::Media(MediaKind::Document),
        HeaderJson::Location => TemplateHeader::Location,
    }
}

fn write_button(button: &TemplateButton) -> ButtonJson {
    match button.clone() {
        TemplateButton::QuickReply { text } => ButtonJson::QuickReply { text },
        TemplateButton::Url { text, url } => ButtonJson::Url { text, url },
        TemplateButton::Phone { text, phone } => ButtonJson::Phone { text, phone },
        TemplateButton::CopyCode { text } => ButtonJson::CopyCode { text },
        TemplateButton::Other { text } => ButtonJson::Other { text },
    }
}

fn read_button(button: ButtonJson) -> TemplateButton {
    match button {
        ButtonJson::QuickReply { text } => TemplateButton::QuickReply { text },
        ButtonJson::Url { text, url } => TemplateButton::Url { text, url },
        ButtonJson::Phone { text, phone } => TemplateButton::Phone { text, phone },
        ButtonJson::CopyCode { text } => TemplateButton::CopyCode { text },
        ButtonJson::Other { text } => TemplateButton::Other { text },
    }
}
