//! Tests of how a contact is reached, from the platform's words to the address of a send.

use chrono::TimeDelta;
use domain::{
    channel::{PlatformRefusal, ReceiptStatus, RefusalClass},
    clock::Clock,
    ids::MessageId,
    phone::PhoneNumber,
};

use super::*;
use crate::{
    admission::{self, Door, Draft, Outcome, Recipient},
    contact::{self, Identity, NewContact},
    test_desk::{ACCOUNT, TestDesk, inbound, receipt},
    test_support::on_both,
};

fn not_on_platform() -> ReceiptStatus {
    ReceiptStatus::Failed {
        refusal: PlatformRefusal { code: "131026".into(), title: "undeliverable".into() },
        class: RefusalClass::FailContact,
    }
}

/// What is stored of the contact with `phone`, who has no other identity.
fn stored_reach(desk: &TestDesk, phone: &PhoneNumber) -> String {
    desk.store
        .blocking_read(|db| {
            let contact = contact::find_by_identity(db, Identity::Phone(phone))?.unwrap();
            Ok(contact_identities::table
                .filter(contact_identities::contact_id.eq(contact.0))
                .select(contact_identities::reachable)
                .first(db)?)
        })
        .unwrap()
}

#[test]
fn the_platforms_newer_word_on_whether_someone_is_there_wins_in_any_order_of_arrival() {
    on_both(|store| {
        let second = TimeDelta::seconds(1);
        let cases = [
            ("refused, then wrote", second, "reachable"),
            ("refused and wrote in one second", TimeDelta::zero(), "reachable"),
            ("wrote, then refused", -second, "not_on_platform"),
        ];
        let desk = TestDesk::new(store);
        for (case, wrote_after, expected) in cases {
            for refusal_comes_first in [true, false] {
                desk.clock.advance(TimeDelta::hours(1));
                let digits = format!("3519{:08}", desk.clock.now().timestamp() % 100_000_000);
                let phone = PhoneNumber::from_e164(&digits).unwrap();
                let sent = desk.send(desk.agents[0], phone.as_e164());
                desk.deliver_to_platform(sent, &format!("wamid.out.{digits}"));
                let refused_at = desk.clock.now() + TimeDelta::minutes(5);
                let wrote_at = refused_at + wrote_after;
                desk.clock.advance(TimeDelta::hours(1));
                let id = format!("wamid.out.{digits}");
                let refused = receipt(&id, None, not_on_platform(), refused_at);
                let wrote = inbound(&format!("wamid.in.{digits}"), &digits, "Olá", wrote_at);
                let arrivals = match refusal_comes_first {
                    true => [refused, wrote],
                    false => [wrote, refused],
                };
                for element in arrivals {
                    assert_eq!(desk.apply(vec![element]).applied, 1);
                }
                let case = format!("{case}; the refusal arrives first: {refusal_comes_first}");
                assert_eq!(stored_reach(&desk, &phone), expected, "{case}");
            }
        }
    });
}

/// A contact of the desk's chatbot with these ids, by account, and perhaps a phone.
fn contact_with(desk: &TestDesk, phone: Option<&str>, ids: &[(&str, &str)]) -> ContactId {
    let now = desk.clock.now();
    let phone = phone.map(|phone| PhoneNumber::from_e164(phone).unwrap());
    desk.store
        .blocking_write(|db| {
            let contact = contact::create(db, &NewContact { phone, ..Default::default() }, now)?;
            for (scope, id) in ids {
                contact::add_identity(db, contact, Identity::Scoped { scope, id }, now)?;
            }
            contact::join_chatbot(db, desk.chatbot, contact, None, None, now)?;
            Ok(contact)
        })
        .unwrap()
}

fn send_to(desk: &TestDesk, contact: ContactId) -> MessageId {
    let agent = desk.agents[0];
    let draft = Draft {
        channel: desk.channel,
        template: desk.template,
        to: Recipient::Contact(contact),
        values: std::collections::BTreeMap::new(),
        refused_media: Vec::new(),
        agent: Some(agent),
        door: Door::Desk,
        ticket: None,
        key: None,
    };
    let actor = desk.actor(agent);
    let decided = desk
        .store
        .blocking_write(|db| admission::admit_and_queue(db, &actor, &draft, &*desk.clock))
        .unwrap();
    let Outcome::Queued(queued) = decided else { panic!("not admitted: {decided:?}") };
    queued.message
}

#[test]
fn a_send_goes_to_the_identity_that_the_sending_channels_account_gave() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let both = [("another account", "BR.1"), (ACCOUNT, "BR.2")];
        let cases = [
            ("the account's own id", None, both, false, "BR.2"),
            ("the number before any id", Some("+351912345678"), both, false, "351912345678"),
            ("an id in the place of a number not there", Some("+351912345679"), both, true, "BR.2"),
        ];
        for (number, (case, phone, ids, is_gone, expected)) in cases.into_iter().enumerate() {
            let ids = ids.map(|(scope, id)| (scope, format!("{id}.{number}")));
            let ids: Vec<(&str, &str)> = ids.iter().map(|(scope, id)| (*scope, &**id)).collect();
            let contact = contact_with(&desk, phone, &ids);
            if is_gone {
                store.blocking_write(|db| lose_phone(db, contact)).unwrap();
            }
            send_to(&desk, contact);
            let to = desk.claim(10).remove(0).outgoing.to;
            let expected = match phone.is_some() && !is_gone {
                true => expected.to_owned(),
                false => format!("{expected}.{number}"),
            };
            assert_eq!(to, expected, "{case}");
        }
    });
}

/// The platform does not know the contact's number any more.
fn lose_phone(db: &mut Db, contact: ContactId) -> Result<(), PersistenceError> {
    diesel::update(
        contact_identities::table
            .filter(contact_identities::contact_id.eq(contact.0))
            .filter(contact_identities::kind.eq("phone")),
    )
    .set(contact_identities::reachable.eq(ContactReach::NotOnPlatform.as_str()))
    .execute(db)?;
    Ok(())
}

#[test]
fn a_send_to_someone_whom_only_another_account_knows_ends_unreachable() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let contact = contact_with(&desk, None, &[("another account", "BR.1"), (ACCOUNT, "BR.2")]);
        let other = contact_with(&desk, Some("+351912345678"), &[]);
        let message = send_to(&desk, contact);
        let ours = Identity::Scoped { scope: ACCOUNT, id: "BR.2" };
        store.blocking_write(|db| contact::move_identity(db, ours, other)).unwrap();
        assert!(desk.claim(10).is_empty(), "nothing goes to an id of another account");
        let expected = ("failed".into(), Some("contact_unreachable".into()));
        assert_eq!(desk.state_of(message), expected);
    });
}
