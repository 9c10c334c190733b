//! R5: webhooks at a rate, agents browsing beside them, and a SIGKILL in the middle.

use std::{
    net::SocketAddr,
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use persistence::test_support::rounds;
use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc,
    time::timeout,
};

use crate::{
    judge::{Tally, until_applied},
    world::{Kind, World, seconds, until},
};

/// Kept connections that take turns, as those of the platform.
const CONNECTIONS: usize = 64;
/// How long an answer is waited for.
const ANSWERED_WITHIN: Duration = Duration::from_secs(30);

/// What became of one webhook.
#[derive(Debug, Clone)]
pub struct Posted {
    pub id: String,
    /// `None` without an answer.
    pub status: Option<StatusCode>,
    /// From when it was due.
    pub took: Duration,
    /// Since the beginning.
    pub at: Duration,
}

/// Webhooks as they go over the wire, made before the first is due.
pub struct Load {
    address: SocketAddr,
    rate: u32,
    posts: Vec<(String, Vec<u8>)>,
}

impl Load {
    /// A text of a customer for each webhook of `length` at `rate` a second, to the `node`th process.
    pub fn of(world: &World, node: usize, rate: u32, length: Duration) -> Self {
        let (address, path) = (world.address_of(node), world.webhook_at(""));
        let count = rate * u32::try_from(length.as_secs()).expect("short");
        let post = |nth: u32| {
            let id = format!("wamid.load.{nth}");
            let body = world.platform.text(&format!("55117{:08}", nth % 500), &id, "Olá");
            let head = format!(
                "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
                 x-hub-signature-256: {}\r\ncontent-length: {}\r\n\r\n",
                world.platform.signature(0, &body),
                body.len()
            );
            (id, [head.into_bytes(), body].concat())
        };
        let posts = std::thread::scope(|scope| {
            let first = scope.spawn(|| (0..count / 2).map(post).collect::<Vec<_>>());
            let second: Vec<_> = (count / 2..count).map(post).collect();
            let mut posts = first.join().expect("posts");
            posts.extend(second);
            posts
        });
        Self { address, rate, posts }
    }

    /// Posts each when it is due, whatever became of the others.
    pub async fn post(self) -> Vec<Posted> {
        let (begun, address) = (Instant::now(), self.address);
        let mut ways = Vec::new();
        let mut speakers = Vec::new();
        for _ in 0..CONNECTIONS {
            let (way, due) = mpsc::unbounded_channel();
            ways.push(way);
            speakers.push(tokio::spawn(speak(address, due, begun)));
        }
        for (nth, (id, bytes)) in self.posts.into_iter().enumerate() {
            let due = begun + Duration::from_secs(1) * u32::try_from(nth).expect("few") / self.rate;
            // The timer is not finer than that; what is due meanwhile goes together.
            if Duration::from_millis(1) < due.saturating_duration_since(Instant::now()) {
                tokio::time::sleep_until(due.into()).await;
            }
            ways[nth % CONNECTIONS].send((id, bytes, due)).expect("a speaker");
        }
        drop(ways);
        let mut posted = Vec::new();
        for speaker in speakers {
            posted.extend(speaker.await.expect("a speaker"));
        }
        posted
    }
}

type Due = mpsc::UnboundedReceiver<(String, Vec<u8>, Instant)>;

/// Posts what is due over one connection, which is made anew when it fails.
async fn speak(address: SocketAddr, mut due: Due, begun: Instant) -> Vec<Posted> {
    let (mut kept, mut posted) = (None, Vec::new());
    while let Some((id, bytes, due)) = due.recv().await {
        let answered = timeout(ANSWERED_WITHIN, exchange(&mut kept, address, &bytes)).await;
        let status = answered.ok().flatten();
        posted.push(Posted { id, status, took: due.elapsed(), at: begun.elapsed() });
    }
    posted
}

/// The status answered to `bytes`; `None` without an answer. A kept connection that was closed meanwhile is no reason
/// to give up: the same is posted once more, as the platform does.
async fn exchange(
    kept: &mut Option<TcpStream>,
    address: SocketAddr,
    bytes: &[u8],
) -> Option<StatusCode> {
    if let Some(mut stream) = kept.take()
        && let Some((status, keeps)) = answer_of(&mut stream, bytes).await
    {
        *kept = keeps.then_some(stream);
        return Some(status);
    }
    let mut stream = TcpStream::connect(address).await.ok()?;
    stream.set_nodelay(true).ok()?;
    let (status, keeps) = answer_of(&mut stream, bytes).await?;
    *kept = keeps.then_some(stream);
    Some(status)
}

/// Reads one answer to its end: its status, and whether the connection may be used again.
async fn answer_of(stream: &mut TcpStream, bytes: &[u8]) -> Option<(StatusCode, bool)> {
    stream.write_all(bytes).await.ok()?;
    let mut answer = Vec::with_capacity(1_024);
    let end = loop {
        if let Some(end) = answer.windows(4).position(|it| it == b"\r\n\r\n") {
            break end + 4;
        }
        if stream.read_buf(&mut answer).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let value = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let length = value("content-length:").and_then(|length| length.trim().parse::<usize>().ok());
    let mut rest = vec![0; (end + length.unwrap_or_default()).saturating_sub(answer.len())];
    stream.read_exact(&mut rest).await.ok()?;
    let status = StatusCode::from_bytes(head.split(' ').nth(1)?.as_bytes()).ok()?;
    Some((status, value("connection:").is_none_or(|it| it.trim() != "close")))
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

/// What a number at 1,000 messages a second brings for a minute, and one at 80 for five.
fn loads() -> Vec<(u32, Duration)> {
    match rounds(0, 1) {
        0 => vec![(120, Duration::from_secs(10))],
        _ => vec![(4_000, Duration::from_secs(60)), (264, Duration::from_secs(300))],
    }
}

async fn keep_up(kind: Kind) {
    for (rate, length) in loads() {
        keep_up_with(kind, rate, length).await;
    }
}

async fn keep_up_with(kind: Kind, rate: u32, length: Duration) {
    let world = World::on(kind).await;
    let mut node = world.serve(0).await;
    let posts = Load::of(&world, 0, rate, length);
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
        let (posted, ()) = tokio::join!(posts.post(), kill);
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
        assert!(p50 <= Duration::from_millis(50), "{name}: p50 {p50:?}");
        assert!(p99 <= Duration::from_millis(250), "{name}: p99 {p99:?}");
    }
    until("readiness", seconds(30, 10), async || {
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
