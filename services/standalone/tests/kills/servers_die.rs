//! The broker and the tables are killed and come back, under load. Nothing is lost, and no process of ours is started again.

use std::time::Duration;

use testkit::broker::amqp_url;
use testkit::database::postgres_url;
use testkit::servers::Server;

use crate::ONE_AT_A_TIME;
use crate::stack::{Ground, Room, Stack};
use crate::tables::Attempts;
use crate::town::{Moment, Promise};

/// Calls on their way when the server dies.
const CALLS: usize = 30;
/// Calls that are asked for from then on, one after the other, while it is away and coming back.
const LATER: usize = 10;
const BETWEEN: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_broker_under_load_loses_nothing_and_needs_no_restart_of_ours() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut broker = Server::rabbitmq().await;
    let ground = Ground::on(postgres_url(), broker.url().to_owned());
    under_load(Stack::start(ground).await, (&mut broker, &[]), "the broker killed under load").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killing_the_tables_under_load_loses_nothing_and_needs_no_restart_of_ours() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut tables = Server::postgres().await;
    let ground = Ground::on(tables.url().to_owned(), amqp_url());
    under_load(Stack::start(ground).await, (&mut tables, &Room::ALL), "PostgreSQL killed under load").await;
}

/// Kills this server, without which these services cannot write down what they did.
async fn under_load(mut stack: Stack, (server, speechless): (&mut Server, &[Room]), story: &str) {
    let processes = stack.ids();
    let people = stack.town.people(CALLS).await;
    let later = stack.town.people(LATER).await;
    // Some talk, some ring, some have only been asked for.
    let mut placing = stack.town.place(people, Duration::from_millis(100));
    let first = placing.join_next().await.expect("thirty").expect("accepted");
    let mut rung = vec![first];
    stack.town.until_somebody_is(Moment::Talking, &mut rung).await;
    let written_down = stack.events(Attempts::WrittenDown).await;
    server.kill().await;
    stack.town.killed(speechless);
    let later = stack.town.place(later, BETWEEN);
    server.start_again().await;
    if speechless.contains(&Room::Dispatcher) {
        // Whatever was begun before the death, and what the first moment after it has brought.
        let made = stack.events(Attempts::Made).await;
        stack.town.cut_off(&made - &written_down);
    }
    rung.extend(placing.join_all().await);
    rung.extend(later.join_all().await);
    stack.town.settle(rung, Promise::OnlyTheAccounts).await;
    stack.all_ready().await;
    assert_eq!(stack.ids(), processes, "a process was started again");
    stack.finish(story).await;
}
