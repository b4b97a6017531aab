//! What is forgotten of customers, and when.

use std::time::Duration;

use contracts::accounts::{CustomerErased, ProjectDeleted};
use contracts::calls::DialRequested;
use contracts::ids::CustomerId;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;
use twilio::rest::UpdateCall;

use crate::world::{BUSY, PATIENCE, SILENT, World};

on_both_engines![
    an_erased_customer_has_no_number_any_more_once_no_call_with_them_runs,
    a_wish_that_was_on_its_way_when_its_customer_was_erased_keeps_no_number,
    a_deleted_project_keeps_no_numbers,
    nobodys_number_is_kept_for_longer_than_two_days,
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
