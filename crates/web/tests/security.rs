//! What every response and every change is held to: QUALITY.md C4 to C6, C8, C9, C12, C14, C32, C33.

mod common;

use std::time::Duration;

use actix_web::rt::time::timeout;
use common::{ADMIN, AGENT, PASSWORD, PATIENCE, TestDesk, session_cookie};
use persistence::{presence, session, user};

/// QUALITY.md, C32, word for word.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

#[actix_web::test]
async fn c32_every_response_carries_the_constant() {
    let desk = TestDesk::start();
    let browser = desk.signed_in(AGENT).await;
    let paths = [
        "/",
        "/account/sign-in",
        "/no/such/page",
        "/favicon.svg",
        "/static/css/base.css",
        "/static/none.css",
        "/livez",
        "/readyz",
        "/events",
        "/webhooks/whatsapp/1",
        "/webhooks/whatsapp/x",
        "/api/v1/none",
    ];
    for path in paths {
        let answer = browser.get(path).send().await.unwrap();
        for (name, value) in HEADERS {
            assert_eq!(
                answer.headers().get(name).map(|it| it.to_str().unwrap()),
                Some(value),
                "{path}"
            );
        }
        let permissions = answer.headers()["permissions-policy"].to_str().unwrap();
        assert!(permissions.split(", ").all(|it| it.ends_with("=()")), "{permissions}");
        assert!(!answer.headers().contains_key("strict-transport-security"), "{path} over http");
        assert!(answer.headers().contains_key("cache-control"), "{path}");
    }
    let refused = browser.bare_post("/account/sign-out").send().await.unwrap();
    assert!(refused.headers().contains_key("content-security-policy"));
    let page = browser.get("/no/such/page").send().await.unwrap();
    assert_eq!(page.headers()["cache-control"], "no-store");
}

#[actix_web::test]
async fn c32_hsts_and_c14_host_cookie_with_an_https_public_url() {
    let desk = TestDesk::start_behind(Some("https://desk.example.com"));
    let browser = desk.browser();
    let page = browser.get("/account/sign-in").send().await.unwrap();
    assert_eq!(page.headers()["strict-transport-security"], "max-age=31536000; includeSubDomains");
    let form = [("email", AGENT), ("password", PASSWORD)];
    let answer = browser
        .bare_post("/account/sign-in")
        .header("sec-fetch-site", "same-origin")
        .header("origin", "https://desk.example.com")
        .form(&form)
        .send()
        .await
        .unwrap();
    let cookie = session_cookie(&answer);
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(pair.starts_with("__Host-janela_session="), "{cookie}");
    let mut attributes: Vec<&str> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]);
    let loopback = browser.post("/account/sign-in").form(&form).send().await.unwrap();
    assert_eq!(loopback.status(), 403, "an https desk has one origin");
}

#[actix_web::test]
async fn c14_the_session_id_is_new_at_sign_in_and_a_planted_one_is_ignored() {
    let desk = TestDesk::start();
    let mut browser = desk.browser();
    let planted = "a".repeat(64);
    browser.cookies = format!("janela_session={planted}");
    let answer = browser.sign_in(AGENT, PASSWORD).await;
    let cookie = session_cookie(&answer);
    let (pair, attributes) = cookie.split_once("; ").unwrap();
    assert!(!pair.contains(&planted));
    assert_eq!(pair.len(), "janela_session=".len() + 64, "256 bits");
    let mut attributes: Vec<&str> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(attributes, ["HttpOnly", "Path=/", "SameSite=Lax"]);
    browser.keep_session(&answer);
    let first = browser.cookies.clone();
    let again = browser.sign_in(AGENT, PASSWORD).await;
    browser.keep_session(&again);
    assert_ne!(browser.cookies, first);
    browser.cookies = first;
    let old = browser.get("/").send().await.unwrap();
    assert_eq!(
        old.headers()["location"],
        "/account/sign-in?next=%2F",
        "the former session is over"
    );
}

#[actix_web::test]
async fn c5_changes_come_from_our_own_pages_with_the_sessions_token() {
    let desk = TestDesk::start();
    let browser = desk.signed_in(AGENT).await;
    let token = desk.form_token(&browser);
    let own = desk.address.as_str();
    let port = own.rsplit(':').next().unwrap();
    let by_name = format!("http://localhost:{port}");
    // What is said by Sec-Fetch-Site, by Origin, which token is sent, and what comes of it.
    type Case<'a> = (&'a str, Option<&'a str>, Option<&'a str>, &'a str, u16);
    let cases: [Case<'_>; 11] = [
        ("from another site", Some("cross-site"), Some("https://evil.example"), &token, 403),
        ("from another site, silent origin", Some("cross-site"), None, &token, 403),
        ("from a sister site", Some("same-site"), Some(own), &token, 403),
        ("typed in the address bar", Some("none"), None, &token, 403),
        (
            "same site claimed, foreign origin",
            Some("same-origin"),
            Some("https://evil.example"),
            &token,
            403,
        ),
        ("old browser, foreign origin", None, Some("https://evil.example"), &token, 403),
        ("opaque origin", None, Some("null"), &token, 403),
        ("nothing said", None, None, &token, 403),
        ("wrong token", Some("same-origin"), Some(own), "wrong", 403),
        ("old browser, own origin", None, Some(own), &token, 303),
        ("own page", Some("same-origin"), Some(own), &token, 303),
    ];
    for (case, site, origin, token, expected) in cases {
        let mut request = browser.bare_post("/account/preferences");
        if let Some(site) = site {
            request = request.header("sec-fetch-site", site);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let form = [("form_token", token), ("theme", "dark"), ("next", "/desk")];
        let answer = request.form(&form).send().await.unwrap();
        assert_eq!(answer.status(), expected, "{case}");
        let changed = answer.headers().contains_key("set-cookie");
        assert_eq!(changed, expected == 303, "{case}");
        if expected == 403 && token != "wrong" {
            let page = answer.text().await.unwrap();
            let says = |words| page.contains(words);
            assert!(says("<h1>This request was stopped</h1>"), "{case}: {page}");
            assert!(says("JANELA_PUBLIC_URL") && says("foreign_origin"), "{case}: {page}");
        }
    }
    let told = |language: &'static str| {
        let elsewhere = browser.bare_post("/account/preferences").header("sec-fetch-site", "none");
        elsewhere.header("accept-language", language).header("cookie", "").send()
    };
    for (language, title) in
        [("es", "Se detuvo esta solicitud"), ("pt-BR", "Esta solicitação foi bloqueada")]
    {
        let answer = told(language).await.unwrap();
        assert_eq!(answer.status(), 403, "{language}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(title) && page.contains("JANELA_PUBLIC_URL"), "{language}: {page}");
    }
    let fragment = browser.bare_post("/desk/presence").header("hx-request", "true").send().await;
    let toast = fragment.unwrap();
    assert_eq!(toast.status(), 403);
    assert!(toast.headers()["hx-trigger"].to_str().unwrap().contains("This request was stopped"));
    let no_token = browser.post("/account/preferences").form(&[("theme", "dark")]).send().await;
    assert_eq!(no_token.unwrap().status(), 403);
    let as_header = browser
        .post("/account/preferences")
        .header("x-form-token", &token)
        .form(&[("theme", "dark")]);
    assert_eq!(as_header.send().await.unwrap().status(), 303);
    let foreign_host = browser
        .bare_post("/account/preferences")
        .header("origin", "http://evil.example")
        .header("host", "evil.example")
        .form(&[("form_token", token.as_str()), ("theme", "dark")]);
    assert_eq!(
        foreign_host.send().await.unwrap().status(),
        403,
        "a name that resolves to us is not us"
    );
    let localhost = browser
        .bare_post("/account/preferences")
        .header("origin", &by_name)
        .header("host", format!("localhost:{port}"))
        .form(&[("form_token", token.as_str()), ("theme", "dark")]);
    assert_eq!(localhost.send().await.unwrap().status(), 303);
}

#[actix_web::test]
async fn c6_no_other_origin_is_allowed() {
    let desk = TestDesk::start();
    let answer = desk
        .browser()
        .client
        .request(reqwest::Method::OPTIONS, format!("{}/account/sign-in", desk.address))
        .header("origin", "https://evil.example")
        .header("access-control-request-method", "POST")
        .send()
        .await
        .unwrap();
    assert!(!answer.headers().keys().any(|name| name.as_str().starts_with("access-control")));
}

#[actix_web::test]
async fn c9_a_wrong_password_and_an_unknown_email_get_the_same_answer() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    let mut answers = Vec::new();
    for email in [AGENT, "nobody@example.com"] {
        let answer = browser.sign_in(email, "wrong").await;
        assert_eq!(answer.status(), 422);
        answers.push(answer.text().await.unwrap().replace(email, "EMAIL"));
    }
    assert_eq!(answers[0], answers[1]);
    desk.store()
        .blocking_write(|db| {
            user::set_status(
                db,
                desk.agent,
                user::UserStatus::Disabled,
                chrono::DateTime::UNIX_EPOCH,
            )
        })
        .unwrap();
    let disabled = browser.sign_in(AGENT, PASSWORD).await;
    assert_eq!(disabled.status(), 422);
    assert_eq!(disabled.text().await.unwrap().replace(AGENT, "EMAIL"), answers[0]);
}

#[actix_web::test]
async fn c8_ten_wrong_tries_then_right_and_wrong_wait_alike() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    for _ in 0..10 {
        assert_eq!(browser.sign_in(AGENT, "wrong").await.status(), 422);
    }
    // A try is given back with time, which ten of them may take on a busy machine.
    for _ in 0..10 {
        if browser.sign_in(AGENT, "wrong").await.status() == 429 {
            break;
        }
    }
    let mut answers = Vec::new();
    for password in ["wrong", PASSWORD] {
        let answer = browser.sign_in(AGENT, password).await;
        assert_eq!(answer.status(), 429);
        let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
        answers.push(answer.text().await.unwrap());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(browser.sign_in(ADMIN, PASSWORD).await.status(), 303, "others go on");
}

#[actix_web::test]
async fn strangers_are_led_to_the_sign_in_and_back() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    let page = browser.get("/").send().await.unwrap();
    assert_eq!(page.status(), 303);
    assert_eq!(page.headers()["location"], "/account/sign-in?next=%2F");
    let fragment = browser.get("/").header("hx-request", "true").send().await.unwrap();
    assert_eq!(fragment.status(), 401);
    assert_eq!(fragment.headers()["hx-redirect"], "/account/sign-in?expired=1");
    let events = browser.get("/events").send().await.unwrap();
    assert_eq!(events.status(), 401);
    let cases = [("/desk/sent?page=2", "/desk/sent?page=2"), ("//evil.example", "/desk")];
    for (next, expected) in cases {
        let form = [("email", AGENT), ("password", PASSWORD), ("next", next)];
        let answer = browser.post("/account/sign-in").form(&form).send().await.unwrap();
        assert_eq!(answer.headers()["location"], expected);
    }
    let manager = browser.sign_in(common::MANAGER, PASSWORD).await;
    assert_eq!(manager.headers()["location"], "/desk", "a manager sees all tickets");
}

#[actix_web::test]
async fn c17_unknown_fields_are_refused() {
    let desk = TestDesk::start();
    let form = [("email", AGENT), ("password", PASSWORD), ("role", "admin")];
    let answer = desk.browser().post("/account/sign-in").form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 400);
}

#[actix_web::test]
async fn signing_out_ends_the_session_and_clears_the_browser() {
    let desk = TestDesk::start();
    let browser = desk.signed_in(AGENT).await;
    let agent = desk.agent;
    let presence = || desk.store().blocking_read(move |db| presence::find(db, agent)).unwrap();
    assert_eq!(
        presence(),
        domain::presence::Presence::Invisible,
        "RO-06: entering starts invisible"
    );
    let token = desk.form_token(&browser);
    let form = [("form_token", token.as_str())];
    let answer = browser.post("/account/sign-out").form(&form).send().await.unwrap();
    assert_eq!(answer.status(), 303);
    assert_eq!(answer.headers()["clear-site-data"], "\"cache\", \"storage\"");
    assert!(session_cookie(&answer).contains("Max-Age=0"));
    assert_eq!(
        browser.get("/").send().await.unwrap().headers()["location"],
        "/account/sign-in?next=%2F"
    );
    assert_eq!(presence(), domain::presence::Presence::Offline, "RO-06: offline at sign-out");
}

#[actix_web::test]
async fn c12_an_idle_or_killed_session_is_dead_at_the_next_request() {
    let desk = TestDesk::start();
    let browser = desk.signed_in(AGENT).await;
    desk.clock.advance(Duration::from_secs(29 * 60));
    assert_eq!(browser.get("/").send().await.unwrap().headers()["location"], "/desk");
    desk.clock.advance(Duration::from_secs(30 * 60));
    assert_eq!(
        browser.get("/").send().await.unwrap().headers()["location"],
        "/account/sign-in?next=%2F"
    );
}

#[actix_web::test]
async fn c12_an_open_stream_closes_with_its_session() {
    let desk = TestDesk::start();
    let browser = desk.signed_in(AGENT).await;
    let mut stream = browser.get("/events").send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    assert_eq!(&stream.chunk().await.unwrap().unwrap()[..], b"retry: 2000\n\n");
    let token = browser.cookies.split_once('=').unwrap().1.to_owned();
    desk.store().blocking_write(|db| session::end_by_token(db, &token)).unwrap();
    // How soon it asks is a constant of the stream; a busy machine may take longer to answer.
    let closed = async { while stream.chunk().await.unwrap().is_some() {} };
    assert!(timeout(PATIENCE, closed).await.is_ok(), "still open");
}

#[actix_web::test]
async fn events_tell_what_the_user_may_know_and_end_with_the_process() {
    let desk = TestDesk::start();
    let browser = desk.signed_in(AGENT).await;
    let mut stream = browser.get("/events").send().await.unwrap();
    stream.chunk().await.unwrap();
    let event = |kind, chatbot, user, id| {
        let of_all = persistence::live::LiveEvent::of_all(kind, id);
        persistence::live::LiveEvent { chatbot, user, ..of_all }
    };
    use domain::ids::{ChatbotId, UserId};
    use persistence::live::LiveKind;
    let live = &desk.desk.live;
    live.publish(event(LiveKind::Ticket, Some(ChatbotId(desk.chatbot.0 + 1)), None, 7));
    live.publish(event(LiveKind::Message, Some(desk.chatbot), Some(UserId(desk.agent.0 + 1)), 8));
    live.publish(event(LiveKind::Job, None, None, 9));
    live.publish(event(LiveKind::Number, Some(desk.chatbot), None, 10));
    let said = String::from_utf8(stream.chunk().await.unwrap().unwrap().to_vec()).unwrap();
    let expected = "event: number\ndata: {\"id\":10}\n\nevent: gate\ndata: {\"id\":10}\n\n";
    assert_eq!(said, expected, "not the other chatbot's, not another's, no jobs for an agent");
    desk.desk.stopping.cancel();
    let closed = async { while stream.chunk().await.unwrap().is_some() {} };
    assert!(timeout(PATIENCE, closed).await.is_ok(), "still open");
}

#[actix_web::test]
async fn webhooks_are_verified_and_kept_before_they_are_answered() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    let path = format!("/webhooks/whatsapp/{}", desk.channel);
    let post = |signature: &'static str, body: Vec<u8>| {
        let request = browser.client.post(format!("{}{path}", desk.address));
        request.header("x-hub-signature-256", signature).body(body).send()
    };
    assert_eq!(post("good", b"{\"a\":1}".to_vec()).await.unwrap().status(), 200, "needs no Origin");
    assert_eq!(post("bad", b"{broken".to_vec()).await.unwrap().status(), 401, "C2: 401, not 400");
    let unsigned = browser.client.post(format!("{}{path}", desk.address)).body("{}").send().await;
    assert_eq!(unsigned.unwrap().status(), 401);
    assert_eq!(post("good", b"{broken".to_vec()).await.unwrap().status(), 400);
    let padded = |length: usize| [b"{}".to_vec(), vec![b' '; length - 2]].concat();
    assert_eq!(post("good", padded(4 * 1024 * 1024)).await.unwrap().status(), 200);
    assert_eq!(post("good", padded(4 * 1024 * 1024 + 1)).await.unwrap().status(), 413);
    let unknown = browser.client.post(format!("{}/webhooks/whatsapp/999", desk.address)).body("{}");
    assert_eq!(unknown.send().await.unwrap().status(), 404);
    let kept = desk.store().blocking_read(|db| persistence::inbox::list_waiting(db, 10)).unwrap();
    let all = desk.store().dump(&[]);
    assert_eq!(all["webhook_inbox"].len(), 2, "nothing of the refused ones");
    assert_eq!(kept[0].body, b"{\"a\":1}");
}

#[actix_web::test]
async fn c4_the_handshake_echoes_to_whoever_knows_the_token() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    let ask = |token: &str, mode: &str| {
        let query = format!("hub.mode={mode}&hub.verify_token={token}&hub.challenge=4711");
        browser.get(&format!("/webhooks/whatsapp/{}?{query}", desk.channel)).send()
    };
    let wrong = ask("wrong", "subscribe").await.unwrap();
    assert_eq!(wrong.status(), 403);
    assert!(!wrong.text().await.unwrap().contains("4711"));
    assert_eq!(ask("verify-me", "other").await.unwrap().status(), 403);
    let right = ask("verify-me", "subscribe").await.unwrap();
    assert_eq!((right.status().as_u16(), right.text().await.unwrap().as_str()), (200, "4711"));
}

#[actix_web::test]
async fn c33_an_error_page_names_code_and_reference_and_nothing_else() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    let missing =
        browser.get("/no/such/page").header("accept-language", "es").send().await.unwrap();
    assert_eq!(missing.status(), 404);
    let page = missing.text().await.unwrap();
    assert!(page.contains("Esta página no está aquí") && page.contains("not_found"), "{page}");
    let method = browser.post("/livez").send().await.unwrap();
    assert_eq!(method.status(), 405);
    let api = browser.get("/api/v1/none").send().await.unwrap();
    assert_eq!(api.headers()["content-type"], "application/problem+json");
}

#[actix_web::test]
async fn probes_answer() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    assert_eq!(browser.get("/livez").send().await.unwrap().status(), 200);
    // Not ready is what it says of itself while a write takes seconds, on a busy machine as well.
    let ready = async { while browser.get("/readyz").send().await.unwrap().status() != 200 {} };
    assert!(timeout(PATIENCE, ready).await.is_ok(), "not ready");
}

#[actix_web::test]
async fn static_files_are_kept_for_ever_under_their_version_only() {
    let desk = TestDesk::start();
    let browser = desk.browser();
    let page = browser.get("/account/sign-in").send().await.unwrap().text().await.unwrap();
    let start = page.find("/static/").unwrap();
    let versioned = page[start..].split('"').next().unwrap();
    let file = browser.get(versioned).send().await.unwrap();
    assert_eq!(file.headers()["cache-control"], "public, max-age=31536000, immutable");
    let plain = browser.get("/static/icons.svg").send().await.unwrap();
    assert_eq!(plain.headers()["cache-control"], "no-cache");
    assert_eq!(plain.headers()["content-type"], "image/svg+xml");
    let tag = plain.headers()["etag"].clone();
    let known = browser.get("/static/icons.svg").header("if-none-match", tag).send().await.unwrap();
    assert_eq!(known.status(), 304);
    assert_eq!(browser.get("/static/../Cargo.toml").send().await.unwrap().status(), 404);
}
