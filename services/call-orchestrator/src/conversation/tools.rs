//! What the model calls in a turn. Each call is written down before it is sent, under the lease of the turn; one whose end is
//! not known is told to the model as such, and never made again. What a tool answers is data for the model, nothing more.

use std::time::Duration;

use chrono::{DateTime, Utc};
use contracts::ids::EventId;
use contracts::rpc::{Context, RpcError};
use contracts::webhooks::{CallNowOutcome, CallNowRequest, CallNowResponse};
use llm::{ACT, Abilities, BOOK_TIME, Rescheduling, ToolOutcome, ToolUse};
use serde_json::{Value, json};

use super::frozen::{Answering, Frozen, Names};
use super::speak::Voice;
use super::{Run, acting, arguments};
use crate::app::App;
use crate::domain::bot_action::Answer;
use crate::domain::reschedule::{Booking, Wish};
use crate::domain::tools::{self, Made, Verdict, Went};
use crate::domain::transcript::{Speaker, Utterance};
use crate::domain::zones;
use crate::error::OrchestratorError;
use crate::store::notifications::Spec;
use crate::store::opening::Opening;
use crate::store::tool_calls::{self, ToolCall};

/// The way to the dispatcher and back, on top of the time that the tool has.
const RPC_MARGIN: Duration = Duration::from_millis(500);

/// Whether anything can be called in conversations like this one.
pub(crate) const fn callable(spec: &Spec) -> bool {
    !spec.tools.is_empty() || spec.reschedule.is_some()
}

/// What the model can do in a turn, which may be the one that opens the conversation: nothing is called before somebody has picked up, and said something.
pub(crate) fn abilities(spec: &Spec, opens: bool, now: DateTime<Utc>) -> Abilities {
    let transfer = spec.transfer_number.is_some();
    if opens {
        return Abilities { transfer, ..Abilities::default() };
    }
    let zone = zones::zone(&spec.time_zone, "");
    let tool = |tool: &tools::Tool| llm::Tool {
        name: tool.name.clone(),
        description: tool.description.clone(),
        parameters: tool.parameters.clone(),
    };
    Abilities {
        tools: spec.tools.iter().map(tool).collect(),
        rescheduling: spec
            .reschedule
            .as_ref()
            .map(|r| Rescheduling { free: r.free(now, zone), any_time: r.url.is_some() }),
        transfer,
        ..Abilities::default()
    }
}

/// What was called before, at its place among what was said before.
pub(crate) fn uses(made: &[ToolCall], run: &Run, said: &[Utterance]) -> Vec<ToolUse> {
    let before = |call: &ToolCall| {
        said.iter()
            .filter(|u| u.turn < call.turn || (u.turn == call.turn && u.speaker == Speaker::Customer))
            .count()
    };
    made.iter()
        .map(|call| ToolUse {
            call: llm::ToolCall {
                id: call.model_id.clone(),
                name: call.name.clone(),
                arguments: call.arguments.clone(),
            },
            outcome: told(call.went, &call.result),
            after: (call.turn != run.turn).then(|| before(call)),
        })
        .collect()
}

pub(crate) fn told(went: Went, result: &str) -> ToolOutcome {
    match went {
        Went::Answered => ToolOutcome::Answered(result.to_owned()),
        Went::Failed => ToolOutcome::Failed(result.to_owned()),
        Went::Unknown => ToolOutcome::Unknown,
    }
}

/// Calls what the model wants called in one turn.
pub(super) struct Desk<'a> {
    app: &'a App,
    frozen: &'a Frozen,
    made: Vec<Made>,
    /// Nobody has spoken yet: a model that calls something all the same is told so.
    opens: bool,
    /// The conversation up to what opened this turn.
    history: Vec<llm::Utterance>,
    /// What a bot's business has answered, and nobody has said yet.
    unsaid: Option<Answer>,
}

const TOO_EARLY: &str = "nothing can be called before the customer has spoken";

/// What is to be done for a wish.
enum Work<'a> {
    /// Asked of a system of the user's.
    Ask { url: &'a str, event: &'static str, more: Vec<(&'static str, Value)> },
    /// Asked of the system of a bot's business.
    Act { url: &'a str, bot: &'a Answering },
    /// Settled here: a free time.
    Book(Wish),
    /// Cannot be done.
    No(&'static str),
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        app: &'a App,
        frozen: &'a Frozen,
        run: &Run,
        made: Vec<ToolCall>,
        mut history: Vec<llm::Utterance>,
    ) -> Self {
        if let Some(words) = run.opening.words() {
            history.push(llm::Utterance { speaker: llm::Speaker::Customer, text: words.to_owned() });
        }
        // Of a turn that was taken over nothing has been said: nor has what came of it.
        let unsaid = made.iter().rfind(|call| call.turn == run.turn && call.name == ACT);
        let unsaid =
            unsaid.filter(|call| call.went == Went::Answered).and_then(|call| acting::kept(&call.result));
        let made = made.into_iter().map(|call| Made {
            this_turn: call.turn == run.turn,
            name: call.name,
            arguments: call.arguments,
            went: call.went,
            result: call.result,
        });
        let opens = run.opening == Opening::Answered;
        Self { app, frozen, made: made.collect(), opens, history, unsaid }
    }

    /// What a bot's business has answered and is to be said now; once.
    pub(super) fn take_unsaid(&mut self) -> Option<Answer> {
        self.unsaid.take()
    }

    /// Does what the model wants, if it may be done. `None`: the lease of the turn was lost.
    pub(super) async fn call(
        &mut self,
        voice: &Voice<'_>,
        wish: llm::ToolCall,
    ) -> Result<Option<ToolUse>, OrchestratorError> {
        let Some((went, result)) = self.settle(voice, &wish).await? else { return Ok(None) };
        Ok(Some(ToolUse { call: wish, outcome: told(went, &result), after: None }))
    }

    async fn settle(
        &mut self,
        voice: &Voice<'_>,
        wish: &llm::ToolCall,
    ) -> Result<Option<(Went, String)>, OrchestratorError> {
        let frozen = self.frozen;
        let work = if self.opens { Work::No(TOO_EARLY) } else { work(frozen, wish) };
        if let Work::No(why) = work {
            return Ok(Some((Went::Failed, why.to_owned())));
        }
        if let Verdict::Known { went, result } = tools::judge(&self.made, &wish.name, &wish.arguments) {
            return Ok(Some((went, result)));
        }
        let Some(wrong) = voice.kept_alive(arguments::wrong(&frozen.spec, wish)).await else {
            return Ok(None);
        };
        if let Some(problem) = wrong {
            return Ok(Some((Went::Failed, problem)));
        }
        let id = EventId::new();
        if !voice.note_tool_call(id, frozen.names.project, wish).await? {
            return Ok(None);
        }
        let acts = matches!(work, Work::Act { .. });
        let doing = do_work(self.app, frozen, (&voice.run, &self.history), (id, wish), work);
        let Some((went, result)) = voice.kept_alive(doing).await else { return Ok(None) };
        if acts && went == Went::Answered {
            self.unsaid = acting::kept(&result);
        }
        let kept = result.clone();
        self.app
            .write(move |tx| {
                let now = tx.now();
                Ok(tool_calls::note_outcome(tx.conn, id, (went, &kept), now)?)
            })
            .await?;
        self.made.push(Made {
            this_turn: true,
            name: wish.name.clone(),
            arguments: wish.arguments.clone(),
            went,
            result: result.clone(),
        });
        Ok(Some((went, result)))
    }
}

fn work<'s>(frozen: &'s Frozen, wish: &llm::ToolCall) -> Work<'s> {
    let spec = &frozen.spec;
    if wish.name != BOOK_TIME {
        let Some(tool) = spec.tools.iter().find(|tool| tool.name == wish.name) else {
            return Work::No("there is no such tool");
        };
        if let Some(bot) = &frozen.names.bot {
            return Work::Act { url: &tool.url, bot };
        }
        let arguments = Value::Object(wish.arguments.clone());
        let more = vec![("tool", json!(tool.name)), ("arguments", arguments)];
        return Work::Ask { url: &tool.url, event: "agent.tool", more };
    }
    let Some(reschedule) = &spec.reschedule else { return Work::No("no other time can be settled") };
    let Some(time) = Wish::of(&wish.arguments) else {
        return Work::No("name a time, or the customer's words");
    };
    match &reschedule.url {
        Some(url) => {
            Work::Ask { url, event: "reschedule.book", more: vec![("preferred", json!(time.told()))] }
        }
        None => Work::Book(time),
    }
}

async fn do_work(
    app: &App,
    frozen: &Frozen,
    (run, history): (&Run, &[llm::Utterance]),
    (id, wish): (EventId, &llm::ToolCall),
    work: Work<'_>,
) -> (Went, String) {
    let spec = &frozen.spec;
    let zone = zones::zone(&spec.time_zone, "");
    match (work, &spec.reschedule) {
        (Work::Book(time), Some(reschedule)) => {
            let now = app.platform.database.now();
            (Went::Answered, Booking::from_slots(reschedule, &time, now).told(zone))
        }
        (Work::Act { url, bot }, _) => {
            let body = acting::body(app, bot, (id, wish), history);
            let answer = ask(app, frozen, url, id, body).await;
            acting::settled(answer, spec.transfer_number.is_some())
        }
        (Work::Ask { url, event, more }, _) => {
            let body = body(app, &frozen.names, spec, run, (id, event, more));
            let answer = ask(app, frozen, url, id, body).await;
            let answer = (answer.0, tools::bounded(&answer.1));
            if event != "reschedule.book" || answer.0 != Went::Answered {
                return answer;
            }
            let booking = Wish::of(&wish.arguments).map(|time| Booking::from_answer(&time, &answer.1));
            match booking {
                Some(Ok(booking)) => (Went::Answered, booking.told(zone)),
                // It answered, and nobody can say what.
                Some(Err(problem)) => (Went::Unknown, problem),
                None => (Went::Failed, String::new()),
            }
        }
        (Work::Book(_) | Work::No(_), _) => (Went::Failed, String::new()),
    }
}

/// What a system of the user's is sent.
fn body(
    app: &App,
    names: &Names,
    spec: &Spec,
    run: &Run,
    (id, event, more): (EventId, &str, Vec<(&'static str, Value)>),
) -> String {
    let timestamp = app.platform.database.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
    let mut body = json!({
        "event_id": id.to_string(),
        "event_name": event,
        "notification_id": names.notification.to_string(),
        "call_id": run.call.to_string(),
        "customer_id": names.customer.map(|id| id.to_string()),
        "external_id": spec.external_id,
        "agent_id": names.agent.map(|id| id.to_string()),
        "timestamp": timestamp,
    });
    for (name, value) in more {
        body[name] = value;
    }
    body.to_string()
}

/// Asks once, within the time that somebody on the line bears.
async fn ask(app: &App, frozen: &Frozen, url: &str, id: EventId, body: String) -> (Went, String) {
    let names = &frozen.names;
    let deadline = app.tool_deadline;
    let request = CallNowRequest {
        project_id: names.project.to_string(),
        business_id: frozen.spec.business_id.clone(),
        owner_id: owner(names),
        url: url.to_owned(),
        event_id: id.to_string(),
        body_json: body,
        deadline_ms: u32::try_from(deadline.as_millis()).unwrap_or(u32::MAX),
    };
    let context = Context::within(deadline + RPC_MARGIN).for_tenant(names.project);
    match app.targets.call_now(context, request).await {
        Ok(answer) => read(&answer),
        // Nothing was sent: as many requests are in flight as there may be.
        Err(RpcError::Busy) => (Went::Failed, "too much is asked of it at the moment".to_owned()),
        Err(error) => {
            tracing::warn!(%error, "the dispatcher does not say how a call of a tool went");
            (Went::Unknown, error.to_string())
        }
    }
}

/// In whose name it is signed: a conversation without an agent or a bot has its project.
fn owner(names: &Names) -> String {
    match (&names.bot, names.agent) {
        (Some(answering), _) => answering.bot.to_string(),
        (None, Some(agent)) => agent.to_string(),
        (None, None) => names.project.to_string(),
    }
}

fn read(answer: &CallNowResponse) -> (Went, String) {
    match answer.outcome() {
        CallNowOutcome::Answered => (Went::Answered, answer.body.trim().to_owned()),
        // Whoever breaks on it may have done it before.
        CallNowOutcome::Refused if answer.status >= 500 => {
            (Went::Unknown, format!("it answered with status {}", answer.status))
        }
        CallNowOutcome::Refused => (Went::Failed, format!("it answered with status {}", answer.status)),
        CallNowOutcome::Unreachable => (Went::Failed, "it could not be reached".to_owned()),
        CallNowOutcome::TimedOut | CallNowOutcome::Unreadable | CallNowOutcome::Unspecified => {
            (Went::Unknown, "it did not answer in time".to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_certainly_was_not_done_counts_as_failed() {
        let with = |outcome: CallNowOutcome, status| {
            read(&CallNowResponse {
                outcome: outcome.into(),
                status,
                body: " ok ".into(),
                ..CallNowResponse::default()
            })
        };
        let went = |outcome| with(outcome, 200);
        assert_eq!(went(CallNowOutcome::Answered), (Went::Answered, "ok".to_owned()));
        assert_eq!(with(CallNowOutcome::Refused, 409).0, Went::Failed);
        for broken in [500, 502, 504] {
            assert_eq!(with(CallNowOutcome::Refused, broken).0, Went::Unknown, "{broken}");
        }
        assert_eq!(went(CallNowOutcome::Unreachable).0, Went::Failed);
        for unknown in [CallNowOutcome::TimedOut, CallNowOutcome::Unreadable, CallNowOutcome::Unspecified] {
            assert_eq!(went(unknown).0, Went::Unknown);
        }
    }
}
