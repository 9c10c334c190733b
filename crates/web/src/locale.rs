//! Words in the reader's language: one typed function per message of `locales/`, made by `build.rs`.
//!
//! A key that is missing in one language has no function, so a page that uses it does not compile.

use std::sync::LazyLock;

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::all,
    missing_docs,
    dead_code,
    reason = "generated; that no key is unused is judged by tests/words.rs, templates included"
)]
mod l10n {
    include!(concat!(env!("OUT_DIR"), "/l10n.rs"));
}

pub use l10n::{L10n as Locale, L10nLanguage};

/// The words of one language, as pages hold them.
pub type Words = &'static L10nLanguage;

struct AllWords {
    en: L10nLanguage,
    pt_br: L10nLanguage,
    es: L10nLanguage,
}

static WORDS: LazyLock<AllWords> = LazyLock::new(|| AllWords {
    en: Locale::En.load(),
    pt_br: Locale::PtBR.load(),
    es: Locale::Es.load(),
});

impl Locale {
    /// The words of this language.
    #[must_use]
    pub fn words(self) -> Words {
        match self {
            Self::En => &WORDS.en,
            Self::PtBR => &WORDS.pt_br,
            Self::Es => &WORDS.es,
        }
    }

    /// The language a user chose, else the first of the browser's that is spoken here, else English.
    ///
    /// `chosen` is a tag such as `pt-BR`; one that is not spoken here counts as no choice.
    /// `accepted` is the browser's `Accept-Language`.
    #[must_use]
    pub fn choose(chosen: Option<&str>, accepted: Option<&str>) -> Self {
        chosen
            .and_then(|tag| tag.parse().ok())
            .unwrap_or_else(|| accepted.map_or(Self::En, Self::langneg))
    }

    /// A whole number with the digits grouped as the language does, such as `1,000`.
    ///
    /// Spanish groups from five digits on.
    #[must_use]
    pub fn number(self, number: i64) -> String {
        let digits = number.unsigned_abs().to_string();
        let (separator, least_digits) = match self {
            Self::En => (',', 4),
            Self::PtBR => ('.', 4),
            Self::Es => ('.', 5),
        };
        let mut shown = String::from(if number < 0 { "−" } else { "" });
        for (index, digit) in digits.chars().enumerate() {
            let left = digits.len() - index;
            if index > 0 && left.is_multiple_of(3) && digits.len() >= least_digits {
                shown.push(separator);
            }
            shown.push(digit);
        }
        shown
    }
}

/// A name or text of someone else's, closed off so that its writing direction cannot leak into the
/// sentence around it (C22).
#[must_use]
pub fn isolated(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_chosen_by_the_user_then_by_the_browser() {
        let cases = [
            ("nothing known", None, None, Locale::En),
            ("the browser's first", None, Some("pt-BR,pt;q=0.9,en;q=0.8"), Locale::PtBR),
            ("a Portuguese of elsewhere", None, Some("pt-PT"), Locale::PtBR),
            ("quality counts, not order", None, Some("en;q=0.3, es-MX;q=0.9"), Locale::Es),
            ("one not spoken here is passed over", None, Some("de, es;q=0.5"), Locale::Es),
            ("none spoken here", None, Some("de, fr"), Locale::En),
            ("broken header", None, Some(";;q=,*"), Locale::En),
            ("the user's choice wins", Some("es"), Some("pt-BR"), Locale::Es),
            ("an unknown choice is none", Some("xx"), Some("pt-BR"), Locale::PtBR),
        ];
        for (case, chosen, accepted, expected) in cases {
            assert_eq!(Locale::choose(chosen, accepted), expected, "{case}");
        }
    }

    #[test]
    fn whole_numbers_are_grouped_by_language() {
        let cases = [
            (Locale::En, 0, "0"),
            (Locale::En, 999, "999"),
            (Locale::En, 1_000, "1,000"),
            (Locale::En, -12_345_678, "−12,345,678"),
            (Locale::PtBR, 1_000, "1.000"),
            (Locale::Es, 1_000, "1000"),
            (Locale::Es, 10_000, "10.000"),
        ];
        for (locale, number, expected) in cases {
            assert_eq!(locale.number(number), expected);
        }
    }
}
