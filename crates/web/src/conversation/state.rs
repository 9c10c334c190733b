//! How far a message came, in words with ticks.

use chrono::TimeDelta;
use domain::{active_message::ActiveMessageState, delivery::MessageState};
use persistence::conversation::{Held, SentMessage};

use super::failure::{Failed, failure_words, held_words};
use crate::{locale::Words, moment::Viewer};

/// The state of a message of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateView {
    /// The icon beside the words.
    pub icon: &'static str,
    /// The class of icon and words: `read`, `good`, `warn`, `bad` or none.
    pub tone: &'static str,
    /// The state in words.
    pub text: String,
    /// Why it failed and what to do; `None` unless it did.
    pub failure: Option<String>,
    /// Why it has not left yet; `None` when it has, or nothing keeps it.
    pub waits: Option<String>,
}

impl StateView {
    /// The state of one of the agent's own sends.
    #[must_use]
    pub fn of_send<'a>(
        state: ActiveMessageState,
        failed: impl Into<Failed<'a>>,
        chatbot: &str,
        viewer: &Viewer,
    ) -> Self {
        let t = viewer.words();
        let (icon, tone, text) = match state {
            ActiveMessageState::Scheduled => ("calendar-clock", "", t.desk_state_scheduled()),
            ActiveMessageState::Sending => ("clock", "", t.desk_state_sending()),
            ActiveMessageState::Sent => ("check", "", t.desk_state_sent()),
            ActiveMessageState::Delivered => ("check-check", "", t.desk_state_delivered()),
            ActiveMessageState::Read => ("check-check", "read", t.desk_state_read()),
            ActiveMessageState::Replied => ("reply", "good", t.desk_state_replied()),
            ActiveMessageState::Failed => ("circle-alert", "bad", t.desk_state_failed()),
            ActiveMessageState::Expired => ("hourglass", "", t.desk_state_expired()),
            ActiveMessageState::Cancelled => ("circle-x", "", t.desk_state_cancelled()),
        };
        let has_failed = state == ActiveMessageState::Failed;
        let failure = has_failed.then(|| failure_words(failed, chatbot, viewer));
        Self { icon, tone, text, failure, waits: None }
    }

    /// The state of a send as *Sent* lists it. One that expired says how far it had come, as its bubble
    /// does.
    #[must_use]
    pub fn of_sent(sent: &SentMessage, chatbot: &str, viewer: &Viewer) -> Self {
        let view = Self::of_send(sent.state, sent.failure_code.as_deref(), chatbot, viewer);
        if sent.state != ActiveMessageState::Expired {
            return view;
        }
        let (t, hours) = (viewer.words(), whole_hours(sent.awaited_for, viewer.words()));
        let text = match sent.reached {
            MessageState::Read => t.desk_state_expired_read(&hours),
            MessageState::Delivered => t.desk_state_expired_delivered(&hours),
            MessageState::Sent | MessageState::Sending | MessageState::Failed => {
                t.desk_state_expired_sent(&hours)
            }
        };
        Self { text, ..view }
    }

    /// The state of any message of ours in a thread; `unanswered_for` is how long an answer was awaited in
    /// vain, of an active message that expired.
    #[must_use]
    pub fn of_message<'a>(
        state: MessageState,
        failed: impl Into<Failed<'a>>,
        held: Option<Held>,
        unanswered_for: Option<TimeDelta>,
        chatbot: &str,
        viewer: &Viewer,
    ) -> Self {
        let hours = unanswered_for.map(|awaited| whole_hours(awaited, viewer.words()));
        let state = match state {
            MessageState::Sending => ActiveMessageState::Sending,
            MessageState::Sent => ActiveMessageState::Sent,
            MessageState::Delivered => ActiveMessageState::Delivered,
            MessageState::Read => ActiveMessageState::Read,
            MessageState::Failed => ActiveMessageState::Failed,
        };
        let view = Self {
            waits: held.map(|held| held_words(held, viewer)),
            ..Self::of_send(state, failed, chatbot, viewer)
        };
        match hours {
            Some(hours) => {
                Self { text: viewer.words().desk_state_unanswered(&view.text, &hours), ..view }
            }
            None => view,
        }
    }
}

/// `24 h`.
fn whole_hours(time: TimeDelta, t: Words) -> String {
    t.desk_left_short_hours(time.num_hours().to_string())
}
