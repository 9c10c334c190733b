//! Who may see a conversation, and the ticket that is open in it.

use diesel::{dsl::exists, prelude::*};
use domain::{
    ids::{ChannelId, ChatbotId, QueueId, TicketId, UserId},
    permission::Permission,
    ticket::{Holding, ProtocolNumber, TicketState},
};

use super::ConversationId;
use crate::{
    db::Db,
    error::PersistenceError,
    queue,
    schema::{active_messages, tickets},
    user::Actor,
};

/// The open ticket of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTicketRow {
    /// Which.
    pub id: TicketId,
    /// Its number for people (RO-11).
    pub protocol: String,
    /// The channel it is served over.
    pub channel: ChannelId,
    /// Who has it.
    pub holding: Holding,
    /// Messages of the contact nobody has looked at.
    pub unread: u32,
}

/// What someone may see of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Access {
    /// The open ticket, if it is theirs to see.
    pub ticket: Option<OpenTicketRow>,
    /// Another agent serves the contact: of that ticket nothing is shown.
    pub hidden_ticket: Option<TicketId>,
}

#[derive(Queryable)]
struct OpenRow {
    id: i64,
    protocol: String,
    channel_id: i64,
    queue_id: Option<i64>,
    state: String,
    agent_id: Option<i64>,
    only_agent_id: Option<i64>,
    unread: i64,
}

/// What `actor` may see of `conversation`: all of it with *see all tickets*; else when its open ticket is
/// theirs, waits for them alone, or waits for anyone in a queue they serve. Without such a ticket they
/// see it when they wrote to the contact first, or served them before.
///
/// # Errors
/// `NotFound` when they may not know of it.
pub fn find_access(
    db: &mut Db,
    actor: &Actor,
    conversation: ConversationId,
) -> Result<Access, PersistenceError> {
    if !actor.is_in_team(conversation.chatbot) {
        return Err(PersistenceError::NotFound);
    }
    let sees_all = actor.may(conversation.chatbot, Permission::SeeAllTickets);
    let access = match find_open_row(db, conversation)? {
        None => Access { ticket: None, hidden_ticket: None },
        Some(row) if sees_all || row.reach(conversation.chatbot).is_theirs(db, actor)? => {
            return Ok(Access { ticket: Some(read_open(row)?), hidden_ticket: None });
        }
        Some(row) => Access { ticket: None, hidden_ticket: Some(TicketId(row.id)) },
    };
    if sees_all || took_part(db, actor.id(), conversation)? {
        Ok(access)
    } else {
        Err(PersistenceError::NotFound)
    }
}

/// Whether `actor` may know of `ticket`: by the rule of [`find_access`], or because it was there for them to
/// take until someone was quicker.
///
/// # Errors
/// When the database fails, or there is no such ticket.
pub(crate) fn may_know_ticket(
    db: &mut Db,
    actor: &Actor,
    ticket: TicketId,
) -> Result<bool, PersistenceError> {
    let (chatbot, queue, agent, only_agent): (i64, Option<i64>, Option<i64>, Option<i64>) =
        tickets::table
            .find(ticket.0)
            .select((
                tickets::chatbot_id,
                tickets::queue_id,
                tickets::agent_id,
                tickets::only_agent_id,
            ))
            .first(db)?;
    let reach = Reach {
        chatbot: ChatbotId(chatbot),
        queue: queue.map(QueueId),
        agent: agent.map(UserId),
        only_agent: only_agent.map(UserId),
    };
    if !actor.is_in_team(reach.chatbot) {
        return Ok(false);
    }
    Ok(actor.may(reach.chatbot, Permission::SeeAllTickets)
        || reach.agent == Some(actor.id())
        || reach.may_be_taken(db, actor)?)
}

/// Who has an open ticket, or for whom it waits.
#[derive(Debug, Clone, Copy)]
struct Reach {
    chatbot: ChatbotId,
    queue: Option<QueueId>,
    agent: Option<UserId>,
    only_agent: Option<UserId>,
}

impl Reach {
    /// Whether `actor` serves it, or may take it while nobody does.
    fn is_theirs(self, db: &mut Db, actor: &Actor) -> Result<bool, PersistenceError> {
        match self.agent {
            Some(agent) => Ok(agent == actor.id()),
            None => self.may_be_taken(db, actor),
        }
    }

    /// Whether it waits, or waited, for `actor` alone, or for anyone in a queue they serve.
    fn may_be_taken(self, db: &mut Db, actor: &Actor) -> Result<bool, PersistenceError> {
        match (self.only_agent, self.queue) {
            (Some(only), _) => Ok(only == actor.id()),
            (None, Some(queue)) => Ok(queue::list_served(db, actor.id())?.contains(&queue)),
            (None, None) => Ok(actor.may(self.chatbot, Permission::ServeTickets)),
        }
    }
}

impl OpenRow {
    fn reach(&self, chatbot: ChatbotId) -> Reach {
        Reach {
            chatbot,
            queue: self.queue_id.map(QueueId),
            agent: self.agent_id.map(UserId),
            only_agent: self.only_agent_id.map(UserId),
        }
    }
}

fn find_open_row(
    db: &mut Db,
    conversation: ConversationId,
) -> Result<Option<OpenRow>, PersistenceError> {
    let row = tickets::table
        .filter(tickets::chatbot_id.eq(conversation.chatbot.0))
        .filter(tickets::contact_id.eq(conversation.contact.0))
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("tickets.state <> 'closed'"))
        .select((
            tickets::id,
            tickets::protocol,
            tickets::channel_id,
            tickets::queue_id,
            tickets::state,
            tickets::agent_id,
            tickets::only_agent_id,
            tickets::unread,
        ))
        .first(db)
        .optional()?;
    Ok(row)
}

/// Whether they wrote to the contact first, or hold a ticket of theirs, closed by now.
fn took_part(
    db: &mut Db,
    user: UserId,
    conversation: ConversationId,
) -> Result<bool, PersistenceError> {
    let sent = active_messages::table
        .filter(active_messages::contact_id.eq(conversation.contact.0))
        .filter(active_messages::chatbot_id.eq(conversation.chatbot.0))
        .filter(active_messages::agent_id.eq(user.0));
    let served = tickets::table
        .filter(tickets::contact_id.eq(conversation.contact.0))
        .filter(tickets::chatbot_id.eq(conversation.chatbot.0))
        .filter(tickets::agent_id.eq(user.0));
    Ok(diesel::select(exists(sent).or(exists(served))).get_result(db)?)
}

fn read_open(row: OpenRow) -> Result<OpenTicketRow, PersistenceError> {
    let state = TicketState::parse(&row.state)
        .ok_or_else(|| PersistenceError::unreadable("tickets", "state", row.state))?;
    Ok(OpenTicketRow {
        id: TicketId(row.id),
        protocol: row.protocol,
        channel: ChannelId(row.channel_id),
        holding: Holding {
            state,
            agent: row.agent_id.map(UserId),
            only_agent: row.only_agent_id.map(UserId),
        },
        unread: u32::try_from(row.unread).unwrap_or_default(),
    })
}

/// The ticket someone means by `typed`, as an id for a query; `None` when it is no protocol number.
pub(super) fn ticket_meant(typed: &str) -> Option<i64> {
    ProtocolNumber::ticket_meant(typed).map(|ticket| ticket.0)
}
