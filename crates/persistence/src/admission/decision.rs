//! The decision log: what admission saw and said, kept so that it can be asked again (AD-01).

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    admission::{self, Admission, Facts, Refusal, RefusalCode},
    ids::{ChatbotId, ContactId, DecisionId, NumberId, PolicyId, UserId},
    permission::Permission,
};

use super::{
    draft::{Door, Draft},
    facts::Gathered,
    locked::Locked,
};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::decisions,
    user::Actor,
};

mod body;

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Its id.
    pub id: DecisionId,
    /// When it was taken: the `now` of the rules.
    pub at: DateTime<Utc>,
    /// The chatbot it was taken in.
    pub chatbot: ChatbotId,
    /// `None` when the recipient was no contact yet.
    pub contact: Option<ContactId>,
    /// The agent it was asked for; `None` for a token without one.
    pub agent: Option<UserId>,
    /// `None` for a channel without a number.
    pub number: Option<NumberId>,
    /// The policy version it was taken under.
    pub policy: PolicyId,
    /// Where it was asked for.
    pub door: Door,
    /// Empty when it was allowed.
    pub codes: Vec<RefusalCode>,
    /// From when the whole send may go; `None` when waiting does not help.
    pub until: Option<DateTime<Utc>>,
    /// What was seen.
    pub facts: Facts,
}

impl Decision {
    /// What the rules say of the same facts at the same instant today.
    pub fn ask_again(&self) -> Admission {
        admission::admit(&self.facts, self.at)
    }
}

/// Writes one line.
pub(super) fn log(
    db: &mut Db,
    draft: &Draft,
    locked: &Locked,
    gathered: &Gathered,
    reasons: &[Refusal],
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<DecisionId, PersistenceError> {
    let codes: Vec<&str> = reasons.iter().map(|reason| reason.code.as_str()).collect();
    let id: i64 = on_either!(db => diesel::insert_into(decisions::table)
        .values((
            decisions::at.eq(Instant::from(now)),
            decisions::chatbot_id.eq(locked.chatbot.0),
            decisions::contact_id.eq(locked.contact.as_ref().map(|contact| contact.id)),
            decisions::agent_id.eq(gathered.sender.agent.map(|agent| agent.0)),
            decisions::number_id.eq(locked.number.as_ref().map(|number| number.id)),
            decisions::policy_id.eq(gathered.policy.0),
            decisions::door.eq(draft.door.as_str()),
            decisions::allowed.eq(reasons.is_empty()),
            decisions::codes.eq(codes.join(" ")),
            decisions::until.eq(until.map(Instant::from)),
            decisions::facts.eq(body::write(&gathered.facts)?),
        ))
        .returning(decisions::id)
        .get_result(db))?;
    Ok(DecisionId(id))
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = decisions)]
struct DecisionRow {
    id: i64,
    at: Instant,
    chatbot_id: i64,
    contact_id: Option<i64>,
    agent_id: Option<i64>,
    number_id: Option<i64>,
    policy_id: i64,
    door: String,
    codes: String,
    until: Option<Instant>,
    facts: String,
}

/// `id`, for who may read the decisions of its chatbot.
///
/// # Errors
/// `NotFound` outside the team, `Denied` inside without *read decisions*.
pub fn get(db: &mut Db, actor: &Actor, id: DecisionId) -> Result<Decision, PersistenceError> {
    let row: DecisionRow =
        decisions::table.find(id.0).select(DecisionRow::as_select()).first(db)?;
    actor.require(ChatbotId(row.chatbot_id), Permission::ReadDecisions)?;
    row.try_into()
}

impl TryFrom<DecisionRow> for Decision {
    type Error = PersistenceError;

    fn try_from(row: DecisionRow) -> Result<Self, PersistenceError> {
        let parse = |word: &str| {
            RefusalCode::parse(word)
                .ok_or_else(|| PersistenceError::unreadable("decisions", "codes", word))
        };
        Ok(Self {
            id: DecisionId(row.id),
            at: row.at.into(),
            chatbot: ChatbotId(row.chatbot_id),
            contact: row.contact_id.map(ContactId),
            agent: row.agent_id.map(UserId),
            number: row.number_id.map(NumberId),
            policy: PolicyId(row.policy_id),
            door: Door::parse(&row.door)
                .ok_or_else(|| PersistenceError::unreadable("decisions", "door", row.door))?,
            codes: row.codes.split_whitespace().map(parse).collect::<Result<_, _>>()?,
            until: row.until.map(DateTime::from),
            facts: body::read(&row.facts)?,
        })
    }
}
