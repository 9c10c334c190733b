//! What the filters of the list offer.

use diesel::prelude::*;
use domain::ids::{ChatbotId, UserId};

use super::chatbots_seen;
use crate::{
    db::Db,
    error::PersistenceError,
    schema::{channels, chatbots, memberships, message_templates, users},
    user::Actor,
};

/// What the filters offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendChoices {
    /// Chatbots whose growth may be seen, by name.
    pub chatbots: Vec<(ChatbotId, String)>,
    /// Who is in their teams, by name.
    pub agents: Vec<(UserId, String)>,
    /// The names of their templates, in order: one for all its languages and accounts.
    pub templates: Vec<String>,
}

/// What the filters of `actor` offer.
///
/// # Errors
/// `Denied` without *view growth* in any chatbot.
pub fn list_choices(db: &mut Db, actor: &Actor) -> Result<SendChoices, PersistenceError> {
    let seen = chatbots_seen(actor, None)?;
    let bots: Vec<(i64, String)> = chatbots::table
        .filter(chatbots::id.eq_any(&seen))
        .order((chatbots::name.asc(), chatbots::id.asc()))
        .select((chatbots::id, chatbots::name))
        .load(db)?;
    let team = memberships::table
        .filter(memberships::chatbot_id.eq_any(&seen))
        .select(memberships::user_id);
    let agents: Vec<(i64, String)> = users::table
        .filter(users::id.eq_any(team))
        .order((users::name.asc(), users::id.asc()))
        .select((users::id, users::name))
        .load(db)?;
    Ok(SendChoices {
        chatbots: bots.into_iter().map(|(id, name)| (ChatbotId(id), name)).collect(),
        agents: agents.into_iter().map(|(id, name)| (UserId(id), name)).collect(),
        templates: list_templates(db, &seen)?,
    })
}

fn list_templates(db: &mut Db, seen: &[i64]) -> Result<Vec<String>, PersistenceError> {
    let accounts =
        channels::table.filter(channels::chatbot_id.eq_any(seen)).select(channels::account_id);
    Ok(message_templates::table
        .filter(message_templates::account_id.eq_any(accounts))
        .order(message_templates::name.asc())
        .select(message_templates::name)
        .distinct()
        .load(db)?)
}
