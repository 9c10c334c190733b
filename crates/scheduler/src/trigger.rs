//! Runs the timetable: tokio-cron-scheduler only rings once a second, what is due is decided by rows of
//! ours, and one process among many does it (JO-02; TECH, section 4).

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};
use persistence::{
    error::PersistenceError,
    job::{self as rows, Lease, RunOutcome, Runner, TimetableLine},
};
use tokio::sync::mpsc;
use tokio_cron_scheduler::{Job as CronJob, JobScheduler};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    dispatch::with_cause,
    error::SchedulerError,
    job::{JobName, JobParts},
    timetable::{self, Due, Job},
};

/// The lease of the one process that runs jobs.
const LEASE: &str = "scheduler";
/// How long a process that vanished keeps others from running jobs.
const LEASE_LENGTH: TimeDelta = TimeDelta::seconds(90);
/// A third of the lease.
const RENEW_EVERY: Duration = Duration::from_secs(30);
/// How long a run may take at all; a job keeps to its budget long before.
const RUN_DEADLINE: Duration = Duration::from_secs(300);

/// The runner of one process.
pub(crate) struct Trigger {
    pub parts: JobParts,
    pub jobs: Vec<Job>,
    pub owner: String,
    running: Arc<Mutex<HashSet<JobName>>>,
}

/// What is known while this process holds the lease.
struct Term {
    lease: Lease,
    renewed_at: Duration,
    served: HashMap<String, DateTime<Utc>>,
}

impl Trigger {
    pub(crate) fn new(parts: JobParts, jobs: Vec<Job>, owner: String) -> Self {
        Self { parts, jobs, owner, running: Arc::default() }
    }

    /// Writes the timetable for the portal.
    pub(crate) async fn publish(&self) -> Result<(), SchedulerError> {
        let now = self.parts.clock.now();
        let lines: Vec<TimetableLine> = self
            .jobs
            .iter()
            .map(|job| TimetableLine {
                name: job.name.as_str().to_owned(),
                schedule: job.schedule.pattern().to_owned(),
                time_zone: job.schedule.zone().name().to_owned(),
                next_run_at: job.schedule.next_after(now),
            })
            .collect();
        self.parts.store.write(move |db| rows::save_timetable(db, &lines)).await?;
        Ok(())
    }

    /// Runs jobs until `stop`; then waits for those under way and gives the lease back.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<(), SchedulerError> {
        let (mut bell, mut cron) = ring_every_second().await?;
        let tracker = TaskTracker::new();
        let mut term = None;
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                rung = bell.recv() => if rung.is_none() { break },
            }
            if let Err(error) = self.tick(&mut term, &tracker).await {
                tracing::error!(error = %with_cause(&error), "cannot look after the jobs");
                term = None;
            }
        }
        cron.shutdown().await?;
        tracker.close();
        tracker.wait().await;
        let (owner, now) = (self.owner.clone(), self.parts.clock.now());
        self.parts.store.write(move |db| rows::release_lease(db, LEASE, &owner, now)).await?;
        Ok(())
    }

    /// One look: keeps the lease, obeys *Run now*, starts what is due.
    async fn tick(
        &self,
        term: &mut Option<Term>,
        tracker: &TaskTracker,
    ) -> Result<(), SchedulerError> {
        let now = self.parts.clock.now();
        if !self.hold_lease(term, now).await? {
            return Ok(());
        }
        let Some(term) = term else { return Ok(()) };
        let requested = self.parts.store.read(rows::list_run_requests).await?;
        for job in &self.jobs {
            if self.running().contains(&job.name) {
                continue;
            }
            if requested.iter().any(|name| name == job.name.as_str()) {
                let name = job.name.as_str();
                self.parts.store.write(move |db| rows::clear_run_request(db, name)).await?;
                self.start(job, now, term, tracker, now).await?;
                continue;
            }
            let last = term.served.get(job.name.as_str()).copied();
            match timetable::due(&job.schedule, job.catch_up, last, now) {
                None => {}
                Some(Due::Run(occurrence)) => {
                    self.start(job, occurrence, term, tracker, now).await?;
                }
                Some(Due::Skip(occurrence)) => self.pass_over(job, occurrence, term, now).await?,
            }
        }
        Ok(())
    }

    /// Takes or keeps the lease; a new holder first closes what the former one left open.
    async fn hold_lease(
        &self,
        term: &mut Option<Term>,
        now: DateTime<Utc>,
    ) -> Result<bool, SchedulerError> {
        let monotonic = self.parts.clock.monotonic();
        let is_fresh = term
            .as_ref()
            .is_some_and(|term| monotonic.saturating_sub(term.renewed_at) < RENEW_EVERY);
        if is_fresh {
            return Ok(true);
        }
        let owner = self.owner.clone();
        let lease = self
            .parts
            .store
            .write(move |db| rows::acquire_lease(db, LEASE, &owner, LEASE_LENGTH, now))
            .await?;
        let Some(lease) = lease else {
            *term = None;
            return Ok(false);
        };
        match term {
            Some(term) if term.lease == lease => term.renewed_at = monotonic,
            _ => {
                let served = self
                    .parts
                    .store
                    .write(move |db| {
                        rows::close_interrupted_runs(db, lease, now)?;
                        rows::list_last_occurrences(db)
                    })
                    .await?;
                *term = Some(Term { lease, renewed_at: monotonic, served });
            }
        }
        Ok(true)
    }

    /// Opens the run's row and starts the job; does nothing when that occurrence was served already.
    async fn start(
        &self,
        job: &Job,
        occurrence: DateTime<Utc>,
        term: &mut Term,
        tracker: &TaskTracker,
        now: DateTime<Utc>,
    ) -> Result<(), SchedulerError> {
        let name = job.name.as_str();
        let Some(run) = self.open_run(name, occurrence, term.lease, now).await? else {
            term.served = self.parts.store.read(rows::list_last_occurrences).await?;
            return Ok(());
        };
        term.served.insert(name.to_owned(), occurrence);
        self.running().insert(job.name);
        let (parts, job, running) = (self.parts.clone(), job.clone(), Arc::clone(&self.running));
        tracker.spawn(async move {
            let outcome = run_to_its_end(&parts, &job, now).await;
            if let Err(error) = finish(&parts, &job, run, outcome).await {
                tracing::error!(job = name, error = %error, "cannot record a run");
            }
            running.lock().unwrap_or_else(PoisonError::into_inner).remove(&job.name);
        });
        Ok(())
    }

    async fn open_run(
        &self,
        name: &'static str,
        occurrence: DateTime<Utc>,
        lease: Lease,
        now: DateTime<Utc>,
    ) -> Result<Option<i64>, SchedulerError> {
        let owner = self.owner.clone();
        let run = self
            .parts
            .store
            .write(move |db| {
                let runner = Runner { lease: LEASE, owner: &owner, fence: lease.fence };
                rows::start_run(db, name, occurrence, runner, now)
            })
            .await?;
        Ok(run)
    }

    /// Records that an occurrence came too late to be of use.
    async fn pass_over(
        &self,
        job: &Job,
        occurrence: DateTime<Utc>,
        term: &mut Term,
        now: DateTime<Utc>,
    ) -> Result<(), SchedulerError> {
        let name = job.name.as_str();
        if let Some(run) = self.open_run(name, occurrence, term.lease, now).await? {
            let outcome = RunOutcome::Failed { error: "passed over: too late".to_owned() };
            self.parts.store.write(move |db| rows::finish_run(db, run, &outcome, now)).await?;
        }
        term.served.insert(name.to_owned(), occurrence);
        Ok(())
    }

    fn running(&self) -> MutexGuard<'_, HashSet<JobName>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A cron entry in UTC that does nothing but ring, and its scheduler.
async fn ring_every_second() -> Result<(mpsc::Receiver<()>, JobScheduler), SchedulerError> {
    let (ring, bell) = mpsc::channel(1);
    let cron = JobScheduler::new().await?;
    let entry = CronJob::new("* * * * * *", move |_, _| {
        // A bell that was not heard yet need not ring twice.
        let _heard_already = ring.try_send(());
    })?;
    cron.add(entry).await?;
    cron.start().await?;
    Ok((bell, cron))
}

/// Runs the job as a task of its own, so that a panic ends the run and nothing else.
async fn run_to_its_end(parts: &JobParts, job: &Job, now: DateTime<Utc>) -> RunOutcome {
    let task = tokio::spawn((job.body)(parts.clone(), now));
    let abort = task.abort_handle();
    let error = match tokio::time::timeout(RUN_DEADLINE, task).await {
        Ok(Ok(Ok(report))) => {
            return RunOutcome::Done { rows: i64::try_from(report.rows).unwrap_or(i64::MAX) };
        }
        Ok(Ok(Err(error))) => with_cause(&error),
        Ok(Err(_)) => "it panicked".to_owned(),
        Err(_) => {
            abort.abort();
            "it took too long".to_owned()
        }
    };
    tracing::error!(job = job.name.as_str(), error, "a job failed");
    RunOutcome::Failed { error }
}

async fn finish(
    parts: &JobParts,
    job: &Job,
    run: i64,
    outcome: RunOutcome,
) -> Result<(), PersistenceError> {
    let now = parts.clock.now();
    let (name, next) = (job.name.as_str(), job.schedule.next_after(now));
    parts
        .store
        .write(move |db| {
            db.write(|db| {
                rows::finish_run(db, run, &outcome, now)?;
                rows::save_next_run(db, name, next)
            })
        })
        .await
}
