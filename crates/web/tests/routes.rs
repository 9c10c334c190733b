//! Every route as every caller (C15), and that looking changes nothing (C7). What is expected stands in
//! `routes.toml`; a route of the router that is not listed there fails.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test whose desk cannot be set up must fail where it stands"
)]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::ready,
};

use actix_web::{App, HttpResponse, test};
use common::{ADMIN, AGENT, Browser, MANAGER, PASSWORD, TestDesk};
use domain::{
    channel::{MediaFile, WebhookElement},
    clock::Clock,
    permission::Role,
    phone::PhoneNumber,
    presence::Presence,
    template::{MediaKind, PlatformTemplate, TemplateCategory, TemplateContent, TemplateStatus},
};
use persistence::{
    admission::{self, Door, Draft, Outcome, Recipient},
    api_token::{self, ApiScope},
    channel,
    chatbot::{self, Settings},
    compose,
    contact::{self, NewContact},
    db::Db,
    error::PersistenceError,
    inbox, job, message_template, number, password, policy, presence,
    test_desk::inbound,
    user::{self, NewUser, UserStatus},
};
use reqwest::{Client, Method, RequestBuilder, Response, redirect::Policy};
use serde::Deserialize;

/// An agent of another chatbot.
const ELSEWHERE: &str = "bia@example.com";
/// An agent of the same chatbot, who serves nobody.
const COLLEAGUE: &str = "leo@example.com";
/// Was an agent, and is still signed in.
const DISABLED: &str = "max@example.com";

/// The columns of `[[page]]`: who is signed in; nobody for `None`.
const VISITORS: [Option<&str>; 7] = [
    None,
    Some(DISABLED),
    Some(ELSEWHERE),
    Some(COLLEAGUE),
    Some(AGENT),
    Some(MANAGER),
    Some(ADMIN),
];

/// The columns of `[[api]]`: the names of [`Walk::token`].
const CLIENTS: [&str; 9] = [
    "nobody",
    "elsewhere",
    "active_messages:send",
    "active_messages:read",
    "contacts:read",
    "contacts:write",
    "templates:read",
    "channels:read",
    "all",
];

/// What is personal here, and nothing to anyone elsewhere (C16).
const PRIVATE: [&str; 3] = ["Luiza Prado", "11955550321", "11 95555-0321"];

#[derive(Deserialize)]
struct Listed {
    page: Vec<Entry>,
    api: Vec<Entry>,
}

/// One route and what each caller is answered.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Method and pattern, such as `GET /desk/sent`.
    route: String,
    /// What stands for the pattern's variables, where their names do not say it.
    at: Option<String>,
    /// The page around what this route answers with; `None` for what stands by itself.
    part_of: Option<String>,
    form: Option<String>,
    json: Option<String>,
    /// One for each column. 401 stands also for being led to the sign-in.
    codes: Vec<u16>,
}

impl Entry {
    fn method(&self) -> Method {
        self.route.split_once(' ').expect("a method").0.parse().expect("a method")
    }

    fn pattern(&self) -> &str {
        self.route.split_once(' ').expect("a pattern").1
    }

    fn is_safe(&self) -> bool {
        self.method() == Method::GET
    }
}

fn listed() -> Listed {
    toml::from_str(include_str!("routes.toml")).expect("routes.toml")
}

/// A desk where something stands behind every route.
struct Walk {
    desk: TestDesk,
    /// What a variable of a pattern stands for.
    ids: BTreeMap<&'static str, String>,
    tokens: BTreeMap<&'static str, String>,
}

impl Walk {
    fn over(desk: TestDesk) -> Self {
        let mut ids = BTreeMap::from([
            ("chatbot", desk.chatbot.to_string()),
            ("channel", desk.channel.to_string()),
            ("job", "tidy".to_owned()),
            ("now", desk.clock.now().timestamp_millis().to_string()),
            ("path:.+", "css/base.css".to_owned()),
        ]);
        let mut tokens = BTreeMap::new();
        desk.store().blocking_write(|db| fill(db, &desk, &mut ids, &mut tokens)).expect("a desk");
        Self { desk, ids, tokens }
    }

    /// `text` with the ids in place of their names in braces.
    fn with_ids(&self, text: &str) -> String {
        let named =
            |text: String, (name, id): (&&str, &String)| text.replace(&format!("{{{name}}}"), id);
        let text = self.ids.iter().fold(text.to_owned(), named);
        assert!(!text.contains("/{"), "no id for {text}");
        text
    }

    fn url(&self, entry: &Entry) -> String {
        let path = entry.at.as_deref().unwrap_or_else(|| entry.pattern());
        format!("{}{}", self.desk.address, self.with_ids(path))
    }

    async fn visitor(&self, email: Option<&str>) -> Browser {
        let Some(email) = email else { return self.desk.browser() };
        let browser = self.desk.signed_in(email).await;
        let now = self.desk.clock.now();
        self.desk
            .store()
            .blocking_write(|db| {
                let user = user::find_credentials(db, email)?.expect("a user").user;
                if email == DISABLED {
                    user::set_status(db, user, UserStatus::Disabled, now)?;
                } else {
                    presence::choose(db, user, Presence::Online, now)?;
                }
                Ok(())
            })
            .expect("a visitor");
        browser
    }

    /// The token of the session of `browser`; something else when it has none that holds.
    fn form_token(&self, browser: &Browser, email: Option<&str>) -> String {
        match email {
            None | Some(DISABLED) => "none".to_owned(),
            Some(_) => self.desk.form_token(browser),
        }
    }

    /// As a page of ours asks, or a script of ours for a part of one.
    fn request(&self, entry: &Entry, browser: &Browser, method: Method) -> RequestBuilder {
        let request = request(browser, method, &self.url(entry));
        match &entry.part_of {
            Some(_) => request.header("hx-request", "true"),
            None => request,
        }
    }

    fn page_request(&self, entry: &Entry, browser: &Browser, form_token: &str) -> RequestBuilder {
        let request = self.request(entry, browser, entry.method());
        match &entry.form {
            Some(form) => request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(format!("{}&form_token={form_token}", self.with_ids(form))),
            None => request.header("x-form-token", form_token),
        }
    }

    fn api_request(&self, entry: &Entry, client: &Client, caller: &str) -> RequestBuilder {
        let mut request = client.request(entry.method(), self.url(entry));
        if let Some(token) = self.tokens.get(caller) {
            request = request.bearer_auth(token);
        }
        if let Some(json) = &entry.json {
            let json = self.with_ids(json);
            request = request.header("content-type", "application/json").body(json);
        }
        request
    }
}

/// As a browser asks from a page of ours.
fn request(browser: &Browser, method: Method, url: &str) -> RequestBuilder {
    browser
        .client
        .request(method, url)
        .header("cookie", &browser.cookies)
        .header("sec-fetch-site", "same-origin")
        .header("origin", &browser.address)
}

/// The code, with 401 for being led to the sign-in.
fn code_of(answer: &Response) -> u16 {
    let location = answer.headers().get("location").map(|it| it.to_str().expect("an address"));
    match location {
        Some(to) if to.starts_with("/account/sign-in") && !to.contains("signed_out") => 401,
        _ => answer.status().as_u16(),
    }
}

/// People, an open conversation of the agent's, a send, a file looked at, a job, and tokens.
fn fill(
    db: &mut Db,
    desk: &TestDesk,
    ids: &mut BTreeMap<&'static str, String>,
    tokens: &mut BTreeMap<&'static str, String>,
) -> Result<(), PersistenceError> {
    let now = desk.clock.now();
    let elsewhere = chatbot::create(db, "Support", "Europe/Madrid", now)?;
    let hash = password::hash(PASSWORD).expect("a hash");
    let mut add = |email, name, chatbot| {
        let new = NewUser {
            email,
            name,
            password_hash: &hash,
            language: None,
            time_zone: None,
            max_tickets: 5,
        };
        let id = user::create(db, &new, now)?;
        user::save_role(db, id, chatbot, Role::Agent)?;
        Ok::<_, PersistenceError>(id)
    };
    let bia = add(ELSEWHERE, "Bia Reis", elsewhere)?;
    add(COLLEAGUE, "Leo Dias", desk.chatbot)?;
    add(DISABLED, "Max Bauer", desk.chatbot)?;

    let policy = policy::find_or_create_default(db, now)?;
    let number = number::create(db, desk.channel, "+551140001000", policy, now)?;
    message_template::save_all(db, "2001", &[template()], now)?;
    let template = message_template::list_of_account(db, "2001")?.first().expect("a template").id;
    channel::mark_webhook_verified(db, desk.channel, now)?;
    let admin = user::find_credentials(db, ADMIN)?.expect("an admin").user;
    let admin = user::find_actor(db, admin)?.expect("an admin");
    let settings = Settings { active_messages_enabled: true, ..Settings::default() };
    let _saved = chatbot::save_settings(db, &admin, desk.chatbot, &settings, now)?;

    presence::enter(db, desk.agent, now)?;
    presence::choose(db, desk.agent, Presence::Online, now)?;
    let mut add_contact = |name: &str, phone: &str| {
        let phone = PhoneNumber::from_e164(phone).ok();
        let new = NewContact { name: name.to_owned(), phone, ..NewContact::default() };
        let id = contact::create(db, &new, now)?;
        contact::join_chatbot(db, desk.chatbot, id, None, None, now)?;
        Ok::<_, PersistenceError>(id)
    };
    let luiza = add_contact("Luiza Prado", "+5511955550321")?;
    let luis = add_contact("Luis Keller", "+4915123456789")?;
    let agent = user::find_actor(db, desk.agent)?.expect("an agent");
    let draft = Draft {
        channel: desk.channel,
        template,
        to: Recipient::Contact(luiza),
        values: BTreeMap::new(),
        refused_media: Vec::new(),
        agent: Some(desk.agent),
        door: Door::Desk,
        ticket: None,
        key: None,
    };
    let outcome = admission::admit_and_queue(db, &agent, &draft, &*desk.clock)?;
    let Outcome::Queued(sent) = outcome else { panic!("not sent: {outcome:?}") };
    let hello = inbound("hello", "5511955550321", "hello", now);
    let hello = WebhookElement { external_id: None, ..hello };
    inbox::apply_unkept(db, desk.channel, &[hello], now)?;

    let file = MediaFile {
        content_type: "image/png".to_owned(),
        size: 4,
        name: "tile.png".to_owned(),
        preview: Some(b"\x89PNG".to_vec()),
    };
    let url = "https://example.com/tile.png";
    let media = compose::save_media(db, desk.agent, url, MediaKind::Image, file, now)?;
    let line = job::TimetableLine {
        name: "tidy".to_owned(),
        schedule: "50 7 * * * *".to_owned(),
        time_zone: "UTC".to_owned(),
        next_run_at: None,
    };
    job::save_timetable(db, &[line])?;

    let mut create = |name, user, scopes: &[ApiScope]| {
        let created = api_token::create(db, user, "CRM", scopes, now)?;
        tokens.insert(name, created.token);
        Ok::<_, PersistenceError>(())
    };
    create("all", desk.agent, &ApiScope::ALL)?;
    create("elsewhere", bia, &ApiScope::ALL)?;
    for scope in ApiScope::ALL {
        create(scope.as_str(), desk.agent, &[scope])?;
    }
    ids.extend([
        ("conversation", format!("{}-{luiza}", desk.chatbot)),
        // The only one there is.
        ("ticket", "1".to_owned()),
        ("message", sent.message.to_string()),
        ("media", media.id),
        ("number", number.to_string()),
        ("luis", luis.to_string()),
        ("template", template.to_string()),
    ]);
    Ok(())
}

fn template() -> PlatformTemplate {
    PlatformTemplate {
        external_id: "1".to_owned(),
        name: "hello".to_owned(),
        language: "en".to_owned(),
        category: TemplateCategory::Utility,
        status: TemplateStatus::Approved,
        named_parameters: true,
        content: TemplateContent {
            header: None,
            body: "May we help?".to_owned(),
            footer: None,
            buttons: Vec::new(),
        },
        quality: None,
        unfillable: None,
    }
}

/// The patterns of the router: each with those of the scopes it stands in.
async fn patterns() -> BTreeSet<String> {
    let app = App::new().configure(web::routes).wrap_fn(|request, _| {
        let map = format!("{:#?}", request.request().resource_map());
        ready(Ok(request.into_response(HttpResponse::Ok().body(map))))
    });
    let app = test::init_service(app).await;
    let answer = test::call_service(&app, test::TestRequest::default().to_request()).await;
    let map = test::read_body(answer).await;
    patterns_in(std::str::from_utf8(&map).expect("text"))
}

/// The patterns in a resource map as it is printed: a node's stand deeper than its parent's.
fn patterns_in(map: &str) -> BTreeSet<String> {
    let mut patterns = BTreeSet::new();
    let mut above: Vec<(usize, String)> = Vec::new();
    let mut lines = map.lines();
    while let Some(line) = lines.next() {
        let depth = line.len() - line.trim_start().len();
        let line = line.trim();
        if line.starts_with("patterns: Single(") {
            let literal = lines.next().expect("a pattern").trim().trim_end_matches(',');
            let own: String = serde_json::from_str(literal).expect("a pattern");
            above.retain(|(other, _)| *other < depth);
            let parent = above.last().map_or("", |(_, parent)| parent);
            above.push((depth, format!("{parent}{own}")));
        } else if line.starts_with("nodes: None") {
            patterns.insert(above.last().expect("a node's pattern").1.clone());
        }
    }
    patterns
}

#[actix_web::test]
async fn c15_every_route_of_the_router_is_listed_with_its_methods() {
    let Listed { page, api } = listed();
    let mut methods: BTreeMap<&str, Vec<Method>> = BTreeMap::new();
    for entry in page.iter().chain(&api) {
        methods.entry(entry.pattern()).or_default().push(entry.method());
    }
    let in_router = patterns().await;
    let in_file: BTreeSet<String> = methods.keys().map(|pattern| (*pattern).to_owned()).collect();
    assert_eq!(in_router, in_file, "left: the router's, right: routes.toml");

    let walk = Walk::over(TestDesk::start());
    let admin = walk.visitor(Some(ADMIN)).await;
    let form_token = walk.form_token(&admin, Some(ADMIN));
    let all = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    for entry in page.iter().chain(&api) {
        let listed = &methods[entry.pattern()];
        // `HEAD` is wherever `GET` is.
        let is_listed = |method: &Method| match *method {
            Method::HEAD => listed.contains(&Method::GET),
            _ => listed.contains(method),
        };
        let unlisted = all.iter().filter(|method| !is_listed(method));
        for method in unlisted {
            let answer = request(&admin, method.clone(), &walk.url(entry))
                .header("x-form-token", &form_token)
                .bearer_auth(&walk.tokens["all"])
                .send()
                .await
                .unwrap();
            let code = answer.status().as_u16();
            assert!(matches!(code, 404 | 405), "{method} {}: {code}", entry.pattern());
        }
    }
}

#[actix_web::test]
async fn c15_each_visitor_is_answered_as_listed() {
    let listed = listed();
    let mut found = vec![Vec::new(); listed.page.len()];
    for email in VISITORS {
        let walk = Walk::over(TestDesk::start());
        let browser = walk.visitor(email).await;
        let form_token = walk.form_token(&browser, email);
        for (entry, codes) in listed.page.iter().zip(&mut found) {
            let answer = walk.page_request(entry, &browser, &form_token).send().await.unwrap();
            codes.push(code_of(&answer));
            if email == Some(ELSEWHERE) && entry.pattern() != "/events" {
                tells_nothing(entry, answer).await;
            }
        }
    }
    compare(&listed.page, found);
}

#[actix_web::test]
async fn what_a_browser_opens_by_itself_is_a_whole_page_or_leads_to_one() {
    let walk = Walk::over(TestDesk::start());
    let admin = walk.visitor(Some(ADMIN)).await;
    let pages = listed().page;
    for entry in pages.iter().filter(|entry| entry.is_safe() && entry.pattern() != "/events") {
        let answer = request(&admin, Method::GET, &walk.url(entry)).send().await.unwrap();
        let Some(page) = &entry.part_of else {
            let kind = answer.headers().get("content-type");
            let is_html = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
            let text = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
            assert!(!is_html || text.starts_with("<!doctype html>"), "{}: {text}", entry.route);
            continue;
        };
        assert_eq!(answer.status(), 303, "{}", entry.route);
        let page = walk.with_ids(page);
        assert_eq!(answer.headers()["location"], page, "{}", entry.route);
        let part = walk.request(entry, &admin, Method::GET).send().await.unwrap();
        let part = part.text().await.unwrap();
        assert!(!part.contains("<html"), "{}: {part}", entry.route);
    }
    let list = "/desk/list?tab=sent&open=1-2&through=3";
    let answer = admin.get(list).send().await.unwrap();
    let page = "/desk/conversations/1-2?tab=sent&open=1-2&through=3";
    assert_eq!(answer.headers()["location"], page, "what the list shows goes with it");
}

#[actix_web::test]
async fn head_is_answered_as_get_without_content() {
    let listed = listed();
    let walk = Walk::over(TestDesk::start());
    let admin = walk.visitor(Some(ADMIN)).await;
    // What each answer tells but its instant.
    let told = |answer: &Response| {
        let mut headers = answer.headers().clone();
        headers.remove("date");
        (answer.status(), headers)
    };
    for entry in listed.page.iter().chain(&listed.api).filter(|entry| entry.is_safe()) {
        let ask = |method| {
            let request = walk.request(entry, &admin, method).bearer_auth(&walk.tokens["all"]);
            request.header("accept-encoding", "identity").send()
        };
        let (get, head) = (ask(Method::GET).await.unwrap(), ask(Method::HEAD).await.unwrap());
        let (mut of_get, of_head) = (told(&get), told(&head));
        // Content without an end has no length, and nothing of it is coming.
        of_get.1.remove("transfer-encoding");
        assert_eq!(of_head, of_get, "{}", entry.route);
        assert!(head.bytes().await.unwrap().is_empty(), "{}", entry.route);
    }
    let compressed = request(&admin, Method::HEAD, &format!("{}/desk/sent", walk.desk.address));
    let compressed = compressed.header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(compressed.status(), 200);
    assert_eq!(compressed.headers()["content-encoding"], "gzip");
    let refused = request(&admin, Method::POST, &format!("{}/livez", walk.desk.address));
    let refused = refused.send().await.unwrap();
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
}

#[actix_web::test]
async fn c15_each_token_is_answered_as_listed() {
    let listed = listed();
    let walk = Walk::over(TestDesk::start());
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut found = vec![Vec::new(); listed.api.len()];
    for caller in CLIENTS {
        for (entry, codes) in listed.api.iter().zip(&mut found) {
            let answer = walk.api_request(entry, &client, caller).send().await.unwrap();
            codes.push(answer.status().as_u16());
            if caller == "elsewhere" {
                tells_nothing(entry, answer).await;
            }
        }
    }
    compare(&listed.api, found);
}

/// C16: whoever is elsewhere reads nothing of this chatbot's people.
async fn tells_nothing(entry: &Entry, answer: Response) {
    let text = String::from_utf8_lossy(&answer.bytes().await.unwrap()).into_owned();
    for private in PRIVATE {
        assert!(!text.contains(private), "{} tells {private}", entry.route);
    }
}

fn compare(entries: &[Entry], found: Vec<Vec<u16>>) {
    let differences: Vec<String> = entries
        .iter()
        .zip(found)
        .filter(|(entry, found)| entry.codes != *found)
        .map(|(entry, found)| format!("{}: {:?} listed, {found:?} found", entry.route, entry.codes))
        .collect();
    assert!(differences.is_empty(), "\n{}", differences.join("\n"));
}

#[actix_web::test]
async fn c7_looking_changes_nothing() {
    // Who was last seen when, and which token was last used.
    const TOUCHED: [&str; 3] = ["sessions", "presences", "api_tokens"];
    let listed = listed();
    let walk = Walk::over(TestDesk::start());
    let client = Client::builder().redirect(Policy::none()).build().unwrap();
    let mut visitors = Vec::new();
    for email in VISITORS {
        visitors.push(walk.visitor(email).await);
    }
    let before = walk.desk.store().dump(&TOUCHED);
    assert!(before["tickets"].len() == 1 && before["active_messages"].len() == 1, "{before:?}");
    for _ in 0..2 {
        for method in [Method::GET, Method::HEAD] {
            for entry in listed.page.iter().filter(|entry| entry.is_safe()) {
                for browser in &visitors {
                    walk.request(entry, browser, method.clone()).send().await.unwrap();
                }
            }
            for entry in listed.api.iter().filter(|entry| entry.is_safe()) {
                for caller in CLIENTS {
                    let mut request = client.request(method.clone(), walk.url(entry));
                    if let Some(token) = walk.tokens.get(caller) {
                        request = request.bearer_auth(token);
                    }
                    request.send().await.unwrap();
                }
            }
        }
    }
    let after = walk.desk.store().dump(&TOUCHED);
    for (table, rows) in &before {
        assert_eq!(rows, &after[table], "{table}");
    }
}
