//! How fast documents are taken in and asked, and how much room they take: part of `make bench`. An app of made-up texts, with words as
//! frequent as in any language, and vectors of 384 numbers from a server on this machine that answers with chance: what they say
//! does not matter for how long it takes.

#![expect(clippy::expect_used, clippy::print_stdout, reason = "a tool for developers")]

mod asker;

use std::time::{Duration, Instant};

use actix_web::web::{Json, post};
use actix_web::{App, HttpResponse, HttpServer};
use asker::{DEADLINE, take_in, until_none};
use common::config::Settings;
use common::db::{Database, DbError};
use contracts::knowledge::{KnowledgeClient, SearchRequest};
use contracts::rpc::Context;
use diesel::{RunQueryDsl as _, sql_query};
use serde_json::{Value, json};

/// Everything has its vectors, and it is known whether they help.
const UNREAD: &str = "SELECT (SELECT COUNT(*) FROM sources WHERE embedded_with IS NULL) + (SELECT COUNT(*) FROM apps \
                      WHERE weighed_chunks * 3 / 2 <= (SELECT SUM(chunk_count) FROM sources)) AS number";
const SIZE: usize = 384;
const WORDS: u64 = 50_000;
/// A text of so many bytes is the longest that is taken in.
const TEXT: usize = 100_000;
const QUESTIONS: usize = 300;

/// Always the same numbers (xorshift).
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// 0–1.
    #[expect(clippy::cast_precision_loss, reason = "chance")]
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A word: the first few are frequent, most are rare (Zipf).
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "chance"
    )]
    fn word(&mut self) -> String {
        let rank = (WORDS as f64).powf(self.share()) as u64;
        let (mut word, mut left) = (String::new(), rank * 7_919 + 17);
        while left > 0 {
            word.push(char::from(b'a' + (left % 26) as u8));
            left /= 26;
        }
        word
    }

    fn text(&mut self, bytes: usize) -> String {
        let mut text = String::with_capacity(bytes + 10);
        while text.len() < bytes {
            text.push_str(&self.word());
            text.push_str(if self.share() < 0.07 { ". " } else { " " });
        }
        text.truncate(bytes);
        text
    }
}

async fn embed(body: Json<Value>) -> HttpResponse {
    let texts = body["input"].as_array().map_or(0, Vec::len);
    let mut chance = Chance(body.to_string().len() as u64 + 1);
    let mut vector = || (0..SIZE).map(|_| chance.share() - 0.5).collect::<Vec<f64>>();
    let data: Vec<Value> = (0..texts).map(|index| json!({"index": index, "embedding": vector()})).collect();
    HttpResponse::Ok().json(json!({"data": data}))
}

#[tokio::main]
async fn main() {
    let server = HttpServer::new(|| {
        App::new()
            .app_data(actix_web::web::JsonConfig::default().limit(8 << 20))
            .route("/v1/embeddings", post().to(embed))
    });
    let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).expect("a free port");
    let url = format!("http://{}/v1", server.addrs()[0]);
    tokio::spawn(server.run());
    println!(
        "| chunks | ranked by | 100 kB taken in p50 | brought up to date in | a question p50 | p95 | p99 | resident |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- |");
    for chunks in [10_000, 100_000] {
        measure(chunks, "off", &url).await;
        measure(chunks, "openai", &url).await;
    }
}

async fn measure(chunks: u32, embedder: &str, url: &str) {
    let data = tempfile::tempdir().expect("a temporary folder");
    let settings = || {
        Settings::from_pairs(vec![
            ("ECHO_OPS_ADDR", "127.0.0.1:0".to_owned()),
            ("ECHO_DATA_DIR", data.path().display().to_string()),
            ("ECHO_EMBEDDER", embedder.to_owned()),
            ("OPENAI_BASE_URL", url.to_owned()),
        ])
    };
    let (running, client) = asker::start(settings()).await;
    let mut chance = Chance(42);
    let (mut stored, mut ingests) = (0, Vec::new());
    while stored < chunks {
        let text = chance.text(TEXT);
        let begun = Instant::now();
        stored += take_in(&client, "app", text).await.chunks_processed;
        ingests.push(begun.elapsed());
    }
    let tables = asker::tables(&settings());
    if embedder != "off" {
        until_none(&tables, UNREAD).await;
    }
    running.stop().await;
    count_meaning(&tables).await;
    drop(tables);
    // A new start has nothing in memory but what it needs.
    let (running, client) = asker::start(settings()).await;
    let made = Instant::now();
    ask(&client, "first").await;
    let made = made.elapsed();
    let mut times = Vec::new();
    for _ in 0..QUESTIONS {
        let question: Vec<String> = (0..8).map(|_| chance.word()).collect();
        let asked = Instant::now();
        ask(&client, &question.join(" ")).await;
        times.push(asked.elapsed());
    }
    println!(
        "| {stored} | {embedder} | {:.0} ms | {:.1} s | {:.1} ms | {:.1} ms | {:.1} ms | {} MB |",
        at(&mut ingests, 50),
        made.as_secs_f64(),
        at(&mut times, 50),
        at(&mut times, 95),
        at(&mut times, 99),
        resident()
    );
    running.stop().await;
}

/// Milliseconds.
fn at(times: &mut [Duration], share: usize) -> f64 {
    times.sort_unstable();
    times.get(times.len() * share / 100).copied().unwrap_or_default().as_secs_f64() * 1e3
}

/// Of this process, with the driver in it.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kb| kb.parse::<u64>().ok()).unwrap_or_default() / 1_024
}

async fn ask(client: &KnowledgeClient, question: &str) {
    let request = SearchRequest { app_id: "app".to_owned(), question: question.to_owned(), limit: 6 };
    client.search(Context::within(DEADLINE), request).await.expect("an answer");
}

/// Chance means nothing and has been found useless: here it counts nevertheless, for it takes as long.
async fn count_meaning(tables: &Database) {
    let counted = tables.write(|tx| {
        sql_query(
            "UPDATE apps SET weight = 0.5, weighed_with = 'text-embedding-3-small', weighed_chunks = 1000000",
        )
        .execute(tx.conn)?;
        Ok::<_, DbError>(())
    });
    counted.await.expect("the tables answer");
}
