//! `make bench`: speed and memory of a whole Echo, printed as a table. Nothing is asserted: machines differ, and the same run
//! measures both shipped pairs, so that they can be compared.
//!
//! The driver is the carrier: it accepts calls, asks for documents as Twilio would, signed, and measures what Echo takes for
//! them. Calls are spread over 20 projects; the offline model answers at once.

#![expect(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a load driver: it stops when something is wrong, and prints its table"
)]

mod answers;
mod carrier;
mod echo;
mod figures;
mod listing;
mod records;

use std::time::Duration;

use figures::{Figures, Table};

/// Notifications a second that one small machine has to take.
const STEADY: u32 = 300;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    // `cargo bench` passes flags of its own; the first plain word chooses one figure.
    let only = std::env::args().skip(1).find(|a| !a.starts_with('-'));
    runtime.block_on(run(only.as_deref()));
}

async fn run(only: Option<&str>) {
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut table = Table::new();
    for pair in echo::Pair::shipped() {
        if wanted("start") {
            let started = echo::Echo::start(pair, "http://127.0.0.1:9").await;
            table.row(
                "from start to ready on an empty folder",
                pair,
                &format!("{:.0} ms", started.ready_after.as_secs_f64() * 1e3),
            );
            tokio::time::sleep(Duration::from_secs(3)).await;
            table.row("idle memory (resident)", pair, &format!("{:.0} MB", started.resident_mb()));
            started.stop().await;
        }
        if wanted("turns") {
            turns(&mut table, pair).await;
        }
        if wanted("inbound") {
            inbound(&mut table, pair).await;
        }
        if wanted("answers") {
            answers::streams(&mut table, pair).await;
        }
        if wanted("questions") {
            answers::questions_in_calls(&mut table, pair).await;
        }
        if wanted("placing") {
            placing(&mut table, pair).await;
        }
        if wanted("webhooks") {
            webhooks(&mut table, pair).await;
        }
        if wanted("reading") {
            records::reading(&mut table, pair).await;
        }
        if wanted("import") {
            records::import(&mut table, pair).await;
        }
        if wanted("listing") {
            listing::listing(&mut table, pair).await;
        }
    }
    table.print();
}

/// 200 calls that talk: what Echo takes from the carrier's request to the document.
async fn turns(table: &mut Table, pair: echo::Pair) {
    let paces = [
        (carrier::Pace::AsSpoken, 30, "sentences take as long as they are spoken"),
        (carrier::Pace::Rushed, 10, "nobody waits until a sentence is spoken"),
    ];
    for (pace, seconds, meaning) in paces {
        let carrier = carrier::Carrier::start(carrier::Manners::Talks).await;
        let echo = echo::Echo::start(pair, &carrier.url()).await;
        carrier.reaches(&echo.base);
        let projects = echo.projects(20, None).await;
        echo.ring(&projects, 10).await;
        let (documents, live) = carrier.talk(pace, Duration::from_secs(seconds)).await;
        let what = format!("server share of a document, {live} calls live, {meaning}");
        table.row(&what, pair, &format!("{}; {}", documents.rate(), documents.percentiles()));
        echo.stop().await;
    }
}

/// 200 people who ring bots: what Echo takes from the carrier's request to the document, from the greeting to the goodbye. What the
/// bots tell is heard by a receiver that answers at once.
async fn inbound(table: &mut Table, pair: echo::Pair) {
    let carrier = carrier::Carrier::start(carrier::Manners::Talks).await;
    let echo = echo::Echo::start(pair, &carrier.url()).await;
    carrier.reaches(&echo.base);
    let sink = carrier::Sink::start().await;
    let projects = echo.projects(20, None).await;
    carrier.ring_in(&echo.bots(&projects, &sink.url()).await, 10);
    let (documents, calls) = carrier.talk(carrier::Pace::AsSpoken, Duration::from_secs(45)).await;
    let what = format!(
        "server share of a document, {calls} calls to bots, sentences take as long as they are spoken"
    );
    table.row(&what, pair, &format!("{}; {}", documents.rate(), documents.percentiles()));
    let told: Figures = sink.until_quiet(Duration::from_secs(20)).await;
    table.row(
        "what bots did and told in them",
        pair,
        &format!("{} requests to their webhooks", told.samples.len()),
    );
    echo.stop().await;
}

/// Requests that place notifications: what is asked of Echo, steadily, and as fast as it goes.
async fn placing(table: &mut Table, pair: echo::Pair) {
    let carrier = carrier::Carrier::start(carrier::Manners::RingsForEver).await;
    let echo = echo::Echo::start(pair, &carrier.url()).await;
    carrier.reaches(&echo.base);
    let projects = echo.projects(20, None).await;
    let steady = echo.people(&projects).await.ring_steadily(STEADY, Duration::from_secs(15)).await;
    let what = format!("POST /api/v1/notifications, {STEADY}/s asked for");
    table.row(&what, pair, &format!("{}; {}", steady.rate(), steady.percentiles()));
    echo.stop().await;

    let echo = echo::Echo::start(pair, &carrier.url()).await;
    let projects = echo.projects(20, None).await;
    let fast = echo.people(&projects).await.ring_at_once(32, Duration::from_secs(10)).await;
    let what = "POST /api/v1/notifications, 32 at a time";
    table.row(what, pair, &format!("{}; {}", fast.rate(), fast.percentiles()));
    echo.stop().await;
}

/// Calls that end at once, each told to five endpoints of a healthy receiver.
async fn webhooks(table: &mut Table, pair: echo::Pair) {
    let carrier = carrier::Carrier::start(carrier::Manners::IsBusy).await;
    let echo = echo::Echo::start(pair, &carrier.url()).await;
    carrier.reaches(&echo.base);
    let sink = carrier::Sink::start().await;
    let projects = echo.projects(20, Some((&sink.url(), 5))).await;
    echo.ring(&projects, 50).await;
    let delivered: Figures = sink.until_quiet(Duration::from_secs(60)).await;
    table.row("webhook deliveries to a healthy receiver", pair, &delivered.rate());
    echo.stop().await;
}
