//! What admission sees: read after the locks are taken, a fixed number of queries for each send.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    admission::{CapFacts, ContactReach, Facts, OpenTicket, TicketReply},
    contact_cap::{CapScope, ContactCap},
    ids::{ApiTokenId, ChatbotId, ContactId, PolicyId, TicketId, UserId},
    permission::Permission,
    policy::Policy,
    presence::Presence,
    quiet_hours::QuietHours,
    template::{MessageTemplate, TemplateStatus, VariableValues},
    ticket::TicketState,
};

use super::{
    counters,
    draft::{Draft, Recipient},
    locked::{ChatbotFacts, Locked},
    values::fill_variables,
};
use crate::{
    channel, chatbot,
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    message_template, number, opt_out, presence,
    schema::{active_messages, contact_identities, session_windows, tickets},
    user::{self, Actor},
};

/// What was found, and what the queued message is made of.
pub(super) struct Gathered {
    pub(super) facts: Facts,
    pub(super) template: MessageTemplate,
    /// With the fields filled in; as typed when that was not possible.
    pub(super) values: VariableValues,
    /// Who the send counts for.
    pub(super) sender: Sender,
    pub(super) policy: PolicyId,
}

/// Who a send counts for: the agent, else the token.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sender {
    pub(super) agent: Option<UserId>,
    pub(super) token: Option<ApiTokenId>,
}

/// Reads all that admission asks, as it is at `now`.
pub(super) fn gather(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
    locked: &mut Locked,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Gathered, PersistenceError> {
    let kind = channel::read_kind(&locked.channel.kind)?;
    let mut template = message_template::get(db, draft.template)?;
    if template.account_id != locked.channel.account_id {
        template.status = TemplateStatus::Gone;
    }
    let contact = locked.contact.as_ref().map(|row| ContactId(row.id));
    let sender = Sender { agent: draft.agent, token: actor.token };
    let (values, variable_problems) = fill_variables(db, actor, draft, locked, &template)?;
    let (platform_status, restricted_until) = match &locked.number {
        Some(number) => (number.platform_status.as_str(), number.platform_restricted_until),
        None => ("NO_NUMBER", None),
    };
    let number_troubles = number::troubles(
        locked.channel.connected,
        locked.channel.credentials_failing_since.is_some(),
        platform_status,
        restricted_until.map(DateTime::from),
    );
    let facts = Facts {
        permitted: is_permitted(db, actor, draft, locked.chatbot)?,
        presence: find_presence(db, draft, policy, now)?,
        active_messages_enabled: locked.settings.active_messages_enabled,
        channel: kind,
        number_troubles,
        tier: match &mut locked.number {
            Some(number) => Some(counters::tier_facts(db, number, policy, now)?),
            None => None,
        },
        template_status: template.status,
        template_category: template.category,
        session_open_until: match policy.session_window(kind) {
            Some(rule) => find_last_inbound(db, draft, contact)?.map(|at| at + rule.window),
            None => None,
        },
        contact: match draft.to {
            Recipient::NoNumber(_) => ContactReach::InvalidNumber,
            Recipient::Contact(_) | Recipient::Phone(_) => {
                find_reach(db, contact, &locked.channel.account_id)?
            }
        },
        opt_outs: match contact {
            Some(contact) => opt_out::list_in_force(db, contact)?,
            None => Vec::new(),
        },
        open_ticket: find_open_ticket(db, locked.chatbot, contact)?,
        ticket_reply: draft.ticket.zip(draft.agent).map(|(ticket, by)| TicketReply { ticket, by }),
        call_back: None,
        cap: find_cap(db, &locked.settings, locked.chatbot, contact, sender, policy, now)?,
        quiet_hours: find_quiet_hours(db, draft, locked)?,
        variable_problems,
        credit: None,
        forecast_horizon: policy.active_messages.forecast_horizon,
    };
    Ok(Gathered { facts, template, values, sender, policy: locked.policy_id })
}

/// The one who asks, and the agent it is sent for, must both be allowed to send there.
fn is_permitted(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
    chatbot: ChatbotId,
) -> Result<bool, PersistenceError> {
    if !actor.may(chatbot, Permission::SendActiveMessages) {
        return Ok(false);
    }
    match draft.agent {
        Some(agent) if agent != actor.id() => {
            let agent = user::find_actor(db, agent)?;
            Ok(agent.is_some_and(|agent| agent.may(chatbot, Permission::SendActiveMessages)))
        }
        Some(_) | None => Ok(true),
    }
}

/// `None` where no person presses *Send*.
fn find_presence(
    db: &mut Db,
    draft: &Draft,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Option<Presence>, PersistenceError> {
    match draft.agent {
        Some(agent) if draft.door.needs_presence() => {
            presence::find_at(db, agent, &policy.service, now).map(Some)
        }
        Some(_) | None => Ok(None),
    }
}

fn find_last_inbound(
    db: &mut Db,
    draft: &Draft,
    contact: Option<ContactId>,
) -> Result<Option<DateTime<Utc>>, PersistenceError> {
    let Some(contact) = contact else { return Ok(None) };
    let at: Option<Instant> = on_either!(db => session_windows::table
        .find((draft.channel.0, contact.0))
        .select(session_windows::last_inbound_at)
        .first(db))
    .optional()?;
    Ok(at.map(DateTime::from))
}

/// The best of the contact's ways on this channel; a new number is taken to be reachable.
fn find_reach(
    db: &mut Db,
    contact: Option<ContactId>,
    account: &str,
) -> Result<ContactReach, PersistenceError> {
    let Some(contact) = contact else { return Ok(ContactReach::Reachable) };
    let ways: Vec<(String, String, String)> = on_either!(db => contact_identities::table
        .filter(contact_identities::contact_id.eq(contact.0))
        .filter(contact_identities::left_at.is_null())
        .order(contact_identities::id.asc())
        .select((
            contact_identities::kind,
            contact_identities::scope,
            contact_identities::reachable,
        ))
        .load(db))?;
    let mut best = ContactReach::NoIdentity;
    for (kind, scope, word) in ways {
        let is_of_channel = kind == "phone" || scope == account;
        if !is_of_channel {
            continue;
        }
        let reach = ContactReach::parse(&word)
            .ok_or_else(|| PersistenceError::unreadable("contact_identities", "reachable", word))?;
        match reach {
            ContactReach::Reachable => return Ok(reach),
            _ if best == ContactReach::NoIdentity => best = reach,
            _ => {}
        }
    }
    Ok(best)
}

fn find_open_ticket(
    db: &mut Db,
    chatbot: ChatbotId,
    contact: Option<ContactId>,
) -> Result<Option<OpenTicket>, PersistenceError> {
    let Some(contact) = contact else { return Ok(None) };
    let row: Option<(i64, Option<i64>)> = on_either!(db => tickets::table
        .filter(tickets::chatbot_id.eq(chatbot.0))
        .filter(tickets::contact_id.eq(contact.0))
        .filter(tickets::state.ne(TicketState::Closed.as_str()))
        .select((tickets::id, tickets::agent_id))
        .first(db))
    .optional()?;
    Ok(row.map(|(id, holder)| OpenTicket { id: TicketId(id), holder: holder.map(UserId) }))
}

/// The counted sends in the cap's window, oldest first; `None` while the cap is off (AD-03, AD-06).
fn find_cap(
    db: &mut Db,
    settings: &ChatbotFacts,
    chatbot: ChatbotId,
    contact: Option<ContactId>,
    sender: Sender,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<Option<CapFacts>, PersistenceError> {
    if !settings.cap_enabled {
        return Ok(None);
    }
    let scope = chatbot::parse_scope(&settings.cap_scope)?;
    let sends = number::count("cap_sends", settings.cap_sends)?;
    let cap = ContactCap { sends, window: policy.contact_cap.window };
    let sent_at = match contact {
        Some(contact) => list_counted(db, chatbot, contact, scope, sender, now - cap.window)?,
        None => Vec::new(),
    };
    Ok(Some(CapFacts { cap, scope, sent_at }))
}

fn list_counted(
    db: &mut Db,
    chatbot: ChatbotId,
    contact: ContactId,
    scope: CapScope,
    sender: Sender,
    since: DateTime<Utc>,
) -> Result<Vec<DateTime<Utc>>, PersistenceError> {
    let rows: Vec<(Instant, Option<i64>, Option<i64>)> = on_either!(db => active_messages::table
        .filter(active_messages::contact_id.eq(contact.0))
        .filter(active_messages::chatbot_id.eq(chatbot.0))
        .filter(active_messages::queued_at.gt(Instant::from(since)))
        .filter(active_messages::given_back_at.is_null())
        .order(active_messages::queued_at.asc())
        .select((active_messages::queued_at, active_messages::agent_id, active_messages::token_id))
        .load(db))?;
    let counts = |agent: Option<i64>, token: Option<i64>| match (scope, sender.agent) {
        (CapScope::AllAgents, _) => true,
        (CapScope::EachAgent, Some(own)) => agent == Some(own.0),
        // Without an agent the token counts as one.
        (CapScope::EachAgent, None) => agent.is_none() && token == sender.token.map(|id| id.0),
    };
    let counted = rows.into_iter().filter(|(_, agent, token)| counts(*agent, *token));
    Ok(counted.map(|(at, _, _)| at.into()).collect())
}

/// When the contact may be written to; `None` while the chatbot has no quiet hours.
fn find_quiet_hours(
    db: &mut Db,
    draft: &Draft,
    locked: &Locked,
) -> Result<Option<QuietHours>, PersistenceError> {
    let settings = &locked.settings;
    if !settings.quiet_hours_enabled {
        return Ok(None);
    }
    let own_zone = locked.contact.as_ref().and_then(|row| row.time_zone.as_deref());
    let phone = locked.recipient_phone(draft);
    let zone = settings.time_zone.as_str();
    chatbot::quiet_hours_for(db, locked.chatbot, zone, own_zone, phone.as_ref()).map(Some)
}
