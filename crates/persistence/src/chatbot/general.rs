//! What the page *General settings* shows, to whoever may look, and what active messages still need.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::{ChannelId, ChatbotId},
    permission::Permission,
};

use super::{Chatbot, ChatbotRow};
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{channels, chatbots, membership_permissions, memberships, message_templates, users},
    user::{Actor, UserStatus},
};

/// What active messages still need before they can be switched on (AM-14).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MissingStep {
    /// No number is connected.
    ConnectedNumber,
    /// No connected number's webhook was verified.
    VerifiedWebhook,
    /// No template is approved for a connected number.
    ApprovedTemplate,
}

/// What the page *General settings* shows of a chatbot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneralSettings {
    /// The chatbot with its settings.
    pub chatbot: Chatbot,
    /// The name of who saved them last; `None` as long as they are the defaults.
    pub changed_by: Option<String>,
    /// What active messages still need before they can be switched on (AM-14).
    pub missing: Vec<MissingStep>,
    /// The connected channels whose webhook was not verified, by id.
    pub unverified: Vec<ChannelId>,
    /// Whether the reader may change them, or who may (AD-08).
    pub right: SettingsRight,
}

/// What the reader may do with the general settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SettingsRight {
    /// Change them.
    Edit,
    /// Look at them. These may change them, by name.
    Look(Vec<String>),
}

/// The general settings of `chatbot`, for whoever sees its portal.
///
/// # Errors
/// `NotFound` outside the team, `Denied` for whom no page of its portal is open.
pub fn get_general_settings(
    db: &mut Db,
    actor: &Actor,
    chatbot: ChatbotId,
    now: DateTime<Utc>,
) -> Result<GeneralSettings, PersistenceError> {
    actor.require_portal_of(chatbot)?;
    let (row, changed_by): (ChatbotRow, Option<String>) = chatbots::table
        .left_join(users::table)
        .filter(chatbots::id.eq(chatbot.0))
        .select((ChatbotRow::as_select(), users::name.nullable()))
        .first(db)?;
    let right = if actor.may(chatbot, Permission::EditGeneralSettings) {
        SettingsRight::Edit
    } else {
        SettingsRight::Look(list_editors(db, chatbot)?)
    };
    Ok(GeneralSettings {
        chatbot: row.try_into()?,
        changed_by,
        missing: list_missing_steps(db, chatbot, now)?,
        unverified: list_unverified(db, chatbot)?,
        right,
    })
}

/// Who may change the general settings of `chatbot`, by name then id.
fn list_editors(db: &mut Db, chatbot: ChatbotId) -> Result<Vec<String>, PersistenceError> {
    let editors = memberships::table
        .inner_join(membership_permissions::table)
        .filter(memberships::chatbot_id.eq(chatbot.0))
        .filter(membership_permissions::permission.eq(Permission::EditGeneralSettings.as_str()))
        .select(memberships::user_id);
    Ok(users::table
        .filter(users::id.eq_any(editors))
        .filter(users::status.eq(UserStatus::Active.as_str()))
        .order((users::name.asc(), users::id.asc()))
        .select(users::name)
        .load(db)?)
}

/// What `chatbot` still needs before active messages can be switched on, in the order to mend it.
///
/// Rule: AM-14.
///
/// # Errors
/// When the database fails.
pub fn list_missing_steps(
    db: &mut Db,
    chatbot: ChatbotId,
    now: DateTime<Utc>,
) -> Result<Vec<MissingStep>, PersistenceError> {
    let connected: Vec<(String, Option<Instant>)> = channels::table
        .filter(channels::chatbot_id.eq(chatbot.0))
        .filter(channels::connected.eq(true))
        .select((channels::account_id, channels::webhook_verified_at))
        .load(db)?;
    let verified = connected.iter().any(|(_, verified_at)| verified_at.is_some());
    let accounts: Vec<String> = connected.iter().map(|(account, _)| account.clone()).collect();
    let pause_is_over = message_templates::status
        .eq("paused")
        .and(message_templates::paused_until.le(Some(Instant::from(now))))
        .assume_not_null();
    let approved: i64 = message_templates::table
        .filter(message_templates::account_id.eq_any(accounts))
        .filter(message_templates::gone_at.is_null())
        .filter(message_templates::status.eq("approved").or(pause_is_over))
        .count()
        .get_result(db)?;
    let steps = [
        (MissingStep::ConnectedNumber, !connected.is_empty()),
        (MissingStep::VerifiedWebhook, verified),
        (MissingStep::ApprovedTemplate, approved > 0),
    ];
    Ok(steps.into_iter().filter(|(_, done)| !done).map(|(step, _)| step).collect())
}

/// The connected channels of `chatbot` whose webhook was not verified, by id.
fn list_unverified(db: &mut Db, chatbot: ChatbotId) -> Result<Vec<ChannelId>, PersistenceError> {
    let ids: Vec<i64> = channels::table
        .filter(channels::chatbot_id.eq(chatbot.0))
        .filter(channels::connected.eq(true))
        .filter(channels::webhook_verified_at.is_null())
        .order(channels::id.asc())
        .select(channels::id)
        .load(db)?;
    Ok(ids.into_iter().map(ChannelId).collect())
}
