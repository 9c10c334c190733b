//! R8: many hands reach for the last places of a cap or a tier, at one process and at two.

use std::{
    sync::Mutex,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, stream};
use persistence::test_support::rounds;
use reqwest::StatusCode;
use serde_json::Value;

use crate::{
    judge::{Tally, until_settled},
    world::{Kind, World},
};

const CAP: usize = 100;
const HANDS: usize = 64;

/// What a race saw.
struct Race {
    taken: usize,
    refused: usize,
    others: Vec<StatusCode>,
    p99: Duration,
}

/// `tries` orders by 64 hands, over the processes in turn.
async fn race(
    world: &World,
    urls: &[String],
    round: usize,
    tries: usize,
    order: impl Fn(usize) -> Value,
) -> Race {
    let race = Mutex::new((
        Race { taken: 0, refused: 0, others: Vec::new(), p99: Duration::ZERO },
        Vec::new(),
    ));
    stream::iter(0..tries)
        .for_each_concurrent(HANDS, async |nth| {
            let begun = Instant::now();
            let key = format!("cap-{round}-{nth}");
            let order = order(nth);
            let answer = world.ask(&urls[nth % urls.len()], world.token(), &key, &order).await;
            let status = answer.expect("an answer").status;
            let mut race = race.lock().expect("the race");
            race.1.push(begun.elapsed());
            match status {
                StatusCode::ACCEPTED => race.0.taken += 1,
                StatusCode::CONFLICT => race.0.refused += 1,
                other => race.0.others.push(other),
            }
        })
        .await;
    let (mut race, mut took) = race.into_inner().expect("the race");
    took.sort_unstable();
    race.p99 = took[took.len() * 99 / 100];
    race
}

fn set_cap(world: &World, scope: &str, enabled: bool) {
    let enabled = if enabled { "TRUE" } else { "FALSE" };
    world.run(&format!(
        "UPDATE chatbots SET cap_enabled = {enabled}, cap_sends = {CAP}, cap_scope = '{scope}'"
    ));
}

async fn race_for_caps(kind: Kind, processes: usize) {
    let tries = HANDS * rounds(4, 10);
    let world = World::on(kind).await;
    let mut nodes = Vec::new();
    for nth in 0..processes {
        nodes.push(world.serve_as(nth, "web").await);
    }
    let urls: Vec<String> = nodes.iter().map(|node| node.url.clone()).collect();
    let mut tally = Tally::default();
    let mut slowest = Duration::ZERO;
    let mut judge = |what: &str, race: &Race, expected: usize| {
        let Race { taken, refused, others, p99 } = race;
        println!(
            "R8 {} x{processes} {what}: {taken} taken, {refused} refused, p99 {p99:?}",
            kind.as_str()
        );
        assert!(others.is_empty(), "{what}: no other answer than yes and no: {others:?}");
        assert_eq!(*taken, expected, "{what}: exactly");
        slowest = slowest.max(*p99);
        tally.ok += taken;
    };
    for (round, scope) in ["each_agent", "all_agents"].into_iter().enumerate() {
        set_cap(&world, scope, true);
        let contact = u32::try_from(round).expect("few");
        let order = |_| world.order(0, contact);
        judge(scope, &race(&world, &urls, round, tries, order).await, CAP);
        // One contact takes a message in six seconds: these are not waited for.
        world.run("DELETE FROM outbox");
    }
    set_cap(&world, "each_agent", false);
    // A number that may write to a hundred others in a day.
    let used = world.count("SELECT counted_day AS n FROM numbers WHERE channel_id = 1");
    let limit = i64::try_from(CAP).expect("few") + used;
    world.run(&format!(
        "UPDATE policies SET body = replace(body, '\"level_limits\":[1000', '\"level_limits\":[{limit}')"
    ));
    world.run("UPDATE numbers SET level = 1 WHERE channel_id = 1");
    let customers = |nth: usize| world.order(0, 1_000 + u32::try_from(nth).expect("few"));
    judge("recipients", &race(&world, &urls, 2, tries, customers).await, CAP);
    // What fails before the platform took it frees its place.
    let counted = world.count("SELECT counted_day AS n FROM numbers WHERE channel_id = 1");
    let rows = world.count("SELECT count(*) AS n FROM recipient_window WHERE number_id = 1");
    assert_eq!(counted, rows, "drift: the counter and the count from scratch");
    let refuse =
        serde_json::json!({ "kind": "error", "count": 100_000, "status": 400, "code": 131_009 });
    world.platform.order("/faults", refuse).await;
    for node in nodes.drain(..) {
        node.kill();
    }
    let worker = world.serve(0).await;
    until_settled(&world, Duration::from_secs(120)).await;
    world.platform.clear_faults().await;
    let freed = world.count("SELECT counted_day AS n FROM numbers WHERE channel_id = 1");
    assert_eq!(freed, used, "every place was given back");
    let again = |nth: usize| world.order(0, 5_000 + u32::try_from(nth).expect("few"));
    let urls = [worker.url.clone()];
    judge("recipients again", &race(&world, &urls, 3, tries, again).await, CAP);
    if rounds(0, 1) == 1 {
        assert!(slowest <= Duration::from_secs(2), "p99 {slowest:?}");
    }
    tally.must_be_clean(&format!("R8 {} x{processes}", kind.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_caps_are_exact_on_sqlite() {
    race_for_caps(Kind::Sqlite, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_caps_are_exact_at_one_process_on_postgres() {
    race_for_caps(Kind::Postgres, 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r8_caps_are_exact_at_two_processes_on_postgres() {
    race_for_caps(Kind::Postgres, 2).await;
}
