//! A project's opt-out list: put a number on it, read it, take one off.

use common::clock::to_millis;
use contracts::calls as proto;
use contracts::ids::ProjectId;
use uuid::Uuid;

use crate::app::App;
use crate::error::OrchestratorError;
use crate::events::text;
use crate::stopping;
use crate::store::suppressions::{self, Suppression};

/// Put there by the project.
const BY_API: &str = "api";

/// The row first, then what waits: from the moment that it is there the rules find it.
pub(super) async fn add(
    app: &App,
    request: proto::AddSuppressionRequest,
) -> Result<proto::Suppression, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let phone = request.phone_e164.clone();
    let row = app
        .write(move |tx| {
            let now = tx.now();
            let why = (request.reason.as_str(), BY_API);
            Ok(suppressions::add(tx.conn, project, &request.phone_e164, why, now)?)
        })
        .await?;
    if let Err(error) = stopping::stop_waiting(app, project, &phone).await {
        tracing::warn!(%project, %error, "what waits for a number could not be stopped; the rules stop it in time");
    }
    Ok(shown(row))
}

pub(super) async fn list(
    app: &App,
    request: proto::ListSuppressionsRequest,
) -> Result<proto::ListSuppressionsResponse, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let after = (!request.after_id.is_empty()).then(|| id(&request.after_id)).transpose()?;
    let limit = request.limit.clamp(1, 100);
    app.platform
        .database
        .read(move |db| {
            let phone = Some(request.phone_e164.as_str()).filter(|phone| !phone.is_empty());
            // One more than asked for tells whether there is a next page.
            let mut page = suppressions::list(db, project, phone, (after, limit + 1))?;
            let more = page.len() > limit as usize;
            page.truncate(limit as usize);
            let next = page.last().filter(|_| more).map(|row| row.id);
            let suppressions = page.into_iter().map(shown).collect();
            Ok(proto::ListSuppressionsResponse { suppressions, next_after_id: text(next) })
        })
        .await
}

pub(super) async fn remove(
    app: &App,
    request: &proto::RemoveSuppressionRequest,
) -> Result<proto::RemoveSuppressionResponse, OrchestratorError> {
    let project: ProjectId = request.project_id.parse()?;
    let id = id(&request.suppression_id)?;
    match app.write(move |tx| Ok(suppressions::remove(tx.conn, project, id)?)).await? {
        true => Ok(proto::RemoveSuppressionResponse {}),
        false => Err(OrchestratorError::NotFound("suppression")),
    }
}

fn id(text: &str) -> Result<Uuid, OrchestratorError> {
    let wrong = |_| OrchestratorError::Invalid { field: "id", problem: "must be a UUID".to_owned() };
    Uuid::parse_str(text).map_err(wrong)
}

fn shown(row: Suppression) -> proto::Suppression {
    proto::Suppression {
        id: row.id.to_string(),
        phone_e164: row.phone,
        reason: row.reason,
        source: row.source,
        created_at_ms: to_millis(row.created_at),
    }
}
