//! Instants as a reader sees them, in the workspace's zone, so that they are the same as on the desk.

use chrono::{DateTime, Datelike, NaiveDate, Weekday};
use chrono_tz::Tz;

use crate::clock::instant;
use crate::locale::Locale;

/// An instant ready to print.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// For machines: UTC with milliseconds.
    pub datetime: String,
    pub text: String,
    /// On hover: day, time and zone in full.
    pub title: String,
}

/// Tells instants to one reader.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    pub locale: Locale,
    pub zone: Tz,
    pub now_ms: i64,
}

impl Clock {
    /// The time of day: `14:02`.
    pub(super) fn time(&self, at_ms: i64) -> Moment {
        self.moment(at_ms, self.time_text(at_ms))
    }

    /// As short as a list allows: `14:02`, `Yesterday`, `Tue`, `3 Nov`.
    pub(super) fn brief(&self, at_ms: i64) -> Moment {
        let text = match self.days_ago(at_ms) {
            0 => self.time_text(at_ms),
            1 => self.locale.words().time_yesterday(),
            2..=6 => self.weekday(self.day(at_ms)),
            _ => self.date(self.day(at_ms)),
        };
        self.moment(at_ms, text)
    }

    /// The day above its messages: `Today`, `Yesterday`, `Tue 3 Nov`.
    pub(super) fn heading(&self, at_ms: i64) -> Moment {
        let text = match self.days_ago(at_ms) {
            0 => self.locale.words().sandbox_today(),
            1 => self.locale.words().time_yesterday(),
            _ => self.weekday_and_date(self.day(at_ms)),
        };
        self.moment(at_ms, text)
    }

    /// Day and time: `Tue 3 Nov, 14:02`.
    pub(super) fn full(&self, at_ms: i64) -> Moment {
        let day = self.weekday_and_date(self.day(at_ms));
        self.moment(at_ms, format!("{day}, {}", self.time_text(at_ms)))
    }

    /// The sandbox's now, day and time.
    pub(super) fn now(&self) -> Moment {
        self.full(self.now_ms)
    }

    /// The day `at_ms` falls on.
    pub(super) fn day(&self, at_ms: i64) -> NaiveDate {
        self.local(at_ms).date_naive()
    }

    fn moment(&self, at_ms: i64, text: String) -> Moment {
        let local = self.local(at_ms);
        let day = self.date(local.date_naive());
        let title =
            format!("{day} {} {} ({})", local.year(), local.format("%H:%M:%S"), self.zone.name());
        Moment { datetime: instant(at_ms), text, title }
    }

    fn local(&self, at_ms: i64) -> DateTime<Tz> {
        DateTime::from_timestamp_millis(at_ms).unwrap_or_default().with_timezone(&self.zone)
    }

    fn time_text(&self, at_ms: i64) -> String {
        self.local(at_ms).format("%H:%M").to_string()
    }

    fn days_ago(&self, at_ms: i64) -> i64 {
        (self.day(self.now_ms) - self.day(at_ms)).num_days()
    }

    fn weekday_and_date(&self, day: NaiveDate) -> String {
        format!("{} {}", self.weekday(day), self.date(day))
    }

    fn date(&self, day: NaiveDate) -> String {
        let t = self.locale.words();
        let month = match day.month0() {
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
        };
        t.time_day_month(day.day(), month)
    }

    fn weekday(&self, day: NaiveDate) -> String {
        let t = self.locale.words();
        match day.weekday() {
            Weekday::Mon => t.time_mon(),
            Weekday::Tue => t.time_tue(),
            Weekday::Wed => t.time_wed(),
            Weekday::Thu => t.time_thu(),
            Weekday::Fri => t.time_fri(),
            Weekday::Sat => t.time_sat(),
            Weekday::Sun => t.time_sun(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_are_told_in_the_readers_language_and_the_workspaces_zone() {
        let at = |text: &str| text.parse::<DateTime<chrono::Utc>>().unwrap().timestamp_millis();
        let now_ms = at("2026-11-22T17:02:00Z");
        let clock = |locale| Clock { locale, zone: Tz::America__Sao_Paulo, now_ms };
        let en = clock(Locale::En);
        assert_eq!(en.now().text, "Sun 22 Nov, 14:02");
        assert_eq!(en.now().title, "22 Nov 2026 14:02:00 (America/Sao_Paulo)");
        let cases = [
            ("2026-11-22T03:00:00Z", "00:00", "Today"),
            ("2026-11-22T02:59:00Z", "Yesterday", "Yesterday"),
            ("2026-11-17T15:00:00Z", "Tue", "Tue 17 Nov"),
            ("2026-11-03T15:00:00Z", "3 Nov", "Tue 3 Nov"),
        ];
        for (instant, brief, heading) in cases {
            assert_eq!(en.brief(at(instant)).text, brief);
            assert_eq!(en.heading(at(instant)).text, heading);
        }
        assert_eq!(clock(Locale::PtBR).heading(at("2026-11-03T15:00:00Z")).text, "ter. 3 nov.");
    }
}
