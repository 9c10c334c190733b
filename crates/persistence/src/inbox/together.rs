//! The receipts of a batch, recorded together: three of four elements are receipts, and a query for all of them costs
//! little more than one for each.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use domain::{
    channel::{ChannelEvent, Receipt},
    ids::{ChannelId, InboxId},
};

use super::{
    apply::ParsedWebhook, element::ElementOutcome, known::KnownChannels, quarantine::is_passing,
};
use crate::{db::Db, delivery, error::PersistenceError};

/// Names an element of a batch: its webhook, and its place in it.
pub(super) type ElementPlace = (InboxId, usize);

/// Records the receipts of `webhooks` together, and answers what became of which. Empty when one of them cannot be
/// recorded: nothing of them is done then, and each is to be applied alone, so that it spoils no other.
pub(super) fn apply_receipts(
    db: &mut Db,
    webhooks: &[&ParsedWebhook],
    known: &mut KnownChannels,
    now: DateTime<Utc>,
) -> Result<Vec<(ElementPlace, ElementOutcome)>, PersistenceError> {
    let (mut places, mut receipts) = (Vec::new(), Vec::new());
    for webhook in webhooks {
        for (place, channel, receipt) in receipts_of(db, webhook, known)? {
            places.push(place);
            receipts.push((channel, receipt));
        }
    }
    if receipts.is_empty() {
        return Ok(Vec::new());
    }
    match db.savepoint(|db| delivery::apply_receipts(db, &receipts, now)) {
        Ok(outcomes) => Ok(places.into_iter().zip(outcomes.into_iter().map(Into::into)).collect()),
        Err(error) if is_passing(&error) => Err(error),
        Err(error) => {
            tracing::warn!(error = %error, "one of many receipts cannot be recorded; trying one by one");
            Ok(Vec::new())
        }
    }
}

/// The receipts of `webhook` that are for a channel of its account; what is wrong with others is told where they
/// are applied alone.
fn receipts_of<'a>(
    db: &mut Db,
    webhook: &'a ParsedWebhook,
    known: &mut KnownChannels,
) -> Result<Vec<(ElementPlace, ChannelId, &'a Receipt)>, PersistenceError> {
    let Ok(elements) = &webhook.elements else { return Ok(Vec::new()) };
    let Some(posted_to) = known.posted_to(db, webhook.channel)? else { return Ok(Vec::new()) };
    let mut receipts = Vec::new();
    for (place, element) in elements.iter().enumerate() {
        let Ok(ChannelEvent::Receipt(receipt)) = &element.event else { continue };
        if receipt.is_of_one_in_a_group() {
            continue;
        }
        match known.of_element(db, &posted_to, element) {
            Ok(channel) => receipts.push(((webhook.id, place), channel.id, receipt)),
            Err(PersistenceError::Unreadable { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(receipts)
}

/// The places of what was recorded together.
pub(super) fn places(recorded: &[(ElementPlace, ElementOutcome)]) -> BTreeSet<ElementPlace> {
    recorded.iter().map(|(place, _)| *place).collect()
}
