//! Table Q: flagged, restricted, connected.

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::{
    calendar::{day, milliseconds},
    number::{
        capacity::{LimitFacts, effective_limit, effective_limit_ahead},
        given::Given,
        quality::Rating,
        standing::{Standing, StandingClock},
        tier::Level,
    },
    policy::Policy,
};

fn red_since_day_1() -> Given {
    Given::number().rated(Rating::Low, day(1, "09:00"))
}

fn assert_standings(given: &Given, cases: &[(&str, DateTime<Utc>, Standing)]) {
    for (case, now, standing) in cases {
        assert_eq!(given.standing_at(*now), *standing, "{case}, at {now}");
    }
}

#[test]
fn q1_red_for_seven_days_restricts_to_the_second() {
    assert_standings(
        &red_since_day_1(),
        &[
            ("Q1: before", day(1, "08:59:59.999"), Standing::Connected),
            ("Q1: at once", day(1, "09:00"), Standing::Flagged),
            ("Q1: a second before", day(8, "08:59:59"), Standing::Flagged),
            ("Q1: a millisecond before", day(8, "08:59:59.999"), Standing::Flagged),
            ("Q1: seven days", day(8, "09:00:00"), Standing::Restricted),
            ("Q1: for ever", day(80, "09:00:00"), Standing::Restricted),
        ],
    );
}

#[test]
fn q2_more_than_seven_days_without_red_connect() {
    assert_standings(
        &red_since_day_1().rated(Rating::Medium, day(6, "09:00")),
        &[
            ("Q2: day 8", day(8, "09:00:00"), Standing::Flagged),
            ("Q2: exactly seven days", day(13, "09:00:00"), Standing::Flagged),
            ("Q2: a millisecond more", day(13, "09:00:00.001"), Standing::Connected),
            ("Q2: a second more", day(13, "09:00:01"), Standing::Connected),
        ],
    );
}

#[test]
fn q3_red_again_restarts_the_red_clock() {
    assert_standings(
        &red_since_day_1().rated(Rating::High, day(6, "09:00")).rated(Rating::Low, day(9, "09:00")),
        &[
            ("Q3: day 8", day(8, "09:00"), Standing::Flagged),
            ("Q3: before", day(16, "08:59:59.999"), Standing::Flagged),
            ("Q3: seven days of red", day(16, "09:00"), Standing::Restricted),
        ],
    );
}

#[test]
fn q4_a_restricted_number_is_connected_after_more_than_seven_days_without_red() {
    let given = red_since_day_1().rated(Rating::Medium, day(10, "09:00"));
    assert_standings(
        &given,
        &[
            ("Q4: restricted", day(8, "09:00"), Standing::Restricted),
            ("Q4: yellow", day(10, "09:00"), Standing::Restricted),
            ("Q4: exactly seven days", day(17, "09:00:00"), Standing::Restricted),
            ("Q4: just after", day(17, "09:00:00.001"), Standing::Connected),
        ],
    );
    let red_again =
        given.rated(Rating::Low, day(12, "09:00")).rated(Rating::High, day(13, "09:00"));
    assert_standings(
        &red_again,
        &[
            ("NU-06: stays restricted", day(12, "09:00"), Standing::Restricted),
            ("NU-06: counted from the last red", day(20, "09:00"), Standing::Restricted),
            ("NU-06: connected", day(20, "09:00:00.001"), Standing::Connected),
        ],
    );
}

#[test]
fn q5_yellow_and_green_are_one_stretch() {
    let given = (6..13).fold(red_since_day_1(), |given, number| {
        let rating = if number % 2 == 0 { Rating::Medium } else { Rating::High };
        given.rated(rating, day(number, "09:00"))
    });
    assert_standings(
        &given,
        &[
            ("Q5", day(13, "09:00"), Standing::Flagged),
            ("Q5: connected", day(13, "09:00:00.001"), Standing::Connected),
        ],
    );
}

#[test]
fn q6_a_flagged_number_keeps_its_limit_and_rises_only_while_not_red() {
    let given = Given::number_of_level(2)
        .rated(Rating::Low, day(1, "09:00"))
        .notified(0..10_000, day(2, "09:00"))
        .notified(10_000..20_000, day(3, "09:00"));
    let limit_at = |now| effective_limit(level_two(&given.policy, given.clock_at(now)), now);
    assert_eq!(limit_at(day(8, "08:59:59.999")), 10_000);
    assert_eq!(limit_at(day(8, "09:00")), 1_000);
    assert_eq!(given.level_at(day(7, "23:00")), 2);
    let yellow = given.rated(Rating::Medium, day(5, "09:00"));
    assert_eq!(yellow.standing_at(day(5, "09:00")), Standing::Flagged);
    assert_eq!(yellow.level_at(day(5, "09:00")), 3);
}

fn level_two(policy: &Policy, clock: StandingClock) -> LimitFacts<'_> {
    LimitFacts {
        tiers: &policy.tiers,
        level: Level::new(2).unwrap(),
        platform_limit: None,
        clock,
        quality: &policy.quality,
    }
}

#[test]
fn nu_12_the_effective_limit_is_the_smaller_of_the_platforms_and_the_restricted_one() {
    let policy = Policy::default();
    let clock = red_since_day_1().clock_at(day(2, "09:00"));
    let (flagged, restricted) = (day(2, "09:00"), day(8, "09:00"));
    let cases = [
        ("level 1", 1, None, flagged, 1_000),
        ("level 1 restricted", 1, None, restricted, 250),
        ("level 3", 3, None, flagged, 100_000),
        ("level 3 restricted", 3, None, restricted, 10_000),
        ("the platform's replaces a lower one", 1, Some(2_000), flagged, 2_000),
        ("the platform's replaces a higher one", 3, Some(250), flagged, 250),
        ("restricted, with a larger one of the platform", 2, Some(100_000), restricted, 1_000),
        ("restricted, with a smaller one of the platform", 2, Some(250), restricted, 250),
    ];
    for (case, level, platform_limit, now, limit) in cases {
        let level = Level::new(level).unwrap();
        let facts = LimitFacts { level, platform_limit, ..level_two(&policy, clock) };
        assert_eq!(effective_limit(facts, now), limit, "{case}");
    }
}

#[test]
fn what_the_clock_will_bring_is_known_beforehand() {
    let policy = Policy::default();
    let red = red_since_day_1().clock_at(day(1, "09:00"));
    let ahead = effective_limit_ahead(level_two(&policy, red), day(2, "09:00"));
    assert_eq!((ahead.current, ahead.changes.len()), (10_000, 1));
    assert_eq!((ahead.changes[0].at, ahead.changes[0].limit), (day(8, "09:00"), 1_000));
    assert!(effective_limit_ahead(level_two(&policy, red), day(8, "09:00")).changes.is_empty());

    let yellow = red.rate(Rating::Medium, day(10, "09:00"), &policy.quality);
    let ahead = effective_limit_ahead(level_two(&policy, yellow), day(11, "09:00"));
    assert_eq!(ahead.current, 1_000);
    assert_eq!((ahead.changes[0].at, ahead.changes[0].limit), (day(17, "09:00:00.001"), 10_000));
}

#[test]
fn a_clock_is_read_back_as_it_was_stored() {
    let since = day(1, "09:00");
    let clocks = [
        StandingClock::connected_since(since),
        red_since_day_1().clock_at(since),
        red_since_day_1().rated(Rating::High, day(9, "09:00")).clock_at(day(9, "09:00")),
    ];
    for clock in clocks {
        let (low, not_low) = (clock.low_since(), clock.not_low_since());
        assert_eq!(StandingClock::from_parts(clock.standing(), low, not_low), Some(clock));
    }
    assert_eq!(StandingClock::from_parts(Standing::Flagged, None, None), None);
    assert_eq!(StandingClock::from_parts(Standing::Flagged, Some(since), Some(since)), None);
    assert_eq!(StandingClock::from_parts(Standing::Connected, Some(since), None), None);
}

/// Ratings at instants from day 1 on; few lengths, around seven days, so that edges are common.
fn any_ratings() -> impl Strategy<Value = Vec<(DateTime<Utc>, Rating)>> {
    let week = TimeDelta::days(7);
    let pause = prop_oneof![
        Just(week),
        Just(week - milliseconds(1)),
        Just(week + milliseconds(1)),
        (1_i64..200).prop_map(TimeDelta::hours),
    ];
    let rating = (0_usize..3).prop_map(|place| Rating::ALL[place]);
    prop::collection::vec((pause, rating), 0..8).prop_map(|steps| {
        steps
            .into_iter()
            .scan(day(1, "09:00"), |next, (pause, rating)| {
                let at = *next;
                *next = at + pause;
                Some((at, rating))
            })
            .collect()
    })
}

/// The unbroken stretches of `ratings`: from, to (exclusive), whether red.
fn stretches(
    ratings: &[(DateTime<Utc>, Rating)],
    now: DateTime<Utc>,
) -> Vec<(DateTime<Utc>, DateTime<Utc>, bool)> {
    let mut found: Vec<(DateTime<Utc>, DateTime<Utc>, bool)> = Vec::new();
    let past: Vec<_> = ratings.iter().filter(|(at, _)| *at <= now).collect();
    for (place, (at, rating)) in past.iter().enumerate() {
        let to = past.get(place + 1).map_or(now, |(next, _)| *next);
        match found.last_mut() {
            Some((_, end, red)) if *red == rating.is_low() => *end = to,
            _ => found.push((*at, to, rating.is_low())),
        }
    }
    found
}

proptest! {
    #[test]
    fn it_is_restricted_only_after_seven_whole_days_of_red(
        ratings in any_ratings(), hours in 0_i64..70 * 24, early in 0_i64..3,
    ) {
        let given = ratings.iter().fold(Given::number(), |given, (at, rating)| given.rated(*rating, *at));
        let now = day(1, "09:00") + TimeDelta::hours(hours) - milliseconds(early);
        let week = TimeDelta::days(7);
        let stretches = stretches(&ratings, now);
        let red_weeks = stretches.iter().rposition(|(from, to, red)| *red && week <= *to - *from);
        let calm_weeks = stretches.iter().rposition(|(from, to, red)| !red && week < *to - *from);
        let last_red = stretches.iter().rposition(|(.., red)| *red);
        let expected = if last_red.is_none() || last_red < calm_weeks {
            Standing::Connected
        } else if calm_weeks < red_weeks {
            Standing::Restricted
        } else {
            Standing::Flagged
        };
        prop_assert_eq!(given.standing_at(now), expected);
    }

    #[test]
    fn a_late_or_repeated_evaluation_changes_nothing(
        ratings in any_ratings(), repeated in prop::collection::vec(0_i64..70 * 24, 0..20), hours in 0_i64..80 * 24,
    ) {
        let given = ratings.iter().fold(Given::number(), |given, (at, rating)| given.rated(*rating, *at));
        let now = day(1, "09:00") + TimeDelta::hours(hours);
        let evaluated = repeated.iter().fold(given.clone(), |evaluated, hours| {
            let at = day(1, "09:00") + TimeDelta::hours(*hours) + milliseconds(1);
            evaluated.rated(given.rating_at(at), at)
        });
        prop_assert_eq!(given.standing_at(now), evaluated.standing_at(now));
    }

    #[test]
    fn the_limit_ahead_is_the_limit_when_it_comes(
        ratings in any_ratings(), hours in 0_i64..30 * 24, later in 0_i64..30 * 24,
    ) {
        let policy = Policy::default();
        let given = ratings.iter().fold(Given::number(), |given, (at, rating)| given.rated(*rating, *at));
        let now = day(1, "09:00") + TimeDelta::hours(hours);
        let facts = level_two(&policy, given.clock_at(now));
        let ahead = effective_limit_ahead(facts, now);
        let then = now + TimeDelta::hours(later);
        prop_assert_eq!(ahead.at(then), effective_limit(facts, then));
    }
}
