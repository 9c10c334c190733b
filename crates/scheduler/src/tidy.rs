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

/// What is deleted, one kind after the other.
const STEPS: [Step; 9] = [
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

/// Sessions past their end, idempotency keys, searches, previews of media, raw webhooks, refusals, stray
/// receipts, seen changes and runs of jobs.
#[must_use]
pub fn tidy(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let budget = Budget::start(parts.budget);
        let mut rows = 0;
        for step in STEPS {
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

#[cfg(test)]
mod tests {
    use domain::{channel::MediaFile, clock::Clock, template::MediaKind};
    use persistence::{test_desk::TestDesk, test_support::on_both};

    use super::*;

    #[test]
    fn jo_04_searches_and_files_for_previews_go_with_age() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let (ana, now) = (desk.agents[0], desk.clock.now());
            let (search, file) = store
                .blocking_write(|db| {
                    let search = search::save(db, ana, "Luísa", now)?;
                    let file = MediaFile {
                        content_type: "image/png".to_owned(),
                        size: 3,
                        name: "tile.png".to_owned(),
                        preview: Some(vec![1, 2, 3]),
                    };
                    let (url, kind) = ("https://shop.example/tile.png", MediaKind::Image);
                    let file = compose::save_media(db, ana, url, kind, file, now)?;
                    Ok((search.unwrap().id, file.id))
                })
                .unwrap();
            let tidy_at = |now| {
                store
                    .blocking_write(|db| STEPS.iter().try_for_each(|step| step(db, now).map(drop)))
                    .unwrap();
            };
            let are_kept = || {
                store
                    .blocking_read(|db| {
                        let has_search = search::find(db, ana, &search)?.is_some();
                        Ok((has_search, compose::get_media(db, ana, &file).is_ok()))
                    })
                    .unwrap()
            };
            tidy_at(now + SEARCHES_KEPT - TimeDelta::milliseconds(1));
            assert_eq!(are_kept(), (true, true));
            tidy_at(now + SEARCHES_KEPT);
            assert_eq!(are_kept(), (false, true));
            tidy_at(now + compose::MEDIA_KEPT);
            assert_eq!(are_kept(), (false, false));
        });
    }
}
