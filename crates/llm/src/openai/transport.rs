//! The only place that knows async-openai: sends a request body, gives the answer or its chunks.
//!
//! The library's own retries wait without an end in sight, so its HTTP layer is replaced by one that
//! sends once and turns a refusal into an error that still has its status and `Retry-After`.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::middleware::HttpRequestFactory;
use futures_util::{Stream, StreamExt};
use serde_json::Value;
use tower_service::Service;

use super::chunks::Chunk;
use crate::ModelError;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const MESSAGE_CHARS: usize = 300;

/// A failed attempt, and whether another one makes sense.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) error: ModelError,
    pub(crate) again: bool,
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    pub(crate) fn last(error: ModelError) -> Self {
        Self { error, again: false, retry_after: None }
    }
}

/// The chunks of one answer.
pub(crate) type Chunks = Pin<Box<dyn Stream<Item = Result<Chunk, ModelError>> + Send>>;

/// One server. Holds the connection pool.
pub(crate) struct Transport {
    client: Client<OpenAIConfig>,
}

impl Transport {
    pub(crate) fn new(base_url: &str, api_key: &str) -> Result<Self, ModelError> {
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .map_err(|error| ModelError::Unavailable(format!("no HTTP client: {error}")))?;
        // The library panics on a key that is no header value; no real key holds such a character.
        let key: String = api_key.chars().filter(char::is_ascii_graphic).collect();
        let config =
            OpenAIConfig::new().with_api_base(base_url.trim_end_matches('/')).with_api_key(key.as_str());
        let once = SendOnce { http, anonymous: key.is_empty() };
        Ok(Self { client: Client::with_config(config).with_http_service(once) })
    }

    /// One attempt at a streamed answer; gives the stream as soon as the server has accepted.
    pub(crate) async fn open(&self, body: &Value) -> Result<Chunks, Failure> {
        let stream = self.client.chat().create_stream_byot(body).await.map_err(failure)?;
        Ok(Box::pin(stream.map(|item| item.map_err(|error| failure(error).error))))
    }

    /// One attempt at a whole answer.
    pub(crate) async fn ask(&self, body: &Value) -> Result<Value, Failure> {
        self.client.chat().create_byot(body).await.map_err(failure)
    }

    /// One attempt at what some texts mean, in numbers.
    pub(crate) async fn embed(&self, body: &Value) -> Result<Value, Failure> {
        self.client.embeddings().create_byot(body).await.map_err(failure)
    }
}

/// Sends a request exactly once.
#[derive(Clone)]
struct SendOnce {
    http: reqwest::Client,
    anonymous: bool,
}

impl Service<HttpRequestFactory> for SendOnce {
    type Response = reqwest::Response;
    type Error = OpenAIError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: HttpRequestFactory) -> Self::Future {
        let (http, anonymous) = (self.http.clone(), self.anonymous);
        Box::pin(async move {
            let mut request = request.build().await?;
            if anonymous {
                request.headers_mut().remove(reqwest::header::AUTHORIZATION);
            }
            let response = http.execute(request).await.map_err(OpenAIError::Reqwest)?;
            if response.status().is_success() {
                return Ok(response);
            }
            Err(OpenAIError::Boxed(Box::new(Rejection::read(response).await)))
        })
    }
}

/// A status other than success.
#[derive(Debug)]
struct Rejection {
    status: u16,
    message: String,
    quota: bool,
    retry_after: Option<Duration>,
}

impl Rejection {
    async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok())
            .map(Duration::from_secs);
        let text = bounded_body(response).await;
        let error = serde_json::from_str::<Value>(&text).ok().map(|body| body["error"].clone());
        let field = |name: &str| error.as_ref().and_then(|e| e[name].as_str()).map(str::to_owned);
        let message = field("message").unwrap_or(text).chars().take(MESSAGE_CHARS).collect();
        let spent = |name: &str| field(name).as_deref() == Some("insufficient_quota");
        Self { status, message, quota: spent("code") || spent("type"), retry_after }
    }
}

async fn bounded_body(response: reqwest::Response) -> String {
    let mut body = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(Ok(chunk)) = chunks.next().await {
        body.extend_from_slice(&chunk);
        if body.len() >= 4096 {
            break;
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "status {}: {}", self.status, self.message)
    }
}

impl std::error::Error for Rejection {}

fn failure(error: OpenAIError) -> Failure {
    match error {
        OpenAIError::Boxed(inner) => match inner.downcast::<Rejection>() {
            Ok(rejection) => rejected(*rejection),
            Err(other) => Failure::last(ModelError::Unavailable(other.to_string())),
        },
        OpenAIError::Reqwest(error) => {
            let again = error.is_connect();
            Failure {
                error: ModelError::Unavailable(with_cause(&error.without_url())),
                again,
                retry_after: None,
            }
        }
        // The library's text quotes the whole answer; only the parser's own words go on.
        OpenAIError::JSONDeserialize(error, _) => Failure::last(ModelError::Garbled(error.to_string())),
        OpenAIError::StreamError(error) => Failure::last(ModelError::Unavailable(error.to_string())),
        other => Failure::last(ModelError::Unavailable(other.to_string())),
    }
}

/// The error together with its root: "error sending request" alone does not say what was wrong.
fn with_cause(error: &reqwest::Error) -> String {
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    let (text, cause) = (error.to_string(), root.to_string());
    if text == cause { text } else { format!("{text}: {cause}") }
}

fn rejected(rejection: Rejection) -> Failure {
    let Rejection { status, message, quota, retry_after } = rejection;
    let busy = status == 429 || status >= 500;
    let error = if busy && !quota {
        ModelError::Unavailable(format!("status {status}: {message}"))
    } else {
        ModelError::Refused { status, message }
    };
    Failure { error, again: busy && !quota, retry_after }
}
