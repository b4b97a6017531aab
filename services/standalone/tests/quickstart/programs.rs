//! The programs as they are shipped: a process for each of the five services, and one for the sandbox carrier. The carrier comes in
//! through the gateway, like everybody.

use std::net::SocketAddr;

use testkit::processes::{Folder, Process, Program, free_address};

use crate::echo::SPEED;

const SERVICES: [&str; 5] = [
    "echo-gateway",
    "echo-call-orchestrator",
    "echo-telephony-bridge",
    "echo-webhook-dispatcher",
    "echo-knowledge-service",
];

/// All of them, ready.
pub(crate) struct Programs {
    base: String,
    running: Vec<Process>,
    _folder: Folder,
}

/// Where they listen.
struct Addresses {
    gateway: SocketAddr,
    bridge: SocketAddr,
    carrier: SocketAddr,
}

impl Programs {
    pub(crate) async fn start(servers: Vec<(String, String)>) -> Self {
        let folder = Folder::new();
        let at = Addresses { gateway: free_address(), bridge: free_address(), carrier: free_address() };
        let mut running = Vec::new();
        for name in SERVICES.into_iter().chain(["echo-sandbox-carrier"]) {
            let operations = free_address();
            let mut settings = at.settings_of(name, &folder, operations);
            settings.extend(servers.iter().cloned());
            running.push((Process::start(Program::serving(name, settings, &folder)), operations));
        }
        for (process, operations) in &mut running {
            process.ready(*operations).await;
        }
        let running = running.into_iter().map(|(process, _)| process).collect();
        Self { base: format!("http://{}", at.gateway), running, _folder: folder }
    }

    /// Where the API is.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Tells all of them to stop. Each must say that all went well.
    pub(crate) async fn stop(self) {
        for mut process in self.running {
            let status = process.stop("TERM").await;
            assert!(status.success(), "{status}:\n{}", process.log_end());
        }
    }
}

impl Addresses {
    fn settings_of(&self, name: &str, folder: &Folder, operations: SocketAddr) -> Vec<(String, String)> {
        let key = format!("k1:{}=", "A".repeat(43));
        let public = if name == "echo-telephony-bridge" { self.bridge } else { self.gateway };
        [
            ("HOME", folder.path().display().to_string()),
            ("ECHO_OPS_ADDR", operations.to_string()),
            ("ECHO_HTTP_ADDR", public.to_string()),
            ("ECHO_PUBLIC_URL", format!("http://{}", self.gateway)),
            ("ECHO_BRIDGE_URLS", format!("http://{}", self.bridge)),
            ("ECHO_MASTER_KEYS", key.clone()),
            ("ECHO_JWT_KEYS", key),
            ("ECHO_CARRIER", "sandbox".to_owned()),
            ("ECHO_SANDBOX_ADDR", self.carrier.to_string()),
            ("ECHO_SANDBOX_URL", format!("http://{}", self.carrier)),
            ("ECHO_SANDBOX_SPEED", SPEED.to_owned()),
            ("ECHO_SANDBOX_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef".to_owned()),
            ("ECHO_SANDBOX_AUTH_TOKEN", "fedcba9876543210fedcba9876543210".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into()
    }
}
