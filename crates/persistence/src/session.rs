//! Web sessions as rows: listed, ended one by one, and never stored in the clear.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{dsl::exists, prelude::*};
use domain::ids::{SessionId, UserId};
use sha2::{Digest, Sha256};

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    presence,
    schema::sessions,
    secret::random_bytes,
    user::{self, Actor},
};

/// How long a session lives.
#[derive(Debug, Clone, Copy)]
pub struct SessionPolicy {
    /// Without a request for this long an agent's session ends.
    pub idle: TimeDelta,
    /// The same for whoever holds rights over the whole workspace.
    pub idle_of_admins: TimeDelta,
    /// However busy, it ends this long after the sign-in.
    pub absolute: TimeDelta,
}

impl Default for SessionPolicy {
    fn default() -> Self {
        Self {
            idle: TimeDelta::minutes(30),
            idle_of_admins: TimeDelta::minutes(15),
            absolute: TimeDelta::hours(12),
        }
    }
}

/// A session just opened. The token goes into the cookie and nowhere else.
pub struct OpenedSession {
    /// Its id.
    pub id: SessionId,
    /// 64 hexadecimal digits.
    pub token: String,
    /// Expected in every form of this session.
    pub form_token: String,
    /// When it ends at the latest.
    pub expires_at: DateTime<Utc>,
}

impl fmt::Debug for OpenedSession {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("OpenedSession").field("id", &self.id).finish_non_exhaustive()
    }
}

/// A session that holds, with who it belongs to.
#[derive(Clone)]
pub struct SignedIn {
    /// Its id.
    pub session: SessionId,
    /// Expected in every form of this session.
    pub form_token: String,
    /// Who asks.
    pub actor: Actor,
    /// The last request noted.
    pub last_seen_at: DateTime<Utc>,
}

impl fmt::Debug for SignedIn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SignedIn").field("session", &self.session).finish_non_exhaustive()
    }
}

/// A session as its owner sees it in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionLine {
    /// Its id.
    pub id: SessionId,
    /// What the browser calls itself.
    pub user_agent: String,
    /// When it was opened.
    pub created_at: DateTime<Utc>,
    /// The last request noted.
    pub last_seen_at: DateTime<Utc>,
}

/// Opens a session for `user`; the one of `former_token`, if any, ends, so that a sign-in renews.
///
/// # Errors
/// `Secret` when the system gives no random bytes.
pub fn open(
    db: &mut Db,
    user: UserId,
    user_agent: &str,
    former_token: Option<&str>,
    policy: SessionPolicy,
    now: DateTime<Utc>,
) -> Result<OpenedSession, PersistenceError> {
    let token = hex::encode(random_bytes::<32>()?);
    let form_token = hex::encode(random_bytes::<32>()?);
    let expires_at = now + policy.absolute;
    db.write(|db| {
        if let Some(former) = former_token {
            end_by_token(db, former)?;
        }
        let id: i64 = diesel::insert_into(sessions::table)
            .values((
                sessions::token_hash.eq(hash(&token)),
                sessions::user_id.eq(user.0),
                sessions::form_token.eq(&form_token),
                sessions::user_agent.eq(user_agent.chars().take(300).collect::<String>()),
                sessions::created_at.eq(Instant::from(now)),
                sessions::last_seen_at.eq(Instant::from(now)),
                sessions::expires_at.eq(Instant::from(expires_at)),
            ))
            .returning(sessions::id)
            .get_result(db)?;
        Ok(OpenedSession { id: SessionId(id), token, form_token, expires_at })
    })
}

/// Who `token` signs in at `now`; `None` when it never did, has ended, or its user is disabled.
///
/// A session idle for exactly its time has ended.
///
/// # Errors
/// When the database fails.
pub fn find_signed_in(
    db: &mut Db,
    token: &str,
    policy: SessionPolicy,
    now: DateTime<Utc>,
) -> Result<Option<SignedIn>, PersistenceError> {
    let row: Option<(i64, i64, String, Instant, Instant)> = sessions::table
        .filter(sessions::token_hash.eq(hash(token)))
        .select((
            sessions::id,
            sessions::user_id,
            sessions::form_token,
            sessions::last_seen_at,
            sessions::expires_at,
        ))
        .first(db)
        .optional()?;
    let Some((id, user, form_token, last_seen_at, expires_at)) = row else { return Ok(None) };
    let (last_seen_at, expires_at) = (DateTime::from(last_seen_at), DateTime::from(expires_at));
    let Some(actor) = user::find_actor(db, UserId(user))? else { return Ok(None) };
    let idle = if actor.is_admin() { policy.idle_of_admins } else { policy.idle };
    if expires_at <= now || last_seen_at + idle <= now {
        return Ok(None);
    }
    Ok(Some(SignedIn { session: SessionId(id), form_token, actor, last_seen_at }))
}

/// Notes a request of the session, so that it does not count as idle. Never goes back.
///
/// # Errors
/// When the database fails.
pub fn touch(db: &mut Db, session: SessionId, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    let earlier = sessions::table
        .filter(sessions::id.eq(session.0))
        .filter(sessions::last_seen_at.lt(Instant::from(now)));
    diesel::update(earlier).set(sessions::last_seen_at.eq(Instant::from(now))).execute(db)?;
    Ok(())
}

/// Notes a request of `session` and of its `user`, who is back with it if they had fallen offline (RO-06); then
/// it tells what they are now. A session that ended meanwhile brings nobody back.
///
/// # Errors
/// When the database fails.
pub fn note_request(
    db: &mut Db,
    session: SessionId,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Option<presence::Noted>, PersistenceError> {
    db.write(|db| {
        touch(db, session, now)?;
        let holds = sessions::table.find(session.0);
        match diesel::select(exists(holds)).get_result(db)? {
            true => presence::note_request(db, user, now),
            false => Ok(None),
        }
    })
}

/// Notes a request of `session` and of its `user` that was answered a while ago, at `at`; it brings nobody back.
///
/// # Errors
/// When the database fails.
pub fn note_past_request(
    db: &mut Db,
    session: SessionId,
    user: UserId,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        touch(db, session, at)?;
        presence::note_past_request(db, user, at)
    })
}

/// The open sessions of `user`, the latest request first.
///
/// # Errors
/// When the database fails.
pub fn list(
    db: &mut Db,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<Vec<SessionLine>, PersistenceError> {
    let rows: Vec<(i64, String, Instant, Instant)> = sessions::table
        .filter(sessions::user_id.eq(user.0))
        .filter(sessions::expires_at.gt(Instant::from(now)))
        .order((sessions::last_seen_at.desc(), sessions::id.desc()))
        .select((sessions::id, sessions::user_agent, sessions::created_at, sessions::last_seen_at))
        .load(db)?;
    let line =
        |(id, user_agent, created_at, last_seen_at): (i64, String, Instant, Instant)| SessionLine {
            id: SessionId(id),
            user_agent,
            created_at: created_at.into(),
            last_seen_at: last_seen_at.into(),
        };
    Ok(rows.into_iter().map(line).collect())
}

/// Ends one session of `user`.
///
/// # Errors
/// `NotFound` when `user` has no such session.
pub fn end(db: &mut Db, user: UserId, session: SessionId) -> Result<(), PersistenceError> {
    let own =
        sessions::table.filter(sessions::id.eq(session.0)).filter(sessions::user_id.eq(user.0));
    match diesel::delete(own).execute(db)? {
        0 => Err(PersistenceError::NotFound),
        _ => Ok(()),
    }
}

/// Ends the session of `token`; one that has ended already is no failure.
///
/// # Errors
/// When the database fails.
pub fn end_by_token(db: &mut Db, token: &str) -> Result<(), PersistenceError> {
    diesel::delete(sessions::table.filter(sessions::token_hash.eq(hash(token)))).execute(db)?;
    Ok(())
}

/// Deletes up to `most` sessions that are past their end, and tells how many.
///
/// # Errors
/// When the database fails.
pub fn delete_expired(
    db: &mut Db,
    now: DateTime<Utc>,
    most: i64,
) -> Result<usize, PersistenceError> {
    let ids: Vec<i64> = sessions::table
        .filter(sessions::expires_at.le(Instant::from(now)))
        .limit(most)
        .select(sessions::id)
        .load(db)?;
    Ok(diesel::delete(sessions::table.filter(sessions::id.eq_any(ids))).execute(db)?)
}

/// Only the hash of a token is kept. A token is random, so a fast hash is enough.
pub(crate) fn hash(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    use domain::{clock::Clock, permission::WorkspacePermission};

    use super::*;
    use crate::{given::Desk, test_support::on_both, user::UserStatus};

    fn signed_in(desk: &Desk, token: &str) -> bool {
        let (now, policy) = (desk.clock.now(), SessionPolicy::default());
        let found = desk.store.blocking_read(|db| find_signed_in(db, token, policy, now));
        found.unwrap().is_some()
    }

    fn open_for_ana(desk: &Desk, former: Option<&str>) -> OpenedSession {
        let (user, now) = (desk.ana.id(), desk.clock.now());
        let policy = SessionPolicy::default();
        desk.store.blocking_write(|db| open(db, user, "Firefox", former, policy, now)).unwrap()
    }

    #[test]
    fn a_session_ends_idle_or_after_its_time_or_when_it_is_ended() {
        on_both(|store| {
            let desk = Desk::given(store);
            let first = open_for_ana(&desk, None);
            desk.clock.advance(TimeDelta::minutes(30) - TimeDelta::milliseconds(1));
            assert!(signed_in(&desk, &first.token));
            desk.clock.advance(TimeDelta::milliseconds(1));
            assert!(!signed_in(&desk, &first.token), "idle for exactly 30 min");

            let second = open_for_ana(&desk, Some(&first.token));
            let list_open = || {
                let (user, now) = (desk.ana.id(), desk.clock.now());
                store.blocking_read(|db| list(db, user, now)).unwrap()
            };
            assert_eq!(list_open().len(), 1, "the former session ended with the new sign-in");
            for _ in 0..23 {
                desk.clock.advance(TimeDelta::minutes(29));
                let now = desk.clock.now();
                store.blocking_write(|db| touch(db, second.id, now)).unwrap();
                assert!(signed_in(&desk, &second.token));
            }
            desk.clock.advance(TimeDelta::minutes(53));
            let now = desk.clock.now();
            store.blocking_write(|db| touch(db, second.id, now)).unwrap();
            assert!(!signed_in(&desk, &second.token), "12 h, however busy");

            let third = open_for_ana(&desk, None);
            store.blocking_write(|db| end(db, desk.ana.id(), third.id)).unwrap();
            assert!(!signed_in(&desk, &third.token));
            let again = store.blocking_write(|db| end(db, desk.ana.id(), third.id));
            assert!(matches!(again, Err(PersistenceError::NotFound)));
        });
    }

    #[test]
    fn sessions_of_admins_end_sooner_and_of_disabled_users_at_once() {
        on_both(|store| {
            let desk = Desk::given(store);
            let rights = &WorkspacePermission::ALL;
            let ana = desk.ana.id();
            store.blocking_write(|db| user::save_workspace_permissions(db, ana, rights)).unwrap();
            let session = open_for_ana(&desk, None);
            desk.clock.advance(TimeDelta::minutes(15) - TimeDelta::milliseconds(1));
            assert!(signed_in(&desk, &session.token));
            desk.clock.advance(TimeDelta::milliseconds(1));
            assert!(!signed_in(&desk, &session.token));
            let session = open_for_ana(&desk, None);
            let now = desk.clock.now();
            store
                .blocking_write(|db| user::set_status(db, ana, UserStatus::Disabled, now))
                .unwrap();
            assert!(!signed_in(&desk, &session.token));
        });
    }

    #[test]
    fn only_the_hash_of_a_token_is_stored() {
        on_both(|store| {
            let desk = Desk::given(store);
            let session = open_for_ana(&desk, None);
            assert_eq!(session.token.len(), 64);
            let stored: Vec<u8> = store
                .blocking_read(|db| Ok(sessions::table.select(sessions::token_hash).first(db)?))
                .unwrap();
            assert_eq!(stored, hash(&session.token));
            assert!(!signed_in(&desk, &hex::encode(stored)));
        });
    }
}
