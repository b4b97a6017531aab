//! The closed lists of words, and where in the document they stand. What the gateway reads itself is taken from where it reads it;
//! the words of the other services stand here, and a test beside those services holds them against theirs.

use serde_json::Value;
use utoipa::openapi::path::Parameter;
use utoipa::openapi::schema::{ArrayItems, KnownFormat, Object, Schema, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{OpenApi as Document, RefOr};

use super::operations_of;
use crate::domain::audit::Action;
use crate::domain::bot;
use crate::domain::call;
use crate::domain::calling_hours::DAYS;
use crate::domain::notification::{STATUSES, VOICEMAIL};
use crate::domain::phone_book::PhoneStatus;
use crate::domain::retry::ENDINGS;
use crate::domain::role::Role;
use crate::domain::ticket;
use crate::domain::webhook::{DELIVERED, DELIVERY_STATUSES, EVENTS};
use crate::store::{agents, api_keys};

/// Where a call stands when it is over.
const CALL_ENDS: [&str; 5] = ["completed", "busy", "no_answer", "failed", "canceled"];
/// Why something ended.
const ENDED_REASONS: [&str; 19] = [
    "customer-ended-call",
    "agent-ended-call",
    "max-duration",
    "silence",
    "transferred",
    "voicemail-left",
    "opt-out",
    "voicemail",
    "screened",
    "busy",
    "no-answer",
    "rejected",
    "invalid-number",
    "carrier-error",
    "dial-unknown",
    "blocked",
    "expired",
    "error",
    "canceled",
];
/// What became of a bot's goal.
const BOT_OUTCOMES: [&str; 5] = ["completed", "incomplete", "transferred", "abandoned", "failed"];
/// The rules before dialling.
const BLOCKED_BY: [&str; 8] = [
    "suppressed",
    "country_not_allowed",
    "no_consent",
    "calling_hours",
    "monthly_spend_cap",
    "max_calls_per_day",
    "max_concurrent_calls",
    "line_busy",
];

/// A field of a schema, or a parameter of an operation.
type Place = (&'static str, &'static str);

/// Words, and where they are the only ones.
type Words = (Vec<&'static str>, &'static [Place]);

fn all() -> Vec<Words> {
    [read_here(), of_apps(), said_by_others(), said_by_events()].concat()
}

/// Words that the gateway reads or writes itself.
fn read_here() -> Vec<Words> {
    vec![
        (
            Role::ALL.map(Role::as_str).to_vec(),
            &[
                ("NewMember", "role"),
                ("MemberChanges", "role"),
                ("Member", "role"),
                ("Invitation", "role"),
                ("Me", "role"),
                ("Membership", "role"),
            ],
        ),
        (
            vec![agents::ACTIVE, agents::DISABLED],
            &[
                ("Agent", "status"),
                ("AgentVersion", "status"),
                ("AgentChanges", "status"),
                ("listAgents", "status"),
                ("Webhook", "status"),
                ("WebhookChange", "status"),
            ],
        ),
        (vec![api_keys::ACTIVE, api_keys::REVOKED], &[("ApiKey", "status"), ("ApiKeyWithSecret", "status")]),
        (
            PhoneStatus::ALL.map(PhoneStatus::as_str).to_vec(),
            &[("Phone", "status"), ("PhoneChanges", "status")],
        ),
        (STATUSES.to_vec(), &[("Notification", "status"), ("listNotifications", "status")]),
        (VOICEMAIL.to_vec(), &[("NewNotification", "voicemail"), ("Notification", "voicemail")]),
        (ENDINGS.to_vec(), &[("Retry", "on"), ("RetryPolicy", "on"), ("ProjectRetry", "on")]),
        (DAYS.to_vec(), &[("CallingHours", "days")]),
        (EVENTS.to_vec(), &[("NewWebhook", "events"), ("WebhookChange", "events"), ("Webhook", "events")]),
        (DELIVERED.to_vec(), &[("Delivery", "event_name"), ("listDeliveries", "event_name")]),
        (
            DELIVERY_STATUSES.to_vec(),
            &[
                ("Delivery", "status"),
                ("listDeliveries", "status"),
                ("BotDelivery", "status"),
                ("listBotDeliveries", "status"),
            ],
        ),
        (vec!["bot.action", "bot.completed"], &[("BotDelivery", "event_name")]),
        (
            Action::ALL.iter().map(|a| a.as_str()).collect(),
            &[("AuditEntry", "action"), ("listAudit", "action")],
        ),
        (vec!["active", "invited"], &[("Member", "status")]),
        (vec!["invited"], &[("Invitation", "status")]),
        (vec!["user", "api_key", "anonymous"], &[("AuditActor", "type")]),
        (vec!["twilio", "sandbox"], &[("NewCarrier", "kind")]),
        (bot::STATUSES.to_vec(), &[("Bot", "status"), ("BotChanges", "status")]),
        (vec!["reject", "update"], &[("importCustomers", "on_conflict")]),
    ]
}

/// Words about apps.
fn of_apps() -> Vec<Words> {
    vec![
        (
            ticket::STATUSES.to_vec(),
            &[("Ticket", "status"), ("TicketChanges", "status"), ("listTickets", "status")],
        ),
        (vec!["user", "assistant", "system"], &[("TicketLine", "role"), ("HandoverMessage", "role")]),
        (vec!["user", "ai", "system"], &[("HandoverMessage", "sender")]),
    ]
}

/// Words of the services behind this one.
fn said_by_others() -> Vec<Words> {
    vec![
        (
            call::STATUSES.to_vec(),
            &[
                ("Call", "status"),
                ("PlacedCall", "status"),
                ("BotCall", "status"),
                ("listBotCalls", "status"),
            ],
        ),
        (BOT_OUTCOMES.to_vec(), &[("BotCall", "outcome"), ("BotCompletedData", "outcome")]),
        (CALL_ENDS.to_vec(), &[("CallEndedData", "status")]),
        (
            ENDED_REASONS.to_vec(),
            &[
                ("Notification", "ended_reason"),
                ("Call", "ended_reason"),
                ("SimulatedTurn", "ended_reason"),
                ("BotCall", "ended_reason"),
                ("BotCompletedData", "ended_reason"),
                ("CallEndedData", "ended_reason"),
                ("CallSummaryData", "ended_reason"),
            ],
        ),
        (BLOCKED_BY.to_vec(), &[("Notification", "blocked_by"), ("PreviewResult", "blocked_by")]),
        (vec!["inbound", "outbound"], &[("Call", "direction")]),
        (vec!["agent", "customer"], &[("Turn", "speaker"), ("SimulatedMessage", "role")]),
        (vec!["auto", "manual"], &[("DeliveryAttempt", "triggered_by")]),
        (vec!["api", "call"], &[("Suppression", "source")]),
        (vec!["twilio", "sandbox", "operator"], &[("Carrier", "kind")]),
        (vec!["active", "missing"], &[("Carrier", "status")]),
    ]
}

/// Words of what is sent to webhooks.
fn said_by_events() -> Vec<Words> {
    vec![
        (vec!["call.started"], &[("CallStarted", "event_name")]),
        (vec!["call.ended"], &[("CallEnded", "event_name")]),
        (vec!["call.summary"], &[("CallSummary", "event_name")]),
        (vec!["webhook.test"], &[("WebhookTest", "event_name")]),
        (vec!["bot.action"], &[("BotAction", "event_name")]),
        (vec!["bot.completed"], &[("BotCompleted", "event_name")]),
        (vec!["bot", "user"], &[("BotActionLine", "role")]),
        (vec!["continue", "hangup", "transfer"], &[("BotActionAnswer", "action")]),
        (vec!["in_progress"], &[("CallStartedData", "status")]),
        (
            vec!["inbound"],
            &[
                ("CallStartedData", "direction"),
                ("CallEndedData", "direction"),
                ("CallSummaryData", "direction"),
            ],
        ),
    ]
}

/// Writes the words where they belong, and the form of ids and times to the names that say it.
pub(super) fn add(document: &mut Document) {
    for (words, places) in all() {
        for place in places {
            if let Some(schema) = find(document, *place) {
                restrict(schema, &words);
            }
        }
    }
    let schemas = document.components.iter_mut().flat_map(|components| components.schemas.values_mut());
    for object in schemas.flat_map(objects) {
        for (name, property) in &mut object.properties {
            if let RefOr::T(Schema::Object(property)) = property {
                form(name, property);
            }
        }
    }
}

/// Places that are not there.
#[cfg(test)]
pub(super) fn lost(document: &mut Document) -> Vec<Place> {
    let places = all().into_iter().flat_map(|(_, places)| places.iter().copied());
    places.filter(|place| find(document, *place).is_none()).collect()
}

fn find(document: &mut Document, (whose, name): Place) -> Option<&mut Schema> {
    let components = document.components.as_mut()?;
    let found = match components.schemas.get_mut(whose) {
        Some(schema) => objects(schema).into_iter().find_map(|object| object.properties.get_mut(name)),
        None => parameter(&mut document.paths.paths, whose, name)?.schema.as_mut(),
    };
    match found? {
        RefOr::T(schema) => Some(schema),
        RefOr::Ref(_) => None,
    }
}

fn parameter<'a>(
    paths: &'a mut utoipa::openapi::path::PathsMap<String, utoipa::openapi::PathItem>,
    operation: &str,
    name: &str,
) -> Option<&'a mut Parameter> {
    let mut operations = paths.values_mut().flat_map(operations_of);
    let (_, found) = operations.find(|(_, each)| each.operation_id.as_deref() == Some(operation))?;
    found.parameters.iter_mut().flatten().find_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.name == name => Some(parameter),
        _ => None,
    })
}

/// The object, or the objects of which something consists.
pub(super) fn objects(schema: &mut RefOr<Schema>) -> Vec<&mut Object> {
    match schema {
        RefOr::T(Schema::Object(object)) => vec![object],
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter_mut().flat_map(objects).collect(),
        _ => Vec::new(),
    }
}

/// Allows these words only; null, too, where it was allowed.
fn restrict(schema: &mut Schema, words: &[&str]) {
    let object = match schema {
        Schema::Object(object) => object,
        Schema::Array(array) => {
            if let ArrayItems::RefOrSchema(items) = &mut array.items
                && let RefOr::T(items) = items.as_mut()
            {
                restrict(items, words);
            }
            return;
        }
        _ => return,
    };
    let mut allowed: Vec<Value> = words.iter().map(|word| Value::from(*word)).collect();
    if nullable(object) {
        allowed.push(Value::Null);
    }
    object.enum_values = Some(allowed);
}

fn nullable(object: &Object) -> bool {
    matches!(&object.schema_type, SchemaType::Array(types) if types.contains(&Type::Null))
}

/// What a text is by its name: `…_at` is a time, and these are ids, unless a pattern says what it is.
fn form(name: &str, property: &mut Object) {
    const IDS: [&str; 11] = [
        "agent_id",
        "callId",
        "call_id",
        "customer_id",
        "delivery_id",
        "event_id",
        "id",
        "notification_id",
        "project_id",
        "user_id",
        "webhook_endpoint_id",
    ];
    let is_text = match &property.schema_type {
        SchemaType::Type(kind) => *kind == Type::String,
        SchemaType::Array(kinds) => kinds.contains(&Type::String),
        SchemaType::AnyValue => false,
    };
    let known = match name {
        _ if !is_text || property.format.is_some() || property.pattern.is_some() => return,
        "at" => KnownFormat::DateTime,
        _ if name.ends_with("_at") => KnownFormat::DateTime,
        _ if IDS.contains(&name) => KnownFormat::Uuid,
        _ => return,
    };
    property.format = Some(SchemaFormat::KnownFormat(known));
}
