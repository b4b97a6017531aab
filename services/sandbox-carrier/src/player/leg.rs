//! One leg while it is played: its clock, its person, its place in the books, its callbacks.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;
use twilio::CallSid;
use twilio::call::CallStatus;

use super::callbacks::{self, Kind, Outgoing};
use super::{Flow, Stop, params, record};
use crate::client::{Cookies, Params};
use crate::domain::call::Call;
use crate::domain::clock::CallClock;
use crate::domain::ending::Ending;
use crate::domain::event::Happening;
use crate::domain::fault::Problem;
use crate::domain::person::Person;
use crate::domain::plan::{Hook, Plan, Recording};
use crate::domain::transcript::{Line, Speaker};
use crate::state::Shared;
use crate::wall;

/// A leg in play.
pub(super) struct Leg {
    pub(super) shared: Arc<Shared>,
    pub(super) sid: CallSid,
    pub(super) plan: Plan,
    pub(super) person: Person,
    pub(super) clock: CallClock,
    waiting: Option<Waiting>,
    callbacks: mpsc::UnboundedSender<Outgoing>,
    /// What servers have had it keep in this call.
    pub(super) cookies: Arc<Cookies>,
    sequence: u32,
    recording: Option<Running>,
}

/// A recording of the whole call that runs beside what happens in it.
#[derive(Clone, Debug)]
struct Running {
    recording: Recording,
    /// On the call's clock.
    since: Duration,
    started: DateTime<Utc>,
}

/// What the leg is in the middle of.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    since: Instant,
    /// The nominal length of what is played; nothing while another machine is waited for.
    nominal: Option<Duration>,
    /// Whether the agent is speaking.
    speech: bool,
}

impl Leg {
    /// A leg whose callbacks are delivered by a task on `side`.
    pub(super) fn new(
        shared: &Arc<Shared>,
        sid: CallSid,
        plan: Plan,
        person: Person,
        side: &mut JoinSet<()>,
    ) -> Leg {
        let (callbacks, outgoing) = mpsc::unbounded_channel();
        side.spawn(callbacks::deliver(Arc::clone(shared), outgoing));
        Leg::of(Arc::clone(shared), sid, plan, person, callbacks)
    }

    /// Waits for nominal time that is no part of the conversation (ringing, the queue).
    pub(super) async fn idle(&self, nominal: Duration) {
        tokio::time::sleep(self.shared.config.speed.on_the_wall(nominal)).await;
    }

    /// The second leg of a `<Dial>`; its callbacks are delivered with those of this one.
    pub(super) fn second(&self, sid: CallSid, plan: Plan, person: Person) -> Leg {
        Leg::of(Arc::clone(&self.shared), sid, plan, person, self.callbacks.clone())
    }

    fn of(
        shared: Arc<Shared>,
        sid: CallSid,
        plan: Plan,
        person: Person,
        callbacks: mpsc::UnboundedSender<Outgoing>,
    ) -> Leg {
        let (clock, cookies) = (CallClock::new(plan.time_limit), Arc::default());
        Leg {
            shared,
            sid,
            plan,
            person,
            clock,
            waiting: None,
            callbacks,
            cookies,
            sequence: 0,
            recording: None,
        }
    }

    /// Lets time of the conversation pass in which the agent is silent.
    pub(super) async fn wait(&mut self, nominal: Duration) -> Flow<()> {
        self.last(nominal, false).await
    }

    /// Lets time pass in which the agent speaks.
    pub(super) async fn speak_for(&mut self, nominal: Duration) -> Flow<()> {
        self.last(nominal, true).await
    }

    async fn last(&mut self, nominal: Duration, speech: bool) -> Flow<()> {
        self.refresh_limit();
        let nominal = self.clock.fit(nominal);
        self.waiting = Some(Waiting { since: Instant::now(), nominal: Some(nominal), speech });
        tokio::time::sleep(self.shared.config.speed.on_the_wall(nominal)).await;
        self.waiting = None;
        self.clock.play(nominal).map_err(|_| Stop::TimeIsUp)
    }

    /// Waits for another machine; its time counts as it really passes.
    pub(super) async fn abroad<T>(&mut self, work: impl Future<Output = T>) -> Flow<T> {
        let since = Instant::now();
        self.waiting = Some(Waiting { since, nominal: None, speech: false });
        let outcome = work.await;
        self.waiting = None;
        self.refresh_limit();
        self.clock.pass(since.elapsed()).map_err(|_| Stop::TimeIsUp)?;
        Ok(outcome)
    }

    /// Does something else of the carrier's that lasts at most `nominal`, and books how long it took.
    pub(super) async fn alongside<T>(&mut self, nominal: Duration, work: impl Future<Output = T>) -> Flow<T> {
        let since = Instant::now();
        self.waiting = Some(Waiting { since, nominal: Some(nominal), speech: false });
        let outcome = work.await;
        self.waiting = None;
        let passed = nominal.min(self.shared.config.speed.nominal(since.elapsed()));
        self.clock.play(passed).map_err(|_| Stop::TimeIsUp)?;
        Ok(outcome)
    }

    /// Books the part of an interrupted wait that has passed.
    pub(super) fn settle(&mut self) {
        if let Some(waiting) = self.waiting.take() {
            let real = waiting.since.elapsed();
            if waiting.speech {
                self.cut_last_line();
            }
            let over = match waiting.nominal {
                Some(nominal) => self.clock.play(nominal.min(self.shared.config.speed.nominal(real))),
                None => self.clock.pass(real),
            };
            if over.is_err() {
                tracing::debug!(call_sid = %self.sid, "interrupted at its time limit");
            }
        }
    }

    fn refresh_limit(&mut self) {
        if let Some(limit) = self.shared.call(&self.sid, |call| call.plan.time_limit) {
            self.clock.set_limit(limit);
        }
    }

    /// Whether somebody has picked up.
    pub(super) fn is_answered(&self) -> bool {
        self.shared.call(&self.sid, |call| call.started.is_some()).unwrap_or(false)
    }

    /// Enters a status and reports it.
    pub(super) fn enter(&mut self, status: CallStatus) {
        self.shared.change(&self.sid, |call| call.enter(status.clone(), wall::now()));
        match status {
            CallStatus::Ringing => self.shared.tell(&self.sid, Happening::Ringing),
            CallStatus::InProgress => self.shared.tell(&self.sid, Happening::Answered),
            _ => {}
        }
        self.report(&status, Params::new());
    }

    /// Ends the leg and reports that. A second end changes nothing.
    pub(super) fn end(&mut self, ending: Ending) {
        let lasted = self.clock.elapsed();
        let recorded = self.recording.take().map(|running| {
            record::whole(self, &running.recording, running.started, lasted.saturating_sub(running.since))
        });
        self.shared.retire(&self.sid);
        let ended = self.shared.change(&self.sid, |call| {
            call.end(ending, lasted, wall::now()).then(|| call.duration.map_or(0, whole_seconds))
        });
        let Some(Some(duration)) = ended else { return };
        let status = ending.status();
        self.shared.tell(&self.sid, Happening::Ended { status: status.to_string(), duration });
        if ending != Ending::CanceledInQueue {
            let mut extra = params::of_the_end(ending, duration);
            extra.extend(recorded.iter().flat_map(record::Whole::told_with_the_end));
            self.report(&status, extra);
        }
        if let Some(recorded) = recorded {
            recorded.report(self);
        }
    }

    /// From now on the whole call is recorded. One that is recorded already is not recorded twice.
    pub(super) fn start_recording(&mut self, recording: Recording) {
        if self.recording.is_some() {
            tracing::debug!(call_sid = %self.sid, "recorded already");
            return;
        }
        self.recording = Some(Running { recording, since: self.clock.elapsed(), started: wall::now() });
    }

    fn report(&mut self, status: &CallStatus, extra: Params) {
        let wanted = |call: &Call| call.plan.status.clone().filter(|_| call.plan.events.include(status));
        let Some(hook) = self.shared.call(&self.sid, wanted).flatten() else { return };
        if *status == CallStatus::Ringing && self.shared.books(|books| books.nasty.ringing_untold) {
            return;
        }
        let mut all = self.params(status);
        all.extend(params::of_progress(self.sequence));
        all.extend(extra);
        self.sequence += 1;
        self.post(hook, all, Kind::Progress);
    }

    /// Puts a callback on its way.
    pub(super) fn post(&self, hook: Hook, params: Params, kind: Kind) {
        let sid = self.sid.clone();
        if self.callbacks.send(Outgoing { sid, hook, params, kind }).is_err() {
            tracing::error!(call_sid = %self.sid, "callbacks are no longer delivered");
        }
    }

    /// The parameters that every request of this leg carries, in this status.
    pub(super) fn params(&self, status: &CallStatus) -> Params {
        let account = &self.shared.config.account_sid;
        let standard = self.shared.call(&self.sid, |call| params::standard(account, call, status));
        let mut all = standard.unwrap_or_default();
        if self.shared.books(|books| books.nasty.parameters_unknown) {
            all.extend(params::unheard_of());
        }
        all
    }

    /// The same in the status that the call has now.
    pub(super) fn params_now(&self) -> Params {
        let status = self.shared.call(&self.sid, |call| call.status.clone());
        self.params(&status.unwrap_or(CallStatus::InProgress))
    }

    /// Writes down what somebody says, and lets the onlookers hear it.
    pub(super) fn say_line(&self, by: Speaker, text: &str, listened_to: bool) {
        let known = self.shared.change(&self.sid, |call| recall_greeting(call, by, text, listened_to));
        if known != Some(true) {
            self.line(Line { by, listened_to, ..self.blank_line(text) });
            self.shared.tell(&self.sid, Happening::Said { by, text: text.to_owned() });
        }
    }

    /// Writes down which keys the person presses.
    pub(super) fn key_line(&self, keys: &str, listened_to: bool) {
        self.line(Line { keys: true, listened_to, ..self.blank_line(keys) });
        self.shared.tell(&self.sid, Happening::Digits { keys: keys.to_owned() });
    }

    fn blank_line(&self, text: &str) -> Line {
        let at = self.clock.elapsed().as_secs_f64();
        let text = text.to_owned();
        Line { by: Speaker::Person, text, at, keys: false, interrupted: false, listened_to: false }
    }

    fn line(&self, line: Line) {
        self.shared.change(&self.sid, |call| call.transcript.push(line));
    }

    /// The last line of the agent was not heard to its end.
    pub(super) fn cut_last_line(&self) {
        self.shared.change(&self.sid, |call| {
            if let Some(line) = call.transcript.iter_mut().rfind(|line| line.by == Speaker::Agent) {
                line.interrupted = true;
            }
        });
    }

    /// Writes a fault of this leg down.
    pub(super) fn fault(&self, problem: Problem, hook: Option<&Hook>) {
        self.shared.fault(&self.sid, problem, hook.map(|hook| hook.url.as_str()));
    }
}

/// A greeting that goes on while a `<Gather>` listens is one line, and now somebody listens to it.
fn recall_greeting(call: &mut Call, by: Speaker, text: &str, listened_to: bool) -> bool {
    match call.transcript.iter_mut().find(|line| line.by == Speaker::Person) {
        Some(line) if by == Speaker::Person && line.at == 0.0 && line.text == text => {
            line.listened_to |= listened_to;
            true
        }
        _ => false,
    }
}

/// Whole seconds, as Twilio bills and reports them.
pub(super) fn whole_seconds(lasted: Duration) -> u64 {
    (lasted + Duration::from_millis(500)).as_secs()
}
