//! Media files as found behind an address: fetched once, shown to whoever asked, from our own address.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{channel::MediaFile, ids::UserId, template::MediaKind};

use crate::{
    db::Db, error::PersistenceError, instant::Instant, schema::media_previews, secret::random_bytes,
};

/// How long a fetched file is kept to be shown: as long as its send stays on the desk.
pub const MEDIA_KEPT: TimeDelta = TimeDelta::hours(72);

/// A file as it was found, kept for its preview.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPreview {
    /// Random, 128 bits in hex; names it in our own address.
    pub id: String,
    /// What it is.
    pub file: MediaFile,
}

type PreviewRow = (String, String, String, i64, Option<Vec<u8>>);

fn read_preview(
    (id, content_type, name, size, preview): PreviewRow,
) -> Result<MediaPreview, PersistenceError> {
    let unreadable = |_| PersistenceError::unreadable("media_previews", "size", size.to_string());
    let size = u64::try_from(size).map_err(unreadable)?;
    Ok(MediaPreview { id, file: MediaFile { content_type, size, name, preview } })
}

fn kind_word(kind: MediaKind) -> &'static str {
    match kind {
        MediaKind::Image => "image",
        MediaKind::Video => "video",
        MediaKind::Document => "document",
    }
}

/// Keeps what `owner` had looked at behind `url`.
///
/// # Errors
/// When the database fails.
pub fn save_media(
    db: &mut Db,
    owner: UserId,
    url: &str,
    kind: MediaKind,
    file: MediaFile,
    now: DateTime<Utc>,
) -> Result<MediaPreview, PersistenceError> {
    let id = hex::encode(random_bytes::<16>()?);
    let size = i64::try_from(file.size).unwrap_or(i64::MAX);
    diesel::insert_into(media_previews::table)
        .values((
            media_previews::id.eq(&id),
            media_previews::owner_id.eq(owner.0),
            media_previews::url.eq(url),
            media_previews::kind.eq(kind_word(kind)),
            media_previews::content_type.eq(&file.content_type),
            media_previews::name.eq(&file.name),
            media_previews::size.eq(size),
            media_previews::bytes.eq(file.preview.as_deref()),
            media_previews::created_at.eq(Instant::from(now)),
        ))
        .execute(db)?;
    Ok(MediaPreview { id, file })
}

/// Deletes up to `most` files looked at at or before `until`, and tells how many.
///
/// # Errors
/// When the database fails.
pub fn delete_media_until(
    db: &mut Db,
    until: DateTime<Utc>,
    most: i64,
) -> Result<usize, PersistenceError> {
    let ids: Vec<String> = media_previews::table
        .filter(media_previews::created_at.le(Instant::from(until)))
        .order(media_previews::created_at.asc())
        .limit(most)
        .select(media_previews::id)
        .load(db)?;
    Ok(diesel::delete(media_previews::table.filter(media_previews::id.eq_any(ids))).execute(db)?)
}

/// What `owner` had looked at behind `url` as a file of `kind` after `since` (exclusive), the latest;
/// `None` when it must be looked at.
///
/// # Errors
/// When the database fails.
pub fn find_recent_media(
    db: &mut Db,
    owner: UserId,
    url: &str,
    kind: MediaKind,
    since: DateTime<Utc>,
) -> Result<Option<MediaPreview>, PersistenceError> {
    let row: Option<PreviewRow> = media_previews::table
        .filter(media_previews::owner_id.eq(owner.0))
        .filter(media_previews::created_at.gt(Instant::from(since)))
        .filter(media_previews::url.eq(url))
        .filter(media_previews::kind.eq(kind_word(kind)))
        .order(media_previews::created_at.desc())
        .select((
            media_previews::id,
            media_previews::content_type,
            media_previews::name,
            media_previews::size,
            media_previews::bytes,
        ))
        .first(db)
        .optional()?;
    row.map(read_preview).transpose()
}

/// The file kept as `id` for `owner`.
///
/// # Errors
/// `NotFound` when there is none, or it is someone else's.
pub fn get_media(db: &mut Db, owner: UserId, id: &str) -> Result<MediaPreview, PersistenceError> {
    let row: PreviewRow = media_previews::table
        .find(id)
        .filter(media_previews::owner_id.eq(owner.0))
        .select((
            media_previews::id,
            media_previews::content_type,
            media_previews::name,
            media_previews::size,
            media_previews::bytes,
        ))
        .first(db)?;
    read_preview(row)
}
