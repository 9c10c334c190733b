//! The lease of the jobs, and the end of their runs.

use std::thread;

use chrono::{DateTime, TimeDelta};
use diesel::prelude::*;
use domain::clock::Clock;

use crate::{
    error::PersistenceError,
    job::{self, TimetableLine},
    schema::job_leases,
    test_desk::TestDesk,
    test_support::on_both,
};

#[test]
fn runs_nobody_will_end_are_closed_so_that_their_jobs_start_again() {
    on_both(|store| {
        let now = TestDesk::new(store).clock.now();
        store
            .blocking_write(|db| {
                let lease = job::acquire_lease(db, "jobs", "us", TimeDelta::seconds(90), now)?;
                let fence = lease.unwrap().fence;
                let us = job::Runner { lease: "jobs", owner: "us", fence };
                for name in ["lost", "running"] {
                    assert!(job::start_run(db, name, now, us, now)?.is_some());
                }
                let later = now + TimeDelta::hours(1);
                assert!(job::start_run(db, "lost", later, us, later)?.is_none(), "still open");
                assert_eq!(job::close_interrupted_runs(db, us, &["running"], later)?, 1);
                assert!(job::start_run(db, "lost", later, us, later)?.is_some());
                assert!(job::start_run(db, "running", later, us, later)?.is_none());
                job::release_lease(db, "jobs", "us", later)?;
                let lease = job::acquire_lease(db, "jobs", "them", TimeDelta::hours(1), later)?;
                let fence = lease.unwrap().fence;
                let them = job::Runner { lease: "jobs", owner: "them", fence };
                assert_eq!(job::close_interrupted_runs(db, them, &[], later)?, 2);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn jo_03_a_wish_for_a_run_goes_with_the_opening_of_one_and_not_before() {
    on_both(|store| {
        let now = TestDesk::new(store).clock.now();
        let wishes = || store.blocking_read(job::list_run_requests).unwrap();
        let line = TimetableLine {
            name: "tidy".to_owned(),
            schedule: "0 * * * * *".to_owned(),
            time_zone: "UTC".to_owned(),
            next_run_at: None,
        };
        let us = store
            .blocking_write(|db| {
                job::save_timetable(db, &[line])?;
                job::request_run(db, "tidy", now)?;
                let lease = job::acquire_lease(db, "jobs", "us", TimeDelta::seconds(90), now)?;
                let fence = lease.unwrap().fence;
                Ok(job::Runner { lease: "jobs", owner: "us", fence })
            })
            .unwrap();
        let start =
            |runner, at| store.blocking_write(|db| job::start_run(db, "tidy", at, runner, at));
        let replaced = job::Runner { fence: us.fence - 1, ..us };
        assert_eq!(start(replaced, now).unwrap(), None, "the lease moved on");
        assert_eq!(wishes(), ["tidy"], "whoever holds the lease now still reads it");

        let dies_before_the_commit = store.blocking_write(|db| {
            db.write(|db| {
                assert!(job::start_run(db, "tidy", now, us, now)?.is_some());
                Err::<(), _>(PersistenceError::ThreadLost)
            })
        });
        assert!(matches!(dies_before_the_commit, Err(PersistenceError::ThreadLost)));
        assert_eq!(wishes(), ["tidy"]);

        assert!(start(us, now).unwrap().is_some());
        assert_eq!(wishes(), [""; 0]);
        store.blocking_write(|db| job::request_run(db, "tidy", now)).unwrap();
        let later = now + TimeDelta::seconds(1);
        assert_eq!(start(us, later).unwrap(), None, "another run has not ended");
        assert_eq!(wishes(), ["tidy"]);
    });
}

#[test]
fn jo_02_eight_contenders_never_share_the_jobs_lease_nor_a_fence() {
    on_both(|store| {
        let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let mut holders: Vec<(i64, String)> = Vec::new();
        for round in 0..20 {
            let now = start + TimeDelta::seconds(round * 50);
            let got: Vec<(i64, String)> = thread::scope(|scope| {
                let contenders: Vec<_> = (0..8)
                    .map(|contender| {
                        scope.spawn(move || {
                            let owner = format!("process {contender}");
                            let ttl = TimeDelta::seconds(90);
                            store
                                .blocking_write(|db| {
                                    job::acquire_lease(db, "scheduler", &owner, ttl, now)
                                })
                                .unwrap()
                                .map(|lease| (lease.fence, owner))
                        })
                    })
                    .collect();
                contenders.into_iter().filter_map(|one| one.join().unwrap()).collect()
            });
            assert_eq!(got.len(), 1, "one holder at a time");
            holders.extend(got);
        }
        for (fence, owner) in &holders {
            let of_fence = holders.iter().filter(|(other, _)| other == fence);
            assert!(of_fence.into_iter().all(|(_, other)| other == owner));
        }
        let rows: i64 =
            store.blocking_read(|db| Ok(job_leases::table.count().get_result(db)?)).unwrap();
        assert_eq!(rows, 1);
    });
}
