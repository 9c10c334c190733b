//! What a job is: a name, a body, the parts it works with, and the report it returns.

use std::{collections::HashMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};
use domain::{
    channel::{Channel, ChannelKind},
    clock::Clock,
};
use persistence::{outbox::DispatchPolicy, store::Store};

use crate::error::SchedulerError;

/// The adapters, by platform.
pub type Channels = HashMap<ChannelKind, Arc<dyn Channel>>;

/// Names a job, in the timetable, in its runs and on the portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JobName {
    /// Ends response windows, and sends that never left.
    Expire,
    /// Tells desks of rows that left *Sent*.
    OffDesk,
    /// Rescues ended leases and settles unknown outcomes.
    Settle,
    /// Reads rating, status and limit of numbers.
    Numbers,
    /// Moves the cursors of numbers' windows and tries promotions.
    Windows,
    /// Proves the numbers' counters against counts from scratch.
    Recount,
    /// Reads the templates of every account.
    Templates,
    /// Takes agents offline whose desk is gone.
    Presence,
    /// Deletes what has been kept long enough.
    Tidy,
}

impl JobName {
    /// Every job.
    pub const ALL: [Self; 9] = [
        Self::Expire,
        Self::OffDesk,
        Self::Settle,
        Self::Numbers,
        Self::Windows,
        Self::Recount,
        Self::Templates,
        Self::Presence,
        Self::Tidy,
    ];

    /// The word it is stored and shown by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expire => "expire_active_messages",
            Self::OffDesk => "take_off_desk",
            Self::Settle => "settle_ambiguous_sends",
            Self::Numbers => "read_numbers",
            Self::Windows => "move_windows",
            Self::Recount => "prove_counters",
            Self::Templates => "sync_templates",
            Self::Presence => "take_agents_offline",
            Self::Tidy => "tidy",
        }
    }

    /// The job stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == word)
    }
}

/// What every job works with.
#[derive(Clone)]
pub struct JobParts {
    /// The database.
    pub store: Store,
    /// Read between batches, to keep to the budget; `now` comes beside it.
    pub clock: Arc<dyn Clock>,
    /// The platforms.
    pub channels: Arc<Channels>,
    /// By what sends are tried and settled.
    pub policy: Arc<DispatchPolicy>,
    /// How long a job may work before it leaves the rest to its next run.
    pub budget: Duration,
}

/// What a job did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobReport {
    /// Rows it changed or read.
    pub rows: usize,
}

/// A job's run under way.
pub type JobFuture = Pin<Box<dyn Future<Output = Result<JobReport, SchedulerError>> + Send>>;

/// A job: a plain function of its parts and `now` that may run twice without harm.
pub type JobBody = fn(JobParts, DateTime<Utc>) -> JobFuture;

/// Counts down the time a job may work.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    started: std::time::Instant,
    length: Duration,
}

impl Budget {
    /// Starts counting.
    pub(crate) fn start(length: Duration) -> Self {
        Self { started: std::time::Instant::now(), length }
    }

    /// Whether there is time for another batch.
    pub(crate) fn is_left(self) -> bool {
        self.started.elapsed() < self.length
    }
}
