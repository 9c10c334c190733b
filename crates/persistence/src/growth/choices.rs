//! What the filters of the list offer.

use std::collections::BTreeMap;

use diesel::prelude::*;
use domain::ids::{ChatbotId, TemplateId, UserId};

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
    /// Their templates, by name, language and chatbot.
    pub templates: Vec<TemplateChoice>,
}

/// A template to filter by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateChoice {
    /// Which.
    pub id: TemplateId,
    /// Its name.
    pub name: String,
    /// Its language, as the platform writes it.
    pub language: String,
    /// The chatbots that may send it, by name; they share the account it belongs to.
    pub chatbots: Vec<String>,
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

fn list_templates(db: &mut Db, seen: &[i64]) -> Result<Vec<TemplateChoice>, PersistenceError> {
    let accounts: Vec<(String, String)> = channels::table
        .inner_join(chatbots::table)
        .filter(channels::chatbot_id.eq_any(seen))
        .select((channels::account_id, chatbots::name))
        .distinct()
        .load(db)?;
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (account, chatbot) in accounts {
        owners.entry(account).or_default().push(chatbot);
    }
    let templates: Vec<(i64, String, String, String)> = message_templates::table
        .filter(message_templates::account_id.eq_any(owners.keys()))
        .order((
            message_templates::name.asc(),
            message_templates::language.asc(),
            message_templates::id.asc(),
        ))
        .select((
            message_templates::id,
            message_templates::name,
            message_templates::language,
            message_templates::account_id,
        ))
        .load(db)?;
    for chatbots in owners.values_mut() {
        chatbots.sort();
    }
    let choice = |(id, name, language, account): (i64, String, String, String)| TemplateChoice {
        id: TemplateId(id),
        name,
        language,
        chatbots: owners.get(&account).cloned().unwrap_or_default(),
    };
    Ok(templates.into_iter().map(choice).collect())
}
