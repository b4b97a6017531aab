//! Receivers that are slow, loud, moved, gone or not to be reached.

use testkit::database::Engine;
use testkit::on_both_engines;

use contracts::rpc::RpcError;

use crate::receiver::{Receiver, Reply};
use crate::world::World;

on_both_engines![
    an_answer_that_drips_is_cut_off_by_the_deadline,
    of_an_endless_answer_only_the_beginning_is_read,
    a_redirect_is_a_failure_and_is_not_followed,
    an_address_on_this_machine_is_refused_when_it_is_dialled,
    nobody_listening_is_a_failure_that_says_so,
    gone_disables_the_endpoint_and_ends_what_waits,
];

async fn an_answer_that_drips_is_cut_off_by_the_deadline(engine: Engine) {
    let world = World::with(engine, &[("ECHO_WEBHOOK_DEADLINE_MS", "200")]).await;
    let receiver = Receiver::start();
    receiver.answer(Reply::Drip);
    world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    world.until_one_is("retrying", 1).await;
    let attempt = world.attempts().await.remove(0);
    assert_eq!((attempt.success, attempt.http_status), (false, Some(200)));
    assert_eq!(attempt.error_message.unwrap(), "the answer was not complete within 200 ms");
    assert!((200..2000).contains(&attempt.duration_ms.unwrap()), "{:?}", attempt.duration_ms);
}

async fn of_an_endless_answer_only_the_beginning_is_read(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer(Reply::Flood);
    world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    world.until_one_is("success", 1).await;
    let attempt = world.attempts().await.remove(0);
    assert_eq!(attempt.response_body.unwrap(), "x".repeat(4096));
}

async fn a_redirect_is_a_failure_and_is_not_followed(engine: Engine) {
    let world = World::new(engine).await;
    let (old, new) = (Receiver::start(), Receiver::start());
    old.answer(Reply::Header(307, "location", new.url.clone()));
    world.endpoint(&old.url).await;
    world.end_a_call().await;
    world.until_one_is("retrying", 1).await;
    let attempt = world.attempts().await.remove(0);
    assert_eq!(attempt.http_status, Some(307));
    assert!(attempt.error_message.unwrap().contains("redirects are not followed"));
    assert!(new.received().is_empty());
}

async fn an_address_on_this_machine_is_refused_when_it_is_dialled(engine: Engine) {
    let mut world = World::new(engine).await;
    let receiver = Receiver::start();
    world.endpoint(&receiver.url).await;
    // Beside a real carrier this machine is closed: to endpoints that were made earlier, too.
    world.stop().await;
    world.start(&[("ECHO_CARRIER", "twilio")]).await;
    let refused = world.create(&receiver.url, &["call.ended"]).await.unwrap_err();
    assert!(matches!(&refused, RpcError::Invalid { field, .. } if field == "url"), "{refused}");
    world.end_a_call().await;
    world.until_one_is("retrying", 1).await;
    let attempt = world.attempts().await.remove(0);
    assert_eq!(attempt.http_status, None);
    let problem = attempt.error_message.unwrap();
    assert!(problem.starts_with("not sent: the address 127.0.0.1 is in a private, loopback"), "{problem}");
    assert!(receiver.received().is_empty());
}

async fn nobody_listening_is_a_failure_that_says_so(engine: Engine) {
    let world = World::new(engine).await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.endpoint(&format!("http://{port}/hook")).await;
    world.end_a_call().await;
    world.until_one_is("retrying", 1).await;
    let problem = world.attempts().await.remove(0).error_message.unwrap();
    assert!(problem.contains("onnection refused"), "{problem}");
    assert!(!problem.contains("/hook"), "{problem}");
}

async fn gone_disables_the_endpoint_and_ends_what_waits(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Status(500));
    receiver.answer_once(Reply::Status(410));
    let endpoint = world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    world.until_one_is("retrying", 1).await;
    world.end_a_call().await;
    let rows =
        world.until("both failed", |rows| rows.len() == 2 && rows.iter().all(|d| d.status == "failed"));
    assert!(rows.await.iter().all(|d| d.attempt_count == 1 && d.next_retry_at.is_none()));
    assert_eq!(world.endpoint_now(&endpoint.id).await.status, "disabled");

    // What happens from now on makes no delivery to it.
    let other = Receiver::start();
    world.endpoint(&other.url).await;
    world.end_a_call().await;
    other.wait_for(1).await;
    assert_eq!(world.deliveries().await.len(), 3);
    assert_eq!(receiver.received().len(), 2);
}
