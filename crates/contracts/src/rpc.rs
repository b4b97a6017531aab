//! Request and reply, without saying how they travel. The generated clients send through a [`Caller`]; the generated
//! servers are [`Server`]s. The bus in `common` implements the one and hosts the other.

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};

use crate::ServiceName;

/// What travels beside a request: on whose behalf, as part of which trace, and until when an answer is of use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// The public request that caused this, for logs.
    pub request_id: String,
    /// The tenant, for logs.
    pub tenant: String,
    /// The trace, 32 hex digits. What is left empty, the bus fills in: with the trace of what the caller runs in, else a new one.
    pub trace_id: String,
    /// How long the caller waits.
    pub deadline: Duration,
}

impl Context {
    /// A context with nothing but a deadline.
    #[must_use]
    pub fn within(deadline: Duration) -> Self {
        Self { request_id: String::new(), tenant: String::new(), trace_id: String::new(), deadline }
    }

    /// The same, naming the request that caused it.
    #[must_use]
    pub fn caused_by(mut self, request_id: impl Into<String>) -> Self {
        self.request_id = request_id.into();
        self
    }

    /// The same, naming the tenant.
    #[must_use]
    pub fn for_tenant(mut self, tenant: impl ToString) -> Self {
        self.tenant = tenant.to_string();
        self
    }
}

/// Which rpc.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// Who answers it.
    pub service: ServiceName,
    /// `Service.Method`.
    pub method: &'static str,
    /// Whether it may be sent again when no answer came.
    pub idempotent: bool,
}

/// Why an rpc has no answer. The first four come from the one who answers, the others from the way there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RpcError {
    /// There is no such thing, or it belongs to another tenant.
    #[error("not found: {0}")]
    NotFound(String),
    /// The request is wrong; sending it again will not help.
    #[error("invalid: {field}: {problem}")]
    Invalid {
        /// The field that is wrong, as the public API names it.
        field: String,
        /// What is wrong with it and what would be right.
        problem: String,
    },
    /// It contradicts what is stored.
    #[error("conflict ({code}): {message}")]
    Conflict {
        /// A stable snake-case code for the public answer.
        code: String,
        /// What contradicts what.
        message: String,
    },
    /// Something broke on the other side.
    #[error("failed: {0}")]
    Internal(String),
    /// The other side has no room for another request now.
    #[error("busy")]
    Busy,
    /// Nobody answers: the service or the broker is away.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// No answer within the deadline; whether it was done is not known.
    #[error("no answer within the deadline")]
    DeadlineExceeded,
}

impl RpcError {
    /// The answer of a server to a method that it does not have.
    #[must_use]
    pub fn unknown_method(method: &str) -> Self {
        Self::Internal(format!("no such method: {method}"))
    }

    /// True when nobody can have acted on the request in a way that an answer would have told otherwise.
    #[must_use]
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Busy | Self::Unavailable(_) | Self::DeadlineExceeded)
    }
}

/// An answer in parts, in their order. It ends after the last part, or with the one error that breaks it off; nothing follows
/// an error. Dropping it tells the one who answers to stop.
pub type Streamed<T> = Pin<Box<dyn Stream<Item = Result<T, RpcError>> + Send>>;

/// Sends requests. Implemented by each bus.
#[async_trait]
pub trait Caller: Send + Sync + 'static {
    /// Sends `request` and waits for the answer, at most `context.deadline`.
    ///
    /// # Errors
    /// What the server answered, or why there is no answer.
    async fn call(&self, call: Call, context: Context, request: Bytes) -> Result<Bytes, RpcError>;

    /// Sends `request` and answers once the other side has begun to answer in parts. The whole stream may take
    /// `context.deadline`. Never sent again by itself.
    ///
    /// # Errors
    /// What the server answered in place of a stream, or why there is none.
    async fn open(&self, call: Call, context: Context, request: Bytes) -> Result<Streamed<Bytes>, RpcError>;
}

/// Answers requests. Generated for every `service`.
#[async_trait]
pub trait Server: Send + Sync + 'static {
    /// The service whose queue it answers.
    fn service(&self) -> ServiceName;
    /// The methods it answers, as `Service.Method`.
    fn methods(&self) -> &'static [&'static str];
    /// Decodes, answers and encodes one request.
    ///
    /// # Errors
    /// What the implementation answers, or that the request could not be read.
    async fn answer(&self, method: &str, context: Context, request: Bytes) -> Result<Bytes, RpcError>;

    /// The methods that it answers in parts, as `Service.Method`. None of them is among [`Self::methods`].
    fn streams(&self) -> &'static [&'static str] {
        &[]
    }

    /// Decodes one request and begins to answer it in parts.
    ///
    /// # Errors
    /// What the implementation answers in place of a stream, or that the request could not be read.
    async fn stream(
        &self,
        method: &str,
        _context: Context,
        _request: Bytes,
    ) -> Result<Streamed<Bytes>, RpcError> {
        Err(RpcError::unknown_method(method))
    }
}

/// Sends a typed request: what the generated clients do.
///
/// # Errors
/// As [`Caller::call`], or that the answer could not be read.
pub async fn call<Request, Reply>(
    caller: &dyn Caller,
    call: Call,
    context: Context,
    request: &Request,
) -> Result<Reply, RpcError>
where
    Request: prost::Message,
    Reply: prost::Message + Default,
{
    let answer = caller.call(call, context, encode(request)).await?;
    decode(&answer)
}

/// Opens a typed stream: what the generated clients do.
///
/// # Errors
/// As [`Caller::open`]. A part that cannot be read is an error of the stream, and its end.
pub async fn open<Request, Part>(
    caller: &dyn Caller,
    call: Call,
    context: Context,
    request: &Request,
) -> Result<Streamed<Part>, RpcError>
where
    Request: prost::Message,
    Part: prost::Message + Default + 'static,
{
    let parts = caller.open(call, context, encode(request)).await?;
    let readable = parts.map(|part| part.and_then(|bytes| decode(&bytes)));
    Ok(Box::pin(readable.scan(false, |broken, part: Result<Part, RpcError>| {
        let item = (!*broken).then_some(part);
        *broken |= matches!(item, Some(Err(_)));
        std::future::ready(item)
    })))
}

/// The wire form of a stream: what the generated servers do.
#[must_use]
pub fn encoded<Part: prost::Message + 'static>(parts: Streamed<Part>) -> Streamed<Bytes> {
    Box::pin(parts.map(|part| part.map(|part| encode(&part))))
}

/// The wire form of a message.
#[must_use]
pub fn encode<M: prost::Message>(message: &M) -> Bytes {
    Bytes::from(message.encode_to_vec())
}

/// Reads a message from its wire form.
///
/// # Errors
/// [`RpcError::Internal`] when the bytes are not that message.
pub fn decode<M: prost::Message + Default>(bytes: &Bytes) -> Result<M, RpcError> {
    M::decode(bytes.clone()).map_err(|e| RpcError::Internal(format!("cannot read the message: {e}")))
}
