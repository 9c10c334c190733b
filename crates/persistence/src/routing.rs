//! What routing looks at: the sends a message answers, who sent them, and who serves the queue
//! (RO-01 to RO-04).

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    dsl::{exists, max},
    prelude::*,
};
use domain::{
    active_message::ActiveMessageState,
    ids::{ChatbotId, ContactId, MessageId, NumberId, QueueId, UserId},
    permission::Permission,
    policy::Policy,
    presence::Presence,
    routing::{
        AnsweredSend, Distribution, Membership, NormalService, RoutingFacts, SendingAgent,
        ServingAgent,
    },
    ticket::TicketState,
};

use crate::{
    db::Db,
    delivery,
    error::PersistenceError,
    instant::Instant,
    presence,
    schema::{
        active_messages, attempts, chatbots, membership_permissions, memberships, presences,
        queue_agents, queues, tickets, users,
    },
};

/// An active message that a contact's message answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Answered {
    pub message: MessageId,
    pub send: AnsweredSend,
}

#[derive(Queryable)]
struct CandidateRow {
    message_id: i64,
    number_id: i64,
    agent_id: Option<i64>,
    queued_at: Instant,
}

/// The sends to `contact` in `chatbot` that a message written at `written_at` answers, oldest first:
/// every one whose response window holds that instant, by the platform's time (LI-10, LI-11).
pub(crate) fn list_answered(
    db: &mut Db,
    chatbot: ChatbotId,
    contact: ContactId,
    written_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<Vec<Answered>, PersistenceError> {
    let never_left = [ActiveMessageState::Scheduled, ActiveMessageState::Cancelled];
    let candidates: Vec<CandidateRow> = active_messages::table
        .filter(active_messages::contact_id.eq(contact.0))
        .filter(active_messages::chatbot_id.eq(chatbot.0))
        .filter(active_messages::expires_at.gt(Instant::from(written_at)))
        .filter(active_messages::queued_at.lt(Instant::from(written_at + TimeDelta::seconds(1))))
        .filter(active_messages::state.ne_all(never_left.map(ActiveMessageState::as_str)))
        .order(active_messages::queued_at.asc())
        .select((
            active_messages::message_id,
            active_messages::number_id,
            active_messages::agent_id,
            active_messages::queued_at,
        ))
        .load(db)?;
    let mut answered = Vec::new();
    for row in candidates {
        let message = MessageId(row.message_id);
        let queued_at = row.queued_at.into();
        let life = delivery::life(db, message, NumberId(row.number_id), queued_at, now)?;
        if !life.is_open_for_reply(written_at, has_left(db, message)?) {
            continue;
        }
        let agent = row.agent_id.map(|agent| sending_agent(db, chatbot, UserId(agent), now));
        let send = AnsweredSend {
            sent_at: life.accepted_at.unwrap_or(queued_at),
            agent: agent.transpose()?,
        };
        answered.push(Answered { message, send });
    }
    Ok(answered)
}

/// Whether a request for `message` was ever started.
fn has_left(db: &mut Db, message: MessageId) -> Result<bool, PersistenceError> {
    let started = attempts::table.filter(attempts::message_id.eq(message.0));
    Ok(diesel::select(exists(started)).get_result(db)?)
}

/// `agent` as they are now in `chatbot`.
pub(crate) fn sending_agent(
    db: &mut Db,
    chatbot: ChatbotId,
    agent: UserId,
    now: DateTime<Utc>,
) -> Result<SendingAgent, PersistenceError> {
    let status: Option<String> =
        users::table.find(agent.0).select(users::status).first(db).optional()?;
    let is_member: bool = diesel::select(exists(
        memberships::table
            .filter(memberships::user_id.eq(agent.0))
            .filter(memberships::chatbot_id.eq(chatbot.0)),
    ))
    .get_result(db)?;
    let membership = match status.as_deref() {
        Some("active") if is_member => Membership::Present,
        _ => Membership::Removed,
    };
    Ok(SendingAgent { id: agent, membership, presence: presence_of(db, agent, now)?.0 })
}

/// The presence of `agent` at `now`, and since when; offline since ever without a row.
fn presence_of(
    db: &mut Db,
    agent: UserId,
    now: DateTime<Utc>,
) -> Result<(Presence, DateTime<Utc>), PersistenceError> {
    let service = Policy::default_profile().service;
    let presence = presence::find_at(db, agent, &service, now)?;
    let since: Option<Instant> =
        presences::table.find(agent.0).select(presences::since).first(db).optional()?;
    Ok((presence, since.map_or(DateTime::<Utc>::UNIX_EPOCH, DateTime::from)))
}

/// What [`domain::routing::route`] looks at for a contact's message in `chatbot`.
pub(crate) fn routing_facts(
    db: &mut Db,
    chatbot: ChatbotId,
    answered: &[Answered],
    now: DateTime<Utc>,
) -> Result<RoutingFacts, PersistenceError> {
    Ok(RoutingFacts {
        answered: answered.iter().map(|answered| answered.send).collect(),
        direct_transfer: has_direct_transfer(db, chatbot)?,
        service: normal_service(db, chatbot, now)?,
    })
}

/// The chatbot's switch *direct transfer*.
pub(crate) fn has_direct_transfer(
    db: &mut Db,
    chatbot: ChatbotId,
) -> Result<bool, PersistenceError> {
    Ok(chatbots::table.find(chatbot.0).select(chatbots::direct_transfer).first(db)?)
}

/// The chatbot's normal rules: its first queue with those who serve it; without queues the whole team
/// serves as one.
pub(crate) fn normal_service(
    db: &mut Db,
    chatbot: ChatbotId,
    now: DateTime<Utc>,
) -> Result<NormalService, PersistenceError> {
    let queue: Option<i64> = queues::table
        .filter(queues::chatbot_id.eq(chatbot.0))
        .order((queues::position.asc(), queues::id.asc()))
        .select(queues::id)
        .first(db)
        .optional()?;
    let agents = list_agents(db, chatbot, queue)?
        .into_iter()
        .map(|(agent, max_tickets)| serving_agent(db, UserId(agent), max_tickets, now))
        .collect::<Result<_, _>>()?;
    Ok(NormalService { queue: queue.map(QueueId), agents, distribution: Distribution::default() })
}

/// Active members of the chatbot's team who may serve tickets, with the most each serves; those of `queue`
/// where there is one.
fn list_agents(
    db: &mut Db,
    chatbot: ChatbotId,
    queue: Option<i64>,
) -> Result<Vec<(i64, i64)>, PersistenceError> {
    let serving = memberships::table
        .inner_join(membership_permissions::table)
        .filter(memberships::chatbot_id.eq(chatbot.0))
        .filter(membership_permissions::permission.eq(Permission::ServeTickets.as_str()))
        .select(memberships::user_id);
    let mut agents = users::table
        .filter(users::status.eq("active"))
        .filter(users::id.eq_any(serving))
        .order(users::id.asc())
        .select((users::id, users::max_tickets))
        .into_boxed();
    if let Some(queue) = queue {
        let of_queue = queue_agents::table
            .filter(queue_agents::queue_id.eq(queue))
            .select(queue_agents::user_id);
        agents = agents.filter(users::id.eq_any(of_queue));
    }
    Ok(agents.load(db)?)
}

fn serving_agent(
    db: &mut Db,
    agent: UserId,
    max_tickets: i64,
    now: DateTime<Utc>,
) -> Result<ServingAgent, PersistenceError> {
    let (presence, since) = presence_of(db, agent, now)?;
    let theirs = || tickets::table.filter(tickets::agent_id.eq(agent.0));
    let active_tickets: i64 = theirs()
        .filter(tickets::state.eq(TicketState::InProgress.as_str()))
        .count()
        .get_result(db)?;
    let last_given: Option<Instant> = theirs().select(max(tickets::assigned_at)).first(db)?;
    let last_closed: Option<Instant> = theirs().select(max(tickets::closed_at)).first(db)?;
    let last_ticket_at = last_given.map(DateTime::from);
    let idle_since = last_ticket_at
        .into_iter()
        .chain(last_closed.map(DateTime::from))
        .fold(since, DateTime::max);
    Ok(ServingAgent {
        id: agent,
        presence,
        active_tickets: u32::try_from(active_tickets).unwrap_or(u32::MAX),
        max_tickets: u32::try_from(max_tickets).unwrap_or(0),
        last_ticket_at,
        idle_since,
    })
}
