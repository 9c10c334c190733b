//! Admission: everything that stands against one active message at one instant, in the order of the
//! rules, and when it no longer does.

mod checks;
mod facts;
mod refusal;
#[cfg(test)]
mod tests;
mod tier;

use chrono::{DateTime, Utc};

pub use self::{
    facts::{
        CallBack, CapFacts, ContactReach, CreditFacts, Facts, NumberTrouble, NumberTroubleKind,
        OpenTicket, RecheckFacts, TicketReply,
    },
    refusal::{Admission, Refusal, RefusalCode},
    tier::{EffectiveLimit, LimitChange, TierFacts},
};

/// Judges one active message at `now`: all that stands against it, in the order of the rules.
///
/// The same facts may be judged at a later instant: they keep instants, not answers.
///
/// Rules: section 2, Admission; AM-12, AD-12.
pub fn admit(facts: &Facts, now: DateTime<Utc>) -> Admission {
    Admission::from_refusals(
        RefusalCode::ALL.into_iter().filter_map(|code| checks::check(code, facts, now)).collect(),
    )
}

/// Judges what can refuse the setting of a scheduled send: permission, presence, template, variables.
///
/// Everything else is a forecast: [`admit`] at the due instant.
///
/// Rules: AM-10, AM-12.
pub fn admit_schedule(facts: &Facts, now: DateTime<Utc>) -> Admission {
    let asked = [
        RefusalCode::NotPermitted,
        RefusalCode::AgentNotOnline,
        RefusalCode::TemplateNotApproved,
        RefusalCode::VariablesInvalid,
    ];
    Admission::from_refusals(
        asked.into_iter().filter_map(|code| checks::check(code, facts, now)).collect(),
    )
}

/// Asks again, right before sending, what can have changed since admission (AD-11).
pub fn recheck(facts: &RecheckFacts, now: DateTime<Utc>) -> Admission {
    let refusals = [
        checks::number_not_ready(&facts.number_troubles, now),
        checks::template_not_approved(facts.template_status, now),
        checks::contact_opted_out(&facts.opt_outs, facts.template_category),
        checks::contact_has_open_ticket(
            facts.open_ticket.as_ref(),
            facts.ticket_reply.as_ref(),
            facts.session_open_until,
            now,
        ),
        checks::quiet_hours(facts.quiet_hours.as_ref(), facts.forecast_horizon, now),
    ];
    Admission::from_refusals(refusals.into_iter().flatten().collect())
}

/// The first instant from `now` on at which the whole admission passes if nothing else happens; `now`
/// when it passes already.
///
/// `None` when waiting does not help, or only beyond `facts.forecast_horizon`.
///
/// Rule: CL-05.
#[must_use]
pub fn allowed_from(facts: &Facts, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let latest = now + facts.forecast_horizon;
    let mut at = now;
    while at <= latest {
        let Admission::Blocked(refusals) = admit(facts, at) else { return Some(at) };
        let ends: Option<Vec<DateTime<Utc>>> =
            refusals.into_iter().map(|refusal| refusal.until).collect();
        // Every end lies after the instant judged. Were one not to, no wait would be known to help.
        at = ends?.into_iter().max().filter(|end| at < *end)?;
    }
    None
}
