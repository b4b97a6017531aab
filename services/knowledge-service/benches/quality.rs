//! How well the documents are ranked: `make bench-knowledge`. Each paragraph of a labelled set (in the form of SQuAD) is a document of
//! an app of its own, taken in and asked for over the bus like any other; the paragraph that a question stands under is the one that
//! should come first. Prints nDCG@10, recall@10 and hit@5, and how long a question took: by words alone and, where the
//! folder of models that is named has been filled (`make models`), by what they mean as well.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout, reason = "a tool for developers")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::clock::Clock;
use common::config::{ConfigError, Settings};
use common::db::{Database, Db, DbError};
use common::platform::Platform;
use common::runtime::{self, Process};
use common::service::{Service, ServiceDef};
use contracts::ServiceName;
use contracts::ids::SourceId;
use contracts::knowledge::{IngestRequest, KnowledgeClient, SearchRequest};
use contracts::rpc::{Caller, Context};
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use serde_json::Value;

/// So many passages are looked at; a paragraph longer than a chunk may be among them more than once.
const PASSAGES: u32 = 30;
const DEADLINE: Duration = Duration::from_secs(30);

thread_local! {
    static CALLER: RefCell<Option<Arc<dyn Caller>>> = const { RefCell::new(None) };
}

const NEIGHBOUR: ServiceDef =
    ServiceDef { name: ServiceName::CallOrchestrator, tables: None, listens: &[], build: neighbour };

const PROCESS: Process = Process {
    name: "knowledge-bench",
    about: "The knowledge service and somebody who asks.",
    services: &[echo_knowledge_service::SERVICE, NEIGHBOUR],
    embedded: true,
};

fn neighbour(_: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    CALLER.set(Some(Arc::clone(&platform.caller)));
    Ok(Service::default())
}

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
    let running = runtime::start(PROCESS, settings(), Clock::system()).await.expect("the process starts");
    let client = KnowledgeClient::new(CALLER.take().expect("the neighbour was built"));
    let tables = runtime::database(PROCESS, &settings(), ServiceName::KnowledgeService, Clock::system());
    let read_by = (embedder != "off").then(|| tables.expect("a database"));
    measure_with(&client, (embedder, read_by), path).await;
    running.stop().await;
}

/// Until the model has read everything, and it is known whether that helps.
async fn until_read(tables: &Database) {
    loop {
        let left = tables.read(|db: &mut Db| {
            let text = "SELECT (SELECT COUNT(*) FROM sources WHERE embedded_with IS NULL) \
                        + (SELECT COUNT(*) FROM apps WHERE weighed_with IS NULL) AS number";
            let found: Number = sql_query(text).get_result(db)?;
            Ok::<_, DbError>(found.number)
        });
        if left.await.expect("the tables answer") == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

async fn measure_with(client: &KnowledgeClient, (embedder, read_by): (&str, Option<Database>), path: &Path) {
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let set = read(path);
    let begun = Instant::now();
    let mut numbers = HashMap::new();
    for (number, text) in set.paragraphs.iter().enumerate() {
        numbers.insert(take_in(client, &name, text).await, number);
    }
    let taken_in = begun.elapsed();
    if let Some(tables) = &read_by {
        until_read(tables).await;
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

async fn take_in(client: &KnowledgeClient, app: &str, text: &str) -> String {
    let request = IngestRequest {
        app_id: app.to_owned(),
        source_id: SourceId::new().to_string(),
        url: String::new(),
        title: "-".to_owned(),
        text: text.to_owned(),
    };
    client.ingest(Context::within(DEADLINE), request).await.expect("it is taken in").source_id
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
