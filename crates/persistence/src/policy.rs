//! Policies: limits as versioned rows. A body is never changed; a new version is a new row (NU-11).

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, PoisonError, RwLock},
};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::ChannelKind,
    ids::PolicyId,
    policy::{
        ActiveMessagePolicy, AlertPolicy, CapBounds, ClockGuardPolicy, ContactCapPolicy, Policy,
        QualityPolicy, RetentionPolicy, ServicePolicy, SessionWindowPolicy, TierPolicy,
    },
};
use serde::{Deserialize, Serialize};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::policies,
};

/// The profile a workspace starts with.
pub const DEFAULT_PROFILE: &str = "default";

/// The latest version of the default profile, made from the requirements' numbers if there is none.
///
/// # Errors
/// When the database fails.
pub fn find_or_create_default(
    db: &mut Db,
    now: DateTime<Utc>,
) -> Result<PolicyId, PersistenceError> {
    db.write(|db| {
        if let Some(id) = find_latest(db, DEFAULT_PROFILE)? {
            return Ok(id);
        }
        match db.savepoint(|db| save_version(db, DEFAULT_PROFILE, &Policy::default_profile(), now))
        {
            Err(PersistenceError::Duplicate) => {
                find_latest(db, DEFAULT_PROFILE)?.ok_or(PersistenceError::NotFound)
            }
            made => made,
        }
    })
}

/// The latest version of `profile`; `None` when there is no such profile.
///
/// # Errors
/// When the database fails.
pub fn find_latest(db: &mut Db, profile: &str) -> Result<Option<PolicyId>, PersistenceError> {
    let id: Option<i64> = policies::table
        .filter(policies::profile.eq(profile))
        .order(policies::version.desc())
        .select(policies::id)
        .first(db)
        .optional()?;
    Ok(id.map(PolicyId))
}

/// Adds a version of `profile` after its latest.
///
/// # Errors
/// `Duplicate` when someone else just did.
pub fn save_version(
    db: &mut Db,
    profile: &str,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Result<PolicyId, PersistenceError> {
    let latest: Option<i64> = policies::table
        .filter(policies::profile.eq(profile))
        .select(diesel::dsl::max(policies::version))
        .first(db)?;
    let body = serde_json::to_string(&PolicyBody::from(policy)).map_err(unreadable)?;
    let id: i64 = diesel::insert_into(policies::table)
        .values((
            policies::profile.eq(profile),
            policies::version.eq(latest.unwrap_or(0) + 1),
            policies::body.eq(body),
            policies::created_at.eq(Instant::from(now)),
        ))
        .returning(policies::id)
        .get_result(db)?;
    Ok(PolicyId(id))
}

/// The policy of this version.
///
/// # Errors
/// `NotFound`, or `Unreadable` when its body is none.
pub fn get(db: &mut Db, id: PolicyId) -> Result<Arc<Policy>, PersistenceError> {
    let body: String =
        on_either!(db => policies::table.find(id.0).select(policies::body).first(db))?;
    read_body(&body)
}

/// Reads a stored body. Versions are few and each send asks for one, so what was read is remembered.
pub(crate) fn read_body(body: &str) -> Result<Arc<Policy>, PersistenceError> {
    const MOST_REMEMBERED: usize = 64;
    static READ: LazyLock<RwLock<HashMap<String, Arc<Policy>>>> = LazyLock::new(RwLock::default);
    let known = READ.read().unwrap_or_else(PoisonError::into_inner).get(body).cloned();
    if let Some(policy) = known {
        return Ok(policy);
    }
    let policy: Policy =
        serde_json::from_str::<PolicyBody>(body).map_err(unreadable)?.try_into()?;
    let policy = Arc::new(policy);
    let mut read = READ.write().unwrap_or_else(PoisonError::into_inner);
    if read.len() >= MOST_REMEMBERED {
        read.clear();
    }
    read.insert(body.to_owned(), Arc::clone(&policy));
    Ok(policy)
}

fn unreadable(error: serde_json::Error) -> PersistenceError {
    PersistenceError::unreadable("policies", "body", error.to_string())
}

/// A policy as it is stored. Lengths of time are whole seconds.
#[derive(Serialize, Deserialize)]
struct PolicyBody {
    session_windows: Vec<SessionWindowBody>,
    active_messages: ActiveMessageBody,
    contact_cap: ContactCapBody,
    tiers: TierBody,
    quality: QualityBody,
    service: ServiceBody,
    retention: RetentionBody,
    alerts: AlertBody,
    clock_guard: ClockGuardBody,
}

#[derive(Serialize, Deserialize)]
struct SessionWindowBody {
    kind: String,
    window_s: i64,
    messages: Option<u32>,
    policy_name: String,
    policy_url: String,
}

#[derive(Serialize, Deserialize)]
struct ActiveMessageBody {
    response_window_s: i64,
    listed_after_window_s: i64,
    unknown_outcome_wait_s: i64,
    send_deadline_s: i64,
    recipients_per_send: u32,
    forecast_horizon_s: i64,
}

#[derive(Serialize, Deserialize)]
struct ContactCapBody {
    window_s: i64,
    least: u32,
    most: u32,
    default_sends: u32,
}

#[derive(Serialize, Deserialize)]
struct TierBody {
    window_s: i64,
    level_limits: Vec<u32>,
    entry_level: u8,
    limit_below_level_one: u32,
    promotion_window_s: i64,
    promotion_factor: u32,
    promotion_wait_s: i64,
}

#[derive(Serialize, Deserialize)]
struct QualityBody {
    window_s: i64,
    least_delivered: u32,
    low_from_per_thousand: u32,
    medium_from_per_thousand: u32,
    calm_after_s: i64,
    platform_rating_lasts_s: i64,
    restricted_after_s: i64,
    connected_after_s: i64,
}

#[derive(Serialize, Deserialize)]
struct ServiceBody {
    simultaneous_tickets: u32,
    risk_alert_s: i64,
    offline_after_stream_s: i64,
    /// Absent in versions from before it was a policy.
    #[serde(default = "lost_after_silence_s")]
    lost_after_silence_s: i64,
    offline_after_request_s: i64,
    outside_hours_listed_s: i64,
}

fn lost_after_silence_s() -> i64 {
    Policy::default_profile().service.lost_after_silence.num_seconds()
}

#[derive(Serialize, Deserialize)]
struct RetentionBody {
    refusals_s: i64,
    raw_webhooks_s: i64,
    idempotency_keys_s: i64,
    stray_receipts_s: i64,
}

#[derive(Serialize, Deserialize)]
struct AlertBody {
    limit_use_percent: u32,
    limit_rearm_percent: u32,
    least_pause_s: i64,
}

#[derive(Serialize, Deserialize)]
struct ClockGuardBody {
    jump_s: i64,
    agreement_s: i64,
}

impl From<&Policy> for PolicyBody {
    fn from(policy: &Policy) -> Self {
        let Policy { active_messages, contact_cap, tiers, quality, service, .. } = policy;
        Self {
            session_windows: policy.session_windows.iter().map(SessionWindowBody::from).collect(),
            active_messages: ActiveMessageBody {
                response_window_s: active_messages.response_window.num_seconds(),
                listed_after_window_s: active_messages.listed_after_window.num_seconds(),
                unknown_outcome_wait_s: active_messages.unknown_outcome_wait.num_seconds(),
                send_deadline_s: active_messages.send_deadline.num_seconds(),
                recipients_per_send: active_messages.recipients_per_send,
                forecast_horizon_s: active_messages.forecast_horizon.num_seconds(),
            },
            contact_cap: ContactCapBody {
                window_s: contact_cap.window.num_seconds(),
                least: contact_cap.bounds.least,
                most: contact_cap.bounds.most,
                default_sends: contact_cap.default_sends,
            },
            tiers: TierBody {
                window_s: tiers.window.num_seconds(),
                level_limits: tiers.level_limits.clone(),
                entry_level: tiers.entry_level,
                limit_below_level_one: tiers.limit_below_level_one,
                promotion_window_s: tiers.promotion_window.num_seconds(),
                promotion_factor: tiers.promotion_factor,
                promotion_wait_s: tiers.promotion_wait.num_seconds(),
            },
            quality: QualityBody {
                window_s: quality.window.num_seconds(),
                least_delivered: quality.least_delivered,
                low_from_per_thousand: quality.low_from_per_thousand,
                medium_from_per_thousand: quality.medium_from_per_thousand,
                calm_after_s: quality.calm_after.num_seconds(),
                platform_rating_lasts_s: quality.platform_rating_lasts.num_seconds(),
                restricted_after_s: quality.restricted_after.num_seconds(),
                connected_after_s: quality.connected_after.num_seconds(),
            },
            service: ServiceBody {
                simultaneous_tickets: service.simultaneous_tickets,
                risk_alert_s: service.risk_alert.num_seconds(),
                offline_after_stream_s: service.offline_after_stream.num_seconds(),
                lost_after_silence_s: service.lost_after_silence.num_seconds(),
                offline_after_request_s: service.offline_after_request.num_seconds(),
                outside_hours_listed_s: service.outside_hours_listed.num_seconds(),
            },
            retention: RetentionBody {
                refusals_s: policy.retention.refusals.num_seconds(),
                raw_webhooks_s: policy.retention.raw_webhooks.num_seconds(),
                idempotency_keys_s: policy.retention.idempotency_keys.num_seconds(),
                stray_receipts_s: policy.retention.stray_receipts.num_seconds(),
            },
            alerts: AlertBody {
                limit_use_percent: policy.alerts.limit_use_percent,
                limit_rearm_percent: policy.alerts.limit_rearm_percent,
                least_pause_s: policy.alerts.least_pause.num_seconds(),
            },
            clock_guard: ClockGuardBody {
                jump_s: policy.clock_guard.jump.num_seconds(),
                agreement_s: policy.clock_guard.agreement.num_seconds(),
            },
        }
    }
}

impl From<&SessionWindowPolicy> for SessionWindowBody {
    fn from(policy: &SessionWindowPolicy) -> Self {
        Self {
            kind: policy.kind.as_str().to_owned(),
            window_s: policy.window.num_seconds(),
            messages: policy.messages,
            policy_name: policy.policy_name.clone(),
            policy_url: policy.policy_url.clone(),
        }
    }
}

impl TryFrom<SessionWindowBody> for SessionWindowPolicy {
    type Error = PersistenceError;

    fn try_from(body: SessionWindowBody) -> Result<Self, PersistenceError> {
        let kind = ChannelKind::parse(&body.kind)
            .ok_or_else(|| PersistenceError::unreadable("policies", "body", body.kind))?;
        Ok(Self {
            kind,
            window: TimeDelta::seconds(body.window_s),
            messages: body.messages,
            policy_name: body.policy_name,
            policy_url: body.policy_url,
        })
    }
}

impl TryFrom<PolicyBody> for Policy {
    type Error = PersistenceError;

    fn try_from(body: PolicyBody) -> Result<Self, PersistenceError> {
        let PolicyBody { active_messages, contact_cap, tiers, quality, service, .. } = body;
        let session_windows = body.session_windows.into_iter().map(SessionWindowPolicy::try_from);
        Ok(Self {
            session_windows: session_windows.collect::<Result<_, _>>()?,
            active_messages: ActiveMessagePolicy {
                response_window: TimeDelta::seconds(active_messages.response_window_s),
                listed_after_window: TimeDelta::seconds(active_messages.listed_after_window_s),
                unknown_outcome_wait: TimeDelta::seconds(active_messages.unknown_outcome_wait_s),
                send_deadline: TimeDelta::seconds(active_messages.send_deadline_s),
                recipients_per_send: active_messages.recipients_per_send,
                forecast_horizon: TimeDelta::seconds(active_messages.forecast_horizon_s),
            },
            contact_cap: ContactCapPolicy {
                window: TimeDelta::seconds(contact_cap.window_s),
                bounds: CapBounds { least: contact_cap.least, most: contact_cap.most },
                default_sends: contact_cap.default_sends,
            },
            tiers: TierPolicy {
                window: TimeDelta::seconds(tiers.window_s),
                level_limits: tiers.level_limits,
                entry_level: tiers.entry_level,
                limit_below_level_one: tiers.limit_below_level_one,
                promotion_window: TimeDelta::seconds(tiers.promotion_window_s),
                promotion_factor: tiers.promotion_factor,
                promotion_wait: TimeDelta::seconds(tiers.promotion_wait_s),
            },
            quality: QualityPolicy {
                window: TimeDelta::seconds(quality.window_s),
                least_delivered: quality.least_delivered,
                low_from_per_thousand: quality.low_from_per_thousand,
                medium_from_per_thousand: quality.medium_from_per_thousand,
                calm_after: TimeDelta::seconds(quality.calm_after_s),
                platform_rating_lasts: TimeDelta::seconds(quality.platform_rating_lasts_s),
                restricted_after: TimeDelta::seconds(quality.restricted_after_s),
                connected_after: TimeDelta::seconds(quality.connected_after_s),
            },
            service: ServicePolicy {
                simultaneous_tickets: service.simultaneous_tickets,
                risk_alert: TimeDelta::seconds(service.risk_alert_s),
                offline_after_stream: TimeDelta::seconds(service.offline_after_stream_s),
                lost_after_silence: TimeDelta::seconds(service.lost_after_silence_s),
                offline_after_request: TimeDelta::seconds(service.offline_after_request_s),
                outside_hours_listed: TimeDelta::seconds(service.outside_hours_listed_s),
            },
            retention: RetentionPolicy {
                refusals: TimeDelta::seconds(body.retention.refusals_s),
                raw_webhooks: TimeDelta::seconds(body.retention.raw_webhooks_s),
                idempotency_keys: TimeDelta::seconds(body.retention.idempotency_keys_s),
                stray_receipts: TimeDelta::seconds(body.retention.stray_receipts_s),
            },
            alerts: AlertPolicy {
                limit_use_percent: body.alerts.limit_use_percent,
                limit_rearm_percent: body.alerts.limit_rearm_percent,
                least_pause: TimeDelta::seconds(body.alerts.least_pause_s),
            },
            clock_guard: ClockGuardPolicy {
                jump: TimeDelta::seconds(body.clock_guard.jump_s),
                agreement: TimeDelta::seconds(body.clock_guard.agreement_s),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_support::on_both;

    #[test]
    fn nu_11_a_policy_comes_back_as_it_was_and_keeps_its_versions() {
        on_both(|store| {
            let now = DateTime::UNIX_EPOCH;
            let first = store.blocking_write(|db| find_or_create_default(db, now)).unwrap();
            let again = store.blocking_write(|db| find_or_create_default(db, now)).unwrap();
            assert_eq!(first, again);
            let mut changed = Policy::default_profile();
            changed.tiers.level_limits = vec![250, 2_000];
            let second = store
                .blocking_write(|db| save_version(db, DEFAULT_PROFILE, &changed, now))
                .unwrap();
            let read = |id| store.blocking_read(move |db| get(db, id)).unwrap();
            assert_eq!(*read(first), Policy::default_profile());
            assert_eq!(*read(second), changed);
            let latest = store.blocking_read(|db| find_latest(db, DEFAULT_PROFILE)).unwrap();
            assert_eq!(latest, Some(second));
        });
    }
}
