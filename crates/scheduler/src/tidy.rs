//! The job that deletes what was kept long enough (JO-04): small batches under a time budget.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use domain::policy::{Policy, RetentionPolicy};
use persistence::{
    compose, db::Db, error::PersistenceError, idempotency, inbox, job, media, policy, retention,
    search, session, signal,
};

use crate::job::{Budget, JobFuture, JobParts, JobReport};

/// Rows in one transaction, so that senders never wait long for it.
const BATCH: i64 = 500;
/// How long runs of jobs are kept.
const RUNS_KEPT: TimeDelta = TimeDelta::days(14);
/// How long what was searched for is kept after it was last asked for: longer than any session.
const SEARCHES_KEPT: TimeDelta = TimeDelta::hours(24);

/// How long it is kept what was told as read: it is not told again that long.
const SIGNALS_KEPT: TimeDelta = TimeDelta::days(30);

/// How long what came and nobody has a use for is counted after it last came.
const UNUSED_KEPT: TimeDelta = TimeDelta::days(90);

/// How long a file is kept that an agent chose and did not send.
const UNSENT_KEPT: TimeDelta = TimeDelta::hours(24);
/// Files are large: few go in one transaction.
const FEW_FILES: i64 = 10;

type Step = fn(&mut Db, &RetentionPolicy, DateTime<Utc>) -> Result<usize, PersistenceError>;

/// What is deleted, one kind after the other.
const STEPS: [Step; 13] = [
    |db, _, now| session::delete_expired(db, now, BATCH),
    |db, kept, now| idempotency::delete_until(db, now - kept.idempotency_keys, BATCH),
    |db, _, now| search::delete_until(db, now - SEARCHES_KEPT, BATCH),
    |db, _, now| compose::delete_media_until(db, now - compose::MEDIA_KEPT, BATCH),
    |db, _, now| media::delete_unsent(db, now - UNSENT_KEPT, FEW_FILES),
    |db, kept, now| retention::delete_done_webhooks(db, now - kept.raw_webhooks, BATCH),
    |db, kept, now| retention::delete_refusals(db, now - kept.refusals, BATCH),
    |db, kept, now| retention::put_stray_receipts_aside(db, now - kept.stray_receipts, BATCH, now),
    |db, kept, now| retention::delete_seen_changes(db, now - kept.raw_webhooks, BATCH),
    |db, kept, now| retention::delete_stray_changes(db, now - kept.raw_webhooks, BATCH),
    |db, _, now| inbox::delete_kept(db, now - UNUSED_KEPT, BATCH),
    |db, _, now| signal::delete_old(db, now - SIGNALS_KEPT, BATCH),
    |db, _, now| job::delete_old_runs(db, now - RUNS_KEPT, BATCH),
];

/// Sessions past their end, idempotency keys, searches, previews of media, raw webhooks, refusals, stray
/// receipts, seen changes, kinds of what nobody has a use for and runs of jobs.
#[must_use]
pub fn tidy(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let budget = Budget::start(parts.budget);
        let mut rows = 0;
        let policy = parts.store.write(move |db| find_policy(db, now)).await?;
        for step in STEPS {
            while budget.is_left() {
                let policy = Arc::clone(&policy);
                let batch = move |db: &mut Db| db.write(|db| step(db, &policy.retention, now));
                let done = parts.store.write(batch).await?;
                rows += done;
                if done == 0 {
                    break;
                }
            }
        }
        Ok(JobReport { rows })
    })
}

/// The workspace's policy, which says how long things are kept.
fn find_policy(db: &mut Db, now: DateTime<Utc>) -> Result<Arc<Policy>, PersistenceError> {
    let id = policy::find_or_create_default(db, now)?;
    policy::get(db, id)
}

#[cfg(test)]
mod tests {
    use domain::{channel::MediaFile, clock::Clock, template::MediaKind};
    use persistence::{
        idempotency::{IdempotencyKey, KeyOwner},
        test_desk::TestDesk,
        test_support::on_both,
    };

    use super::*;

    fn take_each_step(db: &mut Db, now: DateTime<Utc>) -> Result<(), PersistenceError> {
        let policy = find_policy(db, now)?;
        STEPS.iter().try_for_each(|step| step(db, &policy.retention, now).map(drop))
    }

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
                store.blocking_write(|db| take_each_step(db, now)).unwrap();
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

    #[test]
    fn jo_04_how_long_a_key_is_kept_is_the_workspaces_policy() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let now = desk.clock.now();
            let key = IdempotencyKey {
                owner: KeyOwner::User(desk.agents[0]),
                key: "one click".to_owned(),
                body_hash: "00".to_owned(),
            };
            store
                .blocking_write(|db| {
                    let mut policy = Policy::default_profile();
                    policy.retention.idempotency_keys = TimeDelta::hours(1);
                    policy::save_version(db, policy::DEFAULT_PROFILE, &policy, now)?;
                    idempotency::save(db, &key, "1 2 3", now - TimeDelta::days(1), now)
                })
                .unwrap();
            let is_kept_at = |at| {
                store.blocking_write(|db| take_each_step(db, at)).unwrap();
                let ever = now - TimeDelta::days(1);
                store.blocking_read(|db| idempotency::find(db, &key, ever)).unwrap().is_some()
            };
            assert!(is_kept_at(now + TimeDelta::hours(1) - TimeDelta::milliseconds(1)));
            assert!(!is_kept_at(now + TimeDelta::hours(1)));
        });
    }
}
