//! Writes a file as it comes, part by part, so that nobody holds all of it.

use domain::media::MediaId;

use super::{PART, save_part};
use crate::{db::Db, error::PersistenceError, store::Store};

/// Writes one take of a file, in short transactions.
pub struct PartWriter {
    store: Store,
    id: MediaId,
    take: i64,
    buffer: Vec<u8>,
    written: usize,
}

impl PartWriter {
    /// Begins with the first part of the take `take` of `id`.
    #[must_use]
    pub fn new(store: &Store, id: &MediaId, take: i64) -> Self {
        Self { store: store.clone(), id: id.clone(), take, buffer: Vec::new(), written: 0 }
    }

    /// Takes the next bytes, and writes what makes whole parts.
    ///
    /// # Errors
    /// When the database fails, or the file is gone meanwhile.
    pub async fn push(&mut self, mut bytes: &[u8]) -> Result<(), PersistenceError> {
        while !bytes.is_empty() {
            let room = PART - self.buffer.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.buffer.extend_from_slice(now);
            bytes = later;
            if self.buffer.len() == PART {
                self.write().await?;
            }
        }
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub async fn finish(mut self) -> Result<(), PersistenceError> {
        if self.buffer.is_empty() { Ok(()) } else { self.write().await }
    }

    async fn write(&mut self) -> Result<(), PersistenceError> {
        let (id, take, part) = (self.id.clone(), self.take, self.written);
        let bytes = std::mem::take(&mut self.buffer);
        let write = move |db: &mut Db| db.write(|db| save_part(db, &id, take, part, &bytes));
        self.store.write(write).await?;
        self.written += 1;
        Ok(())
    }
}
