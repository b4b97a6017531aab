//! Customers: reading one, as fast as it goes, and taking in ten thousand in one request.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use crate::echo::{Echo, Pair};
use crate::figures::{Figures, Table};

/// Connections that read at the same time.
const CONNECTIONS: usize = 64;
/// Rows of the file.
const ROWS: usize = 10_000;

/// `GET /api/v1/customers/{id}` with a project's key.
pub(crate) async fn reading(table: &mut Table, pair: Pair) {
    let echo = Echo::start(pair, "http://127.0.0.1:9").await;
    let project = echo.projects(1, None).await.remove(0);
    let customer = echo.customer(&project, 0).await;
    let url = format!("{}/api/v1/customers/{customer}", echo.base);
    let read = repeat(echo.http(), &url, &project.api_key, CONNECTIONS, Duration::from_secs(10)).await;
    let what = format!("GET /api/v1/customers/{{id}}, {CONNECTIONS} connections");
    table.row(&what, pair, &format!("{}; {}", read.rate(), read.percentiles()));
    echo.stop().await;
}

/// The same request over and over on so many connections.
pub(crate) async fn repeat(
    http: &reqwest::Client,
    url: &str,
    key: &str,
    connections: usize,
    how_long: Duration,
) -> Figures {
    let begun = Instant::now();
    let workers: Vec<_> = (0..connections)
        .map(|_| {
            let (http, url, key) = (http.clone(), url.to_owned(), key.to_owned());
            tokio::spawn(async move {
                let mut samples = Vec::new();
                while begun.elapsed() < how_long {
                    let asked = Instant::now();
                    let answer = http.get(&url).header("x-api-key", &key).send().await.expect("an answer");
                    assert_eq!(answer.status(), 200, "{url}");
                    answer.bytes().await.expect("a body");
                    samples.push(asked.elapsed());
                }
                samples
            })
        })
        .collect();
    let mut samples = Vec::new();
    for worker in workers {
        samples.extend(worker.await.expect("a worker"));
    }
    Figures { samples, within: begun.elapsed() }
}

/// `POST /api/v1/customers/import`.
pub(crate) async fn import(table: &mut Table, pair: Pair) {
    let echo = Echo::start(pair, "http://127.0.0.1:9").await;
    let project = echo.projects(1, None).await.remove(0);
    let mut file = String::from("external_id,first_name,last_name,phone,timezone\n");
    for n in 0..ROWS {
        let _ = writeln!(file, "row{n},John,Smith,+1415{:07},America/New_York", 2_000_000 + n);
    }
    let asked = Instant::now();
    let request = echo.http().post(format!("{}/api/v1/customers/import", echo.base));
    let request = request.header("x-api-key", &project.api_key).header("content-type", "text/csv").body(file);
    let answer = request.send().await.expect("an answer");
    assert_eq!(answer.status(), 200);
    let told: serde_json::Value = answer.json().await.expect("JSON");
    let took = asked.elapsed().as_secs_f64();
    assert_eq!(told["imported"], ROWS, "{told}");
    table.row("import of 10,000 customers (CSV)", pair, &format!("{took:.1} s"));
    echo.stop().await;
}
