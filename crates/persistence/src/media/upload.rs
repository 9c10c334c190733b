//! Files that agents choose: kept while they come in, given to a message when it is sent, gone when it never is.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::{ChannelId, MessageId, UserId},
    media::{FileKind, MediaId, MediaState},
};

use super::{KeptPicture, new_id, read_id, read_kind, read_size};
use crate::{
    db::Db, error::PersistenceError, instant::Instant, schema::media, sender::without_nul,
    user::Actor,
};

/// The parts of a file that an agent chose are of this take; nobody fetches it anew.
pub const UPLOADED: i64 = 0;

/// A file of which the first bytes are there.
#[derive(Debug, Clone)]
pub struct NewUpload {
    /// Over which channel it is to go.
    pub channel: ChannelId,
    /// What it is sent as.
    pub kind: FileKind,
    /// What it is called.
    pub name: String,
    /// By its first bytes.
    pub content_type: String,
}

/// A file that an agent chose, or the address of one, before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnsentFile {
    /// Which.
    pub id: MediaId,
    /// What it is sent as.
    pub kind: FileKind,
    /// What it is called.
    pub name: String,
    /// In bytes.
    pub size: u64,
}

/// Makes room for a file that `actor` is uploading; its parts follow, then [`end_upload`].
///
/// # Errors
/// When the database fails.
pub fn begin_upload(
    db: &mut Db,
    actor: &Actor,
    new: &NewUpload,
    now: DateTime<Utc>,
) -> Result<MediaId, PersistenceError> {
    insert(db, actor.id(), new, None, now)
}

fn insert(
    db: &mut Db,
    by: UserId,
    new: &NewUpload,
    link: Option<&str>,
    now: DateTime<Utc>,
) -> Result<MediaId, PersistenceError> {
    let id = new_id()?;
    diesel::insert_into(media::table)
        .values((
            media::id.eq(id.as_str()),
            media::channel_id.eq(new.channel.0),
            media::uploaded_by.eq(Some(by.0)),
            media::kind.eq(new.kind.as_str()),
            media::name.eq(Some(without_nul(&new.name))),
            media::content_type.eq(Some(&new.content_type)),
            media::link.eq(link),
            media::state.eq(MediaState::Waiting.as_str()),
            media::take.eq(UPLOADED),
            media::attempts.eq(0),
            media::created_at.eq(Instant::from(now)),
        ))
        .execute(db)?;
    Ok(id)
}

/// Ends an upload: all its parts are there.
///
/// # Errors
/// `NotFound` when it is not `actor`'s, or ended before.
pub fn end_upload(
    db: &mut Db,
    actor: &Actor,
    id: &MediaId,
    size: u64,
    picture: Option<&KeptPicture>,
) -> Result<(), PersistenceError> {
    let ended = diesel::update(
        media::table
            .find(id.as_str())
            .filter(media::uploaded_by.eq(actor.id().0))
            .filter(media::state.eq(MediaState::Waiting.as_str())),
    )
    .set((
        media::state.eq(MediaState::Kept.as_str()),
        media::size.eq(Some(i64::try_from(size).unwrap_or(i64::MAX))),
        media::width.eq(picture.map(|picture| i64::from(picture.width))),
        media::height.eq(picture.map(|picture| i64::from(picture.height))),
        media::small.eq(picture.map(|picture| picture.small.as_slice())),
    ))
    .execute(db)?;
    if ended == 1 { Ok(()) } else { Err(PersistenceError::NotFound) }
}

/// Forgets an upload that came to nothing, with its parts.
///
/// # Errors
/// When the database fails.
pub fn drop_upload(db: &mut Db, actor: &Actor, id: &MediaId) -> Result<(), PersistenceError> {
    diesel::delete(
        media::table
            .find(id.as_str())
            .filter(media::uploaded_by.eq(actor.id().0))
            .filter(media::message_id.is_null()),
    )
    .execute(db)?;
    Ok(())
}

/// Keeps the address of a file that `actor` looked at: the platform fetches it from there.
///
/// # Errors
/// When the database fails.
pub fn save_link(
    db: &mut Db,
    actor: &Actor,
    new: &NewUpload,
    link: &str,
    size: u64,
    now: DateTime<Utc>,
) -> Result<MediaId, PersistenceError> {
    db.write(|db| {
        let id = insert(db, actor.id(), new, Some(link), now)?;
        end_upload(db, actor, &id, size, None)?;
        Ok(id)
    })
}

/// The file `id` that `actor` chose and has not sent yet; `None` when there is none.
///
/// # Errors
/// When the database fails.
pub fn find_unsent(
    db: &mut Db,
    actor: &Actor,
    id: &MediaId,
) -> Result<Option<UnsentFile>, PersistenceError> {
    type Found = (String, String, Option<String>, Option<i64>);
    let found: Option<Found> = media::table
        .find(id.as_str())
        .filter(media::uploaded_by.eq(actor.id().0))
        .filter(media::message_id.is_null())
        .filter(media::state.eq(MediaState::Kept.as_str()))
        .select((media::id, media::kind, media::name, media::size))
        .first(db)
        .optional()?;
    let read = |(id, kind, name, size): Found| {
        Ok(UnsentFile {
            id: read_id(&id)?,
            kind: read_kind(&kind)?,
            name: name.unwrap_or_default(),
            size: read_size(size.unwrap_or_default())?,
        })
    };
    found.map(read).transpose()
}

/// Gives an unsent file to the message it goes with. What is kept here is due to be handed over from now on; of an
/// address there is nothing to hand over. False when it was given to another message before.
pub(crate) fn give_to_message(
    db: &mut Db,
    actor: &Actor,
    id: &MediaId,
    message: MessageId,
    now: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    let unsent = media::table
        .find(id.as_str())
        .filter(media::uploaded_by.eq(actor.id().0))
        .filter(media::message_id.is_null());
    let given = diesel::update(unsent).set(media::message_id.eq(Some(message.0))).execute(db)?;
    diesel::update(media::table.find(id.as_str()).filter(media::link.is_null()))
        .set(media::due_at.eq(Some(Instant::from(now))))
        .execute(db)?;
    Ok(given == 1)
}

/// Deletes up to `most` files that were chosen at or before `until` and never sent, and tells how many.
///
/// # Errors
/// When the database fails.
pub fn delete_unsent(
    db: &mut Db,
    until: DateTime<Utc>,
    most: i64,
) -> Result<usize, PersistenceError> {
    let ids: Vec<String> = media::table
        .filter(media::message_id.is_null())
        .filter(media::created_at.le(Instant::from(until)))
        .order(media::created_at.asc())
        .limit(most)
        .select(media::id)
        .load(db)?;
    Ok(diesel::delete(media::table.filter(media::id.eq_any(ids))).execute(db)?)
}
