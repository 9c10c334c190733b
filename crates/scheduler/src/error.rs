//! What can go wrong in what happens without a click.

use domain::channel::ChannelError;
use persistence::error::PersistenceError;
use thiserror::Error;

/// Why something the scheduler does was not done.
#[derive(Debug, Error)]
pub enum SchedulerError {
    /// A line of the timetable is not well formed.
    #[error("the schedule {pattern:?} is not well formed")]
    Schedule {
        /// As written.
        pattern: &'static str,
        /// What is wrong with it.
        #[source]
        source: croner::errors::CronError,
    },
    /// The cron trigger could not be started or stopped.
    #[error("the cron trigger failed")]
    Trigger(#[from] tokio_cron_scheduler::JobSchedulerError),
    /// The database did not do what it was asked.
    #[error("the database failed")]
    Persistence(#[from] PersistenceError),
    /// A platform did not do what it was asked.
    #[error("a platform failed")]
    Channel(#[from] ChannelError),
    /// No adapter for a channel's platform was handed over.
    #[error("no adapter speaks to this channel's platform")]
    NoAdapter,
    /// A number's counters are not what a count from scratch says.
    #[error("a number's counters differ from a count from scratch")]
    CountersDrifted,
    /// No job of that name.
    #[error("there is no job of that name")]
    NoSuchJob,
    /// Some of the work failed; the rest was done.
    #[error("{failed} of {all} failed; the last: {last}")]
    Partly {
        /// How many failed.
        failed: usize,
        /// Of how many.
        all: usize,
        /// What the last failure said.
        last: String,
    },
}
