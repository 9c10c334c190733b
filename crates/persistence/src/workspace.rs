//! The workspace: one installation with all its chatbots, and what holds for all of them.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, RunQueryDsl};

use crate::{db::Db, error::PersistenceError, instant::Instant, schema::workspace};

/// There is one row, and this is its id.
const ONLY: i64 = 1;

/// What holds for all chatbots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// As shown.
    pub name: String,
    /// The IANA zone of whoever has none of their own (CL-02).
    pub time_zone: String,
    /// The language of whoever has chosen none.
    pub language: String,
}

/// The workspace; `None` before the first start made it.
///
/// # Errors
/// When the database fails.
pub fn find(db: &mut Db) -> Result<Option<Workspace>, PersistenceError> {
    let row: Option<(String, String, String)> = workspace::table
        .find(ONLY)
        .select((workspace::name, workspace::time_zone, workspace::language))
        .first(db)
        .optional()?;
    Ok(row.map(|(name, time_zone, language)| Workspace { name, time_zone, language }))
}

/// The workspace, made as `new` if there is none yet.
///
/// # Errors
/// When the database fails.
pub fn find_or_create(
    db: &mut Db,
    new: &Workspace,
    now: DateTime<Utc>,
) -> Result<Workspace, PersistenceError> {
    if let Some(found) = find(db)? {
        return Ok(found);
    }
    let made = diesel::insert_into(workspace::table)
        .values((
            workspace::id.eq(ONLY),
            workspace::name.eq(&new.name),
            workspace::time_zone.eq(&new.time_zone),
            workspace::language.eq(&new.language),
            workspace::clock_confirmations.eq(0),
            workspace::created_at.eq(Instant::from(now)),
        ))
        .execute(db)
        .map_err(PersistenceError::from);
    match made {
        Ok(_) => Ok(new.clone()),
        // Another process made it between the look and the insert.
        Err(PersistenceError::Duplicate) => find(db)?.ok_or(PersistenceError::NotFound),
        Err(error) => Err(error),
    }
}

/// Tells every process that an operator has looked at the clocks: whoever distrusts its own trusts it again (JO-05).
///
/// # Errors
/// `NotFound` before the first start made the workspace.
pub fn confirm_clock(db: &mut Db) -> Result<(), PersistenceError> {
    let confirmed = diesel::update(workspace::table.find(ONLY))
        .set(workspace::clock_confirmations.eq(workspace::clock_confirmations + 1))
        .execute(db)?;
    if confirmed == 0 { Err(PersistenceError::NotFound) } else { Ok(()) }
}

/// How often [`confirm_clock`] was called.
///
/// # Errors
/// `NotFound` before the first start made the workspace.
pub fn count_clock_confirmations(db: &mut Db) -> Result<i64, PersistenceError> {
    Ok(workspace::table.find(ONLY).select(workspace::clock_confirmations).first(db)?)
}
