//! The actor: a user with what they may do, loaded once per request.

use std::collections::{BTreeMap, BTreeSet};

use diesel::prelude::*;
use domain::{
    ids::{ApiTokenId, ChatbotId, UserId},
    permission::{Permission, Role, WorkspacePermission},
};

use super::{User, UserRow, UserStatus};
use crate::{
    db::Db,
    error::PersistenceError,
    schema::{membership_permissions, memberships, users, workspace_permissions},
};

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

    /// Whether pages of the portal about `chatbot` are open to them, if only to look.
    #[must_use]
    pub fn opens_portal_of(&self, chatbot: ChatbotId) -> bool {
        self.teams
            .get(&chatbot)
            .is_some_and(|team| team.permissions.iter().any(|held| held.opens_portal()))
    }

    /// Passes to whom pages of the portal about `chatbot` are open.
    ///
    /// # Errors
    /// `NotFound` outside the team, who may not know of it; `Denied` inside without such a permission.
    pub fn require_portal_of(&self, chatbot: ChatbotId) -> Result<(), PersistenceError> {
        if !self.is_in_team(chatbot) {
            return Err(PersistenceError::NotFound);
        }
        if self.opens_portal_of(chatbot) { Ok(()) } else { Err(PersistenceError::Denied) }
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

#[cfg(test)]
impl Actor {
    /// Someone who belongs to no team.
    pub(crate) fn without_teams(user: User) -> Self {
        Self { user, token: None, workspace: BTreeSet::new(), teams: BTreeMap::new() }
    }
}
