//! Chatbots and their general settings, the switch of active messages and the cap among them.

mod general;
mod quiet_hours;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    contact_cap::CapScope,
    ids::{ChatbotId, UserId},
    permission::Permission,
    quiet_hours::WeeklyFrames,
    routing::Distribution,
};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    live::{self, LiveEvent, LiveKind},
    schema::chatbots,
    user::Actor,
};

pub use general::{
    GeneralSettings, MissingStep, SettingsRight, get_general_settings, list_missing_steps,
};
pub(crate) use quiet_hours::quiet_hours_for;
pub use quiet_hours::{find_quiet_hours, save_quiet_hours};

/// A chatbot with its general settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chatbot {
    /// Its id.
    pub id: ChatbotId,
    /// As shown.
    pub name: String,
    /// The IANA zone of its business hours.
    pub time_zone: String,
    /// What *General settings* shows.
    pub settings: Settings,
    /// When these were last saved, and by whom; `None` as long as they are the defaults.
    pub changed: Option<(DateTime<Utc>, UserId)>,
}

/// What *General settings* changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The switch *Active messages* (AM-14).
    pub active_messages_enabled: bool,
    /// The switch *Limit the total number of active messages per customer* (AD-08).
    pub cap_enabled: bool,
    /// X: checked by [`parse_cap_sends`](domain::contact_cap::parse_cap_sends) (AD-05).
    pub cap_sends: u32,
    /// Whose sends count together (AD-06).
    pub cap_scope: CapScope,
    /// Replies go straight into *In progress* (RO-01).
    pub direct_transfer: bool,
    /// How one of a queue's agents is chosen (RO-04).
    pub distribution: Distribution,
    /// After how many minutes a ticket that waits for one agent alone is released to the normal rules;
    /// `None` is never, as is usual (RO-02).
    pub release_after_minutes: Option<u32>,
    /// There is no outside of business hours (OH-01).
    pub all_day_service: bool,
    /// Contacts are written to in [`find_quiet_hours`]'s frames only (AD-10).
    pub quiet_hours_enabled: bool,
    /// Below this many minutes a session is at risk (SW-03).
    pub risk_alert_minutes: u32,
    /// Customers are told when their messages were read, and that someone types.
    pub read_marks: bool,
}

impl Default for Settings {
    /// A new chatbot's (DE-01).
    fn default() -> Self {
        Self {
            active_messages_enabled: false,
            cap_enabled: false,
            cap_sends: 3,
            cap_scope: CapScope::EachAgent,
            direct_transfer: true,
            distribution: Distribution::default(),
            release_after_minutes: None,
            all_day_service: false,
            quiet_hours_enabled: false,
            risk_alert_minutes: 120,
            read_marks: true,
        }
    }
}

/// What became of saving the settings.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum SaveOutcome {
    /// They hold from now on.
    Saved,
    /// Active messages cannot be switched on yet, for these reasons; nothing was saved.
    NotReady(Vec<MissingStep>),
    /// Someone saved them since they were looked at; nothing was saved.
    ChangedMeanwhile,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = chatbots)]
struct ChatbotRow {
    id: i64,
    name: String,
    time_zone: String,
    active_messages_enabled: bool,
    cap_enabled: bool,
    cap_sends: i64,
    cap_scope: String,
    direct_transfer: bool,
    distribution: String,
    release_after_minutes: Option<i64>,
    all_day_service: bool,
    quiet_hours_enabled: bool,
    risk_alert_minutes: i64,
    read_marks: bool,
    settings_changed_at: Option<Instant>,
    settings_changed_by: Option<i64>,
}

impl TryFrom<ChatbotRow> for Chatbot {
    type Error = PersistenceError;

    fn try_from(row: ChatbotRow) -> Result<Self, PersistenceError> {
        let count = |column, value: i64| {
            u32::try_from(value)
                .map_err(|_| PersistenceError::unreadable("chatbots", column, value.to_string()))
        };
        let settings = Settings {
            active_messages_enabled: row.active_messages_enabled,
            cap_enabled: row.cap_enabled,
            cap_sends: count("cap_sends", row.cap_sends)?,
            cap_scope: parse_scope(&row.cap_scope)?,
            direct_transfer: row.direct_transfer,
            distribution: parse_distribution(&row.distribution)?,
            release_after_minutes: row
                .release_after_minutes
                .map(|minutes| count("release_after_minutes", minutes))
                .transpose()?,
            all_day_service: row.all_day_service,
            quiet_hours_enabled: row.quiet_hours_enabled,
            risk_alert_minutes: count("risk_alert_minutes", row.risk_alert_minutes)?,
            read_marks: row.read_marks,
        };
        let changed = row.settings_changed_at.zip(row.settings_changed_by);
        Ok(Self {
            id: ChatbotId(row.id),
            name: row.name,
            time_zone: row.time_zone,
            settings,
            changed: changed.map(|(at, by)| (at.into(), UserId(by))),
        })
    }
}

/// Reads the stored scope of the cap.
pub(crate) fn parse_scope(word: &str) -> Result<CapScope, PersistenceError> {
    CapScope::parse(word).ok_or_else(|| PersistenceError::unreadable("chatbots", "cap_scope", word))
}

/// Reads the stored way in which an agent is chosen.
pub(crate) fn parse_distribution(word: &str) -> Result<Distribution, PersistenceError> {
    Distribution::parse(word)
        .ok_or_else(|| PersistenceError::unreadable("chatbots", "distribution", word))
}

/// Makes a chatbot with the defaults of DE-01.
///
/// # Errors
/// When the database fails.
pub fn create(
    db: &mut Db,
    name: &str,
    time_zone: &str,
    now: DateTime<Utc>,
) -> Result<ChatbotId, PersistenceError> {
    let settings = Settings::default();
    db.write(|db| {
        let id: i64 = diesel::insert_into(chatbots::table)
            .values((
                chatbots::name.eq(name),
                chatbots::time_zone.eq(time_zone),
                setting_columns(&settings),
                chatbots::created_at.eq(Instant::from(now)),
            ))
            .returning(chatbots::id)
            .get_result(db)?;
        let id = ChatbotId(id);
        quiet_hours::save_frames(db, id, &WeeklyFrames::every_day_eight_to_nine())?;
        Ok(id)
    })
}

/// `chatbot`, for anyone of its team.
///
/// # Errors
/// `NotFound` for who is not of its team.
pub fn get(db: &mut Db, actor: &Actor, chatbot: ChatbotId) -> Result<Chatbot, PersistenceError> {
    if !actor.is_in_team(chatbot) {
        return Err(PersistenceError::NotFound);
    }
    chatbots::table.find(chatbot.0).select(ChatbotRow::as_select()).first(db)?.try_into()
}

/// The chatbots of `actor`, by name then id.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db, actor: &Actor) -> Result<Vec<Chatbot>, PersistenceError> {
    let rows: Vec<ChatbotRow> = chatbots::table
        .filter(chatbots::id.eq_any(actor.chatbot_ids()))
        .order((chatbots::name.asc(), chatbots::id.asc()))
        .select(ChatbotRow::as_select())
        .load(db)?;
    rows.into_iter().map(Chatbot::try_from).collect()
}

/// Every chatbot of the workspace with its name, by name; for commands, which have no actor.
///
/// # Errors
/// When the database fails.
pub fn list_all(db: &mut Db) -> Result<Vec<(ChatbotId, String)>, PersistenceError> {
    let rows: Vec<(i64, String)> = chatbots::table
        .order((chatbots::name.asc(), chatbots::id.asc()))
        .select((chatbots::id, chatbots::name))
        .load(db)?;
    Ok(rows.into_iter().map(|(id, name)| (ChatbotId(id), name)).collect())
}

/// Saves the general settings of `chatbot` for `actor` (AD-08).
///
/// Switching active messages on asks for what AM-14 names; leaving them on does not ask again.
///
/// # Errors
/// `NotFound` outside the team, `Denied` without *edit general settings*.
pub fn save_settings(
    db: &mut Db,
    actor: &Actor,
    chatbot: ChatbotId,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<SaveOutcome, PersistenceError> {
    actor.require(chatbot, Permission::EditGeneralSettings)?;
    db.write(|db| {
        let kept = lock(db, chatbot)?;
        store(db, actor, &kept, settings, now)
    })
}

/// Changes some of the general settings of `chatbot` for `actor`; the others stay as they are (AD-08).
///
/// `seen` is when they had been saved last as `actor` looked at them, `None` for never: whoever saved
/// since then is not overruled unseen. Otherwise as [`save_settings`].
///
/// # Errors
/// `NotFound` outside the team, `Denied` without *edit general settings*.
pub fn change_settings(
    db: &mut Db,
    actor: &Actor,
    chatbot: ChatbotId,
    seen: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    change: impl FnOnce(&mut Settings),
) -> Result<SaveOutcome, PersistenceError> {
    actor.require(chatbot, Permission::EditGeneralSettings)?;
    db.write(|db| {
        let kept = lock(db, chatbot)?;
        if kept.changed.map(|(at, _)| at) != seen {
            return Ok(SaveOutcome::ChangedMeanwhile);
        }
        let mut settings = kept.settings.clone();
        change(&mut settings);
        store(db, actor, &kept, &settings, now)
    })
}

/// Takes the row's lock, so that two who save at once are one after the other.
fn lock(db: &mut Db, chatbot: ChatbotId) -> Result<Chatbot, PersistenceError> {
    let row: ChatbotRow = on_either!(db => diesel::update(chatbots::table.find(chatbot.0))
        .set(chatbots::name.eq(chatbots::name))
        .returning(ChatbotRow::as_returning())
        .get_result(db))?;
    row.try_into()
}

/// Replaces the settings of `kept`, whose row is locked.
fn store(
    db: &mut Db,
    actor: &Actor,
    kept: &Chatbot,
    settings: &Settings,
    now: DateTime<Utc>,
) -> Result<SaveOutcome, PersistenceError> {
    if settings.active_messages_enabled && !kept.settings.active_messages_enabled {
        let missing = list_missing_steps(db, kept.id, now)?;
        if !missing.is_empty() {
            return Ok(SaveOutcome::NotReady(missing));
        }
    }
    diesel::update(chatbots::table.find(kept.id.0))
        .set((
            setting_columns(settings),
            chatbots::settings_changed_at.eq(Some(Instant::from(now))),
            chatbots::settings_changed_by.eq(Some(actor.id().0)),
        ))
        .execute(db)?;
    note_change(db, kept.id);
    Ok(SaveOutcome::Saved)
}

fn note_change(db: &mut Db, chatbot: ChatbotId) {
    let event =
        LiveEvent { chatbot: Some(chatbot), ..LiveEvent::of_all(LiveKind::Settings, chatbot.0) };
    live::note(db, event);
}

type SettingColumns = (
    diesel::dsl::Eq<chatbots::active_messages_enabled, bool>,
    diesel::dsl::Eq<chatbots::cap_enabled, bool>,
    diesel::dsl::Eq<chatbots::cap_sends, i64>,
    diesel::dsl::Eq<chatbots::cap_scope, &'static str>,
    diesel::dsl::Eq<chatbots::direct_transfer, bool>,
    diesel::dsl::Eq<chatbots::distribution, &'static str>,
    diesel::dsl::Eq<chatbots::release_after_minutes, Option<i64>>,
    diesel::dsl::Eq<chatbots::all_day_service, bool>,
    diesel::dsl::Eq<chatbots::quiet_hours_enabled, bool>,
    diesel::dsl::Eq<chatbots::risk_alert_minutes, i64>,
    diesel::dsl::Eq<chatbots::read_marks, bool>,
);

fn setting_columns(settings: &Settings) -> SettingColumns {
    (
        chatbots::active_messages_enabled.eq(settings.active_messages_enabled),
        chatbots::cap_enabled.eq(settings.cap_enabled),
        chatbots::cap_sends.eq(i64::from(settings.cap_sends)),
        chatbots::cap_scope.eq(settings.cap_scope.as_str()),
        chatbots::direct_transfer.eq(settings.direct_transfer),
        chatbots::distribution.eq(settings.distribution.as_str()),
        chatbots::release_after_minutes.eq(settings.release_after_minutes.map(i64::from)),
        chatbots::all_day_service.eq(settings.all_day_service),
        chatbots::quiet_hours_enabled.eq(settings.quiet_hours_enabled),
        chatbots::risk_alert_minutes.eq(i64::from(settings.risk_alert_minutes)),
        chatbots::read_marks.eq(settings.read_marks),
    )
}

#[cfg(test)]
mod tests {
    use domain::clock::Clock;

    use super::*;
    use crate::{channel, given::Desk, test_support::on_both};

    #[test]
    fn am_14_active_messages_turn_on_only_when_everything_is_there() {
        on_both(|store| {
            let desk = Desk::given(store);
            let now = desk.clock.now();
            let on = Settings { active_messages_enabled: true, ..Settings::default() };
            let save = |settings: &Settings| {
                store
                    .blocking_write(|db| save_settings(db, &desk.ana, desk.chatbot, settings, now))
                    .unwrap()
            };
            let chatbot = || store.blocking_read(|db| get(db, &desk.ana, desk.chatbot)).unwrap();
            assert_eq!(save(&Settings::default()), SaveOutcome::Saved);
            let not_ready = SaveOutcome::NotReady(vec![MissingStep::VerifiedWebhook]);
            assert_eq!(save(&on), not_ready);
            assert!(!chatbot().settings.active_messages_enabled);
            store.blocking_write(|db| channel::set_connected(db, desk.channel, false)).unwrap();
            let missing = store.blocking_read(|db| list_missing_steps(db, desk.chatbot, now));
            let everything = [
                MissingStep::ConnectedNumber,
                MissingStep::VerifiedWebhook,
                MissingStep::ApprovedTemplate,
            ];
            assert_eq!(missing.unwrap(), everything);
            store
                .blocking_write(|db| {
                    channel::set_connected(db, desk.channel, true)?;
                    channel::mark_webhook_verified(db, desk.channel, now)
                })
                .unwrap();
            assert_eq!(save(&on), SaveOutcome::Saved);
            assert_eq!(chatbot().settings, on);
            assert_eq!(chatbot().changed, Some((now, desk.ana.id())));
        });
    }

    #[test]
    fn ad_08_only_who_may_edit_general_settings_changes_them() {
        on_both(|store| {
            let desk = Desk::given(store);
            let (ana, now) = (desk.ana.id(), desk.clock.now());
            let role = domain::permission::Role::Agent;
            store.blocking_write(|db| crate::user::save_role(db, ana, desk.chatbot, role)).unwrap();
            let agent = desk.actor(ana);
            let settings = Settings::default();
            let refused =
                store.blocking_write(|db| save_settings(db, &agent, desk.chatbot, &settings, now));
            assert!(matches!(refused, Err(PersistenceError::Denied)), "{refused:?}");
            let refused =
                store.blocking_read(|db| get_general_settings(db, &agent, desk.chatbot, now));
            assert!(matches!(refused, Err(PersistenceError::Denied)), "{refused:?}");
            let role = domain::permission::Role::Manager;
            store.blocking_write(|db| crate::user::save_role(db, ana, desk.chatbot, role)).unwrap();
            let manager = desk.actor(ana);
            let refused = store
                .blocking_write(|db| save_settings(db, &manager, desk.chatbot, &settings, now));
            assert!(matches!(refused, Err(PersistenceError::Denied)), "{refused:?}");
            desk.another_agent("zoe");
            let bruno = desk.another_agent("bruno");
            let look = || {
                store
                    .blocking_read(|db| get_general_settings(db, &manager, desk.chatbot, now))
                    .unwrap()
            };
            assert_eq!(look().right, SettingsRight::Look(vec!["bruno".into(), "zoe".into()]));
            assert_eq!(look().unverified, [desk.channel]);
            let disabled = crate::user::UserStatus::Disabled;
            store
                .blocking_write(|db| {
                    diesel::update(crate::schema::users::table.find(bruno.id().0))
                        .set(crate::schema::users::status.eq(disabled.as_str()))
                        .execute(db)?;
                    channel::mark_webhook_verified(db, desk.channel, now)
                })
                .unwrap();
            assert_eq!(look().right, SettingsRight::Look(vec!["zoe".into()]));
            assert_eq!(look().unverified, []);
            let stranger = Actor::without_teams(agent.user);
            let refused =
                store.blocking_read(|db| get_general_settings(db, &stranger, desk.chatbot, now));
            assert!(matches!(refused, Err(PersistenceError::NotFound)), "{refused:?}");
            let refused = store
                .blocking_write(|db| save_settings(db, &stranger, desk.chatbot, &settings, now));
            assert!(matches!(refused, Err(PersistenceError::NotFound)), "{refused:?}");
        });
    }

    #[test]
    fn ad_08_a_change_leaves_the_other_settings_and_says_who_made_it() {
        on_both(|store| {
            let desk = Desk::given(store);
            let now = desk.clock.now();
            let read = || {
                store
                    .blocking_read(|db| get_general_settings(db, &desk.ana, desk.chatbot, now))
                    .unwrap()
            };
            let before = read();
            assert_eq!((before.changed_by, before.chatbot.changed), (None, None));
            assert_eq!(before.missing, [MissingStep::VerifiedWebhook]);
            let change = |seen, cap_sends| {
                let change = |kept: &mut Settings| kept.cap_sends = cap_sends;
                store
                    .blocking_write(|db| {
                        change_settings(db, &desk.ana, desk.chatbot, seen, now, change)
                    })
                    .unwrap()
            };
            assert_eq!(change(None, 7), SaveOutcome::Saved);
            let after = read();
            let expected = Settings { cap_sends: 7, ..before.chatbot.settings };
            assert_eq!(after.chatbot.settings, expected);
            assert_eq!(after.chatbot.changed, Some((now, desk.ana.id())));
            assert_eq!(after.changed_by.as_deref(), Some("ana"));
            let too_late = change(None, 9);
            assert_eq!(too_late, SaveOutcome::ChangedMeanwhile, "who saved since is not overruled");
            assert_eq!(read().chatbot.settings, after.chatbot.settings);
            assert_eq!(change(Some(now), 9), SaveOutcome::Saved);
        });
    }
}
