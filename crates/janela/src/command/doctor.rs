//! `janela doctor`: checks everything Janela needs, and says what is wrong and what to do.

use persistence::{
    channel::{self, Channel},
    health, inbox,
    secret::{self, Vault},
    store::Store,
};
use secrecy::ExposeSecret;
use serde::Serialize;
use thiserror::Error;

use crate::{
    database::{self, DatabaseError},
    key::{self, KeyError},
    print::{self, PrintError},
    settings::Settings,
};

/// Why the doctor is not content.
#[derive(Debug, Error)]
pub enum DoctorError {
    /// Some check failed; each was printed.
    #[error("{0} of the checks failed")]
    Unwell(usize),
    /// The report cannot be printed.
    #[error(transparent)]
    Print(#[from] PrintError),
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

/// Runs every check and prints what it found. Nothing is made or changed: a file that is missing, a migration
/// that has not run and a key that is not there are named.
///
/// # Errors
/// `Unwell` when a check failed.
pub fn run(settings: &Settings, json: bool) -> Result<(), DoctorError> {
    let findings = examine(settings);
    if json {
        print::json(&findings)?;
    } else {
        for finding in &findings {
            let mark = if finding.ok { "ok  " } else { "FAIL" };
            print::line(format_args!("{mark} {:12} {}", finding.check, finding.detail))?;
        }
    }
    match findings.iter().filter(|finding| !finding.ok).count() {
        0 => Ok(()),
        failed => Err(DoctorError::Unwell(failed)),
    }
}

fn examine(settings: &Settings) -> Vec<Finding> {
    let store = match database::open_existing(settings) {
        Ok(store) => store,
        Err(error) => {
            let database = Finding::of("database", Err(crate::chain(&error)));
            return vec![database, Finding::of("mail", look_at_mail(settings))];
        }
    };
    let mut findings = vec![Finding::of("database", look_at_file(&store))];
    let tables = look_at_tables(&store);
    let are_there = tables.is_ok();
    findings.push(Finding::of("tables", tables));
    if are_there {
        findings.push(Finding::of("platform", look_at_kept(&store)));
        findings.extend(look_at_secrets(&store, settings));
    }
    findings.push(Finding::of("mail", look_at_mail(settings)));
    findings
}

/// Where the database is, if it is whole.
fn look_at_file(store: &Store) -> Result<String, String> {
    let location = store.describe_location();
    let damage = match store.blocking_read(health::find_damage) {
        Ok(None) => return Ok(location),
        Ok(Some(reason)) => DatabaseError::Damaged { file: location, reason },
        Err(error) => DatabaseError::at(&location, error),
    };
    Err(crate::chain(&damage))
}

fn look_at_tables(store: &Store) -> Result<String, String> {
    match database::expect_current(store) {
        Ok(()) => Ok("up to date".to_owned()),
        Err(error) => Err(crate::chain(&error)),
    }
}

/// What the platform told that nobody here has a use for, by kind; it is kept, and nothing is wrong with it.
fn look_at_kept(store: &Store) -> Result<String, String> {
    let kept = store.blocking_read(inbox::list_kept).map_err(|error| crate::chain(&error))?;
    let told = |is_known: bool| {
        let of_kind = kept.iter().filter(|kept| kept.is_known == is_known);
        let kinds: Vec<String> =
            of_kind.map(|kept| format!("{:?} {} times", kept.kind, kept.seen)).collect();
        kinds.join(", ")
    };
    Ok(match (told(false), told(true)) {
        (unknown, known) if unknown.is_empty() && known.is_empty() => {
            "told nothing that is not used here".to_owned()
        }
        (unknown, known) if unknown.is_empty() => format!("told of what is not used here: {known}"),
        (unknown, known) if known.is_empty() => format!("told of what is not known: {unknown}"),
        (unknown, known) => {
            format!("told of what is not known: {unknown}; not used here: {known}")
        }
    })
}

/// Whether there is a key, and whether it opens what is sealed.
fn look_at_secrets(store: &Store, settings: &Settings) -> Vec<Finding> {
    const KEY: &str = "secret key";
    let has_sealed = match store.blocking_read(secret::has_data_keys) {
        Ok(has_sealed) => has_sealed,
        Err(error) => return vec![Finding::of(KEY, Err(error.to_string()))],
    };
    let key = match key::find(settings) {
        Ok(Some(key)) => key,
        Ok(None) if has_sealed => {
            return vec![Finding::of(KEY, Err(KeyError::lost(settings).to_string()))];
        }
        Ok(None) => return vec![Finding::of(KEY, Ok("the first start makes one".to_owned()))],
        Err(error) => return vec![Finding::of(KEY, Err(crate::chain(&error)))],
    };
    match store.blocking_read(|db| Vault::find(db, &key)) {
        Ok(vault) => vec![
            Finding::of(KEY, Ok(format!("key {} fits", key.id()))),
            Finding::of("secrets", open_secrets(store, &vault)),
        ],
        Err(error) => vec![Finding::of(KEY, Err(error.to_string()))],
    }
}

/// Whether the address of a mail server is one, for a version that mails.
fn look_at_mail(settings: &Settings) -> Result<String, String> {
    const NONE_YET: &str = "this version sends no mails yet";
    let Some(url) = &settings.smtp_url else {
        return Ok(format!("no mail server is set, and {NONE_YET}"));
    };
    let scheme = url.expose_secret().split_once("://").map(|(scheme, _)| scheme.to_owned());
    match scheme.as_deref() {
        Some("smtp" | "smtps") => Ok(format!("a mail server is set, but {NONE_YET}")),
        Some(_) | None => Err("smtp_url must start with smtp:// or smtps://".to_owned()),
    }
}

/// Opens the secrets of every channel, also of one that is disconnected: it may be connected again.
fn open_secrets(store: &Store, vault: &Vault) -> Result<String, String> {
    let channels = store.blocking_read(channel::list_all).map_err(|error| crate::chain(&error))?;
    let failures: Vec<String> = channels
        .iter()
        .filter_map(|known| {
            let opened = store.blocking_read(|db| channel::get_access(db, vault, known.id));
            let error = opened.err()?;
            let state = if known.connected { "" } else { ", disconnected" };
            let Channel { id, name, external_id, .. } = known;
            let error = crate::chain(&error);
            Some(format!("channel {id} {name:?} ({external_id}{state}): {error}"))
        })
        .collect();
    if !failures.is_empty() {
        return Err(failures.join("; "));
    }
    let disconnected = channels.iter().filter(|known| !known.connected).count();
    Ok(match disconnected {
        0 => format!("those of {} channels open", channels.len()),
        _ => format!("those of {} channels open, {disconnected} disconnected", channels.len()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::SettingsArgs, settings};

    fn checks(settings: &Settings) -> Vec<(&'static str, bool)> {
        examine(settings).into_iter().map(|finding| (finding.check, finding.ok)).collect()
    }

    #[test]
    fn the_doctor_promises_no_mail_whether_a_server_is_set_or_not() {
        let mail = |variables: &[(&str, &str)]| {
            let variables = variables.iter().map(|(key, url)| ((*key).into(), (*url).into()));
            let loaded = settings::load(&SettingsArgs::default(), None, variables).unwrap();
            look_at_mail(&loaded.settings)
        };
        for variables in [&[] as &[_], &[("JANELA_SMTP_URL", "smtp://ana:hunter2@mail.example")]] {
            let told = mail(variables).unwrap();
            assert!(told.contains("sends no mails yet") && !told.contains("hunter2"), "{told}");
        }
        assert!(mail(&[("JANELA_SMTP_URL", "mail.example")]).is_err());
    }

    #[test]
    fn the_doctor_names_what_is_missing_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let args =
            SettingsArgs { data_dir: Some(folder.path().to_owned()), ..SettingsArgs::default() };
        let settings = settings::load(&args, None, []).unwrap().settings;
        assert_eq!(checks(&settings), [("database", false), ("mail", true)]);
        assert!(matches!(run(&settings, false), Err(DoctorError::Unwell(1))));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "no file was made");

        drop(database::open(&settings).unwrap());
        let without_tables = [("database", true), ("tables", false), ("mail", true)];
        assert_eq!(checks(&settings), without_tables);
        assert_eq!(checks(&settings), without_tables, "no migration was applied");
        assert!(matches!(run(&settings, false), Err(DoctorError::Unwell(1))));
        let told = examine(&settings).remove(1).detail;
        assert!(told.contains("00000000000001") && told.contains("janela migrate"), "{told}");

        database::open(&settings).unwrap().migrate().unwrap();
        let before_the_first_start = [
            ("database", true),
            ("tables", true),
            ("platform", true),
            ("secret key", true),
            ("mail", true),
        ];
        assert_eq!(checks(&settings), before_the_first_start);
        assert!(key::find(&settings).unwrap().is_none(), "no key was made");

        drop(database::open_ready(&settings).unwrap());
        assert!(run(&settings, false).is_ok());
        assert!(checks(&settings).contains(&("secrets", true)));
        std::fs::remove_file(folder.path().join("secret.key")).unwrap();
        assert!(checks(&settings).contains(&("secret key", false)), "what is sealed is lost");
    }
}
