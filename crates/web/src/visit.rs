//! What is known of a request before anyone is asked: language, theme, zone, instant, and who wants it.

use std::{future::Ready, future::ready};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    cookie::{Cookie, SameSite},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::ACCEPT_LANGUAGE,
    middleware::Next,
    web::{Data, Query},
};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use tracing_actix_web::RequestId;
use url::Url;

use crate::{
    desk::Desk,
    error::WebError,
    locale::{Locale, Words},
    moment::Viewer,
    theme::Theme,
};

/// The cookie a stranger's choice of language is kept in; it names no one.
pub const LANGUAGE_COOKIE: &str = "janela_language";

/// What is known of a request: an extractor, for every handler that builds a page.
#[derive(Debug, Clone)]
pub struct Visit {
    /// The language to answer in.
    pub locale: Locale,
    /// The theme to answer in.
    pub theme: Theme,
    /// The zone to show instants in: the user's, else the workspace's.
    pub zone: Tz,
    /// When the request came.
    pub now: DateTime<Utc>,
    /// Path and query.
    pub path: String,
    /// Who reads the answer.
    pub reader: Reader,
    /// Names this request in the log and on its error page.
    pub correlation_id: String,
}

/// Who reads an answer; decides the form of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// A browser that loads a page.
    Page,
    /// A script of ours that puts a fragment into a page.
    Fragment,
    /// A program: JSON, `problem+json`.
    Api,
    /// A platform or a probe: no body.
    Machine,
}

impl Visit {
    /// For whom pages are built.
    #[must_use]
    pub fn viewer(&self) -> Viewer {
        Viewer { locale: self.locale, zone: self.zone, now: self.now }
    }

    /// The words to answer in.
    #[must_use]
    pub fn t(&self) -> Words {
        self.locale.words()
    }

    /// What the request itself tells, before a session is known.
    #[must_use]
    pub fn of(request: &HttpRequest, desk: &Desk) -> Self {
        let cookie = request.cookie(LANGUAGE_COOKIE);
        let accepted =
            request.headers().get(ACCEPT_LANGUAGE).and_then(|accepted| accepted.to_str().ok());
        let asked = asked_language(request);
        let chosen = asked.map(|locale| locale.to_string());
        let chosen = chosen.as_deref().or(cookie.as_ref().map(|cookie| cookie.value()));
        Self {
            locale: Locale::choose(chosen, accepted),
            theme: Theme::of(request),
            zone: desk.settings.zone,
            now: desk.clock.now(),
            path: request.uri().path_and_query().map_or_else(String::new, ToString::to_string),
            reader: reader(request),
            correlation_id: correlation_id(request),
        }
    }
}

fn reader(request: &HttpRequest) -> Reader {
    let path = request.path();
    if path.starts_with("/api/") {
        Reader::Api
    } else if ["/webhooks/", "/livez", "/readyz", "/static/", "/media/", "/events"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
    {
        Reader::Machine
    } else if request.headers().contains_key("hx-request") {
        Reader::Fragment
    } else {
        Reader::Page
    }
}

fn correlation_id(request: &HttpRequest) -> String {
    request.extensions().get::<RequestId>().map_or_else(String::new, ToString::to_string)
}

#[derive(Deserialize)]
struct LanguageQuery {
    lang: Option<String>,
}

/// The language asked for in the address: `?lang=es`; `None` when none or one not spoken here.
fn asked_language(request: &HttpRequest) -> Option<Locale> {
    language_in(request.query_string())
}

fn language_in(query: &str) -> Option<Locale> {
    Query::<LanguageQuery>::from_query(query).ok()?.into_inner().lang?.parse().ok()
}

/// The language that the page's address asks for: a fragment is in that of the page it goes into.
#[must_use]
pub fn page_language(request: &HttpRequest) -> Option<Locale> {
    let page = || Url::parse(request.headers().get("hx-current-url")?.to_str().ok()?).ok();
    asked_language(request).or_else(|| language_in(page()?.query()?))
}

/// Middleware: notes the [`Visit`], and keeps a language asked for by `?lang=` in a cookie.
///
/// # Errors
/// Those of the service beneath.
pub async fn note(
    desk: Data<Desk>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let visit = Visit::of(request.request(), &desk);
    request.extensions_mut().insert(visit);
    // Programs are given no cookies.
    let asked =
        asked_language(request.request()).filter(|_| reader(request.request()) != Reader::Api);
    let mut response = next.call(request).await?.map_into_boxed_body();
    if let Some(locale) = asked {
        let cookie = preference_cookie(LANGUAGE_COOKIE, &locale, desk.settings.is_https());
        response.response_mut().add_cookie(&cookie)?;
    }
    Ok(response)
}

/// A cookie for a year that keeps a choice of display and names no one.
#[must_use]
pub fn preference_cookie(name: &'static str, value: &str, https: bool) -> Cookie<'static> {
    Cookie::build(name, value.to_owned())
        .path("/")
        .secure(https)
        .http_only(true)
        .same_site(SameSite::Lax)
        .max_age(actix_web::cookie::time::Duration::days(365))
        .finish()
}

impl FromRequest for Visit {
    type Error = WebError;
    type Future = Ready<Result<Self, WebError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(request.extensions().get::<Self>().cloned().ok_or(WebError::Misrouted))
    }
}
