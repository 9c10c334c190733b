//! What becomes of a message: a fold over its events, the same for any order and number of copies.

mod history;

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

pub use self::history::{Happening, HistoryLine, history};
use crate::{active_message::ActiveMessageState, policy::ActiveMessagePolicy};

/// One thing that happened to a message, as kept in the history.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DeliveryEvent {
    /// What happened.
    pub kind: DeliveryEventKind,
    /// When: the platform's own instant where it tells one (LI-10), else ours.
    pub at: DateTime<Utc>,
    /// Who said so.
    pub source: EventSource,
}

/// What can happen to a message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeliveryEventKind {
    /// The platform answered the send call with an id.
    Accepted,
    /// The platform's receipt: it took the message.
    Sent,
    /// The platform's receipt: on the phone.
    Delivered,
    /// The platform's receipt: read.
    Read,
    /// The platform's receipt: played for the first time, as a voice message is; so it was read.
    Played,
    /// The contact answered; `at` is when the answer was written.
    Replied,
    /// The request left and its outcome is not known (LI-09). It is not repeated; a receipt may settle it.
    Unsettled,
    /// It ended without arriving.
    Failed(Failure),
}

/// Why a message ended without arriving.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Failure {
    /// The platform's code, or the code of the check that refused it right before sending (AD-11).
    Coded(String),
    /// The request left and nothing was heard of it (LI-09). The one failure that gives way.
    OutcomeUnknown,
    /// Not sent within a day of its trigger (LI-04).
    NotSentInTime,
}

/// Who told of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EventSource {
    /// The platform, by a webhook.
    Platform,
    /// The dispatcher, from the answer to its call or from its checks.
    Dispatcher,
    /// A job that found a time had passed.
    Job,
}

/// The stretch in which an answer belongs to an active message: half-open, `[opens_at, ends_at)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResponseWindow {
    /// The trigger, cut to the second because the platforms' instants are.
    pub opens_at: DateTime<Utc>,
    /// From here on an answer comes too late.
    pub ends_at: DateTime<Utc>,
}

/// What the events of an active message amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveMessageLife {
    /// What pages and API show.
    pub state: ActiveMessageState,
    /// Present exactly when `state` is failed.
    pub failure: Option<Failure>,
    /// The earliest instant at which the platform is known to have had it; `None` while it is not.
    pub accepted_at: Option<DateTime<Utc>>,
    /// When the answer inside the window was written; `None` when there is none.
    pub replied_at: Option<DateTime<Utc>>,
    /// In which an answer belongs to it.
    pub window: ResponseWindow,
    /// Until when (exclusive) its row is on the desk, unless it was answered (LI-05).
    pub listed_until: DateTime<Utc>,
}

/// The states of a message that is no active message, such as an agent's reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageState {
    /// Not yet accepted by the platform.
    Sending,
    /// Accepted by the platform.
    Sent,
    /// On the phone.
    Delivered,
    /// Read.
    Read,
    /// Ended without arriving.
    Failed,
}

/// What the events of an ordinary message amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageLife {
    /// What pages and API show.
    pub state: MessageState,
    /// Present exactly when `state` is failed.
    pub failure: Option<Failure>,
}

/// What the events of an active message triggered at `triggered_at` amount to at `now`.
///
/// It depends on the set of events alone: neither their order nor copies change it. A message that is
/// still scheduled, or was cancelled before its trigger, has no such life.
///
/// Rules: LI-01 to LI-05, LI-09, LI-10.
#[must_use]
pub fn fold(
    events: &[DeliveryEvent],
    triggered_at: DateTime<Utc>,
    policy: &ActiveMessagePolicy,
    now: DateTime<Utc>,
) -> ActiveMessageLife {
    let accepted_at = accepted_at(events);
    let window = ResponseWindow::of(triggered_at, accepted_at, policy.response_window);
    let replied_at = instants(events, &DeliveryEventKind::Replied)
        .filter(|written_at| window.contains(*written_at))
        .min();
    let in_time = |event: &&DeliveryEvent| {
        let too_late = accepted_at.is_some()
            && event.source == EventSource::Platform
            && window.ends_at <= event.at;
        !too_late
    };
    let reached = furthest(events.iter().filter(in_time)).or_accepted(accepted_at);
    let reached = match reached {
        Reached::Nothing | Reached::Unsettled { .. } => {
            reached.after_silence(triggered_at, policy, now)
        }
        settled => settled,
    };
    let expired = window.ends_at <= now;
    let (state, failure) = match reached {
        _ if replied_at.is_some() => (ActiveMessageState::Replied, None),
        Reached::Failed(failure) => (ActiveMessageState::Failed, Some(failure)),
        Reached::Nothing | Reached::Unsettled { .. } => (ActiveMessageState::Sending, None),
        Reached::Read | Reached::Delivered | Reached::Sent if expired => {
            (ActiveMessageState::Expired, None)
        }
        Reached::Read => (ActiveMessageState::Read, None),
        Reached::Delivered => (ActiveMessageState::Delivered, None),
        Reached::Sent => (ActiveMessageState::Sent, None),
    };
    ActiveMessageLife {
        state,
        failure,
        accepted_at,
        replied_at,
        window,
        listed_until: window.ends_at + policy.listed_after_window,
    }
}

/// What the events of an ordinary message amount to: LI-03 without replies and without an end.
///
/// It depends on the set of events alone: neither their order nor copies change it.
#[must_use]
pub fn fold_message(events: &[DeliveryEvent]) -> MessageLife {
    let (state, failure) = match furthest(events.iter()) {
        Reached::Nothing | Reached::Unsettled { .. } => (MessageState::Sending, None),
        Reached::Sent => (MessageState::Sent, None),
        Reached::Delivered => (MessageState::Delivered, None),
        Reached::Failed(failure) => (MessageState::Failed, Some(failure)),
        Reached::Read => (MessageState::Read, None),
    };
    MessageLife { state, failure }
}

impl ActiveMessageLife {
    /// Whether an answer written at `written_at` is one to this message: inside its window, before any
    /// other answer, and not to a message that certainly never arrived (LI-10, LI-11).
    ///
    /// `has_left` says whether a request for it was ever started; one that still waits in the queue is
    /// answered by nobody.
    #[must_use]
    pub fn is_open_for_reply(&self, written_at: DateTime<Utc>, has_left: bool) -> bool {
        let could_have_arrived = match self.state {
            ActiveMessageState::Sent
            | ActiveMessageState::Delivered
            | ActiveMessageState::Read
            | ActiveMessageState::Expired => true,
            ActiveMessageState::Sending => has_left,
            ActiveMessageState::Replied => self.replied_at.is_none_or(|first| written_at <= first),
            ActiveMessageState::Failed => self.failure == Some(Failure::OutcomeUnknown),
            ActiveMessageState::Scheduled | ActiveMessageState::Cancelled => false,
        };
        could_have_arrived && self.window.contains(written_at)
    }

    /// Whether its row is on the desk's *Sent* tab at `now` (LI-05, LI-08).
    #[must_use]
    pub fn is_listed(&self, now: DateTime<Utc>) -> bool {
        self.state != ActiveMessageState::Replied && now < self.listed_until
    }

    /// Whether the send is given back to cap, limit and credit (AD-03).
    #[must_use]
    pub fn is_given_back(&self) -> bool {
        self.failure.as_ref().is_some_and(Failure::is_given_back)
    }
}

impl ResponseWindow {
    fn of(
        triggered_at: DateTime<Utc>,
        accepted_at: Option<DateTime<Utc>>,
        length: TimeDelta,
    ) -> Self {
        let starts_at = accepted_at.unwrap_or(triggered_at);
        let opens_at = triggered_at.min(starts_at).duration_trunc(TimeDelta::seconds(1));
        Self { opens_at: opens_at.unwrap_or(triggered_at), ends_at: starts_at + length }
    }

    /// Whether an answer written at `written_at` comes in time.
    #[must_use]
    pub fn contains(self, written_at: DateTime<Utc>) -> bool {
        self.opens_at <= written_at && written_at < self.ends_at
    }
}

impl Failure {
    /// The code it is stored, shown and exchanged by.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::Coded(code) => code,
            Self::OutcomeUnknown => "outcome_unknown",
            Self::NotSentInTime => "not_sent_in_time",
        }
    }

    /// The failure stored as `code`.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "outcome_unknown" => Self::OutcomeUnknown,
            "not_sent_in_time" => Self::NotSentInTime,
            other => Self::Coded(other.to_owned()),
        }
    }

    /// Whether the send is given back to cap, limit and credit; not so when it may have arrived (AD-03).
    #[must_use]
    pub fn is_given_back(&self) -> bool {
        match self {
            Self::Coded(_) | Self::NotSentInTime => true,
            Self::OutcomeUnknown => false,
        }
    }
}

impl DeliveryEventKind {
    /// The word it is stored by; a failure's code stands beside it.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Played => "played",
            Self::Replied => "replied",
            Self::Unsettled => "unsettled",
            Self::Failed(_) => "failed",
        }
    }

    /// The kind stored as `word`, with the failure's `code` where there is one; `None` when there is no
    /// kind of that name, or a failure has no code.
    #[must_use]
    pub fn parse(word: &str, code: Option<&str>) -> Option<Self> {
        match word {
            "accepted" => Some(Self::Accepted),
            "sent" => Some(Self::Sent),
            "delivered" => Some(Self::Delivered),
            "read" => Some(Self::Read),
            "played" => Some(Self::Played),
            "replied" => Some(Self::Replied),
            "unsettled" => Some(Self::Unsettled),
            "failed" => code.map(|code| Self::Failed(Failure::from_code(code))),
            _ => None,
        }
    }
}

impl EventSource {
    /// Every source.
    pub const ALL: [Self; 3] = [Self::Platform, Self::Dispatcher, Self::Job];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Platform => "platform",
            Self::Dispatcher => "dispatcher",
            Self::Job => "job",
        }
    }

    /// The source stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }
}

impl MessageState {
    /// Every state.
    pub const ALL: [Self; 5] =
        [Self::Sending, Self::Sent, Self::Delivered, Self::Read, Self::Failed];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
        }
    }

    /// The state stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// The furthest a message is known to have come, by LI-03 and apart from replies.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Reached {
    Nothing,
    Unsettled { since: DateTime<Utc> },
    Sent,
    Delivered,
    Failed(Failure),
    Read,
}

impl Reached {
    /// A platform that had it took it, even where the receipts that say so came too late to count.
    fn or_accepted(self, accepted_at: Option<DateTime<Utc>>) -> Self {
        match self {
            Self::Nothing | Self::Unsettled { .. } | Self::Failed(Failure::OutcomeUnknown)
                if accepted_at.is_some() =>
            {
                Self::Sent
            }
            known => known,
        }
    }

    /// What silence means once it has lasted long enough (LI-04, LI-09).
    fn after_silence(
        self,
        triggered_at: DateTime<Utc>,
        policy: &ActiveMessagePolicy,
        now: DateTime<Utc>,
    ) -> Self {
        match self {
            Self::Unsettled { since } if since + policy.unknown_outcome_wait <= now => {
                Self::Failed(Failure::OutcomeUnknown)
            }
            Self::Nothing if triggered_at + policy.send_deadline <= now => {
                Self::Failed(Failure::NotSentInTime)
            }
            silent => silent,
        }
    }
}

/// The highest of LI-03 among `events`. Of several failures the earliest is told, and one of an unknown
/// outcome only where nothing else is known.
fn furthest<'a>(events: impl Iterator<Item = &'a DeliveryEvent>) -> Reached {
    let mut has = [false; 3];
    let mut failures: Vec<(DateTime<Utc>, &Failure)> = Vec::new();
    let mut outcome_unknown = false;
    let mut unsettled_since: Option<DateTime<Utc>> = None;
    for event in events {
        match &event.kind {
            DeliveryEventKind::Accepted | DeliveryEventKind::Sent => has[0] = true,
            DeliveryEventKind::Delivered => has[1] = true,
            DeliveryEventKind::Read | DeliveryEventKind::Played => has[2] = true,
            DeliveryEventKind::Failed(Failure::OutcomeUnknown) => outcome_unknown = true,
            DeliveryEventKind::Failed(failure) => failures.push((event.at, failure)),
            DeliveryEventKind::Unsettled => {
                let since = unsettled_since.map_or(event.at, |since| since.min(event.at));
                unsettled_since = Some(since);
            }
            DeliveryEventKind::Replied => {}
        }
    }
    let [sent, delivered, read] = has;
    if read {
        Reached::Read
    } else if let Some((_, failure)) = failures.into_iter().min() {
        Reached::Failed(failure.clone())
    } else if delivered {
        Reached::Delivered
    } else if sent {
        Reached::Sent
    } else if outcome_unknown {
        Reached::Failed(Failure::OutcomeUnknown)
    } else if let Some(since) = unsettled_since {
        Reached::Unsettled { since }
    } else {
        Reached::Nothing
    }
}

/// The earliest instant at which the platform is known to have had the message.
fn accepted_at(events: &[DeliveryEvent]) -> Option<DateTime<Utc>> {
    let tells = [
        DeliveryEventKind::Accepted,
        DeliveryEventKind::Sent,
        DeliveryEventKind::Delivered,
        DeliveryEventKind::Read,
        DeliveryEventKind::Played,
    ];
    tells.iter().flat_map(|kind| instants(events, kind)).min()
}

fn instants(
    events: &[DeliveryEvent],
    kind: &DeliveryEventKind,
) -> impl Iterator<Item = DateTime<Utc>> {
    events.iter().filter(move |event| event.kind == *kind).map(|event| event.at)
}

#[cfg(test)]
mod tests;
