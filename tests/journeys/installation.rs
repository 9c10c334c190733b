//! An installation for production: a data folder, a database, and the commands run on them.

use std::{
    io::{self, Read},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, ExitStatus, Stdio},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::{Duration, Instant},
};

use crate::{Database, PATIENCE, binary, client, create_postgres_database, until};

/// A data folder and a database of its own.
pub struct Installation {
    folder: tempfile::TempDir,
    database_url: Option<String>,
    /// Where `serve` listens.
    pub bind: SocketAddr,
}

impl Installation {
    /// An empty one on a free port.
    ///
    /// # Panics
    /// When there is no folder, port or database to be had.
    #[must_use]
    pub fn new(database: Database) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let database_url = (database == Database::Postgres).then(create_postgres_database);
        Self { folder, database_url, bind: free_address() }
    }

    /// The data folder.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A command in this installation, with no other setting than its own.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(binary());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("JANELA_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("JANELA_DATA_DIR", self.data_folder())
            .env("JANELA_BIND", self.bind.to_string())
            .env("JANELA_LOG", "warn")
            .stdin(Stdio::null());
        if let Some(url) = &self.database_url {
            command.env("JANELA_DATABASE_URL", url);
        }
        command
    }

    /// Runs a command to its end.
    ///
    /// # Panics
    /// When it cannot be started, or does not end within the patience of [`until`].
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("janela runs");
        // Read while it runs: a pipe holds 64 KiB, and then its writer waits.
        let stdout = read_all(process.stdout.take().expect("a pipe"));
        let stderr = read_all(process.stderr.take().expect("a pipe"));
        let status = end_of(&mut process);
        let [stdout, stderr] = [stdout, stderr]
            .map(|reader| reader.join().expect("a reader").expect("what it printed, as text"));
        let status = status.unwrap_or_else(|| panic!("{arguments:?} does not end: {stderr}"));
        Ran { status: status.code(), stdout, stderr }
    }

    /// Runs a command that must succeed and returns what it printed.
    ///
    /// # Panics
    /// When it fails.
    #[must_use]
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.status, Some(0), "{arguments:?}: {}", ran.stderr);
        ran.stdout
    }

    /// Starts `serve` and waits until it is ready.
    ///
    /// # Panics
    /// When it is not within the patience of [`until`], or ends before.
    pub async fn serve(&self) -> Server {
        let process = self.command(&["serve"]).spawn().expect("janela starts");
        let mut server = Server { process, url: format!("http://{}", self.bind) };
        let (client, ready) = (client(), format!("{}/readyz", server.url));
        let deadline = Instant::now() + PATIENCE;
        loop {
            let ended = server.process.try_wait().expect("a child");
            assert!(ended.is_none(), "it ends instead of serving: {ended:?}");
            if client.get(&ready).send().await.is_ok_and(|it| it.status().is_success()) {
                return server;
            }
            assert!(Instant::now() < deadline, "it is not ready within {PATIENCE:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// A free address below the ports that the system gives to clients, so that nobody is given it between this
/// look and its use, nor while the desk restarts.
fn free_address() -> SocketAddr {
    const FIRST: u16 = 20_000;
    const PORTS: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Each process begins elsewhere.
    let own = u16::try_from(std::process::id() * 16 % u32::from(PORTS)).unwrap_or_default();
    (0..PORTS)
        .map(|_| {
            let step = NEXT.fetch_add(1, Ordering::Relaxed);
            SocketAddr::from((Ipv4Addr::LOCALHOST, FIRST + own.wrapping_add(step) % PORTS))
        })
        .find(|address| TcpListener::bind(address).is_ok())
        .expect("a free port")
}

/// Reads a pipe to its end, on a thread of its own.
fn read_all(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<io::Result<String>> {
    thread::spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    })
}

/// Waits for the end of a process; `None` when it had to be killed.
fn end_of(process: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if let Some(status) = process.try_wait().expect("a child") {
            return Some(status);
        }
        thread::sleep(Duration::from_millis(10));
    }
    process.kill().and_then(|()| process.wait()).expect("a child");
    None
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Ran {
    /// The exit status; `None` when a signal ended it.
    pub status: Option<i32>,
    /// What it printed for programs and people.
    pub stdout: String,
    /// What it said besides.
    pub stderr: String,
}

/// A running `janela serve`; killed when dropped.
pub struct Server {
    process: Child,
    /// Where it serves.
    pub url: String,
}

impl Server {
    /// Asks it to stop as an operator does, and returns the exit status.
    ///
    /// # Panics
    /// When it has not stopped within the patience of [`until`].
    pub async fn terminate(mut self) -> Option<i32> {
        let pid = self.process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(told.success(), "SIGTERM");
        let process = &mut self.process;
        let ended = || std::future::ready(process.try_wait().expect("a child"));
        until("its end", ended).await.code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
