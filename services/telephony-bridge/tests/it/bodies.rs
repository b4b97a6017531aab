//! Whoever sends a body slowly, or too much of it, is answered and put off the line.

use std::time::Duration;

use contracts::calls::turn_input::Input;
use testkit::database::Engine;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::line::Line;
use crate::orchestrator::Asked;
use crate::world::{PATIENCE, World};

const PATHS: [&str; 6] =
    ["voice", "voice-response", "voice-next", "voice-status", "voice-amd", "voice-recording"];

/// A connection on which the headers of a request have been sent, and the beginning of its body.
async fn begun(world: &World, path: &str, announced: &str) -> TcpStream {
    let host = world.base.strip_prefix("http://").unwrap();
    let mut line = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         {announced}\r\n\r\n"
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line
}

/// Everything that is answered until the other side closes the connection.
async fn until_closed(line: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, line.read_to_end(&mut answer)).await;
    // A peer that closes with our bytes unread resets the connection; its answer has come before.
    if let Err(error) = read.expect("the connection is closed") {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_stops_in_the_middle_is_not_waited_for() {
    let world = World::new(Engine::Sqlite).await;
    let line = Line::running(&world).await;
    let mut stalled = JoinSet::new();
    for path in PATHS {
        let mut begun = begun(&world, &line.path(path), "Content-Length: 100").await;
        begun.write_all(b"CallSid=CA").await.unwrap();
        stalled.spawn(async move { (path, until_closed(&mut begun).await) });
    }
    // They keep nobody else from being answered.
    assert!(line.pick_up().await.spoken().starts_with("Sentence 0 of turn 0"));
    for (path, answer) in stalled.join_all().await {
        assert!(answer.starts_with("HTTP/1.1 503 "), "{path}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_drips_is_not_waited_for() {
    let world = World::new(Engine::Sqlite).await;
    let line = Line::running(&world).await;
    let begun = begun(&world, &line.path("voice"), "Transfer-Encoding: chunked").await;
    let (mut answers, mut body) = begun.into_split();
    let dripping = tokio::spawn(async move {
        let mut drop = tokio::time::interval(Duration::from_millis(20));
        while body.write_all(b"1\r\na\r\n").await.is_ok() {
            drop.tick().await;
        }
    });
    let answer = until_closed(&mut answers).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    timeout(PATIENCE, dripping).await.expect("nobody takes more of it").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_speaks_without_an_end_is_answered_and_heard_as_far_as_it_goes() {
    let world = World::new(Engine::Sqlite).await;
    let line = Line::running(&world).await;
    line.pick_up().await;
    let speech = "ab ü ".repeat(100_000 / 6);
    let answer =
        line.post(&format!("{}&turn=1", line.path("voice-response")), &[("SpeechResult", &speech)]).await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 1"), "{}", answer.body);
    let Some(Asked::Start(1, Input::Speech(heard))) = world.orchestrator.asked().pop() else {
        panic!("speech")
    };
    assert_eq!(heard.text, speech.chars().take(4_000).collect::<String>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_refused() {
    let world = World::new(Engine::Sqlite).await;
    let line = Line::running(&world).await;
    let mut announced = begun(&world, &line.path("voice"), "Content-Length: 262145").await;
    let answer = until_closed(&mut announced).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");

    let begun = begun(&world, &line.path("voice-status"), "Transfer-Encoding: chunked").await;
    let (mut answers, mut body) = begun.into_split();
    let pouring = tokio::spawn(async move {
        let chunk = format!("1000\r\n{}\r\n", "a".repeat(0x1000));
        while body.write_all(chunk.as_bytes()).await.is_ok() {}
    });
    let answer = until_closed(&mut answers).await;
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 413 "), "{answer}");
    timeout(PATIENCE, pouring).await.expect("nobody takes more of it").unwrap();
}
