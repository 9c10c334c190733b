//! 64 threads on the last place: exactly one passes (AD-02).

use std::{sync::Barrier, thread};

use domain::{contact_cap::CapScope, phone::PhoneNumber};

use super::{codes, key, queued};
use crate::{
    admission::{Draft, Outcome, Recipient, admit_and_queue, check_counters},
    given::Desk,
    store::Store,
    test_support::{TestStore, on_both, rounds},
};

const THREADS: usize = 64;

/// Sends each draft on a thread of its own, all at once. Every second one goes through `other`, a second store
/// of the same database: it has a pool and connections of its own, so that the two share what two processes
/// share, the database and its locks, and nothing else that would queue them one behind the other.
fn race(desk: &Desk, other: &Store, drafts: &[Draft]) -> Vec<Outcome> {
    let barrier = Barrier::new(drafts.len());
    thread::scope(|scope| {
        let threads: Vec<_> = drafts
            .iter()
            .enumerate()
            .map(|(at, draft)| {
                let store = if at % 2 == 1 { other } else { &desk.store };
                let barrier = &barrier;
                scope.spawn(move || {
                    barrier.wait();
                    store
                        .blocking_write(|db| admit_and_queue(db, &desk.ana, draft, &desk.clock))
                        .unwrap()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

fn passed(outcomes: &[Outcome]) -> usize {
    outcomes.iter().filter(|outcome| codes(outcome).is_empty()).count()
}

fn second_store(test: &TestStore) -> Store {
    Store::open(test.settings()).unwrap()
}

#[test]
fn exactly_one_takes_the_last_place_of_a_cap() {
    on_both(|test| {
        let (desk, other) = (Desk::given(test), second_store(test));
        desk.save_cap(true, 3, CapScope::EachAgent);
        for round in 0..rounds(50, 500) {
            let contact = desk.contact("Luísa", &format!("+55119{round:08}"));
            let draft = desk.draft(Recipient::Contact(contact), desk.ana.id());
            queued(desk.send(&draft));
            queued(desk.send(&draft));
            let outcomes = race(&desk, &other, &vec![draft; THREADS]);
            assert_eq!(passed(&outcomes), 1, "round {round}");
        }
    });
}

#[test]
fn exactly_one_takes_the_last_place_of_a_tier() {
    on_both(|test| {
        let (desk, other) = (Desk::given(test), second_store(test));
        let rounds = rounds(50, 500);
        for round in 0..rounds {
            desk.save_platform_limit(i64::try_from(round + 1).unwrap());
            let drafts: Vec<Draft> = (0..THREADS)
                .map(|at| {
                    let phone = format!("+55118{:08}", round * THREADS + at);
                    let phone = PhoneNumber::from_e164(&phone).unwrap();
                    desk.draft(Recipient::Phone(phone), desk.ana.id())
                })
                .collect();
            assert_eq!(passed(&race(&desk, &other, &drafts)), 1, "round {round}");
        }
        let drift = test.blocking_read(|db| check_counters(db, desk.number)).unwrap();
        assert!(drift.is_none(), "{drift:?}");
        assert_eq!(drift.day, i64::try_from(rounds).unwrap());
    });
}

#[test]
fn one_key_from_64_threads_is_one_message() {
    on_both(|test| {
        let (desk, other) = (Desk::given(test), second_store(test));
        for round in 0..rounds(10, 100) {
            let phone = PhoneNumber::from_e164(&format!("+34600111{round:03}")).unwrap();
            let mut draft = desk.draft(Recipient::Phone(phone), desk.ana.id());
            draft.key = Some(key(&format!("key {round}"), b"body"));
            let outcomes = race(&desk, &other, &vec![draft; THREADS]);
            let mut messages = Vec::new();
            let mut first = 0;
            for outcome in outcomes {
                match outcome {
                    Outcome::Queued(queued) => {
                        first += 1;
                        messages.push(queued);
                    }
                    Outcome::Replayed(queued) => messages.push(queued),
                    other => panic!("{other:?}"),
                }
            }
            assert_eq!((first, messages.len()), (1, THREADS));
            assert!(messages.iter().all(|queued| *queued == messages[0]));
        }
    });
}
