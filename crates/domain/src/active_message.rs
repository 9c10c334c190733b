//! An active message: a template with which an agent starts a conversation (LI-01).

use chrono::{DateTime, Utc};

use crate::policy::ActiveMessagePolicy;

/// The nine states that pages and API show (LI-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ActiveMessageState {
    /// Set for a later instant.
    Scheduled,
    /// Triggered, not yet accepted by the platform; held, leased and unknown show as this.
    Sending,
    /// Accepted by the platform.
    Sent,
    /// On the customer's phone.
    Delivered,
    /// Read by the customer.
    Read,
    /// Answered by the customer.
    Replied,
    /// Ended without arriving.
    Failed,
    /// 24 h without a reply.
    Expired,
    /// Taken back before it was due.
    Cancelled,
}

impl ActiveMessageState {
    /// Every state, in the order of LI-01.
    pub const ALL: [Self; 9] = [
        Self::Scheduled,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Read,
        Self::Replied,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Scheduled => "scheduled",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Replied => "replied",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// What the state kept of a message is at `now`, when time may have passed since it was kept: Expired
    /// from `expires_at` (inclusive) on, and Failure once it was not sent for too long.
    ///
    /// Rules: LI-04, LI-08.
    #[must_use]
    pub fn at(
        self,
        triggered_at: DateTime<Utc>,
        expires_at: DateTime<Utc>,
        policy: &ActiveMessagePolicy,
        now: DateTime<Utc>,
    ) -> Self {
        match self {
            Self::Sent | Self::Delivered | Self::Read if expires_at <= now => Self::Expired,
            Self::Sending if triggered_at + policy.send_deadline <= now => Self::Failed,
            kept => kept,
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::{
        calendar::{day, milliseconds},
        policy::Policy,
    };

    #[test]
    fn li_01_nine_states_are_read_back_by_their_words() {
        let words = "scheduled sending sent delivered read replied failed expired cancelled";
        assert_eq!(ActiveMessageState::ALL.map(ActiveMessageState::as_str).join(" "), words);
        for state in ActiveMessageState::ALL {
            assert_eq!(ActiveMessageState::parse(state.as_str()), Some(state));
        }
        for kept_besides in ["held", "leased", "unknown", "Sent", ""] {
            assert_eq!(ActiveMessageState::parse(kept_besides), None, "{kept_besides:?}");
        }
    }

    #[test]
    fn li_01_li_08_time_alone_ends_what_is_open_to_the_millisecond() {
        use ActiveMessageState as State;
        let policy = Policy::default_profile().active_messages;
        let triggered_at = day(1, "10:00");
        let expires_at = triggered_at + TimeDelta::hours(30);
        let in_time = triggered_at + policy.send_deadline;
        let cases = [
            (State::Sending, in_time, State::Failed),
            (State::Sent, expires_at, State::Expired),
            (State::Delivered, expires_at, State::Expired),
            (State::Read, expires_at, State::Expired),
        ];
        for (kept, end, after) in cases {
            let at = |now| kept.at(triggered_at, expires_at, &policy, now);
            assert_eq!(at(end - milliseconds(1)), kept, "{kept:?}, a millisecond before");
            assert_eq!(at(end), after, "{kept:?}, at its end");
        }
        let ended =
            [State::Scheduled, State::Replied, State::Failed, State::Expired, State::Cancelled];
        for state in ended {
            let later = expires_at + TimeDelta::days(9);
            assert_eq!(state.at(triggered_at, expires_at, &policy, later), state);
        }
    }
}
