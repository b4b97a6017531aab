//! Mail through the rpc, to a server that speaks SMTP.

use std::time::Duration;

use common::db::{DbError, sql};
use contracts::ids::BusinessId;
use contracts::rpc::RpcError;
use contracts::webhooks::{MailsClient, QueueMailRequest, QueueMailResponse};
use diesel::RunQueryDsl as _;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;
use uuid::Uuid;

use crate::smtp::MailServer;
use crate::world::{World, context};

on_both_engines![
    a_mail_arrives_as_it_was_written,
    a_mail_that_is_asked_for_twice_is_sent_once,
    a_server_that_is_busy_is_asked_again_with_the_same_message_id,
    what_a_server_refuses_is_not_tried_again,
    what_could_not_be_sent_in_time_is_dropped,
    without_a_mail_server_nothing_is_kept,
    a_mail_that_cannot_be_sent_is_refused_with_what_would_be_right,
];

async fn world(engine: Engine, server: &MailServer) -> World {
    World::with(engine, &[("ECHO_SMTP_URL", &server.url), ("ECHO_MAIL_FROM", "Echo <echo@example.com>")])
        .await
}

fn mail(world: &World) -> QueueMailRequest {
    let tomorrow = world.clock.now() + chrono::TimeDelta::days(1);
    QueueMailRequest {
        mail_id: Uuid::now_v7().to_string(),
        business_id: BusinessId::new().to_string(),
        to: "ada@example.org".to_owned(),
        subject: "You are invited".to_owned(),
        text: "Hello Ada,\nhere it is: https://example.com/i/secret-link\n.\n".to_owned(),
        send_before_ms: tomorrow.timestamp_millis(),
    }
}

async fn queue(world: &World, request: &QueueMailRequest) -> Result<QueueMailResponse, RpcError> {
    MailsClient::new(world.caller()).queue_mail(context(), request.clone()).await
}

#[derive(Clone, Debug, diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = sql::Text)]
    content: String,
    #[diesel(sql_type = sql::Text)]
    status: String,
    #[diesel(sql_type = sql::Integer)]
    failed_attempts: i32,
    #[diesel(sql_type = sql::Nullable<sql::Text>)]
    problem: Option<String>,
}

async fn rows(world: &World) -> Vec<Row> {
    let text = "SELECT * FROM mails ORDER BY id";
    let tables = world.tables();
    let read = tables.read(move |db| diesel::sql_query(text).load(db).map_err(DbError::from));
    read.await.unwrap()
}

/// Waits until the only mail has this status after so many failed tries.
async fn until(world: &World, status: &str, failed: i32) -> Row {
    let look = || async {
        let rows = rows(world).await;
        let [row] = rows.as_slice() else { return Err(rows) };
        if row.status == status && row.failed_attempts == failed { Ok(row.clone()) } else { Err(rows) }
    };
    eventually(&format!("a mail {status} after {failed} failures"), Duration::from_secs(20), look).await
}

async fn a_mail_arrives_as_it_was_written(engine: Engine) {
    let server = MailServer::start().await;
    let world = world(engine, &server).await;
    let request = QueueMailRequest { subject: "Grüße ✉".to_owned(), ..mail(&world) };
    assert!(queue(&world, &request).await.unwrap().will_be_sent);
    let row = until(&world, "sent", 0).await;
    assert_eq!((row.content.as_str(), row.problem), ("", None), "nothing is left of it");
    let letter = server.letters().remove(0);
    assert!(letter.from.starts_with("FROM:<echo@example.com>"), "{}", letter.from);
    assert_eq!(letter.to, ["TO:<ada@example.org>"]);
    assert_eq!(letter.header("From"), "Echo <echo@example.com>");
    assert_eq!(letter.header("To"), "ada@example.org");
    assert_eq!(letter.header("Message-ID"), format!("<{}@example.com>", request.mail_id));
    assert!(letter.header("Subject").starts_with("=?utf-8?"), "{}", letter.text);
    assert!(letter.header("Content-Type").starts_with("text/plain; charset=utf-8"));
    let body = letter.text.split_once("\r\n\r\n").unwrap().1.replace("\r\n", "\n");
    assert_eq!(body.trim_end(), request.text.trim_end());
}

async fn a_mail_that_is_asked_for_twice_is_sent_once(engine: Engine) {
    let server = MailServer::start().await;
    let world = world(engine, &server).await;
    let first = mail(&world);
    queue(&world, &first).await.unwrap();
    until(&world, "sent", 0).await;
    assert!(queue(&world, &first).await.unwrap().will_be_sent);
    let stolen = QueueMailRequest { business_id: BusinessId::new().to_string(), ..first };
    let refused = queue(&world, &stolen).await.unwrap_err();
    assert!(matches!(&refused, RpcError::Conflict { code, .. } if code == "mail_exists"), "{refused}");
    queue(&world, &mail(&world)).await.unwrap();
    server.wait_for(2).await;
    assert_eq!(rows(&world).await.len(), 2);
}

async fn a_server_that_is_busy_is_asked_again_with_the_same_message_id(engine: Engine) {
    let server = MailServer::start().await;
    let world = world(engine, &server).await;
    let request = mail(&world);
    for minutes in [1, 5, 30] {
        server.answer_once("450 4.2.1 later");
        if minutes == 1 {
            queue(&world, &request).await.unwrap();
        }
        let failed = if minutes == 1 {
            1
        } else if minutes == 5 {
            2
        } else {
            3
        };
        let row = until(&world, "waiting", failed).await;
        assert!(row.problem.unwrap().contains("later"));
        let sealed = row.content;
        assert!(!sealed.is_empty() && !sealed.contains("secret-link") && !sealed.contains("ada@"));
        world.clock.advance(Duration::from_secs(minutes * 60 + 1));
    }
    until(&world, "sent", 3).await;
    let letters = server.letters();
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0].header("Message-ID"), format!("<{}@example.com>", request.mail_id));
}

async fn what_a_server_refuses_is_not_tried_again(engine: Engine) {
    let server = MailServer::start().await;
    let world = world(engine, &server).await;
    server.answer_once("550 5.1.1 no such user");
    queue(&world, &mail(&world)).await.unwrap();
    let row = until(&world, "refused", 1).await;
    assert!(row.problem.unwrap().contains("no such user"));
    assert_eq!(row.content, "");
    let refused = world.metric("echo_webhook_dispatcher_mails_total{result=\"refused\"}").await;
    assert!((refused - 1.0).abs() < f64::EPSILON, "{refused}");
}

async fn what_could_not_be_sent_in_time_is_dropped(engine: Engine) {
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let url = format!("smtp://{nobody}");
    let world = World::with(engine, &[("ECHO_SMTP_URL", &url), ("ECHO_MAIL_FROM", "echo@example.com")]).await;
    queue(&world, &mail(&world)).await.unwrap();
    until(&world, "waiting", 1).await;
    world.clock.advance(Duration::from_secs(24 * 3600));
    assert_eq!(until(&world, "expired", 1).await.content, "");
}

async fn without_a_mail_server_nothing_is_kept(engine: Engine) {
    let world = World::new(engine).await;
    assert!(!queue(&world, &mail(&world)).await.unwrap().will_be_sent);
    assert!(rows(&world).await.is_empty());
}

async fn a_mail_that_cannot_be_sent_is_refused_with_what_would_be_right(engine: Engine) {
    let server = MailServer::start().await;
    let world = world(engine, &server).await;
    let right = mail(&world);
    for (request, field) in [
        (QueueMailRequest { to: "ada@x.org\r\nBcc: eve@x.org".to_owned(), ..right.clone() }, "to"),
        (QueueMailRequest { to: "a@x.org,b@x.org".to_owned(), ..right.clone() }, "to"),
        (QueueMailRequest { subject: "Hi\r\nBcc: eve@x.org".to_owned(), ..right.clone() }, "subject"),
        (QueueMailRequest { text: String::new(), ..right.clone() }, "text"),
        (QueueMailRequest { send_before_ms: 1, ..right.clone() }, "send_before_ms"),
        (QueueMailRequest { mail_id: "x".to_owned(), ..right.clone() }, "mail_id"),
    ] {
        let refused = queue(&world, &request).await.unwrap_err();
        assert!(matches!(&refused, RpcError::Invalid { field: named, .. } if named == field), "{refused}");
    }
    assert!(rows(&world).await.is_empty() && server.letters().is_empty());
}
