//! Instants as a reader sees them: in the reader's zone and language, with the zone on hover (CL-02, CL-04).

use chrono::{DateTime, Datelike, SecondsFormat, Utc};
use chrono_tz::Tz;
use domain::remaining::{Remaining, round_up_to_minute};

use crate::locale::{Locale, Words};

/// Whose eyes a page is built for.
#[derive(Debug, Clone, Copy)]
pub struct Viewer {
    /// The language.
    pub locale: Locale,
    /// The zone in which instants are shown.
    pub zone: Tz,
    /// When the page is built.
    pub now: DateTime<Utc>,
}

/// An instant ready for `ui::moment`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// For machines: UTC with milliseconds.
    pub datetime: String,
    /// For people.
    pub text: String,
    /// Shown on hover: date, time and zone in full.
    pub title: String,
}

impl Viewer {
    /// The words of the viewer's language.
    #[must_use]
    pub fn words(&self) -> Words {
        self.locale.words()
    }

    /// The time of day, such as `15:14`.
    #[must_use]
    pub fn time(&self, instant: DateTime<Utc>) -> Moment {
        self.moment(instant, self.clock_text(instant))
    }

    /// The day, such as `3 Nov`; with the year when it is another one.
    #[must_use]
    pub fn day(&self, instant: DateTime<Utc>) -> Moment {
        self.moment(instant, self.day_text(instant))
    }

    /// Day and time: `15:14` today, else `23 Nov at 09:00`.
    #[must_use]
    pub fn at(&self, instant: DateTime<Utc>) -> Moment {
        self.moment(instant, self.at_text(instant))
    }

    /// As short as a list allows: `15:14`, `Yesterday`, `Tue`, `3 Nov`.
    #[must_use]
    pub fn brief(&self, instant: DateTime<Utc>) -> Moment {
        let t = self.words();
        let days = self.days_ago(instant);
        let text = match days {
            0 => self.clock_text(instant),
            1 => t.time_yesterday(),
            2..=6 => self.weekday(instant),
            _ => self.day_text(instant),
        };
        self.moment(instant, text)
    }

    /// From when something is allowed: rounded up to the minute (CL-04), with the day unless today.
    #[must_use]
    #[expect(
        clippy::wrong_self_convention,
        reason = "it says from when something is allowed; nothing is converted"
    )]
    pub fn from_when(&self, instant: DateTime<Utc>) -> Moment {
        self.at(round_up_to_minute(instant))
    }

    /// How long until `instant`, in words, cut to the minute (CL-04); `less than 1 min` once it has come.
    #[must_use]
    pub fn remaining(&self, instant: DateTime<Utc>) -> String {
        remaining_text(self.words(), Remaining::until(instant, self.now))
    }

    /// How long it is since `instant`, in the same words.
    #[must_use]
    pub fn elapsed(&self, instant: DateTime<Utc>) -> String {
        remaining_text(self.words(), Remaining::until(self.now, instant))
    }

    /// Whether what is allowed from `instant` on is so on the viewer's present day, by the minute shown (CL-04).
    #[must_use]
    pub fn is_from_today(&self, instant: DateTime<Utc>) -> bool {
        self.is_today(round_up_to_minute(instant))
    }

    /// Whether `instant` falls on the viewer's present day.
    #[must_use]
    pub fn is_today(&self, instant: DateTime<Utc>) -> bool {
        self.days_ago(instant) == 0
    }

    fn moment(&self, instant: DateTime<Utc>, text: String) -> Moment {
        let local = instant.with_timezone(&self.zone);
        Moment {
            datetime: instant.to_rfc3339_opts(SecondsFormat::Millis, true),
            text,
            title: format!(
                "{} {} ({})",
                self.full_day_text(instant),
                local.format("%H:%M:%S"),
                self.zone.name()
            ),
        }
    }

    fn clock_text(&self, instant: DateTime<Utc>) -> String {
        instant.with_timezone(&self.zone).format("%H:%M").to_string()
    }

    fn at_text(&self, instant: DateTime<Utc>) -> String {
        if self.is_today(instant) {
            return self.clock_text(instant);
        }
        self.words().time_date_at_time(self.day_text(instant), self.clock_text(instant))
    }

    fn day_text(&self, instant: DateTime<Utc>) -> String {
        let local = instant.with_timezone(&self.zone);
        if local.year() == self.now.with_timezone(&self.zone).year() {
            self.words().time_day_month(local.day(), self.month(local.month0()))
        } else {
            self.full_day_text(instant)
        }
    }

    fn full_day_text(&self, instant: DateTime<Utc>) -> String {
        let local = instant.with_timezone(&self.zone);
        self.words().time_day_month_year(
            local.day(),
            self.month(local.month0()),
            local.year().to_string(),
        )
    }

    /// Calendar days between `instant` and now, in the viewer's zone; negative for days to come.
    fn days_ago(&self, instant: DateTime<Utc>) -> i64 {
        let today = self.now.with_timezone(&self.zone).date_naive();
        (today - instant.with_timezone(&self.zone).date_naive()).num_days()
    }

    fn month(&self, month0: u32) -> String {
        let t = self.words();
        match month0 {
            0 => t.time_jan(),
            1 => t.time_feb(),
            2 => t.time_mar(),
            3 => t.time_apr(),
            4 => t.time_may(),
            5 => t.time_jun(),
            6 => t.time_jul(),
            7 => t.time_aug(),
            8 => t.time_sep(),
            9 => t.time_oct(),
            10 => t.time_nov(),
            _ => t.time_dec(),
        }
    }

    fn weekday(&self, instant: DateTime<Utc>) -> String {
        let t = self.words();
        match instant.with_timezone(&self.zone).weekday() {
            chrono::Weekday::Mon => t.time_mon(),
            chrono::Weekday::Tue => t.time_tue(),
            chrono::Weekday::Wed => t.time_wed(),
            chrono::Weekday::Thu => t.time_thu(),
            chrono::Weekday::Fri => t.time_fri(),
            chrono::Weekday::Sat => t.time_sat(),
            chrono::Weekday::Sun => t.time_sun(),
        }
    }
}

/// Remaining time in words (CL-04): `17 h 00 min`, `12 min`, `4 d 18 h`, `less than 1 min`.
#[must_use]
pub fn remaining_text(t: Words, remaining: Remaining) -> String {
    match remaining {
        Remaining::LessThanAMinute => t.time_less_than_a_minute(),
        Remaining::Minutes { hours: 0, minutes } => t.time_minutes(minutes),
        Remaining::Minutes { hours, minutes } => {
            t.time_hours_minutes(hours, format!("{minutes:02}"))
        }
        Remaining::Days { days, hours } => t.time_days_hours(days, hours),
    }
}

/// How long to wait, in words, rounded up to the minute: never less than what is needed.
#[must_use]
pub fn wait_text(t: Words, wait: std::time::Duration) -> String {
    let minutes = u32::try_from(wait.as_secs().div_ceil(60)).unwrap_or(u32::MAX);
    match minutes {
        0 | 1 => t.time_less_than_a_minute(),
        2..60 => t.time_minutes(minutes),
        _ => t.time_hours_minutes(minutes / 60, format!("{:02}", minutes % 60)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    fn viewer(locale: Locale) -> Viewer {
        let now = "2026-11-22T19:00:00Z".parse().unwrap();
        Viewer { locale, zone: chrono_tz::America::Sao_Paulo, now }
    }

    #[test]
    fn cl_04_remaining_time_is_cut_to_the_minute() {
        let cases = [
            (TimeDelta::hours(17), ["17 h 00 min", "17 h 00 min", "17 h 00 min"]),
            (TimeDelta::seconds(59), ["less than 1 min", "menos de 1 min", "menos de 1 min"]),
            (TimeDelta::seconds(-5), ["less than 1 min", "menos de 1 min", "menos de 1 min"]),
            (TimeDelta::seconds(119), ["1 min", "1 min", "1 min"]),
            (TimeDelta::minutes(24 * 60 - 1), ["23 h 59 min", "23 h 59 min", "23 h 59 min"]),
            (TimeDelta::hours(24 * 4 + 18), ["4 d 18 h", "4 d 18 h", "4 d 18 h"]),
        ];
        for (left, expected) in cases {
            for (locale, text) in [Locale::En, Locale::PtBR, Locale::Es].into_iter().zip(expected) {
                let viewer = viewer(locale);
                assert_eq!(viewer.remaining(viewer.now + left), text);
            }
        }
    }

    #[test]
    fn cl_02_instants_are_shown_in_the_viewers_zone_with_the_zone_on_hover() {
        let instant = "2026-11-23T12:00:00.500Z".parse().unwrap();
        let moment = viewer(Locale::En).at(instant);
        assert_eq!(moment.text, "23 Nov at 09:00");
        assert_eq!(moment.datetime, "2026-11-23T12:00:00.500Z");
        assert_eq!(moment.title, "23 Nov 2026 09:00:00 (America/Sao_Paulo)");
        assert_eq!(viewer(Locale::PtBR).at(instant).text, "23 nov. às 09:00");
        assert_eq!(viewer(Locale::Es).at(instant).text, "23 nov a las 09:00");
        let allowed = viewer(Locale::En).from_when(instant);
        assert_eq!(allowed.text, "23 Nov at 09:01", "CL-04: rounded up to the minute");
    }

    #[test]
    fn cl_04_an_instant_of_release_is_of_the_day_of_its_minute() {
        let viewer = viewer(Locale::En);
        let cases = [("2026-11-23T02:59:00Z", true), ("2026-11-23T02:59:00.001Z", false)];
        for (instant, expected) in cases {
            let instant = instant.parse().unwrap();
            assert_eq!(viewer.is_from_today(instant), expected, "{instant}");
        }
    }

    #[test]
    fn a_list_says_an_instant_as_briefly_as_it_can() {
        let viewer = viewer(Locale::En);
        let cases = [
            ("2026-11-22T18:14:00Z", "15:14"),
            ("2026-11-22T02:59:00Z", "Yesterday"),
            ("2026-11-17T15:00:00Z", "Tue"),
            ("2026-11-03T15:00:00Z", "3 Nov"),
            ("2025-11-03T15:00:00Z", "3 Nov 2025"),
            ("2026-11-24T15:00:00Z", "24 Nov"),
        ];
        for (instant, expected) in cases {
            assert_eq!(viewer.brief(instant.parse().unwrap()).text, expected);
        }
    }
}
