//! Which kind of operation each endpoint is, and so which role it needs. The handlers ask for it; a test from outside holds
//! what is said here against what they do.

use crate::domain::role::{Operation, Role};

/// Who may do what: by the operation's name in the document.
const NEEDS: &[(Operation, &[&str])] = &[
    (
        Operation::Read,
        &[
            "getAgent",
            "getAgentVersion",
            "getApp",
            "getBot",
            "getBotCall",
            "getBusiness",
            "getCall",
            "getCarrier",
            "getCustomer",
            "getDelivery",
            "getInsights",
            "getMyNumber",
            "getNotification",
            "getProject",
            "getTicket",
            "getUsage",
            "listAgentVersions",
            "listAgents",
            "listApps",
            "listBotCalls",
            "listBotDeliveries",
            "listBots",
            "listCallsOfNotification",
            "listCustomers",
            "listDeliveries",
            "listMembers",
            "listNotifications",
            "listProjects",
            "listSources",
            "listSuppressions",
            "listTickets",
            "previewNotifications",
            "search",
        ],
    ),
    (Operation::ReadSecrets, &["getAgentSigningSecret", "getWebhook", "listWebhooks"]),
    (
        Operation::Build,
        &[
            "addPhone",
            "cancelNotification",
            "createAgent",
            "createApp",
            "createBot",
            "createCustomer",
            "createNotification",
            "createNotifications",
            "createSuppression",
            "createWebhook",
            "deleteApp",
            "deleteBot",
            "deleteSource",
            "deleteSuppression",
            "deleteWebhook",
            "disableAgent",
            "eraseCustomer",
            "importCustomers",
            "ingest",
            "previewAgent",
            "removePhone",
            "retryBotDelivery",
            "retryDelivery",
            "rotateAgentSigningSecret",
            "rotateBotSecret",
            "rotateWebhookSecret",
            "simulateAgent",
            "testWebhook",
            "updateAgent",
            "updateApp",
            "updateBot",
            "updateCustomer",
            "updatePhone",
            "updateTicket",
            "updateWebhook",
        ],
    ),
    (
        Operation::ManageKeys,
        &["createApiKey", "createAppKey", "listApiKeys", "listAppKeys", "revokeApiKey", "revokeAppKey"],
    ),
    (Operation::ManageProjects, &["createProject", "deleteProject", "updateProject"]),
    (Operation::ManageCarrier, &["deleteCarrier", "putCarrier"]),
    (Operation::ManageBusiness, &["updateBusiness"]),
    (Operation::ManageMembers, &["inviteMember", "removeMember", "updateMember"]),
    (Operation::ReadAudit, &["listAudit"]),
];

/// The weakest role that may do an operation; none for one that needs no role.
pub(super) fn role(id: &str) -> Option<Role> {
    let (operation, _) = NEEDS.iter().find(|(_, ids)| ids.contains(&id))?;
    Role::ALL.into_iter().rev().find(|role| role.may(*operation))
}

/// The same, as the document says it.
pub(super) fn told(id: &str) -> Option<String> {
    let role = role(id)?;
    let with = match Role::Developer >= role {
        true => "",
        false => ", with an access token: an API key gets 403",
    };
    Some(format!("Needs at least the role `{}`{with}.", role.as_str()))
}
