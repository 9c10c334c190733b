//! Queues: where tickets wait, and who serves them.

use diesel::{ExpressionMethods, QueryDsl, RunQueryDsl};
use domain::ids::{ChatbotId, QueueId, UserId};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    schema::{queue_agents, queues},
};

/// Makes a queue of `chatbot`; the one with the lowest position takes what no rule sends elsewhere (RO-04).
///
/// # Errors
/// When the database fails.
pub fn create(
    db: &mut Db,
    chatbot: ChatbotId,
    name: &str,
    position: i64,
) -> Result<QueueId, PersistenceError> {
    let id: i64 = on_either!(db => diesel::insert_into(queues::table)
        .values((
            queues::chatbot_id.eq(chatbot.0),
            queues::name.eq(name),
            queues::position.eq(position),
        ))
        .returning(queues::id)
        .get_result(db))?;
    Ok(QueueId(id))
}

/// Lets `agents` serve `queue`, and nobody else.
///
/// # Errors
/// When the database fails.
pub fn set_agents(db: &mut Db, queue: QueueId, agents: &[UserId]) -> Result<(), PersistenceError> {
    db.write(|db| {
        diesel::delete(queue_agents::table.filter(queue_agents::queue_id.eq(queue.0)))
            .execute(db)?;
        for agent in agents {
            diesel::insert_into(queue_agents::table)
                .values((queue_agents::queue_id.eq(queue.0), queue_agents::user_id.eq(agent.0)))
                .execute(db)?;
        }
        Ok(())
    })
}

/// The queues `agent` serves, by id.
///
/// # Errors
/// When the database fails.
pub fn list_served(db: &mut Db, agent: UserId) -> Result<Vec<QueueId>, PersistenceError> {
    let ids: Vec<i64> = queue_agents::table
        .filter(queue_agents::user_id.eq(agent.0))
        .order(queue_agents::queue_id.asc())
        .select(queue_agents::queue_id)
        .load(db)?;
    Ok(ids.into_iter().map(QueueId).collect())
}
