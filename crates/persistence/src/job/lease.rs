//! The right to run jobs: one process at a time, with a fence that grows with each holder (JO-02, I11).

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::job_leases,
};

/// The right to run jobs, with its fencing number: it grows whenever the holder changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Of this holder; a write with an older one must not count.
    pub fence: i64,
}

/// Takes or keeps the lease `name` for `owner` until `now + ttl`; `None` while someone else holds it.
///
/// The fence stays while the holder stays, and grows by one when the holder changes.
pub fn acquire_lease(
    db: &mut Db,
    name: &str,
    owner: &str,
    ttl: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Option<Lease>, PersistenceError> {
    db.write(|db| {
        on_either!(db => diesel::insert_into(job_leases::table)
            .values((
                job_leases::name.eq(name),
                job_leases::owner.eq(owner),
                job_leases::fence.eq(0),
                job_leases::expires_at.eq(Instant::from(now)),
            ))
            .on_conflict_do_nothing()
            .execute(db))?;
        let expires_at = Instant::from(now + ttl);
        let kept = diesel::update(
            job_leases::table
                .filter(job_leases::name.eq(name))
                .filter(job_leases::owner.eq(owner))
                .filter(job_leases::fence.gt(0)),
        )
        .set(job_leases::expires_at.eq(expires_at))
        .execute(db)?;
        let taken = kept == 1
            || diesel::update(
                job_leases::table
                    .filter(job_leases::name.eq(name))
                    .filter(job_leases::expires_at.le(Instant::from(now))),
            )
            .set((
                job_leases::owner.eq(owner),
                job_leases::fence.eq(job_leases::fence + 1),
                job_leases::expires_at.eq(expires_at),
            ))
            .execute(db)?
                == 1;
        if !taken {
            return Ok(None);
        }
        let fence: i64 = job_leases::table.find(name).select(job_leases::fence).first(db)?;
        Ok(Some(Lease { fence }))
    })
}

/// Gives the lease back, so that another process need not wait for its end.
pub fn release_lease(
    db: &mut Db,
    name: &str,
    owner: &str,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        diesel::update(
            job_leases::table.filter(job_leases::name.eq(name)).filter(job_leases::owner.eq(owner)),
        )
        .set((job_leases::expires_at.eq(Instant::from(now)), job_leases::owner.eq("")))
        .execute(db)?;
        Ok(())
    })
}

/// Who starts a run, and under which fence.
#[derive(Debug, Clone, Copy)]
pub struct Runner<'a> {
    /// The lease's name.
    pub lease: &'a str,
    /// The process.
    pub owner: &'a str,
    /// The fence its lease has.
    pub fence: i64,
}

/// Locks the lease's row, then looks whether it is still the runner's.
pub(super) fn holds_lease(db: &mut Db, runner: Runner<'_>) -> Result<bool, PersistenceError> {
    let held = diesel::update(
        job_leases::table
            .filter(job_leases::name.eq(runner.lease))
            .filter(job_leases::owner.eq(runner.owner))
            .filter(job_leases::fence.eq(runner.fence)),
    )
    .set(job_leases::fence.eq(runner.fence))
    .execute(db)?;
    Ok(held == 1)
}
