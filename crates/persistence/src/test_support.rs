//! A fresh, migrated database for each test, of both kinds.
//!
//! PostgreSQL comes from `JANELA_TEST_POSTGRES_URL`, else from a throw-away server that ends with the
//! test process. Without either the test fails; only `JANELA_TEST_SQLITE_ONLY=1` leaves PostgreSQL out.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot have its database must fail where it stands"
)]

mod dump;

use std::{
    env, fs,
    ops::Deref,
    os::unix::{fs::chown, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use diesel::{
    Connection, PgConnection, QueryableByName, RunQueryDsl, connection::InstrumentationEvent,
    sql_types::Bool,
};

use crate::{
    db::Db,
    error::PersistenceError,
    secret::KeyEncryptionKey,
    store::{DatabaseSettings, Store},
};

/// A store whose database is gone when this is dropped.
#[derive(Debug)]
pub struct TestStore {
    store: Option<Store>,
    settings: DatabaseSettings,
    _folder: Option<tempfile::TempDir>,
    postgres: Option<String>,
}

impl Deref for TestStore {
    type Target = Store;
    fn deref(&self) -> &Store {
        self.store.as_ref().expect("the store lives as long as its guard")
    }
}

impl TestStore {
    /// What another process would open the same database with.
    #[must_use]
    pub fn settings(&self) -> &DatabaseSettings {
        &self.settings
    }

    /// A fresh SQLite file, migrated and unlocked.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn sqlite() -> Self {
        let test = Self::empty_sqlite();
        test.migrate().expect("migrations run");
        test.unlock(&test_key()).expect("a fresh store unlocks");
        test
    }

    /// A fresh PostgreSQL database, migrated and unlocked.
    ///
    /// # Panics
    /// When there is no server.
    #[must_use]
    pub fn postgres() -> Self {
        let template = TEMPLATE.get_or_init(make_template);
        let test = Self::postgres_from(template);
        test.unlock(&test_key()).expect("a fresh store unlocks");
        test
    }

    /// A fresh SQLite file without tables.
    ///
    /// # Panics
    /// When it cannot be made.
    #[must_use]
    pub fn empty_sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings = DatabaseSettings {
            url: "sqlite:test.db".into(),
            data_dir: folder.path().to_owned(),
            connections: 8,
        };
        let store = Store::open(&settings).expect("a fresh file opens");
        Self { store: Some(store), settings, _folder: Some(folder), postgres: None }
    }

    /// A fresh PostgreSQL database without tables.
    ///
    /// # Panics
    /// When there is no server.
    #[must_use]
    pub fn empty_postgres() -> Self {
        Self::postgres_from("template0")
    }

    fn postgres_from(template: &str) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("janela_test_{}_{number}", std::process::id());
        run_on_server(&format!("CREATE DATABASE {name} TEMPLATE {template}"));
        let settings = DatabaseSettings {
            url: database_url(&name),
            data_dir: PathBuf::new(),
            connections: 32,
        };
        let store = Store::open(&settings).expect("a fresh database opens");
        Self { store: Some(store), settings, _folder: None, postgres: Some(name) }
    }
}

impl Drop for TestStore {
    fn drop(&mut self) {
        drop(self.store.take());
        if let Some(name) = &self.postgres {
            let dropped = PgConnection::establish(server_url()).map(|mut connection| {
                diesel::sql_query(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
                    .execute(&mut connection)
            });
            if !matches!(dropped, Ok(Ok(_))) {
                eprintln!("the test database {name} is left behind");
            }
        }
    }
}

/// Runs `test` on a fresh database of each kind.
///
/// # Panics
/// When `test` does, or there is no PostgreSQL.
pub fn on_both(test: impl Fn(&TestStore)) {
    eprintln!("on SQLite");
    test(&TestStore::sqlite());
    if postgres_is_wanted() {
        eprintln!("on PostgreSQL");
        test(&TestStore::postgres());
    }
}

/// As [`on_both`], without tables.
///
/// # Panics
/// When `test` does, or there is no PostgreSQL.
pub fn on_both_empty(test: impl Fn(&TestStore)) {
    eprintln!("on SQLite");
    test(&TestStore::empty_sqlite());
    if postgres_is_wanted() {
        eprintln!("on PostgreSQL");
        test(&TestStore::empty_postgres());
    }
}

/// Whether tests run on PostgreSQL; only `JANELA_TEST_SQLITE_ONLY=1` says no.
#[must_use]
pub fn postgres_is_wanted() -> bool {
    env::var("JANELA_TEST_SQLITE_ONLY").as_deref() != Ok("1")
}

/// How often a race or a random walk is repeated: `short`, or `long` where `JANELA_TEST_LONG=1`, as
/// `tests/run --long` sets it.
#[must_use]
pub fn rounds(short: usize, long: usize) -> usize {
    if env::var("JANELA_TEST_LONG").as_deref() == Ok("1") { long } else { short }
}

/// The key every test store is unlocked with, as a setting holds it.
pub const TEST_KEY: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

/// The key every test store is unlocked with.
#[must_use]
pub fn test_key() -> KeyEncryptionKey {
    KeyEncryptionKey::parse(TEST_KEY).expect("64 digits")
}

static TEMPLATE: OnceLock<String> = OnceLock::new();

/// Migrates a database once per process; the tests get copies of it.
fn make_template() -> String {
    let name = format!("janela_template_{}", std::process::id());
    run_on_server(&format!("DROP DATABASE IF EXISTS {name}"));
    run_on_server(&format!("CREATE DATABASE {name} TEMPLATE template0"));
    let settings =
        DatabaseSettings { url: database_url(&name), data_dir: PathBuf::new(), connections: 1 };
    let store = Store::open(&settings).expect("the template opens");
    store.migrate().expect("migrations run");
    drop(store);
    wait_until_unused(&name);
    name
}

#[derive(QueryableByName)]
struct InUse {
    #[diesel(sql_type = Bool)]
    in_use: bool,
}

/// A database cannot be copied while someone is connected; closed connections take a moment to go.
fn wait_until_unused(name: &str) {
    let mut server = PgConnection::establish(server_url()).expect("the server answers");
    let query = format!(
        "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = '{name}') AS in_use"
    );
    let deadline = Instant::now() + Duration::from_secs(60);
    while Instant::now() < deadline {
        let row: InUse = diesel::sql_query(&query).get_result(&mut server).expect("activity");
        if !row.in_use {
            return;
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("someone stays connected to {name}");
}

fn run_on_server(statement: &str) {
    let mut server = PgConnection::establish(server_url()).expect("the test server answers");
    diesel::sql_query(statement).execute(&mut server).expect("the test server obeys");
}

/// The server's URL with another database in it.
fn database_url(name: &str) -> String {
    let (address, parameters) = match server_url().split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (server_url(), String::new()),
    };
    let (scheme, rest) = address.split_once("://").expect("a PostgreSQL URL");
    let host = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{host}/{name}{parameters}")
}

/// `JANELA_TEST_POSTGRES_URL`, else the throw-away server of this process.
fn server_url() -> &'static str {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| env::var("JANELA_TEST_POSTGRES_URL").unwrap_or_else(|_| start_server()))
}

/// Starts a server in a folder of its own, on a socket only.
///
/// A shell waits on a pipe from this process and takes the server and its folder away when the pipe
/// closes, however this process ends.
fn start_server() -> String {
    let programs = find_server_programs();
    let folder = tempfile::Builder::new().prefix("janela-pg-").tempdir().unwrap().keep();
    let owner = owner_of_server(&folder);
    let data = folder.join("d");
    let mut initdb = as_owner(&programs.join("initdb"), owner);
    initdb.arg("-D").arg(&data).args([
        "-A",
        "trust",
        "-U",
        "postgres",
        "-E",
        "UTF8",
        "--locale=C",
        "--no-sync",
    ]);
    run_quietly(&mut initdb);
    let mut start = as_owner(&programs.join("pg_ctl"), owner);
    let options = format!(
        "-k {} -c listen_addresses='' -c fsync=off -c full_page_writes=off \
         -c synchronous_commit=off -c max_connections=500",
        folder.display()
    );
    start.arg("-D").arg(&data).arg("-w").arg("-l").arg(folder.join("log"));
    start.arg("-o").arg(options).arg("start");
    run_quietly(&mut start);
    let mut keeper = as_owner(Path::new("/bin/sh"), owner);
    keeper
        .arg("-c")
        .arg("read -r _; \"$1\" -D \"$2/d\" -m immediate stop; rm -rf \"$2\"")
        .arg("keeper")
        .arg(programs.join("pg_ctl"))
        .arg(&folder)
        .stdin(Stdio::piped())
        .process_group(0);
    let keeper = keeper.spawn().expect("a shell to end the server");
    std::mem::forget(keeper);
    format!("postgres:///postgres?host={}&user=postgres", folder.display())
}

/// The newest versioned folder of Debian, else whatever `pg_config` names.
fn find_server_programs() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .map(|entries| entries.flatten().map(|entry| entry.path().join("bin")).collect())
        .unwrap_or_default();
    versions.retain(|folder| folder.join("initdb").exists());
    versions.sort();
    if let Some(newest) = versions.pop() {
        return newest;
    }
    let told = Command::new("pg_config").arg("--bindir").output();
    let told = told.expect("PostgreSQL is installed, or JANELA_TEST_POSTGRES_URL is set");
    PathBuf::from(String::from_utf8(told.stdout).unwrap().trim())
}

/// The server refuses to run as root, so as root it runs as `postgres`, who then owns the folder.
fn owner_of_server(folder: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt;
    let we_are_root = fs::metadata(folder).unwrap().uid() == 0;
    if !we_are_root {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let fields: Vec<&str> = line.expect("a user named postgres").split(':').collect();
    let (user, group) = (fields[2].parse().unwrap(), fields[3].parse().unwrap());
    chown(folder, Some(user), Some(group)).unwrap();
    Some((user, group))
}

fn as_owner(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.current_dir("/").stdout(Stdio::null()).stderr(Stdio::null()).stdin(Stdio::null());
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

fn run_quietly(command: &mut Command) {
    let status = command.status().expect("a program of PostgreSQL starts");
    assert!(status.success(), "{command:?} failed");
}

/// What `work` asks the database, in its order.
///
/// # Errors
/// Those of `work`.
pub fn statements_of<T>(
    db: &mut Db,
    work: impl FnOnce(&mut Db) -> Result<T, PersistenceError>,
) -> Result<(T, Vec<String>), PersistenceError> {
    let asked = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&asked);
    db.set_instrumentation(move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            let sql = query.to_string();
            let sql = sql.split(" -- binds:").next().unwrap_or_default().to_owned();
            listener.lock().expect("the statements").push(sql);
        }
    });
    let done = work(db);
    db.set_instrumentation(|_: InstrumentationEvent<'_>| {});
    let asked = std::mem::take(&mut *asked.lock().expect("the statements"));
    done.map(|done| (done, asked))
}
