//! Measures what Janela promises: `cargo run --release -p bench -- NAME`.

mod admission;
mod clock;
mod database;
mod desk;
mod dispatch;
mod footprint;
mod ingest;
mod live;
mod load;
mod peers;
mod plot;
mod report;
mod scale;
mod serving;

use std::{process::ExitCode, time::Duration};

use clap::{Parser, ValueEnum};
use thiserror::Error;

use self::report::Report;

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
    /// Keep each report in docs/benchmarks, for the plots
    #[arg(long)]
    keep: bool,
    /// Other sizes of history than the promised ones, to try a bench out
    #[arg(long, hide = true, value_delimiter = ',')]
    sizes: Vec<i64>,
    /// Shorter than promised, to try a bench out
    #[arg(long, hide = true, default_value_t = 60)]
    seconds: u64,
}

/// The benches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Every bench
    All,
    /// Start, memory at rest, size
    Footprint,
    /// Deciding and enqueueing one send, at little and at much history
    Admission,
    /// Webhooks: made durable, answered, applied
    Ingest,
    /// Sends: admitted, dispatched, taken by the sandbox
    Dispatch,
    /// A thousand desks: how soon they hear of a webhook, and what an idle one needs
    Live,
    /// One, two and four processes on one PostgreSQL
    Scale,
    /// Beside `django-meta-whatsapp` from the Python registry, which it installs
    Peers,
    /// No bench: draws docs/benchmarks/*.svg from the reports kept beside them
    Plot,
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
    #[error("the system refused: {0}")]
    System(#[from] std::io::Error),
    /// The server took no connection.
    #[error("the server took no connection: {0}")]
    Connection(#[from] diesel::ConnectionError),
    /// The server refused a command.
    #[error("the server refused: {0}")]
    Server(#[from] diesel::result::Error),
    /// Janela refused what was measured.
    #[error("{}", with_causes(.0))]
    Persistence(#[from] persistence::error::PersistenceError),
    /// What should be there is not.
    #[error("{0}")]
    Broken(String),
    /// The report could not be written.
    #[error("the report could not be written: {0}")]
    Report(#[from] serde_json::Error),
}

/// What an error says, and what its causes say.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::from(2)
        }
    }
}

/// Measures, and tells what it found.
type Bench<'a> = dyn Fn() -> Result<Report, BenchError> + 'a;

/// How long a closed loop lasts, at most; shorter where a bench is tried out.
const CLOSED_LOOP: Duration = Duration::from_secs(10);
/// How long desks listen with each shape of company, at most.
const LISTENING: Duration = Duration::from_secs(30);

/// Runs what is asked for, prints each report once it is there, and tells whether every goal was reached.
fn run(arguments: &Arguments) -> Result<bool, BenchError> {
    if arguments.name == Name::Plot {
        return plot::run().map(|()| true);
    }
    let databases = arguments.database;
    let lasting = Duration::from_secs(arguments.seconds);
    let benches: [(Name, &Bench); 7] = [
        (Name::Footprint, &|| footprint::run(databases)),
        (Name::Admission, &|| admission::run(databases, &arguments.sizes)),
        (Name::Ingest, &|| ingest::run(databases, lasting)),
        (Name::Dispatch, &|| dispatch::run(databases)),
        (Name::Live, &|| live::run(databases, lasting.min(LISTENING))),
        (Name::Scale, &|| scale::run(databases, lasting.min(CLOSED_LOOP))),
        (Name::Peers, &|| peers::run(databases, lasting.min(CLOSED_LOOP))),
    ];
    let mut reached = true;
    for (name, bench) in benches {
        if [name, Name::All].contains(&arguments.name) {
            let report = bench()?;
            reached &= report.print(arguments.json)?;
            if arguments.keep {
                plot::keep(&report)?;
            }
        }
    }
    Ok(reached)
}
