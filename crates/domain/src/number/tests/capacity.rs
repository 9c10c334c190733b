//! Table R: the limit and how long it holds.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::{
    calendar::{day, milliseconds},
    channel::ChannelKind,
    number::{
        capacity::{Capacity, blocking_place, capacity, tier_until},
        given::Given,
    },
    policy::Policy,
    session_window::{SessionFacts, free_form_refusal},
};

const LIMIT: u32 = 1_000;

/// Sends one notification to `contact` unless the limit is reached.
fn tried(given: Given, contact: u32, at: DateTime<Utc>) -> (Given, bool) {
    match capacity(given.count_at(at), LIMIT) {
        Capacity::Open => (given.notified(contact..contact + 1, at), true),
        Capacity::LimitReached => (given, false),
    }
}

fn until(given: &Given, limit: u32, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    tier_until(&given.counted_instants(now), limit, given.policy.tiers.window)
}

#[test]
fn r1_a_second_message_to_the_same_contact_is_not_counted_again() {
    let given = Given::number().notified(0..999, day(1, "09:00"));
    let (given, passed) = tried(given, 5, day(1, "10:00"));
    assert!(passed);
    assert_eq!(given.count_at(day(1, "10:00")), 999);
}

#[test]
fn nu_07_r2_r3_the_last_place_is_taken_and_then_the_limit_is_reached() {
    let given = Given::number().notified(0..999, day(1, "09:00"));
    let (given, passed) = tried(given, 999, day(1, "10:00"));
    assert!(passed, "R2");
    assert_eq!(capacity(given.count_at(day(1, "10:00")), LIMIT), Capacity::LimitReached);
    let (given, new_contact_passed) = tried(given, 1_000, day(1, "10:01"));
    let (_, counted_contact_passed) = tried(given, 5, day(1, "10:01"));
    assert!(!new_contact_passed && !counted_contact_passed, "R3");
    let policy = Policy::default();
    let session = SessionFacts { last_inbound_at: Some(day(1, "09:30")), sent_since: 3 };
    let rule = policy.session_window(ChannelKind::WhatsApp);
    assert_eq!(free_form_refusal(rule, session, day(1, "10:01")), None, "R3: free text");
}

#[test]
fn cl_01_nu_07_r4_all_of_a_day_leave_together() {
    let given = Given::number().notified(0..1_000, day(1, "09:00:00"));
    assert_eq!(until(&given, LIMIT, day(1, "12:00")), Some(day(2, "09:00:00")));
    let capacity_at = |now| capacity(given.count_at(now), LIMIT);
    assert_eq!(capacity_at(day(2, "08:59:59")), Capacity::LimitReached);
    assert_eq!(capacity_at(day(2, "08:59:59.999")), Capacity::LimitReached);
    assert_eq!(capacity_at(day(2, "09:00:00")), Capacity::Open);
    assert_eq!(given.count_at(day(2, "09:00:00")), 0);
}

#[test]
fn r5_a_later_message_moves_its_contact_on() {
    let given = Given::number()
        .notified(0..999, day(1, "09:00"))
        .notified(7..8, day(1, "14:00"))
        .notified(999..1_000, day(1, "15:00"));
    assert_eq!(given.count_at(day(2, "08:59:59.999")), 1_000);
    assert_eq!(given.count_at(day(2, "09:00")), 2);
}

#[test]
fn r6_of_two_for_the_last_place_one_passes() {
    let given = Given::number().notified(0..999, day(1, "09:00"));
    let now = day(1, "10:00");
    let (given, first) = tried(given, 2_000, now);
    let (_, second) = tried(given, 2_001, now);
    assert_eq!((first, second), (true, false));
}

#[test]
fn r7_a_template_inside_an_open_window_leaves_the_count() {
    let given = Given::number()
        .notified(0..1_000, day(1, "09:00"))
        .answered_inside_the_window(990..1_010, day(1, "11:00"));
    assert_eq!(given.count_at(day(1, "12:00")), 1_000);
}

#[test]
fn r8_under_a_fallen_limit_it_is_the_363rd_oldest_that_counts() {
    let given = (0..612).fold(Given::number(), |given, contact| {
        let at = day(1, "09:00") + TimeDelta::seconds(i64::from(contact));
        given.notified(contact..contact + 1, at)
    });
    let oldest_363rd = day(1, "09:00") + TimeDelta::seconds(362);
    let now = day(1, "12:00");
    assert_eq!(blocking_place(612, 250), Some(362));
    assert_eq!(until(&given, 250, now), Some(oldest_363rd + TimeDelta::hours(24)));
}

#[test]
fn a_failure_gives_the_contacts_former_instant_back() {
    let given = Given::number().notified(0..1, day(1, "09:00")).failed(
        0..1,
        day(1, "12:00"),
        day(1, "12:05"),
    );
    assert_eq!(given.counted_instants(day(1, "12:04")), [day(1, "12:00")]);
    assert_eq!(given.counted_instants(day(1, "12:05")), [day(1, "09:00")]);
}

#[test]
fn below_the_limit_there_is_nothing_to_wait_for_and_at_none_waiting_is_in_vain() {
    assert_eq!(blocking_place(999, 1_000), None);
    assert_eq!(blocking_place(1_000, 1_000), Some(0));
    assert_eq!(blocking_place(5, 0), None);
    assert_eq!(capacity(0, 0), Capacity::LimitReached);
    assert_eq!(tier_until(&[], 0, TimeDelta::hours(24)), None);
}

proptest! {
    #[test]
    fn waiting_until_is_enough_and_a_millisecond_less_is_not(
        sends in prop::collection::vec((0_u32..40, 0_i64..24 * 60), 1..120), limit in 1_u32..40,
    ) {
        let start = day(1, "09:00");
        let given = sends.iter().fold(Given::number(), |given, (contact, minutes)| {
            given.notified(*contact..*contact + 1, start + TimeDelta::minutes(*minutes))
        });
        let now = start + TimeDelta::minutes(24 * 60 - 1);
        match until(&given, limit, now) {
            None => prop_assert_eq!(capacity(given.count_at(now), limit), Capacity::Open),
            Some(until) => {
                prop_assert!(now < until);
                let before = given.count_at(until - milliseconds(1));
                prop_assert_eq!(capacity(before, limit), Capacity::LimitReached);
                prop_assert_eq!(capacity(given.count_at(until), limit), Capacity::Open);
            }
        }
    }

    #[test]
    fn no_window_ever_holds_more_than_the_limit(
        tries in prop::collection::vec((0_u32..30, 0_i64..72 * 60), 1..150), limit in 1_u32..12,
    ) {
        let mut tries = tries;
        tries.sort_by_key(|(_, minutes)| *minutes);
        let mut given = Given::number();
        for (contact, minutes) in tries {
            let at = day(1, "09:00") + TimeDelta::minutes(minutes);
            if capacity(given.count_at(at), limit) == Capacity::Open {
                given = given.notified(contact..contact + 1, at);
            }
            prop_assert!(given.count_at(at) <= limit);
        }
    }
}
