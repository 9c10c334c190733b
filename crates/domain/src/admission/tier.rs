//! A number's distinct recipients in the rolling window against its effective limit (NU-07, NU-08).

use chrono::{DateTime, TimeDelta, Utc};

/// The effective limit of a number, now and as its clocks will change it if nothing else happens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EffectiveLimit {
    /// In force when the facts were read, until the first change.
    pub current: u32,
    /// What the clocks of standing will bring, oldest first.
    pub changes: Vec<LimitChange>,
}

/// From an instant on, inclusive, another limit is in force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitChange {
    /// From when.
    pub at: DateTime<Utc>,
    /// The limit from then on.
    pub limit: u32,
}

impl EffectiveLimit {
    /// A limit that no clock will change.
    #[must_use]
    pub fn steady(limit: u32) -> Self {
        Self { current: limit, changes: Vec::new() }
    }

    /// The limit in force at `now`.
    #[must_use]
    pub fn at(&self, now: DateTime<Utc>) -> u32 {
        self.changes
            .iter()
            .rfind(|change| change.at <= now)
            .map_or(self.current, |change| change.limit)
    }

    /// The lowest limit that is or will be in force.
    #[must_use]
    pub fn lowest(&self) -> u32 {
        self.changes.iter().map(|change| change.limit).fold(self.current, u32::min)
    }
}

/// A number's recipients against its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierFacts {
    /// How long a contact's latest notification counts.
    pub window: TimeDelta,
    /// Distinct contacts counted when the facts were read.
    pub count: u32,
    /// The limit, now and later.
    pub limit: EffectiveLimit,
    /// The oldest of the counted instants, oldest first: the first [`TierFacts::needed_oldest`] of the
    /// `count`. More do no harm.
    pub oldest_counted: Vec<DateTime<Utc>>,
}

impl TierFacts {
    /// How many of the oldest counted instants are needed to tell exactly when the limit lifts:
    /// `count - limit + 1` for the lowest limit that is or will be in force, none below it.
    #[must_use]
    pub fn needed_oldest(count: u32, limit: &EffectiveLimit) -> u32 {
        (count + 1).saturating_sub(limit.lowest())
    }

    /// Distinct contacts that count at `now`, exact while it is at least the lowest limit.
    #[must_use]
    pub fn count_at(&self, now: DateTime<Utc>) -> u32 {
        let expired = self.oldest_counted.iter().take_while(|at| **at + self.window <= now).count();
        self.count.saturating_sub(u32::try_from(expired).unwrap_or(u32::MAX))
    }

    /// Whether the count has reached the limit at `now`.
    #[must_use]
    pub fn is_reached(&self, now: DateTime<Utc>) -> bool {
        self.limit.at(now) <= self.count_at(now)
    }

    /// The first instant after `now` at which the limit is not reached: the (c - L + 1)-th oldest
    /// counted instant + window, or an earlier rise of the limit. `None` when the instants given do
    /// not tell.
    #[must_use]
    pub fn open_from(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let expiries = self.oldest_counted.iter().map(|at| *at + self.window);
        let changes = self.limit.changes.iter().map(|change| change.at);
        let mut turns: Vec<DateTime<Utc>> =
            expiries.chain(changes).filter(|at| now < *at).collect();
        turns.sort_unstable();
        turns.into_iter().find(|at| !self.is_reached(*at))
    }
}
