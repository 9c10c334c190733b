//! Users: who signs in, what they may do, and the actor every use case is asked by.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::{
    ids::{ApiTokenId, ChatbotId, UserId},
    permission::{Permission, Role, WorkspacePermission},
};

use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    instant::Instant,
    schema::{
        api_tokens, membership_permissions, memberships, sessions, users, workspace_permissions,
    },
};

/// Whether a user may sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserStatus {
    /// May sign in.
    Active,
    /// May not; sessions and tokens are dead.
    Disabled,
}

impl UserStatus {
    /// The word it is stored by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Disabled => "disabled",
        }
    }

    fn parse(word: &str) -> Result<Self, PersistenceError> {
        match word {
            "active" => Ok(Self::Active),
            "disabled" => Ok(Self::Disabled),
            other => Err(PersistenceError::unreadable("users", "status", other)),
        }
    }
}

/// Someone who signs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// Lower case.
    pub email: String,
    /// As shown.
    pub name: String,
    /// The language of pages; `None`: the workspace's.
    pub language: Option<String>,
    /// The IANA zone of pages; `None`: the workspace's.
    pub time_zone: Option<String>,
    /// Whether they may sign in.
    pub status: UserStatus,
    /// Most tickets at once by the normal rules (RO-04).
    pub max_tickets: u32,
}

/// Someone new.
#[derive(Debug, Clone)]
pub struct NewUser<'a> {
    /// Compared without case.
    pub email: &'a str,
    /// As shown.
    pub name: &'a str,
    /// Made by [`password::hash`](crate::password::hash).
    pub password_hash: &'a str,
    /// `None`: the workspace's.
    pub language: Option<&'a str>,
    /// `None`: the workspace's.
    pub time_zone: Option<&'a str>,
    /// Most tickets at once by the normal rules.
    pub max_tickets: u32,
}

/// What a sign-in is checked against.
pub struct Credentials {
    /// Whose they are.
    pub user: UserId,
    /// For [`password::verify`](crate::password::verify).
    pub password_hash: String,
    /// A disabled user's password is checked all the same, and then refused.
    pub status: UserStatus,
}

/// Who asks, with what they may do; loaded once per request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The user, or the one the token belongs to.
    pub user: User,
    /// The token, when the API is used.
    pub token: Option<ApiTokenId>,
    workspace: BTreeSet<WorkspacePermission>,
    teams: BTreeMap<ChatbotId, Team>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Team {
    role: Role,
    permissions: BTreeSet<Permission>,
}

impl Actor {
    /// Their user id.
    #[must_use]
    pub fn id(&self) -> UserId {
        self.user.id
    }

    /// Whether they belong to the team of `chatbot`.
    #[must_use]
    pub fn is_in_team(&self, chatbot: ChatbotId) -> bool {
        self.teams.contains_key(&chatbot)
    }

    /// Whether they may do `permission` in `chatbot`.
    #[must_use]
    pub fn may(&self, chatbot: ChatbotId, permission: Permission) -> bool {
        self.teams.get(&chatbot).is_some_and(|team| team.permissions.contains(&permission))
    }

    /// Whether they may do `permission` in the whole workspace.
    #[must_use]
    pub fn may_in_workspace(&self, permission: WorkspacePermission) -> bool {
        self.workspace.contains(&permission)
    }

    /// Passes who may do `permission` in `chatbot`.
    ///
    /// # Errors
    /// `NotFound` outside the team, who may not know of it; `Denied` inside without the permission.
    pub fn require(
        &self,
        chatbot: ChatbotId,
        permission: Permission,
    ) -> Result<(), PersistenceError> {
        match self.teams.get(&chatbot) {
            None => Err(PersistenceError::NotFound),
            Some(team) if team.permissions.contains(&permission) => Ok(()),
            Some(_) => Err(PersistenceError::Denied),
        }
    }

    /// Passes who may do `permission` in the whole workspace.
    ///
    /// # Errors
    /// `Denied` without it.
    pub fn require_in_workspace(
        &self,
        permission: WorkspacePermission,
    ) -> Result<(), PersistenceError> {
        if self.may_in_workspace(permission) { Ok(()) } else { Err(PersistenceError::Denied) }
    }

    /// The chatbots they belong to, by id.
    #[must_use]
    pub fn chatbots(&self) -> Vec<ChatbotId> {
        self.teams.keys().copied().collect()
    }

    /// The chatbots in which they may do `permission`, by id.
    #[must_use]
    pub fn chatbots_where(&self, permission: Permission) -> Vec<ChatbotId> {
        self.chatbots().into_iter().filter(|chatbot| self.may(*chatbot, permission)).collect()
    }

    /// The role in `chatbot`; `None` outside its team.
    #[must_use]
    pub fn role_in(&self, chatbot: ChatbotId) -> Option<Role> {
        self.teams.get(&chatbot).map(|team| team.role)
    }

    /// Whether any page of the portal is open to them.
    #[must_use]
    pub fn opens_portal(&self) -> bool {
        let mut held = self.teams.values().flat_map(|team| &team.permissions);
        !self.workspace.is_empty() || held.any(|permission| permission.opens_portal())
    }

    /// Whether they serve or send, so that the desk is theirs.
    #[must_use]
    pub fn opens_desk(&self) -> bool {
        let mut held = self.teams.values().flat_map(|team| &team.permissions);
        held.any(|permission| !permission.opens_portal())
    }

    /// Whether they hold rights over the whole workspace; their sessions end sooner.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        !self.workspace.is_empty()
    }

    /// The ids of their chatbots, for queries.
    pub(crate) fn chatbot_ids(&self) -> Vec<i64> {
        self.teams.keys().map(|id| id.0).collect()
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRow {
    id: i64,
    email: String,
    name: String,
    language: Option<String>,
    time_zone: Option<String>,
    status: String,
    max_tickets: i64,
}

impl TryFrom<UserRow> for User {
    type Error = PersistenceError;

    fn try_from(row: UserRow) -> Result<Self, PersistenceError> {
        Ok(Self {
            id: UserId(row.id),
            email: row.email,
            name: row.name,
            language: row.language,
            time_zone: row.time_zone,
            status: UserStatus::parse(&row.status)?,
            max_tickets: u32::try_from(row.max_tickets).map_err(|_| {
                PersistenceError::unreadable("users", "max_tickets", row.max_tickets.to_string())
            })?,
        })
    }
}

/// Makes a user without any permission.
///
/// # Errors
/// `Duplicate` when the email address is taken.
pub fn create(
    db: &mut Db,
    user: &NewUser<'_>,
    now: DateTime<Utc>,
) -> Result<UserId, PersistenceError> {
    let id: i64 = diesel::insert_into(users::table)
        .values((
            users::email.eq(folded_email(user.email)),
            users::name.eq(user.name),
            users::password_hash.eq(user.password_hash),
            users::language.eq(user.language),
            users::time_zone.eq(user.time_zone),
            users::status.eq(UserStatus::Active.as_str()),
            users::max_tickets.eq(i64::from(user.max_tickets)),
            users::created_at.eq(Instant::from(now)),
        ))
        .returning(users::id)
        .get_result(db)?;
    Ok(UserId(id))
}

/// What a sign-in as `email` is checked against; `None` when there is no such user.
///
/// # Errors
/// When the database fails.
pub fn find_credentials(db: &mut Db, email: &str) -> Result<Option<Credentials>, PersistenceError> {
    let row: Option<(i64, String, String)> = users::table
        .filter(users::email.eq(folded_email(email)))
        .select((users::id, users::password_hash, users::status))
        .first(db)
        .optional()?;
    let Some((id, password_hash, status)) = row else { return Ok(None) };
    let status = UserStatus::parse(&status)?;
    Ok(Some(Credentials { user: UserId(id), password_hash, status }))
}

/// `user` with what they may do; `None` when there is no such user, or it is disabled.
///
/// # Errors
/// When the database fails.
pub fn find_actor(db: &mut Db, user: UserId) -> Result<Option<Actor>, PersistenceError> {
    let row: Option<UserRow> =
        users::table.find(user.0).select(UserRow::as_select()).first(db).optional()?;
    let Some(row) = row else { return Ok(None) };
    let user = User::try_from(row)?;
    if user.status != UserStatus::Active {
        return Ok(None);
    }
    let workspace = find_workspace_permissions(db, user.id)?;
    let teams = find_teams(db, user.id)?;
    Ok(Some(Actor { user, token: None, workspace, teams }))
}

fn find_workspace_permissions(
    db: &mut Db,
    user: UserId,
) -> Result<BTreeSet<WorkspacePermission>, PersistenceError> {
    let words: Vec<String> = workspace_permissions::table
        .filter(workspace_permissions::user_id.eq(user.0))
        .select(workspace_permissions::permission)
        .load(db)?;
    let parse = |word: String| {
        WorkspacePermission::parse(&word).ok_or_else(|| {
            PersistenceError::unreadable("workspace_permissions", "permission", word)
        })
    };
    words.into_iter().map(parse).collect()
}

fn find_teams(db: &mut Db, user: UserId) -> Result<BTreeMap<ChatbotId, Team>, PersistenceError> {
    let rows: Vec<(i64, String, Option<String>)> = memberships::table
        .left_join(membership_permissions::table)
        .filter(memberships::user_id.eq(user.0))
        .select((
            memberships::chatbot_id,
            memberships::role,
            membership_permissions::permission.nullable(),
        ))
        .load(db)?;
    let mut teams = BTreeMap::new();
    for (chatbot, role, permission) in rows {
        let role = Role::parse(&role)
            .ok_or_else(|| PersistenceError::unreadable("memberships", "role", role))?;
        let team = teams
            .entry(ChatbotId(chatbot))
            .or_insert_with(|| Team { role, permissions: BTreeSet::new() });
        if let Some(word) = permission {
            team.permissions.insert(Permission::parse(&word).ok_or_else(|| {
                PersistenceError::unreadable("membership_permissions", "permission", word)
            })?);
        }
    }
    Ok(teams)
}

/// Puts `user` into the team of `chatbot` with exactly the permissions of `role`.
///
/// # Errors
/// When the database fails.
pub fn save_role(
    db: &mut Db,
    user: UserId,
    chatbot: ChatbotId,
    role: Role,
) -> Result<(), PersistenceError> {
    save_membership(db, user, chatbot, role, role.permissions())
}

/// Puts `user` into the team of `chatbot`, shown as `role`, with exactly `permissions`.
///
/// # Errors
/// When the database fails.
pub fn save_membership(
    db: &mut Db,
    user: UserId,
    chatbot: ChatbotId,
    role: Role,
    permissions: &[Permission],
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let row = (
            memberships::user_id.eq(user.0),
            memberships::chatbot_id.eq(chatbot.0),
            memberships::role.eq(role.as_str()),
        );
        let id: i64 = on_either!(db => diesel::insert_into(memberships::table)
            .values(row)
            .on_conflict((memberships::user_id, memberships::chatbot_id))
            .do_update()
            .set(memberships::role.eq(role.as_str()))
            .returning(memberships::id)
            .get_result(db))?;
        diesel::delete(
            membership_permissions::table.filter(membership_permissions::membership_id.eq(id)),
        )
        .execute(db)?;
        let held: BTreeSet<Permission> = permissions.iter().copied().collect();
        for permission in held {
            diesel::insert_into(membership_permissions::table)
                .values((
                    membership_permissions::membership_id.eq(id),
                    membership_permissions::permission.eq(permission.as_str()),
                ))
                .execute(db)?;
        }
        Ok(())
    })
}

/// Gives `user` exactly these rights over the whole workspace.
///
/// # Errors
/// When the database fails.
pub fn save_workspace_permissions(
    db: &mut Db,
    user: UserId,
    permissions: &[WorkspacePermission],
) -> Result<(), PersistenceError> {
    db.write(|db| {
        diesel::delete(
            workspace_permissions::table.filter(workspace_permissions::user_id.eq(user.0)),
        )
        .execute(db)?;
        let held: BTreeSet<WorkspacePermission> = permissions.iter().copied().collect();
        for permission in held {
            diesel::insert_into(workspace_permissions::table)
                .values((
                    workspace_permissions::user_id.eq(user.0),
                    workspace_permissions::permission.eq(permission.as_str()),
                ))
                .execute(db)?;
        }
        Ok(())
    })
}

/// Sets a new password and ends every session of `user`.
///
/// # Errors
/// `NotFound` when there is no such user.
pub fn set_password(
    db: &mut Db,
    user: UserId,
    password_hash: &str,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let changed = diesel::update(users::table.find(user.0))
            .set(users::password_hash.eq(password_hash))
            .execute(db)?;
        if changed == 0 {
            return Err(PersistenceError::NotFound);
        }
        diesel::delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(db)?;
        Ok(())
    })
}

/// Lets `user` sign in, or not; a disabled user's sessions end and tokens are revoked.
///
/// # Errors
/// `NotFound` when there is no such user.
pub fn set_status(
    db: &mut Db,
    user: UserId,
    status: UserStatus,
    now: DateTime<Utc>,
) -> Result<(), PersistenceError> {
    db.write(|db| {
        let changed = diesel::update(users::table.find(user.0))
            .set(users::status.eq(status.as_str()))
            .execute(db)?;
        if changed == 0 {
            return Err(PersistenceError::NotFound);
        }
        if status == UserStatus::Disabled {
            diesel::delete(sessions::table.filter(sessions::user_id.eq(user.0))).execute(db)?;
            let open = api_tokens::table
                .filter(api_tokens::user_id.eq(user.0))
                .filter(api_tokens::revoked_at.is_null());
            diesel::update(open)
                .set(api_tokens::revoked_at.eq(Some(Instant::from(now))))
                .execute(db)?;
        }
        Ok(())
    })
}

/// Sets the language and the IANA zone of a user's pages; `None`: the workspace's.
///
/// # Errors
/// When the database fails.
pub fn set_preferences(
    db: &mut Db,
    user: UserId,
    language: Option<&str>,
    time_zone: Option<&str>,
) -> Result<(), PersistenceError> {
    diesel::update(users::table.find(user.0))
        .set((users::language.eq(language), users::time_zone.eq(time_zone)))
        .execute(db)?;
    Ok(())
}

/// Every user, by name then id.
///
/// # Errors
/// When the database fails.
pub fn list(db: &mut Db) -> Result<Vec<User>, PersistenceError> {
    let rows: Vec<UserRow> = users::table
        .order((users::name.asc(), users::id.asc()))
        .select(UserRow::as_select())
        .load(db)?;
    rows.into_iter().map(User::try_from).collect()
}

/// The team of `chatbot` with the role of each, by name then id.
///
/// # Errors
/// When the database fails.
pub fn list_team(db: &mut Db, chatbot: ChatbotId) -> Result<Vec<(User, Role)>, PersistenceError> {
    let rows: Vec<(UserRow, String)> = users::table
        .inner_join(memberships::table)
        .filter(memberships::chatbot_id.eq(chatbot.0))
        .order((users::name.asc(), users::id.asc()))
        .select((UserRow::as_select(), memberships::role))
        .load(db)?;
    let parse = |(row, role): (UserRow, String)| {
        let role = Role::parse(&role)
            .ok_or_else(|| PersistenceError::unreadable("memberships", "role", role))?;
        Ok((User::try_from(row)?, role))
    };
    rows.into_iter().map(parse).collect()
}

fn folded_email(email: &str) -> String {
    email.trim().to_lowercase()
}

#[cfg(test)]
impl Actor {
    /// Someone who belongs to no team.
    pub(crate) fn without_teams(user: User) -> Self {
        Self { user, token: None, workspace: BTreeSet::new(), teams: BTreeMap::new() }
    }
}
