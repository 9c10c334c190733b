//! Deletes what was kept long enough (JO-04), some rows at a time.

use chrono::{DateTime, Utc};
use diesel::prelude::*;

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    message,
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

/// Forgets edits and revocations that came at or before `until` and whose message never did, at most `limit`.
/// Returns how many.
///
/// # Errors
/// When the database fails.
pub fn delete_stray_changes(
    db: &mut Db,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<usize, PersistenceError> {
    message::delete_stray_changes(db, until, limit)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::clock::Clock;

    use super::*;
    use crate::{
        inbox,
        schema::{kept_events, message_changes},
        test_desk::TestDesk,
        test_support::on_both,
    };

    /// A row of a kind that is kept for a while, and how it goes.
    struct Kind {
        name: &'static str,
        insert: fn(&mut Db, &TestDesk, DateTime<Utc>) -> QueryResult<usize>,
        delete: fn(&mut Db, DateTime<Utc>) -> Result<usize, PersistenceError>,
    }

    const KINDS: [Kind; 6] = [
        Kind {
            name: "a webhook that is done",
            insert: |db, desk, at| {
                diesel::insert_into(webhook_inbox::table)
                    .values((
                        webhook_inbox::channel_id.eq(desk.channel.0),
                        webhook_inbox::received_at.eq(Instant::from(at)),
                        webhook_inbox::body.eq(Vec::new()),
                        webhook_inbox::done_at.eq(Some(Instant::from(at))),
                    ))
                    .execute(db)
            },
            delete: |db, until| delete_done_webhooks(db, until, 10),
        },
        Kind {
            name: "a refusal",
            insert: |db, desk, at| {
                diesel::insert_into(decisions::table)
                    .values((
                        decisions::at.eq(Instant::from(at)),
                        decisions::chatbot_id.eq(desk.chatbot.0),
                        decisions::policy_id.eq(1_i64),
                        decisions::door.eq("desk"),
                        decisions::allowed.eq(false),
                        decisions::codes.eq("agent_not_available"),
                        decisions::facts.eq("{}"),
                    ))
                    .execute(db)
            },
            delete: |db, until| delete_refusals(db, until, 10),
        },
        Kind {
            name: "a change that was seen",
            insert: |db, desk, at| {
                diesel::insert_into(seen_changes::table)
                    .values((
                        seen_changes::channel_id.eq(desk.channel.0),
                        seen_changes::hash.eq("00"),
                        seen_changes::seen_at.eq(Instant::from(at)),
                    ))
                    .execute(db)
            },
            delete: |db, until| delete_seen_changes(db, until, 10),
        },
        Kind {
            name: "a receipt whose message never came",
            insert: |db, desk, at| {
                diesel::insert_into(early_receipts::table)
                    .values((
                        early_receipts::channel_id.eq(desk.channel.0),
                        early_receipts::provider_id.eq("wamid.stray"),
                        early_receipts::kind.eq("sent"),
                        early_receipts::at.eq(Instant::from(at)),
                        early_receipts::received_at.eq(Instant::from(at)),
                    ))
                    .execute(db)
            },
            delete: |db, until| put_stray_receipts_aside(db, until, 10, until),
        },
        Kind {
            name: "an edit whose message never came",
            insert: |db, desk, at| {
                diesel::insert_into(message_changes::table)
                    .values((
                        message_changes::channel_id.eq(desk.channel.0),
                        message_changes::provider_id.eq("wamid.stray"),
                        message_changes::change_id.eq("wamid.edit"),
                        message_changes::kind.eq("edit"),
                        message_changes::message_kind.eq("text"),
                        message_changes::body.eq("hi"),
                        message_changes::payload.eq("{}"),
                        message_changes::at.eq(Instant::from(at)),
                        message_changes::received_at.eq(Instant::from(at)),
                    ))
                    .execute(db)
            },
            delete: |db, until| delete_stray_changes(db, until, 10),
        },
        Kind {
            name: "what came and nobody has a use for",
            insert: |db, desk, at| {
                diesel::insert_into(kept_events::table)
                    .values((
                        kept_events::kind.eq("flows"),
                        kept_events::known.eq(true),
                        kept_events::seen.eq(7_i64),
                        // Long ago first, and again at last.
                        kept_events::first_seen_at.eq(Instant::from(at - TimeDelta::days(400))),
                        kept_events::last_seen_at.eq(Instant::from(at)),
                        kept_events::channel_id.eq(desk.channel.0),
                        kept_events::latest.eq("{}"),
                    ))
                    .execute(db)
            },
            delete: |db, until| inbox::delete_kept(db, until, 10),
        },
    ];

    #[test]
    fn jo_04_each_kind_goes_at_its_age_and_not_a_millisecond_earlier() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let at = desk.clock.now();
            for kind in KINDS {
                let gone = store
                    .blocking_write(|db| {
                        (kind.insert)(db, &desk, at)?;
                        let early = (kind.delete)(db, at - TimeDelta::milliseconds(1))?;
                        Ok((early, (kind.delete)(db, at)?))
                    })
                    .unwrap();
                assert_eq!(gone, (0, 1), "{}", kind.name);
            }
            assert_eq!(desk.count_quarantined(), 1, "the stray receipt can still be looked at");
        });
    }

    #[test]
    fn jo_04_what_is_not_done_or_was_admitted_stays_whatever_its_age() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            desk.send(desk.agents[0], "+351912345678");
            let much_later = desk.clock.now() + TimeDelta::days(4_000);
            let gone = store
                .blocking_write(|db| {
                    diesel::insert_into(webhook_inbox::table)
                        .values((
                            webhook_inbox::channel_id.eq(desk.channel.0),
                            webhook_inbox::received_at.eq(Instant::from(desk.clock.now())),
                            webhook_inbox::body.eq(Vec::new()),
                        ))
                        .execute(db)?;
                    let refusals = delete_refusals(db, much_later, 10)?;
                    Ok((refusals, delete_done_webhooks(db, much_later, 10)?))
                })
                .unwrap();
            assert_eq!(gone, (0, 0));
        });
    }
}
