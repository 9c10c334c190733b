//! `janela doctor`: checks everything Janela needs, and says what is wrong and what to do.

use persistence::{channel, error::PersistenceError, store::Store};
use secrecy::ExposeSecret;
use serde::Serialize;
use thiserror::Error;

use crate::{
    database::{self, DatabaseError},
    key,
    settings::Settings,
};

/// Why the doctor is not content.
#[derive(Debug, Error)]
pub enum DoctorError {
    /// Some check failed; each was printed.
    #[error("{0} of the checks failed")]
    Unwell(usize),
    /// The report cannot be written.
    #[error("the report cannot be written")]
    Json(#[from] serde_json::Error),
}

/// What one check found.
#[derive(Debug, Serialize)]
struct Finding {
    check: &'static str,
    ok: bool,
    detail: String,
}

impl Finding {
    fn of(check: &'static str, result: Result<String, String>) -> Self {
        match result {
            Ok(detail) => Self { check, ok: true, detail },
            Err(detail) => Self { check, ok: false, detail },
        }
    }
}

/// Runs every check and prints what it found. Like `serve` it brings the tables up to date and makes the
/// key on the first start; it changes nothing else.
///
/// # Errors
/// `Unwell` when a check failed.
pub fn run(settings: &Settings, json: bool) -> Result<(), DoctorError> {
    let findings = examine(settings);
    if json {
        println!("{}", serde_json::to_string(&findings)?);
    } else {
        for finding in &findings {
            let mark = if finding.ok { "ok  " } else { "FAIL" };
            println!("{mark} {:12} {}", finding.check, finding.detail);
        }
    }
    match findings.iter().filter(|finding| !finding.ok).count() {
        0 => Ok(()),
        failed => Err(DoctorError::Unwell(failed)),
    }
}

fn examine(settings: &Settings) -> Vec<Finding> {
    let store = match database::open(settings) {
        Ok(store) => store,
        Err(error) => return vec![Finding::of("database", Err(explain(&error)))],
    };
    let mut findings = vec![Finding::of("database", Ok(store.describe_location()))];
    let migrated = store.migrate().map(|applied| match applied.len() {
        0 => "up to date".to_owned(),
        count => format!("applied {count}"),
    });
    findings.push(Finding::of("tables", migrated.map_err(|error| error.to_string())));
    let unlocked = key::load_or_create(settings)
        .map_err(|error| crate::chain(&error))
        .and_then(|key| store.unlock(&key).map(|()| key.id()).map_err(|error| error.to_string()));
    let is_open = unlocked.is_ok();
    findings.push(Finding::of("secret key", unlocked.map(|id| format!("key {id} fits"))));
    if is_open {
        findings
            .push(Finding::of("secrets", open_secrets(&store).map_err(|error| error.to_string())));
    }
    findings.push(Finding::of("mail", look_at_mail(settings)));
    findings
}

/// Whether mails can be addressed to a server; none are sent by this check.
fn look_at_mail(settings: &Settings) -> Result<String, String> {
    let Some(url) = &settings.smtp_url else { return Ok("no mail server is set".to_owned()) };
    let scheme = url.expose_secret().split_once("://").map(|(scheme, _)| scheme.to_owned());
    match scheme.as_deref() {
        Some("smtp" | "smtps") => Ok("a mail server is set".to_owned()),
        Some(_) | None => Err("smtp_url must start with smtp:// or smtps://".to_owned()),
    }
}

/// Opens the secrets of every channel.
fn open_secrets(store: &Store) -> Result<String, PersistenceError> {
    let vault = store.vault()?;
    let channels = store.blocking_read(channel::list_connected)?;
    for channel in &channels {
        store.blocking_read(|db| channel::get_access(db, &vault, channel.id))?;
    }
    Ok(format!("{} channels open", channels.len()))
}

fn explain(error: &DatabaseError) -> String {
    crate::chain(error)
}
