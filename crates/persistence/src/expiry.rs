//! Active messages whose time has come: Expired after the response window, off the desk 48 h later
//! (LI-04, LI-05, LI-07, LI-08). Pages filter by instant themselves; this only keeps the rows tidy.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState,
    ids::{ChatbotId, MessageId, NumberId},
};

use crate::{
    db::Db,
    delivery,
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    number,
    schema::active_messages,
};

/// Folds anew what waited for a reply until `now`, at most `limit`, oldest first. Returns how many. Takes the
/// locks of their numbers first, as whoever folds messages does, so that it waits for webhooks and never the
/// other way round.
///
/// Served by the index on `(state, expires_at)`.
pub fn expire(db: &mut Db, limit: i64, now: DateTime<Utc>) -> Result<usize, PersistenceError> {
    let waiting = [
        ActiveMessageState::Sent.as_str(),
        ActiveMessageState::Delivered.as_str(),
        ActiveMessageState::Read.as_str(),
    ];
    db.write(|db| {
        let due: Vec<(i64, i64)> = active_messages::table
            .filter(active_messages::state.eq_any(waiting))
            .filter(active_messages::expires_at.le(Instant::from(now)))
            .order((active_messages::expires_at.asc(), active_messages::message_id.asc()))
            .limit(limit)
            .select((active_messages::number_id, active_messages::message_id))
            .load(db)?;
        let numbers: BTreeSet<i64> = due.iter().map(|(number, _)| *number).collect();
        for number in numbers {
            number::lock(db, NumberId(number))?;
        }
        for (_, message) in &due {
            delivery::refold(db, MessageId(*message), now)?;
        }
        Ok(due.len())
    })
}

/// Tells open desks of rows that left *Sent* after `since` (exclusive) and until `now` (inclusive), so
/// that they vanish without a reload. Returns how many rows.
pub fn tell_of_unlisted(
    db: &mut Db,
    since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<usize, PersistenceError> {
    db.write(|db| {
        let unlisted: Vec<(i64, i64)> = active_messages::table
            .filter(active_messages::listed_until.gt(Instant::from(since)))
            .filter(active_messages::listed_until.le(Instant::from(now)))
            .filter(active_messages::state.ne(ActiveMessageState::Replied.as_str()))
            .select((active_messages::chatbot_id, active_messages::message_id))
            .load(db)?;
        let mut chatbots: Vec<i64> = unlisted.iter().map(|(chatbot, _)| *chatbot).collect();
        chatbots.sort_unstable();
        chatbots.dedup();
        for chatbot in chatbots {
            let chatbot = Some(ChatbotId(chatbot));
            live::note(db, LiveEvent { chatbot, ..LiveEvent::of_all(LiveKind::ActiveMessage, 0) });
        }
        Ok(unlisted.len())
    })
}
