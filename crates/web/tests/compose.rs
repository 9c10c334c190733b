//! The dialog *Active message* as a person meets it: each state as shown, and what a press does.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test whose desk cannot be set up must fail where it stands"
)]

mod common;
#[path = "compose/dialog.rs"]
mod dialog;
#[path = "compose/recipient.rs"]
mod recipient;
#[path = "compose/template.rs"]
mod template;
#[path = "compose/variables.rs"]
mod variables;

use chrono::{DateTime, TimeDelta, Utc};
use common::{ADMIN, AGENT, Browser, MANAGER, TestDesk, left_to_say};
use domain::{
    channel::{ChannelKind, WebhookElement},
    clock::Clock,
    ids::{ChannelId, ChatbotId, ContactId, TemplateId},
    opt_out::{OptOutScope, OptOutSource},
    phone::PhoneNumber,
    presence::Presence,
    template::{
        MediaKind, PlatformTemplate, TemplateButton, TemplateCategory, TemplateContent,
        TemplateHeader, TemplateStatus,
    },
};
use persistence::{
    admission::{self, Door, Draft, Outcome, Recipient},
    channel::{self, NewChannel},
    chatbot::{self, SaveOutcome, Settings},
    contact::{self, NewContact},
    conversation,
    db::Db,
    error::PersistenceError,
    inbox, message_template, number, opt_out, policy, presence,
    test_desk::inbound,
    user,
};
use reqwest::Response;

const COMPOSE: &str = "/desk/active-message";

/// A desk with templates and people, and an agent who is online.
struct Given {
    desk: TestDesk,
    browser: Browser,
    order_ready: TemplateId,
    plain: TemplateId,
    luiza: ContactId,
    luis: ContactId,
}

impl Given {
    async fn desk() -> Self {
        let desk = TestDesk::start();
        let browser = desk.signed_in(AGENT).await;
        let now = desk.clock.now();
        let (chatbot, channel, agent) = (desk.chatbot, desk.channel, desk.agent);
        let (order_ready, plain, luiza, luis) = desk
            .store()
            .blocking_write(|db| {
                let policy = policy::find_or_create_default(db, now)?;
                number::create(db, channel, "+55 11 4000-1000", policy, now)?;
                message_template::save_all(db, "2001", &templates(), now)?;
                let found = message_template::list_of_account(db, "2001")?;
                let id = |name| found.iter().find(|it| it.name == name).expect("a template").id;
                channel::mark_webhook_verified(db, channel, now)?;
                save_settings(db, chatbot, false, 3, now)?;
                presence::choose(db, agent, Presence::Online, now)?;
                let mut add = |name: &str, phone: &str| {
                    let new = NewContact {
                        name: name.to_owned(),
                        phone: PhoneNumber::from_e164(phone).ok(),
                        ..NewContact::default()
                    };
                    let id = contact::create(db, &new, now)?;
                    contact::join_chatbot(db, chatbot, id, None, None, now)?;
                    Ok::<_, PersistenceError>(id)
                };
                let luiza = add("Luiza Prado", "+5511987654321")?;
                let luis = add("Luís Cabrera", "+5215512345678")?;
                let keller = add("Luis Keller", "+4915123456789")?;
                let (scope, source) = (OptOutScope::All, OptOutSource::Word);
                opt_out::opt_out(db, keller, scope, source, now - TimeDelta::days(50))?;
                Ok((id("order_ready"), id("plain"), luiza, luis))
            })
            .expect("a seeded desk");
        Self { desk, browser, order_ready, plain, luiza, luis }
    }

    /// Caps `sends` in 24 h, and lets the agent use them up for `contact` 7 hours ago.
    async fn with_cap_reached(mut self, sends: u32, contact: ContactId) -> Self {
        let chatbot = self.desk.chatbot;
        let agent = self.desk.agent;
        let draft = self.draft(contact);
        self.desk
            .store()
            .blocking_write(|db| {
                let actor = user::find_actor(db, agent)?.expect("an agent");
                save_settings(db, chatbot, true, sends, self.desk.clock.now())?;
                for _ in 0..sends {
                    let clock = &*self.desk.clock;
                    let outcome = admission::admit_and_queue(db, &actor, &draft, clock)?;
                    assert!(matches!(outcome, Outcome::Queued(_)), "{outcome:?}");
                }
                Ok(())
            })
            .expect("sends");
        self.desk.clock.advance(std::time::Duration::from_hours(7));
        self.browser = self.desk.signed_in(AGENT).await;
        let now = self.desk.clock.now();
        self.desk
            .store()
            .blocking_write(|db| presence::choose(db, agent, Presence::Online, now))
            .expect("online again");
        self
    }

    fn draft(&self, contact: ContactId) -> Draft {
        Draft {
            channel: self.desk.channel,
            template: self.plain,
            to: Recipient::Contact(contact),
            values: std::collections::BTreeMap::new(),
            refused_media: Vec::new(),
            agent: Some(self.desk.agent),
            door: Door::Desk,
            ticket: None,
            key: None,
        }
    }

    /// Opens the desk's first ticket.
    fn luiza_writes(&self) {
        let now = self.desk.clock.now();
        let hello = inbound("hello", "5511987654321", "hello", now);
        let hello = WebhookElement { external_id: None, ..hello };
        self.desk
            .store()
            .blocking_write(|db| inbox::apply_unkept(db, self.desk.channel, &[hello], now))
            .expect("a ticket");
    }

    async fn show(&self, query: &str) -> Response {
        self.browser.get(&format!("{COMPOSE}{query}")).send().await.unwrap()
    }

    /// What a browser without script shows after a press: the page it is led to, unless the message is sent.
    async fn press(&self, fields: &[(&str, &str)]) -> Response {
        let answer = self.posting(fields).send().await.unwrap();
        match draft_of(&answer) {
            Some(way) => self.browser.get(&way).send().await.unwrap(),
            None => answer,
        }
    }

    fn posting(&self, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let token = self.desk.form_token(&self.browser);
        let mut form = vec![("form_token", token.as_str())];
        form.extend_from_slice(fields);
        self.browser.post(COMPOSE).form(&form)
    }

    /// Lets the agent choose to be `presence`.
    fn choose(&self, presence: Presence) {
        let (agent, now) = (self.desk.agent, self.desk.clock.now());
        self.desk
            .store()
            .blocking_write(|db| presence::choose(db, agent, presence, now))
            .expect("a choice");
    }

    /// A second number of the chatbot, over which it wrote with `contact` last.
    fn second_number(&self, contact: ContactId) -> ChannelId {
        let (chatbot, now) = (self.desk.chatbot, self.desk.clock.now());
        let store = self.desk.store();
        let vault = store.vault().expect("unlocked");
        let add = |db: &mut Db| {
            let new = NewChannel {
                chatbot,
                kind: ChannelKind::WhatsApp,
                name: "Second",
                external_id: "1002",
                account_id: "2001",
                api_base_url: "http://127.0.0.1:9",
                access_token: "token",
                app_secret: "secret",
                verify_token: "verify-me",
            };
            let channel = channel::create(db, &vault, &new, now)?;
            let policy = policy::find_or_create_default(db, now)?;
            number::create(db, channel, "+55 11 4000-2000", policy, now)?;
            channel::mark_webhook_verified(db, channel, now)?;
            contact::join_chatbot(db, chatbot, contact, None, Some(channel), now)?;
            Ok(channel)
        };
        store.blocking_write(add).expect("a second number")
    }

    fn count_sends(&self) -> usize {
        let (agent, now) = (self.desk.agent, self.desk.clock.now());
        self.desk
            .store()
            .blocking_read(|db| {
                let actor = user::find_actor(db, agent)?.expect("an agent");
                let sent = conversation::list_sent(db, &actor, "", None, now)?.rows;
                Ok(sent.iter().map(|row| 1 + row.earlier.len()).sum())
            })
            .expect("sends")
    }
}

/// Active messages on; the cap of `sends` as told.
fn save_settings(
    db: &mut Db,
    chatbot: ChatbotId,
    cap_enabled: bool,
    cap_sends: u32,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let admin = user::find_credentials(db, ADMIN)?.expect("an admin").user;
    let admin = user::find_actor(db, admin)?.expect("an admin");
    let active_messages_enabled = true;
    let settings =
        Settings { active_messages_enabled, cap_enabled, cap_sends, ..Settings::default() };
    let saved = chatbot::save_settings(db, &admin, chatbot, &settings, now)?;
    assert_eq!(saved, SaveOutcome::Saved);
    Ok(())
}

fn templates() -> Vec<PlatformTemplate> {
    let template = |name: &str, language: &str, status, category, content| PlatformTemplate {
        external_id: name.to_owned(),
        name: name.to_owned(),
        language: language.to_owned(),
        category,
        status,
        named_parameters: true,
        content,
        quality: None,
        unfillable: None,
    };
    let text = |body: &str| TemplateContent {
        header: None,
        body: body.to_owned(),
        footer: None,
        buttons: Vec::new(),
    };
    let order = TemplateContent {
        header: Some(TemplateHeader::Media(MediaKind::Image)),
        body: "Oi {{name}}, seu pedido {{order}} está pronto. Guardamos para você?".to_owned(),
        footer: Some("Responda PARAR para não receber mais".to_owned()),
        buttons: vec![TemplateButton::QuickReply { text: "Sim, guardem".to_owned() }],
    };
    let (approved, pending) = (TemplateStatus::Approved, TemplateStatus::Pending);
    vec![
        template("order_ready", "pt_BR", approved, TemplateCategory::Utility, order),
        template("plain", "en", approved, TemplateCategory::Utility, text("Hello!")),
        template("black_friday", "pt_BR", pending, TemplateCategory::Marketing, text("48 h")),
    ]
}

/// The address of the dialog that `answer` leads to, with what was typed; `None` when it leads elsewhere.
fn draft_of(answer: &Response) -> Option<String> {
    let way = answer.headers().get("location")?.to_str().ok()?;
    way.starts_with(&format!("{COMPOSE}?draft=")).then(|| way.to_owned())
}

/// What a person sees of the dialog, with what is random left out.
async fn shown(answer: Response, status: u16) -> String {
    assert_eq!(answer.status(), status);
    let page = answer.text().await.unwrap();
    let start = page.find("<main").expect("the dialog");
    let end = page.find("</main>").expect("the dialog") + "</main>".len();
    let toasts = page.find("<div id=\"toasts\"").expect("the toasts");
    let toasts_end = toasts + page[toasts..].find("\n").unwrap_or_default();
    let mut seen = String::new();
    for line in page[start..end].lines().chain([&page[toasts..toasts_end]]) {
        let line = masked(line, "/static/", '/');
        let line = masked(&line, "name=\"form_token\" value=\"", '"');
        let line = masked(&line, "name=\"key\" value=\"", '"');
        let line = masked(&line, "name=\"author\" value=\"", '"');
        seen.push_str(masked(&line, "/media/", '"').trim_end());
        seen.push('\n');
    }
    seen
}

/// `line` with what stands between each `before` and the next `after` left out.
fn masked(line: &str, before: &str, after: char) -> String {
    let mut parts = line.split(before);
    let mut seen = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.find(after).map_or("", |end| &part[end..]);
        seen.push_str(before);
        seen.push('…');
        seen.push_str(rest);
    }
    seen
}

/// The idempotency key a shown step 3 carries.
fn key_in(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"key\" value=\"").expect("a key");
    rest.split('"').next().unwrap().to_owned()
}

/// The part of `page` between its first `start` and the next `end`.
fn part<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("no {start} in {page}"));
    rest.split_once(end).map_or(rest, |(part, _)| part)
}

/// The id of what gets the focus, within the dialog.
fn focused(page: &str) -> Option<String> {
    let dialog = part(page, "id=\"compose-main\"", "</main>");
    let tag = dialog.split('<').find(|tag| tag.contains(" autofocus") && !tag.contains("hide\""));
    tag.map(|tag| part(tag, " id=\"", "\"").to_owned())
}
