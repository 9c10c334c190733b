//! Reading files: what stands in a thread, and the bytes for whoever may see the conversation.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::{ChatbotId, ContactId, MessageId, TicketId},
    media::{FileKind, MediaId, MediaState},
};

use super::{PART, read_id, read_kind, read_size};
use crate::{
    conversation::{Access, ConversationId, find_access},
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{media, media_chunks, messages},
    user::Actor,
};

/// The file of a message, as a thread shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageFile {
    /// Names it in our addresses.
    pub id: MediaId,
    /// What it is.
    pub kind: FileKind,
    /// What it is called; `None` where it was not told.
    pub name: Option<String>,
    /// How it stands.
    pub state: MediaState,
    /// By its first bytes; `None` while it is not kept.
    pub content_type: Option<String>,
    /// In bytes; `None` while it is not known.
    pub size: Option<u64>,
    /// Of a picture, in pixels.
    pub extent: Option<(u32, u32)>,
    /// Where it lies of which only the address was sent.
    pub link: Option<String>,
    /// Attempts to fetch it.
    pub attempts: u32,
    /// When it is tried again; `None` when it is not.
    pub due_at: Option<DateTime<Utc>>,
}

#[derive(Queryable)]
struct Row {
    id: String,
    message_id: Option<i64>,
    kind: String,
    name: Option<String>,
    state: String,
    reason: Option<String>,
    content_type: Option<String>,
    size: Option<i64>,
    width: Option<i64>,
    height: Option<i64>,
    link: Option<String>,
    attempts: i64,
    due_at: Option<Instant>,
}

impl Row {
    fn read(self) -> Result<MessageFile, PersistenceError> {
        let state = read_state(&self.state, self.reason.as_deref())?;
        let side = |side: Option<i64>| side.and_then(|side| u32::try_from(side).ok());
        Ok(MessageFile {
            id: read_id(&self.id)?,
            kind: read_kind(&self.kind)?,
            name: self.name,
            state,
            content_type: self.content_type,
            size: self.size.map(read_size).transpose()?,
            extent: side(self.width).zip(side(self.height)),
            link: self.link,
            attempts: u32::try_from(self.attempts).unwrap_or(u32::MAX),
            due_at: self.due_at.map(DateTime::from),
        })
    }
}

pub(super) fn read_state(
    state: &str,
    reason: Option<&str>,
) -> Result<MediaState, PersistenceError> {
    MediaState::parse(state, reason)
        .ok_or_else(|| PersistenceError::unreadable("media", "state", state))
}

/// The files of these messages, in no order; one query for all of them.
///
/// Served by the index on `message_id`.
pub(crate) fn list_of_messages(
    db: &mut Db,
    of: &[MessageId],
) -> Result<Vec<(MessageId, MessageFile)>, PersistenceError> {
    if of.is_empty() {
        return Ok(Vec::new());
    }
    let ids = of.iter().map(|message| message.0);
    let rows: Vec<Row> = media::table
        .filter(media::message_id.eq_any(ids))
        .select((
            media::id,
            media::message_id,
            media::kind,
            media::name,
            media::state,
            media::reason,
            media::content_type,
            media::size,
            media::width,
            media::height,
            media::link,
            media::attempts,
            media::due_at,
        ))
        .load(db)?;
    let with_message = |row: Row| Some((MessageId(row.message_id?), row));
    let rows = rows.into_iter().filter_map(with_message);
    rows.map(|(message, row)| Ok((message, row.read()?))).collect()
}

/// A file that is kept, to be handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Which.
    pub id: MediaId,
    /// What it is.
    pub kind: FileKind,
    /// What it is called; `None` where it was not told.
    pub name: Option<String>,
    /// By its first bytes.
    pub content_type: String,
    /// In bytes.
    pub size: u64,
    take: i64,
}

/// The file `id`, for whoever may see the conversation it stands in, or chose it and has not sent it yet.
///
/// # Errors
/// `NotFound` when there is none, it is not kept, or `actor` may not know of it (C26).
pub fn find_file(db: &mut Db, actor: &Actor, id: &MediaId) -> Result<KeptFile, PersistenceError> {
    may_see(db, actor, id)?;
    find_kept(db, id)
}

pub(super) fn find_kept(db: &mut Db, id: &MediaId) -> Result<KeptFile, PersistenceError> {
    type Found = (String, Option<String>, Option<String>, Option<i64>, i64);
    let (kind, name, content_type, size, take): Found = media::table
        .find(id.as_str())
        .filter(media::state.eq(MediaState::Kept.as_str()))
        .filter(media::link.is_null())
        .select((media::kind, media::name, media::content_type, media::size, media::take))
        .first(db)?;
    let (Some(content_type), Some(size)) = (content_type, size) else {
        return Err(PersistenceError::NotFound);
    };
    let (kind, size) = (read_kind(&kind)?, read_size(size)?);
    Ok(KeptFile { id: id.clone(), kind, name, content_type, size, take })
}

/// The picture `id`, small, for whom [`find_file`] would find it.
///
/// # Errors
/// `NotFound` as there, and when it is no picture.
pub fn find_small(db: &mut Db, actor: &Actor, id: &MediaId) -> Result<Vec<u8>, PersistenceError> {
    may_see(db, actor, id)?;
    let small: Option<Vec<u8>> = media::table.find(id.as_str()).select(media::small).first(db)?;
    small.ok_or(PersistenceError::NotFound)
}

/// One part of a file, counted from 0, of [`PART`] bytes but the last.
///
/// # Errors
/// `NotFound` when the file is gone meanwhile.
pub fn read_part(db: &mut Db, file: &KeptFile, part: u64) -> Result<Vec<u8>, PersistenceError> {
    let part = i64::try_from(part).unwrap_or(i64::MAX);
    let found = media_chunks::table.find((file.id.as_str(), file.take, part));
    Ok(found.select(media_chunks::bytes).first(db)?)
}

impl KeptFile {
    /// How many parts there are.
    #[must_use]
    pub fn parts(&self) -> u64 {
        self.size.div_ceil(PART as u64)
    }
}

/// The conversation that the file stands in, for whoever may see it.
pub(super) fn require_access(
    db: &mut Db,
    actor: &Actor,
    id: &MediaId,
) -> Result<ConversationId, PersistenceError> {
    let (chatbot, contact, ticket): (i64, i64, Option<i64>) = media::table
        .inner_join(messages::table)
        .filter(media::id.eq(id.as_str()))
        .select((messages::chatbot_id, messages::contact_id, messages::ticket_id))
        .first(db)?;
    let conversation = ConversationId { chatbot: ChatbotId(chatbot), contact: ContactId(contact) };
    let Access { hidden_ticket, .. } = find_access(db, actor, conversation)?;
    if hidden_ticket.is_some() && hidden_ticket == ticket.map(TicketId) {
        return Err(PersistenceError::NotFound);
    }
    Ok(conversation)
}

fn may_see(db: &mut Db, actor: &Actor, id: &MediaId) -> Result<(), PersistenceError> {
    let (message, uploaded_by): (Option<i64>, Option<i64>) =
        media::table.find(id.as_str()).select((media::message_id, media::uploaded_by)).first(db)?;
    match message {
        Some(_) => require_access(db, actor, id).map(drop),
        None if uploaded_by == Some(actor.id().0) => Ok(()),
        None => Err(PersistenceError::NotFound),
    }
}
