//! Where `now` comes from: read once at the top of a handler or job and passed down (CL-03).

use std::time::Duration;

use chrono::{DateTime, Utc};

/// Tells the time to handlers and jobs. Rules never see it; they get `now`.
pub trait Clock: Send + Sync {
    /// The wall clock in UTC, cut to whole milliseconds because that is what is stored.
    fn now(&self) -> DateTime<Utc>;

    /// A reading that only goes forward, since an arbitrary start. Leases are judged by it.
    fn monotonic(&self) -> Duration;
}

/// Cuts an instant to whole milliseconds, towards the past.
#[must_use]
pub fn whole_milliseconds(instant: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(instant.timestamp_millis()).unwrap_or(instant)
}
