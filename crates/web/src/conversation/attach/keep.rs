//! Keeping a file as it comes in: judged by its first bytes, a picture written anew, all else as it is.

use ::media::{CleanPicture, PictureProblem};
use actix_web::web::Bytes;
use domain::{
    ids::ChannelId,
    media::{
        FileFormat, FileKind, MediaId, OutgoingFileProblem, kind_to_send, largest_inbound,
        largest_outgoing,
    },
};
use multer::Field;
use persistence::{
    db::Db,
    media::{self, KeptPicture, NewUpload, PartWriter, UPLOADED, UnsentFile},
};

use super::receive::unreadable;
use crate::{desk::Desk, error::WebError, media::safe_name, session::Session, visit::Visit};

/// What became of a file: kept, or not to be sent.
type Kept = Result<UnsentFile, OutgoingFileProblem>;

/// Keeps the file in `field`; `None` when none was chosen.
pub(super) async fn keep(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    channel: ChannelId,
    mut field: Field<'static>,
) -> Result<Option<Kept>, WebError> {
    let name = safe_name(field.file_name().unwrap_or_default());
    let mut head = Vec::new();
    while head.len() < FileFormat::SNIFFED {
        let Some(piece) = field.chunk().await.map_err(unreadable)? else { break };
        head.extend_from_slice(&piece);
    }
    if name.is_empty() && head.is_empty() {
        return Ok(None);
    }
    let (kind, content_type) = match kind_to_send(&name, &head) {
        Ok(judged) => judged,
        Err(problem) => return Ok(Some(Err(problem))),
    };
    let new = NewUpload { channel, kind, name, content_type: content_type.to_owned() };
    let incoming = Incoming { head: Some(head.into()), field };
    let kept = match kind.is_picture() {
        true => keep_picture(desk, visit, agent, new, incoming).await?,
        false => keep_as_it_is(desk, visit, agent, new, incoming).await?,
    };
    Ok(Some(kept))
}

/// A file of which the beginning was looked at.
struct Incoming {
    head: Option<Bytes>,
    field: Field<'static>,
}

impl Incoming {
    async fn next(&mut self) -> Result<Option<Bytes>, WebError> {
        match self.head.take() {
            Some(head) => Ok(Some(head)),
            None => self.field.chunk().await.map_err(unreadable),
        }
    }
}

async fn keep_picture(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    new: NewUpload,
    mut incoming: Incoming,
) -> Result<Kept, WebError> {
    let most = largest_inbound(new.kind);
    let too_large = OutgoingFileProblem::TooLarge { limit: largest_outgoing(new.kind) };
    let mut original = Vec::new();
    while let Some(piece) = incoming.next().await? {
        original.extend_from_slice(&piece);
        if most < original.len() as u64 {
            return Ok(Err(too_large));
        }
    }
    let clean = match clean(desk, original).await? {
        Ok(clean) => clean,
        Err(PictureProblem::TooManyPixels) => return Ok(Err(OutgoingFileProblem::TooManyPixels)),
        Err(PictureProblem::NoPicture | PictureProblem::Broken) => {
            return Ok(Err(OutgoingFileProblem::Broken));
        }
    };
    if largest_outgoing(new.kind) < clean.bytes.len() as u64 {
        return Ok(Err(too_large));
    }
    let upload = Upload::begin(desk, visit, agent, new).await?;
    let mut writer = upload.writer();
    writer.push(&clean.bytes).await?;
    writer.finish().await?;
    let picture = KeptPicture { width: clean.width, height: clean.height, small: clean.small };
    upload.end(clean.bytes.len() as u64, Some(picture)).await.map(Ok)
}

async fn clean(
    desk: &Desk,
    original: Vec<u8>,
) -> Result<Result<CleanPicture, PictureProblem>, WebError> {
    let _alone = desk.uploads.reading.acquire().await.map_err(|_| WebError::Unavailable)?;
    let clean = tokio::task::spawn_blocking(move || ::media::clean(&original)).await;
    clean.map_err(|_| WebError::Unavailable)
}

async fn keep_as_it_is(
    desk: &Desk,
    visit: &Visit,
    agent: &Session,
    new: NewUpload,
    mut incoming: Incoming,
) -> Result<Kept, WebError> {
    let limit = largest_outgoing(new.kind);
    let upload = Upload::begin(desk, visit, agent, new).await?;
    let mut writer = upload.writer();
    let mut size = 0;
    while let Some(piece) = incoming.next().await? {
        size += piece.len() as u64;
        if limit < size {
            upload.forget().await?;
            return Ok(Err(OutgoingFileProblem::TooLarge { limit }));
        }
        writer.push(&piece).await?;
    }
    writer.finish().await?;
    upload.end(size, None).await.map(Ok)
}

/// A file on its way into the database. One that never ends is forgotten with age.
struct Upload<'a> {
    desk: &'a Desk,
    agent: &'a Session,
    id: MediaId,
    kind: FileKind,
    name: String,
}

impl<'a> Upload<'a> {
    async fn begin(
        desk: &'a Desk,
        visit: &Visit,
        agent: &'a Session,
        new: NewUpload,
    ) -> Result<Self, WebError> {
        let (kind, name) = (new.kind, new.name.clone());
        let (actor, now) = (agent.actor.clone(), visit.now);
        let begin = move |db: &mut Db| media::begin_upload(db, &actor, &new, now);
        let id = desk.store.write(begin).await?;
        Ok(Self { desk, agent, id, kind, name })
    }

    fn writer(&self) -> PartWriter {
        PartWriter::new(&self.desk.store, &self.id, UPLOADED)
    }

    async fn end(self, size: u64, picture: Option<KeptPicture>) -> Result<UnsentFile, WebError> {
        let (actor, id) = (self.agent.actor.clone(), self.id.clone());
        let end = move |db: &mut Db| media::end_upload(db, &actor, &id, size, picture.as_ref());
        self.desk.store.write(end).await?;
        Ok(UnsentFile { id: self.id, kind: self.kind, name: self.name, size })
    }

    async fn forget(self) -> Result<(), WebError> {
        let (actor, id) = (self.agent.actor.clone(), self.id);
        self.desk.store.write(move |db| media::drop_upload(db, &actor, &id)).await?;
        Ok(())
    }
}
