//! What admission answers.

use chrono::{DateTime, Utc};

/// Why a send is refused, in the order of the rules: the first that holds is the headline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RefusalCode {
    /// The user lacks the permission to send, or is not in this chatbot's team.
    NotPermitted,
    /// The agent who presses *Send* is not online.
    AgentNotOnline,
    /// The chatbot's switch is off.
    ActiveMessagesDisabled,
    /// Nothing may start a conversation on this channel.
    ChannelCannotInitiate,
    /// The number is disconnected, banned, restricted by the platform, or its credentials fail.
    NumberNotReady,
    /// The number's distinct recipients have reached the effective limit.
    TierLimitReached,
    /// The template is not approved, paused, disabled or gone.
    TemplateNotApproved,
    /// The contact cannot be reached on this channel.
    ContactUnreachable,
    /// The contact said stop, for marketing only or for all.
    ContactOptedOut,
    /// The contact is being served in this chatbot.
    ContactHasOpenTicket,
    /// The row of the outside-hours screen has a send that has not failed.
    AlreadyCalledBack,
    /// The contact was sent X active messages within the cap's window.
    AgentContactCap,
    /// The contact may not be written to at this hour.
    QuietHours,
    /// A variable is missing, too long or ill-formed.
    VariablesInvalid,
    /// The balance is below the price of this send.
    InsufficientCredit,
}

impl RefusalCode {
    /// Every code, in the order of the rules.
    pub const ALL: [Self; 15] = [
        Self::NotPermitted,
        Self::AgentNotOnline,
        Self::ActiveMessagesDisabled,
        Self::ChannelCannotInitiate,
        Self::NumberNotReady,
        Self::TierLimitReached,
        Self::TemplateNotApproved,
        Self::ContactUnreachable,
        Self::ContactOptedOut,
        Self::ContactHasOpenTicket,
        Self::AlreadyCalledBack,
        Self::AgentContactCap,
        Self::QuietHours,
        Self::VariablesInvalid,
        Self::InsufficientCredit,
    ];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotPermitted => "not_permitted",
            Self::AgentNotOnline => "agent_not_online",
            Self::ActiveMessagesDisabled => "active_messages_disabled",
            Self::ChannelCannotInitiate => "channel_cannot_initiate",
            Self::NumberNotReady => "number_not_ready",
            Self::TierLimitReached => "tier_limit_reached",
            Self::TemplateNotApproved => "template_not_approved",
            Self::ContactUnreachable => "contact_unreachable",
            Self::ContactOptedOut => "contact_opted_out",
            Self::ContactHasOpenTicket => "contact_has_open_ticket",
            Self::AlreadyCalledBack => "already_called_back",
            Self::AgentContactCap => "agent_contact_cap",
            Self::QuietHours => "quiet_hours",
            Self::VariablesInvalid => "variables_invalid",
            Self::InsufficientCredit => "insufficient_credit",
        }
    }

    /// The code stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }
}

/// One thing that stands against a send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What it is.
    pub code: RefusalCode,
    /// From when it, and it alone, no longer stands; `None` when waiting does not help. Always after
    /// the instant judged.
    pub until: Option<DateTime<Utc>>,
}

impl Refusal {
    /// A refusal that waiting does not lift.
    pub(super) fn lasting(code: RefusalCode) -> Self {
        Self { code, until: None }
    }
}

/// The answer to one active message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Admission {
    /// It may go.
    Allowed,
    /// It may not. Never empty; in the order of the rules.
    Blocked(Vec<Refusal>),
}

impl Admission {
    /// Allowed when nothing stands against it.
    pub(super) fn from_refusals(refusals: Vec<Refusal>) -> Self {
        if refusals.is_empty() { Self::Allowed } else { Self::Blocked(refusals) }
    }

    /// Whether it may go.
    #[must_use]
    pub fn is_allowed(&self) -> bool {
        self.refusals().is_empty()
    }

    /// What stands against it, in the order of the rules; empty when it may go.
    #[must_use]
    pub fn refusals(&self) -> &[Refusal] {
        match self {
            Self::Allowed => &[],
            Self::Blocked(refusals) => refusals,
        }
    }

    /// The reason shown first; `None` when it may go.
    #[must_use]
    pub fn headline(&self) -> Option<Refusal> {
        self.refusals().first().copied()
    }
}
