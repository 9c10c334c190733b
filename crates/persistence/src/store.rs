//! The pools of connections, and the one place that knows the database blocks.

use std::{
    fs::OpenOptions,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use diesel::{
    Connection, PgConnection, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    r2d2::{HandleError, ManageConnection, Pool, R2D2Connection},
    sql_types::Text,
};
use fault::Place;

use self::group_commit::{GroupCommit, Haste, MOST_AGE};
use crate::{
    db::Db,
    error::PersistenceError,
    live::{self, LiveEvents},
    migrate,
    secret::{KeyEncryptionKey, Vault},
    seldom::Seldom,
};

mod group_commit;

/// Which database, and how many connections to it.
#[derive(Debug, Clone)]
pub struct DatabaseSettings {
    /// `sqlite:FILE`, or `postgres://...`.
    pub url: String,
    /// Where a relative SQLite file lies.
    pub data_dir: PathBuf,
    /// Most connections at once: readers beside the one writer on SQLite, all of them on PostgreSQL.
    pub connections: u32,
}

impl DatabaseSettings {
    /// The SQLite file that opening would make, as it is not there; `None` when it is, or when the data is on
    /// a server.
    ///
    /// # Errors
    /// `Settings` when the URL is none.
    pub fn missing_file(&self) -> Result<Option<PathBuf>, PersistenceError> {
        match Location::parse(&self.url, &self.data_dir)? {
            Location::Sqlite(file) if !file.exists() => Ok(Some(file)),
            Location::Sqlite(_) | Location::Postgres(_) => Ok(None),
        }
    }
}

/// How long a call waits for a connection; the pool rests at most half of it between attempts to make one, so that
/// it is back soon after its server is.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(8);

/// Tells of connections that cannot be made, or are no good any more.
#[derive(Debug, Default)]
struct Quietly(Seldom);

impl HandleError<PersistenceError> for Quietly {
    fn handle_error(&self, error: PersistenceError) {
        if self.0.is_due() {
            tracing::warn!(error = %error, "cannot connect to the database");
        }
    }
}

/// Where the data is.
#[derive(Debug, Clone)]
enum Location {
    Sqlite(PathBuf),
    Postgres(String),
}

/// The way to the database. Cheap to clone; all clones share their pools.
#[derive(Clone)]
pub struct Store {
    shared: Arc<Shared>,
}

struct Shared {
    location: Location,
    writers: Writers,
    readers: Pool<Connector>,
    live: LiveEvents,
    origin: String,
    stop_listening: Arc<AtomicBool>,
    vault: OnceLock<Vault>,
}

/// Those who write: on SQLite one after the other, so that they queue instead of sleeping in a busy handler.
enum Writers {
    InTurn(Box<GroupCommit>),
    Pool(Pool<Connector>),
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.stop_listening.store(true, Ordering::Relaxed);
    }
}

impl Store {
    /// Opens the database, creating an SQLite file that is not there yet, its owner's alone. Does not migrate.
    ///
    /// # Errors
    /// `Settings` for a URL this program does not know or a TLS mode it was built without; `Open` when
    /// the file is no database or the server cannot be reached.
    pub fn open(settings: &DatabaseSettings) -> Result<Self, PersistenceError> {
        let location = Location::parse(&settings.url, &settings.data_dir)?;
        let origin = random_origin()?;
        let connector = |query_only| Connector {
            location: location.clone(),
            query_only,
            origin: origin.clone(),
        };
        if let Location::Sqlite(file) = &location {
            make_private(file).map_err(|error| location.cannot_open(error.to_string()))?;
        }
        // The first connection by hand, so that what is wrong is told at once and in full.
        let first = connector(false).connect()?;
        let pool = |query_only: bool, size: u32| {
            Pool::builder()
                .max_size(size)
                .min_idle(Some(1))
                .test_on_check_out(matches!(location, Location::Postgres(_)))
                .connection_timeout(CONNECTION_PATIENCE)
                .error_handler(Box::new(Quietly::default()))
                .build(connector(query_only))
                .map_err(|error| location.cannot_open(error.to_string()))
        };
        let connections = settings.connections.max(1);
        let (writers, readers) = match location {
            Location::Sqlite(_) => {
                let connector = connector(false);
                let writers = GroupCommit::new(first, MOST_AGE, move || connector.connect());
                (Writers::InTurn(Box::new(writers)), pool(true, connections)?)
            }
            Location::Postgres(_) => {
                let all = pool(false, connections)?;
                (Writers::Pool(all.clone()), all)
            }
        };
        let shared = Shared {
            location,
            writers,
            readers,
            live: LiveEvents::default(),
            origin,
            stop_listening: Arc::new(AtomicBool::new(false)),
            vault: OnceLock::new(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Brings the tables up to date and tells the versions that ran now. Safe to race.
    ///
    /// # Errors
    /// `Migration` when a version fails.
    pub fn migrate(&self) -> Result<Vec<String>, PersistenceError> {
        self.blocking_write(migrate::run)
    }

    /// Makes sealed secrets readable: opens the workspace's data key with `key`, making one on the first
    /// start. Call it after [`Self::migrate`].
    ///
    /// # Errors
    /// `Secret` when the data key was wrapped by another key.
    pub fn unlock(&self, key: &KeyEncryptionKey) -> Result<(), PersistenceError> {
        let vault = self.blocking_write(|db| Vault::open(db, key))?;
        let _already_open = self.shared.vault.set(vault);
        Ok(())
    }

    /// What seals and opens secrets.
    ///
    /// # Errors
    /// `Secret` before [`Self::unlock`].
    pub fn vault(&self) -> Result<Vault, PersistenceError> {
        let vault = self.shared.vault.get().cloned();
        vault.ok_or(PersistenceError::Secret(crate::secret::SecretError::Locked))
    }

    /// Where changes are told once they are committed.
    #[must_use]
    pub fn live(&self) -> LiveEvents {
        self.shared.live.clone()
    }

    /// Starts hearing the changes of other processes; on SQLite those of commands that say so by
    /// [`Self::tell_serving_process`]. Ends with the last clone of this store.
    ///
    /// # Errors
    /// `Settings` when no thread can be started; `Open` when the file cannot be read.
    pub fn listen(&self) -> Result<(), PersistenceError> {
        let (live, stop) = (self.live(), Arc::clone(&self.shared.stop_listening));
        let Location::Postgres(url) = &self.shared.location else {
            return live::beside::listen(self.connect()?, live, stop);
        };
        live::listen(url.clone(), self.shared.origin.clone(), live, stop)
            .map(drop)
            .map_err(|error| PersistenceError::Settings(format!("cannot start a thread: {error}")))
    }

    /// Tells the process that serves from the same SQLite file that something changed, so that its open pages
    /// read everything anew. For commands that are run beside it; PostgreSQL has told it with each commit.
    ///
    /// # Errors
    /// `Busy` when the write lock is not to be had.
    pub fn tell_serving_process(&self) -> Result<(), PersistenceError> {
        if self.is_sqlite() { self.blocking_write(live::beside::tell) } else { Ok(()) }
    }

    /// Runs `work` on a connection for reading, off the async threads.
    ///
    /// # Errors
    /// What `work` returned; `Busy` when no connection is free in time.
    pub async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, PersistenceError> + Send + 'static,
    ) -> Result<T, PersistenceError> {
        let store = self.clone();
        let answer = tokio::task::spawn_blocking(move || store.blocking_read(work)).await;
        answer.unwrap_or(Err(PersistenceError::ThreadLost))
    }

    /// Runs `work` on a connection that may write, off the async threads. `work` opens its transaction
    /// by [`Db::write`]; what it noted is told to listeners before this returns.
    ///
    /// # Errors
    /// What `work` returned; `Busy` when no connection is free in time.
    #[track_caller]
    pub fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, PersistenceError> + Send + 'static,
    ) -> impl Future<Output = Result<T, PersistenceError>> + Send {
        let (store, place) = (self.clone(), Place::of_caller());
        async move {
            let write = move || store.write_from(place, Haste::None, work);
            let answer = tokio::task::spawn_blocking(write).await;
            answer.unwrap_or(Err(PersistenceError::ThreadLost))
        }
    }

    /// [`Self::read`] for threads that may block.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn blocking_read<T>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        let mut connection = self.shared.readers.get().map_err(|_| PersistenceError::Busy)?;
        work(&mut connection)
    }

    /// [`Self::write`] for threads that may block.
    ///
    /// # Errors
    /// As [`Self::write`].
    #[track_caller]
    pub fn blocking_write<T>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        self.write_from(Place::of_caller(), Haste::None, work)
    }

    /// [`Self::blocking_write`] before all who wait on SQLite, committed at once: for the inbox, which has little to
    /// write and many who wait for it. Two of these would keep everyone else waiting.
    ///
    /// # Errors
    /// As [`Self::write`].
    #[track_caller]
    pub(crate) fn hasty_write<T>(
        &self,
        work: impl FnOnce(&mut Db) -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        self.write_from(Place::of_caller(), Haste::Great, work)
    }

    fn write_from<T>(
        &self,
        place: Place,
        haste: Haste,
        work: impl FnOnce(&mut Db) -> Result<T, PersistenceError>,
    ) -> Result<T, PersistenceError> {
        drop(live::take_committed());
        let work = move |db: &mut Db| {
            let value = work(db)?;
            fault::written(place);
            Ok(value)
        };
        let answer = match &self.shared.writers {
            Writers::InTurn(writers) => writers.run(haste, work),
            Writers::Pool(pool) => {
                let mut connection = pool.get().map_err(|_| PersistenceError::Busy)?;
                work(&mut connection)
            }
        };
        match answer {
            Ok(_) => fault::committed(),
            Err(_) => fault::undone(),
        }
        for event in live::take_committed() {
            self.shared.live.publish(event);
        }
        answer
    }

    /// A connection of the caller's own, outside the pools, that may write: for the inbox's writer thread.
    ///
    /// # Errors
    /// `Open` when the database cannot be reached.
    pub fn connect(&self) -> Result<Db, PersistenceError> {
        let connector = Connector {
            location: self.shared.location.clone(),
            query_only: false,
            origin: self.shared.origin.clone(),
        };
        connector.connect()
    }

    /// Whether the data is in the embedded file, so that this is the only process.
    #[must_use]
    pub fn is_sqlite(&self) -> bool {
        matches!(self.shared.location, Location::Sqlite(_))
    }

    /// Where the data is, without a password: a file, or a server.
    #[must_use]
    pub fn describe_location(&self) -> String {
        self.shared.location.describe()
    }
}

impl std::fmt::Debug for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Store").field(&self.describe_location()).finish()
    }
}

impl Location {
    fn parse(url: &str, data_dir: &Path) -> Result<Self, PersistenceError> {
        if let Some(rest) = url.strip_prefix("sqlite:") {
            let file = rest.strip_prefix("//").unwrap_or(rest);
            if file.is_empty() || file.contains(":memory:") {
                let problem = "the database URL names no file, such as sqlite:janela.db";
                return Err(PersistenceError::Settings(problem.into()));
            }
            return Ok(Self::Sqlite(data_dir.join(file)));
        }
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            let wants_tls = ["sslmode=require", "sslmode=verify-ca", "sslmode=verify-full"];
            if let Some(mode) = wants_tls.into_iter().find(|mode| url.contains(mode)) {
                return Err(PersistenceError::Settings(format!(
                    "the database URL asks for {mode}, but this build speaks to PostgreSQL without TLS; \
                     connect over a trusted network or a tunnel"
                )));
            }
            return Ok(Self::Postgres(url.to_owned()));
        }
        let problem = "the database URL starts with neither sqlite: nor postgres://";
        Err(PersistenceError::Settings(problem.into()))
    }

    fn describe(&self) -> String {
        match self {
            Self::Sqlite(file) => file.display().to_string(),
            Self::Postgres(url) => without_password(url),
        }
    }

    fn cannot_open(&self, reason: impl Into<String>) -> PersistenceError {
        PersistenceError::Open { location: self.describe(), reason: reason.into() }
    }
}

/// The URL with whatever stands before `@` and whatever a `password` parameter says left out.
fn without_password(url: &str) -> String {
    let (address, parameters) = url.split_once('?').unwrap_or((url, ""));
    let (scheme, rest) = address.split_once("://").unwrap_or(("postgres", address));
    let server = rest.rsplit_once('@').map_or(rest, |(_, server)| server);
    let shown = parameters.split('&').filter(|parameter| parameter.starts_with("host="));
    let host = shown.map(|parameter| format!("?{parameter}")).collect::<String>();
    format!("{scheme}://{server}{host}")
}

/// Makes `file`, empty, if it is not there. SQLite gives the files beside it the same mode.
fn make_private(file: &Path) -> io::Result<()> {
    if file.exists() {
        return Ok(());
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(file) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn random_origin() -> Result<String, PersistenceError> {
    Ok(hex::encode(crate::secret::random_bytes::<8>()?))
}

/// Makes connections with the settings every one of them needs.
struct Connector {
    location: Location,
    query_only: bool,
    origin: String,
}

impl ManageConnection for Connector {
    type Connection = Db;
    type Error = PersistenceError;

    fn connect(&self) -> Result<Db, PersistenceError> {
        match &self.location {
            Location::Sqlite(file) => self.connect_sqlite(file).map(Db::Sqlite),
            Location::Postgres(url) => self.connect_postgres(url).map(Db::Postgres),
        }
    }

    fn is_valid(&self, db: &mut Db) -> Result<(), PersistenceError> {
        db.ping()?;
        Ok(())
    }

    fn has_broken(&self, db: &mut Db) -> bool {
        std::thread::panicking() || db.is_broken()
    }
}

impl Connector {
    /// `busy_timeout` comes first: switching to WAL needs the lock that another process may hold.
    fn connect_sqlite(&self, file: &Path) -> Result<SqliteConnection, PersistenceError> {
        let name =
            file.to_str().ok_or_else(|| self.location.cannot_open("the path is not UTF-8"))?;
        let mut sqlite = SqliteConnection::establish(name)
            .map_err(|error| self.location.cannot_open(error.to_string()))?;
        let query_only = if self.query_only { "ON" } else { "OFF" };
        let pragmas = format!(
            "PRAGMA busy_timeout = 10000;
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA cache_size = -65536;
             PRAGMA temp_store = MEMORY;
             PRAGMA query_only = {query_only};"
        );
        sqlite
            .batch_execute(&pragmas)
            .map_err(|error| self.location.cannot_open(error.to_string()))?;
        Ok(sqlite)
    }

    fn connect_postgres(&self, url: &str) -> Result<PgConnection, PersistenceError> {
        let mut postgres = PgConnection::establish(url)
            .map_err(|error| self.location.cannot_open(error.to_string()))?;
        diesel::sql_query("SELECT set_config('janela.origin', $1, false)")
            .bind::<Text, _>(&self.origin)
            .execute(&mut postgres)?;
        Ok(postgres)
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        time::{Duration, Instant},
    };

    use diesel::prelude::*;
    use domain::ids::ChatbotId;

    use super::*;
    use crate::{
        live::{LiveEvent, LiveKind, note},
        schema::workspace,
        test_support::{TestStore, on_both, postgres_is_wanted},
    };

    const EVENT: LiveEvent =
        LiveEvent { chatbot: Some(ChatbotId(3)), ..LiveEvent::of_all(LiveKind::Ticket, 7) };

    fn insert_workspace(db: &mut Db, id: i64) -> Result<(), PersistenceError> {
        let row = (
            workspace::id.eq(id),
            workspace::name.eq("Ana"),
            workspace::time_zone.eq("Europe/Madrid"),
            workspace::language.eq("en"),
            workspace::clock_confirmations.eq(0),
            workspace::created_at.eq(0_i64),
        );
        diesel::insert_into(workspace::table).values(row).execute(db)?;
        Ok(())
    }

    fn count_workspaces(store: &Store) -> i64 {
        store.blocking_read(|db| Ok(workspace::table.count().get_result(db)?)).unwrap()
    }

    #[test]
    fn a_failed_use_case_leaves_nothing_and_tells_nobody() {
        on_both(|store| {
            let mut heard = store.live().subscribe();
            let done: Result<(), _> = store.blocking_write(|db| {
                db.write(|db| {
                    insert_workspace(db, 1)?;
                    note(db, EVENT);
                    Err(PersistenceError::Denied)
                })
            });
            assert!(matches!(done, Err(PersistenceError::Denied)));
            assert_eq!(count_workspaces(store), 0);
            assert!(heard.try_recv().is_err());
        });
    }

    #[test]
    fn a_savepoint_takes_back_its_own_writes_and_events_only() {
        on_both(|store| {
            let mut heard = store.live().subscribe();
            let committed = store.blocking_write(|db| {
                db.write(|db| {
                    insert_workspace(db, 1)?;
                    note(db, EVENT);
                    note(db, EVENT);
                    let inner: Result<(), _> = db.savepoint(|db| {
                        insert_workspace(db, 2)?;
                        note(db, LiveEvent { id: 8, ..EVENT });
                        insert_workspace(db, 1)
                    });
                    assert!(matches!(inner, Err(PersistenceError::Duplicate)));
                    db.write(|db| insert_workspace(db, 3))
                })
            });
            committed.unwrap();
            assert_eq!(count_workspaces(store), 2);
            assert_eq!(heard.try_recv().unwrap(), EVENT);
            assert!(heard.try_recv().is_err(), "once, and nothing of the savepoint");
        });
    }

    #[test]
    fn readers_of_sqlite_cannot_write() {
        let store = TestStore::sqlite();
        assert!(store.blocking_read(|db| insert_workspace(db, 1)).is_err());
        assert_eq!(count_workspaces(&store), 0);
    }

    #[test]
    fn a_file_that_is_no_database_is_told_by_name() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("broken.db"), "this is a shopping list. ".repeat(400))
            .unwrap();
        let settings = DatabaseSettings {
            url: "sqlite:broken.db".into(),
            data_dir: folder.path().to_owned(),
            connections: 2,
        };
        let error = Store::open(&settings).unwrap_err().to_string();
        assert!(error.contains("broken.db") && error.contains("not a database"), "{error}");
    }

    #[test]
    fn urls_this_build_cannot_serve_are_refused_with_the_reason() {
        let cases = [
            ("mysql://localhost/x", "neither sqlite: nor postgres://"),
            ("sqlite:", "names no file"),
            ("sqlite::memory:", "names no file"),
            ("postgres://u@h/db?sslmode=require", "without TLS"),
            ("postgres://u@h/db?connect_timeout=2&sslmode=verify-full", "without TLS"),
        ];
        for (url, reason) in cases {
            let settings =
                DatabaseSettings { url: url.into(), data_dir: PathBuf::new(), connections: 1 };
            let error = Store::open(&settings).unwrap_err().to_string();
            assert!(error.contains(reason), "{url}: {error}");
        }
    }

    #[test]
    fn a_location_is_told_without_its_password() {
        let shown =
            without_password("postgres://ana:hunter2@db.example:5433/desk?password=hunter2");
        assert_eq!(shown, "postgres://db.example:5433/desk");
    }

    #[test]
    fn another_process_hears_what_was_committed_and_not_its_own() {
        if !postgres_is_wanted() {
            return;
        }
        let here = TestStore::postgres();
        let there = Store::open(here.settings()).unwrap();
        here.listen().unwrap();
        there.listen().unwrap();
        let (mut heard_here, mut heard_there) = (here.live().subscribe(), there.live().subscribe());
        let deadline = Instant::now() + Duration::from_secs(60);
        let told = loop {
            here.blocking_write(|db| {
                db.write(|db| {
                    note(db, EVENT);
                    Ok(())
                })
            })
            .unwrap();
            if let Ok(event) = heard_there.try_recv() {
                break event;
            }
            assert!(Instant::now() < deadline, "nothing heard");
            std::thread::sleep(Duration::from_millis(50));
        };
        assert_eq!(told, EVENT);
        std::thread::sleep(Duration::from_millis(150));
        let mut times_here = 0;
        while heard_here.try_recv().is_ok() {
            times_here += 1;
        }
        let mut times_there = 1;
        while heard_there.try_recv().is_ok() {
            times_there += 1;
        }
        assert!(times_there <= times_here, "an own event is heard once");
    }
}
