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

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc, Weekday};
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::{Frame, FrameProblem, QuietHours, WeeklyFrames};

    const HORIZON: TimeDelta = TimeDelta::days(14);

    fn utc(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn in_zones(zones: &[Tz]) -> QuietHours {
        QuietHours { allowed: WeeklyFrames::every_day_eight_to_nine(), zones: zones.to_vec() }
    }

    fn every_day(opens: u16, closes: u16, zone: Tz) -> QuietHours {
        let week = WeeklyFrames::every_day_eight_to_nine().0.into_iter();
        let frames = week.map(|day| Frame::new(day.weekday(), opens, closes).unwrap()).collect();
        QuietHours { allowed: WeeklyFrames(frames), zones: vec![zone] }
    }

    #[test]
    fn ad_10_writing_is_allowed_from_eight_to_nine_on_the_contacts_clock() {
        let sao_paulo = || in_zones(&[Tz::America__Sao_Paulo]);
        #[rustfmt::skip]
        let cases = [
            ("just before eight", sao_paulo(), "2026-11-23T10:59:59.999Z", "2026-11-23T11:00:00Z"),
            ("eight is inside", sao_paulo(), "2026-11-23T11:00:00Z", "2026-11-23T11:00:00Z"),
            ("just before nine in the evening", sao_paulo(), "2026-11-23T23:59:59.999Z", "2026-11-23T23:59:59.999Z"),
            ("nine in the evening is not", sao_paulo(), "2026-11-24T00:00:00Z", "2026-11-24T11:00:00Z"),
            ("of two zones the stricter: not before the western one opens", in_zones(&[Tz::Europe__Lisbon, Tz::Atlantic__Azores]), "2026-11-23T08:30:00Z", "2026-11-23T09:00:00Z"),
            ("nor after the eastern one has closed", in_zones(&[Tz::Europe__Lisbon, Tz::Atlantic__Azores]), "2026-11-23T21:00:00Z", "2026-11-24T09:00:00Z"),
            ("a zone of half hours", in_zones(&[Tz::Asia__Kolkata]), "2026-11-23T00:00:00Z", "2026-11-23T02:30:00Z"),
            ("a frame opens in the skipped midnight of Santiago", every_day(30, 600, Tz::America__Santiago), "2026-09-06T03:00:00Z", "2026-09-06T04:00:00Z"),
            ("eight comes an hour sooner after it", in_zones(&[Tz::America__Santiago]), "2026-09-06T01:00:00Z", "2026-09-06T11:00:00Z"),
            ("an opening skipped in Lisbon is the end of the gap", every_day(75, 600, Tz::Europe__Lisbon), "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z"),
            ("an hour lived twice in Lisbon opens at its first passing", every_day(75, 110, Tz::Europe__Lisbon), "2026-10-25T00:00:00Z", "2026-10-25T00:15:00Z"),
            ("between the two passings it is quiet again", every_day(75, 110, Tz::Europe__Lisbon), "2026-10-25T00:50:00Z", "2026-10-25T01:15:00Z"),
            ("and the second passing is allowed too", every_day(75, 110, Tz::Europe__Lisbon), "2026-10-25T01:20:00Z", "2026-10-25T01:20:00Z"),
        ];
        for (case, hours, now, expected) in cases {
            assert_eq!(hours.allowed_from(utc(now), HORIZON), Some(utc(expected)), "{case}");
        }
    }

    #[test]
    fn without_a_zone_or_a_frame_in_common_waiting_does_not_help() {
        let now = utc("2026-11-23T12:00:00Z");
        assert_eq!(in_zones(&[]).allowed_from(now, HORIZON), None);
        let apart = QuietHours {
            zones: vec![Tz::Europe__Lisbon, Tz::Asia__Tokyo],
            ..every_day(540, 600, Tz::UTC)
        };
        assert_eq!(apart.allowed_from(now, HORIZON), None);
        let never = QuietHours { allowed: WeeklyFrames(Vec::new()), zones: vec![Tz::UTC] };
        assert_eq!(never.allowed_from(now, HORIZON), None);
    }

    #[test]
    fn a_weekend_without_frames_is_waited_out() {
        let frames = WeeklyFrames::every_day_eight_to_nine().0.into_iter();
        let weekdays =
            frames.filter(|f| !matches!(f.weekday(), Weekday::Sat | Weekday::Sun)).collect();
        let hours = QuietHours { allowed: WeeklyFrames(weekdays), zones: vec![Tz::UTC] };
        let friday_evening = utc("2026-11-27T21:00:00Z");
        assert_eq!(hours.allowed_from(friday_evening, HORIZON), Some(utc("2026-11-30T08:00:00Z")));
    }

    #[test]
    fn a_frame_lies_within_its_day() {
        let cases = [
            (0, 1440, Ok(())),
            (479, 480, Ok(())),
            (480, 480, Err(FrameProblem::Empty)),
            (481, 480, Err(FrameProblem::Empty)),
            (0, 1441, Err(FrameProblem::BeyondMidnight)),
        ];
        for (opens, closes, expected) in cases {
            assert_eq!(Frame::new(Weekday::Mon, opens, closes).map(|_| ()), expected);
        }
    }

    fn zones() -> impl Strategy<Value = Vec<Tz>> {
        let all = vec![
            Tz::America__Santiago,
            Tz::Europe__Lisbon,
            Tz::America__New_York,
            Tz::Asia__Kolkata,
            Tz::Australia__Lord_Howe,
            Tz::America__Sao_Paulo,
            Tz::Africa__Casablanca,
            Tz::America__St_Johns,
        ];
        proptest::sample::subsequence(all, 1..3)
    }

    fn weeks() -> impl Strategy<Value = WeeklyFrames> {
        let day = (0..24_u16 * 60, 1..24_u16 * 60);
        proptest::collection::vec(proptest::option::weighted(0.8, day), 7).prop_map(|days| {
            let week = WeeklyFrames::every_day_eight_to_nine().0;
            let frames = week.iter().zip(days).filter_map(|(day, span)| {
                let (opens, length) = span?;
                Frame::new(day.weekday(), opens, (opens + length).min(24 * 60)).ok()
            });
            WeeklyFrames(frames.collect())
        })
    }

    proptest! {
        /// Against a clock that is looked at every minute.
        #[test]
        fn the_next_allowed_minute_is_the_first_that_all_clocks_allow(
            zones in zones(),
            allowed in weeks(),
            minute in 0..2 * 365 * 24 * 60_i64,
            millisecond in 0..60_000_i64,
        ) {
            let start = utc("2026-01-01T00:00:00Z") + TimeDelta::minutes(minute);
            let now = start + TimeDelta::milliseconds(millisecond);
            let hours = QuietHours { allowed, zones };
            let allow = |at: DateTime<Utc>| {
                hours.zones.iter().all(|zone| hours.allowed.allow(at.with_timezone(zone).naive_local()))
            };
            let horizon = TimeDelta::days(9);
            let minutes = (1..=9 * 24 * 60).map(|minutes| start + TimeDelta::minutes(minutes));
            let looked = std::iter::once(now).chain(minutes).take_while(|at| *at <= now + horizon);
            prop_assert_eq!(hours.allowed_from(now, horizon), looked.into_iter().find(|at| allow(*at)));
        }

        #[test]
        fn around_a_change_of_clock_too(
            zone in proptest::sample::select(vec![
                (Tz::America__Santiago, "2026-09-06T04:00:00Z"),
                (Tz::America__Santiago, "2026-04-05T03:00:00Z"),
                (Tz::Europe__Lisbon, "2026-03-29T01:00:00Z"),
                (Tz::Europe__Lisbon, "2026-10-25T01:00:00Z"),
                (Tz::Australia__Lord_Howe, "2026-04-04T15:00:00Z"),
            ]),
            opens in 0..300_u16,
            length in 1..300_u16,
            before in 0..240_i64,
        ) {
            let (zone, change) = zone;
            let hours = every_day(opens, opens + length, zone);
            let now = utc(change) - TimeDelta::minutes(before);
            let mut minutes = (0..2 * 24 * 60).map(|minutes| now + TimeDelta::minutes(minutes));
            let first = minutes.find(|at| hours.allowed.allow(at.with_timezone(&zone).naive_local()));
            prop_assert_eq!(hours.allowed_from(now, HORIZON), first);
        }
    }
}
