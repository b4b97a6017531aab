//! An agent as callers write and read it.

use serde::{Deserialize as _, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::agent::{AgentOptions, AgentSpec, DEFAULT_MAX_DURATION, required_variables};
use crate::domain::agent_warnings::warnings;
use crate::domain::app::app_id;
use crate::domain::phone::PhoneE164;
use crate::domain::reschedule::Reschedule;
use crate::domain::schema::OutputSchema;
use crate::domain::text::{FirstMessage, Label, Language, Prompt, Voice, VoicemailMessage};
use crate::domain::tool::{self, Tool};
use crate::error::ApiError;
use crate::http::fields::{Fields, decode, overlay};
use crate::http::reply::time;
use crate::store::agents::{self, AgentRow};

/// What an agent is made of.
#[derive(ToSchema)]
#[schema(as = NewAgent, example = json!({
    "name": "Appointment Reminder",
    "system_prompt": "You are a friendly assistant calling {{recipient_first_name}} on behalf of {{business_name}}. \
                      Start the call by saying: \"Hi, is this {{recipient_first_name}}?\" Ask whether they confirm the \
                      appointment on {{appointment_time}}, then say goodbye and end the call.",
    "output_schema": {"type": "object", "required": ["confirmed"], "properties": {"confirmed": {"type": "boolean"}}}
}))]
#[expect(dead_code, reason = "the document's view of what `read_spec` reads")]
pub(crate) struct NewAgentRequest {
    /// A label, never spoken; names need not be unique.
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// The prompt, with its `{{variables}}` in place: all that the model gets. Which model that is the operator says.
    ///
    /// Built-in: `business_name`, `business_summary`, `industry`, `recipient_name`, `recipient_first_name`,
    /// `recipient_last_name`, `message`, `context`, `current_date`, `current_time` (in the customer's time zone, else the
    /// project's), `customer.metadata.<key>` (texts, numbers and booleans at its top). Every other token wants a value in
    /// the notification's `variables`.
    ///
    /// Names are case-sensitive and hold anything but braces and line ends; white space inside the braces is ignored. There
    /// is no escaping, and there are no filters, defaults or nested tokens. Values are filled in in one pass and never looked
    /// into. A built-in that was not given is empty; any other token without a value stays as it is. Values stand in the
    /// prompt as they are: let it treat them as data.
    #[schema(min_length = 1, max_length = 32_000)]
    system_prompt: String,
    /// A JSON Schema (draft 2020-12) of type object: what to extract after the call. At most 32 KiB and 8 levels, with all
    /// keywords: `$ref` only to places inside the schema; `format` is checked; at most 64 patterns of 256 characters, without
    /// look-around and back-references.
    #[schema(value_type = Option<Object>)]
    output_schema: Option<Value>,
    /// BCP-47 tag; else the project's language.
    language: Option<String>,
    /// The carrier's name for the voice, such as `man` or `Polly.Joanna`; else the project's voice.
    #[schema(max_length = 200)]
    voice: Option<String>,
    /// A fixed first sentence.
    #[schema(max_length = 4000)]
    first_message: Option<String>,
    /// Longest call, in seconds.
    #[schema(minimum = 30, maximum = 3600, default = 600)]
    max_duration_seconds: Option<u32>,
    /// What is left on an answering machine.
    #[schema(max_length = 4000)]
    voicemail_message: Option<String>,
    /// The person to whom a call can be handed over, E.164.
    #[schema(example = "+14155552671")]
    transfer_number: Option<String>,
    /// The app whose documents answer questions; else the project's. Kept; calls do not use it yet.
    #[schema(max_length = 64)]
    knowledge_app_id: Option<String>,
    /// What can be called in the conversation: at most 20, with names of their own, 64 KiB together.
    #[schema(max_items = 20)]
    tools: Option<Vec<ToolBody>>,
    /// Other times to offer.
    reschedule: Option<RescheduleBody>,
}

/// What changes about an agent. `null` removes what is optional.
#[derive(ToSchema)]
#[schema(as = AgentChanges, example = json!({"first_message": "Hello, this is Acme.", "voice": null}))]
#[expect(dead_code, reason = "the document's view of what `Draft::read` reads")]
pub(crate) struct AgentChangesRequest {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[schema(min_length = 1, max_length = 32_000)]
    system_prompt: Option<String>,
    #[schema(value_type = Option<Object>)]
    output_schema: Option<Value>,
    language: Option<String>,
    #[schema(max_length = 200)]
    voice: Option<String>,
    #[schema(max_length = 4000)]
    first_message: Option<String>,
    #[schema(minimum = 30, maximum = 3600)]
    max_duration_seconds: Option<u32>,
    #[schema(max_length = 4000)]
    voicemail_message: Option<String>,
    transfer_number: Option<String>,
    #[schema(max_length = 64)]
    knowledge_app_id: Option<String>,
    #[schema(max_items = 20)]
    tools: Option<Vec<ToolBody>>,
    reschedule: Option<RescheduleBody>,
    /// `active` enables it again.
    status: Option<String>,
}

/// Something that the agent can call.
#[derive(Serialize, ToSchema)]
#[schema(as = Tool, example = json!({
    "name": "find_appointments", "description": "Finds free appointments on a day.",
    "parameters": {"type": "object", "required": ["day"], "properties": {"day": {"type": "string", "format": "date"}}},
    "url": "https://your-server.com/tools/appointments"
}))]
pub(crate) struct ToolBody {
    /// How the model calls it: letters, digits, underscores, hyphens.
    #[schema(pattern = "^[a-zA-Z0-9_-]{1,64}$")]
    name: String,
    /// What it is for, for the model.
    #[schema(min_length = 1, max_length = 1000)]
    description: String,
    /// A JSON Schema of type object: what it is given.
    #[schema(value_type = Object)]
    parameters: Value,
    /// Where it is. A signed POST with `{event_id, event_name: "agent.tool", tool, arguments, notification_id, call_id,
    /// customer_id, external_id, agent_id, timestamp}`, whose answer, at most 4,000 characters, the model is told. It has three
    /// seconds; at most 5 are made in a turn and 20 in a call. Plain http and private addresses are refused when they are
    /// called, unless the operator has opened them.
    #[schema(max_length = 2048)]
    url: String,
}

/// How another time is agreed on: from `slots`, at the `url` that books, or both. At least one of them.
#[derive(ToSchema)]
#[schema(as = Reschedule, example = json!({"slots": ["2026-03-19T09:00:00.000Z", "2026-03-20T13:00:00.000Z"]}))]
#[expect(dead_code, reason = "the document's view of `domain/reschedule.rs`")]
pub(crate) struct RescheduleBody {
    /// 1 to 50 times (RFC 3339).
    #[schema(min_items = 1, max_items = 50)]
    slots: Option<Vec<String>>,
    /// Where a time is booked in the call: a signed POST with `{event_name: "reschedule.book", …, preferred}`, answered with
    /// `{accepted, time?, slots?}`.
    #[schema(max_length = 2048)]
    url: Option<String>,
}

/// An agent.
#[derive(Serialize, ToSchema)]
#[schema(as = Agent)]
pub(crate) struct AgentBody {
    #[schema(example = "ddb8be3b-a426-4122-b877-a0cba363c89d")]
    id: Uuid,
    #[schema(example = "0198c7a2-6f1e-7c3a-9d52-0a4c5b1e2f34")]
    business_id: Uuid,
    #[serde(flatten)]
    content: Content,
    /// A disabled one cannot be used for new notifications.
    #[schema(example = "active")]
    status: String,
    /// Number of the newest version; every change makes one.
    #[schema(example = 1)]
    version: i32,
    /// What every notification has to bring values for.
    #[schema(example = json!(["appointment_time"]))]
    required_variables: Vec<String>,
    /// What is probably not meant as it stands; for people.
    #[schema(example = json!([]))]
    warnings: Vec<String>,
    #[schema(example = "2026-03-18T17:43:46.714Z")]
    created_at: String,
    #[schema(example = "2026-03-18T17:43:46.714Z")]
    updated_at: String,
}

/// One version of an agent.
#[derive(Serialize, ToSchema)]
#[schema(as = AgentVersion)]
pub(crate) struct VersionBody {
    #[schema(example = "ddb8be3b-a426-4122-b877-a0cba363c89d")]
    agent_id: Uuid,
    /// From 1: the creation.
    #[schema(example = 1)]
    version: i32,
    #[serde(flatten)]
    content: Content,
    /// In this version.
    #[schema(example = "active")]
    status: String,
    #[schema(example = "2026-03-18T17:43:46.714Z")]
    created_at: String,
}

/// What a version holds.
#[derive(Serialize, ToSchema)]
#[schema(as = AgentContent, example = json!({
    "name": "Appointment Reminder",
    "system_prompt": "You are a friendly assistant calling {{recipient_first_name}} on behalf of {{business_name}}. \
                      Start the call by saying: \"Hi, is this {{recipient_first_name}}?\" Ask whether they confirm the \
                      appointment on {{appointment_time}}, then say goodbye and end the call.",
    "output_schema": {"type": "object", "required": ["confirmed"], "properties": {"confirmed": {"type": "boolean"}}},
    "language": null, "voice": null, "first_message": null, "max_duration_seconds": 600, "voicemail_message": null,
    "transfer_number": null, "knowledge_app_id": null, "tools": [], "reschedule": null
}))]
pub(crate) struct Content {
    name: String,
    system_prompt: String,
    /// Absent without one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    output_schema: Option<Value>,
    language: Option<String>,
    voice: Option<String>,
    first_message: Option<String>,
    max_duration_seconds: u32,
    voicemail_message: Option<String>,
    transfer_number: Option<String>,
    knowledge_app_id: Option<String>,
    tools: Vec<ToolBody>,
    #[schema(value_type = Option<RescheduleBody>)]
    reschedule: Option<Value>,
}

impl Content {
    fn of(row: &AgentRow) -> Result<Self, ApiError> {
        let options = options(row)?;
        let reschedule = options.reschedule.as_ref().map(serde_json::to_value).transpose();
        Ok(Self {
            name: row.name.clone(),
            system_prompt: row.system_prompt.clone(),
            output_schema: row.output_schema.as_ref().map(|schema| schema.0.clone()),
            language: options.language,
            voice: options.voice,
            first_message: options.first_message,
            max_duration_seconds: options.max_duration_seconds.unwrap_or(DEFAULT_MAX_DURATION),
            voicemail_message: options.voicemail_message,
            transfer_number: options.transfer_number,
            knowledge_app_id: options.knowledge_app_id,
            tools: options.tools.into_iter().map(ToolBody::from).collect(),
            reschedule: reschedule.map_err(ApiError::internal)?,
        })
    }
}

impl From<Tool> for ToolBody {
    fn from(Tool { name, description, parameters, url }: Tool) -> Self {
        Self { name, description, parameters, url }
    }
}

impl TryFrom<AgentRow> for AgentBody {
    type Error = ApiError;

    fn try_from(row: AgentRow) -> Result<Self, ApiError> {
        let content = Content::of(&row)?;
        let schema = content.output_schema.as_ref();
        let templates: Vec<&str> = [Some(&content.system_prompt), content.first_message.as_ref()]
            .into_iter()
            .chain([content.voicemail_message.as_ref()])
            .flatten()
            .map(String::as_str)
            .collect();
        let said = warnings(
            &templates,
            &content.system_prompt,
            content.first_message.as_deref(),
            content.language.as_deref(),
            schema,
        );
        Ok(Self {
            id: row.id.0,
            business_id: row.business_id.0,
            required_variables: required_variables(&templates),
            warnings: said,
            content,
            status: row.status,
            version: row.version,
            created_at: time(row.created_at),
            updated_at: time(row.updated_at),
        })
    }
}

impl TryFrom<AgentRow> for VersionBody {
    type Error = ApiError;

    fn try_from(row: AgentRow) -> Result<Self, ApiError> {
        Ok(Self {
            agent_id: row.id.0,
            version: row.version,
            content: Content::of(&row)?,
            status: row.version_status,
            created_at: time(row.version_at),
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

/// Reads what a caller says about an agent.
pub(super) fn read_spec(fields: &mut Fields<'_>) -> Option<AgentSpec> {
    let name = fields.text("name", Label::parse);
    let prompt = fields.text("system_prompt", Prompt::parse);
    let schema = fields.nested("output_schema", OutputSchema::parse);
    let options = read_options(fields);
    Some(AgentSpec { name: name?, prompt: prompt?, schema: schema?, options: options? })
}

fn read_options(fields: &mut Fields<'_>) -> Option<AgentOptions> {
    let language = fields.optional_text("language", Language::parse);
    let voice = fields.optional_text("voice", Voice::parse);
    let first_message = fields.optional_text("first_message", FirstMessage::parse);
    let max_duration_seconds = fields.integer("max_duration_seconds", 30..=3600);
    let voicemail_message = fields.optional_text("voicemail_message", VoicemailMessage::parse);
    let transfer_number = fields.optional_text("transfer_number", PhoneE164::parse);
    let knowledge_app_id = fields.optional_text("knowledge_app_id", app_id);
    let tools = fields.nested("tools", tool::parse_all);
    let reschedule = fields.nested("reschedule", Reschedule::parse);
    Some(AgentOptions {
        language: language?.map(String::from),
        voice: voice?.map(String::from),
        first_message: first_message?.map(String::from),
        max_duration_seconds: max_duration_seconds?,
        voicemail_message: voicemail_message?.map(String::from),
        transfer_number: transfer_number?.map(PhoneE164::into_inner),
        knowledge_app_id: knowledge_app_id?,
        tools: tools?.unwrap_or_default(),
        reschedule: reschedule?,
    })
}

/// An agent as it would be after a change.
///
/// # Errors
/// 400 with every problem of the change.
pub(super) fn changed(row: &AgentRow, changes: &Value) -> Result<AgentRow, ApiError> {
    let options = options(row)?;
    let mut whole = json!({
        "name": row.name,
        "system_prompt": row.system_prompt,
        "output_schema": row.output_schema.as_ref().map(|schema| &schema.0),
        "language": options.language,
        "voice": options.voice,
        "first_message": options.first_message,
        "max_duration_seconds": options.max_duration_seconds,
        "voicemail_message": options.voicemail_message,
        "transfer_number": options.transfer_number,
        "knowledge_app_id": options.knowledge_app_id,
        "tools": options.tools,
        "reschedule": options.reschedule,
        "status": row.status,
    });
    overlay(&mut whole, changes)?;
    let (spec, status) = decode(&whole, |fields| {
        let (spec, status) = (read_spec(fields), fields.text("status", status));
        Some((spec?, status?))
    })?;
    let mut after = row.clone();
    after.replace(&spec)?;
    status.clone_into(&mut after.status);
    Ok(after)
}

/// A status by its name.
pub(super) fn status(text: &str) -> Result<&'static str, String> {
    match text {
        agents::ACTIVE => Ok(agents::ACTIVE),
        agents::DISABLED => Ok(agents::DISABLED),
        _ => Err("must be active or disabled".to_owned()),
    }
}
