//! What admission would say of a contact before a template is picked: *May I write?* beside a conversation.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    admission::{self, Facts, Refusal},
    ids::{ChannelId, ContactId, TemplateId, TicketId},
    template::{TemplateCategory, TemplateStatus, VariableValues},
};

use super::{Door, Draft, Recipient, counters, facts, locked};
use crate::{
    db::Db,
    error::PersistenceError,
    number::{self, NumberRow},
    schema::{channels, message_templates},
    user::Actor,
};

/// What stands for and against writing to a contact over a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// What admission sees, as if an approved template of no marketing kind were picked.
    pub facts: Facts,
    /// Empty when an active message may go; in the order of the rules.
    pub reasons: Vec<Refusal>,
    /// From when it may go: now when nothing stands against it, `None` when waiting does not help.
    pub until: Option<DateTime<Utc>>,
    /// The number it would go from; `None` for a channel without one.
    pub number: Option<NumberOutlook>,
}

/// The number an active message would go from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberOutlook {
    /// In E.164 form.
    pub phone: String,
    /// Its rating.
    pub rating: domain::number::quality::Rating,
    /// Distinct contacts of the last 24 h, exactly.
    pub counted: u32,
    /// How many it may notify in 24 h.
    pub limit: u32,
}

/// What admission would say at `now` of an active message of `actor` to `contact` over `channel`, all but
/// the template. `ticket` is the open ticket it would be sent from (SW-09). Nothing is consumed or logged.
///
/// `None` when the channel's account has no template at all.
///
/// # Errors
/// `NotFound` when the contact is not `actor`'s to know.
pub fn outlook(
    db: &mut Db,
    actor: &Actor,
    channel: ChannelId,
    contact: ContactId,
    ticket: Option<TicketId>,
    now: DateTime<Utc>,
) -> Result<Option<Outlook>, PersistenceError> {
    let Some(template) = find_any_template(db, channel)? else { return Ok(None) };
    let draft = Draft {
        channel,
        template,
        to: Recipient::Contact(contact),
        values: VariableValues::new(),
        refused_media: Vec::new(),
        agent: Some(actor.id()),
        door: Door::Desk,
        ticket,
        key: None,
    };
    let mut found = locked::look(db, actor, &draft)?;
    let policy = found.policy(db)?;
    let gathered = facts::gather(db, actor, &draft, &mut found, &policy, now)?;
    let facts = Facts {
        template_status: TemplateStatus::Approved,
        template_category: TemplateCategory::Utility,
        variable_problems: Vec::new(),
        ..gathered.facts
    };
    let number = match &mut found.number {
        Some(row) => {
            counters::expire_day(db, row, &policy, now)?;
            Some(number_outlook(row, &facts, now)?)
        }
        None => None,
    };
    let reasons = admission::admit(&facts, now).refusals().to_vec();
    let until = admission::allowed_from(&facts, now);
    Ok(Some(Outlook { facts, reasons, until, number }))
}

fn number_outlook(
    row: &NumberRow,
    facts: &Facts,
    now: DateTime<Utc>,
) -> Result<NumberOutlook, PersistenceError> {
    Ok(NumberOutlook {
        phone: row.phone.clone(),
        rating: row.rating()?,
        counted: number::count("counted_day", row.counted_day)?,
        limit: facts.tier.as_ref().map_or(0, |tier| tier.limit.at(now)),
    })
}

fn find_any_template(
    db: &mut Db,
    channel: ChannelId,
) -> Result<Option<TemplateId>, PersistenceError> {
    let account: String = channels::table.find(channel.0).select(channels::account_id).first(db)?;
    let template: Option<i64> = message_templates::table
        .filter(message_templates::account_id.eq(account))
        .order(message_templates::name.asc())
        .select(message_templates::id)
        .first(db)
        .optional()?;
    Ok(template.map(TemplateId))
}
