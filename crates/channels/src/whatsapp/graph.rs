//! Calls to the Graph API: addresses, the token, and answers read as JSON or as an error.

use std::time::Duration;

use domain::channel::{ChannelAccess, ChannelError, RefusalClass, RetryScope};
use reqwest::{Method, RequestBuilder};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use url::Url;

use super::{
    errors::{ErrorWire, Way},
    wire::lenient,
};
use crate::http::{Answer, Broken, OutgoingHttp, exchange};

/// The most bytes read of any answer.
pub(super) const ANSWER_LIMIT: u64 = 1024 * 1024;

/// The part of an answer that says whether it is an error.
#[derive(Debug, Default, Deserialize)]
struct Envelope {
    #[serde(default, deserialize_with = "lenient")]
    error: Option<ErrorWire>,
}

/// Starts a call to `path` below the account's API address.
pub(super) fn call(
    http: &OutgoingHttp,
    access: &ChannelAccess,
    method: Method,
    path: &[&str],
    query: &[(&str, &str)],
) -> Result<RequestBuilder, Broken> {
    let mut url = Url::parse(&access.api_base_url).map_err(|_| Broken::NotBuilt)?;
    url.path_segments_mut().map_err(|()| Broken::NotBuilt)?.pop_if_empty().extend(path);
    if !query.is_empty() {
        url.query_pairs_mut().extend_pairs(query);
    }
    let request = http.request(method, url).map_err(|_| Broken::InnerNetwork)?;
    Ok(request.bearer_auth(&access.access_token))
}

/// Reads the error of an answer; `None` when its body holds none or is not JSON.
pub(super) fn error_in(body: &[u8]) -> Option<ErrorWire> {
    // By way of a value, so that a key given twice is no error: the last one counts.
    let value: Value = serde_json::from_slice(body).ok()?;
    serde_json::from_value::<Envelope>(value).ok()?.error
}

/// An answer to a question, and how long the account is to ask for nothing more.
pub(super) struct Read<T> {
    /// What was asked for.
    pub answer: T,
    /// `None` while it may ask on.
    pub rest: Option<Duration>,
}

/// How long an account rests that asked too much, where the platform names no time.
const UNTOLD_REST: Duration = Duration::from_secs(5 * 60);

/// Asks for an object or a list.
///
/// # Errors
/// [`ChannelError::Busy`] when the account asked too much already.
pub(super) async fn get<T: DeserializeOwned>(
    http: &OutgoingHttp,
    access: &ChannelAccess,
    path: &[&str],
    query: &[(&str, &str)],
) -> Result<Read<T>, ChannelError> {
    let request = call(http, access, Method::GET, path, query).map_err(unreachable)?;
    read(request).await
}

fn unreachable(broken: Broken) -> ChannelError {
    ChannelError::Unreachable(broken.to_string())
}

/// Sends `request` and reads its answer.
///
/// # Errors
/// As [`get`].
pub(super) async fn read<T: DeserializeOwned>(
    request: RequestBuilder,
) -> Result<Read<T>, ChannelError> {
    let Answer { status, retry_after, rest, body } =
        exchange(request, ANSWER_LIMIT).await.map_err(unreachable)?;
    let body = body.map_err(unreachable)?;
    if let Some(error) = error_in(&body) {
        return Err(match error.class(Way::Answer(status)) {
            RefusalClass::Retry { after, scope: RetryScope::Number } => {
                ChannelError::Busy(rest.or(retry_after).or(after).unwrap_or(UNTOLD_REST))
            }
            _ => ChannelError::Refused(error.refusal()),
        });
    }
    if status == 429 {
        return Err(ChannelError::Busy(rest.or(retry_after).unwrap_or(UNTOLD_REST)));
    }
    if status != 200 {
        return Err(ChannelError::Unreachable(format!("status {status} without an error body")));
    }
    let answer = serde_json::from_slice::<Value>(&body)
        .and_then(serde_json::from_value)
        .map_err(|_| ChannelError::Unreachable("the answer is not readable".to_owned()))?;
    Ok(Read { answer, rest })
}
