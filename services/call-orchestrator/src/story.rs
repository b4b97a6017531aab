//! A notification and its latest call, loaded together: the one place where the two state machines meet the tables and the
//! outbox. Every write has the same five beats: load → decide → save → stage → commit.

use chrono::{DateTime, Utc};
use common::bus::Cause;
use common::clock::to_millis;
use common::db::{DbError, Tx};
use contracts::calls::{DialRequested, LeaveMessageRequested, StopCallRequested};
use contracts::ids::{AttemptId, CallId, NotificationId, ProjectId};

use crate::app::App;
use crate::conversation;
use crate::domain::call::{self, CallEffect, CallInput, CallState, CallStatus, DialRefusal, VoicemailPolicy};
use crate::domain::ended_reason::EndedReason;
use crate::domain::limits::{DIAL_BEFORE, RING_TIMEOUT_SECONDS};
use crate::domain::notification::{self, NotificationEffect, NotificationInput, NotificationStatus};
use crate::domain::reaping;
use crate::domain::rules::{self, Facts};
use crate::events;
use crate::rulebook::{self, Rulebook};
use crate::stopping;
use crate::store::calls::{self, Call};
use crate::store::notifications::{self, Notification};
use crate::store::{erasures, readings, suppressions, turns, usage};

/// A notification and its latest call, in a transaction.
pub(crate) struct Story<'a, 't> {
    app: &'a App,
    pub(crate) tx: &'a mut Tx<'t>,
    cause: Cause,
    pub(crate) notification: Notification,
    pub(crate) call: Call,
    /// Both as the tables have them.
    stored: (Notification, Call),
}

impl<'a, 't> Story<'a, 't> {
    /// The story of a call, if it is the latest of its notification, or one by which the customer rang back.
    pub(crate) fn of_call(
        app: &'a App,
        tx: &'a mut Tx<'t>,
        cause: &Cause,
        call: CallId,
    ) -> Result<Option<Self>, DbError> {
        let Some(call) = calls::find(tx.conn, call)? else { return Ok(None) };
        let notification = notifications::find(tx.conn, call.project_id, call.notification_id)?;
        let notification = notification.filter(|n| n.call_id == call.id || call.inbound);
        Ok(notification.map(|notification| Self::loaded(app, tx, cause, (notification, call))))
    }

    /// The story of a notification.
    pub(crate) fn of_notification(
        app: &'a App,
        tx: &'a mut Tx<'t>,
        cause: &Cause,
        (project, id): (ProjectId, NotificationId),
    ) -> Result<Option<Self>, DbError> {
        let Some(notification) = notifications::find(tx.conn, project, id)? else { return Ok(None) };
        let call = calls::find(tx.conn, notification.call_id)?.ok_or(DbError::NotFound)?;
        Ok(Some(Self::loaded(app, tx, cause, (notification, call))))
    }

    /// A story that begins: writes both rows.
    pub(crate) fn begin(
        app: &'a App,
        tx: &'a mut Tx<'t>,
        cause: &Cause,
        (notification, call): (Notification, Call),
    ) -> Result<Self, DbError> {
        notifications::insert(tx.conn, &notification)?;
        calls::insert(tx.conn, &call)?;
        Ok(Self::loaded(app, tx, cause, (notification, call)))
    }

    /// The customer rings back: a call of its own. A notification that waits between two calls goes on with this one.
    pub(crate) fn ring_back(
        app: &'a App,
        tx: &'a mut Tx<'t>,
        cause: &Cause,
        (notification, call): (Notification, Call),
    ) -> Result<Self, DbError> {
        calls::insert(tx.conn, &call)?;
        let goes_on = notification.state.waits_between_calls();
        if goes_on {
            withdraw(tx, notification.call_id)?;
        }
        let mut story = Self::loaded(app, tx, cause, (notification, call));
        if goes_on {
            story.notification.call_id = story.call.id;
            story.notification_input(NotificationInput::CustomerRangBack)?;
        }
        Ok(story)
    }

    /// Whether the end of the call is an end for the notification: not where the customer rang back after that.
    fn is_the_notifications(&self) -> bool {
        self.notification.call_id == self.call.id
    }

    fn loaded(app: &'a App, tx: &'a mut Tx<'t>, cause: &Cause, stored: (Notification, Call)) -> Self {
        let (notification, call) = stored.clone();
        Self { app, tx, cause: cause.clone(), notification, call, stored }
    }

    /// Rings, waits or ends, as the rules say at this moment.
    pub(crate) fn dial_if_allowed(&mut self) -> Result<(), DbError> {
        let (project, customer) = (self.notification.project_id, self.notification.customer_id);
        let rulebook = rulebook::read(self.tx.conn, project, customer)?;
        self.dial_under(&rulebook)
    }

    /// The same, under a rulebook that was just read. What is gone is not rung, and forgotten.
    pub(crate) fn dial_under(&mut self, rulebook: &Rulebook) -> Result<(), DbError> {
        let (project, id, now) = (self.notification.project_id, self.notification.id, self.tx.now());
        if self.notification.to_bot.is_some() {
            return Ok(()); // nobody is ever rung for a call that came in
        }
        if rulebook.gone {
            erasures::add(self.tx.conn, project, self.notification.customer_id, now)?;
            return self.notification_input(NotificationInput::CancelRequested);
        }
        // Two replicas that count at the same moment would both find room for one more call.
        common::db::lease::exclusive(self.tx.conn, &format!("calls of {project}"))?;
        let facts = Facts {
            phone: &self.notification.phone,
            suppressed: suppressions::contains(self.tx.conn, project, &self.notification.phone)?,
            operator: &self.app.countries,
            policy: &rulebook.policy,
            standing: rulebook.standing,
            load: rulebook::load(self.tx.conn, project, id, &rulebook.policy, now)?,
        };
        let said = rules::decide(&facts, now);
        self.notification_input(said)
    }

    /// Something happened to the call.
    pub(crate) fn call_input(&mut self, input: CallInput) -> Result<(), DbError> {
        let now = self.tx.now();
        let step = call::step(&self.call.state, input, now);
        if let Some(at) = reaping::moved(&self.call.state, &step.state, now) {
            self.call.reap_at = at;
        }
        if step.state.dialled && !self.call.state.dialled {
            self.call.dialled_at = Some(now);
        }
        self.call.state = step.state;
        step.effects.into_iter().try_for_each(|effect| self.call_effect(effect))
    }

    /// Something happened to the notification.
    pub(crate) fn notification_input(&mut self, input: NotificationInput) -> Result<(), DbError> {
        let step = notification::step(&self.notification.state, input, self.tx.now());
        self.notification.state = step.state;
        step.effects.into_iter().try_for_each(|effect| self.notification_effect(effect))
    }

    fn call_effect(&mut self, effect: CallEffect) -> Result<(), DbError> {
        match effect {
            CallEffect::PrepareFirstTurn => {
                let (app, call) = (self.app.clone(), self.call.id);
                self.tx.after_commit(move || conversation::prepare_first_turn(app, call));
                Ok(())
            }
            // A bot's business is told once, at the end.
            CallEffect::EmitStarted | CallEffect::EmitEnded if self.notification.to_bot.is_some() => Ok(()),
            CallEffect::EmitStarted => {
                self.tx.stage(&events::started(&self.notification, &self.call), &self.cause)?;
                self.reached_after_all()
            }
            CallEffect::EmitEnded => {
                self.tx.stage(&events::ended(&self.notification, &self.call), &self.cause)
            }
            CallEffect::StopCarrierCall => self.stop_carrier_call(),
            CallEffect::SuppressNumber => {
                let (project, now) = (self.notification.project_id, self.tx.now());
                let Some(phone) = self.notification.known_phone().map(str::to_owned) else { return Ok(()) };
                suppressions::add(self.tx.conn, project, &phone, ("asked in a call", "call"), now)?;
                let app = self.app.clone();
                self.tx.after_commit(move || stopping::stop_waiting_soon(app, project, phone));
                Ok(())
            }
            CallEffect::RunRulesAgain(refusal) => {
                self.free_slot()?;
                self.notification_input(match refusal {
                    DialRefusal::Late => NotificationInput::DialRefusedLate,
                    DialRefusal::LineBusy => NotificationInput::DialRefusedLineBusy,
                })
            }
            CallEffect::Conclude(reason) => self.conclude(reason),
            CallEffect::LeaveVoicemail => self.leave_message(),
            CallEffect::MarkNumberUnreachable => self.tell_reachability(false),
        }
    }

    /// Somebody has picked up: a number that the carrier once said cannot be rung can.
    fn reached_after_all(&mut self) -> Result<(), DbError> {
        let Some(customer) = self.notification.customer_id else { return Ok(()) };
        let phone = &self.notification.phone;
        match calls::ever_invalid(self.tx.conn, self.notification.project_id, customer, phone)? {
            true => self.tell_reachability(true),
            false => Ok(()),
        }
    }

    fn tell_reachability(&mut self, reachable: bool) -> Result<(), DbError> {
        let state = &self.call.state;
        let shown = if reachable { state.started_at } else { state.ended_at };
        let at = shown.unwrap_or_else(|| self.tx.now());
        let Some(changed) = events::reachability(&self.notification, reachable, at) else { return Ok(()) };
        self.tx.stage(&changed, &self.cause)
    }

    /// The call is over: nothing more is said in it.
    fn conclude(&mut self, reason: EndedReason) -> Result<(), DbError> {
        let (call, now) = (self.call.id, self.tx.now());
        turns::drop_running(self.tx.conn, call, None, now)?;
        let frozen = self.app.frozen.clone();
        self.tx.after_commit(move || frozen.forget(call));
        if self.stored.1.state.dial_requested && self.notification.to_bot.is_none() {
            self.free_slot()?;
        }
        let state = &self.call.state;
        if state.dialled {
            let (at, answered) = (state.ended_at.unwrap_or(now), state.started_at.is_some());
            let talk = state.talk_time().num_milliseconds();
            usage::count_call(self.tx.conn, self.call.project_id, at, (answered, talk))?;
        }
        if !self.is_the_notifications() {
            return self.have_it_read(now);
        }
        self.notification_input(NotificationInput::CallEnded { reason })
    }

    /// The customer rang back after the end of the notification: what this call has brought is kept with the call.
    fn have_it_read(&mut self, now: DateTime<Utc>) -> Result<(), DbError> {
        let spec = &self.notification.spec;
        let asks = spec.schema.is_some() || spec.reschedule.is_some();
        if !asks || self.call.state.started_at.is_none() || self.notification.is_blank() {
            return Ok(());
        }
        readings::insert(self.tx.conn, self.call.project_id, self.call.id, now)?;
        let due = std::sync::Arc::clone(&self.app.reading_due);
        self.tx.after_commit(move || due.notify_one());
        Ok(())
    }

    /// The project has a call less.
    fn free_slot(&mut self) -> Result<(), DbError> {
        let (n, now) = (&self.notification, self.tx.now());
        notifications::wake_held(self.tx.conn, n.project_id, rules::CONCURRENCY, n.id, now)?;
        let due = std::sync::Arc::clone(&self.app.dial_due);
        self.tx.after_commit(move || due.notify_one());
        Ok(())
    }

    fn notification_effect(&mut self, effect: NotificationEffect) -> Result<(), DbError> {
        match effect {
            NotificationEffect::StartCall { attempt } => self.start_call(attempt),
            NotificationEffect::StopCall => self.call_input(CallInput::CancelRequested),
            NotificationEffect::Summarise { ended_reason, .. } => {
                if !self.call.state.status.is_final() {
                    self.call_input(CallInput::Withdrawn { reason: ended_reason })?;
                }
                self.notification.summary_due = true;
                let talked = self.call.state.started_at.is_some();
                self.notification.result_due = talked && self.notification.is_read_out();
                let due = std::sync::Arc::clone(&self.app.summary_due);
                self.tx.after_commit(move || due.notify_one());
                Ok(())
            }
            NotificationEffect::WaitUntil(_) => Ok(()), // `next_try_at` says so; the periodic task finds it
        }
    }

    /// Asks the bridge to ring, with a new wish; a new call where the last one is over.
    fn start_call(&mut self, attempt: u32) -> Result<(), DbError> {
        let now = self.tx.now();
        if self.call.state.status.is_final() {
            calls::save(self.tx.conn, &self.call)?;
            self.call = new_call(&self.notification, CallId::new(), attempt, now);
            calls::insert(self.tx.conn, &self.call)?;
            self.stored.1 = self.call.clone();
            self.notification.call_id = self.call.id;
        }
        let wish = AttemptId::new();
        self.call.attempt_id = Some(wish);
        self.call.begun_at = Some(now);
        self.call_input(CallInput::DialRequested)?;
        let records = rulebook::records(self.tx.conn, &self.notification)?;
        let request = DialRequested {
            attempt_id: wish.to_string(),
            call_id: self.call.id.to_string(),
            project_id: self.call.project_id.to_string(),
            to_e164: self.notification.phone.clone(),
            customer_id: events::text(self.notification.customer_id),
            dial_before_ms: to_millis(now + DIAL_BEFORE),
            ring_timeout_seconds: RING_TIMEOUT_SECONDS,
            time_limit_seconds: self.call.state.time_limit_seconds.unwrap_or_default(),
            from_e164: self.notification.options.from.clone().unwrap_or_default(),
            leaves_message: self.notification.options.voicemail == VoicemailPolicy::LeaveMessage,
            records,
        };
        self.tx.stage(&request, &self.cause)
    }

    /// Asks the bridge to break off what is said or heard, and to ask for the message instead: it is the next turn.
    fn leave_message(&mut self) -> Result<(), DbError> {
        let Some(attempt) = self.call.attempt_id else { return Ok(()) };
        let latest = turns::latest(self.tx.conn, self.call.id)?;
        let request = LeaveMessageRequested {
            call_id: self.call.id.to_string(),
            project_id: self.call.project_id.to_string(),
            attempt_id: attempt.to_string(),
            turn: latest.map_or(0, |turn| turn.next().0),
        };
        self.tx.stage(&request, &self.cause)
    }

    /// Asks the bridge to end the call, and to dial nothing for it any more.
    pub(crate) fn stop_carrier_call(&mut self) -> Result<(), DbError> {
        let Some(attempt) = self.call.attempt_id else { return Ok(()) };
        let request = StopCallRequested {
            call_id: self.call.id.to_string(),
            project_id: self.call.project_id.to_string(),
            attempt_id: attempt.to_string(),
        };
        self.tx.stage(&request, &self.cause)
    }

    /// Saves what has changed. Answers both rows as they are now.
    ///
    /// `updated_at` of a notification moves when its project sees it differently: not when it only waits on.
    pub(crate) fn save(mut self) -> Result<(Notification, Call), DbError> {
        let now = self.tx.now();
        let (notification, call) = &self.stored;
        if self.is_the_notifications() && seen(&self.notification, &self.call) != seen(notification, call) {
            self.notification.updated_at = now;
        }
        if self.notification != *notification {
            notifications::save(self.tx.conn, &self.notification)?;
        }
        if self.call != *call {
            self.call.updated_at = now;
            calls::save(self.tx.conn, &self.call)?;
        }
        Ok((self.notification, self.call))
    }
}

/// A call that was to be dialled, and has not been, is not needed any more. The notification hears nothing of it.
fn withdraw(tx: &mut Tx<'_>, call: CallId) -> Result<(), DbError> {
    let Some(call) = calls::find(tx.conn, call)?.filter(|call| !call.state.status.is_final()) else {
        return Ok(());
    };
    let now = tx.now();
    let input = CallInput::Withdrawn { reason: EndedReason::Canceled };
    let state = call::step(&call.state, input, now).state;
    calls::save(tx.conn, &Call { state, updated_at: now, ..call })
}

/// What a project sees of the progress of a notification. The carrier's code comes with a status.
type Seen<'a> = (NotificationStatus, Option<EndedReason>, Option<&'a str>, CallId, CallStatus);

fn seen<'a>(n: &'a Notification, call: &Call) -> Seen<'a> {
    let blocked_by = n.state.blocked_by.as_deref();
    (n.shown_status(), n.state.ended_reason, blocked_by, n.call_id, call.state.status)
}

/// A call that has not been dialled yet.
pub(crate) fn new_call(notification: &Notification, id: CallId, attempt: u32, now: DateTime<Utc>) -> Call {
    Call {
        id,
        project_id: notification.project_id,
        notification_id: notification.id,
        attempt,
        inbound: false,
        attempt_id: None,
        state: CallState::accepted(Some(notification.spec.time_limit_seconds)),
        reap_at: now,
        stop_asked: false,
        answered_by: None,
        bot_id: notification.to_bot.as_ref().map(|to| to.bot),
        begun_at: None,
        dialled_at: None,
        created_at: now,
        updated_at: now,
        version: 0,
    }
}
