//! Where the platform told a number to stop: since when, until when, and who lets it go on before.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{Pause, PauseScope, PausedSends},
    dispatch::{HoldReason, OutboxState, Rest},
    ids::{ChannelId, ChatbotId, NumberId},
    permission::Permission,
};

use super::{lock, record};
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{channels, numbers, outbox},
    user::Actor,
};

/// A number that rests because the platform told it to stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PausedNumber {
    /// Which.
    pub number: NumberId,
    /// In E.164 form.
    pub phone: String,
    /// What of it rests.
    pub sends: PausedSends,
    /// The platform's code.
    pub code: String,
    /// From when to when; sending is tried again at its end.
    pub rest: Rest,
}

/// One kind of rest, in columns.
type RestColumns = (Option<Instant>, Option<Instant>, Option<String>);

/// Lets the number of `channel` rest, or all numbers of its account: their messages stay queued.
///
/// Whoever pauses an account has locked its numbers.
pub(crate) fn begin(
    db: &mut Db,
    channel: ChannelId,
    pause: Pause,
    code: &str,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let ids = match pause.scope {
        PauseScope::Number => numbers_of(db, &[channel])?,
        PauseScope::Account => {
            let siblings = list_siblings(db, channel)?;
            numbers_of(db, &siblings)?
        }
    };
    for number in ids {
        begin_one(db, number, pause.sends, code, now)?;
    }
    Ok(())
}

fn begin_one(
    db: &mut Db,
    number: i64,
    sends: PausedSends,
    code: &str,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let row = numbers::table.find(number);
    let (since, until, _): RestColumns = match sends {
        PausedSends::All => row
            .select((numbers::paused_since, numbers::paused_until, numbers::pause_code))
            .first(db)?,
        PausedSends::Templates => row
            .select((
                numbers::templates_paused_since,
                numbers::templates_paused_until,
                numbers::templates_pause_code,
            ))
            .first(db)?,
    };
    let earlier =
        since.zip(until).map(|(since, until)| Rest { since: since.into(), until: until.into() });
    let rest = Rest::begin(earlier, now);
    if Some(rest) == earlier {
        return Ok(());
    }
    let (since, until) = (Some(Instant::from(rest.since)), Some(Instant::from(rest.until)));
    match sends {
        PausedSends::All => diesel::update(row)
            .set((
                numbers::paused_since.eq(since),
                numbers::paused_until.eq(until),
                numbers::pause_code.eq(Some(code)),
            ))
            .execute(db)?,
        PausedSends::Templates => diesel::update(row)
            .set((
                numbers::templates_paused_since.eq(since),
                numbers::templates_paused_until.eq(until),
                numbers::templates_pause_code.eq(Some(code)),
            ))
            .execute(db)?,
    };
    let detail = serde_json::json!({
        "sends": word(sends),
        "code": code,
        "until": rest.until.timestamp_millis(),
    });
    record(db, NumberId(number), "paused", &detail.to_string(), now)
}

fn word(sends: PausedSends) -> &'static str {
    match sends {
        PausedSends::All => "all",
        PausedSends::Templates => "templates",
    }
}

fn numbers_of(db: &mut Db, channels: &[ChannelId]) -> Result<Vec<i64>, PersistenceError> {
    Ok(numbers::table
        .filter(numbers::channel_id.eq_any(channels.iter().map(|channel| channel.0)))
        .order(numbers::id.asc())
        .select(numbers::id)
        .load(db)?)
}

/// The channels of the account of `channel`, itself among them.
pub(crate) fn list_siblings(
    db: &mut Db,
    channel: ChannelId,
) -> Result<Vec<ChannelId>, PersistenceError> {
    let (kind, account): (String, String) =
        channels::table.find(channel.0).select((channels::kind, channels::account_id)).first(db)?;
    let ids: Vec<i64> = channels::table
        .filter(channels::account_id.eq(account))
        .filter(channels::kind.eq(kind))
        .select(channels::id)
        .load(db)?;
    Ok(ids.into_iter().map(ChannelId).collect())
}

/// The numbers of `chatbot` that rest at `now`, by id; a number whose all sends rest is listed once.
///
/// # Errors
/// `NotFound` outside the team, `Denied` for whom no page of its portal is open.
pub fn list_paused(
    db: &mut Db,
    actor: &Actor,
    chatbot: ChatbotId,
    now: DateTime<Utc>,
) -> Result<Vec<PausedNumber>, PersistenceError> {
    actor.require_portal_of(chatbot)?;
    let rows: Vec<(i64, String, RestColumns, RestColumns)> = numbers::table
        .inner_join(channels::table)
        .filter(channels::chatbot_id.eq(chatbot.0))
        .order(numbers::id.asc())
        .select((
            numbers::id,
            numbers::phone,
            (numbers::paused_since, numbers::paused_until, numbers::pause_code),
            (
                numbers::templates_paused_since,
                numbers::templates_paused_until,
                numbers::templates_pause_code,
            ),
        ))
        .load(db)?;
    let resting = rows.into_iter().filter_map(|(id, phone, all, templates)| {
        let (sends, (rest, code)) = rest_of(all, now)
            .map(|rest| (PausedSends::All, rest))
            .or_else(|| rest_of(templates, now).map(|rest| (PausedSends::Templates, rest)))?;
        Some(PausedNumber { number: NumberId(id), phone, sends, code, rest })
    });
    Ok(resting.collect())
}

fn rest_of((since, until, code): RestColumns, now: DateTime<Utc>) -> Option<(Rest, String)> {
    let rest = Rest { since: since?.into(), until: until?.into() };
    (now < rest.until).then(|| (rest, code.unwrap_or_default()))
}

/// Lets `number` of `chatbot` send again at once; what waited goes. Should the platform still refuse, it rests anew.
///
/// # Errors
/// `NotFound` for anyone outside the team or a number of another chatbot, `Denied` without *edit channels*.
pub fn resume(
    db: &mut Db,
    actor: &Actor,
    chatbot: ChatbotId,
    number: NumberId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    actor.require(chatbot, Permission::EditChannels)?;
    db.write(|db| {
        let owned = numbers::table
            .inner_join(channels::table)
            .filter(numbers::id.eq(number.0))
            .filter(channels::chatbot_id.eq(chatbot.0))
            .select(numbers::id);
        let _id: i64 = owned.first(db)?;
        lock(db, number)?;
        let by = serde_json::json!({ "by": "user", "user": actor.id().0 });
        end(db, number, &by, now)
    })
}

/// Lets `number` send again because the platform took it up again.
pub(crate) fn end_by_platform(
    db: &mut Db,
    number: NumberId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    end(db, number, &serde_json::json!({ "by": "platform" }), now)
}

fn end(
    db: &mut Db,
    number: NumberId,
    by: &serde_json::Value,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let at = Instant::from(now);
    let rests = numbers::paused_until.gt(at).or(numbers::templates_paused_until.gt(at));
    let channel: Option<i64> = numbers::table
        .find(number.0)
        .filter(rests)
        .select(numbers::channel_id)
        .first(db)
        .optional()?;
    let Some(channel) = channel else { return Ok(()) };
    diesel::update(numbers::table.find(number.0))
        .set((
            numbers::paused_since.eq(None::<Instant>),
            numbers::paused_until.eq(None::<Instant>),
            numbers::pause_code.eq(None::<String>),
            numbers::templates_paused_since.eq(None::<Instant>),
            numbers::templates_paused_until.eq(None::<Instant>),
            numbers::templates_pause_code.eq(None::<String>),
        ))
        .execute(db)?;
    let held = outbox::table
        .filter(outbox::channel_id.eq(channel))
        .filter(outbox::state.eq(OutboxState::Held.as_str()))
        .filter(outbox::reason.eq(HoldReason::TemplatesPaused.as_str()));
    diesel::update(held).set(outbox::due_at.eq(at)).execute(db)?;
    record(db, number, "resumed", &by.to_string(), now)
}
