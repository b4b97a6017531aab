//! The people who are rung, and what must be true for each of them when everything has settled.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use testkit::api::{Api, Carrier, id, ring};
use testkit::receiver::{Arrival, Receiver};
use testkit::wait::eventually;
use tokio::task::JoinSet;

use crate::line::Line;
use crate::stack::Room;

/// How fast the carrier's time runs: a call takes about three seconds.
pub(crate) const SPEED: f64 = 8.0;
/// Until a call that was cut into has its summary. The longest promise in it: evidence of a call that a bridge may have
/// dialled when it died is looked for half a minute long (`ECHO_CARRIER_EVIDENCE_SECONDS`); the rest is for a busy machine.
pub(crate) const SETTLES_WITHIN: Duration = Duration::from_secs(240);
/// What is told of every call that comes to its end.
const EVENTS: [&str; 3] = ["call.started", "call.ended", "call.summary"];
/// The longest attempt at a webhook here.
pub(crate) const WEBHOOK_DEADLINE: Duration = Duration::from_secs(3);

/// When a process dies, as seen by the person who is rung.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moment {
    /// Just after the notification was accepted.
    Placed,
    /// While the phone rings.
    Ringing,
    /// While somebody speaks.
    Talking,
    /// Right after the end.
    Ended,
}

impl Moment {
    pub(crate) const ALL: [Self; 4] = [Self::Placed, Self::Ringing, Self::Talking, Self::Ended];

    fn has_come(self, call: Option<&Value>) -> bool {
        let status = call.map(|call| call["status"].as_str().unwrap_or_default()).unwrap_or_default();
        let said = call.and_then(|call| call["transcript"].as_array()).is_some_and(|said| !said.is_empty());
        match self {
            Self::Placed => true,
            Self::Ringing => status == "ringing",
            Self::Talking => status == "in-progress" && said,
            Self::Ended => is_over(call),
        }
    }
}

/// Whether nothing more happens in this call.
fn is_over(call: Option<&Value>) -> bool {
    let status = call.and_then(|call| call["status"].as_str());
    matches!(status, Some("completed" | "busy" | "no-answer" | "failed" | "canceled"))
}

/// Somebody who was rung.
#[derive(Clone, Debug)]
pub(crate) struct Rung {
    pub(crate) phone: String,
    pub(crate) notification: String,
}

/// What is promised to the people on the phone. The accounting is promised in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// The conversation reaches its end and its result.
    ToldToTheEnd,
    /// The conversation may end early.
    OnlyTheAccounts,
}

/// Echo and the carrier from outside, and everybody who was rung so far.
pub(crate) struct Town {
    pub(crate) api: Api,
    pub(crate) carrier: Carrier,
    pub(crate) receiver: Receiver,
    agent: String,
    line: Line,
    began: Instant,
    numbers: AtomicU32,
    settled: Vec<(Rung, Promise)>,
    kills: u32,
    /// Events whose attempt was in flight when its dispatcher died, or the tables in which it would have been written down.
    cut_off: BTreeSet<String>,
    a_bridge_died: bool,
    twice: usize,
    cut_short: usize,
    longest_wait: Duration,
}

impl Town {
    /// Signs up with the Echo at `base`, before a carrier at `carrier`, for a story that began then.
    pub(crate) async fn found(base: String, carrier: &str, began: Instant) -> Self {
        let (api, carrier, receiver) = (Api::sign_up(base).await, Carrier::at(carrier), Receiver::start());
        api.report_to(&receiver).await;
        let agent = api.agent().await;
        let line = Line::listen(&carrier, SPEED).await;
        Self {
            api,
            carrier,
            receiver,
            agent,
            line,
            began,
            numbers: AtomicU32::new(0),
            settled: Vec::new(),
            kills: 0,
            cut_off: BTreeSet::new(),
            a_bridge_died: false,
            twice: 0,
            cut_short: 0,
            longest_wait: Duration::ZERO,
        }
    }

    /// People with numbers that nobody has rung; each agrees to everything. Answers phones and customers.
    pub(crate) async fn people(&self, count: usize) -> Vec<(String, String)> {
        let mut people = Vec::new();
        for _ in 0..count {
            let phone = format!("+1415556{:04}", self.numbers.fetch_add(1, Ordering::Relaxed));
            let customer = self.api.customer(&phone).await;
            people.push((phone, customer));
        }
        people
    }

    /// Rings so many people, all accepted at the first try.
    pub(crate) async fn ring(&self, count: usize) -> Vec<Rung> {
        let mut rung = Vec::new();
        for (phone, customer) in self.people(count).await {
            rung.push(Rung { phone, notification: self.api.ring(&customer, &self.agent).await });
        }
        rung
    }

    /// Asks for these calls, one so long after the other, each with a key, again and again until it is accepted: what a
    /// careful client does.
    pub(crate) fn place(&self, people: Vec<(String, String)>, between: Duration) -> JoinSet<Rung> {
        (0..)
            .zip(people)
            .map(|(n, (phone, customer))| {
                let (api, body) = (self.api.clone(), ring(&customer, &self.agent));
                async move {
                    tokio::time::sleep(between * n).await;
                    let key = format!("ring {phone}");
                    let made = eventually("the notification to be accepted", SETTLES_WITHIN, || async {
                        let path = "/api/v1/notifications";
                        match api.try_send(Method::POST, path, Some(&body), Some(&key)).await {
                            Ok((201, made)) => Ok(made),
                            Ok((status, why)) => {
                                // Not now: somebody works on it, or something behind the gateway is away.
                                assert!(status == 409 || status >= 500, "{status}: {why}");
                                Err(why.to_string())
                            }
                            Err(e) => Err(e.to_string()),
                        }
                    })
                    .await;
                    Rung { phone, notification: id(&made["notification"]) }
                }
            })
            .collect()
    }

    /// Waits until one of these people is at this moment of a call. Somebody more is rung when the calls of all of them are
    /// over: on a busy machine a moment may pass unseen.
    pub(crate) async fn until_somebody_is(&self, moment: Moment, rung: &mut Vec<Rung>) {
        loop {
            let seen = eventually(&format!("{moment:?}"), SETTLES_WITHIN, || async {
                let mut calls = Vec::new();
                for rung in &*rung {
                    calls.push(self.carrier.call_to(&rung.phone).await);
                }
                let come = calls.iter().any(|call| moment.has_come(call.as_ref()));
                let over = calls.iter().all(|call| is_over(call.as_ref()));
                if come || over { Ok(come) } else { Err(calls) }
            })
            .await;
            if seen {
                return;
            }
            rung.extend(self.ring(1).await);
        }
    }

    /// Waits until each of these people has a call at the carrier, and, if so wanted, until it is over.
    pub(crate) async fn all_called(&self, rung: &[Rung], and_over: bool) {
        for rung in rung {
            eventually("the call", SETTLES_WITHIN, || async {
                let call = self.carrier.call_to(&rung.phone).await;
                if call.is_some() && (is_over(call.as_ref()) || !and_over) { Ok(()) } else { Err(call) }
            })
            .await;
        }
    }

    /// A process with these services was killed just now, or a server without which they cannot write down what they did.
    pub(crate) fn killed(&mut self, rooms: &[Room]) {
        self.kills += 1;
        self.a_bridge_died |= rooms.contains(&Room::Bridge);
    }

    /// Attempts with these events were in flight when a dispatcher or its tables died: they may come once more.
    pub(crate) fn cut_off(&mut self, events: BTreeSet<String>) {
        self.cut_off.extend(events);
    }

    /// Waits until each of them has a summary, and checks what was promised to them.
    pub(crate) async fn settle(&mut self, rung: Vec<Rung>, promise: Promise) {
        for rung in rung {
            let arrival = self.summary_of(&rung).await;
            if let Some(ended) = self.line.ended(&rung.phone) {
                self.longest_wait = self.longest_wait.max(arrival.at.saturating_duration_since(ended));
            }
            let kept = self.check_story(&rung, &arrival.event, promise).await;
            self.settled.push((rung, kept));
        }
    }

    async fn summary_of(&self, rung: &Rung) -> Arrival {
        eventually("the summary", SETTLES_WITHIN, || async {
            match self.receiver.arrivals(&rung.notification, "call.summary").first() {
                Some(arrival) => Ok(arrival.clone()),
                None => Err(format!(
                    "webhooks for {rung:?}: {:?}; {:?}",
                    self.receiver.names_of(&rung.notification),
                    self.stored(rung).await,
                )),
            }
        })
        .await
    }

    async fn stored(&self, rung: &Rung) -> Result<Value, String> {
        let path = format!("/api/v1/notifications/{}", rung.notification);
        match self.api.try_send(Method::GET, &path, None, None).await {
            Ok((200, stored)) => Ok(stored),
            other => Err(format!("{other:?}")),
        }
    }

    /// Answers what was kept of the promise, which is less for somebody whom a bridge may have dialled when it died: without
    /// evidence at the carrier such a call is over, and never dialled again.
    async fn check_story(&mut self, rung: &Rung, summary: &Value, promise: Promise) -> Promise {
        let stored = eventually("the notification", SETTLES_WITHIN, || self.stored(rung)).await;
        let status = stored["status"].as_str().unwrap_or_default();
        assert!(matches!(status, "completed" | "failed"), "not final: {stored}");
        if summary["data"]["analysis"]["confirmed"] == true && status == "completed" {
            return promise;
        }
        self.cut_short += 1;
        let call = self.carrier.call_to(&rung.phone).await;
        let unknown =
            summary["data"]["ended_reason"] == "dial-unknown" && call.is_none() && self.a_bridge_died;
        let kept = unknown || promise == Promise::OnlyTheAccounts;
        assert!(kept, "{rung:?}: {summary}\nat the carrier: {call:#?}");
        Promise::OnlyTheAccounts
    }

    /// Waits for every event about those whose call came to its end.
    pub(crate) async fn all_told(&self) {
        for (rung, _) in self.settled.iter().filter(|(_, promise)| *promise == Promise::ToldToTheEnd) {
            for name in EVENTS {
                eventually(name, SETTLES_WITHIN, || async {
                    let arrived = !self.receiver.arrivals(&rung.notification, name).is_empty();
                    if arrived { Ok(()) } else { Err((rung, self.receiver.names_of(&rung.notification))) }
                })
                .await;
            }
        }
    }

    /// When nothing is under way any more: for everybody who was ever rung, one ring and one of each event.
    pub(crate) async fn check_accounts(&mut self) {
        for (rung, promise) in &self.settled {
            let (dialled, rang) = self.carrier.rings(&rung.phone).await;
            let must_ring = *promise == Promise::ToldToTheEnd;
            let rightly = dialled == 1 || (dialled == 0 && !must_ring);
            assert!(rightly && rang <= 1, "{rung:?}: dialled {dialled} times, rang {rang} times");
            for name in EVENTS {
                let arrivals = self.receiver.arrivals(&rung.notification, name);
                let first = arrivals.first().map(|a| a.event["event_id"].clone());
                assert!(first.is_some() || !(must_ring || name == "call.summary"), "{rung:?}: no {name}");
                for again in arrivals.iter().skip(1) {
                    assert_eq!(Some(&again.event["event_id"]), first.as_ref(), "{rung:?}: a second {name}");
                }
                assert!(arrivals.len() <= 1 || self.may_repeat(&arrivals), "{rung:?}: {name} {arrivals:#?}");
                self.twice += arrivals.len().saturating_sub(1);
            }
        }
    }

    /// Only what was in flight when a dispatcher or its tables died comes twice, and only once more. What had been written
    /// down by then does not.
    fn may_repeat(&self, arrivals: &[Arrival]) -> bool {
        let event = arrivals.first().and_then(|a| a.event["event_id"].as_str()).unwrap_or_default();
        arrivals.len() == 2 && self.cut_off.contains(event)
    }

    /// One line for whoever reads the output.
    pub(crate) fn report(&self, story: &str) {
        println!(
            "{story}: kills {}, calls {}, lost 0, cut short {}, delivered twice {}, longest silence on a line {:.1} s, \
             longest wait for a summary {:.1} s; the story took {:.0} s",
            self.kills,
            self.settled.len(),
            self.cut_short,
            self.twice,
            self.line.longest_silence().as_secs_f64(),
            self.longest_wait.as_secs_f64(),
            self.began.elapsed().as_secs_f64(),
        );
    }
}
