//! How a file of a contact stands, and when it is fetched again.

use chrono::{DateTime, TimeDelta, Utc};

/// How long the platform keeps what a contact sent (protocol, 10).
pub const INBOUND_KEPT: TimeDelta = TimeDelta::days(7);
/// The wait after the first attempt that failed; it doubles with each.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(5);
/// The longest wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(1);

/// How a file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaState {
    /// It is to be fetched from the platform.
    Waiting,
    /// It is kept here.
    Kept,
    /// It is not kept: of what was fetched nothing is left.
    Refused(MediaRefusal),
    /// The platform itself could not get it: the contact may send it again.
    Lost,
    /// The platform keeps it no longer, and it was never to be had.
    Expired,
}

/// Why a file is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MediaRefusal {
    /// Its bytes are something else than it was sent as.
    WrongKind,
    /// It has more bytes than are kept of its kind.
    TooLarge,
    /// It has more pixels than are read.
    TooManyPixels,
    /// It cannot be read to its end.
    Broken,
    /// It lies outside the platform, where nothing is fetched.
    Elsewhere,
}

impl MediaRefusal {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::WrongKind, Self::TooLarge, Self::TooManyPixels, Self::Broken, Self::Elsewhere];

    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::WrongKind => "wrong_kind",
            Self::TooLarge => "too_large",
            Self::TooManyPixels => "too_many_pixels",
            Self::Broken => "broken",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl MediaState {
    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Kept => "kept",
            Self::Refused(_) => "refused",
            Self::Lost => "lost",
            Self::Expired => "expired",
        }
    }

    /// Why it is not kept, in a word; `None` unless it was refused.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Refused(refusal) => Some(refusal.as_str()),
            Self::Waiting | Self::Kept | Self::Lost | Self::Expired => None,
        }
    }

    /// The state stored as `word` with its `reason`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str, reason: Option<&str>) -> Option<Self> {
        match word {
            "waiting" => Some(Self::Waiting),
            "kept" => Some(Self::Kept),
            "lost" => Some(Self::Lost),
            "expired" => Some(Self::Expired),
            "refused" => {
                let mut all = MediaRefusal::ALL.into_iter();
                all.find(|refusal| Some(refusal.as_str()) == reason).map(Self::Refused)
            }
            _ => None,
        }
    }
}

/// When a file is fetched again after `attempts` (from 1) that failed; `None` when the platform keeps it no longer
/// by then, `told_at` being when the contact sent it.
#[must_use]
pub fn next_fetch(
    attempts: u32,
    told_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let doublings = attempts.saturating_sub(1).min(16);
    let wait = (FIRST_WAIT * (1 << doublings)).min(LONGEST_WAIT);
    let at = now + wait;
    (at < told_at + INBOUND_KEPT).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_tried_again_ever_later_until_its_seven_days_are_over() {
        let told = DateTime::UNIX_EPOCH;
        let after = |attempts, at: TimeDelta| {
            next_fetch(attempts, told, told + at).map(|next| next - told - at)
        };
        let seconds = TimeDelta::seconds;
        let cases = [
            ("the first", 1, TimeDelta::zero(), Some(seconds(5))),
            ("the second", 2, TimeDelta::zero(), Some(seconds(10))),
            ("the fifth", 5, TimeDelta::zero(), Some(seconds(80))),
            ("never later than an hour", 30, TimeDelta::zero(), Some(seconds(3_600))),
            ("any number of attempts", u32::MAX, TimeDelta::zero(), Some(seconds(3_600))),
            ("an hour and more before the end", 30, TimeDelta::hours(166), Some(seconds(3_600))),
            ("the next would be at the end", 30, TimeDelta::hours(167), None),
            ("after the end", 1, TimeDelta::days(8), None),
        ];
        for (case, attempts, at, expected) in cases {
            assert_eq!(after(attempts, at), expected, "{case}");
        }
    }

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let refused = MediaRefusal::ALL.into_iter().map(MediaState::Refused);
        let plain = [MediaState::Waiting, MediaState::Kept, MediaState::Lost, MediaState::Expired];
        for state in plain.into_iter().chain(refused) {
            assert_eq!(MediaState::parse(state.as_str(), state.reason()), Some(state));
        }
        assert_eq!(MediaState::parse("refused", Some("mood")), None);
        assert_eq!(MediaState::parse("gone", None), None);
    }
}
