//! How many contacts a number may still notify, and when again (NU-07, NU-08, NU-12).

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    standing::{Standing, StandingClock},
    tier::Level,
};
use crate::{
    admission::{EffectiveLimit, LimitChange},
    policy::{QualityPolicy, TierPolicy},
};

/// Whether a number may send notifications.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Capacity {
    /// It may.
    Open,
    /// Every notification is refused; free-form text and templates in an open window go on.
    LimitReached,
}

/// What a number's limit is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitFacts<'a> {
    /// The profile's levels.
    pub tiers: &'a TierPolicy,
    /// The number's level.
    pub level: Level,
    /// What the platform reports; it replaces the level's limit while it does (NU-12).
    pub platform_limit: Option<u32>,
    /// Its standing's clock.
    pub clock: StandingClock,
    /// The policy of its standing.
    pub quality: &'a QualityPolicy,
}

/// The capacity of a number that has notified `count` distinct contacts in the window.
#[must_use]
pub fn capacity(count: u32, limit: u32) -> Capacity {
    if count < limit { Capacity::Open } else { Capacity::LimitReached }
}

/// The place, from the oldest and starting at 0, of the contact whose leaving the window opens the
/// number again; `None` while it is open, and where the limit is 0 and waiting does not help.
#[must_use]
pub fn blocking_place(count: u32, limit: u32) -> Option<u32> {
    if limit == 0 { None } else { count.checked_sub(limit) }
}

/// From when `tier_limit_reached` no longer holds, if nothing else happens and the limit stays.
///
/// `counted` holds each distinct contact's latest counted instant inside the window, oldest first. `None`
/// when the limit is not reached, or is 0. With c contacts and a limit of L it is the (c - L + 1)-th
/// oldest and `window` on top: at that instant the contact no longer counts (CL-01).
///
/// Rule: NU-08.
#[must_use]
pub fn tier_until(
    counted: &[DateTime<Utc>],
    limit: u32,
    window: TimeDelta,
) -> Option<DateTime<Utc>> {
    let count = u32::try_from(counted.len()).unwrap_or(u32::MAX);
    let place = usize::try_from(blocking_place(count, limit)?).ok()?;
    counted.get(place).map(|oldest| *oldest + window)
}

/// How many distinct contacts a number may notify in the window at `now`: the platform's limit, else its
/// level's, and while restricted no more than one level lower.
///
/// Rules: NU-05, NU-12.
#[must_use]
pub fn effective_limit(facts: LimitFacts<'_>, now: DateTime<Utc>) -> u32 {
    facts.limit_under(facts.clock.standing_at(now, facts.quality))
}

/// The effective limit at `now` and what the clock of standing will bring if nothing else happens.
#[must_use]
pub fn effective_limit_ahead(facts: LimitFacts<'_>, now: DateTime<Utc>) -> EffectiveLimit {
    let current = effective_limit(facts, now);
    let changes = facts
        .clock
        .next_change(facts.quality)
        .filter(|(at, _)| now < *at)
        .map(|(at, standing)| LimitChange { at, limit: facts.limit_under(standing) })
        .filter(|change| change.limit != current);
    EffectiveLimit { current, changes: changes.into_iter().collect() }
}

impl LimitFacts<'_> {
    fn limit_under(self, standing: Standing) -> u32 {
        let granted = self.platform_limit.unwrap_or_else(|| self.tiers.limit(self.level));
        match standing {
            Standing::Connected | Standing::Flagged => granted,
            Standing::Restricted => granted.min(self.tiers.restricted_limit(self.level)),
        }
    }
}

impl Capacity {
    /// The word it is shown and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::LimitReached => "limit_reached",
        }
    }
}
