//! Applies parsed webhooks: every element of every batch once, a bad one aside, the rest goes on.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    result::{DatabaseErrorKind, Error as DieselError},
};
use domain::{
    channel::{ChannelEvent, ChannelKind, SenderIdentity, WebhookElement, WebhookRejection},
    ids::{ChannelId, InboxId},
    opt_out::{OptOutScope, OptOutSource},
};
use sha2::{Digest, Sha256};

use super::template_status;
use crate::{
    db::{Db, on_either},
    delivery::{self, ReceiptOutcome},
    error::PersistenceError,
    instant::Instant,
    message::{self, ChannelFacts, InboundOutcome},
    number, opt_out,
    schema::{channels, quarantined_events, seen_changes, webhook_inbox},
    sender,
};

/// A webhook as it was kept.
#[derive(Clone)]
pub struct RawWebhook {
    /// Its id in the inbox.
    pub id: InboxId,
    /// The channel it was posted to.
    pub channel: ChannelId,
    /// The platform that posted it; `None` when the channel is gone.
    pub kind: Option<ChannelKind>,
    /// When it arrived.
    pub received_at: DateTime<Utc>,
    /// The signed bytes.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for RawWebhook {
    /// Without the body, which holds what customers wrote.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("RawWebhook").field("id", &self.id).finish_non_exhaustive()
    }
}

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

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ApplyReport {
    /// Webhooks taken from the inbox.
    pub webhooks: usize,
    /// Elements that changed something.
    pub applied: usize,
    /// Elements that were known already.
    pub copies: usize,
    /// Receipts that wait for their message.
    pub waiting: usize,
    /// Elements put aside with their error.
    pub quarantined: usize,
}

enum ElementOutcome {
    Applied,
    Copy,
    Waits,
}

/// The webhooks that are not done, oldest first, at most `limit`. Never by a cursor: ids commit out of
/// order. Served by the partial index on open rows.
pub fn list_waiting(db: &mut Db, limit: i64) -> Result<Vec<RawWebhook>, PersistenceError> {
    let rows: Vec<(i64, i64, Instant, Vec<u8>)> = webhook_inbox::table
        .filter(webhook_inbox::done_at.is_null())
        .order(webhook_inbox::id.asc())
        .limit(limit)
        .select((
            webhook_inbox::id,
            webhook_inbox::channel_id,
            webhook_inbox::received_at,
            webhook_inbox::body,
        ))
        .load(db)?;
    let mut kinds = HashMap::new();
    rows.into_iter()
        .map(|(id, channel, received_at, body)| {
            let channel = ChannelId(channel);
            let kind = match kinds.get(&channel) {
                Some(kind) => *kind,
                None => {
                    let kind = message::find_channel(db, channel)?.map(|facts| facts.kind);
                    kinds.insert(channel, kind);
                    kind
                }
            };
            Ok(RawWebhook { id: InboxId(id), channel, kind, received_at: received_at.into(), body })
        })
        .collect()
}

/// Applies `batch` in one transaction and marks its webhooks done. Webhooks that another process is
/// just applying, or has applied, are left out.
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
    db.write(|db| {
        let ids: Vec<i64> = batch.iter().map(|webhook| webhook.id.0).collect();
        let open = claim_open(db, &ids)?;
        lock_numbers(db, batch)?;
        let mut report = ApplyReport::default();
        for webhook in batch.iter().filter(|webhook| open.contains(&webhook.id.0)) {
            apply_webhook(db, webhook, &mut report, now)?;
            report.webhooks += 1;
        }
        diesel::update(webhook_inbox::table.filter(webhook_inbox::id.eq_any(&open)))
            .set(webhook_inbox::done_at.eq(Some(Instant::from(now))))
            .execute(db)?;
        Ok(report)
    })
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
    db.write(|db| {
        let has_receipt =
            elements.iter().any(|element| matches!(element.event, Ok(ChannelEvent::Receipt(_))));
        if has_receipt {
            number::lock_of_channels(db, &[channel])?;
        }
        let channel = message::find_channel(db, channel)?.ok_or(PersistenceError::NotFound)?;
        for element in elements {
            apply_event(db, &channel, element, now)?;
        }
        Ok(())
    })
}

/// Receipts move what their numbers count; see [`number::lock_of_channels`].
fn lock_numbers(db: &mut Db, batch: &[ParsedWebhook]) -> Result<(), PersistenceError> {
    let receipts = batch
        .iter()
        .flat_map(|webhook| webhook.elements.iter().flatten())
        .filter(|element| matches!(element.event, Ok(ChannelEvent::Receipt(_))));
    let names: BTreeSet<&str> =
        receipts.filter_map(|element| element.external_id.as_deref()).collect();
    let ids: Vec<i64> = channels::table
        .filter(channels::external_id.eq_any(names))
        .select(channels::id)
        .load(db)?;
    let ids: Vec<ChannelId> = ids.into_iter().map(ChannelId).collect();
    number::lock_of_channels(db, &ids)
}

/// Those of `ids` that are not done and nobody else is at.
fn claim_open(db: &mut Db, ids: &[i64]) -> Result<Vec<i64>, PersistenceError> {
    let open = webhook_inbox::table
        .filter(webhook_inbox::id.eq_any(ids))
        .filter(webhook_inbox::done_at.is_null())
        .order(webhook_inbox::id.asc())
        .select(webhook_inbox::id);
    match db {
        // The transaction holds the only write lock already.
        Db::Sqlite(sqlite) => Ok(open.load(sqlite)?),
        Db::Postgres(postgres) => Ok(open.for_update().skip_locked().load(postgres)?),
    }
}

/// Puts a whole webhook aside that cannot be applied however often it is tried; its bytes stay in the
/// inbox for as long as raw webhooks are kept.
pub fn put_aside(
    db: &mut Db,
    webhook: InboxId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let channel: i64 =
            webhook_inbox::table.find(webhook.0).select(webhook_inbox::channel_id).first(db)?;
        let parsed = ParsedWebhook {
            id: webhook,
            channel: ChannelId(channel),
            elements: Err(WebhookRejection::Unreadable),
        };
        quarantine(db, &parsed, "", "it failed again and again", now)?;
        diesel::update(webhook_inbox::table.find(webhook.0))
            .set(webhook_inbox::done_at.eq(Some(Instant::from(now))))
            .execute(db)?;
        Ok(())
    })
}

fn apply_webhook(
    db: &mut Db,
    webhook: &ParsedWebhook,
    report: &mut ApplyReport,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let elements = match &webhook.elements {
        Ok(elements) => elements,
        Err(rejection) => {
            report.quarantined += 1;
            return quarantine(db, webhook, "", &rejection.to_string(), now);
        }
    };
    let Some(channel) = message::find_channel(db, webhook.channel)? else {
        report.quarantined += 1;
        return quarantine(db, webhook, "", "the channel is gone", now);
    };
    note_arrival(db, &channel, now)?;
    for element in elements {
        match apply_element(db, &channel, element, now) {
            Ok(ElementOutcome::Applied) => report.applied += 1,
            Ok(ElementOutcome::Copy) => report.copies += 1,
            Ok(ElementOutcome::Waits) => report.waiting += 1,
            Err(error) if is_passing(&error) => return Err(error),
            Err(error) => {
                tracing::warn!(inbox.id = %webhook.id, error = %error, "put a webhook element aside");
                quarantine(db, webhook, &element.raw, &reason(&error), now)?;
                report.quarantined += 1;
            }
        }
    }
    Ok(())
}

/// Applies one element so that its failure undoes its own writes only. Another process may have kept
/// the same message a moment ago; seen again, it is a copy.
fn apply_element(
    db: &mut Db,
    channel: &ChannelFacts,
    element: &WebhookElement,
    now: DateTime<Utc>,
) -> Result<ElementOutcome, PersistenceError> {
    let apply = |db: &mut Db| apply_event(db, channel, element, now);
    match db.savepoint(apply) {
        Err(PersistenceError::Duplicate) => db.savepoint(apply),
        outcome => outcome,
    }
}

fn apply_event(
    db: &mut Db,
    posted_to: &ChannelFacts,
    element: &WebhookElement,
    now: DateTime<Utc>,
) -> Result<ElementOutcome, PersistenceError> {
    let event = element.event.as_ref().map_err(|unreadable| {
        PersistenceError::unreadable("webhook_inbox", "body", unreadable.to_string())
    })?;
    let channel = match &element.external_id {
        None => posted_to.clone(),
        Some(external_id) => message::find_sibling_channel(db, posted_to, external_id)?
            .ok_or_else(|| {
                let problem = "an element for a number this account does not have here";
                PersistenceError::unreadable("webhook_inbox", "body", problem)
            })?,
    };
    match event {
        ChannelEvent::Inbound(inbound) => {
            match message::apply_inbound(db, &channel, inbound, now)? {
                InboundOutcome::Kept { .. } => Ok(ElementOutcome::Applied),
                InboundOutcome::Copy => Ok(ElementOutcome::Copy),
            }
        }
        ChannelEvent::Receipt(receipt) => {
            match delivery::apply_receipt(db, channel.id, receipt, now)? {
                ReceiptOutcome::Recorded(_) => Ok(ElementOutcome::Applied),
                ReceiptOutcome::Copy => Ok(ElementOutcome::Copy),
                ReceiptOutcome::Waits => Ok(ElementOutcome::Waits),
            }
        }
        ChannelEvent::MarketingPreference { sender, stopped, at } => {
            once(db, &channel, &element.raw, now, |db| {
                apply_preference(db, &channel, sender, *stopped, *at, now)
            })
        }
        ChannelEvent::TemplateStatus { name, language, status, at } => {
            // A template is paused and approved again in the same words: only the instant tells a copy.
            let instant = at.map(|at| at.timestamp_millis());
            let text = format!("{} {}", instant.unwrap_or_default(), element.raw);
            once(db, &channel, &text, now, |db| {
                template_status::apply(db, &channel.account, name, language, status)
            })
        }
        ChannelEvent::Other { .. } => once(db, &channel, &element.raw, now, |_| Ok(())),
    }
}

/// Carries a change out unless its very `text` was seen on this channel before.
fn once(
    db: &mut Db,
    channel: &ChannelFacts,
    text: &str,
    now: DateTime<Utc>,
    change: impl FnOnce(&mut Db) -> Result<(), PersistenceError>,
) -> Result<ElementOutcome, PersistenceError> {
    let row = (
        seen_changes::channel_id.eq(channel.id.0),
        seen_changes::hash.eq(hex::encode(Sha256::digest(text.as_bytes()))),
        seen_changes::seen_at.eq(Instant::from(now)),
    );
    let is_new = on_either!(db => diesel::insert_into(seen_changes::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(db))?;
    if is_new == 0 {
        return Ok(ElementOutcome::Copy);
    }
    change(db)?;
    Ok(ElementOutcome::Applied)
}

/// The platform's own stop and resume concern marketing only (AD-09).
fn apply_preference(
    db: &mut Db,
    channel: &ChannelFacts,
    sender: &SenderIdentity,
    stopped: bool,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let contact = sender::find_or_create_sender(db, channel.addressed(), sender, now)?;
    if stopped {
        let source = OptOutSource::PlatformEvent;
        return opt_out::opt_out(db, contact, OptOutScope::Marketing, source, at);
    }
    let scopes = [OptOutScope::Marketing];
    opt_out::lift(db, contact, &scopes, OptOutSource::PlatformEvent, None, at)?;
    Ok(())
}

/// The webhook works: what AM-14 and the alert on silence ask for.
fn note_arrival(
    db: &mut Db,
    channel: &ChannelFacts,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    // Once a minute is enough to tell that it works, and spares the row a write per webhook.
    let a_minute_ago = Instant::from(now - chrono::TimeDelta::minutes(1));
    diesel::update(channels::table.find(channel.id.0).filter(
        channels::last_webhook_at.is_null().or(channels::last_webhook_at.lt(a_minute_ago)),
    ))
    .set(channels::last_webhook_at.eq(Some(Instant::from(now))))
    .execute(db)?;
    Ok(())
}

fn quarantine(
    db: &mut Db,
    webhook: &ParsedWebhook,
    element: &str,
    error: &str,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    diesel::insert_into(quarantined_events::table)
        .values((
            quarantined_events::inbox_id.eq(webhook.id.0),
            quarantined_events::channel_id.eq(webhook.channel.0),
            quarantined_events::element.eq(sender::without_nul(element)),
            quarantined_events::error.eq(sender::without_nul(error)),
            quarantined_events::at.eq(Instant::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// The error with its cause, for whoever looks at the quarantine.
fn reason(error: &PersistenceError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Whether the trouble is the database's as a whole, so that the same element may pass in a moment; what
/// is left is the element's own.
fn is_passing(error: &PersistenceError) -> bool {
    match error {
        PersistenceError::Busy
        | PersistenceError::ThreadLost
        | PersistenceError::Open { .. }
        | PersistenceError::Settings(_)
        | PersistenceError::Migration(_)
        | PersistenceError::Secret(_) => true,
        PersistenceError::NotFound
        | PersistenceError::Duplicate
        | PersistenceError::Denied
        | PersistenceError::Unreadable { .. } => false,
        PersistenceError::Database(DieselError::DatabaseError(kind, information)) => match kind {
            DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::RestrictViolation
            | DatabaseErrorKind::ExclusionViolation => false,
            DatabaseErrorKind::Unknown => !speaks_of_the_value(information.message()),
            _ => true,
        },
        PersistenceError::Database(
            DieselError::SerializationError(_)
            | DieselError::DeserializationError(_)
            | DieselError::QueryBuilderError(_)
            | DieselError::InvalidCString(_),
        ) => false,
        PersistenceError::Database(_) => true,
    }
}

/// Troubles of one value that diesel has no kind for, in PostgreSQL's and SQLite's words.
fn speaks_of_the_value(message: &str) -> bool {
    [
        "invalid byte sequence",
        "invalid input",
        "out of range",
        "too long",
        "too big",
        "datatype mismatch",
    ]
    .iter()
    .any(|words| message.contains(words))
}
