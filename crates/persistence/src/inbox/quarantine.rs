//! What cannot be applied, put aside with its error, and how it is told from what may pass in a moment.

use chrono::{DateTime, Utc};
use diesel::{
    dsl::exists,
    prelude::*,
    result::{DatabaseErrorKind, Error as DieselError},
};
use domain::{
    channel::WebhookRejection,
    ids::{ChannelId, InboxId},
};

use super::ParsedWebhook;
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{quarantined_events, webhook_inbox},
    sender,
};

/// Puts a whole webhook aside that cannot be applied however often it is tried; its bytes stay in the
/// inbox for as long as raw webhooks are kept.
pub fn put_aside(
    db: &mut Db,
    webhook: InboxId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let channel: i64 =
            webhook_inbox::table.find(webhook.0).select(webhook_inbox::channel_id).first(db)?;
        let parsed = ParsedWebhook {
            id: webhook,
            channel: ChannelId(channel),
            elements: Err(WebhookRejection::Unreadable),
        };
        quarantine(db, &parsed, "", "it failed again and again", now)?;
        diesel::update(webhook_inbox::table.find(webhook.0))
            .set(webhook_inbox::done_at.eq(Some(Instant::from(now))))
            .execute(db)?;
        Ok(())
    })
}

/// Puts one element, or a whole webhook when it is empty, aside; once, however often the webhook comes again
/// because its process ended between two of its parts. The caller holds the webhook's row.
pub(super) fn quarantine(
    db: &mut Db,
    webhook: &ParsedWebhook,
    element: &str,
    error: &str,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let element = sender::without_nul(element);
    let same = quarantined_events::table
        .filter(quarantined_events::inbox_id.eq(webhook.id.0))
        .filter(quarantined_events::element.eq(&element));
    if diesel::select(exists(same)).get_result(db)? {
        return Ok(());
    }
    diesel::insert_into(quarantined_events::table)
        .values((
            quarantined_events::inbox_id.eq(webhook.id.0),
            quarantined_events::channel_id.eq(webhook.channel.0),
            quarantined_events::element.eq(element),
            quarantined_events::error.eq(sender::without_nul(error)),
            quarantined_events::at.eq(Instant::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// The error with its cause, for whoever looks at the quarantine.
pub(super) fn reason(error: &PersistenceError) -> String {
    match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// Whether the trouble is the database's as a whole, or the clock's, so that the same element may pass in a moment; what
/// is left is the element's own.
pub(super) fn is_passing(error: &PersistenceError) -> bool {
    match error {
        PersistenceError::Busy
        | PersistenceError::Unavailable(_)
        | PersistenceError::ClockJumped
        | PersistenceError::ThreadLost
        | PersistenceError::Open { .. }
        | PersistenceError::Settings(_)
        | PersistenceError::Migration(_)
        | PersistenceError::Secret(_) => true,
        PersistenceError::NotFound
        | PersistenceError::Duplicate
        | PersistenceError::Denied
        | PersistenceError::Unreadable { .. } => false,
        PersistenceError::Database(DieselError::DatabaseError(kind, information)) => match kind {
            DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
            | DatabaseErrorKind::RestrictViolation
            | DatabaseErrorKind::ExclusionViolation => false,
            DatabaseErrorKind::Unknown => !speaks_of_the_value(information.message()),
            _ => true,
        },
        PersistenceError::Database(
            DieselError::SerializationError(_)
            | DieselError::DeserializationError(_)
            | DieselError::QueryBuilderError(_)
            | DieselError::InvalidCString(_),
        ) => false,
        PersistenceError::Database(_) => true,
    }
}

/// Troubles of one value that diesel has no kind for, in PostgreSQL's and SQLite's words.
fn speaks_of_the_value(message: &str) -> bool {
    [
        "invalid byte sequence",
        "invalid input",
        "out of range",
        "too long",
        "too big",
        "datatype mismatch",
    ]
    .iter()
    .any(|words| message.contains(words))
}
