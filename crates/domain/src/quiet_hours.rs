//! Quiet hours: when a contact may be written to, by the contact's own clock (AD-10).

use chrono::{
    DateTime, Datelike, Days, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone, Timelike, Utc,
    Weekday,
};
use chrono_tz::Tz;
use thiserror::Error;

/// A stretch of one weekday in which writing is allowed.
///
/// Invariant: `opens < closes <= 1440`, in minutes of the local day; the end is exclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    weekday: Weekday,
    opens: u16,
    closes: u16,
}

/// Why two minutes of the day make no frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameProblem {
    /// It ends before it begins, or at once.
    #[error("the frame ends before it begins")]
    Empty,
    /// It reaches beyond midnight; two frames say that.
    #[error("the frame reaches beyond midnight")]
    BeyondMidnight,
}

/// Minutes of a day; a frame that `closes` then reaches midnight.
const MINUTES_OF_DAY: u16 = 24 * 60;

impl Frame {
    /// The frame `[opens, closes)` of `weekday`, in minutes since local midnight.
    ///
    /// # Errors
    /// When it would be empty or reach beyond midnight (1440).
    pub fn new(weekday: Weekday, opens: u16, closes: u16) -> Result<Self, FrameProblem> {
        if MINUTES_OF_DAY < closes {
            return Err(FrameProblem::BeyondMidnight);
        }
        if closes <= opens {
            return Err(FrameProblem::Empty);
        }
        Ok(Self { weekday, opens, closes })
    }

    /// The weekday it belongs to.
    #[must_use]
    pub fn weekday(self) -> Weekday {
        self.weekday
    }

    /// The minute of the day from which writing is allowed, inclusive.
    #[must_use]
    pub fn opens(self) -> u16 {
        self.opens
    }

    /// The minute of the day from which it no longer is; 1440 is midnight.
    #[must_use]
    pub fn closes(self) -> u16 {
        self.closes
    }

    fn holds(self, local: NaiveDateTime) -> bool {
        let minute = local.hour() * 60 + local.minute();
        local.weekday() == self.weekday
            && u32::from(self.opens) <= minute
            && minute < u32::from(self.closes)
    }
}

/// The frames of a week. Without any, writing is never allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WeeklyFrames(pub Vec<Frame>);

impl WeeklyFrames {
    /// Every day from 08:00, inclusive, to 21:00, exclusive.
    #[must_use]
    pub fn every_day_eight_to_nine() -> Self {
        let week = std::iter::successors(Some(Weekday::Mon), |day| Some(day.succ())).take(7);
        Self(week.map(|weekday| Frame { weekday, opens: 8 * 60, closes: 21 * 60 }).collect())
    }

    /// Whether writing is allowed when the contact's wall clock shows `local`.
    #[must_use]
    pub fn allow(&self, local: NaiveDateTime) -> bool {
        self.0.iter().any(|frame| frame.holds(local))
    }

    /// The next opening after `local` on the wall clock, as if no clock were ever changed.
    fn next_opening(&self, local: NaiveDateTime) -> Option<NaiveDateTime> {
        (0..=7)
            .filter_map(|days| local.date().checked_add_days(Days::new(days)))
            .flat_map(|date| {
                let frames = self.0.iter().filter(move |frame| frame.weekday == date.weekday());
                frames.map(move |frame| {
                    date.and_time(NaiveTime::MIN) + TimeDelta::minutes(i64::from(frame.opens))
                })
            })
            .filter(|opening| local < *opening)
            .min()
    }
}

/// Within which hours one contact may be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuietHours {
    /// When writing is allowed, on the contact's wall clock.
    pub allowed: WeeklyFrames,
    /// The contact's zone, or every zone it may be in. Writing is allowed only while all of them allow
    /// it, which is the strictest; without a candidate it never is.
    pub zones: Vec<Tz>,
}

impl QuietHours {
    /// The first instant from `now` on, `now` included, at which writing is allowed; `None` when there
    /// is none up to `now + horizon`, inclusive.
    ///
    /// A changed clock is followed exactly: an opening that falls into a skipped hour is the instant
    /// after the gap, and an hour lived twice is judged twice.
    ///
    /// Rule: AD-10.
    #[must_use]
    pub fn allowed_from(&self, now: DateTime<Utc>, horizon: TimeDelta) -> Option<DateTime<Utc>> {
        if self.zones.is_empty() {
            return None;
        }
        let latest = now + horizon;
        let mut at = now;
        loop {
            let mut all_allow = true;
            for zone in &self.zones {
                let allowed = self.allowed_in(*zone, at, latest)?;
                if at < allowed {
                    at = allowed;
                    all_allow = false;
                }
            }
            if all_allow {
                return Some(at);
            }
        }
    }

    /// The first instant in `[from, latest]` at which the wall clock of `zone` stands in a frame.
    fn allowed_in(
        &self,
        zone: Tz,
        from: DateTime<Utc>,
        latest: DateTime<Utc>,
    ) -> Option<DateTime<Utc>> {
        let mut at = from;
        while at <= latest {
            let local = at.with_timezone(&zone).naive_local();
            if self.allowed.allow(local) {
                return Some(at);
            }
            let opening = self.allowed.next_opening(local)?;
            // At most a day at once: no zone changes its clock there and back within one.
            let step = (opening - local).min(TimeDelta::days(1));
            at = first_change_of_clock(zone, at, at + step).unwrap_or(at + step);
        }
        None
    }
}

/// The instant in `(from, to]` from which `zone` has another offset than at `from`; `None` when the
/// offset at `to` is the same.
fn first_change_of_clock(
    zone: Tz,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let offset = |at: DateTime<Utc>| zone.offset_from_utc_datetime(&at.naive_utc()).fix();
    let before = offset(from);
    if offset(to) == before {
        return None;
    }
    let (mut unchanged, mut changed) = (from.timestamp_millis(), to.timestamp_millis());
    while changed - unchanged > 1 {
        let middle = unchanged + (changed - unchanged) / 2;
        match DateTime::from_timestamp_millis(middle) {
            Some(instant) if offset(instant) == before => unchanged = middle,
            Some(_) | None => changed = middle,
        }
    }
    DateTime::from_timestamp_millis(changed)
}
