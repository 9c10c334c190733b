//! Idempotency keys: the same request, repeated, gets the first answer (AM-11).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::{ApiTokenId, UserId};
use sha2::{Digest, Sha256};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::idempotency_keys,
};

/// Whose key it is: keys of two owners never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOwner {
    /// A form shown to a user.
    User(UserId),
    /// A request of the API.
    Token(ApiTokenId),
}

impl KeyOwner {
    fn as_word(self) -> String {
        match self {
            Self::User(user) => format!("user:{user}"),
            Self::Token(token) => format!("token:{token}"),
        }
    }
}

/// A key with what it was first used for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// Whose it is.
    pub owner: KeyOwner,
    /// Chosen by the client, or made with the form.
    pub key: String,
    /// Of the whole request, by [`hash_body`].
    pub body_hash: String,
}

/// Tells one request from another.
#[must_use]
pub fn hash_body(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// What a key was used for before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EarlierUse {
    /// The same request; its stored result.
    Same(String),
    /// Another request: the key must not be used again.
    Another,
}

/// What `key` was used for after `since` (exclusive); `None` when for nothing.
///
/// # Errors
/// When the database fails.
pub fn find(
    db: &mut Db,
    key: &IdempotencyKey,
    since: DateTime<Utc>,
) -> Result<Option<EarlierUse>, PersistenceError> {
    let row: Option<(String, String)> = on_either!(db => idempotency_keys::table
        .filter(idempotency_keys::owner.eq(key.owner.as_word()))
        .filter(idempotency_keys::idempotency_key.eq(&key.key))
        .filter(idempotency_keys::created_at.gt(Instant::from(since)))
        .select((idempotency_keys::body_hash, idempotency_keys::result))
        .first(db))
    .optional()?;
    Ok(row.map(|(body_hash, result)| {
        if body_hash == key.body_hash { EarlierUse::Same(result) } else { EarlierUse::Another }
    }))
}

/// Keeps the result of the request that `key` was used for, in place of one too old to be replayed.
///
/// # Errors
/// `Duplicate` when someone else just used it.
pub fn save(
    db: &mut Db,
    key: &IdempotencyKey,
    result: &str,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let owner = key.owner.as_word();
    let outlived = idempotency_keys::table
        .filter(idempotency_keys::owner.eq(&owner))
        .filter(idempotency_keys::idempotency_key.eq(&key.key))
        .filter(idempotency_keys::created_at.le(Instant::from(since)));
    on_either!(db => diesel::delete(outlived).execute(db))?;
    on_either!(db => diesel::insert_into(idempotency_keys::table)
        .values((
            idempotency_keys::owner.eq(owner),
            idempotency_keys::idempotency_key.eq(&key.key),
            idempotency_keys::body_hash.eq(&key.body_hash),
            idempotency_keys::result.eq(result),
            idempotency_keys::created_at.eq(Instant::from(now)),
        ))
        .execute(db))?;
    Ok(())
}

/// Deletes up to `most` keys made at or before `until`, and tells how many.
///
/// # Errors
/// When the database fails.
pub fn delete_until(
    db: &mut Db,
    until: DateTime<Utc>,
    most: i64,
) -> Result<usize, PersistenceError> {
    let rows: Vec<(String, String)> = idempotency_keys::table
        .filter(idempotency_keys::created_at.le(Instant::from(until)))
        .order(idempotency_keys::created_at.asc())
        .limit(most)
        .select((idempotency_keys::owner, idempotency_keys::idempotency_key))
        .load(db)?;
    for (owner, key) in &rows {
        diesel::delete(idempotency_keys::table.find((owner, key))).execute(db)?;
    }
    Ok(rows.len())
}
