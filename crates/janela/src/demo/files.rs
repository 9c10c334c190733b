//! The files that the company's contacts sent, kept as the desk fetched them when they did.

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    channel::{InboundContent, InboundMedia, InboundMediaKind},
    media::{FileFormat, FileKind},
};
use persistence::{
    db::Db,
    error::PersistenceError,
    media::{self, Fetched, KeptPicture, PART},
};

use crate::demo::script::Sample;

/// The samples that the script names.
const FILES: [(&str, &[u8]); 3] = [
    ("studio.jpg", include_bytes!("../../../../static/sandbox/samples/studio.jpg")),
    ("voice.ogg", include_bytes!("../../../../static/sandbox/samples/voice.ogg")),
    ("quote.pdf", include_bytes!("../../../../static/sandbox/samples/quote.pdf")),
];

/// What the platform told of the file, the `place`th message of the past.
pub fn content(sample: Sample, place: u32) -> InboundContent {
    InboundContent::Media(InboundMedia {
        kind: match sample.kind {
            FileKind::Image => InboundMediaKind::Image,
            FileKind::Video => InboundMediaKind::Video,
            FileKind::Audio => InboundMediaKind::Audio { is_voice: false },
            FileKind::Voice => InboundMediaKind::Audio { is_voice: true },
            FileKind::Document => InboundMediaKind::Document,
            FileKind::Sticker => InboundMediaKind::Sticker { is_animated: false },
        },
        id: Some(format!("seeded-{place:06}")),
        mime_type: None,
        sha256: None,
        caption: Some(sample.caption.to_owned()).filter(|caption| !caption.is_empty()),
        filename: (sample.kind == FileKind::Document).then(|| sample.name.to_owned()),
        is_lost: false,
    })
}

/// Does what the fetcher did with the file that came at `at`, without asking anyone.
///
/// # Errors
/// When the database fails, or there is no such sample.
pub fn keep(db: &mut Db, sample: Sample, at: DateTime<Utc>) -> Result<(), PersistenceError> {
    let unplayable = |what: &str| PersistenceError::Settings(format!("{}: {what}", sample.name));
    let known = FILES.iter().find(|(name, _)| *name == sample.name);
    let (_, original) = known.ok_or_else(|| unplayable("no such sample"))?;
    let claimed = media::claim_fetches(db, 1, TimeDelta::minutes(1), at)?;
    let claim = claimed.first().ok_or_else(|| unplayable("its message has no file"))?;
    let clean = match sample.kind.is_picture() {
        true => Some(::media::clean(original).map_err(|problem| unplayable(&problem.to_string()))?),
        false => None,
    };
    let bytes = clean.as_ref().map_or(*original, |clean| &clean.bytes);
    for (part, bytes) in bytes.chunks(PART).enumerate() {
        media::save_part(db, &claim.id, claim.take, part, bytes)?;
    }
    let fetched = Fetched {
        content_type: sample.kind.kept_type(FileFormat::of(bytes)).to_owned(),
        size: bytes.len() as u64,
        picture: clean.map(|clean| KeptPicture {
            width: clean.width,
            height: clean.height,
            small: clean.small,
        }),
    };
    media::end_fetch(db, claim, Ok(&fetched)).map(drop)
}
