//! Looking at the file behind a URL: what it is by its type and first bytes, and whether the platform takes it (AM-07).

use domain::{
    channel::{MediaFile, MediaProblem},
    media::{FileFormat, is_text},
    template::MediaKind,
};
use percent_encoding::percent_decode_str;
use reqwest::{Method, Response};
use url::Url;

use crate::http::{Barred, Broken, OutgoingHttp, content_type, how_it_broke, read_body};

const MEGABYTE: u64 = 1024 * 1024;

/// The most bytes the platform takes of a kind (protocol, 10).
fn size_limit(kind: MediaKind) -> u64 {
    match kind {
        MediaKind::Image => 5 * MEGABYTE,
        MediaKind::Video => 16 * MEGABYTE,
        MediaKind::Document => 100 * MEGABYTE,
    }
}

/// Fetches what is needed of the file at `url` and judges it.
pub(crate) async fn inspect(
    http: &OutgoingHttp,
    url: &str,
    kind: MediaKind,
) -> Result<MediaFile, MediaProblem> {
    let url = Url::parse(url.trim()).map_err(|_| MediaProblem::NotAUrl)?;
    let name = file_name(url.as_str());
    let request = http.request(Method::GET, url).map_err(|barred| match barred {
        Barred::NotAWebAddress => MediaProblem::NotAUrl,
        Barred::InnerNetwork => MediaProblem::Forbidden,
    })?;
    let limit = size_limit(kind);
    let broken = |broken| problem_of(broken, limit);
    let response = crate::http::send(request).await.map_err(broken)?;
    match response.status().as_u16() {
        200 => {}
        404 | 410 => return Err(MediaProblem::Missing),
        status => return Err(MediaProblem::Refused { status }),
    }
    let declared = content_type(response.headers()).unwrap_or_default();
    let (size, head) = match kind {
        MediaKind::Image => {
            let bytes = read_body(response, limit).await.map_err(broken)?;
            (bytes.len() as u64, bytes)
        }
        MediaKind::Video | MediaKind::Document => {
            read_head(response, limit).await.map_err(broken)?
        }
    };
    let content_type = judge(kind, &declared, &head)
        .map_err(|found| MediaProblem::WrongKind { found: found.to_owned() })?
        .to_owned();
    let preview = (kind == MediaKind::Image).then_some(head);
    Ok(MediaFile { content_type, size, name, preview })
}

/// The last part of the URL's path, decoded; `file` when there is none.
pub(crate) fn file_name(url: &str) -> String {
    let parsed = Url::parse(url).ok();
    let last = parsed.as_ref().and_then(|url| url.path_segments()?.next_back()).unwrap_or_default();
    let decoded = percent_decode_str(last).decode_utf8_lossy();
    let name: String =
        decoded.chars().filter(|sign| !sign.is_control() && !matches!(sign, '/' | '\\')).collect();
    if name.is_empty() { "file".to_owned() } else { name }
}

fn problem_of(broken: Broken, limit: u64) -> MediaProblem {
    match broken {
        Broken::InnerNetwork => MediaProblem::Forbidden,
        Broken::TooLarge => MediaProblem::TooLarge { limit },
        Broken::NoConnection | Broken::NotBuilt | Broken::TimedOut | Broken::Reset => {
            MediaProblem::Unreachable
        }
    }
}

/// The size and the first bytes of a body that is not kept. A stated length is the length of the transfer itself, so
/// the rest is then left unread; without one the body is counted to its end.
async fn read_head(mut response: Response, limit: u64) -> Result<(u64, Vec<u8>), Broken> {
    let stated = response.content_length();
    if stated.is_some_and(|length| limit < length) {
        return Err(Broken::TooLarge);
    }
    let mut head = Vec::new();
    let mut size = 0;
    while let Some(chunk) = response.chunk().await.map_err(|error| how_it_broke(&error))? {
        size += chunk.len() as u64;
        let wanted = FileFormat::SNIFFED.saturating_sub(head.len()).min(chunk.len());
        head.extend_from_slice(&chunk[..wanted]);
        if limit < size {
            return Err(Broken::TooLarge);
        }
        if let Some(length) = stated.filter(|_| head.len() == FileFormat::SNIFFED) {
            return Ok((length, head));
        }
    }
    Ok((size, head))
}

/// The file's type when declaration and bytes agree on one the platform takes for `kind`; otherwise what was found.
fn judge<'a>(kind: MediaKind, declared: &'a str, head: &[u8]) -> Result<&'a str, &'a str> {
    let by_bytes = FileFormat::of(head);
    let taken = match kind {
        MediaKind::Image => matches!(
            (declared, by_bytes),
            ("image/jpeg", Some(FileFormat::Jpeg)) | ("image/png", Some(FileFormat::Png))
        ),
        MediaKind::Video => matches!(
            (declared, by_bytes),
            ("video/mp4", Some(FileFormat::Mp4))
                | ("video/3gpp", Some(FileFormat::ThreeGp | FileFormat::Mp4))
        ),
        MediaKind::Document => is_document(declared, by_bytes, head),
    };
    if taken {
        return Ok(declared);
    }
    let told = match by_bytes {
        Some(format) => format.content_type(),
        None => declared,
    };
    Err(if told.is_empty() { "application/octet-stream" } else { told })
}

fn is_document(declared: &str, by_bytes: Option<FileFormat>, head: &[u8]) -> bool {
    match declared {
        "application/pdf" => by_bytes == Some(FileFormat::Pdf),
        "application/msword" | "application/vnd.ms-excel" | "application/vnd.ms-powerpoint" => {
            by_bytes == Some(FileFormat::Ole)
        }
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
        | "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        | "application/vnd.openxmlformats-officedocument.presentationml.presentation" => {
            by_bytes == Some(FileFormat::Zip)
        }
        "text/plain" => by_bytes.is_none() && is_text(head),
        _ => false,
    }
}

#[cfg(test)]
#[path = "media_tests.rs"]
mod tests;
