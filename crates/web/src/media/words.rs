//! Sizes and troubles of files in words.

use domain::media::MediaRefusal;

use crate::locale::Words;

/// A size as people read it: `812 KB`, `1.4 MB`.
#[must_use]
pub fn size_words(bytes: u64, t: Words) -> String {
    const KILOBYTE: u64 = 1_000;
    const MEGABYTE: u64 = 1_000_000;
    match bytes {
        0..KILOBYTE => t.file_size_bytes(bytes.to_string()),
        KILOBYTE..MEGABYTE => t.file_size_kb(bytes.div_ceil(KILOBYTE).to_string()),
        _ => {
            let tenths = bytes.div_ceil(MEGABYTE / 10);
            let (whole, rest) = (tenths / 10, tenths % 10);
            let separator = t.file_decimal_separator();
            let shown = match rest {
                0 => whole.to_string(),
                rest => format!("{whole}{separator}{rest}"),
            };
            t.file_size_mb(shown)
        }
    }
}

/// Why a contact's file is not shown, and what helps.
#[must_use]
pub fn refusal_words(refusal: MediaRefusal, t: Words) -> String {
    match refusal {
        MediaRefusal::WrongKind => t.file_refused_wrong_kind(),
        MediaRefusal::TooLarge => t.file_refused_too_large(),
        MediaRefusal::TooManyPixels => t.file_refused_too_many_pixels(),
        MediaRefusal::Broken => t.file_refused_broken(),
        MediaRefusal::Elsewhere => t.file_refused_elsewhere(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::locale::Locale;

    #[test]
    fn a_size_is_never_told_smaller_than_it_is() {
        let words =
            |locale: &str, bytes| size_words(bytes, locale.parse::<Locale>().unwrap().words());
        let cases = [
            (0, "0 bytes"),
            (999, "999 bytes"),
            (1_000, "1 KB"),
            (1_001, "2 KB"),
            (999_999, "1000 KB"),
            (1_000_000, "1 MB"),
            (1_400_000, "1.4 MB"),
            (100_000_000, "100 MB"),
        ];
        for (bytes, expected) in cases {
            assert_eq!(words("en", bytes), expected, "{bytes}");
        }
        assert_eq!(words("pt-BR", 1_400_000), "1,4 MB");
    }
}
