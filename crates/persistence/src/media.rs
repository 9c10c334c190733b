//! Files of messages: pictures, recordings and documents, kept here whole, in parts that no process need hold together.

mod fetch;
mod hand_over;
mod parts;
mod read;
#[cfg(test)]
mod tests;
mod upload;

use diesel::prelude::*;
use domain::{
    ids::{ChatbotId, ContactId, MessageId},
    media::{FileKind, MediaId},
};

pub(crate) use self::{
    fetch::note_inbound,
    hand_over::{OutgoingFile, find_outgoing},
    read::list_of_messages,
    upload::give_to_message,
};
pub use self::{
    fetch::{
        ClaimedFetch, Fetched, KeptPicture, claim_fetches, end_fetch, give_up_fetch, has_due,
        try_again,
    },
    hand_over::{ClaimedUpload, HandedOver, claim_uploads, end_hand_over},
    parts::PartWriter,
    read::{KeptFile, MessageFile, find_file, find_small, read_part},
    upload::{
        NewUpload, UPLOADED, UnsentFile, begin_upload, delete_unsent, drop_upload, end_upload,
        find_unsent, save_link,
    },
};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    live::{self, LiveEvent, LiveKind},
    schema::{media, media_chunks, messages},
};

/// The length of each part but the last.
pub const PART: usize = 512 * 1024;

/// Keeps one part of a file. What an earlier attempt wrote in its place is replaced; nobody reads it before the file
/// is ended.
///
/// # Errors
/// `NotFound` when the file is gone meanwhile.
pub fn save_part(
    db: &mut Db,
    id: &MediaId,
    take: i64,
    part: usize,
    bytes: &[u8],
) -> Result<(), PersistenceError> {
    let part = i64::try_from(part).unwrap_or(i64::MAX);
    let is_there: bool =
        diesel::select(diesel::dsl::exists(media::table.find(id.as_str()))).get_result(db)?;
    if !is_there {
        return Err(PersistenceError::NotFound);
    }
    let row = (
        media_chunks::media_id.eq(id.as_str()),
        media_chunks::take.eq(take),
        media_chunks::part.eq(part),
        media_chunks::bytes.eq(bytes),
    );
    on_either!(db => diesel::insert_into(media_chunks::table)
        .values(row)
        .on_conflict((media_chunks::media_id, media_chunks::take, media_chunks::part))
        .do_update()
        .set(media_chunks::bytes.eq(bytes))
        .execute(db))?;
    Ok(())
}

/// Deletes all parts of a file but those of `take`; all of them where that is `None`.
fn delete_parts_but(db: &mut Db, id: &MediaId, take: Option<i64>) -> Result<(), PersistenceError> {
    let of_file = media_chunks::table.filter(media_chunks::media_id.eq(id.as_str()));
    match take {
        Some(take) => diesel::delete(of_file.filter(media_chunks::take.ne(take))).execute(db)?,
        None => diesel::delete(of_file).execute(db)?,
    };
    Ok(())
}

/// Deletes the file of `message`, wherever it stands: it is fetched no more, handed out no more, and whoever is
/// fetching it just now keeps nothing. Its parts go with it.
pub(crate) fn delete_of_message(db: &mut Db, message: MessageId) -> Result<(), PersistenceError> {
    diesel::delete(media::table.filter(media::message_id.eq(message.0))).execute(db)?;
    Ok(())
}

/// Tells open pages that the file of a message changed.
fn tell(db: &mut Db, message: MessageId) -> Result<(), PersistenceError> {
    let (chatbot, contact): (i64, i64) = messages::table
        .find(message.0)
        .select((messages::chatbot_id, messages::contact_id))
        .first(db)?;
    let (chatbot, contact) = (ChatbotId(chatbot), ContactId(contact));
    live::note(db, LiveEvent::of_contact(LiveKind::Message, chatbot, contact, message.0));
    Ok(())
}

/// A new id, and its row's place in our addresses.
fn new_id() -> Result<MediaId, PersistenceError> {
    Ok(MediaId::from_random(crate::secret::random_bytes::<16>()?))
}

fn read_id(text: &str) -> Result<MediaId, PersistenceError> {
    MediaId::parse(text).ok_or_else(|| PersistenceError::unreadable("media", "id", text))
}

fn read_kind(word: &str) -> Result<FileKind, PersistenceError> {
    FileKind::parse(word).ok_or_else(|| PersistenceError::unreadable("media", "kind", word))
}

fn read_size(size: i64) -> Result<u64, PersistenceError> {
    u64::try_from(size).map_err(|_| PersistenceError::unreadable("media", "size", size.to_string()))
}
