//! The session clock of a row or thread, and the alert that it runs out (SW-01, SW-02, SW-03, SW-08).

use chrono::{DateTime, Utc};
use domain::{policy::SessionWindowPolicy, remaining::Remaining, session_window::SessionState};

use crate::{
    moment::{Moment, Viewer},
    page::json_instant,
};

/// A session clock, display-ready.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockView {
    /// The id of its floating window.
    pub id: String,
    /// `ok`, `soon` or `over`.
    pub state: &'static str,
    /// The end of the window for scripts; `None` when the contact never wrote.
    pub until: Option<String>,
    /// Below this many minutes it closes soon.
    pub warn_minutes: u32,
    /// For screen readers.
    pub label: String,
    /// As short as a row allows: `22 h`, `1 h 12`, `closed`.
    pub short: String,
    /// In full: `1 h 12 min`, `closed`.
    pub left: String,
    /// Until or since when, as a sentence.
    pub sentence: String,
    /// Name and address of the platform's policy.
    pub policy: Option<(String, String)>,
}

/// The alert over a thread whose session is about to close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskView {
    /// The end of the window, for scripts.
    pub until: String,
    /// How long it stays open.
    pub left: String,
    /// When it closes.
    pub at: Moment,
}

impl ClockView {
    /// The clock of a session; `None` where the channel knows no windows.
    #[must_use]
    pub fn new(
        id: &str,
        session: SessionState,
        warn_minutes: u32,
        policy: Option<&SessionWindowPolicy>,
        viewer: &Viewer,
    ) -> Option<Self> {
        let t = viewer.words();
        let (state, end) = match session {
            SessionState::NotNeeded => return None,
            SessionState::Open { ends_at } => ("ok", Some(ends_at)),
            SessionState::ClosingSoon { ends_at } => ("soon", Some(ends_at)),
            SessionState::Closed { since } => ("over", since),
        };
        let is_over = state == "over";
        let left = match end {
            Some(end) if !is_over => viewer.remaining(end),
            Some(_) | None => t.desk_clock_closed(),
        };
        let sentence = match end {
            None => t.desk_clock_never(),
            Some(end) if is_over => t.desk_clock_closed_since(&viewer.at(end).text),
            Some(end) => t.desk_clock_open_until(&viewer.at(end).text),
        };
        Some(Self {
            id: id.to_owned(),
            state,
            until: end.map(json_instant),
            warn_minutes,
            label: match state {
                "ok" => t.desk_clock_label_open(&left),
                "soon" => t.desk_clock_label_soon(&left),
                _ => t.desk_clock_label_closed(),
            },
            short: match end {
                Some(end) if !is_over => short_left(end, warn_minutes, viewer),
                Some(_) | None => t.desk_clock_closed(),
            },
            left,
            sentence,
            policy: policy.map(|policy| (policy.policy_name.clone(), policy.policy_url.clone())),
        })
    }
}

impl RiskView {
    /// The alert; `None` while the session is not about to close.
    #[must_use]
    pub fn new(session: SessionState, viewer: &Viewer) -> Option<Self> {
        let SessionState::ClosingSoon { ends_at } = session else { return None };
        Some(Self {
            until: json_instant(ends_at),
            left: viewer.remaining(ends_at),
            at: viewer.time(ends_at),
        })
    }
}

/// As `session-clock.js` shortens it: minutes matter only in the last hours.
fn short_left(end: DateTime<Utc>, warn_minutes: u32, viewer: &Viewer) -> String {
    const LEAST_PRECISE: u32 = 120;
    let t = viewer.words();
    match Remaining::until(end, viewer.now) {
        Remaining::Minutes { hours, minutes } if 0 < hours => {
            let hours_text = hours.to_string();
            if warn_minutes.max(LEAST_PRECISE) < hours * 60 + minutes {
                t.desk_left_short_hours(&hours_text)
            } else {
                t.desk_left_short(&hours_text, format!("{minutes:02}"))
            }
        }
        Remaining::Minutes { .. } | Remaining::Days { .. } | Remaining::LessThanAMinute => {
            viewer.remaining(end)
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::{channel::ChannelKind, policy::Policy, session_window::session_state};

    use super::*;
    use crate::locale::Locale;

    #[test]
    fn sw_01_sw_02_sw_03_clock_and_alert_turn_at_the_millisecond_and_say_so_in_words() {
        let policy = Policy::default_profile();
        let rule = policy.session_window(ChannelKind::WhatsApp);
        let wrote_at: DateTime<Utc> = "2026-11-21T17:00:00.250Z".parse().unwrap();
        let end = wrote_at + TimeDelta::hours(24);
        let (millisecond, warning) = (TimeDelta::milliseconds(1), TimeDelta::hours(2));
        type Case<'a> = (&'a str, TimeDelta, &'a str, &'a str, &'a str, Option<&'a str>);
        let cases: [Case<'_>; 6] = [
            (
                "just written",
                TimeDelta::hours(24),
                "ok",
                "Session open, 1 d 0 h left",
                "1 d 0 h",
                None,
            ),
            (
                "some hours",
                TimeDelta::minutes(1_329),
                "ok",
                "Session open, 22 h 09 min left",
                "22 h",
                None,
            ),
            ("at the threshold", warning, "ok", "Session open, 2 h 00 min left", "2 h 00", None),
            (
                "below it",
                warning - millisecond,
                "soon",
                "Session closes soon, 1 h 59 min left",
                "1 h 59",
                Some("1 h 59 min"),
            ),
            (
                "its last millisecond",
                millisecond,
                "soon",
                "Session closes soon, less than 1 min left",
                "less than 1 min",
                Some("less than 1 min"),
            ),
            ("its end", TimeDelta::zero(), "over", "Session closed", "closed", None),
        ];
        for (case, left, state, label, short, alert) in cases {
            let now = end - left;
            let viewer = Viewer { locale: Locale::En, zone: chrono_tz::America::Sao_Paulo, now };
            let session = session_state(rule, Some(wrote_at), warning, now);
            let clock = ClockView::new("clock-1", session, 120, rule, &viewer).unwrap();
            assert_eq!((clock.state, clock.label.as_str()), (state, label), "{case}");
            assert_eq!(clock.short, short, "{case}");
            assert_eq!(clock.until.as_deref(), Some("2026-11-22T17:00:00.250Z"), "{case}");
            let shown = RiskView::new(session, &viewer).map(|risk| risk.left);
            assert_eq!(shown.as_deref(), alert, "{case}");
        }
    }
}
