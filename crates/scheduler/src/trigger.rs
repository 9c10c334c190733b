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
/// How long a run may take at all; a job keeps to its budget long before.
const RUN_DEADLINE: Duration = Duration::from_secs(300);

/// How the end of a run is recorded while the database fails: without it the job would never start again.
const RECORDING: Retry = Retry { first: Duration::from_secs(1), longest: Duration::from_secs(30) };

/// The waits between attempts: each is twice the one before.
#[derive(Debug, Clone, Copy)]
struct Retry {
    first: Duration,
    longest: Duration,
}

/// The runner of one process.
pub(crate) struct Trigger {
    pub parts: JobParts,
    pub jobs: Vec<Job>,
    pub owner: String,
    /// How long the lease lasts that lets one process run them; renewed at a third of it.
    pub lease: TimeDelta,
    pub running: Arc<Mutex<HashSet<JobName>>>,
    pub stop: CancellationToken,
}

/// What is known while this process holds the lease.
struct Term {
    lease: Lease,
    renewed_at: Duration,
    served: HashMap<String, DateTime<Utc>>,
}

impl Trigger {
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

    /// Runs jobs until it is to stop; then waits for those under way and gives the lease back.
    pub(crate) async fn run(self) -> Result<(), SchedulerError> {
        let (mut bell, mut cron) = ring_every_second().await?;
        let tracker = TaskTracker::new();
        let mut term = None;
        loop {
            tokio::select! {
                () = self.stop.cancelled() => break,
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

    /// One look: keeps the lease, obeys *Run now*, starts what is due. Does nothing while the wall clock is not
    /// trusted: the lease then ends for a process whose clock is (JO-05).
    async fn tick(
        &self,
        term: &mut Option<Term>,
        tracker: &TaskTracker,
    ) -> Result<(), SchedulerError> {
        let now = self.parts.clock.now();
        if !self.parts.clock.is_trusted() {
            return Ok(());
        }
        if !self.hold_lease(term, now).await? {
            return Ok(());
        }
        let Some(term) = term else { return Ok(()) };
        let requested = self.parts.store.read(rows::list_run_requests).await?;
        for job in &self.jobs {
            // It may have jumped while the database was asked.
            if !self.parts.clock.is_trusted() {
                return Ok(());
            }
            if self.running().contains(&job.name) {
                continue;
            }
            if requested.iter().any(|name| name == job.name.as_str()) {
                self.start(job, now, term, tracker, now).await?;
                continue;
            }
            let last = term.served.get(job.name.as_str()).copied();
            match timetable::due(&job.schedule, job.catch_up, last, now) {
                None => {}
                Some(Due::Run(occurrence)) => {
                    self.start(job, occurrence, term, tracker, now).await?;
                }
                Some(Due::PassOver(occurrence)) => {
                    self.pass_over(job, occurrence, term, now).await?;
                }
            }
        }
        Ok(())
    }

    /// Takes or keeps the lease. Who takes it, or comes back after a failure, first closes the runs that
    /// nobody will end any more.
    async fn hold_lease(
        &self,
        term: &mut Option<Term>,
        now: DateTime<Utc>,
    ) -> Result<bool, SchedulerError> {
        let monotonic = self.parts.clock.monotonic();
        let renew_every = self.lease.to_std().unwrap_or_default() / 3;
        let is_fresh = term
            .as_ref()
            .is_some_and(|term| monotonic.saturating_sub(term.renewed_at) < renew_every);
        if is_fresh {
            return Ok(true);
        }
        let (owner, length) = (self.owner.clone(), self.lease);
        let lease = self
            .parts
            .store
            .write(move |db| rows::acquire_lease(db, LEASE, &owner, length, now))
            .await?;
        let Some(lease) = lease else {
            *term = None;
            return Ok(false);
        };
        match term {
            Some(term) if term.lease == lease => term.renewed_at = monotonic,
            _ => {
                let owner = self.owner.clone();
                let running: Vec<&str> = self.running().iter().map(|job| job.as_str()).collect();
                let served = self
                    .parts
                    .store
                    .write(move |db| {
                        let runner = Runner { lease: LEASE, owner: &owner, fence: lease.fence };
                        rows::close_interrupted_runs(db, runner, &running, now)?;
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
        let stop = self.stop.clone();
        tracker.spawn(async move {
            let outcome = run_to_its_end(&parts, &job, now).await;
            let recorded =
                until_it_works(RECORDING, &stop, || finish(&parts, &job, run, &outcome)).await;
            if let Err(error) = recorded {
                tracing::error!(job = name, error = %error, "a run stays without its end");
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

    /// Records that nobody was there for an occurrence until it was too late to be of use.
    async fn pass_over(
        &self,
        job: &Job,
        occurrence: DateTime<Utc>,
        term: &mut Term,
        now: DateTime<Utc>,
    ) -> Result<(), SchedulerError> {
        let (name, next) = (job.name.as_str(), job.schedule.next_after(now));
        let (owner, fence) = (self.owner.clone(), term.lease.fence);
        self.parts
            .store
            .write(move |db| {
                let runner = Runner { lease: LEASE, owner: &owner, fence };
                rows::pass_over(db, name, occurrence, next, runner)
            })
            .await?;
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

/// Repeats `attempt` until it works, or fails while a stop is asked for: then the last error.
async fn until_it_works<F>(
    retry: Retry,
    stop: &CancellationToken,
    mut attempt: impl FnMut() -> F,
) -> Result<(), PersistenceError>
where
    F: Future<Output = Result<(), PersistenceError>>,
{
    let mut wait = retry.first;
    loop {
        let Err(error) = attempt().await else { return Ok(()) };
        if stop.is_cancelled() {
            return Err(error);
        }
        tracing::warn!(error = %error, "cannot record a run, trying again");
        tokio::select! {
            () = stop.cancelled() => {}
            () = tokio::time::sleep(wait) => {}
        }
        wait = wait.saturating_mul(2).min(retry.longest);
    }
}

async fn finish(
    parts: &JobParts,
    job: &Job,
    run: i64,
    outcome: &RunOutcome,
) -> Result<(), PersistenceError> {
    let outcome = outcome.clone();
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const QUICK: Retry =
        Retry { first: Duration::from_millis(1), longest: Duration::from_millis(2) };

    #[tokio::test]
    async fn the_end_of_a_run_is_recorded_once_the_database_is_back() {
        let attempts = AtomicU32::new(0);
        let fails_twice = || async {
            let earlier = attempts.fetch_add(1, Ordering::Relaxed);
            if earlier < 2 { Err(PersistenceError::NotFound) } else { Ok(()) }
        };
        let stop = CancellationToken::new();
        until_it_works(QUICK, &stop, fails_twice).await.unwrap();
        assert_eq!(attempts.into_inner(), 3);
    }

    #[tokio::test]
    async fn a_stop_ends_the_attempts_after_one_more() {
        let (attempts, stop) = (AtomicU32::new(0), CancellationToken::new());
        let stops_at_the_second = || async {
            if attempts.fetch_add(1, Ordering::Relaxed) == 1 {
                stop.cancel();
            }
            Err(PersistenceError::NotFound)
        };
        let recorded = until_it_works(QUICK, &stop, stops_at_the_second).await;
        assert!(matches!(recorded, Err(PersistenceError::NotFound)));
        assert_eq!(attempts.into_inner(), 2);
    }
}
