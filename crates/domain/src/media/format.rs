//! What a file is by its first bytes, whatever its name or header says (C25).

/// A file format known by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FileFormat {
    /// A JPEG picture.
    Jpeg,
    /// A PNG picture.
    Png,
    /// A GIF picture.
    Gif,
    /// A WebP picture.
    Webp,
    /// A HEIC or AVIF picture.
    Heic,
    /// An MPEG-4 file: a video, or a sound alone.
    Mp4,
    /// An MPEG-4 file that says it holds a sound alone.
    M4a,
    /// A 3GPP video.
    ThreeGp,
    /// A QuickTime video.
    QuickTime,
    /// An Ogg sound.
    Ogg,
    /// An MP3 sound.
    Mp3,
    /// An AAC sound.
    Aac,
    /// An AMR sound.
    Amr,
    /// A PDF.
    Pdf,
    /// A ZIP archive, among which are the office formats of today.
    Zip,
    /// A compound file: the office formats of old.
    Ole,
    /// A page.
    Html,
    /// A drawing that may hold script.
    Svg,
}

impl FileFormat {
    /// So many first bytes tell one format from another.
    pub const SNIFFED: usize = 4 * 1024;

    /// The format of a file that begins with `head`; `None` for one not known here, such as plain text.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        let format = match head {
            [0xff, 0xd8, 0xff, ..] => Self::Jpeg,
            [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Self::Png,
            [b'G', b'I', b'F', b'8', ..] => Self::Gif,
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Self::Webp,
            [_, _, _, _, b'f', b't', b'y', b'p', brand @ ..] => match brand {
                [b'3', b'g', ..] => Self::ThreeGp,
                [b'q', b't', b' ', b' ', ..] => Self::QuickTime,
                [b'M', b'4', b'A', ..] => Self::M4a,
                [b'h', b'e', ..] | [b'm', b'i', b'f', b'1', ..] | [b'a', b'v', b'i', b'f', ..] => {
                    Self::Heic
                }
                _ => Self::Mp4,
            },
            [b'O', b'g', b'g', b'S', ..] => Self::Ogg,
            [b'#', b'!', b'A', b'M', b'R', ..] => Self::Amr,
            [b'I', b'D', b'3', ..] => Self::Mp3,
            // A frame of MPEG audio: twelve bits set, then version and layer; layer 0 is AAC's.
            [0xff, second, ..] if second & 0xf6 == 0xf0 => Self::Aac,
            [0xff, second, third, ..] if second & 0xe6 == 0xe2 && third & 0xf0 != 0xf0 => Self::Mp3,
            [b'P', b'K', 3, 4, ..] => Self::Zip,
            [0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1, ..] => Self::Ole,
            _ if starts_as_html(head) => Self::Html,
            _ if holds_svg(head) => Self::Svg,
            // A PDF may begin a little into the file.
            _ if head[..head.len().min(1024)].windows(5).any(|five| five == b"%PDF-") => Self::Pdf,
            _ => return None,
        };
        Some(format)
    }

    /// The type it is named by.
    #[must_use]
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Mp4 => "video/mp4",
            Self::M4a => "audio/mp4",
            Self::ThreeGp => "video/3gpp",
            Self::QuickTime => "video/quicktime",
            Self::Ogg => "audio/ogg",
            Self::Mp3 => "audio/mpeg",
            Self::Aac => "audio/aac",
            Self::Amr => "audio/amr",
            Self::Pdf => "application/pdf",
            Self::Zip => "application/zip",
            Self::Ole => "application/x-ole-storage",
            Self::Html => "text/html",
            Self::Svg => "image/svg+xml",
        }
    }

    /// Whether it is a picture that is written anew before it is shown.
    #[must_use]
    pub fn is_picture(self) -> bool {
        matches!(self, Self::Jpeg | Self::Png | Self::Webp)
    }

    /// Whether it is a video that the platform carries.
    #[must_use]
    pub fn is_video(self) -> bool {
        matches!(self, Self::Mp4 | Self::ThreeGp)
    }

    /// Whether it is, or may be, a sound that the platform carries: an MPEG-4 file does not always say.
    #[must_use]
    pub fn is_audio(self) -> bool {
        matches!(self, Self::Ogg | Self::Mp3 | Self::Aac | Self::Amr | Self::M4a | Self::Mp4)
    }
}

/// Whether the bytes are the beginning of a text in UTF-8; the last character may be cut.
#[must_use]
pub fn is_text(head: &[u8]) -> bool {
    let whole = match std::str::from_utf8(head) {
        Ok(_) => true,
        Err(error) => error.error_len().is_none(),
    };
    whole && !head.is_empty() && !head.contains(&0)
}

fn starts_as_html(head: &[u8]) -> bool {
    let start = head.trim_ascii_start();
    let starts =
        |tag: &[u8]| start.get(..tag.len()).is_some_and(|got| got.eq_ignore_ascii_case(tag));
    starts(b"<!doctype html") || starts(b"<html") || starts(b"<script")
}

/// Whether markup comes to `<svg` soon, after a declaration, a comment or a byte order mark.
fn holds_svg(head: &[u8]) -> bool {
    let start = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    let start = &start[..start.len().min(1024)];
    start.first() == Some(&b'<') && start.windows(4).any(|four| four.eq_ignore_ascii_case(b"<svg"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c_25_a_format_is_told_by_the_first_bytes() {
        let cases: [(&[u8], Option<FileFormat>); 24] = [
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Some(FileFormat::Jpeg)),
            (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", Some(FileFormat::Png)),
            (b"GIF89a", Some(FileFormat::Gif)),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some(FileFormat::Webp)),
            (b"\0\0\0\x18ftypmp42", Some(FileFormat::Mp4)),
            (b"\0\0\0\x18ftyp3gp5", Some(FileFormat::ThreeGp)),
            (b"\0\0\0\x18ftypM4A ", Some(FileFormat::M4a)),
            (b"\0\0\0\x18ftypheic", Some(FileFormat::Heic)),
            (b"\0\0\0\x18ftypqt  ", Some(FileFormat::QuickTime)),
            (b"OggS\0\x02", Some(FileFormat::Ogg)),
            (b"#!AMR\n", Some(FileFormat::Amr)),
            (b"ID3\x04\0", Some(FileFormat::Mp3)),
            (b"\xff\xfb\x90\x00", Some(FileFormat::Mp3)),
            (b"\xff\xf1\x50\x80", Some(FileFormat::Aac)),
            (b"%PDF-1.7", Some(FileFormat::Pdf)),
            (b"\n\n%PDF-1.7", Some(FileFormat::Pdf)),
            (b"PK\x03\x04", Some(FileFormat::Zip)),
            (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Some(FileFormat::Ole)),
            (b" <!DOCTYPE html>", Some(FileFormat::Html)),
            (b"<?xml version=\"1.0\"?>\n<!-- x --><svg xmlns=", Some(FileFormat::Svg)),
            (b"\xef\xbb\xbf<SVG onload=alert(1)>", Some(FileFormat::Svg)),
            (b"Glaze, blue", None),
            (b"\xff\xff\xff\xff", None),
            (b"", None),
        ];
        for (head, expected) in cases {
            assert_eq!(FileFormat::of(head), expected, "{head:?}");
        }
    }

    #[test]
    fn a_text_may_end_in_the_middle_of_a_character() {
        let cases: [(&[u8], bool); 5] = [
            (b"blue glaze", true),
            ("ol\u{e1}".as_bytes(), true),
            (b"ol\xc3", true),
            (b"\xff\xfe", false),
            (b"a\0b", false),
        ];
        for (head, expected) in cases {
            assert_eq!(is_text(head), expected, "{head:?}");
        }
    }
}
