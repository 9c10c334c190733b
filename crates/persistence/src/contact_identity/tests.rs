//! Who someone is after the platform said that they are someone else.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use domain::{
    channel::{ChannelEvent, InboundContent, InboundMessage, WebhookElement},
    clock::Clock,
    opt_out::OptOutScope,
    phone::PhoneNumber,
};

use super::*;
use crate::{
    contact_event::ContactEvent,
    reach,
    schema::messages,
    test_desk::{ACCOUNT, TestDesk, element},
    test_support::on_both,
};

const OLD: &str = "447700900777";
const NEW: &str = "447700900778";

fn with_number(digits: &str) -> SenderIdentity {
    SenderIdentity { phone_digits: Some(digits.to_owned()), ..SenderIdentity::default() }
}

fn with_id(id: &str) -> SenderIdentity {
    SenderIdentity { scoped_id: Some(id.to_owned()), ..SenderIdentity::default() }
}

fn wrote(person: SenderIdentity, text: &str, at: DateTime<Utc>) -> WebhookElement {
    let content = InboundContent::Text(text.to_owned());
    element(text, ChannelEvent::Inbound(InboundMessage::new(text, person, at, content)))
}

fn changed(person: SenderIdentity, what: IdentityNews, at: DateTime<Utc>) -> WebhookElement {
    let change = IdentityChange { provider_id: None, contact: person, at, what, note: None };
    element(&format!("changed {at}"), ChannelEvent::IdentityChanged(change))
}

fn number_changed(from: &str, to: &str, at: DateTime<Utc>) -> WebhookElement {
    changed(with_number(from), IdentityNews::Number { now: with_number(to) }, at)
}

fn author(desk: &TestDesk, text: &str) -> ContactId {
    let said = messages::table.filter(messages::provider_id.eq(text));
    let id = desk.store.blocking_read(|db| Ok(said.select(messages::contact_id).first(db)?));
    ContactId(id.unwrap())
}

fn history(desk: &TestDesk, contact: ContactId) -> Vec<ContactNews> {
    let list = |db: &mut Db| contact_event::list_latest(db, contact, 10);
    let events: Vec<ContactEvent> = desk.store.blocking_read(list).unwrap();
    events.into_iter().map(|event| event.news).collect()
}

fn address(desk: &TestDesk, contact: ContactId) -> Option<String> {
    let contacts = BTreeSet::from([contact]);
    let list = |db: &mut Db| reach::list_addresses(db, &contacts, ACCOUNT);
    desk.store.blocking_read(list).unwrap().remove(&contact)
}

#[test]
fn whoever_changes_their_number_stays_the_same_contact_and_is_written_to_at_the_new_one() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let at = |second| start + TimeDelta::seconds(second);
        desk.apply(vec![wrote(with_number(OLD), "a", at(0))]);
        let change = number_changed(OLD, NEW, at(10));
        assert_eq!(desk.apply(vec![change.clone()]).applied, 1);
        assert_eq!(desk.apply(vec![change]).copies, 1);
        desk.apply(vec![
            // Late: written from the old number before.
            wrote(with_number(OLD), "b", at(9)),
            wrote(with_number(NEW), "c", at(20)),
        ]);
        let contact = author(&desk, "a");
        assert_eq!((author(&desk, "b"), author(&desk, "c")), (contact, contact));
        assert_eq!(address(&desk, contact).as_deref(), Some(NEW));
        let (from, to) = (Some(format!("+{OLD}")), format!("+{NEW}"));
        assert_eq!(history(&desk, contact), [ContactNews::NumberChanged { from, to }]);

        // The old number was given to someone else.
        desk.apply(vec![wrote(with_number(OLD), "d", at(5_000))]);
        assert_ne!(author(&desk, "d"), contact);
        assert_eq!(address(&desk, author(&desk, "d")).as_deref(), Some(OLD));
        assert_eq!(address(&desk, contact).as_deref(), Some(NEW));
    });
}

#[test]
fn a_number_whose_holder_has_a_past_stays_theirs_and_both_say_who_the_other_is() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let at = |second| start + TimeDelta::seconds(second);
        desk.apply(vec![
            wrote(with_number(OLD), "stop", at(0)),
            wrote(with_number(NEW), "b", at(1)),
            number_changed(OLD, NEW, at(10)),
            wrote(with_number(NEW), "c", at(20)),
        ]);
        let (was, is) = (author(&desk, "stop"), author(&desk, "b"));
        assert_ne!(was, is);
        assert_eq!(author(&desk, "c"), is);
        assert_eq!((address(&desk, was), address(&desk, is).as_deref()), (None, Some(NEW)));
        let same = |contact, is_successor| {
            vec![ContactNews::SamePerson { contact, name: String::new(), is_successor }]
        };
        assert_eq!(history(&desk, was), same(is, true));
        assert_eq!(history(&desk, is), same(was, false));
        let stopped = store.blocking_read(|db| opt_out::list_in_force(db, is)).unwrap();
        let stopped: Vec<_> = stopped.iter().map(|it| (it.scope, it.at)).collect();
        assert_eq!(stopped, [(OptOutScope::All, at(0))], "AD-09: it is the person's wish");
    });
}

#[test]
fn someone_without_a_number_is_known_by_an_id_that_may_change() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let at = |second| start + TimeDelta::seconds(second);
        let imani = SenderIdentity {
            username: Some("imani".to_owned()),
            parent_scoped_id: Some("GB.ENT.77".to_owned()),
            ..with_id("GB.1")
        };
        let of_linked_business =
            SenderIdentity { parent_scoped_id: Some("GB.ENT.77".to_owned()), ..with_id("GB.9") };
        desk.apply(vec![
            wrote(imani, "a", at(0)),
            changed(with_id("GB.1"), IdentityNews::ScopedId { now: with_id("GB.2") }, at(5)),
            wrote(with_id("GB.2"), "b", at(6)),
            wrote(of_linked_business, "c", at(7)),
        ]);
        let contact = author(&desk, "a");
        assert_eq!((author(&desk, "b"), author(&desk, "c")), (contact, contact));
        assert_eq!(history(&desk, contact), [ContactNews::IdChanged]);
        let name: String = store
            .blocking_read(|db| {
                Ok(contacts::table.find(contact.0).select(contacts::name).first(db)?)
            })
            .unwrap();
        assert_eq!(name, "@imani");
    });
}

#[test]
fn another_id_beside_the_number_that_is_kept_stands_in_the_history() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let luisa = || with_number("351912345678");
        desk.apply(vec![wrote(luisa(), "hello", start)]);
        let both = SenderIdentity { scoped_id: with_id("PT.2").scoped_id, ..luisa() };
        let at = start + TimeDelta::minutes(1);
        desk.apply(vec![changed(luisa(), IdentityNews::ScopedId { now: both }, at)]);
        let contact = author(&desk, "hello");
        assert_eq!(history(&desk, contact), [ContactNews::IdChanged]);
        desk.apply(vec![wrote(with_id("PT.2"), "it is me", at + TimeDelta::minutes(1))]);
        assert_eq!(author(&desk, "it is me"), contact);
    });
}

#[test]
fn a_contact_who_shows_another_number_under_the_same_id_has_changed_it() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let both = |digits: &str| SenderIdentity {
            phone_digits: Some(digits.to_owned()),
            ..with_id("GB.1")
        };
        desk.apply(vec![
            wrote(both(OLD), "a", start),
            wrote(both(NEW), "b", start + TimeDelta::seconds(9)),
        ]);
        let contact = author(&desk, "a");
        assert_eq!(author(&desk, "b"), contact);
        assert_eq!(address(&desk, contact).as_deref(), Some(NEW));
        let phone = PhoneNumber::from_e164(OLD).unwrap();
        let typed = store
            .blocking_read(|db| contact::find_by_identity(db, Identity::Phone(&phone)))
            .unwrap();
        assert_eq!(typed, Some(contact), "whoever types the old number finds the person");
    });
}

#[test]
fn another_device_key_stands_in_the_history() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let now = desk.clock.now();
        let key = IdentityNews::Key {
            hash: Some("aWRlbnRpdHk=".to_owned()),
            created_at: Some(now),
            is_acknowledged: Some(false),
        };
        desk.apply(vec![wrote(with_number(OLD), "a", now), changed(with_number(OLD), key, now)]);
        let expected = [ContactNews::KeyChanged { is_acknowledged: Some(false) }];
        assert_eq!(history(&desk, author(&desk, "a")), expected);
    });
}
