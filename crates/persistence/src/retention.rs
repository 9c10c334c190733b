//! Deletes what was kept long enough (JO-04), some rows at a time.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{decisions, early_receipts, quarantined_events, seen_changes, webhook_inbox},
};

/// Deletes webhooks that were done at or before `until`, at most `limit`. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn delete_done_webhooks(
    db: &mut Db,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<usize, PersistenceError> {
    let ids: Vec<i64> = webhook_inbox::table
        .filter(webhook_inbox::done_at.le(Instant::from(until)))
        .order(webhook_inbox::id.asc())
        .limit(limit)
        .select(webhook_inbox::id)
        .load(db)?;
    Ok(diesel::delete(webhook_inbox::table.filter(webhook_inbox::id.eq_any(ids))).execute(db)?)
}

/// Deletes decisions that refused at or before `until`, at most `limit`; one that admitted lives as long
/// as its send. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn delete_refusals(
    db: &mut Db,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<usize, PersistenceError> {
    let ids: Vec<i64> = decisions::table
        .filter(decisions::at.le(Instant::from(until)))
        .filter(decisions::allowed.eq(false))
        .order(decisions::at.asc())
        .limit(limit)
        .select(decisions::id)
        .load(db)?;
    Ok(diesel::delete(decisions::table.filter(decisions::id.eq_any(ids))).execute(db)?)
}

/// Forgets changes seen at or before `until`, at most `limit`. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn delete_seen_changes(
    db: &mut Db,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<usize, PersistenceError> {
    let seen: Vec<(i64, String)> = seen_changes::table
        .filter(seen_changes::seen_at.le(Instant::from(until)))
        .limit(limit)
        .select((seen_changes::channel_id, seen_changes::hash))
        .load(db)?;
    for (channel, hash) in &seen {
        diesel::delete(seen_changes::table.find((channel, hash))).execute(db)?;
    }
    Ok(seen.len())
}

/// Puts receipts aside that came at or before `until` and whose message never did, at most `limit`.
/// Returns how many.
///
/// # Errors
/// When the database fails.
pub fn put_stray_receipts_aside(
    db: &mut Db,
    until: DateTime<Utc>,
    limit: i64,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    let strays: Vec<(i64, i64, String, String)> = early_receipts::table
        .filter(early_receipts::received_at.le(Instant::from(until)))
        .order(early_receipts::received_at.asc())
        .limit(limit)
        .select((
            early_receipts::id,
            early_receipts::channel_id,
            early_receipts::provider_id,
            early_receipts::kind,
        ))
        .load(db)?;
    for (id, channel, provider_id, kind) in &strays {
        let element = serde_json::json!({ "provider_id": provider_id, "status": kind });
        diesel::insert_into(quarantined_events::table)
            .values((
                quarantined_events::inbox_id.eq(0),
                quarantined_events::channel_id.eq(channel),
                quarantined_events::element.eq(element.to_string()),
                quarantined_events::error.eq("a receipt for no message of ours"),
                quarantined_events::at.eq(Instant::from(now)),
            ))
            .execute(db)?;
        diesel::delete(early_receipts::table.find(id)).execute(db)?;
    }
    Ok(strays.len())
}
