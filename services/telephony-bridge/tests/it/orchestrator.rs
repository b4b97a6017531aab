//! A stand-in for the call-orchestrator: it writes down what it hears and is asked, and answers as it is told.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use common::bus::{Outcome, Subscription};
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::calls::turn_input::Input;
use contracts::calls::{
    BeginBotCallRequest, BeginBotCallResponse, BeginInboundRequest, BeginInboundResponse, ConversationRpc,
    ConversationServer, FindBotRequest, FindBotResponse, InboundRpc, InboundServer, NextSentenceRequest,
    PartState, StartTurnRequest, Then, TurnPart,
};
use contracts::ids::{BotId, ProjectId};
use contracts::rpc::{Context, RpcError};
use contracts::telephony::{
    AnsweredByDetected, CallPriced, CallProgressed, CallRecorded, DialAccepted, DialFailed, DialRefused,
};
use tokio::sync::Notify;

const TABLES: Option<Tables> = Some(Tables { migrations: &[], durability: Durability::Normal });

/// Hears messages and answers questions.
pub(crate) const ORCHESTRATOR: ServiceDef =
    ServiceDef { name: ServiceName::CallOrchestrator, tables: TABLES, listens: &[], build };

/// Hears messages; nobody answers questions.
pub(crate) const MUTE_ORCHESTRATOR: ServiceDef =
    ServiceDef { name: ServiceName::CallOrchestrator, tables: TABLES, listens: &[], build: build_mute };

/// By the world they are of: a service is built by a function that captures nothing.
static ALL: Mutex<BTreeMap<String, Arc<Orchestrator>>> = Mutex::new(BTreeMap::new());

/// How it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Two sentences in every turn; the second is followed by listening.
    Answers,
    /// The same, and the second sentence of turn 2 is the last.
    Ends,
    /// The same, and the second sentence of turn 0 puts the customer through to a person.
    Transfers,
    /// The call is over: what has been said is said again, and nothing new.
    Over,
    /// "Not yet", when the time to wait is up.
    Pending,
    /// Takes the question and does not answer before the story is over.
    Hangs,
    /// Cannot answer.
    Fails,
}

/// A question as it came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Asked {
    Start(u32, Input),
    Next(u32, u32),
}

#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) accepted: Vec<DialAccepted>,
    pub(crate) refused: Vec<DialRefused>,
    pub(crate) failed: Vec<DialFailed>,
    pub(crate) progressed: Vec<CallProgressed>,
    pub(crate) verdicts: Vec<AnsweredByDetected>,
    pub(crate) priced: Vec<CallPriced>,
    pub(crate) recorded: Vec<CallRecorded>,
}

pub(crate) struct Orchestrator {
    pub(crate) heard: Mutex<Heard>,
    pub(crate) asked: Mutex<Vec<Asked>>,
    /// Calls that came in.
    pub(crate) inbound: Mutex<Vec<BeginInboundRequest>>,
    /// Whether there is somebody for a customer who rings back.
    pub(crate) nobody_there: AtomicBool,
    /// Whether it cannot be told that a call came in; everything else is answered.
    pub(crate) takes_no_calls: AtomicBool,
    /// The bots that answer, and whose they are.
    pub(crate) bots: Mutex<BTreeMap<BotId, ProjectId>>,
    /// Calls to them.
    pub(crate) bot_calls: Mutex<Vec<BeginBotCallRequest>>,
    /// How often it was asked whose a bot is.
    pub(crate) bots_asked: AtomicUsize,
    /// The limit that every call to a bot breaks; `gone`: it has just been disabled.
    pub(crate) limit: Mutex<Option<&'static str>>,
    /// Whether calls that come in are to be recorded.
    pub(crate) records: AtomicBool,
    /// Language and voice of its calls.
    pub(crate) speaks: Mutex<(String, String)>,
    manner: Mutex<Manner>,
    turns: Mutex<BTreeSet<(String, u32)>>,
    platform: Mutex<Option<Platform>>,
    released: Notify,
}

impl Orchestrator {
    /// The one of a world; the same for all processes of it.
    pub(crate) fn of(world: &str) -> Arc<Self> {
        let mut all = ALL.lock().unwrap();
        let made = all.entry(world.to_owned()).or_insert_with(|| {
            Arc::new(Self {
                heard: Mutex::default(),
                asked: Mutex::default(),
                inbound: Mutex::default(),
                nobody_there: AtomicBool::new(false),
                takes_no_calls: AtomicBool::new(false),
                bots: Mutex::default(),
                bot_calls: Mutex::default(),
                bots_asked: AtomicUsize::new(0),
                limit: Mutex::default(),
                records: AtomicBool::new(false),
                speaks: Mutex::new(("en-US".to_owned(), "man".to_owned())),
                manner: Mutex::new(Manner::Answers),
                turns: Mutex::default(),
                platform: Mutex::default(),
                released: Notify::new(),
            })
        });
        Arc::clone(made)
    }

    pub(crate) fn forget(world: &str) {
        let gone = ALL.lock().unwrap().remove(world);
        if let Some(gone) = gone {
            gone.platform.lock().unwrap().take();
        }
    }

    pub(crate) fn behaves(&self, manner: Manner) {
        *self.manner.lock().unwrap() = manner;
    }

    /// The story is over: whoever hangs goes home.
    pub(crate) fn releases(&self) {
        self.behaves(Manner::Fails);
        self.released.notify_waiters();
    }

    pub(crate) fn platform(&self) -> Platform {
        self.platform.lock().unwrap().clone().expect("a platform")
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// The reports on a call in the carrier's order; the bus promises none.
    pub(crate) fn reports_of(&self, attempt: &str) -> Vec<CallProgressed> {
        let heard = self.heard.lock().unwrap();
        let of = heard.progressed.iter().filter(|p| p.attempt_id == attempt);
        let mut reports: Vec<CallProgressed> = of.cloned().collect();
        reports.sort_by_key(|report| report.sequence);
        reports
    }

    /// Their statuses.
    pub(crate) fn statuses_of(&self, attempt: &str) -> Vec<String> {
        self.reports_of(attempt).into_iter().map(|report| report.status).collect()
    }

    fn takes_calls(&self) -> Result<(), RpcError> {
        match self.takes_no_calls.load(Ordering::SeqCst) {
            true => Err(RpcError::Unavailable("told so".to_owned())),
            false => Ok(()),
        }
    }

    async fn is_there(&self) -> Result<(), RpcError> {
        let manner = *self.manner.lock().unwrap();
        match manner {
            Manner::Fails => Err(RpcError::Unavailable("told so".to_owned())),
            Manner::Hangs => {
                self.released.notified().await;
                Err(RpcError::Busy)
            }
            _ => Ok(()),
        }
    }

    async fn part(&self, call: &str, turn: u32, part: u32, wait_ms: u32) -> Result<TurnPart, RpcError> {
        let manner = *self.manner.lock().unwrap();
        let (language, voice) = self.speaks.lock().unwrap().clone();
        let then = match (manner, turn, part) {
            (Manner::Ends, 2, 1) => Then::HangUp,
            (Manner::Transfers, 0, 1) => Then::Transfer,
            (_, _, 0) => Then::NextPart,
            _ => Then::Listen,
        };
        let known = self.turns.lock().unwrap().contains(&(call.to_owned(), turn));
        match manner {
            Manner::Hangs => {
                self.released.notified().await;
                Err(RpcError::Busy)
            }
            Manner::Fails => Err(RpcError::Unavailable("told so".to_owned())),
            Manner::Pending => {
                tokio::time::sleep(Duration::from_millis(u64::from(wait_ms))).await;
                Ok(TurnPart { state: PartState::Pending.into(), language, voice, ..TurnPart::default() })
            }
            Manner::Over if !known => {
                Ok(TurnPart { state: PartState::CallOver.into(), ..TurnPart::default() })
            }
            _ if !known => Err(RpcError::NotFound("turn".to_owned())),
            _ => Ok(TurnPart {
                state: PartState::Ready.into(),
                text: format!("Sentence {part} of turn {turn}, <said> & done."),
                then: then.into(),
                language,
                voice,
                transfer_to_e164: "+14155550100".to_owned(),
            }),
        }
    }
}

struct Answering(Arc<Orchestrator>);

#[async_trait]
impl ConversationRpc for Answering {
    async fn start_turn(&self, _: Context, request: StartTurnRequest) -> Result<TurnPart, RpcError> {
        let input = request.input.and_then(|i| i.input).expect("an input");
        self.0.asked.lock().unwrap().push(Asked::Start(request.turn, input));
        if matches!(
            *self.0.manner.lock().unwrap(),
            Manner::Answers | Manner::Ends | Manner::Transfers | Manner::Pending
        ) {
            self.0.turns.lock().unwrap().insert((request.call_id.clone(), request.turn));
        }
        self.0.part(&request.call_id, request.turn, 0, request.wait_ms).await
    }

    async fn next_sentence(&self, _: Context, request: NextSentenceRequest) -> Result<TurnPart, RpcError> {
        self.0.asked.lock().unwrap().push(Asked::Next(request.turn, request.part));
        self.0.part(&request.call_id, request.turn, request.part, request.wait_ms).await
    }
}

#[async_trait]
impl InboundRpc for Answering {
    async fn begin_inbound(
        &self,
        _: Context,
        request: BeginInboundRequest,
    ) -> Result<BeginInboundResponse, RpcError> {
        if *self.0.manner.lock().unwrap() == Manner::Fails {
            return Err(RpcError::Unavailable("told so".to_owned()));
        }
        self.0.takes_calls()?;
        self.0.inbound.lock().unwrap().push(request);
        if self.0.nobody_there.load(Ordering::SeqCst) {
            return Err(RpcError::NotFound("customer".to_owned()));
        }
        Ok(BeginInboundResponse { records: self.0.records.load(Ordering::SeqCst) })
    }

    async fn find_bot(&self, _: Context, request: FindBotRequest) -> Result<FindBotResponse, RpcError> {
        self.0.bots_asked.fetch_add(1, Ordering::SeqCst);
        self.0.is_there().await?;
        let bot: BotId = request.bot_id.parse().expect("a bot's id");
        let project = self.0.bots.lock().unwrap().get(&bot).copied();
        let project = project.ok_or_else(|| RpcError::NotFound("bot".to_owned()))?;
        Ok(FindBotResponse { project_id: project.to_string() })
    }

    async fn begin_bot_call(
        &self,
        _: Context,
        request: BeginBotCallRequest,
    ) -> Result<BeginBotCallResponse, RpcError> {
        self.0.is_there().await?;
        self.0.takes_calls()?;
        let known = self.0.bots.lock().unwrap().contains_key(&request.bot_id.parse().expect("a bot's id"));
        self.0.bot_calls.lock().unwrap().push(request);
        let limit = *self.0.limit.lock().unwrap();
        match limit {
            _ if !known => Err(RpcError::NotFound("bot".to_owned())),
            Some("gone") => Err(RpcError::NotFound("bot".to_owned())),
            Some(code) => Err(RpcError::Conflict { code: code.to_owned(), message: "told so".to_owned() }),
            None => Ok(BeginBotCallResponse { records: self.0.records.load(Ordering::SeqCst) }),
        }
    }
}

fn build(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let mut service = build_mute(settings, platform)?;
    let this = Orchestrator::of(&settings.get("ECHO_TEST_WORLD", String::new())?);
    service.servers.push(Arc::new(InboundServer(Answering(Arc::clone(&this)))));
    service.servers.push(Arc::new(ConversationServer(Answering(this))));
    Ok(service)
}

fn build_mute(settings: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let this = Orchestrator::of(&settings.get("ECHO_TEST_WORLD", String::new())?);
    *this.platform.lock().unwrap() = Some(platform.clone());
    Ok(Service {
        subscriptions: vec![
            hears(&this, |heard, message: DialAccepted| heard.accepted.push(message)),
            hears(&this, |heard, message: DialRefused| heard.refused.push(message)),
            hears(&this, |heard, message: DialFailed| heard.failed.push(message)),
            hears(&this, |heard, message: CallProgressed| heard.progressed.push(message)),
            hears(&this, |heard, message: AnsweredByDetected| heard.verdicts.push(message)),
            hears(&this, |heard, message: CallPriced| heard.priced.push(message)),
            hears(&this, |heard, message: CallRecorded| heard.recorded.push(message)),
        ],
        ..Service::default()
    })
}

fn hears<M: contracts::message::Message>(this: &Arc<Orchestrator>, note: fn(&mut Heard, M)) -> Subscription {
    Subscription::to(this, move |this: Arc<Orchestrator>, _, message: M| async move {
        note(&mut this.heard.lock().unwrap(), message);
        Outcome::Done
    })
}
