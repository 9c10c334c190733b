//! What the platform told of a number and what became of it, as the portal shows it.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::ids::{ChatbotId, NumberId};
use serde_json::Value;

use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{channels, number_events, number_statements, numbers},
    user::Actor,
};

/// A number with the latest of its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberHistory {
    /// Which.
    pub number: NumberId,
    /// In E.164 form.
    pub phone: String,
    /// The platform's word on it, as it came.
    pub platform_status: String,
    /// The platform's rating of it, as it came; `None` before the first reading.
    pub platform_rating: Option<String>,
    /// Unique contacts in 24 h; `None` when the platform names no limit.
    pub platform_limit: Option<u32>,
    /// Until when it may not write first; `None` when it may.
    pub restricted_until: Option<DateTime<Utc>>,
    /// The name it is shown by, and what the platform's review of it came to.
    pub name: Option<(String, Option<String>)>,
    /// The latest first.
    pub events: Vec<NumberEventLine>,
}

/// One line of a number's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberEventLine {
    /// When, by the platform's clock where it tells.
    pub at: DateTime<Utc>,
    /// What kind of thing happened, such as `quality_update`.
    pub kind: String,
    /// What is known of it.
    pub detail: Value,
}

/// A number's id and phone; its status, rating, limit and end of restriction by the platform.
type NumberRow = (i64, String, String, Option<String>, Option<i64>, Option<Instant>);

/// The numbers of `chatbot` by id, each with the `most` latest lines of its history.
///
/// # Errors
/// `NotFound` outside the team, `Denied` for whom no page of its portal is open.
pub fn list_histories(
    db: &mut Db,
    actor: &Actor,
    chatbot: ChatbotId,
    most: i64,
) -> Result<Vec<NumberHistory>, PersistenceError> {
    actor.require_portal_of(chatbot)?;
    let rows: Vec<NumberRow> = numbers::table
        .inner_join(channels::table)
        .filter(channels::chatbot_id.eq(chatbot.0))
        .order(numbers::id.asc())
        .select((
            numbers::id,
            numbers::phone,
            numbers::platform_status,
            numbers::platform_rating,
            numbers::platform_limit,
            numbers::platform_restricted_until,
        ))
        .load(db)?;
    rows.into_iter()
        .map(|(id, phone, platform_status, platform_rating, limit, restricted_until)| {
            Ok(NumberHistory {
                number: NumberId(id),
                phone,
                platform_status,
                platform_rating,
                platform_limit: limit
                    .map(|limit| super::count("platform_limit", limit))
                    .transpose()?,
                restricted_until: restricted_until.map(DateTime::from),
                name: find_name(db, id)?,
                events: list_events(db, NumberId(id), most)?,
            })
        })
        .collect()
}

fn find_name(
    db: &mut Db,
    number: i64,
) -> Result<Option<(String, Option<String>)>, PersistenceError> {
    let told: Option<String> = number_statements::table
        .find((number, "name"))
        .select(number_statements::detail)
        .first(db)
        .optional()?;
    let Some(detail) = told.map(read_detail) else { return Ok(None) };
    let word = |name: &str| detail.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(word("name").map(|name| (name, word("decision"))))
}

/// The latest lines of the history of `number`, the latest first. Served by the index on `(number_id, at)`.
///
/// # Errors
/// When the database fails.
pub fn list_events(
    db: &mut Db,
    number: NumberId,
    most: i64,
) -> Result<Vec<NumberEventLine>, PersistenceError> {
    let rows: Vec<(Instant, String, String)> = number_events::table
        .filter(number_events::number_id.eq(number.0))
        .order((number_events::at.desc(), number_events::id.desc()))
        .limit(most)
        .select((number_events::at, number_events::kind, number_events::detail))
        .load(db)?;
    let read = |(at, kind, detail): (Instant, String, String)| NumberEventLine {
        at: at.into(),
        kind,
        detail: read_detail(detail),
    };
    Ok(rows.into_iter().map(read).collect())
}

/// A detail that is no JSON is a sentence.
fn read_detail(detail: String) -> Value {
    serde_json::from_str(&detail).unwrap_or(Value::String(detail))
}
