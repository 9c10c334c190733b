//! The tab *Waiting*: tickets nobody serves yet, whoever waits longest first.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{ids::TicketId, permission::Permission, ticket::TicketState};

use super::{
    list::{Condition, TicketRow, ids, is_for, is_found, read_tickets},
    people::Search,
};
use crate::{db::Db, error::PersistenceError, instant::Instant, schema::tickets, user::Actor};

/// Rows of the tab, from its first on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingPage {
    /// Whoever waits longest first.
    pub rows: Vec<TicketRow>,
    /// The ticket of the last row, to go on from; `None` when no more rows follow.
    pub more_after: Option<TicketId>,
}

/// How many rows a page goes on by.
const PAGE_ROWS: usize = 100;

/// The waiting tickets that `actor` may see, in the order in which they are handed out: 100 rows, or with
/// `through` all down to that ticket, which someone may serve by now, and 100 more. With something `typed`
/// those whose contact's name or number begins so, whose messages hold it, or whose protocol number it is.
///
/// Served by the index on `(state, opened_at)`, walked no further than what is shown.
///
/// # Errors
/// When the database fails.
pub fn list_waiting(
    db: &mut Db,
    actor: &Actor,
    typed: &str,
    through: Option<TicketId>,
    now: DateTime<Utc>,
) -> Result<WaitingPage, PersistenceError> {
    let search = Search::of(db, actor, typed)?;
    let longest = |db: &mut Db, part: Option<Condition>, limit: Option<i64>| {
        let mut longest = tickets::table.filter(is_listed(db, actor)?).into_boxed();
        if let Some(search) = &search {
            longest = longest.filter(is_found(search));
        }
        if let Some(part) = part {
            longest = longest.filter(part);
        }
        if let Some(limit) = limit {
            longest = longest.limit(limit);
        }
        let longest = longest.order((tickets::opened_at.asc(), tickets::id.asc()));
        Ok::<Vec<i64>, PersistenceError>(longest.select(tickets::id).load(db)?)
    };
    let place = match through {
        Some(through) => find_place(db, actor, through)?,
        None => None,
    };
    let limit = Some(i64::try_from(PAGE_ROWS + 1).unwrap_or(i64::MAX));
    let (mut shown, mut next) = match place {
        Some(place) => (
            longest(db, Some(is_down_to(place)), None)?,
            longest(db, Some(is_below(place)), limit)?,
        ),
        None => (Vec::new(), longest(db, None, limit)?),
    };
    let has_more = PAGE_ROWS < next.len();
    next.truncate(PAGE_ROWS);
    shown.append(&mut next);
    let more_after = shown.last().filter(|_| has_more).map(|ticket| TicketId(*ticket));
    Ok(WaitingPage { rows: read_tickets(db, &shown, now)?, more_after })
}

/// What the tab lists for `actor`: with *see all tickets* whatever waits in the chatbot, else what is for
/// them to take.
fn is_listed(db: &mut Db, actor: &Actor) -> Result<Condition, PersistenceError> {
    let all = ids(actor.chatbots_where(Permission::SeeAllTickets));
    let is_for = is_for(db, actor)?;
    // The sum keeps the planners from reading all that waits in some chatbots to sort it: walking the index
    // in the order of the list finds the first rows at once.
    let is_in_team = (tickets::chatbot_id + 0).eq_any(ids(actor.chatbots()));
    let waits = tickets::state.eq(TicketState::Waiting.as_str()).and(is_in_team);
    Ok(match all.is_empty() {
        true => Box::new(waits.and(is_for)),
        false => Box::new(waits.and(tickets::chatbot_id.eq_any(all).or(is_for))),
    })
}

/// Where a ticket stands in the order of the tab; `None` when it is in none of the actor's chatbots.
fn find_place(
    db: &mut Db,
    actor: &Actor,
    ticket: TicketId,
) -> Result<Option<(Instant, i64)>, PersistenceError> {
    let place = tickets::table
        .filter(tickets::id.eq(ticket.0))
        .filter(tickets::chatbot_id.eq_any(ids(actor.chatbots())))
        .select((tickets::opened_at, tickets::id))
        .first(db)
        .optional()?;
    Ok(place)
}

/// Whether a ticket stands below `place`.
fn is_below((at, ticket): (Instant, i64)) -> Condition {
    let is_later = tickets::opened_at.gt(at).or(tickets::id.gt(ticket));
    Box::new(tickets::opened_at.ge(at).and(is_later))
}

/// Whether a ticket stands at `place` or above it.
fn is_down_to((at, ticket): (Instant, i64)) -> Condition {
    let is_earlier = tickets::opened_at.lt(at).or(tickets::id.le(ticket));
    Box::new(tickets::opened_at.le(at).and(is_earlier))
}
