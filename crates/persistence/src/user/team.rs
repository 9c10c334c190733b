//! Teams: who belongs to which chatbot, with which role and permissions.

use std::collections::BTreeSet;

use diesel::prelude::*;
use domain::{
    ids::{ChatbotId, UserId},
    permission::{Permission, Role, WorkspacePermission},
};

use super::{User, UserRow};
use crate::{
    db::{Db, on_either},
    error::PersistenceError,
    schema::{membership_permissions, memberships, users, workspace_permissions},
};

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
