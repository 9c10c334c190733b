//! The dialog *Active message* as a person meets it: each state as shown, and what a press does.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test whose desk cannot be set up must fail where it stands"
)]

mod common;

use chrono::{DateTime, TimeDelta, Utc};
use common::{ADMIN, AGENT, Browser, TestDesk};
use domain::{
    channel::WebhookElement,
    clock::Clock,
    ids::{ChatbotId, ContactId, TemplateId},
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
    channel,
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

    async fn press(&self, fields: &[(&str, &str)]) -> Response {
        self.posting(fields).send().await.unwrap()
    }

    fn posting(&self, fields: &[(&str, &str)]) -> reqwest::RequestBuilder {
        let token = self.desk.form_token(&self.browser);
        let mut form = vec![("form_token", token.as_str())];
        form.extend_from_slice(fields);
        self.browser.post(COMPOSE).form(&form)
    }

    fn count_sends(&self) -> usize {
        let (agent, now) = (self.desk.agent, self.desk.clock.now());
        self.desk
            .store()
            .blocking_read(|db| {
                let actor = user::find_actor(db, agent)?.expect("an agent");
                let sent = conversation::list_sent(db, &actor, "", now)?;
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

#[actix_web::test]
async fn am_02_step_1_offers_approved_templates_and_greys_the_others() {
    let given = Given::desk().await;
    insta::assert_snapshot!(shown(given.show("").await, 200).await);
}

#[actix_web::test]
async fn am_02_a_template_is_found_by_part_of_its_name_and_language() {
    let given = Given::desk().await;
    let page = given.press(&[("q", "DER rea"), ("language", "pt_BR")]).await;
    let page = shown(page, 200).await;
    assert!(page.contains("order_ready") && !page.contains("black_friday"), "{page}");
    let page = shown(given.press(&[("q", "100%")]).await, 200).await;
    assert!(page.contains("No template fits"), "{page}");
}

#[actix_web::test]
async fn am_02_a_template_in_review_cannot_be_picked_without_script_either() {
    let given = Given::desk().await;
    let all = shown(given.show("").await, 200).await;
    let (_, rest) = all.split_once("value=\"pick:").expect("a pick");
    assert!(rest.starts_with(char::is_numeric));
    let pending = all.split("value=\"pick:").find(|part| part.contains("aria-disabled"));
    let id = pending.and_then(|part| part.split('"').next()).expect("a greyed pick").to_owned();
    let page = shown(given.press(&[("go", &format!("pick:{id}"))]).await, 409).await;
    assert!(page.contains("still reviewing"), "{page}");
}

#[actix_web::test]
async fn am_03_a_picked_template_is_shown_whole() {
    let given = Given::desk().await;
    let pick = format!("pick:{}", given.order_ready);
    insta::assert_snapshot!(shown(given.press(&[("go", &pick)]).await, 200).await);
}

#[actix_web::test]
async fn am_01_who_is_invisible_is_told_and_may_go_online() {
    let given = Given::desk().await;
    let (agent, now) = (given.desk.agent, given.desk.clock.now());
    given
        .desk
        .store()
        .blocking_write(|db| presence::choose(db, agent, Presence::Invisible, now))
        .unwrap();
    insta::assert_snapshot!(shown(given.show("").await, 200).await);
}

#[actix_web::test]
async fn am_04_people_are_found_by_word_beginnings_without_accents() {
    let given = Given::desk().await;
    let (template, luiza) = (given.plain.to_string(), given.luiza);
    let given = given.with_cap_reached(3, luiza).await;
    let page = given
        .press(&[("step", "recipient"), ("template", &template), ("to", "lui"), ("go", "look")])
        .await;
    insta::assert_snapshot!(shown(page, 200).await);
}

#[actix_web::test]
async fn am_04_a_new_number_shows_its_country() {
    let given = Given::desk().await;
    let template = given.plain.to_string();
    let fields = [("step", "recipient"), ("template", &template), ("to", "+34 600 11 12 13")];
    let page = shown(given.press(&fields).await, 200).await;
    assert!(page.contains("Spain, new · WhatsApp · 17:02 to 18:02 there"), "{page}");
    let typing = [("step", "recipient"), ("template", &template), ("to", "+55 1")];
    let page = shown(given.press(&typing).await, 200).await;
    assert!(page.contains(">Brazil</span>"), "{page}");
    let wrong = [
        ("step", "recipient"),
        ("template", &template),
        ("to", "600 11 12 13"),
        ("go", "continue"),
    ];
    let page = shown(given.press(&wrong).await, 422).await;
    assert!(page.contains("Start the number with + and the country code"), "{page}");
}

#[actix_web::test]
async fn ad_07_pressing_a_capped_contact_says_why_and_goes_no_further() {
    let given = Given::desk().await;
    let luiza = given.luiza;
    let given = given.with_cap_reached(3, luiza).await;
    let (template, add) = (given.plain.to_string(), format!("add:c{luiza}"));
    let common = [("step", "recipient"), ("template", template.as_str())];
    let pressed = [common[0], common[1], ("go", add.as_str())];
    let page = shown(given.press(&pressed).await, 409).await;
    assert!(page.contains("in 17 h 00 min"), "{page}");
    assert!(!page.contains("name=\"recipient\""), "{page}");
    let chosen = format!("c{luiza}");
    let on = [common[0], common[1], ("recipient", chosen.as_str()), ("go", "continue")];
    let page = shown(given.press(&on).await, 409).await;
    assert!(page.contains("data-step=\"recipient\"") && page.contains("data-kind=\"error\""));
    let fragment = given.posting(&pressed).header("hx-request", "true").send().await.unwrap();
    let toast = fragment.headers()["hx-trigger"].to_str().unwrap().to_owned();
    assert!(toast.contains("Limit of 3 in 24 hours reached"), "{toast}");
}

#[actix_web::test]
async fn am_08_what_is_wrong_stands_at_the_field_and_what_was_typed_is_kept() {
    let given = Given::desk().await;
    let (template, recipient) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let fields = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", recipient.as_str()),
        ("v_header", "https://shop.example/quote.pdf"),
        ("v_name", "{contact.name}"),
        ("v_order", "48     213"),
        ("go", "send"),
    ];
    insta::assert_snapshot!(shown(given.press(&fields).await, 422).await);
    assert_eq!(given.count_sends(), 0);
}

#[actix_web::test]
async fn am_07_an_image_is_looked_at_once_and_shown_from_our_own_address() {
    let given = Given::desk().await;
    let (template, recipient) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let fields = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", recipient.as_str()),
        ("v_header", "https://shop.example/tile.png"),
        ("v_name", "{contact.name}"),
        ("go", "check"),
    ];
    let page = given.press(&fields).await.text().await.unwrap();
    let (_, rest) = page.split_once("<img src=\"").expect("the image");
    let address = rest.split('"').next().unwrap().to_owned();
    let image = given.browser.get(&address).send().await.unwrap();
    assert_eq!(image.headers()["content-security-policy"], "default-src 'none'; sandbox");
    assert_eq!(image.headers()["content-type"], "image/png");
    assert!(page.contains("<mark data-slot=\"name\">Luís Cabrera</mark>"), "{page}");
    assert!(!page.contains("Fill in a value"), "what is still empty is not told yet");
    let again = given.press(&fields).await.text().await.unwrap();
    assert!(again.contains(&address), "the second look is at what is kept");
    let stranger = given.desk.signed_in(ADMIN).await.get(&address).send().await.unwrap();
    assert_eq!(stranger.status(), 404);
}

#[actix_web::test]
async fn am_11_the_same_press_twice_is_one_message_and_another_is_told() {
    let given = Given::desk().await;
    let template = given.plain.to_string();
    let common = [("template", template.as_str()), ("recipient", "+34600111213")];
    let shown_step = [("step", "recipient"), common[0], common[1], ("go", "continue")];
    let page = given.press(&shown_step).await.text().await.unwrap();
    let key = key_in(&page);
    let send = [("step", "variables"), common[0], common[1], ("key", &key), ("go", "send")];
    for _ in 0..3 {
        let answer = given.press(&send).await;
        assert_eq!(answer.status(), 303);
        let location = answer.headers()["location"].to_str().unwrap().to_owned();
        assert!(location.starts_with("/desk/sent?sent_to="), "{location}");
    }
    assert_eq!(given.count_sends(), 1);
    let luis = format!("c{}", given.luis);
    let other =
        [("step", "variables"), common[0], ("recipient", &luis), ("key", &key), ("go", "send")];
    let page = shown(given.press(&other).await, 409).await;
    assert!(page.contains("sent before with other content"), "{page}");
    assert_eq!(given.count_sends(), 1);
}

#[actix_web::test]
async fn am_09_in_the_dialog_it_closes_and_a_toast_says_so() {
    let given = Given::desk().await;
    let (template, luis) = (given.plain.to_string(), format!("c{}", given.luis));
    let send = [
        ("dialog", "1"),
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("key", "0123456789abcdef"),
        ("go", "send"),
    ];
    let answer = given.posting(&send).header("hx-request", "true").send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let trigger = answer.headers()["hx-trigger"].to_str().unwrap().to_owned();
    let events: serde_json::Value = serde_json::from_str(&trigger).unwrap();
    assert_eq!(events["janela:toast"]["text"], "Message sent to \u{2068}Luís Cabrera\u{2069}");
    assert!(events.get("janela:close-dialog").is_some());
    assert_eq!(given.count_sends(), 1);
}

#[actix_web::test]
async fn a_refused_send_gives_every_reason_and_the_end_of_the_whole() {
    let given = Given::desk().await;
    let luiza = given.luiza;
    let given = given.with_cap_reached(2, luiza).await;
    let (template, chosen) = (given.plain.to_string(), format!("c{luiza}"));
    let send = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", chosen.as_str()),
        ("key", "0123456789abcdef"),
        ("go", "send"),
    ];
    insta::assert_snapshot!(shown(given.press(&send).await, 409).await);
    assert_eq!(given.count_sends(), 2);
}

#[actix_web::test]
async fn a_stale_page_of_an_agent_gone_invisible_sends_nothing() {
    let given = Given::desk().await;
    let (agent, now) = (given.desk.agent, given.desk.clock.now());
    given
        .desk
        .store()
        .blocking_write(|db| presence::choose(db, agent, Presence::Invisible, now))
        .unwrap();
    let (template, luis) = (given.plain.to_string(), format!("c{}", given.luis));
    let send = [
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("go", "send"),
    ];
    let page = shown(given.press(&send).await, 409).await;
    assert!(page.contains("You are not online"), "{page}");
    assert_eq!(given.count_sends(), 0);
}

#[actix_web::test]
async fn sw_09_a_ticket_is_left_when_someone_else_is_chosen() {
    let given = Given::desk().await;
    given.luiza_writes();
    let template = format!("&template={}", given.plain);
    let page = shown(given.show(&format!("?ticket=1{template}")).await, 200).await;
    assert!(page.contains(r#"name="ticket" value="1""#), "{page}");
    let (template, luiza) = (given.plain.to_string(), format!("c{}", given.luiza));
    let luis = format!("add:c{}", given.luis);
    let mut fields = vec![
        ("step", "recipient"),
        ("template", template.as_str()),
        ("recipient", luiza.as_str()),
        ("ticket", "1"),
        ("go", "look"),
    ];
    let page = shown(given.press(&fields).await, 200).await;
    assert!(page.contains(r#"name="ticket" value="1""#), "{page}");
    fields[4].1 = luis.as_str();
    let page = shown(given.press(&fields).await, 200).await;
    assert!(!page.contains(r#"name="ticket""#), "{page}");
    fields[4].1 = "remove";
    let page = shown(given.press(&fields).await, 200).await;
    assert!(!page.contains(r#"name="ticket""#), "{page}");
}

#[actix_web::test]
async fn what_is_not_the_agents_to_know_is_not_found() {
    let given = Given::desk().await;
    assert_eq!(given.show("?contact=999999").await.status(), 404);
    assert_eq!(given.show("?ticket=999999").await.status(), 404);
    assert_eq!(given.press(&[("sender", "1")]).await.status(), 422);
    let answer = given.browser.get("/media/00000000000000000000000000000000").send().await.unwrap();
    assert_eq!(answer.status(), 404);
}
