//! Callers who hang up before the orchestrator has been told of their call: it is told of the beginning first, and of the
//! end behind it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::inbound::rung;
use crate::line::Line;
use crate::world::{BUSY, PATIENCE, World};

/// The number of the operator's account.
const OURS: &str = "+15005550006";
const END: [(&str, &str); 3] = [("CallStatus", "completed"), ("CallDuration", "4"), ("SequenceNumber", "0")];

on_both_engines![
    the_end_of_a_call_to_a_bot_that_nobody_was_told_of_is_told_behind_its_beginning,
    the_end_of_a_ring_back_that_nobody_was_told_of_is_told_behind_its_beginning,
    an_end_that_is_never_reported_is_told_behind_the_beginning_too,
    what_is_heard_of_a_call_before_its_beginning_does_not_count_as_one,
    the_end_of_a_call_that_nobody_wants_is_told_to_nobody,
    an_orchestrator_that_stays_away_keeps_no_call_for_ever,
];

impl World {
    fn takes_calls(&self, whether: bool) {
        self.orchestrator.takes_no_calls.store(!whether, Ordering::SeqCst);
    }

    /// What has been told of calls, whichever.
    async fn told(&self) -> Vec<String> {
        self.all_handled().await;
        let heard = self.orchestrator.heard.lock().unwrap();
        heard.progressed.iter().map(|report| report.status.clone()).collect()
    }

    async fn live(&self) -> i64 {
        self.count("dial_attempts WHERE live").await
    }

    async fn none_is_live(&self) {
        eventually("it to be over", PATIENCE, || async {
            let live = self.live().await;
            if live == 0 { Ok(()) } else { Err(live) }
        })
        .await;
    }
}

/// Somebody rang a bot, was asked to wait, and nobody was told.
async fn waits_for_a_bot(world: &World) -> Line<'_> {
    let (bot, mut line) = (world.bot_of(world.project), world.caller());
    world.takes_calls(false);
    let answer = line.rings_bot(bot).await;
    assert!(answer.spoken().contains("One moment"), "{}", answer.body);
    assert_eq!(world.live().await, 1);
    let next = answer.next(world).unwrap();
    let (_, attempt) = next.split_once("&attempt=").unwrap();
    line.wish.attempt_id = attempt.split('&').next().unwrap().to_owned();
    line
}

async fn the_end_of_a_call_to_a_bot_that_nobody_was_told_of_is_told_behind_its_beginning(engine: Engine) {
    let world = World::new(engine).await;
    let line = waits_for_a_bot(&world).await;
    for _ in 0..2 {
        assert_eq!(line.post("/v1/voice-status", &END).await.status, 503, "the carrier asks again");
    }
    assert_eq!((world.told().await, world.live().await), (vec![], 1));
    world.takes_calls(true);
    for _ in 0..2 {
        assert_eq!(line.post("/v1/voice-status", &END).await.status, 204);
    }
    assert_eq!(world.told().await, ["completed"]);
    assert_eq!((world.bot_calls().len(), world.live().await), (1, 0));
    let heard = world.orchestrator.reports_of(&world.bot_calls()[0].attempt_id);
    assert_eq!(heard[0].duration_seconds, Some(4));
}

async fn the_end_of_a_ring_back_that_nobody_was_told_of_is_told_behind_its_beginning(engine: Engine) {
    let world = World::new(engine).await;
    let wish = rung(&world, BUSY).await;
    let line = world.rings_in(&wish);
    world.takes_calls(false);
    assert!(line.calls(BUSY, OURS).await.spoken().contains("One moment"));
    assert_eq!(line.post("/v1/voice-status", &END).await.status, 503);
    assert_eq!((world.told().await, world.live().await), (vec![], 1));
    world.takes_calls(true);
    assert_eq!(line.post("/v1/voice-status", &END).await.status, 204);
    assert_eq!(world.told().await, ["completed"]);
    assert_eq!((world.begun_calls().await.len(), world.live().await), (1, 0));
}

async fn an_end_that_is_never_reported_is_told_behind_the_beginning_too(engine: Engine) {
    let world = World::new(engine).await;
    let line = waits_for_a_bot(&world).await;
    // The carrier does not know the call: it is over.
    world.clock.advance(Duration::from_secs(31));
    world.asked_about(&line.wish).await;
    assert_eq!((world.told().await, world.live().await), (vec![], 1));
    world.takes_calls(true);
    world.clock.advance(Duration::from_secs(61));
    world.none_is_live().await;
    assert_eq!(world.told().await, ["failed"]);
    assert_eq!(world.bot_calls().len(), 1);
}

async fn what_is_heard_of_a_call_before_its_beginning_does_not_count_as_one(engine: Engine) {
    let world = World::new(engine).await;
    let (bot, line) = (world.bot_of(world.project), world.caller());
    world.takes_calls(false);
    let waits = line.rings_bot(bot).await;
    let runs = [("CallStatus", "in-progress"), ("SequenceNumber", "0")];
    assert_eq!(line.post("/v1/voice-status", &runs).await.status, 204);
    world.takes_calls(true);
    let answer = line.post(&waits.next(&world).unwrap(), &[]).await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 0"), "{}", answer.body);
    assert_eq!(world.bot_calls().len(), 1);
}

async fn the_end_of_a_call_that_nobody_wants_is_told_to_nobody(engine: Engine) {
    let world = World::new(engine).await;
    for limit in ["gone", "bot_limit"] {
        let line = waits_for_a_bot(&world).await;
        world.takes_calls(true);
        *world.orchestrator.limit.lock().unwrap() = Some(limit);
        for _ in 0..2 {
            assert_eq!(line.post("/v1/voice-status", &END).await.status, 204, "{limit}");
        }
        assert_eq!((world.told().await, world.live().await), (vec![], 0), "{limit}");
    }
    assert_eq!(world.count("price_checks").await, 0);
}

async fn an_orchestrator_that_stays_away_keeps_no_call_for_ever(engine: Engine) {
    let world = World::new(engine).await;
    let line = waits_for_a_bot(&world).await;
    assert_eq!(line.post("/v1/voice-status", &END).await.status, 503);
    world.clock.advance(Duration::from_secs(24 * 3600 + 60));
    world.none_is_live().await;
    assert_eq!((world.told().await, world.bot_calls()), (vec![], vec![]));
}
