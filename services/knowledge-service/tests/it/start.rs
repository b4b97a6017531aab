//! It starts, is ready, and starts again on the tables that are there.

use common::db::migrate;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::World;

on_both_engines!(it_starts_with_its_tables_and_is_ready, it_starts_again_on_its_tables);

async fn missing_steps(world: &World) -> Vec<&'static str> {
    let tables = echo_knowledge_service::SERVICE.tables.expect("it has tables");
    migrate::missing(&world.tables(), tables.migrations).await.expect("the tables answer")
}

async fn it_starts_with_its_tables_and_is_ready(engine: Engine) {
    let world = World::start(engine).await;
    assert_eq!(world.running.problems().await, []);
    assert_eq!(missing_steps(&world).await, Vec::<&str>::new());
    world.stop().await;
}

async fn it_starts_again_on_its_tables(engine: Engine) {
    let world = World::start(engine).await.restart().await;
    assert_eq!(world.running.problems().await, []);
    assert!(world.ask("app", "When are you open?", 5).await.is_ok());
    world.stop().await;
}
