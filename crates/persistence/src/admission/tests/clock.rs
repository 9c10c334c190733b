//! What admission and the cursors do while the wall clock is not trusted.

use std::sync::Arc;

use domain::clock_guard::GuardedClock;

use super::*;
use crate::{
    schema::{numbers, outbox},
    test_desk::TestClock,
};

/// Until when the counters of the only number are exact.
fn cursors(desk: &Desk) -> (Instant, Instant) {
    let columns = (numbers::day_expired_through, numbers::week_expired_through);
    desk.store.blocking_read(|db| Ok(numbers::table.select(columns).first(db)?)).unwrap()
}

#[test]
fn jo_05_nothing_is_admitted_and_no_cursor_moves_until_the_clocks_agreed_for_ten_minutes() {
    on_both(|store| {
        let desk = Desk::given(store);
        let contact = desk.contact("Luísa", "+5511987654321");
        let draft = desk.draft(Recipient::Contact(contact), desk.ana.id());
        let hands = Arc::new(TestClock::at(desk.clock.now()));
        let clock = GuardedClock::new(Arc::clone(&hands));
        let send = || {
            store.blocking_write(|db| admit_and_queue(db, &desk.ana, &draft, &clock).map(queued))
        };
        let number = store
            .blocking_read(|db| Ok(numbers::table.select(numbers::id).first(db)?))
            .map(domain::ids::NumberId)
            .unwrap();
        hands.set_ahead(TimeDelta::minutes(5));
        send().expect("five minutes are no jump");
        hands.set_ahead(TimeDelta::days(2));
        let before = (count_rows(&desk), cursors(&desk));
        for wait in [TimeDelta::zero(), TimeDelta::minutes(10) - TimeDelta::milliseconds(1)] {
            hands.advance(wait);
            let moved = store.blocking_write(|db| expire(db, number, &clock, 100));
            let promoted = store.blocking_write(|db| promote(db, number, &clock));
            assert!(matches!(send(), Err(PersistenceError::ClockJumped)));
            assert!(matches!(moved, Err(PersistenceError::ClockJumped)));
            assert!(matches!(promoted, Err(PersistenceError::ClockJumped)));
        }
        assert_eq!((count_rows(&desk), cursors(&desk)), before, "nothing was consumed");
        hands.advance(TimeDelta::milliseconds(1));
        send().expect("ten minutes of agreement");
        store.blocking_write(|db| expire(db, number, &clock, 100)).expect("cursors go on");
        assert!(before.1 < cursors(&desk));
    });
}

#[test]
fn jo_05_once_a_clock_that_was_set_back_is_confirmed_a_send_goes_at_once() {
    on_both(|store| {
        let desk = Desk::given(store);
        let number = store
            .blocking_read(|db| Ok(numbers::table.select(numbers::id).first(db)?))
            .map(domain::ids::NumberId)
            .unwrap();
        let hands = TestClock::at(desk.clock.now() + TimeDelta::hours(1));
        store.blocking_write(|db| expire(db, number, &hands, 100)).expect("cursors go on");
        hands.set_ahead(TimeDelta::hours(-1));
        let contact = desk.contact("Luísa", "+5511987654321");
        let draft = desk.draft(Recipient::Contact(contact), desk.ana.id());
        let sent =
            store.blocking_write(|db| admit_and_queue(db, &desk.ana, &draft, &hands).map(queued));
        let message = sent.expect("the clock is trusted").message;
        let due_at: Instant = store
            .blocking_read(|db| {
                Ok(outbox::table.find(message.0).select(outbox::due_at).first(db)?)
            })
            .unwrap();
        assert_eq!(DateTime::from(due_at), hands.now(), "not in an hour");
    });
}
