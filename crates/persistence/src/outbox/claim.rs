//! Claims due messages: asked again whether they may go, leased to one worker, their attempt written
//! down before anything leaves (AD-11, LI-09).

use std::{collections::BTreeMap, time::Duration};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{dsl::exists, prelude::*};
use domain::{
    admission::Admission,
    channel::{OutgoingContent, OutgoingMessage},
    delivery::{EventSource, Failure},
    dispatch::{self, HoldReason, OutboxState},
    ids::{ChannelId, ContactId, MessageId, TemplateId},
    media::FileKind,
    template::{VariableName, VariableValues},
};

use super::{
    DispatchPolicy,
    due::{DueRow, list_due, waiting_states},
    recheck::Standing,
    tell,
};
use crate::{
    among::{is_among, is_named_among},
    db::{Db, on_either},
    delivery::fail,
    error::PersistenceError,
    instant::Instant,
    kept::kept_update,
    media::{self, OutgoingFile},
    number,
    reaction::{self, REACTION},
    schema::{attempts, channels, numbers, outbox},
};

/// How long a message whose file is on the way to the platform is left alone: it is due at once when the file is there.
const FILE_WAIT: TimeDelta = TimeDelta::seconds(30);

/// A channel with something due, that may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenChannel {
    /// Which.
    pub channel: ChannelId,
    /// Messages a second its number may send.
    pub throughput: u32,
}

/// What is to be claimed.
pub struct ClaimRequest<'a> {
    /// How many of which channel.
    pub shares: &'a [(ChannelId, usize)],
    /// Names the claim; unique for each, so that a worker knows its own.
    pub token: &'a str,
    /// Leases, waits and the end of trying.
    pub policy: &'a DispatchPolicy,
    /// How long this pair of channel and contact must still wait; `None` takes its turn.
    pub pair_wait: &'a mut dyn FnMut(ChannelId, ContactId) -> Option<Duration>,
}

/// A message in the hands of one worker.
#[derive(Debug, Clone)]
pub struct Claim {
    /// What is to be sent.
    pub outgoing: OutgoingMessage,
    /// Over which channel.
    pub channel: ChannelId,
    /// The fence of this claim; an outcome with an older one does not count.
    pub fence: i64,
    /// Attempts made, this one included.
    pub attempts: u32,
    /// From when the message is not sent any more.
    pub out_of_time_at: DateTime<Utc>,
}

/// What a round of claiming did.
#[derive(Debug, Clone, Default)]
pub struct Claimed {
    /// To be sent now.
    pub claims: Vec<Claim>,
    /// How many ended instead, because what can change had changed (AD-11).
    pub refused: usize,
    /// How many were put off: their pair, or their number's templates, have to wait.
    pub put_off: usize,
}

/// Channels with something due at `now`, whose number neither rests nor was called too fast, and whose credentials work.
///
/// One look into the index per channel, however much is queued.
pub fn list_open_channels(
    db: &mut Db,
    now: DateTime<Utc>,
) -> Result<Vec<OpenChannel>, PersistenceError> {
    let now = Instant::from(now);
    let due = outbox::table
        .filter(outbox::channel_id.eq(channels::id))
        .filter(is_named_among(outbox::state, waiting_states()))
        .filter(outbox::due_at.le(now));
    let rows: Vec<(i64, Option<i64>)> = channels::table
        .left_join(numbers::table)
        .filter(channels::credentials_failing_since.is_null())
        .filter(numbers::paused_until.is_null().or(numbers::paused_until.le(now)))
        .filter(numbers::slow_until.is_null().or(numbers::slow_until.le(now)))
        .filter(exists(due))
        .order(channels::id.asc())
        .select((channels::id, numbers::throughput.nullable()))
        .load(db)?;
    Ok(rows
        .into_iter()
        .map(|(channel, throughput)| OpenChannel {
            channel: ChannelId(channel),
            throughput: throughput.and_then(|rate| u32::try_from(rate).ok()).unwrap_or(1).max(1),
        })
        .collect())
}

/// A message that may no longer go, and why.
struct Ending {
    channel: ChannelId,
    message: MessageId,
    failure: Failure,
}

/// What becomes of a due message.
enum Turn {
    Claimed(Box<Claim>),
    /// Its pair, or its number's templates, have to wait.
    PutOff,
    /// There is no time for one more attempt; it ends when its time is over.
    TooLate,
    MayNotGo(Failure),
}

/// Claims due messages at `now`, oldest first, and writes their attempts down; all in one transaction,
/// so that a message is with one worker only and nothing leaves that is not on record.
///
/// What may no longer go ends as Failure, given back (AD-11). One message of a contact at a time and in
/// the order they were written.
///
/// # Errors
/// When the database fails; nothing is claimed then.
pub fn claim(
    db: &mut Db,
    request: &mut ClaimRequest<'_>,
    now: DateTime<Utc>,
) -> Result<Claimed, PersistenceError> {
    let (claimed, endings) = db.write(|db| claim_shares(db, request, now))?;
    if let Err(error) = end_all(db, &endings, now) {
        // What was claimed is on record and must go; the rest is due still, and is asked again.
        tracing::warn!(error = %error, "messages that may not go are left to the next look");
    }
    Ok(claimed)
}

fn claim_shares(
    db: &mut Db,
    request: &mut ClaimRequest<'_>,
    now: DateTime<Utc>,
) -> Result<(Claimed, Vec<Ending>), PersistenceError> {
    let (mut claimed, mut endings) = (Claimed::default(), Vec::new());
    for (channel, share) in request.shares {
        let channel = *channel;
        let due = list_due(db, channel, *share, now)?;
        if due.is_empty() {
            continue;
        }
        let mut standing = readable(Standing::read(db, channel, &due))?;
        let first = claimed.claims.len();
        for row in due {
            let message = row.message();
            let turn = match &mut standing {
                Some(standing) => readable(take_turn(db, standing, channel, row, request, now))?,
                None => None,
            };
            let turn = turn.unwrap_or_else(|| Turn::MayNotGo(Failure::from_code("unreadable")));
            match turn {
                Turn::Claimed(claim) => claimed.claims.push(*claim),
                Turn::PutOff => claimed.put_off += 1,
                Turn::TooLate => claimed.refused += 1,
                Turn::MayNotGo(failure) => {
                    claimed.refused += 1;
                    endings.push(Ending { channel, message, failure });
                }
            }
        }
        lease(db, &claimed.claims[first..], request, now)?;
    }
    Ok((claimed, endings))
}

/// `None` for what cannot be read: one message, or one channel, must not keep the others from going.
fn readable<T>(read: Result<T, PersistenceError>) -> Result<Option<T>, PersistenceError> {
    match read {
        Err(error @ (PersistenceError::Unreadable { .. } | PersistenceError::NotFound)) => {
            tracing::error!(error = %error, "cannot send what cannot be read");
            Ok(None)
        }
        read => read.map(Some),
    }
}

/// Ends messages, given back. Whoever folds messages takes the locks of their numbers before their rows; who
/// claims has rows already, so this is a transaction of its own.
fn end_all(db: &mut Db, endings: &[Ending], now: DateTime<Utc>) -> Result<(), PersistenceError> {
    if endings.is_empty() {
        return Ok(());
    }
    db.write(|db| {
        let channels: Vec<ChannelId> = endings.iter().map(|ending| ending.channel).collect();
        number::lock_of_channels(db, &channels)?;
        for Ending { message, failure, .. } in endings {
            // Another worker may have claimed it since, or ended it.
            let waits = outbox::state.eq_any(waiting_states());
            let taken = diesel::delete(outbox::table.find(message.0).filter(waits)).execute(db)?;
            if taken == 1 {
                fail(db, *message, failure.clone(), None, EventSource::Dispatcher, now)?;
            }
        }
        Ok(())
    })
}

/// Decides what becomes of the due message of `row`. Whoever is claimed is not leased yet.
fn take_turn(
    db: &mut Db,
    standing: &mut Standing,
    channel: ChannelId,
    row: DueRow,
    request: &mut ClaimRequest<'_>,
    now: DateTime<Utc>,
) -> Result<Turn, PersistenceError> {
    let (message, contact) = (row.message(), row.contact());
    let out_of_time_at =
        dispatch::out_of_time_at(row.created_at.into(), &request.policy.active_messages);
    if out_of_time_at <= now {
        return Ok(Turn::MayNotGo(Failure::NotSentInTime));
    }
    if !dispatch::may_start_attempt(out_of_time_at, now + request.policy.lease) {
        put_off(db, message, out_of_time_at)?;
        return Ok(Turn::TooLate);
    }
    let may_not_go = |code: &str| Ok(Turn::MayNotGo(Failure::from_code(code)));
    let checked = standing.check(db, &row, now)?;
    if let Admission::Blocked(refusals) = checked.admission {
        return may_not_go(refusals.first().map_or("refused", |refusal| refusal.code.as_str()));
    }
    if let Some(code) = checked.free_form_refusal {
        return may_not_go(code);
    }
    if let Some(until) = checked.templates_rest_until {
        hold(db, message, HoldReason::TemplatesPaused, until)?;
        return Ok(Turn::PutOff);
    }
    let Some(to) = standing.address(contact).map(str::to_owned) else {
        return may_not_go("contact_unreachable");
    };
    let (callback_id, quotes) = (row.callback_id.clone(), row.quoted_provider_id.clone());
    let (attempts, fence) = (row.attempts + 1, row.lease_fence + 1);
    let Some(content) = read_content(db, standing, row, now)? else {
        put_off(db, message, now + FILE_WAIT)?;
        return Ok(Turn::PutOff);
    };
    if let Some(wait) = (request.pair_wait)(channel, contact) {
        put_off(db, message, now + wait)?;
        return Ok(Turn::PutOff);
    }
    let outgoing = OutgoingMessage {
        id: message,
        to,
        callback_id: callback_id.unwrap_or_else(|| message.to_string()),
        quotes,
        content,
    };
    Ok(Turn::Claimed(Box::new(Claim {
        outgoing,
        channel,
        fence,
        attempts: u32::try_from(attempts).unwrap_or(u32::MAX),
        out_of_time_at,
    })))
}

fn put_off(db: &mut Db, message: MessageId, due_at: DateTime<Utc>) -> Result<(), PersistenceError> {
    diesel::update(outbox::table.find(message.0))
        .set(outbox::due_at.eq(Instant::from(due_at)))
        .execute(db)?;
    Ok(())
}

/// Keeps the message back until `until`, for a reason that pages show.
fn hold(
    db: &mut Db,
    message: MessageId,
    reason: HoldReason,
    until: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    diesel::update(outbox::table.find(message.0))
        .set((
            outbox::state.eq(OutboxState::Held.as_str()),
            outbox::reason.eq(Some(reason.as_str())),
            outbox::due_at.eq(Instant::from(until)),
        ))
        .execute(db)?;
    tell(db, message)
}

/// Leases what is claimed and writes the attempts down, before anything leaves.
fn lease(
    db: &mut Db,
    claims: &[Claim],
    request: &ClaimRequest<'_>,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    if claims.is_empty() {
        return Ok(());
    }
    let update = kept_update(
        outbox::table,
        is_among(outbox::message_id, claims.iter().map(|claim| claim.outgoing.id.0)),
        (
            outbox::state.eq(OutboxState::Leased.as_str()),
            outbox::lease_token.eq(Some(request.token)),
            outbox::lease_fence.eq(outbox::lease_fence + 1),
            outbox::lease_until.eq(Some(Instant::from(now + request.policy.lease))),
            outbox::attempts.eq(outbox::attempts + 1),
            outbox::reason.eq(None::<String>),
        ),
    );
    on_either!(db => update.execute(db))?;
    let started: Vec<_> = claims
        .iter()
        .map(|claim| {
            (
                attempts::message_id.eq(claim.outgoing.id.0),
                attempts::fence.eq(claim.fence),
                attempts::started_at.eq(Instant::from(now)),
            )
        })
        .collect();
    on_either!(db => diesel::insert_into(attempts::table).values(&started).execute(db))?;
    Ok(())
}

/// What is to be sent; `None` while its file is on the way to the platform.
fn read_content(
    db: &mut Db,
    standing: &mut Standing,
    row: DueRow,
    now: DateTime<Utc>,
) -> Result<Option<OutgoingContent>, PersistenceError> {
    let message = row.message();
    if row.kind == REACTION {
        let to = reaction::target(db, message)?;
        return Ok(Some(OutgoingContent::Reaction { to, emoji: row.body }));
    }
    if FileKind::ALL.into_iter().any(|file| file.message_kind() == row.kind) {
        return Ok(match media::find_outgoing(db, message, row.body, now)? {
            OutgoingFile::Ready(file) => Some(OutgoingContent::Media(file)),
            OutgoingFile::OnItsWay => None,
        });
    }
    if row.kind != "template" {
        return Ok(Some(OutgoingContent::Text { body: row.body }));
    }
    let active = row.active.ok_or(PersistenceError::NotFound)?;
    let template = standing.template(db, TemplateId(active.template_id))?.clone();
    let values: BTreeMap<String, String> =
        serde_json::from_str(&active.variables).map_err(|error| {
            PersistenceError::unreadable("active_messages", "variables", error.to_string())
        })?;
    let values: VariableValues =
        values.into_iter().map(|(name, value)| (VariableName(name), value)).collect();
    Ok(Some(OutgoingContent::Template { template: Box::new(template), values }))
}
