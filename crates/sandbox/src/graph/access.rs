//! Who may call what: the bearer token and the object it is about.

use actix_web::HttpRequest;

use super::error::GraphError;
use crate::state::State;

/// What an id in a path stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Subject {
    Number(String),
    Account(String),
    /// A template, by its place in the list.
    Template(usize),
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
    let token = token.ok_or_else(GraphError::bad_token)?;
    let allowed = |account: &str| {
        state
            .numbers
            .values()
            .any(|number| number.seed.waba_id == account && number.seed.access_token == token)
    };
    if !state.numbers.values().any(|number| number.seed.access_token == token) {
        return Err(GraphError::bad_token());
    }
    if let Some(number) = state.numbers.get(id) {
        let own = number.seed.access_token == token;
        return own.then(|| Subject::Number(id.to_owned())).ok_or_else(GraphError::no_access);
    }
    if state.has_account(id) {
        return allowed(id)
            .then(|| Subject::Account(id.to_owned()))
            .ok_or_else(GraphError::no_access);
    }
    let template = state.templates.iter().position(|template| template.id.to_string() == id);
    let place = template.ok_or_else(|| GraphError::unknown_object(id))?;
    let account = state.templates.get(place).map_or("", |template| &template.seed.waba_id);
    allowed(account).then_some(Subject::Template(place)).ok_or_else(GraphError::no_access)
}
