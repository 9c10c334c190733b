//! A desk on a loopback port over a fresh database, and a browser-like client for it.

#![allow(dead_code, reason = "each test file uses its own part of it")]
#![allow(clippy::expect_used, reason = "a test that cannot have its desk fails where it stands")]

use std::{
    collections::HashMap,
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use actix_web::web::Data;
use chrono::{DateTime, Utc};
use domain::{
    channel::{
        BoxFuture, Channel, ChannelAccess, ChannelError, ChannelKind, MediaFile, MediaProblem,
        NumberReading, OutgoingMessage, SendOutcome, WebhookElement, WebhookRejection,
    },
    clock::Clock,
    clock_guard::ClockJump,
    ids::{ChannelId, ChatbotId, UserId},
    permission::{Role, WorkspacePermission},
    template::{MediaKind, PlatformTemplate},
};
use persistence::{
    channel::{self, NewChannel},
    chatbot,
    error::PersistenceError,
    inbox::WebhookInbox,
    live::Nudges,
    password,
    session::{self, SessionPolicy},
    test_support::TestStore,
    user::{self, NewUser},
};
use reqwest::{Client, RequestBuilder, Response, redirect::Policy};
use tokio_util::sync::CancellationToken;
use web::{Channels, Desk, DeskParts, WebSettings};

/// How long anything may take before a test fails: far longer than it does, as the machine may be busy with
/// other work.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub const PASSWORD: &str = "correct horse battery";
pub const AGENT: &str = "ana@example.com";
pub const MANAGER: &str = "rui@example.com";
pub const ADMIN: &str = "eva@example.com";

/// 22 Nov 2026, 17:02 UTC, and a monotonic reading, both moved by hand; trusted unless told otherwise.
pub struct TestClock(AtomicI64, AtomicBool);

impl TestClock {
    const START: i64 = 1_795_366_920_000;

    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(i64::try_from(by.as_millis()).expect("a short while"), Ordering::SeqCst);
    }

    /// From now on it is the clock of a process that saw it jump, or no more.
    pub fn distrust(&self, is_distrusted: bool) {
        self.1.store(is_distrusted, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(self.0.load(Ordering::SeqCst)).expect("an instant")
    }

    fn monotonic(&self) -> Duration {
        let since = self.0.load(Ordering::SeqCst) - Self::START;
        Duration::from_millis(u64::try_from(since).expect("forwards"))
    }

    fn jump(&self) -> Option<ClockJump> {
        let jump = ClockJump { by: chrono::TimeDelta::hours(1), noticed_at: self.monotonic() };
        self.1.load(Ordering::SeqCst).then_some(jump)
    }
}

/// Takes the signature `good`, and nothing else.
struct FakeChannel;

impl Channel for FakeChannel {
    fn verify(
        &self,
        _: &ChannelAccess,
        signature: Option<&str>,
        _: &[u8],
    ) -> Result<(), WebhookRejection> {
        if signature == Some("good") { Ok(()) } else { Err(WebhookRejection::BadSignature) }
    }

    fn parse(&self, _: &[u8]) -> Result<Vec<WebhookElement>, WebhookRejection> {
        unreachable!("pages do not parse")
    }

    fn send<'a>(
        &'a self,
        _: &'a ChannelAccess,
        _: &'a OutgoingMessage,
    ) -> BoxFuture<'a, SendOutcome> {
        unreachable!("pages do not send")
    }

    fn list_templates<'a>(
        &'a self,
        _: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<Vec<PlatformTemplate>, ChannelError>> {
        unreachable!("no page asks for it here")
    }

    fn read_number<'a>(
        &'a self,
        _: &'a ChannelAccess,
    ) -> BoxFuture<'a, Result<NumberReading, ChannelError>> {
        unreachable!("no page asks for it here")
    }

    /// Finds a small image behind `/tile.png`, a document behind `/quote.pdf`, and nothing elsewhere.
    fn inspect_media<'a>(
        &'a self,
        url: &'a str,
        kind: MediaKind,
    ) -> BoxFuture<'a, Result<MediaFile, MediaProblem>> {
        let found = match (kind, url.rsplit('/').next()) {
            (MediaKind::Image, Some("tile.png")) => Ok(MediaFile {
                content_type: "image/png".to_owned(),
                size: 2_048,
                name: "tile.png".to_owned(),
                preview: Some(b"\x89PNG".to_vec()),
            }),
            (MediaKind::Image, Some("quote.pdf")) => {
                Err(MediaProblem::WrongKind { found: "application/pdf".to_owned() })
            }
            (_, Some("inner")) => Err(MediaProblem::Forbidden),
            (_, Some("gone.png")) => Err(MediaProblem::Missing),
            (_, Some("huge.png")) => Err(MediaProblem::TooLarge { limit: 5 * 1024 * 1024 }),
            _ => Err(MediaProblem::Unreachable),
        };
        Box::pin(async { found })
    }
}

/// A desk that serves until it is dropped.
pub struct TestDesk {
    pub address: String,
    pub desk: Data<Desk>,
    pub clock: Arc<TestClock>,
    pub chatbot: ChatbotId,
    pub channel: ChannelId,
    pub agent: UserId,
    inbox: Arc<WebhookInbox>,
    store: TestStore,
}

impl Drop for TestDesk {
    fn drop(&mut self) {
        self.desk.stopping.cancel();
        let inbox = self.inbox.clone();
        // The inbox's thread is told from outside the runtime, as `janela` does.
        let stopped = std::thread::spawn(move || inbox.stop()).join();
        assert!(stopped.is_ok(), "the inbox stops");
    }
}

impl TestDesk {
    /// A desk behind `http://127.0.0.1:PORT`.
    pub fn start() -> Self {
        Self::start_behind(None)
    }

    /// A desk that browsers reach by `public_url`; `None` for its own address.
    pub fn start_behind(public_url: Option<&str>) -> Self {
        Self::start_on(TestStore::sqlite(), public_url)
    }

    /// A desk over `store`.
    pub fn start_on(store: TestStore, public_url: Option<&str>) -> Self {
        // A second test in the same process finds it installed already.
        let _installed = rustls::crypto::ring::default_provider().install_default();
        let clock = Arc::new(TestClock(AtomicI64::new(TestClock::START), AtomicBool::new(false)));
        let now = clock.now();
        let vault = store.vault().expect("unlocked");
        let hash = password::hash(PASSWORD).expect("a hash");
        let (chatbot, channel, agent) = store
            .blocking_write(|db| {
                let chatbot = chatbot::create(db, "Sales Brazil", "America/Sao_Paulo", now)?;
                let new_channel = NewChannel {
                    chatbot,
                    kind: ChannelKind::WhatsApp,
                    name: "Main",
                    external_id: "1001",
                    account_id: "2001",
                    api_base_url: "http://127.0.0.1:9",
                    access_token: "token",
                    app_secret: "secret",
                    verify_token: "verify-me",
                };
                let channel = channel::create(db, &vault, &new_channel, now)?;
                let mut add = |email, name, role| {
                    let new = NewUser {
                        email,
                        name,
                        password_hash: &hash,
                        language: None,
                        time_zone: None,
                        max_tickets: 5,
                    };
                    let id = user::create(db, &new, now)?;
                    user::save_role(db, id, chatbot, role)?;
                    Ok::<_, PersistenceError>(id)
                };
                let agent = add(AGENT, "Ana Lima", Role::Agent)?;
                add(MANAGER, "Rui Paz", Role::Manager)?;
                let admin = add(ADMIN, "Eva Sol", Role::Admin)?;
                user::save_workspace_permissions(db, admin, &WorkspacePermission::ALL)?;
                Ok((chatbot, channel, agent))
            })
            .expect("a seeded desk");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let nudges = Arc::new(Nudges::default());
        let inbox = Arc::new(WebhookInbox::start(&store, nudges.clone()).expect("an inbox"));
        let fake: Arc<dyn Channel> = Arc::new(FakeChannel);
        let channels: Channels = HashMap::from([(ChannelKind::WhatsApp, fake)]);
        let desk = Data::new(Desk::new(DeskParts {
            store: store.clone(),
            clock: clock.clone(),
            nudges,
            inbox: inbox.clone(),
            channels,
            settings: WebSettings {
                public_url: public_url.unwrap_or(&address).parse().expect("a URL"),
                zone: chrono_tz::America::Sao_Paulo,
                sessions: SessionPolicy::default(),
                hash_parallelism: 2,
            },
            stopping: CancellationToken::new(),
        }));
        let server = web::server(desk.clone(), listener).expect("a server");
        actix_web::rt::spawn(server);
        Self { address, desk, clock, chatbot, channel, agent, inbox, store }
    }

    pub fn browser(&self) -> Browser {
        let client = Client::builder().redirect(Policy::none()).build().expect("a client");
        Browser { client, address: self.address.clone(), cookies: String::new() }
    }

    /// A browser in which `email` is signed in.
    pub async fn signed_in(&self, email: &str) -> Browser {
        let mut browser = self.browser();
        let answer = browser.sign_in(email, PASSWORD).await;
        assert_eq!(answer.status(), 303, "signs in");
        browser.keep_session(&answer);
        browser
    }

    /// The form token of the session in `browser`.
    pub fn form_token(&self, browser: &Browser) -> String {
        let (_, token) = browser.cookies.split_once('=').expect("a session cookie");
        let (policy, now) = (SessionPolicy::default(), self.clock.now());
        let found = self.store.blocking_read(|db| session::find_signed_in(db, token, policy, now));
        found.expect("a database").expect("a session").form_token
    }

    pub fn store(&self) -> &TestStore {
        &self.store
    }
}

/// Requests as a browser sends them: same origin, with the cookies it was given.
pub struct Browser {
    pub client: Client,
    pub address: String,
    pub cookies: String,
}

impl Browser {
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.address)).header("cookie", &self.cookies)
    }

    /// As a script of ours asks for a part of a page.
    pub fn fragment(&self, path: &str) -> RequestBuilder {
        self.get(path).header("hx-request", "true")
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.bare_post(path).header("sec-fetch-site", "same-origin").header("origin", &self.address)
    }

    /// Without what a browser says of where the request comes from.
    pub fn bare_post(&self, path: &str) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.address)).header("cookie", &self.cookies)
    }

    pub async fn sign_in(&self, email: &str, password: &str) -> Response {
        let form = [("email", email), ("password", password), ("next", "")];
        self.post("/account/sign-in").form(&form).send().await.expect("an answer")
    }

    /// Keeps the session cookie of an answer.
    pub fn keep_session(&mut self, answer: &Response) {
        let cookie = session_cookie(answer);
        self.cookies = cookie.split(';').next().expect("a cookie").to_owned();
    }
}

/// The `Set-Cookie` of the session.
pub fn session_cookie(answer: &Response) -> String {
    answer
        .headers()
        .get_all("set-cookie")
        .iter()
        .map(|cookie| cookie.to_str().expect("text").to_owned())
        .find(|cookie| cookie.contains("janela_session="))
        .expect("a session cookie")
}

/// What an answer leaves for the next page to say: the cookie, and how a browser sends it back. `None` when it
/// leaves nothing, or has the browser forget it.
pub fn left_to_say(answer: &Response) -> Option<(String, String)> {
    let cookies = answer.headers().get_all("set-cookie").iter();
    let cookie =
        cookies.map(|it| it.to_str().expect("text")).find(|it| it.contains("janela_said="))?;
    let sent = cookie.split(';').next().filter(|sent| !sent.ends_with('='))?;
    Some((cookie.to_owned(), sent.to_owned()))
}
