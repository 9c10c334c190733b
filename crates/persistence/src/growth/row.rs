//! One send as a row of the list.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState, delivery::Failure, ids::MessageId, phone::PhoneNumber,
    policy::Policy,
};

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    policy,
    schema::{
        active_messages, api_tokens, chatbots, contacts, message_templates, messages, numbers,
        policies, users,
    },
};

/// One send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendRow {
    /// Which.
    pub message: MessageId,
    /// When it was triggered.
    pub at: DateTime<Utc>,
    /// The chatbot's name.
    pub chatbot: String,
    /// The contact's name; empty when unknown.
    pub contact: String,
    /// The contact's number; `None` for people known by another identity.
    pub phone: Option<PhoneNumber>,
    /// The agent, else the API token it was sent by.
    pub sender: Sender,
    /// The template's name.
    pub template: String,
    /// The template's language, as the platform writes it.
    pub language: String,
    /// The number it went from, in E.164 form.
    pub number: String,
    /// How it stands, judged by the instant and not by when a job ran (LI-08).
    pub state: ActiveMessageState,
    /// Why it failed; `None` unless it did.
    pub failure_code: Option<String>,
}

/// Who sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// An agent, by name.
    Agent(String),
    /// A token of the API without an agent, by name.
    Token(String),
    /// Neither is known.
    Unknown,
}

#[derive(Queryable)]
struct Row {
    message_id: i64,
    queued_at: Instant,
    expires_at: Instant,
    state: String,
    agent: Option<String>,
    token: Option<String>,
    chatbot: String,
    contact: String,
    phone: Option<String>,
    template: String,
    language: String,
    number: String,
    policy_id: i64,
    policy: String,
    failure_code: Option<String>,
}

/// The sends `ids`, the latest first.
pub(super) fn load_rows(
    db: &mut Db,
    ids: &[i64],
    now: DateTime<Utc>,
) -> Result<Vec<SendRow>, PersistenceError> {
    let rows: Vec<Row> = active_messages::table
        .inner_join(messages::table)
        .inner_join(contacts::table)
        .inner_join(chatbots::table)
        .inner_join(message_templates::table)
        .inner_join(numbers::table.inner_join(policies::table))
        .left_join(users::table)
        .left_join(api_tokens::table)
        .filter(active_messages::message_id.eq_any(ids))
        .order((active_messages::queued_at.desc(), active_messages::message_id.desc()))
        .select((
            active_messages::message_id,
            active_messages::queued_at,
            active_messages::expires_at,
            active_messages::state,
            users::name.nullable(),
            api_tokens::name.nullable(),
            chatbots::name,
            contacts::name,
            contacts::phone,
            message_templates::name,
            message_templates::language,
            numbers::phone,
            policies::id,
            policies::body,
            messages::failure_code,
        ))
        .load(db)?;
    let mut known = BTreeMap::new();
    for row in &rows {
        if let Entry::Vacant(place) = known.entry(row.policy_id) {
            place.insert(policy::read_body(&row.policy)?);
        }
    }
    let default = Policy::default_profile();
    rows.into_iter()
        .map(|row| {
            let policy = known.get(&row.policy_id).map_or(&default, Arc::as_ref);
            read_row(row, policy, now)
        })
        .collect()
}

fn read_row(row: Row, policy: &Policy, now: DateTime<Utc>) -> Result<SendRow, PersistenceError> {
    let at = DateTime::from(row.queued_at);
    let stored = ActiveMessageState::parse(&row.state).ok_or_else(|| {
        PersistenceError::unreadable("active_messages", "state", row.state.as_str())
    })?;
    let state = stored.at(at, row.expires_at.into(), &policy.active_messages, now);
    let failure_code = match (state, stored) {
        (ActiveMessageState::Failed, ActiveMessageState::Failed) => row.failure_code,
        (ActiveMessageState::Failed, _) => Some(Failure::NotSentInTime.code().to_owned()),
        _ => None,
    };
    let phone = row.phone.map(|phone| {
        PhoneNumber::from_e164(&phone)
            .map_err(|_| PersistenceError::unreadable("contacts", "phone", "no E.164 number"))
    });
    Ok(SendRow {
        message: MessageId(row.message_id),
        at,
        chatbot: row.chatbot,
        contact: row.contact,
        phone: phone.transpose()?,
        sender: match (row.agent, row.token) {
            (Some(name), _) => Sender::Agent(name),
            (None, Some(name)) => Sender::Token(name),
            (None, None) => Sender::Unknown,
        },
        template: row.template,
        language: row.language,
        number: row.number,
        state,
        failure_code,
    })
}
