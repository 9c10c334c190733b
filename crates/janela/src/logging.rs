//! The log: JSON lines on stderr, plain lines when a person looks on.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

/// Whether `text` is a filter of the log.
pub fn is_filter(text: &str) -> bool {
    EnvFilter::try_new(text).is_ok()
}

/// Starts the log with `filter`, such as `info` or `janela=debug,info`.
///
/// # Errors
/// When the filter cannot be read.
pub fn start(filter: &str) -> Result<(), tracing_subscriber::filter::ParseError> {
    let filter = EnvFilter::try_new(filter)?;
    // A log that takes no more stops nobody: complaining of it would go to the same place.
    let log = fmt().with_env_filter(filter).with_writer(stderr).log_internal_errors(false);
    if stderr().is_terminal() {
        log.init()
    } else {
        log.json().init()
    }
    Ok(())
}
