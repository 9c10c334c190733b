//! R5: webhooks at a rate, agents browsing beside them, and a SIGKILL in the middle.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use persistence::test_support::rounds;
use reqwest::{Client, StatusCode};

use crate::{
    judge::{Tally, until_applied},
    world::{Kind, World, keeping_client, until},
};

/// What became of one webhook.
#[derive(Debug, Clone)]
pub struct Posted {
    pub id: String,
    /// `None` without an answer.
    pub status: Option<StatusCode>,
    pub took: Duration,
    /// Since the beginning.
    pub at: Duration,
}

/// Posts `rate` webhooks a second for `length`, whatever the answers, and says what became of each.
pub async fn post_at_rate(
    world: &World,
    client: &Client,
    url: &str,
    rate: u32,
    length: Duration,
) -> Vec<Posted> {
    let webhook = world.webhook_at(url);
    let begun = Instant::now();
    let mut posts = Vec::new();
    let count = rate * u32::try_from(length.as_secs()).expect("short");
    for nth in 0..count {
        let due = begun + Duration::from_secs(1) * nth / rate;
        tokio::time::sleep_until(due.into()).await;
        let id = format!("wamid.load.{nth}");
        let body = world.platform.text(&format!("55117{:08}", nth % 500), &id, "Olá");
        let request = client
            .post(&webhook)
            .header("x-hub-signature-256", world.platform.signature(0, &body))
            .header("content-type", "application/json")
            .body(body);
        posts.push(tokio::spawn(async move {
            let sent = Instant::now();
            let status = request.send().await.ok().map(|answer| answer.status());
            Posted { id, status, took: sent.elapsed(), at: begun.elapsed() }
        }));
    }
    let mut done = Vec::new();
    for post in posts {
        done.push(post.await.expect("a post"));
    }
    done
}

/// The latency that `percent` of what was answered 200 stayed below.
pub fn percentile(posted: &[Posted], percent: usize) -> Duration {
    let answered = posted.iter().filter(|post| post.status == Some(StatusCode::OK));
    let mut took: Vec<Duration> = answered.map(|post| post.took).collect();
    took.sort_unstable();
    took.get((took.len() * percent / 100).min(took.len().saturating_sub(1)))
        .copied()
        .unwrap_or_default()
}

/// How many of `posted` that were answered 200 are in the log, and how many stand there twice.
pub async fn tally_of(world: &World, posted: &[Posted]) -> Tally {
    until_applied(world, Duration::from_secs(180)).await;
    let kept = crate::judge::list_inbound(&world.store);
    let mut tally = Tally::default();
    for post in posted.iter().filter(|post| post.status == Some(StatusCode::OK)) {
        match kept.get(&post.id).copied().unwrap_or_default() {
            0 => tally.lost += 1,
            1 => tally.ok += 1,
            _ => tally.duplicated += 1,
        }
    }
    tally
}

async fn browse(world: &World, url: &str, stop: &AtomicBool) -> usize {
    let (cookie, mut pages) = (world.session(), 0);
    while !stop.load(Ordering::SeqCst) {
        for path in ["/desk/conversations", "/desk/sent"] {
            let request = world.client.get(format!("{url}{path}")).header("cookie", &cookie);
            pages += usize::from(request.send().await.is_ok_and(|answer| answer.status() == 200));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    pages
}

async fn keep_up(kind: Kind) {
    let rate = u32::try_from(rounds(200, 4_000)).expect("few");
    let length = Duration::from_secs(rounds(10, 60) as u64);
    let world = World::on(kind).await;
    let mut node = world.serve(0).await;
    let client = keeping_client();
    let stop = AtomicBool::new(false);
    let url = node.url.clone();
    let (mut killed_at, mut back_at) = (Duration::ZERO, Duration::ZERO);
    let begun = Instant::now();
    let kill = async {
        tokio::time::sleep(length / 2).await;
        killed_at = begun.elapsed();
        node.kill_in_place();
        node = world.serve(0).await;
        back_at = begun.elapsed();
    };
    let browsing = browse(&world, &url, &stop);
    let load = async {
        let (posted, ()) = tokio::join!(post_at_rate(&world, &client, &url, rate, length), kill);
        stop.store(true, Ordering::SeqCst);
        posted
    };
    let (posted, pages) = tokio::join!(load, browsing);
    let outside = |post: &&Posted| {
        post.at < killed_at || back_at + Duration::from_secs(1) < post.at - post.took.min(post.at)
    };
    let refused =
        posted.iter().filter(outside).filter(|post| post.status != Some(StatusCode::OK)).count();
    let calm: Vec<Posted> = posted.iter().filter(outside).cloned().collect();
    let (p50, p99) = (percentile(&calm, 50), percentile(&calm, 99));
    let mut tally = tally_of(&world, &posted).await;
    tally.recovered = posted.iter().filter(|post| post.status != Some(StatusCode::OK)).count();
    let name = format!("R5 {}", kind.as_str());
    println!(
        "{name}: {rate}/s for {length:?}, p50 {p50:?}, p99 {p99:?}, {pages} pages, away for {:?}, {refused} refused besides",
        back_at - killed_at
    );
    tally.must_be_clean(&name);
    assert_eq!(refused, 0, "non-200 outside the restart");
    if rounds(0, 1) == 1 {
        assert!(p50 <= Duration::from_millis(50) && p99 <= Duration::from_millis(250), "{name}");
    }
    until("readiness", Duration::from_secs(10), async || {
        (node.status(&world.client, "/readyz").await == Some(StatusCode::OK)).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_every_webhook_answered_200_survives_a_kill_under_load_on_sqlite() {
    keep_up(Kind::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r5_every_webhook_answered_200_survives_a_kill_under_load_on_postgres() {
    keep_up(Kind::Postgres).await;
}
