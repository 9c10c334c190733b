//! Jobs as rows: the lease of the one runner, the runs with their outcome, and the portal's list
//! (JO-02, JO-03).

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::permission::WorkspacePermission;

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::{job_leases, job_runs, jobs},
    user::Actor,
};

/// One line of the timetable, as the portal shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimetableLine {
    /// The job's name.
    pub name: String,
    /// Its cron pattern, seconds first.
    pub schedule: String,
    /// The IANA zone the pattern is read in.
    pub time_zone: String,
    /// Its next occurrence; `None` when there is none any more.
    pub next_run_at: Option<DateTime<Utc>>,
}

/// A job with its latest run (JO-03).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOverview {
    /// The job as it is scheduled.
    pub line: TimetableLine,
    /// Its latest run; `None` when it never ran.
    pub last_run: Option<JobRun>,
    /// Whether *Run now* was pressed and not yet obeyed.
    pub run_requested: bool,
}

/// One run of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobRun {
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended; `None` while it runs.
    pub finished_at: Option<DateTime<Utc>>,
    /// How many rows it touched; `None` while it runs or when it failed.
    pub rows_touched: Option<i64>,
    /// Why it failed or was passed over; `None` when it did not.
    pub error: Option<String>,
}

/// The right to run jobs, with its fencing number: it grows whenever the holder changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    /// Of this holder; a write with an older one must not count.
    pub fence: i64,
}

/// Writes the timetable over what is there; jobs that are no longer in it disappear from the list.
pub fn save_timetable(db: &mut Db, lines: &[TimetableLine]) -> Result<(), PersistenceError> {
    db.write(|db| {
        let names: Vec<&str> = lines.iter().map(|line| line.name.as_str()).collect();
        diesel::delete(jobs::table.filter(jobs::name.ne_all(names))).execute(db)?;
        for line in lines {
            save_line(db, line)?;
        }
        Ok(())
    })
}

fn save_line(db: &mut Db, line: &TimetableLine) -> Result<(), PersistenceError> {
    let next_run_at = line.next_run_at.map(Instant::from);
    let changed = diesel::update(jobs::table.find(&line.name))
        .set((
            jobs::schedule.eq(&line.schedule),
            jobs::time_zone.eq(&line.time_zone),
            jobs::next_run_at.eq(next_run_at),
        ))
        .execute(db)?;
    if changed == 0 {
        on_either!(db => diesel::insert_into(jobs::table)
            .values((
                jobs::name.eq(&line.name),
                jobs::schedule.eq(&line.schedule),
                jobs::time_zone.eq(&line.time_zone),
                jobs::next_run_at.eq(next_run_at),
            ))
            .on_conflict_do_nothing()
            .execute(db))?;
    }
    Ok(())
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

/// The latest occurrence of each job that was served or passed over; jobs that never ran are absent.
pub fn list_last_occurrences(
    db: &mut Db,
) -> Result<HashMap<String, DateTime<Utc>>, PersistenceError> {
    let rows: Vec<(String, Option<Instant>)> = job_runs::table
        .group_by(job_runs::job)
        .select((job_runs::job, diesel::dsl::max(job_runs::scheduled_for)))
        .load(db)?;
    Ok(rows.into_iter().filter_map(|(job, at)| Some((job, at?.into()))).collect())
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

/// Opens the run of `job` for the occurrence `scheduled_for`; `None` when that occurrence was served
/// already, when another run of the job has not ended, or when the runner's lease moved on.
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
            note_change(db, run);
        }
        Ok(run)
    })
}

fn note_change(db: &mut Db, run: i64) {
    live::note(db, LiveEvent { kind: LiveKind::Job, chatbot: None, user: None, id: run });
}

/// Locks the lease's row, then looks whether it is still the runner's.
fn holds_lease(db: &mut Db, runner: Runner<'_>) -> Result<bool, PersistenceError> {
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

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunOutcome {
    /// It touched so many rows.
    Done {
        /// How many.
        rows: i64,
    },
    /// It failed, or was passed over, for this reason.
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

/// Says when `job` runs next, for the portal.
pub fn save_next_run(
    db: &mut Db,
    job: &str,
    next_run_at: Option<DateTime<Utc>>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        diesel::update(jobs::table.find(job))
            .set(jobs::next_run_at.eq(next_run_at.map(Instant::from)))
            .execute(db)?;
        Ok(())
    })
}

/// Asks for a run of `job` outside its schedule, by whichever process holds the lease (JO-03).
///
/// # Errors
/// [`PersistenceError::NotFound`] when there is no job of that name.
pub fn request_run(db: &mut Db, job: &str, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    db.write(|db| {
        let changed = diesel::update(jobs::table.find(job))
            .set(jobs::run_requested_at.eq(Some(Instant::from(now))))
            .execute(db)?;
        if changed == 0 {
            return Err(PersistenceError::NotFound);
        }
        note_change(db, 0);
        Ok(())
    })
}

/// As [`request_run`], by someone who presses *Run now*.
///
/// # Errors
/// `Denied` without *manage users*, `NotFound` when there is no job of that name.
pub fn request_run_as(
    db: &mut Db,
    actor: &Actor,
    job: &str,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    actor.require_in_workspace(WorkspacePermission::ManageUsers)?;
    request_run(db, job, now)
}

/// The names of jobs for which a run was asked, oldest first.
pub fn list_run_requests(db: &mut Db) -> Result<Vec<String>, PersistenceError> {
    let names = jobs::table
        .filter(jobs::run_requested_at.is_not_null())
        .order(jobs::run_requested_at.asc())
        .select(jobs::name)
        .load(db)?;
    Ok(names)
}

/// Forgets that a run of `job` was asked for.
pub fn clear_run_request(db: &mut Db, job: &str) -> Result<(), PersistenceError> {
    db.write(|db| {
        diesel::update(jobs::table.find(job))
            .set(jobs::run_requested_at.eq(None::<Instant>))
            .execute(db)?;
        Ok(())
    })
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs)]
struct JobRow {
    name: String,
    schedule: String,
    time_zone: String,
    next_run_at: Option<Instant>,
    run_requested_at: Option<Instant>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = job_runs)]
struct JobRunRow {
    started_at: Instant,
    finished_at: Option<Instant>,
    rows_touched: Option<i64>,
    error: Option<String>,
}

/// Every job by name, with its latest run (JO-03).
///
/// One query: one step for each job in the index on `(job, started_at)`.
pub fn list_jobs(db: &mut Db) -> Result<Vec<JobOverview>, PersistenceError> {
    let later = diesel::alias!(job_runs as later);
    let latest = later
        .filter(later.field(job_runs::job).eq(jobs::name))
        .order((later.field(job_runs::started_at).desc(), later.field(job_runs::id).desc()))
        .limit(1)
        .select(later.field(job_runs::id))
        .single_value();
    let rows: Vec<(JobRow, Option<JobRunRow>)> = jobs::table
        .left_join(job_runs::table.on(job_runs::id.nullable().eq(latest)))
        .order(jobs::name.asc())
        .select((JobRow::as_select(), Option::<JobRunRow>::as_select()))
        .load(db)?;
    Ok(rows.into_iter().map(|(job, run)| read_overview(job, run)).collect())
}

fn read_overview(job: JobRow, run: Option<JobRunRow>) -> JobOverview {
    JobOverview {
        line: TimetableLine {
            name: job.name,
            schedule: job.schedule,
            time_zone: job.time_zone,
            next_run_at: job.next_run_at.map(DateTime::from),
        },
        last_run: run.map(|run| JobRun {
            started_at: run.started_at.into(),
            finished_at: run.finished_at.map(DateTime::from),
            rows_touched: run.rows_touched,
            error: run.error,
        }),
        run_requested: job.run_requested_at.is_some(),
    }
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
