//! An active message as the API tells it: its state, why it failed, and its history.

use domain::{
    active_message::ActiveMessageState,
    delivery::{DeliveryEventKind, EventSource, Failure},
};
use persistence::api::SentMessage;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{api::instant, conversation::failure_words, visit::Visit};

/// An active message.
#[derive(Debug, Serialize, ToSchema)]
pub struct ActiveMessageAnswer {
    #[schema(example = "4711")]
    id: String,
    /// `scheduled`, `sending`, `sent`, `delivered`, `read`, `replied`, `failed`, `expired` or `cancelled`.
    #[schema(example = "delivered")]
    state: &'static str,
    /// Why it failed; null unless it did.
    #[schema(required = true)]
    failure: Option<FailureAnswer>,
    /// The states it reached, by the instant they were first known for.
    history: Vec<HistoryEntry>,
}

/// Why an active message failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureAnswer {
    /// The platform's code, or one of ours.
    #[schema(example = "131026")]
    code: String,
    /// What to do, as a sentence.
    message: String,
}

/// One state an active message reached.
#[derive(Debug, Serialize, ToSchema)]
pub struct HistoryEntry {
    #[schema(example = "delivered")]
    state: &'static str,
    #[schema(format = DateTime, example = "2026-11-22T12:00:01.000Z")]
    at: String,
    /// Who said so: `platform`, `dispatcher`, `job`, or the door it came by, such as `api`.
    #[schema(example = "platform")]
    source: &'static str,
}

impl ActiveMessageAnswer {
    /// `message` in the reader's language.
    pub fn new(message: &SentMessage, visit: &Visit) -> Self {
        let failure = message.life.failure.as_ref().map(Failure::code);
        Self {
            id: message.id.to_string(),
            state: message.life.state.as_str(),
            failure: failure.map(|code| FailureAnswer {
                message: failure_words(Some(code), &message.chatbot_name, &visit.viewer()),
                code: code.to_owned(),
            }),
            history: history(message),
        }
    }
}

/// Each state once, at the earliest instant it is known for.
fn history(message: &SentMessage) -> Vec<HistoryEntry> {
    let sending = (message.queued_at, ActiveMessageState::Sending, message.door.as_str());
    let mut reached = vec![sending];
    for event in &message.events {
        reached.push((event.at, state_of(&event.kind), event.source.as_str()));
    }
    if message.life.state == ActiveMessageState::Expired {
        let job = EventSource::Job.as_str();
        reached.push((message.life.window.ends_at, ActiveMessageState::Expired, job));
    }
    // Stable: what was written first stays first within one instant.
    reached[1..].sort_by_key(|(at, ..)| *at);
    let mut seen = Vec::new();
    reached.retain(|(_, state, _)| {
        let is_new = !seen.contains(state);
        seen.push(*state);
        is_new
    });
    let entry = |(at, state, source): (_, ActiveMessageState, _)| HistoryEntry {
        state: state.as_str(),
        at: instant(at),
        source,
    };
    reached.into_iter().map(entry).collect()
}

fn state_of(kind: &DeliveryEventKind) -> ActiveMessageState {
    match kind {
        DeliveryEventKind::Accepted | DeliveryEventKind::Sent => ActiveMessageState::Sent,
        DeliveryEventKind::Delivered => ActiveMessageState::Delivered,
        DeliveryEventKind::Read => ActiveMessageState::Read,
        DeliveryEventKind::Replied => ActiveMessageState::Replied,
        DeliveryEventKind::Unsettled => ActiveMessageState::Sending,
        DeliveryEventKind::Failed(_) => ActiveMessageState::Failed,
    }
}
