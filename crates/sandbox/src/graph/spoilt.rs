//! Answers that go wrong on their way (QUALITY, R3): cut off, slow, huge, reset, sent elsewhere.

use std::net::SocketAddr;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};

use super::error::GraphError;
use super::routes::{self, JSON};
use crate::faults::Spoilage;
use crate::server::{broken_pipe, zero_linger};

/// How long the bytes before a reset have to reach the caller.
const FLUSH: Duration = Duration::from_millis(100);
/// A huge answer goes out in pieces of so many bytes.
const PIECE: usize = 64 * 1_024;

/// A refusal with `code`, or a page that is no JSON; `retry_after` in seconds.
pub(super) fn refusal(status: u16, code: Option<u32>, retry_after: Option<u64>) -> HttpResponse {
    let mut response = match code {
        Some(code) => GraphError::asked_for(status, code).respond(),
        None => routes::not_json(status),
    };
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// Sends the caller to `location`, else to the sandbox by another name.
pub(super) fn redirect(location: Option<&str>, own: SocketAddr) -> HttpResponse {
    let elsewhere = format!("http://localhost:{}/redirected", own.port());
    HttpResponse::build(StatusCode::FOUND)
        .insert_header((header::LOCATION, location.unwrap_or(&elsewhere)))
        .finish()
}

/// The answer `text`, spoilt as asked for.
pub(super) fn answer(request: &HttpRequest, how: Spoilage, text: Bytes) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(JSON);
    match how {
        Spoilage::CutOff => response.body(text.slice(..text.len() / 2)),
        Spoilage::Slow { ms } => {
            let pause = Duration::from_millis(ms);
            let bytes = (0..text.len()).map(move |at| text.slice(at..=at));
            response.streaming(stream::iter(bytes).then(move |byte| async move {
                tokio::time::sleep(pause).await;
                Ok::<_, std::io::Error>(byte)
            }))
        }
        Spoilage::Huge { bytes } => {
            let begin = Bytes::from_static(b"{\"messaging_product\":\"whatsapp\",\"padding\":\"");
            let piece = Bytes::from(vec![b'x'; PIECE]);
            let rest = stream::iter(std::iter::repeat_n(piece, bytes.div_ceil(PIECE)));
            let end = stream::iter([Bytes::from_static(b"\"}")]);
            response.streaming(
                stream::iter([begin]).chain(rest).chain(end).map(Ok::<_, std::io::Error>),
            )
        }
        Spoilage::ResetDuring => reset_behind(request, &text.slice(..text.len() / 2)),
        Spoilage::ResetEnd => reset_behind(request, &text),
    }
}

/// Writes `text` and then resets the connection; the answer is never told to be whole.
fn reset_behind(request: &HttpRequest, text: &Bytes) -> HttpResponse {
    let linger = zero_linger(request);
    let begin = stream::iter([Ok(text.clone())]);
    let end = stream::once(async move {
        tokio::time::sleep(FLUSH).await;
        drop(linger);
        Err(broken_pipe())
    });
    HttpResponse::Ok().content_type(JSON).streaming(begin.chain(end))
}
