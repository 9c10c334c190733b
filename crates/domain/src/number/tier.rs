//! The levels of a number and the way up (NU-09, NU-10, NU-11).

use chrono::{DateTime, Utc};

use super::{
    quality::Rating,
    standing::{Standing, StandingClock},
};
use crate::policy::{QualityPolicy, TierPolicy};

/// A level, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Level(u8);

/// What a promotion is decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PromotionFacts {
    /// The number's level.
    pub level: Level,
    /// The evaluation that gave it.
    pub level_entered_at: DateTime<Utc>,
    /// Its standing's clock.
    pub clock: StandingClock,
    /// The rating that holds.
    pub rating: Rating,
    /// Distinct contacts with a counted notification in the promotion window.
    pub distinct_contacts: u32,
    /// The earliest counted notification in that window, whether or not its contact had a later one;
    /// `None` when there is none.
    pub earliest_counted_at: Option<DateTime<Utc>>,
}

/// One thing that stands against a promotion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromotionObstacle {
    /// There is no higher level.
    HighestLevel,
    /// The number is restricted.
    Restricted,
    /// The rating is low.
    LowRating,
    /// Too few distinct contacts.
    TooFewContacts {
        /// How many more are needed.
        missing: u32,
    },
    /// Too soon after the level's entry or the first notification.
    TooEarly {
        /// From when it is not, if the first notification still counts then; `None` without one.
        until: Option<DateTime<Utc>>,
    },
}

/// The level that the number rises to at `now`; `None` when it stays where it is.
///
/// Nothing is latched: all conditions hold at this evaluation, whose `now` becomes the level's entry.
///
/// Rule: NU-10.
#[must_use]
pub fn promotion(
    facts: &PromotionFacts,
    tiers: &TierPolicy,
    quality: &QualityPolicy,
    now: DateTime<Utc>,
) -> Option<Level> {
    let next = tiers.next(facts.level)?;
    promotion_obstacles(facts, tiers, quality, now).is_empty().then_some(next)
}

/// Everything that stands against a promotion at `now`, in the order of NU-10.
#[must_use]
pub fn promotion_obstacles(
    facts: &PromotionFacts,
    tiers: &TierPolicy,
    quality: &QualityPolicy,
    now: DateTime<Utc>,
) -> Vec<PromotionObstacle> {
    let mut obstacles = Vec::new();
    if tiers.next(facts.level).is_none() {
        obstacles.push(PromotionObstacle::HighestLevel);
    }
    if facts.clock.standing_at(now, quality) == Standing::Restricted {
        obstacles.push(PromotionObstacle::Restricted);
    }
    if facts.rating.is_low() {
        obstacles.push(PromotionObstacle::LowRating);
    }
    let missing = tiers.promotion_mark(facts.level).saturating_sub(facts.distinct_contacts);
    if 0 < missing {
        obstacles.push(PromotionObstacle::TooFewContacts { missing });
    }
    let until = facts
        .earliest_counted_at
        .map(|earliest| earliest.max(facts.level_entered_at) + tiers.promotion_wait);
    if until.is_none_or(|until| now < until) {
        obstacles.push(PromotionObstacle::TooEarly { until });
    }
    obstacles
}

impl Level {
    /// The level of a new number.
    pub const FIRST: Self = Self(1);

    /// Level `number`, counted from 1; `None` for 0.
    #[must_use]
    pub fn new(number: u8) -> Option<Self> {
        (number != 0).then_some(Self(number))
    }

    /// Its number, counted from 1.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

impl TierPolicy {
    /// The limit of `level`, in distinct contacts. A level above the highest has the highest's.
    #[must_use]
    pub fn limit(&self, level: Level) -> u32 {
        let place = usize::from(level.0 - 1);
        self.level_limits
            .get(place)
            .or(self.level_limits.last())
            .copied()
            .unwrap_or(self.limit_below_level_one)
    }

    /// The limit of the level below `level` (NU-05).
    #[must_use]
    pub fn restricted_limit(&self, level: Level) -> u32 {
        Level::new(level.0 - 1).map_or(self.limit_below_level_one, |lower| self.limit(lower))
    }

    /// The level above `level`; `None` at the highest.
    #[must_use]
    pub fn next(&self, level: Level) -> Option<Level> {
        (usize::from(level.0) < self.level_limits.len()).then(|| Level(level.0.saturating_add(1)))
    }

    /// How many distinct contacts in the promotion window lift a number from `level` (NU-10). The
    /// level's own limit decides, not the effective one.
    #[must_use]
    pub fn promotion_mark(&self, level: Level) -> u32 {
        self.limit(level).saturating_mul(self.promotion_factor)
    }
}
