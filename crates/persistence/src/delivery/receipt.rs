//! Receipts of the platform, and those that were faster than the message they speak of (LI-02, LI-09).

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{Receipt, ReceiptStatus, RefusalClass},
    delivery::{DeliveryEventKind, EventSource, Failure},
    ids::{ChannelId, MessageId},
};

use super::{NewEvent, pricing, settle, telling::Telling};
use crate::{
    among::is_named_among,
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

/// The message a receipt speaks of.
#[derive(Debug, Clone, Copy)]
struct Addressee {
    message: MessageId,
    /// Whether the provider's id of it was known before.
    is_named: bool,
}

/// Records what receipts tell, each on the channel it came over, and stores the new folds; one without its
/// message waits. Answers what became of each, in order. But for what is written, a thousand take as many
/// queries as one.
///
/// A receipt that carries our callback id settles an unknown outcome and gives the provider's id
/// (LI-09). Copies change nothing, in whatever order they come (LI-02).
///
/// # Errors
/// When one of them cannot be recorded; all of them are to be undone then.
pub fn apply_receipts(
    db: &mut Db,
    receipts: &[(ChannelId, &Receipt)],
    now: DateTime<Utc>,
) -> Result<Vec<ReceiptOutcome>, PersistenceError> {
    let addressees = find_addressees(db, receipts)?;
    let addressed = || {
        receipts
            .iter()
            .zip(&addressees)
            .filter_map(|(receipt, addressee)| Some((receipt, (*addressee)?)))
    };
    for ((channel, receipt), addressee) in receipts.iter().zip(&addressees) {
        if addressee.is_none() {
            save_early_receipt(db, *channel, receipt, now)?;
        }
    }
    let messages: BTreeSet<MessageId> =
        addressed().map(|(_, addressee)| addressee.message).collect();
    let mut telling = Telling::begin(db, messages)?;
    for ((_, receipt), addressee) in addressed() {
        if !addressee.is_named {
            settle(db, addressee.message, &receipt.provider_id)?;
        }
    }
    let names = addressed()
        .map(|((channel, receipt), addressee)| {
            ((*channel, receipt.provider_id.as_str()), addressee.message)
        })
        .collect();
    let early = take_early_receipts(db, &names)?;
    let joined: BTreeSet<MessageId> = early.iter().map(|early| early.message).collect();
    for early in &early {
        early.tell(&mut telling)?;
    }
    let outcomes = receipts
        .iter()
        .zip(&addressees)
        .map(|((_, receipt), addressee)| {
            let Some(Addressee { message, .. }) = *addressee else { return ReceiptOutcome::Waits };
            if tell(&mut telling, message, receipt, now) || joined.contains(&message) {
                ReceiptOutcome::Recorded(message)
            } else {
                ReceiptOutcome::Copy
            }
        })
        .collect();
    telling.finish(db, now)?;
    Ok(outcomes)
}

fn tell<'a>(
    telling: &mut Telling<'a>,
    message: MessageId,
    receipt: &'a Receipt,
    now: DateTime<Utc>,
) -> bool {
    let (kind, refusal) = event_kind(&receipt.status);
    let event = NewEvent {
        kind,
        at: receipt.at,
        source: EventSource::Platform,
        title: refusal.map(|refusal| refusal.1),
        pricing: receipt.pricing.as_ref().map(pricing::to_column),
        received_at: now,
    };
    telling.tell(message, event, refusal_class(&receipt.status))
}

/// By the provider's id, else by our own that the platform echoed; one for each of `receipts`.
fn find_addressees(
    db: &mut Db,
    receipts: &[(ChannelId, &Receipt)],
) -> Result<Vec<Option<Addressee>>, PersistenceError> {
    let mut by_provider = BTreeMap::new();
    let mut by_callback = BTreeMap::new();
    for (channel, of_channel) in by_channel(receipts) {
        let names = of_channel.iter().map(|receipt| receipt.provider_id.as_str());
        let rows: Vec<(Option<String>, i64)> = messages::table
            .filter(messages::channel_id.eq(channel.0))
            .filter(is_named_among(messages::provider_id, names))
            .select((messages::provider_id, messages::id))
            .load(db)?;
        let named = rows.into_iter().filter_map(|(name, id)| Some(((channel, name?), id)));
        by_provider.extend(named);
        let callbacks: Vec<&str> = of_channel
            .iter()
            .filter(|receipt| !by_provider.contains_key(&(channel, receipt.provider_id.clone())))
            .filter_map(|receipt| receipt.callback_id.as_deref())
            .collect();
        if callbacks.is_empty() {
            continue;
        }
        let rows: Vec<(Option<String>, i64)> = messages::table
            .filter(is_named_among(messages::callback_id, callbacks))
            .filter(messages::channel_id.eq(channel.0))
            .select((messages::callback_id, messages::id))
            .load(db)?;
        by_callback.extend(rows.into_iter().filter_map(|(name, id)| Some(((channel, name?), id))));
    }
    let find = |(channel, receipt): &(ChannelId, &Receipt)| {
        let by_name = by_provider.get(&(*channel, receipt.provider_id.clone()));
        let echoed = || by_callback.get(&(*channel, receipt.callback_id.clone()?));
        by_name
            .map(|id| Addressee { message: MessageId(*id), is_named: true })
            .or_else(|| echoed().map(|id| Addressee { message: MessageId(*id), is_named: false }))
    };
    Ok(receipts.iter().map(find).collect())
}

fn by_channel<'a>(receipts: &[(ChannelId, &'a Receipt)]) -> BTreeMap<ChannelId, Vec<&'a Receipt>> {
    let mut grouped: BTreeMap<ChannelId, Vec<&Receipt>> = BTreeMap::new();
    for (channel, receipt) in receipts {
        grouped.entry(*channel).or_default().push(receipt);
    }
    grouped
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
        early_receipts::pricing.eq(receipt.pricing.as_ref().map(pricing::to_column)),
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
    id: i64,
    provider_id: String,
    kind: String,
    at: Instant,
    code: Option<String>,
    title: Option<String>,
    class: Option<String>,
    pricing: Option<String>,
    received_at: Instant,
}

/// A receipt that waited, and the message it waited for.
pub(super) struct EarlyReceipt {
    message: MessageId,
    row: EarlyReceiptRow,
}

impl EarlyReceipt {
    /// Tells what it told when it came.
    pub(super) fn tell<'a>(&'a self, telling: &mut Telling<'a>) -> Result<(), PersistenceError> {
        let row = &self.row;
        let kind = DeliveryEventKind::parse(&row.kind, row.code.as_deref())
            .ok_or_else(|| PersistenceError::unreadable("early_receipts", "kind", &row.kind))?;
        let event = NewEvent {
            kind,
            at: row.at.into(),
            source: EventSource::Platform,
            title: row.title.as_deref(),
            pricing: row.pricing.clone(),
            received_at: row.received_at.into(),
        };
        telling.tell(self.message, event, row.class.as_deref().and_then(refusal::class_of));
        Ok(())
    }
}

/// Takes the receipts that waited for messages, by the names the messages have on their channels.
pub(super) fn take_early_receipts(
    db: &mut Db,
    names: &BTreeMap<(ChannelId, &str), MessageId>,
) -> Result<Vec<EarlyReceipt>, PersistenceError> {
    let mut taken = Vec::new();
    let channels: BTreeSet<ChannelId> = names.keys().map(|(channel, _)| *channel).collect();
    for channel in channels {
        let of_channel = names.keys().filter(|(of, _)| *of == channel).map(|(_, name)| *name);
        let rows: Vec<EarlyReceiptRow> = early_receipts::table
            .filter(early_receipts::channel_id.eq(channel.0))
            .filter(is_named_among(early_receipts::provider_id, of_channel))
            .order(early_receipts::id.asc())
            .select((
                early_receipts::id,
                early_receipts::provider_id,
                early_receipts::kind,
                early_receipts::at,
                early_receipts::code,
                early_receipts::title,
                early_receipts::class,
                early_receipts::pricing,
                early_receipts::received_at,
            ))
            .load(db)?;
        let with_message = rows.into_iter().filter_map(|row| {
            let message = *names.get(&(channel, row.provider_id.as_str()))?;
            Some(EarlyReceipt { message, row })
        });
        taken.extend(with_message);
    }
    if !taken.is_empty() {
        let ids = taken.iter().map(|early| early.row.id);
        diesel::delete(early_receipts::table.filter(early_receipts::id.eq_any(ids))).execute(db)?;
    }
    Ok(taken)
}

fn event_kind(status: &ReceiptStatus) -> (DeliveryEventKind, Option<(&str, &str)>) {
    match status {
        ReceiptStatus::Sent => (DeliveryEventKind::Sent, None),
        ReceiptStatus::Delivered => (DeliveryEventKind::Delivered, None),
        ReceiptStatus::Read => (DeliveryEventKind::Read, None),
        ReceiptStatus::Played => (DeliveryEventKind::Played, None),
        ReceiptStatus::Failed { refusal, .. } => (
            DeliveryEventKind::Failed(Failure::Coded(refusal.code.clone())),
            Some((refusal.code.as_str(), refusal.title.as_str())),
        ),
    }
}

fn refusal_class(status: &ReceiptStatus) -> Option<RefusalClass> {
    match status {
        ReceiptStatus::Sent
        | ReceiptStatus::Delivered
        | ReceiptStatus::Read
        | ReceiptStatus::Played => None,
        ReceiptStatus::Failed { class, .. } => Some(*class),
    }
}
