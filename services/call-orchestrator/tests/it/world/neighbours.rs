//! Stand-ins for the bridge, the dispatcher and the knowledge-service: they write down what they hear.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use common::bus::{Meta, Outcome, Subscription};
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::runtime::Process;
use common::service::{Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::calls::{
    BotCompleted, CallEnded, CallStarted, CallSummarised, DeleteRecordingRequested, DialRequested,
    LeaveMessageRequested, PhoneReachabilityChanged, QuestionUnanswered, StopCallRequested,
};
use contracts::knowledge::{
    DeleteSourceRequest, DeleteSourceResponse, IngestRequest, IngestResponse, IngestUrlRequest, KnowledgeRpc,
    KnowledgeServer, ListSourcesRequest, ListSourcesResponse, Passage, SearchRequest, SearchResponse,
    Verdict,
};
use contracts::rpc::{Context, RpcError};
use contracts::telephony::{
    AnswerWithBotRequest, AnswerWithBotResponse, CarriersRpc, CarriersServer, FindCarrierRequest,
    FindCarrierResponse, GetCarrierRequest, ProjectCarrier, PutCarrierRequest, RemoveCarrierRequest,
    RemoveCarrierResponse,
};
use contracts::webhooks::{
    CallNowOutcome, CallNowRequest, CallNowResponse, RevealTargetRequest, RotateTargetRequest, Target,
    TargetsRpc, TargetsServer,
};

/// What the neighbours of one world have heard.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) dials: Mutex<Vec<DialRequested>>,
    pub(crate) stops: Mutex<Vec<StopCallRequested>>,
    pub(crate) messages: Mutex<Vec<LeaveMessageRequested>>,
    /// Recordings that are to be deleted at the carrier.
    pub(crate) deletions: Mutex<Vec<DeleteRecordingRequested>>,
    pub(crate) started: Mutex<Vec<CallStarted>>,
    pub(crate) ended: Mutex<Vec<CallEnded>>,
    pub(crate) summaries: Mutex<Vec<CallSummarised>>,
    /// What calls to bots have brought.
    pub(crate) bot_calls: Mutex<Vec<BotCompleted>>,
    /// What the gateway is told about numbers.
    pub(crate) reachability: Mutex<Vec<PhoneReachabilityChanged>>,
    /// What the bridge says about its carrier.
    pub(crate) carrier: Mutex<Carrier>,
    /// How often it was asked.
    pub(crate) carrier_asked: AtomicUsize,
    /// What users' systems were sent.
    pub(crate) tool_calls: Mutex<Vec<CallNowRequest>>,
    /// What they answer, in order; then nothing comes in time.
    pub(crate) tool_answers: Mutex<VecDeque<CallNowResponse>>,
    /// While this is held, they do not answer.
    pub(crate) tool_gate: tokio::sync::Mutex<()>,
    /// What documents were asked.
    pub(crate) searches: Mutex<Vec<SearchRequest>>,
    /// What they say: a passage is found by its title.
    pub(crate) library: Mutex<Vec<Passage>>,
    /// While this is held, they do not answer.
    pub(crate) library_gate: tokio::sync::Mutex<()>,
    /// Questions that nobody could answer.
    pub(crate) unanswered: Mutex<Vec<QuestionUnanswered>>,
}

/// How the bridge stands to its carrier.
#[derive(Clone, Copy, Default)]
pub(crate) enum Carrier {
    /// It has one.
    #[default]
    There,
    /// It has none.
    Missing,
    /// It does not answer.
    Unknown,
}

struct CarrierDesk(Arc<Heard>);

#[async_trait]
impl CarriersRpc for CarrierDesk {
    async fn find_carrier(&self, _: Context, _: FindCarrierRequest) -> Result<FindCarrierResponse, RpcError> {
        self.0.carrier_asked.fetch_add(1, Ordering::SeqCst);
        match *self.0.carrier.lock().unwrap() {
            Carrier::There => Ok(FindCarrierResponse { found: true }),
            Carrier::Missing => Ok(FindCarrierResponse { found: false }),
            Carrier::Unknown => Err(RpcError::Unavailable("told so".to_owned())),
        }
    }

    async fn put_carrier(&self, _: Context, _: PutCarrierRequest) -> Result<ProjectCarrier, RpcError> {
        Err(RpcError::unknown_method("the gateway's"))
    }

    async fn get_carrier(&self, _: Context, _: GetCarrierRequest) -> Result<ProjectCarrier, RpcError> {
        Err(RpcError::unknown_method("the gateway's"))
    }

    async fn answer_with_bot(
        &self,
        _: Context,
        _: AnswerWithBotRequest,
    ) -> Result<AnswerWithBotResponse, RpcError> {
        Err(RpcError::unknown_method("the gateway's"))
    }

    async fn remove_carrier(
        &self,
        _: Context,
        _: RemoveCarrierRequest,
    ) -> Result<RemoveCarrierResponse, RpcError> {
        Err(RpcError::unknown_method("the gateway's"))
    }
}

struct TargetDesk(Arc<Heard>);

#[async_trait]
impl TargetsRpc for TargetDesk {
    async fn reveal_target(&self, _: Context, _: RevealTargetRequest) -> Result<Target, RpcError> {
        Err(RpcError::NotFound("target".to_owned()))
    }

    async fn rotate_target(&self, _: Context, _: RotateTargetRequest) -> Result<Target, RpcError> {
        Err(RpcError::NotFound("target".to_owned()))
    }

    async fn call_now(&self, _: Context, request: CallNowRequest) -> Result<CallNowResponse, RpcError> {
        self.0.tool_calls.lock().unwrap().push(request);
        drop(self.0.tool_gate.lock().await);
        let answer = self.0.tool_answers.lock().unwrap().pop_front();
        let late = CallNowResponse { outcome: CallNowOutcome::TimedOut.into(), ..CallNowResponse::default() };
        Ok(answer.unwrap_or(late))
    }
}

struct Library(Arc<Heard>);

#[async_trait]
impl KnowledgeRpc for Library {
    async fn search(&self, _: Context, request: SearchRequest) -> Result<SearchResponse, RpcError> {
        let question = request.question.to_lowercase();
        self.0.searches.lock().unwrap().push(request);
        drop(self.0.library_gate.lock().await);
        let passages: Vec<Passage> = self.0.library.lock().unwrap().clone();
        let asked_for = |passage: &Passage| question.contains(&passage.title.to_lowercase());
        let passages: Vec<Passage> = passages.into_iter().filter(asked_for).collect();
        let verdict = if passages.is_empty() { Verdict::NotCovered } else { Verdict::Answerable };
        Ok(SearchResponse { verdict: verdict.into(), passages })
    }

    async fn ingest(&self, _: Context, _: IngestRequest) -> Result<IngestResponse, RpcError> {
        Err(RpcError::unknown_method("the gateway's"))
    }

    async fn ingest_url(&self, _: Context, _: IngestUrlRequest) -> Result<IngestResponse, RpcError> {
        Err(RpcError::unknown_method("the gateway's"))
    }

    async fn list_sources(&self, _: Context, _: ListSourcesRequest) -> Result<ListSourcesResponse, RpcError> {
        Err(RpcError::unknown_method("the gateway's"))
    }

    async fn delete_source(
        &self,
        _: Context,
        _: DeleteSourceRequest,
    ) -> Result<DeleteSourceResponse, RpcError> {
        Err(RpcError::unknown_method("the gateway's"))
    }
}

/// A service is built by a function that captures nothing: what the stand-ins share with the tests is found by the name of
/// the world, and the platform of a bridge by the name of its process.
static HEARD: Mutex<BTreeMap<String, Arc<Heard>>> = Mutex::new(BTreeMap::new());
static BRIDGES: Mutex<BTreeMap<String, Platform>> = Mutex::new(BTreeMap::new());

pub(crate) const PROCESS: Process = Process {
    name: "orchestrator-test",
    about: "the orchestrator and stand-ins for its neighbours",
    services: &[echo_call_orchestrator::SERVICE, BRIDGE, DISPATCHER, KNOWLEDGE],
    embedded: true,
};

const TABLES: Option<Tables> = Some(Tables { migrations: &[], durability: Durability::Normal });

const BRIDGE: ServiceDef =
    ServiceDef { name: ServiceName::TelephonyBridge, tables: TABLES, listens: &[], build: bridge };

const DISPATCHER: ServiceDef =
    ServiceDef { name: ServiceName::WebhookDispatcher, tables: TABLES, listens: &[], build: dispatcher };

const KNOWLEDGE: ServiceDef =
    ServiceDef { name: ServiceName::KnowledgeService, tables: TABLES, listens: &[], build: knowledge };

fn knowledge(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let heard = heard_in(settings)?;
    let unanswered = Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: QuestionUnanswered| {
        heard.unanswered.lock().unwrap().push(m);
        Outcome::Done
    });
    Ok(Service {
        servers: vec![Arc::new(KnowledgeServer(Library(heard)))],
        subscriptions: vec![unanswered],
        ..Service::default()
    })
}

fn bridge(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let heard = heard_in(settings)?;
    let process = settings.get("ECHO_TEST_PROCESS", String::new())?;
    BRIDGES.lock().unwrap().insert(process, platform.clone());
    Ok(Service {
        servers: vec![Arc::new(CarriersServer(CarrierDesk(Arc::clone(&heard))))],
        subscriptions: vec![
            Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: DialRequested| {
                heard.dials.lock().unwrap().push(m);
                Outcome::Done
            }),
            Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: StopCallRequested| {
                heard.stops.lock().unwrap().push(m);
                Outcome::Done
            }),
            Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: LeaveMessageRequested| {
                heard.messages.lock().unwrap().push(m);
                Outcome::Done
            }),
            Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: DeleteRecordingRequested| {
                heard.deletions.lock().unwrap().push(m);
                Outcome::Done
            }),
        ],
        ..Service::default()
    })
}

fn dispatcher(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let heard = heard_in(settings)?;
    Ok(Service {
        servers: vec![Arc::new(TargetsServer(TargetDesk(Arc::clone(&heard))))],
        subscriptions: vec![
            Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: CallStarted| {
                heard.started.lock().unwrap().push(m);
                Outcome::Done
            }),
            Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: CallEnded| {
                heard.ended.lock().unwrap().push(m);
                Outcome::Done
            }),
            Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: CallSummarised| {
                heard.summaries.lock().unwrap().push(m);
                Outcome::Done
            }),
            Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: BotCompleted| {
                heard.bot_calls.lock().unwrap().push(m);
                Outcome::Done
            }),
            Subscription::to(&heard, async |heard: Arc<Heard>, _: Meta, m: PhoneReachabilityChanged| {
                heard.reachability.lock().unwrap().push(m);
                Outcome::Done
            }),
        ],
        ..Service::default()
    })
}

fn heard_in(settings: &Settings) -> Result<Arc<Heard>, ConfigError> {
    Ok(heard(&settings.get("ECHO_TEST_WORLD", String::new())?))
}

pub(crate) fn heard(world: &str) -> Arc<Heard> {
    Arc::clone(HEARD.lock().unwrap().entry(world.to_owned()).or_default())
}

pub(crate) fn bridge_of(process: &str) -> Platform {
    BRIDGES.lock().unwrap()[process].clone()
}

pub(crate) fn forget(process: &str) {
    BRIDGES.lock().unwrap().remove(process);
}
