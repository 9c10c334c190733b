//! Who calls: bearer tokens, their scopes, and how often each may ask.

use std::{
    collections::{BTreeSet, HashMap},
    future::{Ready, ready},
    net::IpAddr,
    num::NonZeroU32,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{
    Error, FromRequest, HttpMessage, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web::Data,
};
use chrono::{DateTime, TimeDelta, Utc};
use domain::ids::ApiTokenId;
use governor::{
    DefaultKeyedRateLimiter, Quota,
    clock::{Clock, DefaultClock},
};
use persistence::{
    api_token::{self, ApiScope},
    user::Actor,
};

use super::problem::ApiError;
use crate::{account::Gate, desk::Desk, error::WebError};

/// Requests a second that one token may make for long.
const REQUESTS_A_SECOND: NonZeroU32 = NonZeroU32::new(200).unwrap();
/// Requests that one token may make at once.
const REQUESTS_AT_ONCE: NonZeroU32 = NonZeroU32::new(2_000).unwrap();
/// How often the use of a token is noted.
const NOTED_EVERY: TimeDelta = TimeDelta::minutes(1);

/// Counts what each caller asks.
pub struct Callers {
    /// A wrong token is an account of its own: whoever has a dead one does not lock out its neighbours
    /// (C8).
    wrong_tokens: Gate,
    by_token: DefaultKeyedRateLimiter<ApiTokenId>,
    noted: Mutex<HashMap<ApiTokenId, DateTime<Utc>>>,
}

impl Default for Callers {
    fn default() -> Self {
        let quota = Quota::per_second(REQUESTS_A_SECOND).allow_burst(REQUESTS_AT_ONCE);
        Self {
            wrong_tokens: Gate::new(1),
            by_token: DefaultKeyedRateLimiter::keyed(quota),
            noted: Mutex::new(HashMap::new()),
        }
    }
}

impl Callers {
    /// Lets `token` ask once more, or says how long to wait.
    fn admit(&self, token: ApiTokenId) -> Result<(), WebError> {
        self.by_token.check_key(&token).map_err(|not_until| {
            let wait = not_until.wait_time_from(DefaultClock::default().now());
            WebError::TooMany { wait: wait + Duration::from_millis(999) }
        })
    }

    /// Whether the use of `token` at `now` is to be noted.
    fn is_to_be_noted(&self, token: ApiTokenId, now: DateTime<Utc>) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = noted.get(&token).is_none_or(|at| NOTED_EVERY <= now - *at);
        if is_due {
            noted.insert(token, now);
        }
        is_due
    }
}

/// Who calls, and how far the token reaches.
#[derive(Debug, Clone)]
pub struct ApiClient {
    /// Who it speaks for, with the token noted; every use case takes it.
    pub actor: Actor,
    /// The token.
    pub token: ApiTokenId,
    scopes: BTreeSet<ApiScope>,
}

/// Middleware: nobody gets past without a token that holds.
///
/// # Errors
/// Those of the service beneath.
pub async fn authenticate(
    desk: Data<Desk>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    match find_client(&desk, request.request()).await {
        Ok(client) => {
            request.extensions_mut().insert(Arc::new(client));
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(error) => Ok(request.error_response(error)),
    }
}

async fn find_client(desk: &Desk, request: &HttpRequest) -> Result<ApiClient, ApiError> {
    let token = bearer_token(request).ok_or(ApiError::NoToken)?.to_owned();
    let address: IpAddr = request.peer_addr().ok_or(WebError::BadRequest)?.ip();
    let gate = &desk.callers.wrong_tokens;
    if let Some(wait) = gate.wait(&token, address) {
        return Err(WebError::TooMany { wait }.into());
    }
    let asked = token.clone();
    let holder = desk.store.read(move |db| api_token::find_holder(db, &asked)).await?;
    let Some((holder, id)) = holder.and_then(|holder| holder.actor.token.map(|id| (holder, id)))
    else {
        gate.note_wrong(&token, address);
        return Err(ApiError::BadToken);
    };
    desk.callers.admit(id)?;
    let now = desk.clock.now();
    if desk.callers.is_to_be_noted(id, now) {
        desk.store.write(move |db| api_token::touch(db, id, now)).await?;
    }
    Ok(ApiClient { actor: holder.actor, token: id, scopes: holder.scopes })
}

/// The token of `Authorization: Bearer …`; `None` when there is none.
fn bearer_token(request: &HttpRequest) -> Option<&str> {
    let (scheme, token) = request.headers().get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn client_of(request: &HttpRequest) -> Result<Arc<ApiClient>, ApiError> {
    request.extensions().get::<Arc<ApiClient>>().cloned().ok_or(WebError::Misrouted.into())
}

macro_rules! scopes {
    ($($(#[$doc:meta])* $name:ident needs $scope:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name(pub Arc<ApiClient>);

        impl std::ops::Deref for $name {
            type Target = ApiClient;
            fn deref(&self) -> &ApiClient {
                &self.0
            }
        }

        impl FromRequest for $name {
            type Error = ApiError;
            type Future = Ready<Result<Self, ApiError>>;

            fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
                ready(client_of(request).and_then(|client| {
                    let scope = $scope;
                    if client.scopes.contains(&scope) {
                        Ok(Self(client))
                    } else {
                        Err(ApiError::ScopeMissing(scope))
                    }
                }))
            }
        }
    )+};
}

scopes! {
    /// A token that may send.
    Sender needs ApiScope::SendActiveMessages;
    /// A token that may read active messages.
    MessageReader needs ApiScope::ReadActiveMessages;
    /// A token that may read contacts.
    ContactReader needs ApiScope::ReadContacts;
    /// A token that may enter what contacts wish.
    ContactWriter needs ApiScope::WriteContacts;
    /// A token that may read message templates.
    TemplateReader needs ApiScope::ReadTemplates;
    /// A token that may read channels and numbers.
    ChannelReader needs ApiScope::ReadChannels;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_asks_too_often_is_told_to_wait_and_others_go_on() {
        let callers = Callers::default();
        let mut admitted = 0;
        let refused = loop {
            match callers.admit(ApiTokenId(1)) {
                Ok(()) => admitted += 1,
                Err(error) => break error,
            }
        };
        assert!(REQUESTS_AT_ONCE.get() <= admitted, "{admitted}");
        assert!(matches!(refused, WebError::TooMany { wait } if !wait.is_zero()));
        assert!(callers.admit(ApiTokenId(2)).is_ok());
    }

    #[test]
    fn the_use_of_a_token_is_noted_once_a_minute() {
        let (callers, token, now) = (Callers::default(), ApiTokenId(1), DateTime::UNIX_EPOCH);
        assert!(callers.is_to_be_noted(token, now));
        assert!(!callers.is_to_be_noted(token, now + TimeDelta::seconds(59)));
        assert!(callers.is_to_be_noted(token, now + TimeDelta::seconds(60)));
    }
}
