//! An active message as the API tells it: its state, why it failed, and its history.

use domain::{
    active_message::ActiveMessageState,
    delivery::{self, DeliveryEventKind, EventSource, Failure, Happening, HistoryLine},
};
use persistence::api::SentMessage;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::{instant, sentence::Sentence},
    conversation::failure_words,
    visit::Visit,
};

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
    /// The states it reached, each at the first instant it is known for. Instants never go back; the
    /// platform's are whole seconds, told to be no earlier than what stands before them.
    history: Vec<HistoryEntry>,
}

/// Why an active message failed.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureAnswer {
    /// The platform's code, or one of ours.
    #[schema(example = "131026")]
    code: String,
    /// What to do, as a sentence.
    #[schema(value_type = String)]
    message: Sentence,
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
                message: failure_words(Some(code), &message.chatbot_name, &visit.viewer()).into(),
                code: code.to_owned(),
            }),
            history: history(message),
        }
    }
}

/// Each state once, at the first instant it is known for.
fn history(message: &SentMessage) -> Vec<HistoryEntry> {
    let is_over = message.life.state == ActiveMessageState::Expired;
    let expired_at = is_over.then_some(message.life.window.ends_at);
    let mut seen = Vec::new();
    delivery::history(&message.events, message.queued_at, expired_at)
        .into_iter()
        .map(|HistoryLine { at, what }| {
            let (state, source) = match what {
                Happening::Triggered => (ActiveMessageState::Sending, message.door.as_str()),
                Happening::Told(event) => (state_of(&event.kind), event.source.as_str()),
                Happening::Expired => (ActiveMessageState::Expired, EventSource::Job.as_str()),
            };
            HistoryEntry { state: state.as_str(), at: instant(at), source }
        })
        .filter(|entry| {
            let is_new = !seen.contains(&entry.state);
            seen.push(entry.state);
            is_new
        })
        .collect()
}

fn state_of(kind: &DeliveryEventKind) -> ActiveMessageState {
    match kind {
        DeliveryEventKind::Accepted | DeliveryEventKind::Sent => ActiveMessageState::Sent,
        DeliveryEventKind::Delivered => ActiveMessageState::Delivered,
        DeliveryEventKind::Read | DeliveryEventKind::Played => ActiveMessageState::Read,
        DeliveryEventKind::Replied => ActiveMessageState::Replied,
        DeliveryEventKind::Unsettled => ActiveMessageState::Sending,
        DeliveryEventKind::Failed(_) => ActiveMessageState::Failed,
    }
}
