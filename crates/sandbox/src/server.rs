//! Starts and stops the sandbox, and the handle its owner keeps.

use std::any::Any;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Extensions;
use actix_web::rt::net::TcpStream as ServerStream;
use actix_web::web::{self, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, middleware};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tracing::{debug, info};

use crate::core::Core;
use crate::dispatcher::Dispatcher;
use crate::graph::subscriptions::shake_hands;
use crate::state::State;
use crate::{
    PastMessage, SandboxConfig, SandboxError, calls, control, graph, guard, lifecycle, pages,
    samples, smtp,
};

const WORKERS: usize = 2;

/// A running sandbox; stop it with [`Sandbox::stop`].
pub struct Sandbox {
    core: Arc<Core>,
    http_addr: SocketAddr,
    smtp_addr: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
    serving: JoinHandle<io::Result<()>>,
}

impl Sandbox {
    /// Binds both addresses and serves until [`Sandbox::stop`].
    ///
    /// # Errors
    ///
    /// When an address cannot be listened on or `config.speed` is not above 0.
    pub async fn start(config: SandboxConfig) -> Result<Self, SandboxError> {
        if !config.speed.is_finite() || config.speed <= 0.0 {
            return Err(SandboxError::Config("speed must be above 0".to_owned()));
        }
        let bound = |address: SocketAddr| move |source| SandboxError::Bind { address, source };
        let http = TcpListener::bind(config.bind).map_err(bound(config.bind))?;
        let http_addr = http.local_addr().map_err(bound(config.bind))?;
        let mail = tokio::net::TcpListener::bind(config.smtp_bind)
            .await
            .map_err(bound(config.smtp_bind))?;
        let smtp_addr = mail.local_addr().map_err(bound(config.smtp_bind))?;

        let clock = config.clock;
        let mut state = State::new(
            config.numbers,
            config.templates,
            config.phones,
            (config.speed, config.seed),
            clock.now_ms(),
        );
        state.world.base = format!("http://{http_addr}");
        let client = webhook_client()?;
        let due = Arc::default();
        let (dispatcher, queues) = Dispatcher::new(client.clone(), Arc::clone(&clock), due);
        let time = (clock, config.time_zone);
        let (outage, outages) = mpsc::unbounded_channel();
        let ways_out = (client, outage);
        let core = Core::new(state, time, Arc::clone(&dispatcher), ways_out, http_addr);
        let core = Arc::new(core);

        let server = serve(&core, http).map_err(bound(http_addr))?;
        let tasks = vec![
            tokio::spawn(dispatcher.run(queues.ready, core.stop.clone())),
            tokio::spawn(lifecycle::run(Arc::clone(&core), queues.taken)),
            tokio::spawn(smtp::run(Arc::clone(&core), mail)),
        ];
        let serving = tokio::spawn(keep_serving(Arc::clone(&core), server, outages));
        info!(%http_addr, %smtp_addr, "the sandbox listens");
        Ok(Self { core, http_addr, smtp_addr, tasks, serving })
    }

    /// Where the Graph API, the control API and the pages are.
    #[must_use]
    pub fn http_addr(&self) -> SocketAddr {
        self.http_addr
    }

    /// Where mails are received.
    #[must_use]
    pub fn smtp_addr(&self) -> SocketAddr {
        self.smtp_addr
    }

    /// Sends the webhooks of `subject`, a phone-number id or an account id, to `callback_url` from now on.
    ///
    /// The address must first pass the handshake with the seed's `verify_token`; it is tried a few times.
    /// A number's own address goes before its account's. What an earlier address has not taken yet follows at once.
    ///
    /// # Errors
    ///
    /// When the subject is unknown or the handshake fails.
    pub async fn subscribe(&self, subject: &str, callback_url: &str) -> Result<(), SandboxError> {
        let word = self
            .core
            .act(|state, _| state.verify_token(subject))
            .ok_or_else(|| SandboxError::UnknownSubject(subject.to_owned()))?;
        shake_hands(&self.core, callback_url, &word).await.map_err(SandboxError::Handshake)?;
        self.core.subscribe(subject, callback_url);
        Ok(())
    }

    /// Lets the phones remember `messages`, oldest first, from before the start, with the windows that customers
    /// opened by them; no webhook is sent.
    ///
    /// # Errors
    ///
    /// When a message speaks of a number, a template or a button that is not there.
    pub fn remember(&self, messages: Vec<PastMessage>) -> Result<(), SandboxError> {
        self.core.act(|state, _| state.remember(messages))
    }

    /// Stops serving, delivering and receiving; webhooks not yet taken are dropped.
    ///
    /// # Errors
    ///
    /// When the server ended with an error of its own.
    pub async fn stop(self) -> Result<(), SandboxError> {
        self.core.stop.cancel();
        for task in self.tasks {
            if let Err(error) = task.await {
                debug!(%error, "a task of the sandbox was gone already");
            }
        }
        match self.serving.await {
            Ok(ended) => ended.map_err(SandboxError::Server),
            Err(gone) => Err(SandboxError::Server(io::Error::other(gone))),
        }
    }
}

/// Serves until the sandbox stops; during an outage every connection is refused.
async fn keep_serving(
    core: Arc<Core>,
    mut server: actix_web::dev::Server,
    mut outages: mpsc::UnboundedReceiver<Duration>,
) -> io::Result<()> {
    loop {
        let handle = server.handle();
        let mut running = tokio::spawn(server);
        let outage = tokio::select! {
            ended = &mut running => return ended.map_err(io::Error::other)?,
            () = core.stop.cancelled() => None,
            outage = outages.recv() => outage,
        };
        handle.stop(outage.is_none()).await;
        running.await.map_err(io::Error::other)??;
        let Some(pause) = outage else { return Ok(()) };
        tokio::select! {
            () = core.stop.cancelled() => return Ok(()),
            () = tokio::time::sleep(pause) => {}
        }
        server = serve(&core, TcpListener::bind(core.address)?)?;
    }
}

fn serve(core: &Arc<Core>, listener: TcpListener) -> io::Result<actix_web::dev::Server> {
    let data = Data::from(Arc::clone(core));
    let server = HttpServer::new(move || {
        App::new()
            .app_data(data.clone())
            .wrap(middleware::from_fn(guard::safe_headers))
            .wrap(middleware::from_fn(calls::log))
            .wrap(middleware::NormalizePath::trim())
            .configure(samples::routes)
            .configure(control::routes)
            .configure(pages::routes)
            .configure(graph::routes::routes)
    })
    .workers(WORKERS)
    .disable_signals()
    .shutdown_timeout(1)
    .on_connect(remember_connection)
    .listen(listener)?;
    Ok(server.run())
}

/// A second handle on a connection, by which it can be reset from within a request.
struct Connection(TcpStream);

fn remember_connection(stream: &dyn Any, extensions: &mut Extensions) {
    let own = stream
        .downcast_ref::<ServerStream>()
        .and_then(|stream| stream.as_fd().try_clone_to_owned().ok());
    if let Some(own) = own {
        extensions.insert(Connection(TcpStream::from(own)));
    }
}

/// Ends the connection of `request` without an answer: the caller sees a reset.
pub(crate) fn reset_connection(request: &HttpRequest) -> HttpResponse {
    drop(zero_linger(request));
    // A body that fails before its first byte makes the server drop the connection with nothing written.
    let broken = futures_util::stream::once(async { Err::<web::Bytes, io::Error>(broken_pipe()) });
    HttpResponse::Ok().streaming(broken)
}

/// What ends a body amid.
pub(crate) fn broken_pipe() -> io::Error {
    io::ErrorKind::ConnectionReset.into()
}

/// Resets a connection when it is dropped, by the time the server closes it.
pub(crate) struct Linger(Option<TcpStream>);

impl Drop for Linger {
    fn drop(&mut self) {
        let Some(own) = self.0.take() else { return };
        let reset =
            own.set_nonblocking(true).and_then(|()| ServerStream::from_std(own)?.set_zero_linger());
        if let Err(error) = reset {
            debug!(%error, "the connection is closed instead of reset");
        }
    }
}

/// What makes the end of the connection of `request` a reset once it is dropped.
pub(crate) fn zero_linger(request: &HttpRequest) -> Linger {
    let connection = request.conn_data::<Connection>();
    Linger(connection.and_then(|Connection(stream)| stream.try_clone().ok()))
}

/// The client of webhooks and handshakes: straight to the address, no redirect, no proxy.
fn webhook_client() -> Result<reqwest::Client, SandboxError> {
    if rustls::crypto::CryptoProvider::get_default().is_none()
        && rustls::crypto::ring::default_provider().install_default().is_err()
    {
        debug!("another part of the program chose the crypto provider first");
    }
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .pool_max_idle_per_host(64)
        .connect_timeout(Duration::from_secs(5))
        .build()
        .map_err(SandboxError::Client)
}
