//! How sends stand at an instant, as a condition of a query: the same as a row shows (LI-08).

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{prelude::*, sql_types::Bool};
use domain::active_message::ActiveMessageState;

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    policy,
    schema::{active_messages, channels, numbers, policies},
};

type Backend = <Db as Connection>::Backend;
type Condition = Box<dyn BoxableExpression<active_messages::table, Backend, SqlType = Bool>>;

/// Whether few sends have this state at a time, so that they are best found by it.
pub(super) fn is_of_few(state: ActiveMessageState) -> bool {
    match state {
        ActiveMessageState::Scheduled
        | ActiveMessageState::Sending
        | ActiveMessageState::Cancelled => true,
        ActiveMessageState::Sent
        | ActiveMessageState::Delivered
        | ActiveMessageState::Read
        | ActiveMessageState::Replied
        | ActiveMessageState::Failed
        | ActiveMessageState::Expired => false,
    }
}

/// The sends of `chatbots` that stand as `state` at `now`, however late the jobs are that note it: what
/// [`ActiveMessageState::at`] says of each.
pub(super) fn stands_as(
    db: &mut Db,
    chatbots: &[i64],
    state: ActiveMessageState,
    now: DateTime<Utc>,
) -> Result<Condition, PersistenceError> {
    let now_stored = Instant::from(now);
    let is_over = active_messages::expires_at.le(now_stored);
    // Where many have the state, putting it into an expression keeps the planners from its index, which
    // they would have to sort.
    let noted = active_messages::state.concat("");
    Ok(match state {
        ActiveMessageState::Scheduled | ActiveMessageState::Cancelled => {
            Box::new(active_messages::state.eq(state.as_str()))
        }
        ActiveMessageState::Sending => {
            let sending = active_messages::state.eq(state.as_str());
            match out_of_time(db, chatbots, now)? {
                Some(late) => Box::new(sending.and(diesel::dsl::not(late))),
                None => Box::new(sending),
            }
        }
        ActiveMessageState::Failed => {
            let failed = noted.eq(state.as_str());
            match out_of_time(db, chatbots, now)? {
                Some(late) => {
                    let sending = ActiveMessageState::Sending.as_str();
                    Box::new(failed.or(noted.eq(sending).and(late)))
                }
                None => Box::new(failed),
            }
        }
        ActiveMessageState::Expired => {
            let answerable =
                [ActiveMessageState::Sent, ActiveMessageState::Delivered, ActiveMessageState::Read];
            let answerable = noted.eq_any(answerable.map(ActiveMessageState::as_str));
            Box::new(noted.eq(state.as_str()).or(answerable.and(is_over)))
        }
        ActiveMessageState::Sent | ActiveMessageState::Delivered | ActiveMessageState::Read => {
            let is_open = active_messages::expires_at.gt(now_stored);
            Box::new(noted.eq(state.as_str()).and(is_open))
        }
        ActiveMessageState::Replied => Box::new(noted.eq(state.as_str())),
    })
}

/// The sends triggered so long ago that they are never sent any more, each by the policy of its number
/// (LI-04); `None` where there are no numbers.
fn out_of_time(
    db: &mut Db,
    chatbots: &[i64],
    now: DateTime<Utc>,
) -> Result<Option<Condition>, PersistenceError> {
    let rows: Vec<(i64, i64, String)> = numbers::table
        .inner_join(channels::table)
        .inner_join(policies::table)
        .filter(channels::chatbot_id.eq_any(chatbots))
        .select((numbers::id, policies::id, policies::body))
        .load(db)?;
    let mut by_policy: BTreeMap<i64, (String, Vec<i64>)> = BTreeMap::new();
    for (number, policy, body) in rows {
        by_policy.entry(policy).or_insert_with(|| (body, Vec::new())).1.push(number);
    }
    let mut late: Option<Condition> = None;
    for (body, numbers) in by_policy.into_values() {
        let deadline = policy::read_body(&body)?.active_messages.send_deadline;
        let until = Instant::from(now - deadline);
        let of_policy =
            active_messages::number_id.eq_any(numbers).and(active_messages::queued_at.le(until));
        late = Some(match late {
            Some(others) => Box::new(others.or(of_policy)),
            None => Box::new(of_policy),
        });
    }
    Ok(late)
}
