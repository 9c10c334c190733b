//! Agents who go while they are given tickets, and webhooks that meet, with real threads (RO-02, C12).

use std::{
    sync::Barrier,
    thread,
    time::{Duration, Instant as Stopwatch},
};

use chrono::TimeDelta;
use diesel::{connection::SimpleConnection, prelude::*};
use domain::{
    channel::{ReceiptStatus, WebhookElement},
    clock::Clock,
    ids::{InboxId, TicketId, UserId},
    presence::Presence,
};

use crate::{
    db::Db,
    error::PersistenceError,
    inbox::{self, ParsedWebhook},
    instant::Instant,
    routing,
    schema::{messages, tickets, webhook_inbox},
    store::Store,
    test_desk::{TestDesk, inbound, receipt},
    test_support::{TestStore, on_both, postgres_is_wanted, rounds},
    ticket::{self, TicketOutcome, hand_out_waiting},
    user::{self, UserStatus},
};

fn set_status(desk: &TestDesk, agent: UserId, status: UserStatus) {
    let now = desk.clock.now();
    desk.store.blocking_write(|db| user::set_status(db, agent, status, now)).unwrap();
}

/// A message of someone who writes for the first time in `round`.
fn first_message(desk: &TestDesk, name: &str, round: usize) -> WebhookElement {
    let phone = format!("3519{}{round:06}", name.len());
    inbound(&format!("{name}.{round}"), &phone, "hi", desk.clock.now())
}

fn close_all(desk: &TestDesk) {
    let closed = |db: &mut Db| {
        diesel::update(tickets::table).set(tickets::state.eq("closed")).execute(db)?;
        Ok(())
    };
    desk.store.blocking_write(closed).unwrap();
}

fn list_waiting(desk: &TestDesk) -> Vec<TicketId> {
    let ids: Vec<i64> = desk
        .store
        .blocking_read(|db| {
            let waiting = tickets::table.filter(tickets::state.eq("waiting"));
            Ok(waiting.order(tickets::id.asc()).select(tickets::id).load(db)?)
        })
        .unwrap();
    ids.into_iter().map(TicketId).collect()
}

#[test]
fn c12_ro_02_whoever_is_disabled_while_tickets_are_given_holds_none() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [ana, rui] = desk.agents;
        desk.set_presence(rui, Presence::Invisible);
        for round in 0..rounds(50, 500) {
            desk.clock.advance(TimeDelta::minutes(1));
            // Someone Ana wrote to answers while she is invisible: it waits for her alone.
            let referred = format!("+35193{round:07}");
            let sent = desk.send(ana, &referred);
            let (echo, at) = (desk.callback_of(sent), desk.clock.now());
            let taken = format!("sent.{round}");
            desk.apply(vec![receipt(&taken, echo.as_deref(), ReceiptStatus::Sent, at)]);
            desk.set_presence(ana, Presence::Invisible);
            let answer = format!("answer.{round}");
            desk.apply(vec![inbound(&answer, &referred[1..], "yes", at)]);
            desk.apply(vec![first_message(&desk, "wait", round)]);
            let waiting = list_waiting(&desk);
            assert_eq!(waiting.len(), 2);
            let actor = desk.actor(ana);

            let barrier = Barrier::new(4);
            thread::scope(|scope| {
                scope.spawn(|| {
                    barrier.wait();
                    set_status(&desk, ana, UserStatus::Disabled);
                });
                scope.spawn(|| {
                    barrier.wait();
                    let (now, ticket) = (desk.clock.now(), waiting[1]);
                    let take = |db: &mut Db| ticket::take(db, &actor, ticket, now);
                    match desk.store.blocking_write(take) {
                        Ok(TicketOutcome::Done) | Err(PersistenceError::Denied) => {}
                        other => panic!("{other:?}"),
                    }
                });
                scope.spawn(|| {
                    barrier.wait();
                    let now = desk.clock.now();
                    let online = |db: &mut Db| {
                        ticket::set_presence(db, &actor, Presence::Online, now).map(drop)
                    };
                    desk.store.blocking_write(online).unwrap();
                });
                scope.spawn(|| {
                    barrier.wait();
                    desk.apply(vec![first_message(&desk, "during", round)]);
                });
            });
            for (state, agent, only_agent) in desk.tickets() {
                let hers = [agent, only_agent].contains(&Some(ana));
                assert!(!hers || state == "closed", "round {round}: {state} of a disabled agent");
            }
            close_all(&desk);
            set_status(&desk, ana, UserStatus::Active);
            desk.set_presence(ana, Presence::Online);
        }
    });
}

#[test]
fn c12_what_a_disabled_agent_still_has_after_a_crash_goes_with_the_next_look() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [ana, rui] = desk.agents;
        desk.set_presence(rui, Presence::Invisible);
        desk.apply(vec![first_message(&desk, "wait", 1)]);
        assert_eq!(desk.tickets(), [("in_progress".to_owned(), Some(ana), None)]);
        // As when the process ended between the status and the tickets.
        let disable = |db: &mut Db| {
            db.batch_execute(
                "UPDATE users SET status = 'disabled' WHERE email = 'ana@example.com'",
            )?;
            Ok(())
        };
        store.blocking_write(disable).unwrap();
        desk.set_presence(rui, Presence::Online);
        let now = desk.clock.now();
        store.blocking_write(|db| hand_out_waiting(db, now)).unwrap();
        assert_eq!(desk.tickets(), [("in_progress".to_owned(), Some(rui), None)]);
    });
}

/// What waits for an agent's row on PostgreSQL for too long is told so, and takes nobody else for it.
#[test]
fn a_busy_database_is_not_taken_for_an_agent_without_a_free_slot() {
    if !postgres_is_wanted() {
        return;
    }
    let store = TestStore::postgres();
    let desk = TestDesk::new(&store);
    let now = desk.clock.now();
    let claim = |db: &mut Db| {
        db.write(|db| {
            db.batch_execute("SET LOCAL lock_timeout = '50ms'")?;
            let service = routing::queue_service(db, desk.chatbot, None, now)?;
            routing::claim_slot(db, desk.chatbot, &service, now)
        })
    };
    let mut holder = store.connect().unwrap();
    let held = holder.write(|holder| {
        routing::lock_agent(holder, desk.agents[0])?;
        Ok(store.blocking_write(claim))
    });
    assert!(matches!(held.unwrap(), Err(PersistenceError::Busy)));
    assert!(store.blocking_write(claim).unwrap().is_some());
}

/// A webhook with `elements` in the inbox of `store`.
fn keep(desk: &TestDesk, store: &Store, elements: Vec<WebhookElement>) -> ParsedWebhook {
    let now = Instant::from(desk.clock.now());
    let id: i64 = store
        .blocking_write(|db| {
            let row = (
                webhook_inbox::channel_id.eq(desk.channel.0),
                webhook_inbox::received_at.eq(now),
                webhook_inbox::body.eq(Vec::new()),
            );
            let inserted = diesel::insert_into(webhook_inbox::table).values(row);
            Ok(inserted.returning(webhook_inbox::id).get_result(db)?)
        })
        .unwrap();
    ParsedWebhook { id: InboxId(id), channel: desk.channel, elements: Ok(elements) }
}

#[test]
fn batches_over_the_same_contacts_in_opposite_order_wait_for_each_other_and_lose_nothing() {
    const CONTACTS: usize = 24;
    on_both(|store| {
        let desk = TestDesk::new(store);
        let phone = |contact: usize| format!("35191{contact:07}");
        // In the first two rounds half of them were written to and receipts come as well; those of the later
        // rounds nobody wrote to. In every other round all write for the first time.
        let sent: Vec<(usize, Option<String>)> = (0..CONTACTS)
            .step_by(2)
            .map(|contact| {
                let message = desk.send(desk.agents[0], &format!("+{}", phone(contact)));
                (contact, desk.callback_of(message))
            })
            .collect();
        const BATCHES: usize = 8;
        for round in 0..rounds(6, 60) {
            desk.clock.advance(TimeDelta::seconds(1));
            let now = desk.clock.now();
            let batches: Vec<ParsedWebhook> = (0..BATCHES)
                .map(|batch| {
                    let mut elements: Vec<WebhookElement> = (0..CONTACTS)
                        .map(|contact| {
                            let contact = contact + round / 2 * CONTACTS;
                            let name = format!("in.{round}.{batch}.{contact}");
                            inbound(&name, &phone(contact), "hi", now)
                        })
                        .collect();
                    let receipts = sent.iter().filter(|_| round < 2);
                    for (contact, echo) in receipts {
                        let (name, echo) = (format!("out.{contact}"), echo.as_deref());
                        let told = receipt(&name, echo, ReceiptStatus::Delivered, now);
                        elements.insert(*contact, told);
                    }
                    if batch % 2 == 1 {
                        elements.reverse();
                    }
                    keep(&desk, store, elements)
                })
                .collect();
            let (barrier, began) = (Barrier::new(BATCHES), Stopwatch::now());
            thread::scope(|scope| {
                for batch in &batches {
                    let (barrier, store) = (&barrier, &desk.store);
                    scope.spawn(move || {
                        barrier.wait();
                        let batch = std::slice::from_ref(batch);
                        let applied = store.blocking_write(|db| inbox::apply(db, batch, now));
                        let report = applied.expect("nobody gives way");
                        assert_eq!((report.webhooks, report.quarantined), (1, 0));
                    });
                }
            });
            assert!(began.elapsed() < Duration::from_secs(60));
            let kept: i64 = store
                .blocking_read(|db| {
                    let arrived = messages::table.filter(messages::direction.eq("in"));
                    Ok(arrived.count().get_result(db)?)
                })
                .unwrap();
            assert_eq!(usize::try_from(kept).unwrap(), (round + 1) * BATCHES * CONTACTS);
        }
    });
}
