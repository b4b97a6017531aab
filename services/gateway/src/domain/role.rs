//! Who may do what: one table of role × operation.

/// What a member of a business may do there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Everything.
    Owner,
    /// Everything but what only an owner may.
    Admin,
    /// Builds: agents, customers, notifications, webhooks, keys.
    Developer,
    /// Looks.
    Viewer,
}

/// A kind of operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Reads what is no secret.
    Read,
    /// Reads what signs deliveries.
    ReadSecrets,
    /// Makes and changes agents, customers, notifications and webhooks.
    Build,
    /// Makes, lists and revokes keys.
    ManageKeys,
}

impl Role {
    /// The name in tables and answers.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Developer => "developer",
            Self::Viewer => "viewer",
        }
    }

    /// The role with this name; an unknown one may only look.
    pub(crate) fn from_stored(name: &str) -> Self {
        match name {
            "owner" => Self::Owner,
            "admin" => Self::Admin,
            "developer" => Self::Developer,
            _ => Self::Viewer,
        }
    }

    /// The table.
    pub(crate) const fn may(self, operation: Operation) -> bool {
        match (self, operation) {
            (Self::Owner | Self::Admin | Self::Developer, _) | (Self::Viewer, Operation::Read) => true,
            (Self::Viewer, Operation::ReadSecrets | Operation::Build | Operation::ManageKeys) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_viewer_only_looks() {
        assert!(Role::Viewer.may(Operation::Read));
        for operation in [Operation::ReadSecrets, Operation::Build, Operation::ManageKeys] {
            assert!(!Role::Viewer.may(operation));
            assert!(Role::Developer.may(operation));
        }
    }

    #[test]
    fn a_role_reads_back_what_it_is_stored_as_and_an_unknown_one_is_the_weakest() {
        for role in [Role::Owner, Role::Admin, Role::Developer, Role::Viewer] {
            assert_eq!(Role::from_stored(role.as_str()), role);
        }
        assert_eq!(Role::from_stored("emperor"), Role::Viewer);
    }
}
