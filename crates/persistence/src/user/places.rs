//! The users with their places in the teams, as an operator lists them.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use domain::permission::Role;

use super::{User, list};
use crate::{
    db::Db,
    error::PersistenceError,
    instant::Instant,
    schema::{chatbots, memberships, workspace_permissions},
};

/// A user with what they are, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserWithPlaces {
    /// The user.
    pub user: User,
    /// Their places in teams, by the chatbot's name.
    pub places: Vec<Place>,
    /// The rights over the whole workspace, by their words.
    workspace: BTreeSet<String>,
}

/// A place in the team of a chatbot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The chatbot's name.
    pub chatbot: String,
    /// As what they are shown.
    pub role: Role,
    /// Since when they are absent; `None` when they are not.
    pub absent_since: Option<DateTime<Utc>>,
}

impl UserWithPlaces {
    /// Whether they are absent from a team.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.places.iter().any(|place| place.absent_since.is_some())
    }

    /// Each role they have somewhere, once; the first admin has theirs before there is a chatbot.
    #[must_use]
    pub fn roles(&self) -> Vec<Role> {
        let has_over_all = |role: Role| {
            let rights = role.workspace_permissions();
            !rights.is_empty() && rights.iter().all(|right| self.workspace.contains(right.as_str()))
        };
        let has = |role: &Role| {
            has_over_all(*role) || self.places.iter().any(|place| place.role == *role)
        };
        Role::ALL.into_iter().filter(has).collect()
    }
}

/// Every user with their places, by name then id.
///
/// # Errors
/// When the database fails.
pub fn list_with_places(db: &mut Db) -> Result<Vec<UserWithPlaces>, PersistenceError> {
    db.snapshot(|db| {
        let users = list(db)?;
        let mut places = list_places(db)?;
        let mut workspace: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        let rights: Vec<(i64, String)> = workspace_permissions::table
            .select((workspace_permissions::user_id, workspace_permissions::permission))
            .load(db)?;
        for (user, right) in rights {
            workspace.entry(user).or_default().insert(right);
        }
        let with_places = |user: User| UserWithPlaces {
            places: places.remove(&user.id.0).unwrap_or_default(),
            workspace: workspace.remove(&user.id.0).unwrap_or_default(),
            user,
        };
        Ok(users.into_iter().map(with_places).collect())
    })
}

/// The places by user, each by the chatbot's name.
fn list_places(db: &mut Db) -> Result<BTreeMap<i64, Vec<Place>>, PersistenceError> {
    let rows: Vec<(i64, String, String, Option<Instant>)> = memberships::table
        .inner_join(chatbots::table)
        .order((chatbots::name.asc(), chatbots::id.asc()))
        .select((
            memberships::user_id,
            chatbots::name,
            memberships::role,
            memberships::absent_since,
        ))
        .load(db)?;
    let mut places: BTreeMap<i64, Vec<Place>> = BTreeMap::new();
    for (user, chatbot, role, absent_since) in rows {
        let role = Role::parse(&role)
            .ok_or_else(|| PersistenceError::unreadable("memberships", "role", role))?;
        let absent_since = absent_since.map(DateTime::from);
        places.entry(user).or_default().push(Place { chatbot, role, absent_since });
    }
    Ok(places)
}

#[cfg(test)]
mod tests {
    use domain::clock::Clock;

    use super::*;
    use crate::{
        test_desk::TestDesk,
        test_support::on_both,
        user::{NewUser, create, mark_absent, save_workspace_permissions},
    };

    #[test]
    fn users_are_listed_with_their_roles_and_absence() {
        on_both(|store| {
            let desk = TestDesk::new(store);
            let ([ana, rui], now) = (desk.agents, desk.clock.now());
            let admin = NewUser {
                email: "helena@desk.example",
                name: "Helena",
                password_hash: "",
                language: None,
                time_zone: None,
                max_tickets: 1,
            };
            let listed = store
                .blocking_write(|db| {
                    let admin = create(db, &admin, now)?;
                    save_workspace_permissions(db, admin, Role::Admin.workspace_permissions())?;
                    mark_absent(db, ana, now)?;
                    list_with_places(db)
                })
                .unwrap();
            let of = |id| listed.iter().find(|known| known.user.id == id).unwrap();
            assert_eq!((of(ana).roles(), of(ana).is_absent()), (vec![Role::Agent], true));
            assert_eq!(of(ana).places[0].absent_since, Some(now));
            assert_eq!((of(rui).roles(), of(rui).is_absent()), (vec![Role::Agent], false));
            let helena = listed.iter().find(|known| known.user.name == "Helena").unwrap();
            assert_eq!((helena.roles(), helena.places.len()), (vec![Role::Admin], 0));
        });
    }
}
