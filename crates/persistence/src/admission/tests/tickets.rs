//! Which ticket a template goes into (SW-09), and what is listed in *Sent* instead (LI-05).

use chrono::TimeDelta;
use diesel::prelude::*;
use domain::{
    clock::Clock,
    ids::{ContactId, MessageId, TicketId, UserId},
    phone::PhoneNumber,
    template::VariableValues,
};

use super::queued;
use crate::{
    admission::{self, Door, Draft, Recipient},
    chatbot,
    contact::{self, Identity},
    conversation,
    schema::{messages, tickets},
    test_desk::{TestDesk, inbound},
    test_support::on_both,
    ticket::{self, TicketOutcome},
};

const LUISA: &str = "+351912345678";

fn phone(number: &str) -> PhoneNumber {
    PhoneNumber::from_e164(number).unwrap()
}

/// Luísa, her open ticket and its holder, a day after she wrote.
fn given_ticket(desk: &TestDesk) -> (ContactId, TicketId, UserId) {
    desk.apply(vec![inbound("hello", &LUISA[1..], "hello", desk.clock.now())]);
    desk.clock.advance(TimeDelta::hours(24));
    desk.store
        .blocking_read(|db| {
            let contact = contact::find_by_identity(db, Identity::Phone(&phone(LUISA)))?.unwrap();
            let columns = (tickets::id, tickets::agent_id.assume_not_null());
            let (ticket, agent): (i64, i64) = tickets::table.select(columns).first(db)?;
            Ok((contact, TicketId(ticket), UserId(agent)))
        })
        .unwrap()
}

/// The ticket that a send to `to` went into which names `ticket`, and whether *Sent* lists it.
fn send(
    desk: &TestDesk,
    agent: UserId,
    to: Recipient,
    ticket: TicketId,
) -> (Option<TicketId>, bool) {
    let draft = Draft {
        channel: desk.channel,
        template: desk.template,
        to,
        values: VariableValues::new(),
        refused_media: Vec::new(),
        agent: Some(agent),
        door: Door::Api,
        ticket: Some(ticket),
        key: None,
    };
    let actor = desk.actor(agent);
    let outcome = desk
        .store
        .blocking_write(|db| admission::admit_and_queue(db, &actor, &draft, &*desk.clock))
        .unwrap();
    let MessageId(message) = queued(outcome).message;
    let now = desk.clock.now();
    desk.store
        .blocking_read(|db| {
            let kept: Option<i64> =
                messages::table.find(message).select(messages::ticket_id).first(db)?;
            let sent = conversation::list_sent(db, &actor, "", None, now)?.rows;
            let mut listed = sent.iter().flat_map(|row| row.earlier.iter().chain([&row.latest]));
            Ok((kept.map(TicketId), listed.any(|sent| sent.message.0 == message)))
        })
        .unwrap()
}

#[test]
fn sw_09_a_template_goes_into_the_contacts_open_ticket_of_its_holder() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let (luisa, ticket, holder) = given_ticket(&desk);
        let sent = send(&desk, holder, Recipient::Contact(luisa), ticket);
        assert_eq!(sent, (Some(ticket), false));
    });
}

#[test]
fn sw_09_a_ticket_of_another_contact_takes_nothing() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let (_, ticket, holder) = given_ticket(&desk);
        let sent = send(&desk, holder, Recipient::Phone(phone("+351912345679")), ticket);
        assert_eq!(sent, (None, true), "LI-05");
    });
}

#[test]
fn sw_09_a_closed_ticket_takes_nothing() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let (luisa, ticket, holder) = given_ticket(&desk);
        let (actor, now) = (desk.actor(holder), desk.clock.now());
        let closed = store.blocking_write(|db| ticket::close(db, &actor, ticket, now)).unwrap();
        assert_eq!(closed, TicketOutcome::Done);
        let sent = send(&desk, holder, Recipient::Contact(luisa), ticket);
        assert_eq!(sent, (None, true), "LI-05");
    });
}

#[test]
fn sw_09_a_ticket_of_another_chatbot_takes_nothing() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let (luisa, ticket, holder) = given_ticket(&desk);
        store
            .blocking_write(|db| {
                let other = chatbot::create(db, "Other", "Europe/Lisbon", desk.clock.now())?;
                diesel::update(tickets::table.find(ticket.0))
                    .set(tickets::chatbot_id.eq(other.0))
                    .execute(db)?;
                Ok(())
            })
            .unwrap();
        let sent = send(&desk, holder, Recipient::Contact(luisa), ticket);
        assert_eq!(sent, (None, true), "LI-05");
    });
}
