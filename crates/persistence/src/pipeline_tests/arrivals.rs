//! What arrives: kept once, answering what was sent, opening one ticket.

use std::{sync::Arc, thread};

use chrono::TimeDelta;
use diesel::prelude::*;
use domain::{
    channel::{UnreadableElement, WebhookElement},
    clock::Clock,
    delivery::DeliveryEventKind,
    ids::{TicketId, UserId},
    permission::Role,
    presence::Presence,
};

use super::{DIGITS, count, sent};
use crate::{
    delivery, expiry,
    inbox::{self, AppendError, WebhookInbox},
    queue,
    schema::{messages, opt_outs, quarantined_events, tickets},
    test_desk::{TestDesk, inbound},
    test_support::on_both,
    ticket::{self, TicketOutcome},
    user,
};

#[test]
fn one_broken_element_is_put_aside_and_the_other_999_are_applied() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let now = desk.clock.now();
        let mut elements: Vec<WebhookElement> = (0..999)
            .map(|number| {
                inbound(&format!("in.{number}"), &format!("35192{:07}", number % 20), "hi", now)
            })
            .collect();
        let broken = WebhookElement {
            account_id: None,
            told_at: None,
            external_id: None,
            raw: "{".into(),
            event: Err(UnreadableElement { reason: "no id".into() }),
        };
        elements.insert(500, broken);
        let report = desk.apply(elements);
        assert_eq!((report.applied, report.quarantined), (999, 1));
        let aside: i64 =
            count(&desk, |db| quarantined_events::table.count().get_result(db)).unwrap();
        assert_eq!(aside, 1);
    });
}

#[test]
fn li_11_of_two_answers_that_come_together_the_first_one_is_the_reply() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = sent(&desk, 0, "out.1");
        desk.clock.advance(TimeDelta::seconds(5));
        let now = desk.clock.now();
        let at = |second| now + TimeDelta::seconds(second);
        let answers = ["in.1", "in.2", "in.3"].iter().zip(0..);
        let report = desk.apply(
            answers.map(|(name, second)| inbound(name, DIGITS, "yes", at(second))).collect(),
        );
        assert_eq!(report.applied, 3);
        let log = store.blocking_read(|db| delivery::list_events(db, message)).unwrap();
        let replies: Vec<_> = log
            .iter()
            .filter(|event| event.kind == DeliveryEventKind::Replied)
            .map(|event| event.at)
            .collect();
        assert_eq!(replies, [now]);
    });
}

#[test]
fn a_message_delivered_twice_is_kept_once_and_a_nul_in_it_stops_nothing() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let now = desk.clock.now();
        let first = desk.apply(vec![inbound("in.1", DIGITS, "hel\0lo", now)]);
        let again = desk.apply(vec![inbound("in.1", DIGITS, "hel\0lo", now)]);
        assert_eq!((first.applied, again.applied, again.copies), (1, 0, 1));
        let kept: Vec<String> =
            count(&desk, |db| messages::table.select(messages::body).load(db)).unwrap();
        assert_eq!(kept, ["hello"]);
    });
}

#[test]
fn m1_m2_m7_m8_and_m9_hold_through_the_rows() {
    let day = TimeDelta::hours(24);
    let second = TimeDelta::seconds(1);
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [ana, rui] = desk.agents;
        let start = desk.clock.now();

        // M7: ana goes invisible; the reply waits for her alone, and moves when she comes online.
        let seventh = sent(&desk, 0, "m7");
        desk.set_presence(ana, Presence::Invisible);
        desk.clock.advance(TimeDelta::hours(1));
        desk.apply(vec![inbound("r7", DIGITS, "yes", start + TimeDelta::hours(1))]);
        assert_eq!(desk.state_of(seventh).0, "replied");
        assert_eq!(desk.tickets(), [("waiting".into(), None, Some(ana))], "M7");
        desk.set_presence(ana, Presence::Online);
        assert_eq!(desk.tickets(), [("in_progress".into(), Some(ana), None)], "RO-02");
        close_all(&desk, ana);

        // M1: a second before the end of the window.
        let first = sent(&desk, 1, "m1");
        let accepted_at = desk.clock.now();
        desk.clock.advance(day - second);
        desk.apply(vec![inbound("r1", DIGITS, "yes", accepted_at + day - second)]);
        assert_eq!(desk.state_of(first).0, "replied", "M1");
        assert_eq!(desk.tickets()[1], ("in_progress".into(), Some(rui), None), "M1");
        close_all(&desk, rui);

        // M9: two agents wrote; the later one serves, both are answered.
        let by_ana = sent(&desk, 0, "m9a");
        desk.clock.advance(TimeDelta::hours(1));
        let by_rui = sent(&desk, 1, "m9b");
        desk.clock.advance(TimeDelta::hours(1));
        desk.apply(vec![inbound("r9", DIGITS, "yes", desk.clock.now())]);
        assert_eq!(desk.state_of(by_ana).0, "replied", "M9");
        assert_eq!(desk.state_of(by_rui).0, "replied", "M9");
        assert_eq!(desk.tickets()[2], ("in_progress".into(), Some(rui), None), "M9");
        close_all(&desk, rui);

        // M8: written in the window, arrived after it: Expired becomes replied.
        let eighth = sent(&desk, 1, "m8");
        let accepted_at = desk.clock.now();
        desk.clock.advance(day + TimeDelta::hours(1));
        let now = desk.clock.now();
        desk.store.blocking_write(|db| expiry::expire(db, 100, now)).unwrap();
        assert_eq!(desk.state_of(eighth).0, "expired");
        desk.apply(vec![inbound("r8", DIGITS, "yes", accepted_at + day - TimeDelta::minutes(30))]);
        assert_eq!(desk.state_of(eighth).0, "replied", "M8");
        assert_eq!(desk.tickets()[3], ("in_progress".into(), Some(rui), None), "M8");
        close_all(&desk, rui);

        // M2: at the very end it is too late; the normal rules decide.
        let second_case = sent(&desk, 1, "m2");
        let accepted_at = desk.clock.now();
        desk.clock.advance(day);
        desk.set_presence(rui, Presence::Invisible);
        desk.apply(vec![inbound("r2", DIGITS, "yes", accepted_at + day)]);
        let now = desk.clock.now();
        desk.store.blocking_write(|db| expiry::expire(db, 100, now)).unwrap();
        assert_eq!(desk.state_of(second_case).0, "expired", "M2");
        assert_eq!(desk.tickets()[4], ("in_progress".into(), Some(ana), None), "M2, RO-04");
    });
}

fn close_all(desk: &TestDesk, agent: UserId) {
    let actor = desk.actor(agent);
    let now = desk.clock.now();
    let open: Vec<i64> = count(desk, |db| {
        tickets::table.filter(tickets::state.ne("closed")).select(tickets::id).load(db)
    })
    .unwrap();
    for id in open {
        let closed =
            desk.store.blocking_write(|db| ticket::close(db, &actor, TicketId(id), now)).unwrap();
        assert_eq!(closed, TicketOutcome::Done);
    }
}

#[test]
fn a_stop_word_opts_out_answers_the_send_and_opens_no_ticket() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = sent(&desk, 0, "m");
        desk.apply(vec![inbound("stop", DIGITS, "STOP!", desk.clock.now())]);
        assert_eq!(desk.state_of(message).0, "replied");
        assert!(desk.tickets().is_empty());
        let in_force = |desk: &TestDesk| -> i64 {
            let open = opt_outs::table.filter(opt_outs::lifted_at.is_null());
            count(desk, |db| open.count().get_result(db)).unwrap()
        };
        assert_eq!(in_force(&desk), 1);
        desk.clock.advance(TimeDelta::minutes(1));
        desk.apply(vec![inbound("start", DIGITS, "start", desk.clock.now())]);
        assert_eq!(in_force(&desk), 0);
    });
}

#[test]
fn two_messages_at_once_open_one_ticket() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let now = desk.clock.now();
        for round in 0..10 {
            let phone = format!("35193{round:07}");
            thread::scope(|scope| {
                for writer in 0..4 {
                    let (desk, phone) = (&desk, &phone);
                    scope.spawn(move || {
                        let id = format!("{phone}.{writer}");
                        // PostgreSQL may make one of two who create the same contact start anew.
                        let report = desk.apply(vec![inbound(&id, phone, "hi", now)]);
                        assert_eq!(report.quarantined, 0);
                    });
                }
            });
            assert_eq!(desk.tickets().len(), round + 1);
        }
    });
}

#[test]
fn ro_04_a_queues_agent_who_may_not_serve_tickets_is_given_none() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let [ana, rui] = desk.agents;
        desk.store
            .blocking_write(|db| {
                let queue = queue::create(db, desk.chatbot, "Service", 0)?;
                queue::set_agents(db, queue, &[ana, rui])?;
                user::save_membership(db, ana, desk.chatbot, Role::Agent, &[])
            })
            .unwrap();
        let now = desk.clock.now();
        desk.apply(vec![inbound("a", DIGITS, "hello", now)]);
        desk.apply(vec![inbound("b", "351912345679", "hello", now)]);
        let served = ("in_progress".to_owned(), Some(rui), None);
        assert_eq!(desk.tickets(), [served.clone(), served]);
    });
}

#[test]
fn what_the_inbox_called_durable_is_there_also_what_waited_when_it_stopped() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let inbox = WebhookInbox::start(store, Arc::default()).unwrap();
        let appended: Vec<_> = (0..600)
            .map(|number| {
                let body = format!("{{\"number\": {number}}}").into_bytes();
                inbox.append(desk.channel, desk.clock.now(), body).unwrap()
            })
            .collect();
        inbox.stop();
        for webhook in appended {
            webhook.blocking_durable().unwrap();
        }
        let refused = inbox.append(desk.channel, desk.clock.now(), Vec::new());
        assert!(matches!(refused, Err(AppendError::Full)));
        let waiting = store.blocking_read(|db| inbox::list_waiting(db, 1_000)).unwrap();
        assert_eq!(waiting.len(), 600);
    });
}
