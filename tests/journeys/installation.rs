//! An installation for production: a data folder, a database, and the commands run on them.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use crate::{Database, binary, client, create_postgres_database, until};

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
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|port| port.local_addr());
        Self { folder, database_url, bind: free.expect("a free port") }
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
    /// When it cannot be started, or does not end within half a minute.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.command(arguments);
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("janela runs");
        let deadline = Instant::now() + Duration::from_secs(30);
        // What these commands print fits into a pipe, so that none waits for a reader.
        while process.try_wait().expect("a child").is_none() {
            if deadline < Instant::now() {
                let _ = process.kill();
                let output = process.wait_with_output();
                panic!("{arguments:?} does not end: {output:?}");
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Ran::of(process.wait_with_output().expect("what it printed"))
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
    /// When it is not within half a minute.
    pub async fn serve(&self) -> Server {
        let process = self.command(&["serve"]).spawn().expect("janela starts");
        let server = Server { process, url: format!("http://{}", self.bind) };
        let (client, ready) = (client(), format!("{}/readyz", server.url));
        until("a ready desk", 30, async || {
            let answer = client.get(&ready).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
        server
    }
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

impl Ran {
    fn of(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self {
            status: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
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
    /// When it has not stopped after `patience`.
    pub async fn terminate(mut self, patience: Duration) -> Option<i32> {
        let pid = self.process.id().to_string();
        let told = Command::new("kill").args(["-TERM", &pid]).status().expect("kill runs");
        assert!(told.success(), "SIGTERM");
        let deadline = Instant::now() + patience;
        loop {
            if let Some(status) = self.process.try_wait().expect("a child") {
                return status.code();
            }
            assert!(Instant::now() < deadline, "it does not stop within {patience:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
