//! Writing a picture anew: what is kept are its pixels, and nothing that was hidden beside them (C25).

use std::io::Cursor;

use domain::media::{FileFormat, MediaRefusal};
use image::{
    DynamicImage, ImageDecoder, ImageError, ImageFormat, ImageReader, Limits,
    codecs::{jpeg::JpegEncoder, png::PngEncoder, webp::WebPEncoder},
    error::{LimitError, LimitErrorKind},
};
use thiserror::Error;

/// The most pixels that are read: more than any phone's picture on the platform, and about 100 MB in memory.
pub const MOST_PIXELS: u64 = 25_000_000;
/// The longest side.
const LONGEST_SIDE: u32 = 16_000;
/// The most memory that reading may take besides the pixels.
const MOST_MEMORY: u64 = 256 * 1024 * 1024;
/// The longest side of what stands in a thread, twice what it is shown at.
const SMALL_SIDE: u32 = 640;
const QUALITY: u8 = 88;
const SMALL_QUALITY: u8 = 80;

/// A picture written anew.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleanPicture {
    /// Its format: that of the original.
    pub format: FileFormat,
    /// The file.
    pub bytes: Vec<u8>,
    /// In pixels, upright.
    pub width: u32,
    /// In pixels, upright.
    pub height: u32,
    /// The same, small: a JPEG, or a PNG where it lets the page shine through.
    pub small: Vec<u8>,
}

/// Why a picture is not written anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PictureProblem {
    /// It is none by its first bytes, or of a format that is not read.
    #[error("not a picture that is read here")]
    NoPicture,
    /// It has more pixels than are read.
    #[error("more pixels than are read")]
    TooManyPixels,
    /// It cannot be read to its end.
    #[error("the picture cannot be read")]
    Broken,
}

impl From<PictureProblem> for MediaRefusal {
    fn from(problem: PictureProblem) -> Self {
        match problem {
            PictureProblem::NoPicture => Self::WrongKind,
            PictureProblem::TooManyPixels => Self::TooManyPixels,
            PictureProblem::Broken => Self::Broken,
        }
    }
}

/// Reads the picture in `bytes` and writes it anew, upright; of one that moves the first frame. Its size is judged by
/// its head, before any pixel is read. Takes long and much memory: never on an async thread.
///
/// # Errors
/// [`PictureProblem`].
pub fn clean(bytes: &[u8]) -> Result<CleanPicture, PictureProblem> {
    let format = FileFormat::of(bytes).ok_or(PictureProblem::NoPicture)?;
    let as_read = match format {
        FileFormat::Jpeg => ImageFormat::Jpeg,
        FileFormat::Png => ImageFormat::Png,
        FileFormat::Webp => ImageFormat::WebP,
        _ => return Err(PictureProblem::NoPicture),
    };
    let picture = read(bytes, as_read)?;
    let written = match format {
        FileFormat::Jpeg => write_jpeg(&picture, QUALITY),
        FileFormat::Webp => write_webp(&picture),
        _ => write_png(&picture),
    };
    Ok(CleanPicture {
        format,
        bytes: written.map_err(problem_of)?,
        width: picture.width(),
        height: picture.height(),
        small: write_small(&picture).map_err(problem_of)?,
    })
}

fn read(bytes: &[u8], format: ImageFormat) -> Result<DynamicImage, PictureProblem> {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LONGEST_SIDE);
    limits.max_image_height = Some(LONGEST_SIDE);
    limits.max_alloc = Some(MOST_MEMORY);
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(problem_of)?;
    let (width, height) = decoder.dimensions();
    if MOST_PIXELS < u64::from(width) * u64::from(height) {
        return Err(PictureProblem::TooManyPixels);
    }
    let orientation = decoder.orientation().map_err(problem_of)?;
    let mut picture = DynamicImage::from_decoder(decoder).map_err(problem_of)?;
    picture.apply_orientation(orientation);
    // Eight bits a colour are what every platform and browser takes.
    let has_alpha = picture.color().has_alpha();
    Ok(if has_alpha { picture.into_rgba8().into() } else { picture.into_rgb8().into() })
}

fn problem_of(error: ImageError) -> PictureProblem {
    match error {
        ImageError::Limits(limit) if is_about_size(&limit) => PictureProblem::TooManyPixels,
        _ => PictureProblem::Broken,
    }
}

fn is_about_size(limit: &LimitError) -> bool {
    matches!(limit.kind(), LimitErrorKind::DimensionError | LimitErrorKind::InsufficientMemory)
}

fn write_jpeg(picture: &DynamicImage, quality: u8) -> Result<Vec<u8>, ImageError> {
    let mut file = Vec::new();
    picture.to_rgb8().write_with_encoder(JpegEncoder::new_with_quality(&mut file, quality))?;
    Ok(file)
}

fn write_png(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let mut file = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut file))?;
    Ok(file)
}

fn write_webp(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let mut file = Vec::new();
    picture.write_with_encoder(WebPEncoder::new_lossless(&mut file))?;
    Ok(file)
}

fn write_small(picture: &DynamicImage) -> Result<Vec<u8>, ImageError> {
    let is_large = SMALL_SIDE < picture.width().max(picture.height());
    let shrunk = is_large.then(|| picture.thumbnail(SMALL_SIDE, SMALL_SIDE));
    let small = shrunk.as_ref().unwrap_or(picture);
    if small.color().has_alpha() { write_png(small) } else { write_jpeg(small, SMALL_QUALITY) }
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    /// The left half red, the right half blue.
    fn picture(width: u32, height: u32) -> DynamicImage {
        let colour = |x| if x < width / 2 { Rgb([200, 0, 0]) } else { Rgb([0, 0, 200]) };
        RgbImage::from_fn(width, height, |x, _| colour(x)).into()
    }

    /// A segment with a position, and that the picture stands on its side.
    fn exif() -> Vec<u8> {
        let mut body = b"Exif\0\0II*\0\x08\0\0\0".to_vec();
        body.extend_from_slice(&[1, 0]); // one entry
        body.extend_from_slice(&[0x12, 1, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0]); // turned by 90 degrees
        body.extend_from_slice(&[0; 4]);
        body.extend_from_slice(b"GPS 51.0724 -4.0586");
        let length = u16::try_from(body.len() + 2).unwrap().to_be_bytes();
        [b"\xff\xe1".as_slice(), &length, &body].concat()
    }

    fn holds(bytes: &[u8], part: &[u8]) -> bool {
        bytes.windows(part.len()).any(|window| window == part)
    }

    #[test]
    fn c_25_a_picture_loses_its_place_and_whatever_hangs_on_it_and_stands_upright() {
        let plain = write_jpeg(&picture(40, 20), 90).unwrap();
        let (start, rest) = plain.split_at(2);
        let script = b"<script>alert(1)</script>";
        let poisoned = [start, &exif(), rest, script].concat();
        let clean = clean(&poisoned).unwrap();
        assert_eq!((clean.format, clean.width, clean.height), (FileFormat::Jpeg, 20, 40));
        for hidden in [b"Exif".as_slice(), b"GPS", script] {
            assert!(holds(&poisoned, hidden), "it was there");
            assert!(!holds(&clean.bytes, hidden) && !holds(&clean.small, hidden));
        }
        assert_eq!(FileFormat::of(&clean.bytes), Some(FileFormat::Jpeg));
    }

    #[test]
    fn every_format_comes_out_as_it_went_in_and_small_beside() {
        let plain = picture(1_000, 500);
        let seen_through: DynamicImage =
            RgbaImage::from_pixel(10, 10, Rgba([0, 90, 0, 120])).into();
        let cases = [
            (write_jpeg(&plain, 90), FileFormat::Jpeg, FileFormat::Jpeg, (640, 320)),
            (write_png(&plain), FileFormat::Png, FileFormat::Jpeg, (640, 320)),
            (write_webp(&plain), FileFormat::Webp, FileFormat::Jpeg, (640, 320)),
            (write_webp(&seen_through), FileFormat::Webp, FileFormat::Png, (10, 10)),
        ];
        for (original, format, small, size) in cases {
            let clean = clean(&original.unwrap()).unwrap();
            assert_eq!(FileFormat::of(&clean.bytes), Some(format));
            assert_eq!(FileFormat::of(&clean.small), Some(small), "{format:?}");
            let shown = image::load_from_memory(&clean.small).unwrap();
            assert_eq!((shown.width(), shown.height()), size, "{format:?}");
        }
    }

    #[test]
    fn c_25_what_is_no_picture_or_broken_is_told_apart() {
        let whole = write_png(&picture(40, 20)).unwrap();
        let cases: [(&str, &[u8], PictureProblem); 5] = [
            ("cut", &whole[..whole.len() / 2], PictureProblem::Broken),
            ("only its head", &whole[..8], PictureProblem::Broken),
            ("a page", b"<html><script>", PictureProblem::NoPicture),
            ("a drawing", b"<svg onload='x'/>", PictureProblem::NoPicture),
            ("nothing", b"", PictureProblem::NoPicture),
        ];
        for (case, bytes, expected) in cases {
            assert_eq!(clean(bytes), Err(expected), "{case}");
        }
    }

    #[test]
    fn c_25_ten_thousand_by_ten_thousand_pixels_are_refused_by_the_head_alone() {
        let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        head.extend_from_slice(&10_000_u32.to_be_bytes());
        head.extend_from_slice(&10_000_u32.to_be_bytes());
        head.extend_from_slice(&[8, 2, 0, 0, 0]);
        head.extend_from_slice(&crc(&head[12..]).to_be_bytes());
        head.extend_from_slice(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
        assert_eq!(clean(&head), Err(PictureProblem::TooManyPixels));
    }

    /// The check a PNG ends each chunk with.
    fn crc(bytes: &[u8]) -> u32 {
        let step = |sum: u32, byte: &u8| {
            (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
                if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 }
            })
        };
        !bytes.iter().fold(u32::MAX, step)
    }
}
