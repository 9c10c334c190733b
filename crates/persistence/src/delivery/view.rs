//! The view of a message that is stored beside its log: what the events amount to (LI-03 to LI-05).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState,
    delivery::{self, ActiveMessageLife, DeliveryEvent, Failure},
    ids::{ChatbotId, ContactId, MessageId, NumberId},
};

use super::list_events;
use crate::{
    admission,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    number,
    schema::{active_messages, delivery_events, messages},
};

/// What an active message row says that the fold needs or may change.
#[derive(Queryable)]
struct ActiveMessageFacts {
    chatbot_id: i64,
    contact_id: i64,
    number_id: i64,
    queued_at: Instant,
    state: String,
    given_back_at: Option<Instant>,
    accepted_at: Option<Instant>,
    notification: bool,
}

/// Folds the log of `message` anew and stores what it amounts to at `now`; a send that failed is given
/// back to cap, limit and credit (AD-03).
pub(crate) fn refold(
    db: &mut Db,
    message: MessageId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    lock(db, message)?;
    let events = list_events(db, message)?;
    store_message_life(db, message, &events)?;
    let Some(facts) = find_active_message(db, message)? else { return Ok(()) };
    let policy = number::get_policy(db, NumberId(facts.number_id))?;
    let life = delivery::fold(&events, facts.queued_at.into(), &policy.active_messages, now);
    store_active_life(db, message, &life, now)?;
    keep_counted(db, message, &facts, &life, now)?;
    if life.state.as_str() != facts.state {
        note_active_message(db, message, &facts);
    }
    Ok(())
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
        Some(at) if facts.notification && facts.accepted_at != Some(at) => {
            admission::move_counted(db, message, at.into())
        }
        _ => Ok(()),
    }
}

/// Locks the message's row until the transaction ends: two folds at once would each miss an event.
fn lock(db: &mut Db, message: MessageId) -> Result<(), PersistenceError> {
    diesel::update(messages::table.find(message.0))
        .set(messages::state.eq(messages::state))
        .execute(db)?;
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

fn find_active_message(
    db: &mut Db,
    message: MessageId,
) -> Result<Option<ActiveMessageFacts>, PersistenceError> {
    let facts = active_messages::table
        .find(message.0)
        .select((
            active_messages::chatbot_id,
            active_messages::contact_id,
            active_messages::number_id,
            active_messages::queued_at,
            active_messages::state,
            active_messages::given_back_at,
            active_messages::accepted_at,
            active_messages::notification,
        ))
        .first(db)
        .optional()?;
    Ok(facts)
}

/// What a conversation shows of a message by now.
#[derive(Queryable)]
struct ShownRow {
    chatbot_id: i64,
    contact_id: i64,
    state: String,
    failure_code: Option<String>,
    failure_title: Option<String>,
}

/// The ticks shown in a conversation: replies and the end of a response window do not show there.
fn store_message_life(
    db: &mut Db,
    message: MessageId,
    events: &[DeliveryEvent],
) -> Result<(), PersistenceError> {
    let life = delivery::fold_message(events);
    let code = life.failure.as_ref().map(Failure::code);
    let title: Option<String> = match code {
        None => None,
        Some(code) => delivery_events::table
            .filter(delivery_events::message_id.eq(message.0))
            .filter(delivery_events::code.eq(code))
            .order((delivery_events::at.asc(), delivery_events::source.asc()))
            .select(delivery_events::title)
            .first(db)
            .optional()?
            .flatten(),
    };
    let stored: ShownRow = messages::table
        .find(message.0)
        .select((
            messages::chatbot_id,
            messages::contact_id,
            messages::state,
            messages::failure_code,
            messages::failure_title,
        ))
        .first(db)?;
    // A failure may give way to another one: the state alone does not tell.
    let is_shown = stored.state == life.state.as_str()
        && stored.failure_code.as_deref() == code
        && stored.failure_title == title;
    if is_shown {
        return Ok(());
    }
    diesel::update(messages::table.find(message.0))
        .set((
            messages::state.eq(life.state.as_str()),
            messages::failure_code.eq(code),
            messages::failure_title.eq(title),
        ))
        .execute(db)?;
    let (chatbot, contact) = (ChatbotId(stored.chatbot_id), ContactId(stored.contact_id));
    live::note(db, LiveEvent::of_contact(LiveKind::Message, chatbot, contact, message.0));
    Ok(())
}

fn store_active_life(
    db: &mut Db,
    message: MessageId,
    life: &ActiveMessageLife,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let has_expired = life.state == ActiveMessageState::Expired;
    let expired_at = has_expired.then(|| Instant::from(life.window.ends_at.min(now)));
    diesel::update(active_messages::table.find(message.0))
        .set((
            active_messages::state.eq(life.state.as_str()),
            active_messages::accepted_at.eq(life.accepted_at.map(Instant::from)),
            active_messages::replied_at.eq(life.replied_at.map(Instant::from)),
            active_messages::expires_at.eq(Instant::from(life.window.ends_at)),
            active_messages::expired_at.eq(expired_at),
            active_messages::listed_until.eq(Instant::from(life.listed_until)),
        ))
        .execute(db)?;
    Ok(())
}

/// Tells that an active message changed: everyone who may see the chatbot's sends.
fn note_active_message(db: &mut Db, message: MessageId, facts: &ActiveMessageFacts) {
    let (chatbot, contact) = (ChatbotId(facts.chatbot_id), ContactId(facts.contact_id));
    live::note(db, LiveEvent::of_contact(LiveKind::ActiveMessage, chatbot, contact, message.0));
}
