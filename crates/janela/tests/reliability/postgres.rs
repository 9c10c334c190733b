//! A PostgreSQL server of a test's own, that keeps what it says is committed, and can be restarted.

use std::{
    net::SocketAddr,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::world::free_address;

/// A running server; stopped, and its folder gone, when dropped.
pub struct Server {
    programs: PathBuf,
    folder: tempfile::TempDir,
    owner: Option<(u32, u32)>,
    /// Where it listens on loopback, beside its socket.
    pub address: SocketAddr,
}

impl Server {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("janela-pg-").tempdir().expect("a folder");
        let server = Self {
            programs: find_programs(),
            owner: owner_of(folder.path()),
            folder,
            address: free_address(),
        };
        let data = server.data();
        let mut initdb = server.program("initdb");
        initdb.arg("-D").arg(&data).args(["-A", "trust", "-U", "postgres", "-E", "UTF8"]);
        run(initdb.args(["--locale=C", "--no-sync"]));
        server.control(&["-w", "start"]);
        server
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("d")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir("/").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }

    /// `pg_ctl`; commits wait for the disk, as they do in production.
    fn control(&self, arguments: &[&str]) {
        let folder = self.folder.path().display();
        let port = self.address.port();
        let options =
            format!("-k {folder} -p {port} -c listen_addresses=127.0.0.1 -c max_connections=200");
        let mut command = self.program("pg_ctl");
        command.arg("-D").arg(self.data()).arg("-l").arg(self.folder.path().join("log"));
        run(command.arg("-o").arg(options).args(arguments));
    }

    /// As if the machine had lost its power: what is under way is lost, what is committed is not.
    pub fn restart_immediately(&self) {
        self.control(&["-m", "immediate", "-w", "restart"]);
    }

    /// Makes a database, and answers its URL.
    pub fn create_database(&self, name: &str) -> String {
        let mut psql = Command::new("psql");
        psql.stdout(Stdio::null()).arg(self.url_by("postgres", self.address));
        run(psql.args(["-q", "-c", &format!("CREATE DATABASE {name}")]));
        self.url_by(name, self.address)
    }

    /// The URL of a database by the way of `address`.
    #[allow(clippy::unused_self, reason = "an address of this server's")]
    pub fn url_by(&self, name: &str, address: SocketAddr) -> String {
        format!("postgres://postgres@{address}/{name}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut command = self.program("pg_ctl");
        let stopped = command.arg("-D").arg(self.data()).args(["-m", "immediate", "stop"]).status();
        if !stopped.is_ok_and(|status| status.success()) {
            eprintln!(
                "a PostgreSQL server of a test is left behind in {}",
                self.folder.path().display()
            );
        }
    }
}

fn run(command: &mut Command) {
    let status = command.status().expect("it runs");
    assert!(status.success(), "{command:?}: {status}");
}

/// Where the server's programs are: beside each other in a versioned folder, the newest of them.
fn find_programs() -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is installed")
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").is_file())
        .collect();
    found.sort();
    found.pop().expect("initdb")
}

/// PostgreSQL refuses to run as root: then its own user does, and owns the folder.
fn owner_of(folder: &Path) -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> u32 {
        let output = Command::new("id").args(arguments).output().expect("id runs");
        String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
    };
    if id(&["-u"]) != 0 {
        return None;
    }
    let owner = (id(&["-u", "postgres"]), id(&["-g", "postgres"]));
    std::os::unix::fs::chown(folder, Some(owner.0), Some(owner.1)).expect("chown");
    Some(owner)
}
