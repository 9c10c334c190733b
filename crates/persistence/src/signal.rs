//! What the platform is told besides messages: that one was read, that someone types. The latest of a kind stands for
//! all before it, and each is tried once: a lost one harms nobody, a storm of them would.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{Signal, SignalKind},
    ids::{ChannelId, ContactId},
};

use crate::{
    channel,
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    outbox,
    schema::{channels, chatbots, messages, numbers, signals},
};

/// Typing is told at most once in so long: on WhatsApp it shows for 25 s.
const TYPING_EVERY: TimeDelta = TimeDelta::seconds(20);
/// Typing that was not told within so long is old news.
const TYPING_FRESH: TimeDelta = TimeDelta::seconds(10);
/// Reading that was not told within so long is told no more.
const READ_FRESH: TimeDelta = TimeDelta::hours(1);

/// A signal to be told now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueSignal {
    /// Over which channel.
    pub channel: ChannelId,
    /// What.
    pub signal: Signal,
}

/// What was taken for telling.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TakenSignals {
    /// To be told now.
    pub due: Vec<DueSignal>,
    /// How many were too old to be of use.
    pub stale: usize,
}

/// Asks for `kind` to be told of the latest message of `contact` on `channel`: nothing where the chatbot keeps it to
/// itself, the platform knows no such thing, the contact never wrote, or it was told before.
pub(crate) fn request(
    db: &mut Db,
    kind: SignalKind,
    channel: ChannelId,
    contact: ContactId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let (platform, told): (String, bool) = channels::table
        .inner_join(chatbots::table)
        .filter(channels::id.eq(channel.0))
        .select((channels::kind, chatbots::read_marks))
        .first(db)?;
    if !told || !channel::read_kind(&platform)?.capabilities().signals {
        return Ok(());
    }
    let Some(latest) = find_latest(db, channel, contact)? else { return Ok(()) };
    save(db, kind, channel, contact, &latest, now)
}

/// The platform's id of the latest message of the contact. Served by the index on `(contact_id, occurred_at)`.
fn find_latest(
    db: &mut Db,
    channel: ChannelId,
    contact: ContactId,
) -> Result<Option<String>, PersistenceError> {
    let latest: Option<Option<String>> = messages::table
        .filter(messages::contact_id.eq(contact.0))
        .filter(messages::channel_id.eq(channel.0))
        .filter(messages::direction.eq("in"))
        .filter(messages::provider_id.is_not_null())
        .order((messages::occurred_at.desc(), messages::id.desc()))
        .select(messages::provider_id)
        .first(db)
        .optional()?;
    Ok(latest.flatten())
}

fn save(
    db: &mut Db,
    kind: SignalKind,
    channel: ChannelId,
    contact: ContactId,
    latest: &str,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let place = (
        signals::channel_id.eq(channel.0),
        signals::contact_id.eq(contact.0),
        signals::kind.eq(kind.as_str()),
    );
    let what = (
        signals::provider_id.eq(latest),
        signals::requested_at.eq(Instant::from(now)),
        signals::taken_at.eq(None::<Instant>),
    );
    let is_new = on_either!(db => diesel::insert_into(signals::table)
        .values((place, what))
        .on_conflict_do_nothing()
        .execute(db))?;
    if is_new == 1 {
        return Ok(());
    }
    let known = signals::table.find((channel.0, contact.0, kind.as_str()));
    match kind {
        // What was told of this very message need not be told again.
        SignalKind::Read => {
            diesel::update(known.filter(signals::provider_id.ne(latest))).set(what).execute(db)?;
        }
        SignalKind::Typing => {
            let again = signals::taken_at.le(Instant::from(now - TYPING_EVERY));
            diesel::update(known.filter(again)).set(what).execute(db)?;
        }
    }
    Ok(())
}

/// Notes that an agent types in a conversation; at most once in 20 s, and only while the session window is open.
pub(crate) fn request_typing(
    db: &mut Db,
    channel: ChannelId,
    contact: ContactId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let kind: String = channels::table.find(channel.0).select(channels::kind).first(db)?;
    let policy = outbox::channel_policy(db, channel)?;
    let last_inbound_at = outbox::find_last_inbound(db, channel, contact)?;
    let rule = policy.session_window(channel::read_kind(&kind)?);
    let is_open =
        rule.zip(last_inbound_at).is_some_and(|(rule, written_at)| now < written_at + rule.window);
    if is_open { request(db, SignalKind::Typing, channel, contact, now) } else { Ok(()) }
}

/// Takes at most `limit` signals to be told at `now`, oldest first. Each is taken once, by whoever comes first,
/// and never again, whatever becomes of it. Those of a number that rests wait until they are of no use.
///
/// # Errors
/// When the database fails.
pub fn take(db: &mut Db, limit: i64, now: DateTime<Utc>) -> Result<TakenSignals, PersistenceError> {
    let at = Instant::from(now);
    db.write(|db| {
        let waiting: Vec<(i64, i64, String, String, Instant)> = signals::table
            .inner_join(channels::table.left_join(numbers::table))
            .filter(signals::taken_at.is_null())
            .filter(channels::credentials_failing_since.is_null())
            .filter(numbers::paused_until.is_null().or(numbers::paused_until.le(at)))
            .filter(numbers::slow_until.is_null().or(numbers::slow_until.le(at)))
            .order(signals::requested_at.asc())
            .limit(limit)
            .select((
                signals::channel_id,
                signals::contact_id,
                signals::kind,
                signals::provider_id,
                signals::requested_at,
            ))
            .load(db)?;
        let mut taken = TakenSignals::default();
        for (channel, contact, word, of, requested_at) in waiting {
            let place = signals::table.find((channel, contact, word.as_str()));
            let ours = diesel::update(place.filter(signals::taken_at.is_null()))
                .set(signals::taken_at.eq(Some(at)))
                .execute(db)?;
            let kind = SignalKind::parse(&word)
                .ok_or_else(|| PersistenceError::unreadable("signals", "kind", &*word))?;
            let fresh = match kind {
                SignalKind::Read => READ_FRESH,
                SignalKind::Typing => TYPING_FRESH,
            };
            match (ours, now - DateTime::from(requested_at) < fresh) {
                (1, true) => {
                    let (channel, signal) = (ChannelId(channel), Signal { kind, of });
                    taken.due.push(DueSignal { channel, signal });
                }
                (1, false) => taken.stale += 1,
                _ => {}
            }
        }
        Ok(taken)
    })
}

/// Forgets signals taken at or before `until`, at most `limit`. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn delete_old(
    db: &mut Db,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<usize, PersistenceError> {
    let rows: Vec<(i64, i64, String)> = signals::table
        .filter(signals::taken_at.le(Instant::from(until)))
        .limit(limit)
        .select((signals::channel_id, signals::contact_id, signals::kind))
        .load(db)?;
    for (channel, contact, kind) in &rows {
        diesel::delete(signals::table.find((channel, contact, kind))).execute(db)?;
    }
    Ok(rows.len())
}
