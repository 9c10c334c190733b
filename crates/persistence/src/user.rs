//! Users: who signs in, what they may do, and the actor every use case is asked by.

mod absence;
mod actor;
mod places;
mod status;
mod team;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::UserId;

pub use self::{
    absence::{mark_absent, mark_present},
    actor::{Actor, find_actor},
    places::{Place, UserWithPlaces, list_with_places},
    status::set_status,
    team::{list_team, save_membership, save_role, save_workspace_permissions},
};
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{sessions, users},
};

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStatus {
    /// May sign in.
    Active,
    /// May not; sessions and tokens are dead.
    Disabled,
}

impl UserStatus {
    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    fn parse(word: &str) -> Result<Self, PersistenceError> {
        match word {
            "active" => Ok(Self::Active),
            "disabled" => Ok(Self::Disabled),
            other => Err(PersistenceError::unreadable("users", "status", other)),
        }
    }
}

/// Someone who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Lower case.
    pub email: String,
    /// As shown.
    pub name: String,
    /// The language of pages; `None`: the browser's.
    pub language: Option<String>,
    /// The IANA zone of pages; `None`: the workspace's.
    pub time_zone: Option<String>,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// Most tickets at once by the normal rules (RO-04).
    pub max_tickets: u32,
}

/// Someone new.
#[derive(Debug, Clone)]
pub struct NewUser<'a> {
    /// Compared without case.
    pub email: &'a str,
    /// As shown.
    pub name: &'a str,
    /// Made by [`password::hash`](crate::password::hash).
    pub password_hash: &'a str,
    /// `None`: the browser's.
    pub language: Option<&'a str>,
    /// `None`: the workspace's.
    pub time_zone: Option<&'a str>,
    /// Most tickets at once by the normal rules.
    pub max_tickets: u32,
}

/// What a sign-in is checked against.
pub struct Credentials {
    /// Whose they are.
    pub user: UserId,
    /// For [`password::verify`](crate::password::verify).
    pub password_hash: String,
    /// A disabled user's password is checked all the same, and then refused.
    pub status: UserStatus,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRow {
    id: i64,
    email: String,
    name: String,
    language: Option<String>,
    time_zone: Option<String>,
    status: String,
    max_tickets: i64,
}

impl TryFrom<UserRow> for User {
    type Error = PersistenceError;

    fn try_from(row: UserRow) -> Result<Self, PersistenceError> {
        Ok(Self {
            id: UserId(row.id),
            email: row.email,
            name: row.name,
            language: row.language,
            time_zone: row.time_zone,
            status: UserStatus::parse(&row.status)?,
            max_tickets: u32::try_from(row.max_tickets).map_err(|_| {
                PersistenceError::unreadable("users", "max_tickets", row.max_tickets.to_string())
            })?,
        })
    }
}

/// Makes a user without any permission.
///
/// # Errors
/// `Duplicate` when the email address is taken.
pub fn create(
    db: &mut Db,
    user: &NewUser<'_>,
    now: DateTime<Utc>,
) -> Result<UserId, PersistenceError> {
    let id: i64 = diesel::insert_into(users::table)
        .values((
            users::email.eq(folded_email(user.email)),
            users::name.eq(user.name),
            users::password_hash.eq(user.password_hash),
            users::language.eq(user.language),
            users::time_zone.eq(user.time_zone),
            users::status.eq(UserStatus::Active.as_str()),
            users::max_tickets.eq(i64::from(user.max_tickets)),
            users::created_at.eq(Instant::from(now)),
        ))
        .returning(users::id)
        .get_result(db)?;
    Ok(UserId(id))
}

/// What a sign-in as `email` is checked against; `None` when there is no such user.
///
/// # Errors
/// When the database fails.
pub fn find_credentials(db: &mut Db, email: &str) -> Result<Option<Credentials>, PersistenceError> {
    let row: Option<(i64, String, String)> = users::table
        .filter(users::email.eq(folded_email(email)))
        .select((users::id, users::password_hash, users::status))
        .first(db)
        .optional()?;
    let Some((id, password_hash, status)) = row else { return Ok(None) };
    let status = UserStatus::parse(&status)?;
    Ok(Some(Credentials { user: UserId(id), password_hash, status }))
}

/// Sets a new password and ends every session of `user`.
///
/// # Errors
/// `NotFound` when there is no such user.
pub fn set_password(
    db: &mut Db,
    user: UserId,
    password_hash: &str,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let changed = diesel::update(users::table.find(user.0))
            .set(users::password_hash.eq(password_hash))
            .execute(db)?;
        if changed == 0 {
            return Err(PersistenceError::NotFound);
        }
        diesel::delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(db)?;
        Ok(())
    })
}

/// Sets the language and the IANA zone of a user's pages; `None`: the browser's language, the workspace's zone.
///
/// # Errors
/// When the database fails.
pub fn set_preferences(
    db: &mut Db,
    user: UserId,
    language: Option<&str>,
    time_zone: Option<&str>,
) -> Result<(), PersistenceError> {
    diesel::update(users::table.find(user.0))
        .set((users::language.eq(language), users::time_zone.eq(time_zone)))
        .execute(db)?;
    Ok(())
}

/// Every user, by name then id.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db) -> Result<Vec<User>, PersistenceError> {
    let rows: Vec<UserRow> = users::table
        .order((users::name.asc(), users::id.asc()))
        .select(UserRow::as_select())
        .load(db)?;
    rows.into_iter().map(User::try_from).collect()
}

fn folded_email(email: &str) -> String {
    email.trim().to_lowercase()
}
