//! What a refusal of the platform means beyond its message: for the contact, the template, the number
//! and the credentials (AD-09, protocol's table of errors).

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::{Pause, RefusalClass, RetryScope},
    ids::{ChannelId, ContactId, MessageId, NumberId, TemplateId},
    opt_out::{OptOutScope, OptOutSource},
    template::{StatusNews, TemplateStatus},
};

use crate::{
    channel,
    db::Db,
    error::PersistenceError,
    message_template, number, opt_out, reach,
    schema::{active_messages, messages, numbers},
};

/// How long a number sends nothing after a receipt called it too fast.
const TOO_FAST: TimeDelta = TimeDelta::seconds(2);

/// The word a class is stored by; `None` for those that mean nothing beyond their message.
pub(crate) fn class_word(class: RefusalClass) -> Option<&'static str> {
    match class {
        RefusalClass::Retry { .. } | RefusalClass::Fail => None,
        RefusalClass::FailContact => Some("contact"),
        RefusalClass::FailOptedOut => Some("opted_out"),
        RefusalClass::FailAlert => Some("alert"),
        RefusalClass::PauseTemplate => Some("template"),
        RefusalClass::Pause(pause) => Some(pause.as_str()),
        RefusalClass::CredentialsFail => Some("credentials"),
    }
}

/// The class stored as `word`.
pub(crate) fn class_of(word: &str) -> Option<RefusalClass> {
    match word {
        "contact" => Some(RefusalClass::FailContact),
        "opted_out" => Some(RefusalClass::FailOptedOut),
        "alert" => Some(RefusalClass::FailAlert),
        "template" => Some(RefusalClass::PauseTemplate),
        "credentials" => Some(RefusalClass::CredentialsFail),
        pause => Pause::parse(pause).map(RefusalClass::Pause),
    }
}

/// Carries out what the refusal `code` of `class` means beyond `message`, told by the platform `at` an instant
/// that may lie far before `now`: newer statements about contact and template stand against it.
pub(crate) fn take_effect(
    db: &mut Db,
    message: MessageId,
    class: RefusalClass,
    code: &str,
    at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let (channel, contact): (i64, i64) = messages::table
        .find(message.0)
        .select((messages::channel_id, messages::contact_id))
        .first(db)?;
    let (channel, contact) = (ChannelId(channel), ContactId(contact));
    match class {
        RefusalClass::Retry { scope: RetryScope::Number, after } => {
            let rest = after.and_then(|after| TimeDelta::from_std(after).ok());
            number::slow_down(db, channel, now + rest.unwrap_or(TOO_FAST))
        }
        RefusalClass::Retry { scope: RetryScope::Message | RetryScope::Pair, .. }
        | RefusalClass::Fail => Ok(()),
        RefusalClass::FailContact => reach::mark_not_on_platform(db, contact, channel, at),
        RefusalClass::FailOptedOut => {
            opt_out::opt_out(db, contact, OptOutScope::Marketing, OptOutSource::PlatformRefusal, at)
        }
        RefusalClass::FailAlert => alert(db, channel, code, now),
        RefusalClass::PauseTemplate => {
            pause_template_of(db, message, at)?;
            alert(db, channel, code, now)
        }
        RefusalClass::Pause(pause) => number::pause::begin(db, channel, pause, code, now),
        RefusalClass::CredentialsFail => channel::mark_credentials_failing(db, channel, now),
    }
}

/// The platform refuses the message's template; one that is kept back for another reason stays so.
fn pause_template_of(
    db: &mut Db,
    message: MessageId,
    at: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let template: Option<i64> = active_messages::table
        .find(message.0)
        .select(active_messages::template_id)
        .first(db)
        .optional()?;
    let Some(template) = template.map(TemplateId) else { return Ok(()) };
    if message_template::get(db, template)?.status.at(at) == TemplateStatus::Approved {
        let paused = TemplateStatus::Paused { until: None };
        message_template::apply_news(db, template, &StatusNews::of_change(paused, at))?;
    }
    Ok(())
}

/// Notes in the history of the number that someone who looks after it is to be told.
fn alert(
    db: &mut Db,
    channel: ChannelId,
    code: &str,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    let number: Option<i64> = numbers::table
        .filter(numbers::channel_id.eq(channel.0))
        .select(numbers::id)
        .first(db)
        .optional()?;
    let Some(number) = number else { return Ok(()) };
    let detail = serde_json::json!({ "code": code });
    number::record(db, NumberId(number), "refusal", &detail.to_string(), now)
}
