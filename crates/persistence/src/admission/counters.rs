//! The distinct recipients of a number in 24 h and in 168 h: exact, and cheap at any history (NU-07, NU-08).
//!
//! `recipient_window` holds, for each number and contact, the latest counted instant. A counter says how
//! many of these rows lie beyond a cursor; rows that fall behind are subtracted when the cursor moves.
//! It is moved before anyone is refused, so a counter that says "reached" is the exact count.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    admission::TierFacts,
    clock::Clock,
    ids::{ContactId, MessageId, NumberId},
    number::capacity::{LimitFacts, effective_limit_ahead},
    policy::Policy,
};

use crate::{
    db::{Db, locking, on_either},
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    number::{self, NumberRow},
    policy,
    schema::{active_messages, numbers, recipient_window},
};

/// What admission asks of the tier. Moves the day's cursor in `row` when that can change the answer; the
/// moved cursor is written by whoever holds the lock ([`store`]).
pub(super) fn tier_facts(
    db: &mut Db,
    row: &mut NumberRow,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<TierFacts, PersistenceError> {
    let limits = LimitFacts {
        tiers: &policy.tiers,
        level: row.level()?,
        platform_limit: row.platform_limit()?,
        clock: row.clock()?,
        quality: &policy.quality,
    };
    let limit = effective_limit_ahead(limits, now);
    if i64::from(limit.lowest()) <= row.counted_day {
        expire_day(db, row, policy, now)?;
    }
    let count = number::count("counted_day", row.counted_day)?;
    let needed = TierFacts::needed_oldest(count, &limit);
    let oldest_counted = list_oldest(db, row, needed)?;
    Ok(TierFacts { window: policy.tiers.window, count, limit, oldest_counted })
}

/// The first `most` counted instants beyond the day's cursor, oldest first.
fn list_oldest(
    db: &mut Db,
    row: &NumberRow,
    most: u32,
) -> Result<Vec<DateTime<Utc>>, PersistenceError> {
    if most == 0 {
        return Ok(Vec::new());
    }
    let instants: Vec<Instant> = recipient_window::table
        .filter(recipient_window::number_id.eq(row.id))
        .filter(recipient_window::counted_at.gt(row.day_expired_through))
        .order(recipient_window::counted_at.asc())
        .limit(i64::from(most))
        .select(recipient_window::counted_at)
        .load(db)?;
    Ok(instants.into_iter().map(DateTime::from).collect())
}

/// Moves the day's cursor to `now` - 24 h: after this the counter is the count.
pub(super) fn expire_day(
    db: &mut Db,
    row: &mut NumberRow,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let through = Instant::from(now - policy.tiers.window);
    if row.day_expired_through < through {
        row.counted_day -= count_between(db, row.id, row.day_expired_through, through)?;
        row.day_expired_through = through;
    }
    Ok(())
}

/// Moves the week's cursor to `now` - 168 h: after this the counter is the count.
pub(super) fn expire_week(
    db: &mut Db,
    row: &mut NumberRow,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let through = Instant::from(now - policy.tiers.promotion_window);
    if row.week_expired_through < through {
        row.counted_week -= count_between(db, row.id, row.week_expired_through, through)?;
        row.week_expired_through = through;
    }
    Ok(())
}

/// The distinct recipients of `number` in 24 h and in 168 h at `now`, exactly; writes nothing. `policy` is
/// the version the number is under.
///
/// # Errors
/// `NotFound` when there is no such number.
pub fn count_recipients(
    db: &mut Db,
    number: NumberId,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<(u32, u32), PersistenceError> {
    let mut row: NumberRow =
        numbers::table.find(number.0).select(NumberRow::as_select()).first(db)?;
    expire_day(db, &mut row, policy, now)?;
    expire_week(db, &mut row, policy, now)?;
    let day = number::count("counted_day", row.counted_day)?;
    Ok((day, number::count("counted_week", row.counted_week)?))
}

/// Contacts whose latest counted instant lies after `after` and not after `through`.
fn count_between(
    db: &mut Db,
    number: i64,
    after: Instant,
    through: Instant,
) -> Result<i64, PersistenceError> {
    Ok(recipient_window::table
        .filter(recipient_window::number_id.eq(number))
        .filter(recipient_window::counted_at.gt(after))
        .filter(recipient_window::counted_at.le(through))
        .count()
        .get_result(db)?)
}

/// Writes the counters and cursors of a row whose lock is held.
pub(super) fn store(db: &mut Db, row: &NumberRow) -> Result<(), PersistenceError> {
    let counters = (
        numbers::counted_day.eq(row.counted_day),
        numbers::day_expired_through.eq(row.day_expired_through),
        numbers::counted_week.eq(row.counted_week),
        numbers::week_expired_through.eq(row.week_expired_through),
    );
    let update = kept_update(numbers::table, numbers::id.eq(row.id), counters);
    on_either!(db => update.execute(db))?;
    Ok(())
}

/// Counts a notification to `contact` at `at`. A later instant already there stays.
pub(super) fn count_recipient(
    db: &mut Db,
    row: &mut NumberRow,
    contact: ContactId,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let former = find_counted(db, row.id, contact)?;
    let latest = former.map_or(Instant::from(at), |former| former.max(Instant::from(at)));
    set_counted(db, row, contact, former, Some(latest))
}

fn find_counted(
    db: &mut Db,
    number: i64,
    contact: ContactId,
) -> Result<Option<Instant>, PersistenceError> {
    Ok(on_either!(db => recipient_window::table
        .find((number, contact.0))
        .select(recipient_window::counted_at)
        .first(db))
    .optional()?)
}

/// Replaces the contact's latest counted instant and adjusts both counters by the difference.
fn set_counted(
    db: &mut Db,
    row: &mut NumberRow,
    contact: ContactId,
    former: Option<Instant>,
    latest: Option<Instant>,
) -> Result<(), PersistenceError> {
    let beyond = |at: Option<Instant>, cursor: Instant| i64::from(at.is_some_and(|at| cursor < at));
    let (day, week) = (row.day_expired_through, row.week_expired_through);
    row.counted_day += beyond(latest, day) - beyond(former, day);
    row.counted_week += beyond(latest, week) - beyond(former, week);
    match latest {
        Some(at) if former == Some(at) => {}
        Some(at) if former.is_none() => {
            on_either!(db => diesel::insert_into(recipient_window::table)
                .values((
                    recipient_window::number_id.eq(row.id),
                    recipient_window::contact_id.eq(contact.0),
                    recipient_window::counted_at.eq(at),
                ))
                .execute(db))?;
        }
        Some(at) => {
            let key = recipient_window::number_id
                .eq(row.id)
                .and(recipient_window::contact_id.eq(contact.0));
            let update =
                kept_update(recipient_window::table, key, recipient_window::counted_at.eq(at));
            on_either!(db => update.execute(db))?;
        }
        None => {
            diesel::delete(recipient_window::table.find((row.id, contact.0))).execute(db)?;
        }
    }
    Ok(())
}

/// Gives back what the failed send `message` took: it no longer counts for the cap, and the number counts
/// the contact by the latest of its sends that did not fail. Doing it twice changes nothing.
///
/// Rules: AD-03, NU-08.
///
/// # Errors
/// When the database fails.
pub fn give_back(
    db: &mut Db,
    message: MessageId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        recount_after(db, message, |db| {
            let open = active_messages::table
                .filter(active_messages::message_id.eq(message.0))
                .filter(active_messages::given_back_at.is_null());
            diesel::update(open)
                .set((
                    active_messages::given_back_at.eq(Some(Instant::from(now))),
                    active_messages::counted_at.eq(None::<Instant>),
                ))
                .execute(db)?;
            Ok(())
        })
    })
}

/// Counts the notification `message` from `accepted_at`, the platform's instant, instead of its admission.
/// A send that does not count, or was given back, stays so.
///
/// Rule: NU-08.
///
/// # Errors
/// When the database fails.
pub fn move_counted(
    db: &mut Db,
    message: MessageId,
    accepted_at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        recount_after(db, message, |db| {
            let is_counted = active_messages::message_id
                .eq(message.0)
                .and(active_messages::counted_at.is_not_null());
            let since = active_messages::counted_at.eq(Some(Instant::from(accepted_at)));
            let update = kept_update(active_messages::table, is_counted, since);
            on_either!(db => update.execute(db))?;
            Ok(())
        })
    })
}

/// Locks the number of `message`, runs `change`, and counts its contact anew from the sends.
fn recount_after(
    db: &mut Db,
    message: MessageId,
    change: impl FnOnce(&mut Db) -> Result<(), PersistenceError>,
) -> Result<(), PersistenceError> {
    let (number, contact): (i64, i64) = active_messages::table
        .find(message.0)
        .select((active_messages::number_id, active_messages::contact_id))
        .first(db)?;
    let mut row = lock_row(db, NumberId(number))?;
    change(db)?;
    let latest: Option<Instant> = active_messages::table
        .filter(active_messages::number_id.eq(number))
        .filter(active_messages::contact_id.eq(contact))
        .filter(active_messages::counted_at.is_not_null())
        .order(active_messages::counted_at.desc())
        .select(active_messages::counted_at.assume_not_null())
        .first(db)
        .optional()?;
    let contact = ContactId(contact);
    let former = find_counted(db, number, contact)?;
    // A row behind the week's cursor may have been tidied away; it must not come back.
    let latest = latest.filter(|at| row.week_expired_through < *at);
    set_counted(db, &mut row, contact, former, latest)?;
    store(db, &row)
}

pub(super) fn lock_row(db: &mut Db, number: NumberId) -> Result<NumberRow, PersistenceError> {
    Ok(locking!(db => numbers::table.find(number.0).select(NumberRow::as_select()))?)
}

/// Moves both cursors of `number`, so that its counters are exact, and deletes up to `most` rows that no
/// window needs any more. A job does this every minute, so that no admission pays for a long pause.
///
/// # Errors
/// `NotFound` when there is no such number; `ClockJumped` while the wall clock is not trusted: a cursor moved
/// too far does not come back (JO-05).
pub fn expire(
    db: &mut Db,
    number: NumberId,
    clock: &dyn Clock,
    most: i64,
) -> Result<usize, PersistenceError> {
    db.write(|db| {
        let mut row = lock_row(db, number)?;
        let policy = policy::get(db, domain::ids::PolicyId(row.policy_id))?;
        let now = clock.now();
        if !clock.is_trusted() {
            return Err(PersistenceError::ClockJumped);
        }
        expire_day(db, &mut row, &policy, now)?;
        expire_week(db, &mut row, &policy, now)?;
        store(db, &row)?;
        let outlived: Vec<i64> = recipient_window::table
            .filter(recipient_window::number_id.eq(number.0))
            .filter(recipient_window::counted_at.le(row.week_expired_through))
            .order(recipient_window::counted_at.asc())
            .limit(most)
            .select(recipient_window::contact_id)
            .load(db)?;
        for contact in &outlived {
            diesel::delete(recipient_window::table.find((number.0, contact))).execute(db)?;
        }
        Ok(outlived.len())
    })
}

/// The counters of a number beside the counts from scratch; equal unless something is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterDrift {
    /// What the day's counter says.
    pub day: i64,
    /// Distinct contacts counted from the sends beyond the day's cursor.
    pub day_from_scratch: i64,
    /// What the week's counter says.
    pub week: i64,
    /// Distinct contacts counted from the sends beyond the week's cursor.
    pub week_from_scratch: i64,
}

impl CounterDrift {
    /// Whether counters and counts are the same.
    #[must_use]
    pub fn is_none(self) -> bool {
        self.day == self.day_from_scratch && self.week == self.week_from_scratch
    }
}

/// Counts the recipients of `number` from its sends, for the nightly check. Slow with much history.
///
/// # Errors
/// `NotFound` when there is no such number.
pub fn check_counters(db: &mut Db, number: NumberId) -> Result<CounterDrift, PersistenceError> {
    // On one view of the data: a send between two queries is no drift.
    db.snapshot(|db| compare_counters(db, number))
}

fn compare_counters(db: &mut Db, number: NumberId) -> Result<CounterDrift, PersistenceError> {
    let row: NumberRow = numbers::table.find(number.0).select(NumberRow::as_select()).first(db)?;
    let mut distinct_since = |cursor: Instant| -> QueryResult<i64> {
        use diesel::dsl::count;
        active_messages::table
            .filter(active_messages::number_id.eq(number.0))
            .filter(active_messages::counted_at.gt(Some(cursor)).assume_not_null())
            .select(count(active_messages::contact_id).aggregate_distinct())
            .first(db)
    };
    Ok(CounterDrift {
        day: row.counted_day,
        day_from_scratch: distinct_since(row.day_expired_through)?,
        week: row.counted_week,
        week_from_scratch: distinct_since(row.week_expired_through)?,
    })
}
