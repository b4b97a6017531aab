//! A turn that nobody hears: what the agent would say, by the same rules and the same model as in a call. What it would call is
//! told, and not called.

use std::time::Instant;

use contracts::ids::ProjectId;
use futures_util::StreamExt as _;
use llm::{Chat as _, ChatEvent, ChatRequest, ConversationPlan, ModelError, ToolCall, ToolOutcome, ToolUse};
use serde_json::json;

use super::rounds::{Ending, ROUNDS, meaning, transfer};
use super::{arguments, knowing, tools};
use crate::app::App;
use crate::costs::Meter;
use crate::domain::call::CallInput;
use crate::domain::ended_reason::EndedReason;
use crate::domain::limits::TURN_DEADLINE;
use crate::domain::rehearsal::{Opening, Standing};
use crate::domain::reply::{self, Reply};
use crate::domain::silence::Heard;
use crate::domain::transcript::Speaker;
use crate::domain::turn::Then;
use crate::error::OrchestratorError;
use crate::store::notifications::Spec;

/// What is rehearsed.
pub(crate) struct Script {
    pub(crate) project: ProjectId,
    pub(crate) spec: Spec,
    pub(crate) plan: ConversationPlan,
    pub(crate) standing: Standing,
}

/// What the agent says next.
#[derive(Debug, Default)]
pub(crate) struct Next {
    pub(crate) text: String,
    /// Why the call would be over behind it.
    pub(crate) ended: Option<EndedReason>,
    /// What it would have called.
    pub(crate) calls: Vec<ToolCall>,
    /// What the model has used for it.
    pub(crate) used: Meter,
}

/// The agent's next words.
pub(crate) async fn rehearse(app: &App, script: &Script) -> Result<Next, OrchestratorError> {
    let standing = &script.standing;
    let (current, words) = match &standing.opening {
        Opening::Answered => (Heard::Answered, None),
        Opening::Silence => (Heard::Silence, None),
        Opening::Speech(text) => (Heard::Speech { confidence: None }, Some(text.as_str())),
    };
    let mut next = match reply::decide(standing.turn, &standing.heard, current, words) {
        Reply::Fixed(fixed) => {
            let ended = ended((fixed.then, fixed.means));
            Next { text: fixed.phrase.text(&script.spec.language).to_owned(), ended, ..Next::default() }
        }
        Reply::Model { silences } => {
            let mut request = request(app, script, silences);
            request.abilities.known = known(app, script, words).await;
            by_model(app, script, request).await?
        }
    };
    let silent = !standing.before.iter().any(|said| said.speaker == Speaker::Ai);
    if let Some(line) = script.spec.disclosure.as_deref().filter(|_| silent) {
        next.text = format!("{line} {}", next.text).trim().to_owned();
    }
    Ok(next)
}

/// What documents say about the customer's words.
async fn known(app: &App, script: &Script, words: Option<&str>) -> Option<llm::Known> {
    let found = knowing::look_up(app, script.project, &script.spec, words?, &script.standing.before).await;
    found.map(|found| found.known())
}

fn request(app: &App, script: &Script, silences: u32) -> ChatRequest {
    let spec = &script.spec;
    let speaker = |speaker| match speaker {
        Speaker::Ai => llm::Speaker::Agent,
        Speaker::Customer => llm::Speaker::Customer,
    };
    let said = script.standing.before.iter();
    let history = said.map(|u| llm::Utterance { speaker: speaker(u.speaker), text: u.text.clone() });
    let heard = match &script.standing.opening {
        Opening::Answered => llm::Heard::CallAnswered,
        Opening::Silence => llm::Heard::Silence { times: u8::try_from(silences).unwrap_or(u8::MAX) },
        Opening::Speech(text) => llm::Heard::Speech { text: text.clone(), confidence: None },
    };
    let opens = heard == llm::Heard::CallAnswered;
    ChatRequest {
        system: spec.prompt.clone(),
        history: history.collect(),
        heard,
        language: spec.language.clone(),
        schema: spec.schema.clone(),
        opening: spec.opening.clone(),
        plan: script.plan.clone(),
        abilities: tools::abilities(spec, opens, app.platform.database.now()),
        deadline: TURN_DEADLINE,
    }
}

async fn by_model(app: &App, script: &Script, mut request: ChatRequest) -> Result<Next, OrchestratorError> {
    let until = Instant::now() + TURN_DEADLINE;
    let mut next = Next::default();
    for _ in 0..ROUNDS {
        request.deadline = until.saturating_duration_since(Instant::now());
        let (calls, ending) = one_round(app, &mut request, &mut next).await.map_err(failed)?;
        if calls.is_empty() {
            next.text = next.text.split_whitespace().collect::<Vec<_>>().join(" ");
            next.ended = ended(ending);
            return Ok(next);
        }
        for call in calls {
            let outcome = match arguments::wrong(&script.spec, &call).await {
                Some(problem) => ToolOutcome::Failed(problem),
                None => {
                    next.calls.push(call.clone());
                    pretended(&call)
                }
            };
            request.abilities.uses.push(ToolUse { outcome, call, after: None });
        }
    }
    Err(failed(ModelError::Garbled("calls of tools without end".to_owned())))
}

async fn one_round(
    app: &App,
    request: &mut ChatRequest,
    next: &mut Next,
) -> Result<(Vec<ToolCall>, Ending), ModelError> {
    let mut stream = app.model.stream(request.clone()).await?;
    let (mut calls, mut ending) = (Vec::new(), (Then::Listen, None));
    while let Some(event) = stream.next().await {
        match event? {
            ChatEvent::Text(text) => {
                next.text.push_str(&text);
                request.abilities.said.push_str(&text);
            }
            ChatEvent::EndCall { reason } => ending = (Then::HangUp, Some(meaning(reason))),
            ChatEvent::Transfer => ending = transfer(request.abilities.transfer),
            ChatEvent::CallTool(call) => calls.push(call),
            ChatEvent::Used(tokens) => next.used.add(Some(tokens)),
        }
    }
    next.text.push(' ');
    Ok((calls, ending))
}

fn failed(error: ModelError) -> OrchestratorError {
    OrchestratorError::Model(error.to_string())
}

/// Every time is free, and every other tool says that it was not called.
fn pretended(call: &ToolCall) -> ToolOutcome {
    let asked = |name: &str| call.arguments.get(name).cloned().unwrap_or_default();
    if call.name == llm::BOOK_TIME {
        let spoken = if asked("preferred").is_null() { asked("time") } else { asked("preferred") };
        return ToolOutcome::Answered(
            json!({"booked": true, "time": asked("time"), "spoken": spoken}).to_string(),
        );
    }
    ToolOutcome::Answered("this is a rehearsal: nothing was called, go on as if it had been done".to_owned())
}

fn ended((then, means): Ending) -> Option<EndedReason> {
    let reason = match means {
        Some(CallInput::OptOut) => EndedReason::OptOut,
        Some(CallInput::SilenceExhausted) => EndedReason::Silence,
        Some(CallInput::Transferred) => EndedReason::Transferred,
        Some(CallInput::AgentGaveUp) => EndedReason::Error,
        _ => EndedReason::AgentEndedCall,
    };
    (then != Then::Listen).then_some(reason)
}
