//! What becomes of the tickets of an agent who was disabled (RO-02, C12).
//!
//! Whoever disables an agent commits that first, and with it the agent is given no ticket any more. What they
//! have then goes ticket by ticket, each locked as everywhere; should the process end in between, the job
//! takes up the rest.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::{dsl::exists, prelude::*};
use domain::{
    ids::{ChatbotId, TicketId, UserId},
    ticket::TicketState,
};

use super::{
    LockedTicket,
    hand_out::{hand_out_in, or_left_to_the_job},
    lock, note,
};
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    routing::lock_agent,
    schema::{tickets, users},
};

/// Lets the open tickets that `agent`, who is disabled by now, serves, and those that wait for `agent` alone,
/// go by the normal rules. Returns how many; a failure leaves the others to the job.
pub(crate) fn leave_to_others(db: &mut Db, agent: UserId, now: DateTime<Utc>) -> usize {
    let mut chatbots = BTreeSet::new();
    let released = release_all_of(db, agent, &mut chatbots);
    for chatbot in chatbots {
        hand_out_in(db, chatbot, now);
    }
    or_left_to_the_job(released)
}

/// Lets wait for anyone what disabled agents still serve. Returns how many tickets.
pub(super) fn release_of_disabled(db: &mut Db) -> Result<usize, PersistenceError> {
    let theirs = tickets::table
        .filter(tickets::agent_id.eq(users::id.nullable()))
        .filter(tickets::state.eq(TicketState::InProgress.as_str()));
    let disabled: Vec<i64> = users::table
        .filter(users::status.ne("active"))
        .filter(exists(theirs))
        .order(users::id.asc())
        .select(users::id)
        .load(db)?;
    disabled.into_iter().try_fold(0, |released, agent| {
        Ok(released + release_all_of(db, UserId(agent), &mut BTreeSet::new())?)
    })
}

/// Releases the tickets of `agent` one by one, and notes in which `chatbots`. Returns how many.
fn release_all_of(
    db: &mut Db,
    agent: UserId,
    chatbots: &mut BTreeSet<ChatbotId>,
) -> Result<usize, PersistenceError> {
    let mut released = 0;
    for ticket in list_open_of(db, agent)? {
        if let Some(chatbot) = release_one(db, ticket, agent)? {
            released += 1;
            chatbots.insert(chatbot);
        }
    }
    Ok(released)
}

/// The open tickets that `agent` serves, and those that wait for `agent` alone, by id.
///
/// Served by the index on `(agent_id, state, last_message_at)`, and by the one on `(state, opened_at)`: what waits
/// is little. One question for both would find neither.
pub(super) fn list_open_of(
    db: &mut Db,
    agent: UserId,
) -> Result<BTreeSet<TicketId>, PersistenceError> {
    let served: Vec<i64> = tickets::table
        .filter(tickets::agent_id.eq(agent.0))
        .filter(tickets::state.eq(TicketState::InProgress.as_str()))
        .select(tickets::id)
        .load(db)?;
    let reserved: Vec<i64> = tickets::table
        .filter(tickets::state.eq(TicketState::Waiting.as_str()))
        .filter(tickets::only_agent_id.eq(agent.0))
        .select(tickets::id)
        .load(db)?;
    Ok(served.into_iter().chain(reserved).map(TicketId).collect())
}

/// Releases one ticket, if `agent` still has it and is still disabled; answers in which chatbot.
fn release_one(
    db: &mut Db,
    ticket: TicketId,
    agent: UserId,
) -> Result<Option<ChatbotId>, PersistenceError> {
    db.write(|db| {
        let ticket = lock(db, ticket)?;
        let holding = ticket.holding;
        let is_theirs = holding.agent == Some(agent) || holding.only_agent == Some(agent);
        if !holding.state.is_open() || !is_theirs {
            return Ok(None);
        }
        lock_agent(db, agent)?;
        let status: String = users::table.find(agent.0).select(users::status).first(db)?;
        if status == "active" {
            return Ok(None);
        }
        release(db, &ticket)?;
        Ok(Some(ticket.chatbot))
    })
}

/// Lets a ticket that one agent has, or that waits for one agent alone, wait for anyone.
pub(super) fn release(db: &mut Db, ticket: &LockedTicket) -> Result<(), PersistenceError> {
    diesel::update(tickets::table.find(ticket.id.0))
        .set((
            tickets::state.eq(TicketState::Waiting.as_str()),
            tickets::agent_id.eq(None::<i64>),
            tickets::only_agent_id.eq(None::<i64>),
            tickets::assigned_at.eq(None::<Instant>),
        ))
        .execute(db)?;
    note(db, ticket.chatbot, ticket.contact, ticket.id);
    Ok(())
}
