//! Marking an agent absent, as for a holiday: nothing waits for them, nothing is given to them (RO-02).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::UserId;

use crate::{
    db::Db, error::PersistenceError, instant::Instant, routing::lock_agent, schema::memberships,
    ticket,
};

/// Marks `user` absent in every team they belong to, from `now` until [`mark_present`]. What waits for them
/// alone goes by the normal rules (RO-02); what they serve they keep. Returns how many tickets left them.
///
/// # Errors
/// `NotFound` when they belong to no team.
pub fn mark_absent(
    db: &mut Db,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    save_absence(db, user, Some(now))?;
    Ok(ticket::leave_referred_to_others(db, user, now))
}

/// Ends the absence of `user` in every team: tickets are kept for them and given to them again. Returns how
/// many moved.
///
/// # Errors
/// `NotFound` when they belong to no team.
pub fn mark_present(
    db: &mut Db,
    user: UserId,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    save_absence(db, user, None)?;
    ticket::hand_out_waiting(db, now)
}

fn save_absence(
    db: &mut Db,
    user: UserId,
    since: Option<DateTime<Utc>>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        // Whoever is giving them a ticket just now is waited for; whoever comes later sees it.
        lock_agent(db, user)?;
        let changed = diesel::update(memberships::table.filter(memberships::user_id.eq(user.0)))
            .set(memberships::absent_since.eq(since.map(Instant::from)))
            .execute(db)?;
        if changed == 0 { Err(PersistenceError::NotFound) } else { Ok(()) }
    })
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use diesel::prelude::*;
    use domain::{clock::Clock, presence::Presence, routing::Distribution};

    use super::*;
    use crate::{
        schema::chatbots,
        test_desk::{TestDesk, inbound},
        test_support::on_both,
    };

    const DIGITS: &str = "351912345678";

    #[test]
    fn ro_02_how_many_tickets_left_whom_is_absent_is_told_whether_or_not_someone_takes_them() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let [ana, rui] = desk.agents;
            for digits in [DIGITS, "351912345679"] {
                let sent = desk.send(ana, &format!("+{digits}"));
                desk.deliver_to_platform(sent, &format!("wamid.{digits}"));
            }
            desk.set_presence(ana, Presence::Invisible);
            desk.set_presence(rui, Presence::Invisible);
            desk.clock.advance(TimeDelta::minutes(1));
            // The third wrote first: it waits for anyone, and is none of Ana's.
            for digits in [DIGITS, "351912345679", "351912345670"] {
                let at = desk.clock.now();
                desk.apply(vec![inbound(&format!("wamid.from.{digits}"), digits, "Sim", at)]);
            }
            let now = desk.clock.now();
            let mark = |user| store.blocking_write(|db| mark_absent(db, user, now)).unwrap();
            assert_eq!(mark(rui), 0, "none waits for Rui");
            store.blocking_write(|db| mark_present(db, rui, now)).unwrap();
            assert_eq!(mark(ana), 2);
            assert_eq!(desk.tickets(), vec![("waiting".to_owned(), None, None); 3]);
            assert_eq!(mark(ana), 0, "again changes nothing");
        });
    }

    #[test]
    fn ro_02_whoever_is_online_gets_an_absent_agents_tickets_at_once() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let [ana, rui] = desk.agents;
            waiting_for_ana(&desk);
            desk.set_presence(rui, Presence::Online);
            assert_eq!(desk.tickets(), [("waiting".into(), None, Some(ana))]);
            let now = desk.clock.now();
            assert_eq!(store.blocking_write(|db| mark_absent(db, ana, now)).unwrap(), 1);
            assert_eq!(desk.tickets(), [("in_progress".into(), Some(rui), None)]);
        });
    }

    /// A ticket that waits for the first agent alone, who sent and went away; the other one is away too.
    fn waiting_for_ana(desk: &TestDesk) {
        let [ana, rui] = desk.agents;
        let sent = desk.send(ana, "+351912345678");
        desk.deliver_to_platform(sent, "wamid.sent");
        desk.set_presence(ana, Presence::Invisible);
        desk.set_presence(rui, Presence::Invisible);
        desk.clock.advance(TimeDelta::minutes(1));
        desk.apply(vec![inbound("wamid.reply", DIGITS, "Sim", desk.clock.now())]);
        assert_eq!(desk.tickets(), [("waiting".into(), None, Some(ana))]);
    }

    #[test]
    fn ro_02_an_absent_agent_keeps_no_ticket_waiting_and_is_given_none() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let [ana, rui] = desk.agents;
            waiting_for_ana(&desk);
            let now = desk.clock.now();
            store.blocking_write(|db| mark_absent(db, ana, now)).unwrap();
            assert_eq!(desk.tickets(), [("waiting".into(), None, None)]);
            desk.set_presence(ana, Presence::Online);
            assert_eq!(desk.tickets(), [("waiting".into(), None, None)], "absent, though online");
            store.blocking_write(|db| mark_present(db, ana, now)).unwrap();
            assert_eq!(desk.tickets(), [("in_progress".into(), Some(ana), None)]);
            let nobody = UserId(ana.0 + rui.0 + 1);
            let unknown = store.blocking_write(|db| mark_absent(db, nobody, now));
            assert!(matches!(unknown, Err(PersistenceError::NotFound)));
        });
    }

    #[test]
    fn ro_02_a_ticket_waits_for_one_agent_no_longer_than_the_chatbot_lets_it() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let [ana, rui] = desk.agents;
            waiting_for_ana(&desk);
            store
                .blocking_write(|db| {
                    diesel::update(chatbots::table)
                        .set(chatbots::release_after_minutes.eq(Some(30)))
                        .execute(db)?;
                    Ok(())
                })
                .unwrap();
            let look = || {
                let now = desk.clock.now();
                store.blocking_write(|db| ticket::hand_out_waiting(db, now)).unwrap();
            };
            desk.clock.advance(TimeDelta::minutes(30) - TimeDelta::milliseconds(1));
            look();
            assert_eq!(desk.tickets(), [("waiting".into(), None, Some(ana))]);
            desk.clock.advance(TimeDelta::milliseconds(1));
            look();
            assert_eq!(desk.tickets(), [("waiting".into(), None, None)]);
            desk.set_presence(rui, Presence::Online);
            assert_eq!(desk.tickets(), [("in_progress".into(), Some(rui), None)]);
        });
    }

    #[test]
    fn ro_04_a_chatbot_may_give_tickets_to_who_has_been_idle_longest() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let [ana, rui] = desk.agents;
            // Ana is online for longer, but Rui has fewer tickets.
            desk.set_presence(rui, Presence::Invisible);
            desk.apply(vec![inbound("wamid.1", DIGITS, "Olá", desk.clock.now())]);
            desk.clock.advance(TimeDelta::minutes(1));
            desk.set_presence(rui, Presence::Online);
            store
                .blocking_write(|db| {
                    diesel::update(chatbots::table)
                        .set(chatbots::distribution.eq(Distribution::LongestIdle.as_str()))
                        .execute(db)?;
                    Ok(())
                })
                .unwrap();
            desk.clock.advance(TimeDelta::minutes(1));
            desk.apply(vec![inbound("wamid.2", "351912345679", "Olá", desk.clock.now())]);
            let of_ana = ("in_progress".to_owned(), Some(ana), None);
            assert_eq!(desk.tickets(), [of_ana.clone(), of_ana]);
        });
    }
}
