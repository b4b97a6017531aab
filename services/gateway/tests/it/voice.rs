//! The bridge's voice paths: its own on the same listener, or forwarded to it.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, web};
use common::config::{ConfigError, Settings};
use common::platform::Platform;
use common::runtime::Process;
use common::service::{Mount, Service, ServiceDef};
use contracts::ServiceName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::timeout;

use crate::fakes::{DISPATCHER, ORCHESTRATOR};
use crate::support::{Answer, Engine, GATEWAY, Gateway, Method, process};

const PATHS: [&str; 6] = [
    "/v1/voice",
    "/v1/voice-response",
    "/v1/voice-next",
    "/v1/voice-status",
    "/v1/voice-amd",
    "/v1/voice-recording",
];

/// Longer than anything takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

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

/// What the carrier takes for a reason to ask again.
fn ask_again(answer: &Answer) {
    assert_eq!((answer.status, &answer.body), (503, &serde_json::Value::String(String::new())));
}

fn expected(path: &str) -> String {
    format!(
        "POST {path}?attempt=a%20b&turn=1 application/x-www-form-urlencoded c2lnbmVk token-1 CallSid=CA1&SpeechResult=Yes%21"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
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
    ask_again(&twilio(&gateway, "/v1/voice").await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_any_bridge_the_carrier_is_told_to_ask_again() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let urls = format!("http://{dead}");
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_BRIDGE_URLS", &urls)]).await;
    ask_again(&twilio(&gateway, "/v1/voice").await);
    let unset = Gateway::start(Engine::Sqlite).await;
    twilio(&unset, "/v1/voice").await.assert_error(404, "route_not_found");
}

/// An address where a connection is neither taken nor refused, for as long as this is kept.
struct Deaf {
    address: SocketAddr,
    _listener: TcpListener,
    _waiting: Vec<TcpStream>,
}

impl Deaf {
    async fn new() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let mut waiting = Vec::new();
        // The system takes a few that nobody asks it for, and then says nothing more.
        while let Ok(taken) = timeout(Duration::from_secs(1), TcpStream::connect(address)).await {
            waiting.push(taken.unwrap());
        }
        Self { address, _listener: listener, _waiting: waiting }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bridges_that_do_not_answer_a_connection_are_passed_over_together_in_time() {
    let bridge = Gateway::start_with(Engine::Sqlite, BRIDGE_ONLY, &[]).await;
    let (one, other) = tokio::join!(Deaf::new(), Deaf::new());
    let urls = format!("http://{},http://{},{}", one.address, other.address, bridge.url);
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_BRIDGE_URLS", &urls)]).await;
    for path in PATHS {
        assert_eq!(twilio(&gateway, path).await.expect(200), expected(path));
    }
    // All together have two seconds, not each of them its own: these would take ten minutes.
    let urls = vec![format!("http://{}", one.address); 3_000].join(",");
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &[("ECHO_BRIDGE_URLS", &urls)]).await;
    let answer = timeout(PATIENCE, twilio(&gateway, "/v1/voice")).await;
    ask_again(&answer.expect("an answer before all have been tried"));
}

/// A connection on which the headers of a request have been sent, and the beginning of its body.
async fn begun(gateway: &Gateway, announced: &str) -> TcpStream {
    let host = gateway.url.strip_prefix("http://").unwrap();
    let mut line = TcpStream::connect(host).await.unwrap();
    let head = format!(
        "POST /v1/voice?attempt=a HTTP/1.1\r\nHost: {host}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n{announced}\r\n\r\n"
    );
    line.write_all(head.as_bytes()).await.unwrap();
    line
}

/// Everything that is answered until the other side closes the connection.
async fn until_closed(line: &mut (impl AsyncRead + Unpin)) -> String {
    let mut answer = Vec::new();
    let read = timeout(PATIENCE, line.read_to_end(&mut answer)).await;
    // A peer that closes with our bytes unread resets the connection; its answer has come before.
    if let Err(error) = read.expect("the connection is closed") {
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_carrier_that_stops_in_the_middle_of_a_body_is_put_off_and_no_bridge_hears_of_it() {
    let bridge = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    bridge.set_nonblocking(true).unwrap();
    let urls = format!("http://{}", bridge.local_addr().unwrap());
    // The deadline for bodies of the API is no matter here.
    let settings = [("ECHO_BRIDGE_URLS", urls.as_str()), ("ECHO_BODY_DEADLINE_MS", "600000")];
    let gateway = Gateway::start_with(Engine::Sqlite, GATEWAY, &settings).await;
    let mut stalled = begun(&gateway, "Content-Length: 100").await;
    stalled.write_all(b"CallSid=CA").await.unwrap();
    let (mut from, mut to) = begun(&gateway, "Transfer-Encoding: chunked").await.into_split();
    let drips = tokio::spawn(async move {
        let mut clock = tokio::time::interval(Duration::from_millis(20));
        while to.write_all(b"1\r\nx\r\n").await.is_ok() {
            clock.tick().await;
        }
    });
    for answer in [until_closed(&mut stalled).await, until_closed(&mut from).await] {
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 503 "), "{head}");
        assert_eq!(body, "");
    }
    drips.abort();
    let nobody = bridge.accept().expect_err("a bridge was asked");
    assert_eq!(nobody.kind(), ErrorKind::WouldBlock);

    let mut large = begun(&gateway, "Content-Length: 65537").await;
    assert!(until_closed(&mut large).await.starts_with("HTTP/1.1 413 "));
}
