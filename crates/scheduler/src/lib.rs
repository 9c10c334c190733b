//! What happens without a click.
//!
//! *Lives here*: the dispatcher that sends what was queued, the consumer that applies what came in, and
//! the timetable of jobs with what makes them run once among many processes.
//!
//! *Must not live here*: SQL, rules, a platform's wire format. What is due, what becomes of an attempt
//! and what a rule says is asked of `persistence` and `domain`.

pub mod clock_watch;
mod consume;
pub mod dispatch;
pub mod error;
mod expire;
pub mod job;
mod media;
mod numbers;
pub mod pace;
mod presence;
mod signals;
mod templates;
#[cfg(test)]
mod tests;
mod tidy;
pub mod timetable;
mod trigger;

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use chrono_tz::Tz;
use domain::{clock::Clock, dispatch::BackOff, policy::Policy};
use persistence::{live::Nudges, outbox::DispatchPolicy, store::Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    consume::Consumer,
    dispatch::{DispatchSettings, Dispatcher},
    error::SchedulerError,
    job::{Channels, JobName, JobParts, JobReport},
    media::Carrier,
    signals::Signaller,
    timetable::{Job, TimetableSettings, timetable},
    trigger::Trigger,
};

/// What the scheduler is made of.
pub struct SchedulerParts {
    /// The database, migrated and unlocked.
    pub store: Store,
    /// The time, also when the demo moves it.
    pub clock: Arc<dyn Clock>,
    /// The platforms that can be spoken to.
    pub channels: Channels,
    /// By which pages and webhooks wake it.
    pub nudges: Arc<Nudges>,
    /// Names this process in leases; unique among all and for each start.
    pub owner: String,
    /// How it works.
    pub settings: SchedulerSettings,
}

/// How the scheduler works.
#[derive(Debug, Clone)]
pub struct SchedulerSettings {
    /// The workspace's zone, in which nightly jobs run.
    pub zone: Tz,
    /// Reads numbers every minute, so that the sandbox shows at once.
    pub demo: bool,
    /// How it sends.
    pub dispatch: DispatchSettings,
    /// For how long a message is leased to one worker; longer than a request may take.
    pub lease: TimeDelta,
    /// How long a process that vanished keeps the others from running jobs.
    pub job_lease: TimeDelta,
    /// How long an unknown outcome may be settled by a receipt (LI-09); `None`: as the policy says.
    pub unknown_outcome_wait: Option<TimeDelta>,
    /// How long a job may work before it leaves the rest to its next run.
    pub job_budget: Duration,
}

impl Default for SchedulerSettings {
    fn default() -> Self {
        Self {
            zone: Tz::UTC,
            demo: false,
            dispatch: DispatchSettings::default(),
            lease: TimeDelta::seconds(60),
            job_lease: TimeDelta::seconds(30),
            unknown_outcome_wait: None,
            job_budget: Duration::from_secs(20),
        }
    }
}

/// Starts what happens without a click.
pub struct Scheduler;

/// The running scheduler.
pub struct SchedulerHandle {
    stop: CancellationToken,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
    jobs: Vec<Job>,
    parts: JobParts,
}

impl Scheduler {
    /// Starts consumer, dispatcher and jobs on the current runtime.
    ///
    /// # Errors
    /// When the timetable is not well formed, or cannot be written.
    pub async fn start(parts: SchedulerParts) -> Result<SchedulerHandle, SchedulerError> {
        let SchedulerParts { store, clock, channels, nudges, owner, settings } = parts;
        let (channels, policy) = (Arc::new(channels), Arc::new(dispatch_policy(&settings)));
        let jobs = timetable(TimetableSettings { zone: settings.zone, demo: settings.demo })?;
        let job_parts = JobParts {
            store: store.clone(),
            clock: Arc::clone(&clock),
            channels: Arc::clone(&channels),
            policy: Arc::clone(&policy),
            budget: settings.job_budget,
        };
        let stop = CancellationToken::new();
        let trigger = Trigger {
            parts: job_parts.clone(),
            jobs: jobs.clone(),
            owner: owner.clone(),
            lease: settings.job_lease,
            running: Arc::default(),
            stop: stop.clone(),
        };
        trigger.publish().await?;
        let consumer = Consumer {
            store: store.clone(),
            clock: Arc::clone(&clock),
            channels: Arc::clone(&channels),
            nudges: Arc::clone(&nudges),
        };
        let carrier = Carrier {
            store: store.clone(),
            clock: Arc::clone(&clock),
            channels: Arc::clone(&channels),
            nudges: Arc::clone(&nudges),
        };
        let signaller = Signaller {
            store: store.clone(),
            clock: Arc::clone(&clock),
            channels: Arc::clone(&channels),
            nudges: Arc::clone(&nudges),
        };
        let dispatcher = Dispatcher {
            store,
            clock,
            channels,
            nudges,
            policy,
            settings: settings.dispatch,
            owner,
        };
        let tasks = vec![
            ("consumer", tokio::spawn(consumer.run(stop.clone()))),
            ("dispatcher", tokio::spawn(dispatcher.run(stop.clone()))),
            ("files", tokio::spawn(carrier.run(stop.clone()))),
            ("signals", tokio::spawn(signaller.run(stop.clone()))),
            ("jobs", tokio::spawn(run_jobs(trigger))),
        ];
        Ok(SchedulerHandle { stop, tasks, jobs, parts: job_parts })
    }
}

async fn run_jobs(trigger: Trigger) {
    if let Err(error) = trigger.run().await {
        tracing::error!(error = %dispatch::with_cause(&error), "the jobs have stopped");
    }
}

fn dispatch_policy(settings: &SchedulerSettings) -> DispatchPolicy {
    let mut active_messages = Policy::default_profile().active_messages;
    if let Some(wait) = settings.unknown_outcome_wait {
        active_messages.unknown_outcome_wait = wait;
    }
    DispatchPolicy { back_off: BackOff::default(), lease: settings.lease, active_messages }
}

impl SchedulerHandle {
    /// Starts nothing more, lets sends and jobs under way end, records what became of them, and returns.
    pub async fn stop(self) {
        self.stop.cancel();
        for (name, task) in self.tasks {
            if task.await.is_err() {
                tracing::error!(task = name, "a task of the scheduler panicked");
            }
        }
    }

    /// Runs `job` here and now, outside its schedule and without a row; for tests and for the demo after
    /// its clock was moved. The portal's *Run now* is [`persistence::job::request_run`].
    ///
    /// # Errors
    /// What the job answers.
    pub async fn run_now(&self, job: JobName) -> Result<JobReport, SchedulerError> {
        let line = self.jobs.iter().find(|line| line.name == job);
        let line = line.ok_or(SchedulerError::NoSuchJob)?;
        (line.body)(self.parts.clone(), self.parts.clock.now()).await
    }
}
