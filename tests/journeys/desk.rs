//! What an agent does at the desk, page by page, as a browser would without script.

use std::collections::BTreeMap;

use reqwest::{Client, Response, StatusCode};
use serde_json::Value;

use crate::{Browser, Demo, client, digits, hidden_value, pieces, text_of, until};

/// Where the dialog *Active message* is.
pub const COMPOSE: &str = "/desk/active-message";

/// An approved template of the demo with one variable, `name`; its name stands once in the list.
pub const PLAIN: &str = "come_back";

/// An agent at the desk of a running demo.
pub struct Agent<'a> {
    /// The demo.
    pub demo: &'a Demo,
    /// Speaks to the sandbox.
    pub control: Client,
    /// The agent's browser, signed in.
    pub browser: Browser,
}

impl<'a> Agent<'a> {
    /// Signs in the demo's first agent and goes online.
    pub async fn first(demo: &'a Demo) -> Self {
        let agent = Self { demo, control: client(), browser: demo.sign_in("agent").await };
        agent.choose_presence("online").await;
        agent
    }

    /// Signs in the agent with this address and goes online.
    pub async fn called(demo: &'a Demo, email: &str) -> Self {
        let agent = Self { demo, control: client(), browser: demo.sign_in_as(email).await };
        agent.choose_presence("online").await;
        agent
    }

    /// Presses the switch in the account menu.
    ///
    /// # Panics
    /// When the desk does not take it.
    pub async fn choose_presence(&self, presence: &str) {
        let page = self.browser.page("/desk/conversations").await;
        let form = [("presence", presence), ("next", "/desk")];
        let answer = self.browser.submit("/desk/presence", &page, &form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    }

    /// Opens the dialog, picks `template` and types `to`: step 3, or why it goes no further.
    pub async fn choose(&self, template: &str, to: &str) -> Shown {
        let page = self.browser.page(COMPOSE).await;
        let template = template_called(&page, template);
        let form = [("step", "recipient"), ("template", &template), ("to", to), ("go", "continue")];
        Shown::of(self.browser.submit(COMPOSE, &page, &form).await).await
    }

    /// Presses *Send* on a shown step 3, with `values` by variable.
    pub async fn press_send(&self, step: &Shown, values: &[(&str, &str)]) -> Response {
        let fields: Vec<(String, &str)> =
            values.iter().map(|(name, value)| (format!("v_{name}"), *value)).collect();
        let mut form = vec![("step", "variables"), ("go", "send")];
        for name in ["template", "recipient", "key", "channel", "chatbot"] {
            form.extend(hidden_value(&step.page, name).map(|value| (name, value)));
        }
        form.extend(fields.iter().map(|(name, value)| (name.as_str(), *value)));
        self.browser.submit(COMPOSE, &step.page, &form).await
    }

    /// Sends the plain template to a number, all three steps.
    ///
    /// # Panics
    /// When it is not sent.
    pub async fn send(&self, phone: &str) {
        let step = self.choose(PLAIN, phone).await;
        assert_eq!(step.status, StatusCode::OK, "{}", step.text());
        let answer = self.press_send(&step, &[("name", "Ana")]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    }

    /// Waits until the row of `phone` in the list at `path` reads `words`.
    ///
    /// # Panics
    /// When it does not within the patience of [`until`].
    pub async fn wait_for_row(&self, path: &str, phone: &str, words: &str) -> Row {
        until(&format!("{words} in {path}"), async || {
            let row = self.row(path, phone).await?;
            row.text.contains(words).then_some(row)
        })
        .await
    }

    /// The row of `phone` in the list at `path`; `None` when there is none.
    pub async fn row(&self, path: &str, phone: &str) -> Option<Row> {
        let page = self.browser.page(path).await;
        pieces(&page, "<li id=\"row-", "</li>").into_iter().find_map(|row| {
            let title = pieces(row, "<bdi>", "</bdi>").first().copied()?;
            let is_theirs = digits(title) == digits(phone);
            let address = row.split_once("<a href=\"")?.1.split('"').next()?;
            is_theirs.then(|| Row { address: address.to_owned(), text: text_of(row) })
        })
    }

    /// The row of `phone` in a tab, searched for by the number; `None` when there is none.
    ///
    /// # Panics
    /// When the desk does not search.
    pub async fn search(&self, tab: &str, phone: &str) -> Option<Row> {
        let page = self.browser.page("/desk/conversations").await;
        let form = [("tab", tab), ("q", phone)];
        let answer = self.browser.submit("/desk/search", &page, &form).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let path = answer.headers()["location"].to_str().expect("an address").to_owned();
        assert!(!path.contains(&digits(phone)), "no number stands in an address: {path}");
        self.row(&path, phone).await
    }

    /// How often the platform was asked to send something to `phone`.
    pub async fn count_sends_to(&self, phone: &str) -> usize {
        self.demo.count_sends_to(&self.control, phone).await
    }

    /// What the customer's phone shows: each message as who wrote it and its text, oldest first.
    ///
    /// # Panics
    /// When the sandbox knows no such phone.
    pub async fn messages_on(&self, phone: &str) -> Vec<(String, String)> {
        let path = format!("/phones/{}", phone.trim_start_matches('+'));
        let phone = self.demo.look(&self.control, &path).await;
        let word =
            |message: &Value, name: &str| message[name].as_str().unwrap_or_default().to_owned();
        let messages = phone["messages"].as_array().expect("messages").iter();
        messages.map(|message| (word(message, "from"), word(message, "text"))).collect()
    }
}

/// A row of a list on the desk.
pub struct Row {
    /// Where it leads.
    pub address: String,
    /// What a person reads in it.
    pub text: String,
}

/// A page and how it was answered.
pub struct Shown {
    /// The status.
    pub status: StatusCode,
    /// The page's source.
    pub page: String,
}

impl Shown {
    /// Reads an answer.
    ///
    /// # Panics
    /// When it cannot be read.
    pub async fn of(answer: Response) -> Self {
        Self { status: answer.status(), page: answer.text().await.expect("a page") }
    }

    /// What a person reads in it.
    #[must_use]
    pub fn text(&self) -> String {
        text_of(&self.page)
    }

    /// Makes sure of the status and that a person reads each of `words`.
    ///
    /// # Panics
    /// When not.
    pub fn says(&self, status: StatusCode, words: &[&str]) {
        let text = self.text();
        assert_eq!(self.status, status, "{text}");
        for words in words {
            assert!(text.contains(words), "{words:?} is not in: {text}");
        }
    }
}

/// The id of the template called `name`, as step 1 lists it.
///
/// # Panics
/// When it is not listed.
#[must_use]
pub fn template_called(page: &str, name: &str) -> String {
    let called: BTreeMap<String, &str> = pieces(page, "value=\"pick:", "</button>")
        .into_iter()
        .filter_map(|pick| {
            let (id, rest) = pick.split_once('"')?;
            Some((text_of(&format!("<{rest}")), id))
        })
        .collect();
    (*called.get(name).unwrap_or_else(|| panic!("no {name} among {called:?}"))).to_owned()
}
