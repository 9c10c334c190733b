//! What can have changed between admission and sending, read right before sending (AD-11, SW-04).

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    admission::{self, Admission, NumberTrouble, OpenTicket, RecheckFacts, TicketReply},
    ids::{ChannelId, ChatbotId, ContactId, MessageId, TemplateId, TicketId, UserId},
    phone::PhoneNumber,
    policy::Policy,
    quiet_hours::QuietHours,
    session_window::{self, SessionFacts},
    template::{TemplateCategory, TemplateStatus},
};

use crate::{
    channel, chatbot,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    message_template, number, opt_out, policy,
    schema::{
        active_messages, channels, chatbots, contacts, message_templates, messages, numbers,
        policies, session_windows, tickets,
    },
};

/// What stands against sending a message now.
pub(super) struct Checked {
    /// For an active message; allowed for all others.
    pub admission: Admission,
    /// For free-form text: the code that refuses it.
    pub free_form_refusal: Option<&'static str>,
    /// For an active message: until when the number sends no templates; `None` while it does.
    pub templates_rest_until: Option<DateTime<Utc>>,
}

/// Asks again whether `message` may go at `now`.
pub(super) fn recheck(
    db: &mut Db,
    message: MessageId,
    over: ChannelId,
    contact: ContactId,
    now: DateTime<Utc>,
) -> Result<Checked, PersistenceError> {
    let (kind, connected): (String, bool) =
        channels::table.find(over.0).select((channels::kind, channels::connected)).first(db)?;
    let kind = channel::read_kind(&kind)?;
    let policy = channel_policy(db, over)?;
    let rule = policy.session_window(kind);
    let last_inbound_at = find_last_inbound(db, over, contact)?;
    let active: Option<ActiveRow> = active_messages::table
        .inner_join(messages::table)
        .filter(active_messages::message_id.eq(message.0))
        .select((
            active_messages::chatbot_id,
            active_messages::template_id,
            messages::ticket_id,
            messages::agent_id,
        ))
        .first(db)
        .optional()?;
    let Some(active) = active else {
        let facts = SessionFacts { last_inbound_at, sent_since: 0 };
        let refusal = session_window::free_form_refusal(rule, facts, now);
        return Ok(Checked {
            admission: Admission::Allowed,
            free_form_refusal: refusal.map(|refusal| refusal.as_str()),
            templates_rest_until: None,
        });
    };
    let (template_status, template_category) = read_template(db, TemplateId(active.template_id))?;
    let chatbot = ChatbotId(active.chatbot_id);
    let ticket_reply = active
        .ticket_id
        .zip(active.agent_id)
        .map(|(ticket, by)| TicketReply { ticket: TicketId(ticket), by: UserId(by) });
    let (number_troubles, templates_rest_until) = read_number(db, over, connected)?;
    let facts = RecheckFacts {
        number_troubles,
        template_status,
        template_category,
        session_open_until: rule.zip(last_inbound_at).map(|(rule, at)| at + rule.window),
        opt_outs: opt_out::list_in_force(db, contact)?,
        open_ticket: find_open_ticket(db, chatbot, contact)?,
        ticket_reply,
        quiet_hours: find_quiet_hours(db, chatbot, contact)?,
        forecast_horizon: policy.active_messages.forecast_horizon,
    };
    Ok(Checked {
        admission: admission::recheck(&facts, now),
        free_form_refusal: None,
        templates_rest_until: templates_rest_until.filter(|until| now < *until),
    })
}

#[derive(Queryable)]
struct ActiveRow {
    chatbot_id: i64,
    template_id: i64,
    ticket_id: Option<i64>,
    agent_id: Option<i64>,
}

/// The policy the channel's number is under; the default where a channel has no number.
pub(crate) fn channel_policy(
    db: &mut Db,
    over: ChannelId,
) -> Result<Arc<Policy>, PersistenceError> {
    let body: Option<String> = numbers::table
        .inner_join(policies::table)
        .filter(numbers::channel_id.eq(over.0))
        .select(policies::body)
        .first(db)
        .optional()?;
    body.map_or_else(|| Ok(Arc::new(Policy::default_profile())), |body| policy::read_body(&body))
}

pub(crate) fn find_last_inbound(
    db: &mut Db,
    channel: ChannelId,
    contact: ContactId,
) -> Result<Option<DateTime<Utc>>, PersistenceError> {
    let at: Option<Instant> = session_windows::table
        .find((channel.0, contact.0))
        .select(session_windows::last_inbound_at)
        .first(db)
        .optional()?;
    Ok(at.map(DateTime::from))
}

fn read_template(
    db: &mut Db,
    template: TemplateId,
) -> Result<(TemplateStatus, TemplateCategory), PersistenceError> {
    let (status, paused_until, category, gone_at): (
        String,
        Option<Instant>,
        String,
        Option<Instant>,
    ) = message_templates::table
        .find(template.0)
        .select((
            message_templates::status,
            message_templates::paused_until,
            message_templates::category,
            message_templates::gone_at,
        ))
        .first(db)?;
    let status = match gone_at {
        Some(_) => TemplateStatus::Gone,
        None => message_template::read_status(&status, paused_until.map(DateTime::from)),
    };
    let category = message_template::read_category(&category)
        .ok_or_else(|| PersistenceError::unreadable("message_templates", "category", category))?;
    Ok((status, category))
}

/// What keeps the number from sending, and until when its templates rest. Failing credentials are not among its
/// troubles: messages then wait instead of failing.
fn read_number(
    db: &mut Db,
    channel: ChannelId,
    connected: bool,
) -> Result<(Vec<NumberTrouble>, Option<DateTime<Utc>>), PersistenceError> {
    let row: Option<(String, Option<Instant>, Option<Instant>)> = numbers::table
        .filter(numbers::channel_id.eq(channel.0))
        .select((
            numbers::platform_status,
            numbers::platform_restricted_until,
            numbers::templates_paused_until,
        ))
        .first(db)
        .optional()?;
    let (status, until, templates_rest_until) = row.unwrap_or_default();
    let troubles = number::troubles(connected, false, &status, until.map(DateTime::from));
    Ok((troubles, templates_rest_until.map(DateTime::from)))
}

fn find_open_ticket(
    db: &mut Db,
    chatbot: ChatbotId,
    contact: ContactId,
) -> Result<Option<OpenTicket>, PersistenceError> {
    let row: Option<(i64, Option<i64>)> = tickets::table
        .filter(tickets::chatbot_id.eq(chatbot.0))
        .filter(tickets::contact_id.eq(contact.0))
        .filter(tickets::state.ne("closed"))
        .select((tickets::id, tickets::agent_id))
        .first(db)
        .optional()?;
    Ok(row.map(|(id, holder)| OpenTicket { id: TicketId(id), holder: holder.map(UserId) }))
}

fn find_quiet_hours(
    db: &mut Db,
    chatbot: ChatbotId,
    contact: ContactId,
) -> Result<Option<QuietHours>, PersistenceError> {
    let (is_on, zone): (bool, String) = chatbots::table
        .find(chatbot.0)
        .select((chatbots::quiet_hours_enabled, chatbots::time_zone))
        .first(db)?;
    if !is_on {
        return Ok(None);
    }
    let (own_zone, phone): (Option<String>, Option<String>) =
        contacts::table.find(contact.0).select((contacts::time_zone, contacts::phone)).first(db)?;
    let phone = phone.and_then(|phone| PhoneNumber::from_e164(&phone).ok());
    chatbot::quiet_hours_for(db, chatbot, &zone, own_zone.as_deref(), phone.as_ref()).map(Some)
}
