//! What the platform told of a number and what became of it, as the portal shows it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::{
    prelude::*,
    sql_query,
    sql_types::{BigInt, Text},
};
use domain::ids::{ChatbotId, NumberId};
use serde_json::Value;

use crate::{
    db::{Db, on_either},
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

/// A number's id and phone; its status, rating, limit and end of restriction by the platform; what was told of its
/// name.
type NumberRow =
    (i64, String, String, Option<String>, Option<i64>, Option<Instant>, Option<String>);

#[derive(QueryableByName)]
struct EventRow {
    #[diesel(sql_type = BigInt)]
    number_id: i64,
    #[diesel(sql_type = BigInt)]
    at: Instant,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    detail: String,
}

/// The numbers of `chatbot` by id, each with the `most` latest lines of its history: two queries for all.
///
/// # Errors
/// `NotFound` outside the team, `Denied` for whom no page of its portal is open.
pub fn list_histories(
    db: &mut Db,
    actor: &Actor,
    chatbot: ChatbotId,
    most: usize,
) -> Result<Vec<NumberHistory>, PersistenceError> {
    actor.require_portal_of(chatbot)?;
    let name = number_statements::number_id.eq(numbers::id).and(number_statements::kind.eq("name"));
    let rows: Vec<NumberRow> = numbers::table
        .inner_join(channels::table)
        .left_join(number_statements::table.on(name))
        .filter(channels::chatbot_id.eq(chatbot.0))
        .order(numbers::id.asc())
        .select((
            numbers::id,
            numbers::phone,
            numbers::platform_status,
            numbers::platform_rating,
            numbers::platform_limit,
            numbers::platform_restricted_until,
            number_statements::detail.nullable(),
        ))
        .load(db)?;
    let mut events = list_latest_events(db, chatbot, most)?;
    rows.into_iter()
        .map(|(id, phone, platform_status, platform_rating, limit, restricted_until, name)| {
            Ok(NumberHistory {
                number: NumberId(id),
                phone,
                platform_status,
                platform_rating,
                platform_limit: limit
                    .map(|limit| super::count("platform_limit", limit))
                    .transpose()?,
                restricted_until: restricted_until.map(DateTime::from),
                name: name.and_then(read_name),
                events: events.remove(&id).unwrap_or_default(),
            })
        })
        .collect()
}

/// By number. Served by the index on `(number_id, at)`, which is read no further back than what is shown.
fn list_latest_events(
    db: &mut Db,
    chatbot: ChatbotId,
    most: usize,
) -> Result<BTreeMap<i64, Vec<NumberEventLine>>, PersistenceError> {
    let before_last = i64::try_from(most.saturating_sub(1)).unwrap_or(i64::MAX);
    let rows: Vec<EventRow> = on_either!(db => sql_query(include_str!("latest_events.sql"))
        .bind::<BigInt, _>(before_last)
        .bind::<BigInt, _>(chatbot.0)
        .load(db))?;
    let mut events: BTreeMap<i64, Vec<NumberEventLine>> = BTreeMap::new();
    for EventRow { number_id, at, kind, detail } in rows {
        let of_number = events.entry(number_id).or_default();
        if of_number.len() < most {
            let (at, detail) = (at.into(), read_detail(detail));
            of_number.push(NumberEventLine { at, kind, detail });
        }
    }
    Ok(events)
}

/// The name, and what the platform's review of it came to.
fn read_name(detail: String) -> Option<(String, Option<String>)> {
    let detail = read_detail(detail);
    let word = |name: &str| detail.get(name).and_then(Value::as_str).map(str::to_owned);
    word("name").map(|name| (name, word("decision")))
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

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use domain::clock::Clock;

    use super::*;
    use crate::{
        channel::{self, NewChannel},
        explain::plans_of,
        given::Desk,
        number, policy, test_desk,
        test_support::on_both,
    };

    #[test]
    fn each_number_has_its_latest_lines_by_two_queries_that_read_no_more() {
        on_both(|store| {
            let desk = Desk::given(store);
            let (now, vault) = (desk.clock.now(), store.vault().unwrap());
            let second = store
                .blocking_write(|db| {
                    let new = NewChannel {
                        name: "Second",
                        external_id: "7001",
                        ..test_desk::new_channel(desk.chatbot)
                    };
                    let channel = channel::create(db, &vault, &new, now)?;
                    let policy = policy::find_or_create_default(db, now)?;
                    let second = number::create(db, channel, "+551140000001", policy, now)?;
                    for line in 0..5 {
                        // The last two are of one instant.
                        let at = now + TimeDelta::minutes(line.min(3));
                        number::record(db, desk.number, &format!("line {line}"), "{}", at)?;
                    }
                    number::record(db, second, "alone", "{}", now)?;
                    Ok(second)
                })
                .unwrap();
            let list = |db: &mut Db| list_histories(db, &desk.ana, desk.chatbot, 3);
            let kinds = |history: &NumberHistory| -> Vec<String> {
                history.events.iter().map(|event| event.kind.clone()).collect()
            };
            let found: Vec<(NumberId, Vec<String>)> = store
                .blocking_read(list)
                .unwrap()
                .iter()
                .map(|history| (history.number, kinds(history)))
                .collect();
            let lines = ["line 4", "line 3", "line 2"].map(str::to_owned).to_vec();
            assert_eq!(found, [(desk.number, lines), (second, vec!["alone".to_owned()])]);
            let plans = plans_of(store, list);
            assert_eq!(plans.len(), 2);
            for plan in plans {
                let reads_by_index = !plan.sql.contains("number_events")
                    || plan.steps.contains("number_events_by_number");
                assert!(reads_by_index, "{}\n{}", plan.sql, plan.steps);
            }
        });
    }
}
