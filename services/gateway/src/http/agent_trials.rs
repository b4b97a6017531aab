//! `/agents/{id}/preview` and `/agents/{id}/simulate`: an agent is tried without a call. A disabled one can be tried, too: that is
//! how it is repaired. Nothing is kept.

use std::time::Duration;

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::Db;
use contracts::accounts::CustomerStanding;
use contracts::calls::{
    Business, Customer, PlaceNotificationRequest, PreviewPromptRequest, SimulateRequest, SimulateResponse,
    SimulatedUtterance,
};
use contracts::ids::{AgentId, CustomerId};
use contracts::rpc::Context;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::body;
use super::fields::{Fields, decode};
use super::notifications::lookup::frozen;
use super::query::path_id;
use crate::app::App;
use crate::domain::json::Variables;
use crate::domain::role::Operation;
use crate::domain::text::Message;
use crate::domain::trial::{self, Said, SampleCustomer};
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::{Tenant, authorise};
use crate::store::{agents, businesses, customers, projects};

/// A model answers and reads out a result, perhaps twice.
const SIMULATE_WITHIN: Duration = Duration::from_secs(75);

/// Whom the agent speaks to, and about what.
#[derive(ToSchema)]
#[schema(as = AgentPreview, example = json!({
    "customer": {"first_name": "John", "last_name": "Smith", "timezone": "Europe/Berlin"},
    "variables": {"doctor_name": "Dr. Patel"}
}))]
#[expect(dead_code, reason = "the document's view of what `Trial::read` reads")]
pub(super) struct PreviewRequest {
    /// Which version of the agent; the newest one, if none is named.
    #[schema(minimum = 1)]
    version: Option<u32>,
    /// A customer of the project. Not together with `customer`.
    customer_id: Option<uuid::Uuid>,
    /// Somebody who need not exist.
    customer: Option<SampleCustomerSchema>,
    /// Fills `{{message}}`.
    #[schema(max_length = 4000)]
    message: Option<String>,
    /// Fills `{{context}}`.
    #[schema(max_length = 4000)]
    context: Option<String>,
    /// Values for the prompt's other tokens: strings, numbers and booleans.
    #[schema(value_type = Option<Object>)]
    variables: Option<Value>,
}

/// Somebody who need not exist. What is left out is empty.
#[derive(ToSchema)]
#[schema(as = SampleCustomer)]
#[expect(dead_code, reason = "the document's view of what `SampleCustomer::parse` reads")]
struct SampleCustomerSchema {
    #[schema(max_length = 200)]
    first_name: Option<String>,
    #[schema(max_length = 200)]
    last_name: Option<String>,
    #[schema(max_length = 200)]
    external_id: Option<String>,
    /// Fills `{{customer.metadata.<key>}}`.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Value>,
    /// An IANA name: the zone of `{{current_date}}`, `{{current_time}}` and of times that are offered.
    timezone: Option<String>,
}

/// The same, and the conversation so far.
#[derive(ToSchema)]
#[schema(as = AgentSimulation, example = json!({
    "customer": {"first_name": "John"},
    "messages": [
        {"role": "agent", "text": "Hi, is this John? Does Thursday still work for you?"},
        {"role": "customer", "text": "Yes, that works."}
    ],
    "extract": true
}))]
#[expect(dead_code, reason = "the document's view of what `simulate` reads")]
pub(super) struct SimulationRequest {
    #[schema(minimum = 1)]
    version: Option<u32>,
    customer_id: Option<uuid::Uuid>,
    customer: Option<SampleCustomerSchema>,
    #[schema(max_length = 4000)]
    message: Option<String>,
    #[schema(max_length = 4000)]
    context: Option<String>,
    #[schema(value_type = Option<Object>)]
    variables: Option<Value>,
    /// What was said so far, oldest first. Empty: the call has just been answered. When the agent spoke last, the customer
    /// says nothing.
    #[schema(max_items = 100)]
    messages: Option<Vec<SaidSchema>>,
    /// Whether to read out what was learned so far.
    extract: Option<bool>,
}

/// One thing said.
#[derive(ToSchema)]
#[schema(as = SimulatedMessage)]
#[expect(dead_code, reason = "the document's view of what `trial::messages` reads")]
struct SaidSchema {
    /// Who said it.
    role: String,
    /// The words.
    #[schema(max_length = 4000)]
    text: String,
}

/// How a prompt reads.
#[derive(Serialize, ToSchema)]
#[schema(as = RenderedPrompt, example = json!({
    "prompt": "You are a friendly assistant calling John on behalf of Acme Inc. Ask whether {{appointment_time}} works.",
    "unresolved_variables": ["appointment_time"], "first_message": null
}))]
pub(super) struct PreviewBody {
    /// The prompt with its tokens filled in.
    prompt: String,
    /// Tokens that nothing fills: they stay as they are.
    unresolved_variables: Vec<String>,
    /// The fixed first sentence; null when the prompt decides.
    first_message: Option<String>,
}

/// What the agent says next.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedTurn, example = json!({
    "message": "Great, see you on Thursday. Goodbye!", "ended": true, "ended_reason": "agent-ended-call",
    "call_result": {"confirmed": true}, "evidence": {"confirmed": {"status": "grounded", "turn": 1, "quote": "Yes, that works."}},
    "tool_calls": [], "model": "gpt-4o-mini"
}))]
pub(super) struct SimulationBody {
    /// The words.
    message: String,
    /// Whether the call would be over behind them.
    ended: bool,
    /// Why it would be over; null when it goes on.
    ended_reason: Option<String>,
    /// What was learned so far; null when it was not asked for, or nothing is to be learned.
    #[schema(value_type = Option<Object>)]
    call_result: Option<Value>,
    /// Where each property of it was said.
    #[schema(value_type = Option<Object>)]
    evidence: Option<Value>,
    /// What the agent would have called. Nothing is called here, and every wish for another time counts as booked.
    tool_calls: Vec<ToolCallBody>,
    /// The name of the model that spoke.
    model: String,
}

/// Something that the agent would have called.
#[derive(Serialize, ToSchema)]
#[schema(as = SimulatedToolCall, example = json!({"name": "find_appointments", "arguments": {"day": "2026-03-19"}}))]
pub(super) struct ToolCallBody {
    name: String,
    /// What it would have been sent.
    #[schema(value_type = Object)]
    arguments: Value,
}

impl From<SimulateResponse> for SimulationBody {
    fn from(answer: SimulateResponse) -> Self {
        let json = |text: &str| serde_json::from_str::<Value>(text).ok();
        let tool_calls = answer.tool_calls.into_iter();
        Self {
            message: answer.text,
            ended: answer.ended,
            ended_reason: Some(answer.ended_reason).filter(|reason| !reason.is_empty()),
            call_result: json(&answer.result_json),
            evidence: json(&answer.evidence_json),
            tool_calls: tool_calls
                .map(|call| ToolCallBody {
                    name: call.name,
                    arguments: json(&call.arguments_json).unwrap_or_else(|| json!({})),
                })
                .collect(),
            model: answer.model,
        }
    }
}

/// Who is spoken to.
#[derive(Clone, Debug)]
enum Whom {
    /// A customer of the project.
    Known(CustomerId),
    /// Somebody who need not exist.
    Sample(SampleCustomer),
}

/// What is tried.
#[derive(Clone, Debug)]
struct Trial {
    version: Option<i32>,
    whom: Whom,
    message: Option<Message>,
    context: Option<Message>,
    variables: Variables,
}

impl Trial {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let version = fields.integer("version", 1..=i32::MAX.unsigned_abs());
        let known = fields.optional_id("customer_id");
        let sample = fields.nested("customer", SampleCustomer::parse);
        let message = fields.optional_text("message", Message::parse);
        let context = fields.optional_text("context", Message::parse);
        let variables = fields.nested("variables", Variables::parse);
        let whom = match (known?, sample?) {
            (Some(_), Some(_)) => {
                fields.refuse("customer", "cannot stand beside customer_id: name a customer or describe one");
                return None;
            }
            (Some(id), None) => Whom::Known(id),
            (None, sample) => Whom::Sample(sample.unwrap_or_default()),
        };
        Some(Self {
            version: version?.and_then(|version| i32::try_from(version).ok()),
            whom,
            message: message?,
            context: context?,
            variables: variables?.unwrap_or_default(),
        })
    }

    /// The notification that would be placed.
    fn parts(self, db: &mut Db, tenant: &Tenant, id: AgentId) -> Result<PlaceNotificationRequest, ApiError> {
        let not_found = || ApiError::not_found("agent", "Agent");
        let newest = agents::get(db, tenant.business, id)?.ok_or_else(not_found)?;
        let row = match self.version {
            Some(version) => agents::version(db, tenant.business, id, version)?
                .ok_or_else(|| ApiError::not_found("agent_version", "Version of the agent"))?,
            None => newest,
        };
        let (customer, standing, language) = whom(db, tenant, self.whom)?;
        let project = projects::of_credential(db, tenant.project)?;
        let mut agent = frozen(db, tenant.business, (&row, &project.settings))?;
        if let Some(language) = &language {
            agent.language.clone_from(language);
        }
        let business = businesses::get(db, tenant.business)?;
        Ok(PlaceNotificationRequest {
            project_id: tenant.project.to_string(),
            business_id: tenant.business.to_string(),
            business: Some(Business {
                name: business.name,
                summary: business.summary,
                industry: business.industry,
            }),
            customer: Some(customer),
            agent: Some(agent),
            message: self.message.map(String::from).unwrap_or_default(),
            context: self.context.map(String::from),
            variables_json: self.variables.to_text(),
            policy: Some(project.policy()),
            language: language.unwrap_or(project.settings.language),
            voice: project.settings.voice,
            disclosure_line: project.settings.disclosure_line.unwrap_or_default(),
            standing: Some(standing),
            ..PlaceNotificationRequest::default()
        })
    }
}

/// Whom the agent speaks to, and in which language if they have one of their own: it counts more than the agent's.
fn whom(
    db: &mut Db,
    tenant: &Tenant,
    whom: Whom,
) -> Result<(Customer, CustomerStanding, Option<String>), ApiError> {
    match whom {
        Whom::Known(id) => {
            let row = customers::get(db, tenant.project, id)?
                .ok_or_else(|| ApiError::not_found("customer", "Customer"))?;
            let standing = row.standing()?;
            let customer = Customer {
                id: row.id.0.to_string(),
                external_id: row.external_id,
                first_name: row.first_name,
                last_name: row.last_name,
                metadata_json: row.metadata.0.to_string(),
                ..Customer::default()
            };
            Ok((customer, standing, row.language))
        }
        Whom::Sample(sample) => {
            let time_zone = sample.timezone.map(|zone| zone.name().to_owned()).unwrap_or_default();
            let customer = Customer {
                external_id: sample.external_id,
                first_name: sample.first_name,
                last_name: sample.last_name,
                metadata_json: sample.metadata.to_text(),
                ..Customer::default()
            };
            Ok((customer, CustomerStanding { time_zone, ..CustomerStanding::default() }, None))
        }
    }
}

async fn parts(
    app: &App,
    tenant: &Tenant,
    request: &HttpRequest,
    trial: Trial,
) -> Result<PlaceNotificationRequest, ApiError> {
    let id: AgentId = path_id(request, "id").ok_or_else(|| ApiError::not_found("agent", "Agent"))?;
    let tenant = tenant.clone();
    app.platform.database.read(move |db| trial.parts(db, &tenant, id)).await
}

/// Show the prompt of an agent as a call would have it. Nothing is kept; a disabled agent can be tried, too.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/preview",
    operation_id = "previewAgent",
    tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "The agent.")),
    request_body = PreviewRequest,
    responses((status = 200, description = "The rendered prompt.", body = PreviewBody))
)]
pub(crate) async fn preview(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    let trial = decode(&body, Trial::read)?;
    let parts = parts(&app, &tenant, &request, trial).await?;
    let asked = PreviewPromptRequest { parts: Some(parts) };
    let shown = app.simulations.preview_prompt(tenant.context(), asked).await;
    let shown = shown.map_err(|error| from_rpc(error, "agent", "Agent"))?;
    Ok(HttpResponse::Ok().json(PreviewBody {
        prompt: shown.prompt,
        unresolved_variables: shown.unresolved_variables,
        first_message: Some(shown.first_message).filter(|text| !text.is_empty()),
    }))
}

/// Hold a conversation with an agent in writing: send what was said so far, get what it says next. Nothing is kept and nothing
/// is called; a disabled agent can be tried, too.
#[utoipa::path(
    post,
    path = "/api/v1/agents/{id}/simulate",
    operation_id = "simulateAgent",
    tag = "agents",
    params(("id" = uuid::Uuid, Path, description = "The agent.")),
    request_body = SimulationRequest,
    responses((status = 200, description = "What the agent says next.", body = SimulationBody))
)]
pub(crate) async fn simulate(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    let (trial, said, extract) = decode(&body, |fields| {
        let trial = Trial::read(fields);
        let said = fields.nested("messages", trial::messages);
        let extract = fields.flag("extract");
        Some((trial?, said?.unwrap_or_default(), extract?.unwrap_or(false)))
    })?;
    let parts = parts(&app, &tenant, &request, trial).await?;
    let history = said.into_iter().map(|Said { by_agent, text }| SimulatedUtterance { by_agent, text });
    let asked = SimulateRequest { parts: Some(parts), history: history.collect(), extract };
    let context = Context { deadline: SIMULATE_WITHIN, ..tenant.context() };
    let next = app.simulations.simulate(context, asked).await;
    let next = next.map_err(|error| from_rpc(error, "agent", "Agent"))?;
    Ok(HttpResponse::Ok().json(SimulationBody::from(next)))
}
