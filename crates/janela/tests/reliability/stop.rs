//! R13: a process that is asked to stop leaves nothing unknown, holds no lease, and ends in time.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::json;

use crate::{
    judge::{judge, list_sent, until_settled},
    world::{Kind, World, seconds},
};

/// How long a stop may take at all.
const STOP_WITHIN: Duration = Duration::from_secs(30);

async fn stop_amid_sends(kind: Kind) {
    let mut world = World::on(kind).await;
    // Longer than in the other tests: a busy machine has time to get sixteen calls under way.
    world.set("JANELA_CALL_SECONDS", "12");
    world.set("JANELA_LEASE_SECONDS", "20");
    world.set("JANELA_UNKNOWN_OUTCOME_SECONDS", "40");
    let slow = json!({ "kind": "delay", "ms": 7_000, "count": 100, "when": "after" });
    world.platform.order("/faults", slow).await;
    // Everything is queued before anyone sends, so that all of it goes out at once.
    let pages = world.serve_as(0, "web").await;
    let url = pages.url.clone();
    let ids = futures_util::future::join_all((0..24).map(|nth| world.send(&url, nth))).await;
    pages.kill();
    let mut node = world.serve(0).await;
    world.platform.subscribe(0, &world.webhook_at(&node.url)).await;
    crate::world::until("16 calls under way", Duration::from_secs(60), async || {
        let leased = world.count("SELECT count(*) AS n FROM outbox WHERE state = 'leased'");
        (16 <= leased).then_some(())
    })
    .await;
    let stopped = Instant::now();
    node.signal("TERM");
    // Whoever is impatient asks twice; that changes nothing about what is under way.
    tokio::time::sleep(Duration::from_millis(300)).await;
    node.signal("TERM");
    let status = node.ended(STOP_WITHIN).await.expect("it ends within 30 s");
    let took = stopped.elapsed();
    assert!(status.success(), "{status}");
    let after = list_sent(&world.store);
    let left = |state: &str| after.iter().filter(|it| it.outbox.as_deref() == Some(state)).count();
    assert_eq!((left("unknown"), left("leased")), (0, 0), "after {took:?}");
    let untold: i64 = after.iter().map(|it| it.untold).sum();
    assert_eq!(untold, 0, "every attempt has its outcome on record");
    let held = world.count("SELECT count(*) AS n FROM job_leases WHERE owner <> ''");
    assert_eq!(held, 0, "the lease of the jobs is given back");
    let recovered = after.iter().filter(|it| it.outbox.is_none()).count();
    world.platform.clear_faults().await;
    let _again = world.serve(0).await;
    until_settled(&world, Duration::from_secs(60)).await;
    let name = format!("R13 {}", kind.as_str());
    println!("{name}: stopped in {took:?} amid calls of 7 s");
    let mut tally = judge(&world, &ids).await;
    tally.recovered = recovered;
    tally.must_be_clean(&name);
    assert!(after.iter().all(|it| it.failure.is_none()), "{after:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r13_a_stop_amid_sends_leaves_nothing_unknown_on_sqlite() {
    stop_amid_sends(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r13_a_stop_amid_sends_leaves_nothing_unknown_on_postgres() {
    stop_amid_sends(Kind::Postgres).await;
}

/// Event streams end with the process that holds them, and their readers find another one behind the same address.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r13_an_event_stream_ends_at_once_and_is_found_again_elsewhere() {
    let world = World::on(Kind::Postgres).await;
    let (mut first, second) = (world.serve(0).await, world.serve(1).await);
    let cookie = world.session();
    let relay = crate::relay::Relay::start(vec![world.address_of(0), world.address_of(1)]).await;
    let open = async || {
        let request = world.client.get(format!("{}/events", relay.url())).header("cookie", &cookie);
        let answer = request.timeout(Duration::from_secs(60)).send().await.expect("a stream");
        assert_eq!(answer.status(), 200);
        answer.bytes_stream()
    };
    let mut stream = open().await;
    let begun = Instant::now();
    first.signal("TERM");
    while let Some(Ok(_)) = stream.next().await {}
    let ended = begun.elapsed();
    assert!(ended < seconds(15, 5), "the stream ends at once: {ended:?}");
    assert!(first.ended(STOP_WITHIN).await.is_some_and(|status| status.success()));
    let mut again = open().await;
    // What the other process is told of comes over the new stream.
    world.platform.subscribe(0, &world.webhook_at(&second.url)).await;
    let text = world.platform.text("5511955550001", "wamid.elsewhere", "Olá");
    let webhook = world.webhook_at(&second.url);
    assert_eq!(world.platform.post(0, &webhook, text).await, Some(reqwest::StatusCode::OK));
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut heard = String::new();
    while !heard.contains("event: ticket") && !heard.contains("event: arrival") {
        let piece = tokio::time::timeout_at(deadline.into(), again.next()).await;
        let piece = piece.expect("an event in time").expect("a stream").expect("bytes");
        heard.push_str(&String::from_utf8_lossy(&piece));
    }
    println!("R13 postgres stream ok=2 lost=0 duplicated=0 recovered=1");
}
