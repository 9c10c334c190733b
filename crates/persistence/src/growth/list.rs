//! The list with its filters, page by page.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState,
    ids::{ChatbotId, MessageId, UserId},
};

use super::{
    chatbots_seen,
    row::{SendRow, load_rows},
    state,
};
use crate::{
    contact,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{active_messages, message_templates},
    user::Actor,
};

/// Which sends are wanted; what is `None` or empty leaves nothing out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendFilter {
    /// Beginnings of the contact's name or number.
    pub contact: String,
    /// For whom they count.
    pub agent: Option<UserId>,
    /// The template's name, in whichever language and account.
    pub template: Option<String>,
    /// How they stand, judged by the instant and not by when a job ran (LI-08).
    pub state: Option<ActiveMessageState>,
    /// The chatbot.
    pub chatbot: Option<ChatbotId>,
    /// Triggered from then on, inclusive.
    pub since: Option<DateTime<Utc>>,
    /// Triggered before then, exclusive.
    pub before: Option<DateTime<Utc>>,
    /// Only those after this one in the list, which means older ones.
    pub after: Option<SendCursor>,
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendCursor {
    /// When the send there was triggered.
    pub at: DateTime<Utc>,
    /// Which it is.
    pub message: MessageId,
}

/// The most contacts a search looks through.
const MOST_CONTACTS: i64 = 500;

/// The sends `filter` leaves, the latest first, `most` at most.
///
/// A constant number of queries. Served by the indexes on `(queued_at, message_id)`, on
/// `(agent_id, queued_at, message_id)` and on `(contact_id, chatbot_id, queued_at)`; for a state that few
/// have at a time, by that on `(state, expires_at)`.
///
/// # Errors
/// `Denied` without *view growth* in any chatbot; for a chatbot that is asked for, as
/// [`Actor::require`].
pub fn list_sends(
    db: &mut Db,
    actor: &Actor,
    filter: &SendFilter,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<SendRow>, PersistenceError> {
    let chatbots_seen = chatbots_seen(actor, filter.chatbot)?;
    let mut wanted = active_messages::table.into_boxed();
    wanted = match filter.chatbot {
        Some(chatbot) => wanted.filter(active_messages::chatbot_id.eq(chatbot.0)),
        // The sum keeps the planners from reading all sends of some chatbots to sort them: walking the
        // index in the order of the list finds the first rows at once.
        None => wanted.filter((active_messages::chatbot_id + 0).eq_any(&chatbots_seen)),
    };
    if !filter.contact.trim().is_empty() {
        let found = contact::search(db, actor, filter.chatbot, &filter.contact, MOST_CONTACTS)?;
        let found: Vec<i64> = found.into_iter().map(|contact| contact.id.0).collect();
        wanted = wanted.filter(active_messages::contact_id.eq_any(found));
    }
    if let Some(agent) = filter.agent {
        wanted = wanted.filter(active_messages::agent_id.eq(agent.0));
    }
    if let Some(template) = &filter.template {
        let named = message_templates::table
            .filter(message_templates::name.eq(template))
            .select(message_templates::id);
        wanted = wanted.filter(active_messages::template_id.eq_any(named));
    }
    if let Some(since) = filter.since {
        wanted = wanted.filter(active_messages::queued_at.ge(Instant::from(since)));
    }
    if let Some(before) = filter.before {
        wanted = wanted.filter(active_messages::queued_at.lt(Instant::from(before)));
    }
    if let Some(state) = filter.state {
        wanted = wanted.filter(state::stands_as(db, &chatbots_seen, state, now)?);
    }
    if let Some(SendCursor { at, message }) = filter.after {
        let at = Instant::from(at);
        let is_later_in_list = active_messages::queued_at
            .lt(at)
            .or(active_messages::queued_at.eq(at).and(active_messages::message_id.lt(message.0)));
        wanted = wanted.filter(active_messages::queued_at.le(at)).filter(is_later_in_list);
    }
    let wanted = if filter.state.is_some_and(state::is_of_few) {
        // The sum keeps the planners from walking all sends for the few of this state.
        let order = ((active_messages::queued_at + 0).desc(), active_messages::message_id.desc());
        wanted.order(order)
    } else {
        wanted.order((active_messages::queued_at.desc(), active_messages::message_id.desc()))
    };
    let ids: Vec<i64> = wanted.limit(most).select(active_messages::message_id).load(db)?;
    load_rows(db, &ids, now)
}
