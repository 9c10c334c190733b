//! Puts the parts of a running desk together: store, channels, pages, jobs.

use std::{
    collections::HashMap,
    fs::File,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{dev::ServerHandle, web::Data};
use channels::{
    http::{HostPort, OutgoingHttp, OutgoingSettings},
    whatsapp::WhatsApp,
};
use chrono::TimeDelta;
use chrono_tz::Tz;
use domain::{
    channel::{Channel, ChannelKind},
    clock::Clock,
};
use persistence::{
    inbox::WebhookInbox,
    live::Nudges,
    presence,
    session::SessionPolicy,
    store::Store,
    workspace::{self, Workspace},
};
use scheduler::{
    Scheduler, SchedulerHandle, SchedulerParts, SchedulerSettings, clock_watch,
    dispatch::DispatchSettings, error::SchedulerError,
};
use thiserror::Error;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tracing::{error, info};
use web::{DeskParts, WebSettings};

use crate::{
    alone::{self, AloneError},
    database::{self, DatabaseError},
    metrics::{self, MetricsError},
    role::ProcessRole,
    settings::Settings,
};

/// How long a stop waits for what is under way.
const STOP_WITHIN: Duration = Duration::from_secs(25);

/// How long a session of the demo lives: longer than anyone moves its clock.
const DEMO_SESSION: TimeDelta = TimeDelta::days(3_650);

/// Why the desk does not run.
#[derive(Debug, Error)]
pub enum DeskError {
    /// The database is not usable.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Another process serves.
    #[error(transparent)]
    Alone(#[from] AloneError),
    /// The database fails.
    #[error(transparent)]
    Persistence(#[from] persistence::error::PersistenceError),
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; --bind chooses another address")]
    Listen {
        /// Which address.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The server ended by itself.
    #[error("the server failed")]
    Server(#[source] std::io::Error),
    /// A setting cannot be used.
    #[error("{0}")]
    Setting(String),
    /// The outgoing client cannot be made.
    #[error("cannot make the HTTP client")]
    Outgoing(#[from] channels::http::OutgoingSetupError),
    /// There are no metrics.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// The jobs do not start.
    #[error("the jobs do not start")]
    Scheduler(#[from] SchedulerError),
}

/// What tells a demo's desk from a production one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Sessions end as the settings say.
    Production,
    /// Sessions survive the moved clock, and numbers are read every minute.
    Demo,
}

/// A desk that runs.
pub struct RunningDesk {
    /// The way to the database.
    pub store: Store,
    /// Where the desk listens; `None` for a worker.
    pub address: Option<SocketAddr>,
    /// Where `/metrics` listens; `None` when it does not.
    pub metrics: Option<SocketAddr>,
    /// The adapters, for the demo's first reading of the templates.
    pub channels: HashMap<ChannelKind, Arc<dyn Channel>>,
    pages: Option<Pages>,
    waiting_jobs: Option<SchedulerParts>,
    jobs: Option<SchedulerHandle>,
    inbox: Option<Arc<WebhookInbox>>,
    clock_watch: Option<ClockWatch>,
    metrics_server: Option<ServerHandle>,
    _alone: Option<File>,
}

struct ClockWatch {
    task: JoinHandle<()>,
    stopping: CancellationToken,
}

struct Pages {
    handle: ServerHandle,
    task: JoinHandle<std::io::Result<()>>,
    stopping: CancellationToken,
}

/// Opens the database and starts what `settings.role` asks for. Serves when this returns.
///
/// # Errors
/// [`DeskError`].
pub async fn start(
    settings: &Settings,
    store: Store,
    clock: Arc<dyn Clock>,
    purpose: Purpose,
) -> Result<RunningDesk, DeskError> {
    let alone = alone::take(&store)?;
    store.listen()?;
    let workspace = open_workspace(&store, clock.as_ref())?;
    let channels = make_channels(settings)?;
    let nudges = Arc::new(Nudges::default());
    let (metrics_server, metrics) = match settings.metrics_bind {
        Some(address) => {
            let (server, bound) = metrics::start(address)?;
            let handle = server.handle();
            tokio::spawn(server);
            (Some(handle), Some(bound))
        }
        None => (None, None),
    };
    let mut running = RunningDesk {
        store: store.clone(),
        address: None,
        metrics,
        channels: channels.clone(),
        pages: None,
        waiting_jobs: None,
        jobs: None,
        inbox: None,
        clock_watch: None,
        metrics_server,
        _alone: alone,
    };
    let zone = zone_of(&workspace)?;
    running.watch_clock(Arc::clone(&clock));
    if settings.role != ProcessRole::Web {
        let settings = scheduler_settings(settings, zone, purpose);
        let parts = SchedulerParts {
            store: store.clone(),
            clock: Arc::clone(&clock),
            channels: channels.clone(),
            nudges: Arc::clone(&nudges),
            owner: process_name()?,
            settings,
        };
        running.waiting_jobs = Some(parts);
    }
    if settings.role != ProcessRole::Worker {
        forget_streams_of_former_process(&store, clock.as_ref())?;
        let failed = |source| DeskError::Listen { address: settings.bind, source };
        let listener = TcpListener::bind(settings.bind).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let stopping = CancellationToken::new();
        let inbox = Arc::new(WebhookInbox::start(&store, Arc::clone(&nudges))?);
        running.inbox = Some(Arc::clone(&inbox));
        let desk = web::Desk::new(DeskParts {
            store,
            clock,
            nudges,
            inbox,
            channels,
            settings: web_settings(settings, address, zone, purpose)?,
            stopping: stopping.clone(),
        });
        let server = web::server(Data::new(desk), listener).map_err(failed)?;
        let handle = server.handle();
        running.pages = Some(Pages { handle, task: tokio::spawn(server), stopping });
        running.address = Some(address);
        info!(%address, "serving the desk on {address}");
    }
    if purpose == Purpose::Production {
        running.start_jobs().await?;
    }
    Ok(running)
}

/// Opens the database as `serve` needs it.
///
/// # Errors
/// As [`database::open_ready`].
pub fn open_store(settings: &Settings) -> Result<Store, DeskError> {
    Ok(database::open_ready(settings)?)
}

impl RunningDesk {
    /// Starts the jobs of the settings' role. A production desk has done so; a demo's waits until its
    /// company is whole.
    ///
    /// # Errors
    /// `Scheduler` when they do not start.
    pub async fn start_jobs(&mut self) -> Result<(), DeskError> {
        if let Some(parts) = self.waiting_jobs.take() {
            self.jobs = Some(Scheduler::start(parts).await?);
        }
        Ok(())
    }

    fn watch_clock(&mut self, clock: Arc<dyn Clock>) {
        let stopping = CancellationToken::new();
        let watch = clock_watch::watch(self.store.clone(), clock, stopping.clone());
        self.clock_watch = Some(ClockWatch { task: tokio::spawn(watch), stopping });
    }

    /// Waits for a signal or for the server to fail, then stops what runs: no new work, what is under way
    /// ends, nothing is left unknown.
    ///
    /// # Errors
    /// `Server` when the server ended by itself.
    pub async fn run_until_stopped(mut self) -> Result<(), DeskError> {
        let ended = match &mut self.pages {
            Some(pages) => tokio::select! {
                () = crate::stop::requested() => None,
                ended = &mut pages.task => Some(ended),
            },
            None => {
                crate::stop::requested().await;
                None
            }
        };
        info!("stopping");
        self.stop().await;
        match ended {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(DeskError::Server(error)),
            Some(Err(panicked)) => Err(DeskError::Server(std::io::Error::other(panicked))),
        }
    }

    async fn stop(&mut self) {
        if let Some(pages) = self.pages.take() {
            pages.stopping.cancel();
            if tokio::time::timeout(STOP_WITHIN, pages.handle.stop(true)).await.is_err() {
                pages.handle.stop(false).await;
            }
        }
        if let Some(inbox) = self.inbox.take() {
            let drained = tokio::task::spawn_blocking(move || inbox.stop()).await;
            if let Err(panicked) = drained {
                error!(error = %panicked, "the webhook inbox did not stop in order");
            }
        }
        if let Some(jobs) = self.jobs.take() {
            jobs.stop().await;
        }
        if let Some(watch) = self.clock_watch.take() {
            watch.stopping.cancel();
            if watch.task.await.is_err() {
                error!("the task that watches the clock panicked");
            }
        }
        if let Some(metrics) = self.metrics_server.take() {
            metrics.stop(false).await;
        }
    }
}

fn open_workspace(store: &Store, clock: &dyn Clock) -> Result<Workspace, DeskError> {
    let new = Workspace {
        name: "Janela".to_owned(),
        time_zone: "UTC".to_owned(),
        language: "en".to_owned(),
    };
    Ok(store.blocking_write(|db| workspace::find_or_create(db, &new, clock.now()))?)
}

/// A process that crashed could not say that its pages' streams are lost (RO-06). With SQLite this is the
/// only process; with others about, their streams must stay.
fn forget_streams_of_former_process(store: &Store, clock: &dyn Clock) -> Result<(), DeskError> {
    if store.is_sqlite() {
        store.blocking_write(|db| presence::drop_streams(db, clock.now()))?;
    }
    Ok(())
}

fn scheduler_settings(settings: &Settings, zone: Tz, purpose: Purpose) -> SchedulerSettings {
    let delta = |length: Duration| TimeDelta::from_std(length).unwrap_or(TimeDelta::MAX);
    SchedulerSettings {
        zone,
        demo: purpose == Purpose::Demo,
        // A little longer than the call itself, which then says how it broke.
        dispatch: DispatchSettings {
            request_deadline: settings.call + settings.call / 4,
            ..DispatchSettings::default()
        },
        lease: delta(settings.lease),
        job_lease: delta(settings.lease / 2),
        unknown_outcome_wait: Some(delta(settings.unknown_outcome)),
        ..SchedulerSettings::default()
    }
}

fn make_channels(settings: &Settings) -> Result<HashMap<ChannelKind, Arc<dyn Channel>>, DeskError> {
    let allow = settings
        .outgoing_allow
        .iter()
        .map(|entry| entry.parse::<HostPort>())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| DeskError::Setting(format!("outgoing_allow: {error}")))?;
    let http = OutgoingHttp::new(OutgoingSettings {
        allow,
        connect_timeout: settings.call / 4,
        request_timeout: settings.call,
    })?;
    let whatsapp: Arc<dyn Channel> = Arc::new(WhatsApp::new(http));
    Ok(HashMap::from([(ChannelKind::WhatsApp, whatsapp)]))
}

fn web_settings(
    settings: &Settings,
    address: SocketAddr,
    zone: Tz,
    purpose: Purpose,
) -> Result<WebSettings, DeskError> {
    let public_url = settings.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let public_url = public_url
        .parse()
        .map_err(|error| DeskError::Setting(format!("public_url is not a URL: {error}")))?;
    let sessions = match purpose {
        Purpose::Production => SessionPolicy {
            idle: TimeDelta::minutes(settings.agent_idle_minutes.into()),
            idle_of_admins: TimeDelta::minutes(settings.admin_idle_minutes.into()),
            absolute: TimeDelta::hours(settings.session_hours.into()),
        },
        Purpose::Demo => SessionPolicy {
            idle: DEMO_SESSION,
            idle_of_admins: DEMO_SESSION,
            absolute: DEMO_SESSION,
        },
    };
    Ok(WebSettings { public_url, zone, sessions, hash_parallelism: 2 })
}

fn zone_of(workspace: &Workspace) -> Result<Tz, DeskError> {
    let zone = workspace.time_zone.parse();
    zone.map_err(|_| DeskError::Setting(format!("{} is no time zone", workspace.time_zone)))
}

/// Names this start of this process in leases, unlike any other.
fn process_name() -> Result<String, DeskError> {
    let mut random = [0_u8; 8];
    getrandom::fill(&mut random).map_err(|error| {
        DeskError::Setting(format!("the system gives no random bytes: {error}"))
    })?;
    Ok(format!("{}-{}", std::process::id(), hex::encode(random)))
}

#[cfg(test)]
mod tests {
    use domain::{policy::Policy, presence::Presence};
    use persistence::{
        test_desk::TestDesk,
        test_support::{TestStore, postgres_is_wanted},
    };

    use super::*;

    fn settings() -> Settings {
        Settings {
            data_dir: ".".into(),
            database_url: "sqlite:unused.db".to_owned().into(),
            bind: ([127, 0, 0, 1], 0).into(),
            metrics_bind: None,
            public_url: None,
            smtp_url: None,
            secret_key: None,
            log: "off".to_owned(),
            role: ProcessRole::Web,
            outgoing_allow: Vec::new(),
            call: Duration::from_secs(20),
            lease: Duration::from_secs(60),
            unknown_outcome: Duration::from_secs(600),
            agent_idle_minutes: 480,
            admin_idle_minutes: 15,
            session_hours: 12,
        }
    }

    /// What an online agent, whose page was open as the process died, is 89 s and 90 s after the next start.
    fn presence_after_a_crash(store: &Store) -> [Presence; 2] {
        let desk = TestDesk::new(store);
        let started_at = desk.clock.now();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let clock = desk.clock.clone();
            let running = start(&settings(), store.clone(), clock, Purpose::Production).await;
            running.unwrap().stop().await;
        });
        let service = Policy::default_profile().service;
        [89, 90].map(|seconds| {
            let at = started_at + TimeDelta::seconds(seconds);
            store.blocking_read(|db| presence::find_at(db, desk.agents[0], &service, at)).unwrap()
        })
    }

    #[test]
    fn ro_06_a_stream_lost_in_a_crash_counts_as_lost_from_the_next_start() {
        let presence = presence_after_a_crash(&TestStore::sqlite());
        assert_eq!(presence, [Presence::Online, Presence::Offline]);
        if postgres_is_wanted() {
            let presence = presence_after_a_crash(&TestStore::postgres());
            assert_eq!(presence, [Presence::Online; 2], "another process may hold the stream");
        }
    }
}
