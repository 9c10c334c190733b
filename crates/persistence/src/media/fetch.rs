//! Fetching what contacts sent: noted with the message, claimed by one process at a time, ended once.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::InboundMedia,
    ids::{ChannelId, MessageId},
    media::{FileKind, INBOUND_KEPT, MediaId, MediaState, next_fetch},
};

use super::{delete_parts_but, new_id, read_id, read_kind, tell};
use crate::{
    conversation::ConversationId,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{media, messages},
    sender::without_nul,
    user::Actor,
};

/// Notes the file of `message`, in the transaction that keeps the message, to be fetched from now on.
pub(crate) fn note_inbound(
    db: &mut Db,
    channel: ChannelId,
    message: MessageId,
    inbound: &InboundMedia,
    now: DateTime<Utc>,
) -> Result<MediaId, PersistenceError> {
    let id = new_id()?;
    let platform_id = inbound.id.as_deref().filter(|_| !inbound.is_lost);
    let state = if platform_id.is_some() { MediaState::Waiting } else { MediaState::Lost };
    let text = |text: &Option<String>| text.as_deref().map(without_nul);
    diesel::insert_into(media::table)
        .values((
            media::id.eq(id.as_str()),
            media::channel_id.eq(channel.0),
            media::message_id.eq(Some(message.0)),
            media::kind.eq(FileKind::from(inbound.kind).as_str()),
            media::name.eq(text(&inbound.filename)),
            media::told_type.eq(text(&inbound.mime_type)),
            media::told_sha256.eq(text(&inbound.sha256)),
            media::platform_id.eq(platform_id.map(without_nul)),
            media::state.eq(state.as_str()),
            media::take.eq(0),
            media::attempts.eq(0),
            media::due_at.eq(platform_id.map(|_| Instant::from(now))),
            media::created_at.eq(Instant::from(now)),
        ))
        .execute(db)?;
    Ok(id)
}

/// A file in the hands of one process.
#[derive(Debug, Clone)]
pub struct ClaimedFetch {
    /// Which.
    pub id: MediaId,
    /// Over which channel it came.
    pub channel: ChannelId,
    /// What it was sent as.
    pub kind: FileKind,
    /// The platform's id of it.
    pub platform_id: String,
    /// The digest it was announced by; `None` when it was not.
    pub told_sha256: Option<String>,
    /// Attempts made, this one included; names the parts of this attempt, and fences it.
    pub take: i64,
    /// When the contact sent it.
    sent_at: DateTime<Utc>,
}

#[derive(Queryable)]
struct DueRow {
    id: String,
    channel_id: i64,
    kind: String,
    platform_id: Option<String>,
    told_sha256: Option<String>,
    attempts: i64,
    sent_at: Option<Instant>,
    created_at: Instant,
}

/// Whether any file is due, to be fetched or handed over.
///
/// # Errors
/// When the database fails.
pub fn has_due(db: &mut Db, now: DateTime<Utc>) -> Result<bool, PersistenceError> {
    let due = media::table.filter(media::due_at.le(Instant::from(now)));
    Ok(diesel::select(diesel::dsl::exists(due)).get_result(db)?)
}

/// Takes at most `most` files that are due, the longest due first, for `lease`: nobody else is given them before it
/// ends. Counts as an attempt. Those the platform keeps no longer are ended instead.
///
/// # Errors
/// When the database fails.
pub fn claim_fetches(
    db: &mut Db,
    most: usize,
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Vec<ClaimedFetch>, PersistenceError> {
    db.write(|db| {
        let ids = lock_due(db, MediaState::Waiting, most, now)?;
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<DueRow> = media::table
            .left_join(messages::table)
            .filter(media::id.eq_any(&ids))
            .order((media::due_at.asc(), media::id.asc()))
            .select((
                media::id,
                media::channel_id,
                media::kind,
                media::platform_id,
                media::told_sha256,
                media::attempts,
                messages::occurred_at.nullable(),
                media::created_at,
            ))
            .load(db)?;
        let mut claims = Vec::with_capacity(rows.len());
        for row in rows {
            claims.extend(claim(db, row, lease, now)?);
        }
        Ok(claims)
    })
}

/// The files in `state` that are due, locked; on PostgreSQL those another process is at are passed over.
pub(super) fn lock_due(
    db: &mut Db,
    state: MediaState,
    most: usize,
    now: DateTime<Utc>,
) -> Result<Vec<String>, PersistenceError> {
    let due = media::table
        .filter(media::due_at.le(Instant::from(now)))
        .filter(media::state.eq(state.as_str()))
        .order(media::due_at.asc())
        .limit(i64::try_from(most).unwrap_or(i64::MAX))
        .select(media::id);
    Ok(match db {
        // The transaction holds the only write lock already.
        Db::Sqlite(sqlite) => due.load(sqlite)?,
        Db::Postgres(postgres) => due.for_update().skip_locked().load(postgres)?,
    })
}

fn claim(
    db: &mut Db,
    row: DueRow,
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Option<ClaimedFetch>, PersistenceError> {
    let id = read_id(&row.id)?;
    let sent_at = row.sent_at.unwrap_or(row.created_at).into();
    let platform_id = row.platform_id.filter(|_| now < sent_at + INBOUND_KEPT);
    let Some(platform_id) = platform_id else {
        end(db, &id, row.attempts, MediaState::Expired)?;
        return Ok(None);
    };
    let take = row.attempts + 1;
    diesel::update(media::table.find(&row.id))
        .set((media::attempts.eq(take), media::due_at.eq(Some(Instant::from(now + lease)))))
        .execute(db)?;
    Ok(Some(ClaimedFetch {
        id,
        channel: ChannelId(row.channel_id),
        kind: read_kind(&row.kind)?,
        platform_id,
        told_sha256: row.told_sha256,
        take,
        sent_at,
    }))
}

/// What was fetched whole.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// By its first bytes.
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    /// Of a picture.
    pub picture: Option<KeptPicture>,
}

/// What a picture is besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPicture {
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// The same picture, small.
    pub small: Vec<u8>,
}

/// Ends a fetch: the parts saved under its take are the file from now on, or it ends as `Err` says. False when the
/// claim is not valid any more, which changes nothing.
///
/// # Errors
/// When the database fails.
pub fn end_fetch(
    db: &mut Db,
    claim: &ClaimedFetch,
    outcome: Result<&Fetched, MediaState>,
) -> Result<bool, PersistenceError> {
    db.write(|db| {
        let fetched = match outcome {
            Ok(fetched) => fetched,
            Err(state) => return end(db, &claim.id, claim.take, state),
        };
        let picture = fetched.picture.as_ref();
        let ended = diesel::update(still_claimed(&claim.id, claim.take))
            .set((
                media::state.eq(MediaState::Kept.as_str()),
                media::content_type.eq(Some(&fetched.content_type)),
                media::size.eq(Some(i64::try_from(fetched.size).unwrap_or(i64::MAX))),
                media::width.eq(picture.map(|picture| i64::from(picture.width))),
                media::height.eq(picture.map(|picture| i64::from(picture.height))),
                media::small.eq(picture.map(|picture| picture.small.as_slice())),
                media::take.eq(claim.take),
                media::due_at.eq(None::<Instant>),
            ))
            .execute(db)?;
        if ended == 1 {
            delete_parts_but(db, &claim.id, Some(claim.take))?;
            tell_of(db, &claim.id)?;
        }
        Ok(ended == 1)
    })
}

/// Notes that an attempt failed: it is tried again later, or never when the platform keeps it no longer by then.
///
/// # Errors
/// When the database fails.
pub fn give_up_fetch(
    db: &mut Db,
    claim: &ClaimedFetch,
    now: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    db.write(|db| {
        let attempts = u32::try_from(claim.take).unwrap_or(u32::MAX);
        let Some(at) = next_fetch(attempts, claim.sent_at, now) else {
            return end(db, &claim.id, claim.take, MediaState::Expired);
        };
        let put_off = diesel::update(still_claimed(&claim.id, claim.take))
            .set(media::due_at.eq(Some(Instant::from(at))))
            .execute(db)?;
        if put_off == 1 {
            delete_parts_but(db, &claim.id, None)?;
            tell_of(db, &claim.id)?;
        }
        Ok(put_off == 1)
    })
}

/// Fetches a file that is waiting at once, for whoever may see the conversation it stands in.
///
/// # Errors
/// `NotFound` when there is none, or `actor` may not know of it.
pub fn try_again(
    db: &mut Db,
    actor: &Actor,
    id: &MediaId,
    now: DateTime<Utc>,
) -> Result<ConversationId, PersistenceError> {
    db.write(|db| {
        let conversation = super::read::require_access(db, actor, id)?;
        // Should someone be at it just now, it is fetched twice and kept once: the fence sees to that.
        diesel::update(
            media::table
                .find(id.as_str())
                .filter(media::state.eq(MediaState::Waiting.as_str()))
                .filter(media::due_at.gt(Instant::from(now))),
        )
        .set(media::due_at.eq(Some(Instant::from(now))))
        .execute(db)?;
        Ok(conversation)
    })
}

/// Ends the file under the fence `take`, with nothing kept of it.
fn end(db: &mut Db, id: &MediaId, take: i64, state: MediaState) -> Result<bool, PersistenceError> {
    let ended = diesel::update(still_claimed(id, take))
        .set((
            media::state.eq(state.as_str()),
            media::reason.eq(state.reason()),
            media::due_at.eq(None::<Instant>),
        ))
        .execute(db)?;
    if ended == 1 {
        delete_parts_but(db, id, None)?;
        tell_of(db, id)?;
    }
    Ok(ended == 1)
}

type StillClaimed<'a> = diesel::dsl::Filter<
    diesel::dsl::Filter<
        diesel::dsl::Find<media::table, &'a str>,
        diesel::dsl::Eq<media::state, &'static str>,
    >,
    diesel::dsl::Eq<media::attempts, i64>,
>;

/// The file while it is waiting and nobody else has claimed it since.
fn still_claimed(id: &MediaId, take: i64) -> StillClaimed<'_> {
    media::table
        .find(id.as_str())
        .filter(media::state.eq(MediaState::Waiting.as_str()))
        .filter(media::attempts.eq(take))
}

fn tell_of(db: &mut Db, id: &MediaId) -> Result<(), PersistenceError> {
    let message: Option<i64> =
        media::table.find(id.as_str()).select(media::message_id).first(db)?;
    message.map_or(Ok(()), |message| tell(db, MessageId(message)))
}
