//! Records what became of an attempt, if the claim still stands (LI-09).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{Pause, PauseScope, RefusalClass, RetryScope, SendOutcome},
    delivery::{DeliveryEventKind, EventSource},
    dispatch::{self, Attempt, HoldReason, NextStep, OutboxState},
    ids::{ChannelId, MessageId},
};

use crate::{
    among::is_among,
    db::{Db, on_either},
    delivery::{self, NewEvent, Taken},
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    number,
    outbox::{Claim, DispatchPolicy, tell},
    refusal,
    schema::{attempts, outbox},
};

/// What became of an outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// It stands, and this is what is done next.
    Done(NextStep),
    /// Another worker has the message by now, or it has ended: the outcome has no effect.
    Stale,
}

/// Records what became of claims, in one transaction, and does what follows from it; answers in the same order.
///
/// An outcome with an older fence than the message's is kept in the attempt's row and has no other effect. When a
/// message is out of the dispatcher's hands already (a receipt was faster, or its outcome was called unknown), an
/// acceptance is still evidence.
///
/// # Errors
/// When the database fails; nothing is recorded then.
pub fn record_outcomes<'a>(
    db: &mut Db,
    outcomes: impl Iterator<Item = (&'a Claim, &'a SendOutcome)>,
    policy: &DispatchPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Recorded>, PersistenceError> {
    let outcomes: Vec<_> = outcomes.collect();
    db.write(|db| {
        let mut channels = Vec::new();
        for (claim, outcome) in &outcomes {
            channels.extend(channels_of(db, claim.channel, outcome)?);
        }
        number::lock_of_channels(db, &channels)?;
        finish_attempts(db, &outcomes, now)?;
        let holds = lock_holds(db, &outcomes)?;
        let mut recorded = Vec::with_capacity(outcomes.len());
        let mut accepted = Vec::new();
        for (claim, outcome) in &outcomes {
            let message = claim.outgoing.id;
            let step = match holds.of(claim) {
                Hold::Ours(state) => {
                    let attempt = Attempt {
                        message,
                        attempts: claim.attempts,
                        out_of_time_at: claim.out_of_time_at,
                    };
                    let step = dispatch::after_attempt(outcome, attempt, policy.back_off, now);
                    follow(db, claim, outcome, &step, state, policy, now)?;
                    Some(step)
                }
                Hold::Gone => evidence(outcome),
                Hold::Another => None,
            };
            if let (Some(NextStep::Accepted { .. }), SendOutcome::Accepted { provider_id }) =
                (&step, outcome)
            {
                accepted.push(Taken { channel: claim.channel, message, provider_id });
            }
            recorded.push(step.map_or(Recorded::Stale, Recorded::Done));
        }
        delivery::accept(db, &accepted, now)?;
        Ok(recorded)
    })
}

/// What the outcome of a message still tells that nobody holds any more.
fn evidence(outcome: &SendOutcome) -> Option<NextStep> {
    match outcome {
        SendOutcome::Accepted { provider_id } => {
            Some(NextStep::Accepted { provider_id: provider_id.clone() })
        }
        SendOutcome::Refused { .. } | SendOutcome::NotSent { .. } | SendOutcome::Unknown { .. } => {
            None
        }
    }
}

/// The channels whose numbers `outcome` of a send over `channel` may change.
fn channels_of(
    db: &mut Db,
    channel: ChannelId,
    outcome: &SendOutcome,
) -> Result<Vec<ChannelId>, PersistenceError> {
    match outcome {
        SendOutcome::Refused {
            class: RefusalClass::Pause(Pause { scope: PauseScope::Account, .. }),
            ..
        } => number::pause::list_siblings(db, channel),
        _ => Ok(vec![channel]),
    }
}

/// Who has a message now.
#[derive(Debug, Clone, Copy)]
enum Hold {
    /// This claim, leased or called unknown meanwhile.
    Ours(OutboxState),
    /// Nobody: the message is settled.
    Gone,
    /// A later claim.
    Another,
}

/// The messages that stand in the outbox still, by id: under which fence, and in which state.
struct Holds(BTreeMap<i64, (i64, OutboxState)>);

impl Holds {
    fn of(&self, claim: &Claim) -> Hold {
        match self.0.get(&claim.outgoing.id.0) {
            None => Hold::Gone,
            Some((fence, state @ (OutboxState::Leased | OutboxState::Unknown)))
                if *fence == claim.fence =>
            {
                Hold::Ours(*state)
            }
            Some(_) => Hold::Another,
        }
    }
}

/// Locks the messages' rows in the outbox until the transaction ends, and looks at whose they are.
fn lock_holds(db: &mut Db, outcomes: &[(&Claim, &SendOutcome)]) -> Result<Holds, PersistenceError> {
    let messages = outcomes.iter().map(|(claim, _)| claim.outgoing.id.0);
    let held = outbox::table
        .filter(is_among(outbox::message_id, messages))
        .order(outbox::message_id.asc())
        .select((outbox::message_id, outbox::lease_fence, outbox::state));
    let rows: Vec<(i64, i64, String)> = match db {
        Db::Sqlite(sqlite) => held.load(sqlite)?,
        Db::Postgres(postgres) => held.for_update().load(postgres)?,
    };
    let read = |(message, fence, state): (i64, i64, String)| {
        let state = OutboxState::parse(&state)
            .ok_or_else(|| PersistenceError::unreadable("outbox", "state", state))?;
        Ok((message, (fence, state)))
    };
    rows.into_iter().map(read).collect::<Result<_, _>>().map(Holds)
}

/// Writes into the attempts' rows what became of them; those with the same words together.
fn finish_attempts(
    db: &mut Db,
    outcomes: &[(&Claim, &SendOutcome)],
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let mut alike: BTreeMap<(i64, AttemptWords<'_>), Vec<i64>> = BTreeMap::new();
    for (claim, outcome) in outcomes {
        let key = (claim.fence, AttemptWords::of(outcome));
        alike.entry(key).or_default().push(claim.outgoing.id.0);
    }
    for ((fence, words), messages) in alike {
        let attempted = attempts::fence.eq(fence).and(is_among(attempts::message_id, messages));
        let finished = (
            attempts::finished_at.eq(Some(Instant::from(now))),
            attempts::outcome.eq(Some(words.outcome)),
            attempts::code.eq(words.code),
            attempts::detail.eq(words.detail),
        );
        let update = kept_update(attempts::table, attempted, finished);
        on_either!(db => update.execute(db))?;
    }
    Ok(())
}

/// How the outcome of an attempt is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct AttemptWords<'a> {
    outcome: &'static str,
    code: Option<&'a str>,
    detail: Option<&'a str>,
}

impl<'a> AttemptWords<'a> {
    fn of(outcome: &'a SendOutcome) -> Self {
        let (outcome, code, detail) = match outcome {
            SendOutcome::Accepted { .. } => ("accepted", None, None),
            SendOutcome::Refused { refusal, .. } => {
                ("refused", Some(refusal.code.as_str()), Some(refusal.title.as_str()))
            }
            SendOutcome::NotSent { reason } => ("not_sent", None, Some(reason.as_str())),
            SendOutcome::Unknown { reason } => ("unknown", None, Some(reason.as_str())),
        };
        Self { outcome, code, detail }
    }
}

/// Does what follows from an outcome other than an acceptance.
fn follow(
    db: &mut Db,
    claim: &Claim,
    outcome: &SendOutcome,
    step: &NextStep,
    state: OutboxState,
    policy: &DispatchPolicy,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let message = claim.outgoing.id;
    match step {
        NextStep::Accepted { .. } => Ok(()),
        // Once called unknown it is never repeated, whatever its worker says later.
        NextStep::Retry { .. } | NextStep::Hold(_) if state == OutboxState::Unknown => Ok(()),
        NextStep::Retry { at, scope } => {
            if *scope == RetryScope::Number {
                number::slow_down(db, claim.channel, *at)?;
            }
            queue_again(db, message, OutboxState::Queued, None, *at)
        }
        NextStep::Hold(reason) => {
            carry_out(db, message, outcome, now)?;
            queue_again(db, message, OutboxState::Held, Some(*reason), now)
        }
        NextStep::Fail(failure) => {
            let SendOutcome::Refused { refusal, .. } = outcome else { return Ok(()) };
            let (failure, title) = (failure.clone(), Some(refusal.title.as_str()));
            delivery::fail(db, message, failure, title, EventSource::Dispatcher, now)?;
            carry_out(db, message, outcome, now)
        }
        NextStep::Park => park(db, message, now, policy),
    }
}

/// What a refusal means beyond its message.
fn carry_out(
    db: &mut Db,
    message: MessageId,
    outcome: &SendOutcome,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    match outcome {
        SendOutcome::Refused { refusal, class } => {
            refusal::take_effect(db, message, *class, &refusal.code, now, now)
        }
        SendOutcome::Accepted { .. }
        | SendOutcome::NotSent { .. }
        | SendOutcome::Unknown { .. } => Ok(()),
    }
}

fn queue_again(
    db: &mut Db,
    message: MessageId,
    state: OutboxState,
    reason: Option<HoldReason>,
    due_at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    diesel::update(outbox::table.find(message.0))
        .set((
            outbox::state.eq(state.as_str()),
            outbox::reason.eq(reason.map(HoldReason::as_str)),
            outbox::due_at.eq(Instant::from(due_at)),
            outbox::lease_token.eq(None::<String>),
            outbox::lease_until.eq(None::<Instant>),
        ))
        .execute(db)?;
    tell(db, message)
}

/// Parks a message whose request left without a known outcome since `since`: never repeated, settled by
/// a receipt, or called unknown after the horizon (LI-09).
pub(super) fn park(
    db: &mut Db,
    message: MessageId,
    since: DateTime<Utc>,
    policy: &DispatchPolicy,
) -> Result<(), PersistenceError> {
    diesel::update(outbox::table.find(message.0))
        .set((
            outbox::state.eq(OutboxState::Unknown.as_str()),
            outbox::due_at
                .eq(Instant::from(dispatch::unknown_until(since, &policy.active_messages))),
            outbox::lease_token.eq(None::<String>),
            outbox::lease_until.eq(None::<Instant>),
        ))
        .execute(db)?;
    let event = NewEvent {
        kind: DeliveryEventKind::Unsettled,
        at: since,
        source: EventSource::Dispatcher,
        title: None,
        pricing: None,
        received_at: since,
    };
    delivery::save_event(db, message, &event)?;
    delivery::refold(db, message, since)
}
