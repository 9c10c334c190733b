//! What can have changed between admission and sending, read right before sending (AD-11, SW-04): for the due messages
//! of a channel together.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    admission::{self, Admission, NumberTrouble, OpenTicket, RecheckFacts, TicketReply},
    channel::ChannelKind,
    ids::{ChannelId, ChatbotId, ContactId, TemplateId, TicketId, UserId},
    opt_out::OptOut,
    phone::PhoneNumber,
    policy::{Policy, SessionWindowPolicy},
    quiet_hours::QuietHours,
    session_window::{self, SessionFacts},
    template::MessageTemplate,
};

use super::due::{ActiveRow, DueRow};
use crate::{
    among::is_among,
    channel, chatbot,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    message_template, number, opt_out, policy, reach,
    schema::{channels, chatbots, contacts, numbers, policies, session_windows, tickets},
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

/// How a channel and the contacts of its due messages stand.
pub(super) struct Standing {
    kind: ChannelKind,
    policy: Arc<Policy>,
    number_troubles: Vec<NumberTrouble>,
    templates_rest_until: Option<DateTime<Utc>>,
    last_inbound_at: BTreeMap<ContactId, DateTime<Utc>>,
    addresses: BTreeMap<ContactId, String>,
    opt_outs: BTreeMap<ContactId, Vec<OptOut>>,
    open_tickets: BTreeMap<(ChatbotId, ContactId), OpenTicket>,
    quiet_hours_zones: BTreeMap<ChatbotId, String>,
    templates: BTreeMap<TemplateId, MessageTemplate>,
}

impl Standing {
    /// Reads how things stand for `due`, messages of `channel`.
    ///
    /// # Errors
    /// When the database fails, or what all of them depend on cannot be read.
    pub(super) fn read(
        db: &mut Db,
        channel: ChannelId,
        due: &[DueRow],
    ) -> Result<Self, PersistenceError> {
        let (kind, account, connected): (String, String, bool) = channels::table
            .find(channel.0)
            .select((channels::kind, channels::account_id, channels::connected))
            .first(db)?;
        let policy = channel_policy(db, channel)?;
        let (number_troubles, templates_rest_until) = read_number(db, channel, connected)?;
        let contacts: BTreeSet<ContactId> = due.iter().map(DueRow::contact).collect();
        let active = || due.iter().filter_map(|row| Some((row.contact(), row.active.as_ref()?)));
        let chatbots: BTreeSet<i64> = active().map(|(_, active)| active.chatbot_id).collect();
        let written_to: BTreeSet<ContactId> = active().map(|(contact, _)| contact).collect();
        Ok(Self {
            kind: channel::read_kind(&kind)?,
            policy,
            number_troubles,
            templates_rest_until,
            last_inbound_at: list_last_inbound(db, channel, &contacts)?,
            addresses: reach::list_addresses(db, &contacts, &account)?,
            opt_outs: opt_out::list_in_force_of(db, &written_to)?,
            open_tickets: list_open_tickets(db, &chatbots, &written_to)?,
            quiet_hours_zones: list_quiet_hours_zones(db, &chatbots)?,
            templates: BTreeMap::new(),
        })
    }

    /// Where the contact is reached on the channel; `None` when its account does not know them.
    pub(super) fn address(&self, contact: ContactId) -> Option<&str> {
        self.addresses.get(&contact).map(String::as_str)
    }

    /// The template `id`, read once.
    pub(super) fn template(
        &mut self,
        db: &mut Db,
        id: TemplateId,
    ) -> Result<&MessageTemplate, PersistenceError> {
        match self.templates.entry(id) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(unknown) => Ok(unknown.insert(message_template::get(db, id)?)),
        }
    }

    /// Asks again whether the message of `row` may go at `now`.
    pub(super) fn check(
        &mut self,
        db: &mut Db,
        row: &DueRow,
        now: DateTime<Utc>,
    ) -> Result<Checked, PersistenceError> {
        match &row.active {
            Some(active) => self.check_active(db, row, active, now),
            None => Ok(self.check_reply(row.contact(), now)),
        }
    }

    fn session_rule(&self) -> Option<&SessionWindowPolicy> {
        self.policy.session_window(self.kind)
    }

    fn check_reply(&self, contact: ContactId, now: DateTime<Utc>) -> Checked {
        let last_inbound_at = self.last_inbound_at.get(&contact).copied();
        let facts = SessionFacts { last_inbound_at, sent_since: 0 };
        let refusal = session_window::free_form_refusal(self.session_rule(), facts, now);
        Checked {
            admission: Admission::Allowed,
            free_form_refusal: refusal.map(|refusal| refusal.as_str()),
            templates_rest_until: None,
        }
    }

    fn check_active(
        &mut self,
        db: &mut Db,
        row: &DueRow,
        active: &ActiveRow,
        now: DateTime<Utc>,
    ) -> Result<Checked, PersistenceError> {
        let (chatbot, contact) = (ChatbotId(active.chatbot_id), row.contact());
        let quiet_hours = self.quiet_hours(db, chatbot, contact)?;
        let template = self.template(db, TemplateId(active.template_id))?;
        let (template_status, template_category) = (template.status, template.category);
        let ticket_reply = row
            .ticket_id
            .zip(row.agent_id)
            .map(|(ticket, by)| TicketReply { ticket: TicketId(ticket), by: UserId(by) });
        let last_inbound_at = self.last_inbound_at.get(&contact).copied();
        let facts = RecheckFacts {
            number_troubles: self.number_troubles.clone(),
            template_status,
            template_category,
            session_open_until: self
                .session_rule()
                .zip(last_inbound_at)
                .map(|(rule, at)| at + rule.window),
            opt_outs: self.opt_outs.get(&contact).cloned().unwrap_or_default(),
            open_ticket: self.open_tickets.get(&(chatbot, contact)).copied(),
            ticket_reply,
            quiet_hours,
            forecast_horizon: self.policy.active_messages.forecast_horizon,
        };
        Ok(Checked {
            admission: admission::recheck(&facts, now),
            free_form_refusal: None,
            templates_rest_until: self.templates_rest_until.filter(|until| now < *until),
        })
    }

    /// The contact's quiet hours; `None` where the chatbot keeps none, which is how it begins.
    fn quiet_hours(
        &self,
        db: &mut Db,
        chatbot: ChatbotId,
        contact: ContactId,
    ) -> Result<Option<QuietHours>, PersistenceError> {
        let Some(zone) = self.quiet_hours_zones.get(&chatbot) else { return Ok(None) };
        let (own_zone, phone): (Option<String>, Option<String>) = contacts::table
            .find(contact.0)
            .select((contacts::time_zone, contacts::phone))
            .first(db)?;
        let phone = phone.and_then(|phone| PhoneNumber::from_e164(&phone).ok());
        chatbot::quiet_hours_for(db, chatbot, zone, own_zone.as_deref(), phone.as_ref()).map(Some)
    }
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
    Ok(list_last_inbound(db, channel, &BTreeSet::from([contact]))?.remove(&contact))
}

fn list_last_inbound(
    db: &mut Db,
    channel: ChannelId,
    contacts: &BTreeSet<ContactId>,
) -> Result<BTreeMap<ContactId, DateTime<Utc>>, PersistenceError> {
    let rows: Vec<(i64, Instant)> = session_windows::table
        .filter(session_windows::channel_id.eq(channel.0))
        .filter(is_among(session_windows::contact_id, contacts.iter().map(|contact| contact.0)))
        .select((session_windows::contact_id, session_windows::last_inbound_at))
        .load(db)?;
    Ok(rows.into_iter().map(|(contact, at)| (ContactId(contact), at.into())).collect())
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

fn list_open_tickets(
    db: &mut Db,
    chatbots: &BTreeSet<i64>,
    contacts: &BTreeSet<ContactId>,
) -> Result<BTreeMap<(ChatbotId, ContactId), OpenTicket>, PersistenceError> {
    let rows: Vec<(i64, i64, i64, Option<i64>)> = tickets::table
        .filter(is_among(tickets::chatbot_id, chatbots.iter().copied()))
        .filter(is_among(tickets::contact_id, contacts.iter().map(|contact| contact.0)))
        .filter(tickets::state.ne("closed"))
        .select((tickets::chatbot_id, tickets::contact_id, tickets::id, tickets::agent_id))
        .load(db)?;
    let open = |(chatbot, contact, id, holder): (i64, i64, i64, Option<i64>)| {
        let ticket = OpenTicket { id: TicketId(id), holder: holder.map(UserId) };
        ((ChatbotId(chatbot), ContactId(contact)), ticket)
    };
    Ok(rows.into_iter().map(open).collect())
}

/// The zones of those of `chatbots` that keep quiet hours.
fn list_quiet_hours_zones(
    db: &mut Db,
    chatbots: &BTreeSet<i64>,
) -> Result<BTreeMap<ChatbotId, String>, PersistenceError> {
    let rows: Vec<(i64, String)> = chatbots::table
        .filter(is_among(chatbots::id, chatbots.iter().copied()))
        .filter(chatbots::quiet_hours_enabled)
        .select((chatbots::id, chatbots::time_zone))
        .load(db)?;
    Ok(rows.into_iter().map(|(chatbot, zone)| (ChatbotId(chatbot), zone)).collect())
}
