//! The carrier's books, all in memory: calls, numbers, faults, counts, switches. A real carrier is
//! another company's machine; what this one knows is gone when it stops.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use twilio::{CallSid, RecordingSid};

use crate::client::Client;
use crate::config::CarrierConfig;
use crate::domain::asked::Asked;
use crate::domain::bounded::Bounded;
use crate::domain::call::{Call, Parties};
use crate::domain::control::Command;
use crate::domain::event::{CarrierEvent, Happening};
use crate::domain::fault::{Fault, Problem};
use crate::domain::nasty::Nasty;
use crate::domain::number::OwnNumber;
use crate::domain::person::Person;
use crate::domain::plan::Plan;
use crate::wall;

/// Finished calls that are kept.
const MOST_CALLS: usize = 10_000;
/// Faults that are kept.
const MOST_FAULTS: usize = 10_000;
/// Requests to the REST API that are kept.
const MOST_ASKED: usize = 10_000;
/// Numbers whose rings are counted.
const MOST_COUNTED: usize = 100_000;
/// Events that a slow onlooker may fall behind.
const EVENT_BACKLOG: usize = 1_024;

/// A recording of a whole call.
#[derive(Clone, Debug)]
pub(crate) struct Recorded {
    pub(crate) call_sid: CallSid,
    pub(crate) source: &'static str,
    pub(crate) started: DateTime<Utc>,
    pub(crate) seconds: u64,
}

/// How often a number was called, for whoever must prove that nobody was called twice.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(crate) struct Rings {
    /// Calls that left the queue.
    pub(crate) dialled: u32,
    /// Calls that made the phone ring.
    pub(crate) rang: u32,
    /// Calls that left the queue, per value of the parameter `attempt` in their URL.
    pub(crate) attempts: BTreeMap<String, u32>,
}

/// The books.
#[derive(Debug)]
pub(crate) struct Books {
    pub(crate) calls: Bounded<CallSid, Call>,
    pub(crate) faults: VecDeque<Fault>,
    /// What was asked of the REST API.
    pub(crate) asked: VecDeque<Asked>,
    pub(crate) rings: Bounded<String, Rings>,
    /// The account's numbers: at least one.
    pub(crate) numbers: Vec<OwnNumber>,
    pub(crate) nasty: Nasty,
    /// Recordings of whole calls that nobody has deleted.
    pub(crate) recordings: Bounded<RecordingSid, Recorded>,
    live: HashMap<CallSid, mpsc::UnboundedSender<Command>>,
    next_slot: Option<Instant>,
}

/// A leg that somebody has to play.
pub(crate) struct Job {
    pub(crate) sid: CallSid,
    pub(crate) plan: Plan,
    pub(crate) person: Person,
    pub(crate) commands: mpsc::UnboundedReceiver<Command>,
    pub(crate) inbound: bool,
}

/// What all parts of a carrier share.
pub(crate) struct Shared {
    pub(crate) config: CarrierConfig,
    pub(crate) client: Client,
    /// Cancelled when no call is played any more: onlookers go home.
    pub(crate) stopped: CancellationToken,
    books: Mutex<Books>,
    events: broadcast::Sender<CarrierEvent>,
    jobs: mpsc::UnboundedSender<Job>,
}

impl Shared {
    /// Empty books, and the place where jobs come out.
    pub(crate) fn new(config: CarrierConfig) -> (Arc<Shared>, mpsc::UnboundedReceiver<Job>) {
        let (jobs, incoming) = mpsc::unbounded_channel();
        let books = Books {
            calls: Bounded::new(MOST_CALLS),
            faults: VecDeque::new(),
            asked: VecDeque::new(),
            rings: Bounded::new(MOST_COUNTED),
            numbers: config.numbers().into_iter().map(|number| OwnNumber::new(number, wall::now())).collect(),
            nasty: Nasty::default(),
            recordings: Bounded::new(MOST_CALLS),
            live: HashMap::new(),
            next_slot: None,
        };
        let client = Client::new(config.auth_token.clone());
        let events = broadcast::Sender::new(EVENT_BACKLOG);
        let (stopped, books) = (CancellationToken::new(), Mutex::new(books));
        (Arc::new(Shared { config, client, stopped, books, events, jobs }), incoming)
    }

    /// Looks into or changes the books. The closure must not block.
    pub(crate) fn books<T>(&self, look: impl FnOnce(&mut Books) -> T) -> T {
        look(&mut self.books.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Enters a leg into the books; the receiver is for whoever plays it.
    pub(crate) fn enter_call(
        &self,
        sid: &CallSid,
        parties: Parties,
        plan: Plan,
    ) -> mpsc::UnboundedReceiver<Command> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let call = Call::new(sid.clone(), parties, plan, wall::now());
        self.books(|books| {
            books.live.insert(sid.clone(), sender);
            books.calls.insert(sid.clone(), call, Call::is_over);
        });
        receiver
    }

    /// Enters a leg that rings somebody, and has it played.
    pub(crate) fn start_call(&self, sid: &CallSid, parties: Parties, plan: Plan) {
        let person = Person::new(Arc::clone(self.config.people.at(&parties.to)));
        self.start_with(sid, person, parties, plan);
    }

    /// Enters a leg by which the person at this number rings one of the account's, and has it played.
    pub(crate) fn start_incoming(&self, sid: &CallSid, person: &str, parties: Parties, plan: Plan) {
        let person = Person::new(Arc::clone(self.config.people.at(person)));
        self.start_with(sid, person, parties, plan);
    }

    fn start_with(&self, sid: &CallSid, person: Person, parties: Parties, plan: Plan) {
        let inbound = parties.direction == twilio::call::Direction::Inbound;
        let commands = self.enter_call(sid, parties, plan.clone());
        let job = Job { sid: sid.clone(), plan, person, commands, inbound };
        if self.jobs.send(job).is_err() {
            tracing::error!(call_sid = %sid, "the carrier has been stopped; the call will not be played");
        }
    }

    /// Looks at a call.
    pub(crate) fn call<T>(&self, sid: &CallSid, look: impl FnOnce(&Call) -> T) -> Option<T> {
        self.books(|books| books.calls.get(sid).map(look))
    }

    /// Changes a call.
    pub(crate) fn change<T>(&self, sid: &CallSid, change: impl FnOnce(&mut Call) -> T) -> Option<T> {
        self.books(|books| books.calls.get_mut(sid).map(change))
    }

    /// Takes a leg off the list of those that listen to commands.
    pub(crate) fn retire(&self, sid: &CallSid) {
        self.books(|books| books.live.remove(sid));
    }

    /// Tells a running leg something; false if it is not running any more.
    pub(crate) fn command(&self, sid: &CallSid, command: Command) -> bool {
        self.books(|books| books.live.get(sid).is_some_and(|leg| leg.send(command).is_ok()))
    }

    /// Lets the onlookers know.
    pub(crate) fn tell(&self, sid: &CallSid, what: Happening) {
        let Some((to, from)) = self.call(sid, |call| (call.to.clone(), call.from.clone())) else { return };
        // Nobody looking on is no failure.
        let _ = self.events.send(CarrierEvent { call_sid: sid.clone(), to, from, what });
    }

    /// A seat for an onlooker.
    pub(crate) fn watch(&self) -> broadcast::Receiver<CarrierEvent> {
        self.events.subscribe()
    }

    /// Writes a fault down.
    pub(crate) fn fault(&self, sid: &CallSid, problem: Problem, url: Option<&str>) {
        let url = url.map(|url| url.split('#').next().unwrap_or_default().to_owned());
        tracing::debug!(call_sid = %sid, code = problem.code, "fault: {}", problem.message);
        let (code, message) = (problem.code, problem.message);
        let fault = Fault { at: wall::now(), call_sid: sid.clone(), code, message, url };
        self.books(|books| {
            if books.faults.len() >= MOST_FAULTS {
                books.faults.pop_front();
            }
            books.faults.push_back(fault);
        });
    }

    /// Writes a request to the REST API down.
    pub(crate) fn book(&self, asked: Asked) {
        self.books(|books| {
            if books.asked.len() >= MOST_ASKED {
                books.asked.pop_front();
            }
            books.asked.push_back(asked);
        });
    }

    /// Whether the next request is signed with a token that the customer does not have.
    pub(crate) fn signs_wrongly(&self) -> bool {
        self.books(|books| books.nasty.signs_wrongly())
    }

    /// Reserves the next slot for dialling; how long to wait for it, in wall time.
    pub(crate) fn reserve_slot(&self) -> Duration {
        let Some(per_second) = self.config.calls_per_second else { return Duration::ZERO };
        let interval = self.config.speed.on_the_wall(Duration::from_secs(1) / per_second.get());
        let now = Instant::now();
        self.books(|books| {
            let slot = books.next_slot.map_or(now, |slot| slot.max(now));
            books.next_slot = Some(slot + interval);
            slot.saturating_duration_since(now)
        })
    }

    /// Counts a call that left the queue.
    pub(crate) fn count_dialled(&self, to: &str, attempt: Option<String>) {
        self.count(to, |rings| {
            rings.dialled += 1;
            if let Some(attempt) = attempt {
                *rings.attempts.entry(attempt).or_default() += 1;
            }
        });
    }

    /// Counts a phone that rings.
    pub(crate) fn count_rang(&self, to: &str) {
        self.count(to, |rings| rings.rang += 1);
    }

    fn count(&self, to: &str, add: impl FnOnce(&mut Rings)) {
        self.books(|books| {
            if books.rings.get(&to.to_owned()).is_none() {
                books.rings.insert(to.to_owned(), Rings::default(), |_| true);
            }
            if let Some(rings) = books.rings.get_mut(&to.to_owned()) {
                add(rings);
            }
        });
    }
}
