//! What would stand in the log once for each request stands there once a second.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Says when one cause may be told again.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<Option<Instant>>);

impl Seldom {
    /// Nothing was told yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// Whether it is a second since it was told; then it is told now.
    pub fn is_due(&self) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = last.is_none_or(|last| Duration::from_secs(1) <= last.elapsed());
        if is_due {
            *last = Some(Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_at_once_and_not_again_within_a_second() {
        let seldom = Seldom::new();
        let told = (0..1_000).filter(|_| seldom.is_due()).count();
        assert_eq!(told, 1);
    }
}
