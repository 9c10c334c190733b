//! What commands print. A disk that is full is told; a reader who has read enough is none of our business.

use std::{
    fmt::Display,
    io::{self, ErrorKind, Write},
};

use serde::Serialize;
use thiserror::Error;

/// Why something was not printed.
#[derive(Debug, Error)]
pub enum PrintError {
    /// Standard output takes no more.
    #[error("cannot write to standard output")]
    Output(#[from] io::Error),
    /// What was found has no form in JSON.
    #[error("the report cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// Prints a line, or several, on standard output. A pipe that was closed, as by `head`, is no failure.
///
/// # Errors
/// `Output` when it cannot be written to.
pub fn line(text: impl Display) -> Result<(), PrintError> {
    let mut output = io::stdout().lock();
    let written = writeln!(output, "{text}").and_then(|()| output.flush());
    Ok(unless_closed(written)?)
}

/// Prints one line of JSON on standard output.
///
/// # Errors
/// As [`line`], and `Json`.
pub fn json(report: &impl Serialize) -> Result<(), PrintError> {
    line(serde_json::to_string(report)?)
}

/// Prints a line on standard error; when that fails nobody is left to tell.
pub fn aside(text: impl Display) {
    let _nobody_to_tell = writeln!(io::stderr(), "{text}");
}

/// The outcome of writing, with a closed pipe taken for success.
///
/// # Errors
/// Whatever else failed.
pub fn unless_closed(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}
