//! `scale`: one, two and four processes on one PostgreSQL: what they take in and send, and that together they keep to
//! one cap and run each job once.

mod crowd;
mod jobs;

use std::time::{Duration, Instant};

use diesel::{QueryableByName, RunQueryDsl, sql_types::BigInt};
use persistence::{db::Db, error::PersistenceError, store::Store};

use self::crowd::Crowd;
use crate::{
    BenchError, Database, DatabaseChoice, clock,
    database::Place,
    dispatch::{
        desk::Desk,
        platform::{Platform, THROUGHPUT},
    },
    ingest::{past, webhook},
    load::Post,
    report::{Report, Row, machine},
    serving,
};

/// How many processes serve at once, one measurement each.
const PROCESSES: [usize; 3] = [1, 2, 4];
/// Connections over which all processes together are asked.
const CONNECTIONS: usize = 64;
/// Messages whose receipts and answers are posted.
const PAST_SENDS: u64 = 40_000;
/// Sends that are to go out, for each second in which webhooks are posted.
const SENDS_A_SECOND: u64 = 800;
/// Recipients in 24 h of a number of level 1 (NU-09), and sends tried against that.
const CAP: u32 = 1_000;
const TRIES: u32 = 1_400;
/// How long what was taken may wait to be applied or sent.
const PATIENCE: Duration = Duration::from_secs(180);
/// What is left to send. A call that was not answered in time stands in doubt; the ledger knows what became of it.
const TO_BE_SENT: &str = "SELECT count(*) AS number FROM outbox WHERE state <> 'unknown'";
/// For how long jobs are watched.
const JOBS_FOR: Duration = Duration::from_secs(30);

/// Measures where PostgreSQL is asked for; an SQLite file is served by one process. Webhooks are posted for
/// `closed_loop`.
///
/// # Errors
/// When the program or the sandbox does not serve, or the database refuses.
pub fn run(databases: DatabaseChoice, closed_loop: Duration) -> Result<Report, BenchError> {
    let mut rows = Vec::new();
    if databases.each().contains(&Database::Postgres) {
        rows.extend(measure(closed_loop)?);
    }
    Ok(Report { name: "scale", machine: machine(), rows })
}

fn measure(closed_loop: Duration) -> Result<Vec<Row>, BenchError> {
    let sends = u32::try_from(SENDS_A_SECOND * closed_loop.as_secs()).unwrap_or(u32::MAX);
    let (mut ingested, mut sent) = (Vec::new(), Vec::new());
    for processes in PROCESSES {
        eprintln!("scale: {}", of_processes("webhooks and sends", processes));
        ingested.push(ingest(processes, closed_loop)?);
        sent.push(send(processes, sends)?);
    }
    let mut rows = Vec::new();
    for (processes, ingested) in PROCESSES.into_iter().zip(&ingested) {
        let what = |figure: &str| of_processes(figure, processes);
        rows.push(figure(what("webhooks answered"), ingested.answered));
        rows.push(figure(what("webhooks answered and applied"), ingested.applied));
        rows.push(none(what("webhooks refused, events lost or doubled"), ingested.off));
    }
    rows.extend(growth("webhooks answered and applied", ingested.iter().map(|it| it.applied)));
    for (processes, sent) in PROCESSES.into_iter().zip(&sent) {
        let what = |figure: &str| of_processes(figure, processes);
        rows.push(figure(what("sends admitted, dispatched and taken"), sent.rate));
        rows.push(none(what("sends refused"), sent.refused));
        rows.push(none(what("sends lost or doubled"), sent.off));
        let in_doubt = number(sent.in_doubt);
        rows.push(Row::figure(what("sends in doubt"), Database::Postgres.name(), in_doubt, ""));
    }
    rows.extend(growth("sends admitted, dispatched and taken", sent.iter().map(|it| it.rate)));
    rows.extend(try_cap_and_jobs(PROCESSES[PROCESSES.len() - 1])?);
    Ok(rows)
}

fn of_processes(figure: &str, processes: usize) -> String {
    match processes {
        1 => format!("{figure}, 1 process"),
        many => format!("{figure}, {many} processes"),
    }
}

fn figure(what: String, rate: f64) -> Row {
    Row::figure(what, Database::Postgres.name(), rate, "/s")
}

fn none(what: String, count: u64) -> Row {
    Row::at_most(what, Database::Postgres.name(), number(count), "", 0.0)
}

/// More processes must not take in or send less than one.
fn growth(what: &str, rates: impl Iterator<Item = f64>) -> Vec<Row> {
    let rates: Vec<f64> = rates.collect();
    let Some((first, more)) = rates.split_first() else { return Vec::new() };
    let row = |(processes, rate): (&usize, &f64)| {
        let what = format!("{what}, {processes} over 1");
        Row::at_least(what, Database::Postgres.name(), rate / first, "times", 1.0)
    };
    PROCESSES[1..].iter().zip(more).map(row).collect()
}

struct Ingested {
    /// Webhooks a second, until the last was answered.
    answered: f64,
    /// Webhooks a second, until the last was applied.
    applied: f64,
    /// Not answered with 200, or applied less or more than once.
    off: u64,
}

fn ingest(processes: usize, closed_loop: Duration) -> Result<Ingested, BenchError> {
    let folder = tempfile::tempdir()?;
    let place = Place::named(Database::Postgres, "scale")?;
    place.make_empty()?;
    let store = place.open()?;
    let past = past::fill(&store, folder.path(), PAST_SENDS, clock::now())?;
    let crowd =
        Crowd::start(&serving::release_binary()?, folder.path(), &place.url(), None, processes)?;
    let posts = webhook::posts_of(&past, crowd.addresses()[0], 0..PAST_SENDS, clock::now());
    let begun = Instant::now();
    let load = crowd.post(crowd.share(posts), closed_loop, CONNECTIONS)?;
    let waiting = "SELECT count(*) AS number FROM webhook_inbox WHERE done_at IS NULL";
    let applied = wait_for(&store, waiting, 0, begun)?;
    drop(crowd);
    let kept = "SELECT (SELECT count(*) FROM delivery_events WHERE source = 'platform' AND kind <> 'replied')
        + (SELECT count(*) FROM messages WHERE direction = 'in') AS number";
    let kept = count(&store, kept)?;
    drop(store);
    place.remove()?;
    Ok(Ingested {
        answered: load.rate,
        applied: number(load.answered) / applied.as_secs_f64(),
        off: load.refused + load.answered.abs_diff(kept),
    })
}

struct Sent {
    /// Sends a second, from the first request until nothing was left to send.
    rate: f64,
    /// Requests refused.
    refused: u64,
    /// What the ledger holds beside what was admitted, those in doubt left out where it holds less.
    off: u64,
    /// Sends of which nobody knows at the end: a call was not answered in time.
    in_doubt: u64,
}

fn send(processes: usize, sends: u32) -> Result<Sent, BenchError> {
    let binary = serving::release_binary()?;
    let folder = tempfile::tempdir()?;
    let place = Place::named(Database::Postgres, "scale")?;
    place.make_empty()?;
    let platform = Platform::start(&binary)?;
    platform.limit(THROUGHPUT)?;
    let store = place.open()?;
    let desk = Desk::set_up(&store, folder.path(), &platform)?;
    let at = Some(platform.address);
    let crowd = Crowd::start(&binary, folder.path(), &place.url(), at, processes)?;
    let begun = Instant::now();
    let load = crowd.post(shares_of(&crowd, &desk, sends), PATIENCE, CONNECTIONS / 2)?;
    let taken = wait_for(&store, TO_BE_SENT, 0, begun)?;
    drop(crowd);
    let in_doubt = count(&store, "SELECT count(*) AS number FROM outbox WHERE state = 'unknown'")?;
    let off = off_by(u64::from(sends) - load.refused, in_doubt, platform.count_sends()?);
    drop(store);
    place.remove()?;
    let rate = f64::from(sends) / taken.as_secs_f64();
    Ok(Sent { rate, refused: load.refused, off, in_doubt })
}

/// How many sends the ledger lacks or has too many, of `admitted`, some of them `in_doubt`.
fn off_by(admitted: u64, in_doubt: u64, ledger: u64) -> u64 {
    ledger.saturating_sub(admitted) + admitted.saturating_sub(in_doubt).saturating_sub(ledger)
}

/// What each process is told to send: every send by one of them.
fn shares_of(crowd: &Crowd, desk: &Desk, sends: u32) -> Vec<Vec<Post>> {
    let addresses = crowd.addresses();
    let share = |(place, address)| {
        desk.posts(address, sends).into_iter().skip(place).step_by(addresses.len()).collect()
    };
    addresses.iter().copied().enumerate().map(share).collect()
}

/// All processes send against one cap, and then run jobs beside each other.
fn try_cap_and_jobs(processes: usize) -> Result<Vec<Row>, BenchError> {
    let binary = serving::release_binary()?;
    let folder = tempfile::tempdir()?;
    let place = Place::named(Database::Postgres, "scale")?;
    place.make_empty()?;
    let platform = Platform::start(&binary)?;
    let store = place.open()?;
    let desk = Desk::set_up(&store, folder.path(), &platform)?;
    store
        .blocking_write(|db| Ok(diesel::sql_query("UPDATE numbers SET level = 1").execute(db)?))?;
    let at = Some(platform.address);
    let crowd = Crowd::start(&binary, folder.path(), &place.url(), at, processes)?;
    let load = crowd.post(shares_of(&crowd, &desk, TRIES), PATIENCE, CONNECTIONS / 2)?;
    wait_for(&store, TO_BE_SENT, 0, Instant::now())?;
    let taken = platform.count_sends()?;
    let seen = jobs::watch(&store, JOBS_FOR)?;
    drop(crowd);
    drop(store);
    place.remove()?;
    let what = |figure: &str| of_processes(figure, processes);
    let cap = u64::from(CAP);
    let name = Database::Postgres.name();
    Ok(vec![
        none(what("admitted beside a cap of 1,000"), (load.answered - load.refused).abs_diff(cap)),
        none(what("taken by the sandbox beside it"), taken.abs_diff(cap)),
        Row::figure(what("occurrences of jobs served"), name, number(seen.served), ""),
        Row::figure(what("processes that served them"), name, number(seen.owners), ""),
        none(what("occurrences left out, or run twice"), seen.off),
    ])
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    number: i64,
}

fn count(store: &Store, question: &str) -> Result<u64, BenchError> {
    let ask = |db: &mut Db| -> Result<Count, PersistenceError> {
        Ok(diesel::sql_query(question).get_result(db)?)
    };
    Ok(store.blocking_read(ask)?.number.unsigned_abs())
}

/// Waits until the answer to `question` is `wanted`, and tells how long that took from `begun`.
fn wait_for(
    store: &Store,
    question: &str,
    wanted: u64,
    begun: Instant,
) -> Result<Duration, BenchError> {
    loop {
        let found = count(store, question)?;
        let taken = begun.elapsed();
        if found == wanted {
            return Ok(taken);
        }
        if PATIENCE < taken {
            return Err(BenchError::Broken(format!("waited in vain: {question} is {found}")));
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of posts are smaller than that")]
fn number(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_send_in_doubt_may_have_reached_the_ledger_or_not() {
        let cases = [
            ("all there", 100, 0, 100, 0),
            ("one lost", 100, 0, 99, 1),
            ("one doubled", 100, 0, 101, 1),
            ("in doubt, and never there", 100, 2, 98, 0),
            ("in doubt, and there", 100, 2, 100, 0),
            ("more lost than in doubt", 100, 2, 97, 1),
        ];
        for (case, admitted, in_doubt, ledger, off) in cases {
            assert_eq!(off_by(admitted, in_doubt, ledger), off, "{case}");
        }
    }

    #[test]
    fn growth_is_told_over_one_process() {
        let rows = growth("sends", [1_000.0, 1_500.0, 900.0].into_iter());
        let told: Vec<(&str, f64, bool)> =
            rows.iter().map(|row| (row.what.as_str(), row.value, row.ok)).collect();
        assert_eq!(told, [("sends, 2 over 1", 1.5, true), ("sends, 4 over 1", 0.9, false)]);
    }
}
