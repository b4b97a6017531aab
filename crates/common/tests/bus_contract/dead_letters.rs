//! What an operator does with dead letters.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::bus::dead_letters::{Fate, Which};
use common::bus::rabbitmq::Options;
use common::bus::{Cause, Outcome, topology};
use contracts::ServiceName::{CallOrchestrator, WebhookDispatcher};
use contracts::accounts::CancelNotification;
use contracts::message::Message as _;
use testkit::wait::eventually;
use uuid::Uuid;

use crate::support::{Hearing, PATIENCE, Process, World, amqp_url};

const DAY: Duration = Duration::from_secs(24 * 3600);

fn names(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("n-{n:04}")).collect()
}

/// A service for which every message is dead until it is repaired, with `count` dead letters.
async fn with_dead_letters(world: &World, count: usize) -> (Process, Hearing, Arc<AtomicBool>) {
    let repaired = Arc::new(AtomicBool::new(false));
    let works = Arc::clone(&repaired);
    let hearing = Hearing::new(&world.database(CallOrchestrator), move |_| {
        if works.load(Ordering::SeqCst) { Outcome::Done } else { Outcome::Dead("no such project".to_owned()) }
    });
    let process = world.start(vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])]).await;
    world.stage(&names(count), &Cause { tenant: "t-7".to_owned(), ..Cause::default() }).await;
    eventually("dead letters", PATIENCE, || world.dead_times(CallOrchestrator, count)).await;
    (process, hearing, repaired)
}

async fn ids(world: &World) -> Vec<Uuid> {
    let letters = world.dead_letters().list(CallOrchestrator, 100).await.unwrap();
    letters.into_iter().filter_map(|letter| letter.message_id).collect()
}

pub(crate) async fn dead_letters_are_listed_with_their_reasons_and_stay_where_they_are(world: World) {
    let (process, ..) = with_dead_letters(&world, 3).await;
    for _ in 0..2 {
        let letters = world.dead_letters().list(CallOrchestrator, 100).await.unwrap();
        assert_eq!(letters.len(), 3);
        for letter in &letters {
            assert_eq!(letter.reason, "no such project");
            assert_eq!(letter.routing_key, CancelNotification::routing_key());
            assert!(letter.queue.ends_with(&topology::queue(CallOrchestrator, "accounts")), "{letter:?}");
            assert_eq!((letter.attempts, letter.cause.tenant.as_str()), (0, "t-7"));
        }
    }
    assert_eq!(world.dead_letters().list(CallOrchestrator, 2).await.unwrap().len(), 2);
    assert_eq!(world.dead_letters().list(WebhookDispatcher, 100).await.unwrap(), [], "it has none");
    process.stop().await;
}

pub(crate) async fn a_replayed_letter_has_its_effect_and_a_dropped_one_is_gone(world: World) {
    let (process, hearing, repaired) = with_dead_letters(&world, 4).await;
    let (letters, all) = (world.dead_letters(), ids(&world).await);
    let settle = |which, fate| letters.settle(CallOrchestrator, which, fate);
    repaired.store(true, Ordering::SeqCst);
    let one = Which::Only(vec![all[1]]);
    assert_eq!(settle(&one, Fate::Replay).await, Ok(1));
    eventually("its effect", PATIENCE, || async { hearing.effects_of(1) }).await;
    assert_eq!(hearing.heard().last().unwrap().message_id, all[1]);
    assert_eq!(settle(&one, Fate::Replay).await, Ok(0), "it is not there any more");
    let first = Which::Only(vec![all[0]]);
    assert_eq!(settle(&first, Fate::Drop).await, Ok(1));
    assert_eq!(ids(&world).await, all[2..]);

    assert_eq!(settle(&Which::All, Fate::Replay).await, Ok(2));
    eventually("all effects", PATIENCE, || async { hearing.effects_of(3) }).await;
    assert_eq!(ids(&world).await, Vec::<Uuid>::new());
    process.stop().await;
    assert_eq!(hearing.effects().len(), 3, "the dropped one has had none");
}

async fn counted(world: &World, count: usize) {
    let line = format!("echo_bus_dead_letters{{service=\"call-orchestrator\"}} {count}");
    eventually("the gauge", PATIENCE, || async {
        let numbers = world.numbers();
        if numbers.lines().any(|l| l == line) { Ok(()) } else { Err(numbers) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_on_the_broker_are_counted() {
    let world = World::rabbitmq().await;
    let (process, ..) = with_dead_letters(&world, 2).await;
    process.stop().await;
    let often = Options { watch_every: Duration::from_secs(1), ..Options::default() };
    let hearing = Hearing::new(&world.database(CallOrchestrator), |_| Outcome::Done);
    let consumers = vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])];
    let process = world.start_on(world.bus_with(&amqp_url(), often), consumers).await;
    counted(&world, 2).await;
    process.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_in_tables_are_counted_and_kept_for_fourteen_days() {
    let world = World::memory().await;
    let (process, hearing, _) = with_dead_letters(&world, 2).await;
    process.stop().await;
    for (days, left) in [(13, 2), (2, 0)] {
        world.pass(DAY * days);
        let consumers = vec![world.consumer(CallOrchestrator, vec![hearing.subscription()])];
        let process = world.start(consumers).await;
        counted(&world, left).await;
        assert_eq!(ids(&world).await.len(), left);
        process.stop().await;
    }
}
