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

    async fn press(&self, fields: &[(&str, &str)]) -> Response {
        self.posting(fields).send().await.unwrap()
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
    given.choose(Presence::Invisible);
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

/// The part of `page` between its first `start` and the next `end`.
fn part<'a>(page: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = page.split_once(start).unwrap_or_else(|| panic!("no {start} in {page}"));
    rest.split_once(end).map_or(rest, |(part, _)| part)
}

#[actix_web::test]
async fn am_01_a_stale_page_of_an_agent_gone_invisible_sends_nothing_and_offers_the_switch() {
    let given = Given::desk().await;
    let agent = given.desk.agent;
    given.choose(Presence::Invisible);
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let mut send = vec![
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("v_header", "https://shop.example/tile.png"),
        ("v_name", "Luís"),
        ("v_order", "48213"),
        ("go", "send"),
    ];
    let page = shown(given.press(&send).await, 409).await;
    let notice = part(&page, "id=\"compose-presence\"", "<div id=\"compose-problems\">");
    assert!(notice.contains(&format!("janela:presence-{agent} from:body")), "{notice}");
    assert!(notice.contains("You are invisible. Go online to send"), "{notice}");
    assert!(notice.contains("Nothing was sent."), "{notice}");
    assert!(notice.contains("data-problem") && notice.contains("value=\"online\""), "{notice}");
    assert!(
        !page.contains("This message cannot be sent now"),
        "one thing stands against it: {page}"
    );
    assert_eq!(given.count_sends(), 0);

    send.last_mut().unwrap().1 = "online";
    let page = shown(given.press(&send).await, 200).await;
    assert!(!page.contains("You are invisible"), "{page}");
    assert!(page.contains("value=\"48213\""), "what was typed stays: {page}");
    assert_eq!(given.count_sends(), 0, "going online sends nothing");
    let (key, last) = (key_in(&given.press(&send).await.text().await.unwrap()), send.len() - 1);
    send[last].1 = "send";
    send.push(("key", key.as_str()));
    assert_eq!(given.press(&send).await.status(), 303);
    assert_eq!(given.count_sends(), 1);
}

#[actix_web::test]
async fn am_01_going_online_in_the_dialog_keeps_whom_it_was_opened_for() {
    let given = Given::desk().await;
    given.choose(Presence::Invisible);
    let page = shown(given.show(&format!("?contact={}", given.luis)).await, 200).await;
    let chosen = format!("name=\"recipient\" value=\"c{}\"", given.luis);
    assert!(page.contains("You are invisible") && page.contains(&chosen), "{page}");
    let luis = format!("c{}", given.luis);
    let online = [("step", "template"), ("recipient", luis.as_str()), ("go", "online")];
    let page = shown(given.press(&online).await, 200).await;
    assert!(page.contains("id=\"templates\"") && page.contains(&chosen), "{page}");
}

#[actix_web::test]
async fn the_account_button_tells_the_presence_as_it_is() {
    let given = Given::desk().await;
    given.choose(Presence::OnBreak);
    let page = given.browser.get("/desk/me").send().await.unwrap().text().await.unwrap();
    assert!(page.contains("data-presence=\"on_break\""), "{page}");
    assert!(page.contains(&format!("janela:presence-{} from:body", given.desk.agent)), "{page}");
    assert!(part(&page, "value=\"on_break\"", ">").contains("aria-current"), "{page}");
}

#[actix_web::test]
async fn step_3_begins_at_the_first_variable_and_never_at_send() {
    let given = Given::desk().await;
    let luis = format!("c{}", given.luis);
    let (order_ready, plain) = (given.order_ready.to_string(), given.plain.to_string());
    let reach = async |template: &str| {
        let fields = [
            ("step", "recipient"),
            ("template", template),
            ("recipient", &luis),
            ("go", "continue"),
        ];
        shown(given.press(&fields).await, 200).await
    };
    let focused = |page: &str| {
        let step = part(page, "id=\"compose-main\"", "<footer").to_owned();
        let tag = step.split('<').find(|tag| tag.contains(" autofocus")).map(str::to_owned);
        tag.map(|tag| part(&tag, " id=\"", "\"").to_owned())
    };
    let page = reach(&order_ready).await;
    assert_eq!(focused(&page).as_deref(), Some("v_header"), "{page}");
    let page = reach(&plain).await;
    assert_eq!(focused(&page).as_deref(), Some("compose-full-model"), "{page}");
    assert!(part(&page, "<footer", "</footer>").contains("id=\"compose-send\""), "{page}");
    let check = [("step", "variables"), ("template", &order_ready), ("recipient", &luis)];
    let page = shown(given.press(&check).await, 200).await;
    assert_eq!(focused(&page), None, "the focus stays with who types: {page}");
}

#[actix_web::test]
async fn am_08_what_was_wrong_goes_from_the_page_as_it_is_mended() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let mut fields = vec![
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("v_header", ""),
        ("v_name", "Luís"),
        ("v_order", "48     213"),
        ("go", "send"),
    ];
    let page = shown(given.press(&fields).await, 422).await;
    assert!(page.contains("name=\"told\""), "{page}");
    assert!(page.contains("href=\"#v_header\"") && page.contains("href=\"#v_order\""), "{page}");
    let order = part(&page, "id=\"v_order-field\"", "</div>");
    assert!(order.contains("input changed delay:300ms"), "judged as it is typed: {order}");

    fields.push(("told", "1"));
    fields[6].1 = "check";
    fields[5].1 = "48 213";
    let page = shown(given.press(&fields).await, 200).await;
    assert!(!page.contains("href=\"#v_order\""), "{page}");
    assert!(page.contains("href=\"#v_header\""), "the other one stays: {page}");
    fields[3].1 = "https://shop.example/tile.png";
    let page = shown(given.press(&fields).await, 200).await;
    assert!(!page.contains("error-summary") && !page.contains("name=\"told\""), "{page}");
    assert!(page.contains("tile.png\u{2069} · PNG · 2 KB"), "the file is named: {page}");
}

#[actix_web::test]
async fn am_04_a_number_is_judged_as_it_is_typed() {
    let given = Given::desk().await;
    let template = given.plain.to_string();
    let typing = async |to: &str, go: &str, status| {
        let fields = [("step", "recipient"), ("template", &template), ("to", to), ("go", go)];
        shown(given.press(&fields).await, status).await
    };
    let page = typing("+3460", "look", 200).await;
    assert!(page.contains(">Spain</span>") && page.contains("Go on typing"), "{page}");
    assert!(!page.contains("to-problem"), "too short so far is no error: {page}");
    let page = typing("+1", "look", 200).await;
    assert!(page.contains(">United States and others</span>"), "{page}");
    let page = typing("+999 60", "look", 200).await;
    assert!(page.contains("No country has the code +999"), "{page}");
    let page = typing("+3460", "continue", 422).await;
    assert!(page.contains("id=\"to-problem\">Digits are missing"), "{page}");
    let page = typing("+34600", "look", 200).await;
    assert!(!page.contains("to-problem"), "it goes as the number is mended: {page}");
}

#[actix_web::test]
async fn am_07_each_thing_wrong_with_a_file_is_told_at_the_field() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let cases = [
        ("https://shop.example/gone.png", "There is no file at this address (404)"),
        ("https://shop.example/quote.pdf", "This is a PDF; a JPEG or PNG image is needed"),
        ("https://shop.example/huge.png", "The file is too large: 5 MB at most"),
        ("https://shop.example/inner", "leads into an inner network"),
        ("https://shop.example/silent", "Nothing answers at this address"),
    ];
    for (url, expected) in cases {
        let fields = [
            ("step", "variables"),
            ("template", template.as_str()),
            ("recipient", luis.as_str()),
            ("v_header", url),
            ("go", "check"),
        ];
        let page = shown(given.press(&fields).await, 200).await;
        let problem = part(&page, "id=\"v_header-problem\">", "<");
        assert!(problem.contains(expected), "{url}: {problem}");
    }
}

#[actix_web::test]
async fn am_13_a_field_in_two_braces_is_told_and_never_sent_half_filled() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let mut fields = vec![
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("v_header", "https://shop.example/tile.png"),
        ("v_name", "{{contact.name}}"),
        ("v_order", "{pedido}"),
        ("go", "send"),
    ];
    let page = shown(given.press(&fields).await, 422).await;
    let problem = part(&page, "id=\"v_name-problem\">", "<");
    assert!(problem.contains("with one brace on each side"), "{problem}");
    let note = part(&page, "id=\"v_order-note\">", "</p>");
    assert!(note.contains("{pedido}") && note.contains("is sent as it stands"), "{note}");
    fields[4].1 = "{contact.shoe}";
    let page = shown(given.press(&fields).await, 422).await;
    let problem = part(&page, "id=\"v_name-problem\">", "<");
    assert!(problem.contains("There is no field \u{2068}{contact.shoe}\u{2069}"), "{problem}");
    assert_eq!(given.count_sends(), 0);
}

#[actix_web::test]
async fn a_message_left_unfinished_is_shown_again_and_may_be_begun_anew() {
    let given = Given::desk().await;
    let (template, luis) = (given.order_ready.to_string(), format!("c{}", given.luis));
    let mut fields = vec![
        ("dialog", "1"),
        ("step", "variables"),
        ("template", template.as_str()),
        ("recipient", luis.as_str()),
        ("v_order", "48213"),
        ("go", "resume"),
    ];
    let page = shown(given.press(&fields).await, 200).await;
    assert!(page.contains("You left this message unfinished"), "{page}");
    assert!(page.contains("value=\"48213\"") && page.contains("data-draft"), "{page}");
    fields[5].1 = "anew";
    let page = shown(given.press(&fields).await, 200).await;
    assert!(page.contains("data-step=\"template\"") && !page.contains("data-draft"), "{page}");
    assert!(!page.contains("48213") && !page.contains("name=\"recipient\""), "{page}");
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
