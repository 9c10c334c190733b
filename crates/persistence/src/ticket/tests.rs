//! Tests of slots and of what waits, on both databases (RO-02, RO-04).

mod channel;
mod plans;
mod race;

use std::{
    collections::HashMap,
    sync::{
        Arc, Barrier,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use chrono::TimeDelta;
use diesel::{
    connection::{Connection, InstrumentationEvent},
    prelude::*,
};
use domain::{
    clock::Clock,
    ids::{ChatbotId, TicketId, UserId},
    permission::Role,
    presence::Presence,
};

use super::{TicketOutcome, close, hand_out_waiting};
use crate::{
    chatbot,
    db::Db,
    error::PersistenceError,
    presence, queue, routing,
    schema::tickets,
    test_desk::{TestDesk, inbound},
    test_support::{on_both, rounds},
    user::{self, NewUser},
};

const MOST: usize = 5;

fn load(desk: &TestDesk) -> HashMap<UserId, usize> {
    let mut load = HashMap::new();
    for (state, agent, _) in desk.tickets() {
        if let ("in_progress", Some(agent)) = (state.as_str(), agent) {
            *load.entry(agent).or_default() += 1;
        }
    }
    load
}

fn count_waiting(desk: &TestDesk) -> usize {
    desk.tickets().iter().filter(|(state, ..)| state == "waiting").count()
}

fn write(desk: &TestDesk, contact: usize) {
    let phone = format!("35195{contact:07}");
    let element = inbound(&format!("in.{contact}"), &phone, "hi", desk.clock.now());
    // Whoever runs into another's lock at the wrong moment comes again, as the consumer does.
    let report = desk.apply(vec![element]);
    assert_eq!(report.quarantined, 0);
}

fn close_one(desk: &TestDesk, agent: UserId) {
    let now = desk.clock.now();
    let theirs: Option<i64> = desk
        .store
        .blocking_read(|db| {
            let theirs = tickets::table
                .filter(tickets::agent_id.eq(agent.0))
                .filter(tickets::state.eq("in_progress"))
                .order(tickets::id.asc())
                .select(tickets::id);
            Ok(theirs.first(db).optional()?)
        })
        .unwrap();
    let Some(ticket) = theirs.map(TicketId) else { return };
    let actor = desk.actor(agent);
    let closed = desk.store.blocking_write(|db| close(db, &actor, ticket, now)).unwrap();
    assert_eq!(closed, TicketOutcome::Done);
}

#[test]
fn ro_04_no_agent_gets_more_than_they_serve_at_once_however_many_write_and_close() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let contacts = AtomicUsize::new(0);
        let arrive = |count: usize| {
            let barrier = Arc::new(Barrier::new(8));
            thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        barrier.wait();
                        for _ in 0..count {
                            write(&desk, contacts.fetch_add(1, Ordering::SeqCst));
                        }
                    });
                }
            });
        };
        arrive(3);
        let full = HashMap::from(desk.agents.map(|agent| (agent, MOST)));
        assert_eq!(load(&desk), full, "24 wrote at once");
        assert_eq!(count_waiting(&desk), 24 - 2 * MOST);

        for _round in 0..rounds(6, 60) {
            let barrier = Arc::new(Barrier::new(6));
            thread::scope(|scope| {
                for agent in desk.agents {
                    let (desk, barrier) = (&desk, &barrier);
                    scope.spawn(move || {
                        barrier.wait();
                        close_one(desk, agent);
                    });
                }
                for _ in 0..4 {
                    scope.spawn(|| {
                        barrier.wait();
                        write(&desk, contacts.fetch_add(1, Ordering::SeqCst));
                    });
                }
            });
            assert!(load(&desk).values().all(|tickets| *tickets <= MOST), "{:?}", load(&desk));
        }
        let now = desk.clock.now();
        store.blocking_write(|db| hand_out_waiting(db, now)).unwrap();
        assert_eq!(load(&desk), full, "no slot stays free while someone waits");
    });
}

/// A second chatbot with a channel row of its own, in whose team `agent` is.
fn second_chatbot(desk: &TestDesk, agent: UserId) -> ChatbotId {
    let now = desk.clock.now();
    desk.store
        .blocking_write(|db| {
            let chatbot = chatbot::create(db, "Sales", "Europe/Lisbon", now)?;
            user::save_membership(db, agent, chatbot, Role::Agent, Role::Agent.permissions())?;
            Ok(chatbot)
        })
        .unwrap()
}

#[test]
fn ro_04_a_slot_that_is_free_again_goes_to_the_oldest_that_waits_in_any_chatbot_of_the_agent() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [ana, rui] = desk.agents;
        desk.set_presence(rui, Presence::Invisible);
        let sales = second_chatbot(&desk, ana);
        for contact in 0..MOST + 2 {
            desk.clock.advance(TimeDelta::minutes(1));
            write(&desk, contact);
        }
        assert_eq!(count_waiting(&desk), 2);
        // The elder of the two waits in the other chatbot.
        store
            .blocking_write(|db| {
                let waiting = tickets::table.filter(tickets::state.eq("waiting"));
                let elder: i64 = waiting.order(tickets::id.asc()).select(tickets::id).first(db)?;
                diesel::update(tickets::table.find(elder))
                    .set(tickets::chatbot_id.eq(sales.0))
                    .execute(db)?;
                Ok(())
            })
            .unwrap();
        close_one(&desk, ana);
        assert_eq!(load(&desk), HashMap::from([(ana, MOST)]));
        let (state, agent, _) = desk.tickets()[MOST].clone();
        assert_eq!((state.as_str(), agent), ("in_progress", Some(ana)), "the elder, of Sales");
        assert_eq!(count_waiting(&desk), 1);
    });
}

#[test]
fn what_could_be_served_does_not_wait_for_someone_to_come_or_go() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [ana, rui] = desk.agents;
        desk.set_presence(ana, Presence::Invisible);
        desk.set_presence(rui, Presence::Invisible);
        write(&desk, 1);
        assert_eq!(count_waiting(&desk), 1);
        let now = desk.clock.now();
        let look = || store.blocking_write(|db| hand_out_waiting(db, now)).unwrap();
        assert_eq!(look(), 0, "nobody is there");
        // As when the process ended between the choice and the handing out.
        store.blocking_write(|db| presence::choose(db, rui, Presence::Online, now)).unwrap();
        assert_eq!((look(), look()), (1, 0));
        assert_eq!(load(&desk), HashMap::from([(rui, 1)]));
    });
}

/// How many queries `work` asks.
fn count_queries(
    db: &mut Db,
    work: impl FnOnce(&mut Db) -> Result<(), PersistenceError>,
) -> Result<usize, PersistenceError> {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if matches!(event, InstrumentationEvent::StartQuery { .. }) {
            counter.fetch_add(1, Ordering::SeqCst);
        }
    });
    let done = work(db);
    db.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    done.map(|()| asked.load(Ordering::SeqCst))
}

#[test]
fn routing_asks_as_many_queries_for_forty_agents_as_for_two() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let now = desk.clock.now();
        let mut asked = Vec::new();
        for more in [0, 38] {
            let count = store.blocking_write(|db| {
                let mut team = desk.agents.to_vec();
                for number in 0..more {
                    let new = NewUser {
                        email: &format!("agent{number}@example.com"),
                        name: "Agent",
                        password_hash: "none",
                        language: None,
                        time_zone: None,
                        max_tickets: 5,
                    };
                    let agent = user::create(db, &new, now)?;
                    let permissions = Role::Agent.permissions();
                    user::save_membership(db, agent, desk.chatbot, Role::Agent, permissions)?;
                    presence::choose(db, agent, Presence::Online, now)?;
                    team.push(agent);
                }
                let queue = queue::create(db, desk.chatbot, "Sales", i64::from(-more))?;
                queue::set_agents(db, queue, &team)?;
                count_queries(db, |db| {
                    let service = routing::queue_service(db, desk.chatbot, Some(queue), now)?;
                    assert_eq!(service.agents.len(), team.len());
                    Ok(())
                })
            });
            asked.push(count.unwrap());
        }
        assert_eq!(asked, [2, 2]);
    });
}
