//! Fetching against a platform that answers as told, on both databases.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
    time::Duration,
};

use domain::{
    channel::{
        BoxFuture, ChannelError, ChannelEvent, ChannelKind, InboundContent, InboundMedia,
        InboundMediaKind, InboundMessage, MediaBody, MediaDownload, MediaFailure, MediaFile,
        MediaProblem, NumberReading, OutgoingMessage, SendOutcome, SenderIdentity, WebhookElement,
        WebhookRejection,
    },
    clock::Clock as _,
    media::{FileKind, MediaRefusal, MediaState},
    template::{MediaKind, PlatformTemplate},
};
use persistence::{
    conversation::{self, ConversationId},
    media::MessageFile,
    test_desk::{EXTERNAL_ID, TestDesk},
    test_support::{TestStore, postgres_is_wanted},
};

use super::*;

/// The answers of the platform to each question for a file, in their order.
#[derive(Default)]
struct Files(Mutex<VecDeque<Result<&'static [u8], MediaFailure>>>);

struct Whole(Option<Vec<u8>>);

impl MediaBody for Whole {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, MediaFailure>> {
        Box::pin(std::future::ready(Ok(self.0.take())))
    }
}

impl Channel for Files {
    fn verify(&self, _: &ChannelAccess, _: Option<&str>, _: &[u8]) -> Result<(), WebhookRejection> {
        Ok(())
    }

    fn parse(&self, _: &[u8]) -> Result<Vec<WebhookElement>, WebhookRejection> {
        Ok(Vec::new())
    }

    fn send<'a>(
        &'a self,
        _: &'a ChannelAccess,
        _: &'a OutgoingMessage,
    ) -> BoxFuture<'a, SendOutcome> {
        Box::pin(std::future::ready(SendOutcome::NotSent { reason: "no route".to_owned() }))
    }

    fn list_templates<'a>(
        &'a self,
        _: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<Vec<PlatformTemplate>, ChannelError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn read_number<'a>(
        &'a self,
        _: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<NumberReading, ChannelError>> {
        Box::pin(std::future::ready(Err(ChannelError::Unreachable("not here".to_owned()))))
    }

    fn inspect_media<'a>(
        &'a self,
        _: &'a str,
        _: MediaKind,
    ) -> BoxFuture<'a, Result<MediaFile, MediaProblem>> {
        Box::pin(std::future::ready(Err(MediaProblem::Unreachable)))
    }

    fn open_media<'a>(
        &'a self,
        _: &'a ChannelAccess,
        _: &'a str,
        _: u64,
    ) -> BoxFuture<'a, Result<MediaDownload, MediaFailure>> {
        let answer = self.0.lock().unwrap().pop_front().expect("a question too many");
        let opened = answer.map(|bytes| MediaDownload {
            content_type: None,
            size: None,
            sha256: None,
            body: Box::new(Whole(Some(bytes.to_vec()))),
        });
        Box::pin(std::future::ready(opened))
    }
}

/// What a contact's file of `kind` comes to when the platform answers so, one attempt long.
fn fetched(
    store: &Store,
    kind: InboundMediaKind,
    told_sha256: Option<&str>,
    answers: Vec<Result<&'static [u8], MediaFailure>>,
) -> MessageFile {
    let desk = TestDesk::new(store);
    receive(&desk, kind, told_sha256);
    let questions = Arc::new(Files(Mutex::new(answers.into())));
    let adapter: Arc<dyn Channel> = questions.clone();
    let shared = Shared {
        parts: Carrier {
            store: store.clone(),
            clock: desk.clock.clone(),
            channels: Arc::new(HashMap::from([(ChannelKind::WhatsApp, adapter)])),
            nudges: Arc::new(Nudges::default()),
        },
        slots: Arc::new(Semaphore::new(1)),
        reading: Semaphore::new(1),
        stop: CancellationToken::new(),
    };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let now = desk.clock.now();
        let claim = move |db: &mut Db| media::claim_fetches(db, 1, LEASE, now);
        let claim = store.write(claim).await.unwrap().remove(0);
        shared.fetch(&claim).await;
    });
    runtime.shutdown_timeout(Duration::from_secs(5));
    assert!(questions.0.lock().unwrap().is_empty(), "asked as often as that");
    shown(&desk)
}

fn receive(desk: &TestDesk, kind: InboundMediaKind, told_sha256: Option<&str>) {
    let file = InboundMedia {
        kind,
        id: Some("881001".to_owned()),
        mime_type: None,
        sha256: told_sha256.map(str::to_owned),
        caption: None,
        filename: None,
        is_lost: false,
    };
    let sender = SenderIdentity {
        phone_digits: Some("351912345678".to_owned()),
        ..SenderIdentity::default()
    };
    let content = InboundContent::Media(file);
    let message = InboundMessage::new("wamid.1", sender, desk.clock.now(), content);
    let hello = persistence::test_desk::inbound("x", "351912345678", "x", desk.clock.now());
    desk.apply(vec![WebhookElement {
        external_id: Some(EXTERNAL_ID.to_owned()),
        event: Ok(ChannelEvent::Inbound(message)),
        ..hello
    }]);
}

fn shown(desk: &TestDesk) -> MessageFile {
    let (_, agent, _) = desk.tickets().remove(0);
    let actor = desk.actor(agent.unwrap());
    // The only contact there is.
    let conversation = ConversationId { chatbot: desk.chatbot, contact: domain::ids::ContactId(1) };
    let now = desk.clock.now();
    let find = |db: &mut Db| conversation::find_thread(db, &actor, conversation, None, now);
    desk.store.blocking_read(find).unwrap().messages.remove(0).file.unwrap()
}

fn on_each(test: impl Fn(&Store)) {
    test(&TestStore::sqlite());
    if postgres_is_wanted() {
        test(&TestStore::postgres());
    }
}

const VOICE: InboundMediaKind = InboundMediaKind::Audio { is_voice: true };
const OGG: &[u8] = b"OggS\0\x02 and what was said";

#[test]
fn an_address_that_is_over_is_asked_for_anew_at_once() {
    on_each(|store| {
        let file = fetched(store, VOICE, None, vec![Err(MediaFailure::AddressExpired), Ok(OGG)]);
        assert_eq!((file.state, file.kind), (MediaState::Kept, FileKind::Voice));
        assert_eq!(file.content_type.as_deref(), Some("audio/ogg"));
        assert_eq!(file.size, Some(OGG.len() as u64));
    });
}

#[test]
fn what_ends_a_file_ends_it_and_what_passes_is_tried_later() {
    use MediaFailure::{Elsewhere, Gone, NoFiles, TooLarge, Unreachable};
    let refused = |refusal| MediaState::Refused(refusal);
    let cases = [
        (Gone, MediaState::Expired),
        (NoFiles, MediaState::Lost),
        (Elsewhere, refused(MediaRefusal::Elsewhere)),
        (TooLarge { limit: 1 }, refused(MediaRefusal::TooLarge)),
        (Unreachable("busy".to_owned()), MediaState::Waiting),
    ];
    for (failure, expected) in cases {
        on_each(|store| {
            let file = fetched(store, VOICE, None, vec![Err(failure.clone())]);
            assert_eq!(file.state, expected, "{failure:?}");
            assert_eq!(file.due_at.is_some(), expected == MediaState::Waiting, "{failure:?}");
        });
    }
}

#[test]
fn c_25_a_file_that_is_something_else_is_refused_and_one_that_was_changed_is_tried_again() {
    let wrong = "00".repeat(32);
    type Case<'a> = (&'a str, InboundMediaKind, Option<&'a str>, &'a [u8], MediaState);
    let cases: [Case<'_>; 4] = [
        (
            "a page for a picture",
            InboundMediaKind::Image,
            None,
            b"<html><script>",
            MediaState::Refused(MediaRefusal::WrongKind),
        ),
        (
            "a program for a voice note",
            VOICE,
            None,
            b"MZ\x90\0",
            MediaState::Refused(MediaRefusal::WrongKind),
        ),
        ("not the file announced", VOICE, Some(&wrong), OGG, MediaState::Waiting),
        ("any file is a document", InboundMediaKind::Document, None, b"MZ\x90\0", MediaState::Kept),
    ];
    for (case, kind, told, bytes, expected) in cases {
        on_each(|store| {
            // The bytes live as long as the test.
            let bytes: &'static [u8] = Box::leak(bytes.to_vec().into_boxed_slice());
            let file = fetched(store, kind, told, vec![Ok(bytes)]);
            assert_eq!(file.state, expected, "{case}");
        });
    }
}
