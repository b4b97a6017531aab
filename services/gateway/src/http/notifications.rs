//! `/notifications`: asking for a call and reading what became of it. The orchestrator owns them; here they get their id,
//! their parts and their public form.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{Db, Tx};
use contracts::calls::{
    Agent, Business, Customer, GetNotificationRequest, ListNotificationsRequest, Notification,
    PlaceNotificationRequest,
};
use contracts::ids::{AgentId, CustomerId, NotificationId};
use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::agents::options;
use super::body;
use super::fields::{Fields, decode};
use super::idempotent;
use super::page::Paging;
use super::query::path_id;
use super::reply::{Made, millis};
use crate::app::App;
use crate::domain::agent::DEFAULT_MAX_DURATION;
use crate::domain::json::{Metadata, Variables};
use crate::domain::phone_book::PhoneStatus;
use crate::domain::role::Operation;
use crate::domain::text::Message;
use crate::error::{ApiError, from_rpc};
use crate::identity::credential::{Tenant, authorise};
use crate::store::placings::{self, Placing};
use crate::store::{agents, businesses, customers, phones, projects};
use crate::tasks::withdraw_unknown::withdraw;

/// Longest call on the LLM path where the caller names none, in seconds.
const DEFAULT_SECONDS: u32 = 180;

/// A notification as it is answered.
#[derive(Serialize)]
struct NotificationBody {
    id: String,
    project_id: String,
    agent_id: Option<String>,
    agent_version: Option<u32>,
    customer_id: Option<String>,
    target_phone_e164: String,
    message: String,
    context: Option<String>,
    collect_feedback: bool,
    max_duration_seconds: u32,
    status: String,
    call_result: Option<Value>,
    ended_reason: Option<String>,
    blocked_by: Option<String>,
    carrier_code: Option<u32>,
    metadata: Option<Value>,
    created_at: String,
    updated_at: String,
}

#[derive(Serialize)]
struct PlacedBody {
    notification: NotificationBody,
    call: CallBody,
}

#[derive(Serialize)]
struct CallBody {
    #[serde(rename = "callId")]
    call_id: String,
    status: String,
}

impl From<Notification> for NotificationBody {
    fn from(n: Notification) -> Self {
        Self {
            id: n.id,
            project_id: n.project_id,
            agent_id: present(n.agent_id),
            agent_version: (n.agent_version > 0).then_some(n.agent_version),
            customer_id: present(n.customer_id),
            target_phone_e164: n.target_phone_e164,
            message: n.message,
            context: n.context,
            collect_feedback: n.collect_feedback,
            max_duration_seconds: n.max_duration_seconds,
            status: n.status,
            call_result: json(&n.call_result_json),
            ended_reason: present(n.ended_reason),
            blocked_by: present(n.blocked_by),
            carrier_code: (n.carrier_code > 0).then_some(n.carrier_code),
            metadata: json(&n.metadata_json),
            created_at: millis(n.created_at_ms),
            updated_at: millis(n.updated_at_ms),
        }
    }
}

fn present(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

/// A free value that travelled as text.
fn json(text: &str) -> Option<Value> {
    if text.is_empty() {
        return None;
    }
    let read = serde_json::from_str(text);
    read.inspect_err(|error| tracing::error!(%error, "the orchestrator sent what is no JSON")).ok()
}

/// What a caller asks for.
#[derive(Clone, Debug)]
struct Order {
    customer: CustomerId,
    agent: Option<AgentId>,
    message: Option<Message>,
    context: Option<Message>,
    variables: Variables,
    collect_feedback: bool,
    max_duration_seconds: u32,
    metadata: Option<Metadata>,
}

/// A call that should have waited until next week must not ring now.
const NOT_YET: &[&str] = &[
    "agent_version",
    "customer",
    "customer_external_id",
    "expires_at",
    "from",
    "reschedule",
    "retry",
    "scheduled_at",
    "voicemail",
];

impl Order {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let customer = fields.id("customer_id");
        let agent = fields.optional_id("agent_id");
        let message = fields.optional_text("message", Message::parse);
        let context = fields.optional_text("context", Message::parse);
        let variables = fields.nested("variables", Variables::parse);
        let collect_feedback = fields.flag("collect_feedback");
        let max_duration_seconds = fields.integer("max_duration_seconds", 30..=600);
        let metadata = fields.nested("metadata", Metadata::parse);
        fields.not_yet(NOT_YET);
        let silent =
            message.as_ref().is_some_and(|m| m.as_ref().is_none_or(|m| m.as_ref().trim().is_empty()));
        if silent && matches!(agent, Some(None)) {
            fields.refuse("message", "is required when there is no agent_id: it is what the call says");
        }
        Some(Self {
            customer: customer?,
            agent: agent?,
            message: message?,
            context: context?,
            variables: variables?.unwrap_or_default(),
            collect_feedback: collect_feedback?.unwrap_or(false),
            max_duration_seconds: max_duration_seconds?.unwrap_or(DEFAULT_SECONDS),
            metadata: metadata?,
        })
    }

    /// Everything that the orchestrator needs, looked up now.
    fn request(self, db: &mut Db, tenant: &Tenant, id: Uuid) -> Result<PlaceNotificationRequest, ApiError> {
        let customer = customer(db, tenant, self.customer)?;
        let agent = self.agent.map(|agent| self::agent(db, tenant, agent)).transpose()?;
        let standing = customers::standing(db, tenant.project, self.customer)?;
        let business = businesses::get(db, tenant.business)?;
        let settings = projects::settings(db, tenant.project)?;
        Ok(PlaceNotificationRequest {
            notification_id: id.to_string(),
            project_id: tenant.project.to_string(),
            business: Some(Business {
                name: business.name,
                summary: business.summary,
                industry: business.industry,
            }),
            customer: Some(customer),
            agent,
            message: self.message.map(String::from).unwrap_or_default(),
            context: self.context.map(String::from),
            variables_json: self.variables.to_text(),
            collect_feedback: self.collect_feedback,
            max_duration_seconds: self.max_duration_seconds,
            metadata_json: self.metadata.map(|m| m.to_text()).unwrap_or_default(),
            language: settings.language,
            voice: settings.voice,
            business_id: tenant.business.to_string(),
            policy: None,
            standing: Some(standing),
        })
    }
}

fn customer(db: &mut Db, tenant: &Tenant, id: CustomerId) -> Result<Customer, ApiError> {
    let row =
        customers::get(db, tenant.project, id)?.ok_or_else(|| ApiError::not_found("customer", "Customer"))?;
    let phones = phones::of_customers(db, tenant.project, &[row.id])?;
    let primary = phones.into_iter().find(|phone| phone.is_primary);
    let primary =
        primary.ok_or_else(|| ApiError::conflict("no_phone", "The customer has no primary phone"))?;
    if primary.status != PhoneStatus::Active.as_str() {
        let message =
            format!("The customer's primary phone is {}; make another one the primary one", primary.status);
        return Err(ApiError::conflict("phone_not_active", message));
    }
    Ok(Customer {
        id: row.id.0.to_string(),
        external_id: row.external_id,
        first_name: row.first_name,
        last_name: row.last_name,
        phone_e164: primary.value,
        metadata_json: row.metadata.0.to_string(),
    })
}

fn agent(db: &mut Db, tenant: &Tenant, id: AgentId) -> Result<Agent, ApiError> {
    let row = agents::get(db, tenant.business, id)?.ok_or_else(|| ApiError::not_found("agent", "Agent"))?;
    if row.status != agents::ACTIVE {
        return Err(ApiError::conflict("agent_disabled", "The agent is disabled"));
    }
    let options = options(&row)?;
    Ok(Agent {
        id: row.id.0.to_string(),
        version: u32::try_from(row.version).map_err(ApiError::internal)?,
        system_prompt: row.system_prompt,
        output_schema_json: row.output_schema.map(|schema| schema.0.to_string()).unwrap_or_default(),
        language: options.language.unwrap_or_default(),
        voice: options.voice.unwrap_or_default(),
        first_message: options.first_message.unwrap_or_default(),
        max_duration_seconds: options.max_duration_seconds.unwrap_or(DEFAULT_MAX_DURATION),
    })
}

/// `POST /notifications`: its id is fixed before anybody else hears of it.
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    let order = decode(&body, Order::read)?;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    let (this, can_ask_again) = (app.get_ref().clone(), keyed.is_some());
    idempotent::remotely(&app, keyed, move |id| async move {
        place(&this, tenant, order, id, can_ask_again).await
    })
    .await
}

async fn place(
    app: &App,
    tenant: Tenant,
    order: Order,
    id: Uuid,
    can_ask_again: bool,
) -> Result<Made, ApiError> {
    let customer = order.customer;
    let placed = if can_ask_again {
        let for_whom = tenant.clone();
        let request = app.platform.database.read(move |db| order.request(db, &for_whom, id)).await?;
        ask(app, &tenant, request).await?
    } else {
        place_or_withdraw(app, &tenant, order, id).await?
    };
    let call = CallBody { call_id: placed.call_id.clone(), status: placed.call_status.clone() };
    Ok(Made::created(&PlacedBody { notification: placed.into(), call })?.about(customer))
}

async fn ask(
    app: &App,
    tenant: &Tenant,
    request: PlaceNotificationRequest,
) -> Result<Notification, ApiError> {
    let placed = app.notifications.place_notification(tenant.context(), request).await;
    placed.map_err(|error| from_rpc(error, "notification", "Notification"))
}

/// For a caller who has no key to ask again with: what is not answered with its end must not ring. A row says so from before
/// the orchestrator hears of it, and whoever removes the row decides: this request, by its answer, or a withdrawal.
async fn place_or_withdraw(
    app: &App,
    tenant: &Tenant,
    order: Order,
    id: Uuid,
) -> Result<Notification, ApiError> {
    let placing = Placing {
        id: NotificationId(id),
        project: tenant.project,
        request_id: tenant.request_id.as_str().to_owned(),
    };
    let (noted, for_whom) = (placing.clone(), tenant.clone());
    let prepare = move |tx: &mut Tx<'_>| {
        let request = order.request(tx.conn, &for_whom, id)?;
        let now = tx.now();
        placings::insert(tx.conn, &noted, now)?;
        Ok::<_, ApiError>(request)
    };
    let request = app.platform.database.write(prepare).await?;
    let answer = ask(app, tenant, request).await;
    let known = answer.as_ref().map_or_else(ApiError::is_refusal, |_| true);
    let end = move |tx: &mut Tx<'_>| match known {
        true => placings::end(tx.conn, &placing),
        false => withdraw(tx, &placing),
    };
    match (answer, app.platform.database.write(end).await) {
        (Ok(placed), Ok(true)) => Ok(placed),
        (Ok(_), Ok(false)) => Err(ApiError::unavailable("it took so long that it was withdrawn")),
        // The row is still there, and will have it withdrawn.
        (Ok(_), Err(error)) => Err(error.into()),
        (Err(error), Ok(_)) => Err(error),
        (Err(error), Err(later)) => {
            tracing::warn!(error = %later, "what is not known will be withdrawn later");
            Err(error)
        }
    }
}

/// `GET /notifications`.
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let wanted = ListNotificationsRequest {
        project_id: tenant.project.to_string(),
        limit: paging.limit,
        after_id: paging.after_text(),
    };
    let listed = app.notifications.list_notifications(tenant.context(), wanted).await;
    let listed = listed.map_err(|e| from_rpc(e, "notification", "Notification"))?;
    let next = present(listed.next_after_id);
    let items: Vec<NotificationBody> = listed.notifications.into_iter().map(Into::into).collect();
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// `GET /notifications/{id}`.
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let id: NotificationId =
        path_id(&request, "id").ok_or_else(|| ApiError::not_found("notification", "Notification"))?;
    let wanted =
        GetNotificationRequest { project_id: tenant.project.to_string(), notification_id: id.to_string() };
    let found = app.notifications.get_notification(tenant.context(), wanted).await;
    let found = found.map_err(|e| from_rpc(e, "notification", "Notification"))?;
    Ok(HttpResponse::Ok().json(NotificationBody::from(found)))
}
