//! Files in the thread: each kind, and why one is not here.

use domain::media::{FileKind, MediaId, MediaRefusal, MediaState};
use persistence::media::MessageFile;

use super::*;

fn file(kind: FileKind, state: MediaState) -> MessageFile {
    let is_kept = state == MediaState::Kept;
    MessageFile {
        id: MediaId::from_random([0xab; 16]),
        kind,
        name: (kind == FileKind::Document).then(|| "quote-\u{202e}8812.pdf".to_owned()),
        state,
        content_type: is_kept.then(|| "application/octet-stream".to_owned()),
        size: is_kept.then_some(812_000),
        extent: (is_kept && kind.is_picture()).then_some((400, 300)),
        link: None,
        attempts: 1,
        due_at: None,
    }
}

/// The message of a contact that is this file, as the thread shows it.
fn shown(file: MessageFile) -> String {
    let mut thread = thread(closing_soon(), Some(open_ticket(mine())));
    let kind = file.kind.message_kind().to_owned();
    let body = file.name.clone().unwrap_or_default();
    let carried = message(7, Side::Contact, &body, now() - minutes(1));
    thread.messages = vec![ThreadMessage { kind, file: Some(file), ..carried }];
    let page = render_thread(&thread, Typed::default());
    let (_, bubble) = page.split_once("<li id=\"message-7\">").unwrap();
    bubble.split_once("</li>").unwrap().0.to_owned()
}

#[test]
fn every_kind_of_file_is_shown_in_its_way() {
    let kept = FileKind::ALL.map(|kind| shown(file(kind, MediaState::Kept)));
    insta::assert_snapshot!(kept.join("\n"));
}

#[test]
fn a_file_that_is_not_here_says_why_and_what_helps() {
    let refused = MediaRefusal::ALL.map(MediaState::Refused);
    let states = [MediaState::Waiting, MediaState::Lost, MediaState::Expired];
    let late = MessageFile {
        attempts: 4,
        due_at: Some(now() + minutes(3)),
        ..file(FileKind::Voice, MediaState::Waiting)
    };
    let of_state = |state| shown(file(FileKind::Image, state));
    let mut all: Vec<String> = states.into_iter().chain(refused).map(of_state).collect();
    all.push(shown(late));
    assert_eq!(all.iter().filter(|shown| shown.contains("/fetch\"")).count(), 1, "try again");
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn a_file_of_which_only_the_address_was_sent_leads_there_and_tells_nobody_from_where() {
    let link = Some("https://cdn.harbourlane.example/tiles/blue.jpg".to_owned());
    let linked = MessageFile { link, ..file(FileKind::Image, MediaState::Kept) };
    let shown = shown(linked);
    assert!(shown.contains("rel=\"noopener noreferrer\"") && !shown.contains("<img"), "{shown}");
    assert!(shown.contains("cdn.harbourlane.example"));
}
