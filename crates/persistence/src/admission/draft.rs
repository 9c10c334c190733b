//! A send as it is asked for.

use domain::{
    ids::{ChannelId, ContactId, TemplateId, TicketId, UserId},
    phone::{PhoneNumber, PhoneNumberProblem},
    template::{VariableName, VariableValues},
};

use crate::idempotency::IdempotencyKey;

/// Where a send was asked for (AM-12).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Door {
    /// The dialog of the desk, where a person presses *Send*.
    Desk,
    /// The screen of contacts outside business hours, likewise.
    OutsideHours,
    /// The API.
    Api,
    /// A schedule that has come due.
    Schedule,
}

impl Door {
    /// Every door.
    pub const ALL: [Self; 4] = [Self::Desk, Self::OutsideHours, Self::Api, Self::Schedule];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Desk => "desk",
            Self::OutsideHours => "outside_hours",
            Self::Api => "api",
            Self::Schedule => "schedule",
        }
    }

    /// The door stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|door| door.as_str() == word)
    }

    /// Whether a person presses *Send* there, who must be online.
    pub(super) fn needs_presence(self) -> bool {
        match self {
            Self::Desk | Self::OutsideHours => true,
            Self::Api | Self::Schedule => false,
        }
    }
}

/// Who a send goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// Someone a chatbot of the actor knows.
    Contact(ContactId),
    /// Someone by number, who becomes a contact when the send is admitted (AM-04).
    Phone(PhoneNumber),
    /// Someone by what is no number, and why it is none: refused as `contact_unreachable`, and logged so.
    NoNumber(PhoneNumberProblem),
}

/// A send as it is asked for.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The channel to send from.
    pub channel: ChannelId,
    /// The template.
    pub template: TemplateId,
    /// Who it goes to.
    pub to: Recipient,
    /// A value for each variable; values may hold fields (AM-13).
    pub values: VariableValues,
    /// Media variables whose file cannot be sent, as was found at its address before (AM-07).
    pub refused_media: Vec<VariableName>,
    /// The agent it is sent for; `None` when the API names none, and its token counts as one (AM-12).
    pub agent: Option<UserId>,
    /// Where it was asked for.
    pub door: Door,
    /// The ticket it is sent from; `None` outside of tickets (SW-09).
    pub ticket: Option<TicketId>,
    /// Makes a repetition harmless; `None` when the client gave none.
    pub key: Option<IdempotencyKey>,
}
