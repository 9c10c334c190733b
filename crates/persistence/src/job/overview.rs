//! The portal's list of jobs: when each runs, and how its latest run went (JO-03).

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use super::TimetableLine;
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{job_runs, jobs},
};

/// A job with its latest run (JO-03).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobOverview {
    /// The job as it is scheduled.
    pub line: TimetableLine,
    /// Its latest run; `None` when it never ran.
    pub last_run: Option<JobRun>,
    /// The latest occurrence for which nobody was there until it was too late; `None` when there was none.
    pub passed_over_at: Option<DateTime<Utc>>,
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
    /// Why it failed; `None` when it did not.
    pub error: Option<String>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = jobs)]
struct JobRow {
    name: String,
    schedule: String,
    time_zone: String,
    next_run_at: Option<Instant>,
    run_requested_at: Option<Instant>,
    passed_over_at: Option<Instant>,
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
        passed_over_at: job.passed_over_at.map(DateTime::from),
        run_requested: job.run_requested_at.is_some(),
    }
}
