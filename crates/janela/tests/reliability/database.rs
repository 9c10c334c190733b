//! R12: the database restarts, is cut off, or is held by someone else.

use std::{
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::{Duration, Instant},
};

use persistence::{store::DatabaseSettings, test_support::rounds};
use reqwest::StatusCode;

use crate::{
    judge::{judge, until_applied, until_settled},
    postgres::Server,
    relay::Relay,
    world::{Kind, Node, World, seconds, until},
};

/// How long the desk may take to be ready again once its database is.
fn recovers_within() -> Duration {
    seconds(25, 10)
}

/// Sends one message after the other, and has a customer write beside each, until `stop`.
async fn keep_busy(
    world: &World,
    url: &str,
    next: &AtomicU32,
    stop: &AtomicBool,
) -> (Vec<i64>, Vec<String>) {
    let (mut sent, mut kept) = (Vec::new(), Vec::new());
    let webhook = world.webhook_at(url);
    while !stop.load(Ordering::SeqCst) {
        let nth = next.fetch_add(1, Ordering::SeqCst);
        sent.push(world.send(url, nth).await);
        let id = format!("wamid.in.{nth}");
        let body = world.platform.text(&format!("55118{nth:08}"), &id, "Olá");
        if world.platform.post(0, &webhook, body).await == Some(StatusCode::OK) {
            kept.push(id);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    (sent, kept)
}

/// Looks at a page again and again, until `stop`; answers with every status seen.
async fn keep_looking(world: &World, node: &Node, stop: &AtomicBool) -> Vec<StatusCode> {
    let (cookie, mut seen) = (world.session(), Vec::new());
    while !stop.load(Ordering::SeqCst) {
        let request =
            world.client.get(format!("{}/desk/conversations", node.url)).header("cookie", &cookie);
        if let Ok(answer) = request.send().await {
            seen.push(answer.status());
            let page = answer.text().await.unwrap_or_default();
            for trace in ["diesel", "panicked", "SELECT ", "src/"] {
                assert!(!page.contains(trace), "a page shows {trace:?}");
            }
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    seen
}

/// How often the busiest cause stands in the log.
fn most_frequent_line(log: &Path) -> (usize, String) {
    let text = std::fs::read_to_string(log).expect("the log");
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for line in text.lines() {
        let line: serde_json::Value = serde_json::from_str(line).unwrap_or_default();
        let words = line["fields"]["message"].as_str().unwrap_or("?").to_owned();
        *counts.entry(words).or_default() += 1;
    }
    counts.into_iter().map(|(words, count)| (count, words)).max().unwrap_or_default()
}

/// Runs `trouble` under load, and judges what became of everything that was taken before, amid and after it.
async fn under_load(name: &str, world: &World, node: &Node, trouble: impl Future<Output = usize>) {
    let (next, stop, begun) = (AtomicU32::new(0), AtomicBool::new(false), Instant::now());
    let trouble = async {
        let times = trouble.await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        stop.store(true, Ordering::SeqCst);
        times
    };
    let busy = [0; 4].map(|_| keep_busy(world, &node.url, &next, &stop));
    let (times, done, seen) = tokio::join!(
        trouble,
        futures_util::future::join_all(busy),
        keep_looking(world, node, &stop)
    );
    let sent: Vec<i64> = done.iter().flat_map(|(sent, _)| sent.iter().copied()).collect();
    let kept: Vec<&String> = done.iter().flat_map(|(_, kept)| kept).collect();
    until_settled(world, Duration::from_secs(90)).await;
    until_applied(world, Duration::from_secs(60)).await;
    let mut tally = judge(world, &sent).await;
    for id in &kept {
        let found =
            world.count(&format!("SELECT count(*) AS n FROM messages WHERE provider_id = '{id}'"));
        match found {
            1 => tally.ok += 1,
            0 => tally.lost += 1,
            _ => tally.duplicated += 1,
        }
    }
    tally.recovered = tally.recovered.max(times);
    let odd: Vec<&StatusCode> =
        seen.iter().filter(|status| !matches!(status.as_u16(), 200 | 303 | 503)).collect();
    let (lines, words) = most_frequent_line(&world.log_of(0));
    let seconds = begun.elapsed().as_secs() as usize;
    let unavailable = seen.iter().filter(|status| status.as_u16() == 503).count();
    println!(
        "{name}: {} sends and {} webhooks in {seconds} s, {unavailable} of {} pages said try again, {lines} x {words:?}",
        sent.len(),
        kept.len(),
        seen.len()
    );
    tally.print(name);
    assert_eq!((tally.lost, tally.duplicated), (0, 0), "{name}");
    assert!(odd.is_empty(), "{name}: pages answered {odd:?}");
    assert!(lines <= seconds + 5, "{name}: more than a line a second of {words:?}");
}

/// Waits until the desk is ready again, and says how long that took.
async fn until_ready_again(world: &World, node: &Node) -> Duration {
    let begun = Instant::now();
    until("readiness", Duration::from_secs(60), async || {
        let status = node.status(&world.client, "/readyz").await;
        (status == Some(StatusCode::OK)).then_some(())
    })
    .await;
    begun.elapsed()
}

async fn world_on(server: &Server) -> World {
    let settings = DatabaseSettings {
        url: server.create_database("desk"),
        data_dir: std::path::PathBuf::new(),
        connections: 8,
    };
    World::at(settings, Box::new(())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r12_restarts_of_postgres_lose_nothing() {
    let restarts = rounds(3, 20);
    let server = Server::start();
    let world = world_on(&server).await;
    let node = world.serve(0).await;
    world.platform.subscribe(0, &world.webhook_at(&node.url)).await;
    let trouble = async {
        for _ in 0..restarts {
            tokio::time::sleep(Duration::from_secs(2)).await;
            server.restart_immediately();
            let took = until_ready_again(&world, &node).await;
            assert!(took <= recovers_within(), "ready {took:?} after a restart");
        }
        restarts
    };
    under_load("R12 postgres restart", &world, &node, trouble).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r12_a_network_that_is_cut_loses_nothing() {
    let seconds = rounds(12, 60) as u64;
    let server = Server::start();
    let relay = Relay::start(vec![server.address]).await;
    let mut world = world_on(&server).await;
    world.move_database(server.url_by("desk", relay.address()));
    let node = world.serve(0).await;
    world.platform.subscribe(0, &world.webhook_at(&node.url)).await;
    let trouble = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        relay.cut(true);
        tokio::time::sleep(Duration::from_secs(5)).await;
        let red = node.status(&world.client, "/readyz").await;
        assert_eq!(red, Some(StatusCode::SERVICE_UNAVAILABLE), "not ready while it is cut off");
        tokio::time::sleep(Duration::from_secs(seconds - 5)).await;
        relay.cut(false);
        let took = until_ready_again(&world, &node).await;
        assert!(took <= recovers_within(), "ready {took:?} after the network was back");
        1
    };
    under_load("R12 postgres network", &world, &node, trouble).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r12_a_writer_of_sqlite_held_by_someone_else_loses_nothing() {
    let seconds = rounds(13, 30) as u64;
    let world = World::on(Kind::Sqlite).await;
    let node = world.serve(0).await;
    world.platform.subscribe(0, &world.webhook_at(&node.url)).await;
    let trouble = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        let held = world.store.write(move |db| {
            db.write(|_| {
                std::thread::sleep(Duration::from_secs(seconds));
                Ok(())
            })
        });
        held.await.expect("the lock");
        let took = until_ready_again(&world, &node).await;
        assert!(took <= recovers_within(), "ready {took:?} after the lock was let go");
        1
    };
    under_load("R12 sqlite writer", &world, &node, trouble).await;
}
