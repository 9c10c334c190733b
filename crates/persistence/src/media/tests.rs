//! Files on both databases: noted with their message, fetched by one process, read by whoever may see them.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{
        ChannelEvent, InboundContent, InboundMedia, InboundMediaKind, InboundMessage,
        MessageRevocation, SenderIdentity,
    },
    clock::Clock,
    media::{FileKind, MediaRefusal, MediaState},
};

use super::*;
use crate::{
    conversation::{self, ConversationId, ThreadMessage},
    explain::plans_of,
    instant::Instant,
    schema::{contacts, media, media_chunks},
    test_desk::{TestDesk, element},
    test_support::on_both,
};

const LEASE: TimeDelta = TimeDelta::minutes(5);

fn picture(platform_id: Option<&str>) -> InboundMedia {
    InboundMedia {
        kind: InboundMediaKind::Image,
        id: platform_id.map(str::to_owned),
        mime_type: Some("image/jpeg".to_owned()),
        sha256: Some("7d1a54".to_owned()),
        caption: Some("Cracked here".to_owned()),
        filename: None,
        is_lost: platform_id.is_none(),
    }
}

/// A contact sends `file` now.
fn receive(desk: &TestDesk, provider_id: &str, file: InboundMedia) {
    let content = InboundContent::Media(file);
    let message = InboundMessage::new(provider_id, sender(), desk.clock.now(), content);
    let element = element(provider_id, ChannelEvent::Inbound(message));
    assert_eq!(desk.apply(vec![element]).applied, 1);
}

fn sender() -> SenderIdentity {
    SenderIdentity {
        phone_digits: Some("351912345678".to_owned()),
        name: Some("Luísa".to_owned()),
        ..SenderIdentity::default()
    }
}

fn claim(desk: &TestDesk, now: DateTime<Utc>) -> Vec<ClaimedFetch> {
    desk.store.blocking_write(|db| claim_fetches(db, 10, LEASE, now)).unwrap()
}

/// Saves `bytes` as the parts of the claim and ends it.
fn keep(desk: &TestDesk, claim: &ClaimedFetch, bytes: &[u8]) -> bool {
    let store = &desk.store;
    for (part, bytes) in bytes.chunks(PART).enumerate() {
        store.blocking_write(|db| save_part(db, &claim.id, claim.take, part, bytes)).unwrap();
    }
    let picture = KeptPicture { width: 40, height: 30, small: b"small".to_vec() };
    let fetched = Fetched {
        content_type: "image/jpeg".to_owned(),
        size: bytes.len() as u64,
        picture: Some(picture),
    };
    store.blocking_write(|db| end_fetch(db, claim, Ok(&fetched))).unwrap()
}

fn conversation_of(desk: &TestDesk) -> ConversationId {
    let contact: i64 =
        desk.store.blocking_read(|db| Ok(contacts::table.select(contacts::id).first(db)?)).unwrap();
    ConversationId { chatbot: desk.chatbot, contact: domain::ids::ContactId(contact) }
}

/// The messages of the only conversation, as its agent sees them.
fn thread(desk: &TestDesk) -> Vec<ThreadMessage> {
    let (conversation, now) = (conversation_of(desk), desk.clock.now());
    let actor = holder(desk);
    let found = desk
        .store
        .blocking_read(|db| conversation::find_thread(db, &actor, conversation, None, now));
    found.unwrap().messages
}

/// The agent who serves the only ticket.
fn holder(desk: &TestDesk) -> crate::user::Actor {
    let (_, agent, _) = desk.tickets().remove(0);
    desk.actor(agent.unwrap())
}

fn stranger(desk: &TestDesk) -> crate::user::Actor {
    let (_, agent, _) = desk.tickets().remove(0);
    desk.actor(desk.agents.into_iter().find(|it| Some(*it) != agent).unwrap())
}

fn count_parts(desk: &TestDesk) -> i64 {
    desk.store.blocking_read(|db| Ok(media_chunks::table.count().get_result(db)?)).unwrap()
}

#[test]
fn a_contacts_file_is_noted_with_its_message_fetched_and_read_part_by_part() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        receive(&desk, "wamid.1", picture(Some("881001")));
        let shown = thread(&desk).remove(0);
        let file = shown.file.unwrap();
        assert_eq!((shown.body.as_str(), file.state), ("Cracked here", MediaState::Waiting));
        let now = desk.clock.now();
        let claimed = claim(&desk, now).remove(0);
        assert_eq!((claimed.platform_id.as_str(), claimed.kind), ("881001", FileKind::Image));
        assert_eq!(claimed.told_sha256.as_deref(), Some("7d1a54"));
        let bytes: Vec<u8> = (0..PART + 3).map(|at| (at % 251) as u8).collect();
        assert!(keep(&desk, &claimed, &bytes));
        let shown = thread(&desk).remove(0).file.unwrap();
        assert_eq!(shown.state, MediaState::Kept);
        assert_eq!((shown.size, shown.extent), (Some(bytes.len() as u64), Some((40, 30))));

        let (actor, id) = (holder(&desk), claimed.id.clone());
        let kept = store.blocking_read(|db| find_file(db, &actor, &id)).unwrap();
        assert_eq!(kept.parts(), 2);
        let read = |part| store.blocking_read(|db| read_part(db, &kept, part));
        assert_eq!([read(0).unwrap(), read(1).unwrap()].concat(), bytes);
        assert!(matches!(read(2), Err(PersistenceError::NotFound)));
        let small = store.blocking_read(|db| find_small(db, &actor, &id)).unwrap();
        assert_eq!(small, b"small");
        assert!(claim(&desk, now + TimeDelta::days(1)).is_empty(), "it is here");
    });
}

#[test]
fn c_26_a_file_is_there_for_whoever_may_see_its_conversation_and_nobody_else() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        receive(&desk, "wamid.1", picture(Some("881001")));
        let claimed = claim(&desk, desk.clock.now()).remove(0);
        let (theirs, other) = (holder(&desk), stranger(&desk));
        let find = |actor: &crate::user::Actor| {
            store.blocking_read(|db| find_file(db, actor, &claimed.id))
        };
        assert!(matches!(find(&theirs), Err(PersistenceError::NotFound)), "not here yet");
        keep(&desk, &claimed, b"bytes");
        assert!(find(&theirs).is_ok());
        assert!(matches!(find(&other), Err(PersistenceError::NotFound)));
        let small = store.blocking_read(|db| find_small(db, &other, &claimed.id));
        assert!(matches!(small, Err(PersistenceError::NotFound)));
        let now = desk.clock.now();
        let again = store.blocking_write(|db| try_again(db, &other, &claimed.id, now));
        assert!(matches!(again, Err(PersistenceError::NotFound)));
        let unknown = MediaId::from_random([7; 16]);
        let found = store.blocking_read(|db| find_file(db, &theirs, &unknown));
        assert!(matches!(found, Err(PersistenceError::NotFound)));
    });
}

#[test]
fn a_file_is_leased_to_one_process_and_a_late_one_changes_nothing() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        receive(&desk, "wamid.1", picture(Some("881001")));
        let now = desk.clock.now();
        let first = claim(&desk, now).remove(0);
        assert!(claim(&desk, now + LEASE - TimeDelta::milliseconds(1)).is_empty(), "leased");
        store.blocking_write(|db| save_part(db, &first.id, first.take, 0, b"half")).unwrap();
        let second = claim(&desk, now + LEASE).remove(0);
        assert_eq!((first.take, second.take), (1, 2));
        assert!(!keep(&desk, &first, b"from the one who stood still"));
        let gave_up = store.blocking_write(|db| give_up_fetch(db, &first, now)).unwrap();
        assert!(!gave_up, "an old fence");
        assert!(keep(&desk, &second, b"whole"));
        assert_eq!(count_parts(&desk), 1, "what was begun before is gone");
        let actor = holder(&desk);
        let kept = store.blocking_read(|db| find_file(db, &actor, &second.id)).unwrap();
        assert_eq!(store.blocking_read(|db| read_part(db, &kept, 0)).unwrap(), b"whole");
    });
}

#[test]
fn a_file_that_fails_is_tried_later_at_once_when_asked_and_no_more_after_seven_days() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        receive(&desk, "wamid.1", picture(Some("881001")));
        let sent_at = desk.clock.now();
        let first = claim(&desk, sent_at).remove(0);
        store.blocking_write(|db| save_part(db, &first.id, first.take, 0, b"half")).unwrap();
        assert!(store.blocking_write(|db| give_up_fetch(db, &first, sent_at)).unwrap());
        assert_eq!(count_parts(&desk), 0);
        assert!(claim(&desk, sent_at + TimeDelta::seconds(4)).is_empty());
        let actor = holder(&desk);
        let asked_at = sent_at + TimeDelta::seconds(1);
        store.blocking_write(|db| try_again(db, &actor, &first.id, asked_at)).unwrap();
        let second = claim(&desk, asked_at).remove(0);
        let last = sent_at + TimeDelta::days(7) - TimeDelta::seconds(10);
        assert!(store.blocking_write(|db| give_up_fetch(db, &second, last)).unwrap());
        let shown = thread(&desk).remove(0).file.unwrap();
        assert_eq!((shown.state, shown.due_at), (MediaState::Expired, None));
    });
}

#[test]
fn a_file_the_platform_lost_or_keeps_no_longer_is_never_asked_for() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        receive(&desk, "wamid.lost", picture(None));
        receive(&desk, "wamid.late", picture(Some("881002")));
        let week_later = desk.clock.now() + TimeDelta::days(7);
        assert!(store.blocking_read(|db| has_due(db, week_later)).unwrap());
        assert!(claim(&desk, week_later).is_empty());
        assert!(!store.blocking_read(|db| has_due(db, week_later)).unwrap());
        let states: Vec<MediaState> =
            thread(&desk).into_iter().map(|message| message.file.unwrap().state).collect();
        assert_eq!(states, [MediaState::Lost, MediaState::Expired]);
    });
}

#[test]
fn of_a_refused_file_nothing_is_kept_and_the_reason_is_told() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        receive(&desk, "wamid.1", picture(Some("881001")));
        let claimed = claim(&desk, desk.clock.now()).remove(0);
        store.blocking_write(|db| save_part(db, &claimed.id, claimed.take, 0, b"MZ")).unwrap();
        let refused = MediaState::Refused(MediaRefusal::WrongKind);
        assert!(store.blocking_write(|db| end_fetch(db, &claimed, Err(refused))).unwrap());
        assert_eq!(thread(&desk).remove(0).file.unwrap().state, refused);
        assert_eq!(count_parts(&desk), 0);
        let actor = holder(&desk);
        let found = store.blocking_read(|db| find_file(db, &actor, &claimed.id));
        assert!(matches!(found, Err(PersistenceError::NotFound)));
    });
}

#[test]
fn a_file_goes_with_its_message() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        receive(&desk, "wamid.1", picture(Some("881001")));
        let claimed = claim(&desk, desk.clock.now()).remove(0);
        keep(&desk, &claimed, b"bytes");
        let left: (i64, i64) = store
            .blocking_write(|db| {
                diesel::delete(messages::table).execute(db)?;
                let files = media::table.count().get_result(db)?;
                Ok((files, media_chunks::table.count().get_result(db)?))
            })
            .unwrap();
        assert_eq!(left, (0, 0));
    });
}

/// The contact takes the message `provider_id` back.
fn take_back(desk: &TestDesk, provider_id: &str) {
    let revocation = MessageRevocation {
        provider_id: format!("{provider_id}.back"),
        sender: sender(),
        at: desk.clock.now(),
        revoked: provider_id.to_owned(),
    };
    let event = ChannelEvent::Revoked(revocation);
    desk.apply(vec![element(&format!("{provider_id}.back"), event)]);
}

#[test]
fn the_file_of_a_message_that_was_taken_back_is_neither_fetched_nor_handed_out() {
    on_both(|store| {
        let desk = TestDesk::new(store);
        let now = desk.clock.now();
        receive(&desk, "wamid.kept", picture(Some("881001")));
        let kept = claim(&desk, now).remove(0);
        assert!(keep(&desk, &kept, b"bytes"));
        receive(&desk, "wamid.halfway", picture(Some("881002")));
        let halfway = claim(&desk, now).remove(0);
        store.blocking_write(|db| save_part(db, &halfway.id, halfway.take, 0, b"half")).unwrap();
        receive(&desk, "wamid.waiting", picture(Some("881003")));
        take_back(&desk, "wamid.early");
        for sent in ["wamid.kept", "wamid.halfway", "wamid.waiting"] {
            take_back(&desk, sent);
        }
        receive(&desk, "wamid.early", picture(Some("881004")));

        assert!(claim(&desk, now + LEASE + LEASE).is_empty(), "none is fetched");
        assert_eq!(count_parts(&desk), 0, "nothing of them is left");
        let actor = holder(&desk);
        for file in [&kept.id, &halfway.id] {
            let found = store.blocking_read(|db| find_file(db, &actor, file));
            assert!(matches!(found, Err(PersistenceError::NotFound)));
            let small = store.blocking_read(|db| find_small(db, &actor, file));
            assert!(matches!(small, Err(PersistenceError::NotFound)));
        }
        let part = store.blocking_write(|db| save_part(db, &halfway.id, halfway.take, 1, b"rest"));
        assert!(matches!(part, Err(PersistenceError::NotFound)), "whoever was at it stops");
        let fetched = Fetched { content_type: "image/jpeg".to_owned(), size: 8, picture: None };
        let ended = store.blocking_write(|db| end_fetch(db, &halfway, Ok(&fetched))).unwrap();
        assert!(!ended, "and keeps nothing");
        assert!(thread(&desk).iter().all(|message| message.file.is_none()));
    });
}

#[test]
fn what_is_due_is_found_by_its_index() {
    on_both(|store| {
        let now = Instant::from(DateTime::UNIX_EPOCH);
        let due = plans_of(store, |db| has_due(db, now.into()));
        let of_messages = plans_of(store, |db| list_of_messages(db, &[MessageId(1)]));
        for plan in due.into_iter().chain(of_messages) {
            assert!(plan.steps.contains("media_by_"), "{}: {}", plan.sql, plan.steps);
        }
    });
}

mod outgoing;
