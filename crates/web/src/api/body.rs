//! Bodies and their keys: JSON within a limit, read whole before anything is judged.

use actix_web::{HttpMessage, HttpRequest, http::header::CONTENT_LENGTH, web::Payload};

use super::{
    json::Json,
    problem::{ApiError, Fault},
};
use crate::error::WebError;

/// Most bytes of one request.
pub const BODY_LIMIT: usize = 256 * 1024;

/// How long a body may take to arrive.
const BODY_DEADLINE: std::time::Duration = std::time::Duration::from_secs(10);

/// The header that makes a repetition harmless.
pub const KEY_HEADER: &str = "Idempotency-Key";
/// Most characters of a key.
const KEY_LENGTH: usize = 255;

/// Reads the whole body as JSON.
///
/// # Errors
/// `NotJson` for another content type, `TooLarge`, `TooSlow`, `BrokenJson`.
pub async fn read_json(request: &HttpRequest, payload: Payload) -> Result<Json, ApiError> {
    let is_json = request.content_type().eq_ignore_ascii_case("application/json");
    if !is_json {
        return Err(ApiError::NotJson);
    }
    let length = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
    if length.and_then(|length| length.parse::<usize>().ok()).is_some_and(|it| BODY_LIMIT < it) {
        return Err(WebError::TooLarge.into());
    }
    let read = tokio::time::timeout(BODY_DEADLINE, payload.to_bytes_limited(BODY_LIMIT)).await;
    let bytes = match read {
        Err(_) => return Err(WebError::TooSlow.into()),
        Ok(Err(_)) => return Err(WebError::TooLarge.into()),
        Ok(Ok(Err(_))) => return Err(WebError::BadRequest.into()),
        Ok(Ok(Ok(bytes))) => bytes,
    };
    serde_json::from_slice(&bytes).map_err(|_| ApiError::BrokenJson)
}

/// The idempotency key; `None` when the client gave none.
///
/// # Errors
/// `Fields` when it is given twice, empty, too long, or holds what is not visible.
pub fn idempotency_key(request: &HttpRequest) -> Result<Option<String>, ApiError> {
    let mut given = request.headers().get_all(KEY_HEADER);
    let Some(key) = given.next() else { return Ok(None) };
    let key = key.as_bytes();
    let is_visible = key.iter().all(u8::is_ascii_graphic);
    if key.is_empty() || KEY_LENGTH < key.len() || !is_visible || given.next().is_some() {
        return Err(ApiError::field(KEY_HEADER, Fault::Key));
    }
    Ok(Some(String::from_utf8_lossy(key).into_owned()))
}
