//! What routing looks at: the sends a message answers, who sent them, and who serves the queue
//! (RO-01 to RO-04).

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{dsl::max, prelude::*};
use domain::{
    active_message::ActiveMessageState,
    ids::{ChatbotId, ContactId, MessageId, NumberId, QueueId, UserId},
    permission::Permission,
    policy::{Policy, ServicePolicy},
    presence::Presence,
    routing::{
        AnsweredSend, Distribution, Membership, NormalService, ReferralRules, RoutingFacts,
        SendingAgent, ServingAgent, choose_agent,
    },
    ticket::TicketState,
};

use crate::{
    among::is_among,
    chatbot,
    db::{Db, on_either},
    delivery,
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    number,
    presence::{self, PresenceRow},
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
    let candidates: Vec<CandidateRow> = active_messages::table
        .filter(active_messages::contact_id.eq(contact.0))
        .filter(active_messages::chatbot_id.eq(chatbot.0))
        .filter(active_messages::expires_at.gt(Instant::from(written_at)))
        .filter(active_messages::queued_at.lt(Instant::from(written_at + TimeDelta::seconds(1))))
        .filter(active_messages::state.ne(ActiveMessageState::Scheduled.as_str()))
        .filter(active_messages::state.ne(ActiveMessageState::Cancelled.as_str()))
        .order(active_messages::queued_at.asc())
        .select((
            active_messages::message_id,
            active_messages::number_id,
            active_messages::agent_id,
            active_messages::queued_at,
        ))
        .load(db)?;
    if candidates.is_empty() {
        return Ok(Vec::new());
    }
    let messages: Vec<MessageId> = candidates.iter().map(|row| MessageId(row.message_id)).collect();
    let (logs, left) = (delivery::list_events_of(db, &messages)?, list_left(db, &messages)?);
    let (mut policies, mut agents) = (BTreeMap::new(), BTreeMap::new());
    let mut answered = Vec::new();
    for row in candidates {
        let message = MessageId(row.message_id);
        let queued_at = row.queued_at.into();
        let policy = match policies.entry(row.number_id) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(unknown) => {
                unknown.insert(number::get_policy(db, NumberId(row.number_id))?)
            }
        };
        let events = logs.get(&message).map_or(&[][..], Vec::as_slice);
        let life = domain::delivery::fold(events, queued_at, &policy.active_messages, now);
        if !life.is_open_for_reply(written_at, left.contains(&message)) {
            continue;
        }
        let agent = match row.agent_id.map(|agent| (agent, agents.entry(agent))) {
            None => None,
            Some((_, Entry::Occupied(known))) => Some(*known.get()),
            Some((agent, Entry::Vacant(unknown))) => {
                Some(*unknown.insert(sending_agent(db, chatbot, UserId(agent), now)?))
            }
        };
        let sent_at = life.accepted_at.unwrap_or(queued_at);
        answered.push(Answered { message, send: AnsweredSend { sent_at, agent } });
    }
    Ok(answered)
}

/// For which of `messages` a request was ever started.
fn list_left(db: &mut Db, messages: &[MessageId]) -> Result<BTreeSet<MessageId>, PersistenceError> {
    let started: Vec<i64> = attempts::table
        .filter(is_among(attempts::message_id, messages.iter().map(|message| message.0)))
        .select(attempts::message_id)
        .distinct()
        .load(db)?;
    Ok(started.into_iter().map(MessageId).collect())
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
    let absent_since: Option<Option<Instant>> = memberships::table
        .filter(memberships::user_id.eq(agent.0))
        .filter(memberships::chatbot_id.eq(chatbot.0))
        .select(memberships::absent_since)
        .first(db)
        .optional()?;
    let membership = match (status.as_deref(), absent_since) {
        (Some("active"), Some(None)) => Membership::Present,
        (Some("active"), Some(Some(_))) => Membership::Absent,
        _ => Membership::Removed,
    };
    let service = Policy::default_profile().service;
    let presence = presence::find_at(db, agent, &service, now)?;
    Ok(SendingAgent { id: agent, membership, presence })
}

/// What [`domain::routing::route`] looks at for a contact's message in `chatbot`. Of the normal rules only the
/// queue: who serves it is looked at when the ticket is handed out.
pub(crate) fn routing_facts(
    db: &mut Db,
    chatbot: ChatbotId,
    answered: &[Answered],
) -> Result<RoutingFacts, PersistenceError> {
    Ok(RoutingFacts {
        answered: answered.iter().map(|answered| answered.send).collect(),
        direct_transfer: has_direct_transfer(db, chatbot)?,
        service: NormalService {
            queue: first_queue(db, chatbot)?,
            agents: Vec::new(),
            distribution: Distribution::default(),
        },
    })
}

/// The chatbot's switch *direct transfer*.
pub(crate) fn has_direct_transfer(
    db: &mut Db,
    chatbot: ChatbotId,
) -> Result<bool, PersistenceError> {
    Ok(chatbots::table.find(chatbot.0).select(chatbots::direct_transfer).first(db)?)
}

/// The queue of the chatbot that takes what no rule sends elsewhere; `None` when it has no queues.
fn first_queue(db: &mut Db, chatbot: ChatbotId) -> Result<Option<QueueId>, PersistenceError> {
    let queue: Option<i64> = queues::table
        .filter(queues::chatbot_id.eq(chatbot.0))
        .order((queues::position.asc(), queues::id.asc()))
        .select(queues::id)
        .first(db)
        .optional()?;
    Ok(queue.map(QueueId))
}

/// The chatbot's rules for tickets that wait for one agent alone (RO-02).
pub(crate) fn referral_rules(
    db: &mut Db,
    chatbot: ChatbotId,
) -> Result<ReferralRules, PersistenceError> {
    let (direct_transfer, minutes): (bool, Option<i64>) = chatbots::table
        .find(chatbot.0)
        .select((chatbots::direct_transfer, chatbots::release_after_minutes))
        .first(db)?;
    Ok(ReferralRules { direct_transfer, time_out: minutes.map(TimeDelta::minutes) })
}

/// The normal rules for a ticket that waits in `queue`; without one the chatbot's whole team serves.
pub(crate) fn queue_service(
    db: &mut Db,
    chatbot: ChatbotId,
    queue: Option<QueueId>,
    now: DateTime<Utc>,
) -> Result<NormalService, PersistenceError> {
    let agents = list_serving(db, chatbot, queue, None, now)?;
    let distribution: String =
        chatbots::table.find(chatbot.0).select(chatbots::distribution).first(db)?;
    let distribution = chatbot::parse_distribution(&distribution)?;
    Ok(NormalService { queue, agents, distribution })
}

/// An agent whose row is locked until the transaction ends: what is read of them from now on holds until it is
/// committed. Only to them a ticket is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LockedAgent(UserId);

impl LockedAgent {
    pub(crate) fn id(self) -> UserId {
        self.0
    }
}

/// Chooses who of `service` is given the next ticket in `chatbot`; `None` when nobody has a free slot.
///
/// A slot is one for all chatbots and queues, and others may be choosing in other transactions. So the
/// chosen agent's row is locked until this transaction ends, and counted anew: nobody is given more than
/// they serve at once, and nobody who was disabled meanwhile.
pub(crate) fn claim_slot(
    db: &mut Db,
    chatbot: ChatbotId,
    service: &NormalService,
    now: DateTime<Utc>,
) -> Result<Option<LockedAgent>, PersistenceError> {
    let mut agents = service.agents.clone();
    while let Some(chosen) = choose_agent(&agents, service.distribution) {
        // Whoever holds one agent's row and waits for another's may wait for someone who does the same the
        // other way round: the row of one who has no free slot any more is let go of.
        let claimed = db.attempt(|db| {
            let agent = lock_agent(db, chosen)?;
            let as_they_are = list_serving(db, chatbot, service.queue, Some(chosen), now)?;
            Ok(as_they_are.iter().any(ServingAgent::has_free_slot).then_some(agent))
        })?;
        match claimed {
            Some(agent) => return Ok(Some(agent)),
            None => agents.retain(|agent| agent.id != chosen),
        }
    }
    Ok(None)
}

/// Locks the agent's row until the transaction ends: one ticket at a time is given to them, and what disables
/// them waits or has been. It is the row of the user, which nothing else writes while people work; the row of
/// their presence would keep their own pages waiting. It comes after the contact's and the ticket's.
pub(crate) fn lock_agent(db: &mut Db, agent: UserId) -> Result<LockedAgent, PersistenceError> {
    let is_this = users::id.eq(agent.0);
    let update = kept_update(users::table, is_this, users::max_tickets.eq(users::max_tickets));
    let locked = on_either!(db => update.execute(db))?;
    if locked == 0 { Err(PersistenceError::NotFound) } else { Ok(LockedAgent(agent)) }
}

/// An agent with what is weighed of them.
#[derive(Queryable)]
struct ServingRow {
    id: i64,
    max_tickets: i64,
    presence: Option<PresenceRow>,
    active_tickets: Option<i64>,
    last_given_at: Option<Instant>,
    last_closed_at: Option<Instant>,
}

/// Active members of the chatbot's team who are not absent and may serve tickets, by id; those of `queue` where there is one,
/// `only` this one where one is named.
///
/// One query, however many they are: of each agent's tickets it looks at those in progress and, by the
/// indexes on `(agent_id, assigned_at)` and `(agent_id, closed_at)`, at the latest.
fn list_serving(
    db: &mut Db,
    chatbot: ChatbotId,
    queue: Option<QueueId>,
    only: Option<UserId>,
    now: DateTime<Utc>,
) -> Result<Vec<ServingAgent>, PersistenceError> {
    let serving = memberships::table
        .inner_join(membership_permissions::table)
        .filter(memberships::chatbot_id.eq(chatbot.0))
        .filter(memberships::absent_since.is_null())
        .filter(membership_permissions::permission.eq(Permission::ServeTickets.as_str()))
        .select(memberships::user_id);
    let theirs = || tickets::table.filter(tickets::agent_id.eq(users::id.nullable()));
    let in_progress = theirs().filter(tickets::state.eq(TicketState::InProgress.as_str()));
    let mut agents = users::table
        .left_join(presences::table)
        .filter(users::status.eq("active"))
        .filter(users::id.eq_any(serving))
        .order(users::id.asc())
        .select((
            users::id,
            users::max_tickets,
            Option::<PresenceRow>::as_select(),
            in_progress.count().single_value(),
            theirs().select(max(tickets::assigned_at)).single_value(),
            theirs().select(max(tickets::closed_at)).single_value(),
        ))
        .into_boxed();
    if let Some(queue) = queue {
        let of_queue = queue_agents::table
            .filter(queue_agents::queue_id.eq(queue.0))
            .select(queue_agents::user_id);
        agents = agents.filter(users::id.eq_any(of_queue));
    }
    if let Some(only) = only {
        agents = agents.filter(users::id.eq(only.0));
    }
    let rows: Vec<ServingRow> = agents.load(db)?;
    let service = Policy::default_profile().service;
    rows.into_iter().map(|row| row.read(&service, now)).collect()
}

impl ServingRow {
    /// Offline since ever without a row of presence.
    fn read(
        self,
        policy: &ServicePolicy,
        now: DateTime<Utc>,
    ) -> Result<ServingAgent, PersistenceError> {
        let (presence, since) = match &self.presence {
            Some(row) => (row.presence_at(policy, now)?, row.since()),
            None => (Presence::Offline, DateTime::UNIX_EPOCH),
        };
        let last_ticket_at = self.last_given_at.map(DateTime::from);
        let idle_since = last_ticket_at
            .into_iter()
            .chain(self.last_closed_at.map(DateTime::from))
            .fold(since, DateTime::max);
        let active_tickets = self.active_tickets.unwrap_or_default();
        Ok(ServingAgent {
            id: UserId(self.id),
            presence,
            active_tickets: u32::try_from(active_tickets).unwrap_or(u32::MAX),
            max_tickets: u32::try_from(self.max_tickets).unwrap_or(0),
            last_ticket_at,
            idle_since,
        })
    }
}
