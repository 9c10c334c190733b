//! A picture, recording or file of a message: what it is by its first bytes, how large it may be, and how it stands.

mod format;
mod limits;
mod state;

use std::fmt;

pub use self::{
    format::{FileFormat, is_text},
    limits::{
        LONGEST_CAPTION, OutgoingFileProblem, UPLOAD_KEPT, kind_to_send, largest_inbound,
        largest_outgoing,
    },
    state::{INBOUND_KEPT, MediaRefusal, MediaState, next_fetch},
};
use crate::channel::InboundMediaKind;

/// Names a file in our own addresses.
///
/// Invariant: 128 random bits as 32 hexadecimal digits, lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaId(String);

impl MediaId {
    /// The id of these random bits.
    #[must_use]
    pub fn from_random(bits: [u8; 16]) -> Self {
        Self(bits.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Reads an id; `None` for anything that is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 32 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }

    /// Its digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MediaId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// What a file is to those who send and see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A sound.
    Audio,
    /// A sound that was spoken into the phone.
    Voice,
    /// Any other file.
    Document,
    /// A sticker.
    Sticker,
}

impl FileKind {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Image, Self::Video, Self::Audio, Self::Voice, Self::Document, Self::Sticker];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Voice => "voice",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }

    /// The kind stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The kind of a message that carries such a file: what was spoken is a sound.
    #[must_use]
    pub fn message_kind(self) -> &'static str {
        match self {
            Self::Voice => Self::Audio.as_str(),
            kind => kind.as_str(),
        }
    }

    /// Whether the platform shows a text below it.
    #[must_use]
    pub fn takes_caption(self) -> bool {
        match self {
            Self::Image | Self::Video | Self::Document => true,
            Self::Audio | Self::Voice | Self::Sticker => false,
        }
    }

    /// Whether it is a picture, which is never kept as it came but written anew.
    #[must_use]
    pub fn is_picture(self) -> bool {
        match self {
            Self::Image | Self::Sticker => true,
            Self::Video | Self::Audio | Self::Voice | Self::Document => false,
        }
    }

    /// Whether a file that begins like `format` may pass as one of this kind (C25): by its bytes, whatever it is
    /// called. Any file may be a document; it is only ever handed out to be kept, never shown.
    #[must_use]
    pub fn fits(self, format: Option<FileFormat>) -> bool {
        match self {
            Self::Image | Self::Sticker => format.is_some_and(FileFormat::is_picture),
            Self::Video => format.is_some_and(FileFormat::is_video),
            Self::Audio | Self::Voice => format.is_some_and(FileFormat::is_audio),
            Self::Document => true,
        }
    }

    /// The type that a file of this kind is kept under. What a browser might run, and what is not known, is bytes.
    #[must_use]
    pub fn kept_type(self, format: Option<FileFormat>) -> &'static str {
        const BYTES: &str = "application/octet-stream";
        match (self, format) {
            // An MPEG-4 file does not always say that it holds a sound alone.
            (Self::Audio | Self::Voice, Some(FileFormat::Mp4)) => "audio/mp4",
            (Self::Document, Some(FileFormat::Pdf | FileFormat::Zip)) => {
                format.map_or(BYTES, FileFormat::content_type)
            }
            (Self::Document, _) => BYTES,
            (_, format) => format.map_or(BYTES, FileFormat::content_type),
        }
    }
}

impl From<InboundMediaKind> for FileKind {
    fn from(kind: InboundMediaKind) -> Self {
        match kind {
            InboundMediaKind::Image => Self::Image,
            InboundMediaKind::Video => Self::Video,
            InboundMediaKind::Audio { is_voice: true } => Self::Voice,
            InboundMediaKind::Audio { is_voice: false } => Self::Audio,
            InboundMediaKind::Document => Self::Document,
            InboundMediaKind::Sticker { .. } => Self::Sticker,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_26_an_id_is_128_bits_and_nothing_else_is_one() {
        let id = MediaId::from_random([0xab; 16]);
        assert_eq!(id.as_str(), "ab".repeat(16));
        assert_eq!(MediaId::parse(id.as_str()), Some(id));
        for text in ["", "12", &"AB".repeat(16), &"g0".repeat(16), &"ab".repeat(17), "../../etc"] {
            assert_eq!(MediaId::parse(text), None, "{text}");
        }
    }

    #[test]
    fn c_25_what_a_file_is_to_be_must_fit_what_it_begins_like() {
        let cases = [
            (FileKind::Image, Some(FileFormat::Jpeg), true),
            (FileKind::Image, Some(FileFormat::Svg), false),
            (FileKind::Image, Some(FileFormat::Html), false),
            (FileKind::Image, None, false),
            (FileKind::Sticker, Some(FileFormat::Webp), true),
            (FileKind::Video, Some(FileFormat::Mp4), true),
            (FileKind::Video, Some(FileFormat::Html), false),
            (FileKind::Voice, Some(FileFormat::Ogg), true),
            (FileKind::Audio, Some(FileFormat::Mp4), true),
            (FileKind::Audio, Some(FileFormat::Pdf), false),
            (FileKind::Document, None, true),
            (FileKind::Document, Some(FileFormat::Html), true),
        ];
        for (kind, format, expected) in cases {
            assert_eq!(kind.fits(format), expected, "{kind:?} {format:?}");
        }
    }

    #[test]
    fn c_25_what_a_browser_might_run_is_kept_as_bytes() {
        let cases = [
            (FileKind::Document, Some(FileFormat::Html), "application/octet-stream"),
            (FileKind::Document, Some(FileFormat::Svg), "application/octet-stream"),
            (FileKind::Document, None, "application/octet-stream"),
            (FileKind::Document, Some(FileFormat::Pdf), "application/pdf"),
            (FileKind::Voice, Some(FileFormat::Mp4), "audio/mp4"),
            (FileKind::Voice, Some(FileFormat::Ogg), "audio/ogg"),
            (FileKind::Video, Some(FileFormat::Mp4), "video/mp4"),
            (FileKind::Image, Some(FileFormat::Png), "image/png"),
        ];
        for (kind, format, expected) in cases {
            assert_eq!(kind.kept_type(format), expected, "{kind:?} {format:?}");
        }
    }
}
