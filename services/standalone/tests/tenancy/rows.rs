//! Who may do what: a row for each operation of the document.

use serde_json::{Value, json};

use crate::document::Operation;

/// The weakest who may. An API key acts as a developer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// Whoever proves something in the request itself: a password, a mailed token, a token that is used up or ended by it.
    Anybody,
    /// Every member, for their own account.
    Oneself,
    /// Whoever an app lets in; to a credential of others it is not there.
    Visitor,
    /// Every member.
    Viewer,
    /// Members who build, and keys.
    Developer,
    /// Members who run the business.
    Admin,
    /// Only an owner.
    Owner,
}

use Who::{Admin, Anybody, Developer, Oneself, Owner, Viewer, Visitor};

/// In the order in which the owner does them in the end: what removes something comes after everything that needs it.
const ROWS: [(&str, Who); 102] = [
    ("signUp", Anybody),
    ("logIn", Anybody),
    ("refresh", Anybody),
    ("logOut", Anybody),
    ("forgotPassword", Anybody),
    ("resetPassword", Anybody),
    ("acceptInvitation", Anybody),
    ("connectTwilio", Anybody),
    ("me", Oneself),
    ("changePassword", Oneself),
    ("query", Visitor),
    ("queryNamed", Visitor),
    ("giveFeedback", Visitor),
    ("handOver", Visitor),
    ("handOverInApp", Visitor),
    ("getBusiness", Viewer),
    ("listMembers", Viewer),
    ("listProjects", Viewer),
    ("getProject", Viewer),
    ("getCarrier", Viewer),
    ("listAgents", Viewer),
    ("getAgent", Viewer),
    ("listAgentVersions", Viewer),
    ("getAgentVersion", Viewer),
    ("listApps", Viewer),
    ("getApp", Viewer),
    ("listSources", Viewer),
    ("search", Viewer),
    ("getInsights", Viewer),
    ("listTickets", Viewer),
    ("getTicket", Viewer),
    ("listBots", Viewer),
    ("getBot", Viewer),
    ("listBotDeliveries", Viewer),
    ("listBotCalls", Viewer),
    ("getBotCall", Viewer),
    ("getMyNumber", Viewer),
    ("listCustomers", Viewer),
    ("getCustomer", Viewer),
    ("listNotifications", Viewer),
    ("getNotification", Viewer),
    ("listCallsOfNotification", Viewer),
    ("getCall", Viewer),
    ("previewNotifications", Viewer),
    ("listSuppressions", Viewer),
    ("getUsage", Viewer),
    ("listDeliveries", Viewer),
    ("getDelivery", Viewer),
    ("listWebhooks", Developer),
    ("getWebhook", Developer),
    ("getAgentSigningSecret", Developer),
    ("listApiKeys", Developer),
    ("listAppKeys", Developer),
    ("listAudit", Owner),
    ("createAgent", Developer),
    ("updateAgent", Developer),
    ("rotateAgentSigningSecret", Developer),
    ("previewAgent", Developer),
    ("simulateAgent", Developer),
    ("createApp", Developer),
    ("updateApp", Developer),
    ("createAppKey", Developer),
    ("ingest", Developer),
    ("updateTicket", Developer),
    ("createBot", Developer),
    ("updateBot", Developer),
    ("rotateBotSecret", Developer),
    ("retryBotDelivery", Developer),
    ("createCustomer", Developer),
    ("importCustomers", Developer),
    ("updateCustomer", Developer),
    ("updatePhone", Developer),
    ("addPhone", Developer),
    ("createNotification", Developer),
    ("createNotifications", Developer),
    ("createSuppression", Developer),
    ("createWebhook", Developer),
    ("updateWebhook", Developer),
    ("rotateWebhookSecret", Developer),
    ("testWebhook", Developer),
    ("retryDelivery", Developer),
    ("createApiKey", Developer),
    ("createProject", Admin),
    ("updateProject", Admin),
    ("putCarrier", Admin),
    ("updateBusiness", Admin),
    ("inviteMember", Admin),
    ("updateMember", Admin),
    ("removePhone", Developer),
    ("cancelNotification", Developer),
    ("eraseCustomer", Developer),
    ("disableAgent", Developer),
    ("deleteBot", Developer),
    ("deleteSource", Developer),
    ("revokeAppKey", Developer),
    ("deleteApp", Developer),
    ("deleteSuppression", Developer),
    ("deleteWebhook", Developer),
    ("revokeApiKey", Developer),
    ("deleteCarrier", Admin),
    ("removeMember", Admin),
    ("deleteProject", Admin),
];

/// What not even the owner can do in this town: nobody has rung a bot, so none has told anything that could be told once more.
pub(crate) fn has_nothing_to_do(operation: &str) -> bool {
    operation == "retryBotDelivery"
}

/// Bodies in place of the document's examples: where ids can stand in a body, and where an example asks a server elsewhere.
pub(crate) fn body_of(operation: &str) -> Option<Value> {
    let call = json!({"customer_id": "{customers}", "agent_id": "{agents}"});
    match operation {
        "createNotification" => Some(call),
        "createNotifications" => Some(json!({"notifications": [call]})),
        "previewNotifications" => Some(json!({"customer_ids": ["{customers}"]})),
        "previewAgent" => Some(json!({"customer_id": "{customers}"})),
        "simulateAgent" => Some(json!({"customer_id": "{customers}", "messages": []})),
        "query" => Some(json!({"question": "What do people know?"})),
        "queryNamed" => Some(json!({"appId": "{apps}", "question": "What do people know?"})),
        "giveFeedback" => Some(json!({"messageId": "{answers}", "helpful": true})),
        "handOver" | "handOverInApp" => {
            Some(json!({"appId": "{apps}", "email": "jane@example.com", "question": "What else?"}))
        }
        "putCarrier" => Some(json!({"kind": "sandbox"})),
        _ => None,
    }
}

/// What stands behind a path's `?`, where an operation says there whom or what it is about.
pub(crate) fn query_of(operation: &str) -> &'static str {
    match operation {
        "listSources" | "getInsights" | "listTickets" | "getTicket" | "updateTicket" => "?appId={apps}",
        "deleteSource" => "?appId={apps}&id={sources}",
        "search" => "?q=our",
        _ => "",
    }
}

/// An operation and who may do it.
pub(crate) struct Trial {
    /// Which.
    pub(crate) operation: Operation,
    /// The weakest who may.
    pub(crate) who: Who,
}

/// The operations in the order of their rows.
///
/// # Panics
/// Where an operation has no row, a row no operation, or a row is more generous than it can be.
pub(crate) fn with_rows(mut operations: Vec<Operation>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for (name, who) in ROWS {
        let at = operations.iter().position(|operation| operation.id == name);
        let operation = operations.swap_remove(at.unwrap_or_else(|| panic!("{name} is no operation")));
        let of_an_account = matches!(who, Anybody | Oneself);
        assert_eq!(operation.takes_keys, !of_an_account, "{name}: {who:?}, and the document says otherwise");
        // Who only looks changes nothing; a preview is a question.
        let looks = operation.method == reqwest::Method::GET || name == "previewNotifications";
        assert!(who != Viewer || looks, "{name} changes something: no viewer may");
        trials.push(Trial { operation, who });
    }
    let left: Vec<&str> = operations.iter().map(|operation| &*operation.id).collect();
    assert!(left.is_empty(), "operations without a row, which says who may: {left:?}");
    trials
}
