//! Jobs about time that has passed: response windows, unsent messages, unknown outcomes
//! (LI-04, LI-07, LI-09).

use chrono::{DateTime, TimeDelta, Utc};
use persistence::{db::Db, error::PersistenceError, expiry, job, outbox};

use crate::job::{Budget, JobFuture, JobName, JobParts, JobReport};

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

/// Tells open desks of the rows that left *Sent* since the last run that went well. The query of the page is right
/// without it.
#[must_use]
pub fn take_off_desk(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let tell = move |db: &mut Db| {
            let told = job::find_last_done(db, JobName::OffDesk.as_str(), now)?;
            // At least twice the schedule, for clocks differ between processes; telling twice does no harm.
            let since = told.unwrap_or(now).min(now - TimeDelta::minutes(2));
            expiry::tell_of_unlisted(db, since, now)
        };
        let rows = parts.store.write(tell).await?;
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

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use domain::clock::Clock;
    use persistence::{
        job::{RunOutcome, Runner},
        test_desk::TestDesk,
        test_support::{TestStore, postgres_is_wanted},
    };

    use super::*;
    use crate::{SchedulerSettings, dispatch_policy};

    /// A run of the job at `at` that ends as `outcome` says.
    fn record_run(store: &TestStore, outcome: &RunOutcome, at: DateTime<Utc>) {
        let name = JobName::OffDesk.as_str();
        let run = |db: &mut Db| {
            let lease = job::acquire_lease(db, "jobs", "us", TimeDelta::seconds(90), at)?;
            let fence = lease.unwrap().fence;
            let runner = Runner { lease: "jobs", owner: "us", fence };
            let run = job::start_run(db, name, at, runner, at)?.unwrap();
            job::finish_run(db, run, outcome, at)
        };
        store.blocking_write(run).unwrap();
    }

    #[test]
    fn li_05_a_late_run_tells_of_all_that_left_the_desk_since_the_last_that_went_well() {
        let mut stores = vec![TestStore::sqlite()];
        if postgres_is_wanted() {
            stores.push(TestStore::postgres());
        }
        for store in stores {
            let desk = TestDesk::new(&store);
            let sent_at = desk.clock.now();
            let sent = desk.send(desk.agents[0], "+351912345678");
            desk.deliver_to_platform(sent, "wamid.sent");
            let parts = JobParts {
                store: store.clone(),
                clock: desk.clock.clone(),
                channels: Arc::default(),
                policy: Arc::new(dispatch_policy(&SchedulerSettings::default())),
                budget: Duration::from_secs(60),
            };
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let rows_at = |now| runtime.block_on(take_off_desk(parts.clone(), now)).unwrap().rows;
            // On the desk until 48 h after the end of a window of 24 h.
            let late = sent_at + TimeDelta::hours(73);
            record_run(&store, &RunOutcome::Done { rows: 0 }, sent_at);
            let failed = RunOutcome::Failed { error: "the database failed".to_owned() };
            record_run(&store, &failed, late - TimeDelta::minutes(3));
            assert_eq!(rows_at(late), 1);
            record_run(&store, &RunOutcome::Done { rows: 1 }, late);
            assert_eq!(rows_at(late + TimeDelta::minutes(10)), 0, "told already");
        }
    }
}
