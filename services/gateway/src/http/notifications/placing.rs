//! Placing what was ordered: it is looked up, the orchestrator is asked, and for a caller who has no key to ask again with,
//! what nobody knows the end of is withdrawn.

use common::db::{DbError, Time, Tx};
use contracts::calls::{Notification, PlaceNotificationRequest};
use contracts::ids::NotificationId;
use uuid::Uuid;

use super::super::idempotent::{self, Failed};
use super::lookup::Book;
use super::order::Order;
use crate::app::App;
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::Tenant;
use crate::store::placings::{self, Placing};
use crate::tasks::withdraw_unknown::withdraw;

/// What an order becomes: a request, or why it is none.
pub(crate) type Prepared = Result<PlaceNotificationRequest, ApiError>;

/// Looks orders up, each by itself: one that cannot be served keeps no other from being. Runs again when it was raced.
pub(crate) fn prepare(
    tx: &mut Tx<'_>,
    tenant: &Tenant,
    orders: &[(Uuid, Order)],
) -> Result<Vec<Prepared>, Failed> {
    let now = Time::from(tx.now());
    let mut book = Book::open(tx.conn, tenant, orders.iter().map(|(_, order)| order))?;
    let mut prepared = Vec::with_capacity(orders.len());
    for (id, order) in orders {
        match book.request(tx.conn, tenant, (order, *id), now) {
            Ok(request) => prepared.push(Ok(request)),
            Err(Failed::With(error)) if error.is_refusal() => prepared.push(Err(error)),
            Err(other) => return Err(other),
        }
    }
    Ok(prepared)
}

/// Asks the orchestrator.
pub(crate) async fn ask(
    app: &App,
    tenant: &Tenant,
    request: PlaceNotificationRequest,
) -> Result<Notification, ApiError> {
    let placed = app.notifications.place_notification(tenant.context(), request).await;
    placed.map_err(|error| from_rpc(error, "notification", "Notification"))
}

/// For callers who have no key to ask again with: what is not answered with its end must not ring. A row says so from before
/// the orchestrator hears of it, and whoever removes the row decides: this request, by its answer, or a withdrawal.
#[derive(Clone)]
pub(crate) struct Unkeyed {
    placings: Vec<Placing>,
}

impl Unkeyed {
    /// Looks orders up and notes those that will be asked for.
    pub(crate) async fn prepare(
        app: &App,
        tenant: &Tenant,
        orders: Vec<(Uuid, Order)>,
    ) -> Result<(Self, Vec<Prepared>), ApiError> {
        let tenant = tenant.clone();
        idempotent::unless_raced(app, move |tx| {
            let prepared = prepare(tx, &tenant, &orders)?;
            let now = tx.now();
            let placing = |id: Uuid| Placing {
                id: NotificationId(id),
                project: tenant.project,
                request_id: tenant.request_id.as_str().to_owned(),
            };
            let asked = orders.iter().zip(&prepared).filter(|(_, prepared)| prepared.is_ok());
            let placings: Vec<Placing> = asked.map(|((id, _), _)| placing(*id)).collect();
            placings.iter().try_for_each(|placing| placings::insert(tx.conn, placing, now))?;
            Ok((Self { placings }, prepared))
        })
        .await
    }

    /// Ends what has its end, and withdraws what nobody knows the end of. `answers`: of what was asked for, in the same order.
    pub(crate) async fn settle(
        self,
        app: &App,
        answers: Vec<Result<Notification, ApiError>>,
    ) -> Vec<Result<Notification, ApiError>> {
        let known: Vec<bool> =
            answers.iter().map(|a| a.as_ref().map_or_else(ApiError::is_refusal, |_| true)).collect();
        let end = move |tx: &mut Tx<'_>| {
            let each = self.placings.iter().zip(&known).map(|(placing, known)| match known {
                true => placings::end(tx.conn, placing),
                false => withdraw(tx, placing),
            });
            each.collect::<Result<Vec<bool>, DbError>>()
        };
        match app.platform.database.write(end).await {
            Ok(ours) => answers.into_iter().zip(ours).map(|(answer, ours)| told(answer, ours)).collect(),
            // The rows are still there, and will have what was placed withdrawn.
            Err(error) => {
                tracing::warn!(%error, "what is not known will be withdrawn later");
                let lost = || ApiError::unavailable("it could not be noted that it was placed");
                answers.into_iter().map(|answer| answer.and_then(|_| Err(lost()))).collect()
            }
        }
    }
}

fn told(answer: Result<Notification, ApiError>, ours: bool) -> Result<Notification, ApiError> {
    match answer {
        Ok(_) if !ours => Err(ApiError::unavailable("it took so long that it was withdrawn")),
        answer => answer,
    }
}
