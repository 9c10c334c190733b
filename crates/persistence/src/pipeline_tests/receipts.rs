//! Receipts in every order, and what a failure gives back.

use chrono::TimeDelta;
use diesel::{connection::SimpleConnection, prelude::*};
use domain::{
    channel::{PlatformRefusal, ReceiptStatus, RefusalClass},
    clock::Clock,
    ids::NumberId,
};

use super::{count, permutations, sent};
use crate::{
    admission,
    db::Db,
    delivery,
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

#[test]
fn receipts_that_come_together_tell_what_they_tell_alone() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [first, second] = [sent(&desk, 0, "wamid.1"), sent(&desk, 1, "wamid.2")];
        let unanswered = desk.send(desk.agents[0], "+351912000003");
        let _under_way = desk.claim(1);
        let callback = desk.callback_of(unanswered);
        let at = desk.clock.now();
        let of_another_account = {
            let mut receipt = receipt("wamid.1", None, ReceiptStatus::Read, at);
            receipt.external_id = Some("730055819924499".into());
            receipt
        };
        let report = desk.apply(vec![
            receipt("wamid.1", None, ReceiptStatus::Delivered, at),
            receipt("wamid.2", None, ReceiptStatus::Read, at),
            receipt("wamid.1", None, ReceiptStatus::Delivered, at),
            // The next but one says whose it is.
            receipt("wamid.3", None, ReceiptStatus::Read, at),
            of_another_account,
            receipt("wamid.3", callback.as_deref(), ReceiptStatus::Sent, at),
            receipt("wamid.4", None, ReceiptStatus::Sent, at),
            receipt("wamid.2", None, ReceiptStatus::Sent, at),
        ]);
        let told = (report.applied, report.copies, report.waiting, report.quarantined);
        assert_eq!(told, (4, 1, 2, 1));
        let states = [first, second, unanswered].map(|message| desk.state_of(message).0);
        assert_eq!(states, ["delivered", "read", "read"], "LI-02, LI-09");
        let waiting: i64 = count(&desk, |db| early_receipts::table.count().get_result(db)).unwrap();
        assert_eq!(waiting, 1, "the one whose message nobody sent");
    });
}

#[test]
fn a_receipt_that_cannot_be_recorded_spoils_none_that_come_with_it() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let messages = [sent(&desk, 0, "wamid.1"), sent(&desk, 1, "wamid.2")];
        let refuse_it = |db: &mut Db| {
            let rule = match db {
                Db::Sqlite(_) => {
                    "CREATE TRIGGER refuse BEFORE INSERT ON delivery_events WHEN NEW.code = 'poison'
                     BEGIN UPDATE messages SET state = NULL WHERE id = NEW.message_id; END"
                }
                Db::Postgres(_) => "ALTER TABLE delivery_events ADD CHECK (code <> 'poison')",
            };
            db.batch_execute(rule)?;
            Ok(())
        };
        store.blocking_write(refuse_it).unwrap();
        let poison = ReceiptStatus::Failed {
            refusal: PlatformRefusal { code: "poison".into(), title: "t".into() },
            class: RefusalClass::Fail,
        };
        let at = desk.clock.now();
        let report = desk.apply(vec![
            receipt("wamid.1", None, ReceiptStatus::Delivered, at),
            receipt("wamid.1", None, poison, at),
            receipt("wamid.2", None, ReceiptStatus::Read, at),
        ]);
        assert_eq!((report.applied, report.quarantined), (2, 1));
        assert_eq!(messages.map(|message| desk.state_of(message).0), ["delivered", "read"]);
    });
}
