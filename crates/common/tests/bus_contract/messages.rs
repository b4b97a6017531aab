//! Promises about messages.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use common::bus::{
    CONCURRENCY, Cause, MAX_ATTEMPTS, Outcome, Outgoing, PublishError, Publisher, Subscription,
};
use common::db::{Database, DbError, Time, sql};
use contracts::ServiceName::{CallOrchestrator, Gateway, WebhookDispatcher};
use contracts::accounts::CancelNotification;
use contracts::message::Message as _;
use diesel::RunQueryDsl as _;
use testkit::wait::eventually;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::logs::Log;
use crate::support::{Hearing, Letter, PATIENCE, World};

const AT_ONCE: Duration = Duration::from_millis(1);

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("n-{n:04}")).collect()
}

fn done(database: &Database) -> Hearing {
    Hearing::new(database, |_| Outcome::Done)
}

/// A message that was never staged.
fn outgoing(body: Bytes) -> Outgoing {
    let routing_key = CancelNotification::routing_key();
    Outgoing { id: Uuid::now_v7(), routing_key, cause: Cause::own("t"), body }
}

pub(crate) async fn a_staged_message_has_its_effect_once_in_every_service_that_hears_it(world: World) {
    let (first, second) = (done(&world.database(CallOrchestrator)), done(&world.database(WebhookDispatcher)));
    let process = world
        .start(vec![
            world.consumer(CallOrchestrator, vec![first.subscription()]),
            world.consumer(WebhookDispatcher, vec![second.subscription()]),
        ])
        .await;
    world.stage(&names(250), &Cause::own("t")).await;
    for hearing in [&first, &second] {
        eventually("all effects", PATIENCE, || async { hearing.effects_of(250).map(drop) }).await;
        assert_eq!(hearing.effects(), names(250));
    }
    eventually("an empty outbox", PATIENCE, || async {
        let unsent = world.unsent().await;
        if unsent == 0 { Ok(()) } else { Err(unsent) }
    })
    .await;
    assert_eq!(process.bus.ready().await, Ok(()));
    process.stop().await;
}

pub(crate) async fn tenant_request_and_trace_travel_with_a_message(world: World) {
    let hearing = done(&world.database(CallOrchestrator));
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    let cause =
        Cause { request_id: "req_ä1".into(), tenant: "tenant-7".into(), trace_id: "0af76519".into() };
    world.stage(&names(1), &cause).await;
    let heard = eventually("the message", PATIENCE, || async { hearing.heard_times(1) }).await;
    assert_eq!(heard[0].cause, cause);
    process.stop().await;
}

pub(crate) async fn a_transaction_that_rolls_back_publishes_nothing(world: World) {
    let hearing = done(&world.database(CallOrchestrator));
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    world.stage_and_roll_back(&["never".to_owned()]).await;
    assert_eq!(world.unsent().await, 0);
    world.stage(&["after".to_owned()], &Cause::default()).await;
    eventually("the later message", PATIENCE, || async { hearing.effects_of(1) }).await;
    process.stop().await;
    assert_eq!(hearing.effects(), ["after"]);
}

/// Notes what the bus answers to the relay.
struct Overheard {
    publisher: Arc<dyn Publisher>,
    answers: Arc<Mutex<Vec<Result<(), PublishError>>>>,
}

#[async_trait]
impl Publisher for Overheard {
    async fn publish(&self, batch: Vec<Outgoing>) -> Vec<Result<(), PublishError>> {
        let answers = self.publisher.publish(batch).await;
        self.answers.lock().unwrap().extend(answers.clone());
        answers
    }
}

pub(crate) async fn a_message_that_nobody_hears_stays_in_the_outbox_until_somebody_does(world: World) {
    let hearing = done(&world.database(CallOrchestrator));
    let bus = world.bus();
    let process = World::without_relays_on(Arc::clone(&bus));
    let answers = Arc::new(Mutex::new(Vec::new()));
    let overheard = Overheard { publisher: bus.publisher(), answers: Arc::clone(&answers) };
    process.relay(&world.database(Gateway), Arc::new(overheard));
    world.stage(&names(1), &Cause::default()).await;
    let unroutable = Err(PublishError::Unroutable(CancelNotification::routing_key()));
    eventually("the bus to know nobody", PATIENCE, || async {
        let answers = answers.lock().unwrap().clone();
        if answers.contains(&unroutable) { Ok(()) } else { Err(answers) }
    })
    .await;
    assert_eq!(world.unsent().await, 1);

    bus.subscribe(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await.unwrap();
    eventually("the message", PATIENCE, || async { hearing.effects_of(1) }).await;
    process.stop().await;
    assert_eq!(world.unsent().await, 0);
}

pub(crate) async fn a_message_to_be_retried_comes_again_as_often_as_it_is_asked_for(world: World) {
    let hearing = Hearing::new(&world.database(CallOrchestrator), |heard| {
        if heard.nth < 4 { Outcome::RetryAfter(AT_ONCE) } else { Outcome::Done }
    });
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    let cause = Cause { request_id: "req_1".into(), tenant: "t".into(), trace_id: "0af7".into() };
    world.stage(&names(2), &cause).await;
    eventually("both effects", PATIENCE, || async { hearing.effects_of(2) }).await;
    process.stop().await;
    let heard = hearing.heard();
    assert_eq!(heard.len(), 8, "{heard:?}");
    assert!(heard.iter().all(|h| h.cause == cause), "{heard:?}");
    assert_eq!(world.dead(CallOrchestrator).await, []);
}

fn letter(reason: &str) -> Letter {
    Letter { routing_key: CancelNotification::routing_key(), reason: reason.to_owned() }
}

pub(crate) async fn a_message_that_is_retried_too_often_is_dead_and_says_so(world: World) {
    let database = world.database(CallOrchestrator);
    let hearing = Hearing::new(&database, |_| Outcome::RetryAfter(AT_ONCE));
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    world.stage(&names(1), &Cause::default()).await;
    let dead = eventually("a dead letter", PATIENCE, || world.dead_times(CallOrchestrator, 1)).await;
    assert_eq!(dead, [letter("given up after 10 attempts")]);
    process.stop().await;
    assert_eq!(hearing.heard().len(), MAX_ATTEMPTS as usize);
}

pub(crate) async fn a_dead_letter_keeps_its_reason(world: World) {
    let database = world.database(CallOrchestrator);
    let hearing = Hearing::new(&database, |_| Outcome::Dead("no such project — ever".to_owned()));
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    world.stage(&names(1), &Cause::default()).await;
    let dead = eventually("a dead letter", PATIENCE, || world.dead_times(CallOrchestrator, 1)).await;
    assert_eq!(dead, [letter("no such project — ever")]);
    process.stop().await;
    assert_eq!(hearing.heard().len(), 1);
}

pub(crate) async fn an_unreadable_message_is_dead_and_the_next_one_is_handled(world: World) {
    let hearing = done(&world.database(CallOrchestrator));
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    let unreadable = outgoing(Bytes::from_static(&[0xff, 0xff]));
    assert_eq!(process.bus.publisher().publish(vec![unreadable]).await, [Ok(())]);
    world.stage(&names(1), &Cause::default()).await;
    eventually("the readable message", PATIENCE, || async { hearing.effects_of(1) }).await;
    let dead = eventually("a dead letter", PATIENCE, || world.dead_times(CallOrchestrator, 1)).await;
    assert!(dead[0].reason.starts_with("cannot read it: "), "{dead:?}");
    process.stop().await;
}

pub(crate) async fn a_handler_that_lacks_something_does_not_use_up_attempts(world: World) {
    // One more attempt on record than these, and the message would be dead before its last delivery.
    let (away, retried) = (3, MAX_ATTEMPTS - 1);
    let hearing = Hearing::new(&world.database(CallOrchestrator), move |heard| match heard.nth {
        nth if nth <= away => Outcome::Unavailable("the database is away".to_owned()),
        nth if nth <= away + retried => Outcome::RetryAfter(AT_ONCE),
        _ => Outcome::Done,
    });
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    world.stage(&names(1), &Cause::default()).await;
    eventually("the effect", PATIENCE, || async { hearing.effects_of(1) }).await;
    assert_eq!(world.dead(CallOrchestrator).await, []);
    process.stop().await;
}

pub(crate) async fn a_message_whose_handler_panics_comes_again(world: World) {
    let hearing = Hearing::new(&world.database(CallOrchestrator), |heard| {
        assert!(heard.nth > 1 || heard.notification != "n-0001", "a bug in a handler");
        Outcome::Done
    });
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    world.stage(&names(3), &Cause::default()).await;
    eventually("three deliveries", PATIENCE, || async { hearing.heard_times(3) }).await;
    eventually("the other effects", PATIENCE, || async { hearing.effects_of(2) }).await;
    world.hurry();
    eventually("all effects", PATIENCE, || async { hearing.effects_of(3) }).await;
    process.stop().await;
    assert_eq!(hearing.effects(), names(3));
}

/// Counts handlers that run at the same time, and lets them go when a test says so.
#[derive(Clone)]
struct Gate {
    running: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
    open: Arc<Semaphore>,
}

impl Gate {
    fn closed() -> Self {
        Self { running: Arc::default(), most: Arc::default(), open: Arc::new(Semaphore::new(0)) }
    }

    fn subscription(&self) -> Subscription {
        Subscription::to(self, |gate: Self, _, _: CancelNotification| async move {
            let running = gate.running.fetch_add(1, Ordering::SeqCst) + 1;
            gate.most.fetch_max(running, Ordering::SeqCst);
            let _open = gate.open.acquire().await;
            gate.running.fetch_sub(1, Ordering::SeqCst);
            Outcome::Done
        })
    }
}

pub(crate) async fn one_queue_is_worked_on_by_a_bounded_number_of_handlers(world: World) {
    let gate = Gate::closed();
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![gate.subscription()])]).await;
    world.stage(&names(3 * CONCURRENCY), &Cause::default()).await;
    eventually("all handlers to be busy", PATIENCE, || async {
        let running = gate.running.load(Ordering::SeqCst);
        if running >= CONCURRENCY { Ok(()) } else { Err(running) }
    })
    .await;
    gate.open.add_permits(1);
    process.stop().await;
    assert_eq!(gate.most.load(Ordering::SeqCst), CONCURRENCY);
}

pub(crate) async fn what_was_not_handled_before_a_stop_is_handled_after_the_next_start(world: World) {
    let hearing = done(&world.database(CallOrchestrator));
    let consumers = || vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])];
    let first = world.start(consumers()).await;
    world.stage(&names(300), &Cause::default()).await;
    eventually("some effects", PATIENCE, || async { hearing.effects_of(20).map(drop) }).await;
    first.stop().await;
    let before = hearing.effects().len();

    let second = world.start(consumers()).await;
    world.stage(&["last".to_owned()], &Cause::default()).await;
    eventually("all effects", PATIENCE, || async { hearing.effects_of(301).map(drop) }).await;
    second.stop().await;
    let mut all = names(300);
    all.insert(0, "last".to_owned());
    assert_eq!(hearing.effects(), all, "{before} before the stop");
}

/// A broker notices that a consumer is gone; for a file of tables, the next process does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_process_was_handling_is_handled_as_soon_as_the_next_one_starts() {
    let world = World::memory().await;
    let database = world.database(CallOrchestrator);
    let busy = Hearing::new(&database, |_| Outcome::RetryAfter(Duration::from_secs(3600)));
    let first = world.start(vec![world.consumer(CallOrchestrator, vec![busy.subscription()])]).await;
    world.stage(&names(1), &Cause::default()).await;
    eventually("the message", PATIENCE, || async { busy.heard_times(1).map(drop) }).await;
    first.stop().await;
    // What the row of a message looks like whose handler was killed.
    let leased = database.write(|tx| {
        let (due, until) = (Time::from(tx.now()), Time::from(tx.now() + Duration::from_secs(3600)));
        let query = diesel::sql_query("UPDATE bus_queue SET due_at = $1, lease_until = $2");
        let query = query.bind::<sql::UtcTime, _>(due).bind::<sql::UtcTime, _>(until);
        Ok::<_, DbError>(query.execute(tx.conn)?)
    });
    assert_eq!(leased.await.unwrap(), 1);

    let hearing = done(&database);
    let second = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    eventually("the effect", PATIENCE, || async { hearing.effects_of(1) }).await;
    second.stop().await;
}

/// A broker that gets no acknowledgement notices; here it is the process that must not forget.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outcome_that_cannot_be_noted_at_once_is_noted_as_soon_as_the_tables_allow_it() {
    let (world, log) = (World::memory().await, Log::started());
    let (database, gate) = (world.database(CallOrchestrator), Gate::closed());
    let alter = |text: &'static str| {
        let database = database.clone();
        async move {
            let altered =
                database.write(move |tx| Ok::<_, DbError>(diesel::sql_query(text).execute(tx.conn)?)).await;
            altered.unwrap();
        }
    };
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![gate.subscription()])]).await;
    world.stage(&names(1), &Cause::default()).await;
    eventually("the handler to be busy", PATIENCE, || async {
        let running = gate.running.load(Ordering::SeqCst);
        if running == 1 { Ok(()) } else { Err(running) }
    })
    .await;
    alter("ALTER TABLE bus_queue RENAME TO hidden").await;
    gate.open.add_permits(1);
    eventually("a vain try", PATIENCE, || async {
        let lines = log.lines_with("outcomes could not be noted");
        if lines.is_empty() { Err(()) } else { Ok(()) }
    })
    .await;
    alter("ALTER TABLE hidden RENAME TO bus_queue").await;
    // Long before the lease of the message runs out.
    eventually("an empty queue", PATIENCE, || async {
        let rows = queued(&database).await;
        if rows == 0 { Ok(()) } else { Err(rows) }
    })
    .await;
    process.stop().await;
}

async fn queued(database: &Database) -> i64 {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql::BigInt)]
        n: i64,
    }
    let count = "SELECT count(*) AS n FROM bus_queue";
    let read = database.read(move |db| Ok::<Row, DbError>(diesel::sql_query(count).get_result(db)?));
    read.await.unwrap().n
}

pub(crate) async fn what_is_staged_while_a_process_stops_goes_out_before_its_end(world: World) {
    let hearing = done(&world.database(CallOrchestrator));
    let consumers = || vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])];
    let first = world.start(consumers()).await;
    first.bus.stop(PATIENCE).await;
    world.stage(&names(1), &Cause::default()).await;
    first.stop().await;
    assert_eq!(world.unsent().await, 0);
    assert_eq!(hearing.heard(), [], "a bus that has stopped delivers nothing");

    let second = world.start(consumers()).await;
    eventually("the message", PATIENCE, || async { hearing.effects_of(1) }).await;
    second.stop().await;
}
