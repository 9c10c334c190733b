//! Why a message of ours has not left yet, and why one did not arrive.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{delivery::MessageState, dispatch::OutboxState, ids::MessageId};

use super::{Side, ThreadMessage};
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{
        active_messages, channels, delivery_events, message_templates, messages, numbers, outbox,
    },
};

/// Why a message has not left yet, or not certainly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The platform told the number to stop; it is tried again then.
    NumberPaused(DateTime<Utc>),
    /// The platform told the number to send no templates; they are tried again then.
    TemplatesPaused(DateTime<Utc>),
    /// The platform refuses the channel's credentials.
    CredentialsFailing,
    /// The platform was busy; it is tried again then.
    TriedAgain(DateTime<Utc>),
    /// It may have left; whether it did is not known yet (LI-09).
    OutcomeUnknown,
}

/// Why a message did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFailure {
    /// The platform's code, or ours.
    pub code: String,
    /// The platform's own words; `None` when there are none.
    pub title: Option<String>,
    /// When it was told; `None` when no one told and the clock says so.
    pub at: Option<DateTime<Utc>>,
    /// Until when its template is, or was, paused; `None` when that is not known, or not why.
    pub template_paused_until: Option<DateTime<Utc>>,
}

/// The platform's code for a template that it has paused.
const TEMPLATE_PAUSED: &str = "132015";

/// Says of each message of ours that has not left why, and of each that failed when, and until when its template is
/// paused: three queries for all.
pub(super) fn add_reasons(
    db: &mut Db,
    shown: &mut [(Option<i64>, ThreadMessage)],
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let ids_of = |wanted: MessageState| -> Vec<i64> {
        let is_wanted = |message: &&ThreadMessage| match &message.side {
            Side::Ours { state, .. } => *state == wanted,
            Side::Contact => false,
        };
        shown.iter().map(|(_, message)| message).filter(is_wanted).map(|it| it.id.0).collect()
    };
    let held = find_held(db, &ids_of(MessageState::Sending), now)?;
    let failed = find_failed(db, &ids_of(MessageState::Failed))?;
    let is_paused = |((_, code), _): &(&(MessageId, String), _)| code == TEMPLATE_PAUSED;
    let paused: Vec<i64> = failed.iter().filter(is_paused).map(|((id, _), _)| id.0).collect();
    let pauses = find_pauses(db, &paused)?;
    for (_, message) in shown {
        let id = message.id;
        if let Side::Ours { failure, held: shown_held, .. } = &mut message.side {
            *shown_held = held.get(&id).copied();
            if let Some(failure) = failure {
                failure.at = failed.get(&(id, failure.code.clone())).copied();
                failure.template_paused_until =
                    pauses.get(&id).copied().filter(|_| failure.code == TEMPLATE_PAUSED);
            }
        }
    }
    Ok(())
}

#[derive(Queryable)]
struct HeldRow {
    message_id: i64,
    kind: String,
    state: String,
    attempts: i64,
    due_at: Instant,
    credentials_failing_since: Option<Instant>,
    rests: Option<(Option<Instant>, Option<Instant>, Option<Instant>)>,
}

impl HeldRow {
    fn read(&self, now: DateTime<Utc>) -> Option<Held> {
        let state = OutboxState::parse(&self.state)?;
        let to_come = |at: Option<Instant>| at.map(DateTime::from).filter(|at| now < *at);
        let (all, templates, slow) = self.rests.unwrap_or_default();
        match state {
            OutboxState::Unknown => Some(Held::OutcomeUnknown),
            OutboxState::Leased => None,
            OutboxState::Queued | OutboxState::Held => {
                if self.credentials_failing_since.is_some() {
                    return Some(Held::CredentialsFailing);
                }
                let templates = templates.filter(|_| self.kind == "template");
                to_come(all)
                    .map(Held::NumberPaused)
                    .or_else(|| to_come(templates).map(Held::TemplatesPaused))
                    .or_else(|| {
                        let again = to_come(Some(self.due_at)).filter(|_| 0 < self.attempts);
                        again.map(Held::TriedAgain)
                    })
                    .or_else(|| to_come(slow).map(Held::TriedAgain))
            }
        }
    }
}

fn find_held(
    db: &mut Db,
    ids: &[i64],
    now: DateTime<Utc>,
) -> Result<BTreeMap<MessageId, Held>, PersistenceError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<HeldRow> = outbox::table
        .inner_join(messages::table)
        .inner_join(channels::table.left_join(numbers::table))
        .filter(outbox::message_id.eq_any(ids))
        .select((
            outbox::message_id,
            messages::kind,
            outbox::state,
            outbox::attempts,
            outbox::due_at,
            channels::credentials_failing_since,
            (numbers::paused_until, numbers::templates_paused_until, numbers::slow_until)
                .nullable(),
        ))
        .load(db)?;
    Ok(rows.iter().filter_map(|row| Some((MessageId(row.message_id), row.read(now)?))).collect())
}

/// Until when the templates of these messages are paused, or were last.
fn find_pauses(
    db: &mut Db,
    ids: &[i64],
) -> Result<BTreeMap<MessageId, DateTime<Utc>>, PersistenceError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(i64, Option<Instant>)> = active_messages::table
        .inner_join(message_templates::table)
        .filter(active_messages::message_id.eq_any(ids))
        .select((active_messages::message_id, message_templates::paused_until))
        .load(db)?;
    Ok(rows.into_iter().filter_map(|(id, until)| Some((MessageId(id), until?.into()))).collect())
}

/// The first instant of each code with which a message failed. Served by the unique index on the message.
fn find_failed(
    db: &mut Db,
    ids: &[i64],
) -> Result<BTreeMap<(MessageId, String), DateTime<Utc>>, PersistenceError> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(i64, Option<String>, Instant)> = delivery_events::table
        .filter(delivery_events::message_id.eq_any(ids))
        .filter(delivery_events::kind.eq("failed"))
        .order(delivery_events::at.desc())
        .select((delivery_events::message_id, delivery_events::code, delivery_events::at))
        .load(db)?;
    let told = rows.into_iter();
    Ok(told.map(|(id, code, at)| ((MessageId(id), code.unwrap_or_default()), at.into())).collect())
}
