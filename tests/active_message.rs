//! The walking desk: what an agent and a customer live through with active messages, from the first send to
//! the limit of the day and past it.

#![expect(clippy::expect_used, reason = "a journey whose desk is not there fails where it stands")]

use journeys::{Agent, Database, Demo, PLAIN, Shown, hidden_value, until};
use reqwest::StatusCode;
use serde_json::json;

#[tokio::test]
async fn the_walking_desk_on_sqlite() {
    walk(&Demo::start(Database::Sqlite)).await;
}

#[tokio::test]
async fn the_walking_desk_on_postgres() {
    walk(&Demo::start(Database::Postgres)).await;
}

/// Sends, is answered, serves, closes, meets the limit, and may write again a day later.
async fn walk(demo: &Demo) {
    let phone = "+5511955550001";
    let mut agent = Agent::first(demo).await;
    agent.send(phone).await;
    agent.wait_for_row("/desk/sent", phone, "Read").await;
    assert_eq!(agent.count_sends_to(phone).await, 1);
    let messages = agent.messages_on(phone).await;
    assert_eq!(messages.len(), 1);
    assert!(messages[0].1.starts_with("Oi Ana, sentimos"), "{messages:?}");

    r15_a_form_sent_again_is_one_message(&agent).await;
    reply_serve_and_close(&agent, phone).await;

    let stale = agent.choose(PLAIN, phone).await;
    for messages in 3..=4 {
        agent.send(phone).await;
        agent.wait_for_row("/desk/sent", phone, "Read").await;
        assert_eq!(agent.count_sends_to(phone).await, messages);
    }
    let why = ["Limit of 3 in 24 hours reached", "You may write again in 23 h"];
    agent.choose(PLAIN, phone).await.says(StatusCode::CONFLICT, &why);
    let pressed = agent.press_send(&stale, &[("name", "Ana")]).await;
    Shown::of(pressed).await.says(StatusCode::CONFLICT, &why);

    demo.control(&agent.control, "/clock", &json!({"advance": "PT24H"})).await;
    agent = Agent::first(demo).await;
    agent.wait_for_row("/desk/sent", phone, "Expired").await;
    agent.send(phone).await;
    agent.wait_for_row("/desk/sent", phone, "Read").await;
    assert_eq!(agent.count_sends_to(phone).await, 5, "nothing of the refused ones");
}

/// A double click, the way back with another press, and a second tab with the same form changed.
async fn r15_a_form_sent_again_is_one_message(agent: &Agent<'_>) {
    let phone = "+5511955550031";
    let step = agent.choose(PLAIN, phone).await;
    let press = || agent.press_send(&step, &[("name", "Ana")]);
    let (first, second, third) = tokio::join!(press(), press(), press());
    for answer in [first, second, third, press().await] {
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    }
    agent.wait_for_row("/desk/sent", phone, "Read").await;
    assert_eq!(press().await.status(), StatusCode::SEE_OTHER, "sent again from the page before");
    let changed = agent.press_send(&step, &[("name", "Rui")]).await;
    assert_ne!(changed.status(), StatusCode::SEE_OTHER, "another message is asked for anew");
    assert_eq!(agent.count_sends_to(phone).await, 1);
}

/// The customer answers; the agent finds it in *In progress*, replies and closes.
async fn reply_serve_and_close(agent: &Agent<'_>, phone: &str) {
    let reply = format!("/phones/{}/reply", phone.trim_start_matches('+'));
    agent.demo.control(&agent.control, &reply, &json!({"text": "Quero sim, obrigada"})).await;
    let row = agent.wait_for_row("/desk/conversations", phone, "Quero sim, obrigada").await;
    assert!(agent.row("/desk/sent", phone).await.is_none(), "LI-06: the row left Sent");

    let thread = agent.browser.page(&row.address).await;
    assert!(thread.contains("Quero sim, obrigada"));
    let address = row.address.split('?').next().unwrap_or_default();
    let form = ["key", "ticket"].map(|name| (name, hidden_value(&thread, name).expect("a field")));
    let typed = [form.as_slice(), &[("text", "Que bom! Fica guardado.")]].concat();
    for press in ["the first press", "the second press", "a reload"] {
        let answer = agent.browser.submit(&format!("{address}/reply"), &thread, &typed).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{press}");
    }
    until("the reply on the phone", async || {
        let messages = agent.messages_on(phone).await;
        let (from, text) = messages.last()?;
        (from == "business" && text == "Que bom! Fica guardado.").then_some(())
    })
    .await;
    assert_eq!(agent.count_sends_to(phone).await, 2, "the active message and one reply");

    let answer = agent.browser.submit(&format!("{address}/close"), &thread, &form[1..]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(agent.row("/desk/conversations", phone).await.is_none(), "closed");
}
