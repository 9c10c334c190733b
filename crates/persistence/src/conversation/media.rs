//! The file in a template's header as it was found when it was sent, for whoever may see the conversation
//! (AM-07).

use diesel::prelude::*;
use domain::{
    channel::MediaFile,
    ids::{ChatbotId, ContactId, MessageId},
    media::FileKind,
    template::FilledHeader,
};

use super::{
    Access, ConversationId, find_access,
    thread::{SentTemplate, ThreadMessage, read_template},
};
use crate::{
    db::Db,
    error::PersistenceError,
    media,
    schema::{active_messages, media_previews, message_templates, messages},
    user::Actor,
};

/// The file that went with a message, as far as it is still kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentMedia {
    /// What it is called.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether [`find_media`] has a picture of it.
    pub has_picture: bool,
}

/// Adds to each message what is kept of the file in its header; one query for all of them.
///
/// Served by the index on `(owner_id, created_at)`: a sender looked at the file right before the send.
pub(super) fn add_media(
    db: &mut Db,
    messages: &mut [(Option<i64>, ThreadMessage)],
) -> Result<(), PersistenceError> {
    add_files(db, messages)?;
    let named = |(sender, message): &(Option<i64>, ThreadMessage)| {
        Some(((*sender)?, media_url(message.template.as_ref()?)?.to_owned()))
    };
    let (owners, urls): (Vec<i64>, Vec<String>) = messages.iter().filter_map(named).unzip();
    if urls.is_empty() {
        return Ok(());
    }
    let kept: Vec<(i64, String, String, i64, bool)> = media_previews::table
        .filter(media_previews::owner_id.eq_any(owners))
        .filter(media_previews::url.eq_any(urls))
        .order(media_previews::created_at.desc())
        .select((
            media_previews::owner_id,
            media_previews::url,
            media_previews::name,
            media_previews::size,
            media_previews::bytes.is_not_null(),
        ))
        .load(db)?;
    for entry in messages {
        let Some((sender, url)) = named(entry) else { continue };
        let latest = kept.iter().find(|(owner, of, ..)| *owner == sender && *of == url);
        entry.1.media = latest.map(|(_, _, name, size, has_picture)| SentMedia {
            name: name.clone(),
            size: u64::try_from(*size).unwrap_or_default(),
            has_picture: *has_picture,
        });
    }
    Ok(())
}

/// Adds to each message that is a picture, recording or file what is known of it; one query for all of them.
fn add_files(
    db: &mut Db,
    messages: &mut [(Option<i64>, ThreadMessage)],
) -> Result<(), PersistenceError> {
    let carries_file = |message: &&ThreadMessage| {
        let mut kinds = FileKind::ALL.into_iter();
        kinds.any(|kind| kind.message_kind() == message.kind)
    };
    let messages = messages.iter_mut().map(|(_, message)| message);
    let mut carriers: Vec<&mut ThreadMessage> =
        messages.filter(|message| carries_file(&&**message)).collect();
    let ids: Vec<MessageId> = carriers.iter().map(|message| message.id).collect();
    for (of, file) in media::list_of_messages(db, &ids)? {
        if let Some(message) = carriers.iter_mut().find(|message| message.id == of) {
            message.file = Some(file);
        }
    }
    Ok(())
}

fn media_url(template: &SentTemplate) -> Option<&str> {
    match template.content.header.as_ref()? {
        FilledHeader::Media { url, .. } => url.as_deref(),
        FilledHeader::Text(_) | FilledHeader::Location { .. } => None,
    }
}

#[derive(Queryable)]
struct Row {
    chatbot_id: i64,
    contact_id: i64,
    ticket_id: Option<i64>,
    agent_id: Option<i64>,
    variables: String,
    template: (String, String, String),
}

/// The picture in the header of `message`, for whoever may see the conversation it stands in.
///
/// # Errors
/// `NotFound` when there is none, it is no longer kept, or `actor` may not know of the message.
pub fn find_media(
    db: &mut Db,
    actor: &Actor,
    message: MessageId,
) -> Result<MediaFile, PersistenceError> {
    let row: Row = messages::table
        .inner_join(active_messages::table.inner_join(message_templates::table))
        .filter(messages::id.eq(message.0))
        .select((
            messages::chatbot_id,
            messages::contact_id,
            messages::ticket_id,
            messages::agent_id,
            active_messages::variables,
            (message_templates::name, message_templates::language, message_templates::components),
        ))
        .first(db)?;
    let (chatbot, contact) = (ChatbotId(row.chatbot_id), ContactId(row.contact_id));
    let conversation = ConversationId { chatbot, contact };
    let Access { hidden_ticket, .. } = find_access(db, actor, conversation)?;
    let is_hidden = hidden_ticket.is_some_and(|hidden| row.ticket_id == Some(hidden.0));
    let template = read_template(row.template, &row.variables)?;
    let (Some(owner), Some(url), false) = (row.agent_id, media_url(&template), is_hidden) else {
        return Err(PersistenceError::NotFound);
    };
    let (content_type, name, size, preview): (String, String, i64, Option<Vec<u8>>) =
        media_previews::table
            .filter(media_previews::owner_id.eq(owner))
            .filter(media_previews::url.eq(url))
            .filter(media_previews::bytes.is_not_null())
            .order(media_previews::created_at.desc())
            .select((
                media_previews::content_type,
                media_previews::name,
                media_previews::size,
                media_previews::bytes,
            ))
            .first(db)?;
    let size = u64::try_from(size)
        .map_err(|_| PersistenceError::unreadable("media_previews", "size", size.to_string()))?;
    Ok(MediaFile { content_type, size, name, preview })
}
