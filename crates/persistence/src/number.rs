//! Numbers: level, rating and the clocks of standing, and what stands against sending from them.

pub mod history;
pub mod pause;
pub(crate) mod told;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    admission::{NumberTrouble, NumberTroubleKind},
    channel::NumberReading,
    ids::{ChannelId, ChatbotId, NumberId, PolicyId},
    number::{
        capacity::{LimitFacts, effective_limit},
        quality::Rating,
        standing::{Standing, StandingClock},
        tier::Level,
    },
    policy::Policy,
};

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    policy,
    schema::{channels, number_events, numbers, policies},
    user::Actor,
};

/// A number as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Number {
    /// Its id.
    pub id: NumberId,
    /// The channel it belongs to.
    pub channel: ChannelId,
    /// The chatbot of that channel.
    pub chatbot: ChatbotId,
    /// In E.164 form.
    pub phone: String,
    /// The policy version it is under (NU-11).
    pub policy: PolicyId,
    /// Its level (NU-09).
    pub level: Level,
    /// Since when.
    pub level_entered_at: DateTime<Utc>,
    /// The rating that decides.
    pub rating: Rating,
    /// From which the standing follows.
    pub clock: StandingClock,
    /// The platform's word on the number, as it came; `UNKNOWN` before the first reading.
    pub platform_status: String,
    /// The platform's limit (NU-12); `None` while it names none.
    pub platform_limit: Option<u32>,
    /// The last reading; `None` before the first.
    pub platform_read_at: Option<DateTime<Utc>>,
    /// Messages a second.
    pub throughput: u32,
    /// Distinct contacts of the last 24 h, at most: exact once [`expire`](crate::admission::expire) ran.
    pub counted_day: u32,
    /// Distinct contacts of the last 168 h, at most.
    pub counted_week: u32,
}

impl Number {
    /// The limit that holds at `now` under `policy`, which is the version this number is under.
    #[must_use]
    pub fn effective_limit(&self, policy: &Policy, now: DateTime<Utc>) -> u32 {
        effective_limit(
            LimitFacts {
                tiers: &policy.tiers,
                level: self.level,
                platform_limit: self.platform_limit,
                clock: self.clock,
                quality: &policy.quality,
            },
            now,
        )
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = numbers)]
pub(crate) struct NumberRow {
    pub(crate) id: i64,
    pub(crate) channel_id: i64,
    pub(crate) phone: String,
    pub(crate) policy_id: i64,
    pub(crate) level: i64,
    pub(crate) level_entered_at: Instant,
    pub(crate) rating: String,
    pub(crate) standing: String,
    pub(crate) low_since: Option<Instant>,
    pub(crate) not_low_since: Option<Instant>,
    pub(crate) platform_status: String,
    pub(crate) platform_restricted_until: Option<Instant>,
    pub(crate) platform_limit: Option<i64>,
    pub(crate) platform_read_at: Option<Instant>,
    pub(crate) throughput: i64,
    pub(crate) counted_day: i64,
    pub(crate) day_expired_through: Instant,
    pub(crate) counted_week: i64,
    pub(crate) week_expired_through: Instant,
}

impl NumberRow {
    pub(crate) fn level(&self) -> Result<Level, PersistenceError> {
        let level = u8::try_from(self.level).ok().and_then(Level::new);
        level.ok_or_else(|| unreadable("level", self.level.to_string()))
    }

    pub(crate) fn clock(&self) -> Result<StandingClock, PersistenceError> {
        let standing = Standing::parse(&self.standing)
            .ok_or_else(|| unreadable("standing", self.standing.clone()))?;
        let low_since = self.low_since.map(DateTime::from);
        let not_low_since = self.not_low_since.map(DateTime::from);
        StandingClock::from_parts(standing, low_since, not_low_since)
            .ok_or_else(|| unreadable("low_since", self.standing.clone()))
    }

    pub(crate) fn rating(&self) -> Result<Rating, PersistenceError> {
        Rating::parse(&self.rating).ok_or_else(|| unreadable("rating", self.rating.clone()))
    }

    pub(crate) fn platform_limit(&self) -> Result<Option<u32>, PersistenceError> {
        self.platform_limit.map(|limit| count("platform_limit", limit)).transpose()
    }
}

/// Reads a count that is never negative.
pub(crate) fn count(column: &'static str, value: i64) -> Result<u32, PersistenceError> {
    u32::try_from(value).map_err(|_| unreadable(column, value.to_string()))
}

fn unreadable(column: &'static str, value: String) -> PersistenceError {
    PersistenceError::unreadable("numbers", column, value)
}

fn read_number((row, chatbot): (NumberRow, i64)) -> Result<Number, PersistenceError> {
    Ok(Number {
        id: NumberId(row.id),
        channel: ChannelId(row.channel_id),
        chatbot: ChatbotId(chatbot),
        policy: PolicyId(row.policy_id),
        level: row.level()?,
        level_entered_at: row.level_entered_at.into(),
        rating: row.rating()?,
        clock: row.clock()?,
        platform_limit: row.platform_limit()?,
        platform_read_at: row.platform_read_at.map(DateTime::from),
        throughput: count("throughput", row.throughput)?,
        counted_day: count("counted_day", row.counted_day)?,
        counted_week: count("counted_week", row.counted_week)?,
        phone: row.phone,
        platform_status: row.platform_status,
    })
}

/// What stands against sending from a number, by the platform's word on it and the state of its channel.
///
/// A status the platform has not told yet stands against nothing; one this program does not know means
/// that the number is not connected.
pub(crate) fn troubles(
    connected: bool,
    credentials_fail: bool,
    platform_status: &str,
    restricted_until: Option<DateTime<Utc>>,
) -> Vec<NumberTrouble> {
    let lasting = |kind| NumberTrouble { kind, until: None };
    let mut troubles = Vec::new();
    if !connected {
        troubles.push(lasting(NumberTroubleKind::Disconnected));
    }
    match platform_status {
        "CONNECTED" | "FLAGGED" | "UNKNOWN" | "" => {}
        "BANNED" => troubles.push(lasting(NumberTroubleKind::Banned)),
        "RESTRICTED" => troubles
            .push(NumberTrouble { kind: NumberTroubleKind::Restricted, until: restricted_until }),
        _ if connected => troubles.push(lasting(NumberTroubleKind::Disconnected)),
        _ => {}
    }
    // Told of the account, whatever is read of the number.
    if restricted_until.is_some() && platform_status != "RESTRICTED" {
        troubles
            .push(NumberTrouble { kind: NumberTroubleKind::Restricted, until: restricted_until });
    }
    if credentials_fail {
        troubles.push(lasting(NumberTroubleKind::CredentialsFail));
    }
    troubles
}

/// Makes the number of `channel`: at the entry level of its policy, rated high, connected (NU-09).
///
/// # Errors
/// `Duplicate` when the channel has a number already.
pub fn create(
    db: &mut Db,
    channel: ChannelId,
    phone: &str,
    policy: PolicyId,
    now: DateTime<Utc>,
) -> Result<NumberId, PersistenceError> {
    let under = policy::get(db, policy)?;
    let tiers = &under.tiers;
    let at = Instant::from(now);
    let id: i64 = diesel::insert_into(numbers::table)
        .values((
            numbers::channel_id.eq(channel.0),
            numbers::phone.eq(phone),
            numbers::policy_id.eq(policy.0),
            numbers::level.eq(i64::from(tiers.entry_level)),
            numbers::level_entered_at.eq(at),
            numbers::rating.eq(Rating::High.as_str()),
            numbers::rating_since.eq(at),
            numbers::standing.eq(Standing::Connected.as_str()),
            numbers::not_low_since.eq(Some(at)),
            numbers::platform_status.eq("UNKNOWN"),
            numbers::throughput.eq(80_i64),
            (
                numbers::counted_day.eq(0_i64),
                numbers::day_expired_through.eq(Instant::from(now - tiers.window)),
                numbers::counted_week.eq(0_i64),
                numbers::week_expired_through.eq(Instant::from(now - tiers.promotion_window)),
                numbers::lock_version.eq(0_i64),
            ),
        ))
        .returning(numbers::id)
        .get_result(db)?;
    Ok(NumberId(id))
}

/// `number`, for anyone of its chatbot's team.
///
/// # Errors
/// `NotFound` for anyone else.
pub fn get(db: &mut Db, actor: &Actor, number: NumberId) -> Result<Number, PersistenceError> {
    let row: (NumberRow, i64) = numbers::table
        .inner_join(channels::table)
        .filter(numbers::id.eq(number.0))
        .filter(channels::chatbot_id.eq_any(actor.chatbot_ids()))
        .select((NumberRow::as_select(), channels::chatbot_id))
        .first(db)?;
    read_number(row)
}

/// The numbers of `actor`'s chatbots, by id.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db, actor: &Actor) -> Result<Vec<Number>, PersistenceError> {
    let rows: Vec<(NumberRow, i64)> = numbers::table
        .inner_join(channels::table)
        .filter(channels::chatbot_id.eq_any(actor.chatbot_ids()))
        .order(numbers::id.asc())
        .select((NumberRow::as_select(), channels::chatbot_id))
        .load(db)?;
    rows.into_iter().map(read_number).collect()
}

/// The policy a number is under.
///
/// # Errors
/// `NotFound` when there is no such number.
pub fn get_policy(db: &mut Db, number: NumberId) -> Result<Arc<Policy>, PersistenceError> {
    let body: String = numbers::table
        .inner_join(policies::table)
        .filter(numbers::id.eq(number.0))
        .select(policies::body)
        .first(db)?;
    policy::read_body(&body)
}

/// Takes the lock of `number`; whoever else wants it waits until this transaction ends.
pub(crate) fn lock(db: &mut Db, number: NumberId) -> Result<(), PersistenceError> {
    let locked = diesel::update(numbers::table.find(number.0))
        .set(numbers::lock_version.eq(numbers::lock_version + 1))
        .execute(db)?;
    if locked == 0 { Err(PersistenceError::NotFound) } else { Ok(()) }
}

/// Takes the locks of the numbers of `channels`, in the order of their ids. Whoever will lock messages or
/// contacts and then count does this first, so that it waits for an admission and never the other way
/// round.
pub(crate) fn lock_of_channels(
    db: &mut Db,
    channels: &[ChannelId],
) -> Result<(), PersistenceError> {
    let channels = channels.iter().map(|channel| channel.0);
    let ids: Vec<i64> = numbers::table
        .filter(numbers::channel_id.eq_any(channels))
        .order(numbers::id.asc())
        .select(numbers::id)
        .load(db)?;
    ids.into_iter().try_for_each(|id| lock(db, NumberId(id)))
}

/// Lets the number of `channel` send nothing before `until`: the platform called it too fast. All processes
/// keep to it.
pub(crate) fn slow_down(
    db: &mut Db,
    channel: ChannelId,
    until: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let until = Some(Instant::from(until));
    let sooner = numbers::slow_until.is_null().or(numbers::slow_until.lt(until));
    diesel::update(numbers::table.filter(numbers::channel_id.eq(channel.0)).filter(sooner))
        .set(numbers::slow_until.eq(until))
        .execute(db)?;
    Ok(())
}

/// Keeps what the platform says of the number of `channel`, and what changed, as history (NU-12).
///
/// # Errors
/// `NotFound` when the channel has no number.
pub fn save_reading(
    db: &mut Db,
    channel: ChannelId,
    reading: &NumberReading,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let (id, status, limit, rating): (i64, String, Option<i64>, Option<String>) =
            numbers::table
                .filter(numbers::channel_id.eq(channel.0))
                .select((
                    numbers::id,
                    numbers::platform_status,
                    numbers::platform_limit,
                    numbers::platform_rating,
                ))
                .first(db)?;
        let number = NumberId(id);
        lock(db, number)?;
        diesel::update(numbers::table.find(id))
            .set((
                numbers::platform_status.eq(&reading.status),
                numbers::platform_rating.eq(Some(&reading.quality_rating)),
                numbers::platform_limit.eq(reading.limit.map(i64::from)),
                numbers::throughput.eq(i64::from(reading.throughput)),
                numbers::platform_read_at.eq(Some(Instant::from(now))),
            ))
            .execute(db)?;
        // The platform took the number up again: what it was told to keep back may go.
        let is_back = reading.status == "CONNECTED"
            && !matches!(status.as_str(), "CONNECTED" | "UNKNOWN" | "");
        let told = |word: Option<String>| word.unwrap_or_else(|| "none".to_owned());
        let changes = [
            ("platform_status", told(Some(status)), reading.status.clone()),
            ("platform_rating", told(rating), reading.quality_rating.clone()),
            (
                "platform_limit",
                told(limit.map(|limit| limit.to_string())),
                told(reading.limit.map(|limit| limit.to_string())),
            ),
        ];
        if is_back {
            pause::end_by_platform(db, number, now)?;
        }
        for (kind, before, after) in changes {
            if before != after {
                record(db, number, kind, &changed(&before, &after), now)?;
            }
        }
        Ok(())
    })
}

/// Keeps a rating of `number` of the instant `at`, which is not before the last one, and what follows for
/// its standing (NU-03, NU-05, NU-06).
///
/// # Errors
/// `NotFound` when there is no such number.
pub fn rate(
    db: &mut Db,
    number: NumberId,
    rating: Rating,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        lock(db, number)?;
        let row: NumberRow =
            numbers::table.find(number.0).select(NumberRow::as_select()).first(db)?;
        let before = row.rating()?;
        if before == rating {
            return Ok(());
        }
        let policy = policy::get(db, PolicyId(row.policy_id))?;
        let clock = row.clock()?.rate(rating, at, &policy.quality);
        diesel::update(numbers::table.find(number.0))
            .set((
                numbers::rating.eq(rating.as_str()),
                numbers::rating_since.eq(Instant::from(at)),
                numbers::standing.eq(clock.standing().as_str()),
                numbers::low_since.eq(clock.low_since().map(Instant::from)),
                numbers::not_low_since.eq(clock.not_low_since().map(Instant::from)),
            ))
            .execute(db)?;
        record(db, number, "rating", &changed(before.as_str(), rating.as_str()), at)
    })
}

/// What a line of the history says of something that was `before` and is `after`.
pub(crate) fn changed(before: &str, after: &str) -> String {
    serde_json::json!({ "before": before, "after": after }).to_string()
}

/// Adds a line to the history of `number` and tells its pages. `detail` is JSON.
pub(crate) fn record(
    db: &mut Db,
    number: NumberId,
    kind: &str,
    detail: &str,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    diesel::insert_into(number_events::table)
        .values((
            number_events::number_id.eq(number.0),
            number_events::at.eq(Instant::from(now)),
            number_events::kind.eq(kind),
            number_events::detail.eq(detail),
        ))
        .execute(db)?;
    live::note(db, LiveEvent::of_all(LiveKind::Number, number.0));
    Ok(())
}
