//! Conversations as the desk shows them: who may see which, the three tabs, the thread, and what stands
//! beside it. Reading only; what changes a ticket lives in [`ticket`](crate::ticket).

mod about;
mod access;
mod around;
mod held;
mod list;
mod media;
mod people;
mod sent;
#[cfg(test)]
mod tests;
mod thread;
mod unread;
mod waiting;

use std::{fmt, str::FromStr};

use domain::ids::{ChatbotId, ContactId};

pub use self::{
    about::{About, find_about},
    access::{Access, OpenTicketRow, find_access},
    around::{Around, Quoted, find_message_after},
    held::{Held, MessageFailure},
    list::{
        LastMessage, TabCounts, TicketRow, TicketTab, count_tabs, find_ticket, list_in_progress,
    },
    media::{SentMedia, find_media},
    sent::{SentMessage, SentPage, SentRow, find_sent, list_sent},
    thread::{EarlierTicket, SentTemplate, Side, Thread, ThreadMessage, find_thread},
    unread::count_unread,
    waiting::{WaitingPage, list_waiting},
};
pub(crate) use self::{access::may_know_ticket, thread::get_message};

/// A contact's conversation with one chatbot, across its tickets and sends. A contact has at most one
/// open ticket in it (RO-08).
///
/// Written as `chatbot-contact`, such as `1-42`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConversationId {
    /// Whose desk.
    pub chatbot: ChatbotId,
    /// With whom.
    pub contact: ContactId,
}

/// The text names no conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the name of a conversation")]
pub struct NoConversation;

impl fmt::Display for ConversationId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}-{}", self.chatbot, self.contact)
    }
}

impl FromStr for ConversationId {
    type Err = NoConversation;

    fn from_str(text: &str) -> Result<Self, NoConversation> {
        let (chatbot, contact) = text.split_once('-').ok_or(NoConversation)?;
        let id = Self {
            chatbot: chatbot.parse().map_err(|_| NoConversation)?,
            contact: contact.parse().map_err(|_| NoConversation)?,
        };
        // One address for each: no signs, no leading zeros.
        if id.to_string() == text { Ok(id) } else { Err(NoConversation) }
    }
}
