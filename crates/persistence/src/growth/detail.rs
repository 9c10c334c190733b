//! One send with its history and the decision that admitted it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    delivery::DeliveryEvent,
    ids::{ChatbotId, DecisionId, MessageId},
    permission::Permission,
};

use super::row::{SendRow, load_rows};
use crate::{
    admission::decision::{self, Decision},
    conversation::{self, ThreadMessage},
    db::Db,
    delivery,
    error::PersistenceError,
    instant::Instant,
    schema::{active_messages, policies},
    user::Actor,
};

/// A send with its history.
#[derive(Debug, Clone, PartialEq)]
pub struct SendDetail {
    /// The send.
    pub row: SendRow,
    /// The message as it went out.
    pub message: ThreadMessage,
    /// Until when, exclusive, an answer belongs to it.
    pub expires_at: DateTime<Utc>,
    /// What happened to it, in the order in which it became known.
    pub events: Vec<DeliveryEvent>,
    /// The decision that admitted it; `None` for who may not read decisions.
    pub decision: Option<SendDecision>,
}

/// The decision that admitted a send, with the policy it was taken under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendDecision {
    /// What was seen and said.
    pub decision: Decision,
    /// The policy's profile.
    pub policy: String,
    /// Its version.
    pub version: i64,
}

/// The send `message` with its history.
///
/// # Errors
/// `NotFound` outside the team of its chatbot, `Denied` inside without *view growth*.
pub fn get_send(
    db: &mut Db,
    actor: &Actor,
    message: MessageId,
    now: DateTime<Utc>,
) -> Result<SendDetail, PersistenceError> {
    let (chatbot, decided_by, expires_at): (i64, i64, Instant) = active_messages::table
        .find(message.0)
        .select((
            active_messages::chatbot_id,
            active_messages::decision_id,
            active_messages::expires_at,
        ))
        .first(db)?;
    let chatbot = ChatbotId(chatbot);
    actor.require(chatbot, Permission::ViewGrowth)?;
    let row = load_rows(db, &[message.0], now)?.pop().ok_or(PersistenceError::NotFound)?;
    let decision = if actor.may(chatbot, Permission::ReadDecisions) {
        find_decision(db, actor, DecisionId(decided_by))?
    } else {
        None
    };
    let events = delivery::list_events(db, message)?;
    let message = conversation::get_message(db, message, now)?;
    Ok(SendDetail { row, message, expires_at: expires_at.into(), events, decision })
}

/// `None` when the log no longer holds it (JO-04).
fn find_decision(
    db: &mut Db,
    actor: &Actor,
    id: DecisionId,
) -> Result<Option<SendDecision>, PersistenceError> {
    let decision = match decision::get(db, actor, id) {
        Err(PersistenceError::NotFound) => return Ok(None),
        found => found?,
    };
    let (policy, version) = policies::table
        .find(decision.policy.0)
        .select((policies::profile, policies::version))
        .first(db)?;
    Ok(Some(SendDecision { decision, policy, version }))
}
