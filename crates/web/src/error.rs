//! What went wrong in a request, the one match to status codes, and the pages that say what to do next.

mod dress;

use std::time::Duration;

use actix_web::{
    HttpResponse, HttpResponseBuilder, ResponseError,
    body::BoxBody,
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, RETRY_AFTER},
    },
};
use askama::Template;
use persistence::error::PersistenceError;
use serde_json::json;
use thiserror::Error;
use tracing::error;

pub use self::dress::dress;
use crate::{
    headers,
    locale::Words,
    moment::wait_text,
    page::Page,
    session::Session,
    visit::{Reader, Visit},
};

/// Why a request was not answered as asked. Problems of a form are no errors: the form comes back.
#[derive(Debug, Error)]
pub enum WebError {
    /// No such thing, or one that may not be known to who asks.
    #[error("not found")]
    NotFound,
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignInNeeded,
    /// Signed in, but without the permission.
    #[error("not permitted")]
    Forbidden,
    /// A change that another site asked for (C5).
    #[error("the request did not come from one of our pages")]
    ForeignOrigin,
    /// A form without the session's token (C5).
    #[error("the form does not belong to this session")]
    StaleForm,
    /// A webhook whose signature does not fit its bytes.
    #[error("the signature does not fit")]
    BadSignature,
    /// Not readable as what the handler expects.
    #[error("the request is not readable")]
    BadRequest,
    /// A method this address does not know.
    #[error("the method is not known here")]
    MethodNotAllowed,
    /// The body is over the limit.
    #[error("the body is too large")]
    TooLarge,
    /// The body did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// Well-formed, with a field that is not among the page's choices.
    #[error("a field is not among the choices")]
    Unprocessable,
    /// Too often; may be tried again after the wait.
    #[error("too many requests")]
    TooMany {
        /// How long to wait.
        wait: Duration,
    },
    /// Too busy for now.
    #[error("too busy")]
    Unavailable,
    /// The wall clock jumped, and nothing is decided by it for now (JO-05).
    #[error("the wall clock jumped")]
    ClockJumped,
    /// The database did not do what was asked.
    #[error("the database did not do what was asked")]
    Store(#[source] PersistenceError),
    /// A page could not be rendered.
    #[error("a page could not be rendered")]
    Render(#[from] askama::Error),
    /// A handler panicked.
    #[error("a handler panicked")]
    Panicked(Box<PanickedIn>),
    /// A handler asks for what its route does not provide.
    #[error("the route lacks a middleware")]
    Misrouted,
}

/// What was known of a request whose handler panicked: the request itself is lost with it.
#[derive(Debug)]
pub struct PanickedIn {
    visit: Visit,
    https: bool,
}

impl From<PersistenceError> for WebError {
    fn from(error: PersistenceError) -> Self {
        match error {
            PersistenceError::NotFound => Self::NotFound,
            PersistenceError::Denied => Self::Forbidden,
            PersistenceError::Busy | PersistenceError::Unavailable(_) => Self::Unavailable,
            PersistenceError::ClockJumped => Self::ClockJumped,
            other => Self::Store(other),
        }
    }
}

/// What an error page says.
struct Explanation {
    title: String,
    what_next: String,
}

impl WebError {
    /// The one place that knows status codes.
    fn status(&self) -> StatusCode {
        match self {
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::SignInNeeded | Self::BadSignature => StatusCode::UNAUTHORIZED,
            Self::Forbidden | Self::ForeignOrigin | Self::StaleForm => StatusCode::FORBIDDEN,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooMany { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable | Self::ClockJumped => StatusCode::SERVICE_UNAVAILABLE,
            Self::Store(_) | Self::Render(_) | Self::Panicked(_) | Self::Misrouted => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        }
    }

    /// The word it is named by on pages and in problems: stable, for support and for programs.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::SignInNeeded => "sign_in_needed",
            Self::Forbidden => "not_permitted",
            Self::ForeignOrigin => "foreign_origin",
            Self::StaleForm => "stale_form",
            Self::BadSignature => "bad_signature",
            Self::BadRequest => "bad_request",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::TooLarge => "too_large",
            Self::TooSlow => "too_slow",
            Self::Unprocessable => "unprocessable",
            Self::TooMany { .. } => "too_many_requests",
            Self::Unavailable => "unavailable",
            Self::ClockJumped => "clock_jumped",
            Self::Store(_) | Self::Render(_) | Self::Panicked(_) | Self::Misrouted => {
                "internal_error"
            }
        }
    }

    /// How long to wait before the same request may pass; `None` when waiting does not help.
    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany { wait } => Some(*wait),
            Self::Unavailable => Some(Duration::from_secs(2)),
            Self::ClockJumped => Some(Duration::from_secs(60)),
            Self::NotFound
            | Self::SignInNeeded
            | Self::Forbidden
            | Self::ForeignOrigin
            | Self::StaleForm
            | Self::BadSignature
            | Self::BadRequest
            | Self::MethodNotAllowed
            | Self::TooLarge
            | Self::TooSlow
            | Self::Unprocessable
            | Self::Store(_)
            | Self::Render(_)
            | Self::Panicked(_)
            | Self::Misrouted => None,
        }
    }

    fn explanation(&self, t: Words) -> Explanation {
        let (title, what_next) = match self {
            Self::NotFound => (t.error_not_found(), t.error_not_found_next()),
            Self::SignInNeeded => (t.error_sign_in_needed(), t.error_sign_in_needed_next()),
            Self::Forbidden => (t.error_forbidden(), t.error_forbidden_next()),
            Self::ForeignOrigin => (t.error_foreign_origin(), t.error_foreign_origin_next()),
            Self::StaleForm => (t.error_stale_form(), t.error_stale_form_next()),
            Self::BadSignature
            | Self::BadRequest
            | Self::MethodNotAllowed
            | Self::Unprocessable => (t.error_bad_request(), t.error_bad_request_next()),
            Self::TooLarge => (t.error_too_large(), t.error_too_large_next()),
            Self::TooSlow | Self::Unavailable => {
                (t.error_unavailable(), t.error_unavailable_next())
            }
            Self::ClockJumped => (t.error_clock_jumped(), t.error_clock_jumped_next()),
            Self::TooMany { wait } => {
                (t.error_too_many(), t.error_too_many_next(wait_text(t, *wait)))
            }
            Self::Store(_) | Self::Render(_) | Self::Panicked(_) | Self::Misrouted => {
                (t.error_internal(), t.error_internal_next())
            }
        };
        Explanation { title, what_next }
    }

    /// Writes the chain of causes to the log, once; what a visitor did wrong is no matter for it.
    fn log(&self, visit: &Visit) {
        if self.status() != StatusCode::INTERNAL_SERVER_ERROR {
            return;
        }
        let mut chain = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(source) = cause {
            chain = format!("{chain}: {source}");
            cause = source.source();
        }
        error!(correlation_id = visit.correlation_id, "request failed: {chain}");
    }

    /// The answer in the form and language of who reads it.
    pub(crate) fn answer(&self, visit: &Visit, session: Option<&Session>) -> HttpResponse {
        self.log(visit);
        let mut response = HttpResponse::build(self.status());
        if let Some(wait) = self.retry_after() {
            response.insert_header((RETRY_AFTER, wait.as_secs().max(1)));
        }
        match visit.reader {
            Reader::Machine => response.finish(),
            Reader::Api => self.problem(visit, &mut response),
            Reader::Fragment => self.fragment(visit, &mut response),
            Reader::Page => self.page(visit, session, &mut response),
        }
    }

    fn problem(&self, visit: &Visit, response: &mut HttpResponseBuilder) -> HttpResponse {
        let status = self.status();
        let body = json!({
            "type": format!("urn:janela:problem:{}", self.code()),
            "title": self.explanation(visit.t()).title,
            "status": status.as_u16(),
            "code": self.code(),
            "correlation_id": visit.correlation_id,
        });
        response.insert_header((CONTENT_TYPE, "application/problem+json")).body(body.to_string())
    }

    /// A fragment that failed leaves the page as it is and says why in a toast; a lost session leads to
    /// the sign-in page.
    fn fragment(&self, visit: &Visit, response: &mut HttpResponseBuilder) -> HttpResponse {
        if matches!(self, Self::SignInNeeded) {
            return response.insert_header(("hx-redirect", "/account/sign-in?expired=1")).finish();
        }
        let Explanation { title, what_next } = self.explanation(visit.t());
        let toast = format!("{title}. {what_next}");
        response.insert_header(("hx-reswap", "none")).insert_header(toast_header(&toast, "error"));
        response.finish()
    }

    fn page(
        &self,
        visit: &Visit,
        session: Option<&Session>,
        response: &mut HttpResponseBuilder,
    ) -> HttpResponse {
        if matches!(self, Self::SignInNeeded) {
            let back =
                url::form_urlencoded::byte_serialize(visit.path.as_bytes()).collect::<String>();
            let location = format!("/account/sign-in?next={back}");
            return response
                .status(StatusCode::SEE_OTHER)
                .insert_header((LOCATION, location))
                .finish();
        }
        let Explanation { title, what_next } = self.explanation(visit.t());
        let page = ErrorPage {
            t: visit.t(),
            page: Page::for_stranger(visit, title),
            what_next,
            way_on: session.map_or("/account/sign-in", Session::home),
            code: self.code(),
            correlation_id: &visit.correlation_id,
        };
        match page.render() {
            Ok(html) => response.content_type("text/html; charset=utf-8").body(html),
            Err(problem) => {
                error!(correlation_id = visit.correlation_id, "no error page: {problem}");
                response.finish()
            }
        }
    }
}

#[derive(Template)]
#[template(path = "error.html")]
struct ErrorPage<'a> {
    t: Words,
    page: Page,
    what_next: String,
    /// Where one can always go on.
    way_on: &'static str,
    code: &'static str,
    correlation_id: &'a str,
}

impl ResponseError for WebError {
    fn status_code(&self) -> StatusCode {
        self.status()
    }

    /// Bare: [`dress`] gives it its page. After a panic there is no request left to dress by, so that one
    /// brings everything itself.
    fn error_response(&self) -> HttpResponse<BoxBody> {
        let Self::Panicked(within) = self else { return HttpResponse::new(self.status()) };
        let mut response = self.answer(&within.visit, None);
        headers::apply(response.headers_mut(), within.https);
        response
    }
}

/// The header by which the page shows a toast; header values are ASCII, so all else is escaped.
#[must_use]
pub fn toast_header(text: &str, kind: &str) -> (HeaderName, HeaderValue) {
    let json = json!({ "janela:toast": { "text": text, "kind": kind } }).to_string();
    let mut ascii = String::with_capacity(json.len());
    for unit in json.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => ascii.push(char::from(byte)),
            _ => ascii.push_str(&format!("\\u{unit:04x}")),
        }
    }
    let value = HeaderValue::from_str(&ascii).unwrap_or_else(|_| HeaderValue::from_static("{}"));
    (HeaderName::from_static("hx-trigger"), value)
}
