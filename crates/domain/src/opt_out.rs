//! Opt-outs: what a contact no longer wants, from where it is known, and the words that say it (AD-09).

mod entered;

use chrono::{DateTime, Utc};

pub use self::entered::{EnteredWish, LONGEST_REASON, WishProblem};
use crate::template::TemplateCategory;

/// What a contact no longer wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OptOutScope {
    /// Offers only.
    Marketing,
    /// Anything we begin.
    All,
}

impl OptOutScope {
    /// Every scope, the narrower first.
    pub const ALL: [Self; 2] = [Self::Marketing, Self::All];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Marketing => "marketing",
            Self::All => "all",
        }
    }

    /// The scope stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|scope| scope.as_str() == word)
    }

    /// Whether a template of `category` is refused to a contact who opted out to this extent.
    #[must_use]
    pub fn refuses(self, category: TemplateCategory) -> bool {
        match self {
            Self::All => true,
            Self::Marketing => match category {
                TemplateCategory::Marketing => true,
                TemplateCategory::Utility | TemplateCategory::Authentication => false,
            },
        }
    }
}

/// From where an opt-out, or its lifting, is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OptOutSource {
    /// The contact wrote a stop or start word.
    Word,
    /// The contact tapped an opt-out button of a template.
    Button,
    /// The platform's stop or resume event.
    PlatformEvent,
    /// The platform refused a send because of it (131050).
    PlatformRefusal,
    /// An agent entered it; lifting takes a reason.
    Agent,
    /// Entered by the API.
    Api,
}

impl OptOutSource {
    /// Every source.
    pub const ALL: [Self; 6] = [
        Self::Word,
        Self::Button,
        Self::PlatformEvent,
        Self::PlatformRefusal,
        Self::Agent,
        Self::Api,
    ];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Word => "word",
            Self::Button => "button",
            Self::PlatformEvent => "platform_event",
            Self::PlatformRefusal => "platform_refusal",
            Self::Agent => "agent",
            Self::Api => "api",
        }
    }

    /// The source stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|source| source.as_str() == word)
    }

    /// The extent an opt-out from this source has; `None` where whoever enters it chooses, or what stands on the
    /// button does.
    #[must_use]
    pub fn scope(self) -> Option<OptOutScope> {
        match self {
            Self::Word => Some(OptOutScope::All),
            Self::PlatformEvent | Self::PlatformRefusal => Some(OptOutScope::Marketing),
            Self::Button | Self::Agent | Self::Api => None,
        }
    }
}

/// An opt-out that was not lifted. It holds for the whole workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OptOut {
    /// How far it goes.
    pub scope: OptOutScope,
    /// From where it is known.
    pub source: OptOutSource,
    /// Since when.
    pub at: DateTime<Utc>,
}

/// What a whole message that is a stop or start word asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOutWord {
    /// To be left alone: opts out of all.
    Stop,
    /// To hear from us again: lifts every opt-out.
    Start,
}

/// What a contact asks for by a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OptOutWish {
    /// To be left alone.
    Stop {
        /// How far.
        scope: OptOutScope,
        /// How it was said.
        source: OptOutSource,
    },
    /// To hear from us again: lifts every opt-out.
    Start {
        /// How it was said.
        source: OptOutSource,
    },
}

impl OptOutWish {
    /// What a text of the contact asks for: a stop word means all, whatever else it names.
    #[must_use]
    pub fn of_text(text: &str, lists: &[WordList]) -> Option<Self> {
        let (scope, source) = (OptOutScope::All, OptOutSource::Word);
        match read_opt_out_word(text, lists) {
            Some(OptOutWord::Stop) => Some(Self::Stop { scope, source }),
            Some(OptOutWord::Start) => Some(Self::Start { source }),
            None => names_offers(text, lists).then_some(Self::Stop { scope, source }),
        }
    }

    /// What a tapped button asks for, by the text on it and else by what it carries. One that ends offers ends
    /// those; one on which a stop word stands means all.
    #[must_use]
    pub fn of_button(text: &str, payload: &str, lists: &[WordList]) -> Option<Self> {
        let source = OptOutSource::Button;
        [text, payload].into_iter().find_map(|words| match read_opt_out_word(words, lists) {
            Some(OptOutWord::Stop) => Some(Self::Stop { scope: OptOutScope::All, source }),
            Some(OptOutWord::Start) => Some(Self::Start { source }),
            None => names_offers(words, lists)
                .then_some(Self::Stop { scope: OptOutScope::Marketing, source }),
        })
    }
}

/// Stop and start words of one language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WordList {
    /// The language, such as `pt`.
    pub language: String,
    /// Words, or short phrases, that stop. Folded when compared.
    pub stop: Vec<String>,
    /// What stands on buttons under offers, and ends those.
    pub stop_offers: Vec<String>,
    /// Words that start again.
    pub start: Vec<String>,
}

/// The lists a new workspace starts with. Every list is honoured whatever the contact's language: a
/// customer writes in the language of the moment.
#[must_use]
pub fn default_word_lists() -> Vec<WordList> {
    type Words<'a> = &'a [&'a str];
    let lists: [(&str, Words<'_>, Words<'_>, Words<'_>); 5] = [
        (
            "en",
            &["stop", "stop all", "stopall", "unsubscribe", "opt out", "optout", "quit", "end"],
            &["stop promotions", "stop offers", "stop marketing", "no more offers"],
            &["start", "unstop", "subscribe"],
        ),
        (
            "pt",
            &["parar", "pare", "sair", "cancelar", "descadastrar", "remover"],
            &["parar promoções", "interromper promoções", "não quero promoções"],
            &["começar", "voltar", "iniciar", "recomeçar"],
        ),
        (
            "es",
            &["parar", "alto", "baja", "darse de baja", "salir", "cancelar"],
            &["detener promociones", "parar promociones", "no quiero promociones"],
            &["empezar", "alta", "comenzar", "reanudar"],
        ),
        (
            "fr",
            &["arrêt", "arrêter", "désabonner", "se désabonner"],
            &["arrêter les promotions", "stop aux promotions"],
            &["reprendre", "démarrer"],
        ),
        ("zh", &["退订", "停止", "td"], &["停止推广", "退订推广"], &["恢复", "重新订阅"]),
    ];
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    lists
        .into_iter()
        .map(|(language, stop, stop_offers, start)| WordList {
            language: language.to_owned(),
            stop: owned(stop),
            stop_offers: owned(stop_offers),
            start: owned(start),
        })
        .collect()
}

/// What `message` asks for when the whole of it is a word of one of the lists; `None` otherwise.
///
/// Space and punctuation around it, case and accents do not matter; a word inside a sentence asks for
/// nothing: `please stop the delivery` is a wish about a delivery. A word in both kinds of list stops.
#[must_use]
pub fn read_opt_out_word(message: &str, lists: &[WordList]) -> Option<OptOutWord> {
    let written = folded_phrase(message);
    if written.is_empty() {
        return None;
    }
    let is_in = |words: &[String]| words.iter().any(|word| folded_phrase(word) == written);
    if lists.iter().any(|list| is_in(&list.stop)) {
        return Some(OptOutWord::Stop);
    }
    lists.iter().any(|list| is_in(&list.start)).then_some(OptOutWord::Start)
}

/// Whether the whole of `message` is a phrase of one of the lists that ends offers.
fn names_offers(message: &str, lists: &[WordList]) -> bool {
    let written = folded_phrase(message);
    let is_it = |phrase: &String| !written.is_empty() && folded_phrase(phrase) == written;
    lists.iter().any(|list| list.stop_offers.iter().any(is_it))
}

/// The words of `text`, folded, with single spaces, without punctuation around them.
fn folded_phrase(text: &str) -> String {
    crate::fold::fold(text)
        .split(|character: char| !character.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::{
        OptOutScope, OptOutSource, OptOutWish, OptOutWord, default_word_lists, read_opt_out_word,
    };
    use crate::template::TemplateCategory;

    #[test]
    fn ad_09_a_button_stops_what_stands_on_it_and_a_text_stops_all() {
        use OptOutScope::{All, Marketing};
        let stop = |scope, source| Some(OptOutWish::Stop { scope, source });
        let (word, button) = (OptOutSource::Word, OptOutSource::Button);
        let lists = default_word_lists();
        let texts = [
            ("Stop!", stop(All, word)),
            ("stop promotions", stop(All, word)),
            ("Não quero promoções.", stop(All, word)),
            ("START", Some(OptOutWish::Start { source: word })),
            ("stop promotions of bowls", None),
        ];
        for (text, expected) in texts {
            assert_eq!(OptOutWish::of_text(text, &lists), expected, "{text}");
        }
        let buttons = [
            ("Stop promotions", "PROMO:OFF", stop(Marketing, button)),
            ("Detener promociones", "Detener promociones", stop(Marketing, button)),
            ("No, thanks", "STOP_PROMOTIONS", stop(Marketing, button)),
            ("STOP", "STOP", stop(All, button)),
            ("No, thanks", "stop", stop(All, button)),
            // What the contact reads decides, not what it carries.
            ("Stop promotions", "STOP", stop(Marketing, button)),
            ("Start", "x", Some(OptOutWish::Start { source: button })),
            ("Reschedule", "RESCHEDULE:8812", None),
            ("", "", None),
        ];
        for (text, payload, expected) in buttons {
            assert_eq!(OptOutWish::of_button(text, payload, &lists), expected, "{text} {payload}");
        }
    }

    #[test]
    fn ad_09_a_whole_message_that_is_a_stop_or_start_word_counts() {
        use OptOutWord::{Start, Stop};
        let cases = [
            ("the word", "stop", Some(Stop)),
            ("in capitals, with a full stop", "STOP.", Some(Stop)),
            ("with space and marks around", "  ¡Parar!\n", Some(Stop)),
            ("with accents", "PARÁR", Some(Stop)),
            ("without accents", "arret", Some(Stop)),
            ("a phrase with more space", "darse  de   baja", Some(Stop)),
            ("Chinese", "退订", Some(Stop)),
            ("the word again", "START", Some(Start)),
            ("Portuguese, cedilla left out", "comecar", Some(Start)),
            ("inside a sentence", "please stop the delivery", None),
            ("part of a word", "stopping", None),
            ("nothing", "", None),
            ("marks alone", "!?", None),
            ("another word", "hello", None),
        ];
        let lists = default_word_lists();
        for (case, message, expected) in cases {
            assert_eq!(read_opt_out_word(message, &lists), expected, "{case}");
        }
        assert_eq!(read_opt_out_word("stop", &[]), None);
    }

    #[test]
    fn no_default_word_both_stops_and_starts() {
        let lists = default_word_lists();
        for list in &lists {
            for word in &list.start {
                assert_eq!(read_opt_out_word(word, &lists), Some(OptOutWord::Start), "{word}");
            }
        }
    }

    #[test]
    fn ad_09_a_scope_refuses_its_categories() {
        use TemplateCategory::{Authentication, Marketing, Utility};
        let cases = [
            (OptOutScope::All, [true, true, true]),
            (OptOutScope::Marketing, [true, false, false]),
        ];
        for (scope, refused) in cases {
            let found =
                [Marketing, Utility, Authentication].map(|category| scope.refuses(category));
            assert_eq!(found, refused, "{scope:?}");
        }
    }

    #[test]
    fn ad_09_a_word_means_all_and_the_platforms_means_marketing_only() {
        let cases = [
            (OptOutSource::Word, Some(OptOutScope::All)),
            (OptOutSource::PlatformEvent, Some(OptOutScope::Marketing)),
            (OptOutSource::PlatformRefusal, Some(OptOutScope::Marketing)),
            (OptOutSource::Button, None),
            (OptOutSource::Agent, None),
            (OptOutSource::Api, None),
        ];
        for (source, scope) in cases {
            assert_eq!(source.scope(), scope, "{source:?}");
        }
        for source in OptOutSource::ALL {
            assert_eq!(OptOutSource::parse(source.as_str()), Some(source));
        }
    }
}
