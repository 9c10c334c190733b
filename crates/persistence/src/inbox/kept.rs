//! What the platform told and this program has no use for: one row for each kind, with how often it came and the
//! latest of it. What came in between stands in the raw webhooks for as long as those are kept.

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*};
use domain::ids::ChannelId;

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::kept_events,
    sender::without_nul,
};

/// The most kinds that are told apart.
const MOST_KINDS: i64 = 200;
/// Stands for those beyond.
const OTHER_KINDS: &str = "(others)";
/// The most characters of a kind, and of the latest of it.
const LONGEST_KIND: usize = 100;
const LONGEST_RAW: usize = 20_000;

/// A kind of what nobody has a use for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptKind {
    /// The platform's name of the field or type.
    pub kind: String,
    /// Whether the protocol names it.
    pub is_known: bool,
    /// How often it came.
    pub seen: u64,
    /// When it first did.
    pub first_seen_at: DateTime<Utc>,
    /// When it last did.
    pub last_seen_at: DateTime<Utc>,
}

/// Something to be kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keep<'a> {
    pub channel: ChannelId,
    pub kind: &'a str,
    pub is_known: bool,
    pub raw: &'a str,
}

/// Counts what came and keeps it as the latest of its kind.
pub(super) fn keep(
    db: &mut Db,
    keep: Keep<'_>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let kind = without_nul(&cut(keep.kind, LONGEST_KIND));
    let kind = if is_room_for(db, &kind)? { kind } else { OTHER_KINDS.to_owned() };
    let at = Instant::from(now);
    let latest = without_nul(&cut(keep.raw, LONGEST_RAW));
    let row = (
        kept_events::kind.eq(&kind),
        kept_events::known.eq(keep.is_known),
        kept_events::seen.eq(0_i64),
        kept_events::first_seen_at.eq(at),
        kept_events::last_seen_at.eq(at),
        kept_events::channel_id.eq(keep.channel.0),
        kept_events::latest.eq(""),
    );
    on_either!(db => diesel::insert_into(kept_events::table)
        .values(row)
        .on_conflict_do_nothing()
        .execute(db))?;
    diesel::update(kept_events::table.find(&kind))
        .set((
            kept_events::seen.eq(kept_events::seen + 1),
            kept_events::last_seen_at.eq(at),
            kept_events::channel_id.eq(keep.channel.0),
            kept_events::latest.eq(latest),
        ))
        .execute(db)?;
    Ok(())
}

fn is_room_for(db: &mut Db, kind: &str) -> Result<bool, PersistenceError> {
    let is_there = diesel::select(exists(kept_events::table.find(kind))).get_result(db)?;
    if is_there {
        return Ok(true);
    }
    let kinds: i64 = kept_events::table.count().get_result(db)?;
    Ok(kinds < MOST_KINDS)
}

fn cut(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

/// What is kept, by kind.
///
/// # Errors
/// When the database fails.
pub fn list_kept(db: &mut Db) -> Result<Vec<KeptKind>, PersistenceError> {
    let rows: Vec<(String, bool, i64, Instant, Instant)> = kept_events::table
        .order(kept_events::kind.asc())
        .select((
            kept_events::kind,
            kept_events::known,
            kept_events::seen,
            kept_events::first_seen_at,
            kept_events::last_seen_at,
        ))
        .load(db)?;
    let read =
        |(kind, is_known, seen, first_seen_at, last_seen_at): (_, _, i64, Instant, Instant)| {
            KeptKind {
                kind,
                is_known,
                seen: u64::try_from(seen).unwrap_or_default(),
                first_seen_at: first_seen_at.into(),
                last_seen_at: last_seen_at.into(),
            }
        };
    Ok(rows.into_iter().map(read).collect())
}

/// Forgets kinds that came last at or before `until`, at most `limit`. Returns how many.
///
/// # Errors
/// When the database fails.
pub fn delete_kept(
    db: &mut Db,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<usize, PersistenceError> {
    let kinds: Vec<String> = kept_events::table
        .filter(kept_events::last_seen_at.le(Instant::from(until)))
        .order(kept_events::last_seen_at.asc())
        .limit(limit)
        .select(kept_events::kind)
        .load(db)?;
    Ok(diesel::delete(kept_events::table.filter(kept_events::kind.eq_any(kinds))).execute(db)?)
}
