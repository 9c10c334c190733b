//! The numbers behind the rules, as data: one value, versioned where it is stored (NU-11).
//!
//! A rule takes the numbers it needs from here as arguments. The documented figures are those of the
//! default profile.

use chrono::TimeDelta;

use crate::channel::ChannelKind;

/// Every number the rules go by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// How long and how much may be written freely after a contact's message, per channel.
    pub session_windows: Vec<SessionWindowPolicy>,
    /// The life of an active message.
    pub active_messages: ActiveMessagePolicy,
    /// The agent cap per contact.
    pub contact_cap: ContactCapPolicy,
    /// Limits and levels of numbers.
    pub tiers: TierPolicy,
    /// Feedback, ratings, and what a low rating leads to.
    pub quality: QualityPolicy,
    /// Tickets and routing.
    pub service: ServicePolicy,
    /// How long things are kept.
    pub retention: RetentionPolicy,
    /// When alerts repeat.
    pub alerts: AlertPolicy,
    /// The clock guard.
    pub clock_guard: ClockGuardPolicy,
}

/// What a channel's platform allows after a contact's message (SW-06, SW-08).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionWindowPolicy {
    /// The channel it is about. A kind without a line has no session window.
    pub kind: ChannelKind,
    /// How long free-form text is allowed: `[message, message + window)`.
    pub window: TimeDelta,
    /// Messages allowed per message of the contact; `None` when the platform names no limit.
    pub messages: Option<u32>,
    /// The platform policy it follows, by its own name.
    pub policy_name: String,
    /// Where that policy can be read.
    pub policy_url: String,
}

/// Numbers of the life of an active message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveMessagePolicy {
    /// From acceptance, or the trigger, to Expired: 24 h.
    pub response_window: TimeDelta,
    /// From the end of the response window until a row leaves the desk: 48 h (LI-05).
    pub listed_after_window: TimeDelta,
    /// How long an unknown outcome may be settled by a receipt: 10 min (LI-09).
    pub unknown_outcome_wait: TimeDelta,
    /// A send still not accepted this long after its trigger is never sent: 24 h (LI-04).
    pub send_deadline: TimeDelta,
    /// The most recipients in one send: 15 (AM-05).
    pub recipients_per_send: u32,
    /// How far ahead a refusal says when it ends: 14 days (CL-05).
    pub forecast_horizon: TimeDelta,
}

/// Numbers of the agent cap per contact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactCapPolicy {
    /// How long a send counts: 24 h.
    pub window: TimeDelta,
    /// What X may be: 1 to 100 (AD-05).
    pub bounds: CapBounds,
    /// What the field is filled with before anyone sets it: 3 (DE-01).
    pub default_sends: u32,
}

/// What X of the cap may be, both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CapBounds {
    /// The least X.
    pub least: u32,
    /// The greatest X.
    pub most: u32,
}

/// Limits and levels of a number (NU-07 to NU-11).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TierPolicy {
    /// How long a contact's latest notification counts against the limit: 24 h.
    pub window: TimeDelta,
    /// Distinct contacts per level, level 1 first: 1,000, 10,000, 100,000. Rising, never empty.
    pub level_limits: Vec<u32>,
    /// The level a new number starts at: 1.
    pub entry_level: u8,
    /// The limit of a restricted number of level 1: 250 (NU-05).
    pub limit_below_level_one: u32,
    /// Over how long distinct contacts count for a promotion: 168 h.
    pub promotion_window: TimeDelta,
    /// How many times the level's limit they must reach: 2.
    pub promotion_factor: u32,
    /// How long a number must have been writing at its level: 48 h.
    pub promotion_wait: TimeDelta,
}

/// Ratings, and the clocks of standing (NU-02 to NU-06).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QualityPolicy {
    /// Over how long feedback counts: 24 h.
    pub window: TimeDelta,
    /// Deliveries below which the last rating holds: 50.
    pub least_delivered: u32,
    /// Bad feedback per thousand deliveries from which the rating is low: 30.
    pub low_from_per_thousand: u32,
    /// Bad feedback per thousand deliveries from which it is medium: 10.
    pub medium_from_per_thousand: u32,
    /// Without delivery and signal for this long the rating is high: 24 h.
    pub calm_after: TimeDelta,
    /// How long the platform's own rating decides: 1 h.
    pub platform_rating_lasts: TimeDelta,
    /// Low without a break for this long: restricted, at exactly this age: 7 x 24 h.
    pub restricted_after: TimeDelta,
    /// Not low without a break for more than this: connected: 7 x 24 h.
    pub connected_after: TimeDelta,
}

/// Numbers of tickets, routing and the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicePolicy {
    /// Tickets an agent may serve at once by the normal rules: 5 (RO-04).
    pub simultaneous_tickets: u32,
    /// A session that ends sooner than this is at risk: 2 h (SW-03).
    pub risk_alert: TimeDelta,
    /// From the loss of the last live stream to offline: 90 s (RO-06).
    pub offline_after_stream: TimeDelta,
    /// From a live stream's last sign to its loss, where nobody said that it was lost: 90 s (RO-06).
    pub lost_after_silence: TimeDelta,
    /// From the last request to offline, where there is no stream: 5 min (RO-06).
    pub offline_after_request: TimeDelta,
    /// How long a contact outside business hours is listed: 7 x 24 h (OH-08).
    pub outside_hours_listed: TimeDelta,
}

/// How long things are kept (JO-04).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetentionPolicy {
    /// Refusals in the decision log: 180 days. One that admitted lives as long as its send.
    pub refusals: TimeDelta,
    /// Raw webhooks: 30 days.
    pub raw_webhooks: TimeDelta,
    /// Idempotency keys: 24 h.
    pub idempotency_keys: TimeDelta,
    /// Receipts for no message of ours, before they are put aside: 7 days.
    pub stray_receipts: TimeDelta,
}

/// When alerts go out (AL-00).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlertPolicy {
    /// The use of the limit, in per cent, from which an alert is due: 80.
    pub limit_use_percent: u32,
    /// The use under which that alert is armed again: 70.
    pub limit_rearm_percent: u32,
    /// At most one mail per kind and subject in this long: 4 h.
    pub least_pause: TimeDelta,
}

/// The clock guard (JO-05).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockGuardPolicy {
    /// A jump of the wall clock beyond this pauses sending: 5 min.
    pub jump: TimeDelta,
    /// Agreement for this long ends the pause: 10 min.
    pub agreement: TimeDelta,
}

impl Policy {
    /// The default profile: the numbers of the requirements.
    #[must_use]
    pub fn default_profile() -> Self {
        Self {
            session_windows: default_session_windows(),
            active_messages: ActiveMessagePolicy {
                response_window: TimeDelta::hours(24),
                listed_after_window: TimeDelta::hours(48),
                unknown_outcome_wait: TimeDelta::minutes(10),
                send_deadline: TimeDelta::hours(24),
                recipients_per_send: 15,
                forecast_horizon: TimeDelta::days(14),
            },
            contact_cap: ContactCapPolicy {
                window: TimeDelta::hours(24),
                bounds: CapBounds { least: 1, most: 100 },
                default_sends: 3,
            },
            tiers: TierPolicy {
                window: TimeDelta::hours(24),
                level_limits: vec![1_000, 10_000, 100_000],
                entry_level: 1,
                limit_below_level_one: 250,
                promotion_window: TimeDelta::hours(168),
                promotion_factor: 2,
                promotion_wait: TimeDelta::hours(48),
            },
            quality: QualityPolicy {
                window: TimeDelta::hours(24),
                least_delivered: 50,
                low_from_per_thousand: 30,
                medium_from_per_thousand: 10,
                calm_after: TimeDelta::hours(24),
                platform_rating_lasts: TimeDelta::hours(1),
                restricted_after: TimeDelta::hours(7 * 24),
                connected_after: TimeDelta::hours(7 * 24),
            },
            service: ServicePolicy {
                simultaneous_tickets: 5,
                risk_alert: TimeDelta::hours(2),
                offline_after_stream: TimeDelta::seconds(90),
                lost_after_silence: TimeDelta::seconds(90),
                offline_after_request: TimeDelta::minutes(5),
                outside_hours_listed: TimeDelta::hours(7 * 24),
            },
            retention: RetentionPolicy {
                refusals: TimeDelta::days(180),
                raw_webhooks: TimeDelta::days(30),
                idempotency_keys: TimeDelta::hours(24),
                stray_receipts: TimeDelta::days(7),
            },
            alerts: AlertPolicy {
                limit_use_percent: 80,
                limit_rearm_percent: 70,
                least_pause: TimeDelta::hours(4),
            },
            clock_guard: ClockGuardPolicy {
                jump: TimeDelta::minutes(5),
                agreement: TimeDelta::minutes(10),
            },
        }
    }

    /// What `kind` allows after a contact's message; `None` when it knows no session window.
    #[must_use]
    pub fn session_window(&self, kind: ChannelKind) -> Option<&SessionWindowPolicy> {
        self.session_windows.iter().find(|policy| policy.kind == kind)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self::default_profile()
    }
}

fn default_session_windows() -> Vec<SessionWindowPolicy> {
    vec![
        SessionWindowPolicy {
            kind: ChannelKind::WhatsApp,
            window: TimeDelta::hours(24),
            messages: None,
            policy_name: "WhatsApp Business Policy".to_owned(),
            policy_url: "https://business.whatsapp.com/policy".to_owned(),
        },
        SessionWindowPolicy {
            kind: ChannelKind::WeCom,
            window: TimeDelta::hours(48),
            messages: Some(5),
            policy_name: "WeCom Customer Service API".to_owned(),
            policy_url: "https://developer.work.weixin.qq.com/document/path/94677".to_owned(),
        },
        SessionWindowPolicy {
            kind: ChannelKind::WeChat,
            window: TimeDelta::hours(48),
            messages: Some(5),
            policy_name: "WeChat Service Message Rules".to_owned(),
            policy_url: "https://developers.weixin.qq.com/doc/offiaccount/Customer_Service/Customer_Service_Messages.html".to_owned(),
        },
    ]
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::Policy;
    use crate::channel::ChannelKind;

    #[test]
    fn the_default_profile_holds_the_numbers_of_the_rules() {
        let policy = Policy::default_profile();
        let window = |kind| policy.session_window(kind).map(|session| session.window);
        assert_eq!(window(ChannelKind::WhatsApp), Some(TimeDelta::hours(24)));
        assert_eq!(window(ChannelKind::WeCom), Some(TimeDelta::hours(48)));
        assert_eq!(window(ChannelKind::WeChat), Some(TimeDelta::hours(48)));
        assert_eq!(window(ChannelKind::Sms), None);
        let sends = &policy.active_messages;
        assert_eq!(
            sends.response_window + sends.listed_after_window,
            TimeDelta::hours(72),
            "LI-05"
        );
        assert_eq!(policy.tiers.level_limits, [1_000, 10_000, 100_000], "NU-09");
        let bounds = policy.contact_cap.bounds;
        let default_sends = policy.contact_cap.default_sends;
        assert!(bounds.least <= default_sends && default_sends <= bounds.most, "DE-01");
        assert_eq!(Policy::default(), policy);
    }
}
