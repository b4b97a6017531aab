//! How events are delivered, tried again, and logged.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::client::{Account, Client};
use crate::echo::{Echo, PATIENCE};
use crate::inbox::Inbox;
use crate::promises;
use crate::shape::{elements, fields, has, ids, text, time, times};

promises! {
    an_event_is_tried_four_times_at_once_and_1_5_and_30_minutes_after_the_previous_failure;
    every_attempt_brings_the_same_event_with_the_same_id;
    a_delivery_that_arrives_is_a_success_with_one_attempt;
    a_delivery_that_failed_is_retrying_until_its_next_attempt;
    a_delivery_has_the_documented_fields_and_the_full_envelope;
    failures_are_counted_for_each_endpoint;
    an_endpoint_can_be_disabled_and_hears_nothing_then;
    the_log_answers_data_and_next_cursor_which_is_null_at_the_end;
    the_log_is_filtered_by_status_and_by_event;
    a_page_of_the_log_has_1_to_100_deliveries_and_50_unless_told;
    one_delivery_is_read_with_its_attempts;
    an_attempt_has_the_documented_fields;
    a_manual_retry_makes_a_delivery_pending_again;
}

/// An account, its inbox that answers this, its endpoint for summaries, and where the log of that endpoint is.
async fn listener(echo: &Echo, status: u16) -> (Account, Inbox, String) {
    let own = Account::new(echo).await;
    let (inbox, endpoint) = own.listen(&["call.summary"]).await;
    inbox.answer(status);
    let log = format!("{}/{}/deliveries", own.webhooks(), text(&endpoint, "id"));
    (own, inbox, log)
}

/// The newest delivery of a log, when it has this status.
async fn delivery(api: &Client, log: &str, status: &str) -> Value {
    let look = || async {
        let found = api.get(log).await.is(200);
        let newest = found["data"][0].clone();
        if newest["status"] == status { Ok(newest) } else { Err(found) }
    };
    eventually(&format!("a delivery that is {status}"), PATIENCE, look).await
}

async fn an_event_is_tried_four_times_at_once_and_1_5_and_30_minutes_after_the_previous_failure(
    echo: Arc<Echo>,
) {
    // Its time is moved: nobody else may live in it.
    let echo = Arc::new(Echo::start(echo.pair).await);
    let (own, inbox, log) = listener(&echo, 500).await;
    own.ring().await;
    for (attempts, minutes) in [(1, 1), (2, 5), (3, 30)] {
        inbox.arrivals_of("call.summary", attempts).await;
        // While an attempt is under way it is counted, and what is planned is still this attempt, or nothing yet.
        let look = || async {
            let found = delivery(&own.api, &log, "retrying").await;
            let over = found["next_retry_at"].is_string() && time(&found, "next_retry_at") > echo.clock.now();
            if found["attempt_count"] == attempts && over { Ok(found) } else { Err(found) }
        };
        let found = eventually("the end of the attempt", PATIENCE, look).await;
        let (due, failed) = (time(&found, "next_retry_at"), time(&found, "updated_at"));
        let pause = (due - failed).num_milliseconds();
        // A tenth later at most, so that what failed together does not come back together.
        assert!((minutes * 60_000 - 1000..=minutes * 66_000).contains(&pause), "{minutes} min: {pause} ms");
        let rest = (due - echo.clock.now()).to_std().expect("it is still to come");
        echo.clock.advance(rest + Duration::from_millis(1));
    }
    let found = delivery(&own.api, &log, "failed").await;
    assert_eq!(found["attempt_count"], 4);
    assert_eq!(found["next_retry_at"], json!(null));
    echo.clock.advance(Duration::from_hours(24));
    let (second, _) = own.listen(&["call.summary"]).await;
    own.ring().await;
    second.event("call.summary").await;
    let first = |events: Vec<Value>| events.iter().filter(|e| e["event_id"] == found["event_id"]).count();
    assert_eq!(first(inbox.events()), 4, "there is no fifth attempt");
}

async fn every_attempt_brings_the_same_event_with_the_same_id(echo: Arc<Echo>) {
    let (own, inbox, log) = listener(&echo, 503).await;
    own.ring().await;
    let failed = delivery(&own.api, &log, "retrying").await;
    inbox.answer(200);
    own.api.act(&format!("{log}/{}/retry", text(&failed, "id"))).await.is(202);
    let arrivals = inbox.arrivals_of("call.summary", 2).await;
    assert_eq!(arrivals[0].raw, arrivals[1].raw);
    assert_eq!(arrivals[0].event()["event_id"], failed["event_id"]);
}

async fn a_delivery_that_arrives_is_a_success_with_one_attempt(echo: Arc<Echo>) {
    let (own, inbox, log) = listener(&echo, 204).await;
    own.ring().await;
    let found = delivery(&own.api, &log, "success").await;
    assert_eq!(found["attempt_count"], 1);
    assert_eq!(found["next_retry_at"], json!(null));
    assert_eq!(inbox.arrivals().len(), 1);
}

async fn a_delivery_that_failed_is_retrying_until_its_next_attempt(echo: Arc<Echo>) {
    let (own, _inbox, log) = listener(&echo, 500).await;
    own.ring().await;
    let found = delivery(&own.api, &log, "retrying").await;
    assert_eq!(found["attempt_count"], 1);
    times(&found, &["next_retry_at"]);
}

async fn a_delivery_has_the_documented_fields_and_the_full_envelope(echo: Arc<Echo>) {
    let (own, inbox, log) = listener(&echo, 200).await;
    own.ring().await;
    let found = delivery(&own.api, &log, "success").await;
    let documented = [
        "id",
        "webhook_endpoint_id",
        "project_id",
        "event_id",
        "event_name",
        "payload",
        "status",
        "attempt_count",
        "next_retry_at",
        "created_at",
        "updated_at",
    ];
    has(&found, &documented);
    ids(&found, &["id", "webhook_endpoint_id", "project_id", "event_id"]);
    times(&found, &["created_at", "updated_at"]);
    assert_eq!(found["project_id"], own.project.as_str());
    assert!(log.contains(text(&found, "webhook_endpoint_id")));
    let event = inbox.event("call.summary").await;
    assert_eq!(found["payload"], event);
    assert_eq!([&found["event_id"], &found["event_name"]], [&event["event_id"], &event["event_name"]]);
}

async fn failures_are_counted_for_each_endpoint(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (failing, first) = own.listen(&["call.summary"]).await;
    let (_well, second) = own.listen(&["call.summary"]).await;
    // It wants nothing more: a failure without another attempt.
    failing.answer(410);
    own.ring().await;
    let count = async |endpoint: &Value| {
        let path = format!("{}/{}", own.webhooks(), text(endpoint, "id"));
        own.api.get(&path).await.is(200)["consecutive_failures"].clone()
    };
    let look = || async { if count(&first).await == 1 { Ok(()) } else { Err("not counted") } };
    eventually("the count", PATIENCE, look).await;
    assert_eq!(count(&second).await, 0);
}

async fn an_endpoint_can_be_disabled_and_hears_nothing_then(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (off, endpoint) = own.listen(&["call.summary"]).await;
    let (on, _) = own.listen(&["call.summary"]).await;
    let path = format!("{}/{}", own.webhooks(), text(&endpoint, "id"));
    let disabled = own.api.patch(&path, &json!({"status": "disabled"})).await.is(200);
    assert_eq!(disabled["status"], "disabled");
    own.ring().await;
    on.event("call.summary").await;
    assert_eq!(off.arrivals().len(), 0);
    assert_eq!(own.api.get(&format!("{path}/deliveries")).await.is(200)["data"], json!([]));
}

async fn the_log_answers_data_and_next_cursor_which_is_null_at_the_end(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, endpoint) = own.listen(&["call.started", "call.ended", "call.summary"]).await;
    let log = format!("{}/{}/deliveries", own.webhooks(), text(&endpoint, "id"));
    let empty = own.api.get(&log).await.is(200);
    assert_eq!(empty, json!({"data": [], "next_cursor": null}));
    own.ring().await;
    for name in ["call.started", "call.ended", "call.summary"] {
        inbox.event(name).await;
    }
    let mut names = Vec::new();
    let mut path = format!("{log}?limit=1");
    loop {
        let page = own.api.get(&path).await.is(200);
        assert_eq!(fields(&page), ["data", "next_cursor"]);
        names.extend(elements(&page["data"]).iter().map(|d| text(d, "event_name").to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        assert_eq!(elements(&page["data"]).len(), 1);
        path = format!("{log}?limit=1&cursor={cursor}");
    }
    names.sort_unstable();
    assert_eq!(names, ["call.ended", "call.started", "call.summary"]);
}

async fn the_log_is_filtered_by_status_and_by_event(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, endpoint) = own.listen(&["call.ended", "call.summary"]).await;
    let log = format!("{}/{}/deliveries", own.webhooks(), text(&endpoint, "id"));
    own.ring().await;
    inbox.event("call.summary").await;
    let count = async |query: &str| {
        let found = own.api.get(&format!("{log}?{query}")).await.is(200);
        elements(&found["data"]).len()
    };
    let both = || async {
        match count("status=success").await {
            2 => Ok(()),
            fewer => Err(fewer),
        }
    };
    eventually("both deliveries", PATIENCE, both).await;
    for (query, expected) in [
        ("event_name=call.summary", 1),
        ("event_name=call.started", 0),
        ("event_name=call.ended&status=success", 1),
        ("status=pending", 0),
        ("status=retrying", 0),
        ("status=failed", 0),
    ] {
        assert_eq!(count(query).await, expected, "{query}");
    }
    for wrong in ["status=lost", "event_name=call.paused"] {
        own.api.get(&format!("{log}?{wrong}")).await.is(400);
    }
}

async fn a_page_of_the_log_has_1_to_100_deliveries_and_50_unless_told(echo: Arc<Echo>) {
    let (own, _inbox, log) = listener(&echo, 200).await;
    for limit in ["1", "100"] {
        own.api.get(&format!("{log}?limit={limit}")).await.is(200);
    }
    for wrong in ["0", "101", "-1", "many"] {
        own.api.get(&format!("{log}?limit={wrong}")).await.refuses(400, "limit");
    }
    // The quickest way to 51 deliveries.
    let endpoint = log.strip_suffix("/deliveries").expect("a log");
    for _ in 0..51 {
        own.api.act(&format!("{endpoint}/test")).await.is(202);
    }
    let page = own.api.get(&log).await.is(200);
    assert_eq!(elements(&page["data"]).len(), 50);
    let cursor = text(&page, "next_cursor");
    let rest = own.api.get(&format!("{log}?cursor={cursor}")).await.is(200);
    assert_eq!(elements(&rest["data"]).len(), 1);
    assert_eq!(rest["next_cursor"], json!(null));
}

async fn one_delivery_is_read_with_its_attempts(echo: Arc<Echo>) {
    let (own, _inbox, log) = listener(&echo, 500).await;
    own.ring().await;
    let listed = delivery(&own.api, &log, "retrying").await;
    let read = own.api.get(&format!("{log}/{}", text(&listed, "id"))).await.is(200);
    for name in fields(&listed) {
        assert_eq!(read[name], listed[name], "{name}");
    }
    assert_eq!(elements(&read["attempts"]).len(), 1);
}

async fn an_attempt_has_the_documented_fields(echo: Arc<Echo>) {
    let (own, inbox, log) = listener(&echo, 500).await;
    own.ring().await;
    let failed = delivery(&own.api, &log, "retrying").await;
    inbox.answer(200);
    let path = format!("{log}/{}", text(&failed, "id"));
    own.api.act(&format!("{path}/retry")).await.is(202);
    delivery(&own.api, &log, "success").await;
    let read = own.api.get(&path).await.is(200);
    let mut attempts = elements(&read["attempts"]).to_vec();
    attempts.sort_by_key(|attempt| attempt["attempt_number"].as_u64());
    let expected = [(1, "auto", 500, false), (2, "manual", 200, true)];
    assert_eq!(attempts.len(), expected.len(), "{read}");
    for (attempt, (number, by, status, success)) in attempts.iter().zip(expected) {
        let documented = [
            "id",
            "delivery_id",
            "attempt_number",
            "triggered_by",
            "http_status",
            "response_body",
            "duration_ms",
            "success",
            "error_message",
            "created_at",
        ];
        has(attempt, &documented);
        ids(attempt, &["id", "delivery_id"]);
        times(attempt, &["created_at"]);
        assert_eq!(attempt["delivery_id"], failed["id"]);
        assert_eq!(attempt["attempt_number"], number);
        assert_eq!(attempt["triggered_by"], by);
        assert_eq!(attempt["http_status"], status);
        assert_eq!(attempt["success"], success);
        assert!(attempt["duration_ms"].is_u64(), "{attempt}");
    }
    assert_eq!(attempts[1]["error_message"], json!(null));
}

async fn a_manual_retry_makes_a_delivery_pending_again(echo: Arc<Echo>) {
    let (own, inbox, log) = listener(&echo, 500).await;
    own.ring().await;
    let failed = delivery(&own.api, &log, "retrying").await;
    inbox.answer(200);
    let again = own.api.act(&format!("{log}/{}/retry", text(&failed, "id"))).await.is(202);
    assert_eq!(again["id"], failed["id"]);
    assert_eq!(again["status"], "pending");
    inbox.arrivals_of("call.summary", 2).await;
    delivery(&own.api, &log, "success").await;
}
