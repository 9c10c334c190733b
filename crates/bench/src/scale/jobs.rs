//! Which occurrences of the frequent jobs were served, by whom and how often.

use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

use diesel::{
    QueryableByName, RunQueryDsl,
    sql_types::{BigInt, Text},
};
use persistence::store::Store;

use crate::{BenchError, clock};

/// The jobs that are watched, and every how many milliseconds they are due.
const FREQUENT: [(&str, i64); 2] =
    [("settle_ambiguous_sends", 5_000), ("take_agents_offline", 10_000)];
/// How long the last run may take to be noted.
const LATE: Duration = Duration::from_secs(3);

/// What was seen.
#[derive(Debug, PartialEq, Eq)]
pub struct Seen {
    /// Occurrences served.
    pub served: u64,
    /// Processes that served one or more.
    pub owners: u64,
    /// Occurrences left out, and runs of an occurrence beyond its first.
    pub off: u64,
}

#[derive(Debug, Clone, QueryableByName)]
struct Run {
    #[diesel(sql_type = Text)]
    job: String,
    #[diesel(sql_type = BigInt)]
    scheduled_for: i64,
    #[diesel(sql_type = Text)]
    owner: String,
}

/// Watches for as long as `lasting`.
///
/// # Errors
/// When the database refuses.
pub fn watch(store: &Store, lasting: Duration) -> Result<Seen, BenchError> {
    let from = clock::now().timestamp_millis();
    thread::sleep(lasting);
    let until = clock::now().timestamp_millis();
    thread::sleep(LATE);
    let runs: Vec<Run> = store.blocking_read(|db| {
        let question = "SELECT job, scheduled_for, owner FROM job_runs";
        Ok(diesel::sql_query(question).get_results(db)?)
    })?;
    Ok(judge(&runs, from, until))
}

/// Holds the runs for occurrences after `from` and up to `until` beside those that were due.
fn judge(runs: &[Run], from: i64, until: i64) -> Seen {
    let mut seen = Seen { served: 0, owners: 0, off: 0 };
    let mut owners = BTreeSet::new();
    for (job, every) in FREQUENT {
        let mut served: BTreeMap<i64, u64> = BTreeMap::new();
        let is_watched =
            |run: &&Run| run.job == job && from < run.scheduled_for && run.scheduled_for <= until;
        for run in runs.iter().filter(is_watched) {
            *served.entry(run.scheduled_for).or_default() += 1;
            owners.insert(run.owner.as_str());
        }
        let due = (until / every - from / every).unsigned_abs();
        let found = served.len() as u64;
        seen.served += found;
        seen.off += due.abs_diff(found) + served.values().map(|times| times - 1).sum::<u64>();
    }
    seen.owners = owners.len() as u64;
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_occurrence_in_the_time_watched_counts_once() {
        let run = |job: &str, second: i64, owner: &str| Run {
            job: job.into(),
            scheduled_for: second * 1_000,
            owner: owner.into(),
        };
        let (settle, presence) = (FREQUENT[0].0, FREQUENT[1].0);
        let mut runs = vec![
            run(settle, 0, "a"),
            run(settle, 5, "a"),
            run(settle, 10, "b"),
            run(presence, 10, "a"),
            run("tidy", 7, "c"),
        ];
        assert_eq!(judge(&runs, 0, 12_000), Seen { served: 3, owners: 2, off: 0 });
        runs.push(run(settle, 10, "a"));
        assert_eq!(judge(&runs, 0, 12_000).off, 1, "served twice");
        assert_eq!(judge(&runs, 0, 15_000).off, 2, "and one left out");
    }
}
