//! The desk's list and its pages as a browser asks for them.

#![expect(
    clippy::unwrap_used,
    reason = "a test whose desk cannot be set up must fail where it stands"
)]

mod common;

use common::{AGENT, TestDesk, left_to_say};
use domain::{
    channel::{ChannelEvent, InboundContent, InboundMessage, SenderIdentity, WebhookElement},
    clock::Clock,
    presence::Presence,
};
use persistence::{
    conversation, inbox,
    live::LiveKind,
    presence,
    ticket::{self, TicketOutcome},
    user,
};

/// Luiza writes to the desk, whose one agent is online and serves her.
fn arrive(desk: &TestDesk, provider_id: &str) {
    let now = desk.clock.now();
    let sender = SenderIdentity {
        phone_digits: Some("5511987654321".to_owned()),
        name: Some("Luiza Prado".to_owned()),
        ..SenderIdentity::default()
    };
    let content = InboundContent::Text("Is it ready?".to_owned());
    let inbound = InboundMessage::new(provider_id, sender, now, content);
    let event = Ok(ChannelEvent::Inbound(inbound));
    let element = WebhookElement {
        account_id: None,
        told_at: None,
        external_id: None,
        raw: String::new(),
        event,
    };
    let write = |db: &mut _| {
        presence::choose(db, desk.agent, Presence::Online, now)?;
        inbox::apply_unkept(db, desk.channel, &[element], now)
    };
    desk.store().blocking_write(write).unwrap();
}

#[actix_web::test]
async fn one_row_is_fetched_anew_until_it_leaves_the_tab_and_takes_the_list_with_it() {
    let desk = TestDesk::start();
    let ana = desk.signed_in(AGENT).await;
    arrive(&desk, "wamid.1");
    let now = desk.clock.now();
    let actor = desk.store().blocking_read(|db| user::find_actor(db, desk.agent)).unwrap().unwrap();
    let rows = desk.store().blocking_read(|db| conversation::list_in_progress(db, &actor, "", now));
    let row = rows.unwrap().pop().unwrap();
    let path = format!("/desk/list?tab=conversations&row={}", row.conversation);

    let answer = ana.fragment(&path).send().await.unwrap();
    assert!(answer.headers().get("hx-retarget").is_none());
    let shown = answer.text().await.unwrap();
    assert!(shown.trim_start().starts_with("<li id=\"row-"), "{shown}");
    assert!(shown.contains("Is it ready?") && !shown.contains("list-pane"));

    let closed = desk.store().blocking_write(|db| ticket::close(db, &actor, row.ticket, now));
    assert_eq!(closed.unwrap(), TicketOutcome::Done);
    let answer = ana.fragment(&path).send().await.unwrap();
    assert_eq!(answer.headers().get("hx-retarget").unwrap(), "#list-pane");
    assert!(answer.text().await.unwrap().contains("id=\"list-pane\""));
}

#[actix_web::test]
async fn an_arrival_is_told_with_its_conversation() {
    let desk = TestDesk::start();
    let mut changes = desk.desk.live.subscribe();
    arrive(&desk, "wamid.1");
    let mut arrivals = Vec::new();
    while let Ok(event) = changes.try_recv() {
        if event.kind == LiveKind::Arrival {
            arrivals.push((event.chatbot, event.contact.is_some()));
        }
    }
    assert_eq!(arrivals, [(Some(desk.chatbot), true)]);
    arrive(&desk, "wamid.1");
    while let Ok(event) = changes.try_recv() {
        assert_ne!(event.kind, LiveKind::Arrival, "a copy does not arrive");
    }
}

#[actix_web::test]
async fn a_page_asked_for_in_a_language_is_in_it_and_so_are_its_fragments() {
    let desk = TestDesk::start();
    let store = desk.store();
    store.blocking_write(|db| user::set_preferences(db, desk.agent, Some("pt-BR"), None)).unwrap();
    let ana = desk.signed_in(AGENT).await;
    let list = "/desk/list?tab=waiting";
    let cases = [
        ("the account's language", ana.get("/desk/waiting"), "Conversas"),
        ("the address's language", ana.get("/desk/waiting?lang=es"), "Conversaciones"),
        ("of no known language", ana.get("/desk/waiting?lang=xx"), "Conversas"),
        (
            "a fragment of such a page",
            ana.fragment(list).header("hx-current-url", "http://desk.example/desk/waiting?lang=es"),
            "Conversaciones",
        ),
        ("any other fragment", ana.fragment(list).header("hx-current-url", "?lang"), "Conversas"),
    ];
    for (case, request, expected) in cases {
        let shown = request.send().await.unwrap().text().await.unwrap();
        assert!(shown.contains(&format!("<h2 id=\"list-title\">{expected}</h2>")), "{case}");
    }
}

#[actix_web::test]
async fn a_closed_ticket_is_told_once_to_whoever_closed_it_and_by_no_address() {
    let desk = TestDesk::start();
    let ana = desk.signed_in(AGENT).await;
    arrive(&desk, "wamid.1");
    let now = desk.clock.now();
    let actor = desk.store().blocking_read(|db| user::find_actor(db, desk.agent)).unwrap().unwrap();
    let rows = desk.store().blocking_read(|db| conversation::list_in_progress(db, &actor, "", now));
    let row = rows.unwrap().pop().unwrap();
    let (token, ticket) = (desk.form_token(&ana), row.ticket.to_string());
    let form = [("form_token", token.as_str()), ("ticket", ticket.as_str())];
    let path = format!("/desk/conversations/{}/close", row.conversation);
    let answer = ana.post(&path).form(&form).send().await.unwrap();
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (303, &"/desk/conversations".parse().unwrap())
    );
    let (cookie, said) = left_to_say(&answer).unwrap();
    for part in ["HttpOnly", "SameSite=Strict", "Max-Age=60"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    let told = |page: &str| page.contains("<div class=\"toast\"");
    let show = |browser: &common::Browser, path: &str, cookie: &str| {
        browser.get(path).header("cookie", cookie).send()
    };

    let fragment = ana
        .get("/desk/conversations")
        .header("cookie", &said)
        .header("hx-request", "true")
        .send()
        .await
        .unwrap();
    assert!(fragment.headers().get("set-cookie").is_none(), "what shows no toast leaves it");
    let page = show(&ana, "/desk/conversations", &said).await.unwrap();
    let forgets = page.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(forgets.starts_with("janela_said=;") && forgets.contains("Max-Age=0"), "{forgets}");
    assert!(told(&page.text().await.unwrap()));

    let again = desk.signed_in(AGENT).await;
    let forged = said.replace("closed-", "closed-1");
    let cases = [
        ("a reload", &ana, "/desk/conversations", ""),
        ("an address", &ana, "/desk/conversations?closed=0000A1&sent_to=1", ""),
        ("another ticket", &ana, "/desk/conversations", forged.as_str()),
        ("another session", &again, "/desk/conversations", said.as_str()),
        ("no tag", &ana, "/desk/conversations", "janela_said=closed-1"),
    ];
    for (case, browser, path, cookie) in cases {
        let page = show(browser, path, cookie).await.unwrap();
        assert_eq!(page.status(), 200, "{case}");
        assert!(!told(&page.text().await.unwrap()), "{case}");
    }
}

#[actix_web::test]
async fn ad_09_an_agent_enters_what_a_contact_wishes_with_or_without_script() {
    let desk = TestDesk::start();
    let ana = desk.signed_in(AGENT).await;
    arrive(&desk, "wamid.1");
    let now = desk.clock.now();
    let actor = desk.store().blocking_read(|db| user::find_actor(db, desk.agent)).unwrap().unwrap();
    let rows = desk.store().blocking_read(|db| conversation::list_in_progress(db, &actor, "", now));
    let conversation = rows.unwrap().pop().unwrap().conversation;
    let page = format!("/desk/conversations/{conversation}");
    let (path, facts) = (format!("{page}/wish"), format!("{page}?pane=facts"));
    let token = desk.form_token(&ana);
    let enter = async |wish: &str, reason: &str, from: &str| {
        let form = [("form_token", token.as_str()), ("wish", wish), ("reason", reason)];
        let mut request = ana.post(&path).form(&form);
        if !from.is_empty() {
            request = request.header("hx-request", "true").header("hx-current-url", from);
        }
        request.send().await.unwrap()
    };
    let shown = async |path: &str| ana.get(path).send().await.unwrap().text().await.unwrap();

    let fresh = shown(&path).await;
    assert!(fresh.contains("What does") && !fresh.contains("value=\"resume\""), "nothing to end");
    let answer = enter("stop_marketing", "told me on the phone", "").await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["location"]),
        (303, &facts.parse().unwrap())
    );
    let told = shown(&facts).await;
    assert!(
        told.contains(
            "No offers, entered by \u{2068}Ana Lima\u{2069}: \u{2068}told me on the phone"
        )
    );

    // What was typed and chosen comes back with what is missing.
    let cases = [("resume", "", "Say how you know"), ("", "on the phone", "Choose what they wish")];
    for (wish, reason, problem) in cases {
        let answer = enter(wish, reason, "").await;
        assert_eq!(answer.status(), 422, "{wish}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(problem) && page.contains("<title>Error:"), "{wish}");
        assert!(page.contains(&format!("name=\"reason\" autocomplete=\"off\" value=\"{reason}\"")));
        assert_eq!(page.contains("value=\"resume\" checked"), wish == "resume");
    }

    let answer = enter("resume", "came to the shop", &format!("http://desk.example{page}")).await;
    assert_eq!(
        answer.headers()["hx-trigger"],
        "{\"janela:close-dialog\":{},\"janela:answered\":{}}"
    );
    let answer = enter("opt_in", "paper form", &format!("http://desk.example{path}?lang=en")).await;
    assert_eq!(answer.headers()["hx-redirect"], facts);
    let told = shown(&facts).await;
    assert!(told.contains("Active messages again, entered by") && told.contains("opted in"));
}
