//! The sandbox's time, which a test or the demo may move forward.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The clock the sandbox lives by; the demo hands over the one it shares with the desk.
pub trait SandboxClock: Send + Sync {
    /// Milliseconds since 1970 in UTC.
    fn now_ms(&self) -> i64;

    /// Moves the clock forward by `step`; it never goes back.
    fn advance(&self, step: Duration);
}

/// The system's clock plus what it was advanced by; for a sandbox that runs alone.
#[derive(Debug, Default)]
pub struct RealClock {
    ahead_ms: AtomicI64,
}

impl RealClock {
    /// A clock that shows the system's time until it is advanced.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl SandboxClock for RealClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the sandbox alone has no other clock; beside a desk it is handed the desk's"
    )]
    fn now_ms(&self) -> i64 {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        millis(since_1970).saturating_add(self.ahead_ms.load(Ordering::SeqCst))
    }

    fn advance(&self, step: Duration) {
        self.ahead_ms.fetch_add(millis(step), Ordering::SeqCst);
    }
}

/// `span` in whole milliseconds, cut at the largest the clock can hold.
pub(crate) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// `at_ms` as the text every answer carries: RFC 3339, UTC, milliseconds.
pub(crate) fn instant(at_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at_ms)
        .unwrap_or_default()
        .to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
}
