//! `/media/{id}`: a file that an agent named and the server fetched, from our own address (AM-07).

use actix_web::{
    HttpResponse,
    http::header::{
        CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue,
    },
    web::{Data, Path},
};
use domain::channel::MediaFile;
use persistence::compose;

use crate::{desk::Desk, error::WebError, session::Agent};

/// What may be shown as an image; anything else is handed out as bytes.
const IMAGES: [&str; 2] = ["image/jpeg", "image/png"];

/// The image, for whoever had it looked at and no one else.
pub async fn show_media(
    desk: Data<Desk>,
    agent: Agent,
    id: Path<String>,
) -> Result<HttpResponse, WebError> {
    let (owner, id) = (agent.actor.id(), id.into_inner());
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
