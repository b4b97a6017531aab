//! Stand-ins for the neighbours, one file each. They keep what they are told in the memory of the test that started them.

mod answers;
mod bot_calls;
mod bot_webhooks;
mod bridge;
mod dispatcher;
mod knowledge;
mod orchestrator;
mod tickets;

pub(crate) use answers::{BREAKS, SILENT, SLOW, UNKNOWN};
pub(crate) use bridge::{AWAY_TOKEN, BRIDGE, WRONG_TOKEN};
pub(crate) use dispatcher::DISPATCHER;
pub(crate) use knowledge::KNOWLEDGE;
pub(crate) use orchestrator::ORCHESTRATOR;

use common::config::Settings;
use contracts::accounts::{
    AppChanged, AppDeleted, CancelNotification, CustomerChanged, CustomerErased, ProjectDeleted,
    ProjectPolicyChanged,
};
use contracts::calls::{
    Bot, BotCall, ListNotificationsRequest, PlaceNotificationRequest, PreviewRulesRequest, RuleVerdict,
    SimulateRequest, Suppression, UsageDay,
};
use contracts::knowledge::{AskRequest, GetInsightsRequest, GiveFeedbackRequest, IngestRequest, Ticket};
use contracts::rpc::{Context, RpcError};
use contracts::telephony::{AnswerWithBotRequest, PutCarrierRequest};
use contracts::webhooks::{
    Endpoint, LoggedDelivery, MoveBotWebhookRequest, PutSlackRequest, QueueMailRequest, Target,
};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Semaphore;

/// The setting by which the stand-ins of one test find their memory.
pub(crate) const SETTING: &str = "ECHO_TEST_FAKES";
/// When everything was made here.
const AT_MS: i64 = 1_773_855_826_714;

/// The memory of one test's neighbours.
pub(crate) struct Fakes {
    pub(crate) placed: Mutex<Vec<PlaceNotificationRequest>>,
    pub(crate) contexts: Mutex<Vec<Context>>,
    /// What pages were asked for.
    pub(crate) listed: Mutex<Vec<ListNotificationsRequest>>,
    pub(crate) withdrawn: Mutex<Vec<CancelNotification>>,
    pub(crate) changed: Mutex<Vec<CustomerChanged>>,
    pub(crate) erased: Mutex<Vec<CustomerErased>>,
    pub(crate) policies: Mutex<Vec<ProjectPolicyChanged>>,
    pub(crate) deleted: Mutex<Vec<ProjectDeleted>>,
    pub(crate) apps_changed: Mutex<Vec<AppChanged>>,
    pub(crate) apps_deleted: Mutex<Vec<AppDeleted>>,
    /// Documents, oldest first.
    pub(crate) brought: Mutex<Vec<IngestRequest>>,
    /// Questions, and what was thought of their answers.
    pub(crate) asked: Mutex<Vec<AskRequest>>,
    pub(crate) judged: Mutex<Vec<GiveFeedbackRequest>>,
    /// Tickets by app, oldest first, and how opening the next ones ends.
    pub(crate) tickets: Mutex<Vec<(String, Ticket)>>,
    pub(crate) cannot_open: Mutex<VecDeque<RpcError>>,
    /// Where Slack was to be told.
    pub(crate) slack: Mutex<Vec<PutSlackRequest>>,
    pub(crate) looked_back: Mutex<Vec<GetInsightsRequest>>,
    /// A slow answer needs one of these to go on.
    pub(crate) spoken: Semaphore,
    pub(crate) endpoints: Mutex<Vec<Endpoint>>,
    /// What the dispatcher has sent, oldest first.
    pub(crate) deliveries: Mutex<Vec<LoggedDelivery>>,
    /// Mail that was to be sent.
    pub(crate) mails: Mutex<Vec<QueueMailRequest>>,
    /// One for each mail.
    pub(crate) mailed: Semaphore,
    /// What the next mails end in, after they were kept.
    pub(crate) mail_failures: Mutex<VecDeque<RpcError>>,
    /// Signing secrets by business and owner.
    pub(crate) targets: Mutex<HashMap<(String, String), Target>>,
    /// The opt-out lists, with their projects.
    pub(crate) suppressed: Mutex<Vec<(String, Suppression)>>,
    /// The bots of all businesses, oldest first.
    pub(crate) bots: Mutex<Vec<Bot>>,
    /// The calls to bots, with their businesses, oldest first.
    pub(crate) bot_calls: Mutex<Vec<(String, BotCall)>>,
    /// What bots have told, by business and bot, oldest first.
    pub(crate) told: Mutex<Vec<((String, String), LoggedDelivery)>>,
    /// Bots that tell it elsewhere.
    pub(crate) moved: Mutex<Vec<MoveBotWebhookRequest>>,
    /// Bots that answer the numbers of projects, and how asking for the next one ends.
    pub(crate) answering: Mutex<Vec<AnswerWithBotRequest>>,
    pub(crate) cannot_answer: Mutex<Option<RpcError>>,
    /// What the rules say about a number; anybody else would be rung.
    pub(crate) verdicts: Mutex<HashMap<String, RuleVerdict>>,
    pub(crate) previewed: Mutex<Vec<PreviewRulesRequest>>,
    pub(crate) used: Mutex<Vec<UsageDay>>,
    /// What projects have chosen to call with.
    pub(crate) carriers: Mutex<HashMap<String, PutCarrierRequest>>,
    /// Agents that were to be tried.
    pub(crate) tried: Mutex<Vec<SimulateRequest>>,
    /// What everybody is told about why a call was not placed: the rule, and the carrier's code.
    pub(crate) why_not: Mutex<(String, u32)>,
    /// What the next placings end in, after they had their effect.
    pub(crate) failures: Mutex<VecDeque<RpcError>>,
    /// A placing needs one of these.
    pub(crate) gate: Semaphore,
    /// Placings that have come in.
    pub(crate) arrived: Semaphore,
}

static ALL: Mutex<Option<HashMap<String, Arc<Fakes>>>> = Mutex::new(None);

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fakes {
    /// New memory under `name`.
    pub(crate) fn register(name: &str) -> Arc<Self> {
        let fakes = Arc::new(Self {
            placed: Mutex::default(),
            contexts: Mutex::default(),
            listed: Mutex::default(),
            withdrawn: Mutex::default(),
            changed: Mutex::default(),
            erased: Mutex::default(),
            policies: Mutex::default(),
            deleted: Mutex::default(),
            apps_changed: Mutex::default(),
            apps_deleted: Mutex::default(),
            brought: Mutex::default(),
            asked: Mutex::default(),
            judged: Mutex::default(),
            tickets: Mutex::default(),
            cannot_open: Mutex::default(),
            slack: Mutex::default(),
            looked_back: Mutex::default(),
            spoken: Semaphore::new(0),
            endpoints: Mutex::default(),
            deliveries: Mutex::default(),
            mails: Mutex::default(),
            mailed: Semaphore::new(0),
            mail_failures: Mutex::default(),
            targets: Mutex::default(),
            suppressed: Mutex::default(),
            bots: Mutex::default(),
            bot_calls: Mutex::default(),
            told: Mutex::default(),
            moved: Mutex::default(),
            answering: Mutex::default(),
            cannot_answer: Mutex::default(),
            verdicts: Mutex::default(),
            previewed: Mutex::default(),
            used: Mutex::default(),
            carriers: Mutex::default(),
            tried: Mutex::default(),
            why_not: Mutex::default(),
            failures: Mutex::default(),
            gate: Semaphore::new(Semaphore::MAX_PERMITS),
            arrived: Semaphore::new(0),
        });
        lock(&ALL).get_or_insert_default().insert(name.to_owned(), Arc::clone(&fakes));
        fakes
    }

    fn find(settings: &Settings) -> Arc<Self> {
        let name = settings.get(SETTING, String::new()).unwrap();
        Arc::clone(lock(&ALL).as_ref().unwrap().get(&name).expect("the test registered its stand-ins"))
    }

    /// The next placing has its effect and then ends in `error`.
    pub(crate) fn fail_next(&self, error: RpcError) {
        lock(&self.failures).push_back(error);
    }

    /// The next mail, when it has come.
    pub(crate) async fn next_mail(&self) -> QueueMailRequest {
        self.mailed.acquire().await.unwrap().forget();
        lock(&self.mails).remove(0)
    }
}
