//! The program: reads the settings, puts the parts together, starts and stops them.
//!
//! *Lives here*: the command line, settings, wiring, the demo's company. *Must not live here*: logic; an
//! `if` about messages is in the wrong crate.

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "`print` says what to do where nothing can be written; the macros panic"
)]

mod alone;
mod cli;
mod clock;
mod command;
mod database;
mod demo;
mod desk;
mod key;
mod logging;
mod metrics;
mod print;
mod role;
mod serve;
mod settings;
mod stop;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;

use crate::{
    cli::{Cli, ClockCommand, Command, ConfigCommand, SettingsArgs, UserCommand},
    print::PrintError,
    role::ProcessRole,
    settings::LoadedSettings,
};

fn main() -> ExitCode {
    fault::arm();
    let ended = match Cli::try_parse() {
        Ok(cli) => run(cli),
        Err(usage) if usage.use_stderr() => usage.exit(),
        Err(help) => show(&help),
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            print::aside(format_args!("janela: {}", chain(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

/// Prints what `--help` and `--version` ask for.
fn show(help: &clap::Error) -> Result<(), Box<dyn Error>> {
    let printed = help.print().and_then(|()| io::stdout().flush());
    Ok(print::unless_closed(printed).map_err(PrintError::from)?)
}

fn run(cli: Cli) -> Result<(), Box<dyn Error>> {
    // A provider installed earlier, by a test, serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match cli.command {
        Command::Demo(args) => {
            let loaded = load(&args.settings, None)?;
            block_on(async { Ok(demo::run(&args, loaded).await?) })
        }
        Command::Serve(args) => {
            let loaded = load(&args.settings, args.role)?;
            block_on(async { Ok(serve::run(&loaded.settings).await?) })
        }
        Command::Migrate(args) => Ok(command::migrate::run(&load(&args, None)?.settings)?),
        Command::Sandbox(args) => {
            logging::start("info")?;
            block_on(async { Ok(command::sandbox::run(&args).await?) })
        }
        Command::User(UserCommand::Add(args)) => {
            let loaded = load(&args.settings, None)?;
            Ok(command::user::add(&args, &loaded.settings)?)
        }
        Command::User(UserCommand::List(args)) => {
            let loaded = load(&args.settings, None)?;
            Ok(command::user::list(&loaded.settings, args.json)?)
        }
        Command::User(UserCommand::Disable(args)) => {
            let loaded = load(&args.settings, None)?;
            Ok(command::user::disable(&args, &loaded.settings)?)
        }
        Command::User(UserCommand::Enable(args)) => {
            let loaded = load(&args.settings, None)?;
            Ok(command::user::enable(&args, &loaded.settings)?)
        }
        Command::User(UserCommand::Password(args)) => {
            let loaded = load(&args.settings, None)?;
            Ok(command::user::password::replace(&args, &loaded.settings)?)
        }
        Command::User(UserCommand::Absent(args)) => {
            let loaded = load(&args.settings, None)?;
            Ok(command::user::mark_absent(&args, &loaded.settings)?)
        }
        Command::User(UserCommand::Present(args)) => {
            let loaded = load(&args.settings, None)?;
            Ok(command::user::mark_present(&args, &loaded.settings)?)
        }
        Command::Doctor(args) => {
            let loaded = load(&args.settings, None)?;
            Ok(command::doctor::run(&loaded.settings, args.json)?)
        }
        Command::Clock(ClockCommand::Confirm(args)) => {
            Ok(command::clock::confirm(&load(&args, None)?.settings)?)
        }
        Command::Config(ConfigCommand::Check(args)) => {
            let loaded = settings::load(&args.settings, None, std::env::vars())?;
            Ok(command::config_check::run(&loaded, args.json)?)
        }
        Command::Healthcheck(args) => {
            let loaded = settings::load(&args, None, std::env::vars())?;
            block_on(async { Ok(command::healthcheck::run(&loaded.settings).await?) })
        }
        Command::Openapi => Ok(print::line(web::openapi_json())?),
    }
}

/// Reads the settings and starts the log.
fn load(args: &SettingsArgs, role: Option<ProcessRole>) -> Result<LoadedSettings, Box<dyn Error>> {
    let loaded = settings::load(args, role, std::env::vars())?;
    logging::start(&loaded.settings.log)?;
    Ok(loaded)
}

fn block_on(work: impl Future<Output = Result<(), Box<dyn Error>>>) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

/// An error with its causes, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        if !text.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        cause = error.source();
    }
    text
}
