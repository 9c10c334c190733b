//! R1: a storm of SIGKILL while messages are sent.

use std::time::{Duration, Instant};

use persistence::test_support::rounds;
use serde_json::json;

use crate::{
    judge::{judge, until_applied, until_settled},
    world::{Dice, Kind, World, until},
};

/// WhatsApp is of the class *CorrelationEcho*, and the only adapter there is.
async fn survive_kills(kind: Kind) {
    let (sends, kills, horizon) = (rounds(160, 10_000), rounds(4, 20), rounds(14, 60));
    let mut world = World::on(kind).await;
    world.set("JANELA_UNKNOWN_OUTCOME_SECONDS", &horizon.to_string());
    let mut node = world.serve(0).await;
    world.platform.subscribe(0, &world.webhook_at(&node.url)).await;
    // Each call takes a while, before or after the platform took the message, so that many are under way at each kill.
    for when in ["before", "after"] {
        let fault = json!({ "kind": "delay", "ms": 300, "count": sends / 2, "when": when });
        world.platform.order("/faults", fault).await;
    }
    let mut dice = Dice::new(1);
    let (url, begun) = (world.url_of(0), Instant::now());
    let send_all = async {
        let mut ids = Vec::new();
        for share in (0..u32::try_from(sends).expect("few")).collect::<Vec<_>>().chunks(16) {
            let sends = share.iter().map(|nth| world.send(&url, *nth));
            ids.extend(futures_util::future::join_all(sends).await);
        }
        ids
    };
    let storm = async {
        for kill in 1..=kills {
            // Spread over all sends, at a random moment of each part.
            let share = i64::try_from(sends * kill / (kills + 2)).expect("few");
            until("a part of the sends", Duration::from_secs(180), async || {
                let begun = world.count("SELECT count(*) AS n FROM attempts");
                (share <= begun).then_some(())
            })
            .await;
            tokio::time::sleep(Duration::from_millis(dice.roll(700))).await;
            node.kill();
            node = world.serve(0).await;
        }
        node
    };
    let (ids, node) = tokio::join!(send_all, storm);
    let restarted = Instant::now();
    until_settled(&world, Duration::from_secs(120)).await;
    until_applied(&world, Duration::from_secs(60)).await;
    let name = format!("R1 {}", kind.as_str());
    let tally = judge(&world, &ids).await;
    println!(
        "{name}: {} sends, {kills} kills in {:?}, settled {:?} after the last (horizon {horizon} s)",
        ids.len(),
        restarted - begun,
        restarted.elapsed()
    );
    drop(node);
    tally.must_be_clean(&name);
    assert_eq!(tally.ok, sends);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_a_storm_of_kills_loses_nothing_and_repeats_nothing_on_sqlite() {
    survive_kills(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r1_a_storm_of_kills_loses_nothing_and_repeats_nothing_on_postgres() {
    survive_kills(Kind::Postgres).await;
}
