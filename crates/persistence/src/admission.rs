//! Admission: may this active message go, and if so, it is queued in the same transaction (AD-02).

mod counters;
pub mod decision;
mod draft;
mod facts;
mod locked;
mod outlook;
mod promotion;
mod queue;
#[cfg(test)]
mod tests;
mod values;

use chrono::{DateTime, Utc};
use domain::{
    admission::{self, Admission, Refusal},
    clock::Clock,
    ids::{ContactId, DecisionId, MessageId},
    template::VariableProblem,
};

pub use self::{
    counters::{CounterDrift, check_counters, count_recipients, expire, give_back, move_counted},
    draft::{Door, Draft, Recipient},
    outlook::{NumberOutlook, Outlook, outlook},
    promotion::promote,
};

use crate::{
    db::Db,
    error::PersistenceError,
    idempotency::{self, EarlierUse, IdempotencyKey},
    user::Actor,
};

/// What became of a send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// It is queued and counted.
    Queued(Queued),
    /// The same request was queued before; nothing was done.
    Replayed(Queued),
    /// It may not go now; nothing was consumed.
    Refused(Refused),
    /// The idempotency key was used for another request; nothing was done.
    KeyReused,
}

/// A send that is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Queued {
    /// The message.
    pub message: MessageId,
    /// Who it goes to.
    pub contact: ContactId,
    /// The decision that admitted it.
    pub decision: DecisionId,
}

/// A send that may not go now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// Never empty; in the order of the rules, the first is the headline.
    pub reasons: Vec<Refusal>,
    /// From when the whole send may go if nothing else happens; `None` when waiting does not help (CL-05).
    pub until: Option<DateTime<Utc>>,
    /// What is wrong with which variable.
    pub variable_problems: Vec<VariableProblem>,
    /// The decision that refused it.
    pub decision: DecisionId,
}

/// What admission would say, without anything being consumed or logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Empty when the send may go; in the order of the rules.
    pub reasons: Vec<Refusal>,
    /// From when it may go: now when nothing stands against it, `None` when waiting does not help.
    pub until: Option<DateTime<Utc>>,
    /// What is wrong with which variable.
    pub variable_problems: Vec<VariableProblem>,
}

/// Admits `draft` for `actor` and queues it, or says why not.
///
/// Locks the number, then the contact, and reads the clock after that, so that no two sends take the last
/// place of a limit or cap. A decision is logged either way; a refusal consumes nothing else.
///
/// Rules: AD-01, AD-02, AM-11, AM-12.
///
/// # Errors
/// `NotFound` when the channel, the template or the contact does not exist or is not `actor`'s to know;
/// `ClockJumped` while the wall clock is not trusted (JO-05);
/// `Busy` when the database gave way to someone else each time it was asked.
pub fn admit_and_queue(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
    clock: &dyn Clock,
) -> Result<Outcome, PersistenceError> {
    const MOST_TRIES: u32 = 3;
    let mut tries = 1;
    loop {
        match db.write(|db| admit_within(db, actor, draft, clock)) {
            Err(PersistenceError::Busy) if tries < MOST_TRIES => tries += 1,
            // Another send made the same contact, or used the same key, in this very moment.
            Err(PersistenceError::Duplicate) if tries < MOST_TRIES => tries += 1,
            answer => return answer,
        }
    }
}

/// [`admit_and_queue`] inside a transaction that writes, which is to be rolled back when this fails; tries once.
///
/// # Errors
/// As [`admit_and_queue`]; and `Duplicate` when someone else made the same contact or used the same key.
pub fn admit_within(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
    clock: &dyn Clock,
) -> Result<Outcome, PersistenceError> {
    let mut locked = locked::lock(db, actor, draft)?;
    let policy = locked.policy(db)?;
    let now = locked.now_after_lock(&policy, clock);
    if !clock.is_trusted() {
        return Err(PersistenceError::ClockJumped);
    }
    let keys_since = now - policy.retention.idempotency_keys;
    if let Some(key) = &draft.key
        && let Some(earlier) = find_earlier(db, key, keys_since)?
    {
        return Ok(earlier);
    }
    let cursor = locked.number.as_ref().map(|number| number.day_expired_through);
    let gathered = facts::gather(db, actor, draft, &mut locked, &policy, now)?;
    let admission = admission::admit(&gathered.facts, now);
    let until = admission::allowed_from(&gathered.facts, now);
    if let Admission::Blocked(reasons) = admission {
        let decision = decision::log(db, draft, &locked, &gathered, &reasons, until, now)?;
        if let Some(number) = &locked.number
            && cursor != Some(number.day_expired_through)
        {
            counters::store(db, number)?;
        }
        let variable_problems = gathered.facts.variable_problems;
        return Ok(Outcome::Refused(Refused { reasons, until, variable_problems, decision }));
    }
    let contact = locked.contact_or_create(db, draft, now)?;
    let decision = decision::log(db, draft, &locked, &gathered, &[], until, now)?;
    // Decided by the latest instant that the number has seen, which a clock that was set back comes to much later;
    // the dispatcher looks at the clock itself.
    let at = queue::Moment { now, due_at: now.min(clock.now()) };
    let queued = queue::insert(db, draft, &mut locked, &gathered, &policy, contact, decision, at)?;
    if let Some(key) = &draft.key {
        idempotency::save(db, key, &write_result(queued), keys_since, now)?;
    }
    Ok(Outcome::Queued(queued))
}

/// What became of the request that `key` was used for after `since` (exclusive): `Replayed` for the same
/// one, `KeyReused` for another; `None` when it was used for nothing.
///
/// Rule: AM-11.
///
/// # Errors
/// When the database fails.
pub fn find_earlier(
    db: &mut Db,
    key: &IdempotencyKey,
    since: DateTime<Utc>,
) -> Result<Option<Outcome>, PersistenceError> {
    match idempotency::find(db, key, since)? {
        Some(EarlierUse::Same(result)) => read_result(&result).map(Outcome::Replayed).map(Some),
        Some(EarlierUse::Another) => Ok(Some(Outcome::KeyReused)),
        None => Ok(None),
    }
}

/// What [`admit_and_queue`] would say of `draft` at `now`; consumes and logs nothing, takes no lock.
///
/// # Errors
/// As [`admit_and_queue`].
pub fn check(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
    now: DateTime<Utc>,
) -> Result<Forecast, PersistenceError> {
    db.snapshot(|db| {
        let mut found = locked::look(db, actor, draft)?;
        let policy = found.policy(db)?;
        let gathered = facts::gather(db, actor, draft, &mut found, &policy, now)?;
        let reasons = admission::admit(&gathered.facts, now).refusals().to_vec();
        let until = admission::allowed_from(&gathered.facts, now);
        let variable_problems = gathered.facts.variable_problems;
        Ok(Forecast { reasons, until, variable_problems })
    })
}

/// What admission sees of `draft` at `now`, for a page that judges many people by the same facts.
pub(crate) fn facts_of(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
    now: DateTime<Utc>,
) -> Result<domain::admission::Facts, PersistenceError> {
    let mut found = locked::look(db, actor, draft)?;
    let policy = found.policy(db)?;
    Ok(facts::gather(db, actor, draft, &mut found, &policy, now)?.facts)
}

/// The ids of a queued send, as the idempotency key keeps them.
fn write_result(queued: Queued) -> String {
    format!("{} {} {}", queued.message, queued.contact, queued.decision)
}

fn read_result(result: &str) -> Result<Queued, PersistenceError> {
    let unreadable = || PersistenceError::unreadable("idempotency_keys", "result", result);
    let mut ids = result.split(' ').map(|id| id.parse::<i64>().ok());
    let mut id = || ids.next().flatten().ok_or_else(unreadable);
    let message = MessageId(id()?);
    let contact = ContactId(id()?);
    Ok(Queued { message, contact, decision: DecisionId(id()?) })
}
