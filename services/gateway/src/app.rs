//! What handlers are given.

use std::sync::Arc;
use std::time::Duration;

use common::config::{ConfigError, Settings};
use common::platform::Platform;
use contracts::calls::{
    BotCallsClient, BotsClient, NotificationsClient, RulesClient, SimulationsClient, SuppressionsClient,
    UsageClient,
};
use contracts::ids::ProjectId;
use contracts::knowledge::{AnswersClient, KnowledgeClient, TicketsClient};
use contracts::telephony::CarriersClient;
use contracts::webhooks::{
    BotWebhooksClient, DeliveriesClient, EndpointsClient, MailsClient, TargetsClient, TicketNoticesClient,
};
use tokio::sync::Notify;

use crate::config::Config;
use crate::http::imports::Imports;
use crate::http::rate_limits::Limits;
use crate::http::voice_proxy::Bridges;
use crate::identity::cache::Cache;
use crate::identity::firebase::Firebase;
use crate::identity::passwords::Passwords;
use crate::identity::tokens::{SessionId, Tokens};
use crate::metrics::GatewayMetrics;
use crate::store::api_keys::KeyOwner;
use crate::store::app_keys::AppKeyOwner;
use crate::store::sessions::Standing;

/// How long another service may take to answer.
pub(crate) const RPC_DEADLINE: Duration = Duration::from_secs(5);

/// Everything a handler needs. Cloning shares it.
#[derive(Clone)]
pub(crate) struct App {
    /// Tables, clock, keys.
    pub(crate) platform: Platform,
    /// Settings.
    pub(crate) config: Arc<Config>,
    /// The call-orchestrator.
    pub(crate) notifications: NotificationsClient,
    /// The call-orchestrator's opt-out lists.
    pub(crate) suppressions: SuppressionsClient,
    /// The call-orchestrator's rules.
    pub(crate) rules: RulesClient,
    /// What the call-orchestrator has counted.
    pub(crate) usage: UsageClient,
    /// The call-orchestrator's bots.
    pub(crate) bots: BotsClient,
    /// The calls that they have answered.
    pub(crate) bot_calls: BotCallsClient,
    /// The telephony-bridge.
    pub(crate) carriers: CarriersClient,
    /// The knowledge-service.
    pub(crate) knowledge: KnowledgeClient,
    /// The knowledge-service, for questions.
    pub(crate) answers: AnswersClient,
    /// The knowledge-service, for what people are to answer.
    pub(crate) tickets: TicketsClient,
    /// Agents that are tried.
    pub(crate) simulations: SimulationsClient,
    /// The webhook-dispatcher.
    pub(crate) endpoints: EndpointsClient,
    /// The webhook-dispatcher, for the secrets of agents and bots.
    pub(crate) targets: TargetsClient,
    /// The webhook-dispatcher's log.
    pub(crate) deliveries: DeliveriesClient,
    /// The webhook-dispatcher, for what bots tell their owners.
    pub(crate) bot_webhooks: BotWebhooksClient,
    /// The webhook-dispatcher, for who is told of tickets.
    pub(crate) ticket_notices: TicketNoticesClient,
    /// The webhook-dispatcher's mail.
    pub(crate) mails: MailsClient,
    /// Checks passwords.
    pub(crate) passwords: Passwords,
    /// Makes and reads tokens.
    pub(crate) tokens: Tokens,
    /// The Firebase project whose tokens are accepted, if there is one.
    pub(crate) firebase: Option<Firebase>,
    /// Remembers keys, by their hash.
    pub(crate) keys: Cache<String, KeyOwner>,
    /// Remembers keys of apps, by their hash.
    pub(crate) app_keys: Cache<String, AppKeyOwner>,
    /// Remembers sessions, by their id and the project that is asked for.
    pub(crate) standings: Cache<(SessionId, Option<ProjectId>), Standing>,
    /// Rung when there is mail to pass on.
    pub(crate) mails_due: Arc<Notify>,
    /// Rung when a project was deleted.
    pub(crate) deletions: Arc<Notify>,
    /// Counts requests.
    pub(crate) limits: Limits,
    /// The imports that run.
    pub(crate) imports: Imports,
    /// Where voice paths are forwarded to, if they are.
    pub(crate) bridges: Option<Bridges>,
    /// Numbers.
    pub(crate) metrics: GatewayMetrics,
}

impl App {
    /// From settings and platform.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub(crate) fn new(settings: &Settings, platform: &Platform) -> Result<Self, ConfigError> {
        let config = Config::load(settings)?;
        let bridges = Bridges::new(config.bridges.clone())?;
        let firebase =
            config.firebase.as_ref().map(|set| Firebase::new(set, &platform.egress)).transpose()?;
        let passwords = Passwords::new().map_err(|e| ConfigError::new("Argon2 parameters", e))?;
        Ok(Self {
            platform: platform.clone(),
            notifications: NotificationsClient::new(Arc::clone(&platform.caller)),
            suppressions: SuppressionsClient::new(Arc::clone(&platform.caller)),
            rules: RulesClient::new(Arc::clone(&platform.caller)),
            usage: UsageClient::new(Arc::clone(&platform.caller)),
            bots: BotsClient::new(Arc::clone(&platform.caller)),
            bot_calls: BotCallsClient::new(Arc::clone(&platform.caller)),
            carriers: CarriersClient::new(Arc::clone(&platform.caller)),
            knowledge: KnowledgeClient::new(Arc::clone(&platform.caller)),
            answers: AnswersClient::new(Arc::clone(&platform.caller)),
            tickets: TicketsClient::new(Arc::clone(&platform.caller)),
            ticket_notices: TicketNoticesClient::new(Arc::clone(&platform.caller)),
            simulations: SimulationsClient::new(Arc::clone(&platform.caller)),
            endpoints: EndpointsClient::new(Arc::clone(&platform.caller)),
            targets: TargetsClient::new(Arc::clone(&platform.caller)),
            deliveries: DeliveriesClient::new(Arc::clone(&platform.caller)),
            bot_webhooks: BotWebhooksClient::new(Arc::clone(&platform.caller)),
            mails: MailsClient::new(Arc::clone(&platform.caller)),
            passwords,
            tokens: Tokens::new(platform.keys.jwt.clone()),
            firebase,
            keys: Cache::default(),
            app_keys: Cache::default(),
            standings: Cache::default(),
            mails_due: Arc::default(),
            deletions: Arc::default(),
            limits: Limits::new(&config, platform.clock.clone()),
            imports: Imports::default(),
            bridges,
            metrics: GatewayMetrics::new(&platform.metrics),
            config: Arc::new(config),
        })
    }
}
