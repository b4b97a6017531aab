//! The end of a notification: transcript → extraction (validated, tried once more with the errors) → evidence check → result,
//! and exactly one summary event. The model is asked outside of any transaction; a replica that dies meanwhile loses its
//! lease and another one does it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::bus::Cause;
use llm::{Extract as _, ExtractRequest, Extracted, ModelError, NumberedUtterance};
use serde_json::Value;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::domain::ended_reason::EndedReason;
use crate::domain::evidence::{self, Claim};
use crate::domain::limits::{CHECK_DEADLINE, EXTRACT_DEADLINE, SUMMARY_LEASE};
use crate::domain::result::{Checker, complete_result};
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
        // What was said is forgotten when the customer was erased in the meantime.
        let (found, transcript) = match current.is_blank() {
            true => (Found::default(), ""),
            false => (found.clone(), transcript.as_str()),
        };
        let done =
            Notification { summary_due: false, found: Some(found.clone()), updated_at: tx.now(), ..current };
        notifications::save(tx.conn, &done)?;
        Ok(tx.stage(&events::summarised(&done, &call, transcript, &found), &cause)?)
    })
    .await
}

/// The result of the conversation, where one is asked for and the customer, not a machine, said anything.
async fn find_result(app: &App, notification: &Notification, said: &[Utterance]) -> Found {
    let Some(schema) = &notification.spec.schema else { return Found::default() };
    if matches!(notification.state.ended_reason, Some(EndedReason::Voicemail | EndedReason::VoicemailLeft)) {
        return Found::default(); // the greeting of a machine answers nothing
    }
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
    let own = schema.clone();
    let checker = in_time(CHECK_DEADLINE, move || Checker::new(&own)).await?;
    let checker = Arc::new(checker.map_err(|problem| format!("output_schema{problem}"))?);
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
            Ok(extracted) => match checked(&checker, extracted).await? {
                (extracted, problems) if problems.is_empty() => return Ok(extracted),
                (fitted, problems) => {
                    last = Ok(fitted);
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

/// What was extracted, without what does not obey the schema, and what that was.
async fn checked(checker: &Arc<Checker>, extracted: Extracted) -> Result<(Extracted, Vec<String>), String> {
    let checker = Arc::clone(checker);
    let work = move || match checker.check(&extracted.value) {
        Ok(()) => (extracted, Vec::new()),
        Err(problems) => {
            let value = Value::Object(checker.without_wrong(&extracted.value));
            (Extracted { value, ..extracted }, problems)
        }
    };
    in_time(CHECK_DEADLINE, work).await
}

/// A schema is the tenant's program: it runs on a thread where it holds up nobody else, and is waited for only so long. What
/// a schema can ask for is bounded, so the thread comes back.
async fn in_time<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    match tokio::time::timeout(deadline, tokio::task::spawn_blocking(work)).await {
        Ok(done) => done.map_err(|error| format!("holding it against output_schema broke off: {error}")),
        Err(_) => {
            Err(format!("holding it against output_schema took longer than {} ms", deadline.as_millis()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_check_that_takes_too_long_is_given_up_with_its_reason() {
        let (release, held) = std::sync::mpsc::channel::<()>();
        let problem = in_time(Duration::from_millis(1), move || held.recv().is_ok()).await.unwrap_err();
        assert!(problem.contains("longer than 1 ms"), "{problem}");
        release.send(()).unwrap();
        assert_eq!(in_time(Duration::from_secs(60), || 7).await, Ok(7));
    }
}
