//! A scripted OpenAI-compatible model server on the loopback interface: each request to
//! `/v1/chat/completions` is answered by the next script in the queue, however badly the script behaves. Those to `/v1/embeddings`
//! get vectors in which words that mean the same are one ([`meaning`]).

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::http::header::{AUTHORIZATION, RETRY_AFTER};
use actix_web::web::{self, Bytes, Data, Json};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use futures_util::{StreamExt, future, stream};
use serde_json::{Value, json};

/// What the server does with one request.
#[derive(Debug, Clone)]
pub enum Script {
    /// Streams these pieces of text, then stops properly.
    Say(Vec<String>),
    /// Streams text (perhaps none), then a call of a tool whose arguments come in small pieces.
    Call {
        /// Pieces of text before the call.
        text: Vec<String>,
        /// The tool's name.
        name: String,
        /// The arguments as JSON text.
        arguments: String,
    },
    /// Answers without streaming; the message's content is this value as JSON text.
    Json(Value),
    /// Answers without streaming; the message's content is this text.
    Content(String),
    /// Answers like this, and says what it has cost: in a last chunk where it streams and is asked to, else in its one answer.
    Counted {
        /// The answer: one of those above.
        answer: Box<Script>,
        /// Tokens read and written.
        tokens: (u64, u64),
    },
    /// Streams what stands in the request behind some words: a model that tells what it was told.
    SayBack {
        /// The words.
        before: String,
        /// How many characters.
        chars: usize,
    },
    /// Accepts the request and never answers.
    Hang,
    /// Streams these pieces, then keeps the connection open without another word.
    Stall(Vec<String>),
    /// Streams with a pause before every piece.
    Slow {
        /// Pieces of text.
        text: Vec<String>,
        /// Pause before each piece, in milliseconds.
        gap_ms: u64,
    },
    /// Answers 200 with an event stream whose events are no JSON.
    GarbageSse,
    /// Answers 200 with valid JSON that is no chat completion.
    WrongJson,
    /// Streams these pieces, then cuts the connection.
    Die(Vec<String>),
    /// Streams these pieces, then ends the body as if all were well, without a finish reason.
    EndEarly(Vec<String>),
    /// Answers with a status and a body.
    Status {
        /// HTTP status.
        code: u16,
        /// Body, verbatim.
        body: String,
        /// Value of `Retry-After`, in seconds.
        retry_after: Option<u64>,
    },
}

/// A request as the server saw it.
#[derive(Debug, Clone)]
pub struct SeenRequest {
    /// The `Authorization` header, if there was one.
    pub authorization: Option<String>,
    /// The JSON body.
    pub body: Value,
}

#[derive(Default)]
struct Shared {
    scripts: Mutex<VecDeque<Script>>,
    seen: Mutex<Vec<SeenRequest>>,
}

/// A running server; it stops when this value is dropped.
pub struct ModelServer {
    url: String,
    shared: Arc<Shared>,
    handle: ServerHandle,
}

impl ModelServer {
    /// Starts a server on a free loopback port. With no script in the queue it streams "Thank you."
    pub async fn start() -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let data = Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .app_data(web::JsonConfig::default().limit(4 * 1024 * 1024))
                .route("/v1/chat/completions", web::post().to(complete))
                .route("/v1/embeddings", web::post().to(embed))
        })
        .workers(1)
        .disable_signals()
        .shutdown_timeout(0)
        .bind(("127.0.0.1", 0))?;
        let address =
            server.addrs().first().copied().ok_or_else(|| io::Error::other("no address was bound"))?;
        let running = server.run();
        let handle = running.handle();
        tokio::spawn(running);
        Ok(Self { url: format!("http://{address}/v1"), shared, handle })
    }

    /// The base URL to give to a client, ending in `/v1`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Queues what the next unscripted request gets.
    pub fn push(&self, script: Script) {
        lock(&self.shared.scripts).push_back(script);
    }

    /// All requests so far, oldest first.
    pub fn requests(&self) -> Vec<SeenRequest> {
        lock(&self.shared.seen).clone()
    }
}

impl Drop for ModelServer {
    fn drop(&mut self) {
        // The command is sent by the call itself; the future only waits for the end.
        drop(self.handle.stop(false));
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn complete(shared: Data<Shared>, request: HttpRequest, body: Json<Value>) -> HttpResponse {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let asked = body["stream_options"]["include_usage"] == json!(true);
    let told = body.to_string();
    lock(&shared.seen).push(SeenRequest { authorization, body: body.0 });
    let script = lock(&shared.scripts).pop_front();
    match script.unwrap_or_else(|| Script::Say(vec!["Thank you.".into()])) {
        Script::SayBack { before, chars } => {
            let rest = told.split_once(&before).map_or("", |(_, rest)| rest);
            answer(Script::Say(rest.chars().take(chars).map(String::from).collect())).await
        }
        Script::Counted { answer, tokens } => counted(*answer, tokens, asked).await,
        script => answer(script).await,
    }
}

/// Words that mean the same, a group for each dimension.
const MEANINGS: [&[&str]; 6] = [
    &["parcel", "package", "shipment"],
    &["open", "opening", "hours", "closed"],
    &["refund", "reimbursed", "money"],
    &["car", "vehicle", "automobile"],
    &["doctor", "physician"],
    &["dog", "hound"],
];
/// A text with this word is refused with status 400.
pub const UNEMBEDDABLE: &str = "unembeddable";

/// What a text means: how often each group's words are in it, and a little of something that all texts have.
#[expect(clippy::cast_precision_loss, reason = "a text has a few words")]
#[must_use]
pub fn meaning(text: &str) -> Vec<f32> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric()).collect();
    let count = |group: &&[&str]| words.iter().filter(|word| group.contains(word)).count() as f32;
    MEANINGS.iter().map(count).chain([0.1]).collect()
}

async fn embed(shared: Data<Shared>, request: HttpRequest, body: Json<Value>) -> HttpResponse {
    let authorization = request.headers().get(AUTHORIZATION).and_then(|v| v.to_str().ok()).map(str::to_owned);
    let texts: Vec<String> = serde_json::from_value(body["input"].clone()).unwrap_or_default();
    lock(&shared.seen).push(SeenRequest { authorization, body: body.0 });
    if texts.iter().any(|text| text.contains(UNEMBEDDABLE)) {
        return HttpResponse::BadRequest()
            .json(json!({"error": {"message": "this input cannot be embedded"}}));
    }
    let item = |(index, text): (usize, &String)| json!({"object": "embedding", "index": index, "embedding": meaning(text)});
    let data: Vec<Value> = texts.iter().enumerate().map(item).collect();
    HttpResponse::Ok().json(json!({"object": "list", "data": data, "model": "scripted", "usage": {"prompt_tokens": 1, "total_tokens": 1}}))
}

fn usage((read, written): (u64, u64)) -> Value {
    json!({"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written})
}

async fn counted(script: Script, tokens: (u64, u64), asked: bool) -> HttpResponse {
    let mut events = match script {
        Script::Say(text) => spoken(&text, "stop"),
        Script::Call { text, name, arguments } => called(&text, &name, &arguments),
        Script::Json(value) => return message(&value.to_string(), Some(tokens)),
        Script::Content(text) => return message(&text, Some(tokens)),
        other => return answer(other).await,
    };
    if asked {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
            "choices": [], "usage": usage(tokens),
        });
        events.insert(events.len() - 1, format!("data: {chunk}\n\n"));
    }
    whole_stream(events)
}

async fn answer(script: Script) -> HttpResponse {
    match script {
        Script::Say(text) => whole_stream(spoken(&text, "stop")),
        Script::Call { text, name, arguments } => whole_stream(called(&text, &name, &arguments)),
        Script::Json(value) => message(&value.to_string(), None),
        Script::Content(text) => message(&text, None),
        Script::Counted { answer, .. } => Box::pin(self::answer(*answer)).await,
        // Answered where the request is known.
        Script::SayBack { .. } | Script::Hang => future::pending().await,
        Script::Stall(text) => {
            let pieces = stream::iter(deltas(&text)).chain(stream::pending());
            event_stream().streaming(pieces.map(|event| Ok::<_, Infallible>(Bytes::from(event))))
        }
        Script::Slow { text, gap_ms } => {
            let pieces = stream::iter(spoken(&text, "stop")).then(move |event| async move {
                tokio::time::sleep(Duration::from_millis(gap_ms)).await;
                Ok::<_, Infallible>(Bytes::from(event))
            });
            event_stream().streaming(pieces)
        }
        Script::GarbageSse => whole_stream(vec!["data: <<not json>>\n\n".into()]),
        Script::WrongJson => HttpResponse::Ok().json(json!({"answer": 42})),
        Script::Die(text) => {
            // The pause of one poll lets the server send what was written so far before it is cut.
            let cut = stream::once(async {
                tokio::task::yield_now().await;
                Err(io::Error::from(io::ErrorKind::ConnectionReset))
            });
            let pieces = stream::iter(deltas(&text).into_iter().map(|event| Ok(Bytes::from(event))));
            event_stream().streaming(pieces.chain(cut))
        }
        Script::EndEarly(text) => whole_stream(deltas(&text)),
        Script::Status { code, body, retry_after } => {
            let status = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let mut response = HttpResponse::build(status);
            if let Some(seconds) = retry_after {
                response.insert_header((RETRY_AFTER, seconds.to_string()));
            }
            response.body(body)
        }
    }
}

fn event_stream() -> actix_web::HttpResponseBuilder {
    let mut response = HttpResponse::Ok();
    response.content_type("text/event-stream");
    response
}

fn whole_stream(events: Vec<String>) -> HttpResponse {
    event_stream().body(events.concat())
}

fn message(content: &str, tokens: Option<(u64, u64)>) -> HttpResponse {
    let message = json!({"role": "assistant", "content": content});
    HttpResponse::Ok().json(json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": tokens.map(usage),
    }))
}

fn event(delta: &Value, finish_reason: Option<&str>) -> String {
    let chunk = json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    });
    format!("data: {chunk}\n\n")
}

fn deltas(text: &[String]) -> Vec<String> {
    let role = event(&json!({"role": "assistant", "content": ""}), None);
    std::iter::once(role).chain(text.iter().map(|piece| event(&json!({"content": piece}), None))).collect()
}

fn spoken(text: &[String], finish_reason: &str) -> Vec<String> {
    let mut events = deltas(text);
    events.push(event(&json!({}), Some(finish_reason)));
    events.push("data: [DONE]\n\n".into());
    events
}

fn called(text: &[String], name: &str, arguments: &str) -> Vec<String> {
    let mut events = deltas(text);
    let function = json!({"name": name, "arguments": ""});
    events.push(event(
        &json!({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": function}]}),
        None,
    ));
    let letters: Vec<char> = arguments.chars().collect();
    for piece in letters.chunks(3) {
        let function = json!({"arguments": piece.iter().collect::<String>()});
        events.push(event(&json!({"tool_calls": [{"index": 0, "function": function}]}), None));
    }
    events.push(event(&json!({}), Some("tool_calls")));
    events.push("data: [DONE]\n\n".into());
    events
}
