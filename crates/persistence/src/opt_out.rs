//! Who no longer wants to be written to, since when and from where it is known (AD-09).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::ContactId,
    opt_out::{OptOut, OptOutScope, OptOutSource},
};

use crate::{db::Db, error::PersistenceError, instant::Instant, schema::opt_outs};

/// Records that `contact` opted out at `at`, unless an opt-out of that scope is in force already.
pub fn opt_out(
    db: &mut Db,
    contact: ContactId,
    scope: OptOutScope,
    source: OptOutSource,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let in_force: i64 = opt_outs::table
            .filter(opt_outs::contact_id.eq(contact.0))
            .filter(opt_outs::scope.eq(scope.as_str()))
            .filter(opt_outs::lifted_at.is_null())
            .count()
            .get_result(db)?;
        if in_force > 0 {
            return Ok(());
        }
        diesel::insert_into(opt_outs::table)
            .values((
                opt_outs::contact_id.eq(contact.0),
                opt_outs::scope.eq(scope.as_str()),
                opt_outs::source.eq(source.as_str()),
                opt_outs::at.eq(Instant::from(at)),
            ))
            .execute(db)?;
        Ok(())
    })
}

/// Lifts the opt-outs of `contact` within `scopes` that began before `at`; `reason` is an agent's.
/// Returns how many.
///
/// A start word that was written before the stop word but arrives after it lifts nothing.
pub fn lift(
    db: &mut Db,
    contact: ContactId,
    scopes: &[OptOutScope],
    source: OptOutSource,
    reason: Option<&str>,
    at: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    let scopes: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    db.write(|db| {
        let lifted = diesel::update(
            opt_outs::table
                .filter(opt_outs::contact_id.eq(contact.0))
                .filter(opt_outs::scope.eq_any(scopes))
                .filter(opt_outs::at.le(Instant::from(at)))
                .filter(opt_outs::lifted_at.is_null()),
        )
        .set((
            opt_outs::lifted_at.eq(Some(Instant::from(at))),
            opt_outs::lifted_source.eq(Some(source.as_str())),
            opt_outs::lifted_reason.eq(reason),
        ))
        .execute(db)?;
        Ok(lifted)
    })
}

/// The opt-outs of `contact` that were not lifted, oldest first. Served by the index on `contact_id`.
pub fn list_in_force(db: &mut Db, contact: ContactId) -> Result<Vec<OptOut>, PersistenceError> {
    let rows: Vec<(String, String, Instant)> = opt_outs::table
        .filter(opt_outs::contact_id.eq(contact.0))
        .filter(opt_outs::lifted_at.is_null())
        .order(opt_outs::at.asc())
        .select((opt_outs::scope, opt_outs::source, opt_outs::at))
        .load(db)?;
    rows.into_iter()
        .map(|(scope, source, at)| {
            let unreadable =
                |column, value| PersistenceError::unreadable("opt_outs", column, value);
            Ok(OptOut {
                scope: OptOutScope::parse(&scope).ok_or_else(|| unreadable("scope", scope))?,
                source: OptOutSource::parse(&source).ok_or_else(|| unreadable("source", source))?,
                at: at.into(),
            })
        })
        .collect()
}
