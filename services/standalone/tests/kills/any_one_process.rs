//! Two replicas of each service; one of them is killed in the middle.

use std::time::Duration;

use testkit::wait::eventually;

use crate::ONE_AT_A_TIME;
use crate::stack::{Ground, Room, Stack, Which};
use crate::town::{Moment, Promise, SETTLES_WITHIN};

/// Calls at the same time, so that both replicas have work.
const CALLS: usize = 4;

#[tokio::test(flavor = "multi_thread")]
async fn killing_a_gateway_at_any_moment_of_a_call_changes_nothing() {
    at_every_moment(Room::Gateway).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_an_orchestrator_at_any_moment_of_a_call_loses_no_call() {
    at_every_moment(Room::Orchestrator).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_a_bridge_at_any_moment_of_a_call_loses_no_call() {
    at_every_moment(Room::Bridge).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_a_dispatcher_at_any_moment_of_a_call_loses_no_event() {
    at_every_moment(Room::Dispatcher).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_a_knowledge_service_while_people_talk_changes_nothing() {
    at_each_of(&[Moment::Talking], Room::Knowledge).await;
}

async fn at_every_moment(room: Room) {
    at_each_of(&Moment::ALL, room).await;
}

async fn at_each_of(moments: &[Moment], room: Room) {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut stack = Stack::start(Ground::shared()).await;
    for (n, &moment) in moments.iter().enumerate() {
        let victim = (room, n % 2);
        let mut rung = stack.town.ring(CALLS).await;
        stack.town.until_somebody_is(moment, &mut rung).await;
        stack.kill(victim);
        // The survivor settles it alone.
        stack.town.settle(rung, Promise::ToldToTheEnd).await;
        stack.start_again(victim).await;
    }
    stack.finish(&format!("one {room:?} of two killed at {moments:?}")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatcher_that_dies_in_the_middle_of_an_attempt_lets_it_come_once_more_and_no_more() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut stack = Stack::start(Ground::shared()).await;
    stack.town.receiver.hold("call.summary");
    let rung = stack.town.ring(1).await;
    let notification = rung[0].notification.clone();
    let port = eventually("the attempt", SETTLES_WITHIN, || async {
        let arrivals = stack.town.receiver.arrivals(&notification, "call.summary");
        arrivals.first().map(|a| a.port).ok_or(arrivals)
    })
    .await;
    let victim = stack.replica_at(Room::Dispatcher, port).expect("a dispatcher sends it");
    stack.kill(victim);
    stack.town.receiver.release();
    eventually("the attempt to be made again", SETTLES_WITHIN, || async {
        let arrivals = stack.town.receiver.arrivals(&notification, "call.summary");
        if arrivals.len() == 2 { Ok(()) } else { Err(arrivals) }
    })
    .await;
    stack.town.settle(rung, Promise::ToldToTheEnd).await;
    stack.start_again(victim).await;
    stack.finish("the dispatcher killed in the middle of an attempt").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dispatcher_that_dies_while_it_takes_an_event_in_leaves_it_to_the_other() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut stack = Stack::start(Ground::shared()).await;
    let mut endpoints = stack.lock(Room::Dispatcher, "endpoints");
    let rung = stack.town.ring(1).await;
    // Nobody else has any business with endpoints now: it is looking for those who want the call's first event.
    let victim = eventually("a dispatcher to take the event in", SETTLES_WITHIN, || {
        let ports = endpoints.waiting().expect("the server");
        let found = ports.iter().find_map(|port| stack.replica_at(Room::Dispatcher, *port));
        async move { found.ok_or(ports) }
    })
    .await;
    stack.kill(victim);
    drop(endpoints);
    stack.town.settle(rung, Promise::ToldToTheEnd).await;
    stack.start_again(victim).await;
    stack.finish("the dispatcher killed while it took an event in").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_that_dies_while_the_carrier_is_being_asked_to_dial_rings_nobody_twice() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut stack = Stack::start(Ground::shared()).await;
    stack.wire.block();
    let mut rung = stack.town.ring(1).await;
    let victim = asking(&stack, None).await;
    stack.kill(victim);
    // The other bridge gets the wish of the dead one, and then this one.
    rung.extend(stack.town.ring(1).await);
    asking(&stack, Some(victim)).await;
    // Now the carrier reads what the dead one has asked for.
    stack.wire.unblock();
    stack.town.settle(rung, Promise::ToldToTheEnd).await;
    stack.start_again(victim).await;
    stack.finish("one bridge of two killed while it dialled").await;
}

/// Waits until a bridge, other than this one, asks the carrier for something.
async fn asking(stack: &Stack, other_than: Option<Which>) -> Which {
    eventually("a bridge to ask the carrier", SETTLES_WITHIN, || async {
        let held = stack.wire.held();
        let bridges = held.iter().filter_map(|port| stack.replica_at(Room::Bridge, *port));
        bridges.into_iter().find(|bridge| Some(*bridge) != other_than).ok_or(held)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_dies_while_calls_are_asked_for_makes_none_twice_and_loses_none() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut stack = Stack::start(Ground::shared()).await;
    let people = stack.town.people(16).await;
    let mut placing = stack.town.place(people, Duration::ZERO);
    let first = placing.join_next().await.expect("sixteen").expect("accepted");
    stack.kill((Room::Gateway, 0));
    let mut rung = placing.join_all().await;
    rung.push(first);
    stack.town.settle(rung, Promise::ToldToTheEnd).await;
    stack.start_again((Room::Gateway, 0)).await;
    stack.finish("one gateway of two killed while sixteen calls were asked for").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_no_bridge_left_the_conversation_may_end_but_never_the_accounting() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut stack = Stack::start(Ground::shared()).await;
    let mut rung = stack.town.ring(CALLS).await;
    stack.town.all_called(&rung, false).await;
    stack.town.until_somebody_is(Moment::Talking, &mut rung).await;
    stack.kill((Room::Bridge, 0));
    stack.kill((Room::Bridge, 1));
    // The carrier finds nobody to ask and ends the calls; nobody hears of it.
    stack.town.all_called(&rung, true).await;
    stack.start_again((Room::Bridge, 0)).await;
    stack.town.settle(rung, Promise::OnlyTheAccounts).await;
    stack.start_again((Room::Bridge, 1)).await;
    stack.finish("both bridges killed while talking").await;
}
