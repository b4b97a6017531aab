//! What documents cost: answers to pages, many at once, and questions in a call.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::model_server::{ModelServer, Script};

use crate::carrier::{Carrier, Manners, Pace};
use crate::echo::{Echo, Pair, Project};
use crate::figures::{Figures, Table};

/// Answers that are streamed at the same time.
const AT_ONCE: usize = 200;
/// Documents of 100 kB that make about 10,000 chunks.
const DOCUMENTS: usize = 80;
/// Words of which the documents are made, by a fixed rule: common ones and rare ones, as in a language.
const SYLLABLES: [&str; 16] =
    ["ka", "lo", "mi", "ne", "pu", "ra", "so", "ti", "vu", "we", "xa", "yo", "zi", "be", "du", "fe"];

/// 200 questions at once, whose answers a model streams: how long until the first words are there, beside what the search alone takes under
/// the same load, and until the last.
pub(crate) async fn streams(table: &mut Table, pair: Pair) {
    let models = ModelServer::start().await.expect("a model server");
    let model = [("OPENAI_BASE_URL", models.url()), ("OPENAI_API_KEY", "bench")];
    let echo = Echo::start_with(pair, "http://127.0.0.1:9", &model).await;
    let project = echo.projects(1, None).await.remove(0);
    let app = app(&echo, &project, 1).await;
    // Once, so that the first question does not pay for what is loaded only once.
    stream(&echo, &app).await;

    let begun = Instant::now();
    let searches = all(|| search(&echo, &project, &app)).await;
    let searches = Figures { samples: searches, within: begun.elapsed() };
    table.row(&format!("search alone, {AT_ONCE} at once"), pair, &searches.percentiles());
    let begun = Instant::now();
    let at_once = all(|| stream(&echo, &app)).await;
    let first =
        Figures { samples: at_once.iter().map(|(first, _)| *first).collect(), within: begun.elapsed() };
    let what = format!("first words of an answer, {AT_ONCE} at once, a model that answers at once");
    table.row(&what, pair, &first.percentiles());

    for _ in 0..AT_ONCE {
        let text = (0..10).map(|n| format!("word{n} ")).collect();
        models.push(Script::Slow { text, gap_ms: 100 });
    }
    let at_once = all(|| stream(&echo, &app)).await;
    let after_first: Vec<Duration> = at_once.iter().map(|(first, last)| *last - *first).collect();
    let spread = Figures { samples: after_first, within: Duration::ZERO };
    let what = format!("from first to last words, {AT_ONCE} at once, a model that speaks for 900 ms more");
    table.row(&what, pair, &spread.percentiles());
    echo.stop().await;
}

/// The same conversations without documents and with 10,000 chunks of them: what looking up adds to a turn.
pub(crate) async fn questions_in_calls(table: &mut Table, pair: Pair) {
    for documents in [0, DOCUMENTS] {
        let carrier = Carrier::start(Manners::Talks).await;
        let echo = Echo::start(pair, &carrier.url()).await;
        carrier.reaches(&echo.base);
        let projects = echo.projects(4, None).await;
        for project in &projects {
            let app = app(&echo, project, documents).await;
            let agent = json!({
                "name": "Load", "system_prompt": "Say that the appointment is tomorrow, and answer questions.", "knowledge_app_id": app,
            });
            let agent = echo.post("/api/v1/agents", &project.api_key, &agent).await;
            echo.ring_with(project, 10, agent["id"].as_str().expect("an id")).await;
        }
        let (turns, live) = carrier.talk(Pace::AsSpoken, Duration::from_secs(30)).await;
        let what = match documents {
            0 => format!("server share of a document, {live} calls live, an app without documents"),
            _ => format!("the same with {documents} documents of 100 kB in each app"),
        };
        table.row(&what, pair, &turns.percentiles());
        echo.stop().await;
    }
}

/// An app that knows so many documents. Answers its id.
async fn app(echo: &Echo, project: &Project, documents: usize) -> String {
    let app = echo.post("/v1/apps", &project.api_key, &json!({"name": "Load"})).await;
    let app = app["id"].as_str().expect("an id").to_owned();
    for n in 0..documents {
        let body = json!({"text": document(n), "url": format!("https://example.com/{n}")});
        let url = format!("{}/api/{app}/ingest", echo.base);
        let brought = echo.http().post(url).header("x-api-key", &project.api_key).json(&body).send().await;
        assert_eq!(brought.expect("an answer").status(), 200);
    }
    app
}

/// 100 kB of words.
fn document(n: usize) -> String {
    let mut text = String::from("# Opening hours\n\nWe are open from nine to five. ");
    let mut state = n.wrapping_mul(2_654_435_761).wrapping_add(12_345);
    while text.len() < 100_000 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = (state >> 33) % 4096;
        // The product of two numbers is small more often than not: some words are in every sentence, most of them hardly anywhere.
        let word = word * ((state >> 45) % 4096) / 4096;
        for shift in [0, 4, 8] {
            text.push_str(SYLLABLES[(word >> shift) & 15]);
        }
        text.push_str(if state.is_multiple_of(12) { ". " } else { " " });
    }
    text.truncate(100_000);
    text
}

/// Does it 200 times at once.
async fn all<T: Send, F: Future<Output = T>>(work: impl Fn() -> F) -> Vec<T> {
    futures_util::future::join_all((0..AT_ONCE).map(|_| work())).await
}

/// A question. Answers when its first and its last words were there.
async fn stream(echo: &Echo, app: &str) -> (Duration, Duration) {
    let asked = Instant::now();
    let url = format!("{}/api/{app}/query", echo.base);
    let answer = echo.http().post(url).json(&json!({"question": "When are you open?"})).send().await;
    let mut answer = answer.expect("an answer");
    assert_eq!(answer.status(), 200);
    answer.chunk().await.expect("words").expect("words");
    let first = asked.elapsed();
    while answer.chunk().await.expect("words").is_some() {}
    (first, asked.elapsed())
}

/// The search that an answer begins with.
async fn search(echo: &Echo, project: &Project, app: &str) -> Duration {
    let asked = Instant::now();
    let url = format!("{}/api/{app}/search?q=When+are+you+open%3F", echo.base);
    let found = echo.http().get(url).header("x-api-key", &project.api_key).send().await.expect("an answer");
    let found: Value = found.json().await.expect("JSON");
    assert!(found["results"].as_array().is_some_and(|results| !results.is_empty()), "{found}");
    asked.elapsed()
}
