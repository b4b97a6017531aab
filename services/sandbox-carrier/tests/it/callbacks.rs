//! The HTTP client's manners: retries, tokens, fallbacks, faults.

use crate::harness::{Sandbox, bye};
use crate::receiver::Receiver;

const SOMEBODY: &str = "+14155552671";

#[tokio::test]
async fn a_server_error_is_tried_again_with_the_same_token_if_the_fragment_asks_for_it() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::start(|got, before| match (got.path.as_str(), before) {
        ("/voice", 0 | 1) => (503, String::new()),
        ("/voice", _) => (200, bye("Third time lucky.")),
        _ => (200, String::new()),
    });
    let url = format!("{}/voice?attempt=a1#rc=2&rp=5xx,ct,rt&rt=4000", receiver.url);
    sandbox.call(SOMEBODY, &receiver.url, &[("Url", &url)]).await;
    let all = receiver.until_the_end().await;
    let tries: Vec<_> = all.iter().filter(|got| got.path == "/voice").collect();
    assert_eq!(tries.len(), 3);
    assert!(tries.iter().all(|got| got.token == tries[0].token && !got.token.is_empty()));
    assert!(tries.iter().all(|got| got.query == "attempt=a1"), "the fragment is not sent");
    assert_eq!(sandbox.fault_codes().await, [0_u64; 0]);
}

#[tokio::test]
async fn a_server_error_is_final_by_default_and_the_fallback_is_asked() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::start(|got, _| match got.path.as_str() {
        "/voice" => (500, String::new()),
        "/fallback" => (200, bye("We will call again.")),
        _ => (200, String::new()),
    });
    let fallback = format!("{}/fallback", receiver.url);
    sandbox.call(SOMEBODY, &receiver.url, &[("FallbackUrl", &fallback)]).await;
    let all = receiver.until_the_end().await;
    assert_eq!(all.iter().filter(|got| got.path == "/voice").count(), 1);
    let asked = all.iter().find(|got| got.path == "/fallback").unwrap();
    assert_eq!(asked.get("ErrorCode"), "11200");
    assert_eq!(asked.get("ErrorUrl"), format!("{}/voice", receiver.url));
    assert_eq!(sandbox.fault_codes().await, [11200]);
}

#[tokio::test]
async fn without_a_document_the_person_hears_an_apology() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", "<Response><Say>Half a docu")]);
    let sid = sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;
    assert_eq!(all.last().unwrap().get("CallStatus"), "completed");
    assert!(sandbox.transcript(&sid).await.last().unwrap().contains("application error"));
    assert_eq!(sandbox.fault_codes().await, [12100]);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_fault_and_an_apology() {
    let mut sandbox = Sandbox::start();
    let gone = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let sid = sandbox.call(SOMEBODY, &format!("http://{gone}"), &[]).await;
    assert_eq!(sandbox.until_over().await.0, "completed");
    assert!(sandbox.transcript(&sid).await.last().unwrap().contains("application error"));
    assert!(sandbox.fault_codes().await.contains(&11205));
}

#[tokio::test]
async fn a_callback_that_is_refused_is_a_warning_and_not_sent_again() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::start(|got, _| match got.path.as_str() {
        "/voice" => (200, bye("Hello.")),
        _ => (404, String::new()),
    });
    sandbox.call(SOMEBODY, &receiver.url, &[("StatusCallbackEvent", "completed")]).await;
    let all = receiver.until_the_end().await;
    assert_eq!(all.iter().filter(|got| got.path == "/status").count(), 4);
    assert_eq!(sandbox.fault_codes().await[..3], [15003, 15003, 15003]);
}

#[tokio::test]
async fn a_get_carries_its_parameters_in_the_signed_query() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    let url = format!("{}/voice?attempt=a1", receiver.url);
    let sid = sandbox.call(SOMEBODY, &receiver.url, &[("Url", &url), ("Method", "GET")]).await;
    let voice = receiver.next_at("/voice").await;
    assert_eq!(
        (voice.method.as_str(), voice.get("CallSid"), voice.get("attempt")),
        ("GET", sid.as_str(), "a1")
    );
}

#[tokio::test]
async fn documents_that_lead_nowhere_but_to_each_other_are_stopped() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", "<Response><Redirect/></Response>")]);
    sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    let all = receiver.until_the_end().await;
    assert_eq!(all.iter().filter(|got| got.path == "/voice").count(), 100);
    assert_eq!(sandbox.fault_codes().await, [0]);
}
