//! Handing one file over to the platform, read from the database as it leaves.

use domain::channel::{BoxFuture, MediaBody, MediaFailure, MediaUpload, PlatformRefusal};
use persistence::{
    media::{ClaimedUpload, HandedOver, KeptFile, end_hand_over, read_part},
    store::Store,
};

use super::Shared;
use crate::{dispatch::with_cause, error::SchedulerError};

/// The platform's code for a file it does not take.
const NOT_TAKEN: &str = "131053";

impl Shared {
    /// Hands over what is claimed and records what became of it; then its message may go.
    pub(super) async fn hand_over(&self, claim: &ClaimedUpload) {
        let id = &claim.file.id;
        let outcome = tokio::select! {
            outcome = self.upload(claim) => outcome,
            () = self.stop.cancelled() => Ok(HandedOver::PutOff),
        };
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                let error = with_cause(&error);
                tracing::error!(media.id = %id, error, "could not read a file to hand over");
                HandedOver::PutOff
            }
        };
        let word = match &outcome {
            HandedOver::Taken(_) => "taken",
            HandedOver::NotTaken(_) => "refused",
            HandedOver::PutOff => "put_off",
        };
        metrics::counter!("janela_media_handed_over_total", "outcome" => word).increment(1);
        let (clock, claimed) = (self.parts.clock.clone(), claim.clone());
        let end = move |db: &mut _| end_hand_over(db, &claimed, &outcome, clock.now());
        match self.parts.store.write(end).await {
            Ok(_) => self.parts.nudges.dispatch.notify_one(),
            Err(error) => {
                tracing::error!(media.id = %id, %error, "cannot record what became of a file");
            }
        }
    }

    async fn upload(&self, claim: &ClaimedUpload) -> Result<HandedOver, SchedulerError> {
        let (adapter, access) = self.adapter_of(claim.channel).await?;
        let file = claim.file.clone();
        let upload = MediaUpload {
            name: file.name.clone().unwrap_or_else(|| file.kind.as_str().to_owned()),
            content_type: file.content_type.clone(),
            size: file.size,
            body: Box::new(StoredFile { store: self.parts.store.clone(), file, part: 0 }),
        };
        Ok(match adapter.upload_media(&access, upload).await {
            Ok(platform_id) => HandedOver::Taken(platform_id),
            Err(MediaFailure::NotTaken(refusal)) => HandedOver::NotTaken(refusal),
            Err(MediaFailure::NoFiles) => HandedOver::NotTaken(PlatformRefusal {
                code: NOT_TAKEN.to_owned(),
                title: MediaFailure::NoFiles.to_string(),
            }),
            Err(failure) => {
                let reason = failure.to_string();
                tracing::warn!(media.id = %claim.file.id, reason, "could not hand a file over");
                HandedOver::PutOff
            }
        })
    }
}

/// A file as it is kept, part by part.
struct StoredFile {
    store: Store,
    file: KeptFile,
    part: u64,
}

impl MediaBody for StoredFile {
    fn next(&mut self) -> BoxFuture<'_, Result<Option<Vec<u8>>, MediaFailure>> {
        Box::pin(async {
            if self.file.parts() <= self.part {
                return Ok(None);
            }
            let (file, part) = (self.file.clone(), self.part);
            let bytes = self.store.read(move |db| read_part(db, &file, part)).await;
            self.part += 1;
            bytes.map(Some).map_err(|error| MediaFailure::Unreachable(error.to_string()))
        })
    }
}
