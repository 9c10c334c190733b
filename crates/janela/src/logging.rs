//! The log: JSON lines on stderr, plain lines when a person looks on.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

/// Starts the log with `filter`, such as `info` or `janela=debug,info`.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    let log = fmt().with_env_filter(filter).with_writer(stderr);
    if stderr().is_terminal() {
        log.init()
    } else {
        log.json().init()
    }
    Ok(())
}
