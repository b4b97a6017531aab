//! Who may decide about a delivery, when processes stop, stall or share.

use std::collections::BTreeSet;
use std::time::Duration;

use testkit::database::{Engine, postgres_url};
use testkit::on_both_engines;
use testkit::proxy::Proxy;
use testkit::wait::eventually;

use crate::receiver::{Receiver, Reply};
use crate::world::World;

on_both_engines![
    an_answer_that_comes_after_its_lease_completes_its_line_and_decides_nothing,
    a_process_that_stops_finishes_what_is_in_flight,
];

async fn an_answer_that_comes_after_its_lease_completes_its_line_and_decides_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Held(500));
    world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    receiver.wait_for_held(1).await;
    let waiting = world.attempts().await;
    assert_eq!((waiting.len(), waiting[0].state.as_str()), (1, "started"));

    // As if its process had died: the lease runs out, and the delivery is due again at once.
    world.clock.advance(Duration::from_secs(26));
    let settled = world.until_one_is("success", 2).await;
    let attempts = world.attempts().await;
    assert_eq!((attempts[0].state.as_str(), attempts[0].success), ("interrupted", false));
    assert_eq!((attempts[1].state.as_str(), attempts[1].success), ("finished", true));

    receiver.release();
    let late = || async {
        let first = world.attempts().await.remove(0);
        if first.http_status == Some(500) { Ok(first) } else { Err(first) }
    };
    let late = eventually("the late answer in the log", Duration::from_secs(10), late).await;
    assert_eq!((late.state.as_str(), late.success), ("finished", false));
    assert_eq!(world.deliveries().await, [settled]);
    assert_eq!(receiver.received().len(), 2);
}

/// The way to the tables, with a proxy in it that can be closed, and the setting that leads there.
async fn proxied() -> (Proxy, String) {
    let mut url = url::Url::parse(&postgres_url()).unwrap();
    let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
    let server = tokio::net::lookup_host(server).await.unwrap().next().unwrap();
    let proxy = Proxy::start(server).await.unwrap();
    url.set_host(Some(&proxy.addr().ip().to_string())).unwrap();
    url.set_port(Some(proxy.addr().port())).unwrap();
    (proxy, url.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_waits_for_tables_that_are_away_and_its_attempt_is_not_made_again() {
    let (proxy, url) = proxied().await;
    let settings = [("ECHO_DATABASE_URL", url.as_str()), ("ECHO_WEBHOOK_LEASE_MS", "600000")];
    let world = World::with(Engine::Postgres, &settings).await;
    let receiver = Receiver::start();
    receiver.answer(Reply::Held(200));
    world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    receiver.wait_for_held(1).await;
    proxy.close();
    receiver.release();
    let tried = || async {
        let times = world.metric("echo_webhook_dispatcher_unwritten_total").await;
        if times >= 4.0 { Ok(()) } else { Err(times) }
    };
    eventually("a fourth try in vain", Duration::from_secs(120), tried).await;
    proxy.open();
    world.until_one_is("success", 1).await;
    assert_eq!(world.attempts().await[0].state, "finished");
    assert_eq!(receiver.received().len(), 1);
}

async fn a_process_that_stops_finishes_what_is_in_flight(engine: Engine) {
    let mut world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer(Reply::Held(200));
    world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    receiver.wait_for_held(1).await;
    let (running, ops) = world.take();
    let stopping = tokio::spawn(running.stop());
    let ready = format!("http://{ops}/readyz");
    let not_ready = || async {
        let status = reqwest::get(&ready).await.map(|answer| answer.status().as_u16());
        if matches!(status, Ok(503)) { Ok(()) } else { Err(status.map_err(|e| e.to_string())) }
    };
    eventually("a process that is stopping", Duration::from_secs(10), not_ready).await;
    receiver.release();
    stopping.await.unwrap();
    world.until_one_is("success", 1).await;
    assert_eq!(world.attempts().await[0].state, "finished");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_dispatchers_over_the_same_tables_send_each_delivery_once() {
    const EVENTS: usize = 200;
    let world = World::new(Engine::Postgres).await;
    let mut second = world.second().await;
    let receiver = Receiver::start();
    world.endpoint(&receiver.url).await;
    let messages: Vec<_> = (0..EVENTS).map(|_| world.ended()).collect();
    world.publish(&messages).await;
    let rows = world
        .until("all delivered", |rows| rows.len() == EVENTS && rows.iter().all(|d| d.status == "success"))
        .await;
    assert!(rows.iter().all(|d| d.attempt_count == 1));
    let received = receiver.received();
    let ids: BTreeSet<_> = received.iter().map(|r| r.header("webhook-id").to_owned()).collect();
    assert_eq!((received.len(), ids.len()), (EVENTS, EVENTS));
    second.stop().await;
}
