//! The picture, recording or file of a message as its bubble shows it, or why it cannot.

use domain::media::{FileKind, MediaState};
use persistence::media::MessageFile;
use url::Url;

use crate::{
    locale::Words,
    media::{refusal_words, safe_name, size_words},
    moment::Viewer,
};

/// A file, display-ready: exactly one of picture, sound, video, document and note.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FileView {
    /// The element's id, stable over refetches.
    pub id: String,
    /// What it is, in words.
    pub kind: String,
    /// Where it is handed out from.
    pub source: String,
    /// A picture.
    pub picture: Option<PictureView>,
    /// Whether it is a sound.
    pub is_sound: bool,
    /// Whether it is a video.
    pub is_video: bool,
    /// A file to be kept.
    pub document: Option<DocumentView>,
    /// Why it is not here.
    pub note: Option<FileNote>,
}

/// A picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureView {
    /// Where it is shown from, small.
    pub small: String,
    /// In words, for whoever does not see it.
    pub alt: String,
    /// The room it takes, before it is there; `None` where it is not known.
    pub extent: Option<(u32, u32)>,
    /// Whether it stands by itself, without a frame.
    pub is_sticker: bool,
}

/// A file to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentView {
    /// What it is called.
    pub name: String,
    /// What it is and how large.
    pub facts: String,
    /// Where it lies of which only the address was sent; empty for what is kept here.
    pub link: String,
}

/// Why a file is not here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileNote {
    /// What is the matter, and what helps.
    pub text: String,
    /// Whether it is on its way.
    pub is_waiting: bool,
    /// Where it is tried again at once.
    pub again: Option<String>,
}

/// A file that stands in a message of `author`.
#[must_use]
pub fn file_view(file: &MessageFile, author: &str, viewer: &Viewer) -> FileView {
    let t = viewer.words();
    let kind = kind_words(file.kind, t);
    let view = FileView {
        id: format!("file-{}", file.id),
        source: format!("/media/{}", file.id),
        kind: kind.clone(),
        ..FileView::default()
    };
    if let Some(link) = &file.link {
        return FileView { document: Some(linked(file, link, &kind, t)), ..view };
    }
    if let Some(note) = note(file, viewer) {
        return FileView { note: Some(note), ..view };
    }
    match file.kind {
        FileKind::Image | FileKind::Sticker => {
            let picture = PictureView {
                small: format!("{}/small", view.source),
                alt: t.file_picture_of(&kind, author),
                extent: file.extent,
                is_sticker: file.kind == FileKind::Sticker,
            };
            FileView { picture: Some(picture), ..view }
        }
        FileKind::Audio | FileKind::Voice => FileView { is_sound: true, ..view },
        FileKind::Video => FileView { is_video: true, ..view },
        FileKind::Document => {
            let size = size_words(file.size.unwrap_or_default(), t);
            let name = shown_name(file).unwrap_or_else(|| kind.clone());
            let facts = format!("{} · {size}", format_words(&name, &kind));
            let document = DocumentView { name, facts, link: String::new() };
            FileView { document: Some(document), ..view }
        }
    }
}

/// What a file is called, as it may be shown; `None` where it was not told.
#[must_use]
pub fn shown_name(file: &MessageFile) -> Option<String> {
    file.name.as_deref().map(safe_name).filter(|name| !name.is_empty())
}

fn linked(file: &MessageFile, link: &str, kind: &str, t: Words) -> DocumentView {
    let host = Url::parse(link).ok().and_then(|url| url.host_str().map(str::to_owned));
    let size = file.size.map(|size| size_words(size, t));
    let facts = [Some(kind.to_owned()), size, host].into_iter().flatten();
    DocumentView {
        name: shown_name(file).unwrap_or_else(|| kind.to_owned()),
        facts: facts.collect::<Vec<_>>().join(" · "),
        link: link.to_owned(),
    }
}

fn note(file: &MessageFile, viewer: &Viewer) -> Option<FileNote> {
    let t = viewer.words();
    let final_note = |text: String| Some(FileNote { text, is_waiting: false, again: None });
    match file.state {
        MediaState::Kept => None,
        // The attempt under way, or one that is about to begin, needs no words of when.
        MediaState::Waiting if file.attempts < 2 => {
            Some(FileNote { text: t.file_waiting(), is_waiting: true, again: None })
        }
        MediaState::Waiting => {
            let at = file.due_at.map_or_else(String::new, |at| viewer.at(at).text);
            let again = Some(format!("/desk/files/{}/fetch", file.id));
            Some(FileNote { text: t.file_tried(at), is_waiting: true, again })
        }
        MediaState::Refused(refusal) => final_note(refusal_words(refusal, t)),
        MediaState::Lost => final_note(t.file_lost()),
        MediaState::Expired => final_note(t.file_expired()),
    }
}

/// What a file of `kind` is called.
#[must_use]
pub fn kind_words(kind: FileKind, t: Words) -> String {
    match kind {
        FileKind::Image => t.desk_media_image(),
        FileKind::Video => t.desk_media_video(),
        FileKind::Audio => t.file_sound(),
        FileKind::Voice => t.desk_media_audio(),
        FileKind::Document => t.desk_media_document(),
        FileKind::Sticker => t.desk_media_sticker(),
    }
}

/// The format by the end of the name, as people call it; what a name without one is.
fn format_words(name: &str, kind: &str) -> String {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    let extension = extension.filter(|extension| {
        (1..=5).contains(&extension.len()) && extension.bytes().all(|it| it.is_ascii_alphanumeric())
    });
    extension.map_or_else(|| kind.to_owned(), str::to_ascii_uppercase)
}
