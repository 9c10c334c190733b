//! Instants for tests, written as the tables of the rules write them: day and time of day.

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, Utc};

/// Day `day` (the first is 1) at `time`, such as `09:00`, `08:59:59` or `08:59:59.999`.
pub(crate) fn day(day: i64, time: &str) -> DateTime<Utc> {
    let time = NaiveTime::parse_from_str(time, "%H:%M:%S%.f")
        .or_else(|_| NaiveTime::parse_from_str(time, "%H:%M"))
        .unwrap();
    let first = NaiveDate::from_ymd_opt(2026, 11, 2).unwrap();
    first.and_time(time).and_utc() + TimeDelta::days(day - 1)
}

/// `count` milliseconds.
pub(crate) fn milliseconds(count: i64) -> TimeDelta {
    TimeDelta::milliseconds(count)
}
