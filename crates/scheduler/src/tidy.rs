//! The job that deletes what was kept long enough (JO-04): small batches under a time budget.

use chrono::{DateTime, TimeDelta, Utc};
use domain::policy::Policy;
use persistence::{
    compose, db::Db, error::PersistenceError, idempotency, job, retention, search, session,
};

use crate::job::{Budget, JobFuture, JobParts, JobReport};

/// Rows in one transaction, so that senders never wait long for it.
const BATCH: i64 = 500;
/// How long runs of jobs are kept.
const RUNS_KEPT: TimeDelta = TimeDelta::days(14);
/// How long what was searched for is kept after it was last asked for: longer than any session.
const SEARCHES_KEPT: TimeDelta = TimeDelta::hours(24);

type Step = fn(&mut Db, DateTime<Utc>) -> Result<usize, PersistenceError>;

/// Sessions past their end, idempotency keys, searches, previews of media, raw webhooks, refusals, stray
/// receipts, seen changes and runs of jobs.
#[must_use]
pub fn tidy(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let budget = Budget::start(parts.budget);
        let steps: [Step; 9] = [
            |db, now| session::delete_expired(db, now, BATCH),
            |db, now| {
                let kept = Policy::default_profile().retention.idempotency_keys;
                idempotency::delete_until(db, now - kept, BATCH)
            },
            |db, now| search::delete_until(db, now - SEARCHES_KEPT, BATCH),
            |db, now| compose::delete_media_until(db, now - compose::MEDIA_KEPT, BATCH),
            |db, now| {
                let kept = Policy::default_profile().retention.raw_webhooks;
                retention::delete_done_webhooks(db, now - kept, BATCH)
            },
            |db, now| {
                let kept = Policy::default_profile().retention.refusals;
                retention::delete_refusals(db, now - kept, BATCH)
            },
            |db, now| {
                let kept = Policy::default_profile().retention.stray_receipts;
                retention::put_stray_receipts_aside(db, now - kept, BATCH, now)
            },
            |db, now| {
                let kept = Policy::default_profile().retention.raw_webhooks;
                retention::delete_seen_changes(db, now - kept, BATCH)
            },
            |db, now| job::delete_old_runs(db, now - RUNS_KEPT, BATCH),
        ];
        let mut rows = 0;
        for step in steps {
            while budget.is_left() {
                let done = parts.store.write(move |db| db.write(|db| step(db, now))).await?;
                rows += done;
                if done == 0 {
                    break;
                }
            }
        }
        Ok(JobReport { rows })
    })
}
