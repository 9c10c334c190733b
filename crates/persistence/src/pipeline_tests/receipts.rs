//! Receipts in every order, and what a failure gives back.

use chrono::TimeDelta;
use diesel::prelude::*;
use domain::{
    channel::{PlatformRefusal, ReceiptStatus, RefusalClass},
    clock::Clock,
    ids::NumberId,
};

use super::{count, permutations, sent};
use crate::{
    admission, delivery,
    schema::early_receipts,
    test_desk::{TestDesk, accepted, receipt},
    test_support::on_both,
};

#[test]
fn receipts_in_any_order_and_number_give_one_view_also_before_our_own_answer() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let failed = ReceiptStatus::Failed {
            refusal: PlatformRefusal { code: "131049".into(), title: "t".into() },
            class: RefusalClass::Fail,
        };
        let kinds = [ReceiptStatus::Sent, ReceiptStatus::Delivered, ReceiptStatus::Read, failed];
        let orders = permutations(4);
        for (number, order) in orders.iter().enumerate() {
            for answer_after in [0, 2, 4] {
                desk.clock.advance(TimeDelta::seconds(7));
                let phone = format!("+35191{:07}", number * 10 + answer_after);
                let message = desk.send(desk.agents[0], &phone);
                let claims = desk.claim(10);
                let provider = format!("wamid.{number}.{answer_after}");
                let start = desk.clock.now();
                for (step, kind) in order.iter().enumerate() {
                    if step == answer_after {
                        let _recorded = desk.record(&claims[0], &accepted(&provider));
                    }
                    let at = start + TimeDelta::seconds(*kind as i64);
                    for _copy in 0..=(step % 3) {
                        let status = kinds[*kind].clone();
                        desk.apply(vec![receipt(&provider, None, status, at)]);
                    }
                }
                if answer_after == 4 {
                    let _recorded = desk.record(&claims[0], &accepted(&provider));
                }
                assert_eq!(desk.state_of(message), ("read".into(), None), "{order:?}");
            }
        }
        let waiting: i64 = count(&desk, |db| early_receipts::table.count().get_result(db)).unwrap();
        assert_eq!(waiting, 0, "every early receipt was joined");
    });
}

#[test]
fn a_failed_send_is_given_back_and_counts_again_when_it_was_read_after_all() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = sent(&desk, 0, "wamid.1");
        let number = NumberId(1);
        let counted = |desk: &TestDesk| {
            desk.store.blocking_read(|db| admission::check_counters(db, number)).unwrap()
        };
        assert_eq!(counted(&desk).day, 1);
        let at = desk.clock.now();
        let failed = ReceiptStatus::Failed {
            refusal: PlatformRefusal { code: "131026".into(), title: "t".into() },
            class: RefusalClass::FailContact,
        };
        desk.apply(vec![receipt("wamid.1", None, failed, at)]);
        assert_eq!(desk.state_of(message), ("failed".into(), Some("131026".into())));
        assert_eq!(counted(&desk).day, 0, "AD-03");
        desk.apply(vec![receipt("wamid.1", None, ReceiptStatus::Read, at)]);
        assert_eq!(desk.state_of(message).0, "read");
        assert_eq!(counted(&desk).day, 1);
        assert!(counted(&desk).is_none());
        let events = desk.store.blocking_read(|db| delivery::list_events(db, message)).unwrap();
        assert_eq!(events.len(), 3, "nothing is dropped from the history");
    });
}
