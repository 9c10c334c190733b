//! What becomes of claims without an outcome, of outcomes nobody told, and of messages nobody sent
//! (LI-04, LI-09).

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    delivery::{EventSource, Failure},
    dispatch::{self, OutboxState, UntoldClaim},
    ids::{ChannelId, MessageId},
};

use crate::{
    db::Db,
    delivery::fail,
    error::PersistenceError,
    instant::Instant,
    number,
    outbox::{DispatchPolicy, outcome::park},
    schema::{attempts, messages, outbox},
};

/// What was rescued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RescueReport {
    /// Claims whose attempt had not begun: queued again.
    pub queued: usize,
    /// Claims whose attempt had begun: parked as unknown.
    pub parked: usize,
}

/// Takes messages from workers whose lease ended at or before `now`, at most `limit`, oldest first.
pub fn rescue(
    db: &mut Db,
    policy: &DispatchPolicy,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<RescueReport, PersistenceError> {
    db.write(|db| {
        let overdue: Vec<(i64, i64)> = outbox::table
            .filter(outbox::state.eq(OutboxState::Leased.as_str()))
            .filter(outbox::lease_until.le(Instant::from(now)))
            .order(outbox::lease_until.asc())
            .limit(limit)
            .select((outbox::channel_id, outbox::message_id))
            .load(db)?;
        lock_numbers_of(db, &overdue)?;
        let mut report = RescueReport::default();
        for (_, message) in overdue {
            rescue_one(db, MessageId(message), policy, &mut report, now)?;
        }
        Ok(report)
    })
}

/// Whoever folds messages takes the locks of their numbers first, and so waits for webhooks and outcomes, never the
/// other way round. What was read before may have moved on by then.
fn lock_numbers_of(db: &mut Db, overdue: &[(i64, i64)]) -> Result<(), PersistenceError> {
    let channels: BTreeSet<ChannelId> =
        overdue.iter().map(|(channel, _)| ChannelId(*channel)).collect();
    number::lock_of_channels(db, &channels.into_iter().collect::<Vec<_>>())
}

fn rescue_one(
    db: &mut Db,
    message: MessageId,
    policy: &DispatchPolicy,
    report: &mut RescueReport,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let Some((fence, lease_until)) = lock_leased(db, message)? else { return Ok(()) };
    let started_at: Option<Instant> = attempts::table
        .filter(attempts::message_id.eq(message.0))
        .filter(attempts::fence.eq(fence))
        .select(attempts::started_at)
        .first(db)
        .optional()?;
    match dispatch::untold_claim(lease_until, started_at.map(DateTime::from), now) {
        UntoldClaim::StillLeased => {}
        UntoldClaim::Queue => {
            diesel::update(outbox::table.find(message.0))
                .set((
                    outbox::state.eq(OutboxState::Queued.as_str()),
                    outbox::lease_token.eq(None::<String>),
                    outbox::lease_until.eq(None::<Instant>),
                ))
                .execute(db)?;
            report.queued += 1;
        }
        UntoldClaim::Unknown { since } => {
            park(db, message, since, policy)?;
            report.parked += 1;
        }
    }
    Ok(())
}

/// Locks the message's row; `None` when its worker told an outcome meanwhile.
fn lock_leased(
    db: &mut Db,
    message: MessageId,
) -> Result<Option<(i64, DateTime<Utc>)>, PersistenceError> {
    diesel::update(outbox::table.find(message.0))
        .set(outbox::lease_fence.eq(outbox::lease_fence))
        .execute(db)?;
    let row: Option<(i64, Option<Instant>)> = outbox::table
        .find(message.0)
        .filter(outbox::state.eq(OutboxState::Leased.as_str()))
        .select((outbox::lease_fence, outbox::lease_until))
        .first(db)
        .optional()?;
    Ok(row.and_then(|(fence, until)| Some((fence, until?.into()))))
}

/// Ends outcomes that stayed unknown until `now` as Failure `outcome_unknown`, at most `limit`; they
/// stay counted, and a later receipt still settles them. Returns how many.
pub fn settle_unknown(
    db: &mut Db,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    db.write(|db| {
        let overdue: Vec<(i64, i64)> = outbox::table
            .filter(outbox::state.eq(OutboxState::Unknown.as_str()))
            .filter(outbox::due_at.le(Instant::from(now)))
            .order(outbox::due_at.asc())
            .limit(limit)
            .select((outbox::channel_id, outbox::message_id))
            .load(db)?;
        lock_numbers_of(db, &overdue)?;
        let mut ended = 0;
        for (_, message) in &overdue {
            // A receipt may have settled it since it was read.
            let unknown = outbox::state.eq(OutboxState::Unknown.as_str());
            let left = diesel::delete(outbox::table.find(message).filter(unknown)).execute(db)?;
            if left == 1 {
                let failure = Failure::OutcomeUnknown;
                fail(db, MessageId(*message), failure, None, EventSource::Job, now)?;
                ended += 1;
            }
        }
        Ok(ended)
    })
}

/// Ends messages that still wait a day after their trigger as Failure `not_sent_in_time`, given back, at
/// most `limit` (LI-04). Returns how many.
pub fn expire_unsent(
    db: &mut Db,
    policy: &DispatchPolicy,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    let waiting = [OutboxState::Queued.as_str(), OutboxState::Held.as_str()];
    db.write(|db| {
        let overdue: Vec<(i64, i64)> = outbox::table
            .inner_join(messages::table)
            .filter(outbox::state.eq_any(waiting))
            .filter(
                messages::created_at.le(Instant::from(now - policy.active_messages.send_deadline)),
            )
            .order(messages::created_at.asc())
            .limit(limit)
            .select((outbox::channel_id, outbox::message_id))
            .load(db)?;
        lock_numbers_of(db, &overdue)?;
        let mut ended = 0;
        for (_, message) in &overdue {
            // A worker may have claimed it since it was read.
            let taken =
                diesel::update(outbox::table.find(*message).filter(outbox::state.eq_any(waiting)))
                    .set(outbox::lease_fence.eq(outbox::lease_fence + 1))
                    .execute(db)?;
            if taken == 1 {
                let message = MessageId(*message);
                fail(db, message, Failure::NotSentInTime, None, EventSource::Job, now)?;
                ended += 1;
            }
        }
        Ok(ended)
    })
}
