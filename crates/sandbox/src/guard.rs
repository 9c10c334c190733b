//! Keeps other sites' pages from playing the customer, and sets the headers of every answer.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse, body::EitherBody};
use url::{Host, Url};

/// The pages' policy: nothing from elsewhere, nothing inline.
pub(crate) const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' data:; media-src 'self'; font-src 'self'; connect-src 'self'; frame-src 'self'; \
    form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Refuses a browser's request that another site caused, or that came by a public name for this address.
pub(crate) async fn same_site_only<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    if is_trusted(request.headers()) {
        return next.call(request).await.map(ServiceResponse::map_into_left_body);
    }
    let refusal = HttpResponse::Forbidden()
        .json(serde_json::json!({ "error": "requests from other sites are refused" }));
    Ok(request.into_response(refusal).map_into_right_body())
}

/// Adds the headers every answer carries; a page or file may set its own policy before.
pub(crate) async fn safe_headers<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    let mut set = |name: header::HeaderName, value: &'static str| {
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CACHE_CONTROL, "no-store");
    Ok(response)
}

fn is_trusted(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let same_site =
        text("sec-fetch-site").is_none_or(|site| matches!(site, "same-origin" | "none"));
    let host = text("host").unwrap_or_default();
    let own_origin = text("origin").is_none_or(|origin| {
        Url::parse(origin).is_ok_and(|url| {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            url.host_str().is_some_and(|name| format!("{name}{port}") == host)
        })
    });
    same_site && own_origin && is_local_name(host)
}

/// An address, `localhost` or a name without dots: a public name bent to this address is none of them.
fn is_local_name(host: &str) -> bool {
    if host.is_empty() {
        return true;
    }
    match Url::parse(&format!("http://{host}/")).ok().as_ref().and_then(Url::host) {
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => true,
        Some(Host::Domain(name)) => !name.contains('.') || name.ends_with(".localhost"),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_requests_of_this_site_or_of_no_browser_pass() {
        type Case = (&'static str, &'static [(&'static str, &'static str)], bool);
        let cases: [Case; 9] = [
            ("a program", &[("host", "127.0.0.1:9")], true),
            (
                "the own page",
                &[
                    ("host", "127.0.0.1:9"),
                    ("origin", "http://127.0.0.1:9"),
                    ("sec-fetch-site", "same-origin"),
                ],
                true,
            ),
            ("typed by hand", &[("host", "localhost:9"), ("sec-fetch-site", "none")], true),
            ("a service's name", &[("host", "sandbox:9")], true),
            ("another site", &[("host", "127.0.0.1:9"), ("sec-fetch-site", "cross-site")], false),
            ("another port", &[("host", "127.0.0.1:9"), ("sec-fetch-site", "same-site")], false),
            (
                "a foreign origin",
                &[("host", "127.0.0.1:9"), ("origin", "http://127.0.0.1:8")],
                false,
            ),
            ("an opaque origin", &[("host", "127.0.0.1:9"), ("origin", "null")], false),
            (
                "a public name",
                &[("host", "evil.example:9"), ("origin", "http://evil.example:9")],
                false,
            ),
        ];
        for (case, pairs, trusted) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(
                    header::HeaderName::from_bytes(name.as_bytes()).unwrap(),
                    HeaderValue::from_str(value).unwrap(),
                );
            }
            assert_eq!(is_trusted(&headers), trusted, "{case}");
        }
    }
}
