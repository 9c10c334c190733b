//! Whether an agent takes part right now (RO-06).

use chrono::{DateTime, Utc};

use crate::policy::ServicePolicy;

/// What an agent chose, or fell to when the last page was gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Presence {
    /// May send active messages and is given tickets.
    Online,
    /// Keeps tickets, gets none; a timer runs.
    OnBreak,
    /// Keeps tickets, gets none. Entering starts here.
    Invisible,
    /// No page of the desk is open.
    Offline,
}

/// What tells that an agent's desk is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connection {
    /// A page with a live stream is open.
    Streaming,
    /// The last live stream was lost.
    StreamLost {
        /// When.
        at: DateTime<Utc>,
    },
    /// There is no script and so no stream, only requests.
    Requests {
        /// When the last one came.
        last_at: DateTime<Utc>,
    },
}

/// The presence of an agent who last chose `chosen`, at `now`: theirs, or offline once nothing has been
/// heard of their desk for too long.
///
/// Rule: RO-06.
#[must_use]
pub fn presence_at(
    chosen: Presence,
    connection: Connection,
    policy: &ServicePolicy,
    now: DateTime<Utc>,
) -> Presence {
    match connection.offline_at(policy) {
        Some(at) if at <= now => Presence::Offline,
        Some(_) | None => chosen,
    }
}

/// By when (inclusive) an open stream must have given its last sign to be taken for lost at `now`: its
/// process stopped, or froze, without a word. It is lost from `now` on, not from that sign on, so that what
/// follows leaves a stream that lives the time to give its next sign, also when the clock was moved.
///
/// Rule: RO-06.
#[must_use]
pub fn silent_by(policy: &ServicePolicy, now: DateTime<Utc>) -> DateTime<Utc> {
    now - policy.lost_after_silence
}

impl Connection {
    /// From when (inclusive) the agent is offline if nothing more is heard; `None` while a stream is open.
    #[must_use]
    pub fn offline_at(self, policy: &ServicePolicy) -> Option<DateTime<Utc>> {
        match self {
            Self::Streaming => None,
            Self::StreamLost { at } => Some(at + policy.offline_after_stream),
            Self::Requests { last_at } => Some(last_at + policy.offline_after_request),
        }
    }
}

impl Presence {
    /// What an agent is upon entering the desk.
    pub const ON_ENTERING: Self = Self::Invisible;

    /// Every presence.
    pub const ALL: [Self; 4] = [Self::Online, Self::OnBreak, Self::Invisible, Self::Offline];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::OnBreak => "on_break",
            Self::Invisible => "invisible",
            Self::Offline => "offline",
        }
    }

    /// The presence stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|presence| presence.as_str() == word)
    }

    /// Whether the agent may send active messages and is given tickets.
    #[must_use]
    pub fn is_online(self) -> bool {
        self == Self::Online
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
    fn ro_06_an_agent_of_whom_nothing_is_heard_is_offline() {
        let service = Policy::default().service;
        let at = day(1, "10:00");
        let lost = Connection::StreamLost { at };
        let requests = Connection::Requests { last_at: at };
        let (stream_end, request_end) = (at + TimeDelta::seconds(90), at + TimeDelta::minutes(5));
        let moment = milliseconds(1);
        let cases = [
            ("streaming for days", Connection::Streaming, day(9, "10:00"), Presence::Online),
            ("just lost", lost, stream_end - moment, Presence::Online),
            ("lost for 90 s", lost, stream_end, Presence::Offline),
            ("a request not long ago", requests, request_end - moment, Presence::Online),
            ("no request for 5 min", requests, request_end, Presence::Offline),
        ];
        for (case, connection, now, expected) in cases {
            let presence = presence_at(Presence::Online, connection, &service, now);
            assert_eq!(presence, expected, "{case}");
        }
        let on_break = presence_at(Presence::OnBreak, lost, &service, at);
        assert_eq!(on_break, Presence::OnBreak);
        assert_eq!(Presence::ON_ENTERING, Presence::Invisible);
    }
}
