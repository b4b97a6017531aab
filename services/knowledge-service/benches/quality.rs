//! How well the documents are ranked: `make bench-knowledge`. Each paragraph of a labelled set (in the form of SQuAD) is a document of
//! an app of its own, taken in and asked for over the bus like any other; the paragraph that a question stands under is the one that
//! should come first. Prints nDCG@10, recall@10 and hit@5, and how long a question took: by words alone and, where the
//! folder of models that is named has been filled (`make models`), by what they mean as well.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a tool for developers")]

mod asker;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use asker::{DEADLINE, take_in, until_none};
use common::config::Settings;
use common::db::Database;
use contracts::knowledge::{KnowledgeClient, SearchRequest};
use contracts::rpc::Context;
use serde_json::Value;

/// So many passages are looked at; a paragraph longer than a chunk may be among them more than once.
const PASSAGES: u32 = 30;
/// The model has read everything, and it is known whether that helps.
const UNREAD: &str = "SELECT (SELECT COUNT(*) FROM sources WHERE embedded_with IS NULL) \
                      + (SELECT COUNT(*) FROM apps WHERE weighed_with IS NULL) AS number";

/// Documents, and questions with the number of the one that answers them.
struct Labelled {
    paragraphs: Vec<String>,
    questions: Vec<(String, usize)>,
}

fn read(path: &Path) -> Labelled {
    let text = std::fs::read(path).expect("the file can be read");
    let data: Value = serde_json::from_slice(&text).expect("JSON in the form of SQuAD");
    let mut set = Labelled { paragraphs: Vec::new(), questions: Vec::new() };
    let articles = data["data"].as_array().into_iter().flatten();
    for paragraph in articles.flat_map(|article| article["paragraphs"].as_array().into_iter().flatten()) {
        let number = set.paragraphs.len();
        set.paragraphs.push(paragraph["context"].as_str().unwrap_or_default().to_owned());
        let answerable = |qa: &&Value| qa["is_impossible"] != Value::Bool(true);
        for qa in paragraph["qas"].as_array().into_iter().flatten().filter(answerable) {
            set.questions.push((qa["question"].as_str().unwrap_or_default().to_owned(), number));
        }
    }
    set
}

#[tokio::main]
async fn main() {
    let mut folders = std::env::args().skip(1).filter(|arg| !arg.starts_with('-'));
    let Some(folder) = folders.next() else {
        println!(
            "name the folder with the labelled sets (*.json in the form of SQuAD), and that of the models"
        );
        return;
    };
    let models = PathBuf::from(folders.next().unwrap_or_default());
    let mut files: Vec<_> =
        std::fs::read_dir(&folder).expect("the folder").map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    files.sort();
    println!(
        "| set | ranked by | documents | questions | nDCG@10 | recall@10 | hit@5 | taken in | read by the model | a question p50 | p95 |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for embedder in embedders(&models) {
        for path in &files {
            measure(embedder, &models, path).await;
        }
    }
}

/// Words alone, and the model where it is.
fn embedders(models: &Path) -> Vec<&'static str> {
    match models.join("all-MiniLM-L6-v2/model.safetensors").is_file() {
        true => vec!["off", "minilm"],
        false => {
            println!("(by words alone: `make models` fetches the model)");
            vec!["off"]
        }
    }
}

async fn measure(embedder: &str, models: &Path, path: &Path) {
    let data = tempfile::tempdir().expect("a temporary folder");
    let settings = || {
        Settings::from_pairs(vec![
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_DATA_DIR", data.path().display().to_string()),
            ("ECHO_EMBEDDER", embedder.to_owned()),
            ("ECHO_MODELS_DIR", models.display().to_string()),
        ])
    };
    let (running, client) = asker::start(settings()).await;
    let read_by = (embedder != "off").then(|| asker::tables(&settings()));
    measure_with(&client, (embedder, read_by), path).await;
    running.stop().await;
}

async fn measure_with(client: &KnowledgeClient, (embedder, read_by): (&str, Option<Database>), path: &Path) {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let set = read(path);
    let begun = Instant::now();
    let mut numbers = HashMap::new();
    for (number, text) in set.paragraphs.iter().enumerate() {
        numbers.insert(take_in(client, &name, text.clone()).await.source_id, number);
    }
    let taken_in = begun.elapsed();
    if let Some(tables) = &read_by {
        until_none(tables, UNREAD).await;
    }
    let read = begun.elapsed() - taken_in;
    let (mut ndcg, mut recall, mut hit, mut times) = (0.0, 0.0, 0.0, Vec::new());
    for (question, wanted) in &set.questions {
        let asked = Instant::now();
        let rank = rank(client, (&name, question), &numbers, *wanted).await;
        times.push(asked.elapsed());
        #[expect(clippy::cast_precision_loss, reason = "a rank below ten")]
        if let Some(rank) = rank.filter(|rank| *rank < 10) {
            ndcg += 1.0 / (rank as f64 + 2.0).log2();
            recall += 1.0;
            hit += f64::from(u8::from(rank < 5));
        }
    }
    times.sort_unstable();
    let at =
        |share: usize| times.get(times.len() * share / 100).copied().unwrap_or_default().as_secs_f64() * 1e3;
    #[expect(clippy::cast_precision_loss, reason = "some thousand questions")]
    let all = set.questions.len().max(1) as f64;
    println!(
        "| {name} | {embedder} | {} | {} | {:.4} | {:.4} | {:.4} | {:.1} s | {:.1} s | {:.2} ms | {:.2} ms |",
        set.paragraphs.len(),
        set.questions.len(),
        ndcg / all,
        recall / all,
        hit / all,
        taken_in.as_secs_f64(),
        read.as_secs_f64(),
        at(50),
        at(95)
    );
}

/// How many other documents come before the wanted one.
async fn rank(
    client: &KnowledgeClient,
    (app, question): (&str, &str),
    numbers: &HashMap<String, usize>,
    wanted: usize,
) -> Option<usize> {
    let question = question.trim().chars().take(500).collect();
    let request = SearchRequest { app_id: app.to_owned(), question, limit: PASSAGES };
    let found = client.search(Context::within(DEADLINE), request).await.expect("an answer");
    let mut documents: Vec<usize> = Vec::new();
    for passage in found.passages {
        let number = numbers[&passage.source_id];
        if !documents.contains(&number) {
            documents.push(number);
        }
    }
    documents.iter().position(|number| *number == wanted)
}
