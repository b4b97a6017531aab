//! Documents that are found by what they mean, beside their words: with a model behind a server, whatever that does.

use std::time::Duration;

use common::db::{Db, DbError};
use contracts::knowledge::SearchResponse;
use diesel::{QueryableByName, RunQueryDsl as _, sql_query};
use testkit::database::Engine;
use testkit::model_server::{ModelServer, UNEMBEDDABLE};
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::World;

on_both_engines!(
    what_means_the_same_is_found_without_a_word_in_common,
    a_chunk_that_the_model_refuses_is_found_by_its_words,
    where_meaning_finds_nothing_it_does_not_count,
    without_its_model_everything_is_found_by_words,
    another_model_reads_everything_anew,
    what_was_deleted_or_replaced_is_not_found_by_its_meaning,
);

const PARCEL: &str = "# Package\nYour package is with the neighbours when nobody was at home.";
const HOURS: &str = "# Opening hours\nWe are open from nine to five.";
const REFUND: &str = "# Refund\nA refund takes three days.";

fn embedded_by(server: &ModelServer, model: &str) -> Vec<(&'static str, String)> {
    vec![
        ("ECHO_EMBEDDER", "openai".to_owned()),
        ("OPENAI_BASE_URL", server.url().to_owned()),
        ("ECHO_EMBEDDING_MODEL", model.to_owned()),
    ]
}

async fn world(engine: Engine) -> (ModelServer, World) {
    let server = ModelServer::start().await.expect("a model server");
    let world = World::start_with(engine, embedded_by(&server, "one")).await;
    (server, world)
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    number: i64,
}

async fn count(world: &World, from: String) -> i64 {
    let tables = world.tables();
    let read = tables.read(move |db: &mut Db| {
        let found: Number = sql_query(format!("SELECT COUNT(*) AS number FROM {from}")).get_result(db)?;
        Ok::<_, DbError>(found.number)
    });
    read.await.expect("the tables answer")
}

/// Until a model has read so many sources, and meaning has been weighed.
async fn until_read(world: &World, (model, sources): (&str, i64)) {
    let read = format!("sources WHERE embedded_with = '{model}'");
    let weighed = format!("apps WHERE weighed_with = '{model}'");
    eventually("the documents are read", Duration::from_secs(20), async || {
        let done = count(world, read.clone()).await == sources && count(world, weighed.clone()).await == 1;
        done.then_some(()).ok_or("not yet")
    })
    .await;
}

async fn ask(world: &World, question: &str) -> SearchResponse {
    world.ask("app", question, 5).await.expect("an answer")
}

fn titles(answer: &SearchResponse) -> Vec<&str> {
    answer.passages.iter().map(|passage| passage.title.as_str()).collect()
}

async fn tell_all(world: &World, texts: &[&str]) -> Vec<String> {
    let mut ids = Vec::new();
    for text in texts {
        ids.push(world.tell("app", "", text).await.expect("it is taken in").source_id);
    }
    ids
}

async fn what_means_the_same_is_found_without_a_word_in_common(engine: Engine) {
    let (_server, world) = world(engine).await;
    tell_all(&world, &[PARCEL, HOURS, REFUND]).await;
    until_read(&world, ("one", 3)).await;
    let answer = ask(&world, "Has my shipment arrived?").await;
    assert_eq!(titles(&answer)[0], "Package");
    assert!((0.0..=1.0).contains(&answer.passages[0].score), "{}", answer.passages[0].score);
    assert_eq!(titles(&ask(&world, "When are you open?").await)[0], "Opening hours");
    let world = world.restart().await;
    assert_eq!(titles(&ask(&world, "Has a shipment arrived?").await), Vec::<&str>::new(), "words alone");
    world.stop().await;
}

async fn a_chunk_that_the_model_refuses_is_found_by_its_words(engine: Engine) {
    let (_server, world) = world(engine).await;
    let refused = format!("# Parking\nThe garage is {UNEMBEDDABLE} behind the house.");
    tell_all(&world, &[PARCEL, &refused, HOURS]).await;
    until_read(&world, ("one", 3)).await;
    assert_eq!(titles(&ask(&world, "Where is the garage?").await)[0], "Parking");
    assert_eq!(titles(&ask(&world, "Has my shipment arrived?").await)[0], "Package");
    world.stop().await;
}

/// The model has never heard of what these documents speak of: for it all of them mean the same.
async fn where_meaning_finds_nothing_it_does_not_count(engine: Engine) {
    let (server, world) = world(engine).await;
    let texts: Vec<String> =
        (0..30).map(|n| format!("# Page {n}\nValve V-{n} belongs to boiler B-{}.", n * 3)).collect();
    tell_all(&world, &texts.iter().map(String::as_str).collect::<Vec<_>>()).await;
    until_read(&world, ("one", 30)).await;
    // It may have been weighed before all had come: what counts is the last time.
    eventually("it is weighed with all of them", Duration::from_secs(20), async || {
        let weighed = count(&world, "apps WHERE weight = 0 AND weighed_chunks > 15".to_owned()).await;
        (weighed == 1).then_some(()).ok_or("not yet")
    })
    .await;
    let before = server.requests().len();
    assert_eq!(titles(&ask(&world, "Which boiler has valve V-7?").await)[0], "Page 7");
    assert_eq!(server.requests().len(), before, "nobody asks what the question means");
    world.stop().await;
}

async fn without_its_model_everything_is_found_by_words(engine: Engine) {
    let (server, world) = world(engine).await;
    tell_all(&world, &[PARCEL, HOURS]).await;
    until_read(&world, ("one", 2)).await;
    drop(server);
    let told = world.tell("app", "", REFUND).await.expect("it is taken in");
    assert_eq!((told.chunks_processed, told.chunks_failed), (1, 0));
    assert_eq!(titles(&ask(&world, "How long does a refund take?").await)[0], "Refund");
    world.stop().await;
}

async fn another_model_reads_everything_anew(engine: Engine) {
    let (server, world) = world(engine).await;
    tell_all(&world, &[PARCEL, HOURS]).await;
    until_read(&world, ("one", 2)).await;
    let world = world.restart_with(embedded_by(&server, "two")).await;
    until_read(&world, ("two", 2)).await;
    assert_eq!(count(&world, "embeddings WHERE model <> 'two'".to_owned()).await, 0);
    assert_eq!(titles(&ask(&world, "Has my shipment arrived?").await)[0], "Package");
    world.stop().await;
}

async fn what_was_deleted_or_replaced_is_not_found_by_its_meaning(engine: Engine) {
    let (_server, world) = world(engine).await;
    let ids = tell_all(&world, &[PARCEL, HOURS]).await;
    let page = world.tell("app", "https://shop.example/page", REFUND).await.expect("it is taken in");
    until_read(&world, ("one", 3)).await;
    world.forget("app", &ids[0]).await.expect("it is deleted");
    assert!(!titles(&ask(&world, "Has my shipment arrived?").await).contains(&"Package"));
    world
        .tell("app", "https://shop.example/page", "# Vehicles\nA car can be hired.")
        .await
        .expect("it is replaced");
    assert!(!titles(&ask(&world, "Was I reimbursed?").await).contains(&"Refund"));
    until_read(&world, ("one", 2)).await;
    let answer = ask(&world, "Can I hire an automobile?").await;
    assert_eq!(
        (titles(&answer)[0], answer.passages[0].source_id.as_str()),
        ("Vehicles", page.source_id.as_str())
    );
    world.stop().await;
}
