//! Apps that are gone: nothing of them is found or kept, in any replica, and nothing comes back.

use std::time::Duration;

use contracts::accounts::AppDeleted;
use contracts::rpc::RpcError;
use futures_util::StreamExt as _;
use testkit::database::Engine;
use testkit::model_server::{ModelServer, Script};
use testkit::on_both_engines;
use testkit::wait::eventually;
use uuid::Uuid;

use crate::tickets::{unanswered, wish};
use crate::world::World;

on_both_engines!(
    an_app_that_is_deleted_is_known_to_no_replica,
    nothing_comes_to_an_app_that_is_deleted,
    an_answer_that_is_being_spoken_is_not_kept,
    what_a_crash_has_left_goes_when_it_is_told_again,
    many_documents_go_in_steps,
);

const HOURS: &str = "# Opening hours\nWe are open from nine to five. On Sundays we are closed.";
const QUESTION: &str = "Are you closed on Sundays?";
const TABLES: [&str; 9] = [
    "sources",
    "chunks",
    "embeddings",
    "answers",
    "answer_passages",
    "conversations",
    "tickets",
    "ticket_lines",
    "ticket_passages",
];

impl World {
    async fn rows(&self, app: &str) -> Vec<i64> {
        let mut rows = Vec::new();
        for table in TABLES {
            rows.push(
                self.count(&format!("SELECT COUNT(*) AS count FROM {table} WHERE app_id = '{app}'")).await,
            );
        }
        rows
    }

    /// Has it told that an app is deleted, and waits until nothing is left of it.
    pub(crate) async fn delete_app(&self, app: &str) {
        self.neighbour().tell(&[AppDeleted { app_id: app.to_owned() }]).await;
        eventually("it is gone", Duration::from_secs(30), || async {
            let rows = self.rows(app).await;
            if rows.iter().sum::<i64>() == 0 { Ok(()) } else { Err(rows) }
        })
        .await;
    }

    async fn found(&self, app: &str) -> usize {
        self.ask(app, QUESTION, 5).await.expect("an answer").passages.len()
    }

    /// Something of every kind.
    async fn fill(&self, app: &str) {
        self.tell(app, "https://shop.example/hours", HOURS).await.expect("it is taken in");
        let asked = self.answer(app, QUESTION, "").await;
        let conversation_id = asked.begun.expect("it began").conversation_id;
        let wish = contracts::knowledge::OpenTicketRequest { conversation_id, ..wish(app, QUESTION) };
        self.open_ticket(&wish).await.expect("it is opened");
        let source = format!("(SELECT id FROM sources WHERE app_id = '{app}')");
        let meaning = "INSERT INTO embeddings (source_id, app_id, model, vectors)";
        self.change(format!("{meaning} SELECT {source}, '{app}', 'one', '' WHERE 1 = 1")).await;
    }
}

fn no_app<T>() -> Result<T, RpcError> {
    Err(RpcError::NotFound("app".to_owned()))
}

async fn an_app_that_is_deleted_is_known_to_no_replica(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    world.fill("app").await;
    world.fill("other").await;
    let replica = world.beside().await;
    assert_eq!((world.found("app").await, replica.found("app").await), (1, 1));
    let others = world.rows("other").await;
    assert!(others.iter().all(|rows| *rows > 0), "{others:?}");
    let generation = "SELECT generation AS count FROM apps WHERE id = 'app'";
    let before = world.count(generation).await;
    world.delete_app("app").await;
    assert_eq!((world.found("app").await, replica.found("app").await), (0, 0));
    assert!(world.count(generation).await > before);
    assert_eq!(world.rows("other").await, others);
    assert_eq!((world.found("other").await, replica.found("other").await), (1, 1));
    replica.stop().await;
    world.stop().await;
}

async fn nothing_comes_to_an_app_that_is_deleted(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    // The last one has never known anything: what comes for it comes late, too.
    for app in ["app", "unknown"] {
        if app == "app" {
            world.fill(app).await;
        }
        world.neighbour().tell(&[AppDeleted { app_id: app.to_owned() }]).await;
        let marked =
            format!("SELECT COUNT(*) AS count FROM apps WHERE id = '{app}' AND deleted_at IS NOT NULL");
        eventually("it is marked", Duration::from_secs(20), || async {
            match world.count(&marked).await {
                1 => Ok(()),
                other => Err(other),
            }
        })
        .await;
        assert_eq!(world.tell(app, "", HOURS).await.map(drop), no_app());
        assert_eq!(world.open(app, QUESTION, "").await.map(drop), no_app());
        assert_eq!(world.open_ticket(&wish(app, QUESTION)).await.map(drop), no_app());
        world.neighbour().tell(&[unanswered(app, Uuid::now_v7(), 1)]).await;
        world.until_nothing_waits().await;
        assert_eq!(world.rows(app).await.iter().sum::<i64>(), 0);
    }
    // What was told it was heard: this one comes behind them.
    world.neighbour().tell(&[unanswered("other", Uuid::now_v7(), 1)]).await;
    let opened = world.neighbour().told(2).await;
    assert_eq!(opened.iter().map(|o| o.app_id.as_str()).collect::<Vec<_>>(), ["app", "other"]);
    assert_eq!(world.found("app").await, 0);
    world.stop().await;
}

async fn an_answer_that_is_being_spoken_is_not_kept(engine: Engine) {
    let model = ModelServer::start().await.expect("a model");
    let world = World::telling(engine, vec![("OPENAI_BASE_URL", model.url().to_owned())]).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    // After some seconds without a word it is given up on.
    model.push(Script::Stall(vec!["On Sundays ".to_owned()]));
    let (_, mut parts) = world.open("app", QUESTION, "").await.expect("a stream");
    parts.next().await.expect("a beginning").expect("a part");
    world.delete_app("app").await;
    // Its end comes when it has been kept, or has not.
    while let Some(Ok(_)) = parts.next().await {}
    assert_eq!(world.rows("app").await.iter().sum::<i64>(), 0);
    world.stop().await;
}

/// The app was marked, and then the process died.
async fn what_a_crash_has_left_goes_when_it_is_told_again(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    world.fill("app").await;
    assert_eq!(world.found("app").await, 1);
    world.change("UPDATE apps SET deleted_at = '2026-01-01T00:00:00.000000Z'".to_owned()).await;
    assert_eq!(world.found("app").await, 0, "what is still there is not found");
    world.change("DELETE FROM ticket_passages".to_owned()).await;
    world.delete_app("app").await;
    world.delete_app("app").await;
    world.stop().await;
}

async fn many_documents_go_in_steps(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    let long = "A sentence of some words about parcels and islands. ".repeat(1_900);
    for n in 0..60 {
        let text = if n % 3 == 0 { &long } else { HOURS };
        world.tell("app", "", text).await.expect("it is taken in");
    }
    assert!(world.count("SELECT COUNT(*) AS count FROM chunks").await > 2_000);
    world.delete_app("app").await;
    world.stop().await;
}
