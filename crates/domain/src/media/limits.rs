//! How large a file may be, and what an agent may send (protocol, 10).

use chrono::TimeDelta;

use super::{FileFormat, FileKind, format::is_text};

const KILOBYTE: u64 = 1024;
const MEGABYTE: u64 = 1024 * KILOBYTE;

/// How long the platform keeps what was uploaded (protocol, 10).
pub const UPLOAD_KEPT: TimeDelta = TimeDelta::days(30);
/// The most characters below a file (protocol, 2.3).
pub const LONGEST_CAPTION: usize = 1_024;

/// The most bytes that are fetched of a contact's file: as many as the platform carries, and of pictures as many as
/// are read into memory at once.
#[must_use]
pub fn largest_inbound(kind: FileKind) -> u64 {
    match kind {
        FileKind::Image | FileKind::Sticker => 16 * MEGABYTE,
        FileKind::Video | FileKind::Audio | FileKind::Voice | FileKind::Document => 100 * MEGABYTE,
    }
}

/// The most bytes the platform takes of a file to be sent. Decimal, so that it holds however the platform counts.
#[must_use]
pub fn largest_outgoing(kind: FileKind) -> u64 {
    match kind {
        FileKind::Image => 5_000_000,
        FileKind::Video | FileKind::Audio | FileKind::Voice => 16_000_000,
        FileKind::Document => 100_000_000,
        FileKind::Sticker => 100_000,
    }
}

/// Why a file cannot be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OutgoingFileProblem {
    /// There is no byte in it.
    Empty,
    /// The platform takes no such file.
    NotTaken,
    /// Its name promises another kind of file than it is.
    WrongName,
    /// It has more bytes than the platform takes.
    TooLarge {
        /// The most bytes taken.
        limit: u64,
    },
    /// A picture with more pixels than are read.
    TooManyPixels,
    /// A picture that cannot be read.
    Broken,
}

/// What a file that an agent chose is sent as, and with which type: by its first bytes, and by its name only among
/// the formats that begin alike. A sound, a picture and a video are sent as what they are; all else is a document.
///
/// # Errors
/// [`OutgoingFileProblem`] for what the platform does not take, also when it is called something else (C25).
pub fn kind_to_send(
    name: &str,
    head: &[u8],
) -> Result<(FileKind, &'static str), OutgoingFileProblem> {
    if head.is_empty() {
        return Err(OutgoingFileProblem::Empty);
    }
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    let extension = extension.unwrap_or_default();
    let office = |kinds: &[(&str, &'static str)]| {
        let known = kinds.iter().find(|(known, _)| *known == extension);
        known.map(|(_, content_type)| (FileKind::Document, *content_type))
    };
    let found = match FileFormat::of(head) {
        Some(FileFormat::Jpeg) => Some((FileKind::Image, "image/jpeg")),
        Some(FileFormat::Png) => Some((FileKind::Image, "image/png")),
        Some(FileFormat::Webp) => Some((FileKind::Sticker, "image/webp")),
        Some(FileFormat::Mp4) if extension == "m4a" => Some((FileKind::Audio, "audio/mp4")),
        Some(FileFormat::Mp4) => Some((FileKind::Video, "video/mp4")),
        Some(FileFormat::ThreeGp) => Some((FileKind::Video, "video/3gpp")),
        Some(FileFormat::M4a) => Some((FileKind::Audio, "audio/mp4")),
        Some(FileFormat::Ogg) => Some((FileKind::Audio, "audio/ogg")),
        Some(FileFormat::Mp3) => Some((FileKind::Audio, "audio/mpeg")),
        Some(FileFormat::Aac) => Some((FileKind::Audio, "audio/aac")),
        Some(FileFormat::Amr) => Some((FileKind::Audio, "audio/amr")),
        Some(FileFormat::Pdf) => Some((FileKind::Document, "application/pdf")),
        Some(FileFormat::Zip) => office(&OFFICE),
        Some(FileFormat::Ole) => office(&OLD_OFFICE),
        Some(
            FileFormat::Gif
            | FileFormat::Heic
            | FileFormat::QuickTime
            | FileFormat::Html
            | FileFormat::Svg,
        ) => None,
        None if is_text(head) => Some((FileKind::Document, "text/plain")),
        None => None,
    };
    let (kind, content_type) = found.ok_or(OutgoingFileProblem::NotTaken)?;
    if promises(&extension, content_type) {
        Ok((kind, content_type))
    } else {
        Err(OutgoingFileProblem::WrongName)
    }
}

/// The office formats of today, all of them archives.
const OFFICE: [(&str, &str); 3] = [
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
];
/// The office formats of old.
const OLD_OFFICE: [(&str, &str); 3] = [
    ("doc", "application/msword"),
    ("xls", "application/vnd.ms-excel"),
    ("ppt", "application/vnd.ms-powerpoint"),
];

/// Whether a name that ends in `extension` may belong to a file of `content_type`. A text may be called anything but
/// what something else is called; who gets it must find in it what its name promises.
fn promises(extension: &str, content_type: &str) -> bool {
    match content_type {
        "image/jpeg" => matches!(extension, "jpg" | "jpeg" | "jpe" | "jfif"),
        "image/png" => extension == "png",
        "image/webp" => extension == "webp",
        "video/mp4" => matches!(extension, "mp4" | "m4v"),
        "video/3gpp" => matches!(extension, "3gp" | "3gpp"),
        "audio/mp4" => matches!(extension, "m4a" | "mp4"),
        "audio/ogg" => matches!(extension, "ogg" | "oga" | "opus"),
        "audio/mpeg" => matches!(extension, "mp3" | "mpga"),
        "audio/aac" => extension == "aac",
        "audio/amr" => extension == "amr",
        "application/pdf" => extension == "pdf",
        "text/plain" => matches!(extension, "txt" | "text" | "csv" | "log" | "md"),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_25_what_is_sent_is_what_the_bytes_say_and_the_name_promises() {
        const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0\x10JFIF";
        const ZIP: &[u8] = b"PK\x03\x04";
        use OutgoingFileProblem::{Empty, NotTaken, WrongName};
        type Expected = Result<(FileKind, &'static str), OutgoingFileProblem>;
        let cases: [(&str, &[u8], Expected); 18] = [
            ("tile.jpg", JPEG, Ok((FileKind::Image, "image/jpeg"))),
            ("TILE.JPEG", JPEG, Ok((FileKind::Image, "image/jpeg"))),
            ("tile.jpg.exe", JPEG, Err(WrongName)),
            ("tile.exe.jpg", b"MZ\x90\0", Err(NotTaken)),
            ("tile.png", JPEG, Err(WrongName)),
            ("tile", JPEG, Err(WrongName)),
            ("tile.svg", b"<svg xmlns='http://www.w3.org/2000/svg'>", Err(NotTaken)),
            ("tile.jpg", b"<svg xmlns='http://www.w3.org/2000/svg'>", Err(NotTaken)),
            ("page.txt", b"<!doctype html><script>", Err(NotTaken)),
            ("kiln.mp4", b"\0\0\0\x18ftypmp42", Ok((FileKind::Video, "video/mp4"))),
            ("note.ogg", b"OggS\0\x02", Ok((FileKind::Audio, "audio/ogg"))),
            ("quote.pdf", b"%PDF-1.7", Ok((FileKind::Document, "application/pdf"))),
            ("list.xlsx", ZIP, Ok((FileKind::Document, OFFICE[1].1))),
            ("list.zip", ZIP, Err(NotTaken)),
            ("list.txt", b"blue, green", Ok((FileKind::Document, "text/plain"))),
            ("list.bat", b"del *.*", Err(WrongName)),
            ("glad.webp", b"RIFF\x10\0\0\0WEBPVP8 ", Ok((FileKind::Sticker, "image/webp"))),
            ("empty.pdf", b"", Err(Empty)),
        ];
        for (name, head, expected) in cases {
            assert_eq!(kind_to_send(name, head), expected, "{name}");
        }
    }
}
