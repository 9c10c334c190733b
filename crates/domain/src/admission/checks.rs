//! One check per code, each a function of what it asks about.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    facts::{Facts, NumberTrouble, OpenTicket, TicketReply, is_open},
    refusal::{Refusal, RefusalCode},
};
use crate::{
    contact_cap::ContactCap,
    opt_out::OptOut,
    presence::Presence,
    quiet_hours::QuietHours,
    template::{TemplateCategory, TemplateStatus},
};

/// What `code` says of the facts at `now`; `None` when it does not stand.
pub(super) fn check(code: RefusalCode, facts: &Facts, now: DateTime<Utc>) -> Option<Refusal> {
    let lasting = |stands: bool| stands.then_some(Refusal::lasting(code));
    match code {
        RefusalCode::NotPermitted => lasting(!facts.permitted),
        RefusalCode::AgentNotOnline => {
            lasting(facts.presence.is_some_and(|presence| presence != Presence::Online))
        }
        RefusalCode::ActiveMessagesDisabled => lasting(!facts.active_messages_enabled),
        RefusalCode::ChannelCannotInitiate => lasting(!facts.channel.can_initiate()),
        RefusalCode::NumberNotReady => number_not_ready(&facts.number_troubles, now),
        RefusalCode::TierLimitReached => tier_limit_reached(facts, now),
        RefusalCode::TemplateNotApproved => template_not_approved(facts.template_status, now),
        RefusalCode::ContactUnreachable => lasting(facts.contact != super::ContactReach::Reachable),
        RefusalCode::ContactOptedOut => contact_opted_out(&facts.opt_outs, facts.template_category),
        RefusalCode::ContactHasOpenTicket => contact_has_open_ticket(
            facts.open_ticket.as_ref(),
            facts.ticket_reply.as_ref(),
            facts.session_open_until,
            now,
        ),
        RefusalCode::AlreadyCalledBack => lasting(facts.call_back.is_some()),
        RefusalCode::AgentContactCap => {
            facts.cap.as_ref().and_then(|cap| agent_contact_cap(&cap.sent_at, cap.cap, now))
        }
        RefusalCode::QuietHours => {
            quiet_hours(facts.quiet_hours.as_ref(), facts.forecast_horizon, now)
        }
        RefusalCode::VariablesInvalid => lasting(!facts.variable_problems.is_empty()),
        RefusalCode::InsufficientCredit => lasting(insufficient_credit(facts, now)),
    }
}

/// Stands while any trouble does; ends with the last, or at no known instant.
pub(super) fn number_not_ready(troubles: &[NumberTrouble], now: DateTime<Utc>) -> Option<Refusal> {
    let standing = || troubles.iter().filter(|trouble| trouble.until.is_none_or(|end| now < end));
    standing().next()?;
    let until: Option<Vec<DateTime<Utc>>> = standing().map(|trouble| trouble.until).collect();
    let until = until.and_then(|ends| ends.into_iter().max());
    Some(Refusal { code: RefusalCode::NumberNotReady, until })
}

/// What the cap per agent and contact says of one more active message at `now`.
///
/// `sent_at` holds the counted sends, oldest first; the newest `cap.sends` of them are enough. A send
/// counts while it is younger than `cap.window`; one exactly that old no longer does.
///
/// Rules: AD-03, AD-04, CL-01.
pub(super) fn agent_contact_cap(
    sent_at: &[DateTime<Utc>],
    cap: ContactCap,
    now: DateTime<Utc>,
) -> Option<Refusal> {
    let counted: Vec<DateTime<Utc>> =
        sent_at.iter().copied().filter(|sent| now - *sent < cap.window).collect();
    let surplus = counted.len().checked_sub(cap.sends as usize)?;
    let until = counted.get(surplus).map(|sent| *sent + cap.window);
    Some(Refusal { code: RefusalCode::AgentContactCap, until })
}

/// Refuses notifications alone: a template inside an open window neither counts nor is limited (NU-07).
fn tier_limit_reached(facts: &Facts, now: DateTime<Utc>) -> Option<Refusal> {
    let tier = facts.tier.as_ref()?;
    let stands = facts.is_notification(now) && tier.is_reached(now);
    stands.then(|| Refusal { code: RefusalCode::TierLimitReached, until: tier.open_from(now) })
}

pub(super) fn template_not_approved(status: TemplateStatus, now: DateTime<Utc>) -> Option<Refusal> {
    let until = match status {
        TemplateStatus::Approved => return None,
        TemplateStatus::Paused { until: Some(end) } if end <= now => return None,
        TemplateStatus::Paused { until } => until,
        TemplateStatus::Pending
        | TemplateStatus::Rejected
        | TemplateStatus::Disabled
        | TemplateStatus::Archived
        | TemplateStatus::Unfillable(_)
        | TemplateStatus::Gone => None,
    };
    Some(Refusal { code: RefusalCode::TemplateNotApproved, until })
}

pub(super) fn contact_opted_out(
    opt_outs: &[OptOut],
    category: TemplateCategory,
) -> Option<Refusal> {
    let refused = opt_outs.iter().any(|opt_out| opt_out.scope.refuses(category));
    refused.then_some(Refusal::lasting(RefusalCode::ContactOptedOut))
}

/// Does not stand when the ticket's own holder writes from it while the window is closed (SW-09).
pub(super) fn contact_has_open_ticket(
    open_ticket: Option<&OpenTicket>,
    reply: Option<&TicketReply>,
    session_open_until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Option<Refusal> {
    let ticket = open_ticket?;
    let from_its_holder =
        reply.is_some_and(|reply| reply.ticket == ticket.id && ticket.holder == Some(reply.by));
    let exempt = from_its_holder && !is_open(session_open_until, now);
    (!exempt).then_some(Refusal::lasting(RefusalCode::ContactHasOpenTicket))
}

pub(super) fn quiet_hours(
    hours: Option<&QuietHours>,
    horizon: TimeDelta,
    now: DateTime<Utc>,
) -> Option<Refusal> {
    let until = hours?.allowed_from(now, horizon);
    (until != Some(now)).then_some(Refusal { code: RefusalCode::QuietHours, until })
}

fn insufficient_credit(facts: &Facts, now: DateTime<Utc>) -> bool {
    facts.credit.is_some_and(|credit| {
        let price =
            if facts.is_notification(now) { credit.price } else { credit.price_in_open_window };
        credit.balance < price
    })
}
