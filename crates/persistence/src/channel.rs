//! Channels: connections of a chatbot to a platform, with their sealed secrets.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{ChannelAccess, ChannelKind},
    ids::{ChannelId, ChatbotId, NumberId},
};

use crate::{
    among::is_among,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::{channels, numbers},
    secret::{SecretPlace, Vault},
    user::Actor,
};

/// A channel without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Channel {
    /// Its id.
    pub id: ChannelId,
    /// The chatbot it belongs to.
    pub chatbot: ChatbotId,
    /// The platform.
    pub kind: ChannelKind,
    /// As shown.
    pub name: String,
    /// The platform's id of the connection (WhatsApp: phone-number id).
    pub external_id: String,
    /// The platform's id of the account (WhatsApp: WABA id).
    pub account_id: String,
    /// Whether it may be sent through.
    pub connected: bool,
    /// Since when the platform refuses the credentials; `None` while it takes them.
    pub credentials_failing_since: Option<DateTime<Utc>>,
    /// Until when its account asks the platform for nothing but sends; `None` while it may ask.
    pub calls_rest_until: Option<DateTime<Utc>>,
    /// When the platform's verification handshake was answered; `None` until then (AM-14).
    pub webhook_verified_at: Option<DateTime<Utc>>,
    /// The last webhook, to the minute; `None` before the first.
    pub last_webhook_at: Option<DateTime<Utc>>,
    /// Its number and the number's phone; `None` for channels without one.
    pub number: Option<(NumberId, String)>,
}

/// A channel to be made.
#[derive(Clone)]
pub struct NewChannel<'a> {
    /// The chatbot it belongs to.
    pub chatbot: ChatbotId,
    /// The platform.
    pub kind: ChannelKind,
    /// As shown.
    pub name: &'a str,
    /// The platform's id of the connection.
    pub external_id: &'a str,
    /// The platform's id of the account.
    pub account_id: &'a str,
    /// Where the platform's API is, without a trailing slash.
    pub api_base_url: &'a str,
    /// Sent as bearer token.
    pub access_token: &'a str,
    /// Signs webhooks.
    pub app_secret: &'a str,
    /// Answers the verification handshake.
    pub verify_token: &'a str,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = channels)]
struct ChannelRow {
    id: i64,
    chatbot_id: i64,
    kind: String,
    name: String,
    external_id: String,
    account_id: String,
    connected: bool,
    credentials_failing_since: Option<Instant>,
    calls_rest_until: Option<Instant>,
    webhook_verified_at: Option<Instant>,
    last_webhook_at: Option<Instant>,
}

type ChannelAndNumber = (ChannelRow, Option<(i64, String)>);

fn read_channel((row, number): ChannelAndNumber) -> Result<Channel, PersistenceError> {
    Ok(Channel {
        id: ChannelId(row.id),
        chatbot: ChatbotId(row.chatbot_id),
        kind: read_kind(&row.kind)?,
        name: row.name,
        external_id: row.external_id,
        account_id: row.account_id,
        connected: row.connected,
        credentials_failing_since: row.credentials_failing_since.map(DateTime::from),
        calls_rest_until: row.calls_rest_until.map(DateTime::from),
        webhook_verified_at: row.webhook_verified_at.map(DateTime::from),
        last_webhook_at: row.last_webhook_at.map(DateTime::from),
        number: number.map(|(id, phone)| (NumberId(id), phone)),
    })
}

/// Reads the stored kind of a channel.
pub(crate) fn read_kind(word: &str) -> Result<ChannelKind, PersistenceError> {
    ChannelKind::parse(word).ok_or_else(|| PersistenceError::unreadable("channels", "kind", word))
}

/// Makes a connected channel whose webhook is not verified yet. Its secrets are sealed for its own row.
///
/// # Errors
/// `Duplicate` when the platform's connection is taken already.
pub fn create(
    db: &mut Db,
    vault: &Vault,
    channel: &NewChannel<'_>,
    now: DateTime<Utc>,
) -> Result<ChannelId, PersistenceError> {
    db.write(|db| {
        let id: i64 = diesel::insert_into(channels::table)
            .values((
                channels::chatbot_id.eq(channel.chatbot.0),
                channels::kind.eq(channel.kind.as_str()),
                channels::name.eq(channel.name),
                channels::external_id.eq(channel.external_id),
                channels::account_id.eq(channel.account_id),
                channels::api_base_url.eq(channel.api_base_url),
                channels::access_token.eq(Vec::new()),
                channels::app_secret.eq(Vec::new()),
                channels::verify_token.eq(Vec::new()),
                channels::connected.eq(true),
                channels::created_at.eq(Instant::from(now)),
            ))
            .returning(channels::id)
            .get_result(db)?;
        let id = ChannelId(id);
        save_secrets(db, vault, id, channel)?;
        Ok(id)
    })
}

fn save_secrets(
    db: &mut Db,
    vault: &Vault,
    id: ChannelId,
    channel: &NewChannel<'_>,
) -> Result<(), PersistenceError> {
    let access_token = vault.seal(channel.access_token, place("access_token", id))?;
    let app_secret = vault.seal(channel.app_secret, place("app_secret", id))?;
    let verify_token = vault.seal(channel.verify_token, place("verify_token", id))?;
    diesel::update(channels::table.find(id.0))
        .set((
            channels::access_token.eq(access_token),
            channels::app_secret.eq(app_secret),
            channels::verify_token.eq(verify_token),
        ))
        .execute(db)?;
    Ok(())
}

fn place(column: &'static str, id: ChannelId) -> SecretPlace {
    SecretPlace { table: "channels", column, row: id.0 }
}

/// What is needed to speak to the platform for `channel`, and which platform that is.
///
/// # Errors
/// `NotFound`, or `Secret` when a sealed secret does not open.
pub fn get_access(
    db: &mut Db,
    vault: &Vault,
    channel: ChannelId,
) -> Result<(ChannelKind, ChannelAccess), PersistenceError> {
    let row: (String, String, String, String, Vec<u8>, Vec<u8>, Vec<u8>) = channels::table
        .find(channel.0)
        .select((
            channels::kind,
            channels::api_base_url,
            channels::external_id,
            channels::account_id,
            channels::access_token,
            channels::app_secret,
            channels::verify_token,
        ))
        .first(db)?;
    let (kind, api_base_url, external_id, account_id, access_token, app_secret, verify_token) = row;
    let access = ChannelAccess {
        channel,
        api_base_url,
        external_id,
        account_id,
        access_token: vault.open_secret(&access_token, place("access_token", channel))?,
        app_secret: vault.open_secret(&app_secret, place("app_secret", channel))?,
        verify_token: vault.open_secret(&verify_token, place("verify_token", channel))?,
    };
    Ok((read_kind(&kind)?, access))
}

/// `channel`, for anyone of its chatbot's team.
///
/// # Errors
/// `NotFound` for anyone else.
pub fn get(db: &mut Db, actor: &Actor, channel: ChannelId) -> Result<Channel, PersistenceError> {
    let row: ChannelAndNumber = channels::table
        .left_join(numbers::table)
        .filter(channels::id.eq(channel.0))
        .filter(is_among(channels::chatbot_id, actor.chatbot_ids()))
        .select((ChannelRow::as_select(), (numbers::id, numbers::phone).nullable()))
        .first(db)?;
    read_channel(row)
}

/// The channels of `actor`'s chatbots, by id.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db, actor: &Actor) -> Result<Vec<Channel>, PersistenceError> {
    let rows: Vec<ChannelAndNumber> = channels::table
        .left_join(numbers::table)
        .filter(channels::chatbot_id.eq_any(actor.chatbot_ids()))
        .order(channels::id.asc())
        .select((ChannelRow::as_select(), (numbers::id, numbers::phone).nullable()))
        .load(db)?;
    rows.into_iter().map(read_channel).collect()
}

/// Every connected channel of the workspace, for jobs, by id.
///
/// # Errors
/// When the database fails.
pub fn list_connected(db: &mut Db) -> Result<Vec<Channel>, PersistenceError> {
    let rows: Vec<ChannelAndNumber> = channels::table
        .left_join(numbers::table)
        .filter(channels::connected.eq(true))
        .order(channels::id.asc())
        .select((ChannelRow::as_select(), (numbers::id, numbers::phone).nullable()))
        .load(db)?;
    rows.into_iter().map(read_channel).collect()
}

/// Every channel of the workspace, connected or not, by id; for commands, which have no actor.
///
/// # Errors
/// When the database fails.
pub fn list_all(db: &mut Db) -> Result<Vec<Channel>, PersistenceError> {
    let rows: Vec<ChannelAndNumber> = channels::table
        .left_join(numbers::table)
        .order(channels::id.asc())
        .select((ChannelRow::as_select(), (numbers::id, numbers::phone).nullable()))
        .load(db)?;
    rows.into_iter().map(read_channel).collect()
}

/// Notes that the platform verified the webhook of `channel`. The first time stays.
///
/// # Errors
/// When the database fails.
pub fn mark_webhook_verified(
    db: &mut Db,
    channel: ChannelId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let unverified = channels::table
        .filter(channels::id.eq(channel.0))
        .filter(channels::webhook_verified_at.is_null());
    diesel::update(unverified)
        .set(channels::webhook_verified_at.eq(Some(Instant::from(now))))
        .execute(db)?;
    Ok(())
}

/// Connects `channel`, or disconnects it, which makes its number not ready to send.
///
/// # Errors
/// `NotFound` when there is no such channel.
pub fn set_connected(
    db: &mut Db,
    channel: ChannelId,
    connected: bool,
) -> Result<(), PersistenceError> {
    let changed = diesel::update(channels::table.find(channel.0))
        .set(channels::connected.eq(connected))
        .execute(db)?;
    if changed == 0 { Err(PersistenceError::NotFound) } else { Ok(()) }
}

/// Says where the platform's API is for `channel`.
///
/// # Errors
/// `NotFound` when there is no such channel.
pub fn set_api_base_url(
    db: &mut Db,
    channel: ChannelId,
    url: &str,
) -> Result<(), PersistenceError> {
    let changed = diesel::update(channels::table.find(channel.0))
        .set(channels::api_base_url.eq(url))
        .execute(db)?;
    if changed == 0 { Err(PersistenceError::NotFound) } else { Ok(()) }
}

/// Notes that the credentials of `channel` fail since `now`, unless they did before: the platform refuses
/// them, or they cannot be opened. Nothing is sent from it until [`mark_credentials_good`].
///
/// # Errors
/// When the database fails.
pub fn mark_credentials_failing(
    db: &mut Db,
    channel: ChannelId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let good = channels::table
        .filter(channels::id.eq(channel.0))
        .filter(channels::credentials_failing_since.is_null());
    let changed = diesel::update(good)
        .set(channels::credentials_failing_since.eq(Some(Instant::from(now))))
        .execute(db)?;
    if changed == 1 {
        live::note(db, LiveEvent::of_all(LiveKind::Number, 0));
    }
    Ok(())
}

/// Lets the account of `channel` ask the platform for nothing but sends until `until`.
///
/// # Errors
/// `NotFound` when there is no such channel.
pub fn rest_calls(
    db: &mut Db,
    channel: ChannelId,
    until: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let (kind, account): (String, String) =
        channels::table.find(channel.0).select((channels::kind, channels::account_id)).first(db)?;
    let siblings =
        channels::table.filter(channels::account_id.eq(account)).filter(channels::kind.eq(kind));
    diesel::update(siblings)
        .set(channels::calls_rest_until.eq(Some(Instant::from(until))))
        .execute(db)?;
    Ok(())
}

/// Notes that the platform takes the credentials of `channel` again.
///
/// # Errors
/// When the database fails.
pub fn mark_credentials_good(db: &mut Db, channel: ChannelId) -> Result<(), PersistenceError> {
    let failing = channels::table
        .filter(channels::id.eq(channel.0))
        .filter(channels::credentials_failing_since.is_not_null());
    diesel::update(failing)
        .set(channels::credentials_failing_since.eq(None::<Instant>))
        .execute(db)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        given::{Desk, TOKEN},
        test_support::on_both,
    };

    #[test]
    fn secrets_are_sealed_and_open_in_their_own_row_only() {
        on_both(|store| {
            let desk = Desk::given(store);
            let vault = store.vault().unwrap();
            let (kind, access) =
                store.blocking_read(|db| get_access(db, &vault, desk.channel)).unwrap();
            assert_eq!((kind, access.access_token.as_str()), (ChannelKind::WhatsApp, TOKEN));
            assert!(!format!("{access:?}").contains(TOKEN));
            let columns = (channels::access_token, channels::app_secret);
            let (token, secret): (Vec<u8>, Vec<u8>) =
                store.blocking_read(|db| Ok(channels::table.select(columns).first(db)?)).unwrap();
            let holds = |bytes: &[u8]| bytes.windows(8).any(|part| part == &TOKEN.as_bytes()[..8]);
            assert!(!holds(&token) && !holds(&secret));
            store
                .blocking_write(|db| {
                    let swapped =
                        (channels::access_token.eq(secret), channels::app_secret.eq(token));
                    Ok(diesel::update(channels::table.find(desk.channel.0))
                        .set(swapped)
                        .execute(db)?)
                })
                .unwrap();
            let opened = store.blocking_read(|db| get_access(db, &vault, desk.channel));
            assert!(matches!(opened, Err(PersistenceError::Secret(_))), "{opened:?}");
        });
    }
}
