//! NU-02 and NU-16: what a rating is decided by.

use chrono::TimeDelta;

use crate::{
    calendar::{day, milliseconds},
    number::quality::{
        Evaluation, Feedback, PlatformRating, Rating, RatingSource, evaluate, own_rating,
    },
    policy::Policy,
};

fn feedback(delivered: u32, stops: u32) -> Feedback {
    Feedback { delivered, stops, ..Feedback::default() }
}

#[test]
fn feedback_decides_by_its_share() {
    let quality = Policy::default().quality;
    let cases = [
        ("nothing at all is high again", feedback(0, 0), Rating::Low, Rating::High),
        ("49 delivered are too few to tell", feedback(49, 20), Rating::High, Rating::High),
        ("49 delivered keep the last rating", feedback(49, 0), Rating::Low, Rating::Low),
        ("a signal without delivery keeps it", feedback(0, 1), Rating::Medium, Rating::Medium),
        ("50 delivered tell", feedback(50, 2), Rating::High, Rating::Low),
        ("50 delivered without a signal", feedback(50, 0), Rating::Low, Rating::High),
        ("just under 1 %", feedback(101, 1), Rating::Low, Rating::High),
        ("1 %", feedback(100, 1), Rating::High, Rating::Medium),
        ("just under 3 %", feedback(1_000, 29), Rating::High, Rating::Medium),
        ("3 %", feedback(1_000, 30), Rating::High, Rating::Low),
    ];
    for (case, feedback, last, rating) in cases {
        assert_eq!(own_rating(feedback, last, &quality), rating, "{case}");
    }
    let mixed = Feedback { delivered: 100, stops: 1, spam_failures: 1, reports: 1 };
    assert_eq!(own_rating(mixed, Rating::High, &quality), Rating::Low);
}

#[test]
fn the_platforms_word_decides_while_it_is_fresh_and_a_breach_before_all() {
    let quality = Policy::default().quality;
    let now = day(1, "12:00");
    let hour = TimeDelta::hours(1);
    let said = |rating, age| Some(PlatformRating { rating, read_at: now - age });
    let green = Some(Rating::High);
    let cases = [
        ("nothing read", None, false, Rating::Low, RatingSource::Feedback),
        ("fresh", said(green, TimeDelta::zero()), false, Rating::High, RatingSource::Platform),
        (
            "just fresh",
            said(green, hour - milliseconds(1)),
            false,
            Rating::High,
            RatingSource::Platform,
        ),
        ("an hour old", said(green, hour), false, Rating::Low, RatingSource::Feedback),
        ("unknown", said(None, TimeDelta::zero()), false, Rating::Low, RatingSource::Feedback),
        ("in breach", said(green, TimeDelta::zero()), true, Rating::Low, RatingSource::Breach),
    ];
    for (case, platform, in_breach, rating, decided_by) in cases {
        let evaluation =
            evaluate(feedback(100, 3), Rating::High, platform, in_breach, &quality, now);
        assert_eq!(evaluation, Evaluation { rating, own: Rating::Low, decided_by }, "{case}");
    }
}

#[test]
fn the_platforms_words_are_understood() {
    assert_eq!(Rating::from_platform("GREEN"), Some(Rating::High));
    assert_eq!(Rating::from_platform("YELLOW"), Some(Rating::Medium));
    assert_eq!(Rating::from_platform("RED"), Some(Rating::Low));
    assert_eq!(Rating::from_platform("UNKNOWN"), None);
    assert_eq!(Rating::from_platform("NA"), None);
}
