//! A knowledge-service that answers questions with words of its own: `One`, ` two` and the question. What is asked decides how it goes.

use async_trait::async_trait;
use contracts::knowledge::answer_part::Part;
use contracts::knowledge::{
    AnswerBegun, AnswerEnded, AnswerPart, AnswerSource, AnswersRpc, AskRequest, ConversationSummary,
    GetInsightsRequest, GetInsightsResponse, GiveFeedbackRequest, GiveFeedbackResponse, UnansweredQuestions,
    Verdict,
};
use contracts::rpc::{Context, RpcError, Streamed};
use futures_util::{StreamExt as _, stream};

use super::knowledge::Knowledge;
use super::{AT_MS, lock};

/// Asks for an answer that breaks off behind its first words.
pub(crate) const BREAKS: &str = "Does it break off?";
/// Asks for an answer of which nobody can say a word.
pub(crate) const SILENT: &str = "Is nobody there?";
/// Asks for an answer that goes on only when the test says so.
pub(crate) const SLOW: &str = "Does it take long?";
/// Asks for what no document speaks of.
pub(crate) const UNKNOWN: &str = "What is not known?";

fn part(part: Part) -> Result<AnswerPart, RpcError> {
    Ok(AnswerPart { part: Some(part) })
}

fn begun(request: &AskRequest) -> AnswerBegun {
    let source = |n: u32| AnswerSource {
        id: format!("a1b2c3d4-e5f6-7890-abcd-ef123456789{n}"),
        title: "Über uns".into(),
        url: if n == 0 { "https://docs.example.com/about".into() } else { String::new() },
        score: 0.75,
        snippet: "We are …".into(),
    };
    let known = request.question != UNKNOWN;
    let conversation = match request.conversation_id.as_str() {
        "" => "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34",
        named => named,
    };
    AnswerBegun {
        verdict: if known { Verdict::Partial } else { Verdict::NotCovered }.into(),
        sources: if known { vec![source(0), source(1)] } else { Vec::new() },
        conversation_id: conversation.to_owned(),
        weak: true,
    }
}

#[async_trait]
impl AnswersRpc for Knowledge {
    async fn ask(&self, context: Context, request: AskRequest) -> Result<Streamed<AnswerPart>, RpcError> {
        lock(&self.0.contexts).push(context);
        lock(&self.0.asked).push(request.clone());
        let begun = part(Part::Begun(begun(&request)));
        let away = || Err(RpcError::Unavailable("no model".into()));
        let text = |text: &str| part(Part::Text(text.to_owned()));
        let fakes = self.0.clone();
        let slow = request.question == SLOW;
        let second = async move {
            if slow {
                fakes.spoken.acquire().await.unwrap().forget();
            }
            text(" two")
        };
        let rest = match request.question.as_str() {
            SILENT => vec![away()],
            BREAKS => vec![text("One"), away()],
            question => {
                let ended = part(Part::Ended(AnswerEnded { unanswered: question == UNKNOWN }));
                let (one, last) = (text("One"), text(&format!(" {question}")));
                let told =
                    stream::iter([begun, one]).chain(stream::once(second)).chain(stream::iter([last, ended]));
                return Ok(Box::pin(told));
            }
        };
        Ok(Box::pin(stream::iter([begun]).chain(stream::iter(rest))))
    }

    async fn give_feedback(
        &self,
        _: Context,
        request: GiveFeedbackRequest,
    ) -> Result<GiveFeedbackResponse, RpcError> {
        let known = lock(&self.0.asked)
            .iter()
            .any(|asked| (&asked.app_id, &asked.answer_id) == (&request.app_id, &request.answer_id));
        lock(&self.0.judged).push(request);
        if known { Ok(GiveFeedbackResponse {}) } else { Err(RpcError::NotFound("answer".into())) }
    }

    async fn get_insights(
        &self,
        _: Context,
        request: GetInsightsRequest,
    ) -> Result<GetInsightsResponse, RpcError> {
        let asked = lock(&self.0.asked);
        let own: Vec<_> = asked.iter().filter(|asked| asked.app_id == request.app_id).collect();
        let found = GetInsightsResponse {
            questions: own.len() as u64,
            unanswered: 1,
            helpful: 2,
            unhelpful: 3,
            groups: vec![UnansweredQuestions {
                question: UNKNOWN.into(),
                count: 4,
                last_at_ms: AT_MS,
                not_covered: 3,
                unhelpful: 1,
                tickets: 2,
            }],
            conversations: vec![ConversationSummary {
                id: "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34".into(),
                first_question: "One?".into(),
                questions: 5,
                unanswered: 1,
                started_at_ms: AT_MS,
                last_at_ms: AT_MS,
            }],
        };
        lock(&self.0.looked_back).push(request);
        Ok(found)
    }
}
