//! A wish to dial rings a phone at most once, in time, and at the account's pace.

use std::time::Duration;

use contracts::calls::DialRequested;
use contracts::rpc::Context;
use contracts::telephony::dial_failed::Cause;
use contracts::telephony::dial_refused::Reason;
use contracts::telephony::{CarriersClient, FindCarrierRequest};
use serde_json::json;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{BUSY, NOBODY_ANSWERS, PATIENCE, World};

on_both_engines![
    a_wish_that_is_told_many_times_rings_once_also_after_its_end,
    a_wish_that_comes_late_is_refused_and_rings_nobody,
    a_number_of_a_project_has_one_line,
    a_number_that_cannot_be_rung_fails_with_the_carriers_code,
    a_call_comes_from_one_of_the_accounts_numbers_or_fails,
    a_carrier_that_takes_nothing_now_is_asked_again_in_time_and_not_after_it,
    without_an_account_every_wish_fails_once,
    whoever_asks_is_told_whether_there_is_a_carrier,
    calls_leave_at_the_accounts_pace,
];

async fn a_wish_that_is_told_many_times_rings_once_also_after_its_end(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(BUSY);
    world.publish(&vec![wish.clone(); 5]).await;
    world.status(&wish, "busy").await;
    world.publish(&vec![wish.clone(); 3]).await;
    world.all_handled().await;
    assert_eq!(world.dialled(BUSY).await, 1);
    let heard = world.orchestrator.heard.lock().unwrap();
    assert_eq!((heard.accepted.len(), heard.refused.len(), heard.failed.len()), (1, 0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bridges_on_the_same_tables_ring_each_number_once() {
    let world = World::new(Engine::Postgres).await;
    let replica = world.replica().await;
    let wishes: Vec<DialRequested> = (0..8).map(|n| world.wish(&format!("+1415555020{n}"))).collect();
    // Every wish four times, neighbours far apart, so that both bridges are at the same one at the same moment.
    let messages: Vec<DialRequested> = (0..4).flat_map(|_| wishes.clone()).collect();
    world.publish(&messages).await;
    replica.publish(&messages).await;
    for wish in &wishes {
        world.accepted(wish).await;
    }
    world.all_handled().await;
    for wish in &wishes {
        assert_eq!(world.dialled(&wish.to_e164).await, 1, "{}", wish.to_e164);
    }
    let heard = world.orchestrator.heard.lock().unwrap();
    assert_eq!((heard.accepted.len(), heard.refused.len(), heard.failed.len()), (8, 0, 0));
}

async fn a_wish_that_comes_late_is_refused_and_rings_nobody(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.clock.advance(Duration::from_secs(31));
    world.publish(&[wish.clone(), wish.clone()]).await;
    assert_eq!(refused(&world, &wish).await, Reason::Late);
    world.all_handled().await;
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 0);
    assert_eq!(world.orchestrator.heard.lock().unwrap().refused.len(), 1);
}

async fn a_number_of_a_project_has_one_line(engine: Engine) {
    let world = World::new(engine).await;
    let (first, second) = (world.wish(NOBODY_ANSWERS), world.wish(NOBODY_ANSWERS));
    world.publish(std::slice::from_ref(&first)).await;
    world.accepted(&first).await;
    world.publish(std::slice::from_ref(&second)).await;
    assert_eq!(refused(&world, &second).await, Reason::LineBusy);
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 1);

    // When the first call has ended the line is free again; the refused wish stays refused.
    world.publish(&[World::stop_of(&first)]).await;
    world.status(&first, "canceled").await;
    let third = world.wish(NOBODY_ANSWERS);
    world.publish(&[second.clone(), third.clone()]).await;
    world.accepted(&third).await;
    world.all_handled().await;
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 2);
}

async fn a_number_that_cannot_be_rung_fails_with_the_carriers_code(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish("+14155550112");
    world.publish(std::slice::from_ref(&wish)).await;
    let failed = world.heard("the failure", |heard| heard.failed.first().cloned()).await;
    assert_eq!((failed.cause(), failed.carrier_code), (Cause::InvalidNumber, 21211));
    assert!(!world.row(&wish).await.unwrap().live);
}

async fn a_call_comes_from_one_of_the_accounts_numbers_or_fails(engine: Engine) {
    let world = World::new(engine).await;
    let named = DialRequested { from_e164: "+15005550006".to_owned(), ..world.wish(NOBODY_ANSWERS) };
    world.publish(std::slice::from_ref(&named)).await;
    world.accepted(&named).await;
    let foreign = DialRequested { from_e164: "+15005550001".to_owned(), ..world.wish(BUSY) };
    world.publish(&[foreign.clone(), foreign.clone()]).await;
    let failed = world.heard("the failure", |heard| heard.failed.first().cloned()).await;
    assert_eq!(
        (failed.attempt_id.as_str(), failed.cause()),
        (foreign.attempt_id.as_str(), Cause::CarrierError)
    );
    assert_eq!(failed.carrier_code, 21210);
    world.all_handled().await;
    assert_eq!(world.dialled(BUSY).await, 0);
}

async fn a_carrier_that_takes_nothing_now_is_asked_again_in_time_and_not_after_it(engine: Engine) {
    let world = World::new(engine).await;
    world.nasty(&json!({"too_many_requests_next": 1})).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&wish)).await;
    world.one_put_off().await;
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 0);
    world.clock.advance(Duration::from_secs(6));
    world.accepted(&wish).await;
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 1);

    world.nasty(&json!({"too_many_requests_next": 1})).await;
    let late = world.wish("+14155550299");
    world.publish(std::slice::from_ref(&late)).await;
    world.one_put_off().await;
    world.clock.advance(Duration::from_secs(31));
    assert_eq!(refused(&world, &late).await, Reason::Late);
    assert_eq!(world.dialled("+14155550299").await, 0);
}

async fn without_an_account_every_wish_fails_once(engine: Engine) {
    let world = World::with(engine, &[("ECHO_CARRIER", "twilio")]).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.publish(&[wish.clone(), wish.clone()]).await;
    let failed = world.heard("the failure", |heard| heard.failed.first().cloned()).await;
    assert_eq!((failed.cause(), &failed.attempt_id), (Cause::CarrierError, &wish.attempt_id));
    world.all_handled().await;
    assert_eq!(world.orchestrator.heard.lock().unwrap().failed.len(), 1);
}

async fn whoever_asks_is_told_whether_there_is_a_carrier(engine: Engine) {
    for (carrier, there) in [("sandbox", true), ("twilio", false)] {
        let world = World::with(engine, &[("ECHO_CARRIER", carrier)]).await;
        let bridge = CarriersClient::new(world.orchestrator.platform().caller);
        let whose = FindCarrierRequest { project_id: world.project.to_string() };
        let answer = bridge.find_carrier(Context::within(PATIENCE), whose).await.unwrap();
        assert_eq!(answer.found, there, "{carrier}");
    }
}

async fn calls_leave_at_the_accounts_pace(engine: Engine) {
    // One call in twenty seconds.
    let world = World::with(engine, &[("ECHO_CALLS_PER_SECOND", "0.05")]).await;
    let (first, second) = (world.wish("+14155550201"), world.wish("+14155550202"));
    world.publish(std::slice::from_ref(&first)).await;
    world.accepted(&first).await;
    world.publish(std::slice::from_ref(&second)).await;
    world.one_put_off().await;
    assert_eq!(world.dialled("+14155550202").await, 0, "its turn has not come");
    world.clock.advance(Duration::from_secs(21));
    world.accepted(&second).await;
    assert_eq!(world.dialled("+14155550202").await, 1);

    // A turn that would come after the last moment to dial is no turn.
    let third = world.wish("+14155550203");
    let hurry = DialRequested { dial_before_ms: third.dial_before_ms - 15_000, ..third };
    world.publish(std::slice::from_ref(&hurry)).await;
    assert_eq!(refused(&world, &hurry).await, Reason::Late);
}

async fn refused(world: &World, wish: &DialRequested) -> Reason {
    world
        .heard("the refusal", |heard| {
            heard.refused.iter().find(|m| m.attempt_id == wish.attempt_id).map(|m| m.reason())
        })
        .await
}
