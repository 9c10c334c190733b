//! Fetching one file: from the platform, compared with what was announced, judged by its bytes, kept.

use domain::{
    channel::{MediaBody, MediaFailure},
    media::{FileFormat, MediaRefusal, MediaState, largest_inbound},
};
use media::{CleanPicture, Hasher, PictureProblem};
use persistence::{
    error::PersistenceError,
    media::{ClaimedFetch, Fetched, KeptPicture, PartWriter, end_fetch, give_up_fetch},
};

use super::Shared;
use crate::{dispatch::with_cause, error::SchedulerError};

/// Why a file was not fetched.
#[derive(Debug)]
enum Trouble {
    /// It may go better another time.
    Passing(String),
    /// It ends so.
    Final(MediaState),
    /// Nothing can be recorded now: when the lease ends someone tries again.
    Ours(SchedulerError),
}

impl From<MediaFailure> for Trouble {
    fn from(failure: MediaFailure) -> Self {
        match failure {
            MediaFailure::Gone => Self::Final(MediaState::Expired),
            MediaFailure::NoFiles => Self::Final(MediaState::Lost),
            MediaFailure::TooLarge { .. } => Self::from(MediaRefusal::TooLarge),
            MediaFailure::Elsewhere => Self::from(MediaRefusal::Elsewhere),
            MediaFailure::Unreachable(_)
            | MediaFailure::AddressExpired
            | MediaFailure::NotTaken(_)
            | MediaFailure::Refused(_) => Self::Passing(failure.to_string()),
        }
    }
}

impl From<MediaRefusal> for Trouble {
    fn from(refusal: MediaRefusal) -> Self {
        Self::Final(MediaState::Refused(refusal))
    }
}

impl From<PictureProblem> for Trouble {
    fn from(problem: PictureProblem) -> Self {
        Self::from(MediaRefusal::from(problem))
    }
}

impl From<SchedulerError> for Trouble {
    fn from(error: SchedulerError) -> Self {
        Self::Ours(error)
    }
}

impl From<PersistenceError> for Trouble {
    fn from(error: PersistenceError) -> Self {
        Self::Ours(error.into())
    }
}

impl Shared {
    /// Fetches what is claimed and records what became of it.
    pub(super) async fn fetch(&self, claim: &ClaimedFetch) {
        let outcome = tokio::select! {
            outcome = self.fetch_whole(claim) => outcome,
            () = self.stop.cancelled() => Err(Trouble::Passing("the process stops".to_owned())),
        };
        let word = match &outcome {
            Ok(_) => "kept",
            Err(Trouble::Passing(_) | Trouble::Ours(_)) => "put_off",
            Err(Trouble::Final(state)) => state.as_str(),
        };
        metrics::counter!("janela_media_fetched_total", "outcome" => word).increment(1);
        let (clock, claimed) = (self.parts.clock.clone(), claim.clone());
        let recorded = match outcome {
            Ok(fetched) => {
                let end = move |db: &mut _| end_fetch(db, &claimed, Ok(&fetched));
                self.parts.store.write(end).await
            }
            Err(Trouble::Final(state)) => {
                let end = move |db: &mut _| end_fetch(db, &claimed, Err(state));
                self.parts.store.write(end).await
            }
            Err(Trouble::Passing(reason)) => {
                tracing::warn!(media.id = %claim.id, reason, "could not fetch a file");
                let put_off = move |db: &mut _| give_up_fetch(db, &claimed, clock.now());
                self.parts.store.write(put_off).await
            }
            Err(Trouble::Ours(error)) => {
                let error = with_cause(&error);
                tracing::error!(media.id = %claim.id, error, "could not keep a file");
                return;
            }
        };
        if let Err(error) = recorded {
            tracing::error!(media.id = %claim.id, %error, "cannot record what became of a file");
        }
    }

    async fn fetch_whole(&self, claim: &ClaimedFetch) -> Result<Fetched, Trouble> {
        let (adapter, access) = self.adapter_of(claim.channel).await?;
        let limit = largest_inbound(claim.kind);
        let opened = match adapter.open_media(&access, &claim.platform_id, limit).await {
            // It lives for minutes: asked anew, at once.
            Err(MediaFailure::AddressExpired) => {
                adapter.open_media(&access, &claim.platform_id, limit).await?
            }
            opened => opened?,
        };
        let told = [claim.told_sha256.clone(), opened.sha256];
        let told: Vec<String> = told.into_iter().flatten().collect();
        if claim.kind.is_picture() {
            self.keep_picture(claim, opened.body, &told).await
        } else {
            self.keep_as_it_is(claim, opened.body, &told).await
        }
    }

    /// Reads a picture whole, writes it anew and keeps that.
    async fn keep_picture(
        &self,
        claim: &ClaimedFetch,
        mut body: Box<dyn MediaBody>,
        told: &[String],
    ) -> Result<Fetched, Trouble> {
        let (mut original, mut hasher) = (Vec::new(), Hasher::default());
        while let Some(piece) = body.next().await? {
            hasher.update(&piece);
            original.extend_from_slice(&piece);
        }
        compare(hasher, told)?;
        let clean = self.clean(original).await?;
        let store = &self.parts.store;
        let mut writer = PartWriter::new(store, &claim.id, claim.take);
        writer.push(&clean.bytes).await?;
        writer.finish().await?;
        Ok(Fetched {
            content_type: clean.format.content_type().to_owned(),
            size: clean.bytes.len() as u64,
            picture: Some(KeptPicture {
                width: clean.width,
                height: clean.height,
                small: clean.small,
            }),
        })
    }

    async fn clean(&self, original: Vec<u8>) -> Result<CleanPicture, Trouble> {
        let lost = || Trouble::Passing("the thread that reads pictures is gone".to_owned());
        let _alone = self.reading.acquire().await.map_err(|_| lost())?;
        let clean = tokio::task::spawn_blocking(move || media::clean(&original)).await;
        Ok(clean.map_err(|_| lost())??)
    }

    /// Keeps any other file as it came, once its first bytes say that it is what it was sent as.
    async fn keep_as_it_is(
        &self,
        claim: &ClaimedFetch,
        mut body: Box<dyn MediaBody>,
        told: &[String],
    ) -> Result<Fetched, Trouble> {
        let mut writer = PartWriter::new(&self.parts.store, &claim.id, claim.take);
        let (mut head, mut judged) = (Vec::new(), None);
        let (mut hasher, mut size) = (Hasher::default(), 0);
        while let Some(piece) = body.next().await? {
            hasher.update(&piece);
            size += piece.len() as u64;
            let wanted = FileFormat::SNIFFED.saturating_sub(head.len()).min(piece.len());
            head.extend_from_slice(&piece[..wanted]);
            if judged.is_none() && head.len() == FileFormat::SNIFFED {
                judged = Some(judge(claim, &head)?);
            }
            writer.push(&piece).await?;
        }
        let content_type = match judged {
            Some(content_type) => content_type,
            None => judge(claim, &head)?,
        };
        compare(hasher, told)?;
        writer.finish().await?;
        Ok(Fetched { content_type: content_type.to_owned(), size, picture: None })
    }
}

/// The type to keep the file under.
fn judge(claim: &ClaimedFetch, head: &[u8]) -> Result<&'static str, MediaRefusal> {
    let format = FileFormat::of(head);
    if claim.kind.fits(format) {
        Ok(claim.kind.kept_type(format))
    } else {
        Err(MediaRefusal::WrongKind)
    }
}

/// A file that is not the one announced was spoilt on its way.
fn compare(hasher: Hasher, told: &[String]) -> Result<(), Trouble> {
    let digest = hasher.finish();
    if told.iter().all(|told| digest.agrees_with(told)) {
        Ok(())
    } else {
        Err(Trouble::Passing("the file is not the one that was announced".to_owned()))
    }
}
