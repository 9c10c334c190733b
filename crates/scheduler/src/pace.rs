//! How fast a number and a pair of number and contact may send: token buckets on the monotonic clock.

use std::{collections::HashMap, time::Duration};

use domain::ids::{ChannelId, ContactId};

/// A bucket that fills at a steady rate up to its size; sending takes one token.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled_at: Duration,
}

impl Bucket {
    fn full(size: f64, now: Duration) -> Self {
        Self { tokens: size, filled_at: now }
    }

    fn fill(&mut self, per_second: f64, size: f64, now: Duration) {
        let passed = now.saturating_sub(self.filled_at).as_secs_f64();
        self.tokens = (self.tokens + passed * per_second).min(size);
        self.filled_at = now;
    }
}

/// What a pair may send: bursts of so many, then one in so long.
#[derive(Debug, Clone, Copy)]
pub struct PairPace {
    /// How many may go at once.
    pub burst: u32,
    /// After a burst, one in this long.
    pub every: Duration,
}

impl Default for PairPace {
    /// WhatsApp's pair rate: 45 at once, then one in 6 s (protocol, section 8.2).
    fn default() -> Self {
        Self { burst: 45, every: Duration::from_secs(6) }
    }
}

/// The buckets of one process.
#[derive(Debug, Clone)]
pub struct Pace {
    pair: PairPace,
    /// Among how many processes everything is shared, this one among them.
    sharing: u32,
    numbers: HashMap<ChannelId, Bucket>,
    pairs: HashMap<(ChannelId, ContactId), Bucket>,
}

impl Pace {
    /// Full buckets for everyone.
    #[must_use]
    pub fn new(pair: PairPace) -> Self {
        Self { pair, sharing: 1, numbers: HashMap::new(), pairs: HashMap::new() }
    }

    /// From now on everything is shared among `processes`, this one among them: each has an even part of a
    /// number's throughput and of a pair's burst, so that together they send no more than one would.
    pub fn share_among(&mut self, processes: usize) {
        self.sharing = u32::try_from(processes).unwrap_or(u32::MAX).max(1);
    }

    /// How many messages `channel` may send at `now` from here, at `throughput` messages a second from everywhere.
    pub fn room(&mut self, channel: ChannelId, throughput: u32, now: Duration) -> usize {
        let rate = f64::from(throughput.max(1)) / f64::from(self.sharing);
        let size = rate.max(1.0);
        let bucket = self.numbers.entry(channel).or_insert_with(|| Bucket::full(size, now));
        bucket.fill(rate, size, now);
        bucket.tokens as usize
    }

    /// Takes the tokens of `sent` messages of `channel`.
    pub fn spend(&mut self, channel: ChannelId, sent: usize) {
        if let Some(bucket) = self.numbers.get_mut(&channel) {
            bucket.tokens -= sent as f64;
        }
    }

    /// Slows `channel` down for `wait`, after the platform asked for it.
    pub fn slow_down(&mut self, channel: ChannelId, throughput: u32, wait: Duration) {
        if let Some(bucket) = self.numbers.get_mut(&channel) {
            let rate = f64::from(throughput.max(1)) / f64::from(self.sharing);
            bucket.tokens = -rate * wait.as_secs_f64();
        }
    }

    /// Takes a token of the pair; `Some(wait)` when it has none until then.
    pub fn take_pair(
        &mut self,
        channel: ChannelId,
        contact: ContactId,
        now: Duration,
    ) -> Option<Duration> {
        let sharing = f64::from(self.sharing);
        let size = (f64::from(self.pair.burst) / sharing).floor().max(1.0);
        let per_second = 1.0 / (self.pair.every.as_secs_f64() * sharing).max(0.001);
        let bucket =
            self.pairs.entry((channel, contact)).or_insert_with(|| Bucket::full(size, now));
        bucket.fill(per_second, size, now);
        if bucket.tokens >= 1.0 {
            bucket.tokens -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - bucket.tokens) / per_second))
    }

    /// Forgets pairs whose bucket is full again; without this the map would grow for ever.
    pub fn forget_idle(&mut self, now: Duration) {
        let refill = self.pair.every * self.pair.burst.max(self.sharing);
        self.pairs.retain(|_, bucket| now.saturating_sub(bucket.filled_at) < refill);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANNEL: ChannelId = ChannelId(1);

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn a_number_sends_its_throughput_and_no_more() {
        let mut pace = Pace::new(PairPace::default());
        assert_eq!(pace.room(CHANNEL, 80, seconds(0.0)), 80);
        pace.spend(CHANNEL, 80);
        assert_eq!(pace.room(CHANNEL, 80, seconds(0.0)), 0);
        assert_eq!(pace.room(CHANNEL, 80, seconds(0.5)), 40);
        assert_eq!(
            pace.room(CHANNEL, 80, seconds(60.0)),
            80,
            "a pause saves up no more than a second"
        );
    }

    #[test]
    fn processes_that_share_send_no_more_than_one_alone() {
        for processes in [2_usize, 3, 4] {
            let mut paces = vec![Pace::new(PairPace::default()); processes];
            let (mut sent, mut to_one) = (0, 0);
            // The first second has a full bucket besides what flows in.
            for tenth in 0..=100_u32 {
                let now = seconds(f64::from(tenth) / 10.0);
                for pace in &mut paces {
                    pace.share_among(processes);
                    let room = pace.room(CHANNEL, 80, now);
                    pace.spend(CHANNEL, room);
                    sent += room;
                    to_one += usize::from(pace.take_pair(CHANNEL, ContactId(7), now).is_none());
                }
            }
            assert!((860..=880).contains(&sent), "{processes}: {sent} in 10 s");
            assert!(to_one <= 46, "{processes}: {to_one} to one contact");
        }
    }

    #[test]
    fn whoever_is_alone_again_has_all_of_it() {
        let mut pace = Pace::new(PairPace::default());
        pace.share_among(4);
        assert_eq!(pace.room(CHANNEL, 80, seconds(0.0)), 20);
        pace.spend(CHANNEL, 20);
        pace.share_among(1);
        assert_eq!(pace.room(CHANNEL, 80, seconds(0.5)), 40);
    }

    #[test]
    fn a_slowed_number_rests_as_long_as_it_was_told() {
        let mut pace = Pace::new(PairPace::default());
        pace.room(CHANNEL, 80, seconds(0.0));
        pace.slow_down(CHANNEL, 80, seconds(4.0));
        assert_eq!(pace.room(CHANNEL, 80, seconds(3.9)), 0);
        assert!(pace.room(CHANNEL, 80, seconds(4.1)) > 0);
    }

    #[test]
    fn a_pair_gets_its_burst_then_one_in_six_seconds() {
        let mut pace = Pace::new(PairPace { burst: 3, every: seconds(6.0) });
        let contact = ContactId(7);
        for _ in 0..3 {
            assert_eq!(pace.take_pair(CHANNEL, contact, seconds(0.0)), None);
        }
        assert_eq!(pace.take_pair(CHANNEL, contact, seconds(0.0)), Some(seconds(6.0)));
        assert_eq!(pace.take_pair(CHANNEL, ContactId(8), seconds(0.0)), None, "others go on");
        assert_eq!(pace.take_pair(CHANNEL, contact, seconds(6.0)), None);
        pace.forget_idle(seconds(1000.0));
        assert!(pace.pairs.is_empty());
    }
}
