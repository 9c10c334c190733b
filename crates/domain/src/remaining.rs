//! How much time is left, as pages say it (CL-04).

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

/// Time that is left, cut to what is shown: minutes below a day, hours from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Remaining {
    /// `less than 1 min`; also when nothing is left.
    LessThanAMinute,
    /// `17 h 00 min`.
    Minutes {
        /// 0 to 23.
        hours: u32,
        /// 0 to 59.
        minutes: u32,
    },
    /// `4 d 18 h`.
    Days {
        /// 1 or more.
        days: u32,
        /// 0 to 23.
        hours: u32,
    },
}

impl Remaining {
    /// What is left until `until` at `now`.
    #[must_use]
    pub fn until(until: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        let minutes = u32::try_from((until - now).num_minutes().max(0)).unwrap_or(u32::MAX);
        let (hours, minutes) = (minutes / 60, minutes % 60);
        if 24 <= hours {
            Self::Days { days: hours / 24, hours: hours % 24 }
        } else if hours == 0 && minutes == 0 {
            Self::LessThanAMinute
        } else {
            Self::Minutes { hours, minutes }
        }
    }
}

/// The first whole minute not before `instant`: from when something is allowed, as pages say it.
#[must_use]
pub fn round_up_to_minute(instant: DateTime<Utc>) -> DateTime<Utc> {
    let minute = TimeDelta::minutes(1);
    match instant.duration_trunc(minute) {
        Ok(begun) if begun == instant => instant,
        Ok(begun) => begun + minute,
        Err(_) => instant, // beyond the years that nanoseconds can count
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::calendar::{day, milliseconds};

    #[test]
    fn what_is_left_is_cut_to_what_is_shown() {
        let now = day(1, "16:00");
        let minutes = |hours, minutes| Remaining::Minutes { hours, minutes };
        let cases = [
            ("A1: 17 h 00 min", day(2, "09:00"), minutes(17, 0)),
            ("A3: 2 h 59 min", day(1, "18:59"), minutes(2, 59)),
            ("cut, not rounded", day(1, "18:59:59.999"), minutes(2, 59)),
            ("a minute", day(1, "16:01"), minutes(0, 1)),
            ("under a minute", day(1, "16:00:59.999"), Remaining::LessThanAMinute),
            ("nothing", now, Remaining::LessThanAMinute),
            ("past", day(1, "12:00"), Remaining::LessThanAMinute),
            ("just under a day", day(2, "15:59:59.999"), minutes(23, 59)),
            ("a day", day(2, "16:00"), Remaining::Days { days: 1, hours: 0 }),
            ("4 d 18 h", day(6, "10:59"), Remaining::Days { days: 4, hours: 18 }),
        ];
        for (case, until, remaining) in cases {
            assert_eq!(Remaining::until(until, now), remaining, "{case}");
        }
    }

    #[test]
    fn an_instant_is_rounded_up_to_the_minute() {
        assert_eq!(round_up_to_minute(day(1, "09:00")), day(1, "09:00"));
        assert_eq!(round_up_to_minute(day(1, "09:00:00.001")), day(1, "09:01"));
        assert_eq!(round_up_to_minute(day(1, "23:59:59.999")), day(2, "00:00"));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_never_more_than_what_is_left(left in -1_000_i64..1_000_000_000) {
            let now = day(1, "16:00");
            let until = now + milliseconds(left);
            let (shown, step) = match Remaining::until(until, now) {
                Remaining::LessThanAMinute => (0, 60_000),
                Remaining::Minutes { hours, minutes } => {
                    prop_assert!(hours < 24 && minutes < 60);
                    (i64::from(hours * 60 + minutes) * 60_000, 60_000)
                }
                Remaining::Days { days, hours } => {
                    prop_assert!(1 <= days && hours < 24);
                    (i64::from(days * 24 + hours) * 3_600_000, 3_600_000)
                }
            };
            prop_assert!(shown <= left.max(0) && left < shown + step);
        }

        #[test]
        fn rounding_waits_long_enough_and_less_than_a_minute_more(left in -1_000_000_i64..1_000_000) {
            let instant = day(1, "16:00") + milliseconds(left);
            let rounded = round_up_to_minute(instant);
            prop_assert!(instant <= rounded && rounded - instant < TimeDelta::minutes(1));
            prop_assert_eq!(rounded.timestamp_millis() % 60_000, 0);
        }
    }
}
