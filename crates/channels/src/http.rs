//! The one HTTP client for the outside: no redirects, no proxies, bounded answers, and no way into inner networks.

use std::{error::Error, net::SocketAddr, str::FromStr, sync::Arc, time::Duration};

use fault::{Moment, Place};
use reqwest::{
    Client, Method, RequestBuilder, Response,
    dns::{Addrs, Name, Resolve, Resolving},
    header::{CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER},
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use thiserror::Error;
use url::{Host, Url};

use crate::{address::is_public, usage};

/// How the client behaves.
#[derive(Debug, Clone)]
pub struct OutgoingSettings {
    /// Hosts that may be called although their address or port is an inner one, each exactly as named.
    pub allow: Vec<HostPort>,
    /// For the name, the connection and TLS together. Must be shorter than `request_timeout`, so that what never
    /// left this machine is told from what did.
    pub connect_timeout: Duration,
    /// For a whole exchange, down to the last byte of the answer.
    pub request_timeout: Duration,
}

impl Default for OutgoingSettings {
    /// Nothing inner allowed, 5 s to connect, 20 s in all.
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            connect_timeout: Duration::from_secs(5),
            request_timeout: Duration::from_secs(20),
        }
    }
}

/// A host with its port, such as `127.0.0.1:4010` or `[::1]:4010`.
///
/// Invariant: the host is written as the URL standard writes it, so equal hosts are equal texts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct HostPort {
    host: String,
    port: u16,
}

/// The text does not name a host and a port.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("not a host with a port, such as `127.0.0.1:4010`")]
pub struct NotAHostPort;

impl FromStr for HostPort {
    type Err = NotAHostPort;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (host, port) = text.rsplit_once(':').ok_or(NotAHostPort)?;
        let port = port.parse().map_err(|_| NotAHostPort)?;
        let host = Host::parse(host).map_err(|_| NotAHostPort)?;
        Ok(Self { host: host.to_string(), port })
    }
}

/// The client could not be set up.
#[derive(Debug, Error)]
pub enum OutgoingSetupError {
    /// TLS has no usable protocol.
    #[error("set up TLS for outgoing requests")]
    Tls(#[from] rustls::Error),
    /// The client refused its settings.
    #[error("set up the client for outgoing requests")]
    Client(#[from] reqwest::Error),
}

/// Why a request was not even tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Barred {
    /// Not http or https, or with a user name or password in it.
    #[error("not a web address")]
    NotAWebAddress,
    /// An inner address or an unusual port.
    #[error("the address leads into an inner network")]
    InnerNetwork,
}

/// An answer as far as it could be read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub retry_after: Option<Duration>,
    /// How long the account is to ask for nothing more; `None` while it may.
    pub rest: Option<Duration>,
    /// The whole body, or why it could not be read.
    pub body: Result<Vec<u8>, Broken>,
}

/// How an exchange broke, without any address or content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum Broken {
    /// Refused by the guard: nothing was contacted.
    #[error("the address leads into an inner network")]
    InnerNetwork,
    /// No connection, so not a byte of the request left.
    #[error("no connection")]
    NoConnection,
    /// The request could not be put together.
    #[error("the request could not be built")]
    NotBuilt,
    /// No whole answer in time.
    #[error("no whole answer in time")]
    TimedOut,
    /// The connection broke after the request left.
    #[error("the connection broke")]
    Reset,
    /// The answer is larger than allowed.
    #[error("the answer is too large")]
    TooLarge,
}

impl Broken {
    /// Whether nothing of the request can have reached anyone.
    pub(crate) fn nothing_left(self) -> bool {
        match self {
            Self::InnerNetwork | Self::NoConnection | Self::NotBuilt => true,
            Self::TimedOut | Self::Reset | Self::TooLarge => false,
        }
    }
}

/// Sends requests to the outside. Cheap to clone; clones share their connections.
#[derive(Debug, Clone)]
pub struct OutgoingHttp {
    guarded: Client,
    allowed: Client,
    allow: Arc<[HostPort]>,
}

impl OutgoingHttp {
    /// Sets the client up.
    ///
    /// # Errors
    /// [`OutgoingSetupError`] when TLS or the client cannot be set up.
    pub fn new(settings: OutgoingSettings) -> Result<Self, OutgoingSetupError> {
        let tls = tls_config()?;
        let builder = || {
            Client::builder()
                .tls_backend_preconfigured(tls.clone())
                .user_agent(concat!("janela/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .retry(reqwest::retry::never())
                .referer(false)
                .no_proxy()
                .connect_timeout(settings.connect_timeout)
                .timeout(settings.request_timeout)
                .pool_idle_timeout(Duration::from_secs(20))
        };
        Ok(Self {
            guarded: builder().dns_resolver(Arc::new(PublicResolver)).build()?,
            allowed: builder().build()?,
            allow: settings.allow.into(),
        })
    }

    /// Starts a request, unless the guard bars its address.
    pub(crate) fn request(&self, method: Method, url: Url) -> Result<RequestBuilder, Barred> {
        let web = matches!(url.scheme(), "http" | "https");
        if !web || !url.username().is_empty() || url.password().is_some() {
            return Err(Barred::NotAWebAddress);
        }
        let host = url.host().ok_or(Barred::NotAWebAddress)?;
        let port = url.port_or_known_default().ok_or(Barred::NotAWebAddress)?;
        if self.allow.iter().any(|known| known.port == port && known.host == host.to_string()) {
            return Ok(self.allowed.request(method, url));
        }
        let usual_port = matches!(port, 80 | 443);
        // A literal address never reaches the resolver, so it is judged here; a name is judged there.
        let outer = match host {
            Host::Ipv4(address) => is_public(address.into()),
            Host::Ipv6(address) => is_public(address.into()),
            Host::Domain(_) => true,
        };
        if usual_port && outer {
            Ok(self.guarded.request(method, url))
        } else {
            Err(Barred::InnerNetwork)
        }
    }
}

/// Sends `request`: the one place where anything leaves this machine. The answer's body is still to be read.
#[track_caller]
pub(crate) fn send(request: RequestBuilder) -> impl Future<Output = Result<Response, Broken>> {
    let place = Place::of_caller();
    async move {
        fault::visit(Moment::BeforeCall, place);
        let response = request.send().await.map_err(|error| how_it_broke(&error));
        fault::visit(Moment::AfterCall, place);
        response
    }
}

/// Sends `request` and reads the answer, of which at most `limit` bytes of body.
#[track_caller]
pub(crate) fn exchange(
    request: RequestBuilder,
    limit: u64,
) -> impl Future<Output = Result<Answer, Broken>> {
    let sent = send(request);
    async move {
        let response = sent.await?;
        let status = response.status().as_u16();
        let retry_after = header_text(response.headers(), &RETRY_AFTER)
            .and_then(|seconds| seconds.trim().parse().ok())
            .map(Duration::from_secs);
        let rest = usage::rest(response.headers());
        let body = read_body(response, limit).await;
        Ok(Answer { status, retry_after, rest, body })
    }
}

/// Reads a body of at most `limit` bytes; a longer one is left unread.
pub(crate) async fn read_body(mut response: Response, limit: u64) -> Result<Vec<u8>, Broken> {
    if response.content_length().is_some_and(|length| limit < length) {
        return Err(Broken::TooLarge);
    }
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| how_it_broke(&error))? {
        body.extend_from_slice(&chunk);
        if limit < body.len() as u64 {
            return Err(Broken::TooLarge);
        }
    }
    Ok(body)
}

/// The `Content-Type` in lower case without its parameters; `None` when absent.
pub(crate) fn content_type(headers: &HeaderMap) -> Option<String> {
    let full = header_text(headers, &CONTENT_TYPE)?;
    let kind = full.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    (!kind.is_empty()).then_some(kind)
}

/// What an error of the client means for what left this machine.
pub(crate) fn how_it_broke(error: &reqwest::Error) -> Broken {
    if is_inner_network(error) {
        Broken::InnerNetwork
    } else if error.is_connect() {
        Broken::NoConnection
    } else if error.is_builder() {
        Broken::NotBuilt
    } else if error.is_timeout() {
        Broken::TimedOut
    } else {
        Broken::Reset
    }
}

fn header_text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_inner_network(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.is::<Barred>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn tls_config() -> Result<ClientConfig, rustls::Error> {
    let roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}

/// Resolves names to public addresses only. The client connects to what this returns and to nothing else, so a name
/// that changes between check and connection gains nothing.
struct PublicResolver;

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            if !found.iter().all(|address| is_public(address.ip())) {
                return Err(Barred::InnerNetwork.into());
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_with_its_port_is_read_as_the_url_standard_writes_it() {
        let cases = [
            ("127.0.0.1:4010", Some("127.0.0.1")),
            ("2130706433:4010", Some("127.0.0.1")),
            ("LocalHost:4010", Some("localhost")),
            ("[::1]:4010", Some("[::1]")),
            ("localhost", None),
            ("localhost:", None),
            ("localhost:99999", None),
            (":4010", None),
            ("::1:4010", None),
            ("a b:4010", None),
        ];
        for (text, host) in cases {
            let expected = host.map(|host| HostPort { host: host.into(), port: 4010 });
            assert_eq!(text.parse().ok(), expected, "{text}");
        }
    }
}
