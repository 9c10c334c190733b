//! What the platform tells of a template between two lists of them.

use chrono::{DateTime, TimeDelta, Utc};

use super::words::open_words;

/// What the platform tells of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateChange {
    /// The platform's id; `None` when it is missing.
    pub external_id: Option<String>,
    /// Its name.
    pub name: String,
    /// Its language, written as in lists, such as `pt_BR`.
    pub language: String,
    /// The platform's instant; `None` when it tells none.
    pub at: Option<DateTime<Utc>>,
    /// What changed.
    pub news: TemplateNews,
}

/// What changed of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateNews {
    /// Whether it may be sent.
    Status(TemplateStatusNews),
    /// How its recipients like it.
    Quality {
        /// The platform's word before, such as `GREEN`.
        previous: Option<String>,
        /// The platform's word now.
        current: String,
    },
    /// What it is filed under.
    Category(CategoryNews),
    /// What it says.
    Components(TemplateComponents),
}

/// Whether a template may be sent, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateStatusNews {
    /// What happened.
    pub event: TemplateStatusEvent,
    /// The platform's word for why, such as `INVALID_FORMAT`; `None` when it gives none.
    pub reason: Option<String>,
    /// What was wrong with it, of rejected ones.
    pub rejection: Option<TemplateRejection>,
    /// What the platform adds, of paused ones above all.
    pub pause: Option<TemplatePause>,
    /// When it is switched off, as the platform writes it: a date, or Unix seconds.
    pub disable_date: Option<String>,
}

impl TemplateStatusNews {
    /// That something happened, and nothing besides.
    #[must_use]
    pub fn of(event: TemplateStatusEvent) -> Self {
        Self { event, reason: None, rejection: None, pause: None, disable_date: None }
    }
}

open_words! {
    /// What happened to a template.
    TemplateStatusEvent {
        /// It may be sent.
        Approved = "APPROVED",
        /// It may not, and never might.
        Rejected = "REJECTED",
        /// It is under review.
        Pending = "PENDING",
        /// It may not for some time.
        Paused = "PAUSED",
        /// It may not any more.
        Disabled = "DISABLED",
        /// It will be switched off; until then it may be sent.
        Flagged = "FLAGGED",
        /// It may be sent again.
        Reinstated = "REINSTATED",
        /// Someone asked for another look.
        InAppeal = "IN_APPEAL",
        /// It will be gone.
        PendingDeletion = "PENDING_DELETION",
        /// It is gone.
        Deleted = "DELETED",
        /// It may not be changed.
        Locked = "LOCKED",
        /// There are too many of them.
        LimitExceeded = "LIMIT_EXCEEDED",
        /// It was put away.
        Archived = "ARCHIVED",
        /// It was taken out again.
        Unarchived = "UNARCHIVED",
    }
}

/// What was wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateRejection {
    /// The platform's sentence.
    pub reason: Option<String>,
    /// What the platform says would help.
    pub recommendation: Option<String>,
}

/// What the platform adds to a status.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplatePause {
    /// Which pause it is; `None` when it is missing.
    pub stage: Option<PauseStage>,
    /// The platform's sentence.
    pub description: Option<String>,
}

open_words! {
    /// Which pause of a template it is.
    PauseStage {
        /// The first.
        First = "FIRST_PAUSE",
        /// The second; a third switches it off.
        Second = "SECOND_PAUSE",
        /// It was sent too fast.
        RateLimiting = "RATE_LIMITING_PAUSE",
        /// It is over.
        Unpause = "UNPAUSE",
        /// It is off.
        Disabled = "DISABLED",
    }
}

impl PauseStage {
    /// How long the platform says such a pause lasts (protocol, 3.7); `None` for one without an end of its own.
    #[must_use]
    pub fn length(&self) -> Option<TimeDelta> {
        match self {
            Self::First => Some(TimeDelta::hours(3)),
            Self::Second => Some(TimeDelta::hours(6)),
            Self::RateLimiting | Self::Unpause | Self::Disabled | Self::Other(_) => None,
        }
    }
}

/// What a template is filed under. Categories are the platform's words, upper case, such as `MARKETING`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CategoryNews {
    /// It will be another.
    Announced {
        /// What it is now.
        current: Option<String>,
        /// What it will be.
        upcoming: String,
        /// From when; `None` when the platform does not say.
        from: Option<DateTime<Utc>>,
    },
    /// It is another.
    Changed {
        /// What it was.
        previous: Option<String>,
        /// What it is now.
        current: String,
    },
}

/// What a template says, with placeholders.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateComponents {
    /// The text above; `None` when there is none.
    pub header: Option<String>,
    /// The text.
    pub body: Option<String>,
    /// The text below; `None` when there is none.
    pub footer: Option<String>,
    /// In the order shown.
    pub buttons: Vec<ChangedButton>,
}

/// A button of a changed template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangedButton {
    /// The platform's word for its kind, such as `URL`.
    pub kind: Option<String>,
    /// The text on it.
    pub text: Option<String>,
    /// The address it opens.
    pub url: Option<String>,
    /// The number it calls.
    pub phone: Option<String>,
}
