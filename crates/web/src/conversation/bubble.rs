//! One message as a bubble of the thread.

use domain::{
    channel::InboundContent,
    template::{FilledHeader, MediaKind},
};
use percent_encoding::percent_decode_str;
use persistence::conversation::{SentMedia, Side, Thread, ThreadMessage};
use url::Url;

use super::{
    answering::{AnsweringView, answering, author_of},
    around::AroundView,
    failure::Failed,
    file::{FileView, file_view},
    state::StateView,
};
use crate::{
    locale::Words,
    moment::{Moment, Viewer},
};

/// The messages of one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DayView {
    /// `Today`, `Yesterday`, `Tue`, `3 Nov`.
    pub label: Moment,
    /// In the order written.
    pub bubbles: Vec<BubbleView>,
}

/// A message, display-ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BubbleView {
    /// The element's id, stable over refetches.
    pub id: String,
    /// Whether we wrote it.
    pub is_ours: bool,
    /// Who wrote it.
    pub author: String,
    /// Whether it says who of us wrote it: someone else than the reader.
    pub shows_author: bool,
    /// When.
    pub at: Moment,
    /// The text; empty where there is none.
    pub text: String,
    /// What it is besides text, such as an image.
    pub media: Option<MediaView>,
    /// The picture, recording or file that it is.
    pub file: Option<FileView>,
    /// What was made from a template.
    pub template: Option<TemplateView>,
    /// What stands around it.
    pub around: AroundView,
    /// How far it came; `None` for the contact's.
    pub state: Option<StateView>,
    /// What can be done with it; `None` when nothing can.
    pub answering: Option<AnsweringView>,
}

/// A file or another thing that is no text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaView {
    /// Its icon.
    pub icon: &'static str,
    /// What it is, in words.
    pub text: String,
    /// Where its picture is shown from; `None` when none is kept.
    pub picture: Option<String>,
    /// What it is called.
    pub name: Option<String>,
    /// Where it came from.
    pub host: Option<String>,
}

/// What a template adds to a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateView {
    /// That it is one, which, in what language.
    pub tag: String,
    /// A text above the body.
    pub heading: Option<String>,
    /// Below the body.
    pub footer: Option<String>,
    /// The texts on its buttons.
    pub buttons: Vec<String>,
}

/// The messages of `thread`, whose address is a path and a query, for whoever may write in it or not, by day of the viewer's zone.
#[must_use]
pub fn days(
    thread: &Thread,
    reader: domain::ids::UserId,
    address: (&str, &str),
    may_answer: bool,
    viewer: &Viewer,
) -> Vec<DayView> {
    let mut days: Vec<DayView> = Vec::new();
    let mut current = None;
    for message in &thread.messages {
        let day = message.at.with_timezone(&viewer.zone).date_naive();
        if current != Some(day) {
            current = Some(day);
            days.push(DayView { label: day_label(message.at, viewer), bubbles: Vec::new() });
        }
        if let Some(day) = days.last_mut() {
            let around = AroundView::new(message, thread, reader, address, viewer);
            let mut bubble = bubble(message, around, thread, reader, viewer);
            if may_answer {
                let t = viewer.words();
                let author = author_of(message, thread, reader, t);
                bubble.answering = answering(message, thread, &author, address, t);
            }
            day.bubbles.push(bubble);
        }
    }
    days
}

fn day_label(at: chrono::DateTime<chrono::Utc>, viewer: &Viewer) -> Moment {
    let day = viewer.brief(at);
    if viewer.is_today(at) { Moment { text: viewer.words().desk_today(), ..day } } else { day }
}

fn bubble(
    message: &ThreadMessage,
    around: AroundView,
    thread: &Thread,
    reader: domain::ids::UserId,
    viewer: &Viewer,
) -> BubbleView {
    let t = viewer.words();
    let (author, shows_author, state) = match &message.side {
        Side::Contact => (thread.name.clone(), false, None),
        Side::Ours { agent, state, failure, held } => {
            let is_reader = agent.as_ref().is_some_and(|(id, _)| *id == reader);
            let author = match agent {
                Some(_) if is_reader => t.desk_you(),
                Some((_, name)) => name.clone(),
                None if message.around.payload.is_from_app => t.desk_from_app(),
                None => t.desk_program(),
            };
            let state = StateView::of_message(
                *state,
                failure.as_ref().map(Failed::from).unwrap_or_default(),
                *held,
                message.unanswered_for,
                &thread.chatbot,
                viewer,
            );
            (author, !is_reader, Some(state))
        }
    };
    let author = if author.is_empty() { t.desk_no_name() } else { author };
    // Of a deleted message nothing is shown.
    let file = message.file.as_ref().filter(|_| around.revoked.is_none());
    let file = file.map(|file| file_view(file, &author, viewer));
    let has_card = !around.cards.is_empty() || file.is_some();
    BubbleView {
        id: format!("message-{}", message.id),
        is_ours: state.is_some(),
        author,
        shows_author,
        at: viewer.time(message.at),
        text: text(message, &around),
        media: media(message, t).filter(|_| !has_card && around.revoked.is_none()),
        file,
        template: template(message, t),
        around,
        state,
        answering: None,
    }
}

/// What stands around the text of `message`: a file or picture, and what its template adds.
#[must_use]
pub fn content_of(message: &ThreadMessage, t: Words) -> (Option<MediaView>, Option<TemplateView>) {
    (media(message, t), template(message, t))
}

fn template(message: &ThreadMessage, t: Words) -> Option<TemplateView> {
    message.template.as_ref().map(|template| TemplateView {
        tag: t.desk_template_tag(&template.name, template.language.replace('_', "-")),
        heading: template.content.header_text(),
        footer: template.content.footer.clone(),
        buttons: template.content.buttons.iter().map(|button| button.text.clone()).collect(),
    })
}

/// What a card says is not said twice.
fn text(message: &ThreadMessage, around: &AroundView) -> String {
    let stands_on_a_card = match &message.around.payload.content {
        Some(
            InboundContent::Location(_) | InboundContent::Contacts(_) | InboundContent::Form(_),
        ) => true,
        // A document without a caption is kept by its name.
        Some(_) | None => {
            let file_name = message.file.as_ref().and_then(|file| file.name.as_deref());
            file_name == Some(message.body.as_str())
        }
    };
    if stands_on_a_card || around.revoked.is_some() {
        return String::new();
    }
    message.body.clone()
}

fn media(message: &ThreadMessage, t: Words) -> Option<MediaView> {
    if let Some(template) = &message.template {
        return match &template.content.header {
            Some(FilledHeader::Media { kind, url }) => {
                let view = media_of(kind_word(*kind), t)?;
                Some(sent_media(view, url.as_deref(), message))
            }
            Some(FilledHeader::Location { name, .. }) => {
                Some(MediaView { name: name.clone(), ..media_of("location", t)? })
            }
            Some(FilledHeader::Text(_)) | None => None,
        };
    }
    media_of(&message.kind, t)
}

fn kind_word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Document => "document",
    }
}

/// A file of ours: its picture while one is kept, its name and where it lies (AM-07).
fn sent_media(view: MediaView, url: Option<&str>, message: &ThreadMessage) -> MediaView {
    let url = url.and_then(|url| Url::parse(url).ok());
    let kept = message.media.as_ref();
    let name = kept.map(|kept| kept.name.clone());
    MediaView {
        picture: kept
            .filter(|kept: &&SentMedia| kept.has_picture)
            .map(|_| format!("/media/messages/{}", message.id)),
        name: name.or_else(|| url.as_ref().and_then(file_name)),
        host: url.as_ref().and_then(Url::host_str).map(str::to_owned),
        ..view
    }
}

/// The last part of an address, decoded; `None` when there is none.
fn file_name(url: &Url) -> Option<String> {
    let last = url.path_segments()?.next_back().filter(|last| !last.is_empty())?;
    Some(percent_decode_str(last).decode_utf8_lossy().into_owned())
}

/// What a message of `kind` is besides its text; `None` for what is all text.
pub(super) fn media_of(kind: &str, t: Words) -> Option<MediaView> {
    let (icon, text) = match kind {
        "text" | "button" | "interactive" | "reaction" | "template" => return None,
        "revoked" => ("ban", t.desk_revoked()),
        "nfm_reply" => ("file-text", t.desk_form()),
        "order" => ("list", t.desk_order()),
        "call_permission_reply" => ("phone", t.desk_call_unknown()),
        "unsupported" => ("circle-help", t.desk_unsupported()),
        "image" => ("image", t.desk_media_image()),
        "video" => ("video", t.desk_media_video()),
        "document" => ("file-text", t.desk_media_document()),
        "audio" | "voice" => ("play", t.desk_media_audio()),
        "location" => ("map-pin", t.desk_media_location()),
        "contacts" => ("user", t.desk_media_contacts()),
        "sticker" => ("image", t.desk_media_sticker()),
        _ => ("circle-help", t.desk_media_other()),
    };
    Some(MediaView { icon, text, picture: None, name: None, host: None })
}
