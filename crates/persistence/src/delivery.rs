//! What the platform tells of our messages: the log of events, the fold stored beside it, and receipts
//! that come before the message they speak of (LI-01 to LI-10).

mod log;
mod pricing;
mod receipt;
mod replies;
mod telling;
#[cfg(test)]
mod tests;
mod view;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    delivery::{DeliveryEventKind, EventSource, Failure},
    ids::{ChannelId, MessageId},
};

pub use self::{
    log::{Logs, list_events, list_events_of},
    pricing::{Prices, list_prices_of},
    receipt::{ReceiptOutcome, apply_receipts},
};
pub(crate) use self::{
    log::{NewEvent, save_event},
    replies::Replies,
    view::{life, refold},
};
use self::{receipt::take_early_receipts, telling::Telling};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    kept::kept_update,
    schema::{messages, outbox},
};

/// A message that the platform took.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken<'a> {
    /// Over which channel.
    pub channel: ChannelId,
    /// Ours.
    pub message: MessageId,
    /// What the platform calls it.
    pub provider_id: &'a str,
}

/// Notes at `at` that the platform took messages, and joins the receipts that were faster.
pub(crate) fn accept(
    db: &mut Db,
    taken: &[Taken<'_>],
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    for Taken { message, provider_id, .. } in taken {
        settle(db, *message, provider_id)?;
    }
    tell_taken(db, taken, EventSource::Dispatcher, at, at)
}

/// Notes that the platform had a message at `at`, which was not sent from here, and joins the receipts that were
/// faster than the news of it.
pub(crate) fn note_taken(
    db: &mut Db,
    taken: Taken<'_>,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    tell_taken(db, &[taken], EventSource::Platform, at, now)
}

fn tell_taken(
    db: &mut Db,
    taken: &[Taken<'_>],
    source: EventSource,
    at: DateTime<Utc>,
    received_at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    if taken.is_empty() {
        return Ok(());
    }
    let names = taken.iter().map(|it| ((it.channel, it.provider_id), it.message)).collect();
    let early = take_early_receipts(db, &names)?;
    let mut telling = Telling::begin(db, taken.iter().map(|it| it.message))?;
    for Taken { message, .. } in taken {
        let kind = DeliveryEventKind::Accepted;
        let event = NewEvent { kind, at, source, title: None, pricing: None, received_at };
        telling.tell(*message, event, None);
    }
    for early in &early {
        early.tell(&mut telling)?;
    }
    telling.finish(db, received_at)
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
        pricing: None,
        received_at: now,
    };
    save_event(db, message, &event)?;
    refold(db, message, now)
}

/// Takes the message out of the dispatcher's hands: the platform has it, under `provider_id`.
fn settle(db: &mut Db, message: MessageId, provider_id: &str) -> Result<(), PersistenceError> {
    let nameless = messages::id.eq(message.0).and(messages::provider_id.is_null());
    let name = messages::provider_id.eq(provider_id);
    let update = kept_update(messages::table, nameless, name);
    let named = on_either!(db => update.execute(db))?;
    if named == 1 {
        diesel::delete(outbox::table.find(message.0)).execute(db)?;
    }
    Ok(())
}
