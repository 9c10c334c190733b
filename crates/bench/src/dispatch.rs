//! `dispatch`: sends of one number through admission, dispatcher and sandbox, held against what the sandbox and
//! the same transactions do alone.

pub mod desk;
pub mod platform;
mod raw;

use std::time::{Duration, Instant};

use diesel::{QueryableByName, RunQueryDsl, sql_types::BigInt};
use persistence::store::Store;

use self::{
    desk::Desk,
    platform::{BEYOND_REACH, Platform, THROUGHPUT},
};
use crate::{
    BenchError, Database, DatabaseChoice,
    database::Place,
    load::{self, Load},
    report::{Report, Row, machine},
    serving,
};

/// Sends through the whole.
const SENDS: u32 = 10_000;
/// Requests that wait for their answer at once: as many as the dispatcher has under way.
const CONNECTIONS: usize = 32;
/// How long each of the parts is measured alone.
const ALONE: Duration = Duration::from_secs(10);
/// How long what was queued may take to be sent.
const PATIENCE: Duration = Duration::from_secs(120);

/// Measures on each database asked for.
///
/// # Errors
/// When the program or the sandbox does not serve, or a database refuses.
pub fn run(databases: DatabaseChoice) -> Result<Report, BenchError> {
    let mut rows = Vec::new();
    for database in databases.each() {
        rows.extend(measure_on(database)?);
    }
    Ok(Report { name: "dispatch", machine: machine(), rows })
}

fn measure_on(database: Database) -> Result<Vec<Row>, BenchError> {
    let binary = serving::release_binary()?;
    let platform = Platform::start(&binary)?;
    platform.limit(BEYOND_REACH)?;
    let bare = load::run_closed_loop(platform.address, &platform.sends(), ALONE, CONNECTIONS)?;
    platform.limit(THROUGHPUT)?;

    let place = Place::named(database, "dispatch")?;
    place.make_empty()?;
    let folder = tempfile::tempdir()?;
    let store = place.open()?;
    let desk = Desk::set_up(&store, folder.path(), &platform)?;
    let raw = raw::rate(&store, &desk, ALONE)?;

    let server = serving::start(&binary, folder.path(), &place.url(), Some(platform.address))?;
    let posts = desk.posts(server.address, SENDS);
    let begun = Instant::now();
    let posted = load::run_closed_loop(server.address, &posts, PATIENCE, CONNECTIONS)?;
    let sent = wait_until_sent(&store, begun)?;
    drop(server);
    let found = platform.count_sends()?;
    drop(store);
    place.remove()?;
    let expected = u64::from(SENDS) + bare.milliseconds.len() as u64 - bare.refused;
    Ok(rows(database, &bare, raw, &posted, sent, expected.abs_diff(found)))
}

fn rows(
    database: Database,
    bare: &Load,
    raw: f64,
    posted: &Load,
    sent: Duration,
    off: u64,
) -> Vec<Row> {
    let name = database.name();
    let rate = f64::from(SENDS) / sent.as_secs_f64();
    let refused = f64::from(u32::try_from(posted.refused).unwrap_or(u32::MAX));
    let off = f64::from(u32::try_from(off).unwrap_or(u32::MAX));
    vec![
        Row::figure("sandbox alone, by a bare client", name, bare.rate, "/s"),
        Row::figure("the same transactions alone", name, raw, "/s"),
        Row::at_least("admitted, dispatched and taken", name, rate, "/s", 1_000.0),
        Row::at_least("over the lesser of both alone", name, rate / raw.min(bare.rate), "", 0.8),
        Row::at_most("requests refused", name, refused, "", 0.0),
        Row::at_most("sends lost or doubled", name, off, "", 0.0),
    ]
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

/// How long it took from `begun` until nothing is left to send.
fn wait_until_sent(store: &Store, begun: Instant) -> Result<Duration, BenchError> {
    loop {
        let left: Count = store.blocking_read(|db| {
            Ok(diesel::sql_query("SELECT count(*) AS number FROM outbox").get_result(db)?)
        })?;
        let taken = begun.elapsed();
        if left.number == 0 {
            return Ok(taken);
        }
        if PATIENCE < taken {
            return Err(BenchError::Broken(format!("{} messages were never sent", left.number)));
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}
