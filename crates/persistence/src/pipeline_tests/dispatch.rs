//! What leaves: claimed once, asked again right before, never blindly repeated.

use std::{sync::Barrier, thread};

use chrono::TimeDelta;
use diesel::{prelude::*, sql_query, sql_types::BigInt};
use domain::{
    channel::{ReceiptStatus, SendOutcome},
    clock::Clock,
    ids::{MessageId, TicketId},
};

use super::{DIGITS, PHONE, count};
use crate::{
    db::Db,
    outbox::{self, ClaimRequest, Recorded},
    schema::{attempts, chatbots, outbox as outbox_rows, tickets},
    store::Store,
    test_desk::{TestDesk, accepted, dispatch_policy, inbound, receipt},
    test_support::{TestStore, on_both, postgres_is_wanted, rounds, statements_of},
    ticket::{self, Reply, ReplyDraft, ReplyRefusal},
};

#[test]
fn eight_threads_claim_every_message_exactly_once() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        for number in 0..60 {
            desk.send(desk.agents[0], &format!("+35194{number:07}"));
        }
        let claimed: Vec<MessageId> = thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let mut mine = Vec::new();
                        for _ in 0..20 {
                            mine.extend(desk.claim(4));
                        }
                        mine
                    })
                })
                .collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
        })
        .into_iter()
        .map(|claim| claim.outgoing.id)
        .collect();
        let mut distinct = claimed.clone();
        distinct.sort_unstable();
        distinct.dedup();
        assert_eq!((claimed.len(), distinct.len()), (60, 60));
        let written: i64 = count(&desk, |db| attempts::table.count().get_result(db)).unwrap();
        assert_eq!(written, 60, "each attempt is on record before anything leaves");
    });
}

#[test]
fn as_many_queries_claim_sixteen_messages_as_one() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let (policy, now) = (dispatch_policy(), desk.clock.now());
        let asked = [1, 16].map(|share| {
            for number in 0..share {
                desk.send(desk.agents[0], &format!("+351940{share:02}{number:04}"));
            }
            let shares = [(desk.channel, share)];
            let claim = |db: &mut Db| {
                let mut request = ClaimRequest {
                    shares: &shares,
                    token: "test",
                    policy: &policy,
                    pair_wait: &mut |_, _| None,
                };
                outbox::claim(db, &mut request, now)
            };
            let (claimed, asked) =
                store.blocking_write(|db| statements_of(db, claim)).expect("a claim");
            assert_eq!(claimed.claims.len(), share);
            asked
        });
        assert_eq!(asked[0].len(), asked[1].len(), "{asked:#?}");
    });
}

#[test]
fn li_01_li_09_a_lost_worker_leaves_an_unknown_that_a_receipt_settles_or_the_horizon_ends() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let settled = desk.send(desk.agents[0], PHONE);
        let ended = desk.send(desk.agents[0], "+351912345679");
        assert_eq!(desk.state_of(settled).0, "sending", "waiting");
        let claims = desk.claim(10);
        assert_eq!(claims.len(), 2);
        assert_eq!(desk.state_of(settled).0, "sending", "leased");
        desk.clock.advance(TimeDelta::seconds(60));
        let rescue = |desk: &TestDesk| {
            let now = desk.clock.now();
            desk.store.blocking_write(|db| outbox::rescue(db, &dispatch_policy(), 10, now)).unwrap()
        };
        assert_eq!(rescue(&desk).parked, 2);
        assert_eq!(desk.state_of(settled).0, "sending", "unknown");
        assert!(desk.claim(10).is_empty(), "never repeated");

        let echo = desk.callback_of(settled);
        let at = desk.clock.now();
        desk.apply(vec![receipt("wamid.s", echo.as_deref(), ReceiptStatus::Delivered, at)]);
        assert_eq!(desk.state_of(settled).0, "delivered", "LI-09: a receipt settles it");

        desk.clock.advance(TimeDelta::minutes(9));
        let now = desk.clock.now();
        let settle =
            |now| desk.store.blocking_write(|db| outbox::settle_unknown(db, 10, now)).unwrap();
        assert_eq!(settle(now - TimeDelta::milliseconds(1)), 0);
        assert_eq!(settle(now), 1);
        assert_eq!(desk.state_of(ended), ("failed".into(), Some("outcome_unknown".into())));
        let echo = desk.callback_of(ended);
        desk.apply(vec![receipt("wamid.e", echo.as_deref(), ReceiptStatus::Read, now)]);
        assert_eq!(desk.state_of(ended), ("read".into(), None), "the one failure that gives way");
    });
}

#[test]
fn an_outcome_with_an_old_fence_has_no_effect() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = desk.send(desk.agents[0], PHONE);
        let first = desk.claim(1).remove(0);
        let not_sent = SendOutcome::NotSent { reason: "no route".into() };
        let _retried = desk.record(&first, &not_sent);
        desk.clock.advance(TimeDelta::seconds(10));
        let second = desk.claim(1).remove(0);
        assert_eq!(second.fence, first.fence + 1);
        assert_eq!(desk.record(&first, &accepted("wamid.old")), Recorded::Stale);
        assert_eq!(desk.state_of(message).0, "sending");
        let _done = desk.record(&second, &accepted("wamid.new"));
        assert_eq!(desk.state_of(message).0, "sent");
        let left: i64 = count(&desk, |db| outbox_rows::table.count().get_result(db)).unwrap();
        assert_eq!(left, 0);
    });
}

#[test]
fn what_changed_since_admission_refuses_right_before_sending() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = desk.send(desk.agents[0], PHONE);
        desk.apply(vec![inbound("hi", DIGITS, "hello", desk.clock.now())]);
        assert!(desk.claim(10).is_empty());
        let expected = ("failed".into(), Some("contact_has_open_ticket".into()));
        assert_eq!(desk.state_of(message), expected, "AD-11");
    });
}

#[test]
fn ad_10_quiet_hours_of_a_number_of_no_country_follow_the_chatbots_zone_until_it_is_sent() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        desk.store
            .blocking_write(|db| {
                let on = chatbots::quiet_hours_enabled.eq(true);
                diesel::update(chatbots::table.find(desk.chatbot.0)).set(on).execute(db)?;
                Ok(())
            })
            .unwrap();
        let message = desk.send(desk.agents[0], "+80012345678");
        let claims = desk.claim(10);
        let claimed: Vec<MessageId> = claims.iter().map(|claim| claim.outgoing.id).collect();
        assert_eq!(claimed, [message], "at 10:00 in Lisbon");
    });
}

#[test]
fn a_message_nobody_sent_within_a_day_never_goes() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = desk.send(desk.agents[0], PHONE);
        desk.clock.advance(TimeDelta::hours(24));
        let now = desk.clock.now();
        let ended = desk
            .store
            .blocking_write(|db| outbox::expire_unsent(db, &dispatch_policy(), 10, now))
            .unwrap();
        assert_eq!(ended, 1);
        let expected = ("failed".into(), Some("not_sent_in_time".into()));
        assert_eq!(desk.state_of(message), expected, "LI-04");
    });
}

#[test]
fn a_reply_goes_out_inside_the_window_once_and_not_after_it() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        desk.apply(vec![inbound("hi", DIGITS, "hello", desk.clock.now())]);
        let holder = desk.tickets()[0].1.unwrap();
        let other = desk.agents.into_iter().find(|agent| *agent != holder).unwrap();
        let ticket: i64 = count(&desk, |db| tickets::table.select(tickets::id).first(db)).unwrap();
        let write = |agent, key: &str| {
            let actor = desk.actor(agent);
            let draft = ReplyDraft {
                ticket: TicketId(ticket),
                text: "Good morning".into(),
                key: key.into(),
                quotes: None,
            };
            desk.store.blocking_write(|db| ticket::reply(db, &actor, &draft, &*desk.clock)).unwrap()
        };
        let Reply::Queued(message) = write(holder, "a") else { panic!("refused") };
        assert_eq!(write(holder, "a"), Reply::Replayed(message), "AM-11");
        assert!(matches!(write(other, "b"), Reply::Refused(ReplyRefusal::Ticket(_))));
        assert_eq!(desk.claim(10).len(), 1);
        desk.clock.advance(TimeDelta::hours(24));
        let Reply::Refused(refusal) = write(holder, "c") else { panic!("sent too late") };
        assert_eq!(refusal.as_str(), "session_expired", "SW-04");
    });
}

#[derive(QueryableByName)]
struct Deadlocks {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// The deadlocks that the server of `store` resolved in its database so far.
fn count_deadlocks(store: &Store) -> i64 {
    let look = "SELECT deadlocks AS count FROM pg_stat_database WHERE datname = current_database()";
    let read = |db: &mut Db| Ok(sql_query(look).get_result::<Deadlocks>(db)?.count);
    store.blocking_read(read).unwrap()
}

#[test]
fn what_may_not_go_is_ended_by_the_numbers_lock_first_so_that_no_two_who_end_it_wait_for_each_other()
 {
    if !postgres_is_wanted() {
        return;
    }
    let store = TestStore::postgres();
    let desk = TestDesk::new(&store);
    for round in 0..rounds(3, 20) {
        let sent: Vec<MessageId> = (0..24)
            .map(|index| desk.send(desk.agents[0], &format!("+35191{round:03}{index:04}")))
            .collect();
        desk.clock.advance(TimeDelta::hours(24));
        let (policy, now, barrier) = (dispatch_policy(), desk.clock.now(), Barrier::new(4));
        let (desk, barrier, policy) = (&desk, &barrier, &policy);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(move || {
                    barrier.wait();
                    assert!(desk.claim(24).is_empty(), "there is no time for an attempt");
                });
                scope.spawn(move || {
                    barrier.wait();
                    let end = |db: &mut Db| outbox::expire_unsent(db, policy, 100, now);
                    desk.store.blocking_write(end).unwrap();
                });
            }
        });
        for message in sent {
            let expected = ("failed".into(), Some("not_sent_in_time".into()));
            assert_eq!(desk.state_of(message), expected);
        }
    }
    assert_eq!(count_deadlocks(&store), 0);
}
