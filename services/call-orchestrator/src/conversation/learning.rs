//! What was learned in a conversation: extraction by the model against the schema, validated, tried once more with the errors,
//! and each claim held against the words of the customer.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use llm::{Extract as _, ExtractRequest, Extracted, ModelError, NumberedUtterance};
use serde_json::Value;

use crate::app::App;
use crate::costs::Meter;
use crate::domain::bot_result;
use crate::domain::evidence::{self, Claim};
use crate::domain::limits::{CHECK_DEADLINE, EXTRACT_DEADLINE};
use crate::domain::result::{Checker, complete_result};
use crate::domain::transcript::{Speaker, Utterance};
use crate::store::notifications::{Found, Spec};

/// What the customer said to what is asked for; nothing where nothing is asked for, or where they said nothing. `meter` learns
/// what reading it has cost.
///
/// # Errors
/// Why no result could be read out of the conversation.
pub(crate) async fn learn(
    app: &App,
    spec: &Spec,
    said: &[Utterance],
    meter: &mut Meter,
) -> Result<Found, String> {
    let Some(schema) = &spec.schema else { return Ok(Found::default()) };
    if !said.iter().any(|u| u.speaker == Speaker::Customer) {
        return Ok(Found::default());
    }
    let extracted =
        extract(app, (spec, schema), said, meter).await.inspect_err(|_| app.model_failed("extraction"))?;
    let result = complete_result(schema, &extracted.value);
    let evidence = evidence::check(&result, &claims(&extracted), said);
    Ok(Found {
        result: Some(Value::Object(result)),
        evidence: serde_json::to_value(evidence).ok(),
        summary: Some(extracted.summary).filter(|s| !s.is_empty()),
        rescheduled: None,
    })
}

/// What the caller of a bot said of what its goal needs, and whether that was reached; nothing where they said nothing.
///
/// # Errors
/// Why nothing could be read out of the conversation.
pub(crate) async fn learn_of_bot(
    app: &App,
    spec: &Spec,
    said: &[Utterance],
    meter: &mut Meter,
) -> Result<(Found, Option<bool>), String> {
    let Some(schema) = &spec.schema else { return Ok((Found::default(), None)) };
    if !said.iter().any(|u| u.speaker == Speaker::Customer) {
        return Ok((Found::default(), None));
    }
    let extracted =
        extract(app, (spec, schema), said, meter).await.inspect_err(|_| app.model_failed("extraction"))?;
    let collected = bot_result::collected(&extracted.value);
    let evidence = evidence::check(&collected.values, &collected.claims, said);
    let found = Found {
        result: Some(Value::Object(collected.values)),
        evidence: serde_json::to_value(evidence).ok(),
        summary: Some(extracted.summary).filter(|s| !s.is_empty()),
        rescheduled: None,
    };
    Ok((found, collected.goal_reached))
}

/// What is told where no result could be read: every property of the schema, none of them learned, and why.
pub(crate) fn nothing(spec: &Spec, problem: &str) -> Found {
    let result = spec.schema.as_ref().map(|schema| complete_result(schema, &Value::Null));
    let evidence = result.as_ref().map(|result| evidence::check(result, &BTreeMap::new(), &[]));
    Found {
        evidence: evidence.and_then(|evidence| serde_json::to_value(evidence).ok()),
        result: result.map(Value::Object),
        summary: Some(format!("The result could not be read out of the conversation: {problem}.")),
        rescheduled: None,
    }
}

fn claims(extracted: &Extracted) -> BTreeMap<String, Claim> {
    let claim = |e: &llm::Evidence| Claim { turn: e.turn, quote: e.quote.clone() };
    extracted.evidence.iter().map(|(name, e)| (name.clone(), claim(e))).collect()
}

/// Asks the model, and once more with what was wrong. Properties that stay wrong are left out: not learned.
async fn extract(
    app: &App,
    (spec, schema): (&Spec, &Value),
    said: &[Utterance],
    meter: &mut Meter,
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
            instructions: spec.prompt.clone(),
            previous_errors: errors.clone(),
            deadline: EXTRACT_DEADLINE,
        };
        let answer = app.model.extract(request).await;
        meter.add(answer.as_ref().ok().and_then(|extracted| extracted.used));
        match answer {
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
pub(super) async fn in_time<T: Send + 'static>(
    deadline: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, String> {
    match tokio::time::timeout(deadline, tokio::task::spawn_blocking(work)).await {
        Ok(done) => done.map_err(|error| format!("holding it against its schema broke off: {error}")),
        Err(_) => Err(format!("holding it against its schema took longer than {} ms", deadline.as_millis())),
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
