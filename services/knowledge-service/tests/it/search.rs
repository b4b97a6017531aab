//! What an app without documents is told, and what is no question at all.

use contracts::knowledge::{SearchResponse, Verdict};
use contracts::rpc::RpcError;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::World;

on_both_engines!(
    an_app_without_sources_covers_no_question,
    a_request_that_is_no_question_is_refused_by_its_field,
);

fn not_covered() -> Result<SearchResponse, RpcError> {
    Ok(SearchResponse { verdict: Verdict::NotCovered.into(), passages: Vec::new() })
}

async fn an_app_without_sources_covers_no_question(engine: Engine) {
    let world = World::start(engine).await;
    assert_eq!(world.ask("app", "When are you open?", 5).await, not_covered());
    assert_eq!(world.ask("app", &"é".repeat(500), 50).await, not_covered());
    assert_eq!(world.ask("app", "'; DROP TABLE sources; --", 1).await, not_covered());
    assert_eq!(world.ask("app", "Still there?", 1).await, not_covered());
    world.stop().await;
}

async fn a_request_that_is_no_question_is_refused_by_its_field(engine: Engine) {
    let world = World::start(engine).await;
    let long = "é".repeat(501);
    let wrong = [
        ("app_id", "", "When?", 5),
        ("question", "app", "  ", 5),
        ("question", "app", &long, 5),
        ("limit", "app", "When?", 0),
        ("limit", "app", "When?", 51),
    ];
    for (expected, app_id, question, limit) in wrong {
        let answer = world.ask(app_id, question, limit).await;
        let Err(RpcError::Invalid { field, problem }) = answer else { panic!("{expected}: {answer:?}") };
        assert_eq!(field, expected);
        assert!(!problem.is_empty());
    }
    world.stop().await;
}
