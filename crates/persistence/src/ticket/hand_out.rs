//! Hands out what waits: what was just opened, to an agent who came online or has a slot again, and what
//! nobody was there for (RO-01, RO-02, RO-04).
//!
//! Each ticket goes in a transaction of its own, so that nobody waits long for its contact's row or its
//! agent's; what a failure leaves behind the job takes up.

use chrono::{DateTime, Utc};
use diesel::{dsl::min, prelude::*};
use domain::{
    ids::{ChatbotId, TicketId, UserId},
    routing::{self, WaitingTickets},
    ticket::TicketState,
};

use super::{LockedTicket, assign, leave, lock};
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    routing::{claim_slot, lock_agent, queue_service, referral_rules, sending_agent},
    schema::{memberships, tickets},
};

/// Gives waiting tickets to `agent` who came online: first those that wait for them alone, where the
/// chatbot has direct transfer (RO-02); then, while they have a free slot, those of their queues
/// (RO-04). Returns how many moved; a failure leaves them to [`hand_out_waiting`].
pub(super) fn agent_came_online(db: &mut Db, agent: UserId, now: DateTime<Utc>) -> usize {
    let moved = list_referred(db, Some(agent)).and_then(|lines| move_referred(db, &lines, now));
    or_left_to_the_job(moved.map(|moved| moved.to_agent)) + slot_is_free(db, agent, now)
}

/// Lets what waits for `agent` alone, who is absent by now, go by the normal rules (RO-02). Returns how many
/// tickets left them, taken by someone or not; a failure leaves the others to [`hand_out_waiting`].
pub(crate) fn leave_referred_to_others(db: &mut Db, agent: UserId, now: DateTime<Utc>) -> usize {
    let left = list_referred(db, Some(agent)).and_then(|lines| {
        let moved = move_referred(db, &lines, now)?;
        for line in lines {
            hand_out_in(db, ChatbotId(line.chatbot_id), now);
        }
        Ok(moved.released)
    });
    or_left_to_the_job(left)
}

/// Hands out what waits for anyone in the chatbots of `agent`, who has a free slot, oldest first and by the
/// normal rules (RO-04). Returns how many moved; a failure leaves them to [`hand_out_waiting`].
pub(super) fn slot_is_free(db: &mut Db, agent: UserId, now: DateTime<Utc>) -> usize {
    let handed_out =
        list_lines(db, Where::ChatbotsOf(agent)).and_then(|lines| hand_out(db, lines, now));
    or_left_to_the_job(handed_out)
}

/// Hands out what waits for anyone in `chatbot`, oldest first, while someone has a free slot (RO-04). Returns
/// how many moved; a failure leaves them to [`hand_out_waiting`].
pub(super) fn hand_out_in(db: &mut Db, chatbot: ChatbotId, now: DateTime<Utc>) -> usize {
    let handed_out = list_lines(db, Where::In(chatbot)).and_then(|lines| hand_out(db, lines, now));
    or_left_to_the_job(handed_out)
}

/// Gives the tickets that were just opened, and committed, to whom they belong: the agent they answer (RO-01,
/// RO-02), else whoever has a free slot (RO-04). Returns how many; a failure leaves them to
/// [`hand_out_waiting`].
pub(crate) fn hand_out_opened(db: &mut Db, opened: &[TicketId], now: DateTime<Utc>) -> usize {
    let each = |db: &mut Db| {
        opened
            .iter()
            .try_fold(0, |moved, ticket| Ok(moved + usize::from(hand_out_one(db, *ticket, now)?)))
    };
    // On SQLite nobody else writes meanwhile, and one commit is cheaper than many.
    let moved = if opened.len() > 1 && db.is_sqlite() { db.write(each) } else { each(db) };
    or_left_to_the_job(moved)
}

/// Gives one ticket to whom it belongs; whether it went into *In progress*.
fn hand_out_one(
    db: &mut Db,
    ticket: TicketId,
    now: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    let only_agent: Option<i64> =
        tickets::table.find(ticket.0).select(tickets::only_agent_id).first(db)?;
    if let Some(agent) = only_agent
        && move_one(db, ticket, UserId(agent), now)? == Move::ToAgent
    {
        return Ok(true);
    }
    Ok(matches!(give(db, ticket, now)?, Given::ToAgent))
}

/// Hands out what waits though someone could serve it: the safety net behind every change of presence,
/// team or slots, and behind whoever was disabled. Returns how many tickets moved.
///
/// # Errors
/// When the database fails; what was handed out until then stays so.
pub fn hand_out_waiting(db: &mut Db, now: DateTime<Utc>) -> Result<usize, PersistenceError> {
    let left_behind = leave::release_of_disabled(db)?;
    let referred = list_referred(db, None)?;
    let moved = move_referred(db, &referred, now)?;
    let lines = list_lines(db, Where::Anywhere)?;
    Ok(left_behind + moved.to_agent + hand_out(db, lines, now)?)
}

pub(super) fn or_left_to_the_job(moved: Result<usize, PersistenceError>) -> usize {
    moved.unwrap_or_else(|error| {
        tracing::warn!(error = %error, "could not hand out all that waits; the next look does");
        0
    })
}

/// Tickets of one chatbot that wait for one agent alone.
#[derive(Debug, Clone, Copy, Queryable)]
struct Referred {
    chatbot_id: i64,
    agent_id: Option<i64>,
    /// Since when the first of them waits.
    since: Option<Instant>,
}

/// In which chatbots tickets wait for one agent alone; for `agent`, or for whomever.
fn list_referred(db: &mut Db, agent: Option<UserId>) -> Result<Vec<Referred>, PersistenceError> {
    let mut waiting = tickets::table
        .filter(tickets::state.eq(TicketState::Waiting.as_str()))
        .filter(tickets::only_agent_id.is_not_null())
        .group_by((tickets::chatbot_id, tickets::only_agent_id))
        .select((tickets::chatbot_id, tickets::only_agent_id, min(tickets::opened_at)))
        .order((tickets::chatbot_id.asc(), tickets::only_agent_id.asc()))
        .into_boxed();
    if let Some(agent) = agent {
        waiting = waiting.filter(tickets::only_agent_id.eq(agent.0));
    }
    Ok(waiting.load(db)?)
}

/// How many tickets that waited for one agent alone went where.
#[derive(Debug, Clone, Copy, Default)]
struct Moved {
    /// Into *In progress*, at that agent.
    to_agent: usize,
    /// To wait for anyone.
    released: usize,
}

/// Moves what waits for one agent alone as that agent's presence and membership say, and how long it waits
/// (RO-02).
fn move_referred(
    db: &mut Db,
    referred: &[Referred],
    now: DateTime<Utc>,
) -> Result<Moved, PersistenceError> {
    let mut moved = Moved::default();
    for line in referred {
        let (chatbot, Some(agent)) = (ChatbotId(line.chatbot_id), line.agent_id.map(UserId)) else {
            continue;
        };
        let since = line.since.map_or(now, DateTime::from);
        if what_waits_for(db, chatbot, agent, since, now)? == WaitingTickets::WaitOn {
            continue;
        }
        let waiting: Vec<i64> = tickets::table
            .filter(tickets::only_agent_id.eq(agent.0))
            .filter(tickets::chatbot_id.eq(chatbot.0))
            .filter(tickets::state.eq(TicketState::Waiting.as_str()))
            .order((tickets::opened_at.asc(), tickets::id.asc()))
            .select(tickets::id)
            .load(db)?;
        for ticket in waiting {
            match move_one(db, TicketId(ticket), agent, now)? {
                Move::ToAgent => moved.to_agent += 1,
                Move::Released => moved.released += 1,
                Move::None => {}
            }
        }
    }
    Ok(moved)
}

fn what_waits_for(
    db: &mut Db,
    chatbot: ChatbotId,
    agent: UserId,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<WaitingTickets, PersistenceError> {
    let as_they_are = sending_agent(db, chatbot, agent, now)?;
    Ok(routing::what_becomes_of(as_they_are, referral_rules(db, chatbot)?, since, now))
}

/// What became of a ticket that waited for one agent alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Move {
    /// That agent serves it.
    ToAgent,
    /// It waits for anyone.
    Released,
    /// It waits on, or waited for that agent no more.
    None,
}

/// Moves one ticket that waits for `agent` alone.
fn move_one(
    db: &mut Db,
    ticket: TicketId,
    agent: UserId,
    now: DateTime<Utc>,
) -> Result<Move, PersistenceError> {
    db.write(|db| {
        let ticket = lock(db, ticket)?;
        if !ticket.waits() || ticket.holding.only_agent != Some(agent) {
            return Ok(Move::None);
        }
        let locked = lock_agent(db, agent)?;
        match what_waits_for(db, ticket.chatbot, agent, ticket.opened_at, now)? {
            WaitingTickets::MoveToInProgress => {
                let is_assigned = assign(db, ticket.id, locked, now)?;
                Ok(if is_assigned { Move::ToAgent } else { Move::None })
            }
            WaitingTickets::Release => leave::release(db, &ticket).map(|()| Move::Released),
            WaitingTickets::WaitOn => Ok(Move::None),
        }
    })
}

/// In which chatbots is looked for what waits.
#[derive(Debug, Clone, Copy)]
enum Where {
    Anywhere,
    ChatbotsOf(UserId),
    In(ChatbotId),
}

/// Where something waits for anyone: chatbots with their queues, or without one.
fn list_lines(db: &mut Db, place: Where) -> Result<Vec<Line>, PersistenceError> {
    let mut lines = tickets::table
        .filter(tickets::state.eq(TicketState::Waiting.as_str()))
        .filter(tickets::only_agent_id.is_null())
        .select((tickets::chatbot_id, tickets::queue_id))
        .distinct()
        .into_boxed();
    match place {
        Where::Anywhere => {}
        Where::ChatbotsOf(agent) => {
            let theirs = memberships::table
                .filter(memberships::user_id.eq(agent.0))
                .select(memberships::chatbot_id);
            lines = lines.filter(tickets::chatbot_id.eq_any(theirs));
        }
        Where::In(chatbot) => lines = lines.filter(tickets::chatbot_id.eq(chatbot.0)),
    }
    Ok(lines.load(db)?)
}

/// A chatbot and one of its queues, in which tickets wait.
#[derive(Debug, Clone, Copy, Queryable)]
struct Line {
    chatbot_id: i64,
    queue_id: Option<i64>,
}

/// The ticket of a line whose turn is next.
#[derive(Debug, Clone, Copy)]
struct Head {
    line: Line,
    ticket: TicketId,
    opened_at: Instant,
}

/// Hands out the tickets of `lines`, the oldest of all first, while someone has a slot for it.
fn hand_out(db: &mut Db, lines: Vec<Line>, now: DateTime<Utc>) -> Result<usize, PersistenceError> {
    let mut heads = Vec::new();
    for line in lines {
        heads.extend(find_head(db, line)?);
    }
    let mut handed_out = 0;
    while let Some(next) = position_of_oldest(&heads) {
        let head = heads.swap_remove(next);
        match give(db, head.ticket, now)? {
            Given::ToAgent => handed_out += 1,
            Given::Elsewhere => {}
            Given::ToNobody => continue,
        }
        heads.extend(find_head(db, head.line)?);
    }
    Ok(handed_out)
}

fn position_of_oldest(heads: &[Head]) -> Option<usize> {
    let places = heads.iter().enumerate();
    places.min_by_key(|(_, head)| (head.opened_at, head.ticket)).map(|(place, _)| place)
}

/// The oldest ticket that waits for anyone in `line`.
fn find_head(db: &mut Db, line: Line) -> Result<Option<Head>, PersistenceError> {
    let waiting = tickets::table
        .filter(tickets::chatbot_id.eq(line.chatbot_id))
        .filter(tickets::state.eq(TicketState::Waiting.as_str()))
        .filter(tickets::only_agent_id.is_null())
        .order((tickets::opened_at.asc(), tickets::id.asc()))
        .select((tickets::id, tickets::opened_at))
        .into_boxed();
    let of_line = match line.queue_id {
        Some(queue) => waiting.filter(tickets::queue_id.eq(queue)),
        None => waiting.filter(tickets::queue_id.is_null()),
    };
    let head: Option<(i64, Instant)> = of_line.first(db).optional()?;
    Ok(head.map(|(ticket, opened_at)| Head { line, ticket: TicketId(ticket), opened_at }))
}

/// What became of a ticket that was to be given to someone.
enum Given {
    /// An agent has it.
    ToAgent,
    /// It waits no more for anyone: it was taken, closed, or kept for one agent.
    Elsewhere,
    /// Nobody who serves its queue has a free slot.
    ToNobody,
}

fn give(db: &mut Db, ticket: TicketId, now: DateTime<Utc>) -> Result<Given, PersistenceError> {
    db.write(|db| {
        let ticket = lock(db, ticket)?;
        if !ticket.waits() || ticket.holding.only_agent.is_some() {
            return Ok(Given::Elsewhere);
        }
        let service = queue_service(db, ticket.chatbot, ticket.queue, now)?;
        match claim_slot(db, ticket.chatbot, &service, now)? {
            Some(agent) => assign(db, ticket.id, agent, now).map(|_| Given::ToAgent),
            None => Ok(Given::ToNobody),
        }
    })
}

impl LockedTicket {
    fn waits(&self) -> bool {
        self.holding.state == TicketState::Waiting
    }
}
