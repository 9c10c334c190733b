//! When each job runs: schedules in IANA zones, and what becomes of missed occurrences (JO-01, JO-02).

use std::{str::FromStr, time::Duration};

use chrono::{DateTime, SubsecRound, Utc};
use chrono_tz::Tz;
use croner::{
    Cron,
    parser::{CronParser, Seconds},
};

use crate::{
    error::SchedulerError,
    expire,
    job::{JobBody, JobName},
    numbers, presence, templates, tidy,
};

/// A cron pattern with seconds, read in one IANA zone.
///
/// Invariant: the pattern is well formed and matches some instant.
#[derive(Debug, Clone)]
pub struct Schedule {
    pattern: &'static str,
    cron: Cron,
    zone: Tz,
}

/// What happens to occurrences that were missed while nothing ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CatchUp {
    /// One run, now, stands for all that were missed.
    Once,
    /// An occurrence older than this is passed over, with a record.
    PassOverAfter(Duration),
}

/// What a job owes at some instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Run it for this occurrence.
    Run(DateTime<Utc>),
    /// Record that this occurrence was passed over.
    PassOver(DateTime<Utc>),
}

/// One line of the timetable.
#[derive(Clone)]
pub struct Job {
    /// Its name, also on the portal.
    pub name: JobName,
    /// When it runs.
    pub schedule: Schedule,
    /// What becomes of missed occurrences.
    pub catch_up: CatchUp,
    /// What it does.
    pub body: JobBody,
}

/// What differs between installations.
#[derive(Debug, Clone, Copy)]
pub struct TimetableSettings {
    /// The workspace's zone: nightly jobs run in its night.
    pub zone: Tz,
    /// Reads numbers every minute instead of every five, so that the sandbox shows at once.
    pub demo: bool,
}

/// Every job there is, in the order of JO-01.
///
/// # Errors
/// [`SchedulerError::Schedule`] when a pattern is not well formed.
pub fn timetable(settings: TimetableSettings) -> Result<Vec<Job>, SchedulerError> {
    let numbers = if settings.demo { "10 * * * * *" } else { "10 */5 * * * *" };
    let lines: [(JobName, &'static str, Tz, CatchUp, JobBody); 9] = [
        (JobName::Expire, "0 * * * * *", Tz::UTC, CatchUp::Once, expire::expire),
        (JobName::OffDesk, "20 * * * * *", Tz::UTC, CatchUp::Once, expire::take_off_desk),
        (JobName::Settle, "*/5 * * * * *", Tz::UTC, CatchUp::Once, expire::settle),
        (JobName::Numbers, numbers, Tz::UTC, CatchUp::Once, numbers::read_numbers),
        (JobName::Windows, "5 * * * * *", Tz::UTC, CatchUp::Once, numbers::move_windows),
        (
            JobName::Recount,
            "0 17 3 * * *",
            settings.zone,
            CatchUp::PassOverAfter(Duration::from_secs(3 * 3600)),
            numbers::prove_counters,
        ),
        (JobName::Templates, "40 */15 * * * *", Tz::UTC, CatchUp::Once, templates::synchronise),
        (JobName::Presence, "*/10 * * * * *", Tz::UTC, CatchUp::Once, presence::go_offline),
        (JobName::Tidy, "50 7 * * * *", settings.zone, CatchUp::Once, tidy::tidy),
    ];
    lines
        .into_iter()
        .map(|(name, pattern, zone, catch_up, body)| {
            Ok(Job { name, schedule: Schedule::new(pattern, zone)?, catch_up, body })
        })
        .collect()
}

impl Schedule {
    /// Reads a pattern of six fields, the first of them seconds.
    ///
    /// # Errors
    /// [`SchedulerError::Schedule`] when it is not well formed.
    pub fn new(pattern: &'static str, zone: Tz) -> Result<Self, SchedulerError> {
        let cron = CronParser::builder()
            .seconds(Seconds::Required)
            .build()
            .parse(pattern)
            .map_err(|source| SchedulerError::Schedule { pattern, source })?;
        Ok(Self { pattern, cron, zone })
    }

    /// The pattern as written.
    #[must_use]
    pub fn pattern(&self) -> &'static str {
        self.pattern
    }

    /// The zone it is read in.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone
    }

    /// The first occurrence after `now` (exclusive); `None` when there is none any more.
    #[must_use]
    pub fn next_after(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.cron
            .find_next_occurrence(&self.local_second(now), false)
            .ok()
            .map(|at| at.with_timezone(&Utc))
    }

    /// The latest occurrence at or before `now`; `None` when there was none yet.
    #[must_use]
    pub fn latest_until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let now = self.local_second(now);
        self.cron.find_previous_occurrence(&now, true).ok().map(|at| at.with_timezone(&Utc))
    }

    /// Patterns know whole seconds; the fraction of the instant asked for would end up in the occurrence, which is
    /// then another one at each look.
    fn local_second(&self, now: DateTime<Utc>) -> DateTime<Tz> {
        now.trunc_subsecs(0).with_timezone(&self.zone)
    }
}

/// What `schedule` owes at `now`, when `last` is the latest occurrence already served or passed over
/// (`None`: never). Several missed occurrences are one; what was too late before the job was ever there
/// was not missed.
#[must_use]
pub fn due(
    schedule: &Schedule,
    catch_up: CatchUp,
    last: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<Due> {
    let occurrence = schedule.latest_until(now)?;
    if last.is_some_and(|last| occurrence <= last) {
        return None;
    }
    let age = (now - occurrence).to_std().unwrap_or_default();
    match catch_up {
        CatchUp::Once => Some(Due::Run(occurrence)),
        CatchUp::PassOverAfter(limit) if age <= limit => Some(Due::Run(occurrence)),
        CatchUp::PassOverAfter(_) => last.map(|_| Due::PassOver(occurrence)),
    }
}

/// Reads an IANA zone's name; UTC for one that is not known.
#[must_use]
pub fn zone_or_utc(name: &str) -> Tz {
    Tz::from_str(name).unwrap_or(Tz::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        DateTime::parse_from_rfc3339(text).expect("an instant").with_timezone(&Utc)
    }

    #[test]
    fn an_occurrence_is_due_once_also_across_a_change_of_the_clocks() {
        let half_past_noon =
            Schedule::new("0 30 12 * * *", Tz::Europe__Amsterdam).expect("a pattern");
        let in_the_gap = Schedule::new("0 30 2 * * *", Tz::Europe__Amsterdam).expect("a pattern");
        type Case<'a> = (&'a str, &'a Schedule, Option<&'a str>, &'a str, Option<&'a str>);
        let cases: [Case<'_>; 7] = [
            (
                "never run: the latest occurrence",
                &half_past_noon,
                None,
                "2026-10-24T12:00:00Z",
                Some("2026-10-24T10:30:00Z"),
            ),
            (
                "a second before",
                &half_past_noon,
                Some("2026-10-24T10:30:00Z"),
                "2026-10-25T11:29:59Z",
                None,
            ),
            (
                "the day summer time ends: an hour later in UTC",
                &half_past_noon,
                Some("2026-10-24T10:30:00Z"),
                "2026-10-25T11:30:00Z",
                Some("2026-10-25T11:30:00Z"),
            ),
            (
                "served already",
                &half_past_noon,
                Some("2026-10-25T11:30:00Z"),
                "2026-10-25T23:00:00Z",
                None,
            ),
            (
                "a week missed is one run",
                &half_past_noon,
                Some("2026-10-25T11:30:00Z"),
                "2026-11-01T20:00:00Z",
                Some("2026-11-01T11:30:00Z"),
            ),
            (
                "an hour that does not exist is served as the clocks are moved",
                &in_the_gap,
                Some("2026-03-28T01:30:00Z"),
                "2026-03-29T01:00:00Z",
                Some("2026-03-29T00:59:59Z"),
            ),
            (
                "and not twice",
                &in_the_gap,
                Some("2026-03-29T00:59:59Z"),
                "2026-03-29T12:00:00Z",
                None,
            ),
        ];
        for (case, schedule, last, now, expected) in cases {
            assert_eq!(
                due(schedule, CatchUp::Once, last.map(at), at(now)),
                expected.map(|expected| Due::Run(at(expected))),
                "{case}"
            );
        }
    }

    #[test]
    fn jo_02_an_occurrence_is_the_same_at_every_millisecond_of_a_look() {
        let jobs = timetable(TimetableSettings { zone: Tz::Europe__Lisbon, demo: false });
        let (noon, millisecond) = (at("2026-11-21T12:00:00Z"), chrono::TimeDelta::milliseconds(1));
        for Job { name, schedule, catch_up, .. } in jobs.expect("a timetable") {
            let latest = schedule.latest_until(noon).expect("an occurrence");
            let next = schedule.next_after(noon).expect("another");
            assert_eq!((latest.timestamp_subsec_nanos(), next.timestamp_subsec_nanos()), (0, 0));
            for wait in [0, 1, 70, 454, 999, 1_001, 1_462] {
                let look = latest + millisecond * wait;
                assert_eq!(schedule.latest_until(look), Some(latest), "{name:?} after {wait} ms");
                assert_eq!(due(&schedule, catch_up, Some(latest), look), None, "{name:?}");
            }
            assert_eq!(schedule.latest_until(next - millisecond), Some(latest), "{name:?}");
            assert_eq!(schedule.next_after(next - millisecond), Some(next), "{name:?}");
            assert_eq!(schedule.latest_until(next), Some(next), "{name:?}");
            assert_ne!(schedule.next_after(next), Some(next), "{name:?}");
        }
    }

    #[test]
    fn an_hour_that_comes_twice_is_served_once_a_pass() {
        let twice = Schedule::new("0 30 2 * * *", Tz::Europe__Amsterdam).expect("a pattern");
        let mut last = Some(at("2026-10-24T00:30:00Z"));
        let mut runs = 0;
        let mut now = at("2026-10-24T12:00:00Z");
        while now < at("2026-10-26T00:00:00Z") {
            if let Some(Due::Run(occurrence)) = due(&twice, CatchUp::Once, last, now) {
                last = Some(occurrence);
                runs += 1;
            }
            now += chrono::TimeDelta::minutes(1);
        }
        assert_eq!(runs, 1);
    }

    #[test]
    fn a_late_occurrence_is_passed_over_where_the_policy_says_so() {
        let nightly = Schedule::new("0 17 3 * * *", Tz::UTC).expect("a pattern");
        let policy = CatchUp::PassOverAfter(Duration::from_secs(3 * 3600));
        let last = Some(at("2026-11-20T03:17:00Z"));
        let occurrence = at("2026-11-21T03:17:00Z");
        assert_eq!(
            due(&nightly, policy, last, at("2026-11-21T06:17:00Z")),
            Some(Due::Run(occurrence))
        );
        assert_eq!(
            due(&nightly, policy, last, at("2026-11-21T06:17:01Z")),
            Some(Due::PassOver(occurrence))
        );
    }

    #[test]
    fn a_job_that_was_never_due_has_missed_nothing() {
        let nightly = Schedule::new("0 17 3 * * *", Tz::UTC).expect("a pattern");
        let policy = CatchUp::PassOverAfter(Duration::from_secs(3 * 3600));
        let due_at = |now| due(&nightly, policy, None, at(now));
        let occurrence = at("2026-11-21T03:17:00Z");
        assert_eq!(due_at("2026-11-21T06:17:00Z"), Some(Due::Run(occurrence)), "still of use");
        assert_eq!(due_at("2026-11-21T06:17:01Z"), None, "a new desk, in the morning");
        assert_eq!(due_at("2026-11-22T03:16:59Z"), None, "all day");
        assert_eq!(due_at("2026-11-22T03:17:00Z"), Some(Due::Run(at("2026-11-22T03:17:00Z"))));
    }

    #[test]
    fn jo_01_every_job_stands_in_the_timetable_with_a_schedule_it_can_keep() {
        for demo in [false, true] {
            let jobs = timetable(TimetableSettings { zone: Tz::Europe__Lisbon, demo })
                .expect("well-formed patterns");
            let names: Vec<&str> = jobs.iter().map(|job| job.name.as_str()).collect();
            let expected = "expire_active_messages take_off_desk settle_ambiguous_sends read_numbers \
                move_windows prove_counters sync_templates take_agents_offline tidy";
            assert_eq!(names.join(" "), expected);
            let now = at("2026-11-22T10:00:00Z");
            for job in &jobs {
                assert!(job.schedule.next_after(now).is_some_and(|next| now < next));
            }
            assert_eq!(jobs.len(), JobName::ALL.len());
        }
    }
}
