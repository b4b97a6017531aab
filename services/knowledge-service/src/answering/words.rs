//! The words of an answer: a model's, filtered, or Echo's own where the documents have nothing to say.

use std::time::Duration;

use common::crypto;
use contracts::knowledge::Verdict;
use contracts::rpc::RpcError;
use futures_util::StreamExt as _;
use llm::{
    Abilities, Chat as _, ChatEvent, ChatRequest, ChatStream, ConversationPlan, Heard, ModelError, Speaker,
    Tokens, Utterance,
};

use super::Asked;
use crate::app::App;
use crate::domain::filter::{self, Allowed, Filter};
use crate::domain::{language, passages, prompt};

/// The model is given up on after this long.
const MODEL: Duration = Duration::from_secs(60);
/// In bytes: what a model says beyond is left out.
const LONGEST: usize = 20_000;

/// What has been said so far, and what it cost.
#[derive(Default)]
pub(crate) struct Said {
    pub(crate) text: String,
    pub(crate) tokens: Option<Tokens>,
}

/// The words of an answer as they come.
pub(crate) struct Words {
    source: Source,
    /// For logs.
    answer: uuid::Uuid,
}

enum Source {
    Own(&'static str),
    Model(ChatStream, Box<Filter>),
    Ended,
}

pub(crate) async fn speak(app: &App, asked: &Asked) -> Result<Words, RpcError> {
    let answer = asked.question.answer_id;
    let question = &asked.question.text;
    let source = match asked.verdict {
        Verdict::NeedsHuman => Source::Own(language::person(question)),
        Verdict::Answerable | Verdict::Partial => model(app, asked).await?,
        _ => Source::Own(language::not_covered(question)),
    };
    Ok(Words { source, answer })
}

async fn model(app: &App, asked: &Asked) -> Result<Source, RpcError> {
    let (fence, canary) = (random_word("fq")?, random_word("zq")?);
    let (sources, numbers) = passages::sources(&asked.passages);
    let allowed = Allowed {
        sources: sources.len(),
        hosts: sources.iter().filter_map(|source| filter::host(&source.url)).collect(),
    };
    let system = prompt::prompt(&asked.passages, &numbers, (&fence, &canary));
    let said = |speaker, text: &String| Utterance { speaker, text: text.clone() };
    let turns = asked.history.iter();
    let request = ChatRequest {
        system,
        history: turns.flat_map(|(q, a)| [said(Speaker::Customer, q), said(Speaker::Agent, a)]).collect(),
        heard: Heard::Speech { text: asked.question.text.clone(), confidence: None },
        language: String::new(),
        schema: None,
        opening: None,
        plan: ConversationPlan::Question {
            passages: numbers.iter().copied().zip(asked.passages.iter().map(|p| p.text.clone())).collect(),
        },
        abilities: Abilities::default(),
        deadline: MODEL,
    };
    let stream = app.model.stream(request).await.map_err(broken)?;
    Ok(Source::Model(stream, Box::new(Filter::new(&allowed, &canary))))
}

/// Nobody can know it: it is made for one question.
fn random_word(begin: &str) -> Result<String, RpcError> {
    let bytes = crypto::random::<12>().map_err(|e| RpcError::Internal(e.to_string()))?;
    Ok(bytes.iter().fold(begin.to_owned(), |word, byte| format!("{word}{byte:02x}")))
}

impl Words {
    /// The next ones. An error is the end of them.
    pub(crate) async fn next(&mut self, said: &mut Said) -> Result<Option<String>, RpcError> {
        let text = self.filtered(said).await?;
        match &text {
            Some(text) => said.text.push_str(text),
            None if said.text.trim().is_empty() => {
                return Err(RpcError::Unavailable("the model said nothing".to_owned()));
            }
            None => {}
        }
        Ok(text)
    }

    async fn filtered(&mut self, said: &mut Said) -> Result<Option<String>, RpcError> {
        loop {
            let event = match &mut self.source {
                Source::Model(stream, _) if said.text.len() < LONGEST => stream.next().await,
                _ => None,
            };
            match event {
                Some(event) => match event.map_err(broken)? {
                    ChatEvent::Text(text) => {
                        let Source::Model(_, filter) = &mut self.source else { continue };
                        let text = filter.push(&text).map_err(|_| leaked(self.answer))?;
                        if !text.is_empty() {
                            return Ok(Some(text));
                        }
                    }
                    ChatEvent::Used(tokens) => said.tokens = Some(tokens),
                    // Nothing that a model writes makes anything happen.
                    ChatEvent::EndCall { .. } | ChatEvent::Transfer | ChatEvent::CallTool(_) => {}
                },
                None => return self.last(),
            }
        }
    }

    fn last(&mut self) -> Result<Option<String>, RpcError> {
        match std::mem::replace(&mut self.source, Source::Ended) {
            Source::Own(sentence) => Ok(Some(sentence.to_owned())),
            Source::Model(_, filter) => {
                let rest = filter.finish().map_err(|_| leaked(self.answer))?;
                Ok((!rest.is_empty()).then_some(rest))
            }
            Source::Ended => Ok(None),
        }
    }
}

fn leaked(answer: uuid::Uuid) -> RpcError {
    tracing::warn!(%answer, "an answer held what nobody may know, and was cut off");
    RpcError::Internal("the answer was cut off".to_owned())
}

fn broken(error: ModelError) -> RpcError {
    match error {
        ModelError::Timeout => RpcError::DeadlineExceeded,
        ModelError::Unavailable(_) => RpcError::Unavailable(error.to_string()),
        ModelError::Refused { .. } | ModelError::Garbled(_) => RpcError::Internal(error.to_string()),
    }
}
