//! The sandbox as judge: which customers got a message, and how often.

use std::{
    collections::HashMap,
    ops::Range,
    time::{Duration, Instant},
};

use serde::Deserialize;
use serde_json::{Value, json};

use super::contender::{TEMPLATE, TEMPLATE_BODY};
use crate::{
    BenchError,
    dispatch::platform::Platform,
    load::{self, Post},
};

/// How often each customer, in digits, was sent to.
#[derive(Debug, Default)]
pub struct Ledger(HashMap<String, u64>);

/// What became of one send to each of some customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// Customers who got nothing, and of whom the desk does not say so.
    pub lost: u64,
    /// Messages beyond a customer's first.
    pub doubled: u64,
    /// Customers who got nothing, of whom the desk says that it does not know.
    pub in_doubt: u64,
}

#[derive(Deserialize)]
struct Entry {
    to: String,
    times: u64,
}

impl Ledger {
    /// What the sandbox took so far.
    ///
    /// # Errors
    /// When it does not tell.
    pub fn read(platform: &Platform) -> Result<Self, BenchError> {
        let entries: Vec<Entry> =
            serde_json::from_slice(&load::get(platform.address, "/control/ledger")?)?;
        Ok(Self::of(entries.into_iter().map(|entry| (entry.to, entry.times))))
    }

    fn of(sends: impl Iterator<Item = (String, u64)>) -> Self {
        let mut times = HashMap::new();
        for (to, more) in sends {
            *times.entry(to.trim_start_matches('+').to_owned()).or_default() += more;
        }
        Self(times)
    }

    fn times(&self, customer: u64) -> u64 {
        self.0.get(&customer.to_string()).copied().unwrap_or_default()
    }

    /// What became of one send to each of `customers`, of whom the desk does not know about those `in_doubt`.
    pub fn judge(&self, customers: Range<u64>, in_doubt: &[String]) -> Verdict {
        let mut verdict = Verdict { lost: 0, doubled: 0, in_doubt: 0 };
        for customer in customers {
            match self.times(customer) {
                0 if in_doubt.contains(&customer.to_string()) => verdict.in_doubt += 1,
                0 => verdict.lost += 1,
                times => verdict.doubled += times - 1,
            }
        }
        verdict
    }
}

/// Waits until the sandbox took `sends` in all.
///
/// # Errors
/// When it did not within `patience`.
pub fn wait_for(platform: &Platform, sends: usize, patience: Duration) -> Result<(), BenchError> {
    let sends = sends as u64;
    wait(patience, || Ok(sends <= platform.count_sends()?))
}

/// Waits until the sandbox took a message to `many` of `customers`.
///
/// # Errors
/// When it did not within `patience`.
pub fn wait_for_customers(
    platform: &Platform,
    customers: Range<u64>,
    many: u64,
    patience: Duration,
) -> Result<(), BenchError> {
    wait(patience, || {
        let ledger = Ledger::read(platform)?;
        let reached = customers.clone().filter(|customer| 0 < ledger.times(*customer)).count();
        Ok(many <= reached as u64)
    })
}

fn wait(
    patience: Duration,
    mut is_done: impl FnMut() -> Result<bool, BenchError>,
) -> Result<(), BenchError> {
    let begun = Instant::now();
    while !is_done()? {
        if patience < begun.elapsed() {
            return Err(BenchError::Broken("the sandbox waited in vain for sends".into()));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

/// Makes the template that both send, and approves it.
///
/// # Errors
/// When the sandbox refuses.
pub fn approve_template(platform: &Platform) -> Result<(), BenchError> {
    let template = json!({"name": TEMPLATE, "language": "en", "category": "UTILITY",
        "components": [{"type": "BODY", "text": TEMPLATE_BODY}]});
    order(platform, &format!("/v25.0/{}/message_templates", platform.account), template)?;
    order(platform, &format!("/control/templates/{TEMPLATE}/status"), json!({"status": "approve"}))
}

/// From now on the sandbox takes each send at once, and answers it `milliseconds` later.
///
/// # Errors
/// When the sandbox refuses.
pub fn answer_late(platform: &Platform, milliseconds: u32) -> Result<(), BenchError> {
    let fault = json!({"kind": "delay", "ms": milliseconds, "when": "after", "count": 1_000_000});
    order(platform, "/control/faults", fault)
}

fn order(platform: &Platform, path: &str, order: Value) -> Result<(), BenchError> {
    let token = format!("Bearer {}", platform.token);
    let headers = [("authorization", token.as_str())];
    let post = Post::new(platform.address, path, &headers, order.to_string().as_bytes());
    let done = load::run_closed_loop(platform.address, &[post], Duration::from_secs(1), 1)?;
    match done.refused {
        0 => Ok(()),
        _ => Err(BenchError::Broken(format!("the sandbox refused {path}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_customer_is_reached_once_or_counts() {
        let sends = [("351930000000", 1), ("+351930000001", 2), ("351930000001", 1), ("49", 7)];
        let ledger = Ledger::of(sends.into_iter().map(|(to, times)| (to.to_owned(), times)));
        let customers = 351_930_000_000..351_930_000_004;
        let doubt = ["351930000002", "351930000000"].map(str::to_owned);
        let expected = Verdict { lost: 1, doubled: 2, in_doubt: 1 };
        assert_eq!(ledger.judge(customers, &doubt), expected);
    }
}
