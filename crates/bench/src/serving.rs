//! The release binary, started and stopped as people do.

use std::{
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::BenchError;

/// Names another program than the release binary, to try a bench out; reports say so.
pub const OTHER_BINARY: &str = "BENCH_BINARY";

/// The release binary beside this bench.
///
/// # Errors
/// When it is missing, or older than the newest source file.
pub fn release_binary() -> Result<PathBuf, BenchError> {
    if let Some(other) = std::env::var_os(OTHER_BINARY) {
        return Ok(other.into());
    }
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let binary = top.join("target/release/janela");
    let built = std::fs::metadata(&binary).and_then(|data| data.modified());
    let built = built.map_err(|_| BenchError::NoReleaseBinary)?;
    let newest = ["crates", "templates", "static", "locales", "migrations"]
        .iter()
        .filter_map(|folder| newest_change(&top.join(folder)).ok())
        .max();
    if newest.is_some_and(|newest| built < newest) {
        return Err(BenchError::OldReleaseBinary);
    }
    Ok(binary)
}

fn newest_change(folder: &Path) -> std::io::Result<std::time::SystemTime> {
    let mut newest = std::time::SystemTime::UNIX_EPOCH;
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let changed = if path.is_dir() {
            if path.ends_with("crates/bench") {
                continue;
            }
            newest_change(&path)?
        } else {
            path.metadata()?.modified()?
        };
        newest = newest.max(changed);
    }
    Ok(newest)
}

/// A `janela serve` of the release binary; stopped when dropped.
pub struct Running {
    process: Child,
    /// Where it listens.
    pub address: SocketAddr,
    /// How long it took from its start to its first page.
    pub first_page: Duration,
}

impl Running {
    /// Ends it at once, as a power cut would.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(mut self) -> Result<(), BenchError> {
        self.process.kill()?;
        self.process.wait()?;
        Ok(())
    }

    /// What it keeps in memory.
    ///
    /// # Errors
    /// When the system does not tell.
    pub fn resident_mebibytes(&self) -> Result<f64, BenchError> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS"));
        let kibibytes = line
            .and_then(|line| line.split_whitespace().nth(1))
            .and_then(|number| number.parse::<f64>().ok());
        kibibytes.map(|kibibytes| kibibytes / 1_024.0).ok_or(BenchError::NoFigure("VmRSS"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if matches!(self.process.try_wait(), Ok(Some(_))) {
            return;
        }
        let pid = self.process.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &pid]).status();
        if asked.is_ok_and(|status| status.success()) {
            let deadline = Instant::now() + Duration::from_secs(10);
            while Instant::now() < deadline {
                if matches!(self.process.try_wait(), Ok(Some(_))) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
        }
        if self.process.kill().is_ok() {
            let _exit = self.process.wait();
        }
    }
}

/// Serves `database_url` with `folder` as its data folder, and waits for the first page. `platform` is the one
/// address on this machine that it may send to.
///
/// # Errors
/// When it ends, or shows no page within 30 s.
pub fn start(
    binary: &Path,
    folder: &Path,
    database_url: &str,
    platform: Option<SocketAddr>,
) -> Result<Running, BenchError> {
    start_at(free_address()?, binary, folder, database_url, platform)
}

/// An address that nobody listens on.
///
/// # Errors
/// When the system has none.
pub fn free_address() -> Result<SocketAddr, BenchError> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// [`start`], at `address`.
///
/// # Errors
/// Those of [`start`].
pub fn start_at(
    address: SocketAddr,
    binary: &Path,
    folder: &Path,
    database_url: &str,
    platform: Option<SocketAddr>,
) -> Result<Running, BenchError> {
    let begun = Instant::now();
    let mut command = Command::new(binary);
    if let Some(platform) = platform {
        command.env("JANELA_OUTGOING_ALLOW", platform.to_string());
    }
    let mut process = command
        .args(["serve", "--bind", &address.to_string(), "--database-url", database_url])
        .arg("--data-dir")
        .arg(folder)
        .env("JANELA_LOG", "warn")
        .stderr(Stdio::piped())
        .spawn()?;
    let deadline = begun + Duration::from_secs(30);
    loop {
        if first_page(address).is_ok() {
            return Ok(Running { process, address, first_page: begun.elapsed() });
        }
        if let Some(status) = process.try_wait()? {
            let mut said = String::new();
            if let Some(stderr) = process.stderr.take() {
                for line in BufReader::new(stderr).lines().take(20) {
                    said.push_str(&line?);
                    said.push('\n');
                }
            }
            return Err(BenchError::Stopped { status: status.to_string(), said });
        }
        if deadline < Instant::now() {
            process.kill()?;
            return Err(BenchError::NoFigure("first page"));
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Gets the sign-in page by hand: a client library would weigh on the figure.
fn first_page(address: SocketAddr) -> std::io::Result<()> {
    use std::io::{Read, Write};
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(
        stream,
        "GET /account/sign-in HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    if answer.starts_with(b"HTTP/1.1 200") {
        Ok(())
    } else {
        Err(std::io::Error::other("not ready"))
    }
}
