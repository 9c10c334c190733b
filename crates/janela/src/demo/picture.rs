//! The picture that the company's agents sent, as the server found it when they did.

use chrono::{DateTime, Utc};
use domain::{channel::MediaFile, ids::UserId, template::MediaKind};
use persistence::{compose, db::Db, error::PersistenceError};

use crate::demo::script;

/// What lies behind [`script::PICTURE`].
const BYTES: &[u8] = include_bytes!("../../../../static/sandbox/samples/studio.jpg");

/// Keeps the picture for each of `senders`, so that their threads show it.
///
/// # Errors
/// When the database fails.
pub fn keep(
    db: &mut Db,
    senders: impl Iterator<Item = UserId>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    for sender in senders {
        let file = MediaFile {
            content_type: "image/jpeg".to_owned(),
            size: BYTES.len() as u64,
            name: "pickup.jpg".to_owned(),
            preview: Some(BYTES.to_vec()),
        };
        compose::save_media(db, sender, script::PICTURE, MediaKind::Image, file, now)?;
    }
    Ok(())
}
