//! The machine's clock, for benches that run beside a program.

use std::time::Duration;

use chrono::{DateTime, Utc};
use domain::clock::Clock;

/// The instant it is.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

/// [`now`] as use cases ask for it.
pub struct MachineClock;

impl Clock for MachineClock {
    fn now(&self) -> DateTime<Utc> {
        now()
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}
