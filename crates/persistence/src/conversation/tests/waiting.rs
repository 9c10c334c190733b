//! The tab *Waiting*: whoever waits longest first, page by page.

use super::*;

/// As many tickets in a queue of Ana's; the first waits since `count` minutes before now, the last since a minute.
/// Who waits longest wrote last.
fn waiting(given: &Given, db: &mut Db, count: i64) -> Result<Vec<TicketId>, PersistenceError> {
    (0..count)
        .map(|index| {
            let new = contact::NewContact { name: format!("C{index}"), ..Default::default() };
            let contact = contact::create(db, &new, now())?;
            contact::join_chatbot(db, given.chatbot, contact, None, Some(given.channel), now())?;
            let since = now() - TimeDelta::minutes(count - index);
            let id: i64 = diesel::insert_into(tickets::table)
                .values((
                    tickets::protocol.eq(format!("P{index}")),
                    tickets::chatbot_id.eq(given.chatbot.0),
                    tickets::contact_id.eq(contact.0),
                    tickets::channel_id.eq(given.channel.0),
                    tickets::queue_id.eq(given.queue.0),
                    tickets::state.eq("waiting"),
                    tickets::opened_at.eq(Instant::from(since)),
                    tickets::last_message_at
                        .eq(Instant::from(now() + TimeDelta::minutes(count - index))),
                    tickets::unread.eq(1),
                ))
                .returning(tickets::id)
                .get_result(db)?;
            Ok(TicketId(id))
        })
        .collect()
}

fn tickets_of(page: &WaitingPage) -> Vec<TicketId> {
    page.rows.iter().map(|row| row.ticket).collect()
}

#[test]
fn who_waits_longest_stands_first_and_pages_show_all_that_the_tab_counts() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let expected = waiting(&given, db, 230)?;
                for who in [given.ana, given.manager] {
                    let actor = given.actor(db, who);
                    assert_eq!(count_tabs(db, &actor, now())?.waiting, 230);
                    let mut through = None;
                    for shown in [100, 200, 230] {
                        let page = list_waiting(db, &actor, "", through, now())?;
                        assert_eq!(tickets_of(&page), expected[..shown]);
                        assert_eq!(page.more_after.is_some(), shown != 230);
                        through = page.more_after;
                    }
                }
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn tickets_opened_at_the_same_instant_are_each_shown_once_over_all_pages() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let expected = waiting(&given, db, 150)?;
                diesel::update(tickets::table)
                    .set(tickets::opened_at.eq(Instant::from(now())))
                    .execute(db)?;
                let ana = given.actor(db, given.ana);
                let first = list_waiting(db, &ana, "", None, now())?;
                assert_eq!(tickets_of(&first), expected[..100]);
                let all = list_waiting(db, &ana, "", first.more_after, now())?;
                assert_eq!(tickets_of(&all), expected);
                Ok(())
            })
            .unwrap();
    });
}

#[test]
fn a_page_stays_where_it_is_when_its_last_ticket_is_taken() {
    on_both(|store| {
        store
            .blocking_write(|db| {
                let given = Given::desk(store, db)?;
                let expected = waiting(&given, db, 210)?;
                let ana = given.actor(db, given.ana);
                let through = list_waiting(db, &ana, "", None, now())?.more_after.unwrap();
                assert_eq!(through, expected[99]);
                let rui = given.actor(db, given.rui);
                let theirs = list_waiting(db, &rui, "", Some(through), now())?;
                assert!(theirs.rows.is_empty(), "not of queues that others serve");
                assert_eq!(ticket::take(db, &ana, through, now())?, TicketOutcome::Done);
                let page = list_waiting(db, &ana, "", Some(through), now())?;
                let left = expected.iter().filter(|ticket| **ticket != through);
                let left: Vec<TicketId> = left.copied().collect();
                assert_eq!(tickets_of(&page), left[..199]);
                Ok(())
            })
            .unwrap();
    });
}
