//! What a user may do (DE-02): permissions per chatbot, and a few for the whole workspace.

/// Something a user may do in one chatbot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Permission {
    /// Start conversations with templates.
    SendActiveMessages,
    /// Take and answer tickets.
    ServeTickets,
    /// See the tickets of other agents.
    SeeAllTickets,
    /// Change the general settings, the cap among them (AD-08).
    EditGeneralSettings,
    /// Change business hours.
    EditHours,
    /// Change queues and rules.
    EditQueues,
    /// Change agents.
    EditAgents,
    /// Change who may use which template.
    EditTemplates,
    /// Change connections.
    EditChannels,
    /// See Growth: all sends.
    ViewGrowth,
    /// Read the decision log.
    ReadDecisions,
    /// Export lists.
    Export,
}

impl Permission {
    /// Every permission of a chatbot, in the order of DE-02.
    pub const ALL: [Self; 12] = [
        Self::SendActiveMessages,
        Self::ServeTickets,
        Self::SeeAllTickets,
        Self::EditGeneralSettings,
        Self::EditHours,
        Self::EditQueues,
        Self::EditAgents,
        Self::EditTemplates,
        Self::EditChannels,
        Self::ViewGrowth,
        Self::ReadDecisions,
        Self::Export,
    ];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendActiveMessages => "send_active_messages",
            Self::ServeTickets => "serve_tickets",
            Self::SeeAllTickets => "see_all_tickets",
            Self::EditGeneralSettings => "edit_general_settings",
            Self::EditHours => "edit_hours",
            Self::EditQueues => "edit_queues",
            Self::EditAgents => "edit_agents",
            Self::EditTemplates => "edit_templates",
            Self::EditChannels => "edit_channels",
            Self::ViewGrowth => "view_growth",
            Self::ReadDecisions => "read_decisions",
            Self::Export => "export",
        }
    }

    /// The permission stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == word)
    }

    /// Whether holding it opens the portal to a user (read-only pages among them).
    #[must_use]
    pub fn opens_portal(self) -> bool {
        !matches!(self, Self::SendActiveMessages | Self::ServeTickets | Self::SeeAllTickets)
    }
}

/// Something a user may do in the whole workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WorkspacePermission {
    /// Change policies.
    EditPolicies,
    /// Change users.
    ManageUsers,
}

impl WorkspacePermission {
    /// Every permission of the workspace.
    pub const ALL: [Self; 2] = [Self::EditPolicies, Self::ManageUsers];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::EditPolicies => "edit_policies",
            Self::ManageUsers => "manage_users",
        }
    }

    /// The permission stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|permission| permission.as_str() == word)
    }
}

/// A named set of permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Sends and serves.
    Agent,
    /// Reads everything, sees all tickets, exports.
    Manager,
    /// Everything.
    Admin,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 3] = [Self::Agent, Self::Manager, Self::Admin];

    /// The word it is stored and exchanged by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Agent => "agent",
            Self::Manager => "manager",
            Self::Admin => "admin",
        }
    }

    /// The role stored as `word`; `None` when there is none of that name.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.as_str() == word)
    }

    /// What the role may do in a chatbot (DE-02).
    #[must_use]
    pub fn permissions(self) -> &'static [Permission] {
        match self {
            Self::Agent => &[Permission::SendActiveMessages, Permission::ServeTickets],
            Self::Manager => &[
                Permission::SeeAllTickets,
                Permission::ViewGrowth,
                Permission::ReadDecisions,
                Permission::Export,
            ],
            Self::Admin => &Permission::ALL,
        }
    }

    /// What the role may do in the workspace (DE-02).
    #[must_use]
    pub fn workspace_permissions(self) -> &'static [WorkspacePermission] {
        match self {
            Self::Agent | Self::Manager => &[],
            Self::Admin => &WorkspacePermission::ALL,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn de_02_roles_are_sets_of_permissions() {
        let changes = [
            Permission::EditGeneralSettings,
            Permission::EditHours,
            Permission::EditQueues,
            Permission::EditAgents,
            Permission::EditTemplates,
            Permission::EditChannels,
        ];
        let works = [Permission::SendActiveMessages, Permission::ServeTickets];
        for permission in Permission::ALL {
            let (is_change, is_work) = (changes.contains(&permission), works.contains(&permission));
            let may = |role: Role| role.permissions().contains(&permission);
            assert_eq!(may(Role::Agent), is_work, "agent: {permission:?}");
            assert_eq!(may(Role::Manager), !is_change && !is_work, "manager: {permission:?}");
            assert!(may(Role::Admin), "admin: {permission:?}");
        }
        for permission in WorkspacePermission::ALL {
            let may = |role: Role| role.workspace_permissions().contains(&permission);
            assert_eq!(Role::ALL.map(may), [false, false, true], "{permission:?}");
        }
    }

    #[test]
    fn de_02_permissions_and_roles_are_read_back_by_their_words() {
        let words = "send_active_messages serve_tickets see_all_tickets edit_general_settings edit_hours \
            edit_queues edit_agents edit_templates edit_channels view_growth read_decisions export";
        assert_eq!(Permission::ALL.map(Permission::as_str).join(" "), words);
        for permission in Permission::ALL {
            assert_eq!(Permission::parse(permission.as_str()), Some(permission));
        }
        for permission in WorkspacePermission::ALL {
            assert_eq!(WorkspacePermission::parse(permission.as_str()), Some(permission));
        }
        for role in Role::ALL {
            assert_eq!(Role::parse(role.as_str()), Some(role));
        }
        assert_eq!((Permission::parse("edit_policies"), Role::parse("owner")), (None, None));
    }
}
