//! What a bot tells its owner's endpoint: that it is ready to act, while somebody is on the phone, and how the call has ended.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::model_server::{ModelServer, Script};
use testkit::wait::eventually;

use crate::echo::{Echo, PATIENCE};
use crate::inbox::{Act, Inbox};
use crate::link::Link;
use crate::promises;
use crate::shape::{elements, fields, has, is_uuid, text, times};

promises! {
    somebody_rings_is_asked_and_booked_for_and_the_owner_is_told;
    an_action_is_an_envelope_with_what_was_learned_and_what_was_said;
    how_a_call_ended_is_told_in_nine_fields;
    both_requests_are_signed_with_the_bots_secret;
    what_the_endpoint_says_is_spoken_and_it_may_end_the_call;
    an_endpoint_that_takes_longer_than_three_seconds_does_not_break_the_call;
    an_endpoint_that_answers_500_does_not_break_the_call;
    an_endpoint_that_answers_rubbish_does_not_break_the_call;
    an_endpoint_that_is_down_does_not_break_the_call_and_is_told_later;
    a_call_in_which_nobody_says_anything_is_told_as_abandoned;
    what_was_not_delivered_is_tried_again_by_hand;
    a_model_that_fails_is_apologised_for_and_the_owner_is_told;
}

/// Somebody who wants a table for four, and nothing else.
const BOOKS: &str = "+14155550117";
/// Somebody who never says a word.
const SILENT: &str = "+14155550110";

const ENVELOPE: [&str; 6] = ["bot_id", "call_sid", "data", "event_id", "event_name", "timestamp"];

/// A bot that answers its owner's number, and the endpoint it tells.
struct Bot {
    link: Link,
    inbox: Inbox,
    bot: Value,
}

impl Bot {
    async fn new(echo: &Echo, act: Act) -> Self {
        let (link, inbox) = (Link::new(echo).await, Inbox::start());
        inbox.acts(act);
        let bot = link.bot_at_the_number(&inbox.url).await;
        Self { link, inbox, bot }
    }

    fn secret(&self) -> &str {
        text(&self.bot, "webhook_secret")
    }

    /// Somebody rings; how it was told that the call ended.
    async fn rung(&self, echo: &Echo, person: &str) -> (String, Value) {
        let call = self.link.is_rung_by(echo, person).await;
        (call, self.inbox.event("bot.completed").await)
    }

    fn log(&self) -> String {
        format!("/v1/bots/{}/deliveries", text(&self.bot, "bot_id"))
    }

    /// The log, when its first delivery is the summary of a call and has this status.
    async fn logged(&self, status: &str) -> Value {
        let look = || async {
            let log = self.link.api.get(&self.log()).await.is(200);
            let first = &log["data"][0];
            if first["event_name"] == "bot.completed" && first["status"] == status {
                Ok(log)
            } else {
                Err(log)
            }
        };
        eventually("the delivery", PATIENCE, look).await
    }
}

fn booked() -> Act {
    Act::Says(json!({"say": "Your table is booked.", "data": {"reservation": 7}}))
}

async fn somebody_rings_is_asked_and_booked_for_and_the_owner_is_told(echo: Arc<Echo>) {
    let own = Bot::new(&echo, booked()).await;
    let (sid, told) = own.rung(&echo, BOOKS).await;
    let line = echo.carrier().get(&format!("calls/{sid}")).await;
    let said: Vec<_> = elements(&line["transcript"]).iter().map(|line| text(line, "text")).collect();
    let mut rest = said.join(" ");
    for words in [
        "Hi, welcome to your AI assistant. How can I help you today?",
        "I would like to book a table, please.",
        "For how many, please?",
        "For four people.",
        "When should it be?",
        "Tomorrow at seven in the evening.",
        "What is your name, please?",
        "Alex Example.",
        "Your table is booked.",
        "Is there anything else I can do for you?",
        "No, that is all. Thank you.",
        "Goodbye.",
    ] {
        let (_, after) =
            rest.split_once(words).unwrap_or_else(|| panic!("no {words:?} in its place: {said:?}"));
        rest = after.to_owned();
    }
    assert_eq!(line["status"], "completed", "{line}");

    let call = own.link.over(&sid).await;
    assert_eq!(call["call_sid"], told["call_sid"]);
    for field in ["outcome", "collected", "evidence", "ended_reason", "duration_seconds"] {
        assert_eq!(call[field], told["data"][field], "{field}");
    }
    assert_eq!((&call["outcome"], &call["status"]), (&json!("completed"), &json!("completed")), "{call}");
    assert_eq!(own.inbox.arrivals_of("bot.action", 1).await.len(), 1);
    let log = own.logged("success").await;
    assert_eq!(fields(&log), ["data", "next_cursor"]);
    let logged = elements(&log["data"]);
    let names: Vec<_> = logged.iter().map(|logged| text(logged, "event_name")).collect();
    assert_eq!(names, ["bot.completed", "bot.action"], "{log}");
    assert_eq!(logged[0]["payload"], told);
    assert_eq!(logged[1]["payload"], own.inbox.event("bot.action").await);
    for logged in logged {
        let attempts = elements(&logged["attempts"]);
        assert_eq!((attempts.len(), &attempts[0]["success"]), (1, &json!(true)), "{log}");
    }
    let faults = echo.faults().await;
    let ours = |fault: &&Value| fault.to_string().contains(&sid);
    assert_eq!(elements(&faults).iter().filter(ours).count(), 0, "{faults}");
}

async fn an_action_is_an_envelope_with_what_was_learned_and_what_was_said(echo: Arc<Echo>) {
    let own = Bot::new(&echo, booked()).await;
    let sid = own.link.is_rung_by(&echo, BOOKS).await;
    let action = own.inbox.event("bot.action").await;
    assert_eq!(fields(&action), ENVELOPE);
    assert!(is_uuid(text(&action, "event_id")), "{action}");
    times(&action, &["timestamp"]);
    assert_eq!((&action["bot_id"], &action["call_sid"]), (&own.bot["bot_id"], &json!(sid)));
    let data = &action["data"];
    assert_eq!(fields(data), ["action", "arguments", "from", "history"]);
    assert_eq!((&data["from"], &data["action"]), (&json!(BOOKS), &json!("book_table")));
    has(&data["arguments"], &["what", "how_many", "when", "name"]);
    assert_eq!(data["arguments"]["how_many"], 4, "{data}");
    let roles: Vec<_> = elements(&data["history"]).iter().map(|said| text(said, "role")).collect();
    assert_eq!(roles, ["bot", "user", "bot", "user", "bot", "user", "bot", "user"], "{data}");
    assert_eq!(data["history"][7]["content"], "Alex Example.", "{data}");
}

async fn how_a_call_ended_is_told_in_nine_fields(echo: Arc<Echo>) {
    let own = Bot::new(&echo, booked()).await;
    let (sid, told) = own.rung(&echo, BOOKS).await;
    assert_eq!(fields(&told), ENVELOPE);
    assert!(is_uuid(text(&told, "event_id")), "{told}");
    assert_eq!((&told["bot_id"], &told["call_sid"]), (&own.bot["bot_id"], &json!(sid)));
    let data = &told["data"];
    let expected = [
        "collected",
        "duration_seconds",
        "ended_at",
        "ended_reason",
        "evidence",
        "goal",
        "outcome",
        "started_at",
        "transcript",
    ];
    assert_eq!(fields(data), expected);
    times(&told, &["timestamp"]);
    times(data, &["started_at", "ended_at"]);
    assert_eq!((&data["goal"], &data["outcome"]), (&json!("Book table"), &json!("completed")));
    assert!(data["collected"].is_object() && data["evidence"].is_object(), "{data}");
    assert_eq!(data["collected"]["how_many"], 4, "{data}");
    assert!(text(data, "transcript").starts_with("AI: Hi, welcome to your AI assistant."), "{data}");
    assert!(data["duration_seconds"].as_f64() > Some(0.0), "{data}");
}

async fn both_requests_are_signed_with_the_bots_secret(echo: Arc<Echo>) {
    let own = Bot::new(&echo, booked()).await;
    own.rung(&echo, BOOKS).await;
    for name in ["bot.action", "bot.completed"] {
        let arrival = own.inbox.arrival(name).await;
        arrival.is_signed_with(own.secret());
        assert_eq!(arrival.headers["content-type"], "application/json");
    }
}

async fn what_the_endpoint_says_is_spoken_and_it_may_end_the_call(echo: Arc<Echo>) {
    let own = Bot::new(&echo, Act::Says(json!({"say": "We are full & sorry.", "action": "hangup"}))).await;
    let (sid, told) = own.rung(&echo, BOOKS).await;
    let line = echo.carrier().get(&format!("calls/{sid}")).await;
    let last = elements(&line["transcript"]).last().expect("a line");
    assert_eq!((&last["by"], &last["text"]), (&json!("agent"), &json!("We are full & sorry.")), "{line}");
    assert_eq!(told["data"]["ended_reason"], "agent-ended-call", "{told}");
}

/// The call has gone on to a good end, and the owner is told that what was to be done is not known to have been.
async fn goes_on(own: &Bot, echo: &Echo, sid: &str, told: &Value) {
    let line = echo.carrier().get(&format!("calls/{sid}")).await;
    let said = text(&told["data"], "transcript");
    assert!(said.contains("somebody will follow up"), "{said}");
    assert!(said.contains("Is there anything else I can do for you?"), "{said}");
    assert!(said.contains("Goodbye."), "{said}");
    assert_eq!(line["status"], "completed", "{line}");
    let data = &told["data"];
    assert_eq!(data["outcome"], "incomplete", "{data}");
    assert_eq!(data["collected"]["how_many"], 4, "{data}");
    assert_eq!(own.link.over(sid).await["outcome"], "incomplete");
}

async fn an_endpoint_that_takes_longer_than_three_seconds_does_not_break_the_call(echo: Arc<Echo>) {
    let own = Bot::new(&echo, Act::Never).await;
    let (sid, told) = own.rung(&echo, BOOKS).await;
    goes_on(&own, &echo, &sid, &told).await;
    assert_eq!(own.inbox.arrivals_of("bot.action", 1).await.len(), 1, "it is not asked a second time");
}

async fn an_endpoint_that_answers_500_does_not_break_the_call(echo: Arc<Echo>) {
    let own = Bot::new(&echo, Act::Answers(500, "{\"say\": \"Booked.\"}")).await;
    let (sid, told) = own.rung(&echo, BOOKS).await;
    goes_on(&own, &echo, &sid, &told).await;
    assert!(!text(&told["data"], "transcript").contains("Booked."), "{told}");
}

async fn an_endpoint_that_answers_rubbish_does_not_break_the_call(echo: Arc<Echo>) {
    for rubbish in ["", "<html>", "[\"say\"]", "{\"say\": 7}", "{\"action\": \"dance\", \"say\": \"Ho!\"}"] {
        let own = Bot::new(&echo, Act::Answers(200, rubbish)).await;
        let (sid, told) = own.rung(&echo, BOOKS).await;
        goes_on(&own, &echo, &sid, &told).await;
    }
}

/// An address of this machine at which nobody listens.
fn nowhere() -> String {
    format!("http://{}/hook", testkit::processes::free_address())
}

async fn an_endpoint_that_is_down_does_not_break_the_call_and_is_told_later(echo: Arc<Echo>) {
    let (link, inbox) = (Link::new(&echo).await, Inbox::start());
    let bot = link.bot_at_the_number(&nowhere()).await;
    let own = Bot { link, inbox, bot };
    let sid = own.link.is_rung_by(&echo, BOOKS).await;
    let log = own.logged("retrying").await;
    let delivery = &log["data"][0];
    assert_eq!((&delivery["event_name"], &delivery["attempt_count"]), (&json!("bot.completed"), &json!(1)));
    goes_on(&own, &echo, &sid, &delivery["payload"]).await;
    // The endpoint has moved: what waits goes there.
    let path = format!("/v1/bots/{}", text(&own.bot, "bot_id"));
    own.link.api.patch(&path, &json!({"webhook": own.inbox.url})).await.is(200);
    own.link.api.act(&format!("{}/{}/retry", own.log(), text(delivery, "id"))).await.is(202);
    let arrival = own.inbox.arrival("bot.completed").await;
    arrival.is_signed_with(own.secret());
    assert_eq!(arrival.event(), delivery["payload"]);
}

async fn a_call_in_which_nobody_says_anything_is_told_as_abandoned(echo: Arc<Echo>) {
    let own = Bot::new(&echo, booked()).await;
    let (_, told) = own.rung(&echo, SILENT).await;
    let data = &told["data"];
    assert_eq!((&data["outcome"], &data["collected"]), (&json!("abandoned"), &json!({})), "{told}");
    assert_eq!(data["ended_reason"], "silence", "{told}");
    assert_eq!(own.inbox.events().len(), 1, "nothing was to be done");
}

async fn what_was_not_delivered_is_tried_again_by_hand(echo: Arc<Echo>) {
    let own = Bot::new(&echo, booked()).await;
    own.inbox.answer(503);
    own.rung(&echo, BOOKS).await;
    let log = own.logged("retrying").await;
    let attempt = &log["data"][0]["attempts"][0];
    assert_eq!((&attempt["http_status"], &attempt["success"]), (&json!(503), &json!(false)), "{log}");
    own.inbox.answer(200);
    let retry = format!("{}/{}/retry", own.log(), text(&log["data"][0], "id"));
    own.link.api.act(&retry).await.is(202);
    let log = own.logged("success").await;
    assert_eq!(log["data"][0]["attempt_count"], 2, "{log}");
    assert_eq!(own.inbox.arrivals_of("bot.completed", 2).await.len(), 2);
}

async fn a_model_that_fails_is_apologised_for_and_the_owner_is_told(echo: Arc<Echo>) {
    let model = ModelServer::start().await.expect("a model server");
    for _ in 0..40 {
        model.push(Script::GarbageSse);
    }
    // With another model than the others.
    let echo = Echo::start_with(echo.pair, &[("OPENAI_BASE_URL", model.url())]).await;
    let own = Bot::new(&echo, booked()).await;
    let (sid, told) = own.rung(&echo, BOOKS).await;
    let line = echo.carrier().get(&format!("calls/{sid}")).await;
    assert!(line["transcript"].to_string().contains("I am sorry"), "{line}");
    assert_eq!((&line["status"], &echo.faults().await), (&json!("completed"), &json!([])), "{line}");
    let data = &told["data"];
    assert_eq!((&data["outcome"], &data["ended_reason"]), (&json!("failed"), &json!("error")), "{told}");
}
