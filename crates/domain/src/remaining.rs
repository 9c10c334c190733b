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
