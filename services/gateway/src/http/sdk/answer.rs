//! An answer as it comes from the knowledge-service: what was found, then the words, then the end. What ends without its end has
//! broken off.

use contracts::knowledge::answer_part::Part;
use contracts::knowledge::{AnswerBegun, AnswerPart, AnswerSource, Verdict};
use contracts::rpc::{RpcError, Streamed};
use futures_util::{Stream, StreamExt as _, stream};

/// An answer of which the first words are known.
pub(super) struct Answer {
    /// What the documents can do for the question, by its name.
    pub(super) verdict: &'static str,
    /// The documents behind it: `[n]` in the words is the n-th of them.
    pub(super) sources: Vec<AnswerSource>,
    /// The conversation that it belongs to.
    pub(super) conversation: String,
    /// The words; after an error there are no more.
    pub(super) words: Streamed<String>,
}

impl Answer {
    /// Waits for what was found and for the first words, so that an answer that nobody can give is told as an error and not as the
    /// beginning of one.
    pub(super) async fn begin(mut parts: Streamed<AnswerPart>) -> Result<Self, RpcError> {
        let AnswerBegun { verdict, sources, conversation_id, .. } = match parts.next().await.transpose()? {
            Some(AnswerPart { part: Some(Part::Begun(begun)) }) => begun,
            _ => return Err(out_of_order()),
        };
        let mut words = Box::pin(words(parts));
        let first = words.next().await.transpose()?;
        Ok(Self {
            verdict: name(Verdict::try_from(verdict).unwrap_or_default()),
            sources,
            conversation: conversation_id,
            words: Box::pin(stream::iter(first.map(Ok)).chain(words)),
        })
    }
}

/// What a verdict is called. The knowledge-service's own word for one that it does not give is none of ours.
fn name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Answerable => "answerable",
        Verdict::Partial => "partial",
        Verdict::NeedsHuman => "needs_human",
        Verdict::NotCovered | Verdict::Unspecified => "not_covered",
    }
}

fn words(parts: Streamed<AnswerPart>) -> impl Stream<Item = Result<String, RpcError>> + Send {
    stream::unfold(Some(parts), |parts| async move {
        let mut parts = parts?;
        let broken = |error| Some((Err(error), None));
        match parts.next().await {
            Some(Ok(AnswerPart { part: Some(Part::Text(text)) })) => Some((Ok(text), Some(parts))),
            Some(Ok(AnswerPart { part: Some(Part::Ended(_)) })) => None,
            Some(Ok(_)) => broken(out_of_order()),
            Some(Err(error)) => broken(error),
            None => broken(RpcError::Unavailable("the answer ended without its end".to_owned())),
        }
    })
}

fn out_of_order() -> RpcError {
    RpcError::Internal("the parts of an answer came in another order".to_owned())
}
