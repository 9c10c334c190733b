//! Table P: when a number rises.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::{
    calendar::{day, milliseconds},
    number::{
        given::Given,
        quality::Rating,
        standing::Standing,
        tier::{Level, PromotionObstacle, promotion, promotion_obstacles},
    },
};

/// P1's sends: 1,000 contacts on day 1 and 1,000 others on day 2, at 09:00.
fn two_full_days() -> Given {
    Given::number().notified(0..1_000, day(1, "09:00")).notified(1_000..2_000, day(2, "09:00"))
}

/// `contacts` new ones daily at 10:00 for five weeks.
fn new_contacts_daily(contacts: u32) -> Given {
    (0..35).fold(Given::number(), |given, number| {
        let first = number * contacts;
        given.notified(first..first + contacts, day(i64::from(number) + 1, "10:00"))
    })
}

fn assert_levels(given: &Given, cases: &[(&str, DateTime<Utc>, u8)]) {
    for (case, now, level) in cases {
        assert_eq!(given.level_at(*now), *level, "{case}, at {now}");
    }
}

#[test]
fn nu_10_p1_two_full_days_lift_after_48_hours_to_the_second() {
    assert_levels(
        &two_full_days(),
        &[
            ("P1: a second too early", day(3, "08:59:59"), 1),
            ("P1: a millisecond too early", day(3, "08:59:59.999"), 1),
            ("P1: in time", day(3, "09:00:00"), 2),
        ],
    );
}

#[test]
fn nu_10_p2_300_new_contacts_a_day_lift_on_the_seventh() {
    assert_levels(
        &new_contacts_daily(300),
        &[
            ("P2: 1,800", day(6, "23:59"), 1),
            ("P2: just before", day(7, "09:59:59.999"), 1),
            ("P2: 2,100", day(7, "10:00"), 2),
        ],
    );
}

#[test]
fn nu_10_p3_a_few_contacts_a_day_decide() {
    assert_levels(&new_contacts_daily(285), &[("P3: 1,995", day(35, "23:00"), 1)]);
    assert_levels(
        &new_contacts_daily(286),
        &[("P3: 1,716", day(6, "10:00"), 1), ("P3: 2,002", day(7, "10:00"), 2)],
    );
}

#[test]
fn nu_10_p4_the_same_contacts_again_never_lift() {
    let given =
        Given::number().notified(0..1_000, day(1, "09:00")).notified(0..1_000, day(2, "09:00"));
    assert_levels(&given, &[("P4", day(3, "09:00"), 1), ("P4: weeks later", day(30, "09:00"), 1)]);
}

#[test]
fn nu_10_p5_one_more_contact_lifts_when_it_is_sent() {
    let given = Given::number()
        .notified(0..1_000, day(1, "09:00"))
        .notified(999..1_999, day(2, "09:00"))
        .notified(1_999..2_000, day(3, "09:05"));
    assert_levels(&given, &[("P5: 1,999", day(3, "09:00"), 1), ("P5: 2,000", day(3, "09:05"), 2)]);
}

#[test]
fn nu_10_p6_failed_sends_do_not_count() {
    let given = Given::number()
        .notified(0..1_000, day(1, "09:00"))
        .notified(1_000..1_997, day(2, "09:00"))
        .failed(1_997..2_000, day(2, "09:00"), day(2, "09:01"));
    let further = given.clone().notified(3_000..3_003, day(3, "11:00"));
    let two_further = given.clone().notified(3_000..3_002, day(3, "11:00"));
    assert_levels(&given, &[("P6: three failed", day(6, "09:00"), 1)]);
    assert_levels(&two_further, &[("P6: two further", day(6, "09:00"), 1)]);
    assert_levels(
        &further,
        &[("P6: before", day(3, "10:59"), 1), ("P6: three further", day(3, "11:00"), 2)],
    );
}

#[test]
fn nu_10_p7_while_low_it_stays_and_rises_when_it_turns_medium() {
    let given =
        two_full_days().rated(Rating::Low, day(2, "12:00")).rated(Rating::Medium, day(5, "12:00"));
    assert_levels(
        &given,
        &[("P7: low", day(5, "11:59:59"), 1), ("P7: medium", day(5, "12:00"), 2)],
    );
}

#[test]
fn nu_10_p8_contacts_that_aged_out_are_gone() {
    let given =
        two_full_days().rated(Rating::Low, day(2, "12:00")).rated(Rating::Medium, day(9, "00:00"));
    assert_levels(&given, &[("P8", day(9, "00:00"), 1), ("P8: later", day(20, "00:00"), 1)]);
}

#[test]
fn nu_10_p9_p10_seven_days_are_half_open() {
    let first = Given::number().notified(0..1_000, day(1, "09:00:00"));
    let p9 = first.clone().notified(1_000..2_000, day(8, "08:59:59"));
    let p10 = first.notified(1_000..2_000, day(8, "09:00:00"));
    assert_levels(
        &p9,
        &[("P9: before", day(8, "08:59:58"), 1), ("P9: in time", day(8, "08:59:59"), 2)],
    );
    assert_levels(&p10, &[("P10", day(8, "09:00:00"), 1), ("P10: later", day(15, "09:00"), 1)]);
}

#[test]
fn nu_10_p11_idle_months_do_not_shorten_the_wait() {
    assert_levels(
        &two_full_days(),
        &[
            ("P11: idle", day(1, "08:00"), 1),
            ("P11: a day", day(2, "23:59:59"), 1),
            ("P11: two days", day(3, "09:00"), 2),
        ],
    );
}

#[test]
fn nu_10_p12_the_next_level_waits_for_its_own_48_hours() {
    let given = two_full_days()
        .notified(2_000..12_000, day(3, "09:00"))
        .notified(12_000..20_000, day(4, "09:00"));
    assert_levels(
        &given,
        &[
            ("P12: level 2", day(3, "09:00"), 2),
            ("P12: a second too early", day(5, "08:59:59"), 2),
            ("P12: level 3", day(5, "09:00"), 3),
        ],
    );
}

#[test]
fn nu_10_p13_a_level_set_by_an_admin_starts_the_wait_anew() {
    let given = Given::number_of_level(2)
        .notified(0..1_000, day(1, "09:00"))
        .notified(1_000..2_000, day(7, "10:00"))
        .set_to_level(1, day(7, "20:00"));
    assert_levels(
        &given,
        &[
            ("P13: still level 2", day(7, "19:59"), 2),
            ("P13: day 7", day(7, "23:59"), 1),
            ("P13: day 9", day(9, "20:00"), 1),
        ],
    );
}

#[test]
fn nu_10_p14_answers_inside_the_window_do_not_count() {
    let given = Given::number()
        .notified(0..750, day(1, "09:00"))
        .notified(750..1_500, day(2, "09:00"))
        .answered_inside_the_window(1_500..2_200, day(2, "09:00"));
    assert_levels(&given, &[("P14", day(3, "09:00"), 1), ("P14: later", day(7, "09:00"), 1)]);
}

#[test]
fn nu_10_p15_there_is_no_fourth_level() {
    let given = Given::number_of_level(3).notified(0..200_000, day(1, "09:00"));
    assert_levels(&given, &[("P15", day(7, "09:00"), 3)]);
    assert_eq!(given.levels_until(day(7, "09:00")).len(), 1);
}

#[test]
fn nu_10_p16_any_earliest_notification_starts_the_wait() {
    let given = Given::number()
        .notified(0..1_000, day(1, "09:00"))
        .notified(0..1_000, day(2, "09:00"))
        .notified(1_000..2_000, day(3, "09:00"));
    assert_levels(
        &given,
        &[("P16: before", day(3, "08:59:59"), 1), ("P16: in time", day(3, "09:00"), 2)],
    );
}

#[test]
fn nu_10_p17_a_restricted_number_rises_once_it_is_connected() {
    let given = Given::number()
        .rated(Rating::Low, day(1, "09:00"))
        .rated(Rating::Medium, day(10, "09:00"))
        .notified(0..1_000, day(10, "12:00"))
        .notified(1_000..2_000, day(11, "12:00"));
    assert_levels(
        &given,
        &[
            ("P17: all else met", day(12, "12:00"), 1),
            ("P17: restricted to the millisecond", day(17, "09:00:00"), 1),
            ("P17: connected", day(17, "09:00:00.001"), 2),
        ],
    );
}

#[test]
fn every_obstacle_is_named() {
    let given =
        Given::number().rated(Rating::Low, day(1, "09:00")).notified(0..1_990, day(8, "10:00"));
    let entered = (day(-59, "09:00"), Level::FIRST);
    let obstacles = |now| {
        let facts = given.facts_at(entered, now);
        promotion_obstacles(&facts, &given.policy.tiers, &given.policy.quality, now)
    };
    assert_eq!(
        obstacles(day(8, "10:00")),
        [
            PromotionObstacle::Restricted,
            PromotionObstacle::LowRating,
            PromotionObstacle::TooFewContacts { missing: 10 },
            PromotionObstacle::TooEarly { until: Some(day(10, "10:00")) },
        ]
    );
    assert_eq!(
        obstacles(day(8, "09:59")).last(),
        Some(&PromotionObstacle::TooEarly { until: None })
    );
}

prop_compose! {
    fn any_number()(
        batches in prop::collection::vec((0_u32..1_500, 400_u32..1_500, 0_i64..20 * 24), 1..8),
        ratings in prop::collection::vec((0_usize..3, 0_i64..20 * 24), 0..6),
    ) -> Given {
        let at = |hours| day(1, "09:00") + TimeDelta::hours(hours);
        let given = batches.into_iter().fold(Given::number(), |given, (first, count, hours)| {
            given.notified(first..first + count, at(hours))
        });
        ratings.into_iter().fold(given, |given, (place, hours)| {
            given.rated(Rating::ALL[place], at(hours))
        })
    }
}

proptest! {
    #[test]
    fn it_never_rises_while_low_or_restricted(given in any_number()) {
        for pair in given.levels_until(day(30, "09:00")).windows(2) {
            let (at, level) = pair[1];
            prop_assert_eq!(level.number(), pair[0].1.number() + 1);
            prop_assert_ne!(given.rating_at(at), Rating::Low);
            prop_assert_ne!(given.standing_at(at), Standing::Restricted);
            prop_assert!(pair[0].0 + TimeDelta::hours(48) <= at);
        }
    }

    #[test]
    fn waiting_as_long_as_it_is_too_early_is_enough_and_no_longer(given in any_number()) {
        let now = day(10, "09:00");
        let entered = (day(-59, "09:00"), Level::FIRST);
        let facts = given.facts_at(entered, now);
        let (tiers, quality) = (&given.policy.tiers, &given.policy.quality);
        let too_early = promotion_obstacles(&facts, tiers, quality, now);
        if let [PromotionObstacle::TooEarly { until: Some(until) }] = too_early[..] {
            prop_assert_eq!(promotion(&facts, tiers, quality, until - milliseconds(1)), None);
            prop_assert!(promotion(&facts, tiers, quality, until).is_some());
        }
    }
}
