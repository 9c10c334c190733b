//! What rows of a conversation share: names of agents, session windows, and what was typed to search.

use std::{collections::BTreeMap, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use domain::{
    channel::ChannelKind,
    fold::fold,
    ids::{ContactId, UserId},
    phone::PhoneNumber,
    policy::Policy,
    session_window::{SessionState, session_state},
};

use crate::{
    contact,
    db::Db,
    error::PersistenceError,
    policy,
    schema::{numbers, policies, users},
    user::Actor,
};

/// The names of `users`; someone unknown is left out.
pub(super) fn names(
    db: &mut Db,
    mut ids: Vec<i64>,
) -> Result<BTreeMap<UserId, String>, PersistenceError> {
    ids.sort_unstable();
    ids.dedup();
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<(i64, String)> =
        users::table.filter(users::id.eq_any(ids)).select((users::id, users::name)).load(db)?;
    Ok(rows.into_iter().map(|(id, name)| (UserId(id), name)).collect())
}

/// The policies of channels, by channel; those without a number are under the default.
pub(super) struct Policies(BTreeMap<i64, Arc<Policy>>, Policy);

impl Policies {
    pub(super) fn of(db: &mut Db, mut channels: Vec<i64>) -> Result<Self, PersistenceError> {
        channels.sort_unstable();
        channels.dedup();
        let rows: Vec<(i64, String)> = numbers::table
            .inner_join(policies::table)
            .filter(numbers::channel_id.eq_any(channels))
            .select((numbers::channel_id, policies::body))
            .load(db)?;
        let mut known = BTreeMap::new();
        for (channel, body) in rows {
            known.insert(channel, policy::read_body(&body)?);
        }
        Ok(Self(known, Policy::default_profile()))
    }

    pub(super) fn get(&self, channel: i64) -> &Policy {
        self.0.get(&channel).map_or(&self.1, Arc::as_ref)
    }

    /// How the window of a contact who last wrote at `last_inbound_at` stands.
    pub(super) fn session(
        &self,
        channel: i64,
        kind: ChannelKind,
        last_inbound_at: Option<DateTime<Utc>>,
        risk_alert_minutes: u32,
        now: DateTime<Utc>,
    ) -> SessionState {
        let closing_soon = TimeDelta::minutes(i64::from(risk_alert_minutes));
        session_state(self.get(channel).session_window(kind), last_inbound_at, closing_soon, now)
    }
}

/// A number as stored.
pub(super) fn read_phone(phone: Option<String>) -> Result<Option<PhoneNumber>, PersistenceError> {
    let read = |phone: String| {
        PhoneNumber::from_e164(&phone)
            .map_err(|_| PersistenceError::unreadable("contacts", "phone", "no E.164 number"))
    };
    phone.map(read).transpose()
}

/// The most contacts a search in the list looks through.
const MOST_CONTACTS: i64 = 500;

/// What someone typed into the search of the list (UI: name, number or text).
pub(super) struct Search {
    /// Contacts whose name or number begins so.
    pub(super) contacts: Vec<i64>,
    /// What a message's folded text must hold.
    pub(super) folded: String,
    /// As typed, without outer spaces.
    pub(super) typed: String,
}

impl Search {
    /// `None` when nothing was typed.
    pub(super) fn of(
        db: &mut Db,
        actor: &Actor,
        typed: &str,
    ) -> Result<Option<Self>, PersistenceError> {
        let typed = typed.trim();
        if typed.is_empty() {
            return Ok(None);
        }
        let found = contact::search(db, actor, None, typed, MOST_CONTACTS)?;
        let contacts =
            found.into_iter().map(|contact| contact.id).map(|ContactId(id)| id).collect();
        Ok(Some(Self { contacts, folded: fold(typed), typed: typed.to_owned() }))
    }

    /// What a message's folded text must be like.
    pub(super) fn pattern(&self) -> String {
        let escaped = self.folded.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        format!("%{escaped}%")
    }
}
