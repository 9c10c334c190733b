//! The elements of a webhook, and what they say in our words.

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::{InboundMessage, Receipt, SenderIdentity};

/// One element of a webhook, in our words. Times are the platform's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelEvent {
    /// A contact wrote, tapped or reacted.
    Inbound(InboundMessage),
    /// The platform tells what became of a message of ours.
    Receipt(Receipt),
    /// The contact stopped or resumed marketing by the platform's own means.
    MarketingPreference {
        /// The contact as the platform knows it.
        sender: SenderIdentity,
        /// `true`: stopped; `false`: resumed.
        stopped: bool,
        /// The platform's instant.
        at: DateTime<Utc>,
    },
    /// A template changed status.
    TemplateStatus {
        /// Its name.
        name: String,
        /// Its language.
        language: String,
        /// The platform's word, upper case, such as `PAUSED`.
        status: String,
        /// The platform's instant; `None` when it tells none.
        at: Option<DateTime<Utc>>,
    },
    /// Well-formed, but without a feature yet: kept as it came.
    Other {
        /// The platform's name of the field or type.
        kind: String,
    },
}

/// One element as parsed, or what stopped it. One bad element never spoils the others.
#[derive(Debug, Clone)]
pub struct WebhookElement {
    /// The platform's id of the connection it is for; `None` for account-level changes.
    pub external_id: Option<String>,
    /// The element's own JSON or XML, for the quarantine and for later readers.
    pub raw: String,
    /// What it says.
    pub event: Result<ChannelEvent, UnreadableElement>,
}

/// Why an element could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("unreadable element: {reason}")]
pub struct UnreadableElement {
    /// What is missing or wrong, without message text or numbers.
    pub reason: String,
}

/// Why a whole webhook was turned away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum WebhookRejection {
    /// No signature, or one that does not fit the bytes: 401.
    #[error("the webhook's signature does not fit")]
    BadSignature,
    /// Signed, but not readable at all: 400.
    #[error("the webhook's body is not readable")]
    Unreadable,
}
