//! The job that keeps our list of message templates equal to the platform's.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use domain::{
    channel::{ChannelError, ChannelKind},
    ids::ChannelId,
};
use persistence::{
    channel::{self, Channel},
    message_template,
};

use crate::{
    error::SchedulerError,
    job::{JobFuture, JobParts, JobReport},
    numbers::Failures,
};

/// Reads the templates of every account, whole or not at all: a half-read list replaces nothing.
#[must_use]
pub fn synchronise(parts: JobParts, now: DateTime<Utc>) -> JobFuture {
    Box::pin(async move {
        let channels = parts.store.read(channel::list_connected).await?;
        let accounts: BTreeMap<(ChannelKindOrder, String), ChannelId> = channels
            .iter()
            .filter(|channel| channel.kind.can_initiate() && may_ask(channel, now))
            .map(|channel| {
                ((ChannelKindOrder::of(channel.kind), channel.account_id.clone()), channel.id)
            })
            .collect();
        let mut failures = Failures::among(accounts.len());
        let mut rows = 0;
        for ((_, account), channel) in accounts {
            match synchronise_account(&parts, &account, channel, now).await {
                Ok(listed) => rows += listed,
                Err(error) => {
                    rest_when_asked(&parts, channel, &error, now).await?;
                    failures.count(&error);
                }
            }
        }
        failures.into_result()?;
        Ok(JobReport { rows })
    })
}

/// Sorts accounts of the same name on two platforms apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct ChannelKindOrder(&'static str);

impl ChannelKindOrder {
    fn of(kind: ChannelKind) -> Self {
        Self(kind.as_str())
    }
}

/// Whether the account of `channel` may ask the platform for lists and numbers at `now`.
pub(crate) fn may_ask(channel: &Channel, now: DateTime<Utc>) -> bool {
    channel.calls_rest_until.is_none_or(|until| until <= now)
}

/// Lets the account of `channel` rest as long as the platform asked for, in every process.
pub(crate) async fn rest_when_asked(
    parts: &JobParts,
    channel: ChannelId,
    error: &SchedulerError,
    now: DateTime<Utc>,
) -> Result<(), SchedulerError> {
    let SchedulerError::Channel(ChannelError::Busy(rest)) = error else { return Ok(()) };
    let until = TimeDelta::from_std(*rest).ok().and_then(|rest| now.checked_add_signed(rest));
    let Some(until) = until else { return Ok(()) };
    Ok(parts.store.write(move |db| channel::rest_calls(db, channel, until)).await?)
}

async fn synchronise_account(
    parts: &JobParts,
    account: &str,
    channel: ChannelId,
    now: DateTime<Utc>,
) -> Result<usize, SchedulerError> {
    let vault = parts.store.vault()?;
    let (kind, access) =
        parts.store.read(move |db| channel::get_access(db, &vault, channel)).await?;
    let adapter = parts.channels.get(&kind).ok_or(SchedulerError::NoAdapter)?;
    let templates = adapter.list_templates(&access).await?;
    let account = account.to_owned();
    let report = parts
        .store
        .write(move |db| message_template::save_all(db, &account, &templates, now))
        .await?;
    Ok(report.listed)
}
