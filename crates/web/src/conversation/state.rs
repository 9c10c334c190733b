//! How far a message came, in words with ticks, and why one failed.

use chrono::TimeDelta;
use domain::{
    active_message::ActiveMessageState,
    admission::{Refusal, RefusalCode},
    delivery::MessageState,
};
use persistence::conversation::SentMessage;

use crate::{
    locale::Words,
    moment::Viewer,
    refusal::{RefusalView, Surroundings},
};

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
}

impl StateView {
    /// The state of one of the agent's own sends.
    #[must_use]
    pub fn of_send(
        state: ActiveMessageState,
        failure_code: Option<&str>,
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
        let failure = has_failed.then(|| failure_words(failure_code, chatbot, viewer));
        Self { icon, tone, text, failure }
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
    pub fn of_message(
        state: MessageState,
        failure_code: Option<&str>,
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
        let view = Self::of_send(state, failure_code, chatbot, viewer);
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

/// Why a message failed and what to do, as a sentence: by our own codes, those of admission, and those of
/// the platform's table of errors.
pub fn failure_words(code: Option<&str>, chatbot: &str, viewer: &Viewer) -> String {
    let t = viewer.words();
    let code = code.unwrap_or("-");
    if let Some(known) = RefusalCode::parse(code) {
        let refusal = Refusal { code: known, until: None };
        let surroundings = Surroundings { chatbot, cap_sends: 0 };
        return RefusalView::new(refusal, surroundings, viewer).why;
    }
    own_failure(code, t)
        .or_else(|| platform_failure(code, t))
        .unwrap_or_else(|| t.desk_failure_other(code))
}

fn own_failure(code: &str, t: Words) -> Option<String> {
    match code {
        "outcome_unknown" => Some(t.desk_failure_unknown_outcome()),
        "not_sent_in_time" => Some(t.desk_failure_not_in_time()),
        "session_expired" => Some(t.desk_failure_session_expired()),
        _ => None,
    }
}

fn platform_failure(code: &str, t: Words) -> Option<String> {
    match code {
        "131026" => Some(t.desk_failure_not_on_platform()),
        "131047" => Some(t.desk_failure_session_expired()),
        "131049" | "130472" => Some(t.desk_failure_platform_limit()),
        "131048" => Some(t.desk_failure_spam()),
        "131050" => Some(t.refusal_contact_opted_out_why()),
        "132000" | "132001" | "132005" | "132007" | "132012" | "132015" | "132016" => {
            Some(t.desk_failure_template())
        }
        "130429" | "131056" | "80007" | "4" | "131016" => Some(t.desk_failure_busy()),
        "0" | "3" | "10" | "190" | "200" | "131005" | "131042" | "131045" => {
            Some(t.desk_failure_credentials())
        }
        _ => None,
    }
}
