//! What contacts say, do to what they said, and what is said to them from the phone app.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{
        ChannelEvent, GeoPoint, InboundContent, InboundMessage, Location, MessageContext,
        MessageEcho, MessageEdit, MessageRevocation, ReceiptStatus, SenderIdentity, WebhookElement,
    },
    clock::Clock,
    delivery::MessageState,
    ids::ContactId,
    opt_out::{OptOutScope, OptOutSource},
    permission::{Permission, Role},
};

use super::{DIGITS, count, permutations, sent};
use crate::{
    conversation::{self, ConversationId, Quoted, Side, Thread},
    opt_out,
    reaction::ReactionSide,
    schema::{message_changes, messages, session_windows, tickets},
    test_desk::{TestDesk, element, inbound, receipt},
    test_support::on_both,
    user,
};

const CONTACT: ContactId = ContactId(1);

fn luisa() -> SenderIdentity {
    SenderIdentity {
        phone_digits: Some(DIGITS.to_owned()),
        name: Some("Luísa".to_owned()),
        ..SenderIdentity::default()
    }
}

fn said(name: &str, at: DateTime<Utc>, content: InboundContent) -> WebhookElement {
    answering(name, at, content, None)
}

fn answering(
    name: &str,
    at: DateTime<Utc>,
    content: InboundContent,
    to: Option<&str>,
) -> WebhookElement {
    let context =
        MessageContext { in_reply_to: to.map(str::to_owned), ..MessageContext::default() };
    let message = InboundMessage { context, ..InboundMessage::new(name, luisa(), at, content) };
    element(name, ChannelEvent::Inbound(message))
}

fn text(text: &str) -> InboundContent {
    InboundContent::Text(text.to_owned())
}

fn reaction(name: &str, at: DateTime<Utc>, to: &str, emoji: &str) -> WebhookElement {
    said(name, at, InboundContent::Reaction { to: to.to_owned(), emoji: emoji.to_owned() })
}

fn edit(name: &str, at: DateTime<Utc>, of: &str, now: &str) -> WebhookElement {
    let event = ChannelEvent::Edited(MessageEdit {
        provider_id: name.to_owned(),
        sender: luisa(),
        at,
        edited: of.to_owned(),
        content: text(now),
    });
    element(name, event)
}

fn revocation(name: &str, at: DateTime<Utc>, of: &str) -> WebhookElement {
    let event = ChannelEvent::Revoked(MessageRevocation {
        provider_id: name.to_owned(),
        sender: luisa(),
        at,
        revoked: of.to_owned(),
    });
    element(name, event)
}

fn echo(name: &str, at: DateTime<Utc>, content: InboundContent) -> WebhookElement {
    let event = ChannelEvent::Echo(MessageEcho {
        provider_id: name.to_owned(),
        recipient: luisa(),
        at,
        content,
    });
    element(name, event)
}

/// The conversation with the first contact, as one sees it who sees all.
fn thread(desk: &TestDesk) -> Thread {
    let (ana, chatbot) = (desk.agents[0], desk.chatbot);
    let all = [Permission::ServeTickets, Permission::SeeAllTickets];
    desk.store
        .blocking_write(|db| user::save_membership(db, ana, chatbot, Role::Manager, &all))
        .unwrap();
    let (actor, now) = (desk.actor(ana), desk.clock.now());
    let conversation = ConversationId { chatbot, contact: CONTACT };
    let find = |db: &mut _| conversation::find_thread(db, &actor, conversation, None, now);
    desk.store.blocking_read(find).unwrap()
}

fn found_by(desk: &TestDesk, word: &str) -> i64 {
    let holding = messages::table.filter(messages::folded.like(format!("%{word}%")));
    count(desk, |db| holding.count().get_result(db)).unwrap()
}

#[test]
fn what_was_said_stands_in_the_thread_with_what_it_answers() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let _sent = sent(&desk, 0, "wamid.ours");
        let at = desk.clock.now();
        let place = Location {
            point: GeoPoint::new(51.073_1, -4.057_2),
            name: Some("Quay".to_owned()),
            ..Location::default()
        };
        let place = InboundContent::Location(place);
        desk.apply(vec![
            answering("in.1", at, place.clone(), Some("wamid.ours")),
            answering("in.2", at, text("and this?"), Some("wamid.of.long.ago")),
        ]);
        let thread = thread(&desk);
        let [ours, first, second] = &thread.messages[..] else { panic!("{:?}", thread.messages) };
        assert_eq!(ours.around.quoted, None);
        assert_eq!(first.around.payload.content, Some(place));
        let Some(Quoted::Known { id, is_ours: true, body, .. }) = &first.around.quoted else {
            panic!("{:?}", first.around.quoted)
        };
        assert_eq!((*id, body.as_str()), (ours.id, "Hello, how are you?"));
        assert_eq!(second.around.quoted, Some(Quoted::Unknown));
        assert_eq!(second.around.payload.content, None, "a text is text");
    });
}

#[test]
fn a_reaction_stands_on_its_message_whichever_comes_first() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        let at = |second| start + TimeDelta::seconds(second);
        for (round, order) in permutations(5).into_iter().step_by(11).enumerate() {
            let name = |word: &str| format!("{word}.{round}");
            let thanks = InboundContent::Reaction { to: name("in"), emoji: "🙏".to_owned() };
            let elements = [
                said(&name("in"), at(0), text(&name("Look"))),
                echo(&name("out"), at(1), text(&name("Nice"))),
                reaction(&name("r1"), at(2), &name("out"), "👍"),
                reaction(&name("r2"), at(3), &name("out"), "❤️"),
                echo(&name("r3"), at(4), thanks),
            ];
            for index in &order {
                desk.apply(vec![elements[*index].clone()]);
            }
            let on = |word: &str| reactions_on(&desk, &name(word));
            assert_eq!(on("Look"), [(ReactionSide::Desk, "🙏".to_owned())], "{order:?}");
            assert_eq!(on("Nice"), [(ReactionSide::Contact, "❤️".to_owned())], "{order:?}");
            desk.apply(vec![reaction(&name("r4"), at(5), &name("out"), "")]);
            assert_eq!(reactions_on(&desk, &name("Nice")), [], "taken back");
        }
        let thread = thread(&desk);
        let is_text = |body: &str| body.starts_with("Look") || body.starts_with("Nice");
        assert!(
            thread.messages.iter().all(|message| is_text(&message.body)),
            "no bubble of its own"
        );
    });
}

fn reactions_on(desk: &TestDesk, body: &str) -> Vec<(ReactionSide, String)> {
    let thread = thread(desk);
    let message = thread.messages.into_iter().find(|message| message.body == body).unwrap();
    message.around.reactions.into_iter().map(|it| (it.side, it.emoji)).collect()
}

#[test]
fn edits_give_one_text_in_whatever_order_they_and_the_message_come() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        for (round, order) in permutations(3).into_iter().enumerate() {
            let at = |second| start + TimeDelta::seconds(second);
            let name = format!("in.{round}");
            let elements = [
                said(&name, at(0), text("Friday at noon")),
                edit(&format!("e1.{round}"), at(5), &name, "Saturday at noon"),
                edit(&format!("e2.{round}"), at(9), &name, "Sunday at noon"),
            ];
            for index in &order {
                let element = elements[*index].clone();
                desk.apply(vec![element.clone()]);
                assert_eq!(desk.apply(vec![element]).copies, 1, "{order:?}");
            }
            let thread = thread(&desk);
            let message = thread.messages.last().unwrap();
            assert_eq!(message.body, "Sunday at noon", "{order:?}");
            assert_eq!(message.around.edited_at, Some(at(9)), "{order:?}");
            let earlier = [(at(0), "Friday at noon"), (at(5), "Saturday at noon")];
            let earlier = earlier.map(|(at, body)| (at, body.to_owned()));
            assert_eq!(message.around.earlier, earlier, "{order:?}");
            assert_eq!(found_by(&desk, "friday"), 0, "found by what it says now");
        }
        assert_eq!(found_by(&desk, "sunday"), 6);
    });
}

#[test]
fn of_what_was_taken_back_nothing_is_kept_in_whatever_order_it_comes() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let start = desk.clock.now();
        for (round, order) in permutations(3).into_iter().enumerate() {
            let at = |second| start + TimeDelta::seconds(second);
            let name = format!("in.{round}");
            let elements = [
                said(&name, at(0), text("My card is 4111")),
                edit(&format!("e.{round}"), at(5), &name, "My card is 4222"),
                revocation(&format!("x.{round}"), at(7), &name),
            ];
            for index in &order {
                desk.apply(vec![elements[*index].clone()]);
            }
            let thread = thread(&desk);
            let message = thread.messages.last().unwrap();
            assert_eq!((message.kind.as_str(), message.body.as_str()), ("revoked", ""));
            assert_eq!(message.around.revoked_at, Some(at(7)), "{order:?}");
            assert_eq!(message.around.earlier, [], "{order:?}");
        }
        assert_eq!(found_by(&desk, "card"), 0);
        let kept = message_changes::table.filter(message_changes::body.ne(""));
        assert_eq!(count(&desk, |db| kept.count().get_result::<i64>(db)).unwrap(), 0);
        assert_eq!(desk.count_quarantined(), 0);
    });
}

#[test]
fn a_change_of_a_message_that_is_not_known_waits() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let at = desk.clock.now();
        let report = desk.apply(vec![edit("e", at, "in.1", "hi"), revocation("x", at, "in.2")]);
        assert_eq!((report.waiting, report.quarantined), (2, 0));
        let much_later = at + TimeDelta::days(40);
        let gone = store
            .blocking_write(|db| crate::retention::delete_stray_changes(db, much_later, 10))
            .unwrap();
        assert_eq!(gone, 2, "it gives up after its time");
    });
}

#[test]
fn ad_09_a_stop_word_written_into_an_old_message_counts_also_when_the_edit_comes_first() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let at = desk.clock.now();
        let edited_at = at + TimeDelta::seconds(5);
        desk.apply(vec![edit("e", edited_at, "in.1", "STOP")]);
        desk.apply(vec![said("in.1", at, text("start"))]);
        let in_force = store.blocking_read(|db| opt_out::list_in_force(db, CONTACT)).unwrap();
        let in_force: Vec<_> = in_force.iter().map(|it| (it.scope, it.source, it.at)).collect();
        assert_eq!(in_force, [(OptOutScope::All, OptOutSource::Word, edited_at)]);
    });
}

#[test]
fn ad_09_a_tapped_button_opts_out_of_what_stands_on_it_and_opens_no_ticket() {
    let cases = [
        ("Stop promotions", "PROMO", Some(OptOutScope::Marketing)),
        ("Parar", "parar", Some(OptOutScope::All)),
        ("Reschedule", "RESCHEDULE:1", None),
    ];
    on_both(|store| {
        let desk = TestDesk::new(store);
        let at = desk.clock.now();
        for (text, payload, expected) in cases {
            let person = SenderIdentity {
                phone_digits: Some(format!("3519120000{:02}", text.len())),
                ..SenderIdentity::default()
            };
            let button =
                InboundContent::Button { text: text.to_owned(), payload: payload.to_owned() };
            let tapped = InboundMessage::new(text, person.clone(), at, button);
            desk.apply(vec![element(text, ChannelEvent::Inbound(tapped))]);
            assert_eq!(count_tickets(&desk), i64::from(expected.is_none()), "{text}");
            let contact = contact_of(&desk, text);
            let in_force = |desk: &TestDesk| {
                let list = desk.store.blocking_read(|db| opt_out::list_in_force(db, contact));
                list.unwrap().first().map(|it| (it.scope, it.source))
            };
            let told = expected.map(|scope| (scope, OptOutSource::Button));
            assert_eq!(in_force(&desk), told, "{text}");
            if expected.is_some() {
                let name = format!("start {text}");
                let content = InboundContent::Text("Start".to_owned());
                let start = InboundMessage::new(&name, person, at + TimeDelta::seconds(1), content);
                desk.apply(vec![element(&name, ChannelEvent::Inbound(start))]);
                assert_eq!(in_force(&desk), None, "START lifts it");
                close_all(&desk);
            }
        }
    });
}

fn count_tickets(desk: &TestDesk) -> i64 {
    let open = tickets::table.filter(tickets::state.ne("closed"));
    count(desk, |db| open.count().get_result(db)).unwrap()
}

fn close_all(desk: &TestDesk) {
    let closed = diesel::update(tickets::table).set(tickets::state.eq("closed"));
    desk.store.blocking_write(|db| Ok(closed.execute(db)?)).unwrap();
}

fn contact_of(desk: &TestDesk, provider_id: &str) -> ContactId {
    let named = messages::table.filter(messages::provider_id.eq(provider_id));
    let id = count(desk, |db| named.select(messages::contact_id).first(db)).unwrap();
    ContactId(id)
}

#[test]
fn what_is_said_from_the_phone_app_opens_neither_ticket_nor_window() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        for receipt_first in [false, true] {
            let at = desk.clock.now();
            let name = format!("out.{receipt_first}");
            let told = [
                echo(&name, at, text("Hi, Teodor here")),
                receipt(&name, None, ReceiptStatus::Read, at + TimeDelta::seconds(3)),
            ];
            let order: [usize; 2] = if receipt_first { [1, 0] } else { [0, 1] };
            for index in order {
                desk.apply(vec![told[index].clone()]);
            }
            assert_eq!(desk.apply(vec![told[0].clone()]).copies, 1);
            assert_eq!(desk.tickets(), [], "no ticket");
            let windows = session_windows::table.count();
            assert_eq!(count(&desk, |db| windows.get_result::<i64>(db)).unwrap(), 0, "no window");
            let thread = thread(&desk);
            let message = thread.messages.last().unwrap();
            assert!(message.around.payload.is_from_app);
            let Side::Ours { agent: None, state: MessageState::Read, .. } = message.side else {
                panic!("{:?}", message.side)
            };
        }
    });
}

#[test]
fn a_contact_who_writes_after_we_did_from_the_phone_app_is_the_same() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let at = desk.clock.now();
        desk.apply(vec![
            echo("out.1", at, text("Hi")),
            inbound("in.1", DIGITS, "Hello", at + TimeDelta::seconds(9)),
        ]);
        let bodies: Vec<String> = thread(&desk).messages.into_iter().map(|it| it.body).collect();
        assert_eq!(bodies, ["Hi", "Hello"]);
        assert_eq!(count_tickets(&desk), 1);
    });
}
