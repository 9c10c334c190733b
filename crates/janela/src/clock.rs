//! The two clocks: the system's, and the demo's, which can be moved forward.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use domain::clock::{Clock, whole_milliseconds};

/// The machine's clock, cut to whole milliseconds.
#[derive(Debug, Clone)]
pub struct SystemClock {
    start: Instant,
}

impl SystemClock {
    /// A clock whose monotonic reading starts now.
    pub fn new() -> Self {
        Self { start: Instant::now() }
    }
}

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place where the wall clock is read")]
    fn now(&self) -> DateTime<Utc> {
        whole_milliseconds(Utc::now())
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
}

/// The system's clock moved forward by what the sandbox's page asked for. Desk and sandbox share it,
/// and both of its readings move together. It is moved on purpose, so it is always trusted (JO-05).
#[derive(Debug, Clone)]
pub struct DemoClock {
    system: SystemClock,
    ahead_ms: Arc<AtomicI64>,
}

impl DemoClock {
    /// A clock that starts `ahead` of the system's, as a resumed demo does.
    pub fn ahead_by(ahead: Duration) -> Self {
        let ahead_ms = i64::try_from(ahead.as_millis()).unwrap_or(i64::MAX);
        Self { system: SystemClock::new(), ahead_ms: Arc::new(AtomicI64::new(ahead_ms)) }
    }

    /// How far it is ahead of the system's clock.
    pub fn ahead(&self) -> Duration {
        let ahead_ms = self.ahead_ms.load(Ordering::SeqCst);
        Duration::from_millis(u64::try_from(ahead_ms).unwrap_or(0))
    }

    /// Moves it forward.
    pub fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.ahead_ms.fetch_add(by_ms, Ordering::SeqCst);
    }
}

impl Clock for DemoClock {
    fn now(&self) -> DateTime<Utc> {
        self.system.now() + self.ahead()
    }

    fn monotonic(&self) -> Duration {
        self.system.monotonic() + self.ahead()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_readings_of_the_demo_clock_move_together() {
        let clock = DemoClock::ahead_by(Duration::ZERO);
        let (wall, monotonic) = (clock.now(), clock.monotonic());
        clock.advance(Duration::from_secs(86_400));
        assert!(clock.now() - wall >= chrono::Duration::hours(24));
        assert!(clock.monotonic() - monotonic >= Duration::from_secs(86_400));
        assert!(clock.now() - wall < chrono::Duration::hours(25));
    }

    #[test]
    fn the_system_clock_has_whole_milliseconds() {
        assert_eq!(SystemClock::new().now().timestamp_subsec_nanos() % 1_000_000, 0);
    }
}
