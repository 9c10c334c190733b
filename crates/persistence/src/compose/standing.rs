//! What stands against writing to each person of a list: judged by the rules of admission, read in a
//! fixed number of queries however long the list is.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use diesel::{dsl::sql, prelude::*, sql_types::Bool};
use domain::{
    admission::{self, ContactReach, Facts, OpenTicket, Refusal},
    contact_cap::CapScope,
    ids::{TicketId, UserId},
    opt_out::{OptOut, OptOutScope, OptOutSource},
    quiet_hours::QuietHours,
};

use super::SendingNumber;
use crate::{
    admission::{Draft, Recipient, facts_of},
    contact::Contact,
    db::Db,
    error::PersistenceError,
    instant::Instant,
    number,
    schema::{
        active_messages, chatbots, contact_identities, opt_outs, session_windows, tickets, users,
    },
    user::Actor,
};

/// Whether someone may be written to now, and what a page says of it beside the rules' own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// What stands against it, in the order of the rules; empty when nothing does. The values of the
    /// variables are not judged: they come later.
    pub reasons: Vec<Refusal>,
    /// From when it may go; `None` when waiting does not help (CL-05).
    pub until: Option<DateTime<Utc>>,
    /// Who serves the contact now; `None` without an open ticket and while it waits.
    pub served_by: Option<String>,
    /// When the contact opted out of what this template is; `None` when not.
    pub opted_out_at: Option<DateTime<Utc>>,
}

/// What stands against sending `draft`'s template to each of `people` at `now`, in their order. Whom
/// `draft` names does not matter.
///
/// # Errors
/// As [`admission::check`](crate::admission::check).
pub fn list_standings(
    db: &mut Db,
    actor: &Actor,
    from: &SendingNumber,
    draft: &Draft,
    people: &[Contact],
    now: DateTime<Utc>,
) -> Result<Vec<Standing>, PersistenceError> {
    let Some(first) = people.first() else { return Ok(Vec::new()) };
    let draft = Draft { to: Recipient::Contact(first.id), ..draft.clone() };
    let shared = facts_of(db, actor, &draft, now)?;
    let known = Known::read(db, actor, from, &shared, people, now)?;
    let mut each: Vec<Facts> = Vec::with_capacity(people.len());
    for person in people {
        each.push(known.facts(&shared, person));
    }
    let names = holder_names(db, &each)?;
    Ok(each.iter().map(|facts| judge(facts, &names, now)).collect())
}

/// What stands against sending `draft` to the number it names, which nobody known to `actor` has.
///
/// # Errors
/// As [`admission::check`](crate::admission::check).
pub fn standing_of_number(
    db: &mut Db,
    actor: &Actor,
    draft: &Draft,
    now: DateTime<Utc>,
) -> Result<Standing, PersistenceError> {
    let mut facts = facts_of(db, actor, draft, now)?;
    facts.variable_problems = Vec::new();
    let names = holder_names(db, std::slice::from_ref(&facts))?;
    Ok(judge(&facts, &names, now))
}

fn judge(facts: &Facts, names: &HashMap<UserId, String>, now: DateTime<Utc>) -> Standing {
    let category = facts.template_category;
    Standing {
        reasons: admission::admit(facts, now).refusals().to_vec(),
        until: admission::allowed_from(facts, now),
        served_by: facts
            .open_ticket
            .and_then(|ticket| ticket.holder)
            .and_then(|holder| names.get(&holder).cloned()),
        opted_out_at: facts
            .opt_outs
            .iter()
            .find(|opt_out| opt_out.scope.refuses(category))
            .map(|opt_out| opt_out.at),
    }
}

/// What differs from person to person, by contact.
struct Known {
    last_inbound: HashMap<i64, DateTime<Utc>>,
    window: Option<chrono::TimeDelta>,
    reach: HashMap<i64, ContactReach>,
    opt_outs: HashMap<i64, Vec<OptOut>>,
    tickets: HashMap<i64, OpenTicket>,
    sent_at: HashMap<i64, Vec<DateTime<Utc>>>,
    chatbot_zone: Tz,
}

impl Known {
    fn read(
        db: &mut Db,
        actor: &Actor,
        from: &SendingNumber,
        shared: &Facts,
        people: &[Contact],
        now: DateTime<Utc>,
    ) -> Result<Self, PersistenceError> {
        let ids: Vec<i64> = people.iter().map(|person| person.id.0).collect();
        let policy = number::get_policy(db, from.number)?;
        let zone: String =
            chatbots::table.find(from.chatbot.0).select(chatbots::time_zone).first(db)?;
        Ok(Self {
            last_inbound: last_inbound(db, from, &ids)?,
            window: policy.session_window(from.kind).map(|rule| rule.window),
            reach: reach(db, from, &ids)?,
            opt_outs: opt_outs_in_force(db, &ids)?,
            tickets: open_tickets(db, from, &ids)?,
            sent_at: counted_sends(db, actor, from, shared, &ids, now)?,
            chatbot_zone: zone
                .parse()
                .map_err(|_| PersistenceError::unreadable("chatbots", "time_zone", zone))?,
        })
    }

    /// The facts all share, with those of `person` in place.
    fn facts(&self, shared: &Facts, person: &Contact) -> Facts {
        let id = person.id.0;
        let last_inbound = self.last_inbound.get(&id).copied();
        let mut facts = shared.clone();
        facts.session_open_until = last_inbound.zip(self.window).map(|(at, window)| at + window);
        facts.contact = self.reach.get(&id).copied().unwrap_or(ContactReach::NoIdentity);
        facts.opt_outs = self.opt_outs.get(&id).cloned().unwrap_or_default();
        facts.open_ticket = self.tickets.get(&id).copied();
        facts.variable_problems = Vec::new();
        if let Some(cap) = &mut facts.cap {
            cap.sent_at = self.sent_at.get(&id).cloned().unwrap_or_default();
        }
        if let Some(quiet_hours) = &shared.quiet_hours {
            let allowed = quiet_hours.allowed.clone();
            facts.quiet_hours = Some(QuietHours { allowed, zones: self.zones(person) });
        }
        facts
    }

    fn zones(&self, person: &Contact) -> Vec<Tz> {
        let zones = super::zones_of(person);
        if zones.is_empty() { vec![self.chatbot_zone] } else { zones }
    }
}

fn last_inbound(
    db: &mut Db,
    from: &SendingNumber,
    contacts: &[i64],
) -> Result<HashMap<i64, DateTime<Utc>>, PersistenceError> {
    let rows: Vec<(i64, Instant)> = session_windows::table
        .filter(session_windows::channel_id.eq(from.channel.0))
        .filter(session_windows::contact_id.eq_any(contacts))
        .select((session_windows::contact_id, session_windows::last_inbound_at))
        .load(db)?;
    Ok(rows.into_iter().map(|(contact, at)| (contact, at.into())).collect())
}

/// The best of each contact's ways on the number's platform; who has none is left out.
fn reach(
    db: &mut Db,
    from: &SendingNumber,
    contacts: &[i64],
) -> Result<HashMap<i64, ContactReach>, PersistenceError> {
    let rows: Vec<(i64, String, String, String)> = contact_identities::table
        .filter(contact_identities::contact_id.eq_any(contacts))
        .order(contact_identities::id.asc())
        .select((
            contact_identities::contact_id,
            contact_identities::kind,
            contact_identities::scope,
            contact_identities::reachable,
        ))
        .load(db)?;
    let mut best = HashMap::new();
    for (contact, kind, scope, word) in rows {
        if kind != "phone" && scope != from.account_id {
            continue;
        }
        let reach = ContactReach::parse(&word)
            .ok_or_else(|| PersistenceError::unreadable("contact_identities", "reachable", word))?;
        let known = best.entry(contact).or_insert(reach);
        if reach == ContactReach::Reachable {
            *known = reach;
        }
    }
    Ok(best)
}

fn opt_outs_in_force(
    db: &mut Db,
    contacts: &[i64],
) -> Result<HashMap<i64, Vec<OptOut>>, PersistenceError> {
    let rows: Vec<(i64, String, String, Instant)> = opt_outs::table
        .filter(opt_outs::contact_id.eq_any(contacts))
        .filter(opt_outs::lifted_at.is_null())
        .order(opt_outs::at.asc())
        .select((opt_outs::contact_id, opt_outs::scope, opt_outs::source, opt_outs::at))
        .load(db)?;
    let mut in_force: HashMap<i64, Vec<OptOut>> = HashMap::new();
    for (contact, scope, source, at) in rows {
        let unreadable = |column, value| PersistenceError::unreadable("opt_outs", column, value);
        in_force.entry(contact).or_default().push(OptOut {
            scope: OptOutScope::parse(&scope).ok_or_else(|| unreadable("scope", scope))?,
            source: OptOutSource::parse(&source).ok_or_else(|| unreadable("source", source))?,
            at: at.into(),
        });
    }
    Ok(in_force)
}

/// The condition is written out, so that both databases use the index on open tickets.
fn open_tickets(
    db: &mut Db,
    from: &SendingNumber,
    contacts: &[i64],
) -> Result<HashMap<i64, OpenTicket>, PersistenceError> {
    let rows: Vec<(i64, i64, Option<i64>)> = tickets::table
        .filter(tickets::chatbot_id.eq(from.chatbot.0))
        .filter(tickets::contact_id.eq_any(contacts))
        .filter(sql::<Bool>("tickets.state <> 'closed'"))
        .select((tickets::contact_id, tickets::id, tickets::agent_id))
        .load(db)?;
    let ticket =
        |id, holder: Option<i64>| OpenTicket { id: TicketId(id), holder: holder.map(UserId) };
    Ok(rows.into_iter().map(|(contact, id, holder)| (contact, ticket(id, holder))).collect())
}

/// The sends that count for the cap, oldest first; nobody's while the cap is off.
fn counted_sends(
    db: &mut Db,
    actor: &Actor,
    from: &SendingNumber,
    shared: &Facts,
    contacts: &[i64],
    now: DateTime<Utc>,
) -> Result<HashMap<i64, Vec<DateTime<Utc>>>, PersistenceError> {
    let Some(cap) = &shared.cap else { return Ok(HashMap::new()) };
    let mut query = active_messages::table
        .filter(active_messages::contact_id.eq_any(contacts))
        .filter(active_messages::chatbot_id.eq(from.chatbot.0))
        .filter(active_messages::queued_at.gt(Instant::from(now - cap.cap.window)))
        .filter(active_messages::given_back_at.is_null())
        .order(active_messages::queued_at.asc())
        .select((active_messages::contact_id, active_messages::queued_at))
        .into_boxed();
    if cap.scope == CapScope::EachAgent {
        query = query.filter(active_messages::agent_id.eq(actor.id().0));
    }
    let rows: Vec<(i64, Instant)> = query.load(db)?;
    let mut counted: HashMap<i64, Vec<DateTime<Utc>>> = HashMap::new();
    for (contact, at) in rows {
        counted.entry(contact).or_default().push(at.into());
    }
    Ok(counted)
}

/// The names of those who hold a ticket.
fn holder_names(db: &mut Db, facts: &[Facts]) -> Result<HashMap<UserId, String>, PersistenceError> {
    let holders: Vec<i64> =
        facts.iter().filter_map(|facts| facts.open_ticket?.holder).map(|holder| holder.0).collect();
    if holders.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(i64, String)> =
        users::table.filter(users::id.eq_any(holders)).select((users::id, users::name)).load(db)?;
    Ok(rows.into_iter().map(|(id, name)| (UserId(id), name)).collect())
}
