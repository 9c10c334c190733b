//! Starts the running desk for a journey: `janela demo` as a process on free ports, on the database asked for.
//!
//! *Lives here*: starting, stopping, signing in, waiting for a condition. *Must not live here*: what a
//! journey asserts; that stands in the journey.

#![expect(clippy::expect_used, reason = "a journey whose desk is not there fails where it stands")]

mod desk;
mod installation;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, Instant},
};

/// How long anything may take before a journey fails: far longer than it does, so that a machine busy with
/// other work is no reason to fail.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub use self::{
    desk::{Agent, COMPOSE, PLAIN, Row, Shown, template_called},
    installation::{Installation, Ran, Server},
};

use reqwest::{Client, RequestBuilder, StatusCode, header, multipart, redirect::Policy};
use serde_json::Value;

/// The database a journey runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// A file in the demo's folder.
    Sqlite,
    /// A database of its own on the server named by `JANELA_TEST_POSTGRES_URL`.
    Postgres,
}

/// A running demo; stops when dropped.
pub struct Demo {
    process: Child,
    folder: tempfile::TempDir,
    /// What `janela demo --json` printed.
    pub line: Value,
}

/// Where the binary under test is.
///
/// # Panics
/// When it was not built.
#[must_use]
pub fn binary() -> PathBuf {
    let path = std::env::var_os("JANELA_TEST_BINARY").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/debug/janela"),
        PathBuf::from,
    );
    assert!(path.is_file(), "{} is missing: run `cargo build --workspace` first", path.display());
    path
}

impl Demo {
    /// Starts a demo whose customers react a hundred times faster.
    ///
    /// # Panics
    /// When it does not serve within twice the [`PATIENCE`].
    #[must_use]
    pub fn start(database: Database) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let url = (database == Database::Postgres).then(create_postgres_database);
        let process_and_line = launch(folder.path(), url.as_deref());
        Self { process: process_and_line.0, folder, line: process_and_line.1 }
    }

    /// An address of the line, such as `desk` or `sandbox`.
    ///
    /// # Panics
    /// When the line has no such address.
    #[must_use]
    pub fn url(&self, name: &str) -> &str {
        self.line[name].as_str().expect("an address").trim_end_matches('/')
    }

    /// The data folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The bearer token of the API.
    #[must_use]
    pub fn token(&self) -> &str {
        self.line["api_token"].as_str().unwrap_or_default()
    }

    /// A call of the API with the demo's token.
    pub fn api(&self, client: &Client, method: reqwest::Method, path: &str) -> RequestBuilder {
        client
            .request(method, format!("{}/api/v1{path}", self.url("desk")))
            .bearer_auth(self.token())
    }

    /// Posts to the sandbox's control API.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn control(&self, client: &Client, path: &str, body: &Value) -> Value {
        let answer = client
            .post(format!("{}/control{path}", self.url("sandbox")))
            .json(body)
            .send()
            .await
            .expect("the sandbox answers");
        assert!(answer.status().is_success(), "control{path}: {}", answer.status());
        answer.json().await.unwrap_or(Value::Null)
    }

    /// Reads from the sandbox's control API.
    ///
    /// # Panics
    /// When the sandbox refuses.
    pub async fn look(&self, client: &Client, path: &str) -> Value {
        let url = format!("{}/control{path}", self.url("sandbox"));
        let answer = client.get(url).send().await.expect("the sandbox answers");
        answer.json().await.expect("JSON")
    }

    /// Signs in the first user of `role` and returns a browser that keeps the session.
    ///
    /// # Panics
    /// When the desk does not let them in.
    pub async fn sign_in(&self, role: &str) -> Browser {
        let users = self.line["users"].as_array().expect("users");
        let user = users.iter().find(|user| user["role"] == role).expect("a user of the role");
        self.sign_in_user(user).await
    }

    /// Signs in the user with this address.
    ///
    /// # Panics
    /// When the demo has no such user, or the desk does not let them in.
    pub async fn sign_in_as(&self, email: &str) -> Browser {
        let users = self.line["users"].as_array().expect("users");
        let user = users.iter().find(|user| user["email"] == email).expect("the user");
        self.sign_in_user(user).await
    }

    async fn sign_in_user(&self, user: &Value) -> Browser {
        let browser = Browser::new(self.url("desk"));
        let [email, password] =
            ["email", "password"].map(|name| user[name].as_str().unwrap_or_default());
        let status = browser.sign_in(email, password).await;
        assert_eq!(status, StatusCode::SEE_OTHER, "{email} signs in");
        browser
    }

    /// How often the sandbox was asked to send something to `phone`, in E.164.
    ///
    /// # Panics
    /// When one request came more than once.
    pub async fn count_sends_to(&self, client: &Client, phone: &str) -> usize {
        let ledger = self.look(client, "/ledger").await;
        let to = phone.trim_start_matches('+');
        let entries = ledger.as_array().expect("a list").iter().filter(|entry| entry["to"] == to);
        entries.inspect(|entry| assert_eq!(entry["times"], 1, "sent twice: {entry}")).count()
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn launch(folder: &Path, database_url: Option<&str>) -> (Child, Value) {
    let mut command = Command::new(binary());
    command
        .args(["demo", "--json", "--bind", "127.0.0.1:0", "--sandbox-bind", "127.0.0.1:0"])
        .args(["--speed", "100", "--data-dir"])
        .arg(folder)
        .env("JANELA_LOG", "warn")
        .stdout(Stdio::piped());
    if let Some(url) = database_url {
        command.args(["--database-url", url]);
    }
    let mut process = command.spawn().expect("janela starts");
    let stdout = process.stdout.take().expect("a pipe");
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        let _ = sender.send(read.map(|_| line));
    });
    let line = receiver.recv_timeout(2 * PATIENCE);
    let line = line.map_err(|error| error.to_string()).and_then(|read| {
        serde_json::from_str(&read.map_err(|error| error.to_string())?)
            .map_err(|error| error.to_string())
    });
    match line {
        Ok(line) => (process, line),
        Err(why) => {
            // Nobody else would end it: `Demo` does not exist yet.
            let _ = process.kill();
            let _ = process.wait();
            panic!("the demo does not serve: {why}");
        }
    }
}

/// Creates a database of its own on the test server and returns its URL.
fn create_postgres_database() -> String {
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let server = std::env::var("JANELA_TEST_POSTGRES_URL")
        .expect("JANELA_TEST_POSTGRES_URL names a server (tests/run starts one)");
    let count = DATABASES.fetch_add(1, Ordering::Relaxed);
    let name = format!("journey_{}_{count}", std::process::id());
    // A template that nobody is ever connected to, as `template1` may be.
    let create = format!("CREATE DATABASE {name} TEMPLATE template0");
    let created = Command::new("psql")
        .args([server.as_str(), "-q", "-c", &create])
        .status()
        .expect("psql runs");
    assert!(created.success(), "a database for the journey");
    server.replacen("/postgres?", &format!("/{name}?"), 1)
}

/// An HTTP client that keeps cookies, follows no redirect, and opens a connection for each request: one kept
/// open may be closed by the desk in the very moment of its next use.
///
/// # Panics
/// When it cannot be built.
#[must_use]
pub fn client() -> Client {
    // A second installation finds the first one's provider in place, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .cookie_store(true)
        .redirect(Policy::none())
        .pool_max_idle_per_host(0)
        .timeout(PATIENCE)
        .build()
        .expect("a client")
}

/// Someone at a browser: keeps the session, sends Origin and the form's token.
pub struct Browser {
    /// The client that keeps the session.
    pub client: Client,
    desk: String,
}

impl Browser {
    /// A browser that has seen nothing yet.
    ///
    /// # Panics
    /// When the client cannot be built.
    #[must_use]
    pub fn new(desk: &str) -> Self {
        Self { client: client(), desk: desk.to_owned() }
    }

    /// Types an address and a password into the sign-in page, and returns how the desk answers.
    ///
    /// # Panics
    /// When the desk does not answer.
    pub async fn sign_in(&self, email: &str, password: &str) -> StatusCode {
        let page = self.page("/account/sign-in").await;
        let typed = [("email", email), ("password", password)];
        self.submit("/account/sign-in", &page, &typed).await.status()
    }

    /// Gets a path and returns the answer.
    ///
    /// # Panics
    /// When the desk does not answer.
    pub async fn get(&self, path: &str) -> reqwest::Response {
        self.client.get(format!("{}{path}", self.desk)).send().await.expect("the desk answers")
    }

    /// Gets a path that must be a page, and returns its text.
    ///
    /// # Panics
    /// When the desk does not answer 200.
    pub async fn page(&self, path: &str) -> String {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        answer.text().await.expect("a page")
    }

    /// Posts a form with the token found in `page`, as the browser would, and goes on to the page of the dialog
    /// where it leads there.
    ///
    /// # Panics
    /// When the desk does not answer.
    pub async fn submit(
        &self,
        path: &str,
        page: &str,
        fields: &[(&str, &str)],
    ) -> reqwest::Response {
        let mut form: Vec<(&str, &str)> = fields.to_vec();
        if let Some(token) = hidden_value(page, "form_token") {
            form.push(("form_token", token));
        }
        let answer = self
            .client
            .post(format!("{}{path}", self.desk))
            .header(header::ORIGIN, &self.desk)
            .form(&form)
            .send()
            .await
            .expect("the desk answers");
        let way = answer.headers().get(header::LOCATION).and_then(|way| way.to_str().ok());
        match way.filter(|way| way.starts_with(&format!("{COMPOSE}?draft="))) {
            Some(way) => self.get(way).await,
            None => answer,
        }
    }

    /// Fetches the part of `path` that `range` names.
    ///
    /// # Panics
    /// When the desk does not answer.
    pub async fn get_part(&self, path: &str, range: &str) -> reqwest::Response {
        let request = self.client.get(format!("{}{path}", self.desk)).header(header::RANGE, range);
        request.send().await.expect("the desk answers")
    }

    /// Submits the form on `page` that carries a file: its fields, then the file as `name`, `type`, bytes.
    ///
    /// # Panics
    /// When the desk does not answer.
    pub async fn submit_file(
        &self,
        path: &str,
        page: &str,
        fields: &[(&str, &str)],
        (name, content_type, bytes): (&str, &str, Vec<u8>),
    ) -> reqwest::Response {
        let token = hidden_value(page, "form_token").unwrap_or_default().to_owned();
        let mut form = multipart::Form::new().text("form_token", token);
        for (field, value) in fields {
            form = form.text((*field).to_owned(), (*value).to_owned());
        }
        let file = multipart::Part::bytes(bytes).file_name(name.to_owned());
        let file = file.mime_str(content_type).expect("a type");
        let request = self.client.post(format!("{}{path}", self.desk));
        let request = request.header(header::ORIGIN, &self.desk);
        request.multipart(form.part("file", file)).send().await.expect("the desk answers")
    }
}

/// The value of the hidden field `name` in a page.
#[must_use]
pub fn hidden_value<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let at = page.find(&format!("name=\"{name}\""))?;
    let rest = &page[at..];
    let value = rest.split_once("value=\"")?.1;
    Some(value.split_once('"')?.0)
}

/// What a person reads in a piece of a page: no tags, no marks for bidirectional text, single spaces.
#[must_use]
pub fn text_of(page: &str) -> String {
    let mut text = String::new();
    let mut in_tag = false;
    for character in page.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                text.push(' ');
            }
            '\u{2068}' | '\u{2069}' => {}
            _ if in_tag => {}
            _ => text.push(character),
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The elements that begin with `opening`, such as `<li class="pick"`, each up to the first `closing`.
#[must_use]
pub fn pieces<'a>(page: &'a str, opening: &str, closing: &str) -> Vec<&'a str> {
    page.split(opening)
        .skip(1)
        .map(|rest| rest.split_once(closing).map_or(rest, |(piece, _)| piece))
        .collect()
}

/// The digits of a text, to find a phone number however it is written.
#[must_use]
pub fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

/// Waits until `condition` gives something.
///
/// # Panics
/// When it does not within the [`PATIENCE`]; `what` names it.
pub async fn until<T, F>(what: &str, mut condition: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(found) = condition().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
