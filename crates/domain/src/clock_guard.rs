//! Tells when the wall clock jumps against the monotonic one, and when it may be trusted again (JO-05).

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use chrono::{DateTime, TimeDelta, Utc};

use crate::clock::Clock;

/// By how much the two clocks may disagree; exactly that much is no jump.
pub const MOST_DISAGREEMENT: TimeDelta = TimeDelta::minutes(5);

/// For how long they have to agree, by the monotonic one, until the wall clock is trusted again; inclusive.
pub const AGREEMENT: Duration = Duration::from_secs(600);

/// Both clocks, read together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockReading {
    /// The wall clock, which someone may set.
    pub wall: DateTime<Utc>,
    /// The monotonic clock, which nobody sets.
    pub monotonic: Duration,
}

/// A jump of the wall clock for which it is not trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClockJump {
    /// By how much the wall clock went further than the monotonic one; negative when it was set back.
    pub by: TimeDelta,
    /// The monotonic reading at which it was noticed.
    pub noticed_at: Duration,
}

/// Compares each reading with an anchor, which is renewed whenever the clocks have agreed for [`AGREEMENT`]:
/// small steps that add up to a jump since the anchor are one.
///
/// Rule: JO-05.
#[derive(Debug, Clone)]
pub struct ClockGuard {
    anchor: ClockReading,
    jump: Option<ClockJump>,
}

impl ClockGuard {
    /// Trusts the wall clock as it is now.
    #[must_use]
    pub fn starting_at(reading: ClockReading) -> Self {
        Self { anchor: reading, jump: None }
    }

    /// Takes one more reading into account.
    pub fn observe(&mut self, reading: ClockReading) {
        let by = reading.gain_since(self.anchor);
        if MOST_DISAGREEMENT < by.abs() {
            self.anchor = reading;
            self.jump = Some(ClockJump { by, noticed_at: reading.monotonic });
            return;
        }
        let agreed_for = reading.monotonic.saturating_sub(self.anchor.monotonic);
        if AGREEMENT <= agreed_for {
            *self = Self::starting_at(reading);
        }
    }

    /// The latest jump, until the clocks have agreed for [`AGREEMENT`] or it is confirmed; then `None`.
    #[must_use]
    pub fn jump(&self) -> Option<ClockJump> {
        self.jump
    }

    /// Trusts the wall clock in spite of `jump`. Of a later jump this says nothing.
    pub fn confirm(&mut self, jump: ClockJump) {
        if self.jump == Some(jump) {
            self.jump = None;
        }
    }
}

impl ClockReading {
    /// By how much the wall clock went further than the monotonic one since `earlier`, in whole milliseconds.
    fn gain_since(self, earlier: Self) -> TimeDelta {
        let wall = self.wall - earlier.wall;
        let milliseconds =
            |monotonic: Duration| i64::try_from(monotonic.as_millis()).unwrap_or(i64::MAX);
        let monotonic = milliseconds(self.monotonic) - milliseconds(earlier.monotonic);
        let gain = wall.num_milliseconds().saturating_sub(monotonic);
        TimeDelta::try_milliseconds(gain).unwrap_or(TimeDelta::MIN)
    }
}

/// A clock that is watched at each of its readings.
#[derive(Debug)]
pub struct GuardedClock<C> {
    clock: C,
    guard: Mutex<ClockGuard>,
}

impl<C: Clock> GuardedClock<C> {
    /// How long may lie between the readings of the two clocks. A process that stood still for longer right
    /// there has learned nothing about them.
    const READ_WITHIN: Duration = Duration::from_secs(1);

    /// Watches `clock` from now on.
    pub fn new(clock: C) -> Self {
        let reading = ClockReading { wall: clock.now(), monotonic: clock.monotonic() };
        Self { clock, guard: Mutex::new(ClockGuard::starting_at(reading)) }
    }

    /// Reads both clocks and shows them to the guard; one thread at a time, so that readings come in order.
    fn observe<T>(&self, then: impl FnOnce(&mut ClockGuard, DateTime<Utc>) -> T) -> T {
        let mut guard = self.guard.lock().unwrap_or_else(PoisonError::into_inner);
        let before = self.clock.monotonic();
        let wall = self.clock.now();
        let monotonic = self.clock.monotonic();
        if monotonic.saturating_sub(before) <= Self::READ_WITHIN {
            guard.observe(ClockReading { wall, monotonic });
        }
        then(&mut guard, wall)
    }
}

impl<C: Clock> Clock for GuardedClock<C> {
    fn now(&self) -> DateTime<Utc> {
        self.observe(|_, wall| wall)
    }

    fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    fn jump(&self) -> Option<ClockJump> {
        self.observe(|guard, _| guard.jump())
    }

    fn confirm(&self, jump: ClockJump) {
        self.observe(|guard, _| guard.confirm(jump));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MINUTE: i64 = 60_000;
    const FIVE: i64 = 5 * MINUTE;
    const TEN: i64 = 10 * MINUTE;
    const HOUR: i64 = 60 * MINUTE;

    /// What happens, the readings of (wall, monotonic) in milliseconds, and what is to be seen after them.
    type Case<T> = (&'static str, &'static [(i64, i64)], T);

    fn reading((wall_ms, monotonic_ms): (i64, i64)) -> ClockReading {
        ClockReading {
            wall: DateTime::from_timestamp_millis(1_795_000_000_000 + wall_ms).unwrap(),
            monotonic: Duration::from_millis(u64::try_from(monotonic_ms).unwrap()),
        }
    }

    /// The guard after these readings of (wall, monotonic), in milliseconds since it began.
    fn after(readings: &[(i64, i64)]) -> ClockGuard {
        let mut guard = ClockGuard::starting_at(reading((0, 0)));
        for at in readings {
            guard.observe(reading(*at));
        }
        guard
    }

    #[test]
    fn jo_05_more_than_five_minutes_of_disagreement_is_a_jump_either_way() {
        let cases: [Case<Option<i64>>; 11] = [
            ("nothing was read yet", &[], None),
            ("both went on together for an hour in one step", &[(HOUR, HOUR)], None),
            ("exactly five minutes ahead", &[(FIVE, 0)], None),
            ("a millisecond more", &[(FIVE + 1, 0)], Some(FIVE + 1)),
            ("exactly five minutes back", &[(-FIVE, 0)], None),
            ("a millisecond further back", &[(-FIVE - 1, 0)], Some(-FIVE - 1)),
            ("after an hour in which nobody looked", &[(2 * HOUR, HOUR)], Some(HOUR)),
            (
                "two steps of three minutes add up",
                &[(3 * MINUTE, 0), (7 * MINUTE, MINUTE)],
                Some(6 * MINUTE),
            ),
            ("a step there and back is none", &[(3 * MINUTE, 0), (0, 0), (-FIVE, 0)], None),
            (
                "two steps, the second a millisecond before the anchor is renewed",
                &[(3 * MINUTE, 0), (13 * MINUTE - 1, TEN - 1), (16 * MINUTE, TEN)],
                Some(6 * MINUTE),
            ),
            (
                "two steps, between them ten minutes of agreement",
                &[(3 * MINUTE, 0), (13 * MINUTE, TEN), (16 * MINUTE, TEN)],
                None,
            ),
        ];
        for (case, readings, by) in cases {
            let jump = after(readings).jump().map(|jump| jump.by.num_milliseconds());
            assert_eq!(jump, by, "{case}");
        }
    }

    #[test]
    fn jo_05_ten_minutes_of_agreement_end_the_distrust() {
        const JUMPED: (i64, i64) = (HOUR, 0);
        let cases: [Case<bool>; 6] = [
            ("a millisecond before", &[JUMPED, (HOUR + TEN - 1, TEN - 1)], false),
            ("after ten minutes", &[JUMPED, (HOUR + TEN, TEN)], true),
            ("off by five minutes by then", &[JUMPED, (HOUR + 5 * MINUTE, TEN)], true),
            ("a jump back is a jump", &[JUMPED, (9 * MINUTE, 9 * MINUTE)], false),
            (
                "ten minutes less a millisecond after the second jump",
                &[JUMPED, (9 * MINUTE, 9 * MINUTE), (19 * MINUTE - 1, 19 * MINUTE - 1)],
                false,
            ),
            (
                "ten minutes after the second jump",
                &[JUMPED, (9 * MINUTE, 9 * MINUTE), (19 * MINUTE, 19 * MINUTE)],
                true,
            ),
        ];
        for (case, readings, is_trusted) in cases {
            assert_eq!(after(readings).jump().is_none(), is_trusted, "{case}");
        }
    }

    #[test]
    fn jo_05_a_confirmation_ends_the_distrust_of_its_own_jump_alone() {
        let mut guard = after(&[(60 * MINUTE, 0)]);
        let first = guard.jump().unwrap();
        guard.observe(reading((0, 1_000)));
        guard.confirm(first);
        let second = guard.jump().expect("another jump came between");
        guard.confirm(second);
        assert_eq!(guard.jump(), None);
        guard.observe(reading((6 * MINUTE, 2_000)));
        assert!(guard.jump().is_some(), "the next jump counts from where it was confirmed");
    }

    proptest! {
        #[test]
        fn jo_05_a_sudden_step_beyond_both_bounds_is_noticed_wherever_it_falls(
            walk in prop::collection::vec((-2 * MINUTE..=2 * MINUTE, 0..=15 * MINUTE), 0..40),
            step in 10 * MINUTE + 1..=10_000 * MINUTE,
            is_back in any::<bool>(),
        ) {
            let (mut wall, mut monotonic) = (0, 0);
            let mut guard = after(&[]);
            for (drift, length) in walk {
                (wall, monotonic) = (wall + length + drift, monotonic + length);
                guard.observe(reading((wall, monotonic)));
            }
            wall += if is_back { -step } else { step };
            guard.observe(reading((wall, monotonic)));
            prop_assert!(guard.jump().is_some());
            let mut later = guard.clone();
            later.observe(reading((wall + 10 * MINUTE - 1, monotonic + 10 * MINUTE - 1)));
            prop_assert!(later.jump().is_some());
            guard.observe(reading((wall + 10 * MINUTE, monotonic + 10 * MINUTE)));
            prop_assert_eq!(guard.jump(), None);
        }

        #[test]
        fn jo_05_a_clock_that_keeps_within_half_of_the_bound_is_always_trusted(
            offs in prop::collection::vec((-150_000_i64..=150_000, 0..=30 * MINUTE), 1..60),
        ) {
            let mut guard = after(&[]);
            let mut monotonic = 0;
            for (off, length) in offs {
                monotonic += length;
                guard.observe(reading((monotonic + off, monotonic)));
                prop_assert_eq!(guard.jump(), None);
            }
        }
    }
}
