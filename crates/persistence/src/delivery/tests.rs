//! Property tests of the log and its view, on both databases (LI-02, LI-03, QUALITY I9).

use std::sync::atomic::{AtomicU32, Ordering};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{PlatformRefusal, ReceiptStatus, RefusalClass},
    clock::Clock,
    ids::MessageId,
};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::list_events;
use crate::{
    schema::early_receipts,
    test_desk::{TestDesk, accepted, receipt},
    test_support::{on_both, rounds},
};

/// A receipt: its second after the send, and what it tells. Seconds are few, so that they meet.
fn a_receipt() -> impl Strategy<Value = (i64, ReceiptStatus)> {
    let failed = |code: &'static str| ReceiptStatus::Failed {
        refusal: PlatformRefusal { code: code.into(), title: format!("title of {code}") },
        class: RefusalClass::Fail,
    };
    let status = prop_oneof![
        Just(ReceiptStatus::Sent),
        Just(ReceiptStatus::Delivered),
        Just(ReceiptStatus::Read),
        Just(failed("131026")),
        Just(failed("131049")),
        Just(failed("132015")),
    ];
    (0_i64..2, status)
}

/// A send with its receipts in two orders, and after how many of each our own answer is on record.
#[derive(Debug, Clone)]
struct Story {
    orders: [Vec<(i64, ReceiptStatus)>; 2],
    answer_after: [usize; 2],
}

/// Both orders tell the same; the second with copies.
fn a_story() -> impl Strategy<Value = Story> {
    prop::collection::vec(a_receipt(), 1..6).prop_flat_map(|told| {
        let copies = prop::sample::subsequence(told.clone(), 0..=told.len());
        let again = copies.prop_map({
            let told = told.clone();
            move |copies| [told.clone(), copies].concat()
        });
        (Just(told).prop_shuffle(), again.prop_shuffle(), 0_usize..6, 0_usize..11).prop_map(
            |(first, second, early, late)| Story {
                answer_after: [early.min(first.len()), late.min(second.len())],
                orders: [first, second],
            },
        )
    })
}

/// What is known of a message in the end: its states, its failure, and the platform's evidence.
type Known = ((String, Option<String>), Vec<String>);

/// Sends to a contact of its own and tells the receipts in this order, our own answer after so many.
fn tell(
    desk: &TestDesk,
    name: u32,
    order: &[(i64, ReceiptStatus)],
    answer_after: usize,
    start: DateTime<Utc>,
) -> Known {
    let message = desk.send(desk.agents[0], &format!("+35196{name:07}"));
    let claim = desk.claim(10).remove(0);
    let provider_id = format!("wamid.{name}");
    let answer = || {
        let _whatever_it_moved = desk.record(&claim, &accepted(&provider_id));
    };
    for (place, (second, status)) in order.iter().enumerate() {
        if place == answer_after {
            answer();
        }
        let at = start + TimeDelta::seconds(*second);
        desk.apply(vec![receipt(&provider_id, None, status.clone(), at)]);
    }
    if answer_after == order.len() {
        answer();
    }
    (desk.state_of(message), evidence(desk, message, start))
}

fn evidence(desk: &TestDesk, message: MessageId, start: DateTime<Utc>) -> Vec<String> {
    let events = desk.store.blocking_read(|db| list_events(db, message)).unwrap();
    let told = events.iter().map(|event| {
        let second = (event.at - start).num_seconds();
        format!("{second} {:?} {:?}", event.kind, event.source)
    });
    let mut told: Vec<String> = told.collect();
    told.sort_unstable();
    told
}

#[test]
fn any_order_and_any_copies_of_receipts_give_one_view_and_keep_all_evidence() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let names = AtomicU32::new(0);
        let cases = u32::try_from(rounds(24, 480)).unwrap();
        let mut runner =
            TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
        let checked = runner.run(&a_story(), |story| {
            desk.clock.advance(TimeDelta::seconds(10));
            let start = desk.clock.now();
            let known = [0, 1].map(|which| {
                let name = names.fetch_add(1, Ordering::SeqCst);
                tell(&desk, name, &story.orders[which], story.answer_after[which], start)
            });
            prop_assert_eq!(&known[0], &known[1]);
            let mut distinct: Vec<String> =
                story.orders[0].iter().map(|told| format!("{told:?}")).collect();
            distinct.sort_unstable();
            distinct.dedup();
            prop_assert_eq!(known[0].1.len(), distinct.len() + 1, "each once, and our answer");
            Ok(())
        });
        checked.unwrap();
        let waiting: i64 =
            store.blocking_read(|db| Ok(early_receipts::table.count().get_result(db)?)).unwrap();
        assert_eq!(waiting, 0, "every early receipt was joined");
    });
}
