//! `janela user`: the first admin, recovery, and whoever leaves.

pub mod password;

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use domain::{
    clock::Clock,
    ids::{ChatbotId, UserId},
    permission::Role,
};
use persistence::{
    chatbot,
    db::Db,
    error::PersistenceError,
    user::{self, NewUser, UserStatus, UserWithPlaces},
};
use thiserror::Error;

use self::password::SHORTEST_PASSWORD;
use crate::{
    cli::{UserAddArgs, UserStatusArgs},
    clock::SystemClock,
    database::{self, DatabaseError},
    print::{self, PrintError},
    settings::Settings,
};

/// Tickets at once, for a new user.
const MAX_TICKETS: u32 = 5;

/// Why a user was not added, changed or listed.
#[derive(Debug, Error)]
pub enum UserError {
    /// The database is not usable.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The database fails.
    #[error(transparent)]
    Persistence(#[from] PersistenceError),
    /// The address is someone's already.
    #[error("there is a user with the address {0}")]
    Taken(String),
    /// No such user.
    #[error("there is no user with the address {0}")]
    Unknown(String),
    /// A user without a team cannot be absent from it.
    #[error("{0} belongs to no chatbot's team")]
    NoTeam(String),
    /// No such chatbot.
    #[error("there is no chatbot {0}")]
    UnknownChatbot(String),
    /// The address is none.
    #[error("{0} is no email address")]
    NotAnAddress(String),
    /// Too short.
    #[error("the password is shorter than {SHORTEST_PASSWORD} characters")]
    WeakPassword,
    /// The password cannot be read.
    #[error("the password cannot be read from {0}")]
    NoPassword(PathBuf, #[source] std::io::Error),
    /// What was typed at the second time is something else.
    #[error("the two passwords are not the same; nothing was changed")]
    Differ,
    /// Whoever was asked ended the asking.
    #[error("no password was typed; nothing was changed")]
    GivenUp,
    /// The password cannot be asked for.
    #[error("the password cannot be asked for; --password-file reads it from a file")]
    Terminal(#[from] std::io::Error),
    /// The answer cannot be printed.
    #[error(transparent)]
    Print(#[from] PrintError),
}

/// Adds a user with a role in one chatbot or in all.
///
/// # Errors
/// [`UserError`].
pub fn add(args: &UserAddArgs, settings: &Settings) -> Result<(), UserError> {
    let looks_like_an_address = args
        .email
        .split_once('@')
        .is_some_and(|(name, host)| !name.is_empty() && host.contains('.'));
    if !looks_like_an_address {
        return Err(UserError::NotAnAddress(args.email.clone()));
    }
    let hash = password::read_hashed(&args.email, args.password_file.as_deref())?;
    let store = database::open_ready(settings)?;
    let chatbots = store.blocking_read(chatbot::list_all)?;
    let chatbots = chosen(chatbots, args.chatbot.as_deref())?;
    match store.blocking_write(|db| insert(db, args, &chatbots, &hash)) {
        Err(PersistenceError::Duplicate) => return Err(UserError::Taken(args.email.clone())),
        inserted => inserted?,
    }
    store.tell_serving_process()?;
    Ok(print::line(format_args!("added {} as {}", args.email, args.role.as_str()))?)
}

/// The chatbot called `wanted`, or all of them.
fn chosen(
    chatbots: Vec<(ChatbotId, String)>,
    wanted: Option<&str>,
) -> Result<Vec<ChatbotId>, UserError> {
    let chosen: Vec<ChatbotId> = chatbots
        .into_iter()
        .filter(|(_, name)| wanted.is_none_or(|wanted| wanted == name))
        .map(|(chatbot, _)| chatbot)
        .collect();
    match wanted {
        Some(wanted) if chosen.is_empty() => Err(UserError::UnknownChatbot(wanted.to_owned())),
        Some(_) | None => Ok(chosen),
    }
}

/// The user with the role in each chatbot, or nothing.
fn insert(
    db: &mut Db,
    args: &UserAddArgs,
    chatbots: &[ChatbotId],
    hash: &str,
) -> Result<(), PersistenceError> {
    let new = NewUser {
        email: &args.email,
        name: &args.name,
        password_hash: hash,
        language: None,
        time_zone: None,
        max_tickets: MAX_TICKETS,
    };
    db.write(|db| {
        let user = user::create(db, &new, SystemClock::new().now())?;
        for chatbot in chatbots {
            user::save_role(db, user, *chatbot, args.role)?;
        }
        user::save_workspace_permissions(db, user, args.role.workspace_permissions())
    })
}

/// Disables a user: sessions and API tokens end, tickets go by the normal rules (RO-02).
///
/// # Errors
/// `Unknown` when nobody has the address.
pub fn disable(args: &UserStatusArgs, settings: &Settings) -> Result<(), UserError> {
    let released = set_status(args, settings, UserStatus::Disabled)?;
    Ok(print::line(format_args!("disabled {}; tickets left to others: {released}", args.email))?)
}

/// Lets a disabled user sign in again; tokens stay revoked.
///
/// # Errors
/// `Unknown` when nobody has the address.
pub fn enable(args: &UserStatusArgs, settings: &Settings) -> Result<(), UserError> {
    set_status(args, settings, UserStatus::Active)?;
    Ok(print::line(format_args!("enabled {}", args.email))?)
}

fn set_status(
    args: &UserStatusArgs,
    settings: &Settings,
    status: UserStatus,
) -> Result<usize, UserError> {
    let now = SystemClock::new().now();
    let store = database::open_current(settings)?;
    let found = store.blocking_write(|db| {
        let Some(known) = user::find_credentials(db, &args.email)? else { return Ok(None) };
        user::set_status(db, known.user, status, now).map(Some)
    })?;
    let released = found.ok_or_else(|| UserError::Unknown(args.email.clone()))?;
    store.tell_serving_process()?;
    Ok(released)
}

/// Marks a user absent: what waits for them alone goes by the normal rules (RO-02).
///
/// # Errors
/// `Unknown` when nobody has the address, `NoTeam` when they belong to no team.
pub fn mark_absent(args: &UserStatusArgs, settings: &Settings) -> Result<(), UserError> {
    let left = save_absence(args, settings, user::mark_absent)?;
    Ok(print::line(format_args!("{} is absent; tickets left to others: {left}", args.email))?)
}

/// Ends a user's absence.
///
/// # Errors
/// As [`mark_absent`].
pub fn mark_present(args: &UserStatusArgs, settings: &Settings) -> Result<(), UserError> {
    save_absence(args, settings, user::mark_present)?;
    Ok(print::line(format_args!("{} is present", args.email))?)
}

/// What marks a user absent or present; answers how many tickets left them, or moved.
type Mark = fn(&mut Db, UserId, DateTime<Utc>) -> Result<usize, PersistenceError>;

fn save_absence(
    args: &UserStatusArgs,
    settings: &Settings,
    mark: Mark,
) -> Result<usize, UserError> {
    let now = SystemClock::new().now();
    let store = database::open_current(settings)?;
    let known = store.blocking_read(|db| user::find_credentials(db, &args.email))?;
    let known = known.ok_or_else(|| UserError::Unknown(args.email.clone()))?;
    let moved = match store.blocking_write(|db| mark(db, known.user, now)) {
        Err(PersistenceError::NotFound) => return Err(UserError::NoTeam(args.email.clone())),
        marked => marked?,
    };
    store.tell_serving_process()?;
    Ok(moved)
}

/// Lists the users by name, with what they are and whether they are absent. Makes nothing.
///
/// # Errors
/// [`UserError`].
pub fn list(settings: &Settings, json: bool) -> Result<(), UserError> {
    let users = database::open_current(settings)?.blocking_read(user::list_with_places)?;
    if json {
        let rows: Vec<_> = users.iter().map(to_json).collect();
        return Ok(print::json(&rows)?);
    }
    for known in users {
        let absence = if known.is_absent() { "absent" } else { "present" };
        let roles: Vec<&str> = known.roles().into_iter().map(Role::as_str).collect();
        let (roles, user) = (roles.join(","), &known.user);
        let status = user.status.as_str();
        print::line(format_args!(
            "{:6} {:36} {status:10} {absence:8} {roles:16} {}",
            user.id, user.email, user.name
        ))?;
    }
    Ok(())
}

fn to_json(known: &UserWithPlaces) -> serde_json::Value {
    let places: Vec<_> = known
        .places
        .iter()
        .map(|place| {
            serde_json::json!({
                "chatbot": place.chatbot,
                "role": place.role.as_str(),
                "absent_since": place.absent_since.map(|since| since.to_rfc3339()),
            })
        })
        .collect();
    let roles: Vec<&str> = known.roles().into_iter().map(Role::as_str).collect();
    serde_json::json!({
        "id": known.user.id.to_string(),
        "email": known.user.email,
        "name": known.user.name,
        "status": known.user.status.as_str(),
        "absent": known.is_absent(),
        "roles": roles,
        "chatbots": places,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{cli::SettingsArgs, settings};

    #[test]
    fn whoever_leaves_is_disabled_by_address_and_may_come_back() {
        let folder = tempfile::tempdir().unwrap();
        let from =
            SettingsArgs { data_dir: Some(folder.path().to_owned()), ..SettingsArgs::default() };
        let settings = settings::load(&from, None, []).unwrap().settings;
        let password_file = folder.path().join("password");
        std::fs::write(&password_file, "a long enough secret\n").unwrap();
        let new = UserAddArgs {
            settings: SettingsArgs::default(),
            email: "helena@desk.example".to_owned(),
            name: "Helena".to_owned(),
            role: Role::Admin,
            chatbot: None,
            password_file: Some(password_file),
        };
        let misnamed = UserAddArgs { chatbot: Some("Typo".to_owned()), ..new.clone() };
        assert!(matches!(add(&misnamed, &settings), Err(UserError::UnknownChatbot(_))));
        add(&new, &settings).expect("nothing was left behind by the mistake");
        assert!(matches!(add(&new, &settings), Err(UserError::Taken(_))));
        let of = |email: &str| UserStatusArgs {
            settings: SettingsArgs::default(),
            email: email.to_owned(),
        };
        let status = || {
            let store = database::open_ready(&settings).unwrap();
            store.blocking_read(user::list).unwrap()[0].status
        };
        assert_eq!(status(), UserStatus::Active);
        disable(&of("Helena@desk.example"), &settings).unwrap();
        assert_eq!(status(), UserStatus::Disabled);
        enable(&of("helena@desk.example"), &settings).unwrap();
        assert_eq!(status(), UserStatus::Active);
        let nobody = disable(&of("nobody@desk.example"), &settings);
        assert!(matches!(nobody, Err(UserError::Unknown(email)) if email.starts_with("nobody")));
    }
}
