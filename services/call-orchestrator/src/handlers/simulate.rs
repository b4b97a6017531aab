//! Says what an agent would say next in a conversation held in writing. Nothing is kept but what the model used, and nothing is called.

use contracts::calls::{SimulateRequest, SimulateResponse, SimulatedToolCall};
use contracts::ids::ProjectId;
use serde_json::Value;

use crate::app::App;
use crate::conversation::rehearse::{Script, rehearse};
use crate::conversation::spec::{reaching, spec};
use crate::conversation::{frozen, learning};
use crate::domain::limits::{MAX_HEARD_CHARS, MAX_SIMULATED};
use crate::domain::rehearsal::{Said, standing};
use crate::domain::transcript::{Speaker, Utterance};
use crate::error::OrchestratorError;

pub(super) async fn simulate(
    app: &App,
    request: SimulateRequest,
) -> Result<SimulateResponse, OrchestratorError> {
    let history = history(&request)?;
    let parts = request.parts.unwrap_or_default();
    let project: ProjectId = parts.project_id.parse()?;
    let now = app.platform.database.now();
    // Not here: an agent's schema may take its time.
    let (mut spec, parts) =
        tokio::task::spawn_blocking(move || spec(&parts, now).map(|spec| (spec, parts))).await??;
    reaching(&mut spec, &app.countries, parts.policy.as_ref());
    let plan = match &parts.agent {
        Some(_) => llm::ConversationPlan::Agent,
        None => frozen::message_plan(&spec, parts.message, parts.context, parts.collect_feedback),
    };
    let script = Script { project, spec, plan, standing: standing(&history) };
    let next = rehearse(app, &script).await?;
    let mut used = next.used;
    let mut response = SimulateResponse {
        ended: next.ended.is_some(),
        ended_reason: next.ended.map(|reason| reason.as_str().to_owned()).unwrap_or_default(),
        model: app.model.name().to_owned(),
        tool_calls: next.calls.into_iter().map(shown).collect(),
        ..SimulateResponse::default()
    };
    if request.extract {
        let said = everything(&script, &next.text);
        let found = learning::learn(app, &script.spec, &said, &mut used).await;
        let found = match found {
            Ok(found) => found,
            Err(problem) => {
                used.count_for(app, project).await;
                return Err(OrchestratorError::Model(problem));
            }
        };
        response.result_json = found.result.map(|result| result.to_string()).unwrap_or_default();
        response.evidence_json = found.evidence.map(|evidence| evidence.to_string()).unwrap_or_default();
    }
    used.count_for(app, project).await;
    response.text = next.text;
    Ok(response)
}

fn shown(call: llm::ToolCall) -> SimulatedToolCall {
    SimulatedToolCall { name: call.name, arguments_json: Value::Object(call.arguments).to_string() }
}

fn history(request: &SimulateRequest) -> Result<Vec<Said>, OrchestratorError> {
    if request.history.len() > MAX_SIMULATED {
        let problem =
            format!("holds {} messages; at most {MAX_SIMULATED} are allowed", request.history.len());
        return Err(OrchestratorError::Invalid { field: "messages", problem });
    }
    let said = |u: &contracts::calls::SimulatedUtterance| Said {
        speaker: if u.by_agent { Speaker::Ai } else { Speaker::Customer },
        text: u.text.chars().take(MAX_HEARD_CHARS).collect(),
    };
    Ok(request.history.iter().map(said).collect())
}

/// The conversation with what was said now, for reading out what was learned.
fn everything(script: &Script, answer: &str) -> Vec<Utterance> {
    let mut said = script.standing.before.clone();
    let turn = script.standing.turn;
    if let crate::domain::rehearsal::Opening::Speech(text) = &script.standing.opening {
        said.push(Utterance { turn, speaker: Speaker::Customer, text: text.clone() });
    }
    said.push(Utterance { turn, speaker: Speaker::Ai, text: answer.to_owned() });
    said
}
