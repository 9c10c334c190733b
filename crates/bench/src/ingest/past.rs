//! What the webhooks speak of, and the raw rate they are held against.

use std::{path::Path, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{RunQueryDsl, connection::SimpleConnection, prelude::*, sql_types::BigInt};
use domain::ids::ChannelId;
use persistence::{db::Db, error::PersistenceError, secret::Vault, store::Store};

use crate::{
    BenchError, database,
    desk::{Connection, Desk},
};

/// What the channel's webhooks are signed with.
pub const APP_SECRET: &str = "secret";

fn connection() -> Connection {
    Connection { app_secret: APP_SECRET.into(), ..Connection::default() }
}

/// Contacts written to; each answers every message to them.
const PEOPLE: u64 = 20_000;

diesel::table! {
    webhook_inbox (id) {
        id -> BigInt,
        channel_id -> BigInt,
        received_at -> BigInt,
        body -> Binary,
    }
}

/// A desk whose messages were just accepted.
pub struct Past {
    /// Where the webhooks are posted to.
    pub channel: ChannelId,
}

impl Past {
    /// The number of the contact the `send`th message went to, in digits.
    pub fn phone_of(&self, send: u64) -> String {
        format!("3519{}", 10_000_000 + send % PEOPLE)
    }
}

/// Makes the desk with `sends` messages, and its key in `folder`, where the program looks for it.
///
/// # Errors
/// When the database or the system refuses.
pub fn fill(
    store: &Store,
    folder: &Path,
    sends: u64,
    now: DateTime<Utc>,
) -> Result<Past, BenchError> {
    fill_connected(store, folder, &connection(), sends, now)
}

/// [`fill`], with the channel connected as `connection` says.
///
/// # Errors
/// Those of [`fill`].
pub fn fill_connected(
    store: &Store,
    folder: &Path,
    connection: &Connection,
    sends: u64,
    now: DateTime<Utc>,
) -> Result<Past, BenchError> {
    let vault = database::prepare(store, folder)?;
    let fill = |db: &mut Db| fill_in_transaction(db, &vault, connection, sends, now);
    Ok(store.blocking_write(|db| db.write(fill))?)
}

fn fill_in_transaction(
    db: &mut Db,
    vault: &Vault,
    connection: &Connection,
    sends: u64,
    now: DateTime<Utc>,
) -> Result<Past, PersistenceError> {
    let desk = Desk::set_up(db, vault, connection, now)?;
    diesel::sql_query(
        "CREATE TEMPORARY TABLE past (sends BIGINT, people BIGINT, at BIGINT, day BIGINT, chatbot BIGINT,
             channel BIGINT, number BIGINT, policy BIGINT, template BIGINT, agent BIGINT)",
    )
    .execute(db)?;
    diesel::sql_query("INSERT INTO past VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)")
        .bind::<BigInt, _>(i64::try_from(sends).unwrap_or(i64::MAX))
        .bind::<BigInt, _>(i64::try_from(PEOPLE).unwrap_or(i64::MAX))
        .bind::<BigInt, _>((now - TimeDelta::minutes(1)).timestamp_millis())
        .bind::<BigInt, _>(TimeDelta::days(1).num_milliseconds())
        .bind::<BigInt, _>(desk.chatbot.0)
        .bind::<BigInt, _>(desk.channel.0)
        .bind::<BigInt, _>(desk.number.0)
        .bind::<BigInt, _>(desk.policy.0)
        .bind::<BigInt, _>(desk.template.0)
        .bind::<BigInt, _>(desk.agent.0)
        .execute(db)?;
    db.batch_execute(include_str!("past.sql"))?;
    diesel::sql_query("DROP TABLE past").execute(db)?;
    Ok(Past { channel: desk.channel })
}

/// Rows a second that one connection commits into the inbox, `bodies` in each transaction, with nothing else
/// going on.
///
/// # Errors
/// When the database refuses.
pub fn commit_raw(store: &Store, bodies: &[Vec<u8>], lasting: Duration) -> Result<f64, BenchError> {
    let mut db = store.connect()?;
    let begun = std::time::Instant::now();
    let mut rows = 0_u32;
    while begun.elapsed() < lasting {
        let values: Vec<_> = bodies
            .iter()
            .map(|body| {
                (
                    webhook_inbox::channel_id.eq(1_i64),
                    webhook_inbox::received_at.eq(0_i64),
                    webhook_inbox::body.eq(body),
                )
            })
            .collect();
        db.write(|db| insert(db, &values))?;
        rows += u32::try_from(bodies.len()).unwrap_or_default();
    }
    Ok(f64::from(rows) / begun.elapsed().as_secs_f64())
}

type Row<'a> = (
    diesel::dsl::Eq<webhook_inbox::channel_id, i64>,
    diesel::dsl::Eq<webhook_inbox::received_at, i64>,
    diesel::dsl::Eq<webhook_inbox::body, &'a Vec<u8>>,
);

fn insert(db: &mut Db, rows: &[Row<'_>]) -> Result<(), PersistenceError> {
    let table = webhook_inbox::table;
    match db {
        Db::Sqlite(sqlite) => diesel::insert_into(table).values(rows).execute(sqlite)?,
        Db::Postgres(postgres) => diesel::insert_into(table).values(rows).execute(postgres)?,
    };
    Ok(())
}
