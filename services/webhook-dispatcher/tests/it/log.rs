//! The log of an endpoint's deliveries.

use std::time::{Duration, Instant};

use contracts::ids::{EndpointId, ProjectId};
use contracts::rpc::RpcError;
use contracts::webhooks::{Delivery, Endpoint, ListDeliveriesRequest, SendTestRequest};
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::receiver::{Receiver, Reply};
use crate::world::{World, context};

on_both_engines![
    a_log_is_read_page_by_page_and_by_status_and_event,
    a_delivery_shows_what_was_tried_and_what_came_of_it,
    a_log_is_its_projects_and_its_endpoints_own,
    a_page_takes_as_long_in_a_long_log_as_in_a_short_one,
];

fn request(endpoint: &Endpoint) -> ListDeliveriesRequest {
    let (project_id, endpoint_id) = (endpoint.project_id.clone(), endpoint.id.clone());
    ListDeliveriesRequest { project_id, endpoint_id, limit: 100, ..Default::default() }
}

/// All of it, in pages of `limit`.
async fn read(world: &World, request: &ListDeliveriesRequest, limit: u32) -> Vec<Delivery> {
    let (mut seen, mut after_id) = (Vec::new(), String::new());
    loop {
        let request = ListDeliveriesRequest { limit, after_id, ..request.clone() };
        let page = world.log().list_deliveries(context(), request).await.unwrap();
        assert!(page.deliveries.len() <= limit as usize);
        seen.extend(page.deliveries);
        after_id = page.next_after_id;
        if after_id.is_empty() {
            return seen;
        }
    }
}

async fn a_log_is_read_page_by_page_and_by_status_and_event(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let endpoint = world.endpoint(&receiver.url).await;
    for (times, reply, test) in
        [(2, Reply::Status(200), false), (1, Reply::Status(410), true), (2, Reply::Status(200), true)]
    {
        receiver.answer(reply);
        for _ in 0..times {
            let before = world.deliveries().await.len();
            if test {
                send_test(&world, &endpoint).await
            } else {
                drop(world.end_a_call().await)
            }
            world
                .until("it to end", |rows| {
                    rows.len() == before + 1 && rows.iter().all(|d| d.next_retry_at.is_none())
                })
                .await;
        }
        world.switch(&endpoint, "active").await.unwrap();
    }
    let all = read(&world, &request(&endpoint), 100).await;
    assert_eq!(all.len(), 5);
    assert!(all.windows(2).all(|pair| pair[0].id > pair[1].id), "newest first");
    assert_eq!(read(&world, &request(&endpoint), 2).await, all);
    for status in ["", "pending", "retrying", "success", "failed"] {
        for event_name in ["", "call.started", "call.ended", "call.summary", "webhook.test"] {
            let (status, event_name) = (status.to_owned(), event_name.to_owned());
            let alike = |d: &&Delivery| {
                (status.is_empty() || d.status == status)
                    && (event_name.is_empty() || d.event_name == event_name)
            };
            let expected: Vec<Delivery> = all.iter().filter(alike).cloned().collect();
            let filtered = ListDeliveriesRequest {
                status: status.clone(),
                event_name: event_name.clone(),
                ..request(&endpoint)
            };
            for limit in [1, 2, 100] {
                assert_eq!(read(&world, &filtered, limit).await, expected, "{status} {event_name} {limit}");
            }
        }
    }
    for (request, field) in [
        (ListDeliveriesRequest { status: "lost".to_owned(), ..request(&endpoint) }, "status"),
        (ListDeliveriesRequest { event_name: "call".to_owned(), ..request(&endpoint) }, "event_name"),
        (ListDeliveriesRequest { after_id: "x".to_owned(), ..request(&endpoint) }, "after_id"),
    ] {
        let refused = world.log().list_deliveries(context(), request).await.unwrap_err();
        assert!(matches!(&refused, RpcError::Invalid { field: named, .. } if named == field), "{refused}");
    }
}

async fn send_test(world: &World, endpoint: &Endpoint) {
    let request = SendTestRequest {
        project_id: endpoint.project_id.clone(),
        endpoint_id: endpoint.id.clone(),
        delivery_id: contracts::ids::DeliveryId::new().to_string(),
    };
    world.log().send_test(context(), request).await.unwrap();
}

async fn a_delivery_shows_what_was_tried_and_what_came_of_it(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Body(500, b"not today"));
    let endpoint = world.endpoint(&receiver.url).await;
    let event = world.end_a_call().await;
    let row = world.until_one_is("retrying", 1).await;
    let logged = world.latest(&endpoint).await;
    let shown = logged.delivery.unwrap();
    assert_eq!((shown.event_id, shown.event_name), (event.event_id, "call.ended".to_owned()));
    assert_eq!((shown.endpoint_id, shown.project_id), (endpoint.id.clone(), endpoint.project_id.clone()));
    assert_eq!(shown.payload_json.as_bytes(), receiver.received()[0].body);
    assert_eq!((shown.status.as_str(), shown.attempt_count), ("retrying", 1));
    assert_eq!(shown.next_retry_at_ms, Some(row.next_retry_at.unwrap().0.timestamp_millis()));
    assert!(shown.created_at_ms > 0 && shown.updated_at_ms >= shown.created_at_ms);

    world.clock.advance(Duration::from_secs(66));
    world.until_one_is("success", 2).await;
    let logged = world.latest(&endpoint).await;
    let shown = logged.delivery.unwrap();
    assert_eq!((shown.status.as_str(), shown.attempt_count, shown.next_retry_at_ms), ("success", 2, None));
    let [first, second] = logged.attempts.as_slice() else { panic!("{:?}", logged.attempts) };
    assert_eq!((first.attempt_number, first.triggered_by.as_str()), (1, "auto"));
    assert_eq!((first.http_status, first.response_body.as_deref()), (Some(500), Some("not today")));
    assert!(!first.success && first.duration_ms.is_some() && first.delivery_id == shown.id);
    assert!(first.error_message.as_ref().unwrap().starts_with("answered 500"));
    assert_eq!((second.attempt_number, second.success, second.error_message.as_ref()), (2, true, None));
    assert!(second.created_at_ms - first.created_at_ms >= 60_000 && first.id != second.id);
}

async fn a_log_is_its_projects_and_its_endpoints_own(engine: Engine) {
    let world = World::new(engine).await;
    let (receiver, silent) = (Receiver::start(), Receiver::start());
    let endpoint = world.endpoint(&receiver.url).await;
    let other = world.create(&silent.url, &["call.started"]).await.unwrap();
    world.end_a_call().await;
    world.until_one_is("success", 1).await;
    let id = world.latest(&endpoint).await.delivery.unwrap().id;
    assert!(read(&world, &request(&other), 100).await.is_empty());
    let stranger = Endpoint { project_id: ProjectId::new().to_string(), ..endpoint.clone() };
    let nowhere = Endpoint { id: EndpointId::new().to_string(), ..endpoint.clone() };
    for wrong in [&stranger, &nowhere] {
        let refused = world.log().list_deliveries(context(), request(wrong)).await.unwrap_err();
        assert!(matches!(refused, RpcError::NotFound(_)), "{refused}");
    }
    for wrong in [&stranger, &nowhere, &other] {
        let refused = world.logged(wrong, &id).await.unwrap_err();
        assert!(matches!(refused, RpcError::NotFound(_)), "{refused}");
        let refused = world.retry(wrong, &id).await.unwrap_err();
        assert!(matches!(refused, RpcError::NotFound(_)), "{refused}");
    }
    assert_eq!(receiver.received().len(), 1);
}

/// Fills the log: almost everything succeeded; what failed is old.
async fn fill(world: &World, engine: Engine, endpoint: &Endpoint, rows: u32) {
    let digits = |n: &str| match engine {
        Engine::Postgres => format!("lpad(to_hex({n}), 12, '0')"),
        Engine::Sqlite => format!("printf('%012x', {n})"),
    };
    let id = |prefix: &str| {
        let text = format!("'{prefix}-0000-7000-8000-' || {}", digits("n"));
        if engine == Engine::Postgres { format!("({text})::uuid") } else { text }
    };
    let uuid =
        |text: &str| if engine == Engine::Postgres { format!("'{text}'::uuid") } else { format!("'{text}'") };
    let at = if engine == Engine::Postgres { "now()" } else { "'2026-01-01T00:00:00.000000Z'" };
    let text = format!(
        "INSERT INTO deliveries (id, project_id, endpoint_id, event_id, event_name, payload, status, attempt_count, \
         failed_attempts, lane, created_at, updated_at) \
         WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {rows}) \
         SELECT {}, {}, {}, {}, 'call.ended', '{{}}', CASE WHEN n <= 60 THEN 'failed' ELSE 'success' END, 1, 0, 'normal', \
         {at}, {at} FROM numbers",
        id("01900000"),
        uuid(&endpoint.project_id),
        uuid(&endpoint.id),
        id("01910000"),
    );
    world.execute(&text).await;
    world.execute("ANALYZE").await;
}

/// The shortest of some times: what a machine that is busy with something else cannot make shorter.
async fn shortest(world: &World, request: &ListDeliveriesRequest) -> Duration {
    let mut best = Duration::MAX;
    for _ in 0..15 {
        let begun = Instant::now();
        let page = world.log().list_deliveries(context(), request.clone()).await.unwrap();
        assert_eq!(page.deliveries.len(), 50);
        best = best.min(begun.elapsed());
    }
    best
}

async fn a_page_takes_as_long_in_a_long_log_as_in_a_short_one(engine: Engine) {
    let worlds = [World::new(engine).await, World::new(engine).await];
    let mut times = Vec::new();
    for (world, rows) in worlds.iter().zip([1_000, 200_000]) {
        let endpoint = world.endpoint("https://example.com/hook").await;
        fill(world, engine, &endpoint, rows).await;
        let all = ListDeliveriesRequest { limit: 50, ..request(&endpoint) };
        let old = ListDeliveriesRequest {
            after_id: "01900000-0000-7000-8000-000000000100".to_owned(),
            ..all.clone()
        };
        let failed = ListDeliveriesRequest { status: "failed".to_owned(), ..all.clone() };
        let ended = ListDeliveriesRequest { event_name: "call.ended".to_owned(), ..all.clone() };
        let both = ListDeliveriesRequest { event_name: "call.ended".to_owned(), ..failed.clone() };
        let mut taken = Vec::new();
        for request in [all, old, failed, ended, both] {
            taken.push(shortest(world, &request).await);
        }
        times.push(taken);
    }
    for (short, long) in times[0].iter().zip(&times[1]) {
        let bound = *short * 3 + Duration::from_millis(2);
        assert!(*long <= bound, "short {:?}, long {:?}", times[0], times[1]);
    }
}
