//! Jobs: the timetable, the wish for a run, and by role the lease, the runs and the portal's list
//! (JO-02, JO-03).

mod lease;
mod overview;
mod run;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::permission::WorkspacePermission;

pub use self::{
    lease::{Lease, Runner, acquire_lease, release_lease},
    overview::{JobOverview, JobRun, list_jobs},
    run::{
        RunOutcome, close_interrupted_runs, delete_old_runs, find_last_done, finish_run,
        list_last_occurrences, pass_over, start_run,
    },
};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::jobs,
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

fn note_change(db: &mut Db, run: i64) {
    live::note(db, LiveEvent::of_all(LiveKind::Job, run));
}
