//! Styles, scripts, icons and fonts, embedded in the program and cached by content.

use std::{borrow::Cow, sync::LazyLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EntityTag, Header, IfNoneMatch},
    web::{self, Path, ServiceConfig},
};
use rust_embed::{EmbeddedFile, RustEmbed};
use sha2::{Digest, Sha256};

use crate::error::WebError;

#[derive(RustEmbed)]
#[folder = "../../static"]
struct Static;

/// The file `path`; the sandbox serves its own.
fn find(path: &str) -> Option<EmbeddedFile> {
    if path.starts_with("sandbox/") { None } else { Static::get(path) }
}

/// Names the state of all static files; part of their addresses, so that they may be kept for ever.
static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut state = Sha256::new();
    let mut paths: Vec<Cow<'static, str>> = Static::iter().collect();
    paths.sort();
    for path in paths {
        state.update(path.as_bytes());
        if let Some(file) = Static::get(&path) {
            state.update(file.metadata.sha256_hash());
        }
    }
    hex::encode(&state.finalize()[..6])
});

/// The address of the static file `path`, such as `css/base.css`.
#[must_use]
pub fn url(path: &str) -> String {
    format!("/static/{}/{path}", *VERSION)
}

/// The static files, the icon and the manifest.
pub fn routes(config: &mut ServiceConfig) {
    config
        .service(web::resource("/favicon.svg").get(show_icon))
        .service(web::resource("/static/{path:.+}").get(show_file));
}

async fn show_icon(request: HttpRequest) -> Result<HttpResponse, WebError> {
    let file = find("favicon.svg").ok_or(WebError::NotFound)?;
    Ok(answer(&request, "favicon.svg", file, false))
}

async fn show_file(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, WebError> {
    let versioned = path.strip_prefix(VERSION.as_str()).and_then(|rest| rest.strip_prefix('/'));
    let file = find(versioned.unwrap_or(&path)).ok_or(WebError::NotFound)?;
    Ok(answer(&request, &path, file, versioned.is_some()))
}

/// A file under its version may be kept for ever; without, it is asked for again each time.
fn answer(request: &HttpRequest, path: &str, file: EmbeddedFile, for_ever: bool) -> HttpResponse {
    let tag = EntityTag::new_strong(hex::encode(&file.metadata.sha256_hash()[..12]));
    let caching = if for_ever { "public, max-age=31536000, immutable" } else { "no-cache" };
    let is_known = IfNoneMatch::parse(request).is_ok_and(|known| match known {
        IfNoneMatch::Any => true,
        IfNoneMatch::Items(tags) => tags.iter().any(|known| known.weak_eq(&tag)),
    });
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((CACHE_CONTROL, caching)).insert_header((ETAG, tag.to_string()));
    if is_known {
        return response.finish();
    }
    response.insert_header((CONTENT_TYPE, content_type(path)));
    match file.data {
        Cow::Borrowed(bytes) => response.body(bytes),
        Cow::Owned(bytes) => response.body(bytes),
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "webmanifest" => "application/manifest+json",
        _ => "application/octet-stream",
    }
}
