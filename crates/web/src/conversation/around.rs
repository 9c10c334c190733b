//! What stands around a bubble: the message it answers, what was put on it, where it came from, what it said before.

use domain::{
    channel::{Forwarded, Referral, ReferralSource},
    ids::UserId,
};
use persistence::{
    conversation::{Quoted, Thread, ThreadMessage},
    reaction::ReactionSide,
};
use url::Url;

use super::{
    bubble::media_of,
    content::{CardView, LinkView, cards},
};
use crate::{
    locale::{Words, isolated},
    moment::{Moment, Viewer},
};

/// What stands around the text of a message, display-ready.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AroundView {
    /// The message it answers.
    pub quote: Option<QuoteView>,
    /// That it was passed on, or asks about a product.
    pub marks: Vec<String>,
    /// The ad or post it was written from.
    pub referral: Option<ReferralView>,
    /// What it is besides text.
    pub cards: Vec<CardView>,
    /// What was put on it.
    pub reactions: Vec<ReactionView>,
    /// That it was rewritten, and what it said before.
    pub edited: Option<EditedView>,
    /// That it was taken back.
    pub revoked: Option<String>,
}

/// A quoted line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuoteView {
    /// Who wrote it; empty when that is not known.
    pub author: String,
    /// What it says, in short.
    pub text: String,
    /// Where it stands; `None` when it is not kept here.
    pub path: Option<String>,
    /// What the line is, for those who do not see it.
    pub label: String,
}

/// The ad or post from which someone came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferralView {
    /// What it was.
    pub text: String,
    /// Its headline; empty when there is none.
    pub headline: String,
    /// Its text; empty when there is none.
    pub body: String,
    /// Where it stands.
    pub link: Option<LinkView>,
}

/// One reaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionView {
    /// What was put there.
    pub emoji: String,
    /// Who put what there.
    pub label: String,
    /// Whether it is ours.
    pub is_ours: bool,
}

/// What a message said before it was rewritten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditedView {
    /// When it was rewritten last.
    pub at: Moment,
    /// What it said, each since when.
    pub earlier: Vec<(Moment, String)>,
}

/// The most characters of a quoted line.
const MOST_QUOTED: usize = 140;
/// The kind of a form that was filled in.
pub(super) const FORM: &str = "nfm_reply";

impl AroundView {
    /// What stands around `message` of `thread`, whose address with its query is `path` and `query`.
    #[must_use]
    pub fn new(
        message: &ThreadMessage,
        thread: &Thread,
        reader: UserId,
        address: (&str, &str),
        viewer: &Viewer,
    ) -> Self {
        let t = viewer.words();
        let around = &message.around;
        let contact = contact_name(thread, t);
        if around.revoked_at.is_some() {
            return Self { revoked: Some(t.desk_revoked()), ..Self::default() };
        }
        let reaction = |reaction: &persistence::reaction::Reaction| {
            let (name, is_ours) = match reaction.side {
                ReactionSide::Contact => (isolated(&contact), false),
                ReactionSide::Desk => (thread.chatbot.clone(), true),
            };
            let label = t.desk_reaction_by(&name, &reaction.emoji);
            ReactionView { emoji: reaction.emoji.clone(), label, is_ours }
        };
        Self {
            quote: around
                .quoted
                .as_ref()
                // Asked from a catalogue, it names no message that anyone could know.
                .filter(|quoted| **quoted != Quoted::Unknown || around.payload.product.is_none())
                .map(|quoted| quote(quoted, thread, &contact, reader, address, t)),
            marks: marks(message, t),
            referral: around.payload.referral.as_deref().map(|referral| came_from(referral, t)),
            cards: around
                .payload
                .content
                .as_ref()
                .map(|content| cards(content, viewer))
                .unwrap_or_default(),
            reactions: around.reactions.iter().map(reaction).collect(),
            edited: around.edited_at.map(|at| EditedView {
                at: viewer.at(at),
                earlier: around
                    .earlier
                    .iter()
                    .map(|(since, text)| (viewer.at(*since), text.clone()))
                    .collect(),
            }),
            revoked: None,
        }
    }
}

fn contact_name(thread: &Thread, t: Words) -> String {
    if thread.name.is_empty() { t.desk_no_name() } else { thread.name.clone() }
}

fn quote(
    quoted: &Quoted,
    thread: &Thread,
    contact: &str,
    reader: UserId,
    (path, query): (&str, &str),
    t: Words,
) -> QuoteView {
    let Quoted::Known { id, is_ours, agent, kind, body, is_revoked } = quoted else {
        let text = t.desk_quote_unknown();
        return QuoteView { author: String::new(), label: text.clone(), text, path: None };
    };
    let author = match agent {
        Some((id, _)) if *id == reader => t.desk_you(),
        Some((_, name)) => name.clone(),
        None if *is_ours => thread.chatbot.clone(),
        None => contact.to_owned(),
    };
    let text = if *is_revoked { t.desk_quote_revoked() } else { one_line(&text_of(kind, body, t)) };
    let is_shown = thread.messages.iter().any(|message| message.id == *id);
    let page = if is_shown { String::new() } else { format!("{path}{query}&to={id}") };
    QuoteView {
        label: t.desk_quote_label(isolated(&author)),
        author,
        text,
        path: Some(format!("{page}#message-{id}")),
    }
}

/// What a message says, or what it is where it says nothing.
pub(super) fn text_of(kind: &str, body: &str, t: Words) -> String {
    // Whoever fills in a form writes nothing: the platform puts the same word there for everyone.
    if body.is_empty() || kind == FORM {
        return media_of(kind, t).map(|media| media.text).unwrap_or_default();
    }
    body.to_owned()
}

/// The beginning of a text, on one line.
pub(super) fn one_line(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(MOST_QUOTED) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn marks(message: &ThreadMessage, t: Words) -> Vec<String> {
    let payload = &message.around.payload;
    let forwarded = payload.forwarded.map(|forwarded| match forwarded {
        Forwarded::Once => t.desk_forwarded(),
        Forwarded::Often => t.desk_forwarded_often(),
    });
    let product = payload.product.as_ref().and_then(|product| product.product_id.as_deref());
    let product = product.map(|product| t.desk_about_product(isolated(&one_line(product))));
    forwarded.into_iter().chain(product).collect()
}

fn came_from(referral: &Referral, t: Words) -> ReferralView {
    let text = match &referral.source_kind {
        Some(ReferralSource::Ad) => t.desk_from_ad(),
        Some(ReferralSource::Post) => t.desk_from_post(),
        Some(ReferralSource::Other(_)) | None => t.desk_from_elsewhere(),
    };
    let link = referral.source_url.as_deref().and_then(web_address);
    ReferralView {
        headline: referral.headline.as_deref().map(one_line).unwrap_or_default(),
        body: referral.body.as_deref().map(one_line).unwrap_or_default(),
        link: link.map(|href| LinkView { href, text: text.clone() }),
        text,
    }
}

/// An address of a page, as one may be led to from here; `None` for what is none, such as a script.
pub(super) fn web_address(told: &str) -> Option<String> {
    let url = Url::parse(told).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn c22_only_pages_of_the_web_are_led_to() {
        let cases = [
            ("https://maps.example/quay", true),
            ("http://fb.example/ad?x=1", true),
            ("javascript:alert(1)", false),
            ("JaVaScRiPt:alert(1)", false),
            ("data:text/html,<script>", false),
            ("//maps.example", false),
            ("", false),
        ];
        for (told, is_led_to) in cases {
            assert_eq!(web_address(told).is_some(), is_led_to, "{told}");
        }
    }

    #[test]
    fn a_quoted_line_is_one_line_of_few_characters() {
        assert_eq!(one_line("Is\n  Friday\tfree?"), "Is Friday free?");
        let long = "é".repeat(MOST_QUOTED + 1);
        assert_eq!(one_line(&long), format!("{}…", "é".repeat(MOST_QUOTED)));
    }
}
