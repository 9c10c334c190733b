//! Several processes at one PostgreSQL: starting at once, with roles, one after the other anew, and hearing each other;
//! and one process at one SQLite file.

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use futures_util::StreamExt;
use persistence::test_support::TestStore;
use reqwest::StatusCode;

use crate::{
    judge::{judge, list_inbound, until_applied, until_settled},
    relay::Relay,
    world::{Kind, Node, World, tail_of, until},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_processes_that_start_at_once_on_an_empty_database_all_serve() {
    let empty = TestStore::empty_postgres();
    let mut world = World::on(Kind::Postgres).await;
    world.move_database(empty.settings().url.clone());
    let mut nodes: Vec<Node> = (0..4).map(|nth| world.launch(nth, "all")).collect();
    for node in &mut nodes {
        node.until_ready(&world.client).await;
    }
    let ran = crate::world::count(&empty, "SELECT count(*) AS n FROM __diesel_schema_migrations");
    assert!(ran >= 1 && nodes.iter_mut().all(Node::is_running));
    println!("R0 postgres migration race ok=4 lost=0 duplicated=0 recovered=0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_process_at_one_sqlite_file_says_what_to_do_and_ends() {
    let world = World::on(Kind::Sqlite).await;
    let first = world.serve(0).await;
    let mut second = world.launch(1, "all");
    let status = second.ended(Duration::from_secs(30)).await.expect("it ends");
    assert_eq!(status.code(), Some(1));
    let said = tail_of(&world.log_of(1));
    assert!(said.contains("another Janela serves") && said.contains("PostgreSQL"), "{said}");
    assert_eq!(first.status(&world.client, "/readyz").await, Some(StatusCode::OK));
    drop(first);
    world.serve(1).await;
}

/// A web process takes orders, webhooks and readers; a worker sends and applies; what it does reaches the reader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_process_and_a_worker_share_the_work_and_hear_each_other() {
    let world = World::on(Kind::Postgres).await;
    let web = world.serve_as(0, "web").await;
    world.platform.subscribe(0, &world.webhook_at(&web.url)).await;
    let id = world.send(&web.url, 1).await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(world.platform.ledger().await.len(), 0, "a web process sends nothing");
    let request = world.client.get(format!("{}/events", web.url)).header("cookie", world.session());
    let answer = request.timeout(Duration::from_secs(60)).send().await.expect("a stream");
    let mut events = answer.bytes_stream();
    let worker = world.serve_as(1, "worker").await;
    let (deadline, mut heard) = (Instant::now() + Duration::from_secs(60), String::new());
    while !heard.contains("event: active-messages") {
        let piece = tokio::time::timeout_at(deadline.into(), events.next()).await;
        let piece = piece.expect("an event in time").expect("a stream").expect("bytes");
        heard.push_str(&String::from_utf8_lossy(&piece));
    }
    until_settled(&world, Duration::from_secs(60)).await;
    until_applied(&world, Duration::from_secs(60)).await;
    assert!(world.client.get(&web.metrics).send().await.is_ok());
    judge(&world, &[id]).await.must_be_clean("R0 postgres roles");
    drop(worker);
}

/// Each of three processes is stopped and started anew, one after the other, behind one address that passes on to the
/// first that answers, as a balancer does: whoever asks there is never refused, and everything that was taken is there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rolling_restart_loses_nothing_and_refuses_nobody() {
    let world = World::on(Kind::Postgres).await;
    let mut nodes = Vec::new();
    for nth in 0..3 {
        nodes.push(world.serve(nth).await);
    }
    let targets = (0..3).map(|nth| world.address_of(nth)).collect();
    let relay = Relay::start(targets).await;
    world.platform.subscribe(0, &world.webhook_at(&relay.url())).await;
    let (url, webhook) = (relay.url(), world.webhook_at(&relay.url()));
    let (refused, rolled) = (AtomicUsize::new(0), AtomicBool::new(false));
    let count_refused = |is_taken: bool| {
        refused.fetch_add(usize::from(!is_taken), Ordering::SeqCst);
    };
    let send_all = async {
        let (mut ids, mut nth, mut slowest) = (Vec::new(), 0, Duration::ZERO);
        while !rolled.load(Ordering::SeqCst) {
            let order = world.order(0, nth);
            let key = format!("rolling-{nth}");
            let asked = Instant::now();
            let answer = world.ask(&url, world.token(), &key, &order).await;
            slowest = slowest.max(asked.elapsed());
            let id = answer.as_ref().and_then(|it| it.body["id"].as_str()?.parse::<i64>().ok());
            count_refused(id.is_some());
            ids.extend(id);
            nth += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        (ids, slowest)
    };
    let write_all = async {
        let (mut texts, mut nth) = (Vec::new(), 0);
        while !rolled.load(Ordering::SeqCst) {
            let id = format!("wamid.rolling.{nth}");
            let text = world.platform.text(&format!("55114{nth:08}"), &id, "Olá");
            let answer = world.platform.post(0, &webhook, text).await;
            let is_kept = answer == Some(StatusCode::OK);
            count_refused(is_kept);
            texts.extend(is_kept.then_some(id));
            nth += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        texts
    };
    let roll = async {
        for (nth, node) in nodes.iter_mut().enumerate() {
            node.signal("TERM");
            let status = node.ended(Duration::from_secs(30)).await.expect("it ends");
            assert!(status.success(), "{status}");
            *node = world.serve(nth).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        rolled.store(true, Ordering::SeqCst);
    };
    let ((ids, slowest), texts, ()) = tokio::join!(send_all, write_all, roll);
    until_settled(&world, Duration::from_secs(60)).await;
    until("every receipt", Duration::from_secs(60), async || {
        let pending = world.platform.look("/webhooks").await["pending"].as_u64();
        (pending == Some(0)).then_some(())
    })
    .await;
    until_applied(&world, Duration::from_secs(60)).await;
    let unknown = world.count("SELECT count(*) AS n FROM delivery_events WHERE kind = 'unsettled'");
    assert_eq!(unknown, 0, "who is asked to stop leaves nothing unknown");
    let mut tally = judge(&world, &ids).await;
    let kept = list_inbound(&world.store);
    for id in &texts {
        match kept.get(id).copied().unwrap_or_default() {
            0 => tally.lost += 1,
            1 => tally.ok += 1,
            _ => tally.duplicated += 1,
        }
    }
    tally.recovered = 3;
    let refused = refused.into_inner();
    println!(
        "R0 postgres: {} sends, the slowest in {slowest:?}, {} webhooks, {refused} refused",
        ids.len(),
        texts.len()
    );
    tally.must_be_clean("R0 postgres rolling restart");
    assert_eq!(refused, 0, "behind one address nobody notices");
}
