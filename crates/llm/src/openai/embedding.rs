//! What texts mean, in numbers, from any server that speaks OpenAI's embeddings (`POST /embeddings`).

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::OpenAiConfig;
use super::retry;
use super::transport::Transport;
use crate::ModelError;

/// A model that embeds. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Embeddings {
    transport: Arc<Transport>,
    config: OpenAiConfig,
    dimensions: u32,
}

impl Embeddings {
    /// A model on a server, asked for vectors of so many numbers; 0: as many as the model gives (servers that cannot shorten refuse to
    /// be asked). Fails with [`ModelError::Unavailable`] only when no TLS client can be made on this machine.
    pub fn openai(config: OpenAiConfig, dimensions: u32) -> Result<Self, ModelError> {
        let transport = Arc::new(Transport::new(&config.base_url, &config.api_key)?);
        Ok(Self { transport, config, dimensions })
    }

    /// The server's name of the model.
    pub fn model(&self) -> &str {
        &self.config.model
    }

    /// One vector for each text, in their order, all equally long. The lengths of the vectors are as the server gives them.
    ///
    /// # Errors
    /// As for a chat. [`ModelError::Garbled`]: not as many vectors as texts, or of different sizes.
    pub async fn embed(&self, texts: &[String], deadline: Duration) -> Result<Vec<Vec<f32>>, ModelError> {
        let until = Instant::now() + deadline.min(self.config.timeout);
        let mut body = json!({"model": self.config.model, "input": texts, "encoding_format": "float"});
        if self.dimensions > 0 {
            body["dimensions"] = self.dimensions.into();
        }
        let answer = retry::embed(&self.transport, body, until).await?;
        read(&answer, texts.len())
    }
}

/// The vectors of an answer by their `index`, which need not be in order.
fn read(answer: &Value, wanted: usize) -> Result<Vec<Vec<f32>>, ModelError> {
    let garbled = |problem: &str| ModelError::Garbled(problem.to_owned());
    let mut vectors = vec![Vec::new(); wanted];
    for item in answer["data"].as_array().ok_or_else(|| garbled("no `data`"))? {
        let at = item["index"].as_u64().and_then(|at| usize::try_from(at).ok());
        let place = at.and_then(|at| vectors.get_mut(at)).ok_or_else(|| garbled("an `index` of no text"))?;
        *place = numbers(&item["embedding"])
            .ok_or_else(|| garbled("an `embedding` that is no list of numbers"))?;
    }
    let size = vectors.first().map_or(0, Vec::len);
    match vectors.iter().all(|vector| vector.len() == size && size > 0) {
        true => Ok(vectors),
        false => Err(garbled("not one vector for each text, all equally long")),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "a vector is kept in single precision")]
fn numbers(list: &Value) -> Option<Vec<f32>> {
    list.as_array()?.iter().map(|n| n.as_f64().map(|n| n as f32).filter(|n| n.is_finite())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_are_read_by_their_index() {
        let answer =
            json!({"data": [{"index": 1, "embedding": [3, 4]}, {"index": 0, "embedding": [1, 2.5]}]});
        assert_eq!(read(&answer, 2), Ok(vec![vec![1.0, 2.5], vec![3.0, 4.0]]));
    }

    #[test]
    fn what_is_missing_or_of_another_size_is_no_answer() {
        let item = |index: u64, size: usize| json!({"index": index, "embedding": vec![1; size]});
        for data in [
            json!(null),
            json!([]),
            json!([item(0, 2)]),
            json!([item(0, 2), item(1, 3)]),
            json!([item(0, 2), item(2, 2)]),
            json!([item(0, 0), item(1, 0)]),
            json!([item(0, 1), {"index": 1, "embedding": ["x"]}]),
        ] {
            let read = read(&json!({"data": data}), 2);
            assert!(matches!(read, Err(ModelError::Garbled(_))), "{read:?}");
        }
    }
}
