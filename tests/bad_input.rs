//! Bad input at desk and portal: each gets a clear answer, and nothing is lost, half done or sent twice.

#![expect(clippy::expect_used, reason = "a journey whose desk is not there fails where it stands")]

use journeys::{
    Agent, COMPOSE, Database, Demo, PLAIN, Shown, hidden_value, template_called, text_of, until,
};
use reqwest::{StatusCode, header};
use serde_json::Value;

#[tokio::test]
async fn bad_input_gets_a_clear_answer_on_sqlite() {
    visit(&Demo::start(Database::Sqlite)).await;
}

#[tokio::test]
async fn bad_input_gets_a_clear_answer_on_postgres() {
    visit(&Demo::start(Database::Postgres)).await;
}

async fn visit(demo: &Demo) {
    let agent = Agent::first(demo).await;
    let before = everyone_written_to(&agent).await;
    let mut expected = before.clone();
    expected.push(a_double_click_and_a_reload_are_one_message(&agent).await);
    expected.push(a_stale_page_of_an_agent_gone_offline_sends_nothing(&agent).await);
    expected.push(another_chatbots_contact_is_not_known(&agent).await);
    a_manager_may_not_send(&agent).await;
    a_template_that_is_not_approved_goes_no_further(&agent).await;
    values_are_judged_at_their_fields(&agent).await;
    files_are_judged_by_what_they_are(&agent).await;
    a_number_that_is_none_is_told_so(&agent).await;
    a_form_from_elsewhere_changes_nothing(&agent).await;
    the_cap_takes_whole_numbers_from_1_to_100(demo).await;

    // What goes out after all of it is the last that goes out.
    let last = "+5511955550099";
    agent.send(last).await;
    agent.wait_for_row("/desk/sent", last, "Read").await;
    expected.push("5511955550099".to_owned());
    expected.sort();
    let all = until("all sends", async || {
        let mut written_to = everyone_written_to(&agent).await;
        written_to.sort();
        (expected.len() <= written_to.len()).then_some(written_to)
    })
    .await;
    assert_eq!(all, expected);
}

/// To whom the platform was asked to send, once for each time.
async fn everyone_written_to(agent: &Agent<'_>) -> Vec<String> {
    let ledger = agent.demo.look(&agent.control, "/ledger").await;
    let to = |entry: &Value| entry["to"].as_str().expect("a number").to_owned();
    ledger.as_array().expect("a list").iter().map(to).collect()
}

async fn ready(agent: &Agent<'_>, template: &str, phone: &str) -> Shown {
    let step = agent.choose(template, phone).await;
    assert_eq!(step.status, StatusCode::OK, "{}", step.text());
    step
}

async fn a_double_click_and_a_reload_are_one_message(agent: &Agent<'_>) -> String {
    let phone = "+5511955550011";
    let step = ready(agent, PLAIN, phone).await;
    let press = || agent.press_send(&step, &[("name", "Ana")]);
    let (first, second) = tokio::join!(press(), press());
    for answer in [first, second, press().await] {
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "AM-11");
    }
    agent.wait_for_row("/desk/sent", phone, "Read").await;
    let other = agent.press_send(&step, &[("name", "Bia")]).await;
    assert_ne!(other.status(), StatusCode::SEE_OTHER, "the same key with another text");
    "5511955550011".to_owned()
}

async fn a_stale_page_of_an_agent_gone_offline_sends_nothing(agent: &Agent<'_>) -> String {
    let phone = "+5511955550012";
    let step = ready(agent, PLAIN, phone).await;
    agent.choose_presence("invisible").await;
    let answer = Shown::of(agent.press_send(&step, &[("name", "Ana")]).await).await;
    answer.says(StatusCode::CONFLICT, &["You are not online", "Go online to send"]);
    let dialog = agent.browser.page(COMPOSE).await;
    assert!(text_of(&dialog).contains("You are invisible. Go online to send"), "AM-01");
    agent.choose_presence("online").await;
    let again = agent.press_send(&step, &[("name", "Ana")]).await;
    assert_eq!(again.status(), StatusCode::SEE_OTHER, "a refusal is not kept");
    "5511955550012".to_owned()
}

async fn another_chatbots_contact_is_not_known(agent: &Agent<'_>) -> String {
    let phone = "+34655500013";
    let european = Agent::called(agent.demo, "ines@casaazul.example").await;
    european.send(phone).await;
    let theirs = european.wait_for_row("/desk/sent", phone, "Read").await;

    let thread = agent.browser.get(&theirs.address).await;
    assert_eq!(thread.status(), StatusCode::NOT_FOUND, "a conversation of another chatbot");
    let step = ready(agent, PLAIN, "+5511955550014").await;
    let contact = theirs.address.split(['-', '?']).nth(1).expect("an address of a conversation");
    let recipient = format!("c{contact}");
    let template = hidden_value(&step.page, "template").expect("a template");
    for go in ["send", "check", "continue"] {
        let form = [
            ("step", "variables"),
            ("template", template),
            ("recipient", &recipient),
            ("key", "0123456789abcdef0123456789abcdef"),
            ("v_name", "Ana"),
            ("go", go),
        ];
        let answer = Shown::of(agent.browser.submit(COMPOSE, &step.page, &form).await).await;
        assert_ne!(answer.status, StatusCode::SEE_OTHER, "{go}");
        assert!(!answer.page.contains("655500013") && !answer.text().contains("655 50 00 13"));
    }
    "34655500013".to_owned()
}

async fn a_manager_may_not_send(agent: &Agent<'_>) {
    let step = ready(agent, PLAIN, "+5511955550019").await;
    let manager = Agent::called(agent.demo, "manager@casaazul.example").await;
    let page = manager.browser.page(COMPOSE).await;
    assert!(text_of(&page).contains("You may not send active messages"));
    let page = manager.browser.page("/desk/conversations").await;
    let form = [
        ("step", "variables"),
        ("template", hidden_value(&step.page, "template").expect("a template")),
        ("recipient", "+5511955550019"),
        ("key", "2123456789abcdef0123456789abcdef"),
        ("v_name", "Ana"),
        ("go", "send"),
    ];
    let answer = Shown::of(manager.browser.submit(COMPOSE, &page, &form).await).await;
    answer.says(StatusCode::FORBIDDEN, &["You may not do this", "Ask an admin"]);
}

async fn a_template_that_is_not_approved_goes_no_further(agent: &Agent<'_>) {
    let page = agent.browser.page(COMPOSE).await;
    for name in ["black_friday_2", "satisfaction_survey", "price_change"] {
        let template = template_called(&page, name);
        let pick = format!("pick:{template}");
        let picked = agent.browser.submit(COMPOSE, &page, &[("go", &pick)]).await;
        Shown::of(picked).await.says(StatusCode::CONFLICT, &["template"]);
        let form = [
            ("step", "variables"),
            ("template", template.as_str()),
            ("recipient", "+5511955550015"),
            ("key", "1123456789abcdef0123456789abcdef"),
            ("v_name", "Ana"),
            ("v_date", "1 May"),
            ("go", "send"),
        ];
        let sent = agent.browser.submit(COMPOSE, &page, &form).await;
        Shown::of(sent).await.says(StatusCode::CONFLICT, &["template"]);
    }
}

async fn values_are_judged_at_their_fields(agent: &Agent<'_>) {
    let step = ready(agent, PLAIN, "+5511955550016").await;
    let cases = [
        ("", "Fill in a value"),
        ("A     B", "No more than four spaces in a row"),
        ("A\nB", "No line breaks here"),
        ("A\tB", "No tabs here"),
    ];
    for (value, problem) in cases {
        let answer = agent.press_send(&step, &[("name", value)]).await;
        Shown::of(answer).await.says(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
    }
}

async fn files_are_judged_by_what_they_are(agent: &Agent<'_>) {
    let step = ready(agent, "assembly_video", "+5511955550017").await;
    let sample = |name: &str| format!("{}/samples/{name}", agent.demo.url("sandbox"));
    let cases = [
        (sample("studio.jpg"), "This is an image; an MP4 or 3GP video is needed"),
        (sample("not-a-video.mp4"), "an MP4 or 3GP video is needed"),
        (sample("none.mp4"), "There is no file at this address (404)"),
        (format!("{}/x.mp4", agent.demo.url("desk")), "This address leads into an inner network"),
        ("http://127.0.0.1:1/x.mp4".to_owned(), "This address leads into an inner network"),
        ("http://192.168.0.1/x.mp4".to_owned(), "This address leads into an inner network"),
        ("http://169.254.169.254/x.mp4".to_owned(), "This address leads into an inner network"),
        ("video".to_owned(), "Type a whole address"),
    ];
    for (url, problem) in cases {
        let values = [("header", url.as_str()), ("name", "Ana"), ("product", "forno")];
        let answer = agent.press_send(&step, &values).await;
        Shown::of(answer).await.says(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
    }
}

async fn a_number_that_is_none_is_told_so(agent: &Agent<'_>) {
    let cases = [
        ("+55 11 99", "Digits are missing. Type the whole number"),
        ("11 95555-0001", "Start the number with + and the country code"),
        ("", "Choose whom to write to"),
    ];
    for (typed, problem) in cases {
        agent.choose(PLAIN, typed).await.says(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
    }
}

async fn a_form_from_elsewhere_changes_nothing(agent: &Agent<'_>) {
    let step = ready(agent, PLAIN, "+5511955550018").await;
    let field = |name| hidden_value(&step.page, name).expect("a field");
    let token = field("form_token");
    let address = format!("{}{COMPOSE}", agent.demo.url("desk"));
    let cases = [("https://evil.example", token), ("null", token), (agent.demo.url("desk"), "00")];
    for (origin, token) in cases {
        let form = [
            ("step", "variables"),
            ("template", field("template")),
            ("recipient", field("recipient")),
            ("key", field("key")),
            ("v_name", "Ana"),
            ("go", "send"),
            ("form_token", token),
        ];
        let request = agent.browser.client.post(&address).header(header::ORIGIN, origin);
        let answer = request.form(&form).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::FORBIDDEN, "C5: {origin}");
    }
}

async fn the_cap_takes_whole_numbers_from_1_to_100(demo: &Demo) {
    let path = "/portal/chatbots/1/general-settings";
    let admin = demo.sign_in("admin").await;
    let page = admin.page(path).await;
    let form = |sends| {
        [
            ("active_messages", "on"),
            ("cap", "on"),
            ("cap_sends", sends),
            ("cap_scope", "each_agent"),
        ]
    };
    let bounds = "must be from 1 to 100";
    let cases = [
        ("0", bounds),
        ("-1", "whole number"),
        ("101", bounds),
        ("", "Enter how many messages"),
        ("2.5", "whole number"),
        ("three", "whole number"),
    ];
    for (typed, problem) in cases {
        let answer = Shown::of(admin.submit(path, &page, &form(typed)).await).await;
        answer.says(StatusCode::UNPROCESSABLE_ENTITY, &[problem]);
        let value = format!("value=\"{typed}\"");
        assert!(answer.page.contains(&value), "what was typed is kept: {typed}");
        assert_eq!(hidden_value(&admin.page(path).await, "cap_sends"), Some("3"), "{typed}");
    }
    let agent = demo.sign_in("agent").await;
    let own = agent.page("/desk/conversations").await;
    assert_eq!(agent.get(path).await.status(), StatusCode::FORBIDDEN);
    let answer = agent.submit(path, &own, &form("50")).await;
    assert_eq!(answer.status(), StatusCode::FORBIDDEN, "AD-08");
    assert_eq!(hidden_value(&admin.page(path).await, "cap_sends"), Some("3"));
}
