//! A desk with a past of any size, kept between runs.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{RunQueryDsl, connection::SimpleConnection, sql_types::BigInt};
use persistence::{
    db::Db,
    error::PersistenceError,
    secret::{KeyEncryptionKey, Vault},
    store::Store,
};

use crate::{
    BenchError, Database,
    database::Place,
    desk::{Connection, Desk},
};

/// Part of the names of kept databases; another one when what is filled in changes.
const EDITION: u32 = 4;

/// Every contact of the past was written to this often.
const SENDS_TO_EACH: i64 = 10;

/// How long the past is, and how many sends one number can have in so long: with more of them it is longer.
const PAST: TimeDelta = TimeDelta::days(30);
const MOST_SENDS_IN_PAST: i64 = 1_000_000;

/// When the past ends: a Monday at 10:00 UTC.
#[must_use]
pub fn ends_at() -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + TimeDelta::days(20_780) + TimeDelta::hours(10)
}

/// The database with `sends` past sends, filled now if no earlier run did.
///
/// # Errors
/// When the database refuses.
pub fn find_or_fill(database: Database, sends: i64) -> Result<Place, BenchError> {
    let kept = Place::named(database, &format!("admission_{EDITION}_{sends}"))?;
    if kept.exists()? {
        return Ok(kept);
    }
    // Under another name until it is whole.
    let filling = Place::named(database, &format!("admission_{EDITION}_{sends}_filling"))?;
    filling.make_empty()?;
    let store = filling.open()?;
    store.migrate()?;
    let key = KeyEncryptionKey::generate().map_err(PersistenceError::from)?;
    store.unlock(&key)?;
    if store.is_sqlite() {
        // Indexes that are filled in no order are written once, instead of once for each time they leave the cache.
        store.blocking_write(|db| Ok(db.batch_execute("PRAGMA cache_size = -4000000")?))?;
    }
    fill(&store, sends)?;
    if !store.is_sqlite() {
        // As autovacuum does by itself in the course of such a past.
        store.blocking_write(|db| Ok(db.batch_execute("VACUUM (ANALYZE)")?))?;
    }
    drop(store);
    kept.copy_from(&filling)?;
    filling.remove()?;
    Ok(kept)
}

/// Fills an unlocked store without rows.
///
/// # Errors
/// When the database refuses.
pub fn fill(store: &Store, sends: i64) -> Result<(), PersistenceError> {
    let vault = store.vault()?;
    store.blocking_write(|db| db.write(|db| fill_in_transaction(db, &vault, sends)))
}

/// Of how many [`PAST`]s the past with `sends` is made.
fn past_lengths(sends: i64) -> i32 {
    i32::try_from(sends / MOST_SENDS_IN_PAST).unwrap_or(i32::MAX).max(1)
}

fn fill_in_transaction(db: &mut Db, vault: &Vault, sends: i64) -> Result<(), PersistenceError> {
    let ends_at = ends_at();
    let begins_at = ends_at - PAST * past_lengths(sends);
    let desk = Desk::set_up(db, vault, &Connection::default(), begins_at)?;
    diesel::sql_query(
        "CREATE TEMPORARY TABLE history (sends BIGINT, people BIGINT, begins_at BIGINT, ends_at BIGINT,
             day BIGINT, chatbot BIGINT, channel BIGINT, number BIGINT, policy BIGINT, template BIGINT,
             agent BIGINT)",
    )
    .execute(db)?;
    diesel::sql_query("INSERT INTO history VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)")
        .bind::<BigInt, _>(sends)
        .bind::<BigInt, _>(sends / SENDS_TO_EACH)
        .bind::<BigInt, _>(begins_at.timestamp_millis())
        .bind::<BigInt, _>(ends_at.timestamp_millis())
        .bind::<BigInt, _>(TimeDelta::days(1).num_milliseconds())
        .bind::<BigInt, _>(desk.chatbot.0)
        .bind::<BigInt, _>(desk.channel.0)
        .bind::<BigInt, _>(desk.number.0)
        .bind::<BigInt, _>(desk.policy.0)
        .bind::<BigInt, _>(desk.template.0)
        .bind::<BigInt, _>(desk.agent.0)
        .execute(db)?;
    db.batch_execute(include_str!("history.sql"))?;
    diesel::sql_query("DROP TABLE history").execute(db)?;
    Ok(())
}
