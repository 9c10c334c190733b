//! The view of a message that is stored beside its log: what the events amount to (LI-03 to LI-05).

use std::collections::{BTreeMap, btree_map::Entry};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState,
    delivery::{self, ActiveMessageLife, DeliveryEvent, Failure, MessageState},
    ids::{ChatbotId, ContactId, MessageId, NumberId},
};

use super::log::{Logs, list_events};
use crate::{
    admission,
    among::is_among,
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    live::{self, LiveEvent, LiveKind},
    number, reaction,
    schema::{active_messages, delivery_events, messages},
};

/// What an active message row says that the fold needs or may change.
#[derive(Queryable)]
struct ActiveMessageFacts {
    message_id: i64,
    chatbot_id: i64,
    contact_id: i64,
    number_id: i64,
    queued_at: Instant,
    given_back_at: Option<Instant>,
    notification: bool,
    stored: StoredLife,
}

/// The columns that keep the fold of an active message.
#[derive(Queryable, AsChangeset, PartialEq, Eq)]
#[diesel(table_name = active_messages, treat_none_as_null = true)]
struct StoredLife {
    state: String,
    accepted_at: Option<Instant>,
    replied_at: Option<Instant>,
    expires_at: Instant,
    expired_at: Option<Instant>,
    listed_until: Instant,
}

impl StoredLife {
    fn of(life: &ActiveMessageLife, now: DateTime<Utc>) -> Self {
        let has_expired = life.state == ActiveMessageState::Expired;
        Self {
            state: life.state.as_str().to_owned(),
            accepted_at: life.accepted_at.map(Instant::from),
            replied_at: life.replied_at.map(Instant::from),
            expires_at: life.window.ends_at.into(),
            expired_at: has_expired.then(|| Instant::from(life.window.ends_at.min(now))),
            listed_until: life.listed_until.into(),
        }
    }
}

/// Folds the log of `message` anew and stores what it amounts to at `now`; a send that failed is given
/// back to cap, limit and credit (AD-03).
pub(crate) fn refold(
    db: &mut Db,
    message: MessageId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    lock(db, &[message])?;
    let log = list_events(db, message)?;
    store_lives(db, &Logs::from([(message, log)]), now)
}

/// Stores what `logs` amount to at `now`; their messages are [locked](lock). Only what changed is written.
pub(super) fn store_lives(
    db: &mut Db,
    logs: &Logs,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let messages: Vec<i64> = logs.keys().map(|message| message.0).collect();
    for shown in list_shown(db, &messages)? {
        store_message_life(db, &shown, events_of(logs, shown.id))?;
    }
    let mut policies = BTreeMap::new();
    for facts in list_active_messages(db, &messages)? {
        let policy = match policies.entry(facts.number_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(number::get_policy(db, NumberId(facts.number_id))?)
            }
        };
        let message = MessageId(facts.message_id);
        let triggered_at = facts.queued_at.into();
        let events = events_of(logs, facts.message_id);
        let life = delivery::fold(events, triggered_at, &policy.active_messages, now);
        store_active_life(db, &facts, &life, now)?;
        keep_counted(db, message, &facts, &life, now)?;
    }
    Ok(())
}

fn events_of(logs: &Logs, message: i64) -> &[DeliveryEvent] {
    logs.get(&MessageId(message)).map_or(&[], Vec::as_slice)
}

/// Keeps cap and limit in step with what is known: a failed send is given back, one that the platform
/// took counts from that instant, and one that turns out to have arrived after all counts again
/// (AD-03, NU-08).
fn keep_counted(
    db: &mut Db,
    message: MessageId,
    facts: &ActiveMessageFacts,
    life: &ActiveMessageLife,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let is_given_back = facts.given_back_at.is_some();
    if life.is_given_back() {
        return if is_given_back { Ok(()) } else { admission::give_back(db, message, now) };
    }
    let accepted_at = life.accepted_at.map(Instant::from);
    if is_given_back {
        let counted_at = accepted_at.unwrap_or(facts.queued_at);
        diesel::update(active_messages::table.find(message.0))
            .set((
                active_messages::given_back_at.eq(None::<Instant>),
                active_messages::counted_at.eq(facts.notification.then_some(counted_at)),
            ))
            .execute(db)?;
        return admission::move_counted(db, message, counted_at.into());
    }
    match accepted_at {
        Some(at) if facts.notification && facts.stored.accepted_at != Some(at) => {
            admission::move_counted(db, message, at.into())
        }
        _ => Ok(()),
    }
}

/// Locks the rows of `messages`, by id, until the transaction ends: two folds at once would each miss an event.
/// SQLite's writer is alone as it is.
pub(super) fn lock(db: &mut Db, messages: &[MessageId]) -> Result<(), PersistenceError> {
    let Db::Postgres(postgres) = db else { return Ok(()) };
    messages::table
        .filter(messages::id.eq_any(messages.iter().map(|message| message.0)))
        .order(messages::id.asc())
        .select(messages::id)
        .for_no_key_update()
        .load::<i64>(postgres)?;
    Ok(())
}

/// What the events of the active message `message` amount to at `now`.
pub(crate) fn life(
    db: &mut Db,
    message: MessageId,
    number: NumberId,
    queued_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<ActiveMessageLife, PersistenceError> {
    let events = list_events(db, message)?;
    let policy = number::get_policy(db, number)?;
    Ok(delivery::fold(&events, queued_at, &policy.active_messages, now))
}

fn list_active_messages(
    db: &mut Db,
    messages: &[i64],
) -> Result<Vec<ActiveMessageFacts>, PersistenceError> {
    let facts = active_messages::table
        .filter(is_among(active_messages::message_id, messages.iter().copied()))
        .order(active_messages::message_id.asc())
        .select((
            active_messages::message_id,
            active_messages::chatbot_id,
            active_messages::contact_id,
            active_messages::number_id,
            active_messages::queued_at,
            active_messages::given_back_at,
            active_messages::notification,
            (
                active_messages::state,
                active_messages::accepted_at,
                active_messages::replied_at,
                active_messages::expires_at,
                active_messages::expired_at,
                active_messages::listed_until,
            ),
        ))
        .load(db)?;
    Ok(facts)
}

/// What a conversation shows of a message by now.
#[derive(Queryable)]
struct ShownRow {
    id: i64,
    chatbot_id: i64,
    contact_id: i64,
    state: String,
    failure_code: Option<String>,
    failure_title: Option<String>,
}

fn list_shown(db: &mut Db, messages: &[i64]) -> Result<Vec<ShownRow>, PersistenceError> {
    let shown = messages::table
        .filter(is_among(messages::id, messages.iter().copied()))
        .order(messages::id.asc())
        .select((
            messages::id,
            messages::chatbot_id,
            messages::contact_id,
            messages::state,
            messages::failure_code,
            messages::failure_title,
        ))
        .load(db)?;
    Ok(shown)
}

/// The ticks shown in a conversation: replies and the end of a response window do not show there.
fn store_message_life(
    db: &mut Db,
    shown: &ShownRow,
    events: &[DeliveryEvent],
) -> Result<(), PersistenceError> {
    let life = delivery::fold_message(events);
    let code = life.failure.as_ref().map(Failure::code);
    let title: Option<String> = match code {
        None => None,
        Some(code) => delivery_events::table
            .filter(delivery_events::message_id.eq(shown.id))
            .filter(delivery_events::code.eq(code))
            .order((delivery_events::at.asc(), delivery_events::source.asc()))
            .select(delivery_events::title)
            .first(db)
            .optional()?
            .flatten(),
    };
    // A failure may give way to another one: the state alone does not tell.
    let is_shown = shown.state == life.state.as_str()
        && shown.failure_code.as_deref() == code
        && shown.failure_title == title;
    if is_shown {
        return Ok(());
    }
    let view = (
        messages::state.eq(life.state.as_str()),
        messages::failure_code.eq(code),
        messages::failure_title.eq(title),
    );
    if life.state == MessageState::Failed {
        reaction::undo(db, MessageId(shown.id))?;
    }
    let update = kept_update(messages::table, messages::id.eq(shown.id), view);
    on_either!(db => update.execute(db))?;
    let (chatbot, contact) = (ChatbotId(shown.chatbot_id), ContactId(shown.contact_id));
    live::note(db, LiveEvent::of_contact(LiveKind::Message, chatbot, contact, shown.id));
    Ok(())
}

/// Keeps the fold of an active message, and tells everyone who may see the chatbot's sends when its state changed.
fn store_active_life(
    db: &mut Db,
    facts: &ActiveMessageFacts,
    life: &ActiveMessageLife,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let message = facts.message_id;
    let life = StoredLife::of(life, now);
    if facts.stored == life {
        return Ok(());
    }
    let update =
        kept_update(active_messages::table, active_messages::message_id.eq(message), &life);
    on_either!(db => update.execute(db))?;
    if facts.stored.state != life.state {
        let (chatbot, contact) = (ChatbotId(facts.chatbot_id), ContactId(facts.contact_id));
        live::note(db, LiveEvent::of_contact(LiveKind::ActiveMessage, chatbot, contact, message));
    }
    Ok(())
}
