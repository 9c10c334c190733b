//! Message templates: approved by the platform, with variables that are filled for each send.

mod fields;
mod fill;
mod news;
mod placeholder;
#[cfg(test)]
mod tests;
mod variables;

use chrono::{DateTime, Utc};

pub use self::{
    fields::{FieldValues, MistakenField, ValueField, expand_values, mistaken_fields},
    fill::{FilledButton, FilledContent, FilledHeader, Segment},
    news::StatusNews,
    variables::{
        Variable, VariableKind, VariableProblem, VariableProblemCode, VariableRole, check_values,
    },
};

use crate::ids::TemplateId;

/// A message template in one language, as its channel's platform approved it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageTemplate {
    /// Its id here.
    pub id: TemplateId,
    /// The platform account it belongs to (WABA id); numbers of the account share it.
    pub account_id: String,
    /// Lower case, digits and underscores.
    pub name: String,
    /// As the platform writes it, such as `pt_BR`.
    pub language: String,
    /// What the platform filed it under.
    pub category: TemplateCategory,
    /// Whether it may be sent.
    pub status: TemplateStatus,
    /// Whether body variables are `{{name}}` rather than `{{1}}`.
    pub named_parameters: bool,
    /// What the customer sees.
    pub content: TemplateContent,
}

/// What the platform filed a template under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TemplateCategory {
    /// Offers; a marketing opt-out refuses these.
    Marketing,
    /// About something the customer asked for.
    Utility,
    /// One-time codes.
    Authentication,
}

/// Whether a template may be sent; only `Approved` may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateStatus {
    /// May be sent.
    Approved,
    /// Under review by the platform.
    Pending,
    /// Refused by the platform.
    Rejected,
    /// Paused for low quality; `until` when the platform said so.
    Paused {
        /// When the pause ends; `None` when unknown.
        until: Option<DateTime<Utc>>,
    },
    /// Off for good.
    Disabled,
    /// Put away by the business, which may take it out again.
    Archived,
    /// The platform takes it, but a part of it cannot be filled from here.
    Unfillable(UnfillablePart),
    /// No longer in the account, or a status this program does not know: not sendable.
    Gone,
}

/// A part of a template that cannot be filled from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UnfillablePart {
    /// Cards side by side, each with a picture of its own.
    Carousel,
    /// An offer that ends at an instant.
    LimitedTimeOffer,
    /// A button for a one-time code.
    OneTimeCode,
    /// A product, or another header.
    Header,
    /// Anything else.
    Other,
}

impl UnfillablePart {
    /// Every part.
    pub const ALL: [Self; 5] =
        [Self::Carousel, Self::LimitedTimeOffer, Self::OneTimeCode, Self::Header, Self::Other];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Carousel => "carousel",
            Self::LimitedTimeOffer => "limited_time_offer",
            Self::OneTimeCode => "one_time_code",
            Self::Header => "header",
            Self::Other => "other",
        }
    }

    /// The part stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.as_str() == word)
    }
}

impl TemplateStatus {
    /// What it is when `part` of it cannot be filled: not to be sent, whatever the platform says of it.
    #[must_use]
    pub fn without(self, part: Option<UnfillablePart>) -> Self {
        match (self, part) {
            (Self::Gone, _) | (_, None) => self,
            (_, Some(part)) => Self::Unfillable(part),
        }
    }

    /// What it is at `now`: a pause that is over is none.
    #[must_use]
    pub fn at(self, now: DateTime<Utc>) -> Self {
        match self {
            Self::Paused { until: Some(until) } if until <= now => Self::Approved,
            other => other,
        }
    }
}

/// What the customer sees, with placeholders.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateContent {
    /// Above the body; `None` when there is none.
    pub header: Option<TemplateHeader>,
    /// The text, with `{{1}}` or `{{name}}` for variables.
    pub body: String,
    /// Below the body; `None` when there is none.
    pub footer: Option<String>,
    /// In the order shown; at most ten.
    pub buttons: Vec<TemplateButton>,
}

/// What stands above a template's body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateHeader {
    /// A text, which may hold one variable.
    Text(String),
    /// A media file given by URL at each send.
    Media(MediaKind),
    /// A place; has its own variables.
    Location,
}

/// The kinds of media a header may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaKind {
    /// JPEG or PNG.
    Image,
    /// MP4 or 3GP.
    Video,
    /// PDF and office files.
    Document,
}

/// A button under a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateButton {
    /// Answers with its text.
    QuickReply {
        /// The text on it.
        text: String,
    },
    /// Opens a page; `url` may end in a variable.
    Url {
        /// The text on it.
        text: String,
        /// The address, with `{{1}}` where the variable goes.
        url: String,
    },
    /// Calls a number.
    Phone {
        /// The text on it.
        text: String,
        /// The number called.
        phone: String,
    },
    /// Copies a code, which is a variable.
    CopyCode {
        /// The text on it.
        text: String,
    },
    /// A kind shown but without variables here.
    Other {
        /// The text on it.
        text: String,
    },
}

/// Names one variable of a template, as the API does: a name or number in the body (`first_name`, `1`);
/// `header` for a text or media header; `header_latitude`, `header_longitude`, `header_name` and
/// `header_address` for a place; `button_0` for a button, by its position from 0.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct VariableName(pub String);

/// The values of a send, by variable.
pub type VariableValues = std::collections::BTreeMap<VariableName, String>;

/// A template as a platform lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlatformTemplate {
    /// The platform's id.
    pub external_id: String,
    /// Lower case, digits and underscores.
    pub name: String,
    /// As the platform writes it, such as `pt_BR`.
    pub language: String,
    /// What the platform filed it under.
    pub category: TemplateCategory,
    /// Whether it may be sent.
    pub status: TemplateStatus,
    /// Whether body variables are `{{name}}` rather than `{{1}}`.
    pub named_parameters: bool,
    /// What the customer sees.
    pub content: TemplateContent,
    /// The platform's word on its quality, such as `GREEN`; `None` when it tells none.
    pub quality: Option<String>,
    /// What of it cannot be filled from here; `None` when all of it can.
    pub unfillable: Option<UnfillablePart>,
}

impl PlatformTemplate {
    /// An approved utility template that is nothing but `body`, as a platform lists it.
    #[must_use]
    pub fn of_text(name: &str, language: &str, body: &str) -> Self {
        Self {
            external_id: "1".to_owned(),
            name: name.to_owned(),
            language: language.to_owned(),
            category: TemplateCategory::Utility,
            status: TemplateStatus::Approved,
            named_parameters: false,
            content: TemplateContent {
                header: None,
                body: body.to_owned(),
                footer: None,
                buttons: Vec::new(),
            },
            quality: None,
            unfillable: None,
        }
    }
}
