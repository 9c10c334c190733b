//! Who may call what: the bearer token and the object it is about.

use actix_web::HttpRequest;

use super::error::GraphError;
use crate::state::State;
use crate::world::APP_ID;

/// What an id in a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    Number(String),
    Account(String),
    /// A template, by its place in the list.
    Template(usize),
    Media(String),
    App,
}

/// A token's right to anything at all.
///
/// # Errors
///
/// 190 when it is missing, unknown or expired.
pub(crate) fn check_token(state: &State, token: Option<&str>) -> Result<(), GraphError> {
    let token = token.ok_or_else(GraphError::bad_token)?;
    let known = state.numbers.values().any(|number| number.seed.access_token == token)
        || app_secret(state, token).is_some();
    let expired = state.world.expired_tokens.contains(token);
    if known && !expired { Ok(()) } else { Err(GraphError::bad_token()) }
}

/// The secret of the app that `token`, an app's own one, belongs to.
pub(crate) fn app_secret<'a>(state: &State, token: &'a str) -> Option<&'a str> {
    let secret = token.strip_prefix(APP_ID)?.strip_prefix('|')?;
    state.numbers.values().any(|number| number.seed.app_secret == secret).then_some(secret)
}

/// Whether `token` is one of the account's numbers'.
pub(crate) fn may_use(state: &State, token: Option<&str>, account: &str) -> bool {
    state.numbers.values().any(|number| {
        number.seed.waba_id == account && Some(number.seed.access_token.as_str()) == token
    })
}

/// The token of a call: the header's, else the query's.
pub(crate) fn token(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get("Authorization").and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim().to_owned())
    });
    bearer.or_else(|| {
        url::form_urlencoded::parse(request.query_string().as_bytes())
            .find(|(key, _)| key == "access_token")
            .map(|(_, value)| value.into_owned())
    })
}

/// What `id` is, if `token` may use it.
///
/// # Errors
///
/// 190 for a missing or unknown token, 100/33 for an unknown id, 200 for one of another token.
pub(crate) fn subject(state: &State, token: Option<&str>, id: &str) -> Result<Subject, GraphError> {
    check_token(state, token)?;
    let allowed = |account: &str| may_use(state, token, account);
    if id == APP_ID {
        return Ok(Subject::App);
    }
    if let Some(number) = state.numbers.get(id) {
        let own = Some(number.seed.access_token.as_str()) == token;
        return own.then(|| Subject::Number(id.to_owned())).ok_or_else(GraphError::no_access);
    }
    if state.has_account(id) {
        return allowed(id)
            .then(|| Subject::Account(id.to_owned()))
            .ok_or_else(GraphError::no_access);
    }
    if let Some(owner) = state.shelf.owner(id) {
        let account = state.numbers.get(owner).map(|number| number.seed.waba_id.as_str());
        return account
            .is_some_and(allowed)
            .then(|| Subject::Media(id.to_owned()))
            .ok_or_else(GraphError::no_access);
    }
    let template = state.templates.iter().position(|template| template.id.to_string() == id);
    let place = template.ok_or_else(|| GraphError::unknown_object(id))?;
    let account = state.templates.get(place).map_or("", |template| &template.seed.waba_id);
    allowed(account).then_some(Subject::Template(place)).ok_or_else(GraphError::no_access)
}
