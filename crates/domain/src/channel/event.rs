//! The elements of a webhook, and what they say in our words.

use chrono::{DateTime, Utc};
use thiserror::Error;

use super::{
    AccountEvent, IdentityChange, InboundMessage, MessageEcho, MessageEdit, MessageRevocation,
    PlatformRefusal, Receipt, RefusalClass, TemplateChange, UserPreference,
};

/// One element of a webhook, in our words. Times are the platform's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChannelEvent {
    /// A contact wrote, tapped or reacted.
    Inbound(InboundMessage),
    /// A contact rewrote a message.
    Edited(MessageEdit),
    /// A contact took a message back.
    Revoked(MessageRevocation),
    /// A contact is someone else to the platform now.
    IdentityChanged(IdentityChange),
    /// A contact stopped, resumed or asked for something by the platform's own means.
    Preference(UserPreference),
    /// Someone of the business wrote from the phone app.
    Echo(MessageEcho),
    /// The platform tells what became of a message of ours.
    Receipt(Receipt),
    /// The platform tells of a template.
    Template(TemplateChange),
    /// The platform tells of the account or a number.
    Account {
        /// What it tells.
        event: AccountEvent,
        /// The platform's instant; `None` when it tells none.
        at: Option<DateTime<Utc>>,
    },
    /// The platform is in trouble with the number or the account, over no message of ours.
    Trouble {
        /// What the platform says.
        refusal: PlatformRefusal,
        /// What that means.
        class: RefusalClass,
    },
    /// Known, but without a feature yet: kept as it came.
    Kept {
        /// The platform's name of the field or type.
        kind: String,
    },
    /// Well-formed, but not known here, or without what makes it what it is named: kept as it came.
    Other {
        /// The platform's name of the field or type.
        kind: String,
    },
}

/// One element as parsed, or what stopped it. One bad element never spoils the others.
#[derive(Debug, Clone)]
pub struct WebhookElement {
    /// The platform's id of the account it is told of; `None` when it does not say.
    pub account_id: Option<String>,
    /// The platform's id of the connection it is for; `None` for account-level changes.
    pub external_id: Option<String>,
    /// When it is told, of what has no instant of its own; `None` when the platform does not say.
    pub told_at: Option<DateTime<Utc>>,
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
