//! What the running code belongs to: the public request, the tenant and the trace. The bus and the HTTP edges set it around
//! what they run; requests and messages that are sent meanwhile carry it on; log lines show it through the span.
//!
//! It follows a future wherever that goes, and into the blocking work of the tables. Work that goes on by itself is spawned
//! as [`continued`], or it would begin a trace of its own.

use std::future::Future;

use contracts::rpc::Context;
use tracing::Instrument as _;
use uuid::Uuid;

use crate::bus::Cause;

/// The W3C header that carries a trace over HTTP.
pub const HEADER: &str = "traceparent";

/// The header that carries a request's id over HTTP, in both directions.
pub const REQUEST_ID: &str = "x-request-id";
/// Longest id of a request that is taken over from a caller.
const LONGEST_REQUEST_ID: usize = 128;

tokio::task_local! {
    static CURRENT: Cause;
}

/// What the running code belongs to, if to anything.
#[must_use]
pub fn current() -> Option<Cause> {
    CURRENT.try_with(Cause::clone).ok()
}

/// Runs `work` as a part of `cause`.
pub async fn scope<F: Future>(cause: Cause, work: F) -> F::Output {
    CURRENT.scope(cause, work).await
}

/// `work` as a part of what runs now and in its span, wherever it is run. For what is spawned.
pub fn continued<F: Future>(work: F) -> impl Future<Output = F::Output> {
    let (cause, span) = (current(), tracing::Span::current());
    let work = async move {
        match cause {
            Some(cause) => scope(cause, work).await,
            None => work.await,
        }
    };
    work.instrument(span)
}

/// The same for work that blocks.
pub(crate) fn carried<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let here = Here::now();
    move || here.run(work)
}

/// What the running code belongs to and its span, to be taken to another thread.
pub(crate) struct Here {
    cause: Option<Cause>,
    span: tracing::Span,
}

impl Here {
    /// Of the code that asks.
    pub(crate) fn now() -> Self {
        Self { cause: current(), span: tracing::Span::current() }
    }

    /// Runs `work` as a part of it, on whatever thread.
    pub(crate) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        let _entered = self.span.entered();
        match self.cause {
            Some(cause) => CURRENT.sync_scope(cause, work),
            None => work(),
        }
    }
}

/// Names the call that the running code is about, in the log lines of its span from here on.
pub fn of_call(call: impl std::fmt::Display) {
    tracing::Span::current().record("call", tracing::field::display(call));
}

/// Names the tenant in the log lines of the running span from here on.
pub fn of_tenant(tenant: impl std::fmt::Display) {
    tracing::Span::current().record("tenant", tracing::field::display(tenant));
}

/// What a request does not say about its origin, as the running code knows it.
pub(crate) fn complete(mut context: Context) -> Context {
    let here = current().unwrap_or_default();
    let fill = |field: &mut String, value: String| {
        if field.is_empty() {
            *field = value;
        }
    };
    fill(&mut context.request_id, here.request_id);
    fill(&mut context.tenant, here.tenant);
    fill(&mut context.trace_id, here.trace_id);
    fill(&mut context.trace_id, new_id());
    context
}

/// The id of a new trace: 32 lower-case hex digits.
#[must_use]
pub fn new_id() -> String {
    Uuid::now_v7().simple().to_string()
}

/// The id of a request: the caller's, if it is 1 to 128 letters, digits and `_.:-`; else a new one.
#[must_use]
pub fn request_id_of(sent: Option<&str>) -> String {
    let sane = |id: &&str| {
        (1..=LONGEST_REQUEST_ID).contains(&id.len())
            && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b':' | b'-'))
    };
    sent.filter(sane).map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The trace that a caller's `traceparent` header names; `None` when it names none.
#[must_use]
pub fn id_of(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.trim().split('-');
    let (_version, id) = (parts.next()?, parts.next()?);
    let hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let named = id.len() == 32 && hex(id) && id.bytes().any(|b| b != b'0');
    (named && parts.count() >= 2).then(|| id.to_owned())
}

/// The header's text for a request that is sent on as a part of trace `id`.
#[must_use]
pub fn header_of(id: &str) -> String {
    // The second half of a version 7 id is random.
    let span = new_id().split_off(16);
    format!("00-{id}-{span}-01")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_is_taken_from_its_header_and_written_into_one() {
        let id = "0af7651916cd43dd8448eb211c80319c";
        assert_eq!(id_of(&format!("00-{id}-b7ad6b7169203331-01")).as_deref(), Some(id));
        assert_eq!(id_of(&header_of(id)).as_deref(), Some(id));
        for bad in
            ["", id, "00-0af7-b7ad6b7169203331-01", &format!("00-{}-b7ad6b7169203331-01", "0".repeat(32))]
        {
            assert_eq!(id_of(bad), None, "{bad}");
        }
    }

    #[tokio::test]
    async fn what_is_spawned_or_blocks_belongs_to_what_started_it() {
        let cause = Cause { request_id: "r".into(), tenant: "t".into(), trace_id: new_id() };
        let spawned = scope(cause.clone(), async {
            let blocking = tokio::task::spawn_blocking(carried(current));
            (tokio::spawn(continued(async { current() })).await.unwrap(), blocking.await.unwrap())
        });
        assert_eq!(spawned.await, (Some(cause.clone()), Some(cause)));
        assert_eq!(current(), None);
    }

    #[tokio::test]
    async fn a_request_carries_on_what_its_caller_belongs_to() {
        let cause = Cause { request_id: "r".into(), tenant: "t".into(), trace_id: new_id() };
        let context = || Context::within(std::time::Duration::from_secs(1));
        let carried_on = scope(cause.clone(), async { complete(context().for_tenant("other")) }).await;
        assert_eq!(carried_on.request_id, "r");
        assert_eq!((carried_on.tenant.as_str(), &carried_on.trace_id), ("other", &cause.trace_id));
        assert_eq!(complete(context()).trace_id.len(), 32, "what belongs to nothing begins a trace");
    }
}
