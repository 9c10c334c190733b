//! The pages as a browser gets them: without a script, with the strict policy, and live by events.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, reason = "each test file uses its part")]
mod support;

use reqwest::header::{CONTENT_TYPE, LOCATION};
use reqwest::redirect::Policy;
use support::{CUSTOMER, Stage, until};

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

#[tokio::test]
async fn open_pages_hear_what_changed() {
    let stage = Stage::set().await;
    let mut events = stage.client.get(format!("{}/events", stage.base)).send().await.unwrap();
    let mut heard = String::new();
    while !heard.contains(": on") {
        heard.push_str(&String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap()));
    }
    stage.send_template("a").await;
    while !heard.contains(&format!("event: phone\ndata: {CUSTOMER}\n\n")) {
        heard.push_str(&String::from_utf8_lossy(&events.chunk().await.unwrap().unwrap()));
    }
}

#[tokio::test]
async fn samples_have_their_type_and_two_are_not_what_they_say() {
    let stage = Stage::set().await;
    for (name, kind, begins) in [
        ("studio.jpg", "image/jpeg", &b"\xff\xd8\xff"[..]),
        ("tile.png", "image/png", b"\x89PNG"),
        ("kiln.mp4", "video/mp4", b"\x00\x00\x00\x24ftyp"),
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
