//! Handing files over to the platform before their messages may go: repeatable, and so never a reason to send twice.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{MediaSource, OutgoingMedia, PlatformRefusal},
    delivery::{EventSource, Failure},
    ids::{ChannelId, MessageId},
    media::{FileKind, MediaId, MediaState, UPLOAD_KEPT},
};

use super::{
    fetch::lock_due,
    read::{KeptFile, find_kept},
    read_id, read_kind,
};
use crate::{
    db::Db,
    delivery,
    error::PersistenceError,
    instant::Instant,
    schema::{media, outbox},
};

/// The first wait after an attempt that failed; it doubles with each.
const FIRST_WAIT: TimeDelta = TimeDelta::seconds(5);
/// The longest wait.
const LONGEST_WAIT: TimeDelta = TimeDelta::minutes(10);
/// A file that the platform forgets so soon is handed over anew.
const SPARE: TimeDelta = TimeDelta::days(1);

/// What a message that carries a file is to be sent with.
pub(crate) enum OutgoingFile {
    /// All is there.
    Ready(OutgoingMedia),
    /// The platform does not have it yet.
    OnItsWay,
}

/// The file of `message` as the platform knows it. One that it does not have, or forgets soon, is due to be handed
/// over from now on.
pub(crate) fn find_outgoing(
    db: &mut Db,
    message: MessageId,
    caption: String,
    now: DateTime<Utc>,
) -> Result<OutgoingFile, PersistenceError> {
    type Found = (
        String,
        String,
        Option<String>,
        Option<String>,
        Option<String>,
        Option<Instant>,
        Option<Instant>,
    );
    let (id, kind, name, link, platform_id, platform_until, due_at): Found = media::table
        .filter(media::message_id.eq(message.0))
        .select((
            media::id,
            media::kind,
            media::name,
            media::link,
            media::platform_id,
            media::platform_until,
            media::due_at,
        ))
        .first(db)?;
    let kind = read_kind(&kind)?;
    let is_remembered = platform_until.is_some_and(|until| now + SPARE < until.into());
    let source = match (link, platform_id.filter(|_| is_remembered)) {
        (Some(link), _) => MediaSource::Link(link),
        (None, Some(id)) => MediaSource::Uploaded(id),
        (None, None) => {
            if due_at.is_none() {
                make_due(db, &id, now)?;
            }
            return Ok(OutgoingFile::OnItsWay);
        }
    };
    let caption = Some(caption).filter(|text| kind.takes_caption() && !text.is_empty());
    let name = name.filter(|_| kind == FileKind::Document);
    Ok(OutgoingFile::Ready(OutgoingMedia { kind, source, caption, name }))
}

fn make_due(db: &mut Db, id: &str, at: DateTime<Utc>) -> Result<(), PersistenceError> {
    diesel::update(media::table.find(id))
        .set(media::due_at.eq(Some(Instant::from(at))))
        .execute(db)?;
    Ok(())
}

/// A file to be handed over, in the hands of one process.
#[derive(Debug, Clone)]
pub struct ClaimedUpload {
    /// What is handed over.
    pub file: KeptFile,
    /// Over which channel.
    pub channel: ChannelId,
    /// The message that waits for it.
    message: MessageId,
    /// Attempts made, this one included; fences it.
    attempts: i64,
}

/// Takes at most `most` files that are due to be handed over, for `lease`. One whose message needs it no more is let
/// go instead.
///
/// # Errors
/// When the database fails.
pub fn claim_uploads(
    db: &mut Db,
    most: usize,
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Vec<ClaimedUpload>, PersistenceError> {
    db.write(|db| {
        let ids = lock_due(db, MediaState::Kept, most, now)?;
        let mut claims = Vec::with_capacity(ids.len());
        for id in ids {
            claims.extend(claim(db, &read_id(&id)?, lease, now)?);
        }
        Ok(claims)
    })
}

fn claim(
    db: &mut Db,
    id: &MediaId,
    lease: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Option<ClaimedUpload>, PersistenceError> {
    let (channel, message, attempts): (i64, Option<i64>, i64) = media::table
        .find(id.as_str())
        .select((media::channel_id, media::message_id, media::attempts))
        .first(db)?;
    let waits = outbox::table.find(message.unwrap_or_default()).select(outbox::message_id);
    let waiting: Option<i64> = waits.first(db).optional()?;
    let Some(message) = waiting else {
        diesel::update(media::table.find(id.as_str()))
            .set(media::due_at.eq(None::<Instant>))
            .execute(db)?;
        return Ok(None);
    };
    diesel::update(media::table.find(id.as_str()))
        .set((media::attempts.eq(attempts + 1), media::due_at.eq(Some(Instant::from(now + lease)))))
        .execute(db)?;
    Ok(Some(ClaimedUpload {
        file: find_kept(db, id)?,
        channel: ChannelId(channel),
        message: MessageId(message),
        attempts: attempts + 1,
    }))
}

/// What became of handing a file over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HandedOver {
    /// The platform has it, by this id.
    Taken(String),
    /// The platform never takes it: its message ends with these words.
    NotTaken(PlatformRefusal),
    /// It may go better another time.
    PutOff,
}

/// Records what became of handing a file over. When the platform has it, its message is due at once. False when the
/// claim is not valid any more, which changes nothing.
///
/// # Errors
/// When the database fails.
pub fn end_hand_over(
    db: &mut Db,
    claim: &ClaimedUpload,
    outcome: &HandedOver,
    now: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    db.write(|db| {
        let claimed =
            || media::table.find(claim.file.id.as_str()).filter(media::attempts.eq(claim.attempts));
        let no_more = media::due_at.eq(None::<Instant>);
        let ended = match outcome {
            HandedOver::Taken(platform_id) => diesel::update(claimed())
                .set((
                    media::platform_id.eq(Some(platform_id)),
                    media::platform_until.eq(Some(Instant::from(now + UPLOAD_KEPT))),
                    no_more,
                ))
                .execute(db)?,
            HandedOver::NotTaken(_) => diesel::update(claimed()).set(no_more).execute(db)?,
            HandedOver::PutOff => {
                let doublings = (claim.attempts - 1).clamp(0, 16);
                let wait = (FIRST_WAIT * (1 << doublings)).min(LONGEST_WAIT);
                diesel::update(claimed())
                    .set(media::due_at.eq(Some(Instant::from(now + wait))))
                    .execute(db)?
            }
        };
        if ended == 0 {
            return Ok(false);
        }
        match outcome {
            HandedOver::Taken(_) => {
                diesel::update(outbox::table.find(claim.message.0))
                    .filter(outbox::state.eq("queued"))
                    .set(outbox::due_at.eq(Instant::from(now)))
                    .execute(db)?;
            }
            HandedOver::NotTaken(refusal) => {
                let failure = Failure::from_code(&refusal.code);
                let title = Some(refusal.title.as_str());
                delivery::fail(db, claim.message, failure, title, EventSource::Dispatcher, now)?;
            }
            HandedOver::PutOff => {}
        }
        Ok(true)
    })
}
