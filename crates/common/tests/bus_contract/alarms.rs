//! What the bus over `RabbitMQ` makes of a broker that has no memory left and takes no messages.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::bus::rabbitmq::Options;
use common::bus::{Cause, Outcome, topology};
use contracts::ServiceName::CallOrchestrator;
use testkit::proxy::Proxy;
use testkit::servers::Server;
use testkit::wait::eventually;

use crate::support::{Broker, Hearing, PATIENCE, World};

/// Looks of the watchdog during the alarm.
const LOOKS: usize = 3;

fn names(prefix: &str) -> Vec<String> {
    (0..20).map(|n| format!("{prefix}-{n:02}")).collect()
}

async fn counted(world: &World, line: &str) {
    eventually(line, PATIENCE, || async {
        let numbers = world.numbers();
        if numbers.lines().any(|l| l == line) { Ok(()) } else { Err(numbers) }
    })
    .await;
}

/// The watchdog counts dead letters behind the proofs of all consumers.
async fn looked(world: &World, letters: usize) {
    counted(world, &format!("echo_bus_dead_letters{{service=\"call-orchestrator\"}} {letters}")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_an_alarm_what_is_in_hand_is_settled_and_nothing_comes_twice() {
    let server = Server::rabbitmq().await;
    let world = World::rabbitmq_at(server.url()).await;
    let address = url::Url::parse(server.url()).unwrap().socket_addrs(|| None).unwrap()[0];
    let proxy = Proxy::start(address).await.unwrap();
    let often = Options { watch_every: Duration::from_secs(1), ..Options::default() };
    let bus = world.bus_with(&Broker::url_at(proxy.addr()), often);
    let open = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&open);
    let hearing = Hearing::new(&world.database(CallOrchestrator), move |_| {
        if seen.load(Ordering::Relaxed) { Outcome::Done } else { Outcome::Unavailable("held".to_owned()) }
    });
    let process =
        world.start_on(bus, vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    let (broker, dead) = (world.broker.as_ref().unwrap(), topology::dead_queue(CallOrchestrator));
    for _ in 0..LOOKS {
        broker.smuggle(&dead, "gateway.not_yet_invented.v9", b"?").await;
    }
    let (in_hand, later) = (names("in-hand"), names("later"));
    world.stage(&in_hand, &Cause::default()).await;
    eventually("all in hand", PATIENCE, || async { hearing.heard_times(in_hand.len()).map(drop) }).await;
    looked(&world, LOOKS).await;
    let connections = proxy.accepted();

    server.alarm(true).await;
    world.stage(&later, &Cause::default()).await;
    counted(&world, "echo_bus_blocked{connection=\"publishing\"} 1").await;
    for left in (0..LOOKS).rev() {
        broker.take(&dead).await;
        looked(&world, left).await;
    }
    open.store(true, Ordering::Relaxed);
    eventually("all in hand settled", PATIENCE, || async {
        let effects = hearing.effects();
        if in_hand.iter().all(|name| effects.contains(name)) { Ok(()) } else { Err(effects) }
    })
    .await;

    server.alarm(false).await;
    let all: Vec<String> = in_hand.into_iter().chain(later).collect();
    eventually("all effects", PATIENCE, || async { hearing.effects_of(all.len()).map(drop) }).await;
    assert_eq!(hearing.effects(), all);
    let numbers = world.numbers();
    assert!(!numbers.contains("echo_bus_redeliveries_total{"), "{numbers}");
    assert!(!numbers.contains("echo_bus_lost_acks_total{"), "{numbers}");
    assert_eq!(proxy.accepted(), connections, "no connection was made anew");
    process.stop().await;
    assert_eq!(world.dead(CallOrchestrator).await, []);
}
