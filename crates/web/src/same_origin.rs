//! Refuses changes that another site asks for (C5): Fetch-Metadata first, `Origin` where it is missing.

use actix_web::{
    HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{HeaderName, ORIGIN},
    },
    middleware::Next,
    web::Data,
};
use url::Url;

use crate::{desk::Desk, error::WebError};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a method can change something.
#[must_use]
pub fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// Middleware for pages and forms: a request that may change something must come from our own pages.
///
/// Webhooks and the API are outside of it; they bring their own authentication.
///
/// # Errors
/// Those of the service beneath.
pub async fn refuse_foreign_changes(
    desk: Data<Desk>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let is_exempt = ["/api/", "/webhooks/"].iter().any(|path| request.path().starts_with(path));
    if is_safe(request.method())
        || is_exempt
        || comes_from_us(request.request(), &desk.settings.public_url)
    {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    Ok(request.error_response(WebError::ForeignOrigin))
}

/// What the browser says of where the request came from; nothing said is a no.
fn comes_from_us(request: &HttpRequest, public_url: &Url) -> bool {
    // A header that is no text is there, and fits nothing.
    let header = |name: HeaderName| {
        request.headers().get(name).map(|value| value.to_str().unwrap_or_default())
    };
    match (header(SEC_FETCH_SITE), header(ORIGIN)) {
        // `none` is a person's own doing (address bar, bookmark); no form of ours is sent so.
        (Some(site), origin) => {
            let fits = origin.is_none_or(|origin| is_ours(origin, request, public_url));
            site == "same-origin" && fits
        }
        (None, Some(origin)) => is_ours(origin, request, public_url),
        (None, None) => false,
    }
}

/// Whether an `Origin` is the public URL's, or, over plain http, the address the request was sent to:
/// a desk on loopback answers to `localhost` and `127.0.0.1` alike.
fn is_ours(origin: &str, request: &HttpRequest, public_url: &Url) -> bool {
    if origin == public_url.origin().ascii_serialization() {
        return true;
    }
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    let is_loopback = request.peer_addr().is_some_and(|peer| peer.ip().is_loopback());
    public_url.scheme() == "http"
        && is_loopback
        && host.is_some_and(|host| is_loopback_host(host) && origin == format!("http://{host}"))
}

/// Whether a `Host` header names this machine itself; any other name could be an attacker's that
/// resolves to loopback.
fn is_loopback_host(host: &str) -> bool {
    Url::parse(&format!("http://{host}")).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}
