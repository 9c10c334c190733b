//! The tab *Sent*: rows, pages, history; and what waits to be looked at.

use domain::delivery::MessageState;

use super::*;

#[test]
fn li_05_sent_has_one_row_for_each_contact_until_it_is_answered_or_72_h_old() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let luiza = given.contact(db, "Luiza")?;
                let first = given.send(db, luiza, None, ActiveMessageState::Read, now())?;
                let second =
                    given.send(db, luiza, None, ActiveMessageState::Sent, now() + hours(1))?;
                let rafael = given.contact(db, "Rafael")?;
                given.send(db, rafael, None, ActiveMessageState::Replied, now())?;
                let ticket = given.ticket(db, "Helena", Place::ServedBy(given.ana))?;
                let helena: i64 =
                    tickets::table.find(ticket.0).select(tickets::contact_id).first(db)?;
                let helena = ContactId(helena);
                given.send(db, helena, Some(ticket), ActiveMessageState::Sent, now())?;
                let ana = given.actor(db, given.ana);
                let rows = list_sent(db, &ana, "", None, now() + hours(2))?.rows;
                let [row] = rows.as_slice() else { panic!("Luiza's alone, not {}", rows.len()) };
                assert_eq!(row.latest.message, second);
                assert_eq!(row.latest.state, ActiveMessageState::Sent);
                assert_eq!(row.earlier.iter().map(|it| it.message).collect::<Vec<_>>(), [first]);
                assert_eq!(count_tabs(db, &ana, now() + hours(2))?.sent, 1);
                let listed =
                    |db: &mut Db, at| list_sent(db, &ana, "", None, at).map(|page| page.rows.len());
                let end = now() + hours(73);
                assert_eq!(listed(db, end - TimeDelta::milliseconds(1))?, 1, "M3");
                assert_eq!(listed(db, end)?, 0, "M3");
                let rui = given.actor(db, given.rui);
                assert!(list_sent(db, &rui, "", None, now())?.rows.is_empty(), "own sends only");
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn li_08_a_send_is_expired_by_the_instant_even_when_the_job_is_late() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let luiza = given.contact(db, "Luiza")?;
                given.send(db, luiza, None, ActiveMessageState::Read, now())?;
                let rafael = given.contact(db, "Rafael")?;
                given.send(db, rafael, None, ActiveMessageState::Sending, now())?;
                let ana = given.actor(db, given.ana);
                let states = |db: &mut Db, at| -> Result<Vec<_>, PersistenceError> {
                    let rows = list_sent(db, &ana, "", None, at)?.rows;
                    Ok(rows.into_iter().map(|row| (row.name, row.latest.state)).collect())
                };
                let before = states(db, now() + hours(24) - TimeDelta::milliseconds(1))?;
                assert!(before.contains(&("Luiza".to_owned(), ActiveMessageState::Read)), "M4");
                let after = states(db, now() + hours(24))?;
                assert!(after.contains(&("Luiza".to_owned(), ActiveMessageState::Expired)), "M4");
                assert!(
                    after.contains(&("Rafael".to_owned(), ActiveMessageState::Failed)),
                    "LI-04"
                );
                Ok(())
            })
            .unwrap();
    });
}

/// Rows of as many contacts: the first of them written to `count` minutes before now, the last a minute
/// before.
fn sent_to_many(given: &Given, db: &mut Db, count: i64) -> Result<(), PersistenceError> {
    for index in 0..count {
        let new = contact::NewContact { name: format!("C{index}"), ..Default::default() };
        let contact = contact::create(db, &new, now())?;
        contact::join_chatbot(db, given.chatbot, contact, None, Some(given.channel), now())?;
        let at = now() - TimeDelta::minutes(count - index);
        given.send(db, contact, None, ActiveMessageState::Sent, at)?;
    }
    Ok(())
}

#[test]
fn li_05_sent_goes_on_by_pages_until_all_that_its_tab_counts_were_shown() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                sent_to_many(&given, db, 230)?;
                let again: i64 = messages::table
                    .order(messages::id.asc())
                    .select(messages::contact_id)
                    .first(db)?;
                let again = ContactId(again);
                given.send(db, again, None, ActiveMessageState::Sent, now())?;
                let ana = given.actor(db, given.ana);
                assert_eq!(count_tabs(db, &ana, now())?.sent, 230);
                let mut through = None;
                let mut shown = Vec::new();
                for expected in [100, 200, 230] {
                    let page = list_sent(db, &ana, "", through, now())?;
                    assert_eq!(page.rows.len(), expected);
                    assert!(page.rows.starts_with(&shown), "what was shown stays where it is");
                    assert_eq!(page.more_after.is_some(), expected != 230);
                    (through, shown) = (page.more_after, page.rows);
                }
                let first = shown.first().unwrap();
                assert_eq!((first.conversation.contact, first.earlier.len()), (again, 1));
                assert!(shown.is_sorted_by(|above, below| below.latest.at < above.latest.at));
                let mut contacts: Vec<_> = shown.iter().map(|row| row.conversation).collect();
                contacts.sort_unstable();
                contacts.dedup();
                assert_eq!(contacts.len(), 230, "each contact once");
                let rui = given.actor(db, given.rui);
                let place = shown.last().map(|row| row.latest.message);
                assert!(list_sent(db, &rui, "", place, now())?.rows.is_empty());
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_search_finds_a_send_far_down_in_sent_by_name_and_by_text() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let luiza = given.contact(db, "Beatriz")?;
                let old = now() - hours(20);
                given.send(db, luiza, None, ActiveMessageState::Sent, old)?;
                let message = given.send(db, luiza, None, ActiveMessageState::Sent, old)?;
                diesel::update(messages::table.find(message.0))
                    .set(messages::folded.eq(fold("Amanhã às 10")))
                    .execute(db)?;
                sent_to_many(&given, db, 120)?;
                let ana = given.actor(db, given.ana);
                for (typed, expected) in [("béa", 1), ("AMANHA", 1), ("100%", 0)] {
                    let found = list_sent(db, &ana, typed, None, now())?;
                    assert_eq!(found.rows.len(), expected, "{typed}");
                    assert_eq!(found.more_after, None);
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn li_04_an_expired_send_says_how_far_it_came_in_its_row_and_in_its_thread() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let luiza = given.contact(db, "Luiza")?;
                let message = given.send(db, luiza, None, ActiveMessageState::Read, now())?;
                diesel::update(messages::table.find(message.0))
                    .set(messages::state.eq(MessageState::Read.as_str()))
                    .execute(db)?;
                let ana = given.actor(db, given.ana);
                let id = ConversationId { chatbot: given.chatbot, contact: luiza };
                for (at, has_expired) in [(now() + hours(23), false), (now() + hours(24), true)] {
                    let sent = find_sent(db, &ana, id, at)?.unwrap().latest;
                    assert_eq!(sent.state == ActiveMessageState::Expired, has_expired);
                    assert_eq!((sent.reached, sent.awaited_for), (MessageState::Read, hours(24)));
                    assert_eq!(
                        (sent.template.as_str(), sent.language.as_str()),
                        ("order_ready", "pt_BR")
                    );
                    let thread = find_thread(db, &ana, id, None, at)?;
                    let unanswered = thread.messages.last().unwrap().unanswered_for;
                    assert_eq!(unanswered, has_expired.then(|| hours(24)));
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn the_badge_counts_what_the_agent_serves_or_may_take_and_nobody_looked_at() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let mine = given.ticket(db, "Mine", Place::ServedBy(given.ana))?;
                given.ticket(db, "Theirs", Place::ServedBy(given.rui))?;
                given.ticket(db, "Queue", Place::In(given.queue))?;
                given.ticket(db, "Elsewhere", Place::In(given.other_queue))?;
                given.ticket(db, "ForMe", Place::Only(given.ana))?;
                let ana = given.actor(db, given.ana);
                assert_eq!(count_unread(db, &ana)?, 3);
                ticket::mark_seen(db, &ana, mine, now())?;
                assert_eq!(count_unread(db, &ana)?, 2);
                Ok(())
            })
            .unwrap();
    });
}
