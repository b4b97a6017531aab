//! `/usage`: what was used, by project and day. The orchestrator counts, because it knows how calls end.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use contracts::calls::{GetUsageRequest, UsageDay};
use contracts::ids::ProjectId;
use serde::Serialize;
use utoipa::ToSchema;

use super::query::Query;
use crate::app::App;
use crate::domain::days::{self, Span};
use crate::domain::role::Operation;
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::{Subject, Tenant, authorise};
use crate::store::projects;

/// The orchestrator is asked for so many projects at a time.
const AT_ONCE: usize = 1_000;

/// What a project has used on one day.
#[derive(Serialize, ToSchema)]
#[schema(as = UsageDay, example = json!({
    "project_id": "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f33", "day": "2026-03-18", "calls": 12, "answered": 9,
    "minutes": 14.25, "model_tokens_in": 18250, "model_tokens_out": 1460, "cost": 0.21, "currency": "USD"
}))]
pub(super) struct UsageBody {
    #[schema(value_type = Uuid)]
    project_id: String,
    /// The day, UTC, on which the calls ended, and their tokens were used.
    #[schema(format = Date)]
    day: String,
    /// Calls that were dialled.
    calls: u64,
    /// Those of them that somebody picked up.
    answered: u64,
    /// Their talk time in minutes, as it was; carriers round up each call.
    minutes: f64,
    /// What the model read; null when it does not say.
    model_tokens_in: Option<u64>,
    /// What the model wrote; null when it does not say.
    model_tokens_out: Option<u64>,
    /// As far as the carrier has said: it does so some time after the end of each call. Null when it has said nothing. Different
    /// currencies are not added up: of a day with several, this is the greatest sum.
    cost: Option<f64>,
    /// The carrier's currency, such as `USD`; null without a cost.
    currency: Option<String>,
}

impl From<UsageDay> for UsageBody {
    fn from(day: UsageDay) -> Self {
        Self {
            project_id: day.project_id,
            day: day.day,
            calls: day.calls,
            answered: day.answered,
            minutes: rounded(day.talk_ms, 60_000),
            model_tokens_in: day.tokens_in,
            model_tokens_out: day.tokens_out,
            cost: day.cost_micros.map(|micros| rounded(micros, 1_000_000)),
            currency: Some(day.currency).filter(|currency| !currency.is_empty()),
        }
    }
}

/// `n` parts, of which `whole` make one, to four places.
fn rounded(n: u64, whole: u64) -> f64 {
    let ten_thousandths = (u128::from(n) * 10_000 + u128::from(whole) / 2) / u128::from(whole);
    f64::from(u32::try_from(ten_thousandths).unwrap_or(u32::MAX)) / 10_000.0
}

/// What was used, by project and day (UTC); days on which nothing was used are left out. A key sees its project. An access token
/// sees all projects of the business, unless the `x-echo-project` header names one.
#[utoipa::path(
    get,
    path = "/api/v1/usage",
    operation_id = "getUsage",
    tag = "usage",
    params(
        ("from" = Option<String>, Query, description = "First day, such as 2026-03-01; default: 30 days that end with `to`."),
        ("to" = Option<String>, Query, description = "Last day, included; default: today. At most 366 days after `from`."),
    ),
    responses((status = 200, description = "Oldest first.", body = Vec<UsageBody>))
)]
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let query = Query::of(&request)?;
    let (from, to) = (query.get("from", days::parse)?, query.get("to", days::parse)?);
    let today = app.platform.clock.now().date_naive();
    let span = Span::new(from, to, today).map_err(|problem| ApiError::invalid_field("to", problem))?;
    let named = request.headers().contains_key("x-echo-project");
    let whole_business = matches!(tenant.subject, Subject::User(_)) && !named;
    let projects = match whole_business {
        true => app.platform.database.read(move |db| projects::ids(db, tenant.business)).await?,
        false => vec![tenant.project],
    };
    let days: Vec<UsageBody> =
        used(&app, &tenant, &projects, span).await?.into_iter().map(Into::into).collect();
    Ok(HttpResponse::Ok().json(days))
}

/// What these projects have used, oldest first. A business may have had many by now: deleted ones have used something, too.
async fn used(
    app: &App,
    tenant: &Tenant,
    projects: &[ProjectId],
    span: Span,
) -> Result<Vec<UsageDay>, ApiError> {
    let mut days = Vec::new();
    for some in projects.chunks(AT_ONCE) {
        let wanted = GetUsageRequest {
            project_ids: some.iter().map(ToString::to_string).collect(),
            first_day: span.first.to_string(),
            last_day: span.last.to_string(),
        };
        let used = app.usage.get_usage(tenant.context(), wanted).await;
        days.extend(used.map_err(|error| from_rpc(error, "usage", "Usage"))?.days);
    }
    if projects.len() > AT_ONCE {
        days.sort_by(|a, b| (&a.day, &a.project_id).cmp(&(&b.day, &b.project_id)));
    }
    Ok(days)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn talk_time_is_told_in_minutes_to_four_places() {
        for (ms, minutes) in
            [(0, 0.0), (60_000, 1.0), (90_000, 1.5), (1_000, 0.0167), (29_999, 0.5), (3, 0.0001)]
        {
            assert!((rounded(ms, 60_000) - minutes).abs() < 1e-9, "{ms}");
        }
    }
}
