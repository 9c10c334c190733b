//! Who is signed in: the session cookie, the row behind it, and the extractors that name who may call.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    cookie::{Cookie, SameSite},
    dev::{Payload, ServiceRequest, ServiceResponse},
    middleware::Next,
    web::Data,
};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use domain::{permission::WorkspacePermission, presence::Presence};
use persistence::{error::PersistenceError, presence, session, user::Actor};

use crate::{
    desk::Desk,
    error::WebError,
    last_request,
    locale::Locale,
    visit::{Visit, page_language},
};

/// The session of a request.
#[derive(Debug, Clone)]
pub struct Session {
    /// Who asks, with what they may do; every use case takes it.
    pub actor: Actor,
    /// Bound to this session; every form of it carries it.
    pub form_token: String,
    /// Whether the user takes part right now.
    pub presence: Presence,
    /// Since when: the timer of a break counts from it (RO-06).
    pub presence_since: DateTime<Utc>,
}

impl Session {
    /// The session the middleware found for `request`; `None` when nobody is signed in.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Arc<Self>> {
        request.extensions().get::<Arc<Self>>().cloned()
    }

    /// Where the user starts: the desk, else the portal.
    #[must_use]
    pub fn home(&self) -> &'static str {
        home(&self.actor)
    }

    /// The language the user chose; `None` for the browser's.
    #[must_use]
    pub fn locale(&self) -> Option<Locale> {
        self.actor.user.language.as_deref()?.parse().ok()
    }

    /// The zone the user chose; `None` for the workspace's.
    #[must_use]
    pub fn zone(&self) -> Option<Tz> {
        self.actor.user.time_zone.as_deref()?.parse().ok()
    }
}

/// Where a user starts: the desk, else the portal.
#[must_use]
pub fn home(actor: &Actor) -> &'static str {
    if actor.opens_desk() { "/desk" } else { "/portal" }
}

/// Anyone who is signed in.
#[derive(Debug, Clone)]
pub struct SignedIn(pub Arc<Session>);

/// Someone who may send or serve in some chatbot.
#[derive(Debug, Clone)]
pub struct Agent(pub Arc<Session>);

/// Someone with a permission that has a page in the portal; which chatbot, the page must still ask.
#[derive(Debug, Clone)]
pub struct PortalUser(pub Arc<Session>);

/// Someone who manages users.
#[derive(Debug, Clone)]
pub struct Admin(pub Arc<Session>);

macro_rules! extractors {
    ($($name:ident if $allowed:expr;)+) => {$(
        impl std::ops::Deref for $name {
            type Target = Session;
            fn deref(&self) -> &Session {
                &self.0
            }
        }

        impl FromRequest for $name {
            type Error = WebError;
            type Future = Ready<Result<Self, WebError>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                let allowed: fn(&Session) -> bool = $allowed;
                ready(match Session::of(request) {
                    None => Err(WebError::SignInNeeded),
                    Some(session) if !allowed(&session) => Err(WebError::Forbidden),
                    Some(session) => Ok(Self(session)),
                })
            }
        }
    )+};
}

extractors! {
    SignedIn if |_| true;
    Agent if |session| session.actor.opens_desk();
    PortalUser if |session| session.actor.opens_portal();
    Admin if |session| session.actor.may_in_workspace(WorkspacePermission::ManageUsers);
}

/// The name of the session cookie: `__Host-` binds it to this host, and needs https.
#[must_use]
pub fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-janela_session" } else { "janela_session" }
}

/// The cookie of a new session. It lives as long as the browser; the row behind it ends sooner.
#[must_use]
pub fn session_cookie(token: String, https: bool) -> Cookie<'static> {
    Cookie::build(cookie_name(https), token)
        .path("/")
        .secure(https)
        .http_only(true)
        .same_site(SameSite::Lax)
        .finish()
}

/// The token a request's session cookie holds; `None` without a cookie.
#[must_use]
pub fn cookie_token(request: &HttpRequest, https: bool) -> Option<String> {
    request.cookie(cookie_name(https)).map(|cookie| cookie.value().to_owned())
}

/// Middleware: finds the session of the cookie, and shows the page in its user's language and zone.
///
/// # Errors
/// Those of the service beneath.
pub async fn find(
    desk: Data<Desk>,
    visit: Visit,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    if let Some(token) = cookie_token(request.request(), desk.settings.is_https()) {
        match lookup(&desk, token, visit.now).await {
            Ok(Some(session)) => {
                let visit = Visit {
                    locale: page_language(request.request())
                        .or_else(|| session.locale())
                        .unwrap_or(visit.locale),
                    zone: session.zone().unwrap_or(visit.zone),
                    ..visit
                };
                request.extensions_mut().insert(visit);
                request.extensions_mut().insert(Arc::new(session));
            }
            Ok(None) => {}
            Err(error) => return Ok(request.error_response(WebError::from(error))),
        }
    }
    Ok(next.call(request).await?.map_into_boxed_body())
}

/// Requests of a user whose live stream is open are noted so seldom: presence goes by the stream, and the session
/// ends after half an hour.
const NOTED_EVERY: TimeDelta = TimeDelta::seconds(60);

async fn lookup(
    desk: &Data<Desk>,
    token: String,
    now: DateTime<Utc>,
) -> Result<Option<Session>, PersistenceError> {
    let policy = desk.settings.sessions;
    let found = desk.store.read(move |db| {
        let Some(signed_in) = session::find_signed_in(db, &token, policy, now)? else {
            return Ok(None);
        };
        let noted = presence::find_noted(db, signed_in.actor.id())?;
        Ok(Some((signed_in, noted)))
    });
    let Some((signed_in, noted)) = found.await? else { return Ok(None) };
    let (id, user) = (signed_in.session, signed_in.actor.id());
    let back = if !noted.is_some_and(|noted| noted.streaming) {
        last_request::note(desk, id, user, now).await?
    } else if signed_in.last_seen_at + NOTED_EVERY <= now {
        desk.store.write(move |db| session::note_request(db, id, user, now)).await?
    } else {
        None
    };
    let noted = back.or(noted);
    Ok(Some(Session {
        actor: signed_in.actor,
        form_token: signed_in.form_token,
        presence: noted.map_or(Presence::Offline, |noted| noted.presence),
        presence_since: noted.map_or(now, |noted| noted.since),
    }))
}
