//! A message in a customer's chat: what it shows and how far it came.

use serde::Serialize;

/// Who wrote a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Business,
    Customer,
}

/// How far a message came. A customer's is delivered once its webhook was taken, read by the business's read mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Accepted,
    Sent,
    Delivered,
    Read,
    Failed,
}

impl Status {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }
}

/// What kind of file a message carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum MediaKind {
    Image,
    Video,
    Audio,
    Document,
    Sticker,
}

impl MediaKind {
    /// Reads the word of a message type or a header format, in any case.
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word.to_ascii_lowercase().as_str() {
            "image" => Some(Self::Image),
            "video" => Some(Self::Video),
            "audio" => Some(Self::Audio),
            "document" => Some(Self::Document),
            "sticker" => Some(Self::Sticker),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Video => "video",
            Self::Audio => "audio",
            Self::Document => "document",
            Self::Sticker => "sticker",
        }
    }
}

/// A file a message carries, by its address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Media {
    pub kind: MediaKind,
    /// Where the file is; for an uploaded one the address on the sandbox's own pages.
    pub link: String,
    /// The id of an uploaded file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filename: Option<String>,
}

/// What a tap on a template's button does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ButtonKind {
    /// Answers with its text and payload.
    QuickReply,
    /// A reply button of an interactive message.
    Reply,
    /// A row of an interactive list.
    Row,
    Url,
    PhoneNumber,
    CopyCode,
    Other,
}

impl ButtonKind {
    /// Whether a tap answers the business.
    pub(crate) fn answers(self) -> bool {
        matches!(self, Self::QuickReply | Self::Reply | Self::Row)
    }
}

/// A button under a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Button {
    pub kind: ButtonKind,
    pub text: String,
    /// The payload, the address, the number or the code.
    pub value: String,
    /// The second line of a list's row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

impl Button {
    pub(crate) fn new(kind: ButtonKind, text: impl Into<String>, value: impl Into<String>) -> Self {
        Self { kind, text: text.into(), value: value.into(), description: None }
    }
}

/// What a message shows, from top to bottom.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Content {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media: Option<Media>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    pub text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub footer: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buttons: Vec<Button>,
}

impl Content {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// The template a message was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct TemplateUse {
    pub name: String,
    pub language: String,
    pub category: String,
}

/// Why a message failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Failure {
    pub code: u32,
    pub title: &'static str,
    pub details: &'static str,
}

impl Failure {
    pub(crate) const UNDELIVERED_MARKETING: Self = Self {
        code: 131_050,
        title: "User's number is part of an opt-out",
        details: "The user stopped marketing messages of this business.",
    };
    pub(crate) const WINDOW_CLOSED: Self = Self {
        code: 131_047,
        title: "Re-engagement message",
        details: "The last message of this user is more than a day old.",
    };
    pub(crate) const LIMIT_REACHED: Self = Self {
        code: 131_048,
        title: "Spam rate limit hit",
        details: "The messaging limit of this number is used up for now.",
    };
    /// As [`Self::of_code`], and in the platform's general words for every other code.
    pub(crate) fn told(code: u32) -> Self {
        Self::of_code(code).unwrap_or(Self {
            code,
            title: crate::graph::error::title(code),
            details: "The sandbox was told to fail so.",
        })
    }

    /// What the platform's `code` means; `None` for a code no phone of the sandbox knows.
    pub(crate) fn of_code(code: u32) -> Option<Self> {
        [
            Self::UNDELIVERABLE,
            Self::WINDOW_CLOSED,
            Self::LIMIT_REACHED,
            Self::ENOUGH_MARKETING,
            Self::UNDELIVERED_MARKETING,
            Self::BAD_MEDIA,
        ]
        .into_iter()
        .find(|failure| failure.code == code)
    }

    pub(crate) const IDENTITY: Self = Self {
        code: 137_000,
        title: "Recipient identity key hash mismatch",
        details: "The identity of the user differs from the one the message was meant for.",
    };
    pub(crate) const UNDELIVERABLE: Self = Self {
        code: 131_026,
        title: "Message undeliverable",
        details: "There is no such phone on the platform.",
    };
    pub(crate) const ENOUGH_MARKETING: Self = Self {
        code: 131_049,
        title: "This message was not delivered to maintain healthy ecosystem engagement.",
        details: "The customer has had enough marketing for now.",
    };
    pub(crate) const BAD_MEDIA: Self = Self {
        code: 131_053,
        title: "Media upload error",
        details: "The file behind the link is not of the kind the message says.",
    };
}

/// One bubble of a chat.
#[derive(Debug, Clone)]
pub(crate) struct ChatMessage {
    pub id: String,
    /// The business number it was written from or to.
    pub number: String,
    pub from: Side,
    pub at_ms: i64,
    /// The type as the wire names it: `text`, `template`, `image`, `button`.
    pub kind: String,
    pub content: Content,
    pub template: Option<TemplateUse>,
    pub status: Status,
    pub failure: Option<Failure>,
    pub callback_data: Option<String>,
    /// The message this one answers.
    pub context: Option<String>,
    /// The emoji the other side put on it.
    pub reaction: Option<String>,
    /// Whether the platform holds it while it watches the template's quality.
    pub held: bool,
    /// The button the customer tapped.
    pub tapped: Option<usize>,
    /// Whether it went out while the customer's window was open, so that it costs nothing.
    pub in_window: bool,
}
