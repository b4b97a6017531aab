//! The end of a notification: transcript → extraction (validated, tried once more with the errors) → evidence check → result,
//! and exactly one summary event. The model is asked outside of any transaction; a replica that dies meanwhile loses its
//! lease and another one does it.

use std::time::Duration;

use common::bus::Cause;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::conversation::{learning, tools as called};
use crate::costs::Meter;
use crate::domain::bot_result::{self, BotOutcome, Ending};
use crate::domain::limits::SUMMARY_LEASE;
use crate::domain::reschedule::Agreed;
use crate::domain::tools::Went;
use crate::domain::transcript::{self, Speaker, Utterance};
use crate::domain::turn::TurnNumber;
use crate::error::OrchestratorError;
use crate::events;
use crate::store::calls::{self, Call};
use crate::store::notifications::{self, Found, Notification};
use crate::store::tool_calls::{self, ToolCall};
use crate::store::turns::{self, Turn};

/// Summaries written at the same time; of one project, not all of them ([`notifications::claim_to_summarise`]).
const AT_ONCE: usize = 32;
/// Sweep for summaries whose nudge was lost, and for those of a process that died.
const SWEEP: Duration = Duration::from_secs(1);

/// Writes summaries until `stop`. A slow one keeps nobody else waiting. Each is a task of its own: one that was not polled
/// while this loop asks for a connection might hold the place in the line for it.
pub(crate) async fn run(app: App, stop: CancellationToken) {
    let mut running = JoinSet::new();
    while !stop.is_cancelled() {
        match claim(&app, AT_ONCE - running.len()).await {
            Ok(due) => {
                for notification in due {
                    running.spawn(one(app.clone(), notification));
                }
            }
            Err(error) => tracing::warn!(%error, "no summaries could be looked for; tried again in a second"),
        }
        let full = running.len() >= AT_ONCE;
        tokio::select! {
            Some(_) = running.join_next() => {}
            () = app.summary_due.notified(), if !full => {}
            () = tokio::time::sleep(SWEEP), if !full => {}
            () = stop.cancelled() => {}
        }
    }
    while running.join_next().await.is_some() {}
}

async fn claim(app: &App, room: usize) -> Result<Vec<Notification>, OrchestratorError> {
    let limit = u32::try_from(room).unwrap_or(u32::MAX);
    app.write(move |tx| {
        let now = tx.now();
        Ok(notifications::claim_to_summarise(tx.conn, now, SUMMARY_LEASE, limit)?)
    })
    .await
}

async fn one(app: App, notification: Notification) {
    let id = notification.id;
    if let Err(error) = summarise(&app, notification).await {
        tracing::warn!(notification = %id, %error, "could not be summarised; tried again when the lease ends");
    }
}

async fn summarise(app: &App, notification: Notification) -> Result<(), OrchestratorError> {
    let call_id = notification.call_id;
    let callable = called::callable(&notification.spec);
    let (call, turns, made) = app
        .platform
        .database
        .read(move |db| {
            let call = calls::find(db, call_id)?.ok_or(OrchestratorError::NotFound("call"))?;
            let made = if callable { tool_calls::of_call(db, call_id)? } else { Vec::new() };
            Ok::<_, OrchestratorError>((call, turns::all(db, call_id)?, made))
        })
        .await?;
    let spoken: Vec<_> = turns.iter().map(Turn::spoken).collect();
    let said = transcript::utterances(&spoken);
    let mut meter = Meter::default();
    let (found, outcome) = match &notification.to_bot {
        Some(_) => of_bot(app, &notification, (&call, &said, &made), &mut meter).await,
        None => (find_result(app, &notification, (&said, &made), &mut meter).await, None),
    };
    meter.write_down(app, notification.project_id, call_id).await;
    let transcript = transcript::render(&said);
    let cause = Cause::own(notification.project_id);
    app.write(move |tx| {
        let (project, id) = (notification.project_id, notification.id);
        let current =
            notifications::find(tx.conn, project, id)?.ok_or(OrchestratorError::NotFound("notification"))?;
        if !current.summary_due {
            return Ok(()); // another replica was faster
        }
        // What was said is forgotten when the customer was erased in the meantime.
        let (found, transcript) = match current.is_blank() {
            true => (Found::default(), ""),
            false => (found.clone(), transcript.as_str()),
        };
        let (found_now, updated_at) = (Some(found.clone()), tx.now());
        let mut done =
            Notification { summary_due: false, result_due: false, found: found_now, updated_at, ..current };
        if let Some(to) = &mut done.to_bot {
            to.part.outcome = outcome;
        }
        notifications::save(tx.conn, &done)?;
        match &done.to_bot {
            Some(to) => tx.stage(&events::bot_completed(&done, to, &call, transcript, &found), &cause)?,
            None => tx.stage(&events::summarised(&done, &call, transcript, &found), &cause)?,
        }
        Ok(())
    })
    .await
}

/// What a call to a bot has brought, and what became of its goal.
async fn of_bot(
    app: &App,
    n: &Notification,
    (call, said, made): (&Call, &[Utterance], &[ToolCall]),
    meter: &mut Meter,
) -> (Found, Option<BotOutcome>) {
    let read = if n.is_read_out() {
        learning::learn_of_bot(app, &n.spec, said, meter).await
    } else {
        Ok(Default::default())
    };
    let (found, goal_reached) = read.unwrap_or_else(|problem| {
        tracing::warn!(call = %call.id, problem, "what a call to a bot brought could not be read out of it");
        Default::default()
    });
    let ending = Ending {
        reason: call.state.ended_reason,
        spoke: said.iter().any(|u| u.speaker == Speaker::Customer),
        goal_reached,
        acted: made.last().map(|call| call.went),
    };
    (found, Some(bot_result::outcome(&ending)))
}

/// The result of the conversation, where one is asked for and the customer, not a machine, said anything; and what became of
/// another time.
async fn find_result(
    app: &App,
    n: &Notification,
    (said, made): (&[Utterance], &[ToolCall]),
    meter: &mut Meter,
) -> Found {
    if !n.is_read_out() {
        return Found { rescheduled: booked(made).map(|(_, agreed)| agreed.shown()), ..Found::default() };
    }
    read(app, n, (said, made), meter).await
}

/// What a conversation with the customer of a notification has brought.
pub(super) async fn read(
    app: &App,
    n: &Notification,
    (said, made): (&[Utterance], &[ToolCall]),
    meter: &mut Meter,
) -> Found {
    let mut found = match learning::learn(app, &n.spec, said, meter).await {
        Ok(found) => found,
        Err(problem) => {
            tracing::warn!(notification = %n.id, problem, "no result could be read out of the conversation");
            learning::nothing(&n.spec, &problem)
        }
    };
    if n.spec.reschedule.is_some() {
        settle(n, said, made, &mut found);
    }
    found
}

/// The other time that was agreed on, with the turn in which it was.
fn booked(made: &[ToolCall]) -> Option<(TurnNumber, Agreed)> {
    let told: Vec<(TurnNumber, String)> = made.iter().filter_map(booking).collect();
    Agreed::of(told.iter().map(|(turn, text)| (*turn, text.as_str())))
}

/// Another time is settled by what was booked, not by what a model makes of the conversation.
fn settle(n: &Notification, said: &[Utterance], made: &[ToolCall], found: &mut Found) {
    let agreed = booked(made);
    let wish = found.result.as_ref().and_then(|result| result["reschedule_request"].as_str());
    let wished = || Some(Agreed::Wished(wish?.to_owned()));
    found.rescheduled = agreed.as_ref().map(|(_, agreed)| agreed.clone()).or_else(wished).map(|a| a.shown());
    // The result of an agent holds what its schema says; without an agent it is ours.
    let ours = n.agent_id.is_none() && n.spec.schema.is_some();
    if let Some((turn, agreed @ Agreed::To { .. })) = agreed.filter(|_| ours) {
        let quote = said.iter().find(|u| u.turn == turn && u.speaker == Speaker::Customer);
        let quote = quote.map(|u| u.text.as_str()).unwrap_or_default();
        let (result, evidence) = (found.result.take(), found.evidence.take());
        let (result, evidence) = agreed.into_result((result, evidence), (turn, quote));
        (found.result, found.evidence) = (Some(result), Some(evidence));
    }
}

/// What is known of a wish to have a time booked: what was answered, else only the wish.
fn booking(call: &ToolCall) -> Option<(TurnNumber, String)> {
    if call.name != llm::BOOK_TIME {
        return None;
    }
    if call.went == Went::Answered {
        return Some((call.turn, call.result.clone()));
    }
    let preferred = call.arguments.get("preferred")?;
    Some((call.turn, serde_json::json!({"booked": false, "preferred": preferred}).to_string()))
}
