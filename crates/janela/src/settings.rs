//! The settings: a TOML file, overridden by the environment, overridden by flags. Read once, here.

mod origin;
mod shown;

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
};
use secrecy::SecretString;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::{
    origin::Origins,
    shown::{HIDDEN, without_password},
};
use crate::{cli::SettingsArgs, logging, role::ProcessRole};

/// Every setting with its default. A key that is not here is refused.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawSettings {
    data_dir: PathBuf,
    database_url: Option<String>,
    bind: SocketAddr,
    metrics_bind: Option<SocketAddr>,
    public_url: Option<String>,
    smtp_url: Option<String>,
    secret_key: Option<String>,
    log: String,
    role: ProcessRole,
    outgoing_allow: Vec<String>,
    call_seconds: u32,
    lease_seconds: u32,
    unknown_outcome_seconds: u32,
    agent_idle_minutes: u32,
    admin_idle_minutes: u32,
    session_hours: u32,
}

impl Default for RawSettings {
    fn default() -> Self {
        Self {
            data_dir: PathBuf::from("./janela-data"),
            database_url: None,
            bind: SocketAddr::from(([127, 0, 0, 1], 8080)),
            metrics_bind: None,
            public_url: None,
            smtp_url: None,
            secret_key: None,
            log: "info".to_owned(),
            role: ProcessRole::All,
            outgoing_allow: Vec::new(),
            call_seconds: 20,
            lease_seconds: 60,
            unknown_outcome_seconds: 600,
            agent_idle_minutes: 30,
            admin_idle_minutes: 15,
            session_hours: 12,
        }
    }
}

/// The keys whose values are not shown, of `database_url` the password, and which may come from a file named by `…_FILE`.
const SECRETS: [&str; 3] = ["secret_key", "database_url", "smtp_url"];

/// The keys whose values are whole numbers above 0.
const NUMBERS: [&str; 6] = [
    "call_seconds",
    "lease_seconds",
    "unknown_outcome_seconds",
    "agent_idle_minutes",
    "admin_idle_minutes",
    "session_hours",
];

/// The settings as the rest of the program takes them.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Folder for the database file and the key.
    pub data_dir: PathBuf,
    /// `sqlite:PATH` or `postgres://…`; may hold a password.
    pub database_url: SecretString,
    /// Address of the desk.
    pub bind: SocketAddr,
    /// Address of `/metrics`; `None`: no such listener.
    pub metrics_bind: Option<SocketAddr>,
    /// The address people use; `None`: `http://` and the bound address.
    pub public_url: Option<String>,
    /// Where mails will go; this version sends none.
    pub smtp_url: Option<SecretString>,
    /// The key-encryption key as given; `None`: the file `secret.key` in the data folder.
    pub secret_key: Option<SecretString>,
    /// Filter of the log, such as `info` or `janela=debug`.
    pub log: String,
    /// What this process does.
    pub role: ProcessRole,
    /// Inner hosts that may be called, exact `host:port`.
    pub outgoing_allow: Vec<String>,
    /// How long one call of a platform may take.
    pub call: Duration,
    /// For how long a message is one worker's; longer than a call.
    pub lease: Duration,
    /// How long an unknown outcome may be settled by a receipt (LI-09); longer than call and lease together.
    pub unknown_outcome: Duration,
    /// Idle minutes after which an agent's session ends.
    pub agent_idle_minutes: u32,
    /// Idle minutes after which an admin's session ends.
    pub admin_idle_minutes: u32,
    /// Hours after which every session ends.
    pub session_hours: u32,
}

/// One line of `janela config check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingSource {
    /// The key in the TOML file; the variable is `JANELA_` and the key in capitals.
    pub key: String,
    /// Its value, masked when secret; of the database the one in use; `null` when unset.
    pub value: serde_json::Value,
    /// Where the value comes from.
    pub source: String,
}

/// Why the settings cannot be used.
#[derive(Debug, Error)]
pub enum SettingsError {
    /// The configuration file is no TOML.
    #[error("{name} cannot be read: {problem}")]
    Unreadable {
        /// The file.
        name: String,
        /// What is wrong, and where.
        problem: String,
    },
    /// An environment variable looks like a setting but is none.
    #[error("unknown setting {0} in the environment")]
    UnknownVariable(String),
    /// The configuration file is missing.
    #[error("the configuration file {0} does not exist")]
    NoFile(PathBuf),
    /// A `…_FILE` cannot be read.
    #[error("the file named by {variable} cannot be read")]
    UnreadableFile {
        /// The variable.
        variable: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A key is unknown, or a value of no use.
    #[error("{name} {problem}")]
    Value {
        /// The flag, the variable, or the key in the file.
        name: String,
        /// What is wrong with it, and what is expected.
        problem: String,
    },
}

/// Settings with the source of each.
#[derive(Debug)]
pub struct LoadedSettings {
    /// The settings.
    pub settings: Settings,
    /// Each key with its value and its source, in a fixed order.
    pub sources: Vec<SettingSource>,
}

impl LoadedSettings {
    /// Whether nobody set `key`, so that its default holds.
    pub fn is_default(&self, key: &str) -> bool {
        self.sources.iter().any(|line| line.key == key && line.source == DEFAULT)
    }
}

/// Where a value comes from that nobody set.
const DEFAULT: &str = "default";

/// Reads file, environment and flags.
///
/// # Errors
/// [`SettingsError`] names the flag, variable or key, what is wrong and what is expected.
pub fn load(
    args: &SettingsArgs,
    role: Option<ProcessRole>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<LoadedSettings, SettingsError> {
    let mut origins = Origins::default();
    let mut figment = Figment::from(Serialized::defaults(RawSettings::default()));
    if let Some(path) = &args.config {
        if !path.is_file() {
            return Err(SettingsError::NoFile(path.clone()));
        }
        origins.file = Some((path.clone(), Figment::from(Toml::file_exact(path))));
        figment = figment.merge(Toml::file_exact(path));
    }
    let from_environment = read_environment(environment)?;
    for (key, (variable, value)) in from_environment {
        figment = figment.merge(Serialized::default(&key, parse_variable(&key, &value)));
        origins.variables.insert(key, variable);
    }
    let flags = &mut origins.flags;
    if let Some(url) = &args.database_url {
        figment = figment.merge(Serialized::default("database_url", url));
        flags.push("database_url");
    }
    if let Some(folder) = &args.data_dir {
        figment = figment.merge(Serialized::default("data_dir", folder));
        flags.push("data_dir");
    }
    if let Some(address) = args.bind {
        figment = figment.merge(Serialized::default("bind", address));
        flags.push("bind");
    }
    if let Some(role) = role {
        figment = figment.merge(Serialized::default("role", role));
        flags.push("role");
    }
    let raw: RawSettings = figment.extract().map_err(|error| origins.explain(&figment, &error))?;
    let sources = describe(&raw, &origins);
    let settings = raw.check().map_err(|Senseless { key, problem }| {
        let name = origins.of(key).name(key);
        SettingsError::Value { name, problem }
    })?;
    Ok(LoadedSettings { settings, sources })
}

/// The variables `JANELA_…` by key, with `…_FILE` read; `JANELA_TEST_…` is left to the tests.
fn read_environment(
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<BTreeMap<String, (String, String)>, SettingsError> {
    let known = known_keys();
    let mut found = BTreeMap::new();
    for (variable, value) in environment {
        let Some(name) = variable.strip_prefix("JANELA_") else { continue };
        if name.starts_with("TEST_") {
            continue;
        }
        let key = name.to_ascii_lowercase();
        if known.contains(&key) {
            found.insert(key, (variable, value));
            continue;
        }
        let secret = key.strip_suffix("_file").filter(|key| SECRETS.contains(key));
        let Some(secret) = secret else { return Err(SettingsError::UnknownVariable(variable)) };
        let content = std::fs::read_to_string(&value).map_err(|source| {
            SettingsError::UnreadableFile { variable: variable.clone(), source }
        })?;
        found.insert(secret.to_owned(), (variable, content.trim_end().to_owned()));
    }
    Ok(found)
}

fn known_keys() -> Vec<String> {
    match serde_json::to_value(RawSettings::default()) {
        Ok(serde_json::Value::Object(keys)) => keys.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// Numbers stay numbers and lists are separated by commas; everything else is text.
fn parse_variable(key: &str, value: &str) -> serde_json::Value {
    match key {
        "outgoing_allow" => value
            .split(',')
            .map(str::trim)
            .filter(|item| !item.is_empty())
            .map(|item| serde_json::Value::String(item.to_owned()))
            .collect(),
        number if NUMBERS.contains(&number) => match value.parse::<u32>() {
            Ok(number) => number.into(),
            Err(_) => value.into(),
        },
        _ => value.into(),
    }
}

fn describe(raw: &RawSettings, origins: &Origins) -> Vec<SettingSource> {
    let Ok(serde_json::Value::Object(values)) = serde_json::to_value(raw) else {
        return Vec::new();
    };
    values
        .into_iter()
        .map(|(key, value)| {
            let source = origins.of(&key).describe(&key);
            let value = match key.as_str() {
                "database_url" => without_password(&raw.database_url_in_use()).into(),
                secret if SECRETS.contains(&secret) && !value.is_null() => HIDDEN.into(),
                _ => value,
            };
            SettingSource { key, value, source }
        })
        .collect()
}

/// A value of the right type that makes no sense.
struct Senseless {
    key: &'static str,
    problem: String,
}

impl RawSettings {
    /// The database's URL as set, or that of the file in the data folder.
    fn database_url_in_use(&self) -> String {
        match &self.database_url {
            Some(url) => url.clone(),
            None => format!("sqlite:{}", self.data_dir.join("janela.db").display()),
        }
    }

    fn check(self) -> Result<Settings, Senseless> {
        let database_url = self.database_url_in_use();
        let known_scheme = ["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| database_url.starts_with(scheme));
        if !known_scheme {
            let problem = "must start with sqlite: or postgres://".to_owned();
            return Err(Senseless { key: "database_url", problem });
        }
        if let Some(url) = &self.public_url {
            let usable = url.starts_with("https://") || url.starts_with("http://");
            if !usable {
                let problem = "must start with https:// or http://".to_owned();
                return Err(Senseless { key: "public_url", problem });
            }
        }
        if !logging::is_filter(&self.log) {
            let problem =
                format!("is {:?} but must be a filter such as info or janela=debug,info", self.log);
            return Err(Senseless { key: "log", problem });
        }
        if let Some(entry) = self.outgoing_allow.iter().find(|entry| !is_host_and_port(entry)) {
            let problem = format!("has {entry:?}, which is no host:port");
            return Err(Senseless { key: "outgoing_allow", problem });
        }
        let [call, lease, unknown_outcome, agent_idle, admin_idle, session] = [
            self.call_seconds,
            self.lease_seconds,
            self.unknown_outcome_seconds,
            self.agent_idle_minutes,
            self.admin_idle_minutes,
            self.session_hours,
        ];
        let numbers = [call, lease, unknown_outcome, agent_idle, admin_idle, session];
        for (key, number) in NUMBERS.into_iter().zip(numbers) {
            if number == 0 {
                return Err(Senseless { key, problem: "must be above 0".to_owned() });
            }
        }
        // A worker whose call outlives its lease, or whose lease outlives the wait for an outcome, could send a
        // message that was given to another one or called failed.
        let longest_call = call.saturating_add(call / 4);
        if lease <= longest_call {
            let problem = format!("must be above {longest_call}, a quarter more than call_seconds");
            return Err(Senseless { key: "lease_seconds", problem });
        }
        let least = longest_call.saturating_add(lease);
        if unknown_outcome <= least {
            let problem =
                format!("must be above {least}, what a call and a lease may take together");
            return Err(Senseless { key: "unknown_outcome_seconds", problem });
        }
        let seconds = |seconds: u32| Duration::from_secs(seconds.into());
        Ok(Settings {
            data_dir: self.data_dir,
            database_url: SecretString::from(database_url),
            bind: self.bind,
            metrics_bind: self.metrics_bind,
            public_url: self.public_url.map(|url| url.trim_end_matches('/').to_owned()),
            smtp_url: self.smtp_url.map(SecretString::from),
            secret_key: self.secret_key.map(SecretString::from),
            log: self.log,
            role: self.role,
            outgoing_allow: self.outgoing_allow,
            call: seconds(call),
            lease: seconds(lease),
            unknown_outcome: seconds(unknown_outcome),
            agent_idle_minutes: self.agent_idle_minutes,
            admin_idle_minutes: self.admin_idle_minutes,
            session_hours: self.session_hours,
        })
    }
}

fn is_host_and_port(text: &str) -> bool {
    text.rsplit_once(':')
        .is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn source_of<'a>(loaded: &'a LoadedSettings, key: &str) -> &'a str {
        loaded.sources.iter().find(|line| line.key == key).map_or("", |line| line.source.as_str())
    }

    #[test]
    fn flags_win_over_environment_over_file_over_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("janela.toml");
        std::fs::write(&file, "bind = \"127.0.0.1:1\"\nlog = \"warn\"\nsession_hours = 8\n")
            .unwrap();
        let args = SettingsArgs {
            config: Some(file),
            bind: Some("127.0.0.1:3".parse().unwrap()),
            ..SettingsArgs::default()
        };
        let variables = environment(&[("JANELA_BIND", "127.0.0.1:2"), ("JANELA_LOG", "debug")]);
        let loaded = load(&args, None, variables).unwrap();
        assert_eq!(loaded.settings.bind.port(), 3);
        assert_eq!(loaded.settings.log, "debug");
        assert_eq!(loaded.settings.session_hours, 8);
        assert_eq!(loaded.settings.admin_idle_minutes, 15);
        assert!(loaded.is_default("data_dir") && !loaded.is_default("bind"));
        assert_eq!(source_of(&loaded, "bind"), "flag --bind");
        assert_eq!(source_of(&loaded, "log"), "environment JANELA_LOG");
        assert!(source_of(&loaded, "session_hours").starts_with("file "));
        assert_eq!(source_of(&loaded, "admin_idle_minutes"), "default");
    }

    #[test]
    fn the_database_in_use_is_shown_without_its_password() {
        let shown = |variables: &[(&str, &str)]| {
            let loaded = load(&SettingsArgs::default(), None, environment(variables)).unwrap();
            let line = loaded.sources.iter().find(|line| line.key == "database_url").unwrap();
            (line.value.as_str().unwrap().to_owned(), line.source.clone())
        };
        let expected = |value: &str, source: &str| (value.to_owned(), source.to_owned());
        assert_eq!(shown(&[]), expected("sqlite:./janela-data/janela.db", "default"));
        let elsewhere = shown(&[("JANELA_DATA_DIR", "/srv/desk")]);
        assert_eq!(elsewhere, expected("sqlite:/srv/desk/janela.db", "default"));
        let server = shown(&[("JANELA_DATABASE_URL", "postgres://ana:hunter2@db/desk")]);
        let named = "environment JANELA_DATABASE_URL";
        assert_eq!(server, expected("postgres://ana:(hidden)@db/desk", named));
    }

    #[test]
    fn li_09_a_call_ends_before_its_lease_and_both_before_an_outcome_is_called_unknown() {
        let problem = |call: &str, lease: &str, unknown: &str| {
            let variables = environment(&[
                ("JANELA_CALL_SECONDS", call),
                ("JANELA_LEASE_SECONDS", lease),
                ("JANELA_UNKNOWN_OUTCOME_SECONDS", unknown),
            ]);
            let loaded = load(&SettingsArgs::default(), None, variables);
            loaded.err().map(|error| error.to_string())
        };
        assert_eq!(problem("20", "60", "600"), None);
        assert_eq!(problem("20", "26", "52"), None, "just long enough");
        let lease = problem("20", "25", "600").unwrap();
        assert!(lease.starts_with("JANELA_LEASE_SECONDS must be above 25"), "{lease}");
        let unknown = problem("20", "26", "51").unwrap();
        assert!(
            unknown.starts_with("JANELA_UNKNOWN_OUTCOME_SECONDS must be above 51"),
            "{unknown}"
        );
        assert!(
            problem("0", "60", "600").unwrap().starts_with("JANELA_CALL_SECONDS must be above 0")
        );
    }

    #[test]
    fn a_variable_of_no_use_is_refused_by_its_name_with_what_is_expected() {
        let cases = [
            ("JANELA_BINDD", "127.0.0.1:1", "unknown setting JANELA_BINDD in the environment"),
            (
                "JANELA_BIND",
                "foo",
                "JANELA_BIND is \"foo\" but must be an IP address with a port, such as 127.0.0.1:8080",
            ),
            ("JANELA_ROLE", "x", "JANELA_ROLE is \"x\" but must be web, worker or all"),
            (
                "JANELA_DATABASE_URL",
                "mysql://x",
                "JANELA_DATABASE_URL must start with sqlite: or postgres://",
            ),
            (
                "JANELA_LOG",
                "[",
                "JANELA_LOG is \"[\" but must be a filter such as info or janela=debug,info",
            ),
            ("JANELA_SESSION_HOURS", "0", "JANELA_SESSION_HOURS must be above 0"),
            (
                "JANELA_SESSION_HOURS",
                "many",
                "JANELA_SESSION_HOURS is \"many\" but must be a whole number above 0",
            ),
            (
                "JANELA_OUTGOING_ALLOW",
                "inner-host",
                "JANELA_OUTGOING_ALLOW has \"inner-host\", which is no host:port",
            ),
            (
                "JANELA_PUBLIC_URL",
                "desk.example",
                "JANELA_PUBLIC_URL must start with https:// or http://",
            ),
            (
                "JANELA_SECRET_KEY_FILE",
                "/does/not/exist",
                "the file named by JANELA_SECRET_KEY_FILE cannot be read",
            ),
        ];
        for (variable, value, told) in cases {
            let loaded = load(&SettingsArgs::default(), None, environment(&[(variable, value)]));
            assert_eq!(loaded.unwrap_err().to_string(), told);
        }
    }

    #[test]
    fn a_file_of_no_use_is_named_with_the_key_and_never_with_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("janela.toml");
        let args = SettingsArgs { config: Some(file.clone()), ..SettingsArgs::default() };
        let cases = [
            ("bindd = 1", "bindd in FILE is no setting; there are data_dir, database_url, bind"),
            ("session_hours = 0", "session_hours in FILE must be above 0"),
            ("log = \"janela=loud\"", "log in FILE is \"janela=loud\" but must be a filter"),
            ("role = \"x\"", "role in FILE is \"x\" but must be web, worker or all"),
            (
                "outgoing_allow = [7]",
                "outgoing_allow in FILE is [7] but must be a list of host:port",
            ),
            ("secret_key = 77", "secret_key in FILE must be text"),
            ("bind = ", "FILE cannot be read: TOML parse error at line 1, column 8"),
        ];
        for (content, told) in cases {
            std::fs::write(&file, content).unwrap();
            let error = load(&args, None, []).unwrap_err().to_string();
            let error = error.replace(file.to_str().unwrap(), "FILE");
            assert!(error.starts_with(told), "{error}");
        }
    }

    #[test]
    fn a_secret_comes_from_a_file_and_is_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("key");
        std::fs::write(&file, "top-secret\n").unwrap();
        let variables = environment(&[("JANELA_SECRET_KEY_FILE", file.to_str().unwrap())]);
        let loaded = load(&SettingsArgs::default(), None, variables).unwrap();
        let key = loaded.settings.secret_key.as_ref().unwrap();
        assert_eq!(key.expose_secret(), "top-secret");
        assert!(!format!("{loaded:?}").contains("top-secret"));
        assert_eq!(source_of(&loaded, "secret_key"), "environment JANELA_SECRET_KEY_FILE");
    }
}
