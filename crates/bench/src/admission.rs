//! `admission`: how long the database is busy with one send, at little and at much history.

mod history;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{QueryableByName, RunQueryDsl, sql_types::BigInt};
use domain::{
    clock::Clock,
    ids::{ChannelId, ContactId, NumberId, TemplateId, UserId},
};
use persistence::{
    admission::{self, Door, Draft, Outcome, Recipient},
    db::Db,
    error::PersistenceError,
    idempotency::{IdempotencyKey, KeyOwner, hash_body},
    store::Store,
    user::{self, Actor},
};

use crate::{
    BenchError, Database, DatabaseChoice,
    database::Place,
    report::{Report, Row, machine, percentile},
};

/// Past sends, the smaller first: the time at the last is compared with the time at the first.
const SIZES: [i64; 3] = [100_000, 1_000_000, 10_000_000];
/// Admissions measured at each size, or as many as there are contacts.
const ADMISSIONS: i64 = 2_000;
/// Admissions before these, so that caches and prepared statements are as in a process that runs.
const WARM_UP: i64 = 200;
/// Between two sends, on the desk's clock.
const STEP: TimeDelta = TimeDelta::seconds(1);
/// After so many sends the job that moves the cursors runs, untimed, as it does every minute.
const SENDS_BETWEEN_EXPIRY: i64 = 60;

const MOST_MICROSECONDS: f64 = 300.0;
const MOST_GROWTH: f64 = 1.5;

/// Measures on each database asked for, at `sizes` past sends; at [`SIZES`] when there are none.
///
/// # Errors
/// When a database refuses, or an admission that should pass does not.
pub fn run(databases: DatabaseChoice, sizes: &[i64]) -> Result<Report, BenchError> {
    let sizes = if sizes.is_empty() { &SIZES } else { sizes };
    let mut rows = Vec::new();
    for database in databases.each() {
        let mut medians = Vec::new();
        for &sends in sizes {
            let measured = measure_at(database, sends)?;
            medians.push((sends, percentile(&measured.inside, 0.5)));
            rows.extend(size_rows(database, sends, &measured));
        }
        if let [(few, at_few), .., (many, at_many)] = medians[..] {
            let what = format!("time at {many} over time at {few}");
            let growth = at_many / at_few;
            rows.push(Row::at_most(what, database.name(), growth, "times", MOST_GROWTH));
        }
    }
    Ok(Report { name: "admission", machine: machine(), rows })
}

fn size_rows(database: Database, sends: i64, measured: &Measured) -> Vec<Row> {
    let name = database.name();
    let what = |figure: &str| format!("{figure}, {sends} past sends");
    let (median, slow) = (percentile(&measured.inside, 0.5), percentile(&measured.inside, 0.99));
    let first = what("decide and enqueue, p50");
    vec![
        match database {
            Database::Sqlite => Row::at_most(first, name, median, "us", MOST_MICROSECONDS),
            Database::Postgres => Row::figure(first, name, median, "us"),
        },
        Row::figure(what("decide and enqueue, p99"), name, slow, "us"),
        Row::figure(what("with commit, p50"), name, percentile(&measured.whole, 0.5), "us"),
        Row::figure(what("with commit, p99"), name, percentile(&measured.whole, 0.99), "us"),
        Row::at_most(what("counters off the count"), name, measured.drift, "", 0.0),
    ]
}

/// Microseconds, sorted.
struct Measured {
    /// Inside the transaction, without its begin and commit.
    inside: Vec<f64>,
    /// With them.
    whole: Vec<f64>,
    /// By how many contacts the counters were off before or after, day and week together.
    drift: f64,
}

fn measure_at(database: Database, sends: i64) -> Result<Measured, BenchError> {
    let kept = history::find_or_fill(database, sends)?;
    let place = Place::named(database, "admission_run")?;
    place.copy_from(&kept)?;
    let store = place.open()?;
    store.migrate()?;
    let measured = measure(&store);
    drop(store);
    place.remove()?;
    measured
}

fn measure(store: &Store) -> Result<Measured, BenchError> {
    let clock = DeskClock(AtomicI64::new(history::ends_at().timestamp_millis()));
    let desk = store.blocking_write(Desk::find)?;
    let mut drift = store.blocking_write(|db| drift_of(db, desk.number))?;
    let (mut inside, mut whole) = (Vec::new(), Vec::new());
    for turn in 0..desk.people.min(WARM_UP + ADMISSIONS) {
        clock.step();
        if turn % SENDS_BETWEEN_EXPIRY == 0 {
            store.blocking_write(|db| admission::expire(db, desk.number, &clock, 1_000))?;
        }
        let draft = desk.draft(turn);
        let (deciding, all) = store.blocking_write(|db| admit(db, &desk, &draft, &clock))?;
        if WARM_UP.min(desk.people / 2) <= turn {
            inside.push(deciding.as_secs_f64() * 1_000_000.0);
            whole.push(all.as_secs_f64() * 1_000_000.0);
        }
    }
    drift += store.blocking_write(|db| drift_of(db, desk.number))?;
    inside.sort_by(f64::total_cmp);
    whole.sort_by(f64::total_cmp);
    Ok(Measured { inside, whole, drift })
}

/// Admits `draft` in a transaction of its own and tells how long that took inside, and with the commit.
fn admit(
    db: &mut Db,
    desk: &Desk,
    draft: &Draft,
    clock: &DeskClock,
) -> Result<(Duration, Duration), PersistenceError> {
    let begun = Instant::now();
    let inside = db.write(|db| {
        let begun = Instant::now();
        let outcome = admission::admit_within(db, &desk.agent, draft, clock)?;
        let inside = begun.elapsed();
        match outcome {
            Outcome::Queued(_) => Ok(inside),
            other => Err(PersistenceError::Settings(format!("not admitted: {other:?}"))),
        }
    })?;
    Ok((inside, begun.elapsed()))
}

#[expect(clippy::cast_precision_loss, reason = "contacts are fewer than that")]
fn drift_of(db: &mut Db, number: NumberId) -> Result<f64, PersistenceError> {
    let drift = admission::check_counters(db, number)?;
    let off =
        (drift.day - drift.day_from_scratch).abs() + (drift.week - drift.week_from_scratch).abs();
    Ok(off as f64)
}

/// The desk of a filled database.
struct Desk {
    agent: Actor,
    number: NumberId,
    channel: ChannelId,
    template: TemplateId,
    first_contact: i64,
    people: i64,
}

#[derive(QueryableByName)]
struct DeskRow {
    #[diesel(sql_type = BigInt)]
    agent: i64,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = BigInt)]
    channel: i64,
    #[diesel(sql_type = BigInt)]
    template: i64,
    #[diesel(sql_type = BigInt)]
    first_contact: i64,
    #[diesel(sql_type = BigInt)]
    people: i64,
}

impl Desk {
    fn find(db: &mut Db) -> Result<Self, PersistenceError> {
        let row: DeskRow = diesel::sql_query(
            "SELECT (SELECT id FROM users) AS agent, id AS number, channel_id AS channel,
                 (SELECT id FROM message_templates) AS template,
                 (SELECT min(id) FROM contacts) AS first_contact,
                 (SELECT count(*) FROM contacts) AS people
             FROM numbers",
        )
        .get_result(db)?;
        let agent = user::find_actor(db, UserId(row.agent))?.ok_or(PersistenceError::NotFound)?;
        Ok(Self {
            agent,
            number: NumberId(row.number),
            channel: ChannelId(row.channel),
            template: TemplateId(row.template),
            first_contact: row.first_contact,
            people: row.people,
        })
    }

    /// What the agent asks for in this turn: each time another contact, from all over the table.
    fn draft(&self, turn: i64) -> Draft {
        let contact = self.first_contact + turn * 104_729 % self.people;
        let key = format!("{:08x}-{turn}", turn * 2_654_435_761 % 4_294_967_296);
        let body_hash = hash_body(key.as_bytes());
        let owner = KeyOwner::User(self.agent.id());
        Draft {
            channel: self.channel,
            template: self.template,
            to: Recipient::Contact(ContactId(contact)),
            values: BTreeMap::new(),
            refused_media: Vec::new(),
            agent: Some(self.agent.id()),
            door: Door::Desk,
            ticket: None,
            key: Some(IdempotencyKey { owner, key, body_hash }),
        }
    }
}

/// Stands where the past ends until a send moves it on.
struct DeskClock(AtomicI64);

impl DeskClock {
    fn step(&self) {
        self.0.fetch_add(STEP.num_milliseconds(), Ordering::Relaxed);
    }
}

impl Clock for DeskClock {
    fn now(&self) -> DateTime<Utc> {
        let at = self.0.load(Ordering::Relaxed);
        DateTime::UNIX_EPOCH + TimeDelta::milliseconds(at)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed).unsigned_abs())
    }
}

#[cfg(test)]
mod tests {
    use persistence::test_support::on_both;

    use super::*;

    #[test]
    fn a_desk_with_a_past_admits_and_counts_exactly() {
        on_both(|store| {
            history::fill(store, 400).unwrap();
            let measured = measure(store).unwrap();
            assert_eq!(measured.inside.len(), 20, "40 contacts, half of them to warm up");
            assert!(
                measured.inside.iter().zip(&measured.whole).all(|(inside, whole)| inside < whole)
            );
            assert_eq!(measured.drift, 0.0);
        });
    }
}
