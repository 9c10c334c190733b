//! What every handler of the desk works with.

use std::{collections::HashMap, sync::Arc};

use chrono_tz::Tz;
use domain::{
    channel::{Channel, ChannelKind},
    clock::Clock,
};
use persistence::{
    inbox::WebhookInbox,
    live::{LiveEvents, Nudges},
    session::SessionPolicy,
    store::Store,
};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::{
    account::Gate,
    api::{Callers, LookedAt},
    conversation::Uploads,
    events::OpenStreams,
    last_request::LastRequests,
    webhook::KnownChannels,
};

/// The adapters by platform, as `janela` hands them over.
pub type Channels = HashMap<ChannelKind, Arc<dyn Channel>>;

/// What the pages need to know of the installation.
#[derive(Debug, Clone)]
pub struct WebSettings {
    /// Where browsers reach the desk; links in mails and the origin of forms are judged by it.
    pub public_url: Url,
    /// The workspace's zone, for whoever has none of their own.
    pub zone: Tz,
    /// How long a session lives.
    pub sessions: SessionPolicy,
    /// How many passwords are judged at once; the rest waits (C9).
    pub hash_parallelism: usize,
}

impl WebSettings {
    /// Whether browsers come by https: cookies are then `__Host-` and `Secure`, and HSTS is on.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.public_url.scheme() == "https"
    }
}

/// What every handler works with; handed out as `Data<Desk>`.
pub struct Desk {
    /// The way to the database.
    pub store: Store,
    /// Read once at the top of a handler.
    pub clock: Arc<dyn Clock>,
    /// Where changes are told.
    pub live: LiveEvents,
    /// Wakes the jobs when a page queues work.
    pub nudges: Arc<Nudges>,
    /// Makes webhooks durable before they are answered.
    pub inbox: Arc<WebhookInbox>,
    /// The platforms' adapters.
    pub channels: Channels,
    /// What the pages need to know of the installation.
    pub settings: WebSettings,
    /// Cancelled when the process stops: event streams end by it.
    pub stopping: CancellationToken,
    /// Counts wrong sign-ins and judges passwords.
    pub(crate) gate: Gate,
    /// Counts what callers of the API ask.
    pub(crate) callers: Callers,
    /// What the API found good behind addresses.
    pub(crate) looked_at: LookedAt,
    /// What webhooks are verified by.
    pub(crate) known_channels: KnownChannels,
    /// Who has an event stream open here.
    pub(crate) open_streams: OpenStreams,
    /// Whose last request is about to be noted.
    pub(crate) last_requests: LastRequests,
    /// How many files come in at once.
    pub(crate) uploads: Uploads,
}

/// What a [`Desk`] is made of.
pub struct DeskParts {
    /// The way to the database, migrated and unlocked.
    pub store: Store,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Shared with the scheduler.
    pub nudges: Arc<Nudges>,
    /// Makes webhooks durable.
    pub inbox: Arc<WebhookInbox>,
    /// The platforms' adapters.
    pub channels: Channels,
    /// What the pages need to know of the installation.
    pub settings: WebSettings,
    /// Cancelled when the process stops.
    pub stopping: CancellationToken,
}

impl Desk {
    /// A desk of these parts.
    #[must_use]
    pub fn new(parts: DeskParts) -> Self {
        let DeskParts { store, clock, nudges, inbox, channels, settings, stopping } = parts;
        Self {
            live: store.live(),
            gate: Gate::new(settings.hash_parallelism),
            callers: Callers::default(),
            looked_at: LookedAt::default(),
            known_channels: KnownChannels::default(),
            open_streams: OpenStreams::default(),
            last_requests: LastRequests::default(),
            uploads: Uploads::default(),
            store,
            clock,
            nudges,
            inbox,
            channels,
            settings,
            stopping,
        }
    }
}
