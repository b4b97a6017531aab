//! Every process, one after the other, while people are talking: stopped in order and started again, which is what an update
//! does; and killed and started again, which is a bad day.

use std::time::Duration;

use crate::ONE_AT_A_TIME;
use crate::stack::{Ground, Room, Stack, Which};
use crate::town::Promise;

/// Calls in the course of it, and how long after one another they begin.
const CALLS: usize = 40;
const BETWEEN: Duration = Duration::from_millis(400);

fn everyone() -> impl Iterator<Item = Which> {
    Room::ALL.into_iter().flat_map(|room| [(room, 0), (room, 1)])
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_of_every_process_under_load_is_noticed_by_nobody_on_the_phone() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut stack = Stack::start(Ground::shared()).await;
    let placing = stack.town.place(stack.town.people(CALLS).await, BETWEEN);
    for which in everyone() {
        stack.stop(which).await;
        stack.start_again(which).await;
    }
    let rung = placing.join_all().await;
    stack.town.settle(rung, Promise::ToldToTheEnd).await;
    stack.finish("every process updated under load").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_every_process_in_turn_under_load_loses_no_call() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut stack = Stack::start(Ground::shared()).await;
    let placing = stack.town.place(stack.town.people(CALLS).await, BETWEEN);
    for which in everyone() {
        stack.kill(which);
        stack.start_again(which).await;
    }
    let rung = placing.join_all().await;
    stack.town.settle(rung, Promise::ToldToTheEnd).await;
    stack.finish("every process killed in turn under load").await;
}
