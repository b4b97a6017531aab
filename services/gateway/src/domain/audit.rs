//! What the audit log calls what was done: `<target type>.<what happened>`.

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        /// Something that the audit log keeps.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Action { $($(#[$doc])* $name,)* }

        impl Action {
            /// All of them.
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The name in tables and answers.
            pub(crate) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

actions! {
    /// An account was made.
    SignedUp = "user.signed_up";
    /// Somebody signed in.
    SignedIn = "user.signed_in";
    /// Somebody gave a wrong password, or an address that nobody has.
    SignInFailed = "user.sign_in_failed";
    /// Somebody ended their session.
    SignedOut = "user.signed_out";
    /// A used refresh token came again: its session was ended.
    RefreshReused = "user.refresh_token_reused";
    /// Somebody changed their password.
    PasswordChanged = "user.password_changed";
    /// Somebody asked for a new password.
    PasswordForgotten = "user.password_reset_requested";
    /// Somebody set a new password with what was mailed to them.
    PasswordReset = "user.password_reset";
    /// A key was made.
    KeyMade = "api_key.created";
    /// A key was revoked.
    KeyRevoked = "api_key.revoked";
    /// Name, summary or industry changed.
    BusinessChanged = "business.updated";
    /// Somebody was invited.
    Invited = "invitation.created";
    /// An invitation will give another role.
    InvitationChanged = "invitation.role_changed";
    /// An invitation was taken back.
    InvitationRevoked = "invitation.revoked";
    /// Somebody became a member.
    MemberJoined = "member.joined";
    /// A member has another role.
    RoleChanged = "member.role_changed";
    /// A member was removed.
    MemberRemoved = "member.removed";
    /// A project was made.
    ProjectMade = "project.created";
    /// A project has another name or other settings.
    ProjectChanged = "project.updated";
    /// A project was deleted.
    ProjectDeleted = "project.deleted";
    /// A project has a carrier of its own.
    CarrierSet = "carrier.set";
    /// A project's own carrier was removed.
    CarrierRemoved = "carrier.removed";
    /// An agent was made.
    AgentMade = "agent.created";
    /// An agent has another version.
    AgentChanged = "agent.updated";
    /// What signs an agent's requests was replaced.
    AgentSecretRotated = "agent.secret_rotated";
    /// A bot was made.
    BotMade = "bot.created";
    /// A bot is another one.
    BotChanged = "bot.updated";
    /// What signs a bot's requests was replaced.
    BotSecretRotated = "bot.secret_rotated";
    /// A bot was removed.
    BotDeleted = "bot.deleted";
    /// An app was made.
    AppMade = "app.created";
    /// An app has another name, other sites, or tells others of tickets.
    AppChanged = "app.updated";
    /// An app was deleted.
    AppDeleted = "app.deleted";
    /// A key of an app was made.
    AppKeyMade = "app_key.created";
    /// A key of an app was revoked.
    AppKeyRevoked = "app_key.revoked";
    /// A document of an app was deleted.
    SourceDeleted = "source.deleted";
    /// A question for a person stands elsewhere.
    TicketChanged = "ticket.updated";
    /// What is known about a customer changed: names of fields, never what stands in them.
    CustomerChanged = "customer.updated";
    /// A customer was erased.
    CustomerErased = "customer.erased";
    /// A file of customers was taken in.
    CustomersImported = "customer.imported";
    /// A number is not to be called any more.
    SuppressionMade = "suppression.created";
    /// A number may be called again.
    SuppressionRemoved = "suppression.deleted";
    /// A webhook endpoint was made.
    WebhookMade = "webhook.created";
    /// A webhook endpoint has another address, other events or another status.
    WebhookChanged = "webhook.updated";
    /// A webhook endpoint was removed.
    WebhookDeleted = "webhook.deleted";
    /// A webhook endpoint has another secret.
    WebhookSecretRotated = "webhook.secret_rotated";
}

impl Action {
    /// The action that a caller names.
    pub(crate) fn parse(name: &str) -> Result<Self, String> {
        let named = Self::ALL.iter().find(|action| action.as_str() == name);
        named.copied().ok_or_else(|| {
            let all: Vec<&str> = Self::ALL.iter().map(|action| action.as_str()).collect();
            format!("must be one of {}", all.join(", "))
        })
    }
}

/// The kind of thing that an action was done to: what stands in front of the dot.
pub(crate) fn target_type(action: &str) -> &str {
    action.split_once('.').map_or(action, |(kind, _)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_reads_back_what_it_is_stored_as_and_names_its_target() {
        for action in Action::ALL {
            assert_eq!(Action::parse(action.as_str()), Ok(*action));
            assert!(!target_type(action.as_str()).contains('.'));
        }
        assert_eq!(target_type("member.role_changed"), "member");
        assert!(Action::parse("member.promoted").unwrap_err().contains("member.role_changed"));
    }
}
