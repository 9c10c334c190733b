//! Measures what Janela promises: `cargo run --release -p bench -- NAME`.

mod footprint;
mod report;

use std::{path::Path, process::ExitCode};

use clap::{Parser, ValueEnum};
use thiserror::Error;

/// Measures speed and size against the goals.
#[derive(Debug, Parser)]
#[command(name = "bench")]
struct Arguments {
    /// What to measure
    name: Name,
    /// On which database; PostgreSQL is the server named by JANELA_TEST_POSTGRES_URL
    #[arg(long, default_value = "both")]
    database: DatabaseChoice,
    /// Print one line of JSON
    #[arg(long)]
    json: bool,
}

/// The benches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Every bench
    All,
    /// Start, memory at rest, size
    Footprint,
}

/// Which databases to measure on.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum DatabaseChoice {
    /// The embedded file
    Sqlite,
    /// A server
    Postgres,
    /// One after the other
    Both,
}

/// A database to measure on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Database {
    /// The embedded file.
    Sqlite,
    /// A server.
    Postgres,
}

impl DatabaseChoice {
    fn each(self) -> Vec<Database> {
        match self {
            Self::Sqlite => vec![Database::Sqlite],
            Self::Postgres => vec![Database::Postgres],
            Self::Both => vec![Database::Sqlite, Database::Postgres],
        }
    }
}

impl Database {
    fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }
}

/// Why a bench could not measure.
#[derive(Debug, Error)]
pub enum BenchError {
    /// There is nothing to measure.
    #[error("no release binary: run `cargo build --release` first")]
    NoReleaseBinary,
    /// What would be measured is not what stands in the sources.
    #[error("the release binary is older than the sources: run `cargo build --release` first")]
    OldReleaseBinary,
    /// No server to measure on.
    #[error("JANELA_TEST_POSTGRES_URL names no server")]
    NoPostgres,
    /// The program ended while it should serve.
    #[error("janela stopped with {status}: {said}")]
    Stopped {
        /// How it ended.
        status: String,
        /// What it said.
        said: String,
    },
    /// A figure could not be read.
    #[error("no figure for {0}")]
    NoFigure(&'static str),
    /// The system refused.
    #[error("the system refused")]
    System(#[from] std::io::Error),
    /// The report could not be written.
    #[error("the report could not be written")]
    Report(#[from] serde_json::Error),
}

/// A database of its own for one measurement: a file in `folder`, or a fresh one on the server.
///
/// # Errors
/// When no server is named, or it makes no database.
pub fn database_url(database: Database, folder: &Path) -> Result<String, BenchError> {
    if database == Database::Sqlite {
        return Ok(format!("sqlite:{}", folder.join("bench.db").display()));
    }
    let server = std::env::var("JANELA_TEST_POSTGRES_URL").map_err(|_| BenchError::NoPostgres)?;
    let name: String =
        folder.to_string_lossy().chars().filter(char::is_ascii_alphanumeric).collect();
    let name = format!("bench_{}", name.to_lowercase());
    let made = std::process::Command::new("psql")
        .args([server.as_str(), "-q", "-c", &format!("CREATE DATABASE {name}")])
        .status()?;
    if made.success() {
        Ok(server.replacen("/postgres?", &format!("/{name}?"), 1))
    } else {
        Err(BenchError::NoPostgres)
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut reached = true;
    type Bench = fn(DatabaseChoice) -> Result<report::Report, BenchError>;
    let benches: [(Name, Bench); 1] = [(Name::Footprint, footprint::run)];
    for (_, bench) in
        benches.iter().filter(|(name, _)| [*name, Name::All].contains(&arguments.name))
    {
        let printed =
            bench(arguments.database).and_then(|report| Ok(report.print(arguments.json)?));
        match printed {
            Ok(all) => reached &= all,
            Err(error) => {
                eprintln!("bench: {error}");
                return ExitCode::from(2);
            }
        }
    }
    if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
