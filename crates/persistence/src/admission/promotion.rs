//! The way up a level, tried on each counted send and by a job (NU-06, NU-10).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    clock::Clock,
    ids::{NumberId, PolicyId},
    number::tier::{Level, PromotionFacts, promotion},
    policy::Policy,
};

use super::counters;
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    number::{self, NumberRow},
    policy,
    schema::{active_messages, numbers},
};

/// Promotes `number` by one level if everything holds; tells the new level, `None` when it stays.
///
/// # Errors
/// `NotFound` when there is no such number; `ClockJumped` while the wall clock is not trusted (JO-05).
pub fn promote(
    db: &mut Db,
    number: NumberId,
    clock: &dyn Clock,
) -> Result<Option<Level>, PersistenceError> {
    db.write(|db| {
        let mut row = counters::lock_row(db, number)?;
        let policy = policy::get(db, PolicyId(row.policy_id))?;
        let now = clock.now();
        if !clock.is_trusted() {
            return Err(PersistenceError::ClockJumped);
        }
        let promoted = try_promotion(db, &mut row, &policy, now)?;
        counters::store(db, &row)?;
        Ok(promoted)
    })
}

/// As [`promote`], for a row whose lock is held. Costs nothing while too few contacts were counted.
pub(super) fn try_promotion(
    db: &mut Db,
    row: &mut NumberRow,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Option<Level>, PersistenceError> {
    let level = row.level()?;
    let mark = i64::from(policy.tiers.promotion_mark(level));
    if policy.tiers.next(level).is_none() || row.counted_week < mark {
        return Ok(None);
    }
    counters::expire_week(db, row, policy, now)?;
    let since = Instant::from(now - policy.tiers.promotion_window);
    let earliest: Option<Instant> = active_messages::table
        .filter(active_messages::number_id.eq(row.id))
        .filter(active_messages::counted_at.gt(Some(since)).assume_not_null())
        .order(active_messages::counted_at.asc())
        .select(active_messages::counted_at.assume_not_null())
        .first(db)
        .optional()?;
    let facts = PromotionFacts {
        level,
        level_entered_at: row.level_entered_at.into(),
        clock: row.clock()?,
        rating: row.rating()?,
        distinct_contacts: number::count("counted_week", row.counted_week)?,
        earliest_counted_at: earliest.map(DateTime::from),
    };
    let Some(next) = promotion(&facts, &policy.tiers, &policy.quality, now) else {
        return Ok(None);
    };
    diesel::update(numbers::table.find(row.id))
        .set((
            numbers::level.eq(i64::from(next.number())),
            numbers::level_entered_at.eq(Instant::from(now)),
        ))
        .execute(db)?;
    row.level = i64::from(next.number());
    row.level_entered_at = now.into();
    let detail = number::changed(&level.number().to_string(), &next.number().to_string());
    number::record(db, NumberId(row.id), "promoted", &detail, now)?;
    Ok(Some(next))
}
