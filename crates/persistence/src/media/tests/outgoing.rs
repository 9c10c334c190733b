//! Files that agents send, on both databases: chosen, sent once, handed over before the message may go.

use domain::{
    channel::{MediaSource, OutgoingContent, PlatformRefusal},
    ids::{MessageId, TicketId},
    session_window::FreeFormRefusal,
};

use super::*;
use crate::{
    conversation::Quoted,
    outbox::{self, Claim, ClaimRequest},
    schema::{outbox as outbox_rows, tickets},
    test_desk::{dispatch_policy, inbound},
    ticket::{self, FileDraft, Reply, ReplyRefusal},
    user::Actor,
};

fn quote() -> NewUpload {
    NewUpload {
        channel: domain::ids::ChannelId(1),
        kind: FileKind::Document,
        name: "quote-8812.pdf".to_owned(),
        content_type: "application/pdf".to_owned(),
    }
}

/// A desk whose only contact has just written.
fn desk_with_a_ticket(store: &crate::store::Store) -> (TestDesk, Actor, TicketId) {
    let desk = TestDesk::new(store);
    desk.apply(vec![inbound("wamid.in", "351912345678", "hi", desk.clock.now())]);
    let ticket: i64 =
        store.blocking_read(|db| Ok(tickets::table.select(tickets::id).first(db)?)).unwrap();
    let actor = holder(&desk);
    (desk, actor, TicketId(ticket))
}

/// Keeps `bytes` as a file that `actor` chose.
fn choose(desk: &TestDesk, actor: &Actor, bytes: &[u8]) -> MediaId {
    let new = NewUpload { channel: desk.channel, ..quote() };
    let now = desk.clock.now();
    desk.store
        .blocking_write(|db| {
            let id = begin_upload(db, actor, &new, now)?;
            save_part(db, &id, UPLOADED, 0, bytes)?;
            end_upload(db, actor, &id, bytes.len() as u64, None)?;
            Ok(id)
        })
        .unwrap()
}

fn send(desk: &TestDesk, actor: &Actor, ticket: TicketId, file: &MediaId, key: &str) -> Reply {
    let draft = FileDraft {
        ticket,
        file: file.clone(),
        caption: "Your quote".to_owned(),
        key: key.to_owned(),
        quotes: None,
    };
    desk.store.blocking_write(|db| ticket::send_file(db, actor, &draft, &*desk.clock)).unwrap()
}

fn dispatch(desk: &TestDesk, now: DateTime<Utc>) -> Vec<Claim> {
    let mut request = ClaimRequest {
        shares: &[(desk.channel, 10)],
        token: "us",
        policy: &dispatch_policy(),
        pair_wait: &mut |_, _| None,
    };
    desk.store.blocking_write(|db| outbox::claim(db, &mut request, now)).unwrap().claims
}

fn hand_over(desk: &TestDesk, outcome: &HandedOver, now: DateTime<Utc>) -> bool {
    let claimed = desk.store.blocking_write(|db| claim_uploads(db, 9, LEASE, now)).unwrap();
    let [claimed] = claimed.try_into().unwrap();
    desk.store.blocking_write(|db| end_hand_over(db, &claimed, outcome, now)).unwrap()
}

#[test]
fn a_file_goes_once_the_platform_has_it_and_never_before() {
    on_both(|store| {
        let (desk, actor, ticket) = desk_with_a_ticket(store);
        let file = choose(&desk, &actor, b"%PDF-1.7");
        let now = desk.clock.now();
        let Reply::Queued(message) = send(&desk, &actor, ticket, &file, "key") else { panic!() };
        assert!(dispatch(&desk, now).is_empty(), "the platform does not have it");
        let put_off = hand_over(&desk, &HandedOver::PutOff, now);
        assert!(put_off);
        let later = now + TimeDelta::seconds(5);
        assert!(hand_over(&desk, &HandedOver::Taken("1199330045871126".to_owned()), later));
        let claim = dispatch(&desk, later).remove(0);
        let OutgoingContent::Media(sent) = &claim.outgoing.content else { panic!() };
        assert_eq!((claim.outgoing.id, sent.kind), (message, FileKind::Document));
        assert_eq!(sent.source, MediaSource::Uploaded("1199330045871126".to_owned()));
        assert_eq!(sent.caption.as_deref(), Some("Your quote"));
        assert_eq!(sent.name.as_deref(), Some("quote-8812.pdf"));
        let shown = thread(&desk).remove(1).file.unwrap();
        assert_eq!((shown.state, shown.size), (MediaState::Kept, Some(8)));
    });
}

#[test]
fn a_file_answers_a_message_that_is_there_and_none_that_is_not() {
    on_both(|store| {
        let (desk, actor, ticket) = desk_with_a_ticket(store);
        let file = choose(&desk, &actor, b"%PDF-1.7");
        let asked = thread(&desk).remove(0).id;
        let send = |quotes: MessageId| {
            let draft = FileDraft {
                ticket,
                file: file.clone(),
                caption: String::new(),
                key: "key".to_owned(),
                quotes: Some(quotes),
            };
            let send = |db: &mut Db| ticket::send_file(db, &actor, &draft, &*desk.clock);
            store.blocking_write(send).unwrap()
        };
        assert_eq!(send(MessageId(4711)), Reply::Refused(ReplyRefusal::QuoteGone));
        assert!(matches!(send(asked), Reply::Queued(_)), "the file is kept for another try");
        let answer = thread(&desk).remove(1);
        let Some(Quoted::Known { id, .. }) = answer.around.quoted else { panic!() };
        assert_eq!(id, asked);
    });
}

#[test]
fn am_11_the_same_form_sends_one_file_and_a_file_is_sent_once() {
    on_both(|store| {
        let (desk, actor, ticket) = desk_with_a_ticket(store);
        let file = choose(&desk, &actor, b"%PDF-1.7");
        let again = choose(&desk, &actor, b"%PDF-1.7");
        let Reply::Queued(message) = send(&desk, &actor, ticket, &file, "key") else { panic!() };
        assert_eq!(send(&desk, &actor, ticket, &again, "key"), Reply::Replayed(message));
        let draft = FileDraft {
            ticket,
            file: file.clone(),
            caption: String::new(),
            key: "another key".to_owned(),
            quotes: None,
        };
        let sent = store.blocking_write(|db| ticket::send_file(db, &actor, &draft, &*desk.clock));
        assert!(matches!(sent, Err(PersistenceError::NotFound)), "it is given away");
    });
}

#[test]
fn c_26_a_file_is_sent_by_whoever_chose_it_and_seen_by_nobody_else_before() {
    on_both(|store| {
        let (desk, actor, ticket) = desk_with_a_ticket(store);
        let other = stranger(&desk);
        let theirs = choose(&desk, &other, b"%PDF-1.7");
        let draft = FileDraft {
            ticket,
            file: theirs.clone(),
            caption: String::new(),
            key: "key".to_owned(),
            quotes: None,
        };
        let sent = store.blocking_write(|db| ticket::send_file(db, &actor, &draft, &*desk.clock));
        assert!(matches!(sent, Err(PersistenceError::NotFound)));
        let find = |actor: &Actor| store.blocking_read(|db| find_file(db, actor, &theirs));
        assert!(matches!(find(&actor), Err(PersistenceError::NotFound)));
        assert!(find(&other).is_ok());
    });
}

#[test]
fn sw_04_a_window_that_closed_meanwhile_refuses_the_file_and_keeps_it() {
    on_both(|store| {
        let (desk, actor, ticket) = desk_with_a_ticket(store);
        let file = choose(&desk, &actor, b"%PDF-1.7");
        desk.clock.advance(TimeDelta::hours(25));
        let refused = ReplyRefusal::Session(FreeFormRefusal::SessionExpired);
        assert_eq!(send(&desk, &actor, ticket, &file, "key"), Reply::Refused(refused));
        let kept = store.blocking_read(|db| find_unsent(db, &actor, &file)).unwrap();
        assert_eq!(kept.unwrap().name, "quote-8812.pdf");
    });
}

#[test]
fn a_file_the_platform_does_not_take_ends_its_message_with_the_platforms_words() {
    on_both(|store| {
        let (desk, actor, ticket) = desk_with_a_ticket(store);
        let file = choose(&desk, &actor, b"%PDF-1.7");
        let Reply::Queued(message) = send(&desk, &actor, ticket, &file, "key") else { panic!() };
        let refusal = PlatformRefusal { code: "131053".to_owned(), title: "too large".to_owned() };
        assert!(hand_over(&desk, &HandedOver::NotTaken(refusal), desk.clock.now()));
        let (state, code, waiting): (String, Option<String>, i64) = store
            .blocking_read(|db| {
                let (state, code) = messages::table
                    .find(message.0)
                    .select((messages::state, messages::failure_code))
                    .first(db)?;
                Ok((state, code, outbox_rows::table.count().get_result(db)?))
            })
            .unwrap();
        assert_eq!((state.as_str(), code.as_deref(), waiting), ("failed", Some("131053"), 0));
    });
}

#[test]
fn a_file_that_stood_for_a_month_is_handed_over_anew() {
    on_both(|store| {
        let (desk, actor, ticket) = desk_with_a_ticket(store);
        let file = choose(&desk, &actor, b"%PDF-1.7");
        let Reply::Queued(message) = send(&desk, &actor, ticket, &file, "key") else { panic!() };
        let now = desk.clock.now();
        assert!(hand_over(&desk, &HandedOver::Taken("1".to_owned()), now));
        let find = |message: MessageId, at| {
            let found =
                store.blocking_write(|db| find_outgoing(db, message, String::new(), at)).unwrap();
            matches!(found, OutgoingFile::Ready(_))
        };
        assert!(find(message, now + TimeDelta::days(28)));
        assert!(!find(message, now + TimeDelta::days(29)), "it is about to be forgotten");
        let due = now + TimeDelta::days(29);
        let claimed = store.blocking_write(|db| claim_uploads(db, 9, LEASE, due)).unwrap();
        assert_eq!(claimed.len(), 1);
    });
}

#[test]
fn jo_04_a_file_that_is_never_sent_goes_with_age() {
    on_both(|store| {
        let (desk, actor, ticket) = desk_with_a_ticket(store);
        let (sent, unsent) = (choose(&desk, &actor, b"a"), choose(&desk, &actor, b"b"));
        assert!(matches!(send(&desk, &actor, ticket, &sent, "key"), Reply::Queued(_)));
        let now = desk.clock.now();
        let tidy = |until| store.blocking_write(|db| delete_unsent(db, until, 9)).unwrap();
        assert_eq!(tidy(now - TimeDelta::milliseconds(1)), 0);
        assert_eq!(tidy(now), 1);
        assert!(store.blocking_read(|db| find_unsent(db, &actor, &unsent)).unwrap().is_none());
        assert_eq!(count_parts(&desk), 1, "what was sent stays");
    });
}

#[test]
fn an_address_is_sent_as_it_is_and_nothing_is_handed_over() {
    on_both(|store| {
        let (desk, actor, ticket) = desk_with_a_ticket(store);
        let now = desk.clock.now();
        let link = "https://cdn.harbourlane.example/tiles/blue.jpg";
        let new = NewUpload { channel: desk.channel, kind: FileKind::Image, ..quote() };
        let file = store.blocking_write(|db| save_link(db, &actor, &new, link, 9, now)).unwrap();
        assert!(matches!(send(&desk, &actor, ticket, &file, "key"), Reply::Queued(_)));
        assert!(!store.blocking_read(|db| has_due(db, now)).unwrap());
        let claim = dispatch(&desk, now).remove(0);
        let OutgoingContent::Media(sent) = &claim.outgoing.content else { panic!() };
        assert_eq!(sent.source, MediaSource::Link(link.to_owned()));
        let kept = store.blocking_read(|db| find_file(db, &actor, &file));
        assert!(matches!(kept, Err(PersistenceError::NotFound)), "it lies elsewhere");
    });
}
