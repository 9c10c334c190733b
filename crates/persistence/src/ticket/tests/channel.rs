//! A ticket goes on over the channel on which the contact wrote last (SW-04, RO-08).

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{ChannelKind, WebhookElement},
    clock::Clock,
    ids::{ChannelId, TicketId},
    session_window::FreeFormRefusal,
};

use crate::{
    channel::{self, NewChannel},
    conversation::{self, ConversationId},
    schema::{messages, outbox, session_windows, tickets},
    test_desk::{ACCOUNT, TestDesk, inbound},
    test_support::on_both,
    ticket::{self, Reply, ReplyDraft, ReplyRefusal},
};

const SECOND: &str = "730055819924407";
const PHONE: &str = "351912345678";

/// A second number of the desk's chatbot.
fn second_channel(desk: &TestDesk) -> ChannelId {
    let (now, vault) = (desk.clock.now(), desk.store.vault().unwrap());
    let new = NewChannel {
        chatbot: desk.chatbot,
        kind: ChannelKind::WhatsApp,
        name: "Second",
        external_id: SECOND,
        account_id: ACCOUNT,
        api_base_url: "http://127.0.0.1:1",
        access_token: "token",
        app_secret: "secret",
        verify_token: "verify",
    };
    desk.store.blocking_write(|db| channel::create(db, &vault, &new, now)).unwrap()
}

fn write(desk: &TestDesk, number: Option<&str>, name: &str, at: DateTime<Utc>) {
    let element = inbound(name, PHONE, "hi", at);
    let number = number.map(str::to_owned).or(element.external_id.clone());
    let report = desk.apply(vec![WebhookElement { external_id: number, ..element }]);
    assert_eq!(report.applied, 1);
}

fn answer(desk: &TestDesk, ticket: TicketId, key: &str) -> Reply {
    let draft = ReplyDraft { ticket, text: "Hello".into(), key: key.into(), quotes: None };
    let actor = desk.actor(desk.agents[0]);
    let answered = |db: &mut _| ticket::reply(db, &actor, &draft, &*desk.clock);
    desk.store.blocking_write(answered).unwrap()
}

fn ticket_of(desk: &TestDesk) -> (TicketId, ChannelId) {
    let (ticket, channel): (i64, i64) = desk
        .store
        .blocking_read(|db| {
            Ok(tickets::table.select((tickets::id, tickets::channel_id)).first(db)?)
        })
        .unwrap();
    (TicketId(ticket), ChannelId(channel))
}

#[test]
fn sw_04_ro_08_who_writes_on_a_second_number_is_answered_there_within_its_window() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let second = second_channel(&desk);
        let start = desk.clock.now();
        write(&desk, None, "first", start);
        let (ticket, channel) = ticket_of(&desk);
        assert_eq!(channel, desk.channel);

        desk.clock.advance(TimeDelta::hours(23));
        write(&desk, Some(SECOND), "second", desk.clock.now());
        assert_eq!(ticket_of(&desk), (ticket, second), "one ticket, and it moved");
        // What was written before and comes late moves nothing.
        write(&desk, None, "late", start + TimeDelta::hours(1));
        assert_eq!(ticket_of(&desk).1, second);

        desk.clock.advance(TimeDelta::hours(23) + TimeDelta::minutes(59));
        let Reply::Queued(message) = answer(&desk, ticket, "1") else {
            panic!("the second number's window is open")
        };
        let sent_over: (i64, i64) = store
            .blocking_read(|db| {
                let of_message = messages::table.find(message.0).select(messages::channel_id);
                let of_outbox = outbox::table.find(message.0).select(outbox::channel_id);
                Ok((of_message.first(db)?, of_outbox.first(db)?))
            })
            .unwrap();
        assert_eq!(sent_over, (second.0, second.0));

        desk.clock.advance(TimeDelta::minutes(1));
        let expired = Reply::Refused(ReplyRefusal::Session(FreeFormRefusal::SessionExpired));
        assert_eq!(answer(&desk, ticket, "2"), expired);
    });
}

#[test]
fn sw_01_the_conversation_shows_the_window_of_the_number_written_on_last() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let second = second_channel(&desk);
        write(&desk, None, "first", desk.clock.now());
        desk.clock.advance(TimeDelta::hours(23));
        write(&desk, Some(SECOND), "second", desk.clock.now());
        desk.clock.advance(TimeDelta::hours(2));
        let (actor, now) = (desk.actor(desk.agents[0]), desk.clock.now());
        let access = store
            .blocking_read(|db| {
                let contact: i64 =
                    session_windows::table.select(session_windows::contact_id).first(db)?;
                let contact = domain::ids::ContactId(contact);
                let id = ConversationId { chatbot: desk.chatbot, contact };
                let access = conversation::find_access(db, &actor, id)?;
                let refusal = ticket::session_refusal(db, second, contact, now)?;
                assert_eq!(refusal, None);
                Ok(access)
            })
            .unwrap();
        assert_eq!(access.ticket.unwrap().channel, second);
    });
}
