//! The standing of a number, computed from the clocks its rating has set (NU-03 to NU-06).

use chrono::{DateTime, TimeDelta, Utc};

use super::quality::Rating;
use crate::policy::QualityPolicy;

/// What a number's rating has led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Nothing stands against it.
    Connected,
    /// It turned red: a warning, sending goes on.
    Flagged,
    /// Red for too long: one level less, no promotion.
    Restricted,
}

/// The standing at the last change of rating and since when the present stretch lasts.
///
/// One stretch is running at any time: red or not red. Yellow and green are one stretch (Q5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StandingClock {
    /// The standing when the stretch began.
    standing: Standing,
    stretch: Stretch,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stretch {
    Low { since: DateTime<Utc> },
    NotLow { since: DateTime<Utc> },
}

impl StandingClock {
    /// A number that is new at `at`: connected, not red.
    #[must_use]
    pub fn connected_since(at: DateTime<Utc>) -> Self {
        Self { standing: Standing::Connected, stretch: Stretch::NotLow { since: at } }
    }

    /// The clock as it was stored; `None` unless exactly one of the two stretches is running, or where
    /// red and connected exclude each other.
    #[must_use]
    pub fn from_parts(
        standing: Standing,
        low_since: Option<DateTime<Utc>>,
        not_low_since: Option<DateTime<Utc>>,
    ) -> Option<Self> {
        match (low_since, not_low_since) {
            (Some(_), None) if standing == Standing::Connected => None,
            (Some(since), None) => Some(Self { standing, stretch: Stretch::Low { since } }),
            (None, Some(since)) => Some(Self { standing, stretch: Stretch::NotLow { since } }),
            (Some(_), Some(_)) | (None, None) => None,
        }
    }

    /// The standing when the present stretch began, to be stored.
    #[must_use]
    pub fn standing(self) -> Standing {
        self.standing
    }

    /// Since when it is red without a break; `None` while it is not red.
    #[must_use]
    pub fn low_since(self) -> Option<DateTime<Utc>> {
        match self.stretch {
            Stretch::Low { since } => Some(since),
            Stretch::NotLow { .. } => None,
        }
    }

    /// Since when it is not red without a break; `None` while it is red.
    #[must_use]
    pub fn not_low_since(self) -> Option<DateTime<Utc>> {
        match self.stretch {
            Stretch::Low { .. } => None,
            Stretch::NotLow { since } => Some(since),
        }
    }

    /// The clock after a rating of `at`, which is not before the last one. The same colour again
    /// changes nothing; red flags at once (NU-03).
    #[must_use]
    pub fn rate(self, rating: Rating, at: DateTime<Utc>, policy: &QualityPolicy) -> Self {
        let standing = self.standing_at(at, policy);
        match (self.stretch, rating.is_low()) {
            (Stretch::Low { .. }, true) | (Stretch::NotLow { .. }, false) => self,
            (Stretch::Low { .. }, false) => {
                Self { standing, stretch: Stretch::NotLow { since: at } }
            }
            (Stretch::NotLow { .. }, true) => {
                let standing = match standing {
                    Standing::Connected | Standing::Flagged => Standing::Flagged,
                    Standing::Restricted => Standing::Restricted,
                };
                Self { standing, stretch: Stretch::Low { since: at } }
            }
        }
    }

    /// The standing at `now`, if the rating has not changed since.
    ///
    /// Restricted from exactly seven days of red on (NU-05); connected after more than seven days
    /// without red, so that at exactly seven days nothing has changed yet (NU-06).
    #[must_use]
    pub fn standing_at(self, now: DateTime<Utc>, policy: &QualityPolicy) -> Standing {
        match self.next_change(policy) {
            Some((at, standing)) if at <= now => standing,
            Some(_) | None => self.standing,
        }
    }

    /// The one change that still comes if the rating stays as it is, with its first instant; `None` when
    /// the stretch changes nothing. It may lie in the past.
    #[must_use]
    pub fn next_change(self, policy: &QualityPolicy) -> Option<(DateTime<Utc>, Standing)> {
        match (self.stretch, self.standing) {
            (Stretch::Low { .. }, Standing::Restricted)
            | (Stretch::NotLow { .. }, Standing::Connected) => None,
            (Stretch::Low { since }, Standing::Connected | Standing::Flagged) => {
                Some((since + policy.restricted_after, Standing::Restricted))
            }
            (Stretch::NotLow { since }, Standing::Flagged | Standing::Restricted) => {
                let more_than = policy.connected_after + TimeDelta::milliseconds(1);
                Some((since + more_than, Standing::Connected))
            }
        }
    }
}

impl Standing {
    /// Every standing.
    pub const ALL: [Self; 3] = [Self::Connected, Self::Flagged, Self::Restricted];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Flagged => "flagged",
            Self::Restricted => "restricted",
        }
    }

    /// The standing stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == word)
    }
}
