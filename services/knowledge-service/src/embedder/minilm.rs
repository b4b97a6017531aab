//! `all-MiniLM-L6-v2` on this machine: 384 numbers for a text, in English above all. Read from a folder with the model's own files, as
//! its makers publish them: `config.json`, `tokenizer.json`, `model.safetensors`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use common::config::{ConfigError, Settings};
use llm::ModelError;
use rayon::{ThreadPool, ThreadPoolBuilder};
use tokenizers::{Tokenizer, TruncationParams};
use tokio::time::timeout;

/// The model's name and that of its folder.
pub(super) const NAME: &str = "all-MiniLM-L6-v2";
/// It was made for texts of so many pieces of words; what comes after is not read.
const LONGEST: usize = 256;

/// The model, for a service: whoever asks waits, and no thread does that others need. Cheap to clone.
#[derive(Clone)]
pub(crate) struct OnThisMachine(Arc<MiniLm>);

impl OnThisMachine {
    /// From the folder of the models.
    ///
    /// # Errors
    /// What is missing in it.
    pub(super) fn load(settings: &Settings) -> Result<Self, ConfigError> {
        let folder: PathBuf = settings.get("ECHO_MODELS_DIR", "models".to_owned())?.into();
        let folder = folder.join(NAME);
        let model = MiniLm::load(&folder).map_err(|problem| {
            let problem = format!("{}: {problem}; `make models` fills the folder", folder.display());
            ConfigError::new("ECHO_MODELS_DIR", problem)
        })?;
        Ok(Self(Arc::new(model)))
    }

    /// What a question means, if that can be said in time.
    pub(super) async fn question(&self, text: &str, within: Duration) -> Result<Vec<Vec<f32>>, ModelError> {
        let (model, text) = (Arc::clone(&self.0), text.to_owned());
        let answer = in_background(move || Ok(vec![model.question(&text)?]));
        timeout(within, answer).await.unwrap_or(Err(ModelError::Timeout))
    }

    /// What texts mean.
    pub(super) async fn texts(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, ModelError> {
        let (model, texts) = (Arc::clone(&self.0), texts.to_vec());
        in_background(move || texts.iter().map(|text| model.text(text)).collect()).await
    }
}

async fn in_background(
    work: impl FnOnce() -> Result<Vec<Vec<f32>>, String> + Send + 'static,
) -> Result<Vec<Vec<f32>>, ModelError> {
    let done = tokio::task::spawn_blocking(move || work().map_err(ModelError::Garbled));
    done.await.unwrap_or_else(|error| Err(ModelError::Unavailable(error.to_string())))
}

/// The model, in memory. Questions have a processor of their own: none waits for documents that are being read.
struct MiniLm {
    model: BertModel,
    tokenizer: Tokenizer,
    questions: ThreadPool,
    texts: ThreadPool,
}

impl MiniLm {
    /// From a folder.
    ///
    /// # Errors
    /// Which file is not there or cannot be read, in words.
    fn load(folder: &Path) -> Result<Self, String> {
        let read = |name: &str| std::fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"));
        let config: Config =
            serde_json::from_slice(&read("config.json")?).map_err(|error| format!("config.json: {error}"))?;
        let mut tokenizer = Tokenizer::from_bytes(read("tokenizer.json")?)
            .map_err(|error| format!("tokenizer.json: {error}"))?;
        let cut = TruncationParams { max_length: LONGEST, ..TruncationParams::default() };
        tokenizer.with_padding(None).with_truncation(Some(cut)).map_err(|error| error.to_string())?;
        let weights = read("model.safetensors")?;
        let weights = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu);
        let model = weights.and_then(|weights| BertModel::load(weights, &config));
        let model = model.map_err(|error| format!("model.safetensors: {error}"))?;
        Ok(Self { model, tokenizer, questions: one_thread("question")?, texts: one_thread("text")? })
    }

    /// What a question means.
    fn question(&self, text: &str) -> Result<Vec<f32>, String> {
        self.questions.install(|| self.embed(text)).map_err(|error| error.to_string())
    }

    /// What a text means.
    fn text(&self, text: &str) -> Result<Vec<f32>, String> {
        self.texts.install(|| self.embed(text)).map_err(|error| error.to_string())
    }

    /// The mean of what its pieces mean.
    fn embed(&self, text: &str) -> candle_core::Result<Vec<f32>> {
        let pieces = self.tokenizer.encode(text, true).map_err(candle_core::Error::wrap)?;
        let ids = Tensor::new(pieces.get_ids(), &Device::Cpu)?.unsqueeze(0)?;
        let meanings = self.model.forward(&ids, &ids.zeros_like()?, None)?;
        meanings.mean(1)?.squeeze(0)?.to_vec1()
    }
}

fn one_thread(of: &'static str) -> Result<ThreadPool, String> {
    let named = ThreadPoolBuilder::new().num_threads(1).thread_name(move |_| format!("embed-{of}"));
    named.build().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    const WORDS: [&str; 6] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "open", "hours"];

    /// A model of the same build with one layer of four numbers.
    fn small(folder: &Path) {
        let config = json!({
            "vocab_size": 6, "hidden_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8,
            "hidden_act": "gelu", "hidden_dropout_prob": 0.1, "max_position_embeddings": 300, "type_vocab_size": 2,
            "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0, "model_type": "bert",
        });
        let vocab: HashMap<&str, usize> = WORDS.iter().enumerate().map(|(id, word)| (*word, id)).collect();
        let tokenizer = json!({
            "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "decoder": null,
            "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true, "strip_accents": null, "lowercase": true},
            "pre_tokenizer": {"type": "BertPreTokenizer"},
            "post_processor": {"type": "BertProcessing", "sep": ["[SEP]", 3], "cls": ["[CLS]", 2]},
            "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": vocab},
        });
        std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
        std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
        candle_core::safetensors::save(&weights(), folder.join("model.safetensors")).unwrap();
    }

    fn weights() -> HashMap<String, Tensor> {
        let layer = "encoder.layer.0";
        let matrices = [
            ("embeddings.word_embeddings", 6, 4),
            ("embeddings.position_embeddings", 300, 4),
            ("embeddings.token_type_embeddings", 2, 4),
            (&*format!("{layer}.attention.self.query"), 4, 4),
            (&*format!("{layer}.attention.self.key"), 4, 4),
            (&*format!("{layer}.attention.self.value"), 4, 4),
            (&*format!("{layer}.attention.output.dense"), 4, 4),
            (&*format!("{layer}.intermediate.dense"), 8, 4),
            (&*format!("{layer}.output.dense"), 4, 8),
        ]
        .map(|(name, rows, columns)| (name.to_owned(), rows, columns));
        let mut all = HashMap::new();
        let numbers =
            |count: usize| (0..count).map(|n| f32::from(u8::try_from(n * 37 % 101).unwrap()) / 50.0 - 1.0);
        for (name, rows, columns) in matrices {
            let values: Vec<f32> = numbers(rows * columns).collect();
            all.insert(
                format!("{name}.weight"),
                Tensor::from_vec(values, (rows, columns), &Device::Cpu).unwrap(),
            );
            all.insert(format!("{name}.bias"), Tensor::zeros(rows, DType::F32, &Device::Cpu).unwrap());
        }
        for name in ["embeddings", &format!("{layer}.attention.output"), &format!("{layer}.output")] {
            all.insert(
                format!("{name}.LayerNorm.weight"),
                Tensor::ones(4, DType::F32, &Device::Cpu).unwrap(),
            );
            all.insert(format!("{name}.LayerNorm.bias"), Tensor::zeros(4, DType::F32, &Device::Cpu).unwrap());
        }
        all
    }

    #[test]
    fn a_text_means_the_same_every_time_and_another_one_something_else() {
        let folder = tempfile::tempdir().unwrap();
        small(folder.path());
        let model = MiniLm::load(folder.path()).unwrap();
        let hours = model.text("Open hours").unwrap();
        assert_eq!(hours.len(), 4);
        assert_eq!(model.question("open HOURS").unwrap(), hours);
        assert_ne!(model.text("hours").unwrap(), hours);
        assert_eq!(model.text(&"open ".repeat(5_000)).unwrap().len(), 4);
        assert_eq!(model.text("").unwrap().len(), 4);
    }

    #[test]
    fn what_is_missing_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let problem = MiniLm::load(folder.path()).err().unwrap();
        assert!(problem.starts_with("config.json: "), "{problem}");
        small(folder.path());
        std::fs::write(folder.path().join("model.safetensors"), b"no model").unwrap();
        let problem = MiniLm::load(folder.path()).err().unwrap();
        assert!(problem.starts_with("model.safetensors: "), "{problem}");
    }
}
