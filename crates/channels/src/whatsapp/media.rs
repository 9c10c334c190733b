//! Files from the platform and to it: where one lies, its bytes, and handing one over (protocol, 10).

use std::time::Duration;

use domain::channel::{
    BoxFuture, ChannelAccess, MediaBody, MediaDownload, MediaFailure, MediaUpload,
};
use futures_util::stream;
use reqwest::{
    Body, Method, Response,
    header::LOCATION,
    multipart::{Form, Part},
};
use serde::Deserialize;
use url::Url;

use super::{
    errors::ErrorWire,
    graph::{self, ANSWER_LIMIT, error_in},
    wire::Loose,
};
use crate::http::{Answer, Broken, OutgoingHttp, exchange, how_it_broke, send};

/// How long a whole file may take, either way.
const WITHIN: Duration = Duration::from_secs(120);
/// So often an address may lead on to another.
const MOST_REDIRECTS: usize = 3;
/// Where the platform's files lie; each with all names below it.
const PLATFORM_DOMAINS: [&str; 4] = ["facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net"];
/// A parameter that the platform does not take, among which are ids it does not know.
const INVALID_PARAMETER: u32 = 100;
/// What was handed over could not be taken as what it was said to be.
const UPLOAD_FAILED: u32 = 131_053;

/// What the platform says of a file.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct MediaWire {
    url: Loose,
    mime_type: Loose,
    sha256: Loose,
    file_size: Loose,
}

/// What the platform says of a file it took.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct UploadedWire {
    id: Loose,
}

/// Asks where the file `media` lies and opens it there.
pub(super) async fn open(
    http: &OutgoingHttp,
    access: &ChannelAccess,
    media: &str,
    limit: u64,
) -> Result<MediaDownload, MediaFailure> {
    let told = find(http, access, media).await?;
    let size = told.file_size.as_str().and_then(|text| text.trim().parse().ok());
    if size.is_some_and(|size| limit < size) {
        return Err(MediaFailure::TooLarge { limit });
    }
    let url = told.url.as_str().and_then(|url| Url::parse(url).ok());
    let url = url.ok_or_else(|| unreachable("the answer names no address"))?;
    let response = follow(http, access, url).await?;
    if response.content_length().is_some_and(|length| limit < length) {
        return Err(MediaFailure::TooLarge { limit });
    }
    Ok(MediaDownload {
        content_type: told.mime_type.0,
        size,
        sha256: told.sha256.0,
        body: Box::new(Incoming { response, read: 0, limit }),
    })
}

async fn find(
    http: &OutgoingHttp,
    access: &ChannelAccess,
    media: &str,
) -> Result<MediaWire, MediaFailure> {
    let request = graph::call(http, access, Method::GET, &[media], &[]).map_err(broken)?;
    let Answer { status, body, .. } = exchange(request, ANSWER_LIMIT).await.map_err(broken)?;
    let body = body.map_err(broken)?;
    if let Some(error) = error_in(&body) {
        return Err(match error.code() {
            Some(INVALID_PARAMETER) => MediaFailure::Gone,
            _ => MediaFailure::Refused(error.refusal()),
        });
    }
    match status {
        200 => serde_json::from_slice(&body).map_err(|_| unreachable("the answer is not readable")),
        404 | 410 => Err(MediaFailure::Gone),
        status => Err(unreachable(format!("status {status} without an error body"))),
    }
}

/// Opens `url` and whatever it leads to, as long as that is the platform's: the token goes with each step.
async fn follow(
    http: &OutgoingHttp,
    access: &ChannelAccess,
    mut url: Url,
) -> Result<Response, MediaFailure> {
    let base = Url::parse(&access.api_base_url).map_err(|_| broken(Broken::NotBuilt))?;
    for _ in 0..=MOST_REDIRECTS {
        if !is_platforms(&url, &base) {
            return Err(MediaFailure::Elsewhere);
        }
        let request =
            http.request(Method::GET, url.clone()).map_err(|_| MediaFailure::Elsewhere)?;
        let request = request.bearer_auth(&access.access_token).timeout(WITHIN);
        let response = send(request).await.map_err(|error| match error {
            Broken::InnerNetwork => MediaFailure::Elsewhere,
            other => broken(other),
        })?;
        match response.status().as_u16() {
            200 => return Ok(response),
            301..=303 | 307 | 308 => {
                let to = response.headers().get(LOCATION).and_then(|to| to.to_str().ok());
                let to = to.and_then(|to| url.join(to).ok());
                url = to.ok_or_else(|| unreachable("a redirect that leads nowhere"))?;
            }
            404 | 410 => return Err(MediaFailure::AddressExpired),
            status => return Err(unreachable(format!("status {status} instead of the file"))),
        }
    }
    Err(unreachable("too many redirects"))
}

/// Whether `url` is where the API is, or where the platform keeps its files.
fn is_platforms(url: &Url, base: &Url) -> bool {
    if url.origin() == base.origin() {
        return true;
    }
    let host = url.host_str().unwrap_or_default();
    let is_below = |domain: &str| {
        let before = host.strip_suffix(domain);
        before.is_some_and(|before| before.is_empty() || before.ends_with('.'))
    };
    url.scheme() == "https" && PLATFORM_DOMAINS.into_iter().any(is_below)
}

/// A file that comes in.
struct Incoming {
    response: Response,
    read: u64,
    limit: u64,
}

impl MediaBody for Incoming {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, MediaFailure>> {
        Box::pin(async {
            let chunk =
                self.response.chunk().await.map_err(|error| broken(how_it_broke(&error)))?;
            let Some(chunk) = chunk else { return Ok(None) };
            self.read += chunk.len() as u64;
            if self.limit < self.read {
                return Err(MediaFailure::TooLarge { limit: self.limit });
            }
            Ok(Some(chunk.to_vec()))
        })
    }
}

/// Hands a file over; answers with the platform's id of it.
pub(super) async fn upload(
    http: &OutgoingHttp,
    access: &ChannelAccess,
    upload: MediaUpload,
) -> Result<String, MediaFailure> {
    let MediaUpload { name, content_type, size, body } = upload;
    let pieces = stream::try_unfold(body, |mut body| async {
        let piece = body.next().await.map_err(|failure| failure.to_string())?;
        Ok::<_, String>(piece.map(|piece| (piece, body)))
    });
    let file = Part::stream_with_length(Body::wrap_stream(pieces), size)
        .file_name(name)
        .mime_str(&content_type)
        .map_err(|_| broken(Broken::NotBuilt))?;
    let form = Form::new()
        .text("messaging_product", "whatsapp")
        .text("type", content_type)
        .part("file", file);
    let path = &[access.external_id.as_str(), "media"];
    let request = graph::call(http, access, Method::POST, path, &[]).map_err(broken)?;
    let request = request.timeout(WITHIN).multipart(form);
    let Answer { status, body, .. } = exchange(request, ANSWER_LIMIT).await.map_err(broken)?;
    let body = body.map_err(broken)?;
    if let Some(error) = error_in(&body) {
        return Err(upload_refusal(&error));
    }
    if status != 200 {
        return Err(unreachable(format!("status {status} without an error body")));
    }
    let uploaded: Option<UploadedWire> = serde_json::from_slice(&body).ok();
    uploaded
        .and_then(|uploaded| uploaded.id.0)
        .ok_or_else(|| unreachable("the answer names no file"))
}

/// Which of the two codes stands for a wrong type or size is unconfirmed.
fn upload_refusal(error: &ErrorWire) -> MediaFailure {
    match error.code() {
        Some(INVALID_PARAMETER | UPLOAD_FAILED) => MediaFailure::NotTaken(error.refusal()),
        _ => MediaFailure::Refused(error.refusal()),
    }
}

fn broken(broken: Broken) -> MediaFailure {
    unreachable(broken.to_string())
}

fn unreachable(reason: impl Into<String>) -> MediaFailure {
    MediaFailure::Unreachable(reason.into())
}

#[cfg(test)]
#[path = "media_tests.rs"]
mod tests;
