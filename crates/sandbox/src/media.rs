//! The files the platform keeps: uploaded by a business or sent by a customer (protocol, section 10).

use std::collections::{BTreeMap, HashMap};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::graph::error::GraphError;
use crate::message::MediaKind;

/// The id of the first file; the others follow.
const FIRST_ID: u64 = 2_207_714_400_330_000;
const DAY_MS: i64 = 86_400_000;
/// How long an uploaded file is kept, and one that a customer sent.
const UPLOAD_KEPT_MS: i64 = 30 * DAY_MS;
const INBOUND_KEPT_MS: i64 = 7 * DAY_MS;
/// How long an address leads to its file.
const ADDRESS_MS: i64 = 300_000;

/// The types an upload may have, the kind they make and the most bytes of it.
const TYPES: [(&str, MediaKind); 19] = [
    ("audio/aac", MediaKind::Audio),
    ("audio/amr", MediaKind::Audio),
    ("audio/mpeg", MediaKind::Audio),
    ("audio/mp4", MediaKind::Audio),
    ("audio/ogg", MediaKind::Audio),
    ("text/plain", MediaKind::Document),
    ("application/pdf", MediaKind::Document),
    ("application/msword", MediaKind::Document),
    (
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        MediaKind::Document,
    ),
    ("application/vnd.ms-excel", MediaKind::Document),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", MediaKind::Document),
    ("application/vnd.ms-powerpoint", MediaKind::Document),
    (
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        MediaKind::Document,
    ),
    ("image/jpeg", MediaKind::Image),
    ("image/png", MediaKind::Image),
    ("image/webp", MediaKind::Sticker),
    ("video/mp4", MediaKind::Video),
    ("video/3gpp", MediaKind::Video),
    ("video/3gp", MediaKind::Video),
];

/// What a file is, whatever its type says after a semicolon; `None` for a type the platform does not take.
pub(crate) fn kind_of(mime: &str) -> Option<MediaKind> {
    let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    TYPES.iter().find(|(known, _)| *known == essence).map(|(_, kind)| *kind)
}

/// The most bytes a file of `kind` may have.
fn most_bytes(kind: MediaKind) -> usize {
    match kind {
        MediaKind::Image => 5_000_000,
        MediaKind::Video | MediaKind::Audio => 16_000_000,
        MediaKind::Document => 100_000_000,
        MediaKind::Sticker => 500_000,
    }
}

/// One file.
#[derive(Debug, Clone)]
pub(crate) struct File {
    /// The number it was uploaded for or sent to.
    pub number: String,
    pub mime: String,
    pub filename: Option<String>,
    pub bytes: Bytes,
    kept_until_ms: i64,
}

impl File {
    fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

/// Every file, and the addresses that lead to one for a while.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    files: BTreeMap<String, File>,
    addresses: HashMap<String, (String, i64)>,
    made: u64,
}

impl Shelf {
    /// Keeps an upload of `number` for 30 days.
    ///
    /// # Errors
    ///
    /// 100 for a type the platform does not take, 131053 for a file that is empty or too large.
    pub(crate) fn upload(
        &mut self,
        number: &str,
        mime: &str,
        filename: Option<String>,
        bytes: Bytes,
        now_ms: i64,
    ) -> Result<String, GraphError> {
        let Some(kind) = kind_of(mime) else {
            return Err(GraphError::parameter(format!("file: the type {mime} is not supported")));
        };
        if bytes.is_empty() || most_bytes(kind) < bytes.len() {
            let most = most_bytes(kind);
            let details = format!("file: {} bytes, 1 to {most} are allowed", bytes.len());
            return Err(GraphError::media(details));
        }
        let kept_until_ms = now_ms + UPLOAD_KEPT_MS;
        let (number, mime) = (number.to_owned(), mime.to_owned());
        Ok(self.keep(File { number, mime, filename, bytes, kept_until_ms }))
    }

    /// Keeps what a customer sent to `number` for 7 days.
    pub(crate) fn receive(
        &mut self,
        number: &str,
        mime: &str,
        filename: Option<String>,
        bytes: Bytes,
        now_ms: i64,
    ) -> String {
        let kept_until_ms = now_ms + INBOUND_KEPT_MS;
        let (number, mime) = (number.to_owned(), mime.to_owned());
        self.keep(File { number, mime, filename, bytes, kept_until_ms })
    }

    fn keep(&mut self, file: File) -> String {
        self.made += 1;
        let id = (FIRST_ID + self.made).to_string();
        self.files.insert(id.clone(), file);
        id
    }

    /// The file `id`, if it is still kept at `now_ms`.
    pub(crate) fn find(&self, id: &str, now_ms: i64) -> Option<&File> {
        self.files.get(id).filter(|file| now_ms < file.kept_until_ms)
    }

    /// The number that owns the file `id`, kept or not.
    pub(crate) fn owner(&self, id: &str) -> Option<&str> {
        self.files.get(id).map(|file| file.number.as_str())
    }

    /// Forgets the file `id`; false when there was none.
    pub(crate) fn delete(&mut self, id: &str) -> bool {
        self.addresses.retain(|_, (known, _)| known != id);
        self.files.remove(id).is_some()
    }

    /// A new address of the file `id` below `base`, good for five minutes.
    pub(crate) fn address(&mut self, id: &str, base: &str, source: &str, now_ms: i64) -> String {
        self.made += 1;
        let until_ms = now_ms + ADDRESS_MS;
        self.addresses.retain(|_, (_, until)| now_ms < *until);
        let hash = hex::encode(&Sha256::digest(format!("{id} {} {now_ms}", self.made))[..16]);
        self.addresses.insert(hash.clone(), (id.to_owned(), until_ms));
        let until = until_ms.div_euclid(1_000);
        format!("{base}/whatsapp_business/attachments/?mid={id}{source}&ext={until}&hash={hash}")
    }

    /// The file behind the address of `hash`, while that is good.
    pub(crate) fn behind(&self, hash: &str, now_ms: i64) -> Option<&File> {
        let (id, until_ms) = self.addresses.get(hash)?;
        (now_ms < *until_ms).then(|| self.find(id, now_ms))?
    }

    /// What `GET /{media}` answers, with a fresh address.
    pub(crate) fn node(&mut self, id: &str, base: &str, now_ms: i64) -> Option<Value> {
        let file = self.find(id, now_ms)?;
        let mut node = json!({
            "messaging_product": "whatsapp",
            "mime_type": file.mime,
            "sha256": hex::encode(file.digest()),
            "file_size": file.bytes.len(),
            "id": id,
        });
        node["url"] = json!(self.address(id, base, "", now_ms));
        Some(node)
    }

    /// The object of a customer's message that carries the file `id`.
    pub(crate) fn in_webhook(&mut self, id: &str, base: &str, now_ms: i64) -> Value {
        let Some(file) = self.find(id, now_ms) else { return json!({ "id": id }) };
        let sha256 = STANDARD.encode(file.digest());
        let mime = file.mime.clone();
        let url = self.address(id, base, "&source=webhook", now_ms);
        json!({ "id": id, "mime_type": mime, "sha256": sha256, "url": url })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_and_sizes_are_those_of_the_platform() {
        let cases = [
            ("a picture", "image/jpeg", 10, None),
            ("with a parameter", "audio/ogg; codecs=opus", 10, None),
            ("an unknown type", "image/tiff", 10, Some(100)),
            ("nothing", "image/png", 0, Some(131_053)),
            ("the largest picture", "image/png", 5_000_000, None),
            ("a byte more", "image/png", 5_000_001, Some(131_053)),
        ];
        for (case, mime, length, code) in cases {
            let upload = Shelf::default().upload("1", mime, None, vec![0; length].into(), 0);
            assert_eq!(upload.err().map(|error| error.code), code, "{case}");
        }
    }

    #[test]
    fn an_address_is_good_for_five_minutes_and_a_file_for_its_days() {
        let mut shelf = Shelf::default();
        let id = shelf.upload("1", "image/png", None, Bytes::from_static(b"x"), 0).unwrap();
        let url = shelf.address(&id, "http://s", "", 0);
        let hash = url.rsplit('=').next().unwrap().to_owned();
        assert!(shelf.behind(&hash, ADDRESS_MS - 1).is_some());
        assert!(shelf.behind(&hash, ADDRESS_MS).is_none(), "five minutes later");
        assert!(shelf.find(&id, UPLOAD_KEPT_MS - 1).is_some());
        assert!(shelf.find(&id, UPLOAD_KEPT_MS).is_none(), "thirty days later");
        assert!(shelf.delete(&id) && !shelf.delete(&id));
    }
}
