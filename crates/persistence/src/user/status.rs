//! Disabling a user, and what ends with it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::UserId;

use super::UserStatus;
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    presence,
    schema::{api_tokens, sessions, users},
    ticket,
};

/// Lets `user` sign in, or not. With a disabled user end their sessions, open pages with them, and their API
/// tokens; they are offline, and what they served or what waited for them alone goes by the normal rules
/// (RO-02, C12). Returns how many tickets went. Whoever is giving them a ticket just now is waited for, and whoever
/// comes later sees that they are disabled.
///
/// # Errors
/// `NotFound` when there is no such user.
pub fn set_status(
    db: &mut Db,
    user: UserId,
    status: UserStatus,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    db.write(|db| {
        let changed = diesel::update(users::table.find(user.0))
            .set(users::status.eq(status.as_str()))
            .execute(db)?;
        if changed == 0 {
            return Err(PersistenceError::NotFound);
        }
        match status {
            UserStatus::Active => Ok(()),
            UserStatus::Disabled => end_access(db, user, now),
        }
    })?;
    Ok(match status {
        UserStatus::Active => 0,
        UserStatus::Disabled => ticket::leave_to_others(db, user, now),
    })
}

fn end_access(db: &mut Db, user: UserId, now: DateTime<Utc>) -> Result<(), PersistenceError> {
    diesel::delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(db)?;
    let open = api_tokens::table
        .filter(api_tokens::user_id.eq(user.0))
        .filter(api_tokens::revoked_at.is_null());
    diesel::update(open).set(api_tokens::revoked_at.eq(Some(Instant::from(now)))).execute(db)?;
    presence::leave(db, user, now)
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::{channel::ReceiptStatus, clock::Clock, presence::Presence};

    use super::*;
    use crate::{
        api_token::{self, ApiScope},
        session::{self, SessionPolicy},
        test_desk::{TestDesk, inbound, receipt},
        test_support::on_both,
        user,
    };

    /// Someone wrote first; the agent with the fewest tickets serves them.
    fn write(desk: &TestDesk, phone_digits: &str) {
        desk.clock.advance(TimeDelta::seconds(1));
        let at = desk.clock.now();
        desk.apply(vec![inbound(&format!("wamid.{phone_digits}"), phone_digits, "Olá", at)]);
    }

    fn disable(desk: &TestDesk, user: UserId) -> usize {
        let (status, now) = (UserStatus::Disabled, desk.clock.now());
        desk.store.blocking_write(|db| set_status(db, user, status, now)).unwrap()
    }

    #[test]
    fn ro_02_a_disabled_agents_tickets_go_by_the_normal_rules() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let [ana, rui] = desk.agents;
            desk.set_presence(rui, Presence::Invisible);
            write(&desk, "5511987654321");
            let sent = desk.send(ana, "+5511987654322");
            let (echo, at) = (desk.callback_of(sent), desk.clock.now());
            desk.apply(vec![receipt("wamid.sent", echo.as_deref(), ReceiptStatus::Sent, at)]);
            desk.set_presence(ana, Presence::Invisible);
            write(&desk, "5511987654322");
            write(&desk, "5511987654323");
            let (in_progress, waiting) = ("in_progress".to_owned(), "waiting".to_owned());
            assert_eq!(
                desk.tickets(),
                [
                    (in_progress.clone(), Some(ana), None),
                    (waiting.clone(), None, Some(ana)),
                    (waiting.clone(), None, None),
                ]
            );
            assert_eq!(disable(&desk, ana), 2);
            assert_eq!(desk.tickets(), vec![(waiting, None, None); 3], "nobody is online");
            desk.set_presence(rui, Presence::Online);
            assert_eq!(desk.tickets(), vec![(in_progress, Some(rui), None); 3]);
        });
    }

    #[test]
    fn ro_02_whoever_is_online_gets_a_disabled_agents_tickets_at_once() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let [ana, rui] = desk.agents;
            desk.set_presence(rui, Presence::Invisible);
            write(&desk, "5511987654321");
            desk.set_presence(rui, Presence::Online);
            assert_eq!(desk.tickets(), [("in_progress".to_owned(), Some(ana), None)]);
            assert_eq!(disable(&desk, ana), 1);
            assert_eq!(desk.tickets(), [("in_progress".to_owned(), Some(rui), None)]);
            assert_eq!(disable(&desk, ana), 0, "again changes nothing");
        });
    }

    #[test]
    fn c12_a_disabled_users_sessions_and_tokens_are_dead_and_they_are_offline() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let ([ana, _], now) = (desk.agents, desk.clock.now());
            let policy = SessionPolicy::default();
            let (session, token) = store
                .blocking_write(|db| {
                    let session = session::open(db, ana, "Firefox", None, policy, now)?;
                    let token = api_token::create(db, ana, "Orders", &ApiScope::ALL, now)?;
                    Ok((session.token, token.token))
                })
                .unwrap();
            let holds = || {
                store
                    .blocking_read(|db| {
                        let session = session::find_signed_in(db, &session, policy, now)?;
                        let holder = api_token::find_holder(db, &token)?;
                        let presence = presence::find(db, ana)?;
                        Ok((session.is_some(), holder.is_some(), presence))
                    })
                    .unwrap()
            };
            assert_eq!(holds(), (true, true, Presence::Online));
            disable(&desk, ana);
            assert_eq!(holds(), (false, false, Presence::Offline));
            let status = UserStatus::Active;
            store.blocking_write(|db| set_status(db, ana, status, now)).unwrap();
            assert_eq!(holds(), (false, false, Presence::Offline), "nothing comes back by itself");
            assert!(store.blocking_read(|db| user::find_actor(db, ana)).unwrap().is_some());
        });
    }
}
