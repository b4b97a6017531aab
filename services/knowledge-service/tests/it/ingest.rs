//! What is taken in is found, what is replaced or deleted is not, at once and in every replica, and by nobody else.

use contracts::ids::SourceId;
use contracts::knowledge::{SearchResponse, Verdict};
use contracts::rpc::RpcError;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::World;

on_both_engines!(
    what_was_taken_in_is_found_by_the_next_question,
    the_same_address_replaces_its_source_and_the_same_id_is_taken_in_once,
    what_was_deleted_is_not_found_by_the_next_question,
    a_long_text_is_counted_in_chunks_and_all_of_it_is_found,
    an_app_finds_nothing_of_another_one,
    sources_are_listed_in_pages_newest_first,
    a_change_in_another_replica_is_seen_by_the_next_question,
    what_has_been_changed_step_by_step_ranks_like_what_was_read_at_once,
);

const HOURS: &str = "# Opening hours\nWe are open from nine to five, and closed on Sundays.";
const RETURNS: &str = "# Returns\nParcels can be sent back within thirty days of their delivery.";

async fn found(world: &World, app: &str, question: &str) -> SearchResponse {
    world.ask(app, question, 5).await.expect("an answer")
}

fn titles(answer: &SearchResponse) -> Vec<&str> {
    answer.passages.iter().map(|passage| passage.title.as_str()).collect()
}

async fn what_was_taken_in_is_found_by_the_next_question(engine: Engine) {
    let world = World::start(engine).await;
    assert_eq!(found(&world, "app", "When are you open?").await.verdict(), Verdict::NotCovered);
    let told = world.tell("app", "https://shop.example/hours", HOURS).await.expect("it is taken in");
    assert_eq!((told.chunks_processed, told.chunks_failed), (1, 0));
    world.tell("app", "", RETURNS).await.expect("it is taken in");
    let answer = found(&world, "app", "Are you open on Sundays?").await;
    assert_eq!(titles(&answer), ["Opening hours"]);
    let passage = &answer.passages[0];
    assert_eq!(
        (passage.source_id.as_str(), passage.url.as_str()),
        (told.source_id.as_str(), "https://shop.example/hours")
    );
    assert_eq!(passage.text, HOURS);
    assert!(passage.score > 0.0 && passage.score <= 1.0, "{}", passage.score);
    assert_eq!(found(&world, "app", "Can parcels be sent back?").await.verdict(), Verdict::Answerable);
    assert_eq!(
        found(&world, "app", "Who won the cup in 1966?").await,
        SearchResponse { verdict: Verdict::NotCovered.into(), passages: Vec::new() }
    );
    world.stop().await;
}

async fn the_same_address_replaces_its_source_and_the_same_id_is_taken_in_once(engine: Engine) {
    let world = World::start(engine).await;
    let url = "https://shop.example/page";
    let first = world.tell("app", url, HOURS).await.expect("it is taken in");
    let again = world.tell("app", url, RETURNS).await.expect("it is taken in");
    assert_eq!(first.source_id, again.source_id);
    assert!(found(&world, "app", "closed on Sundays").await.passages.is_empty());
    assert_eq!(titles(&found(&world, "app", "send back parcels").await), ["Returns"]);
    let id = SourceId::new();
    for _ in 0..2 {
        let told = world.tell_as("app", id, ("", HOURS)).await.expect("it is taken in");
        assert_eq!(told.source_id, id.to_string());
    }
    assert_eq!(world.sources("app", 10, "").await.sources.len(), 2);
    assert_eq!(found(&world, "app", "closed on Sundays").await.passages.len(), 1);
    world.stop().await;
}

async fn what_was_deleted_is_not_found_by_the_next_question(engine: Engine) {
    let world = World::start(engine).await;
    let told = world.tell("app", "", HOURS).await.expect("it is taken in");
    assert_eq!(found(&world, "app", "Sundays").await.passages.len(), 1);
    let other = world.forget("other", &told.source_id).await;
    assert!(matches!(other, Err(RpcError::NotFound(_))), "{other:?}");
    assert_eq!(found(&world, "app", "Sundays").await.passages.len(), 1);
    world.forget("app", &told.source_id).await.expect("it is deleted");
    assert!(found(&world, "app", "Sundays").await.passages.is_empty());
    let again = world.forget("app", &told.source_id).await;
    assert!(matches!(again, Err(RpcError::NotFound(_))), "{again:?}");
    world.stop().await;
}

async fn a_long_text_is_counted_in_chunks_and_all_of_it_is_found(engine: Engine) {
    let world = World::start(engine).await;
    let lines: Vec<String> =
        (0..1_500).map(|n| format!("Part number P-{n} costs {} euros.", n * 3)).collect();
    let text = lines.join("\n");
    let told = world.tell("app", "", &text).await.expect("it is taken in");
    let listed = world.sources("app", 10, "").await;
    assert_eq!(listed.sources[0].chunks, told.chunks_processed);
    assert!((60..90).contains(&told.chunks_processed), "{}", told.chunks_processed);
    for n in [0, 777, 1_499] {
        let answer = found(&world, "app", &format!("What does P-{n} cost?")).await;
        assert!(answer.passages[0].text.contains(&lines[n]), "{n}");
    }
    world.stop().await;
}

async fn an_app_finds_nothing_of_another_one(engine: Engine) {
    let world = World::start(engine).await;
    world.tell("one", "https://a.example/", HOURS).await.expect("it is taken in");
    world.tell("two", "https://a.example/", RETURNS).await.expect("it is taken in");
    assert!(found(&world, "two", "closed on Sundays").await.passages.is_empty());
    assert_eq!(titles(&found(&world, "one", "closed on Sundays, sent back").await), ["Opening hours"]);
    let sources = world.sources("two", 10, "").await.sources;
    assert_eq!(sources.iter().map(|source| source.title.as_str()).collect::<Vec<_>>(), ["Returns"]);
    world.stop().await;
}

async fn sources_are_listed_in_pages_newest_first(engine: Engine) {
    let world = World::start(engine).await;
    for name in ["one", "two", "three"] {
        world.tell("app", &format!("https://a.example/{name}"), name).await.expect("it is taken in");
    }
    let first = world.sources("app", 2, "").await;
    let names =
        |page: &[contracts::knowledge::Source]| page.iter().map(|s| s.title.clone()).collect::<Vec<_>>();
    assert_eq!(names(&first.sources), ["three", "two"]);
    let second = world.sources("app", 2, &first.next_after_id).await;
    assert_eq!((names(&second.sources), second.next_after_id.as_str()), (vec!["one".to_owned()], ""));
    world.stop().await;
}

/// Another replica writes the same tables; it is played by a process that is stopped before this one asks again.
async fn a_change_in_another_replica_is_seen_by_the_next_question(engine: Engine) {
    let world = World::start(engine).await;
    let told = world.tell("app", "", HOURS).await.expect("it is taken in");
    assert_eq!(found(&world, "app", "Sundays").await.passages.len(), 1);
    let tables = world.tables();
    let statement = format!(
        "DELETE FROM chunks WHERE source_id = '{0}'; DELETE FROM sources WHERE id = '{0}'; \
         UPDATE apps SET generation = generation + 1",
        told.source_id
    );
    let write = tables.write(move |tx| {
        for one in statement.split("; ") {
            diesel::RunQueryDsl::execute(diesel::sql_query(one), tx.conn)?;
        }
        Ok::<_, common::db::DbError>(())
    });
    write.await.expect("the other replica writes");
    let answer = found(&world, "app", "Sundays").await;
    assert_eq!((answer.verdict(), answer.passages.len()), (Verdict::NotCovered, 0));
    world.stop().await;
}

/// The scores too: what was replaced or deleted must not count any more in how telling a word is.
async fn what_has_been_changed_step_by_step_ranks_like_what_was_read_at_once(engine: Engine) {
    let world = World::start(engine).await;
    let text = |n: u32| format!("# Page {n}\nParcel {n} takes {} days to island {} by boat.", n % 7, n % 5);
    let url = |n: u32| format!("https://a.example/{n}");
    let question = "How many days does a parcel take to island 3?";
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(world.tell("app", &url(n), &text(n)).await.expect("it is taken in").source_id);
        found(&world, "app", question).await;
    }
    for n in 0..10 {
        world.tell("app", &url(n), &text(n + 100)).await.expect("it is replaced");
        world.forget("app", &ids[20 + n as usize]).await.expect("it is deleted");
        found(&world, "app", question).await;
    }
    let stepwise = world.ask("app", question, 50).await.expect("an answer");
    assert_eq!(stepwise.passages.len(), 30);
    let world = world.restart().await;
    assert_eq!(world.ask("app", question, 50).await.expect("an answer"), stepwise);
    world.stop().await;
}
