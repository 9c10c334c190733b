//! What the platform tells of our messages: the log of events, the fold stored beside it, and receipts
//! that come before the message they speak of (LI-01 to LI-10).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState,
    channel::{Receipt, ReceiptStatus, RefusalClass},
    delivery::{self, ActiveMessageLife, DeliveryEvent, DeliveryEventKind, EventSource, Failure},
    ids::{ChannelId, ChatbotId, MessageId, NumberId},
};

use crate::{
    admission,
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    number, refusal,
    schema::{active_messages, delivery_events, early_receipts, messages, outbox},
};

/// What became of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptOutcome {
    /// It told something new of a message.
    Recorded(MessageId),
    /// It was known already.
    Copy,
    /// Its message is not known yet; it waits.
    Waits,
}

/// One event on its way into the log.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent<'a> {
    pub kind: DeliveryEventKind,
    pub at: DateTime<Utc>,
    pub source: EventSource,
    /// The platform's words for a failure; for the history only.
    pub title: Option<&'a str>,
    pub received_at: DateTime<Utc>,
}

/// Records what a receipt tells and stores the new fold; without its message the receipt waits.
///
/// A receipt that carries our callback id settles an unknown outcome and gives the provider's id
/// (LI-09). Copies change nothing, in whatever order they come (LI-02).
pub fn apply_receipt(
    db: &mut Db,
    channel: ChannelId,
    receipt: &Receipt,
    now: DateTime<Utc>,
) -> Result<ReceiptOutcome, PersistenceError> {
    let Some(message) = find_message(db, channel, receipt)? else {
        save_early_receipt(db, channel, receipt, now)?;
        return Ok(ReceiptOutcome::Waits);
    };
    settle(db, message, &receipt.provider_id)?;
    let joined = join_early_receipts(db, channel, message, &receipt.provider_id, now)?;
    let recorded = record_receipt(db, message, receipt, now)?;
    if !(recorded || joined) {
        return Ok(ReceiptOutcome::Copy);
    }
    refold(db, message, now)?;
    Ok(ReceiptOutcome::Recorded(message))
}

/// Notes that the platform took `message` under `provider_id`, and joins the receipts that were faster.
pub(crate) fn accept(
    db: &mut Db,
    channel: ChannelId,
    message: MessageId,
    provider_id: &str,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    settle(db, message, provider_id)?;
    let event = NewEvent {
        kind: DeliveryEventKind::Accepted,
        at,
        source: EventSource::Dispatcher,
        title: None,
        received_at: at,
    };
    save_event(db, message, &event)?;
    join_early_receipts(db, channel, message, provider_id, at)?;
    refold(db, message, at)
}

/// Ends `message` as Failure for a reason of ours or the platform's, given back where the rules say so.
pub(crate) fn fail(
    db: &mut Db,
    message: MessageId,
    failure: Failure,
    title: Option<&str>,
    source: EventSource,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    diesel::delete(outbox::table.find(message.0)).execute(db)?;
    let event = NewEvent {
        kind: DeliveryEventKind::Failed(failure),
        at: now,
        source,
        title,
        received_at: now,
    };
    save_event(db, message, &event)?;
    refold(db, message, now)
}

/// By the provider's id, else by our own that the platform echoed.
fn find_message(
    db: &mut Db,
    channel: ChannelId,
    receipt: &Receipt,
) -> Result<Option<MessageId>, PersistenceError> {
    let by_provider: Option<i64> = messages::table
        .filter(messages::channel_id.eq(channel.0))
        .filter(messages::provider_id.eq(&receipt.provider_id))
        .select(messages::id)
        .first(db)
        .optional()?;
    if by_provider.is_some() {
        return Ok(by_provider.map(MessageId));
    }
    let Some(callback_id) = &receipt.callback_id else { return Ok(None) };
    let by_callback: Option<i64> = messages::table
        .filter(messages::callback_id.eq(callback_id))
        .filter(messages::channel_id.eq(channel.0))
        .select(messages::id)
        .first(db)
        .optional()?;
    Ok(by_callback.map(MessageId))
}

/// Takes the message out of the dispatcher's hands: the platform has it, under `provider_id`.
fn settle(db: &mut Db, message: MessageId, provider_id: &str) -> Result<(), PersistenceError> {
    let named =
        diesel::update(messages::table.find(message.0).filter(messages::provider_id.is_null()))
            .set(messages::provider_id.eq(provider_id))
            .execute(db)?;
    if named == 1 {
        diesel::delete(outbox::table.find(message.0)).execute(db)?;
    }
    Ok(())
}

fn save_early_receipt(
    db: &mut Db,
    channel: ChannelId,
    receipt: &Receipt,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let (kind, refusal) = event_kind(&receipt.status);
    let row = (
        early_receipts::channel_id.eq(channel.0),
        early_receipts::provider_id.eq(&receipt.provider_id),
        early_receipts::callback_id.eq(receipt.callback_id.as_deref()),
        early_receipts::kind.eq(kind.as_str()),
        early_receipts::at.eq(Instant::from(receipt.at)),
        early_receipts::code.eq(refusal.map(|refusal| refusal.0)),
        early_receipts::title.eq(refusal.map(|refusal| refusal.1)),
        early_receipts::class.eq(refusal_class(&receipt.status).and_then(refusal::class_word)),
        early_receipts::received_at.eq(Instant::from(now)),
    );
    on_either!(db => diesel::insert_into(early_receipts::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(db))?;
    Ok(())
}

#[derive(Queryable)]
struct EarlyReceiptRow {
    kind: String,
    at: Instant,
    code: Option<String>,
    title: Option<String>,
    class: Option<String>,
    received_at: Instant,
}

/// Moves the receipts that waited for `provider_id` into the log of `message`; says whether there were any.
fn join_early_receipts(
    db: &mut Db,
    channel: ChannelId,
    message: MessageId,
    provider_id: &str,
    now: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    let waiting = early_receipts::table
        .filter(early_receipts::channel_id.eq(channel.0))
        .filter(early_receipts::provider_id.eq(provider_id));
    let rows: Vec<EarlyReceiptRow> = waiting
        .order(early_receipts::id.asc())
        .select((
            early_receipts::kind,
            early_receipts::at,
            early_receipts::code,
            early_receipts::title,
            early_receipts::class,
            early_receipts::received_at,
        ))
        .load(db)?;
    for row in &rows {
        let kind = DeliveryEventKind::parse(&row.kind, row.code.as_deref())
            .ok_or_else(|| PersistenceError::unreadable("early_receipts", "kind", &row.kind))?;
        let event = NewEvent {
            kind,
            at: row.at.into(),
            source: EventSource::Platform,
            title: row.title.as_deref(),
            received_at: row.received_at.into(),
        };
        save_event(db, message, &event)?;
        if let Some(class) = row.class.as_deref().and_then(refusal::class_of) {
            refusal::take_effect(db, message, class, now)?;
        }
    }
    if !rows.is_empty() {
        diesel::delete(
            early_receipts::table
                .filter(early_receipts::channel_id.eq(channel.0))
                .filter(early_receipts::provider_id.eq(provider_id)),
        )
        .execute(db)?;
    }
    Ok(!rows.is_empty())
}

fn record_receipt(
    db: &mut Db,
    message: MessageId,
    receipt: &Receipt,
    now: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    let (kind, refusal) = event_kind(&receipt.status);
    let event = NewEvent {
        kind,
        at: receipt.at,
        source: EventSource::Platform,
        title: refusal.map(|refusal| refusal.1),
        received_at: now,
    };
    let is_new = save_event(db, message, &event)?;
    if let (true, Some(class)) = (is_new, refusal_class(&receipt.status)) {
        refusal::take_effect(db, message, class, now)?;
    }
    Ok(is_new)
}

fn event_kind(status: &ReceiptStatus) -> (DeliveryEventKind, Option<(&str, &str)>) {
    match status {
        ReceiptStatus::Sent => (DeliveryEventKind::Sent, None),
        ReceiptStatus::Delivered => (DeliveryEventKind::Delivered, None),
        ReceiptStatus::Read => (DeliveryEventKind::Read, None),
        ReceiptStatus::Failed { refusal, .. } => (
            DeliveryEventKind::Failed(Failure::Coded(refusal.code.clone())),
            Some((refusal.code.as_str(), refusal.title.as_str())),
        ),
    }
}

fn refusal_class(status: &ReceiptStatus) -> Option<RefusalClass> {
    match status {
        ReceiptStatus::Sent | ReceiptStatus::Delivered | ReceiptStatus::Read => None,
        ReceiptStatus::Failed { class, .. } => Some(*class),
    }
}

/// Adds `event` to the log of `message`; `false` when it stands there already.
pub(crate) fn save_event(
    db: &mut Db,
    message: MessageId,
    event: &NewEvent<'_>,
) -> Result<bool, PersistenceError> {
    let code = match &event.kind {
        DeliveryEventKind::Failed(failure) => Some(failure.code()),
        _ => None,
    };
    let row = (
        delivery_events::message_id.eq(message.0),
        delivery_events::kind.eq(event.kind.as_str()),
        delivery_events::at.eq(Instant::from(event.at)),
        delivery_events::source.eq(event.source.as_str()),
        delivery_events::code.eq(code),
        delivery_events::title.eq(event.title),
        delivery_events::received_at.eq(Instant::from(event.received_at)),
    );
    let inserted = on_either!(db => diesel::insert_into(delivery_events::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(db))?;
    Ok(inserted == 1)
}

/// The log of `message`, in the order it was written. The fold does not depend on that order.
pub fn list_events(
    db: &mut Db,
    message: MessageId,
) -> Result<Vec<DeliveryEvent>, PersistenceError> {
    let rows: Vec<(String, Instant, String, Option<String>)> = delivery_events::table
        .filter(delivery_events::message_id.eq(message.0))
        .order(delivery_events::id.asc())
        .select((
            delivery_events::kind,
            delivery_events::at,
            delivery_events::source,
            delivery_events::code,
        ))
        .load(db)?;
    rows.into_iter()
        .map(|(kind, at, source, code)| {
            Ok(DeliveryEvent {
                kind: DeliveryEventKind::parse(&kind, code.as_deref())
                    .ok_or_else(|| unreadable_event("kind", kind))?,
                at: at.into(),
                source: EventSource::parse(&source)
                    .ok_or_else(|| unreadable_event("source", source))?,
            })
        })
        .collect()
}

fn unreadable_event(column: &'static str, value: String) -> PersistenceError {
    PersistenceError::unreadable("delivery_events", column, value)
}

/// What an active message row says that the fold needs or may change.
#[derive(Queryable)]
pub(crate) struct ActiveMessageFacts {
    pub chatbot_id: i64,
    pub number_id: i64,
    pub queued_at: Instant,
    pub state: String,
    pub given_back_at: Option<Instant>,
    pub accepted_at: Option<Instant>,
    pub notification: bool,
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
            .order(delivery_events::at.asc())
            .select(delivery_events::title)
            .first(db)
            .optional()?
            .flatten(),
    };
    let chatbot: Option<i64> = messages::table
        .find(message.0)
        .filter(messages::state.ne(life.state.as_str()))
        .select(messages::chatbot_id)
        .first(db)
        .optional()?;
    let Some(chatbot) = chatbot else { return Ok(()) };
    diesel::update(messages::table.find(message.0))
        .set((
            messages::state.eq(life.state.as_str()),
            messages::failure_code.eq(code),
            messages::failure_title.eq(title),
        ))
        .execute(db)?;
    let chatbot = Some(ChatbotId(chatbot));
    live::note(db, LiveEvent { kind: LiveKind::Message, chatbot, user: None, id: message.0 });
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
    let event = LiveEvent {
        kind: LiveKind::ActiveMessage,
        chatbot: Some(ChatbotId(facts.chatbot_id)),
        user: None,
        id: message.0,
    };
    live::note(db, event);
}
