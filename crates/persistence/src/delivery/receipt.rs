//! Receipts of the platform, and those that were faster than the message they speak of (LI-02, LI-09).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{Receipt, ReceiptStatus, RefusalClass},
    delivery::{DeliveryEventKind, EventSource, Failure},
    ids::{ChannelId, MessageId},
};

use super::{NewEvent, refold, save_event, settle};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    refusal,
    schema::{early_receipts, messages},
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
pub(super) fn join_early_receipts(
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
            refusal::take_effect(db, message, class, row.at.into(), now)?;
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
        refusal::take_effect(db, message, class, receipt.at, now)?;
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
