//! Jobs about numbers: what the platforms say of them, their windows, their counters
//! (NU-02, NU-06, NU-10, NU-12).

use chrono::{DateTime, Utc};
use domain::ids::{ChannelId, NumberId};
use persistence::{admission, channel, number};

use crate::{
    error::SchedulerError,
    job::{JobFuture, JobParts, JobReport},
    templates::{may_ask, rest_when_asked},
};

/// Reads rating, status, limit and throughput of every connected number. An answer also shows that the
/// credentials work again.
#[must_use]
pub fn read_numbers(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let channels = parts.store.read(channel::list_connected).await?;
        let numbers: Vec<ChannelId> = channels
            .iter()
            .filter(|channel| channel.number.is_some() && may_ask(channel, now))
            .map(|channel| channel.id)
            .collect();
        let mut failures = Failures::among(numbers.len());
        let mut rows = 0;
        for channel in numbers {
            match read_number(&parts, channel, now).await {
                Ok(()) => rows += 1,
                Err(error) => {
                    rest_when_asked(&parts, channel, &error, now).await?;
                    failures.count(&error);
                }
            }
        }
        failures.into_result()?;
        Ok(JobReport { rows })
    })
}

async fn read_number(
    parts: &JobParts,
    channel: ChannelId,
    now: DateTime<Utc>,
) -> Result<(), SchedulerError> {
    let vault = parts.store.vault()?;
    let (kind, access) =
        parts.store.read(move |db| channel::get_access(db, &vault, channel)).await?;
    let adapter = parts.channels.get(&kind).ok_or(SchedulerError::NoAdapter)?;
    let reading = adapter.read_number(&access).await?;
    parts
        .store
        .write(move |db| {
            db.write(|db| {
                number::save_reading(db, channel, &reading, now)?;
                channel::mark_credentials_good(db, channel)
            })
        })
        .await?;
    Ok(())
}

/// Rows of a number's window deleted in one transaction.
const WINDOW_BATCH: i64 = 1_000;

/// Moves the cursors of every number's windows, so that no admission pays for a long pause, and tries
/// its promotion (NU-06, NU-10).
#[must_use]
pub fn move_windows(parts: JobParts, _now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let numbers = list_numbers(&parts).await?;
        let mut failures = Failures::among(numbers.len());
        let mut rows = 0;
        for number in numbers {
            let clock = parts.clock.clone();
            let moved = parts
                .store
                .write(move |db| {
                    let deleted = admission::expire(db, number, &*clock, WINDOW_BATCH)?;
                    let promoted = admission::promote(db, number, &*clock)?;
                    Ok(deleted + usize::from(promoted.is_some()))
                })
                .await;
            match moved {
                Ok(moved) => rows += moved,
                Err(error) => failures.count(&error.into()),
            }
        }
        failures.into_result()?;
        Ok(JobReport { rows })
    })
}

/// Proves that every number's counters equal the counts from scratch (ARCHITECTURE, Invariants).
#[must_use]
pub fn prove_counters(parts: JobParts, _now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let numbers = list_numbers(&parts).await?;
        let mut failures = Failures::among(numbers.len());
        for number in &numbers {
            let number = *number;
            let drift = parts.store.read(move |db| admission::check_counters(db, number)).await?;
            if !drift.is_none() {
                tracing::error!(number.id = %number, ?drift, "a number's counters have drifted");
                failures.count(&SchedulerError::CountersDrifted);
            }
        }
        failures.into_result()?;
        Ok(JobReport { rows: numbers.len() })
    })
}

async fn list_numbers(parts: &JobParts) -> Result<Vec<NumberId>, SchedulerError> {
    let channels = parts.store.read(channel::list_connected).await?;
    Ok(channels.into_iter().filter_map(|channel| channel.number.map(|(id, _)| id)).collect())
}

/// Counts what failed while the rest went on.
#[derive(Debug)]
pub(crate) struct Failures {
    all: usize,
    failed: usize,
    last: String,
}

impl Failures {
    pub(crate) fn among(all: usize) -> Self {
        Self { all, failed: 0, last: String::new() }
    }

    pub(crate) fn count(&mut self, error: &SchedulerError) {
        self.failed += 1;
        self.last = error.to_string();
        if let Some(cause) = std::error::Error::source(error) {
            self.last = format!("{}: {cause}", self.last);
        }
    }

    pub(crate) fn into_result(self) -> Result<(), SchedulerError> {
        if self.failed == 0 {
            return Ok(());
        }
        Err(SchedulerError::Partly { failed: self.failed, all: self.all, last: self.last })
    }
}
