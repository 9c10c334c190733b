//! What is told of an account: it reaches all numbers of that account here, and what names a number reaches that one.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::{
        AccountEvent, AccountUpdateEvent, CategoryNews, PlatformRefusal, TemplateChange,
        TemplateNews, TemplateStatusEvent, WebhookElement,
    },
    ids::NumberId,
};
use serde_json::{Value, json};

use crate::{
    db::Db,
    error::PersistenceError,
    message::ChannelFacts,
    number::{self, told},
    schema::{channels, numbers},
};

/// Takes over `event`, told at `at`, on every number it is about.
pub(super) fn apply_event(
    db: &mut Db,
    channel: &ChannelFacts,
    element: &WebhookElement,
    event: &AccountEvent,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    for number in numbers_meant(db, channel, element, event)? {
        told::apply(db, number, event, at, now)?;
    }
    Ok(())
}

/// Notes what a template's news are in the history of every number that sends it.
pub(super) fn note_template(
    db: &mut Db,
    channel: &ChannelFacts,
    change: &TemplateChange,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let (kind, mut detail) = match &change.news {
        TemplateNews::Status(news) => (
            "template_status",
            json!({ "event": TemplateStatusEvent::as_str(&news.event), "reason": news.reason }),
        ),
        TemplateNews::Quality { previous, current } => {
            ("template_quality", json!({ "before": previous, "after": current }))
        }
        TemplateNews::Category(CategoryNews::Changed { previous, current }) => {
            ("template_category", json!({ "before": previous, "after": current }))
        }
        TemplateNews::Category(CategoryNews::Announced { current, upcoming, from }) => (
            "template_category",
            json!({
                "before": current,
                "upcoming": upcoming,
                "from": from.map(|from| from.timestamp_millis()),
            }),
        ),
        TemplateNews::Components(_) => ("template_components", json!({})),
    };
    detail["template"] = json!(change.name);
    detail["language"] = json!(change.language);
    note(db, channel, kind, &detail, at)
}

/// Notes that the platform is in trouble with a number, over no message.
pub(super) fn note_trouble(
    db: &mut Db,
    channel: &ChannelFacts,
    element: &WebhookElement,
    refusal: &PlatformRefusal,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let detail = json!({ "code": refusal.code, "title": refusal.title });
    if element.external_id.is_none() {
        return note(db, channel, "trouble", &detail, at);
    }
    for (number, _) in list_numbers(db, channel, true)? {
        number::record(db, number, "trouble", &detail.to_string(), at)?;
    }
    Ok(())
}

fn note(
    db: &mut Db,
    channel: &ChannelFacts,
    kind: &str,
    detail: &Value,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    for (number, _) in list_numbers(db, channel, false)? {
        number::record(db, number, kind, &detail.to_string(), at)?;
    }
    Ok(())
}

/// The numbers an event is about: the one that it, or its element, names; else all of the account.
///
/// # Errors
/// `Unreadable` for another account, and for a number that the account does not have here.
fn numbers_meant(
    db: &mut Db,
    channel: &ChannelFacts,
    element: &WebhookElement,
    event: &AccountEvent,
) -> Result<Vec<NumberId>, PersistenceError> {
    let is_elsewhere = element.account_id.as_ref().is_some_and(|told| *told != channel.account);
    if is_elsewhere && !names_a_business(event) {
        return Err(unreadable("an event of an account that is not connected here"));
    }
    let of_account = list_numbers(db, channel, element.external_id.is_some())?;
    let Some(phone) = display_phone(event) else {
        return Ok(of_account.into_iter().map(|(number, _)| number).collect());
    };
    let digits = |phone: &str| phone.chars().filter(char::is_ascii_digit).collect::<String>();
    let meant: Vec<NumberId> = of_account
        .into_iter()
        .filter(|(_, known)| digits(known) == digits(phone))
        .map(|(number, _)| number)
        .collect();
    if meant.is_empty() {
        return Err(unreadable("an event for a number this account does not have here"));
    }
    Ok(meant)
}

fn unreadable(problem: &str) -> PersistenceError {
    PersistenceError::unreadable("webhook_inbox", "body", problem)
}

/// Of what concerns partners the platform names the business in place of the account.
fn names_a_business(event: &AccountEvent) -> bool {
    use AccountUpdateEvent as Event;
    let AccountEvent::Update(update) = event else { return false };
    matches!(
        update.event,
        Some(
            Event::PartnerAdded
                | Event::PartnerRemoved
                | Event::PartnerAppInstalled
                | Event::PartnerAppUninstalled
                | Event::PartnerClientCertification
        )
    )
}

fn display_phone(event: &AccountEvent) -> Option<&str> {
    match event {
        AccountEvent::NumberQuality(update) => update.display_phone.as_deref(),
        AccountEvent::NumberName(update) => update.display_phone.as_deref(),
        AccountEvent::Security(notice) => notice.display_phone.as_deref(),
        AccountEvent::Username(update) => update.display_phone.as_deref(),
        AccountEvent::Capability(_)
        | AccountEvent::Update(_)
        | AccountEvent::Alert(_)
        | AccountEvent::Review(_) => None,
    }
}

/// The numbers of the account of `channel`, or of the channel `alone`, by id, each with its phone. Served by the
/// index on `account_id`.
fn list_numbers(
    db: &mut Db,
    channel: &ChannelFacts,
    alone: bool,
) -> Result<Vec<(NumberId, String)>, PersistenceError> {
    let rows: Vec<(i64, i64, String)> = numbers::table
        .inner_join(channels::table)
        .filter(channels::account_id.eq(&channel.account))
        .filter(channels::kind.eq(channel.kind.as_str()))
        .order(numbers::id.asc())
        .select((numbers::id, numbers::channel_id, numbers::phone))
        .load(db)?;
    let of_account = rows.into_iter().filter(|(_, of, _)| !alone || *of == channel.id.0);
    Ok(of_account.map(|(id, _, phone)| (NumberId(id), phone)).collect())
}
