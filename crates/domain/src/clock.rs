//! Where `now` comes from: read once at the top of a handler or job and passed down (CL-03).

use std::{sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use crate::clock_guard::ClockJump;

/// Tells the time to handlers and jobs. Rules never see it; they get `now`.
pub trait Clock: Send + Sync {
    /// The wall clock in UTC, cut to whole milliseconds because that is what is stored.
    fn now(&self) -> DateTime<Utc>;

    /// A reading that only goes forward, since an arbitrary start. Leases are judged by it.
    fn monotonic(&self) -> Duration;

    /// The jump for which the wall clock is not trusted now; `None` while it is (JO-05).
    fn jump(&self) -> Option<ClockJump> {
        None
    }

    /// Whether the wall clock may be decided by (JO-05).
    fn is_trusted(&self) -> bool {
        self.jump().is_none()
    }

    /// Trusts the wall clock in spite of `jump`, as an operator says. Of a later jump this says nothing.
    fn confirm(&self, jump: ClockJump) {
        let _ = jump;
    }
}

impl<C: Clock + ?Sized> Clock for Arc<C> {
    fn now(&self) -> DateTime<Utc> {
        self.as_ref().now()
    }

    fn monotonic(&self) -> Duration {
        self.as_ref().monotonic()
    }

    fn jump(&self) -> Option<ClockJump> {
        self.as_ref().jump()
    }

    fn confirm(&self, jump: ClockJump) {
        self.as_ref().confirm(jump);
    }
}

/// Cuts an instant to whole milliseconds, towards the past.
#[must_use]
pub fn whole_milliseconds(instant: DateTime<Utc>) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(instant.timestamp_millis()).unwrap_or(instant)
}
