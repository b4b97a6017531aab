//! The rooms of the house, by name. The name stands in queues, schemas, metrics and logs.

use std::fmt;

/// A service of Echo.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ServiceName {
    /// The public HTTP edge.
    Gateway,
    /// The life of a notification and of a call.
    CallOrchestrator,
    /// The only room that knows a carrier.
    TelephonyBridge,
    /// Signed deliveries to users' systems.
    WebhookDispatcher,
    /// Documents, search and answers.
    KnowledgeService,
    /// A Twilio-compatible carrier for development.
    SandboxCarrier,
}

impl ServiceName {
    /// The name in routing keys, queue names, file names and logs, for example `call-orchestrator`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::CallOrchestrator => "call-orchestrator",
            Self::TelephonyBridge => "telephony-bridge",
            Self::WebhookDispatcher => "webhook-dispatcher",
            Self::KnowledgeService => "knowledge-service",
            Self::SandboxCarrier => "sandbox-carrier",
        }
    }

    /// The service with this name, if there is one.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [
            Self::Gateway,
            Self::CallOrchestrator,
            Self::TelephonyBridge,
            Self::WebhookDispatcher,
            Self::KnowledgeService,
            Self::SandboxCarrier,
        ]
        .into_iter()
        .find(|s| s.as_str() == name)
    }

    /// The name as a schema, role and metric label: `call_orchestrator`.
    #[must_use]
    pub fn snake(self) -> String {
        self.as_str().replace('-', "_")
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
