//! The command line: what `janela --help` shows.

use std::{net::SocketAddr, path::PathBuf};

use clap::{
    Args, Parser, Subcommand,
    builder::{PossibleValuesParser, TypedValueParser},
};
use domain::permission::Role;

use crate::role::ProcessRole;

/// A self-hosted desk for proactive messaging.
#[derive(Debug, Parser)]
#[command(name = "janela", version, about, long_about = None, propagate_version = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Start desk, sandbox and a seeded company; nothing else is needed
    Demo(DemoArgs),
    /// Start the desk for production
    Serve(ServeArgs),
    /// Apply the database migrations and stop
    Migrate(SettingsArgs),
    /// Start the provider stand-ins alone
    Sandbox(SandboxArgs),
    /// Manage users: the first admin, recovery
    #[command(subcommand)]
    User(UserCommand),
    /// Check everything Janela needs, and say what is wrong
    Doctor(ReportArgs),
    /// Say that the clock is right after it jumped: sends and jobs go on
    #[command(subcommand)]
    Clock(ClockCommand),
    /// Look at the settings
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Ask a running Janela whether it is ready (for containers)
    Healthcheck(SettingsArgs),
    /// Print the description of the API
    Openapi,
}

/// Where the settings come from, and the few that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct SettingsArgs {
    /// TOML file with settings; environment and flags override it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Database: sqlite:PATH or postgres://...
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Folder for the database file and the key
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Address of the desk
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub bind: Option<SocketAddr>,
}

/// Options of `serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// What this process does: web, worker or all
    #[arg(long, value_name = "ROLE")]
    pub role: Option<ProcessRole>,
}

/// Options of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Address of the sandbox
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    pub sandbox_bind: SocketAddr,
    /// Print one line of JSON with addresses and sign-ins once it serves
    #[arg(long)]
    pub json: bool,
    /// Seed of the random parts of the company
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// Times the contacts and the history of the company
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub scale: u32,
    /// Keep the temporary folder when the demo stops
    #[arg(long)]
    pub keep: bool,
    /// How many times faster the sandbox's customers react
    #[arg(long, default_value_t = 1.0, value_name = "N", value_parser = positive)]
    pub speed: f64,
}

/// Options of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Address of the sandbox
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8081")]
    pub bind: SocketAddr,
    /// Address of its mail server
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub smtp_bind: SocketAddr,
    /// How many times faster the customers react
    #[arg(long, default_value_t = 1.0, value_name = "N", value_parser = positive)]
    pub speed: f64,
    /// Where to deliver the webhooks of the first number
    #[arg(long, value_name = "URL", value_parser = web_address)]
    pub webhook: Option<String>,
    /// Print one line of JSON once it serves
    #[arg(long)]
    pub json: bool,
}

/// Commands on users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user, or the first admin
    Add(UserAddArgs),
    /// List the users
    List(ReportArgs),
    /// Disable a user: signed out at once, their tickets go to others
    Disable(UserStatusArgs),
    /// Let a disabled user sign in again
    Enable(UserStatusArgs),
    /// Set a new password for whoever lost theirs: signed out everywhere
    Password(UserPasswordArgs),
    /// Mark a user absent: no ticket waits for them alone, and none is given to them
    Absent(UserStatusArgs),
    /// End a user's absence
    Present(UserStatusArgs),
}

/// Options of `user add`.
#[derive(Debug, Clone, Args)]
pub struct UserAddArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// The address they sign in with
    #[arg(long, value_parser = not_blank)]
    pub email: String,
    /// Their name
    #[arg(long, value_parser = not_blank)]
    pub name: String,
    /// What they may do
    #[arg(long, default_value = Role::Agent.as_str(), value_parser = role())]
    pub role: Role,
    /// A chatbot they belong to, by name; all chatbots when left out
    #[arg(long)]
    pub chatbot: Option<String>,
    /// A file with the password; asked for on standard input when left out
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Options of `user password`.
#[derive(Debug, Args)]
pub struct UserPasswordArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// The address they sign in with
    pub email: String,
    /// A file with the new password; asked for on standard input when left out
    #[arg(long, value_name = "FILE")]
    pub password_file: Option<PathBuf>,
}

/// Options of the commands on one user.
#[derive(Debug, Args)]
pub struct UserStatusArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// The address they sign in with
    pub email: String,
}

/// Commands on the clock.
#[derive(Debug, Subcommand)]
pub enum ClockCommand {
    /// Confirm the clock of every process: whoever paused for a jump goes on within a few seconds
    Confirm(SettingsArgs),
}

/// Commands on settings.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show each setting, its value and where the value comes from
    Check(ReportArgs),
}

/// Options of commands that print a report.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Settings.
    #[command(flatten)]
    pub settings: SettingsArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && 0.0 < number => Ok(number),
        _ => Err("a number above 0".to_owned()),
    }
}

/// What was typed, without the spaces around it; there must be something.
fn not_blank(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("something other than spaces".to_owned()),
        text => Ok(text.to_owned()),
    }
}

fn role() -> impl TypedValueParser<Value = Role> {
    let known = PossibleValuesParser::new(Role::ALL.map(Role::as_str));
    known.try_map(|word| Role::parse(&word).ok_or("agent, manager or admin"))
}

fn web_address(text: &str) -> Result<String, String> {
    match reqwest::Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text.to_owned()),
        Ok(_) | Err(_) => Err("a URL that starts with http:// or https://".to_owned()),
    }
}
