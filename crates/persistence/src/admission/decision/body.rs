//! Facts as the log keeps them: serde structs of their own, read back into the same facts.

use chrono::{DateTime, TimeDelta, Utc, Weekday};
use domain::{
    admission::{
        CallBack, CapFacts, ContactReach, CreditFacts, EffectiveLimit, Facts, LimitChange,
        NumberTrouble, NumberTroubleKind, OpenTicket, TicketReply, TierFacts,
    },
    channel::ChannelKind,
    contact_cap::{CapScope, ContactCap},
    ids::{TicketId, UserId},
    money::Millionths,
    opt_out::{OptOut, OptOutScope, OptOutSource},
    presence::Presence,
    quiet_hours::{Frame, QuietHours, WeeklyFrames},
    template::{VariableName, VariableProblem, VariableProblemCode},
};
use serde::{Deserialize, Serialize};

use crate::{error::PersistenceError, instant::Instant, message_template};

/// Instants are milliseconds since 1970, lengths of time whole milliseconds.
#[derive(Serialize, Deserialize)]
struct FactsBody {
    permitted: bool,
    presence: Option<String>,
    active_messages_enabled: bool,
    channel: String,
    number_troubles: Vec<(String, Option<i64>)>,
    tier: Option<TierBody>,
    template_status: String,
    template_paused_until: Option<i64>,
    template_category: String,
    session_open_until: Option<i64>,
    contact: String,
    opt_outs: Vec<OptOutBody>,
    open_ticket: Option<(i64, Option<i64>)>,
    ticket_reply: Option<(i64, i64)>,
    call_back: Option<(Option<i64>, i64)>,
    cap: Option<CapBody>,
    quiet_hours: Option<QuietHoursBody>,
    variable_problems: Vec<VariableProblemBody>,
    credit: Option<CreditBody>,
    forecast_horizon: i64,
}

#[derive(Serialize, Deserialize)]
struct TierBody {
    window: i64,
    count: u32,
    limit: u32,
    limit_changes: Vec<(i64, u32)>,
    oldest_counted: Vec<i64>,
}

#[derive(Serialize, Deserialize)]
struct OptOutBody {
    scope: String,
    source: String,
    at: i64,
}

#[derive(Serialize, Deserialize)]
struct CapBody {
    sends: u32,
    window: i64,
    scope: String,
    sent_at: Vec<i64>,
}

#[derive(Serialize, Deserialize)]
struct QuietHoursBody {
    /// Weekday (1 is Monday), opening and closing minute.
    frames: Vec<(u32, u16, u16)>,
    zones: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct VariableProblemBody {
    name: String,
    code: String,
    most: Option<usize>,
}

#[derive(Serialize, Deserialize)]
struct CreditBody {
    balance: i64,
    price: i64,
    price_in_open_window: i64,
}

/// The facts as text.
pub(super) fn write(facts: &Facts) -> Result<String, PersistenceError> {
    serde_json::to_string(&body_of(facts)).map_err(|error| unreadable(error.to_string()))
}

/// The facts that [`write`] wrote.
pub(super) fn read(text: &str) -> Result<Facts, PersistenceError> {
    let body: FactsBody =
        serde_json::from_str(text).map_err(|error| unreadable(error.to_string()))?;
    facts_of(body)
}

fn unreadable(value: impl Into<String>) -> PersistenceError {
    PersistenceError::unreadable("decisions", "facts", value)
}

fn milliseconds(at: DateTime<Utc>) -> i64 {
    Instant::from(at).0
}

fn instant(milliseconds: i64) -> DateTime<Utc> {
    Instant(milliseconds).into()
}

fn body_of(facts: &Facts) -> FactsBody {
    let (template_status, paused_until) = message_template::status_columns(facts.template_status);
    FactsBody {
        permitted: facts.permitted,
        presence: facts.presence.map(|presence| presence.as_str().to_owned()),
        active_messages_enabled: facts.active_messages_enabled,
        channel: facts.channel.as_str().to_owned(),
        number_troubles: facts
            .number_troubles
            .iter()
            .map(|trouble| (trouble.kind.as_str().to_owned(), trouble.until.map(milliseconds)))
            .collect(),
        tier: facts.tier.as_ref().map(tier_body),
        template_status: template_status.to_owned(),
        template_paused_until: paused_until.map(|at| at.0),
        template_category: message_template::category_word(facts.template_category).to_owned(),
        session_open_until: facts.session_open_until.map(milliseconds),
        contact: facts.contact.as_str().to_owned(),
        opt_outs: facts.opt_outs.iter().map(opt_out_body).collect(),
        open_ticket: facts
            .open_ticket
            .map(|ticket| (ticket.id.0, ticket.holder.map(|holder| holder.0))),
        ticket_reply: facts.ticket_reply.map(|reply| (reply.ticket.0, reply.by.0)),
        call_back: facts.call_back.map(|call| (call.by.map(|by| by.0), milliseconds(call.at))),
        cap: facts.cap.as_ref().map(cap_body),
        quiet_hours: facts.quiet_hours.as_ref().map(quiet_hours_body),
        variable_problems: facts.variable_problems.iter().map(variable_problem_body).collect(),
        credit: facts.credit.map(|credit| CreditBody {
            balance: credit.balance.0,
            price: credit.price.0,
            price_in_open_window: credit.price_in_open_window.0,
        }),
        forecast_horizon: facts.forecast_horizon.num_milliseconds(),
    }
}

fn tier_body(tier: &TierFacts) -> TierBody {
    let changes = tier.limit.changes.iter();
    TierBody {
        window: tier.window.num_milliseconds(),
        count: tier.count,
        limit: tier.limit.current,
        limit_changes: changes.map(|change| (milliseconds(change.at), change.limit)).collect(),
        oldest_counted: tier.oldest_counted.iter().copied().map(milliseconds).collect(),
    }
}

fn opt_out_body(opt_out: &OptOut) -> OptOutBody {
    OptOutBody {
        scope: opt_out.scope.as_str().to_owned(),
        source: opt_out.source.as_str().to_owned(),
        at: milliseconds(opt_out.at),
    }
}

fn cap_body(cap: &CapFacts) -> CapBody {
    CapBody {
        sends: cap.cap.sends,
        window: cap.cap.window.num_milliseconds(),
        scope: cap.scope.as_str().to_owned(),
        sent_at: cap.sent_at.iter().copied().map(milliseconds).collect(),
    }
}

fn quiet_hours_body(hours: &QuietHours) -> QuietHoursBody {
    let frame =
        |frame: &Frame| (frame.weekday().number_from_monday(), frame.opens(), frame.closes());
    QuietHoursBody {
        frames: hours.allowed.0.iter().map(frame).collect(),
        zones: hours.zones.iter().map(|zone| zone.name().to_owned()).collect(),
    }
}

fn variable_problem_body(problem: &VariableProblem) -> VariableProblemBody {
    let most = match problem.code {
        VariableProblemCode::TooLong { most } => Some(most),
        _ => None,
    };
    VariableProblemBody {
        name: problem.name.0.clone(),
        code: problem.code.as_str().to_owned(),
        most,
    }
}

fn facts_of(body: FactsBody) -> Result<Facts, PersistenceError> {
    let paused_until = body.template_paused_until.map(instant);
    Ok(Facts {
        permitted: body.permitted,
        presence: body.presence.map(|word| parsed(&word, Presence::parse)).transpose()?,
        active_messages_enabled: body.active_messages_enabled,
        channel: parsed(&body.channel, ChannelKind::parse)?,
        number_troubles: body
            .number_troubles
            .into_iter()
            .map(|(kind, until)| {
                let kind = parsed(&kind, NumberTroubleKind::parse)?;
                Ok(NumberTrouble { kind, until: until.map(instant) })
            })
            .collect::<Result<_, PersistenceError>>()?,
        tier: body.tier.map(tier_of),
        template_status: message_template::read_status(&body.template_status, paused_until),
        template_category: parsed(&body.template_category, message_template::read_category)?,
        session_open_until: body.session_open_until.map(instant),
        contact: parsed(&body.contact, ContactReach::parse)?,
        opt_outs: body.opt_outs.into_iter().map(opt_out_of).collect::<Result<_, _>>()?,
        open_ticket: body
            .open_ticket
            .map(|(id, holder)| OpenTicket { id: TicketId(id), holder: holder.map(UserId) }),
        ticket_reply: body
            .ticket_reply
            .map(|(ticket, by)| TicketReply { ticket: TicketId(ticket), by: UserId(by) }),
        call_back: body.call_back.map(|(by, at)| CallBack { by: by.map(UserId), at: instant(at) }),
        cap: body.cap.map(cap_of).transpose()?,
        quiet_hours: body.quiet_hours.map(quiet_hours_of).transpose()?,
        variable_problems: body
            .variable_problems
            .into_iter()
            .map(variable_problem_of)
            .collect::<Result<_, _>>()?,
        credit: body.credit.map(|credit| CreditFacts {
            balance: Millionths(credit.balance),
            price: Millionths(credit.price),
            price_in_open_window: Millionths(credit.price_in_open_window),
        }),
        forecast_horizon: TimeDelta::milliseconds(body.forecast_horizon),
    })
}

fn parsed<T>(word: &str, parse: impl Fn(&str) -> Option<T>) -> Result<T, PersistenceError> {
    parse(word).ok_or_else(|| unreadable(word))
}

fn tier_of(body: TierBody) -> TierFacts {
    let change = |(at, limit)| LimitChange { at: instant(at), limit };
    TierFacts {
        window: TimeDelta::milliseconds(body.window),
        count: body.count,
        limit: EffectiveLimit {
            current: body.limit,
            changes: body.limit_changes.into_iter().map(change).collect(),
        },
        oldest_counted: body.oldest_counted.into_iter().map(instant).collect(),
    }
}

fn opt_out_of(body: OptOutBody) -> Result<OptOut, PersistenceError> {
    Ok(OptOut {
        scope: parsed(&body.scope, OptOutScope::parse)?,
        source: parsed(&body.source, OptOutSource::parse)?,
        at: instant(body.at),
    })
}

fn cap_of(body: CapBody) -> Result<CapFacts, PersistenceError> {
    let cap = ContactCap { sends: body.sends, window: TimeDelta::milliseconds(body.window) };
    let sent_at = body.sent_at.into_iter().map(instant).collect();
    Ok(CapFacts { cap, scope: parsed(&body.scope, CapScope::parse)?, sent_at })
}

fn quiet_hours_of(body: QuietHoursBody) -> Result<QuietHours, PersistenceError> {
    let frame = |(weekday, opens, closes): (u32, u16, u16)| {
        let problem = || unreadable(format!("{weekday} {opens} {closes}"));
        let day = weekday.checked_sub(1).and_then(|day| u8::try_from(day).ok());
        let day = day.and_then(|day| Weekday::try_from(day).ok()).ok_or_else(problem)?;
        Frame::new(day, opens, closes).map_err(|_| problem())
    };
    let zone = |name: String| name.parse().map_err(|_| unreadable(name.as_str()));
    Ok(QuietHours {
        allowed: WeeklyFrames(body.frames.into_iter().map(frame).collect::<Result<_, _>>()?),
        zones: body.zones.into_iter().map(zone).collect::<Result<_, _>>()?,
    })
}

fn variable_problem_of(body: VariableProblemBody) -> Result<VariableProblem, PersistenceError> {
    let code = match body.most {
        Some(most) => VariableProblemCode::TooLong { most },
        None => parsed(&body.code, parse_problem)?,
    };
    Ok(VariableProblem { name: VariableName(body.name), code })
}

fn parse_problem(word: &str) -> Option<VariableProblemCode> {
    const WITHOUT_BOUND: [VariableProblemCode; 12] = [
        VariableProblemCode::Missing,
        VariableProblemCode::UnknownVariable,
        VariableProblemCode::Newline,
        VariableProblemCode::Tab,
        VariableProblemCode::TooManySpaces,
        VariableProblemCode::ControlCharacter,
        VariableProblemCode::Placeholder,
        VariableProblemCode::UnknownField,
        VariableProblemCode::EmptyField,
        VariableProblemCode::NotAUrl,
        VariableProblemCode::MediaRefused,
        VariableProblemCode::NotACoordinate,
    ];
    WITHOUT_BOUND.into_iter().find(|code| code.as_str() == word)
}
