//! What the bus over `RabbitMQ` makes of connections that are cut, a broker that is silent or away, and queues that vanish.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use common::bus::rabbitmq::{Options, RabbitMq};
use common::bus::topology::{self, Namespace};
use common::bus::{Bus, Cause, Outcome, Outgoing, PublishError};
use common::config::Secret;
use common::metrics::Metrics;
use contracts::ServiceName::CallOrchestrator;
use contracts::accounts::CancelNotification;
use contracts::message::Message as _;
use contracts::rpc::{Call, Context, RpcError};
use testkit::proxy::Proxy;
use testkit::wait::eventually;
use uuid::Uuid;

use crate::requests::{Answers, to};
use crate::support::{Broker, Hearing, PATIENCE, World, amqp_address};

/// Fewer than the deliveries that one message may have.
const CUTS: usize = 12;
const PER_CUT: usize = 40;

async fn proxied(world: &World) -> (Proxy, Arc<dyn Bus>) {
    let proxy = Proxy::start(amqp_address()).await.unwrap();
    let bus = world.bus_at(&Broker::url_at(proxy.addr()));
    (proxy, bus)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_or_done_twice_while_connections_are_cut_again_and_again() {
    let world = World::rabbitmq().await;
    let (proxy, bus) = proxied(&world).await;
    let hearing = Hearing::new(&world.database(CallOrchestrator), |heard| {
        // Some go through a retry queue meanwhile.
        let retried = heard.notification.ends_with('7') && heard.nth == 1;
        if retried { Outcome::RetryAfter(Duration::from_millis(1)) } else { Outcome::Done }
    });
    let consumers = vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])];
    let process = world.start_on(bus, consumers).await;
    let all: Vec<String> = (0..CUTS * PER_CUT).map(|n| format!("n-{n:04}")).collect();
    for (round, batch) in all.chunks(PER_CUT).enumerate() {
        world.stage(batch, &Cause::default()).await;
        let enough = round * PER_CUT / 2 + 1;
        eventually("some effects", PATIENCE, || async { hearing.effects_of(enough).map(drop) }).await;
        proxy.cut();
    }
    eventually("all effects", PATIENCE, || async { hearing.effects_of(all.len()).map(drop) }).await;
    eventually("an empty outbox", PATIENCE, || async {
        let unsent = world.unsent().await;
        if unsent == 0 { Ok(()) } else { Err(unsent) }
    })
    .await;
    eventually("a bus that is ready", PATIENCE, || process.bus.ready()).await;
    process.stop().await;
    assert_eq!(hearing.effects(), all);
    assert_eq!(world.dead(CallOrchestrator).await, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_without_a_stop_loses_nothing() {
    let world = World::rabbitmq().await;
    let hearing = Hearing::new(&world.database(CallOrchestrator), |_| Outcome::Done);
    let consumers = || vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])];
    let first = world.start(consumers()).await;
    let all: Vec<String> = (0..300).map(|n| format!("n-{n:04}")).collect();
    world.stage(&all, &Cause::default()).await;
    eventually("some effects", PATIENCE, || async { hearing.effects_of(10).map(drop) }).await;
    drop(first);
    let second = world.start(consumers()).await;
    eventually("all effects", PATIENCE, || async { hearing.effects_of(all.len()).map(drop) }).await;
    second.stop().await;
    assert_eq!(hearing.effects(), all);
}

fn outgoing() -> Outgoing {
    let routing_key = CancelNotification::routing_key();
    Outgoing { id: Uuid::now_v7(), routing_key, cause: Cause::default(), body: Bytes::new() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_broker_leaves_messages_unconfirmed_and_is_used_again_when_it_speaks() {
    let world = World::rabbitmq().await;
    let (proxy, bus) = proxied(&world).await;
    let hearing = Hearing::new(&world.database(CallOrchestrator), |_| Outcome::Done);
    let consumers = vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])];
    let process = world.start_on(bus, consumers).await;
    proxy.block();
    let within = tokio::time::timeout(PATIENCE, process.bus.publisher().publish(vec![outgoing()])).await;
    let answers = within.expect("an answer within the time that a confirm may take");
    assert!(matches!(answers[..], [Err(PublishError::Unconfirmed(_))]), "{answers:?}");
    let noticed = eventually("the bus to say that it is not ready", PATIENCE, || async {
        process.bus.ready().await.err().ok_or("ready")
    });
    assert!(noticed.await.contains("publishing: "), "the part that is not well is named");
    world.stage(&["after".to_owned()], &Cause::default()).await;
    proxy.unblock();
    // The one that was not confirmed may have arrived all the same.
    eventually("the message", PATIENCE, || async {
        let effects = hearing.effects();
        if effects.contains(&"after".to_owned()) { Ok(()) } else { Err(effects) }
    })
    .await;
    process.stop().await;
}

#[tokio::test]
async fn a_broker_that_is_away_fails_the_start_and_never_holds_up_a_publisher() {
    let options = Options { start_within: Duration::from_millis(300), ..Options::default() };
    let nowhere = Secret::new("amqp://guest:guest@127.0.0.1:1/%2f");
    let bus =
        RabbitMq::new(nowhere, Namespace::default(), &Metrics::default()).unwrap().with_options(options);
    let problem = bus.subscribe(Vec::new()).await.unwrap_err();
    assert!(problem.contains("cannot connect"), "{problem}");
    let answers =
        tokio::time::timeout(Duration::from_secs(1), bus.publisher().publish(vec![outgoing()])).await;
    let answers = answers.expect("an answer at once");
    assert!(matches!(answers[..], [Err(PublishError::Unconfirmed(_))]), "{answers:?}");
    assert!(bus.ready().await.is_err());
    let asked = bus.caller().call(to("Test.Echo"), Context::within(PATIENCE), Bytes::new()).await;
    assert!(matches!(asked, Err(RpcError::Unavailable(_))), "{asked:?}");
    bus.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_of_an_unknown_type_is_a_dead_letter() {
    let world = World::rabbitmq().await;
    let hearing = Hearing::new(&world.database(CallOrchestrator), |_| Outcome::Done);
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    let queue = topology::queue(CallOrchestrator, CancelNotification::SUBJECT);
    let broker = world.broker.as_ref().unwrap();
    broker.smuggle(&queue, "gateway.not_yet_invented.v9", b"?").await;
    let dead = eventually("a dead letter", PATIENCE, || world.dead_times(CallOrchestrator, 1)).await;
    assert_eq!(dead[0].routing_key, "gateway.not_yet_invented.v9");
    assert_eq!(dead[0].reason, "nobody handles gateway.not_yet_invented.v9");
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_vanishes_is_declared_and_consumed_again() {
    let world = World::rabbitmq().await;
    let hearing = Hearing::new(&world.database(CallOrchestrator), |_| Outcome::Done);
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    let queue = topology::queue(CallOrchestrator, CancelNotification::SUBJECT);
    world.broker.as_ref().unwrap().delete_queue(&queue).await;
    world.stage(&["after".to_owned()], &Cause::default()).await;
    eventually("the message", PATIENCE, || async { hearing.effects_of(1) }).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_whose_connection_broke_is_asked_again_only_if_it_is_idempotent() {
    let world = World::rabbitmq().await;
    let (proxy, bus) = proxied(&world).await;
    let answers = Answers::new();
    let process = world.start_on(bus, vec![world.server(Arc::new(answers.clone()))]).await;
    let ask = |idempotent| {
        let (caller, call) = (process.bus.caller(), Call { idempotent, ..to("Test.Hold") });
        tokio::spawn(async move { caller.call(call, Context::within(PATIENCE), Bytes::new()).await })
    };
    let (again, once) = (ask(true), ask(false));
    answers.hold(2).await;
    proxy.cut();
    let refused = once.await.unwrap();
    assert!(matches!(refused, Err(RpcError::Unavailable(_))), "{refused:?}");
    answers.hold(3).await;
    answers.open.add_permits(1);
    assert_eq!(again.await.unwrap(), Ok(Bytes::new()));
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_confirm_that_is_late_fails_that_message_and_leaves_the_connection_alone() {
    let world = World::rabbitmq().await;
    let proxy = Proxy::start(amqp_address()).await.unwrap();
    let impatient = Options { confirm_within: Duration::ZERO, ..Options::default() };
    let bus = world.bus_with(&Broker::url_at(proxy.addr()), impatient);
    let hearing = Hearing::new(&world.database(CallOrchestrator), |_| Outcome::Done);
    bus.subscribe(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await.unwrap();
    let connections = proxy.accepted();
    for n in 1..=20 {
        let answers = bus.publisher().publish(vec![outgoing()]).await;
        let late = PublishError::Unconfirmed("the broker did not confirm in time".to_owned());
        assert_eq!(answers, [Err(late)]);
        eventually("the message all the same", PATIENCE, || async { hearing.heard_times(n).map(drop) }).await;
    }
    assert_eq!(bus.ready().await, Ok(()));
    assert_eq!(proxy.accepted(), connections);
    bus.stop(PATIENCE).await;
    bus.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_that_work_prove_it_again_and_again_and_keep_their_connection() {
    let world = World::rabbitmq().await;
    let proxy = Proxy::start(amqp_address()).await.unwrap();
    let often = Options { watch_every: Duration::from_secs(2), ..Options::default() };
    let bus = world.bus_with(&Broker::url_at(proxy.addr()), often);
    let answers = Answers::new();
    let hearing = Hearing::new(&world.database(CallOrchestrator), |_| Outcome::Done);
    let hears = world.consumer(CallOrchestrator, vec![hearing.subscription()]);
    let process = world.start_on(bus, vec![hears, world.server(Arc::new(answers))]).await;
    let connections = proxy.accepted();
    // Counted behind the proofs of all consumers.
    eventually("a look of the watchdog", PATIENCE, || async {
        let numbers = world.numbers();
        if numbers.contains("echo_bus_dead_letters{") { Ok(()) } else { Err(numbers) }
    })
    .await;
    assert_eq!(process.bus.ready().await, Ok(()));
    assert_eq!(proxy.accepted(), connections);
    process.stop().await;
}
