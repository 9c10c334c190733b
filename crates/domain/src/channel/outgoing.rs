//! What a channel is asked to send, and what became of it.

use crate::{
    ids::MessageId,
    media::FileKind,
    template::{MessageTemplate, VariableValues},
};

/// A message on its way out.
#[derive(Debug, Clone)]
pub struct OutgoingMessage {
    /// Its id here.
    pub id: MessageId,
    /// The recipient as the platform knows it (WhatsApp: digits, or a business-scoped id).
    pub to: String,
    /// Echoed by the platform in its receipts (LI-09).
    pub callback_id: String,
    /// The platform's id of the message it answers; `None` for one that stands alone.
    pub quotes: Option<String>,
    /// What is sent.
    pub content: OutgoingContent,
}

/// What is sent.
#[derive(Debug, Clone)]
pub enum OutgoingContent {
    /// Free-form text; only inside the session window.
    Text {
        /// 1 to 4,096 characters.
        body: String,
    },
    /// A template with its variables filled and checked.
    Template {
        /// The template as approved.
        template: Box<MessageTemplate>,
        /// A value for each of its variables.
        values: VariableValues,
    },
    /// What is put on a message of the contact; only inside the session window.
    Reaction {
        /// The platform's id of the message.
        to: String,
        /// Empty to take back what was put there.
        emoji: String,
    },
    /// A picture, recording or file; only inside the session window.
    Media(OutgoingMedia),
}

/// A picture, recording or file on its way out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutgoingMedia {
    /// What it is sent as.
    pub kind: FileKind,
    /// Where the platform has it from.
    pub source: MediaSource,
    /// What stands below it, at most 1,024 characters; `None` for nothing, and for kinds that have none.
    pub caption: Option<String>,
    /// What a document is called; `None` for other kinds.
    pub name: Option<String>,
}

/// Where the platform has a file from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MediaSource {
    /// It was handed over; the platform's id of it.
    Uploaded(String),
    /// It fetches the file there by itself.
    Link(String),
}

/// What a platform is told besides messages: said once, and harmless when it is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signal {
    /// What is told.
    pub kind: SignalKind,
    /// The platform's id of the contact's latest message.
    pub of: String,
}

/// What a platform may be told besides messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SignalKind {
    /// The contact's messages were read, up to this one.
    Read,
    /// Someone is typing an answer; on WhatsApp it says besides that the message was read.
    Typing,
}

impl SignalKind {
    /// Every kind.
    pub const ALL: [Self; 2] = [Self::Read, Self::Typing];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Typing => "typing",
        }
    }

    /// The kind stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What can be done on a platform besides writing; what cannot is not offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// A message may answer a certain other one.
    pub quotes: bool,
    /// Something may be put on a message of the contact.
    pub reactions: bool,
    /// The contact may be told that a message was read, or that someone types.
    pub signals: bool,
}

/// What became of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SendOutcome {
    /// The platform took it.
    Accepted {
        /// The platform's id of the message.
        provider_id: String,
    },
    /// The platform refused it; nothing was sent.
    Refused {
        /// What the platform said.
        refusal: PlatformRefusal,
        /// What that means for this message and for others.
        class: RefusalClass,
    },
    /// Nothing left this machine, or the platform certainly did not take it: may be tried again.
    NotSent {
        /// What went wrong, without message text or numbers.
        reason: String,
    },
    /// The request left and its outcome is not known (LI-09): must not be repeated.
    Unknown {
        /// What went wrong, without message text or numbers.
        reason: String,
    },
}

/// The platform's words for a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformRefusal {
    /// The platform's code, such as `131049`.
    pub code: String,
    /// The platform's own title or detail; for the history, never for the log.
    pub title: String,
}

/// What a refusal means (protocol, error table): for this message, and beyond it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalClass {
    /// Passing: try this message again, not before `after` from now (`None`: by the dispatcher's back-off).
    Retry {
        /// The least wait.
        after: Option<std::time::Duration>,
        /// Whose sends should slow down.
        scope: RetryScope,
    },
    /// Final for this message.
    Fail,
    /// Final for this message, and nothing an agent mends: whoever looks after the connection is to be told.
    FailAlert,
    /// Final for this message; the contact cannot be reached there.
    FailContact,
    /// Final for this message; the contact opted out of marketing (AD-09).
    FailOptedOut,
    /// Final for this message; the template must not be used on.
    PauseTemplate,
    /// Messages stay queued; nothing of what it names may go out until someone or something mends it.
    Pause(Pause),
    /// Messages stay queued; the credentials fail, an alert is due.
    CredentialsFail,
}

/// What the platform told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pause {
    /// Whose sends.
    pub scope: PauseScope,
    /// Which of them.
    pub sends: PausedSends,
}

/// Whose sends stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PauseScope {
    /// The number's.
    Number,
    /// Those of all numbers of the platform account.
    Account,
}

/// Which sends stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PausedSends {
    /// All.
    All,
    /// Templates; answers in open session windows go on.
    Templates,
}

impl Pause {
    /// Every pause there is.
    pub const ALL: [Self; 4] = [
        Self { scope: PauseScope::Number, sends: PausedSends::All },
        Self { scope: PauseScope::Number, sends: PausedSends::Templates },
        Self { scope: PauseScope::Account, sends: PausedSends::All },
        Self { scope: PauseScope::Account, sends: PausedSends::Templates },
    ];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match (self.scope, self.sends) {
            (PauseScope::Number, PausedSends::All) => "number",
            (PauseScope::Number, PausedSends::Templates) => "number_templates",
            (PauseScope::Account, PausedSends::All) => "account",
            (PauseScope::Account, PausedSends::Templates) => "account_templates",
        }
    }

    /// The pause stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|pause| pause.as_str() == word)
    }
}

/// Whose sends slow down after a passing refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryScope {
    /// This message alone.
    Message,
    /// This number to this contact.
    Pair,
    /// All of the number.
    Number,
}
