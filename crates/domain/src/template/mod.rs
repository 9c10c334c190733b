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
    /// No longer in the account, or a status this program does not know: not sendable.
    Gone,
}

impl TemplateStatus {
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
        }
    }
}
