//! Bearer tokens of the API: who they speak for, and how far.

use std::{collections::BTreeSet, fmt};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::{ApiTokenId, UserId};

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::api_tokens,
    secret::random_bytes,
    session::hash,
    user::{self, Actor},
};

/// What a token may be used for; its user's permissions hold besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApiScope {
    /// Send active messages, and ask whether one may be sent.
    SendActiveMessages,
    /// Read active messages.
    ReadActiveMessages,
    /// Read contacts.
    ReadContacts,
    /// Enter what contacts wish.
    WriteContacts,
    /// Read message templates.
    ReadTemplates,
    /// Read channels and numbers.
    ReadChannels,
}

impl ApiScope {
    /// Every scope.
    pub const ALL: [Self; 6] = [
        Self::SendActiveMessages,
        Self::ReadActiveMessages,
        Self::ReadContacts,
        Self::WriteContacts,
        Self::ReadTemplates,
        Self::ReadChannels,
    ];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendActiveMessages => "active_messages:send",
            Self::ReadActiveMessages => "active_messages:read",
            Self::ReadContacts => "contacts:read",
            Self::WriteContacts => "contacts:write",
            Self::ReadTemplates => "templates:read",
            Self::ReadChannels => "channels:read",
        }
    }

    /// The scope stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }
}

/// A token just made. The text is told once and never again.
pub struct CreatedToken {
    /// Its id.
    pub id: ApiTokenId,
    /// Sent as bearer token.
    pub token: String,
}

impl fmt::Debug for CreatedToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CreatedToken").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A token that holds.
#[derive(Debug, Clone)]
pub struct TokenHolder {
    /// Who it speaks for, with the token noted.
    pub actor: Actor,
    /// How far.
    pub scopes: BTreeSet<ApiScope>,
}

/// Makes a token that speaks for `user`.
///
/// # Errors
/// `Secret` when the system gives no random bytes.
pub fn create(
    db: &mut Db,
    user: UserId,
    name: &str,
    scopes: &[ApiScope],
    now: DateTime<Utc>,
) -> Result<CreatedToken, PersistenceError> {
    let token = format!("janela_{}", hex::encode(random_bytes::<32>()?));
    let words: Vec<&str> = scopes.iter().map(|scope| scope.as_str()).collect();
    let id: i64 = diesel::insert_into(api_tokens::table)
        .values((
            api_tokens::token_hash.eq(hash(&token)),
            api_tokens::user_id.eq(user.0),
            api_tokens::name.eq(name),
            api_tokens::scopes.eq(words.join(" ")),
            api_tokens::created_at.eq(Instant::from(now)),
        ))
        .returning(api_tokens::id)
        .get_result(db)?;
    Ok(CreatedToken { id: ApiTokenId(id), token })
}

/// Who `token` speaks for; `None` when it is unknown, revoked, or its user is disabled.
///
/// # Errors
/// When the database fails.
pub fn find_holder(db: &mut Db, token: &str) -> Result<Option<TokenHolder>, PersistenceError> {
    let row: Option<(i64, i64, String)> = api_tokens::table
        .filter(api_tokens::token_hash.eq(hash(token)))
        .filter(api_tokens::revoked_at.is_null())
        .select((api_tokens::id, api_tokens::user_id, api_tokens::scopes))
        .first(db)
        .optional()?;
    let Some((id, user, words)) = row else { return Ok(None) };
    let Some(mut actor) = user::find_actor(db, UserId(user))? else { return Ok(None) };
    actor.token = Some(ApiTokenId(id));
    let parse = |word: &str| {
        ApiScope::parse(word)
            .ok_or_else(|| PersistenceError::unreadable("api_tokens", "scopes", word))
    };
    let scopes = words.split_whitespace().map(parse).collect::<Result<_, _>>()?;
    Ok(Some(TokenHolder { actor, scopes }))
}

/// Notes that a token was used; callers do so once a minute at most.
///
/// # Errors
/// When the database fails.
pub fn touch(db: &mut Db, token: ApiTokenId, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    diesel::update(api_tokens::table.find(token.0))
        .set(api_tokens::last_used_at.eq(Some(Instant::from(now))))
        .execute(db)?;
    Ok(())
}

/// Ends `token` for good.
///
/// # Errors
/// `NotFound` when there is none, or it has ended already.
pub fn revoke(db: &mut Db, token: ApiTokenId, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    let open = api_tokens::table
        .filter(api_tokens::id.eq(token.0))
        .filter(api_tokens::revoked_at.is_null());
    let ended = diesel::update(open)
        .set(api_tokens::revoked_at.eq(Some(Instant::from(now))))
        .execute(db)?;
    if ended == 0 { Err(PersistenceError::NotFound) } else { Ok(()) }
}
