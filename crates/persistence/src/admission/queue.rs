//! An admitted send becomes rows: the message, its place in the outbox, and what it counts for.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    active_message::ActiveMessageState,
    admission::Facts,
    dispatch::OutboxState,
    fold::fold,
    ids::{ContactId, DecisionId, MessageId, TicketId},
    policy::Policy,
    template::VariableValues,
    ticket::{Holding, TicketState},
};

use super::{Queued, counters, draft::Draft, facts::Gathered, locked::Locked, promotion};
use crate::{
    contact,
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::{active_messages, messages, outbox},
    secret::random_bytes,
};

/// When a send is queued.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    /// As of when it was decided.
    pub now: DateTime<Utc>,
    /// From when it may be sent.
    pub due_at: DateTime<Utc>,
}

/// Queues the admitted send and moves the counters, whose lock is held.
#[expect(clippy::too_many_arguments, reason = "each is a different thing this one place needs")]
pub(super) fn insert(
    db: &mut Db,
    draft: &Draft,
    locked: &mut Locked,
    gathered: &Gathered,
    policy: &Policy,
    contact: ContactId,
    decision: DecisionId,
    Moment { now, due_at }: Moment,
) -> Result<Queued, PersistenceError> {
    let number = locked.number.as_mut().ok_or(PersistenceError::NotFound)?;
    let chatbot = locked.chatbot;
    let at = Instant::from(now);
    let agent = gathered.sender.agent;
    let filled = gathered.template.content.fill(&gathered.values);
    let body = filled.body_text();
    let notification = gathered.facts.is_notification(now);
    let ticket = ticket_taking(&gathered.facts, !notification);
    let message: i64 = on_either!(db => diesel::insert_into(messages::table)
        .values((
            messages::chatbot_id.eq(chatbot.0),
            messages::channel_id.eq(draft.channel.0),
            messages::contact_id.eq(contact.0),
            messages::ticket_id.eq(ticket.map(|ticket| ticket.0)),
            messages::agent_id.eq(agent.map(|agent| agent.0)),
            messages::direction.eq("out"),
            messages::kind.eq("template"),
            messages::folded.eq(fold(&body)),
            messages::body.eq(body),
            messages::payload.eq("{}"),
            messages::callback_id.eq(Some(hex::encode(random_bytes::<16>()?))),
            messages::state.eq(ActiveMessageState::Sending.as_str()),
            messages::occurred_at.eq(at),
            messages::created_at.eq(at),
        ))
        .returning(messages::id)
        .get_result(db))?;
    on_either!(db => diesel::insert_into(outbox::table)
        .values((
            outbox::message_id.eq(message),
            outbox::channel_id.eq(draft.channel.0),
            outbox::contact_id.eq(contact.0),
            outbox::state.eq(OutboxState::Queued.as_str()),
            outbox::due_at.eq(Instant::from(due_at)),
            outbox::attempts.eq(0_i64),
            outbox::lease_fence.eq(0_i64),
        ))
        .execute(db))?;
    let expires_at = now + policy.active_messages.response_window;
    let listed_until = expires_at + policy.active_messages.listed_after_window;
    on_either!(db => diesel::insert_into(active_messages::table)
        .values((
            active_messages::message_id.eq(message),
            active_messages::chatbot_id.eq(chatbot.0),
            active_messages::number_id.eq(number.id),
            active_messages::contact_id.eq(contact.0),
            active_messages::agent_id.eq(agent.map(|agent| agent.0)),
            active_messages::token_id.eq(gathered.sender.token.map(|token| token.0)),
            active_messages::template_id.eq(draft.template.0),
            active_messages::variables.eq(write_values(&gathered.values)?),
            active_messages::door.eq(draft.door.as_str()),
            active_messages::decision_id.eq(decision.0),
            active_messages::state.eq(ActiveMessageState::Sending.as_str()),
            (
                active_messages::notification.eq(notification),
                active_messages::queued_at.eq(at),
                active_messages::expires_at.eq(Instant::from(expires_at)),
                active_messages::listed_until.eq(Instant::from(listed_until)),
                active_messages::counted_at.eq(notification.then_some(at)),
            ),
        ))
        .execute(db))?;
    if notification {
        counters::count_recipient(db, number, contact, now)?;
        promotion::try_promotion(db, number, policy, now)?;
        counters::store(db, number)?;
    }
    contact::join_chatbot(db, chatbot, contact, agent, Some(draft.channel), now)?;
    let event = LiveEvent::of_contact(LiveKind::ActiveMessage, chatbot, contact, message);
    live::note(db, LiveEvent { user: agent, ..event });
    Ok(Queued { message: MessageId(message), contact, decision })
}

/// The ticket the template goes into (SW-09): the contact's own open one in this chatbot, whatever the draft
/// names. `None` makes it an ordinary send, listed in *Sent* (LI-05).
fn ticket_taking(facts: &Facts, window_is_open: bool) -> Option<TicketId> {
    let (reply, open) = (facts.ticket_reply.as_ref()?, facts.open_ticket.as_ref()?);
    let state = if open.holder.is_some() { TicketState::InProgress } else { TicketState::Waiting };
    let holding = Holding { state, agent: open.holder, only_agent: None };
    let takes = reply.ticket == open.id && holding.takes_template(reply.by, window_is_open);
    takes.then_some(open.id)
}

fn write_values(values: &VariableValues) -> Result<String, PersistenceError> {
    let plain: std::collections::BTreeMap<&str, &str> =
        values.iter().map(|(name, value)| (name.0.as_str(), value.as_str())).collect();
    serde_json::to_string(&plain).map_err(|error| {
        PersistenceError::unreadable("active_messages", "variables", error.to_string())
    })
}
