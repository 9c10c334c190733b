//! Which telling of a template's status holds, when they come late, twice and out of order.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};

use super::TemplateStatus;

/// What the platform told of a template's status.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusNews {
    /// The status.
    pub status: TemplateStatus,
    /// Since when, by the platform.
    pub at: DateTime<Utc>,
}

impl StatusNews {
    /// What a change told by the platform, or by its refusal of a send, says. Its instants are whole
    /// seconds; ours are cut to them.
    #[must_use]
    pub fn of_change(status: TemplateStatus, at: DateTime<Utc>) -> Self {
        Self { status, at: whole_second(at) }
    }

    /// What a list says whose reading began at `read_at`: it counts as told the moment before that second,
    /// so that a change of the same second, which the list may not know of, stands against it.
    #[must_use]
    pub fn of_list(status: TemplateStatus, read_at: DateTime<Utc>) -> Self {
        Self { status, at: whole_second(read_at) - TimeDelta::milliseconds(1) }
    }

    /// Whether this holds once it comes after `known`: the later instant does, and within one instant the
    /// status that lets less go out. So the order of arrival decides nothing, as in LI-03.
    #[must_use]
    pub fn replaces(&self, known: &Self) -> bool {
        (known.at, known.strictness()) <= (self.at, self.strictness())
    }

    /// This after `known`: a pause whose end is not told ends when it was told before to.
    #[must_use]
    pub fn after(self, known: &Self) -> Self {
        match (self.status, known.status) {
            (
                TemplateStatus::Paused { until: None },
                TemplateStatus::Paused { until: Some(end) },
            ) if self.at < end => Self { status: known.status, ..self },
            _ => self,
        }
    }

    fn strictness(&self) -> u8 {
        match self.status {
            TemplateStatus::Approved => 0,
            TemplateStatus::Pending => 1,
            TemplateStatus::Paused { .. } => 2,
            TemplateStatus::Rejected => 3,
            TemplateStatus::Disabled => 4,
            TemplateStatus::Archived => 5,
            TemplateStatus::Unfillable(_) => 6,
            TemplateStatus::Gone => 7,
        }
    }
}

fn whole_second(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::seconds(1)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{day, milliseconds};

    const APPROVED: TemplateStatus = TemplateStatus::Approved;
    const PAUSED: TemplateStatus = TemplateStatus::Paused { until: None };

    fn change(status: TemplateStatus, time: &str) -> StatusNews {
        StatusNews::of_change(status, day(1, time))
    }

    #[test]
    fn the_later_news_hold_and_within_a_second_the_stricter() {
        let list = |status, time: &str| StatusNews::of_list(status, day(1, time));
        let cases = [
            ("later", change(APPROVED, "10:00:01"), change(PAUSED, "10:00:00"), true),
            (
                "late: older than what is known",
                change(PAUSED, "09:59:59"),
                change(APPROVED, "10:00:00"),
                false,
            ),
            ("a copy", change(PAUSED, "10:00:00"), change(PAUSED, "10:00:00"), true),
            (
                "the same second, stricter",
                change(PAUSED, "10:00:00"),
                change(APPROVED, "10:00:00"),
                true,
            ),
            (
                "the same second, laxer",
                change(APPROVED, "10:00:00"),
                change(PAUSED, "10:00:00"),
                false,
            ),
            (
                "a change in the list's second",
                change(APPROVED, "10:00:00"),
                list(PAUSED, "10:00:00.900"),
                true,
            ),
            (
                "a list in the change's second",
                list(PAUSED, "10:00:00.900"),
                change(APPROVED, "10:00:00"),
                false,
            ),
            (
                "a list of the next second",
                list(PAUSED, "10:00:01"),
                change(APPROVED, "10:00:00"),
                true,
            ),
            (
                "a change before the list was read",
                change(APPROVED, "09:59:59"),
                list(PAUSED, "10:00:00"),
                false,
            ),
        ];
        for (case, news, known, replaces) in cases {
            assert_eq!(news.replaces(&known), replaces, "{case}");
        }
        let refused = StatusNews::of_change(PAUSED, day(1, "10:00:00") + milliseconds(999));
        assert_eq!(refused.at, day(1, "10:00:00"), "our instants are cut");
    }
}
