//! Records what became of an attempt, if the claim still stands (LI-09).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{Pause, PauseScope, RefusalClass, RetryScope, SendOutcome},
    delivery::{DeliveryEventKind, EventSource},
    dispatch::{self, Attempt, HoldReason, NextStep, OutboxState},
    ids::{ChannelId, MessageId},
};

use crate::{
    db::Db,
    delivery::{self, NewEvent},
    error::PersistenceError,
    instant::Instant,
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

/// Records many outcomes in one transaction, as [`record_outcome`] does; answers in the same order.
pub fn record_outcomes<'a>(
    db: &mut Db,
    outcomes: impl Iterator<Item = (&'a Claim, &'a SendOutcome)> + Clone,
    policy: &DispatchPolicy,
    now: DateTime<Utc>,
) -> Result<Vec<Recorded>, PersistenceError> {
    db.write(|db| {
        let mut channels = Vec::new();
        for (claim, outcome) in outcomes.clone() {
            channels.extend(channels_of(db, claim.channel, outcome)?);
        }
        number::lock_of_channels(db, &channels)?;
        outcomes.map(|(claim, outcome)| record_outcome(db, claim, outcome, policy, now)).collect()
    })
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

/// Records `outcome` of `claim` and does what follows from it.
///
/// With an older fence than the message's it is kept in the attempt's row and has no other effect. When
/// the message is out of the dispatcher's hands already (a receipt was faster, or its outcome was called
/// unknown), an acceptance is still evidence.
pub fn record_outcome(
    db: &mut Db,
    claim: &Claim,
    outcome: &SendOutcome,
    policy: &DispatchPolicy,
    now: DateTime<Utc>,
) -> Result<Recorded, PersistenceError> {
    db.write(|db| {
        let message = claim.outgoing.id;
        finish_attempt(db, claim, outcome, now)?;
        match hold_of(db, claim)? {
            Hold::Ours(state) => {
                let attempt = Attempt {
                    message,
                    attempts: claim.attempts,
                    out_of_time_at: claim.out_of_time_at,
                };
                let step = dispatch::after_attempt(outcome, attempt, policy.back_off, now);
                follow(db, claim, outcome, &step, state, policy, now)?;
                Ok(Recorded::Done(step))
            }
            Hold::Gone => match outcome {
                SendOutcome::Accepted { provider_id } => {
                    delivery::accept(db, claim.channel, message, provider_id, now)?;
                    Ok(Recorded::Done(NextStep::Accepted { provider_id: provider_id.clone() }))
                }
                _ => Ok(Recorded::Stale),
            },
            Hold::Another => Ok(Recorded::Stale),
        }
    })
}

/// Who has the message now.
enum Hold {
    /// This claim, leased or called unknown meanwhile.
    Ours(OutboxState),
    /// Nobody: the message is settled.
    Gone,
    /// A later claim.
    Another,
}

/// Locks the message's row in the outbox, then looks at whose it is.
fn hold_of(db: &mut Db, claim: &Claim) -> Result<Hold, PersistenceError> {
    let message = claim.outgoing.id.0;
    let locked = diesel::update(outbox::table.find(message))
        .set(outbox::lease_fence.eq(outbox::lease_fence))
        .execute(db)?;
    if locked == 0 {
        return Ok(Hold::Gone);
    }
    let (fence, state): (i64, String) =
        outbox::table.find(message).select((outbox::lease_fence, outbox::state)).first(db)?;
    let state = OutboxState::parse(&state)
        .ok_or_else(|| PersistenceError::unreadable("outbox", "state", state))?;
    match state {
        OutboxState::Leased | OutboxState::Unknown if fence == claim.fence => Ok(Hold::Ours(state)),
        _ => Ok(Hold::Another),
    }
}

fn finish_attempt(
    db: &mut Db,
    claim: &Claim,
    outcome: &SendOutcome,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let (word, code, detail) = match outcome {
        SendOutcome::Accepted { .. } => ("accepted", None, None),
        SendOutcome::Refused { refusal, .. } => {
            ("refused", Some(refusal.code.as_str()), Some(refusal.title.as_str()))
        }
        SendOutcome::NotSent { reason } => ("not_sent", None, Some(reason.as_str())),
        SendOutcome::Unknown { reason } => ("unknown", None, Some(reason.as_str())),
    };
    diesel::update(
        attempts::table
            .filter(attempts::message_id.eq(claim.outgoing.id.0))
            .filter(attempts::fence.eq(claim.fence)),
    )
    .set((
        attempts::finished_at.eq(Some(Instant::from(now))),
        attempts::outcome.eq(Some(word)),
        attempts::code.eq(code),
        attempts::detail.eq(detail),
    ))
    .execute(db)?;
    Ok(())
}

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
        NextStep::Accepted { provider_id } => {
            delivery::accept(db, claim.channel, message, provider_id, now)
        }
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
