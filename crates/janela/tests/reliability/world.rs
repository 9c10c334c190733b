//! A desk at a sandbox, and the processes that serve it: started, killed, stopped and frozen by a test.

use std::{
    any::Any,
    fs::File,
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU16, AtomicU32, Ordering},
    time::{Duration, Instant},
};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{QueryableByName, RunQueryDsl, sql_types::BigInt};
use domain::{
    channel::ChannelKind,
    ids::{ChannelId, UserId},
    permission::{Permission, Role},
    policy::Policy,
    presence::Presence,
    template::PlatformTemplate,
};
use persistence::{
    api_token::{self, ApiScope},
    channel::{self, NewChannel},
    chatbot,
    db::Db,
    error::PersistenceError,
    message_template, number, policy, presence,
    session::{self, SessionPolicy},
    store::{DatabaseSettings, Store},
    test_support::{TEST_KEY, TestStore, rounds, test_key},
    user::{self, NewUser},
};
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::platform::Platform;

/// Far longer than anything takes, as the machine may be busy with other work.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// How long something may take: `full` as the requirements have it, in the full form, which runs alone on the machine with
/// a release binary; `short` in the short form, a build for debugging beside three other tests on two slow cores. There
/// it is still far less than what the fault that is looked for would cost.
pub fn seconds(short: usize, full: usize) -> Duration {
    Duration::from_secs(rounds(short, full) as u64)
}

/// The agent in whose name everything is sent.
pub const AGENT: &str = "ana@example.com";

/// How long one call may take, how long a message is leased, and how long an unknown outcome is waited for: short, so
/// that a test sees the end of them.
const CALL_SECONDS: i64 = 4;
pub const LEASE_SECONDS: i64 = 8;
pub const HORIZON_SECONDS: i64 = 14;

/// Which database a world is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl Kind {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// A desk, its database and its sandbox.
pub struct World {
    pub store: Store,
    pub platform: Platform,
    pub client: Client,
    /// The desk's channels, as the sandbox's numbers.
    pub channels: Vec<ChannelId>,
    pub agent: UserId,
    tokens: Vec<String>,
    settings: DatabaseSettings,
    folder: tempfile::TempDir,
    places: [Place; 4],
    extra: Vec<(String, String)>,
    _database: Box<dyn Any + Send + Sync>,
}

/// Where a process of the desk listens.
#[derive(Debug, Clone, Copy)]
struct Place {
    desk: SocketAddr,
    metrics: SocketAddr,
}

impl World {
    /// A fresh desk on a database of its own.
    pub async fn on(kind: Kind) -> Self {
        let test = match kind {
            Kind::Sqlite => TestStore::sqlite(),
            Kind::Postgres => TestStore::postgres(),
        };
        let mut settings = test.settings().clone();
        if kind == Kind::Sqlite {
            settings.url = format!("sqlite:{}", settings.data_dir.join("test.db").display());
        }
        Self::set_up((*test).clone(), settings, Box::new(test)).await
    }

    /// A fresh desk on an empty database, which `guard` keeps.
    pub async fn at(settings: DatabaseSettings, guard: Box<dyn Any + Send + Sync>) -> Self {
        let store = Store::open(&settings).expect("the database opens");
        store.migrate().expect("it migrates");
        store.unlock(&test_key()).expect("it unlocks");
        Self::set_up(store, settings, guard).await
    }

    async fn set_up(
        store: Store,
        settings: DatabaseSettings,
        guard: Box<dyn Any + Send + Sync>,
    ) -> Self {
        let platform = Platform::start(20);
        platform.lift_limits(10_000).await;
        let made = set_up_desk(&store, &platform);
        let place = || Place { desk: free_address(), metrics: free_address() };
        Self {
            store,
            platform,
            client: client(),
            channels: made.channels,
            agent: made.agent,
            tokens: made.tokens,
            settings,
            folder: tempfile::tempdir().expect("a folder"),
            places: [place(), place(), place(), place()],
            extra: Vec::new(),
            _database: guard,
        }
    }

    /// A setting of every process started from now on.
    pub fn set(&mut self, name: &str, value: &str) {
        self.extra.retain(|(known, _)| known != name);
        self.extra.push((name.to_owned(), value.to_owned()));
    }

    /// Where processes find the database from now on, such as behind a [`crate::relay::Relay`].
    pub fn move_database(&mut self, url: String) {
        self.settings.url = url;
    }

    /// A command of this desk's `nth` process.
    pub fn command(&self, nth: usize, arguments: &[&str]) -> Command {
        let folder = self.folder.path().join(format!("node-{nth}"));
        std::fs::create_dir_all(&folder).expect("a folder");
        let mut command = janela(arguments);
        command
            .env("JANELA_DATABASE_URL", &self.settings.url)
            .env("JANELA_DATA_DIR", folder)
            .env("JANELA_SECRET_KEY", TEST_KEY)
            .env("JANELA_BIND", self.places[nth].desk.to_string())
            .env("JANELA_METRICS_BIND", self.places[nth].metrics.to_string())
            .env("JANELA_OUTGOING_ALLOW", self.platform.host_and_port())
            .env("JANELA_CALL_SECONDS", CALL_SECONDS.to_string())
            .env("JANELA_LEASE_SECONDS", LEASE_SECONDS.to_string())
            .env("JANELA_UNKNOWN_OUTCOME_SECONDS", HORIZON_SECONDS.to_string())
            .env("JANELA_LOG", "warn")
            .envs(self.extra.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A folder for what a test keeps.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Where the log of the `nth` process is, of all its starts.
    pub fn log_of(&self, nth: usize) -> PathBuf {
        self.folder.path().join(format!("node-{nth}.log"))
    }

    /// Starts the `nth` process, and waits until it is ready.
    pub async fn serve(&self, nth: usize) -> Node {
        self.serve_as(nth, "all").await
    }

    /// [`Self::serve`] with a role.
    pub async fn serve_as(&self, nth: usize, role: &str) -> Node {
        let mut node = self.launch(nth, role);
        node.until_ready(&self.client).await;
        node
    }

    /// Starts the `nth` process, and waits for nothing.
    pub fn launch(&self, nth: usize, role: &str) -> Node {
        self.launch_command(nth, role, self.command(nth, &["serve", "--role", role]))
    }

    /// [`Self::launch`] of a command that was made ready otherwise.
    pub fn launch_command(&self, nth: usize, role: &str, mut command: Command) -> Node {
        let path = self.log_of(nth);
        let log = File::options().create(true).append(true).open(&path).expect("a log");
        let process = command.stderr(log).spawn().expect("janela starts");
        let place = self.places[nth];
        Node {
            process,
            url: format!("http://{}", place.desk),
            metrics: format!("http://{}/metrics", place.metrics),
            is_worker: role == "worker",
            log: path,
        }
    }

    /// The address of the `nth` process, running or not.
    pub fn url_of(&self, nth: usize) -> String {
        format!("http://{}", self.places[nth].desk)
    }

    pub fn address_of(&self, nth: usize) -> SocketAddr {
        self.places[nth].desk
    }

    /// Where the webhooks of the first channel go at the process or relay at `url`.
    pub fn webhook_at(&self, url: &str) -> String {
        format!("{url}/webhooks/whatsapp/{}", self.channels[0])
    }

    /// A bearer token of the API; they take turns, so that none asks too often.
    pub fn token(&self) -> &str {
        static TURN: AtomicU32 = AtomicU32::new(0);
        let turn = TURN.fetch_add(1, Ordering::Relaxed) as usize;
        &self.tokens[turn % self.tokens.len()]
    }

    /// Always the same token.
    pub fn first_token(&self) -> &str {
        &self.tokens[0]
    }

    /// The body of the API's call that sends the plain template over the `channel`th channel.
    pub fn order(&self, channel: usize, nth: u32) -> Value {
        json!({
            "channel": self.channels[channel].to_string(),
            "template": { "name": "come_back", "language": "pt_BR" },
            "to": { "phone": phone(nth) },
            "variables": { "name": "Ana" },
            "agent": AGENT,
        })
    }

    /// Asks once for a send; `None` without an answer.
    pub async fn ask(&self, url: &str, token: &str, key: &str, order: &Value) -> Option<Answer> {
        let request = self
            .client
            .post(format!("{url}/api/v1/active-messages"))
            .bearer_auth(token)
            .header("idempotency-key", key)
            .json(order);
        let answer = request.send().await.ok()?;
        let status = answer.status();
        Some(Answer { status, body: answer.json().await.unwrap_or(Value::Null) })
    }

    /// Sends to the `nth` customer over the first channel and does not give up: asks again with the same key, as a
    /// client does that got no answer. Returns the message's id.
    pub async fn send(&self, url: &str, nth: u32) -> i64 {
        self.send_over(0, url, nth).await
    }

    /// [`Self::send`] over the `channel`th channel.
    pub async fn send_over(&self, channel: usize, url: &str, nth: u32) -> i64 {
        // The owner of a key is the token.
        let token = &self.tokens[nth as usize % self.tokens.len()];
        let (key, order) = (format!("send-{nth}"), self.order(channel, nth));
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.ask(url, token, &key, &order).await {
                Some(answer) if answer.status == StatusCode::ACCEPTED => {
                    let id = answer.body["id"].as_str().and_then(|id| id.parse().ok());
                    return id.expect("the message's id");
                }
                Some(answer) if answer.status.is_client_error() && answer.status != 429 => {
                    panic!("send {nth}: {} {}", answer.status, answer.body)
                }
                _ => {}
            }
            assert!(Instant::now() < deadline, "send {nth} is not taken within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// The cookie of a session of the agent's.
    pub fn session(&self) -> String {
        let (agent, now) = (self.agent, now());
        let policy = SessionPolicy {
            idle: TimeDelta::hours(1),
            idle_of_admins: TimeDelta::hours(1),
            absolute: TimeDelta::hours(1),
        };
        let opened =
            self.store.blocking_write(|db| session::open(db, agent, "test", None, policy, now));
        format!("janela_session={}", opened.expect("a session").token)
    }

    /// What a query of one number answers.
    pub fn count(&self, query: &str) -> i64 {
        count(&self.store, query)
    }

    /// Runs a statement; again, when the database let someone else go first.
    pub fn run(&self, statement: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let done =
                self.store.blocking_write(|db| Ok(diesel::sql_query(statement).execute(db)?));
            match done {
                Ok(_) => return,
                Err(PersistenceError::Busy) if Instant::now() < deadline => {}
                Err(error) => panic!("{statement}: {error:?}"),
            }
        }
    }
}

impl Drop for World {
    /// Shows what the processes said last, for whoever looks why a test failed.
    fn drop(&mut self) {
        if std::thread::panicking() {
            for nth in 0..self.places.len() {
                let said = tail_of(&self.log_of(nth));
                if !said.is_empty() {
                    eprintln!("the last words of process {nth}:\n{said}");
                }
            }
        }
    }
}

/// An answer of the API.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub body: Value,
}

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// What `query`, which names its one number `n`, answers.
pub fn count(store: &Store, query: &str) -> i64 {
    let counted = store.blocking_read(|db| {
        let row: Counted = diesel::sql_query(query).get_result(db)?;
        Ok(row.n)
    });
    counted.unwrap_or_else(|error| panic!("{query}: {error:?}"))
}

/// The number of the `nth` customer.
pub fn phone(nth: u32) -> String {
    format!("+5511{}", 970_000_000 + nth)
}

/// A process of the desk; killed when dropped.
pub struct Node {
    process: Child,
    pub url: String,
    pub metrics: String,
    is_worker: bool,
    log: PathBuf,
}

impl Node {
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Ends it at once, and puts nothing in order.
    pub fn kill(mut self) {
        self.kill_in_place();
    }

    /// [`Self::kill`] of one that keeps its place.
    pub fn kill_in_place(&mut self) {
        self.process.kill().and_then(|()| self.process.wait()).expect("SIGKILL");
    }

    /// Sends a signal, such as `TERM`, `STOP` or `CONT`.
    pub fn signal(&self, name: &str) {
        let pid = self.process.id().to_string();
        let told = Command::new("kill").args([&format!("-{name}"), &pid]).status().expect("kill");
        assert!(told.success(), "SIG{name}");
    }

    /// Waits for its end; `None` when it still runs.
    pub async fn ended(&mut self, within: Duration) -> Option<ExitStatus> {
        let deadline = Instant::now() + within;
        loop {
            let ended = self.process.try_wait().expect("a child");
            if ended.is_some() || deadline < Instant::now() {
                return ended;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.process.try_wait().expect("a child").is_none()
    }

    /// Waits until it is ready to work.
    pub async fn until_ready(&mut self, client: &Client) {
        let ready =
            if self.is_worker { self.metrics.clone() } else { format!("{}/readyz", self.url) };
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.process.try_wait().expect("a child") {
                panic!("it ends instead of serving: {status}\n{}", tail_of(&self.log));
            }
            if client.get(&ready).send().await.is_ok_and(|it| it.status().is_success()) {
                return;
            }
            assert!(Instant::now() < deadline, "not ready within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The status of a page or probe; `None` without an answer.
    pub async fn status(&self, client: &Client, path: &str) -> Option<StatusCode> {
        let answer = client.get(format!("{}{path}", self.url)).send().await;
        answer.ok().map(|answer| answer.status())
    }

    /// The sum of a metric's lines that hold `label`.
    pub async fn metric(&self, client: &Client, name: &str, label: &str) -> f64 {
        let answer = client.get(&self.metrics).send().await.expect("metrics");
        let text = answer.text().await.expect("text");
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// What it keeps in memory, in mebibytes.
    pub fn resident_mebibytes(&self) -> f64 {
        let path = format!("/proc/{}/status", self.process.id());
        let status = std::fs::read_to_string(path).expect("the process");
        let line = status.lines().find(|line| line.starts_with("VmRSS")).expect("VmRSS");
        let kibibytes =
            line.split_whitespace().nth(1).and_then(|number| number.parse::<f64>().ok());
        kibibytes.expect("a figure") / 1_024.0
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _gone_already = self.process.kill();
        let _status = self.process.wait();
    }
}

/// The last lines of a log.
pub fn tail_of(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}

/// `janela`, without settings of whoever runs the test: the binary that `JANELA_TEST_BINARY` names, else the one that
/// was built with this test.
pub fn janela(arguments: &[&str]) -> Command {
    let own = || env!("CARGO_BIN_EXE_janela").into();
    let mut command = Command::new(std::env::var_os("JANELA_TEST_BINARY").unwrap_or_else(own));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("JANELA_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// A client as the platform or a program is one: no redirects, no kept connections, patience of 30 s.
pub fn client() -> Client {
    let _another_is_as_good = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(Duration::from_secs(30))
        .build()
        .expect("a client")
}

/// The instant it is.
#[allow(clippy::disallowed_methods, reason = "these tests run beside real processes, in real time")]
pub fn now() -> DateTime<Utc> {
    Utc::now()
}

pub fn seconds_now() -> i64 {
    now().timestamp()
}

/// Waits until `condition` gives something, for `within` at most.
pub async fn until<T>(
    what: &str,
    within: Duration,
    mut condition: impl AsyncFnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {within:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A free address below the ports that the system gives to clients, so that nobody is given it while a process
/// restarts.
pub fn free_address() -> SocketAddr {
    const FIRST: u16 = 20_000;
    const PORTS: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let own = u16::try_from(std::process::id() * 64 % u32::from(PORTS)).unwrap_or_default();
    (0..PORTS)
        .map(|_| {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + own.wrapping_add(step) % PORTS))
        })
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("a free port")
}

/// Numbers that look random and are the same in each run.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number from 0 up to `below`.
    pub fn roll(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below.max(1)
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = usize::try_from(self.roll(last as u64 + 1)).unwrap_or_default();
            items.swap(last, other);
        }
    }
}

struct Made {
    channels: Vec<ChannelId>,
    agent: UserId,
    tokens: Vec<String>,
}

/// One chatbot with a channel for each of the sandbox's numbers, and one agent who is online.
fn set_up_desk(store: &Store, platform: &Platform) -> Made {
    let vault = store.vault().expect("an open vault");
    let now = now();
    let made = store.blocking_write(|db| {
        db.write(|db| {
            let mut rules = Policy::default_profile();
            rules.active_messages.unknown_outcome_wait = TimeDelta::seconds(HORIZON_SECONDS);
            policy::find_or_create_default(db, now)?;
            let policy = policy::save_version(db, "reliability", &rules, now)?;
            let chatbot = chatbot::create(db, "Service", "Europe/Lisbon", now)?;
            let mut channels = Vec::new();
            for nth in 0..platform.numbers.len() {
                let new = NewChannel {
                    chatbot,
                    kind: ChannelKind::WhatsApp,
                    name: &format!("Number {nth}"),
                    external_id: platform.word(nth, "phone_number_id"),
                    account_id: platform.word(nth, "waba_id"),
                    api_base_url: &format!("{}/v25.0", platform.url()),
                    access_token: platform.word(nth, "access_token"),
                    app_secret: platform.word(nth, "app_secret"),
                    verify_token: platform.word(nth, "verify_token"),
                };
                let channel = channel::create(db, &vault, &new, now)?;
                number::create(db, channel, &format!("+35121000000{nth}"), policy, now)?;
                let account = platform.word(nth, "waba_id");
                message_template::save_all(db, account, &[template()], now)?;
                channels.push(channel);
            }
            let agent = add_agent(db, chatbot, now)?;
            let token = |db: &mut Db| api_token::create(db, agent, "test", &ApiScope::ALL, now);
            let tokens = (0..8).map(|_| Ok(token(db)?.token)).collect::<Result<_, _>>();
            let tokens = tokens.map_err(|error: PersistenceError| error)?;
            for statement in [
                "UPDATE numbers SET level = 3, throughput = 1000",
                "UPDATE chatbots SET active_messages_enabled = TRUE, all_day_service = TRUE",
            ] {
                diesel::sql_query(statement).execute(db)?;
            }
            Ok(Made { channels, agent, tokens })
        })
    });
    made.expect("a desk")
}

fn add_agent(
    db: &mut Db,
    chatbot: domain::ids::ChatbotId,
    now: DateTime<Utc>,
) -> Result<UserId, PersistenceError> {
    let new = NewUser {
        email: AGENT,
        name: "Ana",
        password_hash: "none",
        language: None,
        time_zone: None,
        max_tickets: 5,
    };
    let agent = user::create(db, &new, now)?;
    user::save_membership(db, agent, chatbot, Role::Admin, &Permission::ALL)?;
    presence::enter(db, agent, now)?;
    presence::stream_opened(db, agent, now)?;
    presence::choose(db, agent, Presence::Online, now)?;
    Ok(agent)
}

fn template() -> PlatformTemplate {
    let body = "Oi {{name}}, sentimos a sua falta. Temos novidades na loja.";
    PlatformTemplate {
        named_parameters: true,
        ..PlatformTemplate::of_text("come_back", "pt_BR", body)
    }
}
