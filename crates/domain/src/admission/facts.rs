//! What admission sees: plain data, read once, good for judging at any later instant.

use chrono::{DateTime, TimeDelta, Utc};

use super::tier::TierFacts;
use crate::{
    channel::ChannelKind,
    contact_cap::{CapScope, ContactCap},
    ids::{TicketId, UserId},
    money::Millionths,
    opt_out::OptOut,
    presence::Presence,
    quiet_hours::QuietHours,
    template::{TemplateCategory, TemplateStatus, VariableProblem},
};

/// Everything that bears on one active message to one contact over one number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Whether whoever sends has `send_active_messages` in this chatbot and is in its team.
    pub permitted: bool,
    /// The presence of the person who presses *Send*; `None` where no person does (API, a scheduled
    /// send that has come due).
    pub presence: Option<Presence>,
    /// The chatbot's switch *Active messages*.
    pub active_messages_enabled: bool,
    /// The platform of the channel.
    pub channel: ChannelKind,
    /// What keeps the number from sending; empty when it is ready.
    pub number_troubles: Vec<NumberTrouble>,
    /// The number's recipients against its limit; `None` where the platform has no such limit.
    pub tier: Option<TierFacts>,
    /// Whether the template may be sent.
    pub template_status: TemplateStatus,
    /// What the platform filed the template under.
    pub template_category: TemplateCategory,
    /// The end, exclusive, of the contact's session window on this channel; `None` when the contact
    /// never wrote. A template sent from then on is a notification (AD-12).
    pub session_open_until: Option<DateTime<Utc>>,
    /// Whether the contact can be reached on this channel.
    pub contact: ContactReach,
    /// The contact's opt-outs that were not lifted.
    pub opt_outs: Vec<OptOut>,
    /// The contact's open ticket in this chatbot.
    pub open_ticket: Option<OpenTicket>,
    /// From which ticket, and by whom, the template is sent; `None` when from no ticket.
    pub ticket_reply: Option<TicketReply>,
    /// The send of this row of the outside-hours screen that has not failed; `None` when there is none
    /// or the send comes from elsewhere.
    pub call_back: Option<CallBack>,
    /// The agent cap per contact; `None` while its switch is off.
    pub cap: Option<CapFacts>,
    /// Within which hours the contact may be written to; `None` while quiet hours are off.
    pub quiet_hours: Option<QuietHours>,
    /// What is wrong with the values of the variables.
    pub variable_problems: Vec<VariableProblem>,
    /// Balance and price; `None` while credit is not kept (CR-04).
    pub credit: Option<CreditFacts>,
    /// How far ahead an answer says when it ends: `Policy::active_messages.forecast_horizon`.
    pub forecast_horizon: TimeDelta,
}

impl Facts {
    /// Whether this template is a notification when admitted at `now`: it counts against the number's
    /// limit (AD-12, NU-08).
    #[must_use]
    pub fn is_notification(&self, now: DateTime<Utc>) -> bool {
        !is_open(self.session_open_until, now)
    }
}

/// What can have changed between admission and sending (AD-11). The fields are those of [`Facts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecheckFacts {
    /// What keeps the number from sending; empty when it is ready.
    pub number_troubles: Vec<NumberTrouble>,
    /// Whether the template may be sent.
    pub template_status: TemplateStatus,
    /// What the platform filed the template under.
    pub template_category: TemplateCategory,
    /// The end, exclusive, of the contact's session window on this channel.
    pub session_open_until: Option<DateTime<Utc>>,
    /// The contact's opt-outs that were not lifted.
    pub opt_outs: Vec<OptOut>,
    /// The contact's open ticket in this chatbot.
    pub open_ticket: Option<OpenTicket>,
    /// From which ticket, and by whom, the template was sent; `None` when from no ticket.
    pub ticket_reply: Option<TicketReply>,
    /// Within which hours the contact may be written to; `None` while quiet hours are off.
    pub quiet_hours: Option<QuietHours>,
    /// How far ahead an answer says when it ends.
    pub forecast_horizon: TimeDelta,
}

/// Something that keeps a number from sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NumberTrouble {
    /// What it is.
    pub kind: NumberTroubleKind,
    /// From when it no longer stands; `None` when that is not known.
    pub until: Option<DateTime<Utc>>,
}

/// What keeps a number from sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NumberTroubleKind {
    /// It is not connected to the platform.
    Disconnected,
    /// The platform banned it.
    Banned,
    /// The platform restricts it.
    Restricted,
    /// Its credentials fail.
    CredentialsFail,
}

impl NumberTroubleKind {
    /// Every kind.
    pub const ALL: [Self; 4] =
        [Self::Disconnected, Self::Banned, Self::Restricted, Self::CredentialsFail];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Disconnected => "disconnected",
            Self::Banned => "banned",
            Self::Restricted => "restricted",
            Self::CredentialsFail => "credentials_fail",
        }
    }

    /// The kind stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }
}

/// Whether a contact can be reached on a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ContactReach {
    /// As far as is known.
    Reachable,
    /// The contact has no identity there.
    NoIdentity,
    /// The number is not valid.
    InvalidNumber,
    /// The platform said that the contact is not there.
    NotOnPlatform,
}

impl ContactReach {
    /// Every value.
    pub const ALL: [Self; 4] =
        [Self::Reachable, Self::NoIdentity, Self::InvalidNumber, Self::NotOnPlatform];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reachable => "reachable",
            Self::NoIdentity => "no_identity",
            Self::InvalidNumber => "invalid_number",
            Self::NotOnPlatform => "not_on_platform",
        }
    }

    /// The value stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reach| reach.as_str() == word)
    }
}

/// A ticket that waits or is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenTicket {
    /// Which.
    pub id: TicketId,
    /// Who serves it; `None` while it waits.
    pub holder: Option<UserId>,
}

/// A template sent from within a ticket (SW-09).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TicketReply {
    /// From which ticket.
    pub ticket: TicketId,
    /// By whom.
    pub by: UserId,
}

/// A send that already called a contact back (OH-07).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallBack {
    /// Who sent it; `None` for a token without an agent.
    pub by: Option<UserId>,
    /// When it was admitted.
    pub at: DateTime<Utc>,
}

/// The agent cap per contact, with the sends it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CapFacts {
    /// How many in how long.
    pub cap: ContactCap,
    /// Whose sends are in `sent_at`: this agent's or all agents'.
    pub scope: CapScope,
    /// The counted sends of this chatbot to this contact, oldest first; the newest `cap.sends` are
    /// enough. Failed ones are left out, but for those of unknown outcome (AD-03).
    pub sent_at: Vec<DateTime<Utc>>,
}

/// The balance, and what this send costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditFacts {
    /// What is left, reservations taken off.
    pub balance: Millionths,
    /// The price outside the contact's session window.
    pub price: Millionths,
    /// The price inside it: zero where the platform says so (CR-01).
    pub price_in_open_window: Millionths,
}

/// Whether a window that ends at `until`, exclusive, is open at `now`.
pub(super) fn is_open(until: Option<DateTime<Utc>>, now: DateTime<Utc>) -> bool {
    until.is_some_and(|end| now < end)
}
