//! A business number: its pace, its limit, its rating.

pub(crate) mod setup;

use std::collections::{BTreeSet, HashMap, VecDeque};

use serde::Serialize;

use crate::NumberSeed;

pub(crate) const DAY_MS: i64 = 86_400_000;
/// A burst to one customer (protocol, 8.2), and the wait for each message of it.
const PAIR_BURST: f64 = 45.0;
const PAIR_REFILL_MS: f64 = 6_000.0;
/// So many complaints of customers lower a told rating by one step.
const COMPLAINTS_PER_STEP: u32 = 3;
/// From here on the platform calls a number's throughput high.
const HIGH_THROUGHPUT: u32 = 1_000;

/// How customers rate a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Rating {
    Unknown,
    Green,
    Yellow,
    Red,
}

impl Rating {
    /// Reads `GREEN`, `high` and the like.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_uppercase().as_str() {
            "GREEN" | "HIGH" => Some(Self::Green),
            "YELLOW" | "MEDIUM" => Some(Self::Yellow),
            "RED" | "LOW" => Some(Self::Red),
            "UNKNOWN" | "NA" => Some(Self::Unknown),
            _ => None,
        }
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Green => "GREEN",
            Self::Yellow => "YELLOW",
            Self::Red => "RED",
        }
    }

    fn worse(self) -> Self {
        match self {
            Self::Unknown => Self::Unknown,
            Self::Green => Self::Yellow,
            Self::Yellow | Self::Red => Self::Red,
        }
    }
}

/// How many customers the number may write to in a moving day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Users(u32),
    Unlimited,
}

impl Limit {
    /// The platform's word, such as `TIER_2K`.
    pub(crate) fn tier(self) -> String {
        match self {
            Self::Unlimited => "TIER_UNLIMITED".to_owned(),
            Self::Users(users) if users >= 1_000 && users % 1_000 == 0 => {
                format!("TIER_{}K", users / 1_000)
            }
            Self::Users(users) => format!("TIER_{users}"),
        }
    }

    /// Whether `self` allows more than `other`.
    pub(crate) fn is_above(self, other: Self) -> bool {
        match (self, other) {
            (Self::Unlimited, Self::Users(_)) => true,
            (Self::Users(mine), Self::Users(theirs)) => theirs < mine,
            (_, Self::Unlimited) => false,
        }
    }
}

/// A bucket of tokens by the sandbox's clock.
#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    at_ms: i64,
}

impl Bucket {
    fn full(capacity: f64, now_ms: i64) -> Self {
        Self { tokens: capacity, at_ms: now_ms }
    }

    /// Takes one token, if there is one after filling up at `per_ms` until `now_ms`.
    fn take(&mut self, capacity: f64, per_ms: f64, now_ms: i64) -> bool {
        let passed = now_ms.saturating_sub(self.at_ms).max(0) as f64;
        self.tokens = (self.tokens + passed * per_ms).min(capacity);
        self.at_ms = self.at_ms.max(now_ms);
        if self.tokens < 1.0 {
            return false;
        }
        self.tokens -= 1.0;
        true
    }
}

/// One business number and what the platform keeps about it.
pub(crate) struct Number {
    pub seed: NumberSeed,
    pub rating: Rating,
    pub limit: Option<Limit>,
    pub setup: setup::Setup,
    complaints: u32,
    throughput: u32,
    pace: Bucket,
    pairs: HashMap<String, Bucket>,
    /// Customers written to outside their window, by when their day began; oldest first.
    day_starts: VecDeque<(i64, String)>,
    in_day: BTreeSet<String>,
}

impl Number {
    pub(crate) fn new(seed: NumberSeed, now_ms: i64) -> Self {
        let throughput = seed.throughput.max(1);
        Self {
            seed,
            rating: Rating::Unknown,
            limit: None,
            setup: setup::Setup::default(),
            complaints: 0,
            throughput,
            pace: Bucket::full(f64::from(throughput), now_ms),
            pairs: HashMap::new(),
            day_starts: VecDeque::new(),
            in_day: BTreeSet::new(),
        }
    }

    /// The number as webhooks show it: digits only.
    pub(crate) fn digits(&self) -> String {
        self.seed.display_phone_number.chars().filter(char::is_ascii_digit).collect()
    }

    pub(crate) fn throughput_level(&self) -> &'static str {
        if self.throughput < HIGH_THROUGHPUT { "STANDARD" } else { "HIGH" }
    }

    /// Sets the messages per second, at least 1, and starts with a full second's worth.
    pub(crate) fn set_throughput(&mut self, per_second: u32, now_ms: i64) {
        self.throughput = per_second.max(1);
        self.pace = Bucket::full(f64::from(self.throughput), now_ms);
    }

    /// Whether one more message keeps the number's pace; takes its place when it does.
    pub(crate) fn take_pace(&mut self, now_ms: i64) -> bool {
        let per_second = f64::from(self.throughput);
        self.pace.take(per_second, per_second / 1_000.0, now_ms)
    }

    /// Whether one more message to `to` keeps the pace of the pair; takes its place when it does.
    pub(crate) fn take_pair(&mut self, to: &str, now_ms: i64) -> bool {
        let bucket = match self.pairs.get_mut(to) {
            Some(bucket) => bucket,
            None => {
                let full = Bucket::full(PAIR_BURST, now_ms);
                self.pairs.entry(to.to_owned()).or_insert(full)
            }
        };
        bucket.take(PAIR_BURST, 1.0 / PAIR_REFILL_MS, now_ms)
    }

    /// Whether a template outside the window may reach `to` under the told limit; opens the customer's day if so.
    ///
    /// A day that began exactly 24 hours ago is over.
    pub(crate) fn take_limit(&mut self, to: &str, now_ms: i64) -> bool {
        while let Some((_, gone)) =
            self.day_starts.pop_front_if(|(start, _)| *start <= now_ms - DAY_MS)
        {
            self.in_day.remove(&gone);
        }
        if self.in_day.contains(to) {
            return true;
        }
        if let Some(Limit::Users(users)) = self.limit
            && users as usize <= self.in_day.len()
        {
            return false;
        }
        self.in_day.insert(to.to_owned());
        self.day_starts.push_back((now_ms, to.to_owned()));
        true
    }

    /// Sets the reported rating and forgets earlier complaints.
    pub(crate) fn tell_rating(&mut self, rating: Rating) {
        self.rating = rating;
        self.complaints = 0;
    }

    /// A customer blocked or reported the number: every third complaint lowers a told rating one step.
    pub(crate) fn complain(&mut self, weight: u32) {
        self.complaints += weight;
        while COMPLAINTS_PER_STEP <= self.complaints {
            self.complaints -= COMPLAINTS_PER_STEP;
            self.rating = self.rating.worse();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(throughput: u32) -> Number {
        let seed = NumberSeed {
            phone_number_id: "1".into(),
            waba_id: "2".into(),
            display_phone_number: "+44 7700 900101".into(),
            verified_name: "Harbour Lane Ceramics".into(),
            app_secret: "s".into(),
            access_token: "t".into(),
            verify_token: "v".into(),
            throughput,
        };
        Number::new(seed, 0)
    }

    #[test]
    fn a_pair_may_burst_45_and_then_gets_one_place_each_6_seconds() {
        let mut number = number(80);
        assert!((0..45).all(|_| number.take_pair("a", 0)));
        assert!(!number.take_pair("a", 0), "the 46th in a burst");
        assert!(!number.take_pair("a", 5_999), "a millisecond early");
        assert!(number.take_pair("a", 6_000), "after six seconds");
        assert!(!number.take_pair("a", 6_000), "only one");
        assert!(number.take_pair("b", 0), "another customer is another pair");
    }

    #[test]
    fn a_number_sends_its_throughput_in_a_second_and_not_one_more() {
        let mut number = number(3);
        assert!((0..3).all(|_| number.take_pace(0)));
        assert!(!number.take_pace(0));
        assert!(!number.take_pace(333));
        assert!(number.take_pace(334));
        number.set_throughput(2_000, 334);
        assert!((0..2_000).all(|_| number.take_pace(334)));
    }

    #[test]
    fn the_limit_counts_distinct_customers_in_a_moving_day() {
        let mut number = number(80);
        number.limit = Some(Limit::Users(2));
        assert!(number.take_limit("a", 0));
        assert!(number.take_limit("b", 1));
        assert!(number.take_limit("a", 2), "the same customer again");
        assert!(!number.take_limit("c", 3), "a third one");
        assert!(!number.take_limit("c", DAY_MS - 1), "a millisecond early");
        assert!(number.take_limit("c", DAY_MS), "the first one's day is over");
        number.limit = Some(Limit::Unlimited);
        assert!(number.take_limit("d", DAY_MS));
    }

    #[test]
    fn complaints_move_a_told_rating_and_never_an_unknown_one() {
        let mut number = number(80);
        number.complain(9);
        assert_eq!(number.rating, Rating::Unknown);
        number.tell_rating(Rating::Green);
        number.complain(2);
        assert_eq!(number.rating, Rating::Green);
        number.complain(1);
        assert_eq!(number.rating, Rating::Yellow);
        number.complain(6);
        assert_eq!(number.rating, Rating::Red);
    }

    #[test]
    fn tiers_have_the_platforms_words() {
        let cases =
            [(250, "TIER_250"), (1_000, "TIER_1K"), (2_000, "TIER_2K"), (100_000, "TIER_100K")];
        for (users, word) in cases {
            assert_eq!(Limit::Users(users).tier(), word);
        }
        assert_eq!(Limit::Unlimited.tier(), "TIER_UNLIMITED");
    }
}
