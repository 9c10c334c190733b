//! R2: the process ends at every fault point, one after the other, and nothing is lost and nothing comes twice.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    os::unix::process::ExitStatusExt,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use fault::SEEN;
use persistence::test_support::rounds;
use serde_json::json;

use crate::{
    acts::{Act, SIGABRT, Stage},
    judge::{Tally, judge, list_inbound, until_applied, until_settled},
    points::{self, armed},
    world::{Kind, World},
};

/// How long someone acts until the process that is to end does.
const ENDS_WITHIN: Duration = Duration::from_secs(20);
/// How long the short form goes on ending processes.
const SHORT: Duration = Duration::from_secs(40);

/// Everything that has jobs to do is to be done now, by whoever comes next.
fn hurry_jobs(world: &World) {
    world.run("UPDATE job_leases SET expires_at = 0");
    world.run("UPDATE jobs SET run_requested_at = 1");
    // What a process that died was carrying is otherwise another's in five minutes.
    world.run("UPDATE media SET due_at = 1 WHERE due_at IS NOT NULL");
}

/// What the sandbox does to the `nth` send.
async fn trouble_send(world: &World, nth: u32) {
    world.platform.clear_faults().await;
    let fault = match nth % 4 {
        0 => json!({ "kind": "reset_after" }),
        1 => json!({ "kind": "error", "status": 429, "code": 130_429, "retry_after": 1 }),
        2 => json!({ "kind": "delay", "ms": 200, "when": "after" }),
        _ => return,
    };
    world.platform.order("/faults", fault).await;
}

fn read_points(list: &Path) -> BTreeSet<String> {
    let seen = fs::read_to_string(list).expect("the visited points");
    seen.lines().map(str::to_owned).collect()
}

/// The points that a run without a crash comes by, each with the act that leads there.
async fn list_visited(world: &World, stage: &Stage) -> BTreeMap<String, Act> {
    let list = world.folder().join("seen");
    let mut command = armed(world, 0);
    command.env("FAILPOINTS", "nowhere=off").env(SEEN, &list);
    let mut node = world.launch_command(0, "all", command);
    node.until_ready(&world.client).await;
    world.platform.subscribe(0, &world.webhook_at(&node.url)).await;
    let mut visited = BTreeMap::new();
    for (nth, act) in (0..).zip(Act::ALL) {
        hurry_jobs(world);
        let times = if act == Act::SendAndWrite { 4 } else { 1 };
        for time in 0..times {
            if act == Act::SendAndWrite {
                trouble_send(world, time).await;
            }
            let done = stage.perform(act, 100 * nth + time).await;
            assert!(done.is_some(), "{act:?} is not done");
        }
        // What it left to be done.
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        for point in read_points(&list) {
            visited.entry(point).or_insert(act);
        }
    }
    node.kill();
    visited
}

/// The points of each act in turn, so that the first of them stand for all.
fn spread(visited: &BTreeMap<String, Act>) -> Vec<(&str, Act)> {
    let mut of_act: BTreeMap<Act, Vec<&str>> = BTreeMap::new();
    for (point, act) in visited {
        of_act.entry(*act).or_default().push(point);
    }
    let longest = of_act.values().map(Vec::len).max().unwrap_or_default();
    let turn = |nth: usize| {
        let of_act = &of_act;
        of_act.iter().filter_map(move |(act, points)| {
            // From all over its files.
            let step = (nth * 7) % points.len().max(1);
            (nth < points.len()).then(|| (points[step], *act))
        })
    };
    let mut chosen: Vec<(&str, Act)> = Vec::new();
    for (point, act) in (0..longest).flat_map(turn) {
        if !chosen.iter().any(|(known, _)| *known == point) {
            chosen.push((point, act));
        }
    }
    // Where seven divides their number some are left over.
    let left: Vec<(&str, Act)> = visited
        .iter()
        .filter(|(point, _)| !chosen.iter().any(|(known, _)| known == point))
        .map(|(point, act)| (point.as_str(), *act))
        .collect();
    chosen.extend(left);
    chosen
}

/// Lets the process end at `point`, to which `act` leads; whether it did.
async fn crash_at(world: &World, stage: &Stage, point: &str, (act, nth): (Act, u32)) -> bool {
    hurry_jobs(world);
    if act == Act::Operator {
        return stage.crash_command(point, nth);
    }
    trouble_send(world, nth).await;
    let mut command = armed(world, 0);
    command.env("FAILPOINTS", format!("{point}=return"));
    let mut node = world.launch_command(0, "all", command);
    let deadline = Instant::now() + ENDS_WITHIN;
    while Instant::now() < deadline {
        if let Some(status) = node.ended(Duration::from_millis(1)).await {
            return status.signal() == Some(SIGABRT);
        }
        let is_ready = world.client.get(format!("{}/readyz", node.url)).send().await;
        if is_ready.is_ok_and(|it| it.status().is_success()) {
            let _may_be_cut_off = stage.perform(act, nth).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    false
}

async fn crash_everywhere(kind: Kind) {
    let world = Arc::new(World::on(kind).await);
    let stage = Stage::set_up(&world);
    let visited = list_visited(&world, &stage).await;
    let chosen = spread(&visited);
    assert!(60 <= chosen.len(), "{visited:?}");
    let (begun, mut missed, mut acts) = (Instant::now(), Vec::new(), BTreeSet::new());
    let mut crashed = 0;
    for (nth, (point, act)) in (2_000..).zip(&chosen) {
        if rounds(0, 1) == 0 && SHORT < begun.elapsed() {
            break;
        }
        match crash_at(&world, &stage, point, (*act, nth)).await {
            true => crashed += 1,
            false => missed.push(*point),
        }
        acts.insert((*act, nth));
    }
    let took = begun.elapsed();
    world.platform.clear_faults().await;
    let node = world.serve(0).await;
    hurry_jobs(&world);
    // The second pass: every command once more, and what was cut off comes to its end.
    for (act, nth) in acts {
        let mut done = stage.perform(act, nth).await;
        let begun = Instant::now();
        // What a process that died had leased is free again in a while.
        while done.is_none() && begun.elapsed() < Duration::from_secs(60) {
            hurry_jobs(&world);
            done = stage.perform(act, nth).await;
        }
        assert!(done.is_some(), "{act:?} {nth} is not done after a crash");
    }
    for _ in 0..2 {
        hurry_jobs(&world);
        tokio::time::sleep(Duration::from_millis(1_500)).await;
    }
    until_applied(&world, Duration::from_secs(60)).await;
    until_settled(&world, Duration::from_secs(120)).await;
    let mut tally = judge_all(&world, &stage).await;
    tally.recovered = crashed;
    let listed = points::list_points();
    let never: Vec<&String> = listed.iter().filter(|it| !visited.contains_key(*it)).collect();
    let name = format!("R2 {}", kind.as_str());
    println!(
        "{name}: {crashed} crashes in {took:?}, {} points come by, of {} in the source; not come by again: {missed:?}; \
         never come by: {never:?}",
        visited.len(),
        listed.len()
    );
    tally.must_be_clean(&name);
    assert_eq!(missed, [""; 0], "every point is visited");
    let unlisted: Vec<&String> = visited.keys().filter(|it| !listed.contains(it)).collect();
    assert_eq!(unlisted, [&""; 0], "the list is whole");
    drop(node);
}

/// What became of everything that was taken, and of what agents said in conversations.
async fn judge_all(world: &World, stage: &Stage) -> Tally {
    let (ids, texts) = stage.list_taken();
    let ids: Vec<i64> = ids.into_iter().collect();
    let mut tally = judge(world, &ids).await;
    let kept = list_inbound(&world.store);
    for id in &texts {
        match kept.get(id).copied().unwrap_or_default() {
            0 => tally.lost += 1,
            1 => tally.ok += 1,
            _ => tally.duplicated += 1,
        }
    }
    let doubled = world.count(
        "SELECT count(*) AS n FROM (SELECT contact_id FROM messages
         WHERE direction = 'out' AND body = 'Bom dia' GROUP BY contact_id HAVING count(*) > 1) q",
    );
    assert_eq!(doubled, 0, "an answer is sent once");
    tally
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r2_a_crash_at_any_point_loses_nothing_and_repeats_nothing_on_sqlite() {
    crash_everywhere(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r2_a_crash_at_any_point_loses_nothing_and_repeats_nothing_on_postgres() {
    crash_everywhere(Kind::Postgres).await;
}
