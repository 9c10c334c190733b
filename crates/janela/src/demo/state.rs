//! What a demo must remember in its folder to resume: the API token it printed, the moved clock.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::ids::ChannelId;
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Why the state is of no use.
#[derive(Debug, Error)]
pub enum StateError {
    /// The file cannot be read or written.
    #[error("the demo's state {path} cannot be used")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The file holds something else.
    #[error("the demo's state {path} is not readable")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: serde_json::Error,
    },
}

/// What is remembered.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemoState {
    /// Speaks for the first agent; worth nothing outside this folder.
    pub api_token: String,
    channels: Vec<i64>,
    ahead_ms: u64,
    /// When the company's past ends; `None` until it was played.
    #[serde(default)]
    past_until_ms: Option<i64>,
}

impl DemoState {
    /// The state of a demo just filled.
    pub fn new(api_token: String, channels: Vec<ChannelId>) -> Self {
        let channels = channels.into_iter().map(|id| id.0).collect();
        Self { api_token, channels, ahead_ms: 0, past_until_ms: None }
    }

    /// The channels, in the order of the company's numbers.
    pub fn channels(&self) -> impl Iterator<Item = ChannelId> {
        self.channels.iter().copied().map(ChannelId)
    }

    /// When the company's past ends; `None` until it was played.
    pub fn past_until(&self) -> Option<DateTime<Utc>> {
        self.past_until_ms.and_then(DateTime::from_timestamp_millis)
    }

    /// How far the clock was moved ahead.
    pub fn ahead(&self) -> Duration {
        Duration::from_millis(self.ahead_ms)
    }
}

fn path(folder: &Path) -> PathBuf {
    folder.join("demo.json")
}

/// The state in `folder`; `None` when no demo was there.
///
/// # Errors
/// [`StateError`] when there is one that cannot be read.
pub fn read(folder: &Path) -> Result<Option<DemoState>, StateError> {
    let path = path(folder);
    match fs::read(&path) {
        Ok(text) => match serde_json::from_slice(&text) {
            Ok(state) => Ok(Some(state)),
            Err(source) => Err(StateError::Malformed { path, source }),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(StateError::File { path, source }),
    }
}

/// Keeps `state` in `folder`.
///
/// # Errors
/// [`StateError`] when it cannot be written.
pub fn write(folder: &Path, state: &DemoState) -> Result<(), StateError> {
    let path = path(folder);
    let text = match serde_json::to_vec(state) {
        Ok(text) => text,
        Err(source) => return Err(StateError::Malformed { path, source }),
    };
    fs::write(&path, text).map_err(|source| StateError::File { path, source })
}

/// Keeps how far the clock is ahead, if a demo is there.
///
/// # Errors
/// [`StateError`] when it cannot be written.
pub fn write_ahead(folder: &Path, ahead: Duration) -> Result<(), StateError> {
    let Some(mut state) = read(folder)? else { return Ok(()) };
    state.ahead_ms = u64::try_from(ahead.as_millis()).unwrap_or(u64::MAX);
    write(folder, &state)
}

/// Keeps when the company's past ends.
///
/// # Errors
/// [`StateError`] when it cannot be written.
pub fn write_past_until(folder: &Path, until: DateTime<Utc>) -> Result<(), StateError> {
    let Some(mut state) = read(folder)? else { return Ok(()) };
    state.past_until_ms = Some(until.timestamp_millis());
    write(folder, &state)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_clock_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read(folder.path()).unwrap().is_none());
        write(folder.path(), &DemoState::new("token".to_owned(), vec![ChannelId(3)])).unwrap();
        write_ahead(folder.path(), Duration::from_secs(86_400)).unwrap();
        let state = read(folder.path()).unwrap().unwrap();
        assert_eq!(state.ahead(), Duration::from_secs(86_400));
        assert_eq!(state.channels().collect::<Vec<_>>(), [ChannelId(3)]);
    }
}
