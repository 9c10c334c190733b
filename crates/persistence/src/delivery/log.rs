//! The log of what happened to a message: each event once, none ever changed.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    delivery::{DeliveryEvent, DeliveryEventKind, EventSource},
    ids::MessageId,
};

use crate::{
    among::is_among,
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::delivery_events,
};

/// One event on its way into the log.
#[derive(Debug, Clone)]
pub(crate) struct NewEvent<'a> {
    pub kind: DeliveryEventKind,
    pub at: DateTime<Utc>,
    pub source: EventSource,
    /// The platform's words for a failure; for the history only.
    pub title: Option<&'a str>,
    /// What the platform charges, as it is stored; `None` when it did not tell.
    pub pricing: Option<String>,
    pub received_at: DateTime<Utc>,
}

/// Adds `event` to the log of `message`; `false` when it stands there already: the same happened at the same
/// instant, by the same source and, where it failed, with the same code.
pub(crate) fn save_event(
    db: &mut Db,
    message: MessageId,
    event: &NewEvent<'_>,
) -> Result<bool, PersistenceError> {
    let inserted = on_either!(db => diesel::insert_into(delivery_events::table)
        .values(EventRow::new(message, event))
        .on_conflict_do_nothing()
        .execute(db))?;
    Ok(inserted == 1)
}

/// [`save_event`] for events of any messages at once; none of them may stand in its log already.
pub(super) fn save_new_events(
    db: &mut Db,
    events: &[(MessageId, NewEvent<'_>)],
) -> Result<(), PersistenceError> {
    let rows: Vec<_> =
        events.iter().map(|(message, event)| EventRow::new(*message, event)).collect();
    on_either!(db => diesel::insert_into(delivery_events::table).values(&rows).execute(db))?;
    Ok(())
}

#[derive(Insertable)]
#[diesel(table_name = delivery_events)]
struct EventRow<'a> {
    message_id: i64,
    kind: &'a str,
    at: Instant,
    source: &'a str,
    code: Option<&'a str>,
    title: Option<&'a str>,
    pricing: Option<&'a str>,
    received_at: Instant,
}

impl<'a> EventRow<'a> {
    fn new(message: MessageId, event: &'a NewEvent<'_>) -> Self {
        let code = match &event.kind {
            DeliveryEventKind::Failed(failure) => Some(failure.code()),
            _ => None,
        };
        Self {
            message_id: message.0,
            kind: event.kind.as_str(),
            at: event.at.into(),
            source: event.source.as_str(),
            code,
            title: event.title,
            pricing: event.pricing.as_deref(),
            received_at: event.received_at.into(),
        }
    }
}

/// The logs of some messages; a message of which nothing is known yet has none.
pub type Logs = BTreeMap<MessageId, Vec<DeliveryEvent>>;

/// The log of `message`, in the order it was written. The fold does not depend on that order.
pub fn list_events(
    db: &mut Db,
    message: MessageId,
) -> Result<Vec<DeliveryEvent>, PersistenceError> {
    Ok(list_events_of(db, &[message])?.remove(&message).unwrap_or_default())
}

/// The logs of `messages`, each in the order it was written; one without events is left out.
pub fn list_events_of(db: &mut Db, messages: &[MessageId]) -> Result<Logs, PersistenceError> {
    let mut rows: Vec<(i64, i64, String, Instant, String, Option<String>)> = delivery_events::table
        .filter(is_among(delivery_events::message_id, messages.iter().map(|id| id.0)))
        .select((
            delivery_events::id,
            delivery_events::message_id,
            delivery_events::kind,
            delivery_events::at,
            delivery_events::source,
            delivery_events::code,
        ))
        .load(db)?;
    rows.sort_unstable_by_key(|(id, ..)| *id);
    let mut logs = Logs::new();
    for (_, message, kind, at, source, code) in rows {
        let event = DeliveryEvent {
            kind: DeliveryEventKind::parse(&kind, code.as_deref())
                .ok_or_else(|| unreadable_event("kind", kind))?,
            at: at.into(),
            source: EventSource::parse(&source)
                .ok_or_else(|| unreadable_event("source", source))?,
        };
        logs.entry(MessageId(message)).or_default().push(event);
    }
    Ok(logs)
}

fn unreadable_event(column: &'static str, value: String) -> PersistenceError {
    PersistenceError::unreadable("delivery_events", column, value)
}
