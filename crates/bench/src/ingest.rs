//! `ingest`: webhooks at the rate of a busy number, made durable, answered and applied.

pub mod past;
mod watch;
pub mod webhook;

use std::time::Duration;

use diesel::{QueryableByName, RunQueryDsl, sql_types::BigInt};
use persistence::{db::Db, error::PersistenceError, store::Store};

use self::watch::Watch;
use crate::{
    BenchError, Database, DatabaseChoice, clock,
    database::Place,
    load::{self, Load, Post},
    report::{Report, Row, machine, percentile},
    serving,
};

/// Posts a second in the open loop: three receipts and an answer for each of 1,000 messages.
const RATE: u64 = 4_000;
/// Posts that wait for their answer at once.
const CONNECTIONS: usize = 64;
/// How long the closed loop lasts, and each raw one.
const CLOSED_LOOP: Duration = Duration::from_secs(10);
/// Messages whose receipts the closed loop may post before it runs out of them.
const CLOSED_LOOP_SENDS: u64 = 60_000;
/// How long what was taken may wait to be applied once the posts have ended.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures on each database asked for, `seconds` in the open loop.
///
/// # Errors
/// When the program does not serve, or a database refuses.
pub fn run(databases: DatabaseChoice, open_loop: Duration) -> Result<Report, BenchError> {
    let mut rows = Vec::new();
    for database in databases.each() {
        rows.extend(measure_on(database, open_loop)?);
    }
    Ok(Report { name: "ingest", machine: machine(), rows })
}

fn measure_on(database: Database, open_loop: Duration) -> Result<Vec<Row>, BenchError> {
    let binary = serving::release_binary()?;
    let folder = tempfile::tempdir()?;
    let place = Place::named(database, "ingest")?;
    place.make_empty()?;
    let store = place.open()?;
    let first_sends = RATE * open_loop.as_secs() / webhook::POSTS_OF_A_SEND;
    let past = past::fill(&store, folder.path(), first_sends + CLOSED_LOOP_SENDS, clock::now())?;
    let server = serving::start(&binary, folder.path(), &place.url(), None)?;

    let mut rows = Vec::new();
    let posts = webhook::posts_of(&past, server.address, 0..first_sends, clock::now());
    let watch = Watch::start(store.clone());
    let open = load::run_open_loop(server.address, &posts, RATE, CONNECTIONS)?;
    let watched = watch.stop()?;
    drop(posts);
    wait_until_applied(&store)?;
    let (found, expected) = (count(&store)?, open_loop.as_secs() * RATE);
    rows.extend(open_loop_rows(database, &open, &watched, expected, found));

    let more = first_sends..first_sends + CLOSED_LOOP_SENDS;
    let posts = webhook::posts_of(&past, server.address, more, clock::now());
    let closed = load::run_closed_loop(server.address, &posts, CLOSED_LOOP, CONNECTIONS)?;
    let bodies: Vec<Vec<u8>> =
        posts.iter().take(CONNECTIONS).map(|post: &Post| post.body().to_vec()).collect();
    drop(posts);
    wait_until_applied(&store)?;
    drop(server);
    let raw = past::commit_raw(&store, &bodies, CLOSED_LOOP)?;
    rows.extend(closed_loop_rows(database, &closed, raw));
    drop(store);
    place.remove()?;
    Ok(rows)
}

fn open_loop_rows(
    database: Database,
    open: &Load,
    watched: &watch::Watched,
    expected: u64,
    found: u64,
) -> Vec<Row> {
    let name = database.name();
    let slowest = match database {
        Database::Sqlite => 30.0,
        Database::Postgres => 15.0,
    };
    let milliseconds = |share| percentile(&open.milliseconds, share);
    let lost = number(expected.abs_diff(found));
    vec![
        Row::figure("open loop, answered in, p50", name, milliseconds(0.5), "ms"),
        Row::at_most("open loop, answered in, p99", name, milliseconds(0.99), "ms", slowest),
        Row::at_most("open loop, not answered with 200", name, number(open.refused), "", 0.0),
        Row::at_least("open loop, rate", name, open.rate, "/s", number(RATE) * 0.99),
        Row::at_most("applied after, p99", name, percentile(&watched.lags, 0.99), "s", 1.0),
        Row::at_most("backlog, last 10 s over first 10 s", name, watched.growth, "", 400.0),
        Row::at_most("events lost or doubled", name, lost, "", 0.0),
    ]
}

fn closed_loop_rows(database: Database, closed: &Load, raw: f64) -> Vec<Row> {
    let name = database.name();
    vec![
        Row::at_least("closed loop, rate", name, closed.rate, "/s", 10_000.0),
        Row::at_most("closed loop, not answered with 200", name, number(closed.refused), "", 0.0),
        Row::figure("raw group commit, 64 at a time", name, raw, "/s"),
        Row::at_least("closed loop over raw group commit", name, closed.rate / raw, "", 0.5),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "counts of posts are smaller than that")]
fn number(count: u64) -> f64 {
    count as f64
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn ask(db: &mut Db, question: &str) -> Result<u64, PersistenceError> {
    let answer: Count = diesel::sql_query(question).get_result(db)?;
    Ok(answer.number.unsigned_abs())
}

fn wait_until_applied(store: &Store) -> Result<(), BenchError> {
    let deadline = std::time::Instant::now() + PATIENCE;
    let open = "SELECT count(*) AS number FROM webhook_inbox WHERE done_at IS NULL";
    loop {
        let left = store.blocking_read(|db| ask(db, open))?;
        if left == 0 {
            return Ok(());
        }
        if deadline < std::time::Instant::now() {
            return Err(BenchError::Broken(format!("{left} webhooks were never applied")));
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// How many receipts and answers are in the histories.
fn count(store: &Store) -> Result<u64, BenchError> {
    let kept = "SELECT (SELECT count(*) FROM delivery_events WHERE source = 'platform' AND kind <> 'replied')
        + (SELECT count(*) FROM messages WHERE direction = 'in') AS number";
    Ok(store.blocking_read(|db| ask(db, kept))?)
}
