//! A file that an agent named and the server fetched, shown from our own address (AM-07).

use actix_web::{
    HttpResponse,
    http::header::{
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
    },
};
use domain::channel::MediaFile;
use persistence::compose;

use crate::{desk::Desk, error::WebError, session::Session};

/// What may be shown as an image; anything else is handed out as bytes.
const IMAGES: [&str; 2] = ["image/jpeg", "image/png"];

/// The image, for whoever had it looked at and no one else.
///
/// # Errors
/// `NotFound` for anyone else.
pub async fn show_media(desk: &Desk, user: &Session, id: &str) -> Result<HttpResponse, WebError> {
    let (owner, id) = (user.actor.id(), id.to_owned());
    let found = desk.store.read(move |db| compose::get_media(db, owner, &id)).await?;
    picture(found.file)
}

/// Answers with a picture under a policy of its own: it can run nothing and load nothing.
///
/// # Errors
/// `NotFound` for a file that is none.
pub fn picture(file: MediaFile) -> Result<HttpResponse, WebError> {
    let bytes = file.preview.ok_or(WebError::NotFound)?;
    let known = IMAGES.into_iter().find(|image| *image == file.content_type);
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, known.unwrap_or("application/octet-stream")))
        .insert_header((CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .insert_header((CONTENT_DISPOSITION, HeaderValue::from_static("inline")))
        .insert_header((CACHE_CONTROL, "private, max-age=3600, immutable"))
        .body(bytes))
}
