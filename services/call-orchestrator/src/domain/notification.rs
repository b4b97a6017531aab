//! The life of a notification: from its acceptance over one or more calls to exactly one summary.
//!
//! [`step`] is the whole machine. It never looks at a clock: the caller says what happened and when, stores
//! the new state and carries out the effects.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};

use super::ended_reason::EndedReason;
use super::limits::{EXPIRES_AFTER, WAIT_AFTER_LATE, WAIT_AFTER_LINE_BUSY};
use super::retry::RetryPolicy;
use super::rules;

/// Where a notification stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotificationStatus {
    /// Scheduled, or waiting for a slot, until a call is first dialled.
    Queued,
    /// A call is being made, or another attempt is waiting.
    InProgress,
    /// Somebody was reached.
    Completed,
    /// Nobody was reached.
    Failed,
    /// Canceled on request.
    Canceled,
}

/// A text that is no [`NotificationStatus`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no notification status; known are `queued`, `in_progress`, `completed`, `failed`, `canceled`"
)]
pub struct UnknownNotificationStatus(pub String);

impl NotificationStatus {
    const ALL: [Self; 5] = [Self::Queued, Self::InProgress, Self::Completed, Self::Failed, Self::Canceled];

    /// The public text, for example `in_progress`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::InProgress => "in_progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Canceled => "canceled",
        }
    }

    /// Whether it never changes again.
    #[must_use]
    pub const fn is_final(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Canceled)
    }
}

impl fmt::Display for NotificationStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for NotificationStatus {
    type Err = UnknownNotificationStatus;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|status| status.as_str() == text)
            .ok_or_else(|| UnknownNotificationStatus(text.to_owned()))
    }
}

/// What is stored of a notification's progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationState {
    /// Where it stands.
    pub status: NotificationStatus,
    /// When it may first be dialled.
    pub due_at: DateTime<Utc>,
    /// After this moment no call is begun.
    pub expires_at: DateTime<Utc>,
    /// When the rules run next; meaningless while a call is alive and once it is over.
    pub next_try_at: DateTime<Utc>,
    /// Calls begun so far; one that the bridge refused to dial does not count.
    pub attempts: u32,
    /// Whether a call of this notification has not ended yet.
    pub live_call: bool,
    /// Why it ended; present exactly in the final states.
    pub ended_reason: Option<EndedReason>,
    /// The rule that holds it back, or that stopped it.
    pub blocked_by: Option<String>,
    /// Whether its one summary was asked for.
    pub summarised: bool,
    /// When to ring again.
    pub retry: RetryPolicy,
}

impl NotificationState {
    /// A notification as it is accepted: due at `due_at`, given up at `expires_at` (24 hours later when
    /// absent).
    #[must_use]
    pub fn accepted(due_at: DateTime<Utc>, expires_at: Option<DateTime<Utc>>, retry: RetryPolicy) -> Self {
        Self {
            status: NotificationStatus::Queued,
            due_at,
            expires_at: expires_at.unwrap_or(due_at + EXPIRES_AFTER),
            next_try_at: due_at,
            attempts: 0,
            live_call: false,
            ended_reason: None,
            blocked_by: None,
            summarised: false,
            retry,
        }
    }

    /// What a call is for that came in at `now`: nobody is rung for it, neither now nor when it is over.
    #[must_use]
    pub fn answering(now: DateTime<Utc>) -> Self {
        let accepted = Self::accepted(now, None, RetryPolicy::default());
        Self { status: NotificationStatus::InProgress, live_call: true, attempts: 1, ..accepted }
    }

    /// Whether it can still be canceled: a finished one cannot.
    #[must_use]
    pub const fn can_be_canceled(&self) -> bool {
        !self.status.is_final()
    }

    /// Whether a call of the customer can take the place of the next one to them: it has been dialled, and waits.
    #[must_use]
    pub const fn waits_between_calls(&self) -> bool {
        matches!(self.status, NotificationStatus::InProgress) && !self.live_call
    }

    fn waits(&self) -> bool {
        !self.status.is_final() && !self.live_call
    }
}

/// What happened to a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationInput {
    /// Its time has come and every rule lets it through.
    Due,
    /// A rule holds it back.
    Blocked {
        /// The word for the rule: see [`rules`].
        by: String,
        /// When the rule may let it through; `None` when it never will.
        until: Option<DateTime<Utc>>,
    },
    /// The bridge had the wish to dial too late and did not dial.
    DialRefusedLate,
    /// Another call to the same number is alive; the bridge did not dial.
    DialRefusedLineBusy,
    /// Its customer has rung back, and talks with the same agent.
    CustomerRangBack,
    /// Its call is over.
    CallEnded {
        /// Why.
        reason: EndedReason,
    },
    /// It is withdrawn: its project wants it stopped, or nobody could be told that it was accepted.
    CancelRequested,
    /// A sweep found it past `expires_at`.
    Expired,
}

/// What has to be done about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotificationEffect {
    /// Ask the bridge to dial call number `attempt` (from 1). After a refusal it is the same number again.
    StartCall {
        /// Which attempt.
        attempt: u32,
    },
    /// Run the rules again at this time, not earlier.
    WaitUntil(DateTime<Utc>),
    /// Stop the call that is alive, whether it waits, rings or talks.
    StopCall,
    /// The notification is over: send its one summary.
    Summarise {
        /// Why it ended.
        ended_reason: EndedReason,
        /// How it ended.
        status: NotificationStatus,
    },
}

/// The answer of [`step`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotificationStep {
    /// The state to store; equal to the old one when the input had nothing to say.
    pub state: NotificationState,
    /// What to do, in this order.
    pub effects: Vec<NotificationEffect>,
}

/// What `input`, learned at `now`, makes of `state`. An input that comes too late or twice changes nothing.
///
/// A cancel is final at once, also while a call is alive: that call is stopped, and the summary follows when
/// it has ended.
#[must_use]
pub fn step(state: &NotificationState, input: NotificationInput, now: DateTime<Utc>) -> NotificationStep {
    let mut next = state.clone();
    let effects = match input {
        NotificationInput::Due => due(&mut next, now),
        NotificationInput::Blocked { by, until } => blocked(&mut next, by, until, now),
        NotificationInput::DialRefusedLate => refused(&mut next, None, now + WAIT_AFTER_LATE),
        NotificationInput::DialRefusedLineBusy => {
            refused(&mut next, Some(rules::LINE_BUSY), now + WAIT_AFTER_LINE_BUSY)
        }
        NotificationInput::CustomerRangBack => {
            next.live_call |= next.waits_between_calls();
            Vec::new()
        }
        NotificationInput::CallEnded { reason } => call_ended(&mut next, reason, now),
        NotificationInput::CancelRequested => cancel(&mut next),
        NotificationInput::Expired if next.waits() && now >= next.expires_at => {
            end(&mut next, EndedReason::Expired)
        }
        NotificationInput::Expired => Vec::new(),
    };
    NotificationStep { state: next, effects }
}

fn due(state: &mut NotificationState, now: DateTime<Utc>) -> Vec<NotificationEffect> {
    if !state.waits() {
        return Vec::new();
    }
    if now >= state.expires_at {
        return end(state, EndedReason::Expired);
    }
    let earliest = state.next_try_at.max(state.due_at);
    if now < earliest {
        return vec![NotificationEffect::WaitUntil(earliest)];
    }
    state.status = NotificationStatus::InProgress;
    state.blocked_by = None;
    state.live_call = true;
    state.attempts += 1;
    vec![NotificationEffect::StartCall { attempt: state.attempts }]
}

fn blocked(
    state: &mut NotificationState,
    by: String,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Vec<NotificationEffect> {
    if !state.waits() {
        return Vec::new();
    }
    // Before its time it stands in no line, and a rule that opens is no reason to ring.
    if until.is_some() && now < state.due_at {
        return wait(state, state.due_at);
    }
    state.blocked_by = Some(by);
    match until {
        None => end(state, EndedReason::Blocked),
        Some(_) if now >= state.expires_at => end(state, EndedReason::Expired),
        Some(until) => wait(state, until),
    }
}

fn refused(state: &mut NotificationState, by: Option<&str>, until: DateTime<Utc>) -> Vec<NotificationEffect> {
    if !state.live_call {
        return Vec::new();
    }
    state.live_call = false;
    state.attempts = state.attempts.saturating_sub(1);
    if state.status.is_final() {
        return summarise(state);
    }
    state.blocked_by = by.map(str::to_owned);
    wait(state, until)
}

fn call_ended(
    state: &mut NotificationState,
    reason: EndedReason,
    now: DateTime<Utc>,
) -> Vec<NotificationEffect> {
    if !state.live_call {
        return Vec::new();
    }
    state.live_call = false;
    if state.status.is_final() {
        return summarise(state);
    }
    match state.retry.next(state.attempts, reason, now) {
        Some(again) if again < state.expires_at => wait(state, again),
        _ => end(state, reason),
    }
}

fn cancel(state: &mut NotificationState) -> Vec<NotificationEffect> {
    if state.status.is_final() {
        return Vec::new();
    }
    if !state.live_call {
        return end(state, EndedReason::Canceled);
    }
    state.status = NotificationStatus::Canceled;
    state.ended_reason = Some(EndedReason::Canceled);
    vec![NotificationEffect::StopCall]
}

// Past its end nothing is waited for: the sweep that runs then finds it expired.
fn wait(state: &mut NotificationState, until: DateTime<Utc>) -> Vec<NotificationEffect> {
    state.next_try_at = until.min(state.expires_at);
    vec![NotificationEffect::WaitUntil(state.next_try_at)]
}

fn end(state: &mut NotificationState, reason: EndedReason) -> Vec<NotificationEffect> {
    state.status = reason.notification_status();
    state.ended_reason = Some(reason);
    summarise(state)
}

fn summarise(state: &mut NotificationState) -> Vec<NotificationEffect> {
    let Some(ended_reason) = state.ended_reason else { return Vec::new() };
    if state.summarised {
        return Vec::new();
    }
    state.summarised = true;
    vec![NotificationEffect::Summarise { ended_reason, status: state.status }]
}

#[cfg(test)]
mod tests;
