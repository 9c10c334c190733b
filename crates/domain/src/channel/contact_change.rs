//! What a contact changes: a message, who they are, or what they want; and what was said to them from elsewhere.

use chrono::{DateTime, Utc};

use super::{InboundContent, SenderIdentity, words::open_words};

/// A contact rewrote a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEdit {
    /// The platform's id of the change.
    pub provider_id: String,
    /// Who wrote.
    pub sender: SenderIdentity,
    /// When it was changed, by the platform.
    pub at: DateTime<Utc>,
    /// The platform's id of the message.
    pub edited: String,
    /// What it says now.
    pub content: InboundContent,
}

/// A contact took a message back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRevocation {
    /// The platform's id of the change.
    pub provider_id: String,
    /// Who wrote.
    pub sender: SenderIdentity,
    /// When it was taken back, by the platform.
    pub at: DateTime<Utc>,
    /// The platform's id of the message.
    pub revoked: String,
}

/// A contact is someone else to the platform now.
#[derive(Clone, PartialEq, Eq)]
pub struct IdentityChange {
    /// The platform's id of the change; `None` when it gives none.
    pub provider_id: Option<String>,
    /// Who it was until then.
    pub contact: SenderIdentity,
    /// When, by the platform.
    pub at: DateTime<Utc>,
    /// What changed.
    pub what: IdentityNews,
    /// The platform's own sentence, with numbers in it; for the history, never for the log.
    pub note: Option<String>,
}

impl std::fmt::Debug for IdentityChange {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("IdentityChange")
            .field("provider_id", &self.provider_id)
            .field("at", &self.at)
            .field("what", &self.what)
            .finish_non_exhaustive()
    }
}

/// What changed of a contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityNews {
    /// The number; with it there may be a new scoped id.
    Number {
        /// Who it is now.
        now: SenderIdentity,
    },
    /// The business-scoped id alone.
    ScopedId {
        /// Who it is now.
        now: SenderIdentity,
    },
    /// The key of the contact's device: it may be someone else who holds it.
    Key {
        /// A digest of the new key.
        hash: Option<String>,
        /// Since when it is the key.
        created_at: Option<DateTime<Utc>>,
        /// Whether the business has taken note; `None` when the platform does not say.
        is_acknowledged: Option<bool>,
    },
}

/// What a contact wants to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPreference {
    /// Whose it is.
    pub contact: SenderIdentity,
    /// Since when, by the platform.
    pub at: DateTime<Utc>,
    /// What it is about; `None` when the platform does not say, which means marketing.
    pub category: Option<PreferenceCategory>,
    /// What is wanted.
    pub choice: PreferenceChoice,
    /// The platform's own sentence.
    pub detail: Option<String>,
}

impl UserPreference {
    /// Whether it is about marketing.
    #[must_use]
    pub fn is_about_marketing(&self) -> bool {
        matches!(self.category, None | Some(PreferenceCategory::Marketing))
    }
}

open_words! {
    /// What a preference is about.
    PreferenceCategory {
        /// Offers.
        Marketing = "marketing_messages",
    }
}

/// What a contact chose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PreferenceChoice {
    /// No more of it.
    Stop,
    /// Again.
    Resume,
    /// For the first time, by a form of the platform.
    SignUp {
        /// The platform's id of the form; `None` when it is missing.
        signup_id: Option<String>,
    },
}

/// A message that someone of the business sent from the phone app: never a contact's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEcho {
    /// The platform's id.
    pub provider_id: String,
    /// To whom it went.
    pub recipient: SenderIdentity,
    /// When it was written, by the platform.
    pub at: DateTime<Utc>,
    /// What was said.
    pub content: InboundContent,
}
