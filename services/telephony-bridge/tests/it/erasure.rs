//! What is forgotten of customers, and when.

use std::time::Duration;

use contracts::accounts::{CustomerErased, ProjectDeleted};
use contracts::calls::DialRequested;
use contracts::ids::{BotId, CustomerId};
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;
use twilio::rest::UpdateCall;

use crate::line::Line;
use crate::orchestrator::Manner;
use crate::world::{BUSY, PATIENCE, SILENT, World};

on_both_engines![
    an_erased_customer_has_no_number_any_more_once_no_call_with_them_runs,
    a_wish_that_was_on_its_way_when_its_customer_was_erased_keeps_no_number,
    a_deleted_project_keeps_no_numbers,
    nobodys_number_is_kept_for_longer_than_two_days,
    whoever_rings_a_bot_is_forgotten_also_where_the_number_they_rang_is_not_known,
    whoever_talks_to_a_bot_of_a_project_that_is_deleted_is_forgotten_at_the_end,
];

/// A wish to ring this number of a customer.
fn wish_of(world: &World, customer: CustomerId, to: &str) -> DialRequested {
    DialRequested { customer_id: customer.to_string(), ..world.wish(to) }
}

fn erased(world: &World, customer: CustomerId) -> CustomerErased {
    CustomerErased { project_id: world.project.to_string(), customer_id: customer.to_string() }
}

/// Waits until the bridge keeps just these numbers.
async fn keeps(world: &World, numbers: &[&str]) {
    let look = || async {
        let mut left = world.count("dial_attempts WHERE to_number <> '' OR from_number <> ''").await;
        for number in numbers {
            left -= world.count(&format!("dial_attempts WHERE to_number = '{number}'")).await;
        }
        if left == 0 { Ok(()) } else { Err(left) }
    };
    eventually("the numbers to be forgotten", PATIENCE, look).await;
    for number in numbers {
        assert_eq!(world.count(&format!("dial_attempts WHERE to_number = '{number}'")).await, 1, "{number}");
    }
}

/// A call to a line that is busy: over at once.
async fn over(world: &World, wish: &DialRequested) {
    world.publish(std::slice::from_ref(wish)).await;
    world.status(wish, "busy").await;
}

async fn an_erased_customer_has_no_number_any_more_once_no_call_with_them_runs(engine: Engine) {
    let world = World::new(engine).await;
    let (customer, another) = (CustomerId::new(), CustomerId::new());
    over(&world, &wish_of(&world, customer, BUSY)).await;
    let talks = wish_of(&world, customer, SILENT);
    world.publish(std::slice::from_ref(&talks)).await;
    let sid = world.accepted(&talks).await;
    world.status(&talks, "in_progress").await;

    world.publish(&[erased(&world, customer), erased(&world, another)]).await;
    keeps(&world, &[SILENT]).await;
    over(&world, &wish_of(&world, another, BUSY)).await;
    world.rest().update_call(&sid.parse().unwrap(), &UpdateCall::Complete).await.unwrap();
    world.status(&talks, "completed").await;
    world.clock.advance(Duration::from_secs(6));
    keeps(&world, &[BUSY]).await;
    assert_eq!(world.count("dial_attempts").await, 3, "that there were calls stays");
}

async fn a_wish_that_was_on_its_way_when_its_customer_was_erased_keeps_no_number(engine: Engine) {
    let world = World::new(engine).await;
    let customer = CustomerId::new();
    world.publish(&[erased(&world, customer)]).await;
    world.all_handled().await;
    over(&world, &wish_of(&world, customer, BUSY)).await;
    world.clock.advance(Duration::from_secs(601));
    keeps(&world, &[]).await;
    let done = || async {
        let left = world.count("erasures").await;
        if left == 0 { Ok(()) } else { Err(left) }
    };
    eventually("the erasure to be done", PATIENCE, done).await;
}

async fn a_deleted_project_keeps_no_numbers(engine: Engine) {
    let world = World::new(engine).await;
    over(&world, &world.wish(BUSY)).await;
    keeps(&world, &[BUSY]).await;
    world.publish(&[ProjectDeleted { project_id: world.project.to_string() }]).await;
    keeps(&world, &[]).await;
}

async fn nobodys_number_is_kept_for_longer_than_two_days(engine: Engine) {
    let world = World::new(engine).await;
    over(&world, &world.wish(BUSY)).await;
    world.clock.advance(Duration::from_secs(47 * 3600));
    world.all_handled().await;
    keeps(&world, &[BUSY]).await;
    world.clock.advance(Duration::from_secs(2 * 3600));
    keeps(&world, &[]).await;
}

/// Somebody talks to a bot, and what they said could not be passed on. The carrier does not say which number they rang.
async fn talks_to_a_bot<'a>(world: &'a World, from: &str) -> Line<'a> {
    let (bot, line): (BotId, _) = (world.bot_of(world.project), world.caller());
    let rings = [("From", from), ("Direction", "inbound"), ("CallStatus", "ringing")];
    let first = line.post(&format!("/v1/voice?bot_id={bot}"), &rings).await;
    let listens = line.post(&first.next(world).unwrap(), &[]).await;
    world.orchestrator.behaves(Manner::Fails);
    let waits = line.post(&listens.next(world).unwrap(), &[("SpeechResult", "My name is Ada.")]).await;
    assert!(waits.spoken().contains("One moment"), "{}", waits.body);
    world.orchestrator.behaves(Manner::Answers);
    line
}

impl Line<'_> {
    async fn hangs_up_now(&self) {
        let end = [("CallStatus", "completed"), ("SequenceNumber", "0")];
        assert_eq!(self.post("/v1/voice-status", &end).await.status, 204);
    }
}

/// Waits until nothing that was heard is kept.
async fn keeps_no_words(world: &World) {
    let look = || async {
        let left = world.count("own_words WHERE heard IS NOT NULL").await;
        if left == 0 { Ok(()) } else { Err(left) }
    };
    eventually("the words to be forgotten", PATIENCE, look).await;
}

async fn whoever_rings_a_bot_is_forgotten_also_where_the_number_they_rang_is_not_known(engine: Engine) {
    let world = World::new(engine).await;
    // One shows a number, the other hides it.
    for from in [SILENT, "anonymous"] {
        talks_to_a_bot(&world, from).await.hangs_up_now().await;
    }
    assert_eq!(world.count("dial_attempts WHERE from_number <> '' AND to_number = ''").await, 1);
    assert_eq!(world.count("own_words WHERE heard IS NOT NULL").await, 2);
    world.clock.advance(Duration::from_secs(49 * 3600));
    keeps(&world, &[]).await;
    keeps_no_words(&world).await;
}

async fn whoever_talks_to_a_bot_of_a_project_that_is_deleted_is_forgotten_at_the_end(engine: Engine) {
    let world = World::new(engine).await;
    let (shows, hides) = (talks_to_a_bot(&world, SILENT).await, talks_to_a_bot(&world, "anonymous").await);
    world.publish(&[ProjectDeleted { project_id: world.project.to_string() }]).await;
    world.all_handled().await;
    let looked_at = || async {
        let at_work = world.count("erasures WHERE lease_until IS NOT NULL OR next_at = asked_at").await;
        if at_work == 0 { Ok(()) } else { Err(at_work) }
    };
    eventually("the erasure to wait for them", PATIENCE, looked_at).await;
    shows.hangs_up_now().await;
    hides.hangs_up_now().await;
    world.clock.advance(Duration::from_secs(6));
    keeps(&world, &[]).await;
    keeps_no_words(&world).await;
}
