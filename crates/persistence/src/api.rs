//! What the API asks: what a request names, one active message with its history, and lists by page.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    channel::ChannelKind,
    delivery::{ActiveMessageLife, DeliveryEvent},
    ids::{ChannelId, ChatbotId, MessageId, NumberId, TemplateId, UserId},
    permission::Permission,
    template::MessageTemplate,
};

use crate::{
    admission::{self, Door, Outcome, Recipient},
    channel, contact,
    db::Db,
    delivery,
    error::PersistenceError,
    idempotency::IdempotencyKey,
    instant::Instant,
    message_template::{MessageTemplateRow, row_columns},
    number::{self, Number},
    policy,
    schema::{active_messages, channels, chatbots, memberships, message_templates, users},
    user::{self, Actor},
};

/// What a request to send names, as words.
#[derive(Debug, Clone)]
pub struct Named {
    /// The channel to send from; `None` when the word is no id.
    pub channel: Option<ChannelId>,
    /// The template's name.
    pub template: String,
    /// The template's language, as the platform writes it.
    pub language: String,
    /// Who it goes to; `None` when the word is no id.
    pub to: Option<Recipient>,
    /// The agent it is sent for: an id or an email.
    pub agent: Option<String>,
}

/// What the words stand for.
#[derive(Debug, Clone)]
pub struct SendTarget {
    /// The channel.
    pub channel: ChannelId,
    /// Its platform.
    pub kind: ChannelKind,
    /// The channel's chatbot.
    pub chatbot: ChatbotId,
    /// The chatbot's name, for sentences.
    pub chatbot_name: String,
    /// X of the cap, for the sentence that names it.
    pub cap_sends: u32,
    /// The template, gone or not.
    pub template: MessageTemplate,
    /// Who it goes to.
    pub to: Recipient,
    /// The agent it is sent for.
    pub agent: Option<UserId>,
}

/// What is not there, or may not be known to who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// No such channel of the actor's chatbots.
    Channel,
    /// The channel's account has no such template in that language.
    Template,
    /// No chatbot of the actor knows this contact.
    Contact,
    /// Nobody of the chatbot's team.
    Agent,
}

/// An active message as the API tells it.
#[derive(Debug, Clone)]
pub struct SentMessage {
    /// Its id.
    pub id: MessageId,
    /// The chatbot's name, for sentences.
    pub chatbot_name: String,
    /// When it was triggered.
    pub queued_at: DateTime<Utc>,
    /// Where it was asked for.
    pub door: Door,
    /// What its events amount to at the instant asked for.
    pub life: ActiveMessageLife,
    /// All that happened to it, in the order it was written.
    pub events: Vec<DeliveryEvent>,
}

/// A template with the channels it may be sent from.
#[derive(Debug, Clone)]
pub struct ListedTemplate {
    /// The template.
    pub template: MessageTemplate,
    /// The actor's channels of its account, by id.
    pub channels: Vec<ChannelId>,
}

/// A number with what is exact at the instant asked for.
#[derive(Debug, Clone)]
pub struct NumberState {
    /// The number.
    pub number: Number,
    /// Distinct contacts of the last 24 h.
    pub counted_day: u32,
    /// Distinct contacts of the last 168 h.
    pub counted_week: u32,
    /// How many it may notify in 24 h.
    pub limit: u32,
    /// Its standing, by its clocks.
    pub standing: domain::number::standing::Standing,
}

/// What `key` was answered before, so that a repeated request is told the same whatever became of what it
/// names; `None` for a new key.
///
/// # Errors
/// When the database fails.
pub fn find_earlier(
    db: &mut Db,
    key: &IdempotencyKey,
    now: DateTime<Utc>,
) -> Result<Option<Outcome>, PersistenceError> {
    let id = policy::find_latest(db, policy::DEFAULT_PROFILE)?.ok_or(PersistenceError::NotFound)?;
    let policy = policy::get(db, id)?;
    admission::find_earlier(db, key, now - policy.retention.idempotency_keys)
}

/// Finds what `named` stands for, or says what is unknown.
///
/// # Errors
/// When the database fails.
pub fn find_target(
    db: &mut Db,
    actor: &Actor,
    named: &Named,
) -> Result<Result<SendTarget, Unknown>, PersistenceError> {
    let Some((channel, facts)) = find_channel(db, actor, named.channel)? else {
        return Ok(Err(Unknown::Channel));
    };
    let (chatbot, chatbot_name, cap_sends) = facts;
    let Some(template) = find_template(db, &channel.account_id, named)? else {
        return Ok(Err(Unknown::Template));
    };
    let to = match &named.to {
        None => return Ok(Err(Unknown::Contact)),
        Some(Recipient::Contact(id)) => match contact::get(db, actor, *id) {
            Ok(contact) => Recipient::Contact(contact.id),
            Err(PersistenceError::NotFound) => return Ok(Err(Unknown::Contact)),
            Err(problem) => return Err(problem),
        },
        Some(told @ (Recipient::Phone(_) | Recipient::NoNumber(_))) => told.clone(),
    };
    let agent = match &named.agent {
        None => None,
        Some(word) => match find_team_member(db, chatbot, word)? {
            None => return Ok(Err(Unknown::Agent)),
            known => known,
        },
    };
    let (channel, kind) = (channel.id, channel.kind);
    Ok(Ok(SendTarget { channel, kind, chatbot, chatbot_name, cap_sends, template, to, agent }))
}

/// The name of the agent whom `target` is sent for, when it is they who may not send there and not `actor`.
///
/// # Errors
/// When the database fails.
pub fn find_lacking_agent(
    db: &mut Db,
    actor: &Actor,
    target: &SendTarget,
) -> Result<Option<String>, PersistenceError> {
    let may_send = |who: &Actor| who.may(target.chatbot, Permission::SendActiveMessages);
    let Some(agent) = target.agent.filter(|_| may_send(actor)) else { return Ok(None) };
    if user::find_actor(db, agent)?.is_some_and(|agent| may_send(&agent)) {
        return Ok(None);
    }
    Ok(users::table.find(agent.0).select(users::name).first(db).optional()?)
}

type ChatbotFacts = (ChatbotId, String, u32);

fn find_channel(
    db: &mut Db,
    actor: &Actor,
    id: Option<ChannelId>,
) -> Result<Option<(channel::Channel, ChatbotFacts)>, PersistenceError> {
    let Some(id) = id else { return Ok(None) };
    let channel = match channel::get(db, actor, id) {
        Ok(channel) => channel,
        Err(PersistenceError::NotFound) => return Ok(None),
        Err(problem) => return Err(problem),
    };
    let (name, cap_sends): (String, i64) = chatbots::table
        .find(channel.chatbot.0)
        .select((chatbots::name, chatbots::cap_sends))
        .first(db)?;
    let facts = (channel.chatbot, name, number::count("cap_sends", cap_sends)?);
    Ok(Some((channel, facts)))
}

/// Served by the unique index on account, name and language.
fn find_template(
    db: &mut Db,
    account: &str,
    named: &Named,
) -> Result<Option<MessageTemplate>, PersistenceError> {
    let row: Option<MessageTemplateRow> = message_templates::table
        .filter(message_templates::account_id.eq(account))
        .filter(message_templates::name.eq(&named.template))
        .filter(message_templates::language.eq(&named.language))
        .select(row_columns())
        .first(db)
        .optional()?;
    row.map(MessageTemplate::try_from).transpose()
}

/// By id, else by email.
fn find_team_member(
    db: &mut Db,
    chatbot: ChatbotId,
    word: &str,
) -> Result<Option<UserId>, PersistenceError> {
    let mut query = memberships::table
        .inner_join(users::table)
        .filter(memberships::chatbot_id.eq(chatbot.0))
        .select(users::id)
        .into_boxed();
    query = match word.parse::<i64>() {
        Ok(id) => query.filter(users::id.eq(id)),
        Err(_) => query.filter(users::email.eq(word.trim().to_lowercase())),
    };
    let id: Option<i64> = query.first(db).optional()?;
    Ok(id.map(UserId))
}

/// The active message `id` as it is at `now`, for who sent it, by hand or by this token, and for who may
/// see the chatbot's sends or tickets.
///
/// # Errors
/// `NotFound` for anyone else.
pub fn get_active_message(
    db: &mut Db,
    actor: &Actor,
    id: MessageId,
    now: DateTime<Utc>,
) -> Result<SentMessage, PersistenceError> {
    type Row = (i64, String, i64, Option<i64>, Option<i64>, Instant, String);
    let row: Row = active_messages::table
        .inner_join(chatbots::table)
        .filter(active_messages::message_id.eq(id.0))
        .filter(active_messages::chatbot_id.eq_any(actor.chatbot_ids()))
        .select((
            active_messages::chatbot_id,
            chatbots::name,
            active_messages::number_id,
            active_messages::agent_id,
            active_messages::token_id,
            active_messages::queued_at,
            active_messages::door,
        ))
        .first(db)?;
    let (chatbot, chatbot_name, number, agent, token, queued_at, door) = row;
    let chatbot = ChatbotId(chatbot);
    let is_own = agent == Some(actor.id().0)
        || (token.is_some() && token == actor.token.map(|token| token.0));
    let sees_all =
        actor.may(chatbot, Permission::ViewGrowth) || actor.may(chatbot, Permission::SeeAllTickets);
    if !is_own && !sees_all {
        return Err(PersistenceError::NotFound);
    }
    let queued_at = DateTime::from(queued_at);
    Ok(SentMessage {
        id,
        chatbot_name,
        queued_at,
        door: Door::parse(&door)
            .ok_or_else(|| PersistenceError::unreadable("active_messages", "door", door))?,
        life: delivery::life(db, id, NumberId(number), queued_at, now)?,
        events: delivery::list_events(db, id)?,
    })
}

/// The templates of the accounts of `actor`'s channels with an id beyond `after`, by id, `most` at most;
/// what is gone from its account is left out. Statuses are those of `now`.
///
/// # Errors
/// When the database fails.
pub fn list_templates(
    db: &mut Db,
    actor: &Actor,
    after: Option<TemplateId>,
    most: i64,
    now: DateTime<Utc>,
) -> Result<Vec<ListedTemplate>, PersistenceError> {
    let accounts: Vec<(i64, String)> = channels::table
        .filter(channels::chatbot_id.eq_any(actor.chatbot_ids()))
        .order(channels::id.asc())
        .select((channels::id, channels::account_id))
        .load(db)?;
    let names: Vec<&str> = accounts.iter().map(|(_, account)| account.as_str()).collect();
    let rows: Vec<MessageTemplateRow> = message_templates::table
        .filter(message_templates::account_id.eq_any(names))
        .filter(message_templates::gone_at.is_null())
        .filter(message_templates::id.gt(after.map_or(0, |id| id.0)))
        .order(message_templates::id.asc())
        .limit(most)
        .select(row_columns())
        .load(db)?;
    let listed = |row: MessageTemplateRow| {
        let mut template = MessageTemplate::try_from(row)?;
        template.status = template.status.at(now);
        let of_account = accounts.iter().filter(|(_, account)| *account == template.account_id);
        let channels = of_account.map(|(id, _)| ChannelId(*id)).collect();
        Ok(ListedTemplate { template, channels })
    };
    rows.into_iter().map(listed).collect()
}

/// The channels of `actor`'s chatbots with an id beyond `after`, by id, `most` at most. An installation
/// has few, so they are read whole.
///
/// # Errors
/// When the database fails.
pub fn list_channels(
    db: &mut Db,
    actor: &Actor,
    after: Option<ChannelId>,
    most: i64,
) -> Result<Vec<channel::Channel>, PersistenceError> {
    let most = usize::try_from(most).unwrap_or_default();
    let beyond = |channel: &channel::Channel| after.is_none_or(|after| after < channel.id);
    Ok(channel::list(db, actor)?.into_iter().filter(beyond).take(most).collect())
}

/// `id` as it is at `now`, its counts exact, for anyone of its chatbot's team.
///
/// # Errors
/// `NotFound` for anyone else.
pub fn get_number(
    db: &mut Db,
    actor: &Actor,
    id: NumberId,
    now: DateTime<Utc>,
) -> Result<NumberState, PersistenceError> {
    let number = number::get(db, actor, id)?;
    let policy = policy::get(db, number.policy)?;
    let (counted_day, counted_week) = admission::count_recipients(db, id, &policy, now)?;
    Ok(NumberState {
        counted_day,
        counted_week,
        limit: number.effective_limit(&policy, now),
        standing: number.clock.standing_at(now, &policy.quality),
        number,
    })
}
