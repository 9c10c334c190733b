//! What can be done with a message besides reading it: answering it, and putting something on it.

use domain::{ids::MessageId, session_window::SessionState};
use persistence::{
    conversation::{Side, Thread, ThreadMessage},
    reaction::ReactionSide,
    ticket::EMOJIS,
};

use super::around::{one_line, text_of};
use crate::{
    locale::{Words, isolated},
    moment::Viewer,
};

/// What can be done with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweringView {
    /// The message, for forms and elements.
    pub message: String,
    /// Where the composer answers it; `None` where messages cannot be answered one by one.
    pub quote_path: Option<String>,
    /// What the link is, for those who do not see it.
    pub quote_label: String,
    /// What may be put on it; empty where nothing may.
    pub emojis: Vec<EmojiView>,
    /// What the button is, for those who do not see it.
    pub react_label: String,
    /// Takes back what is on it of ours; `None` while nothing is.
    pub take_back: Option<String>,
}

/// Something that may be put on a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmojiView {
    /// The emoji.
    pub emoji: &'static str,
    /// Its name.
    pub name: String,
    /// Whether it is there already.
    pub is_there: bool,
}

/// The message that the composer answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredView {
    /// The message, for the form.
    pub message: String,
    /// Who wrote it.
    pub author: String,
    /// What it says, in short.
    pub text: String,
    /// The conversation without it.
    pub cancel_path: String,
}

/// What can be done with `message` of `thread`, whose address is `path` and `query`, by whoever may write in it now;
/// `None` when nothing can.
#[must_use]
pub fn answering(
    message: &ThreadMessage,
    thread: &Thread,
    author: &str,
    (path, query): (&str, &str),
    t: Words,
) -> Option<AnsweringView> {
    let (channel, kind) = thread.channel?;
    let around = &message.around;
    if around.known_on != Some(channel)
        || around.revoked_at.is_some()
        || matches!(thread.session, SessionState::Closed { .. })
    {
        return None;
    }
    let can = kind.capabilities();
    let ours = around.reactions.iter().find(|reaction| reaction.side == ReactionSide::Desk);
    let may_react = can.reactions && message.side == Side::Contact;
    let emoji = |emoji: &'static str| EmojiView {
        emoji,
        name: emoji_name(emoji, t),
        is_there: ours.is_some_and(|ours| ours.emoji == emoji),
    };
    let emojis = if may_react { EMOJIS.into_iter().map(emoji).collect() } else { Vec::new() };
    let view = AnsweringView {
        message: message.id.to_string(),
        quote_path: can.quotes.then(|| format!("{path}{query}&quote={}", message.id)),
        quote_label: t.desk_answer_this(isolated(author)),
        react_label: t.desk_react(isolated(author)),
        take_back: ours.filter(|_| may_react).map(|_| t.desk_react_take_back()),
        emojis,
    };
    (view.quote_path.is_some() || !view.emojis.is_empty()).then_some(view)
}

/// The message `quoted` of `thread` as the composer shows it; `None` when it is not there to be answered.
#[must_use]
pub fn answered(
    quoted: Option<MessageId>,
    thread: &Thread,
    reader: domain::ids::UserId,
    address: (&str, &str),
    viewer: &Viewer,
) -> Option<AnsweredView> {
    let t = viewer.words();
    let message = thread.messages.iter().find(|message| Some(message.id) == quoted)?;
    let author = author_of(message, thread, reader, t);
    answering(message, thread, &author, address, t)?.quote_path?;
    Some(AnsweredView {
        message: message.id.to_string(),
        text: one_line(&text_of(&message.kind, &message.body, t)),
        author,
        cancel_path: format!("{}{}", address.0, address.1),
    })
}

/// Who wrote `message`: one of the people, else the business.
#[must_use]
pub fn author_of(
    message: &ThreadMessage,
    thread: &Thread,
    reader: domain::ids::UserId,
    t: Words,
) -> String {
    let author = match &message.side {
        Side::Contact => thread.name.clone(),
        Side::Ours { agent: Some((id, _)), .. } if *id == reader => t.desk_you(),
        Side::Ours { agent: Some((_, name)), .. } => name.clone(),
        Side::Ours { agent: None, .. } => thread.chatbot.clone(),
    };
    if author.is_empty() { t.desk_no_name() } else { author }
}

fn emoji_name(emoji: &str, t: Words) -> String {
    match emoji {
        "👍" => t.desk_emoji_thumbs_up(),
        "❤️" => t.desk_emoji_heart(),
        "😂" => t.desk_emoji_laughing(),
        "😮" => t.desk_emoji_surprised(),
        "😢" => t.desk_emoji_sad(),
        _ => t.desk_emoji_thanks(),
    }
}
