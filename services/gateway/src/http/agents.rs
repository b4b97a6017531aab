//! `/agents`: the voice personas of the credential's business.

use actix_web::web::{self, Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use common::db::{DbError, Time};
use contracts::ids::AgentId;
use serde::{Deserialize as _, Serialize};
use serde_json::Value;
use uuid::Uuid;

use super::body;
use super::fields::{Fields, decode};
use super::idempotent::{self, Keep};
use super::page::Paging;
use super::query::path_id;
use super::reply::{Made, time};
use crate::app::App;
use crate::domain::agent::{AgentOptions, AgentSpec, DEFAULT_MAX_DURATION, required_variables};
use crate::domain::agent_warnings::warnings;
use crate::domain::role::Operation;
use crate::domain::schema::OutputSchema;
use crate::domain::text::{FirstMessage, Label, Language, Prompt, Voice};
use crate::error::ApiError;
use crate::identity::credential::authorise;
use crate::store::agents::{self, AgentRow};

/// An agent as it is answered.
#[derive(Serialize)]
struct AgentBody {
    id: Uuid,
    business_id: Uuid,
    name: String,
    system_prompt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_schema: Option<Value>,
    status: String,
    version: i32,
    language: Option<String>,
    voice: Option<String>,
    first_message: Option<String>,
    max_duration_seconds: u32,
    required_variables: Vec<String>,
    warnings: Vec<String>,
    created_at: String,
    updated_at: String,
}

impl TryFrom<AgentRow> for AgentBody {
    type Error = ApiError;

    fn try_from(row: AgentRow) -> Result<Self, ApiError> {
        let options = options(&row)?;
        Ok(Self {
            id: row.id.0,
            business_id: row.business_id.0,
            name: row.name,
            required_variables: required_variables(&row.system_prompt),
            warnings: warnings(
                &row.system_prompt,
                options.first_message.as_deref(),
                row.output_schema.as_ref().map(|schema| &schema.0),
            ),
            system_prompt: row.system_prompt,
            output_schema: row.output_schema.map(|schema| schema.0),
            status: row.status,
            version: row.version,
            language: options.language,
            voice: options.voice,
            first_message: options.first_message,
            max_duration_seconds: options.max_duration_seconds.unwrap_or(DEFAULT_MAX_DURATION),
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        })
    }
}

/// What an agent says about its calls.
///
/// # Errors
/// 500 when the row cannot be read.
pub(crate) fn options(row: &AgentRow) -> Result<AgentOptions, ApiError> {
    AgentOptions::deserialize(&row.options.0).map_err(ApiError::internal)
}

fn read_spec(fields: &mut Fields<'_>) -> Option<AgentSpec> {
    let name = fields.text("name", Label::parse);
    let prompt = fields.text("system_prompt", Prompt::parse);
    let schema = fields.nested("output_schema", OutputSchema::parse);
    let language = fields.optional_text("language", Language::parse);
    let voice = fields.optional_text("voice", Voice::parse);
    let first_message = fields.optional_text("first_message", FirstMessage::parse);
    let max_duration_seconds = fields.integer("max_duration_seconds", 30..=3600);
    let options = AgentOptions {
        language: language?.map(String::from),
        voice: voice?.map(String::from),
        first_message: first_message?.map(String::from),
        max_duration_seconds: max_duration_seconds?,
    };
    Some(AgentSpec { name: name?, prompt: prompt?, schema: schema?, options })
}

/// `POST /agents`: the agent and its version 1.
pub(crate) async fn create(
    app: Data<App>,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Build).await?;
    let body = body::json(&request, payload).await?;
    // A schema may take its time: not on the thread that serves others.
    let read = move || decode(&body, read_spec).map(|spec| (spec, body));
    let (spec, body) = web::block(read).await.map_err(ApiError::internal)??;
    let keyed = idempotent::keyed(&request, &tenant, &body)?;
    idempotent::locally(&app, keyed, Keep::Answer, move |tx| {
        let (id, now) = (AgentId::new(), Time::from(tx.now()));
        agents::insert(tx.conn, tenant.business, id, &spec, now)?;
        let row = agents::get(tx.conn, tenant.business, id)?.ok_or(DbError::NotFound)?;
        Made::created(&AgentBody::try_from(row)?)
    })
    .await
}

/// `GET /agents`, with `?status=`.
pub(crate) async fn list(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let paging = Paging::of(&request)?;
    let status = paging.query.get("status", |text| match text {
        agents::ACTIVE => Ok(agents::ACTIVE),
        agents::DISABLED => Ok(agents::DISABLED),
        _ => Err("must be active or disabled".to_owned()),
    })?;
    let rows = paging.rows();
    let mut rows =
        app.platform.database.read(move |db| agents::list(db, tenant.business, status, rows)).await?;
    let next = paging.cut(&mut rows, |row| row.id.0);
    let items = rows.into_iter().map(AgentBody::try_from).collect::<Result<Vec<_>, _>>()?;
    Ok(paging.answer(&app, &request, &items, next.as_deref()))
}

/// `GET /agents/{id}`.
pub(crate) async fn read(app: Data<App>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let tenant = authorise(&app, &request, Operation::Read).await?;
    let not_found = || ApiError::not_found("agent", "Agent");
    let id: AgentId = path_id(&request, "id").ok_or_else(not_found)?;
    let row = app.platform.database.read(move |db| agents::get(db, tenant.business, id)).await?;
    Ok(HttpResponse::Ok().json(AgentBody::try_from(row.ok_or_else(not_found)?)?))
}
