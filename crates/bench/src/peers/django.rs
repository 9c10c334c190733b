//! `django-meta-whatsapp` as the other: installed from the Python registry, served by gunicorn.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    ops::Range,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use domain::ids::ChannelId;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;

use super::{
    AT_ONCE, SENDS, connected,
    contender::{Contender, Kept, TEMPLATE},
};
use crate::{
    BenchError, Database, clock,
    database::Place,
    desk::Connection,
    dispatch::platform::Platform,
    ingest::{past::Past, webhook},
    load::Post,
    serving,
};

/// What is installed, each in the version that was newest on 2026-11-22.
const PACKAGES: [&str; 4] =
    ["django-meta-whatsapp==1.1.0", "Django==5.2.19", "gunicorn==27.0.1", "psycopg[binary]==3.3.9"];
/// `2 x cores + 1`, as gunicorn's documentation advises, with threads: they wait for the platform.
const WORKERS: &str = "5";
const THREADS: &str = "4";
/// A token of the right length; cookie and header must hold the same.
const CSRF_TOKEN: &str = "benchbenchbenchbenchbenchbench01";
/// How long it may take to start.
const LONGEST_START: Duration = Duration::from_secs(60);

/// A Django project with the package, on a database of its own.
pub struct Django {
    python: PathBuf,
    project: PathBuf,
    place: Place,
    environment: Vec<(&'static str, String)>,
    address: SocketAddr,
    connection: Connection,
    made: Made,
    running: Option<Child>,
}

/// What the project's `desk.py` made.
#[derive(Debug, Deserialize)]
struct Made {
    session: String,
    key: String,
    campaign: i64,
}

impl Django {
    /// Installs the packages if they are not there, and makes the desk at `platform`.
    ///
    /// # Errors
    /// When the packages cannot be had, or the project refuses.
    pub fn set_up(database: Database, platform: &Platform) -> Result<Self, BenchError> {
        let top = Path::new(env!("CARGO_MANIFEST_DIR")).canonicalize()?;
        let folder = top.join("../../target/bench-peers");
        let python = install(&folder)?;
        let place = Place::named(database, "peers_django")?;
        place.make_empty()?;
        let environment = vec![
            ("PEER_FOLDER", folder.display().to_string()),
            ("PEER_DATABASE", place.url()),
            ("PEER_GRAPH", format!("http://{}/v22.0", platform.address)),
            ("PEER_NUMBER", platform.number.clone()),
            ("PEER_ACCOUNT", platform.account.clone()),
            ("PEER_TOKEN", platform.token.clone()),
            ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ];
        let connection = Connection {
            number: platform.number.clone(),
            account: platform.account.clone(),
            app_secret: platform.app_secret.clone(),
            ..Connection::default()
        };
        let project = top.join("peers");
        let customers = [AT_ONCE.start, AT_ONCE.end - AT_ONCE.start].map(|it| it.to_string());
        let sends = SENDS.to_string();
        let order = ["set-up", &sends, &customers[0], &customers[1]];
        let made = ask(&python, &project, &environment, &order)?;
        let address = serving::free_address()?;
        Ok(Self { python, project, place, environment, address, connection, made, running: None })
    }

    fn ask<T: DeserializeOwned>(&self, order: &[&str]) -> Result<T, BenchError> {
        ask(&self.python, &self.project, &self.environment, order)
    }
}

/// A folder of its own for the packages; the interpreter in it.
fn install(folder: &Path) -> Result<PathBuf, BenchError> {
    let python = folder.join("venv/bin/python");
    if !python.try_exists()? {
        std::fs::create_dir_all(folder)?;
        run(Command::new("python3").args(["-m", "venv"]).arg(folder.join("venv")))?;
    }
    let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    run(Command::new(&python).args(install).args(PACKAGES))?;
    Ok(python)
}

/// What the command prints.
fn run(command: &mut Command) -> Result<Vec<u8>, BenchError> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(BenchError::Broken(format!("{:?} failed: {said}", command.get_program())))
}

fn ask<T: DeserializeOwned>(
    python: &Path,
    project: &Path,
    environment: &[(&'static str, String)],
    order: &[&str],
) -> Result<T, BenchError> {
    let mut command = Command::new(python);
    command.current_dir(project).envs(environment.iter().cloned()).arg("desk.py").args(order);
    Ok(serde_json::from_slice(&run(&mut command)?)?)
}

impl Contender for Django {
    fn name(&self) -> &'static str {
        "django"
    }

    fn start(&mut self) -> Result<(), BenchError> {
        let process = Command::new(&self.python)
            .current_dir(&self.project)
            .envs(self.environment.iter().cloned())
            .args(["-m", "gunicorn", "wsgi:application", "--bind", &self.address.to_string()])
            .args(["--workers", WORKERS, "--threads", THREADS, "--keep-alive", "75"])
            .args(["--log-level", "critical"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        self.running = Some(process);
        let deadline = Instant::now() + LONGEST_START;
        while let Err(error) = answers(self.address) {
            if deadline < Instant::now() {
                return Err(error.into());
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn kill(&mut self) -> Result<(), BenchError> {
        let Some(mut process) = self.running.take() else { return Ok(()) };
        // Its workers are in its group.
        run(Command::new("kill").args(["-KILL", "--", &format!("-{}", process.id())]))?;
        process.wait()?;
        Ok(())
    }

    fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same bodies. It does not look at signatures.
    fn webhooks(&self, sends: Range<u64>) -> Vec<Post> {
        let past = Past { channel: ChannelId(1) };
        let now = clock::now();
        let unsigned = |post: Post| {
            let body = connected(post.body(), &self.connection);
            Post::new(self.address, "/whatsapp/webhook/", &[], &body)
        };
        let of_send = |send| {
            let posts = webhook::posts_of(&past, self.address, send..send + 1, now);
            posts.into_iter().map(unsigned).collect()
        };
        super::spread(sends.map(of_send).collect())
    }

    fn list_page(&self) -> Post {
        let cookie = format!("sessionid={}", self.made.session);
        Post::get(self.address, "/whatsapp/inbox/", &[("cookie", &cookie)])
    }

    /// It applies before it answers.
    fn wait_until_applied(&self) -> Result<(), BenchError> {
        Ok(())
    }

    fn kept(&self, sends: u64) -> Result<Kept, BenchError> {
        self.ask(&["kept", &sends.to_string()])
    }

    /// Its calls are behind Django's protection of forms, so that they carry a token of that as well.
    fn sends(&self, customers: Range<u64>) -> Vec<Post> {
        let cookie = format!("csrftoken={CSRF_TOKEN}");
        let headers = [
            ("x-api-key", self.made.key.as_str()),
            ("cookie", &cookie),
            ("x-csrftoken", CSRF_TOKEN),
        ];
        let post = |customer: u64| {
            let body =
                json!({"phone": customer.to_string(), "template_name": TEMPLATE, "language": "en"});
            let body = body.to_string();
            Post::new(self.address, "/whatsapp/api/send-template/", &headers, body.as_bytes())
        };
        customers.map(post).collect()
    }

    /// Its campaign for those customers, started as its page does. Without Celery the request sends them all.
    fn begin_at_once(&self, _: Range<u64>) -> Result<(), BenchError> {
        let cookie = format!("sessionid={}; csrftoken={CSRF_TOKEN}", self.made.session);
        let headers = [("cookie", cookie.as_str()), ("x-csrftoken", CSRF_TOKEN)];
        let path = format!("/whatsapp/campaigns/{}/run/", self.made.campaign);
        let post = Post::new(self.address, &path, &headers, b"");
        let mut stream = TcpStream::connect(self.address)?;
        stream.write_all(post.bytes())?;
        // Held open until it ends: it is killed before that.
        thread::spawn(move || stream.read_to_end(&mut Vec::new()));
        Ok(())
    }

    /// It has no queue: what a killed process was to send is not tried again.
    fn has_sent_all(&self) -> Result<bool, BenchError> {
        Ok(true)
    }

    fn in_doubt(&self) -> Result<Vec<String>, BenchError> {
        self.ask(&["doubt"])
    }
}

impl Drop for Django {
    fn drop(&mut self) {
        if let Err(error) = self.kill().and_then(|()| self.place.remove()) {
            eprintln!("bench: left behind: {error}");
        }
    }
}

/// Whether it answers anything.
fn answers(address: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "GET /whatsapp/webhook/ HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n"
    )?;
    let mut answer = [0; 8];
    stream.read_exact(&mut answer)
}
