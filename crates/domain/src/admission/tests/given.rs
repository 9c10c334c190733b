//! A desk where everything is allowed, and what a test changes of it.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

use crate::{
    admission::{
        Admission, CallBack, CapFacts, ContactReach, CreditFacts, EffectiveLimit, Facts,
        NumberTrouble, NumberTroubleKind, OpenTicket, RecheckFacts, RefusalCode, TicketReply,
        TierFacts, admit, allowed_from,
    },
    channel::ChannelKind,
    contact_cap::{CapScope, ContactCap},
    ids::{TicketId, UserId},
    money::Millionths,
    opt_out::{OptOut, OptOutScope, OptOutSource},
    policy::Policy,
    presence::Presence,
    quiet_hours::{QuietHours, WeeklyFrames},
    template::{
        TemplateCategory, TemplateStatus, VariableName, VariableProblem, VariableProblemCode,
    },
};

pub(super) const ANA: UserId = UserId(1);
pub(super) const BRUNO: UserId = UserId(2);

/// Day `day` of the story at `time` (`09:00`, `08:59:59` or `08:59:59.999`), in UTC. Day 1 is a Monday.
pub(super) fn at(day: u32, time: &str) -> DateTime<Utc> {
    let formats = ["%H:%M", "%H:%M:%S%.f"];
    let time = formats
        .iter()
        .find_map(|format| chrono::NaiveTime::parse_from_str(time, format).ok())
        .unwrap_or_else(|| panic!("no time of day: {time}"));
    let midnight = Utc.with_ymd_and_hms(2026, 11, 23, 0, 0, 0).unwrap();
    midnight + TimeDelta::days(i64::from(day) - 1) + (time - chrono::NaiveTime::MIN)
}

pub(super) const MILLISECOND: TimeDelta = TimeDelta::milliseconds(1);

#[derive(Debug, Clone)]
pub(super) struct Given {
    pub(super) facts: Facts,
}

impl Given {
    /// Ana is online and may send an approved template; cap, quiet hours and credit are off.
    pub(super) fn desk() -> Self {
        Self {
            facts: Facts {
                permitted: true,
                presence: Some(Presence::Online),
                active_messages_enabled: true,
                channel: ChannelKind::WhatsApp,
                number_troubles: Vec::new(),
                tier: None,
                template_status: TemplateStatus::Approved,
                template_category: TemplateCategory::Utility,
                session_open_until: None,
                contact: ContactReach::Reachable,
                opt_outs: Vec::new(),
                open_ticket: None,
                ticket_reply: None,
                call_back: None,
                cap: None,
                quiet_hours: None,
                variable_problems: Vec::new(),
                credit: None,
                forecast_horizon: Policy::default_profile().active_messages.forecast_horizon,
            },
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Facts)) -> Self {
        change(&mut self.facts);
        self
    }

    pub(super) fn without_permission(self) -> Self {
        self.with(|facts| facts.permitted = false)
    }

    pub(super) fn with_presence(self, presence: Option<Presence>) -> Self {
        self.with(|facts| facts.presence = presence)
    }

    pub(super) fn with_the_switch_off(self) -> Self {
        self.with(|facts| facts.active_messages_enabled = false)
    }

    pub(super) fn on_channel(self, channel: ChannelKind) -> Self {
        self.with(|facts| facts.channel = channel)
    }

    pub(super) fn with_number_trouble(
        self,
        kind: NumberTroubleKind,
        until: Option<DateTime<Utc>>,
    ) -> Self {
        self.with(|facts| facts.number_troubles.push(NumberTrouble { kind, until }))
    }

    /// Every counted instant, in any order; the facts get what SQL would read.
    pub(super) fn with_recipients(self, limit: EffectiveLimit, counted: &[DateTime<Utc>]) -> Self {
        let mut oldest_counted = counted.to_vec();
        oldest_counted.sort_unstable();
        let count = u32::try_from(counted.len()).unwrap();
        oldest_counted.truncate(TierFacts::needed_oldest(count, &limit) as usize);
        let window = Policy::default_profile().tiers.window;
        let tier = TierFacts { window, count, limit, oldest_counted };
        self.with(|facts| facts.tier = Some(tier))
    }

    pub(super) fn with_template(self, status: TemplateStatus) -> Self {
        self.with(|facts| facts.template_status = status)
    }

    pub(super) fn of_category(self, category: TemplateCategory) -> Self {
        self.with(|facts| facts.template_category = category)
    }

    pub(super) fn with_window_open_until(self, end: DateTime<Utc>) -> Self {
        self.with(|facts| facts.session_open_until = Some(end))
    }

    pub(super) fn with_contact(self, reach: ContactReach) -> Self {
        self.with(|facts| facts.contact = reach)
    }

    pub(super) fn with_opt_out(self, scope: OptOutScope) -> Self {
        let opt_out = OptOut { scope, source: OptOutSource::Agent, at: at(1, "00:00") };
        self.with(|facts| facts.opt_outs.push(opt_out))
    }

    pub(super) fn with_open_ticket_of(self, holder: Option<UserId>) -> Self {
        self.with(|facts| facts.open_ticket = Some(OpenTicket { id: TicketId(7), holder }))
    }

    pub(super) fn sent_from_ticket(self, ticket: TicketId, by: UserId) -> Self {
        self.with(|facts| facts.ticket_reply = Some(TicketReply { ticket, by }))
    }

    pub(super) fn called_back_by(self, by: UserId) -> Self {
        self.with(|facts| facts.call_back = Some(CallBack { by: Some(by), at: at(1, "08:00") }))
    }

    pub(super) fn with_cap(self, sends: u32, sent_at: &[DateTime<Utc>]) -> Self {
        let window = Policy::default_profile().contact_cap.window;
        let cap = CapFacts {
            cap: ContactCap { sends, window },
            scope: CapScope::EachAgent,
            sent_at: sent_at.to_vec(),
        };
        self.with(|facts| facts.cap = Some(cap))
    }

    pub(super) fn with_quiet_hours_in(self, zones: &[Tz]) -> Self {
        let allowed = WeeklyFrames::every_day_eight_to_nine();
        let quiet_hours = QuietHours { allowed, zones: zones.to_vec() };
        self.with(|facts| facts.quiet_hours = Some(quiet_hours))
    }

    pub(super) fn with_a_missing_variable(self) -> Self {
        let name = VariableName("1".to_owned());
        let problem = VariableProblem { name, code: VariableProblemCode::Missing };
        self.with(|facts| facts.variable_problems.push(problem))
    }

    pub(super) fn with_credit(self, balance: i64, price: i64, price_in_open_window: i64) -> Self {
        let credit = CreditFacts {
            balance: Millionths(balance),
            price: Millionths(price),
            price_in_open_window: Millionths(price_in_open_window),
        };
        self.with(|facts| facts.credit = Some(credit))
    }

    pub(super) fn admit(&self, now: DateTime<Utc>) -> Admission {
        admit(&self.facts, now)
    }

    /// The codes that stand at `now`, in the order given.
    pub(super) fn codes(&self, now: DateTime<Utc>) -> Vec<RefusalCode> {
        self.admit(now).refusals().iter().map(|refusal| refusal.code).collect()
    }

    /// The `until` of the headline; panics when the send may go.
    pub(super) fn until(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        self.admit(now).headline().expect("the send is refused").until
    }

    pub(super) fn allowed_from(&self, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        allowed_from(&self.facts, now)
    }

    pub(super) fn recheck_facts(&self) -> RecheckFacts {
        let facts = self.facts.clone();
        RecheckFacts {
            number_troubles: facts.number_troubles,
            template_status: facts.template_status,
            template_category: facts.template_category,
            session_open_until: facts.session_open_until,
            opt_outs: facts.opt_outs,
            open_ticket: facts.open_ticket,
            ticket_reply: facts.ticket_reply,
            quiet_hours: facts.quiet_hours,
            forecast_horizon: facts.forecast_horizon,
        }
    }
}
