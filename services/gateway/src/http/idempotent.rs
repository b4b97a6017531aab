//! `Idempotency-Key`: the same key and body twice has one effect and one answer.
//!
//! What is made in our own tables is made in the transaction that keeps the answer ([`locally`]): there is never a half of
//! it. What another service makes is leased first ([`remotely`]): the row with the thing's future id is committed, then the
//! other service is asked, which takes the same id twice for the same thing; whoever finds the lease run out goes on.

use std::future::Future;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse};
use common::crypto;
use common::db::{DbError, Tx};
use common::trace;
use serde_json::Value;
use uuid::Uuid;

use super::reply::Made;
use crate::app::App;
use crate::domain::idempotency::{Decision, Stored, decide, fingerprint, parse_key};
use crate::error::ApiError;
use crate::identity::credential::Tenant;
use crate::store::idempotency::{self as keys, Answer, Keyed};

/// How often a race with another replica is decided again.
const TRIES: usize = 5;

/// Whether the answer may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// It may.
    Answer,
    /// It holds a secret that is shown once.
    Nothing,
}

/// The key of a request, if it has one.
///
/// # Errors
/// 400 when it is not printable.
pub(crate) fn keyed(request: &HttpRequest, tenant: &Tenant, body: &Value) -> Result<Option<Keyed>, ApiError> {
    let Some(sent) = request.headers().get("idempotency-key") else { return Ok(None) };
    let key = parse_key(sent.to_str().unwrap_or_default())
        .map_err(|problem| ApiError::invalid_field("Idempotency-Key", problem))?;
    let path = request.path();
    let route = format!("{} {}", request.method(), path.strip_prefix("/api").unwrap_or(path));
    Ok(Some(Keyed { project: tenant.project, key, fingerprint: fingerprint(&route, body) }))
}

/// What came of an attempt.
enum Came {
    Fresh(Made),
    Again(Made),
}

/// Why a transaction came to nothing.
#[derive(Debug)]
pub(crate) enum Failed {
    /// Another request was faster: with the same key, or with the same new customer. Again from the beginning.
    Raced,
    /// For the caller.
    With(ApiError),
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self::With(error)
    }
}

impl From<DbError> for Failed {
    fn from(error: DbError) -> Self {
        match error {
            DbError::Duplicate { constraint }
                if constraint.contains("idempotency_keys") || constraint.contains("customers") =>
            {
                Self::Raced
            }
            DbError::Conflict => Self::Raced,
            other => Self::With(other.into()),
        }
    }
}

/// Makes something in our own tables, once per key. `work` may run more than once; only one run is committed.
///
/// # Errors
/// What `work` answers, or what the key's history says.
pub(crate) async fn locally<F>(
    app: &App,
    keyed: Option<Keyed>,
    keep: Keep,
    work: F,
) -> Result<HttpResponse, ApiError>
where
    F: Fn(&mut Tx<'_>) -> Result<Made, ApiError> + Clone + Send + 'static,
{
    for _ in 0..TRIES {
        let (this, keyed, work) = (app.clone(), keyed.clone(), work.clone());
        let attempt = move |tx: &mut Tx<'_>| match &keyed {
            None => Ok(Came::Fresh(work(tx)?)),
            Some(keyed) => local_attempt(&this, tx, keyed, keep, &work),
        };
        match app.platform.database.write(attempt).await {
            Ok(Came::Fresh(made)) => return Ok(made.into_response()),
            Ok(Came::Again(made)) => return Ok(made.into_replay()),
            Err(Failed::With(error)) => return Err(error),
            Err(Failed::Raced) => {}
        }
    }
    Err(ApiError::unavailable("requests with the same key kept racing"))
}

fn local_attempt(
    app: &App,
    tx: &mut Tx<'_>,
    keyed: &Keyed,
    keep: Keep,
    work: impl Fn(&mut Tx<'_>) -> Result<Made, ApiError>,
) -> Result<Came, Failed> {
    let stored = keys::find(tx.conn, keyed.project, &keyed.key)?;
    let stale = match judge(app, stored.as_ref(), keyed, tx.now())? {
        Judged::Again(made) => return Ok(Came::Again(made)),
        Judged::Resume(row) => Some(row.id), // local work leaves no half: begin anew
        Judged::Begin(stale) => stale,
    };
    if let Some(stale) = stale {
        keys::remove(tx.conn, stale)?;
    }
    // The key first: another request with it waits here, and not at what `work` makes.
    let (id, now) = (Uuid::now_v7(), tx.now());
    keys::insert(tx.conn, keyed, (id, Uuid::now_v7()), now)?;
    let made = work(tx)?;
    let answer = answer(app, id, &made, keep)?;
    keys::finish(tx.conn, id, 1, &answer)?;
    Ok(Came::Fresh(made))
}

/// What a key's history means.
enum Judged {
    Begin(Option<Uuid>),
    Resume(Stored),
    Again(Made),
}

fn judge(
    app: &App,
    stored: Option<&Stored>,
    keyed: &Keyed,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Judged, ApiError> {
    match (decide(stored, &keyed.fingerprint, now), stored) {
        (Decision::Begin { stale }, _) => Ok(Judged::Begin(stale)),
        (Decision::Resume, Some(row)) => Ok(Judged::Resume(row.clone())),
        (Decision::Replay { status, answer }, Some(row)) => {
            opened(app, row.id, status, &answer).map(Judged::Again)
        }
        (Decision::Resume | Decision::Replay { .. }, None) => Ok(Judged::Begin(None)),
        (Decision::SecretShown, _) => Err(ApiError::conflict(
            "secret_already_shown",
            "This was done; its answer held a secret that is shown only once",
        )),
        (Decision::Mismatch, _) => Err(ApiError::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency_mismatch",
            "This Idempotency-Key was used for another request",
        )),
        (Decision::Running { retry_after }, _) => Err(ApiError::conflict(
            "idempotency_in_progress",
            "A request with this Idempotency-Key is still running",
        )
        .retry_after(retry_after)),
    }
}

fn row_name(id: Uuid) -> String {
    format!("idempotency:{id}")
}

/// Answers hold personal data and signing secrets: they are sealed.
fn answer(app: &App, id: Uuid, made: &Made, keep: Keep) -> Result<Answer, ApiError> {
    let seal = || crypto::seal(&app.platform.keys.master, &row_name(id), made.body.as_bytes());
    let sealed = match keep {
        Keep::Answer => Some(seal().map_err(ApiError::internal)?),
        Keep::Nothing => None,
    };
    Ok(Answer { status: i32::from(made.status.as_u16()), sealed, customer: made.customer })
}

fn opened(app: &App, id: Uuid, status: i32, sealed: &str) -> Result<Made, ApiError> {
    let plain = crypto::open(&app.platform.keys.master, &row_name(id), sealed).map_err(ApiError::internal)?;
    let body = String::from_utf8(plain).map_err(ApiError::internal)?;
    let status = u16::try_from(status).ok().and_then(|s| StatusCode::from_u16(s).ok());
    let status = status.unwrap_or(StatusCode::CREATED);
    Ok(Made { status, body, customer: None, settled: true, secret: false })
}

/// The right to work on a request.
#[derive(Clone, Copy)]
struct Lease {
    row: Uuid,
    resource: Uuid,
    generation: i64,
}

enum Begun<T> {
    Leased(Lease, T),
    Again(Made),
}

/// Has something made by another service, once per key. `work` is given the id that the thing is to have: the same one on
/// every attempt under the key. It runs to its end even when the caller goes away.
///
/// # Errors
/// What `work` answers, or what the key's history says.
pub(crate) async fn remotely<F, Fut>(
    app: &App,
    keyed: Option<Keyed>,
    work: F,
) -> Result<HttpResponse, ApiError>
where
    F: FnOnce(Uuid) -> Fut + 'static,
    Fut: Future<Output = Result<Made, ApiError>> + 'static,
{
    match keyed {
        Some(keyed) => prepared(app, keyed, |_, _| Ok(()), move |id, ()| work(id)).await,
        None => to_its_end(async move { work(Uuid::now_v7()).await.map(Made::into_response) }).await,
    }
}

/// The same under a key, where something of our own is needed first: `prepare` runs in the transaction that notes the key, on
/// every attempt, with the id that the thing is to have. What it refuses leaves nothing behind.
///
/// # Errors
/// What `prepare` or `work` answers, or what the key's history says.
pub(crate) async fn prepared<P, T, F, Fut>(
    app: &App,
    keyed: Keyed,
    prepare: P,
    work: F,
) -> Result<HttpResponse, ApiError>
where
    P: Fn(&mut Tx<'_>, Uuid) -> Result<T, Failed> + Clone + Send + 'static,
    T: Send + 'static,
    F: FnOnce(Uuid, T) -> Fut + 'static,
    Fut: Future<Output = Result<Made, ApiError>> + 'static,
{
    let app = app.clone();
    to_its_end(async move {
        let (this, keyed) = (app.clone(), keyed);
        let begin = move |tx: &mut Tx<'_>| match lease(&this, tx, &keyed)? {
            Begun::Leased(lease, ()) => Ok(Begun::Leased(lease, prepare(tx, lease.resource)?)),
            Begun::Again(made) => Ok(Begun::Again(made)),
        };
        let (lease, ready) = match unless_raced(&app, begin).await? {
            Begun::Leased(lease, ready) => (lease, ready),
            Begun::Again(made) => return Ok(made.into_replay()),
        };
        let outcome = work(lease.resource, ready).await;
        if let Err(error) = settle(&app, lease, &outcome).await {
            tracing::warn!(%error, "an idempotency key could not be settled; a retry resumes after its lease");
        }
        outcome.map(Made::into_response)
    })
    .await
}

/// Runs to its end even when the caller goes away.
///
/// # Errors
/// What `whole` answers.
pub(crate) async fn to_its_end(
    whole: impl Future<Output = Result<HttpResponse, ApiError>> + 'static,
) -> Result<HttpResponse, ApiError> {
    actix_web::rt::spawn(trace::continued(whole)).await.map_err(ApiError::internal)?
}

/// Writes, and begins again when another request was faster.
///
/// # Errors
/// What `work` answers; 503 when it was raced again and again.
pub(crate) async fn unless_raced<T, F>(app: &App, work: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: Fn(&mut Tx<'_>) -> Result<T, Failed> + Clone + Send + 'static,
{
    for _ in 0..TRIES {
        match app.platform.database.write(work.clone()).await {
            Ok(done) => return Ok(done),
            Err(Failed::With(error)) => return Err(error),
            Err(Failed::Raced) => {}
        }
    }
    Err(ApiError::unavailable("requests for the same thing kept racing"))
}

fn lease(app: &App, tx: &mut Tx<'_>, keyed: &Keyed) -> Result<Begun<()>, Failed> {
    let now = tx.now();
    let stored = keys::find(tx.conn, keyed.project, &keyed.key)?;
    match judge(app, stored.as_ref(), keyed, now)? {
        Judged::Again(made) => Ok(Begun::Again(made)),
        Judged::Resume(row) => {
            keys::resume(tx.conn, row.id, row.generation, now)?;
            let lease = Lease { row: row.id, resource: row.resource_id, generation: row.generation + 1 };
            Ok(Begun::Leased(lease, ()))
        }
        Judged::Begin(stale) => {
            if let Some(stale) = stale {
                keys::remove(tx.conn, stale)?;
            }
            let lease = Lease { row: Uuid::now_v7(), resource: Uuid::now_v7(), generation: 1 };
            keys::insert(tx.conn, keyed, (lease.row, lease.resource), now)?;
            Ok(Begun::Leased(lease, ()))
        }
    }
}

/// Keeps an answer; forgets a request that was refused at the first attempt; gives back what nobody knows the end of.
async fn settle(app: &App, lease: Lease, outcome: &Result<Made, ApiError>) -> Result<(), ApiError> {
    let Lease { row, generation, .. } = lease;
    let answer = match outcome {
        Ok(made) if made.secret => Some(answer(app, row, made, Keep::Nothing)?),
        Ok(made) if made.settled => Some(answer(app, row, made, Keep::Answer)?),
        Ok(_) | Err(_) => None,
    };
    // Only the first attempt knows that a refusal has left nothing behind.
    let forget = generation == 1 && outcome.as_ref().is_err_and(ApiError::is_refusal);
    let write = app.platform.database.write(move |tx| match answer {
        Some(answer) => keys::finish(tx.conn, row, generation, &answer),
        None if forget => keys::forget(tx.conn, row, generation),
        None => keys::release(tx.conn, row, generation),
    });
    write.await.map_err(ApiError::from)
}
