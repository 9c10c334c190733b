//! Jobs about time that has passed: response windows, unsent messages, unknown outcomes
//! (LI-04, LI-07, LI-09).

use chrono::{DateTime, TimeDelta, Utc};
use persistence::{error::PersistenceError, expiry, outbox};

use crate::job::{Budget, JobFuture, JobParts, JobReport};

/// Rows in one transaction, so that senders never wait long for it.
const BATCH: i64 = 200;

/// Expires sends at the end of their response window, and ends those that never left within a day.
#[must_use]
pub fn expire(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let budget = Budget::start(parts.budget);
        let mut rows = 0;
        while budget.is_left() {
            let policy = parts.policy.clone();
            let done = parts
                .store
                .write(move |db| {
                    let expired = expiry::expire(db, BATCH, now)?;
                    let unsent = outbox::expire_unsent(db, &policy, BATCH, now)?;
                    Ok(expired + unsent)
                })
                .await?;
            rows += done;
            if done == 0 {
                break;
            }
        }
        Ok(JobReport { rows })
    })
}

/// Tells open desks of the rows that left *Sent* lately. The query of the page is right without it.
#[must_use]
pub fn take_off_desk(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        // Twice the schedule, so that a late run misses nothing; telling twice does no harm.
        let since = now - TimeDelta::minutes(2);
        let rows = parts.store.write(move |db| expiry::tell_of_unlisted(db, since, now)).await?;
        Ok(JobReport { rows })
    })
}

/// Rescues claims whose worker is gone, and calls outcomes unknown that nothing settled in time.
#[must_use]
pub fn settle(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let budget = Budget::start(parts.budget);
        let mut rows = 0;
        while budget.is_left() {
            let policy = parts.policy.clone();
            let done = parts
                .store
                .write(move |db| -> Result<usize, PersistenceError> {
                    let rescued = outbox::rescue(db, &policy, BATCH, now)?;
                    let settled = outbox::settle_unknown(db, BATCH, now)?;
                    Ok(rescued.queued + rescued.parked + settled)
                })
                .await?;
            rows += done;
            if done == 0 {
                break;
            }
        }
        Ok(JobReport { rows })
    })
}
