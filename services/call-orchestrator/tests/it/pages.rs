//! Pages of notifications: filters, cursors, and that a page costs the same wherever it begins.

use common::db::{DbError, sql};
use contracts::calls::{ListNotificationsRequest, PlaceNotificationRequest};
use contracts::ids::ProjectId;
use diesel::RunQueryDsl as _;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{World, by_agent, by_message};

on_both_engines![
    each_filter_lets_through_what_it_names_and_they_work_together,
    pages_of_one_moment_have_no_gap_and_nothing_twice,
    every_page_begins_in_an_index_and_nothing_is_sorted,
];

async fn each_filter_lets_through_what_it_names_and_they_work_together(engine: Engine) {
    let world = World::new(engine).await;
    let agent = world.place(by_agent(world.project)).await;
    let plain = world.place(by_message(world.project)).await;
    let at = Some(world.clock.now().timestamp_millis() + 3_600_000);
    let waits =
        world.place(PlaceNotificationRequest { scheduled_at_ms: at, ..by_message(world.project) }).await;
    world.place(by_message(ProjectId::new())).await;
    let all = || ListNotificationsRequest::default();
    let ids = |of: &[&contracts::calls::Notification]| of.iter().map(|n| n.id.clone()).collect::<Vec<_>>();
    let by = |filter| world.list_where(filter);
    let queued = ListNotificationsRequest { status: "queued".to_owned(), ..all() };
    assert_eq!(by(queued.clone()).await, ids(&[&waits]));
    let customer = ListNotificationsRequest { customer_id: plain.customer_id.clone(), ..all() };
    assert_eq!(by(customer.clone()).await, ids(&[&plain]));
    let by_agent_id = ListNotificationsRequest { agent_id: agent.agent_id.clone(), ..all() };
    assert_eq!(by(by_agent_id).await, ids(&[&agent]));
    let later = ListNotificationsRequest { created_after_ms: Some(agent.created_at_ms), ..all() };
    let later = by(later).await;
    assert!(later.contains(&waits.id) && !later.is_empty());
    let earlier = ListNotificationsRequest { created_before_ms: Some(agent.created_at_ms), ..all() };
    assert_eq!(by(earlier).await, Vec::<String>::new());
    let none = ListNotificationsRequest { status: "queued".to_owned(), ..customer };
    assert_eq!(by(none).await, Vec::<String>::new());
    assert_eq!(by(all()).await, ids(&[&waits, &plain, &agent]));
}

async fn pages_of_one_moment_have_no_gap_and_nothing_twice(engine: Engine) {
    let world = World::new(engine).await;
    for _ in 0..5 {
        world.place(by_message(world.project)).await;
    }
    world.quiet().await;
    world.meddle("UPDATE notifications SET created_at = '2026-01-01T00:00:00.000000Z'".to_owned()).await;
    let mut seen = Vec::new();
    let mut after = String::new();
    for expected in [2, 2, 1] {
        let page = world.list(2, &after).await;
        assert_eq!(page.notifications.len(), expected);
        seen.extend(page.notifications.into_iter().map(|n| n.id));
        after = page.next_after_id;
    }
    assert_eq!(after, "");
    let whole = world.list_where(ListNotificationsRequest::default()).await;
    assert_eq!(seen, whole);
    assert!(whole.is_sorted_by(|a, b| a > b), "{whole:?}");
}

/// How the engine would answer a page of `filter` behind a cursor.
async fn plan(world: &World, engine: Engine, filter: &str) -> String {
    let page = format!(
        "SELECT id FROM notifications WHERE project_id = '{}' AND bot_id IS NULL AND {filter} \
         created_at <= '2026-01-01T00:30:00.000000Z' AND (created_at < '2026-01-01T00:30:00.000000Z' OR \
         id < 'ffffffff-ffff-7fff-8fff-ffffffffffff') ORDER BY created_at DESC, id DESC LIMIT 101",
        world.project
    );
    let read = world.tables().read(move |db| match engine {
        Engine::Sqlite => {
            #[derive(diesel::QueryableByName)]
            struct Step {
                #[diesel(sql_type = sql::Text)]
                detail: String,
            }
            let steps = diesel::sql_query(format!("EXPLAIN QUERY PLAN {page}")).load::<Step>(db)?;
            Ok::<_, DbError>(steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n"))
        }
        Engine::Postgres => {
            #[derive(diesel::QueryableByName)]
            struct Step {
                #[diesel(sql_type = sql::Text, column_name = "QUERY PLAN")]
                detail: String,
            }
            let steps = diesel::sql_query(format!("EXPLAIN {page}")).load::<Step>(db)?;
            Ok(steps.into_iter().map(|step| step.detail).collect::<Vec<_>>().join("\n"))
        }
    });
    read.await.unwrap()
}

/// Twenty thousand copies of a notification, a second apart, of four statuses.
fn many(engine: Engine, count: u32) -> String {
    let (id, at) = match engine {
        Engine::Sqlite => (
            "printf('%08x-0000-7000-8000-%012x', n, n)",
            "strftime('%Y-%m-%dT%H:%M:%S', '2026-01-01', '+' || n || ' seconds') || '.000000Z'",
        ),
        Engine::Postgres => (
            "(lpad(to_hex(n), 8, '0') || '-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid",
            "TIMESTAMPTZ '2026-01-01T00:00:00Z' + n * INTERVAL '1 second'",
        ),
    };
    // One in five hundred is for the customer, and one in five by the agent, of the notification that is there.
    let (customer, agent) = match engine {
        Engine::Sqlite => (
            "printf('%08x-0000-7000-8000-000000000000', n % 500)",
            "printf('%08x-0000-7000-8000-000000000001', n % 5)",
        ),
        Engine::Postgres => (
            "(lpad(to_hex(n % 500), 8, '0') || '-0000-7000-8000-000000000000')::uuid",
            "(lpad(to_hex(n % 5), 8, '0') || '-0000-7000-8000-000000000001')::uuid",
        ),
    };
    let columns = "project_id, agent_version, phone, message, context, collect_feedback, \
                   max_duration_seconds, spec, metadata, due_at, expires_at, next_try_at, attempts, live_call, \
                   ended_reason, blocked_by, summarised, summary_due, retry, outcome, call_id, lease_until, updated_at, \
                   version";
    format!(
        "WITH RECURSIVE counted(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < {count}) \
         INSERT INTO notifications (id, created_at, status, customer_id, agent_id, {columns}) \
         SELECT {id}, {at}, CASE n % 100 WHEN 0 THEN 'failed' ELSE 'completed' END, \
         CASE n % 500 WHEN 0 THEN customer_id ELSE {customer} END, \
         CASE n % 5 WHEN 0 THEN agent_id ELSE {agent} END, {columns} \
         FROM counted, (SELECT * FROM notifications LIMIT 1) AS one"
    )
}

async fn every_page_begins_in_an_index_and_nothing_is_sorted(engine: Engine) {
    let world = World::new(engine).await;
    let placed = world.place(by_agent(world.project)).await;
    world.cancel(&placed.project_id, &placed.id).await;
    world.quiet().await;
    world.meddle(many(engine, 20_000)).await;
    world.meddle("ANALYZE".to_owned()).await;
    let (customer, agent) = (&placed.customer_id, &placed.agent_id);
    for (filter, index) in [
        (String::new(), "notifications_newest"),
        ("status = 'failed' AND".to_owned(), "notifications_by_status"),
        (format!("customer_id = '{customer}' AND"), "notifications_by_customer"),
        (format!("agent_id = '{agent}' AND"), "notifications_by_agent"),
        (format!("agent_id = '{agent}' AND status = 'failed' AND"), "notifications_by_agent_and_status"),
    ] {
        let plan = plan(&world, engine, &filter).await;
        assert!(plan.contains(index), "{filter}: {plan}");
        for costly in ["TEMP B-TREE", "Sort", "SCAN notifications", "Seq Scan"] {
            assert!(!plan.contains(costly), "{filter}: {plan}");
        }
    }
    let page = world.list(100, "").await;
    assert_eq!(page.notifications.len(), 100);
}
