//! Reading a form that carries a file, as it comes: bounded in bytes and time, its token before the file.

use std::{io, pin::pin, time::Duration};

use actix_web::{
    HttpRequest,
    http::header::CONTENT_TYPE,
    web::{Bytes, Payload},
};
use domain::{
    ids::{ChannelId, MessageId},
    media::{FileKind, MediaId, OutgoingFileProblem, largest_outgoing},
};
use futures_util::StreamExt;
use multer::{Constraints, Field, Multipart, SizeLimit};
use persistence::media::UnsentFile;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{keep::keep, page::Attached};
use crate::{
    desk::Desk,
    error::WebError,
    form_token::{self, FORM_TOKEN_FIELD},
    session::Session,
    visit::Visit,
};

/// How long nothing may come.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most bytes of a field that is no file.
const FIELD_LIMIT: u64 = 32 * 1024;
/// What stands around the file.
const AROUND: u64 = 1024 * 1024;

/// A form as it came.
pub(super) struct Received {
    /// What was typed.
    pub attached: Attached,
    /// In which ticket.
    pub ticket: i64,
    /// A file that was here before.
    pub kept: Option<MediaId>,
    /// The file, kept by now, or why it is not; `None` when none was chosen.
    pub file: Option<Result<UnsentFile, OutgoingFileProblem>>,
}

/// Reads the form, and keeps its file as it comes.
pub(super) async fn receive(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    channel: ChannelId,
    request: &HttpRequest,
    payload: Payload,
) -> Result<Received, WebError> {
    let content_type = request.headers().get(CONTENT_TYPE).and_then(|text| text.to_str().ok());
    let boundary = multer::parse_boundary(content_type.unwrap_or_default())
        .map_err(|_| WebError::BadRequest)?;
    let most = largest_outgoing(FileKind::Document) + AROUND;
    let sizes = SizeLimit::new().whole_stream(most).per_field(FIELD_LIMIT).for_field("file", most);
    let constraints = Constraints::new().size_limit(sizes);
    // The payload belongs to this thread, and the reader asks for what may be sent to another.
    let (tell, told) = mpsc::channel(4);
    let parts = Multipart::with_constraints(ReceiverStream::new(told), boundary, constraints);
    let (pumped, received) =
        tokio::join!(pump(payload, tell, most), read(desk, visit, agent, channel, parts));
    pumped?;
    received
}

/// Hands the body on piece by piece; when nobody reads any more, it is read to its end all the same, so that the
/// answer is heard.
async fn pump(
    payload: Payload,
    tell: mpsc::Sender<io::Result<Bytes>>,
    most: u64,
) -> Result<(), WebError> {
    let mut payload = pin!(payload);
    let mut count = 0;
    loop {
        let next = tokio::time::timeout(PATIENCE, payload.next()).await;
        let Some(piece) = next.map_err(|_| WebError::TooSlow)? else { return Ok(()) };
        let piece = piece.map_err(|_| WebError::BadRequest)?;
        count += piece.len() as u64;
        if most < count {
            return Err(WebError::TooLarge);
        }
        if tell.send(Ok(piece)).await.is_err() {
            tracing::debug!("the rest of a form is not looked at");
        }
    }
}

async fn read(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    channel: ChannelId,
    mut parts: Multipart<'static>,
) -> Result<Received, WebError> {
    let mut received =
        Received { attached: Attached::default(), ticket: 0, kept: None, file: None };
    let mut is_ours = false;
    while let Some(field) = parts.next_field().await.map_err(unreadable)? {
        let name = field.name().unwrap_or_default().to_owned();
        if name == FORM_TOKEN_FIELD {
            is_ours = form_token::fits(agent, text(field).await?.as_bytes());
            continue;
        }
        // Nothing is kept for anyone else.
        if !is_ours {
            return Err(WebError::StaleForm);
        }
        match name.as_str() {
            "key" => received.attached.key = text(field).await?,
            "ticket" => {
                received.ticket = text(field).await?.parse().map_err(|_| WebError::BadRequest)?;
            }
            "quote" => {
                let quote = text(field).await?.parse().map_err(|_| WebError::BadRequest)?;
                received.attached.quote = Some(MessageId(quote));
            }
            "kept" => received.kept = MediaId::parse(&text(field).await?),
            "caption" => received.attached.caption = text(field).await?,
            "link" => received.attached.link = text(field).await?,
            "file" => received.file = keep(desk, visit, agent, channel, field).await?,
            _ => return Err(WebError::BadRequest),
        }
    }
    if !is_ours {
        return Err(WebError::StaleForm);
    }
    if received.attached.key.is_empty() {
        return Err(WebError::BadRequest);
    }
    Ok(received)
}

/// A field as text; browsers write line ends in two characters.
async fn text(field: Field<'static>) -> Result<String, WebError> {
    let text = field.text().await.map_err(unreadable)?;
    Ok(text.replace("\r\n", "\n"))
}

/// What a form that cannot be read means.
pub(super) fn unreadable(error: multer::Error) -> WebError {
    match error {
        multer::Error::FieldSizeExceeded { .. } | multer::Error::StreamSizeExceeded { .. } => {
            WebError::TooLarge
        }
        _ => WebError::BadRequest,
    }
}
