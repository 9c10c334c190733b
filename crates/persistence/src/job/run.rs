//! Runs of jobs: opened under the lease, one for each occurrence, and ended once (JO-02, I12).

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::{
    lease::{Runner, holds_lease},
    note_change,
};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::{job_runs, jobs},
};

/// The latest occurrence of each job that was served or passed over; jobs with neither are absent.
pub fn list_last_occurrences(
    db: &mut Db,
) -> Result<HashMap<String, DateTime<Utc>>, PersistenceError> {
    let served: Vec<(String, Option<Instant>)> = job_runs::table
        .group_by(job_runs::job)
        .select((job_runs::job, diesel::dsl::max(job_runs::scheduled_for)))
        .load(db)?;
    let passed_over: Vec<(String, Option<Instant>)> = jobs::table
        .filter(jobs::passed_over_at.is_not_null())
        .select((jobs::name, jobs::passed_over_at))
        .load(db)?;
    let mut latest: HashMap<String, DateTime<Utc>> = HashMap::new();
    for (job, at) in served.into_iter().chain(passed_over) {
        let Some(at) = at.map(DateTime::from) else { continue };
        latest.entry(job).and_modify(|known| *known = at.max(*known)).or_insert(at);
    }
    Ok(latest)
}

/// When the latest run of `job` began that went well and began before `before` (exclusive); `None` when there
/// is none, or none is kept.
///
/// Served by the index on `(job, started_at)`.
///
/// # Errors
/// When the database fails.
pub fn find_last_done(
    db: &mut Db,
    job: &str,
    before: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, PersistenceError> {
    let began: Option<Instant> = job_runs::table
        .filter(job_runs::job.eq(job))
        .filter(job_runs::started_at.lt(Instant::from(before)))
        .filter(job_runs::finished_at.is_not_null())
        .filter(job_runs::error.is_null())
        .order(job_runs::started_at.desc())
        .select(job_runs::started_at)
        .first(db)
        .optional()?;
    Ok(began.map(DateTime::from))
}

/// Records that the occurrence `scheduled_for` of `job` was passed over, since nobody was there until it
/// was of no use any more; `next` is when the job runs next. That is no run, and no failure of one.
///
/// Does nothing when the runner's lease moved on.
///
/// # Errors
/// When the database fails.
pub fn pass_over(
    db: &mut Db,
    job: &str,
    scheduled_for: DateTime<Utc>,
    next: Option<DateTime<Utc>>,
    runner: Runner<'_>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        if !holds_lease(db, runner)? {
            return Ok(());
        }
        diesel::update(jobs::table.find(job))
            .set((
                jobs::passed_over_at.eq(Some(Instant::from(scheduled_for))),
                jobs::next_run_at.eq(next.map(Instant::from)),
            ))
            .execute(db)?;
        note_change(db, 0);
        Ok(())
    })
}

/// Opens the run of `job` for the occurrence `scheduled_for`; `None` when that occurrence was served
/// already, when another run of the job has not ended, or when the runner's lease moved on.
///
/// A run that is opened is the one that was asked for (JO-03): the wish goes with its opening, and stays where
/// none is opened.
///
/// # Errors
/// When the database fails.
pub fn start_run(
    db: &mut Db,
    job: &str,
    scheduled_for: DateTime<Utc>,
    runner: Runner<'_>,
    now: DateTime<Utc>,
) -> Result<Option<i64>, PersistenceError> {
    db.write(|db| {
        if !holds_lease(db, runner)? {
            return Ok(None);
        }
        let unfinished: i64 = job_runs::table
            .filter(job_runs::job.eq(job))
            .filter(job_runs::finished_at.is_null())
            .count()
            .get_result(db)?;
        if unfinished > 0 {
            return Ok(None);
        }
        let run: Option<i64> = on_either!(db => diesel::insert_into(job_runs::table)
            .values((
                job_runs::job.eq(job),
                job_runs::scheduled_for.eq(Instant::from(scheduled_for)),
                job_runs::owner.eq(runner.owner),
                job_runs::fence.eq(runner.fence),
                job_runs::started_at.eq(Instant::from(now)),
            ))
            .on_conflict((job_runs::job, job_runs::scheduled_for))
            .do_nothing()
            .returning(job_runs::id)
            .get_result(db)
            .optional())?;
        if let Some(run) = run {
            diesel::update(jobs::table.find(job).filter(jobs::run_requested_at.is_not_null()))
                .set(jobs::run_requested_at.eq(None::<Instant>))
                .execute(db)?;
            note_change(db, run);
        }
        Ok(run)
    })
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// It touched so many rows.
    Done {
        /// How many.
        rows: i64,
    },
    /// It failed for this reason.
    Failed {
        /// Without names, numbers or texts.
        error: String,
    },
}

/// Records how `run` ended.
pub fn finish_run(
    db: &mut Db,
    run: i64,
    outcome: &RunOutcome,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let (rows, error) = match outcome {
        RunOutcome::Done { rows } => (Some(*rows), None),
        RunOutcome::Failed { error } => (None, Some(error.as_str())),
    };
    db.write(|db| {
        diesel::update(job_runs::table.find(run).filter(job_runs::finished_at.is_null()))
            .set((
                job_runs::finished_at.eq(Instant::from(now)),
                job_runs::rows_touched.eq(rows),
                job_runs::error.eq(error),
            ))
            .execute(db)?;
        note_change(db, run);
        Ok(())
    })
}

/// Closes runs that nobody will end any more: those of former holders of the lease, and the runner's own
/// but for the jobs that are `running`. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn close_interrupted_runs(
    db: &mut Db,
    runner: Runner<'_>,
    running: &[&str],
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    db.write(|db| {
        let runs_no_more =
            job_runs::owner.ne(runner.owner).or(job_runs::job.ne_all(running.iter().copied()));
        let closed = diesel::update(
            job_runs::table
                .filter(job_runs::finished_at.is_null())
                .filter(job_runs::fence.le(runner.fence))
                .filter(runs_no_more),
        )
        .set((
            job_runs::finished_at.eq(Instant::from(now)),
            job_runs::error.eq("interrupted: its process stopped, or could not record its end"),
        ))
        .execute(db)?;
        Ok(closed)
    })
}

/// Deletes runs that began before `before` (exclusive), at most `limit`, but never a job's latest
/// occurrence: due-ness is judged by it.
pub fn delete_old_runs(
    db: &mut Db,
    before: DateTime<Utc>,
    limit: i64,
) -> Result<usize, PersistenceError> {
    db.write(|db| {
        let kept: Vec<i64> = job_runs::table
            .group_by(job_runs::job)
            .select(diesel::dsl::max(job_runs::id))
            .load::<Option<i64>>(db)?
            .into_iter()
            .flatten()
            .collect();
        let old: Vec<i64> = job_runs::table
            .filter(job_runs::started_at.lt(Instant::from(before)))
            .filter(job_runs::id.ne_all(kept))
            .order(job_runs::id.asc())
            .limit(limit)
            .select(job_runs::id)
            .load(db)?;
        let deleted =
            diesel::delete(job_runs::table.filter(job_runs::id.eq_any(old))).execute(db)?;
        Ok(deleted)
    })
}
