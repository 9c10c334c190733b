//! Words in the reader's language: one typed function per message of `locales/*/sandbox.ftl`, made by `build.rs`.

use std::sync::LazyLock;

#[allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::all,
    missing_docs,
    dead_code,
    unreachable_pub,
    reason = "generated; that no key is unused is judged by the desk's tests of words"
)]
mod l10n {
    include!(concat!(env!("OUT_DIR"), "/l10n.rs"));
}

pub(crate) use l10n::{L10n as Locale, L10nLanguage};

/// The words of one language, as pages hold them.
pub(crate) type Words = &'static L10nLanguage;

static WORDS: LazyLock<[L10nLanguage; 3]> =
    LazyLock::new(|| [Locale::En.load(), Locale::PtBR.load(), Locale::Es.load()]);

/// Every language, with its own name for itself.
pub(crate) const LANGUAGES: [(Locale, &str); 3] =
    [(Locale::En, "English"), (Locale::PtBR, "Português (Brasil)"), (Locale::Es, "Español")];

impl Locale {
    /// The words of this language.
    pub(crate) fn words(self) -> Words {
        let [en, pt_br, es] = &*WORDS;
        match self {
            Self::En => en,
            Self::PtBR => pt_br,
            Self::Es => es,
        }
    }

    /// The language chosen here or on the desk, else the first of the browser's that is spoken here, else English.
    pub(crate) fn choose(chosen: Option<&str>, accepted: Option<&str>) -> Self {
        chosen
            .and_then(|tag| tag.parse().ok())
            .unwrap_or_else(|| accepted.map_or(Self::En, Self::langneg))
    }
}
