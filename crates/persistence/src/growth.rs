//! Growth: every active message there is, with search, filters, history and the decision that admitted it
//! (LI-07).

mod choices;
mod detail;
mod list;
mod row;
mod state;
#[cfg(test)]
mod tests;

use domain::{ids::ChatbotId, permission::Permission};

pub use self::{
    choices::{SendChoices, list_choices},
    detail::{SendDecision, SendDetail, get_send},
    list::{SendCursor, SendFilter, list_sends},
    row::{SendRow, Sender},
};
use crate::{error::PersistenceError, user::Actor};

/// The chatbots whose growth is asked for and may be seen.
fn chatbots_seen(actor: &Actor, asked: Option<ChatbotId>) -> Result<Vec<i64>, PersistenceError> {
    if let Some(chatbot) = asked {
        actor.require(chatbot, Permission::ViewGrowth)?;
        return Ok(vec![chatbot.0]);
    }
    let seen = actor.chatbots_where(Permission::ViewGrowth);
    if seen.is_empty() {
        return Err(PersistenceError::Denied);
    }
    Ok(seen.into_iter().map(|chatbot| chatbot.0).collect())
}
