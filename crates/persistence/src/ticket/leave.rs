//! What becomes of the tickets of an agent who leaves (RO-02).

use std::collections::BTreeSet;

use diesel::prelude::*;
use domain::{
    ids::{ChatbotId, ContactId, TicketId, UserId},
    ticket::TicketState,
};

use super::note;
use crate::{db::Db, error::PersistenceError, instant::Instant, schema::tickets};

/// What an agent who left had.
pub(crate) struct Released {
    /// How many tickets.
    pub tickets: usize,
    /// In which chatbots.
    pub chatbots: BTreeSet<ChatbotId>,
}

/// Lets the open tickets that `agent` serves, and those that wait for `agent` alone, wait for anyone. They
/// are handed out by [`hand_out_in`](super::hand_out_in), once this is committed.
///
/// The caller made sure that `agent` is given none any more.
pub(crate) fn release_all_of(db: &mut Db, agent: UserId) -> Result<Released, PersistenceError> {
    let theirs: Vec<(i64, i64, i64)> = tickets::table
        .filter(tickets::state.ne(TicketState::Closed.as_str()))
        .filter(tickets::agent_id.eq(agent.0).or(tickets::only_agent_id.eq(agent.0)))
        .order(tickets::id.asc())
        .select((tickets::id, tickets::chatbot_id, tickets::contact_id))
        .load(db)?;
    let mut released = Released { tickets: 0, chatbots: BTreeSet::new() };
    for (id, chatbot, contact) in theirs {
        let still_theirs = tickets::table
            .find(id)
            .filter(tickets::state.ne(TicketState::Closed.as_str()))
            .filter(tickets::agent_id.eq(agent.0).or(tickets::only_agent_id.eq(agent.0)));
        let changed = diesel::update(still_theirs)
            .set((
                tickets::state.eq(TicketState::Waiting.as_str()),
                tickets::agent_id.eq(None::<i64>),
                tickets::only_agent_id.eq(None::<i64>),
                tickets::assigned_at.eq(None::<Instant>),
            ))
            .execute(db)?;
        if changed == 1 {
            released.tickets += 1;
            released.chatbots.insert(ChatbotId(chatbot));
            note(db, ChatbotId(chatbot), ContactId(contact), TicketId(id));
        }
    }
    Ok(released)
}
