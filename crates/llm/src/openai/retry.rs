//! Attempts: at most two more after the first, only for a busy or unreachable server, only before the
//! first token, and never past the deadline.

use std::future::Future;
use std::time::Duration;

use futures_util::StreamExt;
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::chunks::Chunk;
use super::transport::{Chunks, Failure, Transport};
use crate::ModelError;

const WAITS: [Duration; 2] = [Duration::from_millis(200), Duration::from_millis(600)];

/// Opens a stream and waits for the first chunk that says something.
pub(crate) async fn open_stream(
    transport: &Transport,
    body: Value,
    until: Instant,
) -> Result<(Chunk, Chunks), ModelError> {
    repeat(until, || async {
        let mut chunks = transport.open(&body).await?;
        loop {
            match chunks.next().await {
                Some(Ok(chunk)) if chunk.speaks() || chunk.error.is_some() => return Ok((chunk, chunks)),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Failure::last(error)),
                None => return Err(Failure::last(ModelError::Garbled("an empty stream".into()))),
            }
        }
    })
    .await
}

/// Asks for a whole answer.
pub(crate) async fn ask(transport: &Transport, body: Value, until: Instant) -> Result<Value, ModelError> {
    repeat(until, || transport.ask(&body)).await
}

/// Asks for what some texts mean, in numbers.
pub(crate) async fn embed(transport: &Transport, body: Value, until: Instant) -> Result<Value, ModelError> {
    repeat(until, || transport.embed(&body)).await
}

async fn repeat<T, F, A>(until: Instant, mut attempt: F) -> Result<T, ModelError>
where
    F: FnMut() -> A,
    A: Future<Output = Result<T, Failure>>,
{
    let mut waits = WAITS.into_iter();
    loop {
        let failure = match timeout_at(until, attempt()).await {
            Err(_) => return Err(ModelError::Timeout),
            Ok(Ok(done)) => return Ok(done),
            Ok(Err(failure)) => failure,
        };
        let Some(wait) = waits.next().filter(|_| failure.again) else { return Err(failure.error) };
        let wait = failure.retry_after.unwrap_or(wait);
        if Instant::now() + wait >= until {
            return Err(failure.error);
        }
        tracing::debug!(error = %failure.error, ?wait, "the model server is asked again");
        sleep(wait).await;
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn busy(retry_after: Option<Duration>) -> Failure {
        Failure { error: ModelError::Unavailable("busy".into()), again: true, retry_after }
    }

    async fn count(until: Duration, failure: impl Fn() -> Failure) -> (u32, ModelError) {
        let attempts = Cell::new(0);
        let result: Result<(), _> = repeat(Instant::now() + until, || {
            attempts.set(attempts.get() + 1);
            std::future::ready(Err(failure()))
        })
        .await;
        (attempts.get(), result.unwrap_err())
    }

    #[tokio::test]
    async fn a_busy_server_is_asked_three_times_in_all() {
        let now = || busy(Some(Duration::ZERO));
        assert_eq!(count(Duration::from_secs(60), now).await.0, 3);
    }

    #[tokio::test]
    async fn a_refusal_is_final() {
        let refused = || Failure::last(ModelError::Refused { status: 401, message: "no".into() });
        assert_eq!(count(Duration::from_secs(60), refused).await.0, 1);
    }

    #[tokio::test]
    async fn a_wait_that_would_outlast_the_deadline_is_not_begun() {
        let hour = || busy(Some(Duration::from_secs(3600)));
        let (attempts, error) = count(Duration::from_secs(1), hour).await;
        assert_eq!((attempts, error), (1, ModelError::Unavailable("busy".into())));
    }
}
