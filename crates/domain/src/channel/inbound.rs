//! What a contact says, and who they are.

use chrono::{DateTime, Utc};

/// Who wrote, as the platform tells; a phone may be missing.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SenderIdentity {
    /// The platform's number-like id (WhatsApp: wa_id, digits); `None` for users without one.
    pub phone_digits: Option<String>,
    /// The business-scoped id; `None` when absent.
    pub scoped_id: Option<String>,
    /// The profile name; `None` when absent.
    pub name: Option<String>,
}

impl std::fmt::Debug for SenderIdentity {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SenderIdentity").finish_non_exhaustive()
    }
}

/// A message from a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InboundMessage {
    /// The platform's id; unique per channel.
    pub provider_id: String,
    /// Who wrote.
    pub sender: SenderIdentity,
    /// When it was written, by the platform.
    pub at: DateTime<Utc>,
    /// What was said.
    pub content: InboundContent,
    /// The platform's id of the message it answers; `None` when it answers none.
    pub in_reply_to: Option<String>,
}

/// What a contact said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InboundContent {
    /// A text.
    Text(String),
    /// A tapped button of a template or an interactive message.
    Button {
        /// The text on it.
        text: String,
        /// What it carries.
        payload: String,
    },
    /// A reaction; an empty emoji takes it back.
    Reaction {
        /// The platform's id of the message reacted to.
        to: String,
        /// The emoji.
        emoji: String,
    },
    /// Any other kind, kept by the platform's name of it with its caption, if any.
    Other {
        /// The platform's type, such as `image`.
        kind: String,
        /// A caption or title; `None` when there is none.
        caption: Option<String>,
    },
}
