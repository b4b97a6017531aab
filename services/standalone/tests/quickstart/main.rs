//! The quickstart as its reader lives it: the documented commands are typed at a real shell with a real `curl`, and the documented
//! JavaScript runs in a real Express application that receives the webhook. On both shipped pairs in one process, and with each service
//! as a process of its own (`make test` builds the programs first).

#![cfg(test)]

mod echo;
mod modules;
mod programs;
mod rotation;
mod server;
mod verifiers;

use echo::{Echo, Shape};
use server::{Answered, Server};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite_the_documented_commands_end_in_a_webhook_that_the_documented_javascript_believes() {
    commands_and_webhook(Shape::Embedded).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres_and_rabbitmq_the_documented_commands_end_in_a_webhook_that_the_documented_javascript_believes()
 {
    commands_and_webhook(Shape::OnServers).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_process_for_each_service_the_documented_commands_end_in_a_webhook_that_the_documented_javascript_believes()
 {
    commands_and_webhook(Shape::Programs).await;
}

async fn commands_and_webhook(shape: Shape) {
    let echo = Echo::start(shape).await;
    let mut server = Server::start().await;
    let made = echo.type_the_commands(&server.url()).await;
    server.trust(&made["signing_secret"]).await;

    let webhook = server.answered().await;
    assert_eq!(webhook.status, 200, "{webhook:?}");
    let event: serde_json::Value = serde_json::from_str(&webhook.body).expect("JSON");
    assert_eq!(event["event_name"], "call.summary");
    assert_eq!(event["notification_id"].as_str(), Some(made["notification_id"].as_str()));
    assert_eq!(server.printed().await, "{ confirmed: true, reschedule_request: null }");

    only_the_true_words_are_believed(&mut server, &webhook).await;
    assert_eq!(server.stop().await, "", "printed for a webhook that was refused");
    echo.stop().await;
}

/// The webhook again, once with another result in it and once as it came.
async fn only_the_true_words_are_believed(server: &mut Server, webhook: &Answered) {
    let tampered = webhook.body.replace(r#""confirmed":true"#, r#""confirmed":false"#);
    assert_ne!(tampered, webhook.body, "the webhook does not say what was to be changed");
    assert_eq!(server.post(&tampered, &webhook.signature).await, (401, "Invalid signature".to_owned()));
    assert_eq!(server.answered().await.status, 401);
    assert_eq!(server.post(&webhook.body, &webhook.signature).await, (200, "OK".to_owned()));
    assert_eq!(server.printed().await, "{ confirmed: true, reschedule_request: null }");
}
