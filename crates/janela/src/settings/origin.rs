//! Where a setting's value comes from, and what it must be, for whoever has to change it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use figment::{Figment, error::Kind};

use super::{DEFAULT, SECRETS, SettingsError};

/// Where the value of a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A flag of the command line.
    Flag,
    /// The environment's variable of this name.
    Variable(String),
    /// The configuration file.
    File(PathBuf),
    /// Nobody set it.
    Default,
}

impl Origin {
    /// As `janela config check` tells it of `key`.
    pub fn describe(&self, key: &str) -> String {
        match self {
            Self::Flag => format!("flag {}", flag(key)),
            Self::Variable(variable) => format!("environment {variable}"),
            Self::File(path) => format!("file {}", path.display()),
            Self::Default => DEFAULT.to_owned(),
        }
    }

    /// What to look for when `key` has to be changed.
    pub fn name(&self, key: &str) -> String {
        match self {
            Self::Flag => flag(key),
            Self::Variable(variable) => variable.clone(),
            Self::File(path) => format!("{key} in {}", path.display()),
            Self::Default => key.to_owned(),
        }
    }
}

fn flag(key: &str) -> String {
    format!("--{}", key.replace('_', "-"))
}

/// What was set where; flags win over variables, and these over the file.
#[derive(Debug, Default)]
pub struct Origins {
    /// The keys that flags set.
    pub flags: Vec<&'static str>,
    /// The variables by key.
    pub variables: BTreeMap<String, String>,
    /// The file, and what it holds.
    pub file: Option<(PathBuf, Figment)>,
}

impl Origins {
    /// Where the value of `key` comes from.
    pub fn of(&self, key: &str) -> Origin {
        if self.flags.contains(&key) {
            return Origin::Flag;
        }
        if let Some(variable) = self.variables.get(key) {
            return Origin::Variable(variable.clone());
        }
        match &self.file {
            Some((path, content)) if content.contains(key) => Origin::File(path.clone()),
            Some(_) | None => Origin::Default,
        }
    }

    /// What stands against the settings that `figment` holds, in words for whoever set them.
    pub fn explain(&self, figment: &Figment, error: &figment::Error) -> SettingsError {
        let file = self.file.as_ref().map(|(path, _)| path.as_path());
        let Some(key) = error.path.first() else {
            return explain_file(file, &error.kind);
        };
        if let Kind::UnknownField(..) = error.kind {
            return explain_file(file, &error.kind);
        }
        let given: Option<serde_json::Value> = figment.extract_inner(key).ok();
        let given = given.filter(|_| !SECRETS.contains(&key.as_str()));
        let given = given.map_or_else(String::new, |given| format!("is {given} but "));
        let problem = format!("{given}must be {}", expected(key));
        SettingsError::Value { name: self.of(key).name(key), problem }
    }
}

/// What is wrong with the file as a whole, or with a key that is none.
fn explain_file(file: Option<&Path>, kind: &Kind) -> SettingsError {
    let name = file.map_or_else(|| "the settings".to_owned(), |path| path.display().to_string());
    match kind {
        Kind::UnknownField(key, known) => SettingsError::Value {
            name: format!("{key} in {name}"),
            problem: format!("is no setting; there are {}", known.join(", ")),
        },
        other => SettingsError::Unreadable { name, problem: other.to_string().trim().to_owned() },
    }
}

/// What `key` must be.
fn expected(key: &str) -> &'static str {
    match key {
        "bind" | "metrics_bind" => "an IP address with a port, such as 127.0.0.1:8080",
        "role" => "web, worker or all",
        "outgoing_allow" => "a list of host:port",
        "agent_idle_minutes" | "admin_idle_minutes" | "session_hours" => "a whole number above 0",
        _ => "text",
    }
}
