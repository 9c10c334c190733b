//! Applies parsed webhooks: every element of every batch once, a bad one aside, the rest goes on.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{WebhookElement, WebhookRejection},
    ids::{ChannelId, InboxId, TicketId},
};

use super::{
    element::{ElementOutcome, apply_element, apply_event},
    known::KnownChannels,
    lock::{Posted, lock_batch},
    quarantine::{is_passing, quarantine, reason},
    together::{self, ElementPlace},
};
use crate::{
    among::is_among,
    db::{Db, on_either},
    delivery::Replies,
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    message,
    schema::{channels, webhook_inbox},
    ticket,
};

/// A webhook as its channel read it.
#[derive(Debug, Clone)]
pub struct ParsedWebhook {
    /// Its id in the inbox.
    pub id: InboxId,
    /// The channel it was posted to.
    pub channel: ChannelId,
    /// Its elements, in order; or why it cannot be read at all.
    pub elements: Result<Vec<WebhookElement>, WebhookRejection>,
}

/// What became of a batch, and the tickets it opened, to be handed out once it is committed.
#[derive(Default)]
struct Applied {
    report: ApplyReport,
    opened: Vec<TicketId>,
    /// Not counted yet.
    replies: Replies,
}

impl Applied {
    fn count(&mut self, outcome: ElementOutcome) {
        match outcome {
            ElementOutcome::Applied(opened) => {
                self.report.applied += 1;
                self.opened.extend(opened);
            }
            ElementOutcome::Unknown(opened) => {
                self.report.applied += 1;
                self.report.unknown += 1;
                self.opened.extend(opened);
            }
            ElementOutcome::Copy => self.report.copies += 1,
            ElementOutcome::Waits => self.report.waiting += 1,
        }
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApplyReport {
    /// Webhooks taken from the inbox.
    pub webhooks: usize,
    /// Elements that changed something.
    pub applied: usize,
    /// Those among them of a field or type that the protocol does not name.
    pub unknown: usize,
    /// Elements that were known already.
    pub copies: usize,
    /// Receipts and changes that wait for their message.
    pub waiting: usize,
    /// Elements put aside with their error.
    pub quarantined: usize,
}

/// Applies `batch` in one transaction and marks its webhooks done; then hands out the tickets it opened. Webhooks
/// that another process is just applying, or has applied, are left out.
///
/// An element that cannot be applied is put aside with its error. A trouble of the database as a whole
/// undoes everything: the same batch may pass in a moment.
///
/// # Errors
/// What stopped the whole batch.
pub fn apply(
    db: &mut Db,
    batch: &[ParsedWebhook],
    now: DateTime<Utc>,
) -> Result<ApplyReport, PersistenceError> {
    let applied = db.write(|db| {
        let (open, applied) = apply_open(db, batch, now)?;
        let are_these = is_among(webhook_inbox::id, open.iter().copied());
        let done = webhook_inbox::done_at.eq(Some(Instant::from(now)));
        let update = kept_update(webhook_inbox::table, are_these, done);
        on_either!(db => update.execute(db))?;
        Ok(applied)
    })?;
    ticket::hand_out_opened(db, &applied.opened, now);
    Ok(applied.report)
}

/// Applies some of a webhook's elements, as [`apply`] does, but leaves it open: the rest follows. Until then
/// the elements come again with it should the process end, and are copies.
///
/// # Errors
/// As [`apply`].
pub fn apply_part(
    db: &mut Db,
    part: &ParsedWebhook,
    now: DateTime<Utc>,
) -> Result<ApplyReport, PersistenceError> {
    let applied = db.write(|db| Ok(apply_open(db, std::slice::from_ref(part), now)?.1))?;
    ticket::hand_out_opened(db, &applied.opened, now);
    Ok(applied.report)
}

/// Applies those of `batch` that are open still, and answers which.
fn apply_open(
    db: &mut Db,
    batch: &[ParsedWebhook],
    now: DateTime<Utc>,
) -> Result<(Vec<i64>, Applied), PersistenceError> {
    let ids: Vec<i64> = batch.iter().map(|webhook| webhook.id.0).collect();
    let open = claim_open(db, &ids)?;
    let webhooks = || batch.iter().filter(|webhook| open.contains(&webhook.id.0));
    let posted: Vec<Posted<'_>> = webhooks()
        .flat_map(|webhook| {
            let elements = webhook.elements.iter().flatten();
            elements.map(|element| Posted { channel: webhook.channel, element })
        })
        .collect();
    let mut known = KnownChannels::default();
    lock_batch(db, &posted, &mut known)?;
    note_arrivals(db, webhooks().map(|webhook| webhook.channel), now)?;
    let webhooks: Vec<&ParsedWebhook> = webhooks().collect();
    let recorded = together::apply_receipts(db, &webhooks, &mut known, now)?;
    let done = together::places(&recorded);
    let mut each = |db: &mut Db, guard| {
        let mut applied = Applied::default();
        for webhook in &webhooks {
            apply_webhook(db, webhook, &done, guard, &mut known, &mut applied, now)?;
            applied.report.webhooks += 1;
        }
        applied.replies.count(db, now)?;
        Ok(applied)
    };
    let mut applied = match db.savepoint(|db| each(db, Guard::AllTogether)) {
        Err(error) if !is_passing(&error) => each(db, Guard::EachAlone)?,
        applied => applied?,
    };
    recorded.into_iter().for_each(|(_, outcome)| applied.count(outcome));
    Ok((open, applied))
}

/// Applies `elements` that came over `channel` but of which no webhook is kept, such as those of a demo's
/// past. As [`apply`], except that one that cannot be applied is an error.
///
/// # Errors
/// When an element cannot be read or applied; nothing of them is done then.
pub fn apply_unkept(
    db: &mut Db,
    channel: ChannelId,
    elements: &[WebhookElement],
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let opened = db.write(|db| {
        let posted: Vec<Posted<'_>> =
            elements.iter().map(|element| Posted { channel, element }).collect();
        let mut known = KnownChannels::default();
        lock_batch(db, &posted, &mut known)?;
        let channel = message::find_channel(db, channel)?.ok_or(PersistenceError::NotFound)?;
        let mut applied = Applied::default();
        for element in elements {
            let replies = &mut applied.replies;
            let outcome = apply_event(db, &channel, &mut known, replies, element, now)?;
            applied.count(outcome);
        }
        applied.replies.count(db, now)?;
        Ok(applied.opened)
    })?;
    ticket::hand_out_opened(db, &opened, now);
    Ok(())
}

/// Those of `ids` that are not done and nobody else is at.
fn claim_open(db: &mut Db, ids: &[i64]) -> Result<Vec<i64>, PersistenceError> {
    let open = webhook_inbox::table
        .filter(is_among(webhook_inbox::id, ids.iter().copied()))
        .filter(webhook_inbox::done_at.is_null())
        .order(webhook_inbox::id.asc())
        .select(webhook_inbox::id);
    match db {
        // The transaction holds the only write lock already.
        Db::Sqlite(sqlite) => Ok(open.load(sqlite)?),
        Db::Postgres(postgres) => Ok(open.for_update().skip_locked().load(postgres)?),
    }
}

/// What an element that cannot be applied undoes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Guard {
    /// Itself alone: it is put aside.
    EachAlone,
    /// All of the batch, to be applied each alone then. A savepoint for each costs more than many an element, and
    /// nearly all of them can be applied.
    AllTogether,
}

/// Applies the elements of `webhook` that are not `done` yet.
fn apply_webhook(
    db: &mut Db,
    webhook: &ParsedWebhook,
    done: &BTreeSet<ElementPlace>,
    guard: Guard,
    known: &mut KnownChannels,
    applied: &mut Applied,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let elements = match &webhook.elements {
        Ok(elements) => elements,
        Err(rejection) => {
            applied.report.quarantined += 1;
            return quarantine(db, webhook, "", &rejection.to_string(), now);
        }
    };
    let Some(posted_to) = known.posted_to(db, webhook.channel)? else {
        applied.report.quarantined += 1;
        return quarantine(db, webhook, "", "the channel is gone", now);
    };
    for (place, element) in elements.iter().enumerate() {
        if done.contains(&(webhook.id, place)) {
            continue;
        }
        let outcome = match guard {
            Guard::EachAlone => apply_element(db, &posted_to, known, element, now),
            Guard::AllTogether => {
                apply_event(db, &posted_to, known, &mut applied.replies, element, now)
            }
        };
        match outcome {
            Ok(outcome) => applied.count(outcome),
            Err(error) if guard == Guard::AllTogether || is_passing(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(inbox.id = %webhook.id, error = %error, "put a webhook element aside");
                quarantine(db, webhook, &element.raw, &reason(&error), now)?;
                applied.report.quarantined += 1;
            }
        }
    }
    Ok(())
}

/// The webhooks of these channels work: what AM-14 and the alert on silence ask for.
fn note_arrivals(
    db: &mut Db,
    posted_to: impl Iterator<Item = ChannelId>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let posted_to: BTreeSet<i64> = posted_to.map(|channel| channel.0).collect();
    // Once a minute is enough to tell that it works, and spares the row a write per webhook.
    let a_minute_ago = Instant::from(now - chrono::TimeDelta::minutes(1));
    for channel in posted_to {
        diesel::update(channels::table.find(channel).filter(
            channels::last_webhook_at.is_null().or(channels::last_webhook_at.lt(a_minute_ago)),
        ))
        .set(channels::last_webhook_at.eq(Some(Instant::from(now))))
        .execute(db)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use domain::clock::Clock;

    use super::*;
    use crate::{
        schema::messages,
        test_desk::{TestDesk, inbound},
        test_support::on_both,
    };

    #[test]
    fn a_part_counts_at_once_and_only_the_last_one_closes_the_webhook() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let now = desk.clock.now();
            let id: i64 = store
                .blocking_write(|db| {
                    let id = diesel::insert_into(webhook_inbox::table)
                        .values((
                            webhook_inbox::channel_id.eq(desk.channel.0),
                            webhook_inbox::received_at.eq(Instant::from(now)),
                            webhook_inbox::body.eq(Vec::new()),
                        ))
                        .returning(webhook_inbox::id)
                        .get_result(db)?;
                    Ok(id)
                })
                .unwrap();
            let part = |names: &[&str]| ParsedWebhook {
                id: InboxId(id),
                channel: desk.channel,
                elements: Ok(names
                    .iter()
                    .map(|name| inbound(name, "351912345678", "hi", now))
                    .collect()),
            };
            let (first, last) = (part(&["in.1", "in.2"]), part(&["in.3"]));
            let some = || store.blocking_write(|db| apply_part(db, &first, now)).unwrap();
            assert_eq!(some().applied, 2);
            // As when the process ended in between: the whole webhook comes again.
            assert_eq!((some().copies, some().applied), (2, 0));
            let whole = || {
                let last = std::slice::from_ref(&last);
                store.blocking_write(|db| apply(db, last, now)).unwrap()
            };
            assert_eq!((whole().applied, whole().webhooks), (1, 0), "closed by the last");
            assert_eq!(some().webhooks, 0, "and nothing more of it is applied");
            let kept: i64 =
                store.blocking_read(|db| Ok(messages::table.count().get_result(db)?)).unwrap();
            assert_eq!(kept, 3);
        });
    }
}
