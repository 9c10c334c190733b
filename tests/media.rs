//! Pictures, recordings and files between a customer's phone and the desk, through the platform's stand-in.

#![expect(clippy::expect_used, reason = "a journey whose desk is not there fails where it stands")]

use base64::{Engine as _, engine::general_purpose::STANDARD};
use journeys::{Agent, Database, Demo, Shown, client, hidden_value, pieces, until};
use reqwest::{StatusCode, header};
use serde_json::{Value, json};

/// A contact of the first agent's chatbot who is not served yet.
const PHONE: &str = "+5511955550071";

const STUDIO: &[u8] = include_bytes!("../static/sandbox/samples/studio.jpg");
const TILE: &[u8] = include_bytes!("../static/sandbox/samples/tile.png");
const VOICE: &[u8] = include_bytes!("../static/sandbox/samples/voice.ogg");
const QUOTE: &[u8] = include_bytes!("../static/sandbox/samples/quote.pdf");

#[tokio::test]
async fn files_come_and_go_on_sqlite() {
    carry(&Demo::start(Database::Sqlite)).await;
}

#[tokio::test]
async fn files_come_and_go_on_postgres() {
    carry(&Demo::start(Database::Postgres)).await;
}

async fn carry(demo: &Demo) {
    let agent = Agent::first(demo).await;
    let talk = Talk::begin(&agent).await;
    a_picture_is_shown_and_handed_out_without_what_was_hidden_in_it(&talk).await;
    a_voice_note_plays_from_wherever_it_is_asked(&talk).await;
    a_document_is_kept_and_never_opened_by_itself(&talk).await;
    a_poisoned_picture_is_refused_in_words(&talk).await;
    c_26_a_file_is_nobody_elses(&talk).await;
    a_file_of_the_agents_arrives(&talk).await;
    c_25_what_may_not_be_sent_is_told_at_the_field(&talk).await;
    a_form_of_another_session_keeps_nothing(&talk).await;
}

/// A conversation that the agent serves.
struct Talk<'a> {
    agent: &'a Agent<'a>,
    /// Its address.
    path: String,
}

impl<'a> Talk<'a> {
    /// The customer writes, and the agent takes the conversation if nobody gave it to them.
    async fn begin(agent: &'a Agent<'a>) -> Self {
        let order = json!({"text": "Hello there"});
        let phone = PHONE.trim_start_matches('+');
        agent.demo.control(&agent.control, &format!("/phones/{phone}/reply"), &order).await;
        let row = until("the conversation", async || {
            for tab in ["conversations", "waiting"] {
                if let Some(row) = agent.search(tab, PHONE).await {
                    return Some(row);
                }
            }
            None
        })
        .await;
        let path = row.address.split(['?', '#']).next().expect("a path").to_owned();
        let talk = Self { agent, path };
        let page = talk.page().await;
        if page.contains(&format!("action=\"{}/take\"", talk.path)) {
            let ticket = hidden_value(&page, "ticket").expect("a ticket").to_owned();
            let path = format!("{}/take", talk.path);
            let taken = talk.agent.browser.submit(&path, &page, &[("ticket", &ticket)]).await;
            assert_eq!(taken.status(), StatusCode::SEE_OTHER);
        }
        talk
    }

    async fn page(&self) -> String {
        self.agent.browser.page(&self.path).await
    }

    /// The customer sends a file.
    async fn receive(&self, order: Value) {
        let phone = PHONE.trim_start_matches('+');
        let path = format!("/phones/{phone}/send");
        self.agent.demo.control(&self.agent.control, &path, &order).await;
    }

    /// Waits until the thread holds something between the marks, the latest of it.
    async fn latest(&self, opening: &str, closing: &str, after: usize) -> String {
        until(&format!("{opening} in the thread"), async || {
            let page = self.page().await;
            let found = pieces(&page, opening, closing);
            (after < found.len()).then(|| found.last().map(|last| (*last).to_owned()))?
        })
        .await
    }

    async fn get(&self, path: &str) -> reqwest::Response {
        self.agent.browser.get(path).await
    }

    /// Sends the form with a file in it.
    async fn attach(&self, caption: &str, file: (&str, &str, Vec<u8>)) -> Shown {
        let path = format!("{}/file", self.path);
        let page = self.agent.browser.page(&path).await;
        let ticket = hidden_value(&page, "ticket").expect("a ticket").to_owned();
        let key = hidden_value(&page, "key").expect("a key").to_owned();
        let fields = [("key", key.as_str()), ("ticket", ticket.as_str()), ("caption", caption)];
        Shown::of(self.agent.browser.submit_file(&path, &page, &fields, file).await).await
    }

    async fn phone(&self) -> Value {
        let path = format!("/phones/{}", PHONE.trim_start_matches('+'));
        self.agent.demo.look(&self.agent.control, &path).await
    }
}

fn has_own_policy(answer: &reqwest::Response) {
    let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-security-policy"), "default-src 'none'; sandbox");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert!(header("cache-control").contains("private"));
}

/// The studio with a position in it.
fn with_a_place() -> Vec<u8> {
    let hidden = b"Exif\0\0GPS 51.0724 -4.0586";
    let length = u16::try_from(hidden.len() + 2).expect("short").to_be_bytes();
    [&STUDIO[..2], b"\xff\xe1", &length, hidden, &STUDIO[2..]].concat()
}

async fn a_picture_is_shown_and_handed_out_without_what_was_hidden_in_it(talk: &Talk<'_>) {
    let order = json!({"type": "image", "mime_type": "image/jpeg", "caption": "Cracked here",
                       "data": STANDARD.encode(with_a_place())});
    talk.receive(order).await;
    let source = talk.latest("<a class=\"picture\"", "</a>", 0).await;
    assert!(source.contains("alt=\"Image from"), "{source}");
    let small = pieces(&source, "<img src=\"", "\"")[0].to_owned();
    for path in [small.trim_end_matches("/small"), small.as_str()] {
        let answer = talk.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        has_own_policy(&answer);
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "image/jpeg");
        let bytes = answer.bytes().await.expect("a picture");
        assert!(bytes.starts_with(b"\xff\xd8\xff"));
        assert!(!bytes.windows(4).any(|four| four == b"Exif" || four == b"GPS "), "C25: {path}");
    }
}

async fn a_voice_note_plays_from_wherever_it_is_asked(talk: &Talk<'_>) {
    talk.receive(json!({"type": "audio"})).await;
    let player = talk.latest("<audio", "</audio>", 0).await;
    let source = pieces(&player, "src=\"", "\"")[0].to_owned();
    let whole = talk.get(&source).await;
    has_own_policy(&whole);
    assert_eq!(whole.headers()[header::CONTENT_TYPE], "audio/ogg");
    assert_eq!(whole.headers()[header::ACCEPT_RANGES], "bytes");
    assert_eq!(whole.bytes().await.expect("a sound"), VOICE);
    let part = talk.agent.browser.get_part(&source, "bytes=100-199").await;
    assert_eq!(part.status(), StatusCode::PARTIAL_CONTENT);
    let range = format!("bytes 100-199/{}", VOICE.len());
    assert_eq!(part.headers()[header::CONTENT_RANGE], range.as_str());
    assert_eq!(part.bytes().await.expect("a part"), &VOICE[100..200]);
    let beyond = talk.agent.browser.get_part(&source, "bytes=9000000-").await;
    assert_eq!(beyond.status(), StatusCode::RANGE_NOT_SATISFIABLE);
}

async fn a_document_is_kept_and_never_opened_by_itself(talk: &Talk<'_>) {
    let order =
        json!({"type": "document", "sample": "quote.pdf", "filename": "../quote\u{202e}.pdf"});
    talk.receive(order).await;
    let card = talk.latest("<a class=\"document\"", "</a>", 0).await;
    assert!(card.contains("quote.pdf") && card.contains("PDF · "), "{card}");
    let source = pieces(&card, "href=\"", "\"")[0].to_owned();
    let answer = talk.get(&source).await;
    has_own_policy(&answer);
    let disposition = answer.headers()[header::CONTENT_DISPOSITION].to_str().expect("text");
    assert!(disposition.starts_with("attachment") && disposition.contains("quote.pdf"));
    assert_eq!(answer.bytes().await.expect("a document"), QUOTE);
}

async fn a_poisoned_picture_is_refused_in_words(talk: &Talk<'_>) {
    let page = b"<!doctype html><script>alert(1)</script>";
    let cases: [(&[u8], &str); 2] =
        [(page, "something else than it was sent as"), (&TILE[..900], "Damaged")];
    for (bytes, words) in cases {
        let order =
            json!({"type": "image", "mime_type": "image/jpeg", "data": STANDARD.encode(bytes)});
        talk.receive(order).await;
        until(words, async || talk.page().await.contains(words).then_some(())).await;
    }
}

async fn c_26_a_file_is_nobody_elses(talk: &Talk<'_>) {
    let source = talk.latest("<a class=\"picture\"", "</a>", 0).await;
    let small = pieces(&source, "<img src=\"", "\"")[0].to_owned();
    let whole = small.trim_end_matches("/small").to_owned();
    let other = talk.agent.demo.sign_in_as("joao@casaazul.example").await;
    for path in [&small, &whole, &format!("/media/{}", "0".repeat(32)), &"/media/1".to_owned()] {
        assert_eq!(other.get(path).await.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let nobody = client();
    let desk = talk.agent.demo.url("desk");
    let answer = nobody.get(format!("{desk}{whole}")).send().await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

async fn a_file_of_the_agents_arrives(talk: &Talk<'_>) {
    let cases = [
        ("quote 8812.pdf", "application/pdf", QUOTE.to_vec(), "document", "Your quote"),
        ("studio.jpg", "image/jpeg", with_a_place(), "image", "The studio"),
        ("note.ogg", "audio/ogg", VOICE.to_vec(), "audio", ""),
    ];
    for (name, content_type, bytes, kind, caption) in cases {
        let sent = talk.attach(caption, (name, content_type, bytes)).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
        let arrived = until(&format!("{name} on the phone"), async || {
            let phone = talk.phone().await;
            let messages = phone["messages"].as_array().cloned().unwrap_or_default();
            let is_it = |message: &&Value| {
                message["media"]["kind"] == kind && message["from"] == "business"
            };
            messages.iter().rev().find(is_it).cloned()
        })
        .await;
        assert_eq!(arrived["text"], caption, "{name}");
        if kind == "document" {
            assert_eq!(arrived["media"]["filename"], name);
        }
    }
    let page = talk.page().await;
    assert!(page.contains("quote 8812.pdf") && page.contains("The studio"));
}

async fn c_25_what_may_not_be_sent_is_told_at_the_field(talk: &Talk<'_>) {
    let huge = {
        let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        head.extend_from_slice(&[0, 0, 39, 16, 0, 0, 39, 16, 8, 2, 0, 0, 0]);
        head.extend_from_slice(&[0; 64]);
        head
    };
    let cases = [
        ("tile.jpg.exe", b"MZ\x90\0".to_vec(), "does not take files of this kind"),
        ("tile.exe.jpg", b"MZ\x90\0".to_vec(), "does not take files of this kind"),
        ("tile.pdf", STUDIO.to_vec(), "does not fit what is in it"),
        ("tile.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "does not take files"),
        ("tile.png", TILE[..900].to_vec(), "cannot be read"),
        ("tile.png", huge, "picture"),
        ("note.txt", Vec::new(), "empty"),
        ("film.mp4", [b"\0\0\0\x18ftypmp42".as_slice(), &[0; 16_000_000]].concat(), "too large"),
    ];
    for (name, bytes, words) in cases {
        let refused = talk.attach("What I wrote", (name, "image/jpeg", bytes)).await;
        refused.says(StatusCode::UNPROCESSABLE_ENTITY, &[words]);
        assert!(refused.page.contains("What I wrote"), "{name}: nothing typed is lost");
    }
}

async fn a_form_of_another_session_keeps_nothing(talk: &Talk<'_>) {
    let path = format!("{}/file", talk.path);
    let page = "<input name=\"form_token\" value=\"not-ours\">";
    let fields = [("key", "0123456789abcdef"), ("ticket", "1")];
    let file = ("quote.pdf", "application/pdf", QUOTE.to_vec());
    let answer = talk.agent.browser.submit_file(&path, page, &fields, file).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "C5");
}
