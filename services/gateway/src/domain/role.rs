//! Who may do what: one table of role × operation.

/// What a member of a business may do there. From the weakest to the strongest: each may what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Looks.
    Viewer,
    /// Builds: agents, customers, notifications, webhooks, keys. A project's key does so, too.
    Developer,
    /// Runs the business: people, projects, carriers.
    Admin,
    /// Everything.
    Owner,
}

/// A kind of operation. Every endpoint that needs a credential is one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Reads what is no secret: agents, customers, notifications, projects and their settings, members, usage.
    Read,
    /// Reads what signs deliveries.
    ReadSecrets,
    /// Makes and changes agents, customers, notifications, webhooks and suppressions.
    Build,
    /// Makes, lists and revokes keys.
    ManageKeys,
    /// Makes and deletes projects and changes their settings, which limit what a key may spend.
    ManageProjects,
    /// Sets and removes a project's carrier.
    ManageCarrier,
    /// Changes name, summary and industry of the business.
    ManageBusiness,
    /// Invites members, changes their role, removes them.
    ManageMembers,
    /// Makes somebody an owner, and changes or removes one.
    ManageOwners,
    /// Reads who did what.
    ReadAudit,
}

/// The table: what is done, and the weakest role that may.
const TABLE: [(Operation, Role); 10] = [
    (Operation::Read, Role::Viewer),
    (Operation::ReadSecrets, Role::Developer),
    (Operation::Build, Role::Developer),
    (Operation::ManageKeys, Role::Developer),
    (Operation::ManageProjects, Role::Admin),
    (Operation::ManageCarrier, Role::Admin),
    (Operation::ManageBusiness, Role::Admin),
    (Operation::ManageMembers, Role::Admin),
    (Operation::ManageOwners, Role::Owner),
    (Operation::ReadAudit, Role::Owner),
];

impl Role {
    /// All of them, the strongest first.
    pub(crate) const ALL: [Self; 4] = [Self::Owner, Self::Admin, Self::Developer, Self::Viewer];

    /// The name in tables and answers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// The role that a caller names.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let named = Self::ALL.into_iter().find(|role| role.as_str() == name);
        named.ok_or_else(|| "must be `owner`, `admin`, `developer` or `viewer`".to_owned())
    }

    /// The role with this name; an unknown one may only look.
    pub(crate) fn from_stored(name: &str) -> Self {
        Self::parse(name).unwrap_or(Self::Viewer)
    }

    /// What the table says. What does not stand in it is only the owner's.
    pub(crate) fn may(self, operation: Operation) -> bool {
        let row = TABLE.iter().find(|(listed, _)| *listed == operation);
        self >= row.map_or(Self::Owner, |(_, weakest)| *weakest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table as people read it.
    fn rendered() -> String {
        let mark = |operation, role: Role| if role.may(operation) { "yes" } else { "–" };
        let row = |operation: Operation| {
            let marks: Vec<&str> = Role::ALL.iter().map(|role| mark(operation, *role)).collect();
            format!("| {operation:?} | {} |\n", marks.join(" | "))
        };
        TABLE.iter().map(|(operation, _)| row(*operation)).collect()
    }

    #[test]
    fn the_readme_shows_the_table_as_it_is() {
        let readme = include_str!("../../README.md");
        assert!(readme.contains(&rendered()), "README.md should say:\n{}", rendered());
    }

    #[test]
    fn a_viewer_only_looks_a_developer_builds_and_an_admin_is_no_owner() {
        let allowed = |role: Role| TABLE.iter().filter(|(operation, _)| role.may(*operation)).count();
        assert_eq!(Role::ALL.map(allowed), [10, 8, 4, 1]);
        assert!(Role::Viewer.may(Operation::Read) && !Role::Viewer.may(Operation::ReadSecrets));
        assert!(Role::Developer.may(Operation::Build) && !Role::Developer.may(Operation::ManageProjects));
        assert!(Role::Admin.may(Operation::ManageMembers) && !Role::Admin.may(Operation::ReadAudit));
    }

    #[test]
    fn a_role_reads_back_what_it_is_stored_as_and_an_unknown_one_is_the_weakest() {
        for role in Role::ALL {
            assert_eq!(Role::from_stored(role.as_str()), role);
            assert_eq!(Role::parse(role.as_str()), Ok(role));
        }
        assert_eq!(Role::from_stored("emperor"), Role::Viewer);
        assert!(Role::parse("emperor").is_err());
    }
}
