//! Admission on both databases: races, a brute-force model, table A of the cap, what is given back, and what is
//! logged.

mod clock;
mod model;
mod races;
mod table_a;
mod tickets;

use chrono::TimeDelta;
use diesel::prelude::*;
use domain::{
    admission::RefusalCode,
    clock::Clock,
    contact_cap::CapScope,
    ids::{ChannelId, ContactId},
    permission::{Permission, Role},
    phone::PhoneNumber,
    template::{VariableName, VariableProblem, VariableProblemCode},
};

use super::*;
use crate::{
    channel::{self, NewChannel},
    chatbot, contact,
    given::{ACCOUNT, Desk},
    idempotency::{IdempotencyKey, KeyOwner, hash_body},
    instant::Instant,
    number, policy,
    schema::{chatbots, contacts, decisions, messages, outbox, recipient_window, session_windows},
    test_desk,
    test_support::on_both,
    user,
};

pub(super) fn queued(outcome: Outcome) -> Queued {
    match outcome {
        Outcome::Queued(queued) => queued,
        other => panic!("not queued: {other:?}"),
    }
}

pub(super) fn codes(outcome: &Outcome) -> Vec<RefusalCode> {
    match outcome {
        Outcome::Refused(refused) => refused.reasons.iter().map(|reason| reason.code).collect(),
        Outcome::Queued(_) | Outcome::Replayed(_) | Outcome::KeyReused => Vec::new(),
    }
}

fn count_rows(desk: &Desk) -> (i64, i64, i64, i64) {
    desk.store
        .blocking_read(|db| {
            Ok((
                contacts::table.count().get_result(db)?,
                messages::table.count().get_result(db)?,
                outbox::table.count().get_result(db)?,
                recipient_window::table.count().get_result(db)?,
            ))
        })
        .unwrap()
}

#[test]
fn ad_04_a1_to_a3_the_fourth_send_says_until_when_and_then_goes() {
    on_both(|store| {
        let desk = Desk::given(store);
        desk.save_cap(true, 3, CapScope::EachAgent);
        let contact = desk.contact("Luísa", "+5511987654321");
        let draft = desk.draft(Recipient::Contact(contact), desk.ana.id());
        let first_at = desk.clock.now();
        for _ in 0..3 {
            queued(desk.send(&draft));
            desk.clock.advance(TimeDelta::hours(3));
        }
        let refused = match desk.send(&draft) {
            Outcome::Refused(refused) => refused,
            other => panic!("not refused: {other:?}"),
        };
        assert_eq!(refused.reasons[0].code, RefusalCode::AgentContactCap);
        assert_eq!(refused.reasons[0].until, Some(first_at + TimeDelta::hours(24)));
        assert_eq!(refused.until, Some(first_at + TimeDelta::hours(24)));
        let bruno = desk.another_agent("bruno");
        let by_another = desk.draft(Recipient::Contact(contact), bruno.id());
        queued(desk.send_as(&bruno, &by_another));
        desk.clock.advance(TimeDelta::hours(15) - TimeDelta::milliseconds(1));
        assert_eq!(codes(&desk.send(&draft)), [RefusalCode::AgentContactCap]);
        desk.clock.advance(TimeDelta::milliseconds(1));
        queued(desk.send(&draft));
    });
}

/// A number of another chatbot that has the same agent, contact and templates.
fn another_chatbots_channel(desk: &Desk, contact: ContactId) -> ChannelId {
    let (vault, now) = (desk.store.vault().unwrap(), desk.clock.now());
    desk.store
        .blocking_write(|db| {
            let policy = policy::find_or_create_default(db, now)?;
            let chatbot = chatbot::create(db, "Oficina", "America/Sao_Paulo", now)?;
            diesel::update(chatbots::table.find(chatbot.0))
                .set(chatbots::active_messages_enabled.eq(true))
                .execute(db)?;
            let new = NewChannel {
                external_id: "106540352242923",
                account_id: ACCOUNT,
                ..test_desk::new_channel(chatbot)
            };
            let channel = channel::create(db, &vault, &new, now)?;
            number::create(db, channel, "+551140000001", policy, now)?;
            user::save_membership(db, desk.ana.id(), chatbot, Role::Admin, &Permission::ALL)?;
            contact::join_chatbot(db, chatbot, contact, None, None, now)?;
            Ok(channel)
        })
        .unwrap()
}

#[test]
fn ad_06_the_cap_counts_each_agent_or_all_together_and_one_chatbot_alone() {
    on_both(|store| {
        let desk = Desk::given(store);
        let contact = desk.contact("Luísa", "+5511987654321");
        let bruno = desk.another_agent("bruno");
        let elsewhere = another_chatbots_channel(&desk, contact);
        let by_ana = desk.draft(Recipient::Contact(contact), desk.ana.id());
        let by_bruno = desk.draft(Recipient::Contact(contact), bruno.id());
        let start = desk.clock.now();
        queued(desk.send(&by_ana));
        desk.clock.advance(TimeDelta::hours(1));
        queued(desk.send_as(&bruno, &by_bruno));
        let from_elsewhere = Draft { channel: elsewhere, ..by_ana.clone() };
        let both = desk.actor(desk.ana.id());
        queued(desk.send_as(&both, &from_elsewhere));
        desk.clock.advance(TimeDelta::hours(1));
        let day = TimeDelta::hours(24);
        let own_first = Some(start + day);
        let of_bruno = Some(start + TimeDelta::hours(1) + day);
        let cases = [
            ("each agent, one of 2", CapScope::EachAgent, 2, None),
            ("each agent, one of 1", CapScope::EachAgent, 1, Some(own_first)),
            (
                "all agents, two of 3: another chatbot's does not count",
                CapScope::AllAgents,
                3,
                None,
            ),
            ("all agents, two of 2", CapScope::AllAgents, 2, Some(own_first)),
            ("all agents, two of 1", CapScope::AllAgents, 1, Some(of_bruno)),
        ];
        for (case, scope, sends, expected) in cases {
            desk.save_cap(true, sends, scope);
            let check_at = |now| {
                let forecast = store.blocking_read(|db| check(db, &both, &by_ana, now)).unwrap();
                forecast.reasons.first().map(|reason| {
                    assert_eq!(reason.code, RefusalCode::AgentContactCap, "{case}");
                    reason.until
                })
            };
            assert_eq!(check_at(desk.clock.now()), expected, "{case}");
            if let Some(until) = expected.flatten() {
                let millisecond = TimeDelta::milliseconds(1);
                assert_eq!(check_at(until - millisecond), expected, "{case}: a millisecond before");
                assert_eq!(check_at(until), None, "{case}: at its end");
            }
        }
    });
}

#[test]
fn ad_12_a_notification_is_what_is_admitted_outside_the_window_whenever_it_is_accepted() {
    on_both(|store| {
        let desk = Desk::given(store);
        let (window, millisecond) = (TimeDelta::hours(24), TimeDelta::milliseconds(1));
        let counted = || -> i64 {
            store.blocking_read(|db| Ok(recipient_window::table.count().get_result(db)?)).unwrap()
        };
        let of_contact = |phone| {
            let contact = desk.contact("Luísa", phone);
            let written_at = Instant::from(desk.clock.now());
            let row = (
                session_windows::channel_id.eq(desk.channel.0),
                session_windows::contact_id.eq(contact.0),
                session_windows::last_inbound_at.eq(written_at),
            );
            let insert = diesel::insert_into(session_windows::table).values(row);
            store.blocking_write(|db| Ok(insert.execute(db)?)).unwrap();
            desk.draft(Recipient::Contact(contact), desk.ana.id())
        };
        let (inside, outside) = (of_contact("+5511987654321"), of_contact("+5511987654322"));
        desk.clock.advance(window - millisecond);
        let sent = queued(desk.send(&inside));
        assert_eq!(counted(), 0, "the last millisecond of the window");
        desk.clock.advance(millisecond);
        queued(desk.send(&outside));
        assert_eq!(counted(), 1, "the window is over");
        desk.clock.advance(TimeDelta::hours(1));
        let now = desk.clock.now();
        store.blocking_write(|db| move_counted(db, sent.message, now)).unwrap();
        assert_eq!(counted(), 1, "accepted later, it is still none");
    });
}

#[test]
fn a_refused_send_consumes_nothing_and_is_logged_with_what_it_saw() {
    on_both(|store| {
        let desk = Desk::given(store);
        desk.save_platform_limit(0);
        let phone = PhoneNumber::from_e164("+34600111222").unwrap();
        let mut draft = desk.draft(Recipient::Phone(phone), desk.ana.id());
        draft.values.clear();
        draft.key = Some(key("k", b"body"));
        let before = count_rows(&desk);
        let outcome = desk.send(&draft);
        assert_eq!(codes(&outcome), [RefusalCode::TierLimitReached, RefusalCode::VariablesInvalid]);
        let Outcome::Refused(refused) = outcome else { unreachable!() };
        assert_eq!(refused.variable_problems[0].code, VariableProblemCode::Missing);
        assert_eq!(count_rows(&desk), before, "no contact, no message, nothing counted");
        let logged =
            store.blocking_read(|db| decision::get(db, &desk.ana, refused.decision)).unwrap();
        assert_eq!(logged.ask_again().refusals(), refused.reasons, "the facts say the same again");
        assert_eq!(logged.contact, None);
        draft.values = desk.draft(draft.to.clone(), desk.ana.id()).values;
        desk.save_platform_limit(1);
        let sent = queued(desk.send(&draft));
        assert_eq!(count_rows(&desk).0, before.0 + 1, "the number became a contact with its send");
        let logged = store.blocking_read(|db| decision::get(db, &desk.ana, sent.decision)).unwrap();
        assert!(logged.ask_again().is_allowed());
    });
}

#[test]
fn ad_01_a_file_that_cannot_be_sent_is_one_of_the_reasons_and_stands_in_the_log() {
    on_both(|store| {
        let desk = Desk::given(store);
        desk.save_platform_limit(0);
        let contact = desk.contact("Luísa", "+5511987654321");
        let mut draft = desk.draft(Recipient::Contact(contact), desk.ana.id());
        draft.refused_media = vec![VariableName("1".into())];
        let before = count_rows(&desk);
        let outcome = desk.send(&draft);
        assert_eq!(codes(&outcome), [RefusalCode::TierLimitReached, RefusalCode::VariablesInvalid]);
        let Outcome::Refused(refused) = outcome else { unreachable!() };
        let name = VariableName("1".into());
        let expected = [VariableProblem { name, code: VariableProblemCode::MediaRefused }];
        assert_eq!(refused.variable_problems, expected);
        assert_eq!(refused.until, None, "waiting does not help");
        assert_eq!(count_rows(&desk), before, "nothing was consumed");
        let logged =
            store.blocking_read(|db| decision::get(db, &desk.ana, refused.decision)).unwrap();
        assert_eq!(logged.facts.variable_problems, expected);
        assert_eq!(logged.ask_again().refusals(), refused.reasons);
    });
}

#[test]
fn am_13_a_contact_of_another_team_has_no_name_for_a_send_to_its_number() {
    on_both(|store| {
        let desk = Desk::given(store);
        let (now, phone) = (desk.clock.now(), PhoneNumber::from_e164("+34600111222").unwrap());
        let contact = store
            .blocking_write(|db| {
                let elsewhere = crate::chatbot::create(db, "Other", "Europe/Madrid", now)?;
                let rosa = contact::find_or_create_by_phone(db, &phone, "Rosa", now)?;
                contact::join_chatbot(db, elsewhere, rosa, None, None, now)?;
                Ok(rosa)
            })
            .unwrap();
        let mut draft = desk.draft(Recipient::Phone(phone), desk.ana.id());
        draft.values = [(VariableName("1".into()), "{contact.name}".into())].into();
        let outcome = desk.send(&draft);
        assert_eq!(codes(&outcome), [RefusalCode::VariablesInvalid]);
        let Outcome::Refused(refused) = outcome else { unreachable!() };
        assert_eq!(refused.variable_problems[0].code, VariableProblemCode::EmptyField);
        store
            .blocking_write(|db| contact::join_chatbot(db, desk.chatbot, contact, None, None, now))
            .unwrap();
        let sent = queued(desk.send(&draft));
        let body: String = store
            .blocking_read(|db| {
                Ok(messages::table.find(sent.message.0).select(messages::body).first(db)?)
            })
            .unwrap();
        assert!(body.contains("Rosa"), "{body}");
    });
}

#[test]
fn check_consumes_and_logs_nothing() {
    on_both(|store| {
        let desk = Desk::given(store);
        let contact = desk.contact("Luísa", "+5511987654321");
        let mut draft = desk.draft(Recipient::Contact(contact), desk.ana.id());
        let before = count_rows(&desk);
        let now = desk.clock.now();
        let forecast = store.blocking_read(|db| check(db, &desk.ana, &draft, now)).unwrap();
        assert_eq!((forecast.reasons, forecast.until), (Vec::new(), Some(now)));
        draft.door = Door::Desk;
        let forecast = store.blocking_read(|db| check(db, &desk.ana, &draft, now)).unwrap();
        assert_eq!(forecast.reasons[0].code, RefusalCode::AgentNotOnline);
        assert_eq!(count_rows(&desk), before);
        let logged: i64 =
            store.blocking_read(|db| Ok(decisions::table.count().get_result(db)?)).unwrap();
        assert_eq!(logged, 0);
    });
}

fn key(key: &str, body: &[u8]) -> IdempotencyKey {
    let owner = KeyOwner::User(domain::ids::UserId(1));
    IdempotencyKey { owner, key: key.into(), body_hash: hash_body(body) }
}

#[test]
fn a_key_replays_the_same_request_and_refuses_another() {
    on_both(|store| {
        let desk = Desk::given(store);
        let contact = desk.contact("Luísa", "+5511987654321");
        let mut draft = desk.draft(Recipient::Contact(contact), desk.ana.id());
        draft.key = Some(key("k", b"body"));
        let first = queued(desk.send(&draft));
        assert_eq!(desk.send(&draft), Outcome::Replayed(first));
        draft.key = Some(key("k", b"another body"));
        assert_eq!(desk.send(&draft), Outcome::KeyReused);
        desk.clock.advance(TimeDelta::hours(24));
        let second = queued(desk.send(&draft));
        assert_ne!(first.message, second.message, "a key is forgotten after 24 h");
    });
}

#[test]
fn two_failed_sends_to_one_contact_give_both_places_back() {
    on_both(|store| {
        let desk = Desk::given(store);
        desk.save_cap(true, 2, CapScope::AllAgents);
        desk.save_platform_limit(1);
        let contact = desk.contact("Luísa", "+5511987654321");
        let draft = desk.draft(Recipient::Contact(contact), desk.ana.id());
        let first = queued(desk.send(&draft));
        desk.save_platform_limit(2);
        desk.clock.advance(TimeDelta::hours(2));
        let second = queued(desk.send(&draft));
        let counted = |desk: &Desk| -> Option<i64> {
            let rows = recipient_window::table.select(recipient_window::counted_at);
            desk.store.blocking_read(|db| Ok(rows.first(db).optional()?)).unwrap()
        };
        let first_at = (desk.clock.now() - TimeDelta::hours(2)).timestamp_millis();
        let now = desk.clock.now();
        let fail = |message| {
            desk.store.blocking_write(|db| give_back(db, message, now)).unwrap();
            desk.store.blocking_write(|db| give_back(db, message, now)).unwrap();
        };
        assert_eq!(counted(&desk), Some(now.timestamp_millis()));
        fail(second.message);
        assert_eq!(counted(&desk), Some(first_at), "the former instant returns (NU-08)");
        fail(first.message);
        assert_eq!(counted(&desk), None);
        let drift = store.blocking_read(|db| check_counters(db, desk.number)).unwrap();
        assert!(drift.is_none() && drift.day == 0 && drift.week == 0, "{drift:?}");
        queued(desk.send(&draft));
    });
}

#[test]
fn a_contact_of_another_chatbot_is_not_found() {
    on_both(|store| {
        let desk = Desk::given(store);
        let phone = PhoneNumber::from_e164("+34600111222").unwrap();
        let now = desk.clock.now();
        let stranger = store
            .blocking_write(|db| crate::contact::find_or_create_by_phone(db, &phone, "Zoe", now))
            .unwrap();
        let draft = desk.draft(Recipient::Contact(stranger), desk.ana.id());
        let answer = store.blocking_write(|db| admit_and_queue(db, &desk.ana, &draft, &desk.clock));
        assert!(matches!(answer, Err(PersistenceError::NotFound)), "{answer:?}");
    });
}
