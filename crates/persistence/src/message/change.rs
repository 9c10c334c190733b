//! What contacts did to their messages after they wrote them: rewrote them, or took them back. Each change is kept
//! once and joined to its message, also when it comes first; what a message says is the same in whatever order
//! they come.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{InboundContent, InboundMedia, MessageEdit, MessageRevocation},
    fold::fold,
    ids::{ChannelId, ChatbotId, ContactId, MessageId},
};

use super::{ChannelFacts, Payload, Reading, obey};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    live::{self, LiveEvent, LiveKind},
    media,
    schema::{message_changes, messages},
    sender::{self, without_nul},
};

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeOutcome {
    /// Its message says now what it says.
    Joined,
    /// It was known before.
    Copy,
    /// Its message is not known yet; it waits.
    Waits,
}

const EDIT: &str = "edit";
const REVOCATION: &str = "revocation";
const ORIGINAL: &str = "original";
/// The kind of a message that was taken back, whatever it was before.
const REVOKED: &str = "revoked";
/// Stands for the platform's id of what a message said at first.
const NO_CHANGE: &str = "";

/// A change as it is kept, or what a message said before all of them.
#[derive(Insertable, Queryable, Selectable)]
#[diesel(table_name = message_changes)]
struct ChangeRow {
    channel_id: i64,
    provider_id: String,
    change_id: String,
    message_id: Option<i64>,
    kind: String,
    message_kind: String,
    body: String,
    payload: String,
    at: Instant,
    received_at: Instant,
}

/// Rewrites a message of a contact. A stop word counts as if it were written anew (AD-09).
pub(crate) fn apply_edit(
    db: &mut Db,
    channel: &ChannelFacts,
    edit: &MessageEdit,
    now: DateTime<Utc>,
) -> Result<ChangeOutcome, PersistenceError> {
    let reading = Reading::of(&edit.content);
    let payload = Payload { content: beyond_text(&edit.content), ..Payload::default() };
    let row = ChangeRow {
        kind: EDIT.to_owned(),
        message_kind: reading.kind,
        body: reading.body,
        payload: payload.to_column(),
        ..ChangeRow::new(channel.id, &edit.edited, &edit.provider_id, edit.at, now)
    };
    let outcome = apply(db, channel.id, row)?;
    if outcome != ChangeOutcome::Copy && reading.wish.is_some() {
        let contact =
            sender::find_or_create_person(db, channel.addressed(), &edit.sender, edit.at, now)?;
        obey(db, contact, reading.wish, edit.at)?;
    }
    Ok(outcome)
}

/// Takes a message of a contact back.
pub(crate) fn apply_revocation(
    db: &mut Db,
    channel: &ChannelFacts,
    revocation: &MessageRevocation,
    now: DateTime<Utc>,
) -> Result<ChangeOutcome, PersistenceError> {
    let MessageRevocation { provider_id, at, revoked, .. } = revocation;
    let row = ChangeRow {
        kind: REVOCATION.to_owned(),
        ..ChangeRow::new(channel.id, revoked, provider_id, *at, now)
    };
    apply(db, channel.id, row)
}

impl ChangeRow {
    fn new(
        channel: ChannelId,
        message: &str,
        change: &str,
        at: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Self {
        Self {
            channel_id: channel.0,
            provider_id: without_nul(message),
            change_id: without_nul(change),
            message_id: None,
            kind: String::new(),
            message_kind: String::new(),
            body: String::new(),
            payload: "{}".to_owned(),
            at: at.into(),
            received_at: now.into(),
        }
    }
}

fn beyond_text(content: &InboundContent) -> Option<InboundContent> {
    Payload::of_echo(content).content
}

fn apply(
    db: &mut Db,
    channel: ChannelId,
    row: ChangeRow,
) -> Result<ChangeOutcome, PersistenceError> {
    let provider_id = row.provider_id.clone();
    let is_new = on_either!(db => diesel::insert_into(message_changes::table)
        .values(&row)
        .on_conflict_do_nothing()
        .execute(db))?;
    if is_new == 0 {
        return Ok(ChangeOutcome::Copy);
    }
    match find(db, channel, &provider_id)? {
        Some(message) => {
            join(db, channel, &provider_id, MessageId(message))?;
            Ok(ChangeOutcome::Joined)
        }
        None => Ok(ChangeOutcome::Waits),
    }
}

fn find(
    db: &mut Db,
    channel: ChannelId,
    provider_id: &str,
) -> Result<Option<i64>, PersistenceError> {
    let found = messages::table
        .filter(messages::channel_id.eq(channel.0))
        .filter(messages::provider_id.eq(provider_id))
        .filter(messages::direction.eq("in"))
        .select(messages::id)
        .first(db)
        .optional()?;
    Ok(found)
}

/// Joins the changes that wait for `message`, if any, and stores what it says after all that are known.
pub(super) fn join(
    db: &mut Db,
    channel: ChannelId,
    provider_id: &str,
    message: MessageId,
) -> Result<(), PersistenceError> {
    let waits = message_changes::channel_id
        .eq(channel.0)
        .and(message_changes::provider_id.eq(provider_id))
        .and(message_changes::message_id.is_null());
    let its = message_changes::message_id.eq(Some(message.0));
    let update = kept_update(message_changes::table, waits, its);
    let joined = on_either!(db => update.execute(db))?;
    if joined == 0 { Ok(()) } else { store(db, message) }
}

/// What a message says now, and whose it is.
#[derive(Queryable)]
struct Said {
    channel_id: i64,
    chatbot_id: i64,
    contact_id: i64,
    provider_id: Option<String>,
    kind: String,
    body: String,
    payload: String,
    occurred_at: Instant,
}

/// Stores what `message` says after its changes.
fn store(db: &mut Db, message: MessageId) -> Result<(), PersistenceError> {
    let row = messages::table.find(message.0);
    // Locked, then looked at: of two changes at once the later sees both.
    diesel::update(row).set(messages::kind.eq(messages::kind)).execute(db)?;
    let said: Said = row
        .select((
            messages::channel_id,
            messages::chatbot_id,
            messages::contact_id,
            messages::provider_id,
            messages::kind,
            messages::body,
            messages::payload,
            messages::occurred_at,
        ))
        .first(db)?;
    let (chatbot, contact) = (ChatbotId(said.chatbot_id), ContactId(said.contact_id));
    let changes = list(db, message)?;
    let revoked = changes.iter().filter(|change| change.kind == REVOCATION);
    match revoked.map(|change| change.at).min() {
        Some(at) => forget(db, message, at)?,
        None => rewrite(db, message, said, changes)?,
    }
    live::note(db, LiveEvent::of_contact(LiveKind::Message, chatbot, contact, message.0));
    Ok(())
}

/// The changes of `message` with what it said at first, if that is kept, by their instants.
fn list(db: &mut Db, message: MessageId) -> Result<Vec<ChangeRow>, PersistenceError> {
    Ok(message_changes::table
        .filter(message_changes::message_id.eq(message.0))
        .order((message_changes::at.asc(), message_changes::change_id.asc()))
        .select(ChangeRow::as_select())
        .load(db)?)
}

/// Nothing of what was taken back is kept, in none of its forms.
fn forget(db: &mut Db, message: MessageId, at: Instant) -> Result<(), PersistenceError> {
    diesel::update(messages::table.find(message.0))
        .set((
            messages::kind.eq(REVOKED),
            messages::body.eq(""),
            messages::folded.eq(""),
            messages::payload.eq("{}"),
            messages::revoked_at.eq(Some(at)),
        ))
        .execute(db)?;
    diesel::update(message_changes::table.filter(message_changes::message_id.eq(message.0)))
        .set((message_changes::body.eq(""), message_changes::payload.eq("{}")))
        .execute(db)?;
    media::delete_of_message(db, message)
}

/// The latest edit holds; what the message said at first is kept beside the edits.
fn rewrite(
    db: &mut Db,
    message: MessageId,
    said: Said,
    changes: Vec<ChangeRow>,
) -> Result<(), PersistenceError> {
    let has_original = changes.iter().any(|change| change.kind == ORIGINAL);
    let original = changes.iter().find(|change| change.kind == ORIGINAL);
    let first_payload = original.map_or(said.payload.as_str(), |row| row.payload.as_str());
    let first = Payload::from_column(first_payload)?;
    if !has_original {
        let row = ChangeRow {
            channel_id: said.channel_id,
            provider_id: said.provider_id.unwrap_or_default(),
            change_id: NO_CHANGE.to_owned(),
            message_id: Some(message.0),
            kind: ORIGINAL.to_owned(),
            message_kind: said.kind,
            body: said.body,
            payload: said.payload,
            at: said.occurred_at,
            received_at: said.occurred_at,
        };
        on_either!(db => diesel::insert_into(message_changes::table).values(&row).execute(db))?;
    }
    let Some(latest) = changes.into_iter().rfind(|change| change.kind == EDIT) else {
        return Ok(());
    };
    let edited = Payload::from_column(&latest.payload)?;
    let payload =
        Payload { content: with_same_file(first.content.as_ref(), edited.content), ..first };
    diesel::update(messages::table.find(message.0))
        .set((
            messages::kind.eq(latest.message_kind),
            messages::folded.eq(fold(&latest.body)),
            messages::body.eq(latest.body),
            messages::payload.eq(payload.to_column()),
            messages::edited_at.eq(Some(latest.at)),
        ))
        .execute(db)?;
    Ok(())
}

/// Whoever rewrites what stands below a picture sends no other picture.
fn with_same_file(
    first: Option<&InboundContent>,
    edited: Option<InboundContent>,
) -> Option<InboundContent> {
    match (first, edited) {
        (Some(InboundContent::Media(first)), Some(InboundContent::Media(edited)))
            if edited.id.is_none() =>
        {
            let caption = edited.caption;
            Some(InboundContent::Media(InboundMedia { caption, ..first.clone() }))
        }
        (_, edited) => edited,
    }
}

/// What messages said before, each by its id, and since when, oldest first.
pub(crate) type EarlierTexts = BTreeMap<i64, Vec<(DateTime<Utc>, String)>>;

/// What each of `messages` said before it says what it says now. Served by the index on `(message_id, at)`.
pub(crate) fn list_earlier(
    db: &mut Db,
    messages: Vec<i64>,
) -> Result<EarlierTexts, PersistenceError> {
    let mut earlier = EarlierTexts::new();
    if messages.is_empty() {
        return Ok(earlier);
    }
    let rows: Vec<(Option<i64>, Instant, String)> = message_changes::table
        .filter(message_changes::message_id.eq_any(messages))
        .filter(message_changes::kind.ne(REVOCATION))
        .order((
            message_changes::message_id.asc(),
            message_changes::at.asc(),
            message_changes::change_id.asc(),
        ))
        .select((message_changes::message_id, message_changes::at, message_changes::body))
        .load(db)?;
    for (message, at, body) in rows {
        let Some(message) = message else { continue };
        earlier.entry(message).or_default().push((at.into(), body));
    }
    // The last of them is what it says now.
    earlier.values_mut().for_each(|said| drop(said.pop()));
    Ok(earlier)
}

/// Forgets changes that came at or before `until` and whose message never did, at most `limit`. Returns how many.
pub(crate) fn delete_stray_changes(
    db: &mut Db,
    until: DateTime<Utc>,
    limit: i64,
) -> Result<usize, PersistenceError> {
    let strays: Vec<i64> = message_changes::table
        .filter(message_changes::message_id.is_null())
        .filter(message_changes::received_at.le(Instant::from(until)))
        .order(message_changes::received_at.asc())
        .limit(limit)
        .select(message_changes::id)
        .load(db)?;
    Ok(diesel::delete(message_changes::table.filter(message_changes::id.eq_any(strays)))
        .execute(db)?)
}
