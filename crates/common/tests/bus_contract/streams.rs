//! Promises about answers in parts.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use common::bus::Bus;
use contracts::ServiceName::{self, CallOrchestrator};
use contracts::rpc::{Context, RpcError, Server, Streamed};
use futures_util::{StreamExt as _, stream};
use testkit::proxy::Proxy;
use testkit::wait::eventually;

use crate::requests::to;
use crate::support::{Broker, PATIENCE, World, amqp_address};

/// Counts parts that were made, and streams that were dropped.
#[derive(Clone, Default)]
struct Counting {
    made: Arc<AtomicU64>,
    dropped: Arc<AtomicUsize>,
}

/// Noted when the stream that holds it goes.
struct Held(Arc<AtomicUsize>);

impl Drop for Held {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn broke() -> RpcError {
    RpcError::Conflict { code: "broke".into(), message: "in the middle".into() }
}

impl Counting {
    fn numbers(&self, end: u64) -> Streamed<Bytes> {
        let (made, held) = (Arc::clone(&self.made), Held(Arc::clone(&self.dropped)));
        Box::pin(stream::iter(0..end).map(move |n| {
            let _held = &held;
            made.fetch_add(1, Ordering::SeqCst);
            Ok(Bytes::from(n.to_string()))
        }))
    }

    async fn stopped(&self, count: usize) {
        eventually("streams to be stopped", PATIENCE, || async {
            let dropped = self.dropped.load(Ordering::SeqCst);
            if dropped >= count { Ok(()) } else { Err(dropped) }
        })
        .await;
    }
}

#[async_trait]
impl Server for Counting {
    fn service(&self) -> ServiceName {
        CallOrchestrator
    }

    fn methods(&self) -> &'static [&'static str] {
        &[]
    }

    async fn answer(&self, method: &str, _: Context, _: Bytes) -> Result<Bytes, RpcError> {
        Err(RpcError::unknown_method(method))
    }

    fn streams(&self) -> &'static [&'static str] {
        &["Test.Count", "Test.Break", "Test.Refuse", "Test.Panic", "Test.Hang"]
    }

    async fn stream(&self, method: &str, _: Context, request: Bytes) -> Result<Streamed<Bytes>, RpcError> {
        let end = String::from_utf8_lossy(&request).parse().unwrap_or(0);
        let numbers = self.numbers(end);
        match method {
            "Test.Count" => Ok(numbers),
            "Test.Break" => Ok(Box::pin(numbers.chain(stream::iter([Err(broke())])))),
            "Test.Refuse" => Err(broke()),
            "Test.Panic" => Ok(Box::pin(numbers.chain(stream::poll_fn(|_| panic!("a bug in a stream"))))),
            "Test.Hang" => Ok(Box::pin(numbers.chain(stream::pending()))),
            other => Err(RpcError::unknown_method(other)),
        }
    }
}

async fn open(
    bus: &dyn Bus,
    method: &'static str,
    count: u64,
    within: Duration,
) -> Result<Streamed<Bytes>, RpcError> {
    let caller = bus.caller();
    caller.open(to(method), Context::within(within), Bytes::from(count.to_string())).await
}

/// The parts that came, which are the numbers from 0, and how it ended.
async fn all(mut stream: Streamed<Bytes>) -> (u64, Option<RpcError>) {
    let mut count = 0;
    loop {
        match stream.next().await {
            Some(Ok(part)) => assert_eq!(part, Bytes::from(count.to_string())),
            Some(Err(error)) => {
                assert!(stream.next().await.is_none(), "something follows an error");
                return (count, Some(error));
            }
            None => return (count, None),
        }
        count += 1;
    }
}

pub(crate) async fn the_parts_of_a_stream_come_in_their_order_and_end(world: World) {
    let process = world.start(vec![world.server(Arc::new(Counting::default()))]).await;
    for count in [0, 1, 31, 32, 33, 1_000] {
        let stream = open(&*process.bus, "Test.Count", count, PATIENCE).await.unwrap();
        assert_eq!(all(stream).await, (count, None));
    }
    process.stop().await;
}

pub(crate) async fn an_error_after_some_parts_breaks_a_stream_off(world: World) {
    let process = world.start(vec![world.server(Arc::new(Counting::default()))]).await;
    for count in [0, 3, 40] {
        let stream = open(&*process.bus, "Test.Break", count, PATIENCE).await.unwrap();
        assert_eq!(all(stream).await, (count, Some(broke())));
    }
    process.stop().await;
}

pub(crate) async fn an_error_in_place_of_a_stream_comes_back_as_it_was_given(world: World) {
    let process = world.start(vec![world.server(Arc::new(Counting::default()))]).await;
    assert_eq!(open(&*process.bus, "Test.Refuse", 1, PATIENCE).await.err(), Some(broke()));
    process.stop().await;
}

pub(crate) async fn a_panic_in_the_middle_is_an_error_and_no_end(world: World) {
    let process = world.start(vec![world.server(Arc::new(Counting::default()))]).await;
    let stream = open(&*process.bus, "Test.Panic", 5, PATIENCE).await.unwrap();
    let (count, error) = all(stream).await;
    assert!(count == 5 && matches!(error, Some(RpcError::Internal(_))), "{count} {error:?}");
    process.stop().await;
}

pub(crate) async fn a_stream_that_nobody_reads_any_more_is_stopped(world: World) {
    let counting = Counting::default();
    let process = world.start(vec![world.server(Arc::new(counting.clone()))]).await;
    let mut stream = open(&*process.bus, "Test.Hang", 3, Duration::from_secs(600)).await.unwrap();
    assert!(matches!(stream.next().await, Some(Ok(_))));
    drop(stream);
    counting.stopped(1).await;
    // Also one whose reader goes before it has begun.
    drop(open(&*process.bus, "Test.Hang", 0, Duration::from_secs(600)).await.unwrap());
    counting.stopped(2).await;
    process.stop().await;
}

pub(crate) async fn a_deadline_bounds_the_whole_stream(world: World) {
    let counting = Counting::default();
    let process = world.start(vec![world.server(Arc::new(counting.clone()))]).await;
    let stream = open(&*process.bus, "Test.Hang", 3, Duration::from_millis(700)).await.unwrap();
    assert_eq!(all(stream).await, (3, Some(RpcError::DeadlineExceeded)));
    counting.stopped(1).await;
    process.stop().await;
}

pub(crate) async fn a_reader_that_does_not_read_holds_the_stream_back(world: World) {
    let counting = Counting::default();
    let process = world.start(vec![world.server(Arc::new(counting.clone()))]).await;
    let slow = open(&*process.bus, "Test.Count", 100_000, PATIENCE).await.unwrap();
    // Another whole stream goes by meanwhile.
    let other = open(&*process.bus, "Test.Count", 2_000, PATIENCE).await.unwrap();
    assert_eq!(all(other).await, (2_000, None));
    let made = counting.made.load(Ordering::SeqCst) - 2_000;
    assert!(made < 100, "{made} parts were made for a reader that reads none");
    drop(slow);
    counting.stopped(2).await;
    process.stop().await;
}

pub(crate) async fn two_hundred_streams_at_once_all_come_in_order(world: World) {
    let process = world.start(vec![world.server(Arc::new(Counting::default()))]).await;
    let reading: Vec<_> = (0..200)
        .map(|_| {
            let caller = process.bus.caller();
            tokio::spawn(async move {
                let context = Context::within(PATIENCE);
                all(caller.open(to("Test.Count"), context, Bytes::from("100")).await.unwrap()).await
            })
        })
        .collect();
    for reading in reading {
        assert_eq!(reading.await.unwrap(), (100, None));
    }
    process.stop().await;
}

/// A process that answers over a proxy, and one that reads over the broker itself.
async fn cut_off(world: &World, counting: &Counting) -> (Proxy, Arc<dyn Bus>, Arc<dyn Bus>) {
    let proxy = Proxy::start(amqp_address()).await.unwrap();
    let answering = world.bus_at(&Broker::url_at(proxy.addr()));
    answering.subscribe(vec![world.server(Arc::new(counting.clone()))]).await.unwrap();
    (proxy, answering, world.bus())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_dies_in_the_middle_is_an_error_long_before_the_deadline() {
    let (world, counting) = (World::rabbitmq().await, Counting::default());
    let (proxy, answering, reading) = cut_off(&world, &counting).await;
    let mut stream = open(&*reading, "Test.Hang", 3, Duration::from_secs(3_000)).await.unwrap();
    for _ in 0..3 {
        assert!(matches!(stream.next().await, Some(Ok(_))));
    }
    proxy.cut();
    let next = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap();
    assert!(matches!(next, Some(Err(RpcError::Unavailable(_)))), "{next:?}");
    assert!(stream.next().await.is_none());
    // And the one who answered, should it live, has stopped.
    counting.stopped(1).await;
    answering.stop(Duration::from_secs(1)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_that_dies_does_not_keep_the_other_side_at_work() {
    let (world, counting) = (World::rabbitmq().await, Counting::default());
    let process = world.start(vec![world.server(Arc::new(counting.clone()))]).await;
    let proxy = Proxy::start(amqp_address()).await.unwrap();
    let reading = world.bus_at(&Broker::url_at(proxy.addr()));
    let mut stream = open(&*reading, "Test.Hang", 1, Duration::from_secs(3_000)).await.unwrap();
    assert!(matches!(stream.next().await, Some(Ok(_))));
    proxy.close();
    proxy.cut();
    counting.stopped(1).await;
    let next = stream.next().await;
    assert!(matches!(next, Some(Err(RpcError::Unavailable(_)))), "{next:?}");
    process.stop().await;
}
