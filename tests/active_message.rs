//! What an agent, a customer and an admin live through with active messages: the walking desk, and the
//! answers to bad input.

#![expect(clippy::expect_used, reason = "a journey whose desk is not there fails where it stands")]

use std::collections::BTreeMap;

use journeys::{Browser, Database, Demo, client, digits, hidden_value, pieces, text_of, until};
use reqwest::{Client, Response, StatusCode};
use serde_json::{Value, json};

const COMPOSE: &str = "/desk/active-message";
/// Has one variable, `name`, and is approved; its name stands once in the list.
const PLAIN: &str = "come_back";

/// An agent at the desk of a running demo.
struct AtTheDesk {
    demo: Demo,
    control: Client,
    agent: Browser,
}

impl AtTheDesk {
    async fn start(database: Database) -> Self {
        let demo = Demo::start(database);
        let agent = demo.sign_in("agent").await;
        let desk = Self { demo, control: client(), agent };
        desk.choose_presence("online").await;
        desk
    }

    async fn choose_presence(&self, presence: &str) {
        let page = self.agent.page("/desk/conversations").await;
        let form = [("presence", presence), ("next", "/desk")];
        let answer = self.agent.submit("/desk/presence", &page, &form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    }

    /// Opens the dialog, picks `template` and types `phone`: step 3, or why it goes no further.
    async fn choose(&self, template: &str, phone: &str) -> Shown {
        let page = self.agent.page(COMPOSE).await;
        let template = pick_of(&page, template);
        let form = [("step", "recipient"), ("template", &template), ("to", phone)];
        let form = [form.as_slice(), &[("go", "continue")]].concat();
        Shown::of(self.agent.submit(COMPOSE, &page, &form).await).await
    }

    /// Presses *Send* on a shown step 3, with `values` by variable.
    async fn press_send(&self, step: &Shown, values: &[(&str, &str)]) -> Response {
        let fields: Vec<(String, &str)> =
            values.iter().map(|(name, value)| (format!("v_{name}"), *value)).collect();
        let mut form = vec![("step", "variables"), ("go", "send")];
        for name in ["template", "recipient", "key", "channel", "chatbot"] {
            form.extend(hidden_value(&step.page, name).map(|value| (name, value)));
        }
        form.extend(fields.iter().map(|(name, value)| (name.as_str(), *value)));
        self.agent.submit(COMPOSE, &step.page, &form).await
    }

    async fn send(&self, phone: &str) {
        let step = self.choose(PLAIN, phone).await;
        assert_eq!(step.status, StatusCode::OK, "{}", step.text());
        let answer = self.press_send(&step, &[("name", "Ana")]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    }

    /// Waits until the row of `phone` in the list at `path` reads `words`.
    async fn wait_for_row(&self, path: &str, phone: &str, words: &str) -> Row {
        until(&format!("{words} in {path}"), 20, async || {
            let row = self.row(path, phone).await?;
            row.text.contains(words).then_some(row)
        })
        .await
    }

    async fn row(&self, path: &str, phone: &str) -> Option<Row> {
        let page = self.agent.page(path).await;
        pieces(&page, "<li id=\"row-", "</li>").into_iter().find_map(|row| {
            let title = pieces(row, "<bdi>", "</bdi>").first().copied()?;
            let is_theirs = digits(title) == digits(phone);
            let address = row.split_once("<a href=\"")?.1.split('"').next()?;
            is_theirs.then(|| Row { address: address.to_owned(), text: text_of(row) })
        })
    }

    async fn count_sends_to(&self, phone: &str) -> usize {
        self.demo.count_sends_to(&self.control, phone).await
    }

    async fn phone(&self, phone: &str) -> Value {
        let path = format!("/phones/{}", phone.trim_start_matches('+'));
        self.demo.look(&self.control, &path).await
    }

    /// The last thing the customer's phone shows.
    async fn last_on(&self, phone: &str) -> (String, String) {
        let phone = self.phone(phone).await;
        let last = phone["messages"].as_array().and_then(|all| all.last()).cloned();
        let text = |name: &str| {
            last.as_ref().and_then(|it| it[name].as_str()).unwrap_or_default().to_owned()
        };
        (text("from"), text("text"))
    }
}

/// A row of a list on the desk.
struct Row {
    address: String,
    text: String,
}

/// A page and how it was answered.
struct Shown {
    status: StatusCode,
    page: String,
}

impl Shown {
    async fn of(answer: Response) -> Self {
        Self { status: answer.status(), page: answer.text().await.expect("a page") }
    }

    fn text(&self) -> String {
        text_of(&self.page)
    }

    /// Asserts the status and that a person reads each of `words`.
    fn says(&self, status: StatusCode, words: &[&str]) {
        let text = self.text();
        assert_eq!(self.status, status, "{text}");
        for words in words {
            assert!(text.contains(words), "{words:?} is not in: {text}");
        }
    }
}

/// The id of the template called `name`, as the dialog lists it.
fn pick_of(page: &str, name: &str) -> String {
    let called: BTreeMap<String, &str> = pieces(page, "value=\"pick:", "</button>")
        .into_iter()
        .filter_map(|pick| {
            let (id, rest) = pick.split_once('"')?;
            Some((text_of(&format!("<{rest}")), id))
        })
        .collect();
    (*called.get(name).unwrap_or_else(|| panic!("no {name} among {called:?}"))).to_owned()
}

#[tokio::test]
async fn the_walking_desk_on_sqlite() {
    walk(AtTheDesk::start(Database::Sqlite).await).await;
}

#[tokio::test]
async fn the_walking_desk_on_postgres() {
    walk(AtTheDesk::start(Database::Postgres).await).await;
}

/// Sends, is answered, serves, closes, meets the limit, and may write again a day later.
async fn walk(mut desk: AtTheDesk) {
    let phone = "+5511955550001";
    desk.send(phone).await;
    desk.wait_for_row("/desk/sent", phone, "Read").await;
    assert_eq!(desk.count_sends_to(phone).await, 1);
    let (from, text) = desk.last_on(phone).await;
    assert_eq!(from, "business");
    assert!(text.starts_with("Oi Ana, sentimos"), "{text}");

    reply_serve_and_close(&desk, phone).await;

    for messages in 3..=4 {
        desk.send(phone).await;
        desk.wait_for_row("/desk/sent", phone, "Read").await;
        assert_eq!(desk.count_sends_to(phone).await, messages);
    }
    meet_the_limit(&desk, phone).await;

    desk.demo.control(&desk.control, "/clock", &json!({"advance": "PT24H"})).await;
    desk.agent = desk.demo.sign_in("agent").await;
    desk.choose_presence("online").await;
    desk.wait_for_row("/desk/sent", phone, "Expired").await;
    desk.send(phone).await;
    desk.wait_for_row("/desk/sent", phone, "Read").await;
    assert_eq!(desk.count_sends_to(phone).await, 5);
}

/// The customer answers; the agent finds it in *In progress*, replies and closes.
async fn reply_serve_and_close(desk: &AtTheDesk, phone: &str) {
    let reply = format!("/phones/{}/reply", phone.trim_start_matches('+'));
    desk.demo.control(&desk.control, &reply, &json!({"text": "Quero sim, obrigada"})).await;
    let row = desk.wait_for_row("/desk/conversations", phone, "Quero sim, obrigada").await;
    assert!(desk.row("/desk/sent", phone).await.is_none(), "LI-06: the row left Sent");

    let thread = desk.agent.page(&row.address).await;
    assert!(thread.contains("Quero sim, obrigada"));
    let address = row.address.split('?').next().unwrap_or_default();
    let form = ["key", "ticket"].map(|name| (name, hidden_value(&thread, name).expect("a field")));
    let typed = [form.as_slice(), &[("text", "Que bom! Fica guardado.")]].concat();
    for press in ["the first press", "the second press", "a reload"] {
        let answer = desk.agent.submit(&format!("{address}/reply"), &thread, &typed).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{press}");
    }
    until("the reply on the phone", 20, async || {
        let last = desk.last_on(phone).await;
        (last == ("business".to_owned(), "Que bom! Fica guardado.".to_owned())).then_some(())
    })
    .await;
    assert_eq!(desk.count_sends_to(phone).await, 2, "the active message and one reply");

    let answer = desk.agent.submit(&format!("{address}/close"), &thread, &form[1..]).await;
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert!(desk.row("/desk/conversations", phone).await.is_none(), "closed");
}

/// The fourth send of the day says why not and from when, before and after the last press.
async fn meet_the_limit(desk: &AtTheDesk, phone: &str) {
    let blocked = desk.choose(PLAIN, phone).await;
    blocked.says(
        StatusCode::CONFLICT,
        &["Limit of 3 in 24 hours reached", "You may write again in 23 h 5"],
    );
    assert_eq!(desk.count_sends_to(phone).await, 4);
}
