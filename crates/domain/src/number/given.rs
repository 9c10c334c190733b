//! A number for tests: what it sent and how it was rated, from which each fact is counted from scratch.

use std::{collections::BTreeMap, ops::Range};

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    quality::Rating,
    standing::{Standing, StandingClock},
    tier::{Level, PromotionFacts, promotion},
};
use crate::{calendar::day, channel::ChannelKind, policy::Policy, session_window::session_state};

/// Notifications sent at one instant, one to each contact of a range.
#[derive(Debug, Clone)]
struct Batch {
    at: DateTime<Utc>,
    contacts: Range<u32>,
    /// From when it does not count: its failure, or at once inside a window; `None` while it counts.
    given_back_at: Option<DateTime<Utc>>,
}

/// Starts as a connected number of level 1 with a high rating, all of it since two months before day 1.
#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) policy: Policy,
    batches: Vec<Batch>,
    ratings: Vec<(DateTime<Utc>, Rating)>,
    levels: Vec<(DateTime<Utc>, Level)>,
}

impl Given {
    pub(super) fn number() -> Self {
        Self::number_of_level(1)
    }

    pub(super) fn number_of_level(level: u8) -> Self {
        let entered_at = day(-59, "09:00");
        Self {
            policy: Policy::default(),
            batches: Vec::new(),
            ratings: Vec::new(),
            levels: vec![(entered_at, Level::new(level).unwrap())],
        }
    }

    /// Counted notifications, one to each of `contacts`.
    pub(super) fn notified(mut self, contacts: Range<u32>, at: DateTime<Utc>) -> Self {
        self.batches.push(Batch { at, contacts, given_back_at: None });
        self
    }

    /// Notifications that counted until they failed.
    pub(super) fn failed(
        mut self,
        contacts: Range<u32>,
        at: DateTime<Utc>,
        failed_at: DateTime<Utc>,
    ) -> Self {
        self.batches.push(Batch { at, contacts, given_back_at: Some(failed_at) });
        self
    }

    /// Templates to contacts who wrote an hour before: none of them counts, their windows are open.
    pub(super) fn answered_inside_the_window(
        mut self,
        contacts: Range<u32>,
        at: DateTime<Utc>,
    ) -> Self {
        let rule = self.policy.session_window(ChannelKind::WhatsApp);
        let wrote_at = at - TimeDelta::hours(1);
        let session = session_state(rule, Some(wrote_at), TimeDelta::zero(), at);
        let given_back_at = session.is_open().then_some(at);
        self.batches.push(Batch { at, contacts, given_back_at });
        self
    }

    pub(super) fn rated(mut self, rating: Rating, at: DateTime<Utc>) -> Self {
        self.ratings.push((at, rating));
        self.ratings.sort_by_key(|(at, _)| *at);
        self
    }

    /// An admin sets the level.
    pub(super) fn set_to_level(mut self, level: u8, at: DateTime<Utc>) -> Self {
        self.levels.push((at, Level::new(level).unwrap()));
        self
    }

    pub(super) fn rating_at(&self, now: DateTime<Utc>) -> Rating {
        self.ratings.iter().rfind(|(at, _)| *at <= now).map_or(Rating::High, |(_, rating)| *rating)
    }

    pub(super) fn clock_at(&self, now: DateTime<Utc>) -> StandingClock {
        let new = StandingClock::connected_since(day(-59, "09:00"));
        self.ratings
            .iter()
            .filter(|(at, _)| *at <= now)
            .fold(new, |clock, (at, rating)| clock.rate(*rating, *at, &self.policy.quality))
    }

    pub(super) fn standing_at(&self, now: DateTime<Utc>) -> Standing {
        self.clock_at(now).standing_at(now, &self.policy.quality)
    }

    /// What a promotion at `now` is decided on, for a number that entered `level` at `entered_at`.
    pub(super) fn facts_at(
        &self,
        (level_entered_at, level): (DateTime<Utc>, Level),
        now: DateTime<Utc>,
    ) -> PromotionFacts {
        let counted = self.counted(self.policy.tiers.promotion_window, now);
        PromotionFacts {
            level,
            level_entered_at,
            clock: self.clock_at(now),
            rating: self.rating_at(now),
            distinct_contacts: distinct(&counted),
            earliest_counted_at: counted.iter().map(|batch| batch.at).min(),
        }
    }

    /// The level at `now`, tried at each send, each rating, each change of the standing, by a job every
    /// three hours, and at `now`.
    pub(super) fn level_at(&self, now: DateTime<Utc>) -> u8 {
        self.levels_until(now).last().unwrap().1.number()
    }

    /// Every level entered until `now`, with its instant.
    pub(super) fn levels_until(&self, now: DateTime<Utc>) -> Vec<(DateTime<Utc>, Level)> {
        let sends = self.batches.iter().map(|batch| batch.at);
        let ratings = self.ratings.iter().map(|(at, _)| *at);
        let set = self.levels[1..].iter().map(|(at, _)| *at);
        let jobs = (0..).map(|run| day(1, "00:00") + TimeDelta::hours(3 * run));
        let mut tried: Vec<DateTime<Utc>> =
            sends.chain(ratings).chain(set).filter(|at| *at <= now).collect();
        tried.extend(jobs.take_while(|at| *at <= now));
        tried.push(now);
        tried.sort_unstable();
        tried.dedup();

        let mut entered = vec![self.levels[0]];
        for at in tried {
            entered.extend(self.levels[1..].iter().filter(|(set_at, _)| *set_at == at));
            let facts = self.facts_at(*entered.last().unwrap(), at);
            let risen = promotion(&facts, &self.policy.tiers, &self.policy.quality, at);
            entered.extend(risen.map(|level| (at, level)));
        }
        entered
    }

    /// Each distinct contact's latest counted instant inside the limit's window, oldest first.
    pub(super) fn counted_instants(&self, now: DateTime<Utc>) -> Vec<DateTime<Utc>> {
        let mut latest = BTreeMap::new();
        for batch in self.counted(self.policy.tiers.window, now) {
            for contact in batch.contacts {
                let at = latest.entry(contact).or_insert(batch.at);
                *at = batch.at.max(*at);
            }
        }
        let mut instants: Vec<DateTime<Utc>> = latest.into_values().collect();
        instants.sort_unstable();
        instants
    }

    pub(super) fn count_at(&self, now: DateTime<Utc>) -> u32 {
        u32::try_from(self.counted_instants(now).len()).unwrap()
    }

    fn counted(&self, window: TimeDelta, now: DateTime<Utc>) -> Vec<Batch> {
        let counts = |batch: &&Batch| {
            let given_back = batch.given_back_at.is_some_and(|at| at <= now);
            now - window < batch.at && batch.at <= now && !given_back
        };
        self.batches.iter().filter(counts).cloned().collect()
    }
}

fn distinct(batches: &[Batch]) -> u32 {
    let mut ranges: Vec<&Range<u32>> = batches.iter().map(|batch| &batch.contacts).collect();
    ranges.sort_by_key(|range| range.start);
    let (mut count, mut covered) = (0, 0);
    for range in ranges {
        count += range.end.saturating_sub(range.start.max(covered));
        covered = covered.max(range.end);
    }
    count
}
