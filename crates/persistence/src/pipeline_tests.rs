//! Tests of what happens between a webhook or a click and the rows, on both databases.

use std::{sync::Arc, thread};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{
        PlatformRefusal, ReceiptStatus, RefusalClass, SendOutcome, UnreadableElement,
        WebhookElement,
    },
    clock::Clock,
    dispatch::BackOff,
    ids::{ChannelId, MessageId},
    permission::Role,
    policy::Policy,
    presence::Presence,
};

use crate::{
    admission, delivery, expiry,
    inbox::{self, AppendError, WebhookInbox},
    job,
    outbox::{self, Claim, ClaimRequest, DispatchPolicy, Recorded},
    queue,
    schema::{
        attempts, chatbots, early_receipts, job_leases, messages, opt_outs, outbox as outbox_rows,
        quarantined_events, tickets,
    },
    store::Store,
    test_desk::{TestDesk, inbound, receipt},
    test_support::on_both,
    ticket::{self, Reply, ReplyDraft, ReplyRefusal, TicketOutcome},
    user,
};

const PHONE: &str = "+351912345678";
const DIGITS: &str = "351912345678";

fn policy() -> DispatchPolicy {
    DispatchPolicy {
        back_off: BackOff::default(),
        lease: TimeDelta::seconds(60),
        active_messages: Policy::default_profile().active_messages,
    }
}

fn claim(store: &Store, channel: ChannelId, share: usize, now: DateTime<Utc>) -> Vec<Claim> {
    let policy = policy();
    let mut never = |_, _| None;
    let mut request = ClaimRequest {
        shares: &[(channel, share)],
        token: "test",
        policy: &policy,
        pair_wait: &mut never,
    };
    store.blocking_write(|db| outbox::claim(db, &mut request, now)).unwrap().claims
}

fn record(desk: &TestDesk, claim: &Claim, outcome: &SendOutcome) -> Recorded {
    let now = desk.clock.now();
    desk.store
        .blocking_write(|db| outbox::record_outcome(db, claim, outcome, &policy(), now))
        .unwrap()
}

fn accepted(provider_id: &str) -> SendOutcome {
    SendOutcome::Accepted { provider_id: provider_id.to_owned() }
}

/// Sends, and has the platform accept it under `provider_id`, now.
fn sent(desk: &TestDesk, agent: usize, provider_id: &str) -> MessageId {
    let message = desk.send(desk.agents[agent], PHONE);
    let claims = claim(&desk.store, desk.channel, 10, desk.clock.now());
    let claim = claims.iter().find(|claim| claim.outgoing.id == message).unwrap();
    let _recorded = record(desk, claim, &accepted(provider_id));
    message
}

fn count<T>(desk: &TestDesk, query: impl FnOnce(&mut crate::db::Db) -> T) -> T {
    desk.store.blocking_read(|db| Ok(query(db))).unwrap()
}

#[test]
fn receipts_in_any_order_and_number_give_one_view_also_before_our_own_answer() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let failed = ReceiptStatus::Failed {
            refusal: PlatformRefusal { code: "131049".into(), title: "t".into() },
            class: RefusalClass::Fail,
        };
        let kinds = [ReceiptStatus::Sent, ReceiptStatus::Delivered, ReceiptStatus::Read, failed];
        let orders = permutations(4);
        for (number, order) in orders.iter().enumerate() {
            for answer_after in [0, 2, 4] {
                desk.clock.advance(TimeDelta::seconds(7));
                let phone = format!("+35191{:07}", number * 10 + answer_after);
                let message = desk.send(desk.agents[0], &phone);
                let claims = claim(&desk.store, desk.channel, 10, desk.clock.now());
                let provider = format!("wamid.{number}.{answer_after}");
                let start = desk.clock.now();
                for (step, kind) in order.iter().enumerate() {
                    if step == answer_after {
                        let _recorded = record(&desk, &claims[0], &accepted(&provider));
                    }
                    let at = start + TimeDelta::seconds(*kind as i64);
                    for _copy in 0..=(step % 3) {
                        let status = kinds[*kind].clone();
                        desk.apply(vec![receipt(&provider, None, status, at)]);
                    }
                }
                if answer_after == 4 {
                    let _recorded = record(&desk, &claims[0], &accepted(&provider));
                }
                assert_eq!(desk.state_of(message), ("read".into(), None), "{order:?}");
            }
        }
        let waiting: i64 = count(&desk, |db| early_receipts::table.count().get_result(db)).unwrap();
        assert_eq!(waiting, 0, "every early receipt was joined");
    });
}

/// Every order of the numbers below `length`.
pub(crate) fn permutations(length: usize) -> Vec<Vec<usize>> {
    if length == 0 {
        return vec![Vec::new()];
    }
    permutations(length - 1)
        .into_iter()
        .flat_map(|shorter| {
            (0..length).map(move |place| {
                let mut longer = shorter.clone();
                longer.insert(place, length - 1);
                longer
            })
        })
        .collect()
}

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

fn close_all(desk: &TestDesk, agent: domain::ids::UserId) {
    let actor = desk.actor(agent);
    let now = desk.clock.now();
    let open: Vec<i64> = count(desk, |db| {
        tickets::table.filter(tickets::state.ne("closed")).select(tickets::id).load(db)
    })
    .unwrap();
    for id in open {
        let closed = desk
            .store
            .blocking_write(|db| ticket::close(db, &actor, domain::ids::TicketId(id), now))
            .unwrap();
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
fn eight_threads_claim_every_message_exactly_once() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        for number in 0..60 {
            desk.send(desk.agents[0], &format!("+35194{number:07}"));
        }
        let now = desk.clock.now();
        let claimed: Vec<MessageId> = thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|_| {
                    scope.spawn(|| {
                        let mut mine = Vec::new();
                        for _ in 0..20 {
                            mine.extend(claim(&desk.store, desk.channel, 4, now));
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
fn li_01_li_09_a_lost_worker_leaves_an_unknown_that_a_receipt_settles_or_the_horizon_ends() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let settled = desk.send(desk.agents[0], PHONE);
        let ended = desk.send(desk.agents[0], "+351912345679");
        assert_eq!(desk.state_of(settled).0, "sending", "waiting");
        let claims = claim(&desk.store, desk.channel, 10, desk.clock.now());
        assert_eq!(claims.len(), 2);
        assert_eq!(desk.state_of(settled).0, "sending", "leased");
        desk.clock.advance(TimeDelta::seconds(60));
        let rescue = |desk: &TestDesk| {
            let now = desk.clock.now();
            desk.store.blocking_write(|db| outbox::rescue(db, &policy(), 10, now)).unwrap()
        };
        assert_eq!(rescue(&desk).parked, 2);
        assert_eq!(desk.state_of(settled).0, "sending", "unknown");
        assert!(
            claim(&desk.store, desk.channel, 10, desk.clock.now()).is_empty(),
            "never repeated"
        );

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
        let first = claim(&desk.store, desk.channel, 1, desk.clock.now()).remove(0);
        let not_sent = SendOutcome::NotSent { reason: "no route".into() };
        let _retried = record(&desk, &first, &not_sent);
        desk.clock.advance(TimeDelta::seconds(10));
        let second = claim(&desk.store, desk.channel, 1, desk.clock.now()).remove(0);
        assert_eq!(second.fence, first.fence + 1);
        assert_eq!(record(&desk, &first, &accepted("wamid.old")), Recorded::Stale);
        assert_eq!(desk.state_of(message).0, "sending");
        let _done = record(&desk, &second, &accepted("wamid.new"));
        assert_eq!(desk.state_of(message).0, "sent");
        let left: i64 = count(&desk, |db| outbox_rows::table.count().get_result(db)).unwrap();
        assert_eq!(left, 0);
    });
}

#[test]
fn a_failed_send_is_given_back_and_counts_again_when_it_was_read_after_all() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = sent(&desk, 0, "wamid.1");
        let number = domain::ids::NumberId(1);
        let counted = |desk: &TestDesk| {
            desk.store.blocking_read(|db| admission::check_counters(db, number)).unwrap()
        };
        assert_eq!(counted(&desk).day, 1);
        let at = desk.clock.now();
        let failed = ReceiptStatus::Failed {
            refusal: PlatformRefusal { code: "131026".into(), title: "t".into() },
            class: RefusalClass::FailContact,
        };
        desk.apply(vec![receipt("wamid.1", None, failed, at)]);
        assert_eq!(desk.state_of(message), ("failed".into(), Some("131026".into())));
        assert_eq!(counted(&desk).day, 0, "AD-03");
        desk.apply(vec![receipt("wamid.1", None, ReceiptStatus::Read, at)]);
        assert_eq!(desk.state_of(message).0, "read");
        assert_eq!(counted(&desk).day, 1);
        assert!(counted(&desk).is_none());
        let events = desk.store.blocking_read(|db| delivery::list_events(db, message)).unwrap();
        assert_eq!(events.len(), 3, "nothing is dropped from the history");
    });
}

#[test]
fn what_changed_since_admission_refuses_right_before_sending() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = desk.send(desk.agents[0], PHONE);
        desk.apply(vec![inbound("hi", DIGITS, "hello", desk.clock.now())]);
        assert!(claim(&desk.store, desk.channel, 10, desk.clock.now()).is_empty());
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
        let claims = claim(&desk.store, desk.channel, 10, desk.clock.now());
        let claimed: Vec<MessageId> = claims.iter().map(|claim| claim.outgoing.id).collect();
        assert_eq!(claimed, [message], "at 10:00 in Lisbon");
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
fn runs_nobody_will_end_are_closed_so_that_their_jobs_start_again() {
    on_both(|store| {
        let now = TestDesk::new(store).clock.now();
        store
            .blocking_write(|db| {
                let lease = job::acquire_lease(db, "jobs", "us", TimeDelta::seconds(90), now)?;
                let fence = lease.unwrap().fence;
                let us = job::Runner { lease: "jobs", owner: "us", fence };
                for name in ["lost", "running"] {
                    assert!(job::start_run(db, name, now, us, now)?.is_some());
                }
                let later = now + TimeDelta::hours(1);
                assert!(job::start_run(db, "lost", later, us, later)?.is_none(), "still open");
                assert_eq!(job::close_interrupted_runs(db, us, &["running"], later)?, 1);
                assert!(job::start_run(db, "lost", later, us, later)?.is_some());
                assert!(job::start_run(db, "running", later, us, later)?.is_none());
                job::release_lease(db, "jobs", "us", later)?;
                let lease = job::acquire_lease(db, "jobs", "them", TimeDelta::hours(1), later)?;
                let fence = lease.unwrap().fence;
                let them = job::Runner { lease: "jobs", owner: "them", fence };
                assert_eq!(job::close_interrupted_runs(db, them, &[], later)?, 2);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_message_nobody_sent_within_a_day_never_goes() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let message = desk.send(desk.agents[0], PHONE);
        desk.clock.advance(TimeDelta::hours(24));
        let now = desk.clock.now();
        let ended =
            desk.store.blocking_write(|db| outbox::expire_unsent(db, &policy(), 10, now)).unwrap();
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
                ticket: domain::ids::TicketId(ticket),
                text: "Good morning".into(),
                key: key.into(),
            };
            desk.store.blocking_write(|db| ticket::reply(db, &actor, &draft, &*desk.clock)).unwrap()
        };
        let Reply::Queued(message) = write(holder, "a") else { panic!("refused") };
        assert_eq!(write(holder, "a"), Reply::Replayed(message), "AM-11");
        assert!(matches!(write(other, "b"), Reply::Refused(ReplyRefusal::Ticket(_))));
        assert_eq!(claim(&desk.store, desk.channel, 10, desk.clock.now()).len(), 1);
        desk.clock.advance(TimeDelta::hours(24));
        let Reply::Refused(refusal) = write(holder, "c") else { panic!("sent too late") };
        assert_eq!(refusal.as_str(), "session_expired", "SW-04");
    });
}

#[test]
fn jo_02_eight_contenders_never_share_the_jobs_lease_nor_a_fence() {
    on_both(|store| {
        let start = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        let mut holders: Vec<(i64, String)> = Vec::new();
        for round in 0..20 {
            let now = start + TimeDelta::seconds(round * 50);
            let got: Vec<(i64, String)> = thread::scope(|scope| {
                let contenders: Vec<_> = (0..8)
                    .map(|contender| {
                        scope.spawn(move || {
                            let owner = format!("process {contender}");
                            let ttl = TimeDelta::seconds(90);
                            store
                                .blocking_write(|db| {
                                    job::acquire_lease(db, "scheduler", &owner, ttl, now)
                                })
                                .unwrap()
                                .map(|lease| (lease.fence, owner))
                        })
                    })
                    .collect();
                contenders.into_iter().filter_map(|one| one.join().unwrap()).collect()
            });
            assert_eq!(got.len(), 1, "one holder at a time");
            holders.extend(got);
        }
        for (fence, owner) in &holders {
            let of_fence = holders.iter().filter(|(other, _)| other == fence);
            assert!(of_fence.into_iter().all(|(_, other)| other == owner));
        }
        let rows: i64 =
            store.blocking_read(|db| Ok(job_leases::table.count().get_result(db)?)).unwrap();
        assert_eq!(rows, 1);
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
