//! The quality rating of a number: from feedback, from the platform, from a breach (NU-02, NU-16).

use chrono::{DateTime, Utc};

use crate::policy::QualityPolicy;

/// How recipients and the platform judge a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rating {
    /// Red.
    Low,
    /// Yellow.
    Medium,
    /// Green.
    High,
}

/// The feedback of the last interval, kept as input of the evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Feedback {
    /// Messages that reached a phone.
    pub delivered: u32,
    /// Opt-out words, buttons and the platform's preference events.
    pub stops: u32,
    /// Failures of the spam class: 131048 and 131050.
    pub spam_failures: u32,
    /// Blocks and reports, where a channel tells them.
    pub reports: u32,
}

/// What the platform last said of a number's quality.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlatformRating {
    /// `None` when it said UNKNOWN.
    pub rating: Option<Rating>,
    /// When it was read.
    pub read_at: DateTime<Utc>,
}

/// A rating with what decided it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Evaluation {
    /// What holds.
    pub rating: Rating,
    /// Our own, kept beside it as early warning.
    pub own: Rating,
    /// What decided.
    pub decided_by: RatingSource,
}

/// What decided a rating.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RatingSource {
    /// A breach that is neither lifted nor appealed with success (NU-16).
    Breach,
    /// The platform's fresh word.
    Platform,
    /// Our own count.
    Feedback,
}

/// The rating by our own count of `feedback`; `last` is the one before it.
///
/// Rule: NU-02.
#[must_use]
pub fn own_rating(feedback: Feedback, last: Rating, policy: &QualityPolicy) -> Rating {
    let signals = feedback.signals();
    if feedback.delivered == 0 && signals == 0 {
        return Rating::High;
    }
    if feedback.delivered < policy.least_delivered {
        return last;
    }
    let reaches = |per_thousand: u32| {
        u64::from(feedback.delivered) * u64::from(per_thousand) <= signals * 1000
    };
    if reaches(policy.low_from_per_thousand) {
        Rating::Low
    } else if reaches(policy.medium_from_per_thousand) {
        Rating::Medium
    } else {
        Rating::High
    }
}

/// The rating that holds at `now`, and what decided it: a breach, else the platform while its word is
/// fresh, else our own count. `last_own` is our own rating of the evaluation before.
///
/// Rules: NU-02, NU-16.
#[must_use]
pub fn evaluate(
    feedback: Feedback,
    last_own: Rating,
    platform: Option<PlatformRating>,
    in_breach: bool,
    policy: &QualityPolicy,
    now: DateTime<Utc>,
) -> Evaluation {
    let own = own_rating(feedback, last_own, policy);
    let fresh = platform.filter(|said| now - said.read_at < policy.platform_rating_lasts);
    let (rating, decided_by) = match fresh.and_then(|said| said.rating) {
        _ if in_breach => (Rating::Low, RatingSource::Breach),
        Some(rating) => (rating, RatingSource::Platform),
        None => (own, RatingSource::Feedback),
    };
    Evaluation { rating, own, decided_by }
}

impl Feedback {
    /// All that speaks against the number.
    #[must_use]
    pub fn signals(self) -> u64 {
        u64::from(self.stops) + u64::from(self.spam_failures) + u64::from(self.reports)
    }
}

impl Rating {
    /// Every rating.
    pub const ALL: [Self; 3] = [Self::Low, Self::Medium, Self::High];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }

    /// The rating stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rating| rating.as_str() == word)
    }

    /// The platform's `GREEN`, `YELLOW` or `RED`; `None` for `UNKNOWN` and anything else.
    #[must_use]
    pub fn from_platform(word: &str) -> Option<Self> {
        match word {
            "GREEN" => Some(Self::High),
            "YELLOW" => Some(Self::Medium),
            "RED" => Some(Self::Low),
            _ => None,
        }
    }

    /// Whether it is red.
    #[must_use]
    pub fn is_low(self) -> bool {
        self == Self::Low
    }
}
