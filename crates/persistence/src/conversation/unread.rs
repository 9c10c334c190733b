//! How many conversations wait to be looked at, for the badge beside *Conversations*.

use diesel::prelude::*;

use super::list::{served_by, takeable_by};
use crate::{db::Db, error::PersistenceError, number::count, schema::tickets, user::Actor};

/// How many open tickets `actor` serves, or may take, hold messages nobody has looked at. Tickets that others
/// serve are not among them, also for someone who sees all: only whoever serves one looks at it.
///
/// Served by the indexes on `(agent_id, state, …)` and `(chatbot_id, state, …)`.
///
/// # Errors
/// When the database fails.
pub fn count_unread(db: &mut Db, actor: &Actor) -> Result<u32, PersistenceError> {
    let served: i64 = tickets::table
        .filter(served_by(actor))
        .filter(tickets::unread.gt(0))
        .count()
        .get_result(db)?;
    let takeable = takeable_by(db, actor)?;
    let waiting: i64 =
        tickets::table.filter(takeable).filter(tickets::unread.gt(0)).count().get_result(db)?;
    count("tickets", served + waiting)
}
