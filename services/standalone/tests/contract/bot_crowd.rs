//! Many ring one bot at the same time: each is asked in turn, booked for once, and told of once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use crate::client::new_phone;
use crate::echo::{Echo, Pair};
use crate::inbox::{Act, Inbox};
use crate::link::Link;
use crate::shape::{elements, text};

/// So many ring.
const CALLERS: usize = 200;
/// Between one and the next: so all of them ring within five seconds, and talk at the same time.
const APART: Duration = Duration::from_millis(25);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_everybody_is_asked_in_order_and_booked_for() {
    everybody_is_asked_in_order_and_booked_for(Pair::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_and_rabbitmq_everybody_is_asked_in_order_and_booked_for() {
    everybody_is_asked_in_order_and_booked_for(Pair::Distributed).await;
}

async fn everybody_is_asked_in_order_and_booked_for(pair: Pair) {
    // People who take their time to speak: nobody who rings has to be asked for patience, also on a machine that is busy otherwise.
    let settings = [("ECHO_BOT_LIVE_CALLS", "1000"), ("ECHO_SANDBOX_SPEED", "1")];
    let echo = Echo::start_with(pair, &settings).await;
    let (link, inbox) = (Link::new(&echo).await, Inbox::start());
    inbox.acts(Act::Says(json!({"say": "Your table is booked."})));
    link.bot_at_the_number(&inbox.url).await;
    let callers: Vec<String> = (0..CALLERS).map(|_| new_phone()).collect();
    let mut one_by_one = tokio::time::interval(APART);
    let mut rung = Vec::new();
    for caller in &callers {
        one_by_one.tick().await;
        rung.push(link.is_rung_by(&echo, caller).await);
    }
    let told = inbox.arrivals_of("bot.completed", CALLERS).await;
    let told: BTreeMap<_, _> =
        told.iter().map(|arrival| (text(&arrival.event(), "call_sid").to_owned(), arrival.event())).collect();
    assert_eq!(told.keys().collect::<BTreeSet<_>>(), rung.iter().collect());
    assert_eq!(inbox.arrivals_of("bot.completed", CALLERS).await.len(), CALLERS);
    assert_eq!(inbox.arrivals_of("bot.action", CALLERS).await.len(), CALLERS);
    for (sid, caller) in rung.iter().zip(&callers) {
        let line = echo.carrier().get(&format!("calls/{sid}")).await;
        let call = link.over(sid).await;
        assert_eq!((&call["outcome"], &call["from"]), (&json!("completed"), &json!(caller)), "{call}");
        assert_eq!(told[sid]["data"]["outcome"], "completed", "{}", told[sid]);
        was_asked_in_order(&line, &call);
    }
    let faults = echo.faults().await;
    assert_eq!(faults, json!([]), "the carrier found fault with a document");
}

/// Every turn of the caller has one answer, in the order in which they were said.
fn was_asked_in_order(line: &Value, call: &Value) {
    let turns = elements(&call["turns"]);
    let by = |speaker: &str| turns.iter().filter(|turn| turn["speaker"] == speaker).collect::<Vec<_>>();
    let (asked, said) = (by("agent"), by("customer"));
    let numbers: Vec<_> = asked.iter().filter_map(|turn| turn["turn"].as_u64()).collect();
    assert_eq!(numbers, (0..).take(asked.len()).collect::<Vec<u64>>(), "{call}");
    let numbers: Vec<_> = said.iter().filter_map(|turn| turn["turn"].as_u64()).collect();
    assert_eq!(numbers, (1..).take(said.len()).collect::<Vec<u64>>(), "{call}");
    let spoken = elements(&line["transcript"])
        .iter()
        .filter(|line| line["listened_to"] == true && line["by"] == "person");
    let spoken: Vec<_> = spoken.map(|line| text(line, "text")).collect();
    assert_eq!(said.iter().map(|turn| text(turn, "text")).collect::<Vec<_>>(), spoken, "{line}");
    for (turn, words) in ["help you", "how many", "When", "name", "booked"].iter().enumerate() {
        assert!(text(asked[turn], "text").contains(words), "{words} is not asked in turn {turn}: {call}");
    }
}
