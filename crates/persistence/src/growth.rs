//! Growth: every active message there is, with search, filters, history and the decision that admitted it
//! (LI-07).

use std::collections::{BTreeMap, btree_map::Entry};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState,
    delivery::{DeliveryEvent, Failure},
    ids::{ChatbotId, DecisionId, MessageId, TemplateId, UserId},
    permission::Permission,
    phone::PhoneNumber,
    policy::Policy,
};

use crate::{
    admission::decision::{self, Decision},
    contact,
    db::Db,
    delivery,
    error::PersistenceError,
    instant::Instant,
    policy,
    schema::{
        active_messages, api_tokens, channels, chatbots, contacts, memberships, message_templates,
        messages, numbers, policies, users,
    },
    user::Actor,
};

/// Which sends are wanted; what is `None` or empty leaves nothing out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendFilter {
    /// Beginnings of the contact's name or number.
    pub contact: String,
    /// For whom they count.
    pub agent: Option<UserId>,
    /// The template.
    pub template: Option<TemplateId>,
    /// How they stand.
    pub state: Option<ActiveMessageState>,
    /// The chatbot.
    pub chatbot: Option<ChatbotId>,
    /// Triggered from then on, inclusive.
    pub since: Option<DateTime<Utc>>,
    /// Triggered before then, exclusive.
    pub before: Option<DateTime<Utc>>,
    /// Only those after this one in the list, which means older ones.
    pub after: Option<SendCursor>,
}

/// A place in the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SendCursor {
    /// When the send there was triggered.
    pub at: DateTime<Utc>,
    /// Which it is.
    pub message: MessageId,
}

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

/// What the filters offer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SendChoices {
    /// Chatbots whose growth may be seen, by name.
    pub chatbots: Vec<(ChatbotId, String)>,
    /// Who is in their teams, by name.
    pub agents: Vec<(UserId, String)>,
    /// Their templates with name and language, by both.
    pub templates: Vec<(TemplateId, String, String)>,
}

/// A send with its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendDetail {
    /// The send.
    pub row: SendRow,
    /// The text as it went out.
    pub body: String,
    /// Until when, exclusive, an answer belongs to it.
    pub expires_at: DateTime<Utc>,
    /// What happened to it, in the order in which it became known.
    pub events: Vec<DeliveryEvent>,
    /// The decision that admitted it; `None` for who may not read decisions.
    pub decision: Option<SendDecision>,
}

/// The decision that admitted a send, with the policy it was taken under.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendDecision {
    /// What was seen and said.
    pub decision: Decision,
    /// The policy's profile.
    pub policy: String,
    /// Its version.
    pub version: i64,
}

/// The most contacts a search looks through.
const MOST_CONTACTS: i64 = 500;

/// The sends `filter` leaves, the latest first, `most` at most.
///
/// A constant number of queries. Served by the indexes on `(queued_at, message_id)`, on
/// `(agent_id, queued_at, message_id)` and on `(contact_id, chatbot_id, queued_at)`.
///
/// # Errors
/// `Denied` without *view growth* in any chatbot; for a chatbot that is asked for, as
/// [`Actor::require`].
pub fn list_sends(
    db: &mut Db,
    actor: &Actor,
    filter: &SendFilter,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<SendRow>, PersistenceError> {
    let chatbots_seen = chatbots_seen(actor, filter.chatbot)?;
    let mut wanted = active_messages::table.into_boxed();
    wanted = match filter.chatbot {
        Some(chatbot) => wanted.filter(active_messages::chatbot_id.eq(chatbot.0)),
        // The sum keeps the planners from reading all sends of some chatbots to sort them: walking the
        // index in the order of the list finds the first rows at once.
        None => wanted.filter((active_messages::chatbot_id + 0).eq_any(chatbots_seen)),
    };
    if !filter.contact.trim().is_empty() {
        let found = contact::search(db, actor, filter.chatbot, &filter.contact, MOST_CONTACTS)?;
        let found: Vec<i64> = found.into_iter().map(|contact| contact.id.0).collect();
        wanted = wanted.filter(active_messages::contact_id.eq_any(found));
    }
    if let Some(agent) = filter.agent {
        wanted = wanted.filter(active_messages::agent_id.eq(agent.0));
    }
    if let Some(template) = filter.template {
        wanted = wanted.filter(active_messages::template_id.eq(template.0));
    }
    if let Some(since) = filter.since {
        wanted = wanted.filter(active_messages::queued_at.ge(Instant::from(since)));
    }
    if let Some(before) = filter.before {
        wanted = wanted.filter(active_messages::queued_at.lt(Instant::from(before)));
    }
    let (word, now_stored) = (active_messages::state, Instant::from(now));
    wanted = match filter.state {
        None => wanted,
        // The job may be late: a send is expired from its instant on (LI-08).
        Some(ActiveMessageState::Expired) => {
            let answerable = ["sent", "delivered", "read"];
            let is_over = active_messages::expires_at.le(now_stored);
            wanted.filter(word.eq("expired").or(word.eq_any(answerable).and(is_over)))
        }
        Some(
            state @ (ActiveMessageState::Sent
            | ActiveMessageState::Delivered
            | ActiveMessageState::Read),
        ) => wanted
            .filter(word.eq(state.as_str()))
            .filter(active_messages::expires_at.gt(now_stored)),
        Some(state) => wanted.filter(word.eq(state.as_str())),
    };
    if let Some(SendCursor { at, message }) = filter.after {
        let at = Instant::from(at);
        let is_later_in_list = active_messages::queued_at
            .lt(at)
            .or(active_messages::queued_at.eq(at).and(active_messages::message_id.lt(message.0)));
        wanted = wanted.filter(active_messages::queued_at.le(at)).filter(is_later_in_list);
    }
    let ids: Vec<i64> = wanted
        .order((active_messages::queued_at.desc(), active_messages::message_id.desc()))
        .limit(most)
        .select(active_messages::message_id)
        .load(db)?;
    load_rows(db, &ids, now)
}

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

fn load_rows(
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
            let policy = known.get(&row.policy_id).unwrap_or(&default);
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
    let accounts =
        channels::table.filter(channels::chatbot_id.eq_any(&seen)).select(channels::account_id);
    let templates: Vec<(i64, String, String)> = message_templates::table
        .filter(message_templates::account_id.eq_any(accounts))
        .order((
            message_templates::name.asc(),
            message_templates::language.asc(),
            message_templates::id.asc(),
        ))
        .select((message_templates::id, message_templates::name, message_templates::language))
        .load(db)?;
    Ok(SendChoices {
        chatbots: bots.into_iter().map(|(id, name)| (ChatbotId(id), name)).collect(),
        agents: agents.into_iter().map(|(id, name)| (UserId(id), name)).collect(),
        templates: templates
            .into_iter()
            .map(|(id, name, language)| (TemplateId(id), name, language))
            .collect(),
    })
}

/// The send `message` with its history.
///
/// # Errors
/// `NotFound` outside the team of its chatbot, `Denied` inside without *view growth*.
pub fn get_send(
    db: &mut Db,
    actor: &Actor,
    message: MessageId,
    now: DateTime<Utc>,
) -> Result<SendDetail, PersistenceError> {
    let (chatbot, decided_by, expires_at, body): (i64, i64, Instant, String) =
        active_messages::table
            .inner_join(messages::table)
            .filter(active_messages::message_id.eq(message.0))
            .select((
                active_messages::chatbot_id,
                active_messages::decision_id,
                active_messages::expires_at,
                messages::body,
            ))
            .first(db)?;
    let chatbot = ChatbotId(chatbot);
    actor.require(chatbot, Permission::ViewGrowth)?;
    let row = load_rows(db, &[message.0], now)?.pop().ok_or(PersistenceError::NotFound)?;
    let decision = if actor.may(chatbot, Permission::ReadDecisions) {
        find_decision(db, actor, DecisionId(decided_by))?
    } else {
        None
    };
    let events = delivery::list_events(db, message)?;
    Ok(SendDetail { row, body, expires_at: expires_at.into(), events, decision })
}

/// `None` when the log no longer holds it (JO-04).
fn find_decision(
    db: &mut Db,
    actor: &Actor,
    id: DecisionId,
) -> Result<Option<SendDecision>, PersistenceError> {
    let decision = match decision::get(db, actor, id) {
        Err(PersistenceError::NotFound) => return Ok(None),
        found => found?,
    };
    let (policy, version) = policies::table
        .find(decision.policy.0)
        .select((policies::profile, policies::version))
        .first(db)?;
    Ok(Some(SendDecision { decision, policy, version }))
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::{clock::Clock, permission::Role};

    use super::*;
    use crate::{
        admission::{Outcome, Recipient},
        given::Desk,
        test_support::on_both,
        user,
    };

    fn send(desk: &Desk, actor: &Actor, phone: &str) -> MessageId {
        let to = Recipient::Contact(desk.contact("Luísa Moreira", phone));
        let outcome = desk.send_as(actor, &desk.draft(to, actor.id()));
        let Outcome::Queued(queued) = outcome else { panic!("{outcome:?}") };
        desk.clock.advance(TimeDelta::minutes(1));
        queued.message
    }

    fn ids(rows: &[SendRow]) -> Vec<MessageId> {
        rows.iter().map(|row| row.message).collect()
    }

    #[test]
    fn li_07_every_send_is_listed_filtered_and_paged() {
        on_both(|store| {
            let desk = Desk::given(store);
            let rui = desk.another_agent("rui");
            let start = desk.clock.now();
            let first = send(&desk, &desk.ana, "+351912345678");
            let second = send(&desk, &rui, "+351912345679");
            let third = send(&desk, &desk.ana, "+351912345670");
            let now = desk.clock.now();
            let list = |filter: SendFilter, most| {
                store.blocking_read(|db| list_sends(db, &desk.ana, &filter, most, now)).unwrap()
            };
            let all = list(SendFilter::default(), 10);
            assert_eq!(ids(&all), [third, second, first]);
            assert_eq!(all[0].sender, Sender::Agent("ana".to_owned()));
            assert_eq!(
                (all[0].state, all[0].number.as_str()),
                (ActiveMessageState::Sending, "+551140000000")
            );
            let page = list(SendFilter::default(), 2);
            let last = page.last().unwrap();
            let after = Some(SendCursor { at: last.at, message: last.message });
            assert_eq!(ids(&list(SendFilter { after, ..SendFilter::default() }, 2)), [first]);
            let minute = TimeDelta::minutes(1);
            let cases = [
                (SendFilter { agent: Some(rui.id()), ..SendFilter::default() }, vec![second]),
                (
                    SendFilter { contact: "912 345 678".into(), ..SendFilter::default() },
                    vec![first],
                ),
                (
                    SendFilter { contact: "luisa".into(), ..SendFilter::default() },
                    vec![third, second, first],
                ),
                (SendFilter { contact: "nobody".into(), ..SendFilter::default() }, vec![]),
                (
                    SendFilter {
                        template: Some(desk.template),
                        chatbot: Some(desk.chatbot),
                        ..SendFilter::default()
                    },
                    vec![third, second, first],
                ),
                (
                    SendFilter {
                        state: Some(ActiveMessageState::Sending),
                        ..SendFilter::default()
                    },
                    vec![third, second, first],
                ),
                (
                    SendFilter { state: Some(ActiveMessageState::Read), ..SendFilter::default() },
                    vec![],
                ),
                (
                    SendFilter {
                        since: Some(start + minute),
                        before: Some(start + minute * 2),
                        ..SendFilter::default()
                    },
                    vec![second],
                ),
            ];
            for (filter, expected) in cases {
                assert_eq!(ids(&list(filter.clone(), 10)), expected, "{filter:?}");
            }
            let choices = store.blocking_read(|db| list_choices(db, &desk.ana)).unwrap();
            assert_eq!(choices.chatbots, [(desk.chatbot, "Loja".to_owned())]);
            assert_eq!(
                choices.agents,
                [(desk.ana.id(), "ana".to_owned()), (rui.id(), "rui".to_owned())]
            );
            assert_eq!(choices.templates.len(), 1);
        });
    }

    #[test]
    fn li_08_a_late_job_changes_nothing_in_the_list() {
        on_both(|store| {
            let desk = Desk::given(store);
            let message = send(&desk, &desk.ana, "+351912345678");
            store
                .blocking_write(|db| {
                    diesel::update(active_messages::table.find(message.0))
                        .set(active_messages::state.eq("read"))
                        .execute(db)?;
                    Ok(())
                })
                .unwrap();
            let with = |state, now| {
                let filter = SendFilter { state: Some(state), ..SendFilter::default() };
                let rows = store.blocking_read(|db| list_sends(db, &desk.ana, &filter, 5, now));
                rows.unwrap().len()
            };
            let now = desk.clock.now();
            let later = now + TimeDelta::hours(25);
            assert_eq!(
                (with(ActiveMessageState::Read, now), with(ActiveMessageState::Expired, now)),
                (1, 0)
            );
            assert_eq!(
                (with(ActiveMessageState::Read, later), with(ActiveMessageState::Expired, later)),
                (0, 1)
            );
        });
    }

    #[test]
    fn li_07_a_send_is_told_with_its_history_and_its_decision() {
        on_both(|store| {
            let desk = Desk::given(store);
            let message = send(&desk, &desk.ana, "+351912345678");
            let now = desk.clock.now();
            let get = |actor: &Actor| store.blocking_read(|db| get_send(db, actor, message, now));
            let detail = get(&desk.ana).unwrap();
            assert_eq!(detail.body, "Olá Luísa, o seu pedido está pronto.");
            let told = detail.decision.unwrap();
            assert_eq!((told.policy.as_str(), told.version), ("default", 1));
            assert!(told.decision.codes.is_empty());
            let set_role = |permissions: &[Permission]| {
                store
                    .blocking_write(|db| {
                        user::save_membership(
                            db,
                            desk.ana.id(),
                            desk.chatbot,
                            Role::Agent,
                            permissions,
                        )
                    })
                    .unwrap();
                desk.actor(desk.ana.id())
            };
            let reader = set_role(&[Permission::ViewGrowth]);
            assert_eq!(get(&reader).unwrap().decision, None);
            let agent = set_role(&[Permission::SendActiveMessages]);
            assert!(matches!(get(&agent), Err(PersistenceError::Denied)));
            let listed = |actor: &Actor, chatbot| {
                let filter = SendFilter { chatbot, ..SendFilter::default() };
                store.blocking_read(|db| list_sends(db, actor, &filter, 5, now))
            };
            assert!(matches!(listed(&agent, None), Err(PersistenceError::Denied)));
            assert!(matches!(listed(&agent, Some(desk.chatbot)), Err(PersistenceError::Denied)));
            let stranger = Actor::without_teams(agent.user);
            assert!(matches!(get(&stranger), Err(PersistenceError::NotFound)));
            let elsewhere = listed(&stranger, Some(desk.chatbot));
            assert!(matches!(elsewhere, Err(PersistenceError::NotFound)));
        });
    }
}
