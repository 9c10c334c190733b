//! R7: connections that send a byte now and then, beside webhooks at half the rate.

use std::time::{Duration, Instant};

use persistence::test_support::rounds;
use reqwest::StatusCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

use crate::{
    load::{Load, percentile, tally_of},
    world::{Kind, World, seconds, until},
};

/// How long a head or a body that trickles in is listened to.
const CUT_WITHIN: Duration = Duration::from_secs(15);

/// Opens a connection, sends `begin` and then a byte every two seconds; answers how long the desk bore with it.
async fn trickle(address: std::net::SocketAddr, begin: String) -> Option<Duration> {
    let mut stream = TcpStream::connect(address).await.ok()?;
    let begun = Instant::now();
    stream.write_all(begin.as_bytes()).await.ok()?;
    let mut answer = [0_u8; 1_024];
    while begun.elapsed() < 2 * CUT_WITHIN {
        match timeout(Duration::from_secs(2), stream.read(&mut answer)).await {
            // Closed, reset or answered: it is over.
            Ok(_) => return Some(begun.elapsed()),
            Err(_) => {
                if stream.write_all(b"x").await.is_err() {
                    return Some(begun.elapsed());
                }
            }
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r7_slow_heads_and_bodies_are_cut_and_harm_nobody() {
    let connections = rounds(200, 500);
    let rate = u32::try_from(rounds(50, 2_000)).expect("few");
    let world = World::on(Kind::Sqlite).await;
    let node = world.serve(0).await;
    let address = world.address_of(0);
    let posts = Load::of(&world, 0, rate, Duration::from_secs(14));
    Load::of(&world, 0, 20, Duration::from_secs(1)).post().await;
    let before = node.resident_mebibytes();
    let path = world.webhook_at("");
    let slow = (0..connections).map(|nth| {
        let begin = match nth % 2 {
            0 => format!("POST {path} HTTP/1.1\r\nhost: {address}\r\nx-slow: "),
            _ => format!(
                "POST {path} HTTP/1.1\r\nhost: {address}\r\ncontent-length: 100000\r\n\r\n{{"
            ),
        };
        tokio::spawn(trickle(address, begin))
    });
    let slow = futures_util::future::join_all(slow.collect::<Vec<_>>());
    let (posted, borne) = tokio::join!(posts.post(), slow);
    let grown = node.resident_mebibytes() - before;
    let borne: Vec<Option<Duration>> =
        borne.into_iter().map(|it| it.expect("a connection")).collect();
    let longest = borne.iter().max().copied().flatten().unwrap_or_default();
    let endless = borne.iter().filter(|it| it.is_none()).count();
    let p99 = percentile(&posted, 99);
    let tally = tally_of(&world, &posted).await;
    println!(
        "R7 sqlite: {connections} slow connections, the longest for {longest:?}, beside {rate}/s with p99 {p99:?}, {grown:.0} MiB more"
    );
    tally.must_be_clean("R7 sqlite");
    assert_eq!(endless, 0, "every one is cut");
    assert!(longest <= CUT_WITHIN + seconds(5, 0), "{longest:?}");
    // Whoever waits for places that slow connections hold waits for as long as they are borne.
    assert!(p99 <= seconds(5, 1), "{p99:?}");
    let refused = posted.iter().filter(|post| post.status != Some(StatusCode::OK)).count();
    assert_eq!(refused, 0, "of {}", posted.len());
    assert!(grown <= 100.0, "{grown} MiB");
    until("it works as before", seconds(30, 10), async || {
        let status = node.status(&world.client, "/readyz").await;
        (status == Some(StatusCode::OK)).then_some(())
    })
    .await;
}
