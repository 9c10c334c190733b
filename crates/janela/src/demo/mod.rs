//! `janela demo`: desk, sandbox and a seeded company, in one process and one folder.

pub mod company;
mod files;
mod history;
mod line;
mod lock;
mod phones;
mod picture;
mod script;
mod seed;
pub mod stand_in;
mod state;

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use domain::{channel::ChannelKind, clock::Clock};
use persistence::{
    channel,
    chatbot::{self, SaveOutcome},
    error::PersistenceError,
    live::{LiveEvent, LiveKind},
    message_template,
    store::Store,
    user,
};
use sandbox::{PhoneSeed, Sandbox, SandboxConfig, SandboxError};
use secrecy::SecretString;
use thiserror::Error;

use crate::{
    cli::DemoArgs,
    clock::DemoClock,
    database::{self, DatabaseError},
    desk::{self, DeskError, Purpose, RunningDesk},
    print::{self, PrintError},
    settings::{LoadedSettings, Settings},
};

use self::{
    lock::LockError,
    state::{DemoState, StateError},
};

/// Why the demo does not run.
#[derive(Debug, Error)]
pub enum DemoError {
    /// The desk does not run.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The sandbox's address is taken, or none of this machine.
    #[error("cannot listen on {address} for the sandbox; --sandbox-bind chooses another address")]
    SandboxListen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The sandbox does not run.
    #[error("the sandbox does not run")]
    Sandbox(#[source] SandboxError),
    /// The database fails.
    #[error(transparent)]
    Persistence(#[from] PersistenceError),
    /// The templates cannot be read from the sandbox.
    #[error("the sandbox lists no templates")]
    Templates(#[from] domain::channel::ChannelError),
    /// The folder cannot be made.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The folder is not to be had.
    #[error(transparent)]
    Lock(#[from] LockError),
    /// The folder's state cannot be read or written.
    #[error(transparent)]
    State(#[from] StateError),
    /// Nobody can be told where it is.
    #[error(transparent)]
    Print(#[from] PrintError),
    /// No folder can be made.
    #[error("no temporary folder can be made")]
    Folder(#[source] std::io::Error),
    /// What was started is not whole.
    #[error("{0}")]
    Incomplete(&'static str),
}

impl From<SandboxError> for DemoError {
    fn from(error: SandboxError) -> Self {
        match error {
            SandboxError::Bind { address, source } => Self::SandboxListen { address, source },
            error => Self::Sandbox(error),
        }
    }
}

/// Starts the demo and serves until a signal asks to stop.
///
/// # Errors
/// [`DemoError`].
pub async fn run(args: &DemoArgs, loaded: LoadedSettings) -> Result<(), DemoError> {
    let (folder, mut settings) = prepare_folder(loaded)?;
    let data_dir = settings.data_dir.clone();
    database::make_folder(&settings)?;
    let _ours_until_the_end = lock::take(&data_dir)?;
    let earlier = state::read(&data_dir)?;
    let clock = DemoClock::ahead_by(earlier.as_ref().map_or(Duration::ZERO, DemoState::ahead));
    let store = desk::open_store(&settings)?;
    let sandbox = start_sandbox(args, &store, &clock, data_dir.clone()).await?;
    settings.outgoing_allow.push(sandbox.http_addr().to_string());
    settings.metrics_bind.get_or_insert((std::net::Ipv4Addr::LOCALHOST, 0).into());
    let state = match earlier {
        Some(state) => state,
        None => fill(&store, args, &sandbox, &clock)?,
    };
    state::write(&data_dir, &state)?;
    let mut desk =
        desk::start(&settings, store.clone(), Arc::new(clock.clone()), Purpose::Demo).await?;
    connect(&desk, &sandbox, &clock).await?;
    play_past(&store, args, &sandbox, &state, &data_dir, clock.now())?;
    desk.start_jobs().await?;
    line::announce(args.json, &desk, &sandbox, &state)?;
    let ended = desk.run_until_stopped().await;
    sandbox.stop().await?;
    if let (Some(folder), true) = (folder, args.keep) {
        print::aside(format_args!("kept {}", folder.keep().display()));
    }
    Ok(ended?)
}

/// The settings with the folder asked for, or with a temporary one that goes with the demo.
fn prepare_folder(
    loaded: LoadedSettings,
) -> Result<(Option<tempfile::TempDir>, Settings), DemoError> {
    let own_folder = !loaded.is_default("data_dir");
    let own_database = !loaded.is_default("database_url");
    let mut settings = loaded.settings;
    if own_folder {
        return Ok((None, settings));
    }
    let folder = tempfile::Builder::new().prefix("janela-demo-").tempdir();
    let folder = folder.map_err(DemoError::Folder)?;
    settings.data_dir = folder.path().to_owned();
    if !own_database {
        let file = folder.path().join("janela.db");
        settings.database_url = SecretString::from(format!("sqlite:{}", file.display()));
    }
    Ok((Some(folder), settings))
}

async fn start_sandbox(
    args: &DemoArgs,
    store: &Store,
    clock: &DemoClock,
    data_dir: PathBuf,
) -> Result<Sandbox, SandboxError> {
    let phones = company::contacts(company::contact_count(args.scale), args.seed);
    // The workspace's.
    let time_zone = company::CHATBOTS[0].time_zone;
    let time_zone = time_zone
        .parse()
        .map_err(|_| SandboxError::Config(format!("{time_zone} is no time zone")))?;
    Sandbox::start(SandboxConfig {
        bind: args.sandbox_bind,
        smtp_bind: (std::net::Ipv4Addr::LOCALHOST, 0).into(),
        speed: args.speed,
        seed: args.seed,
        numbers: stand_in::numbers(),
        templates: stand_in::templates(),
        phones: phones
            .into_iter()
            .map(|contact| PhoneSeed {
                wa_id: contact.phone.trim_start_matches('+').to_owned(),
                name: contact.name,
            })
            .collect(),
        time_zone,
        clock: Arc::new(SharedClock { clock: clock.clone(), store: store.clone(), data_dir }),
    })
    .await
}

fn fill(
    store: &Store,
    args: &DemoArgs,
    sandbox: &Sandbox,
    clock: &DemoClock,
) -> Result<DemoState, DemoError> {
    let plan = seed::SeedPlan { sandbox: sandbox.http_addr(), seed: args.seed, scale: args.scale };
    let vault = store.vault()?;
    let company = store.blocking_write(|db| seed::fill(db, &vault, &plan, clock.now()))?;
    Ok(DemoState::new(company.api_token, company.channels))
}

/// Verifies the webhooks, reads the templates, and switches active messages on as an admin would.
async fn connect(
    desk: &RunningDesk,
    sandbox: &Sandbox,
    clock: &DemoClock,
) -> Result<(), DemoError> {
    let address = desk.address.ok_or(DemoError::Incomplete("the demo serves no pages"))?;
    let whatsapp = desk
        .channels
        .get(&ChannelKind::WhatsApp)
        .ok_or(DemoError::Incomplete("there is no adapter for WhatsApp"))?;
    let base_url = format!("http://{}/v25.0", sandbox.http_addr());
    let vault = desk.store.vault()?;
    for known in desk.store.blocking_read(channel::list_connected)? {
        desk.store.blocking_write(|db| channel::set_api_base_url(db, known.id, &base_url))?;
        let webhook = format!("http://{address}/webhooks/whatsapp/{}", known.id);
        sandbox.subscribe(&known.external_id, &webhook).await?;
        let (_, access) =
            desk.store.blocking_read(|db| channel::get_access(db, &vault, known.id))?;
        let templates = whatsapp.list_templates(&access).await?;
        desk.store.blocking_write(|db| {
            message_template::save_all(db, &known.account_id, &templates, clock.now())
        })?;
    }
    desk.store.blocking_write(|db| Ok(switch_on(db, clock)))??;
    Ok(())
}

/// Plays the company's past, once, before any job runs: jobs would count up to now. Tells it to the customers'
/// phones at each start, for the sandbox keeps nothing.
fn play_past(
    store: &Store,
    args: &DemoArgs,
    sandbox: &Sandbox,
    state: &DemoState,
    data_dir: &Path,
    now: DateTime<Utc>,
) -> Result<(), DemoError> {
    let contacts = company::contacts(company::contact_count(args.scale), args.seed);
    let scenes = script::write(&contacts, args.seed);
    let until = match state.past_until() {
        Some(until) => until,
        None => {
            let channels: Vec<_> = state.channels().collect();
            store.blocking_write(|db| history::play(db, &channels, &contacts, &scenes, now))?;
            state::write_past_until(data_dir, now)?;
            now
        }
    };
    sandbox.remember(phones::past(&contacts, &scenes, until))?;
    Ok(())
}

fn switch_on(db: &mut persistence::db::Db, clock: &DemoClock) -> Result<(), DemoError> {
    let Some(admin) =
        company::USERS.iter().find(|user| !user.role.workspace_permissions().is_empty())
    else {
        return Err(DemoError::Incomplete("the demo's company has no admin"));
    };
    let found = user::find_credentials(db, admin.email)?.ok_or(PersistenceError::NotFound)?;
    let admin = user::find_actor(db, found.user)?.ok_or(PersistenceError::NotFound)?;
    for chatbot in chatbot::list(db, &admin)? {
        let untouched = chatbot.changed.is_none();
        let seed = company::CHATBOTS.iter().find(|seed| seed.name == chatbot.name);
        if let (true, Some(seed)) = (untouched, seed) {
            let settings = seed::settings(seed);
            match chatbot::save_settings(db, &admin, chatbot.id, &settings, clock.now())? {
                SaveOutcome::Saved => {}
                SaveOutcome::NotReady(_) | SaveOutcome::ChangedMeanwhile => {
                    return Err(DemoError::Incomplete(
                        "a chatbot of the demo is not ready to send",
                    ));
                }
            }
        }
    }
    Ok(())
}

/// The clock that desk and sandbox share: moved by the sandbox's page, told to the desk's pages, kept
/// for the next start.
struct SharedClock {
    clock: DemoClock,
    store: Store,
    data_dir: PathBuf,
}

impl sandbox::SandboxClock for SharedClock {
    fn now_ms(&self) -> i64 {
        self.clock.now().timestamp_millis()
    }

    fn advance(&self, step: Duration) {
        self.clock.advance(step);
        if let Err(error) = state::write_ahead(&self.data_dir, self.clock.ahead()) {
            tracing::error!(%error, "the moved clock cannot be kept for the next start");
        }
        let moved = LiveEvent::of_all(LiveKind::Clock, 0);
        self.store.live().publish(moved);
    }
}
