//! R9: three schedulers at one database: every occurrence once, whoever is killed or frozen.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use diesel::{
    QueryableByName, RunQueryDsl,
    sql_types::{BigInt, Text},
};
use persistence::test_support::rounds;
use serde_json::json;

use crate::{
    judge::{judge, until_settled},
    world::{Kind, LEASE_SECONDS, Node, World, seconds, until},
};

/// The lease of the jobs is half of that of a message.
const JOB_LEASE: Duration = Duration::from_secs(LEASE_SECONDS.unsigned_abs() / 2);

#[derive(QueryableByName)]
struct Run {
    #[diesel(sql_type = Text)]
    job: String,
    #[diesel(sql_type = BigInt)]
    scheduled_for: i64,
    #[diesel(sql_type = BigInt)]
    fence: i64,
    #[diesel(sql_type = BigInt)]
    done: i64,
    #[diesel(sql_type = BigInt)]
    interrupted: i64,
}

fn list_runs(world: &World) -> Vec<Run> {
    let query = "SELECT job, scheduled_for, fence,
            CAST(CASE WHEN finished_at IS NOT NULL AND error IS NULL THEN 1 ELSE 0 END AS bigint) AS done,
            CAST(CASE WHEN error LIKE 'interrupted%' THEN 1 ELSE 0 END AS bigint) AS interrupted
        FROM job_runs ORDER BY id";
    world.store.blocking_read(|db| Ok(diesel::sql_query(query).load(db)?)).expect("runs")
}

#[derive(QueryableByName)]
struct Holder {
    #[diesel(sql_type = Text)]
    owner: String,
}

/// The process that holds the lease, by its id; `None` when nobody does.
fn holder(world: &World) -> Option<u32> {
    let query = "SELECT owner FROM job_leases WHERE name = 'scheduler'";
    let found: Vec<Holder> =
        world.store.blocking_read(|db| Ok(diesel::sql_query(query).load(db)?)).expect("a lease");
    found.first()?.owner.split('-').next()?.parse().ok()
}

async fn until_held_by(world: &World, nodes: &[Node], but: u32) -> (usize, Duration) {
    let begun = Instant::now();
    let place = until("another holder", Duration::from_secs(60), async || {
        let holder = holder(world).filter(|holder| *holder != but)?;
        nodes.iter().position(|node| node.id() == holder)
    })
    .await;
    (place, begun.elapsed())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r9_three_schedulers_do_each_occurrence_once_whoever_is_killed() {
    let (least, occurrences) = (rounds(4, 20), rounds(0, 1_000));
    let world = World::on(Kind::Postgres).await;
    let mut nodes = Vec::new();
    for nth in 0..3 {
        nodes.push(world.serve_as(nth, if nth == 0 { "all" } else { "worker" }).await);
    }
    let mut slowest = Duration::ZERO;
    let (mut place, _) = until_held_by(&world, &nodes, 0).await;
    let mut kills = 0;
    while kills < least || list_runs(&world).len() < occurrences {
        kills += 1;
        for _ in 0..5 {
            // The full form makes its occurrences: every job is wanted at every second.
            if occurrences > 0 {
                world.run("UPDATE jobs SET run_requested_at = 1");
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        let killed = nodes[place].id();
        nodes[place].kill_in_place();
        let (next, took) = until_held_by(&world, &nodes, killed).await;
        slowest = slowest.max(took);
        nodes[place] = world.serve_as(place, if place == 0 { "all" } else { "worker" }).await;
        place = next;
        if let Some(held) = holder(&world) {
            place = nodes.iter().position(|node| node.id() == held).unwrap_or(place);
        }
    }
    let limit = JOB_LEASE + seconds(12, 5);
    assert!(slowest <= limit, "taken over after {slowest:?}, not within {limit:?}");
    // What was begun by the last one that was killed is closed by its successor.
    tokio::time::sleep(Duration::from_secs(6)).await;
    let runs = list_runs(&world);
    let mut seen: BTreeMap<(&str, i64), usize> = BTreeMap::new();
    for run in &runs {
        *seen.entry((run.job.as_str(), run.scheduled_for)).or_default() += 1;
    }
    let doubled = seen.values().filter(|times| **times > 1).count();
    let beside = world.count(
        "SELECT count(*) AS n FROM job_runs a JOIN job_runs b
         ON a.job = b.job AND a.id < b.id AND b.started_at < a.finished_at",
    );
    assert_eq!(beside, 0, "I12: no run of a job begins before the one before it is closed");
    let fences: Vec<i64> = runs.iter().map(|run| run.fence).collect();
    assert!(fences.is_sorted(), "I11: the fence only grows: {fences:?}");
    let (done, interrupted) = (
        runs.iter().filter(|run| run.done == 1).count(),
        runs.iter().filter(|run| run.interrupted == 1).count(),
    );
    // The most frequent job leaves no gap longer than a take-over.
    let mut settled: Vec<i64> = runs
        .iter()
        .filter(|run| run.job == "settle_ambiguous_sends")
        .map(|run| run.scheduled_for)
        .collect();
    settled.sort_unstable();
    let gap = settled.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default();
    assert!(gap <= rounds(35_000, 20_000) as i64, "a gap of {gap} ms");
    println!(
        "R9 postgres ok={done} lost=0 duplicated={doubled} recovered={interrupted} ({} occurrences, {kills} holders killed, slowest take-over {slowest:?})",
        runs.len()
    );
    assert_eq!(doubled, 0);
}

/// A process that stands still for twice the lease wakes up amid calls that were given up meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r9_what_a_process_says_after_it_stood_still_has_no_effect() {
    let world = World::on(Kind::Postgres).await;
    let frozen = world.serve(0).await;
    let slow = json!({ "kind": "delay", "ms": 3_000, "count": 8, "when": "before" });
    world.platform.order("/faults", slow).await;
    let ids = futures_util::future::join_all((0..8).map(|nth| world.send(&frozen.url, nth))).await;
    until("eight calls under way", Duration::from_secs(60), async || {
        let leased = world.count("SELECT count(*) AS n FROM outbox WHERE state = 'leased'");
        (leased == 8).then_some(())
    })
    .await;
    // Long enough for the calls to be out.
    tokio::time::sleep(Duration::from_millis(500)).await;
    frozen.signal("STOP");
    let other = world.serve(1).await;
    let (_, took) = until_held_by(&world, std::slice::from_ref(&other), frozen.id()).await;
    assert!(took <= JOB_LEASE + seconds(20, 10), "taken over after {took:?}");
    tokio::time::sleep(Duration::from_secs(2 * LEASE_SECONDS.unsigned_abs())).await;
    until_settled(&world, Duration::from_secs(60)).await;
    let before = world.count("SELECT count(*) AS n FROM delivery_events");
    frozen.signal("CONT");
    until("late words", Duration::from_secs(60), async || {
        let late = world.count("SELECT count(*) AS n FROM attempts WHERE outcome IS NULL");
        (late == 0).then_some(())
    })
    .await;
    let stale = frozen.metric(&world.client, "janela_attempts_total", "stale").await;
    let accepted = world.count("SELECT count(*) AS n FROM delivery_events WHERE kind = 'accepted'");
    let after = world.count("SELECT count(*) AS n FROM delivery_events");
    println!("R9: {stale} late words without effect, {accepted} that were evidence");
    assert_eq!(after - before, accepted, "only evidence is added");
    let mut tally = judge(&world, &ids).await;
    tally.recovered = ids.len();
    tally.must_be_clean("R9 postgres frozen");
}
