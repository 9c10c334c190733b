//! Claims due messages: asked again whether they may go, leased to one worker, their attempt written
//! down before anything leaves (AD-11, LI-09).

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::{
    dsl::{exists, not},
    prelude::*,
};
use domain::{
    admission::Admission,
    channel::{OutgoingContent, OutgoingMessage},
    delivery::{EventSource, Failure},
    dispatch::{self, HoldReason, OutboxState},
    ids::{ChannelId, ContactId, MessageId, TemplateId},
    media::FileKind,
    template::{VariableName, VariableValues},
};

use crate::{
    db::Db,
    delivery::fail,
    error::PersistenceError,
    instant::Instant,
    media::{self, OutgoingFile},
    message_template, number,
    outbox::{DispatchPolicy, recheck, tell},
    reach,
    reaction::{self, REACTION},
    schema::{active_messages, attempts, channels, messages, numbers, outbox},
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
        .filter(outbox::state.eq_any(waiting_states()))
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

fn waiting_states() -> [&'static str; 2] {
    [OutboxState::Queued.as_str(), OutboxState::Held.as_str()]
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
        for message in list_due(db, channel, *share, now)? {
            let turn = match db.savepoint(|db| take_turn(db, message, request, now)) {
                // One message that cannot be read must not keep the others from going.
                Err(error @ (PersistenceError::Unreadable { .. } | PersistenceError::NotFound)) => {
                    tracing::error!(message.id = %message, error = %error, "cannot send a message");
                    Turn::MayNotGo(Failure::from_code("unreadable"))
                }
                turn => turn?,
            };
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
    }
    Ok((claimed, endings))
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

diesel::alias!(outbox as earlier: Earlier);

/// Due messages of `channel` with nothing earlier for the same contact before them, oldest first, at
/// most `share`. Rows another worker is claiming are left out.
fn list_due(
    db: &mut Db,
    channel: ChannelId,
    share: usize,
    now: DateTime<Utc>,
) -> Result<Vec<MessageId>, PersistenceError> {
    let limit = i64::try_from(share).unwrap_or(i64::MAX);
    let ids: Vec<i64> = match db {
        Db::Sqlite(sqlite) => list_due_on_sqlite(sqlite, channel, limit, now)?,
        Db::Postgres(postgres) => lock_due_on_postgres(postgres, channel, limit, now)?,
    };
    Ok(ids.into_iter().map(MessageId).collect())
}

/// What is due: the same words for both databases.
macro_rules! due_messages {
    ($channel:expr, $limit:expr, $now:expr) => {{
        let before = earlier
            .filter(earlier.field(outbox::channel_id).eq(outbox::channel_id))
            .filter(earlier.field(outbox::contact_id).eq(outbox::contact_id))
            .filter(earlier.field(outbox::message_id).lt(outbox::message_id))
            .filter(earlier.field(outbox::state).ne(OutboxState::Unknown.as_str()));
        outbox::table
            .filter(outbox::channel_id.eq($channel.0))
            .filter(outbox::state.eq_any(waiting_states()))
            .filter(outbox::due_at.le(Instant::from($now)))
            .filter(not(exists(before)))
            .order((outbox::due_at.asc(), outbox::message_id.asc()))
            .limit($limit)
            .select(outbox::message_id)
    }};
}

/// The transaction holds SQLite's only write lock, so nobody else can be claiming.
fn list_due_on_sqlite(
    sqlite: &mut SqliteConnection,
    channel: ChannelId,
    limit: i64,
    now: DateTime<Utc>,
) -> QueryResult<Vec<i64>> {
    due_messages!(channel, limit, now).load(sqlite)
}

/// Locks the rows it finds and passes over those that another worker has locked, instead of waiting.
fn lock_due_on_postgres(
    postgres: &mut PgConnection,
    channel: ChannelId,
    limit: i64,
    now: DateTime<Utc>,
) -> QueryResult<Vec<i64>> {
    due_messages!(channel, limit, now).for_update().skip_locked().load(postgres)
}

/// A message as the dispatcher sees it.
#[derive(Queryable)]
struct DueRow {
    channel_id: i64,
    account_id: String,
    contact_id: i64,
    kind: String,
    body: String,
    callback_id: Option<String>,
    quoted_provider_id: Option<String>,
    created_at: Instant,
    attempts: i64,
    lease_fence: i64,
}

fn take_turn(
    db: &mut Db,
    message: MessageId,
    request: &mut ClaimRequest<'_>,
    now: DateTime<Utc>,
) -> Result<Turn, PersistenceError> {
    let row = read_due(db, message)?;
    let (channel, contact) = (ChannelId(row.channel_id), ContactId(row.contact_id));
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
    let checked = recheck::recheck(db, message, channel, contact, now)?;
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
    let Some(content) = read_content(db, message, &row.kind, row.body, now)? else {
        put_off(db, message, now + FILE_WAIT)?;
        return Ok(Turn::PutOff);
    };
    if let Some(wait) = (request.pair_wait)(channel, contact) {
        put_off(db, message, now + wait)?;
        return Ok(Turn::PutOff);
    }
    let Some(to) = reach::find_address(db, contact, &row.account_id)? else {
        return may_not_go("contact_unreachable");
    };
    let outgoing = OutgoingMessage {
        id: message,
        to,
        callback_id: row.callback_id.unwrap_or_else(|| message.to_string()),
        quotes: row.quoted_provider_id,
        content,
    };
    let fence = row.lease_fence + 1;
    lease(db, message, request, fence, row.attempts + 1, now)?;
    Ok(Turn::Claimed(Box::new(Claim {
        outgoing,
        channel,
        fence,
        attempts: u32::try_from(row.attempts + 1).unwrap_or(u32::MAX),
        out_of_time_at,
    })))
}

fn read_due(db: &mut Db, message: MessageId) -> Result<DueRow, PersistenceError> {
    Ok(outbox::table
        .inner_join(messages::table)
        .inner_join(channels::table)
        .filter(outbox::message_id.eq(message.0))
        .select((
            outbox::channel_id,
            channels::account_id,
            outbox::contact_id,
            messages::kind,
            messages::body,
            messages::callback_id,
            messages::quoted_provider_id,
            messages::created_at,
            outbox::attempts,
            outbox::lease_fence,
        ))
        .first(db)?)
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

/// Leases the message and writes its attempt down, before anything leaves.
fn lease(
    db: &mut Db,
    message: MessageId,
    request: &ClaimRequest<'_>,
    fence: i64,
    attempt: i64,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    diesel::update(outbox::table.find(message.0))
        .set((
            outbox::state.eq(OutboxState::Leased.as_str()),
            outbox::lease_token.eq(Some(request.token)),
            outbox::lease_fence.eq(fence),
            outbox::lease_until.eq(Some(Instant::from(now + request.policy.lease))),
            outbox::attempts.eq(attempt),
            outbox::reason.eq(None::<String>),
        ))
        .execute(db)?;
    diesel::insert_into(attempts::table)
        .values((
            attempts::message_id.eq(message.0),
            attempts::fence.eq(fence),
            attempts::started_at.eq(Instant::from(now)),
        ))
        .execute(db)?;
    Ok(())
}

/// What is to be sent; `None` while its file is on the way to the platform.
fn read_content(
    db: &mut Db,
    message: MessageId,
    kind: &str,
    body: String,
    now: DateTime<Utc>,
) -> Result<Option<OutgoingContent>, PersistenceError> {
    if kind == REACTION {
        let to = reaction::target(db, message)?;
        return Ok(Some(OutgoingContent::Reaction { to, emoji: body }));
    }
    if FileKind::ALL.into_iter().any(|file| file.message_kind() == kind) {
        return Ok(match media::find_outgoing(db, message, body, now)? {
            OutgoingFile::Ready(file) => Some(OutgoingContent::Media(file)),
            OutgoingFile::OnItsWay => None,
        });
    }
    if kind != "template" {
        return Ok(Some(OutgoingContent::Text { body }));
    }
    let (template, variables): (i64, String) = active_messages::table
        .find(message.0)
        .select((active_messages::template_id, active_messages::variables))
        .first(db)?;
    let template = message_template::get(db, TemplateId(template))?;
    let values: std::collections::BTreeMap<String, String> = serde_json::from_str(&variables)
        .map_err(|error| {
            PersistenceError::unreadable("active_messages", "variables", error.to_string())
        })?;
    let values: VariableValues =
        values.into_iter().map(|(name, value)| (VariableName(name), value)).collect();
    Ok(Some(OutgoingContent::Template { template: Box::new(template), values }))
}
