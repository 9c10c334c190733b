//! What the platform tells of an account and its numbers between two readings. Each statement holds from the
//! platform's own instant: what arrives late replaces nothing newer, be it told or read. All of it stands in the
//! history.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{
        AccountAlert, AccountEvent, AccountUpdate, AccountUpdateEvent, AlertSeverity, AlertStatus,
        Ban, BanState, BusinessCapability, MessagingLimit, NumberEvent, NumberNameUpdate,
        NumberQualityUpdate, Restriction, RestrictionKind, ReviewDecision, SecurityEvent,
        SecurityNotice, UsernameStatus, UsernameUpdate,
    },
    ids::NumberId,
};
use serde_json::{Value, json};

use super::{lock, pause, record};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::{number_restrictions, number_statements, numbers},
};

/// Messages a second of a number whose throughput went up (protocol, 8.1).
const HIGH_THROUGHPUT: i64 = 1_000;
/// Stands for the end of a restriction that has none: 31 December 9999.
const NO_END: i64 = 253_402_214_400_000;

/// Takes over what was told of `number` at `at`.
pub(crate) fn apply(
    db: &mut Db,
    number: NumberId,
    event: &AccountEvent,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    lock(db, number)?;
    match event {
        AccountEvent::NumberQuality(update) => {
            let limit = update.portfolio_limit.as_ref().or(update.current_limit.as_ref());
            set_limit(db, number, limit, at)?;
            if update.event == Some(NumberEvent::ThroughputUpgrade) {
                raise_throughput(db, number, at)?;
            }
        }
        AccountEvent::Capability(capability) => {
            let limit = capability.portfolio_limit.as_ref().or(capability.number_limit.as_ref());
            set_limit(db, number, limit, at)?;
        }
        AccountEvent::Update(update) => apply_update(db, number, update, at, now)?,
        AccountEvent::Review(decision) => {
            state(db, number, "review", &json!({ "decision": decision.as_str() }), at)?;
        }
        AccountEvent::NumberName(name) => {
            state(db, number, "name", &name_detail(name), at)?;
        }
        AccountEvent::Username(username) => {
            state(db, number, "username", &username_detail(username), at)?;
        }
        AccountEvent::Alert(_) | AccountEvent::Security(_) => {}
    }
    let (kind, detail) = as_history(event);
    record(db, number, kind, &detail.to_string(), at)
}

/// The platform's limit (NU-12); `None`, or one it did not set yet, says nothing.
fn set_limit(
    db: &mut Db,
    number: NumberId,
    limit: Option<&MessagingLimit>,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let contacts = match limit {
        Some(MessagingLimit::Contacts(contacts)) => Some(i64::from(*contacts)),
        Some(MessagingLimit::Unlimited) => None,
        Some(MessagingLimit::NotSet | MessagingLimit::Other(_)) | None => return Ok(()),
    };
    let at = Instant::from(at);
    diesel::update(
        numbers::table
            .find(number.0)
            .filter(numbers::platform_limit_at.is_null().or(numbers::platform_limit_at.le(at)))
            .filter(numbers::platform_read_at.is_null().or(numbers::platform_read_at.le(at))),
    )
    .set((numbers::platform_limit.eq(contacts), numbers::platform_limit_at.eq(Some(at))))
    .execute(db)?;
    Ok(())
}

fn raise_throughput(
    db: &mut Db,
    number: NumberId,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let at = Instant::from(at);
    diesel::update(
        numbers::table
            .find(number.0)
            .filter(numbers::platform_read_at.is_null().or(numbers::platform_read_at.le(at)))
            .filter(numbers::throughput.lt(HIGH_THROUGHPUT)),
    )
    .set((numbers::throughput.eq(HIGH_THROUGHPUT), numbers::throughput_at.eq(Some(at))))
    .execute(db)?;
    Ok(())
}

fn apply_update(
    db: &mut Db,
    number: NumberId,
    update: &AccountUpdate,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    for restriction in &update.restrictions {
        restrict(db, number, restriction, at)?;
    }
    let status = match (&update.event, update.ban.as_ref().and_then(|ban| ban.state.as_ref())) {
        (_, Some(BanState::Disabled)) | (Some(AccountUpdateEvent::Deleted), _) => Some("BANNED"),
        (_, Some(BanState::Reinstated)) | (Some(AccountUpdateEvent::Reconnected), _) => {
            Some("CONNECTED")
        }
        (Some(AccountUpdateEvent::Offboarded), _) => Some("DISCONNECTED"),
        // The first is announced only; what else happens to an account leaves its numbers as they are.
        _ => None,
    };
    if let Some(status) = status {
        set_status(db, number, status, at)?;
    }
    if let Some(ban) = &update.ban {
        state(db, number, "ban", &ban_detail(ban), at)?;
        if ban.state == Some(BanState::Reinstated) {
            lift(db, number, at)?;
            pause::end_by_platform(db, number, now)?;
        }
    }
    keep_forbidden(db, number, now)
}

fn set_status(
    db: &mut Db,
    number: NumberId,
    status: &str,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let is_newest = state(db, number, "status", &json!({ "status": status }), at)?;
    if !is_newest {
        return Ok(());
    }
    let at = Instant::from(at);
    diesel::update(
        numbers::table
            .find(number.0)
            .filter(numbers::platform_read_at.is_null().or(numbers::platform_read_at.le(at))),
    )
    .set(numbers::platform_status.eq(status))
    .execute(db)?;
    Ok(())
}

/// Keeps what is forbidden, unless something newer is known of the same.
fn restrict(
    db: &mut Db,
    number: NumberId,
    restriction: &Restriction,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let Some(kind) = restriction.kind.as_ref().map(RestrictionKind::as_str) else { return Ok(()) };
    let at = Instant::from(at);
    let place = (number_restrictions::number_id.eq(number.0), number_restrictions::kind.eq(kind));
    let what = (
        number_restrictions::until.eq(restriction.until.map(Instant::from)),
        number_restrictions::remediation.eq(restriction.remediation.as_deref()),
        number_restrictions::at.eq(at),
        number_restrictions::lifted_at.eq(None::<Instant>),
    );
    let is_new = on_either!(db => diesel::insert_into(number_restrictions::table)
        .values((place, what))
        .on_conflict_do_nothing()
        .execute(db))?;
    if is_new == 0 {
        let holds =
            number_restrictions::lifted_at.is_null().or(number_restrictions::lifted_at.lt(at));
        diesel::update(
            number_restrictions::table
                .find((number.0, kind))
                .filter(number_restrictions::at.le(at))
                .filter(holds),
        )
        .set(what)
        .execute(db)?;
    }
    // One that was lifted before it came, or since.
    let lifted = lifted_at(db, number)?;
    if lifted.is_some_and(|lifted| at.0 <= lifted.0) {
        diesel::update(number_restrictions::table.find((number.0, kind)))
            .set(number_restrictions::lifted_at.eq(lifted))
            .execute(db)?;
    }
    Ok(())
}

/// Since when all that was forbidden before is allowed again; `None` when it never was.
fn lifted_at(db: &mut Db, number: NumberId) -> Result<Option<Instant>, PersistenceError> {
    Ok(number_statements::table
        .find((number.0, "lifted"))
        .select(number_statements::at)
        .first(db)
        .optional()?)
}

/// All that was forbidden at `at` or before is allowed again.
fn lift(db: &mut Db, number: NumberId, at: DateTime<Utc>) -> Result<(), PersistenceError> {
    state(db, number, "lifted", &json!({}), at)?;
    let at = Instant::from(at);
    diesel::update(
        number_restrictions::table
            .filter(number_restrictions::number_id.eq(number.0))
            .filter(number_restrictions::at.le(at))
            .filter(number_restrictions::lifted_at.is_null()),
    )
    .set(number_restrictions::lifted_at.eq(Some(at)))
    .execute(db)?;
    Ok(())
}

/// Stores until when the number may not write first, or at all: what admission and dispatcher ask.
fn keep_forbidden(
    db: &mut Db,
    number: NumberId,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let rows: Vec<(String, Option<Instant>, Instant)> = number_restrictions::table
        .filter(number_restrictions::number_id.eq(number.0))
        .filter(number_restrictions::lifted_at.is_null())
        .select((number_restrictions::kind, number_restrictions::until, number_restrictions::at))
        .load(db)?;
    let end_of = |kinds: &[RestrictionKind]| {
        rows.iter()
            .filter(|(kind, ..)| kinds.contains(&RestrictionKind::parse(kind)))
            .map(|(_, until, at)| (until.unwrap_or(Instant(NO_END)), *at))
            .max_by_key(|(until, _)| until.0)
            .filter(|(until, _)| Instant::from(now).0 < until.0)
    };
    let initiating = [RestrictionKind::InitiateMessages, RestrictionKind::AnswerMessages];
    let restricted_until = end_of(&initiating).map(|(until, _)| until);
    diesel::update(numbers::table.find(number.0))
        .set(numbers::platform_restricted_until.eq(restricted_until))
        .execute(db)?;
    // Not even answers: what waits is held where everyone sees why.
    if let Some((until, since)) = end_of(&[RestrictionKind::AnswerMessages]) {
        diesel::update(numbers::table.find(number.0))
            .set((
                numbers::paused_since.eq(Some(since)),
                numbers::paused_until.eq(Some(until)),
                numbers::pause_code.eq(Some(RestrictionKind::AnswerMessages.as_str())),
            ))
            .execute(db)?;
    }
    Ok(())
}

/// Keeps a statement of `kind`, unless a newer one is known; says whether it is the newest.
fn state(
    db: &mut Db,
    number: NumberId,
    kind: &str,
    detail: &Value,
    at: DateTime<Utc>,
) -> Result<bool, PersistenceError> {
    let at = Instant::from(at);
    let place = (number_statements::number_id.eq(number.0), number_statements::kind.eq(kind));
    let what = (number_statements::detail.eq(detail.to_string()), number_statements::at.eq(at));
    let is_new = on_either!(db => diesel::insert_into(number_statements::table)
        .values((place, what.clone()))
        .on_conflict_do_nothing()
        .execute(db))?;
    if is_new == 1 {
        return Ok(true);
    }
    let replaced = diesel::update(
        number_statements::table.find((number.0, kind)).filter(number_statements::at.le(at)),
    )
    .set(what)
    .execute(db)?;
    Ok(replaced == 1)
}

/// The kind of a line of the history, and what stands in it.
fn as_history(event: &AccountEvent) -> (&'static str, Value) {
    match event {
        AccountEvent::NumberQuality(update) => ("quality_update", quality_detail(update)),
        AccountEvent::Capability(capability) => ("capability", capability_detail(capability)),
        AccountEvent::Update(update) => ("account_update", update_detail(update)),
        AccountEvent::Alert(alert) => ("alert", alert_detail(alert)),
        AccountEvent::Review(decision) => ("review", json!({ "decision": decision.as_str() })),
        AccountEvent::NumberName(name) => ("name", name_detail(name)),
        AccountEvent::Security(notice) => ("security", security_detail(notice)),
        AccountEvent::Username(username) => ("username", username_detail(username)),
    }
}

fn limit_word(limit: &MessagingLimit) -> String {
    match limit {
        MessagingLimit::Contacts(contacts) => contacts.to_string(),
        MessagingLimit::Unlimited => "unlimited".to_owned(),
        MessagingLimit::NotSet => "not set".to_owned(),
        MessagingLimit::Other(word) => word.clone(),
    }
}

fn quality_detail(update: &NumberQualityUpdate) -> Value {
    json!({
        "event": update.event.as_ref().map(NumberEvent::as_str),
        "old_limit": update.old_limit.as_ref().map(limit_word),
        "current_limit": update.current_limit.as_ref().map(limit_word),
        "portfolio_limit": update.portfolio_limit.as_ref().map(limit_word),
    })
}

fn capability_detail(capability: &BusinessCapability) -> Value {
    json!({
        "portfolio_limit": capability.portfolio_limit.as_ref().map(limit_word),
        "number_limit": capability.number_limit.as_ref().map(limit_word),
        "numbers_per_account": capability.numbers_per_account,
        "numbers_per_business": capability.numbers_per_business,
    })
}

fn update_detail(update: &AccountUpdate) -> Value {
    let restriction = |restriction: &Restriction| {
        json!({
            "kind": restriction.kind.as_ref().map(RestrictionKind::as_str),
            "until": restriction.until.map(|until| until.timestamp_millis()),
            "remediation": restriction.remediation,
        })
    };
    json!({
        "event": update.event.as_ref().map(AccountUpdateEvent::as_str),
        "violation": update.violation,
        "restrictions": update.restrictions.iter().map(restriction).collect::<Vec<_>>(),
        "ban": update.ban.as_ref().map(ban_detail),
    })
}

fn ban_detail(ban: &Ban) -> Value {
    json!({ "state": ban.state.as_ref().map(BanState::as_str), "date": ban.date })
}

fn alert_detail(alert: &AccountAlert) -> Value {
    json!({
        "severity": alert.severity.as_ref().map(AlertSeverity::as_str),
        "status": alert.status.as_ref().map(AlertStatus::as_str),
        "kind": alert.kind,
        "description": alert.description,
        "entity_kind": alert.entity_kind,
        "entity_id": alert.entity_id,
    })
}

fn name_detail(name: &NumberNameUpdate) -> Value {
    json!({
        "name": name.requested_name,
        "decision": name.decision.as_ref().map(ReviewDecision::as_str),
        "reason": name.rejection_reason,
    })
}

fn security_detail(notice: &SecurityNotice) -> Value {
    json!({
        "event": notice.event.as_ref().map(SecurityEvent::as_str),
        "requester": notice.requester,
    })
}

fn username_detail(username: &UsernameUpdate) -> Value {
    json!({
        "username": username.username,
        "status": username.status.as_ref().map(UsernameStatus::as_str),
    })
}
