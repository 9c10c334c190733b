//! Words of a platform, of which there may be more tomorrow.

/// An enum of the words a platform has for one thing; a word that is not among them is kept as it came.
macro_rules! open_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// A word not known here, as it came.
            Other(String),
        }

        impl $name {
            /// What `word` says, in whatever case it is written.
            #[must_use]
            pub fn parse(word: &str) -> Self {
                $(if word.eq_ignore_ascii_case($word) {
                    return Self::$variant;
                })+
                Self::Other(word.to_owned())
            }

            /// The platform's word.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }
    };
}

pub(super) use open_words;

#[cfg(test)]
mod tests {
    open_words! {
        /// What a kiln does.
        Kiln {
            /// It heats.
            Fires = "FIRES",
            /// It cools.
            CoolsDown = "COOLS_DOWN",
        }
    }

    #[test]
    fn a_word_is_known_in_any_case_and_kept_when_it_is_not_known() {
        let cases = [
            ("FIRES", Kiln::Fires, "FIRES"),
            ("cools_down", Kiln::CoolsDown, "COOLS_DOWN"),
            ("Glazes", Kiln::Other("Glazes".into()), "Glazes"),
            ("", Kiln::Other(String::new()), ""),
        ];
        for (word, expected, written) in cases {
            assert_eq!(Kiln::parse(word), expected, "{word}");
            assert_eq!(expected.as_str(), written, "{word}");
        }
    }
}
