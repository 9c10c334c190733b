//! The pages as a browser gets them: without a script, with the strict policy, and live by events.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use std::sync::atomic::Ordering;
use std::time::Instant;

use reqwest::header::{ACCEPT_LANGUAGE, CONTENT_TYPE, COOKIE, LOCATION};
use reqwest::redirect::Policy;
use serde_json::json;
use support::{CUSTOMER, NUMBER, OTHER_NUMBER, PATIENCE, START_MS, Stage, until};

/// A browser that follows nothing by itself.
fn browser() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().redirect(Policy::none()).build().unwrap()
}

async fn submit(stage: &Stage, path: &str, form: &str) -> (u16, String, String) {
    let call = browser().post(format!("{}{path}", stage.base)).body(form.to_owned());
    let call = call.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = call.header("Origin", stage.base.clone()).send().await.unwrap();
    let location = answer.headers().get(LOCATION).map(|to| to.to_str().unwrap().to_owned());
    (answer.status().as_u16(), location.unwrap_or_default(), answer.text().await.unwrap())
}

#[tokio::test]
async fn every_page_has_the_strict_policy_and_no_script_or_style_of_its_own() {
    let stage = Stage::set().await;
    stage.send_template("a").await;
    for path in ["/phones", &format!("/phones/{CUSTOMER}"), "/mailbox"] {
        let answer = browser().get(format!("{}{path}", stage.base)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
        for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        let text = answer.text().await.unwrap();
        assert!(!text.contains("style=") && !text.contains("<style") && !text.contains("onclick"));
        assert!(text.contains("Imani Okoro é") || path == "/mailbox", "{path}");
    }
    let home = browser().get(&stage.base).send().await.unwrap();
    assert_eq!(home.headers()[LOCATION], "/phones");
}

#[tokio::test]
async fn a_customer_can_be_played_without_a_script() {
    let stage = Stage::set().await;
    let id = stage.send_template("a").await;
    stage.advance("PT1S").await;
    let chat = format!("/phones/{CUSTOMER}");
    let encoded: String = reqwest::Url::parse_with_params("http://a", [("message", id)])
        .unwrap()
        .query()
        .unwrap()
        .into();
    let tap = format!("{encoded}&button=0");
    let seen_other = |(status, to, _): (u16, String, String)| (status, to);
    let done = (303, chat.clone());
    assert_eq!(seen_other(submit(&stage, &format!("{chat}/tap"), &tap).await), done);
    assert_eq!(seen_other(submit(&stage, &format!("{chat}/reply"), "text=Hello").await), done);
    until("both arrive", || stage.received.messages().len() == 2).await;
    assert_eq!(seen_other(submit(&stage, &format!("{chat}/block"), "").await), done);
    let (status, _, page) = submit(&stage, &format!("{chat}/reply"), "text=Again").await;
    assert_eq!(status, 409);
    assert!(page.contains("You blocked this business."), "{page}");
    assert_eq!(
        submit(&stage, "/clock", "advance=P1D&back=https://evil.example").await.1,
        "/phones"
    );
    let (status, to, _) = submit(&stage, "/phones/new", "phone=%2B44+7700+900999&text=Hi").await;
    assert_eq!((status, to.as_str()), (303, "/phones/447700900999"));
}

#[tokio::test]
async fn what_a_customer_sees_is_never_taken_as_html() {
    let stage = Stage::set().await;
    let text = "text=%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    submit(&stage, &format!("/phones/{CUSTOMER}/reply"), text).await;
    let page = stage.client.get(format!("{}/phones/{CUSTOMER}", stage.base)).send().await.unwrap();
    assert!(!page.text().await.unwrap().contains("<script>alert"));
}

/// The page at `path`, in the language a browser asks for.
async fn page(stage: &Stage, path: &str, language: &str) -> (u16, String) {
    let call = browser().get(format!("{}{path}", stage.base)).header(ACCEPT_LANGUAGE, language);
    let answer = call.send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

/// The chat of the customer as it is fetched again.
async fn chat(stage: &Stage) -> String {
    page(stage, &format!("/phones/{CUSTOMER}/_chat"), "en").await.1
}

/// What a reader sees of a page: the text between its tags.
fn text_of(page: &str) -> String {
    let parts = page.split('<').filter_map(|part| part.split_once('>').map(|(_, text)| text));
    parts.flat_map(str::split_whitespace).collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn pages_speak_the_browsers_language_or_the_one_chosen_here_or_on_the_desk() {
    let stage = Stage::set().await;
    for (language, title, hint) in [
        ("en", "Phones", "Play the customer"),
        ("pt-BR", "Telefones", "Faça o papel do cliente"),
        ("es", "Teléfonos", "Haz de cliente"),
    ] {
        let (_, page) = page(&stage, "/phones", language).await;
        assert!(page.contains(&format!(r#"<html lang="{language}""#)), "{language}: {page}");
        assert!(page.contains(title) && page.contains(hint), "{language}");
    }
    let (status, to, _) = submit(&stage, "/language", "language=es&back=/mailbox").await;
    assert_eq!((status, to.as_str()), (303, "/mailbox"));
    assert_eq!(submit(&stage, "/language", "language=xx&back=/mailbox").await.0, 422);
    let call = browser().get(format!("{}/mailbox", stage.base));
    let call = call.header(ACCEPT_LANGUAGE, "pt-BR");
    let chosen = call.header(COOKIE, "janela_language=es; janela_theme=dark").send().await.unwrap();
    let page = chosen.text().await.unwrap();
    assert!(page.contains(r#"lang="es" data-theme="dark""#) && page.contains("Buzón"), "{page}");
}

#[tokio::test]
async fn a_phone_shows_what_arrived_and_ticks_on_the_customers_own_messages_only() {
    let stage = Stage::set().await;
    stage.send_template("a").await;
    let before = chat(&stage).await;
    assert!(!before.contains("your slot is ready"), "on its way is not there: {before}");
    stage.advance("PT1S").await;
    let arrived = chat(&stage).await;
    assert!(arrived.contains("Hi Imani, your slot is ready."));
    for hidden in ["kiln_ready", "Template", "i-check"] {
        assert!(!arrived.contains(hidden), "a customer sees no {hidden}: {arrived}");
    }
    assert!(text_of(&arrived).contains("Harbour Lane Ceramics"));
    stage.received.refuse.store(1, Ordering::SeqCst);
    let yes = json!({ "text": "Yes" });
    let told = stage.control(&format!("/phones/{CUSTOMER}/reply"), yes).await;
    let id = told["id"].as_str().unwrap().to_owned();
    stage.settled().await;
    until_page(&stage, r#"aria-label="Delivered""#).await;
    let mark = json!({ "messaging_product": "whatsapp", "status": "read", "message_id": id });
    assert_eq!(stage.send(mark).await.0, 200);
    until_page(&stage, r#"aria-label="Read""#).await;
}

/// Waits until the customer's chat holds `text`.
async fn until_page(stage: &Stage, text: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !chat(stage).await.contains(text) {
        assert!(Instant::now() < deadline, "the chat never shows {text}");
    }
}

#[tokio::test]
async fn names_numbers_and_instants_are_written_for_people() {
    let stage = Stage::set().await;
    submit(&stage, "/phones/new", "phone=5511960000782&text=Oi").await;
    let (_, list) = page(&stage, "/phones", "en").await;
    let seen = text_of(&list);
    assert!(seen.contains("Imani Okoro é") && seen.contains("+44 7700 900777"), "{seen}");
    assert!(seen.contains("+55 11 96000-0782") && seen.contains("Thu 10 Sep, 01:26"), "{seen}");
    let (_, chat) = page(&stage, "/phones/5511960000782", "en").await;
    let seen = text_of(&chat);
    assert!(seen.contains("Today") && seen.contains("Oi 01:26"), "{seen}");
    for raw in ["2026-09-10", "5511960000782", "T00:26"] {
        assert!(!seen.contains(raw), "{raw} in {seen}");
    }
}

#[tokio::test]
async fn each_business_has_its_own_chat() {
    let stage = Stage::set().await;
    stage.send_template("a").await;
    stage.advance("PT1S").await;
    let chat_with = async |number: &str| {
        page(&stage, &format!("/phones/{CUSTOMER}/_chat?with={number}"), "en").await.1
    };
    let other = chat_with(OTHER_NUMBER).await;
    assert!(!other.contains("your slot is ready"), "{other}");
    assert!(text_of(&other).contains("1 unread"), "the other chat says so");
    let form = format!("text=Hello&to={OTHER_NUMBER}");
    let (status, to, _) = submit(&stage, &format!("/phones/{CUSTOMER}/reply"), &form).await;
    assert_eq!((status, to), (303, format!("/phones/{CUSTOMER}?with={OTHER_NUMBER}")));
    assert!(chat_with(OTHER_NUMBER).await.contains("Hello"));
    assert!(!chat_with(NUMBER).await.contains("Hello"));
}

#[tokio::test]
async fn what_is_not_there_says_so_and_what_to_do() {
    let stage = Stage::set().await;
    let (status, unknown) = page(&stage, "/phones/447700900555", "en").await;
    assert_eq!(status, 404);
    let seen = text_of(&unknown);
    assert!(seen.contains("No phone has the number +44 7700 900555"), "{seen}");
    assert!(unknown.contains(r#"href="/phones?new=%2B44%207700%20900555""#), "{unknown}");
    let (_, new) = page(&stage, "/phones?new=%2B44%207700%20900555", "en").await;
    assert!(
        new.contains("<details class=\"new\" open>") && new.contains(r#"value="+44 7700 900555""#)
    );
    let (status, _, wrong) = submit(&stage, "/phones/new", "phone=12&text=Hi+there").await;
    assert_eq!(status, 422);
    assert!(wrong.contains("7 to 15 digits") && wrong.contains(r#"value="Hi there""#), "{wrong}");
    assert!(text_of(&chat(&stage).await).contains("remembers what came since Thu 10 Sep, 01:26"));
    submit(&stage, &format!("/phones/{CUSTOMER}/block"), "").await;
    let blocked = text_of(&chat(&stage).await);
    assert!(blocked.contains("Its messages do not arrive") && blocked.contains("Unblock"));
    let (status, empty) = page(&stage, "/mailbox", "en").await;
    assert!(status == 200 && text_of(&empty).contains("arrive here instead of at a real address"));
    let (status, gone) = page(&stage, "/mailbox/7", "en").await;
    assert!(status == 404 && text_of(&gone).contains("There is no such mail"));
}

#[tokio::test]
async fn a_message_that_did_not_arrive_is_told_as_a_note() {
    let stage = Stage::set().await;
    let text = json!({ "messaging_product": "whatsapp", "to": CUSTOMER, "type": "text",
        "text": { "body": "Too early" } });
    stage.send(text).await;
    let page = chat(&stage).await;
    assert!(
        !page.contains("Too early") && page.contains("A message of the business did not arrive")
    );
    assert!(page.contains("131047"), "with the platform's reason: {page}");
}

#[tokio::test]
async fn open_pages_hear_which_run_it_is_and_what_changed() {
    let stage = Stage::set().await;
    let events = stage.client.get(format!("{}/events", stage.base)).send();
    let listen = async {
        let mut events = events.await.unwrap();
        let mut heard = String::new();
        let run = format!("event: run\ndata: {START_MS}\n\n");
        while !(heard.starts_with(&run) && heard.contains(": on")) {
            heard.push_str(&String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap()));
        }
        stage.send_template("a").await;
        while !heard.contains(&format!("event: phone\ndata: {CUSTOMER}\n\n")) {
            heard.push_str(&String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(PATIENCE, listen).await.unwrap();
}

#[tokio::test]
async fn a_chat_looks_like_one() {
    let stage = Stage::set().await;
    stage.send_template("a").await;
    stage.advance("PT3S").await;
    let reply = json!({ "text": "See you at nine <3" });
    stage.control(&format!("/phones/{CUSTOMER}/reply"), reply).await;
    until_page(&stage, r#"aria-label="Delivered""#).await;
    stage.control(&format!("/phones/{CUSTOMER}/stop"), json!({})).await;
    insta::assert_snapshot!("chat", chat(&stage).await);
    stage.control(&format!("/phones/{CUSTOMER}/block"), json!({})).await;
    let spanish = page(&stage, &format!("/phones/{CUSTOMER}/_chat"), "es").await.1;
    insta::assert_snapshot!("chat_blocked_es", spanish);
}

#[tokio::test]
async fn samples_have_their_type_and_two_are_not_what_they_say() {
    let stage = Stage::set().await;
    for (name, kind, begins) in [
        ("studio.jpg", "image/jpeg", &b"\xff\xd8\xff"[..]),
        ("tile.png", "image/png", b"\x89PNG"),
        ("kiln.mp4", "video/mp4", b"\x00\x00\x00\x24ftyp"),
        ("voice.ogg", "audio/ogg", b"OggS"),
        ("quote.pdf", "application/pdf", b"%PDF"),
        ("not-an-image.jpg", "image/jpeg", b"%PDF"),
        ("not-a-video.mp4", "text/plain; charset=utf-8", b"This"),
    ] {
        let answer =
            stage.client.get(format!("{}/samples/{name}", stage.base)).send().await.unwrap();
        assert_eq!(answer.headers()[CONTENT_TYPE], kind, "{name}");
        assert!(answer.bytes().await.unwrap().starts_with(begins), "{name}");
    }
    let gone = stage.client.get(format!("{}/samples/nothing.jpg", stage.base)).send().await;
    assert_eq!(gone.unwrap().status(), 404);
}
