//! The list, its filters, and a send with its history, on both databases.

use chrono::TimeDelta;
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState, clock::Clock, ids::MessageId, permission::Role,
    policy::Policy,
};

use super::{state::is_of_few, *};
use crate::{
    admission::{Outcome, Recipient},
    explain::{Plan, plans_of},
    given::Desk,
    policy,
    schema::{active_messages, numbers},
    test_support::{TestStore, on_both},
    user,
};

fn send(desk: &Desk, actor: &Actor, phone: &str) -> MessageId {
    let to = Recipient::Contact(desk.contact("Luísa Moreira", phone));
    let outcome = desk.send_as(actor, &desk.draft(to, actor.id()));
    let Outcome::Queued(queued) = outcome else { panic!("{outcome:?}") };
    desk.clock.advance(TimeDelta::minutes(1));
    queued.message
}

fn ids(rows: &[SendRow]) -> Vec<MessageId> {
    rows.iter().map(|row| row.message).collect()
}

#[test]
fn li_07_every_send_is_listed_filtered_and_paged() {
    on_both(|store| {
        let desk = Desk::given(store);
        let rui = desk.another_agent("rui");
        let start = desk.clock.now();
        let first = send(&desk, &desk.ana, "+351912345678");
        let second = send(&desk, &rui, "+351912345679");
        let third = send(&desk, &desk.ana, "+351912345670");
        let now = desk.clock.now();
        let list = |filter: SendFilter, most| {
            store.blocking_read(|db| list_sends(db, &desk.ana, &filter, most, now)).unwrap()
        };
        let all = list(SendFilter::default(), 10);
        assert_eq!(ids(&all), [third, second, first]);
        assert_eq!(all[0].sender, Sender::Agent("ana".to_owned()));
        assert_eq!(
            (all[0].state, all[0].number.as_str()),
            (ActiveMessageState::Sending, "+551140000000")
        );
        let page = list(SendFilter::default(), 2);
        let last = page.last().unwrap();
        let after = Some(SendCursor { at: last.at, message: last.message });
        assert_eq!(ids(&list(SendFilter { after, ..SendFilter::default() }, 2)), [first]);
        let minute = TimeDelta::minutes(1);
        let cases = [
            (SendFilter { agent: Some(rui.id()), ..SendFilter::default() }, vec![second]),
            (SendFilter { contact: "912 345 678".into(), ..SendFilter::default() }, vec![first]),
            (
                SendFilter { contact: "luisa".into(), ..SendFilter::default() },
                vec![third, second, first],
            ),
            (SendFilter { contact: "nobody".into(), ..SendFilter::default() }, vec![]),
            (
                SendFilter {
                    template: Some("order_ready".to_owned()),
                    chatbot: Some(desk.chatbot),
                    ..SendFilter::default()
                },
                vec![third, second, first],
            ),
            (
                SendFilter { state: Some(ActiveMessageState::Sending), ..SendFilter::default() },
                vec![third, second, first],
            ),
            (SendFilter { state: Some(ActiveMessageState::Read), ..SendFilter::default() }, vec![]),
            (SendFilter { template: Some("order".to_owned()), ..SendFilter::default() }, vec![]),
            (
                SendFilter {
                    since: Some(start + minute),
                    before: Some(start + minute * 2),
                    ..SendFilter::default()
                },
                vec![second],
            ),
        ];
        for (filter, expected) in cases {
            assert_eq!(ids(&list(filter.clone(), 10)), expected, "{filter:?}");
        }
        let choices = store.blocking_read(|db| list_choices(db, &desk.ana)).unwrap();
        assert_eq!(choices.chatbots, [(desk.chatbot, "Loja".to_owned())]);
        assert_eq!(
            choices.agents,
            [(desk.ana.id(), "ana".to_owned()), (rui.id(), "rui".to_owned())]
        );
        assert_eq!(choices.templates, ["order_ready"]);
    });
}

#[test]
fn li_08_each_filter_finds_what_its_rows_show_however_late_the_jobs_are() {
    use ActiveMessageState as State;
    on_both(|store| {
        let desk = Desk::given(store);
        let message = send(&desk, &desk.ana, "+351912345678");
        let triggered_at = desk.clock.now() - TimeDelta::minutes(1);
        let deadline = Policy::default_profile().active_messages.send_deadline;
        let window = TimeDelta::hours(24);
        let millisecond = TimeDelta::milliseconds(1);
        let instants = [
            triggered_at,
            triggered_at + window - millisecond,
            triggered_at + window,
            triggered_at + deadline - millisecond,
            triggered_at + deadline,
        ];
        for noted in State::ALL {
            store
                .blocking_write(|db| {
                    diesel::update(active_messages::table.find(message.0))
                        .set(active_messages::state.eq(noted.as_str()))
                        .execute(db)?;
                    Ok(())
                })
                .unwrap();
            for now in instants {
                let list = |state| {
                    let filter = SendFilter { state, ..SendFilter::default() };
                    store.blocking_read(|db| list_sends(db, &desk.ana, &filter, 5, now)).unwrap()
                };
                let shown = list(None)[0].state;
                for asked in State::ALL {
                    let found: Vec<State> = list(Some(asked)).iter().map(|row| row.state).collect();
                    let expected = if asked == shown { vec![shown] } else { Vec::new() };
                    assert_eq!(found, expected, "noted {noted:?}, asked for {asked:?}, at {now}");
                }
            }
        }
    });
}

#[test]
fn li_08_a_send_is_out_of_time_by_the_policy_of_its_own_number() {
    on_both(|store| {
        let desk = Desk::given(store);
        send(&desk, &desk.ana, "+351912345678");
        let now = desk.clock.now() + TimeDelta::hours(2);
        let failed = || {
            let state = Some(ActiveMessageState::Failed);
            let filter = SendFilter { state, ..SendFilter::default() };
            store.blocking_read(|db| list_sends(db, &desk.ana, &filter, 5, now)).unwrap().len()
        };
        assert_eq!(failed(), 0);
        store
            .blocking_write(|db| {
                let mut hasty = Policy::default_profile();
                hasty.active_messages.send_deadline = TimeDelta::hours(1);
                let hasty = policy::save_version(db, policy::DEFAULT_PROFILE, &hasty, now)?;
                diesel::update(numbers::table.find(desk.number.0))
                    .set(numbers::policy_id.eq(hasty.0))
                    .execute(db)?;
                Ok(())
            })
            .unwrap();
        assert_eq!(failed(), 1);
    });
}

#[test]
fn li_07_a_send_is_told_with_its_history_and_its_decision() {
    on_both(|store| {
        let desk = Desk::given(store);
        let message = send(&desk, &desk.ana, "+351912345678");
        let now = desk.clock.now();
        let get = |actor: &Actor| store.blocking_read(|db| get_send(db, actor, message, now));
        let detail = get(&desk.ana).unwrap();
        assert_eq!(detail.message.body, "Olá Luísa, o seu pedido está pronto.");
        let told = detail.decision.unwrap();
        assert_eq!((told.policy.as_str(), told.version), ("default", 1));
        assert!(told.decision.codes.is_empty());
        let set_role = |permissions: &[Permission]| {
            store
                .blocking_write(|db| {
                    user::save_membership(db, desk.ana.id(), desk.chatbot, Role::Agent, permissions)
                })
                .unwrap();
            desk.actor(desk.ana.id())
        };
        let reader = set_role(&[Permission::ViewGrowth]);
        assert_eq!(get(&reader).unwrap().decision, None);
        let agent = set_role(&[Permission::SendActiveMessages]);
        assert!(matches!(get(&agent), Err(PersistenceError::Denied)));
        let listed = |actor: &Actor, chatbot| {
            let filter = SendFilter { chatbot, ..SendFilter::default() };
            store.blocking_read(|db| list_sends(db, actor, &filter, 5, now))
        };
        assert!(matches!(listed(&agent, None), Err(PersistenceError::Denied)));
        assert!(matches!(listed(&agent, Some(desk.chatbot)), Err(PersistenceError::Denied)));
        let stranger = Actor::without_teams(agent.user);
        assert!(matches!(get(&stranger), Err(PersistenceError::NotFound)));
        let elsewhere = listed(&stranger, Some(desk.chatbot));
        assert!(matches!(elsewhere, Err(PersistenceError::NotFound)));
    });
}

#[test]
fn the_list_walks_its_indexes_and_sorts_a_page_at_most() {
    on_both(|store| {
        let desk = Desk::given(store);
        send(&desk, &desk.ana, "+351912345678");
        let now = desk.clock.now();
        let plans = |filter: SendFilter| {
            plans_of(store, |db| list_sends(db, &desk.ana, &filter, 51, now).unwrap())
        };
        let after = Some(SendCursor { at: now, message: MessageId(1) });
        let all = SendFilter::default;
        let day = TimeDelta::days(1);
        let cases = [
            ("all", all(), "active_messages_by_queued"),
            ("older ones", SendFilter { after, ..all() }, "active_messages_by_queued"),
            (
                "of some days",
                SendFilter { since: Some(now - day), before: Some(now + day), ..all() },
                "active_messages_by_queued",
            ),
            (
                "of an agent",
                SendFilter { agent: Some(desk.ana.id()), ..all() },
                "active_messages_by_agent_queued",
            ),
        ];
        for (case, filter, index) in cases {
            let plans = plans(filter);
            let [ids, page] = plans.as_slice() else { panic!("{case}: two queries: {plans:?}") };
            assert!(ids.detours().is_empty() && ids.steps.contains(index), "{case}: {ids:?}");
            assert_reads_no_growing_table_whole(case, page);
        }
        let in_state = |state| SendFilter { state: Some(state), ..all() };
        for state in ActiveMessageState::ALL {
            let plans = plans(in_state(state));
            let index = match is_of_few(state) {
                true => "active_messages_by_expiry",
                false => "active_messages_by_queued",
            };
            let ids = plans.iter().find(|plan| plan.steps.contains(index));
            let ids = ids.unwrap_or_else(|| panic!("{state:?}: {index} in none of {plans:?}"));
            assert_reads_no_growing_table_whole(state.as_str(), ids);
            assert!(is_of_few(state) || ids.detours().is_empty(), "{state:?}: {ids:?}");
        }
        for plan in plans(SendFilter { contact: "luisa".into(), ..all() }) {
            assert_reads_no_growing_table_whole("of a contact", &plan);
        }
        for plan in plans_of(store, |db| list_choices(db, &desk.ana).unwrap()) {
            assert_reads_no_growing_table_whole("choices", &plan);
        }
        for plan in plans_of(store, |db| get_send(db, &desk.ana, sent(store), now).unwrap()) {
            assert_reads_no_growing_table_whole("one send", &plan);
        }
    });
}

fn assert_reads_no_growing_table_whole(case: &str, plan: &Plan) {
    let mut detours = plan.detours();
    // A page's rows are sorted, and no more than these.
    detours.retain(|step| !step.contains("ORDER BY") && !step.ends_with("Sort"));
    assert!(detours.is_empty(), "{case}: {detours:?} of {plan:?}");
}

fn sent(store: &TestStore) -> MessageId {
    let first = |db: &mut crate::db::Db| {
        let first = active_messages::table.select(active_messages::message_id).first(db)?;
        Ok(MessageId(first))
    };
    store.blocking_read(first).unwrap()
}
