//! How the databases carry out what the desk's lists ask.

use domain::opt_out::{EnteredWish, OptOutScope};

use super::*;
use crate::{
    explain::{Plan, plans_of},
    message,
    opt_out::{self, Entered, WishOf},
    reaction,
};

#[test]
fn the_lists_read_no_whole_table_and_sort_open_tickets_at_most() {
    on_both(|store| {
        let (ana, manager, conversation, send) = store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                given.ticket(db, "Mine", Place::ServedBy(given.ana))?;
                given.ticket(db, "Queue", Place::In(given.queue))?;
                let contact = given.contact(db, "Luiza")?;
                let send = given.send(db, contact, None, ActiveMessageState::Sent, now())?;
                let (ana, manager) = (given.actor(db, given.ana), given.actor(db, given.manager));
                Ok((ana, manager, ConversationId { chatbot: given.chatbot, contact }, send))
            })
            .unwrap();
        for actor in [&ana, &manager] {
            let plans = plans_of(store, |db| {
                count_tabs(db, actor, now()).unwrap();
                for typed in ["", "luiza"] {
                    list_in_progress(db, actor, typed, now()).unwrap();
                    list_waiting(db, actor, typed, None, now()).unwrap();
                }
                for tab in [TicketTab::InProgress, TicketTab::Waiting] {
                    find_ticket(db, actor, tab, conversation, now()).unwrap();
                }
                count_unread(db, actor).unwrap();
                list_sent(db, actor, "", None, now()).unwrap();
                list_sent(db, actor, "", Some(send), now()).unwrap();
                list_sent(db, actor, "luiza", None, now()).unwrap();
                find_sent(db, actor, conversation, now()).unwrap();
                find_thread(db, actor, conversation, None, now()).unwrap();
            });
            assert!(20 < plans.len(), "every query is looked at");
            // What is open in several chatbots, an agent's few queues, and contacts found by name are sorted.
            const FEW: [&str; 4] =
                ["tickets_by_chatbot", "tickets_by_state", "queue_agents", "contact_words"];
            let sorts_few = |plan: &Plan| FEW.iter().any(|few| plan.steps.contains(few));
            let is_detour =
                |plan: &Plan| plan.detours().iter().any(|step| !(sorts_few(plan) && sorts(step)));
            let detours: Vec<Plan> = plans.into_iter().filter(is_detour).collect();
            assert!(detours.is_empty(), "{detours:#?}");
        }
        let plans = plans_of(store, |db| {
            list_in_progress(db, &ana, "", now()).unwrap();
            list_sent(db, &ana, "", Some(send), now()).unwrap();
        });
        for index in ["tickets_by_agent", "messages_by_ticket", "active_messages_by_agent_queued"] {
            let is_used = plans.iter().any(|plan| plan.steps.contains(index));
            assert!(is_used, "{index} is not used: {plans:#?}");
        }
    });
}

#[test]
fn who_waits_longest_is_found_by_walking_an_index_without_a_sort() {
    on_both(|store| {
        let (ana, manager, waiting) = store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let waiting = given.ticket(db, "Queue", Place::In(given.queue))?;
                queue::set_agents(db, given.queue, &[given.ana, given.manager])?;
                let (manager, chatbot) = (given.manager, given.chatbot);
                let serves_and_sees_all = [Permission::ServeTickets, Permission::SeeAllTickets];
                user::save_membership(db, manager, chatbot, Role::Manager, &serves_and_sees_all)?;
                Ok((given.actor(db, given.ana), given.actor(db, given.manager), waiting))
            })
            .unwrap();
        for actor in [&ana, &manager] {
            for through in [None, Some(waiting)] {
                let plans = plans_of(store, |db| {
                    list_waiting(db, actor, "", through, now()).unwrap();
                });
                let pages: Vec<&Plan> =
                    plans.iter().filter(|plan| asks_for_a_page_of_waiting(plan)).collect();
                assert_eq!(pages.len(), if through.is_some() { 2 } else { 1 }, "{plans:#?}");
                for page in pages {
                    let is_walked = page.steps.contains("tickets_by_state");
                    assert!(is_walked && !page.steps.lines().any(sorts), "{page:#?}");
                }
            }
        }
    });
}

#[test]
fn what_stands_beside_and_around_a_conversation_is_read_by_its_indexes() {
    on_both(|store| {
        let clock = crate::test_desk::TestClock::at(now());
        let (ana, conversation, channel) = store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let ticket = given.ticket(db, "Mine", Place::ServedBy(given.ana))?;
                let contact: i64 =
                    tickets::table.find(ticket.0).select(tickets::contact_id).first(db)?;
                let contact = ContactId(contact);
                let id = ConversationId { chatbot: given.chatbot, contact };
                let ana = given.actor(db, given.ana);
                let (of, stop) = (WishOf::Conversation(id), EnteredWish::OptOut(OptOutScope::All));
                assert_eq!(opt_out::enter(db, &ana, of, stop, "", &clock)?, Entered::Done);
                Ok((ana, id, given.channel))
            })
            .unwrap();
        let plans = plans_of(store, |db| {
            let about = find_about(db, &ana, conversation, now()).unwrap();
            assert_eq!(about.history.len(), 1);
            opt_out::find_wishes(db, &ana, WishOf::Conversation(conversation)).unwrap();
            message::list_earlier(db, vec![1, 2]).unwrap();
            reaction::list_on(db, &[channel.0], &["wamid.1"]).unwrap();
        });
        let used = |index: &str| plans.iter().any(|plan| plan.steps.contains(index));
        for index in ["contact_events_by_contact", "opt_outs_by_contact"] {
            assert!(used(index), "{index} is not used: {plans:#?}");
        }
        let reads_whole = |plan: &&Plan| plan.detours().into_iter().any(|step| !sorts(step));
        let whole: Vec<&Plan> = plans.iter().filter(reads_whole).collect();
        assert!(whole.is_empty(), "{whole:#?}");
    });
}

fn sorts(step: &str) -> bool {
    step.contains("ORDER BY") || step.trim_start_matches([' ', '-', '>']) == "Sort"
}

fn asks_for_a_page_of_waiting(plan: &Plan) -> bool {
    plan.sql.contains("opened_at` ASC") || plan.sql.contains("\"opened_at\" ASC")
}
