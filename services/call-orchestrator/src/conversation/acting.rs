//! A bot has its business's own system act while the caller waits. It goes the way of every tool (`tools.rs`); here is what it is
//! sent, and what its answer means: what it lets the bot say is spoken, what follows is done, and its data goes to the model.

use contracts::ids::EventId;
use serde_json::json;

use super::frozen::Answering;
use super::rounds::{finish, transfer};
use super::speak::Voice;
use crate::app::App;
use crate::domain::bot_action::{self, Answer, Follow};
use crate::domain::call::CallInput;
use crate::domain::sentences::Splitter;
use crate::domain::tools::Went;
use crate::domain::turn::Then;
use crate::error::OrchestratorError;

/// What the business's system is sent.
pub(super) fn body(
    app: &App,
    answering: &Answering,
    (id, wish): (EventId, &llm::ToolCall),
    history: &[llm::Utterance],
) -> String {
    let timestamp = app.platform.database.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let said = history.iter().map(|said| (said.speaker == llm::Speaker::Agent, said.text.as_str()));
    let given = |name: &str| wish.arguments.get(name).cloned().unwrap_or_default();
    json!({
        "event_id": id.to_string(),
        "event_name": "bot.action",
        "bot_id": answering.bot.to_string(),
        "call_sid": answering.call_sid,
        "timestamp": timestamp,
        "data": {
            "from": answering.from,
            "action": given("action"),
            "arguments": given("arguments"),
            "history": bot_action::history(said),
        },
    })
    .to_string()
}

/// What came of it, as it is kept. An answer that nobody understands may stand behind something that was done.
pub(super) fn settled((went, body): (Went, String), can_transfer: bool) -> (Went, String) {
    if went != Went::Answered {
        return (went, body);
    }
    match bot_action::read(&body, can_transfer).map(|answer| serde_json::to_string(&answer)) {
        Ok(Ok(kept)) => (Went::Answered, kept),
        Ok(Err(problem)) => (Went::Unknown, problem.to_string()),
        Err(problem) => (Went::Unknown, problem),
    }
}

/// An answer as it was kept.
pub(super) fn kept(text: &str) -> Option<Answer> {
    serde_json::from_str(text).ok()
}

/// How a turn goes on after an answer.
pub(super) enum Performed {
    /// The model goes on.
    GoOn,
    /// The turn is over, or somebody else's.
    Over,
}

/// Says what the business lets the bot say, and does what follows.
pub(super) async fn perform(voice: &mut Voice<'_>, answer: Answer) -> Result<Performed, OrchestratorError> {
    let mut splitter = Splitter::new();
    let mut texts = splitter.push(&answer.said);
    texts.extend(splitter.finish());
    voice.spoken += answer.said.len();
    let ending = match answer.then {
        Follow::Continue => {
            let ours = voice.store(texts).await?;
            return Ok(if ours { Performed::GoOn } else { Performed::Over });
        }
        Follow::Hangup => (Then::HangUp, Some(CallInput::AgentHungUp)),
        Follow::Transfer => transfer(true),
    };
    finish(voice, texts, ending).await?;
    Ok(Performed::Over)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_nobody_understands_may_have_been_done() {
        let went = |went, body: &str| settled((went, body.to_owned()), false).0;
        assert_eq!(went(Went::Answered, "{\"say\": \"Booked.\"}"), Went::Answered);
        assert_eq!(went(Went::Answered, "<html>"), Went::Unknown);
        assert_eq!(went(Went::Failed, "it answered with status 500"), Went::Failed);
        assert_eq!(kept(&settled((Went::Answered, "{}".to_owned()), false).1), Some(Answer::default()));
        assert_eq!(kept("null"), None);
    }
}
