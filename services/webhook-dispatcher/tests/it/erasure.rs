//! Customers who are forgotten and projects that are deleted.

use std::time::Duration;

use contracts::accounts::{CustomerErased, ProjectDeleted};
use contracts::calls::CallEnded;
use contracts::ids::{CustomerId, ProjectId};
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::receiver::{Receiver, Reply};
use crate::world::{Delivery, World};

on_both_engines![
    of_a_forgotten_customer_no_body_is_left_and_nothing_more_is_sent,
    with_a_project_go_its_endpoints_and_what_waits_for_them,
];

fn ended(world: &World, customer: CustomerId) -> CallEnded {
    CallEnded { customer_id: customer.to_string(), external_id: "user_12345".to_owned(), ..world.ended() }
}

async fn of_a_forgotten_customer_no_body_is_left_and_nothing_more_is_sent(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    world.endpoint(&receiver.url).await;
    let (theirs, other) = (CustomerId::new(), CustomerId::new());
    let count = |n: usize| {
        move |rows: &[Delivery]| {
            rows.len() == n && rows.iter().all(|d| d.attempt_count == 1 && d.lease_until.is_none())
        }
    };
    world.publish(&[ended(&world, theirs)]).await;
    world.until("a success", count(1)).await;
    world.publish(&[ended(&world, other)]).await;
    world.until("another one", count(2)).await;
    receiver.answer_once(Reply::Status(500));
    world.publish(&[ended(&world, theirs)]).await;
    world.until("a failure", count(3)).await;
    receiver.answer_once(Reply::Held(500));
    world.publish(&[ended(&world, theirs)]).await;
    receiver.wait_for_held(1).await;

    let (project_id, customer_id) = (world.project.to_string(), theirs.to_string());
    let elsewhere =
        CustomerErased { project_id: ProjectId::new().to_string(), customer_id: other.to_string() };
    let erased = CustomerErased { project_id, customer_id };
    world.publish(&[elsewhere, erased.clone()]).await;
    let blank = |rows: &[Delivery]| rows.iter().filter(|d| d.payload.is_empty()).count() == 3;
    world.until("blank bodies", blank).await;
    receiver.release();
    let finished = || async {
        let attempts = world.attempts().await;
        if attempts.iter().all(|a| a.state == "finished") { Ok(attempts) } else { Err(attempts) }
    };
    let attempts = eventually("the end of what was in flight", Duration::from_secs(10), finished).await;
    assert_eq!(attempts.iter().filter(|a| a.response_body.is_some()).count(), 1, "{attempts:?}");

    world.publish(&[erased]).await;
    world.clock.advance(Duration::from_secs(3600));
    world.publish(&[ended(&world, other)]).await;
    let last = |rows: &[Delivery]| rows.len() == 5 && rows[4].status == "success";
    let rows = world.until("one more", last).await;
    let statuses: Vec<_> = rows.iter().map(|d| (d.payload.is_empty(), d.status.as_str())).collect();
    let expected =
        [(true, "success"), (false, "success"), (true, "failed"), (true, "failed"), (false, "success")];
    assert_eq!(statuses, expected);
    assert_eq!(receiver.received().len(), 5, "each was tried once");
    assert!(rows.iter().all(|d| !d.payload.contains(&theirs.to_string())));
}

async fn with_a_project_go_its_endpoints_and_what_waits_for_them(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer(Reply::Status(500));
    world.endpoint(&receiver.url).await;
    world.create(&receiver.url, &["call.ended"]).await.unwrap();
    world.end_a_call().await;
    world
        .until("two retries to come", |rows| rows.iter().filter(|d| d.status == "retrying").count() == 2)
        .await;
    world.publish(&[ProjectDeleted { project_id: ProjectId::new().to_string() }]).await;
    let project_id = world.project.to_string();
    world.publish(&[ProjectDeleted { project_id }]).await;
    world.until("an empty log", <[Delivery]>::is_empty).await;
    assert!(world.attempts().await.is_empty());
    world.clock.advance(Duration::from_secs(66));
    world.end_a_call().await;
    assert_eq!(receiver.received().len(), 2);
}
