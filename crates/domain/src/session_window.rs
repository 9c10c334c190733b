//! How long after a contact's last message free-form text may be sent (SW-01 to SW-06).

use chrono::{DateTime, TimeDelta, Utc};

use crate::channel::ChannelKind;

/// What one kind of channel allows after a contact's message; a value of the policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionRule {
    /// From the contact's last message on; `None` where no window is needed (SMS).
    pub length: Option<TimeDelta>,
    /// How many messages may be sent in one window; `None` where the platform sets no number (SW-06).
    pub messages: Option<u32>,
}

/// What is known of one contact on one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionFacts {
    /// When the contact last wrote, by the platform; `None` when never.
    pub last_inbound_at: Option<DateTime<Utc>>,
    /// Messages sent since then.
    pub sent_since: u32,
}

/// How a session window stands at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionState {
    /// The channel knows no windows: free-form text may always be sent.
    NotNeeded,
    /// Free-form text may be sent until `ends_at` (exclusive).
    Open {
        /// The end, exclusive.
        ends_at: DateTime<Utc>,
    },
    /// As open, with less than the threshold left (SW-03).
    ClosingSoon {
        /// The end, exclusive.
        ends_at: DateTime<Utc>,
    },
    /// Free-form text is refused until the contact writes.
    Closed {
        /// Since when; `None` when the contact never wrote.
        since: Option<DateTime<Utc>>,
    },
}

/// Why free-form text is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FreeFormRefusal {
    /// The window is closed (SW-04).
    SessionExpired,
    /// The window is open, but its messages are used up until the contact writes (SW-06).
    SessionMessagesUsedUp,
}

impl SessionRule {
    /// The figures of RULES.md, section 1, and of the platforms for [`Self::messages`].
    #[must_use]
    pub fn standard(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::WhatsApp => Self { length: Some(TimeDelta::hours(24)), messages: None },
            ChannelKind::WeChat | ChannelKind::WeCom => {
                Self { length: Some(TimeDelta::hours(48)), messages: Some(5) }
            }
            ChannelKind::Sms => Self { length: None, messages: None },
        }
    }

    /// When the window of a contact who last wrote at `last_inbound_at` ends, exclusive; `None` where
    /// none is needed.
    #[must_use]
    pub fn ends_at(self, last_inbound_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.length.map(|length| last_inbound_at + length)
    }

    /// How the window stands at `now`; it is closing soon with less than `closing_soon` left.
    #[must_use]
    pub fn state(
        self,
        last_inbound_at: Option<DateTime<Utc>>,
        closing_soon: TimeDelta,
        now: DateTime<Utc>,
    ) -> SessionState {
        let Some(length) = self.length else { return SessionState::NotNeeded };
        let Some(last_inbound_at) = last_inbound_at else {
            return SessionState::Closed { since: None };
        };
        let ends_at = last_inbound_at + length;
        if ends_at <= now {
            SessionState::Closed { since: Some(ends_at) }
        } else if ends_at - now < closing_soon {
            SessionState::ClosingSoon { ends_at }
        } else {
            SessionState::Open { ends_at }
        }
    }

    /// Why free-form text may not be sent at `now`; `None` when it may (SW-04, SW-06).
    #[must_use]
    pub fn refuses_free_form(
        self,
        facts: SessionFacts,
        now: DateTime<Utc>,
    ) -> Option<FreeFormRefusal> {
        match self.state(facts.last_inbound_at, TimeDelta::zero(), now) {
            SessionState::Closed { .. } => Some(FreeFormRefusal::SessionExpired),
            SessionState::NotNeeded => None,
            SessionState::Open { .. } | SessionState::ClosingSoon { .. } => {
                let used_up = self.messages.is_some_and(|most| most <= facts.sent_since);
                used_up.then_some(FreeFormRefusal::SessionMessagesUsedUp)
            }
        }
    }
}

impl SessionState {
    /// Whether the contact's window is open: there is one, and it has not ended. A template sent in it
    /// is no notification (AD-12).
    #[must_use]
    pub fn is_open(self) -> bool {
        match self {
            Self::Open { .. } | Self::ClosingSoon { .. } => true,
            Self::NotNeeded | Self::Closed { .. } => false,
        }
    }

    /// The end of an open window, exclusive; `None` when there is none to wait for.
    #[must_use]
    pub fn ends_at(self) -> Option<DateTime<Utc>> {
        match self {
            Self::Open { ends_at } | Self::ClosingSoon { ends_at } => Some(ends_at),
            Self::NotNeeded | Self::Closed { .. } => None,
        }
    }
}

impl FreeFormRefusal {
    /// The code the API answers with.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SessionExpired => "session_expired",
            Self::SessionMessagesUsedUp => "session_messages_used_up",
        }
    }
}
