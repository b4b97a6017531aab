//! What a conversation is made of, put together once from all that a notification brings: the prompt with its variables, the
//! schema of its result, and what may be done in it.

use chrono::{DateTime, Utc};
use common::json_schema;
use contracts::accounts::ProjectPolicy;
use contracts::calls as proto;
use serde_json::{Map, Value};

use crate::domain::bot_prompt::{self, BotFacts};
use crate::domain::call::VoicemailPolicy;
use crate::domain::countries::Countries;
use crate::domain::limits::BOT_CALL_SECONDS;
use crate::domain::policy::{self, Policy};
use crate::domain::prompt::{self, CallFacts, PromptProblem, Variables};
use crate::domain::{bot_action, bot_result, reschedule, schema, script, tools, zones};
use crate::error::OrchestratorError;
use crate::store::bots::Bot;
use crate::store::notifications::Spec;

/// The text of a JSON object; `None` when it is empty.
pub(crate) fn object(
    field: &'static str,
    text: &str,
) -> Result<Option<Map<String, Value>>, OrchestratorError> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = serde_json::from_str(text);
    read.map(Some).map_err(|e| invalid(field, format!("is no JSON object: {e}")))
}

fn invalid(field: &'static str, problem: impl ToString) -> OrchestratorError {
    OrchestratorError::Invalid { field, problem: problem.to_string() }
}

/// What the prompt of a notification is filled with, as it is at `now`.
struct Facts {
    business: proto::Business,
    customer: proto::Customer,
    metadata: Option<Map<String, Value>>,
    zone: chrono_tz::Tz,
    date: String,
    time: String,
}

impl Facts {
    fn of(request: &proto::PlaceNotificationRequest, now: DateTime<Utc>) -> Result<Self, OrchestratorError> {
        let customer = request.customer.clone().ok_or_else(|| invalid("customer_id", "is missing"))?;
        let business = request.business.clone().ok_or_else(|| invalid("business", "is missing"))?;
        let of_customer = request.standing.as_ref().map_or("", |standing| &standing.time_zone);
        let of_project = request.policy.as_ref().map_or("", |policy| &policy.time_zone);
        let zone = zones::zone(of_customer, of_project);
        Ok(Self {
            metadata: object("customer.metadata", &customer.metadata_json)?,
            business,
            customer,
            zone,
            date: zones::date(now, zone),
            time: zones::time(now, zone),
        })
    }

    fn call<'a>(&'a self, request: &'a proto::PlaceNotificationRequest) -> CallFacts<'a> {
        CallFacts {
            business_name: &self.business.name,
            business_summary: &self.business.summary,
            industry: &self.business.industry,
            first_name: &self.customer.first_name,
            last_name: &self.customer.last_name,
            message: &request.message,
            context: request.context.as_deref().unwrap_or_default(),
            current_date: &self.date,
            current_time: &self.time,
            metadata: self.metadata.as_ref(),
        }
    }
}

/// The whole of it, as it is at `now`.
pub(crate) fn spec(
    request: &proto::PlaceNotificationRequest,
    now: DateTime<Utc>,
) -> Result<Spec, OrchestratorError> {
    let facts = Facts::of(request, now)?;
    let call = facts.call(request);
    let given =
        |own: Option<&String>, otherwise: &String| own.filter(|s| !s.is_empty()).unwrap_or(otherwise).clone();
    let agent = request.agent.as_ref();
    let own = given(Some(&request.reschedule_json), agent.map_or(&String::new(), |a| &a.reschedule_json));
    let reschedule = reschedule::parse(&own).map_err(|problem| invalid("reschedule", problem))?;
    Ok(Spec {
        prompt: prompt_text(request, &call)?,
        schema: result_schema(request, reschedule.is_some())?,
        language: given(agent.map(|a| &a.language), &request.language),
        voice: given(agent.map(|a| &a.voice), &request.voice),
        opening: opening(request, &call)?,
        business_name: facts.business.name.clone(),
        business_summary: facts.business.summary.clone(),
        business_id: request.business_id.clone(),
        first_name: facts.customer.first_name.clone(),
        external_id: facts.customer.external_id.clone(),
        time_limit_seconds: agent.map_or(request.max_duration_seconds, |a| a.max_duration_seconds),
        time_zone: facts.zone.name().to_owned(),
        disclosure: policy::disclosure(&request.disclosure_line),
        voicemail_message: voicemail_message(request, &call)?,
        tools: tools::parse(agent.map_or("", |a| &a.tools_json))
            .map_err(|problem| invalid("tools", problem))?,
        transfer_number: agent.map(|a| a.transfer_number.clone()).filter(|number| !number.is_empty()),
        reschedule,
        knowledge_app_id: agent.map(|a| a.knowledge_app_id.clone()).filter(|app| !app.is_empty()),
    })
}

/// Nobody is put through to a country that may not be rung: the person's number is whoever made the agent's to choose.
pub(crate) fn reaching(spec: &mut Spec, operator: &Countries, policy: Option<&ProjectPolicy>) {
    let project = policy.map_or(Countries::ALL, |policy| Countries::of_codes(&policy.allowed_countries));
    spec.transfer_number.take_if(|number| !operator.allow(number) || !project.allow(number));
}

/// What a call to a bot is made of, as the bot is at `now`. `reaches`: whether a person's number may be rung.
pub(crate) fn bot_spec(
    bot: &Bot,
    reaches: impl Fn(&str) -> bool,
    policy: &Policy,
    now: DateTime<Utc>,
) -> Spec {
    let zone = policy.time_zone;
    let (date, time) = (zones::date(now, zone), zones::time(now, zone));
    let facts = BotFacts { goal: &bot.goal, context: &bot.context, date: &date, time: &time };
    Spec {
        prompt: bot_prompt::system_prompt(&facts),
        schema: Some(bot_result::schema()),
        language: bot.language.clone(),
        voice: bot.voice.clone(),
        opening: Some(bot.greeting.clone()).filter(|greeting| !greeting.trim().is_empty()),
        business_id: bot.business_id.0.to_string(),
        time_limit_seconds: BOT_CALL_SECONDS,
        time_zone: zone.name().to_owned(),
        disclosure: policy.disclosure.clone(),
        tools: vec![bot_action::tool(&bot.webhook)],
        transfer_number: Some(bot.transfer_number.clone())
            .filter(|number| !number.is_empty() && reaches(number)),
        knowledge_app_id: Some(bot.knowledge_app_id.clone()).filter(|app| !app.is_empty()),
        ..Spec::default()
    }
}

/// The names of the tokens that nothing fills, in the prompt and in the fixed first sentence.
pub(crate) fn unresolved(
    request: &proto::PlaceNotificationRequest,
    now: DateTime<Utc>,
) -> Result<Vec<String>, OrchestratorError> {
    let facts = Facts::of(request, now)?;
    let Some(agent) = &request.agent else { return Ok(Vec::new()) };
    let variables = variables(request, &facts.call(request))?;
    let mut names = prompt::unresolved(&agent.system_prompt, &variables);
    for name in prompt::unresolved(&agent.first_message, &variables) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

fn variables(
    request: &proto::PlaceNotificationRequest,
    facts: &CallFacts<'_>,
) -> Result<Variables, OrchestratorError> {
    let given = object("variables", &request.variables_json)?.unwrap_or_default();
    Variables::new(facts, &given).map_err(|e| invalid("variables", e))
}

fn prompt_text(
    request: &proto::PlaceNotificationRequest,
    facts: &CallFacts<'_>,
) -> Result<String, OrchestratorError> {
    match &request.agent {
        None => Ok(script::system_prompt(facts, request.collect_feedback)),
        Some(agent) => prompt::render(&agent.system_prompt, &variables(request, facts)?).map_err(refused),
    }
}

fn refused(problem: PromptProblem) -> OrchestratorError {
    match problem {
        PromptProblem::Template(_) => invalid("system_prompt", problem),
        _ => invalid("variables", problem),
    }
}

fn opening(
    request: &proto::PlaceNotificationRequest,
    facts: &CallFacts<'_>,
) -> Result<Option<String>, OrchestratorError> {
    let Some(agent) = request.agent.as_ref().filter(|a| !a.first_message.is_empty()) else { return Ok(None) };
    prompt::render(&agent.first_message, &variables(request, facts)?)
        .map(Some)
        .map_err(|e| invalid("first_message", e))
}

/// What a machine is told: the agent's own words for it, else the message, else a fixed first sentence.
fn voicemail_message(
    request: &proto::PlaceNotificationRequest,
    facts: &CallFacts<'_>,
) -> Result<Option<String>, OrchestratorError> {
    if VoicemailPolicy::parse(&request.voicemail) != Some(VoicemailPolicy::LeaveMessage) {
        return Ok(None);
    }
    let own = request.agent.as_ref().map(|a| &a.voicemail_message).filter(|text| !text.trim().is_empty());
    if let Some(template) = own {
        return prompt::render(template, &variables(request, facts)?)
            .map(Some)
            .map_err(|e| invalid("voicemail_message", e));
    }
    let message = Some(request.message.clone()).filter(|text| !text.trim().is_empty());
    message.map_or_else(|| opening(request, facts), |message| Ok(Some(message)))
}

fn result_schema(
    request: &proto::PlaceNotificationRequest,
    reschedules: bool,
) -> Result<Option<Value>, OrchestratorError> {
    match &request.agent {
        Some(agent) => {
            let schema = object("output_schema", &agent.output_schema_json)?.map(Value::Object);
            schema.as_ref().map_or(Ok(()), json_schema::check)?;
            Ok(schema)
        }
        None => Ok(request.collect_feedback.then(|| schema::feedback_schema(reschedules))),
    }
}
