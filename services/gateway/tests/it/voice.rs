//! The bridge's voice paths: its own on the same listener, or forwarded to it.

use actix_web::{HttpRequest, HttpResponse, web};
use common::config::{ConfigError, Settings};
use common::platform::Platform;
use common::runtime::Process;
use common::service::{Mount, Service, ServiceDef};
use contracts::ServiceName;

use crate::fakes::{DISPATCHER, ORCHESTRATOR};
use crate::support::{Answer, Engine, GATEWAY, Gateway, Method, process};

const PATHS: [&str; 5] =
    ["/v1/voice", "/v1/voice-response", "/v1/voice-next", "/v1/voice-status", "/v1/voice-amd"];

const BRIDGE: ServiceDef = ServiceDef {
    name: ServiceName::TelephonyBridge,
    tables: None,
    listens: &[("ECHO_HTTP_ADDR", "127.0.0.1:0")],
    build: bridge,
};

const BEFORE: Process = process(&[BRIDGE, echo_gateway::SERVICE, ORCHESTRATOR, DISPATCHER]);
const AFTER: Process = process(&[echo_gateway::SERVICE, BRIDGE, ORCHESTRATOR, DISPATCHER]);
const BRIDGE_ONLY: Process = process(&[BRIDGE]);

fn bridge(_: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let mount = Mount::public(|config| {
        for path in PATHS {
            config.route(path, web::post().to(echo));
        }
    });
    Ok(Service { mounts: vec![mount], ..Service::default() })
}

/// Answers with what it was asked.
async fn echo(request: HttpRequest, body: String) -> HttpResponse {
    let header = |name: &str| request.headers().get(name).map_or("-", |v| v.to_str().unwrap()).to_owned();
    HttpResponse::Ok().content_type("text/xml").body(format!(
        "{} {} {} {} {} {body}",
        request.method(),
        request.uri(),
        header("content-type"),
        header("x-twilio-signature"),
        header("i-twilio-idempotency-token"),
    ))
}

async fn twilio(gateway: &Gateway, path: &str) -> Answer {
    let request = gateway
        .request(Method::POST, &format!("{path}?attempt=a%20b&turn=1"))
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("X-Twilio-Signature", "c2lnbmVk")
        .header("I-Twilio-Idempotency-Token", "token-1");
    Answer::of(request.body("CallSid=CA1&SpeechResult=Yes%21").send().await.unwrap()).await
}

fn expected(path: &str) -> String {
    format!(
        "POST {path}?attempt=a%20b&turn=1 application/x-www-form-urlencoded c2lnbmVk token-1 CallSid=CA1&SpeechResult=Yes%21"
    )
}

#[tokio::test]
async fn a_bridge_on_the_same_listener_keeps_its_paths() {
    for process in [BEFORE, AFTER] {
        let gateway = Gateway::start_with(Engine::Sqlite, process, &[]).await;
        for path in PATHS {
            assert_eq!(twilio(&gateway, path).await.expect(200), expected(path));
        }
        let account = gateway.sign_up("jane@acme.example").await;
        gateway.get("/v1/agents", &account.key).await.expect(200);
        gateway.get("/v1/nonsense", &account.key).await.assert_error(404, "route_not_found");
        gateway.get("/v1/agents/x/y", &account.key).await.assert_error(404, "route_not_found");
    }
}

#[tokio::test]
async fn voice_paths_are_forwarded_unchanged_past_a_bridge_that_is_not_there() {
    let bridge = Gateway::start_with(Engine::Sqlite, BRIDGE_ONLY, &[]).await;
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let urls = format!("http://{dead},{}", bridge.url);
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_BRIDGE_URLS", &urls)]).await;
    for path in PATHS.iter().cycle().take(10) {
        let answer = twilio(&gateway, path).await;
        assert_eq!(answer.header("content-type"), Some("text/xml"));
        assert_eq!(answer.expect(200), expected(path));
    }
    gateway.get("/v1/voices", "").await.assert_error(404, "route_not_found");
}

/// A bridge that has taken its port and does not listen yet, and one that is never heard of again.
#[tokio::test]
async fn a_bridge_that_is_still_starting_is_passed_over_and_one_that_is_silent_is_given_up() {
    let bridge = Gateway::start_with(Engine::Sqlite, BRIDGE_ONLY, &[]).await;
    let starting = tokio::net::TcpSocket::new_v4().unwrap();
    starting.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let urls = format!("http://{},{}", starting.local_addr().unwrap(), bridge.url);
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_BRIDGE_URLS", &urls)]).await;
    for path in PATHS {
        assert_eq!(twilio(&gateway, path).await.expect(200), expected(path));
    }
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let urls = format!("http://{}", silent.local_addr().unwrap());
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_BRIDGE_URLS", &urls)]).await;
    twilio(&gateway, "/v1/voice").await.assert_error(502, "bad_gateway");
}

#[tokio::test]
async fn without_any_bridge_voice_paths_are_a_bad_gateway() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let urls = format!("http://{dead}");
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_BRIDGE_URLS", &urls)]).await;
    twilio(&gateway, "/v1/voice").await.assert_error(502, "bad_gateway");
    let unset = Gateway::start(Engine::Sqlite).await;
    twilio(&unset, "/v1/voice").await.assert_error(404, "route_not_found");
}
