//! The end of a notification: transcript → extraction (validated, tried once more with the errors) → evidence check → result,
//! and exactly one summary event. The model is asked outside of any transaction; a replica that dies meanwhile loses its
//! lease and another one does it.

use std::collections::BTreeMap;
use std::time::Duration;

use common::bus::Cause;
use llm::{Extract as _, ExtractRequest, Extracted, ModelError, NumberedUtterance};
use serde_json::{Map, Value};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::domain::evidence::{self, Claim};
use crate::domain::limits::{EXTRACT_DEADLINE, SUMMARY_LEASE};
use crate::domain::result::{complete_result, validate};
use crate::domain::transcript::{self, Speaker, Utterance};
use crate::error::OrchestratorError;
use crate::events;
use crate::store::calls;
use crate::store::notifications::{self, Found, Notification};
use crate::store::turns::{self, Turn};

/// Summaries written at the same time.
const AT_ONCE: usize = 16;
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
    let (call, turns) = app
        .platform
        .database
        .read(move |db| {
            let call = calls::find(db, call_id)?.ok_or(OrchestratorError::NotFound("call"))?;
            Ok::<_, OrchestratorError>((call, turns::all(db, call_id)?))
        })
        .await?;
    let spoken: Vec<_> = turns.iter().map(Turn::spoken).collect();
    let said = transcript::utterances(&spoken);
    let found = find_result(app, &notification, &said).await;
    let transcript = transcript::render(&said);
    let cause = Cause::own(notification.project_id);
    app.write(move |tx| {
        let (project, id) = (notification.project_id, notification.id);
        let current =
            notifications::find(tx.conn, project, id)?.ok_or(OrchestratorError::NotFound("notification"))?;
        if !current.summary_due {
            return Ok(()); // another replica was faster
        }
        let done =
            Notification { summary_due: false, found: Some(found.clone()), updated_at: tx.now(), ..current };
        notifications::save(tx.conn, &done)?;
        Ok(tx.stage(&events::summarised(&done, &call, &transcript, &found), &cause)?)
    })
    .await
}

/// The result of the conversation, where one is asked for and the customer said anything.
async fn find_result(app: &App, notification: &Notification, said: &[Utterance]) -> Found {
    let Some(schema) = &notification.spec.schema else { return Found::default() };
    if !said.iter().any(|u| u.speaker == Speaker::Customer) {
        return Found::default();
    }
    match extract(app, notification, schema, said).await {
        Ok(extracted) => {
            let result = complete_result(schema, &extracted.value);
            let claims = claims(&extracted);
            let evidence = evidence::check(&result, &claims, said);
            Found {
                result: Some(Value::Object(result)),
                evidence: serde_json::to_value(evidence).ok(),
                summary: Some(extracted.summary).filter(|s| !s.is_empty()),
            }
        }
        Err(problem) => {
            app.model_failed("extraction");
            tracing::warn!(notification = %notification.id, problem, "no result could be read out of the conversation");
            Found {
                summary: Some(format!("The result could not be read out of the conversation: {problem}.")),
                ..Found::default()
            }
        }
    }
}

fn claims(extracted: &Extracted) -> BTreeMap<String, Claim> {
    let claim = |e: &llm::Evidence| Claim { turn: e.turn, quote: e.quote.clone() };
    extracted.evidence.iter().map(|(name, e)| (name.clone(), claim(e))).collect()
}

/// Asks the model, and once more with what was wrong. Properties that stay wrong are left out: not learned.
async fn extract(
    app: &App,
    notification: &Notification,
    schema: &Value,
    said: &[Utterance],
) -> Result<Extracted, String> {
    let mut errors = Vec::new();
    let mut last = Err("the model gave no answer".to_owned());
    for _ in 0..2 {
        let request = ExtractRequest {
            transcript: said.iter().map(numbered).collect(),
            schema: schema.clone(),
            instructions: notification.spec.prompt.clone(),
            previous_errors: errors.clone(),
            deadline: EXTRACT_DEADLINE,
        };
        match app.model.extract(request).await {
            Ok(extracted) => match validate(schema, &extracted.value) {
                Ok(()) => return Ok(extracted),
                Err(problems) => {
                    last = Ok(without_wrong(schema, extracted));
                    errors = problems;
                }
            },
            Err(e @ ModelError::Garbled(_)) => {
                errors = vec![e.to_string()];
                last = last.or(Err(e.to_string()));
            }
            // The model has its own retries for servers that are away; a second deadline would only delay the summary.
            Err(e) => return last.or(Err(e.to_string())),
        }
    }
    last
}

fn numbered(u: &Utterance) -> NumberedUtterance {
    let speaker = match u.speaker {
        Speaker::Ai => llm::Speaker::Agent,
        Speaker::Customer => llm::Speaker::Customer,
    };
    NumberedUtterance { turn: u.turn.0, speaker, text: u.text.clone() }
}

/// Each property for itself: one that does not obey the schema becomes null.
fn without_wrong(schema: &Value, extracted: Extracted) -> Extracted {
    let fitted = complete_result(schema, &extracted.value);
    let kept: Map<String, Value> = fitted
        .iter()
        .map(|(name, value)| {
            let mut alone = complete_result(schema, &Value::Null);
            alone.insert(name.clone(), value.clone());
            let right = validate(schema, &Value::Object(alone)).is_ok();
            (name.clone(), if right { value.clone() } else { Value::Null })
        })
        .collect();
    Extracted { value: Value::Object(kept), ..extracted }
}
