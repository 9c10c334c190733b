//! A desk with a past of any size, kept between runs.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{RunQueryDsl, connection::SimpleConnection, sql_types::BigInt};
use domain::{
    channel::ChannelKind,
    ids::{ChannelId, ChatbotId, NumberId, PolicyId, TemplateId, UserId},
    permission::{Permission, Role},
    presence::Presence,
    template::PlatformTemplate,
};
use persistence::{
    channel::{self, NewChannel},
    chatbot,
    db::Db,
    error::PersistenceError,
    message_template, number, policy, presence,
    secret::{KeyEncryptionKey, Vault},
    store::Store,
    user::{self, NewUser},
};

use crate::{BenchError, Database, database::Place};

/// Part of the names of kept databases; another one when what is filled in changes.
const EDITION: u32 = 3;

/// Every contact of the past was written to this often.
const SENDS_TO_EACH: i64 = 10;

/// The platform account of the desk's template.
const ACCOUNT: &str = "884120037765421";

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
    fill(&store, sends)?;
    store.blocking_write(tidy)?;
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

fn fill_in_transaction(db: &mut Db, vault: &Vault, sends: i64) -> Result<(), PersistenceError> {
    let ends_at = ends_at();
    let begins_at = ends_at - TimeDelta::days(30);
    let desk = set_up_desk(db, vault, begins_at)?;
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

struct Desk {
    chatbot: ChatbotId,
    channel: ChannelId,
    number: NumberId,
    policy: PolicyId,
    template: TemplateId,
    agent: UserId,
}

fn set_up_desk(db: &mut Db, vault: &Vault, now: DateTime<Utc>) -> Result<Desk, PersistenceError> {
    let policy = policy::find_or_create_default(db, now)?;
    let chatbot = chatbot::create(db, "Service", "Europe/Lisbon", now)?;
    let new = NewChannel {
        chatbot,
        kind: ChannelKind::WhatsApp,
        name: "Main",
        external_id: "730055819924406",
        account_id: ACCOUNT,
        api_base_url: "http://127.0.0.1:1",
        access_token: "token",
        app_secret: "secret",
        verify_token: "verify",
    };
    let channel = channel::create(db, vault, &new, now)?;
    let number = number::create(db, channel, "+351210000001", policy, now)?;
    let template = PlatformTemplate::of_text("hello", "en", "Hello, how are you?");
    message_template::save_all(db, ACCOUNT, &[template], now)?;
    let template = message_template::list_of_account(db, ACCOUNT)?
        .first()
        .map(|template| template.id)
        .ok_or(PersistenceError::NotFound)?;
    let new = NewUser {
        email: "ana@example.com",
        name: "Ana",
        password_hash: "none",
        language: None,
        time_zone: None,
        max_tickets: 5,
    };
    let agent = user::create(db, &new, now)?;
    user::save_membership(db, agent, chatbot, Role::Admin, &Permission::ALL)?;
    presence::enter(db, agent, now)?;
    presence::stream_opened(db, agent, now)?;
    presence::choose(db, agent, Presence::Online, now)?;
    Ok(Desk { chatbot, channel, number, policy, template, agent })
}

/// What the databases do by themselves in the course of such a past: SQLite copies its log into the file,
/// PostgreSQL's autovacuum looks at every table.
fn tidy(db: &mut Db) -> Result<(), PersistenceError> {
    let command =
        if db.is_sqlite() { "PRAGMA wal_checkpoint(TRUNCATE)" } else { "VACUUM (ANALYZE)" };
    db.batch_execute(command)?;
    Ok(())
}
