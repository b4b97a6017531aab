//! What is true of all operations, and that the examples are what they say.

use serde_json::{Map, Value, json};

use super::rules::{is_link, is_sdk};
use super::{document, needs, words};

/// The document as it is served.
fn served() -> Value {
    serde_json::to_value(document()).unwrap()
}

/// What stands behind a `$ref`.
fn resolved<'a>(whole: &'a Value, place: &'a Value) -> &'a Value {
    match place["$ref"].as_str() {
        Some(path) => {
            resolved(whole, whole.pointer(&path[1..]).unwrap_or_else(|| panic!("{path} is not there")))
        }
        None => place,
    }
}

/// Name and body of all operations, and of all events.
fn all(whole: &Value) -> Vec<(&str, &Value)> {
    let items = ["paths", "webhooks"].into_iter().flat_map(|kind| whole[kind].as_object().unwrap().values());
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    operations.map(|operation| (operation["operationId"].as_str().unwrap(), operation)).collect()
}

/// Those below `/api/v1` and `/v1` need a key or a token, but for the one that makes accounts.
fn guarded(whole: &Value) -> Vec<(&str, &Value)> {
    let paths = whole["paths"].as_object().unwrap();
    let needs = |path: &str| {
        path.starts_with("/api/v1") || is_sdk(path) || is_link(path) && path != "/v1/connect-twilio"
    };
    let items = paths.iter().filter(|(path, _)| needs(path)).map(|(_, item)| item);
    let operations = items.flat_map(|item| item.as_object().unwrap().values());
    operations.map(|operation| (operation["operationId"].as_str().unwrap(), operation)).collect()
}

/// The names of EchoLink's operations.
fn of_link(whole: &Value) -> Vec<&str> {
    let paths = whole["paths"].as_object().unwrap();
    let items = paths.iter().filter(|(path, _)| is_link(path)).map(|(_, item)| item);
    items
        .flat_map(|item| item.as_object().unwrap().values())
        .map(|o| o["operationId"].as_str().unwrap())
        .collect()
}

/// Status and body of an operation's answers.
fn answers<'a>(whole: &'a Value, operation: &'a Value) -> Vec<(&'a str, &'a Value)> {
    let responses = operation["responses"].as_object().unwrap();
    responses.iter().map(|(status, response)| (status.as_str(), resolved(whole, response))).collect()
}

/// The example of a content: its own, or its schema's.
fn example<'a>(whole: &'a Value, content: &'a Value) -> &'a Value {
    match &content["example"] {
        Value::Null => &resolved(whole, &content["schema"])["example"],
        own => own,
    }
}

/// Asserts that each of these contents has an example and that it is one; held against one schema of them all.
fn assert_examples<'a>(whole: &'a Value, contents: impl Iterator<Item = (String, &'a Value)>) {
    let (mut schemas, mut examples) = (Map::new(), Map::new());
    for (name, content) in contents {
        let example = example(whole, content);
        assert!(!example.is_null(), "{name} has no example");
        schemas.insert(name.clone(), content["schema"].clone());
        examples.insert(name, example.clone());
    }
    assert!(examples.len() > 30, "nothing to look at");
    let schema = json!({"properties": schemas, "components": whole["components"]});
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    let examples = Value::Object(examples);
    let wrong = validator.iter_errors(&examples).map(|error| format!("{}: {error}", error.instance_path()));
    assert_none(&wrong.collect::<Vec<_>>());
}

fn assert_none(problems: &[String]) {
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_body_that_is_answered_has_an_example_that_is_one() {
    let whole = served();
    let answers = all(&whole).into_iter().flat_map(|(id, operation)| {
        answers(&whole, operation).into_iter().map(move |(status, answer)| (format!("{id} {status}"), answer))
    });
    let contents = answers.flat_map(|(name, answer)| {
        let contents = answer["content"].as_object().into_iter().flatten();
        contents.map(move |(_, content)| (name.clone(), content))
    });
    assert_examples(&whole, contents);
}

#[test]
fn every_body_that_is_sent_has_an_example_that_is_one() {
    let whole = served();
    let contents = all(&whole).into_iter().flat_map(|(id, operation)| {
        let contents = operation["requestBody"]["content"].as_object().into_iter().flatten();
        contents.map(move |(kind, content)| (format!("{id} {kind}"), content))
    });
    assert_examples(&whole, contents);
}

#[test]
fn every_operation_says_what_it_is_and_who_may_do_it() {
    let whole = served();
    for (id, operation) in all(&whole) {
        let summary = operation["summary"].as_str().unwrap_or_default();
        assert!(!summary.is_empty() && !summary.contains('\n') && !summary.ends_with('.'), "{id}: {summary}");
    }
    for (id, operation) in guarded(&whole) {
        let role = needs::role(id).unwrap_or_else(|| panic!("needs.rs does not say who may {id}"));
        let told = operation["description"].as_str().unwrap_or_default();
        assert!(told.contains(&format!("`{}`", role.as_str())), "{id}: {told}");
    }
}

#[test]
fn every_operation_answers_the_errors_of_its_kind_in_their_form() {
    let whole = served();
    for (id, operation) in guarded(&whole) {
        let told: Vec<&str> = answers(&whole, operation).iter().map(|(status, _)| *status).collect();
        for status in ["400", "401", "403", "404", "405", "429", "500", "503"] {
            assert!(told.contains(&status), "{id} does not say {status}");
        }
        for status in ["408", "413", "415"] {
            assert_eq!(told.contains(&status), operation.get("requestBody").is_some(), "{id}: {status}");
        }
    }
    let link = of_link(&whole);
    assert!(!link.is_empty());
    for (id, operation) in all(&whole) {
        for (status, answer) in answers(&whole, operation) {
            let Some(content) = answer.pointer("/content/application~1json") else { continue };
            if status.starts_with(['4', '5']) {
                let example = example(&whole, content);
                let form = if link.contains(&id) { "LinkError" } else { "Error" };
                let form = json!({"$ref": format!("#/components/schemas/{form}")});
                assert_eq!(content["schema"], form, "{id} {status}");
                if !link.contains(&id) {
                    assert_eq!(example["statusCode"].to_string(), status, "{id}");
                }
                let code = example["code"].as_str().unwrap();
                assert!(code.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'), "{id} {status}: {code}");
            }
        }
    }
}

#[test]
fn every_answer_declares_the_headers_that_it_may_carry() {
    let whole = served();
    for (id, operation) in all(&whole).into_iter().filter(|(_, operation)| operation["security"] != json!([]))
    {
        let listed = operation["parameters"].to_string();
        for (status, answer) in answers(&whole, operation) {
            let declares = |name: &str| {
                let header = &answer["headers"][name];
                !header.is_null() && resolved(&whole, header)["schema"].is_object()
            };
            for name in ["x-request-id", "RateLimit", "RateLimit-Policy"] {
                assert!(declares(name), "{id} {status}: {name}");
            }
            assert_eq!(declares("Allow"), status == "405", "{id} {status}");
            assert!(declares("Retry-After") || !matches!(status, "429" | "503"), "{id} {status}");
            if status.starts_with('2') {
                let is_list =
                    answer.pointer("/content/application~1json/schema/type") == Some(&json!("array"));
                let pages = is_list && listed.contains("\"cursor\"");
                assert_eq!(declares("Link") && declares("x-next-cursor"), pages, "{id}");
                let again = listed.contains("Idempotency-Key") && !listed.contains("secret_already_shown");
                assert_eq!(declares("idempotent-replayed"), again, "{id}");
            }
        }
    }
}

#[test]
fn what_makes_something_takes_a_key_and_a_member_can_name_the_project() {
    let whole = served();
    let keyed = |operation: &Value| operation["parameters"].to_string().contains("\"Idempotency-Key\"");
    for (id, operation) in guarded(&whole) {
        let makes = operation["responses"].get("201").is_some();
        let many = ["createNotifications", "importCustomers"].contains(&id);
        assert_eq!(keyed(operation), makes || many, "{id}");
        assert_eq!(operation["responses"].get("422").is_some(), makes || many, "{id}");
        assert!(operation["parameters"].to_string().contains("\"x-echo-project\""), "{id}");
    }
}

#[test]
fn closed_words_are_where_they_belong() {
    let mut document = document();
    assert_eq!(words::lost(&mut document), []);
    let whole = served();
    let schemas = &whole["components"]["schemas"];
    assert_eq!(
        schemas["Member"]["properties"]["role"]["enum"],
        json!(["owner", "admin", "developer", "viewer"])
    );
    let by = &schemas["Notification"]["properties"]["blocked_by"]["enum"];
    assert!(by.as_array().unwrap().contains(&Value::Null), "{by}");
    assert_eq!(schemas["CallingHours"]["properties"]["days"]["items"]["enum"].as_array().unwrap().len(), 7);
}

#[test]
fn all_events_are_there_with_what_every_one_carries() {
    let whole = served();
    let events: Vec<&String> = whole["webhooks"].as_object().unwrap().keys().collect();
    let expected =
        ["bot.action", "bot.completed", "call.ended", "call.started", "call.summary", "webhook.test"];
    assert_eq!(events, expected);
    for (name, item) in whole["webhooks"].as_object().unwrap() {
        let headers: Vec<&str> = item["post"]["parameters"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| p["name"].as_str().unwrap())
            .collect();
        assert_eq!(
            headers,
            ["X-Echo-Signature", "webhook-id", "webhook-timestamp", "webhook-signature", "User-Agent"]
        );
        let body = &item["post"]["requestBody"]["content"]["application/json"];
        assert_eq!(example(&whole, body)["event_name"], json!(name));
    }
}

/// Names that say what they hold.
const OBVIOUS: [&str; 30] = [
    "id",
    "project_id",
    "business_id",
    "customer_id",
    "agent_id",
    "notification_id",
    "event_id",
    "event_name",
    "call_id",
    "delivery_id",
    "webhook_endpoint_id",
    "user_id",
    "name",
    "email",
    "phone",
    "first_name",
    "last_name",
    "external_id",
    "language",
    "timezone",
    "status",
    "role",
    "message",
    "context",
    "text",
    "url",
    "created_at",
    "updated_at",
    "ended_at",
    "metadata",
];

#[test]
fn every_field_is_explained_or_says_by_its_name_what_it_is() {
    let whole = served();
    let mut problems = Vec::new();
    for (name, schema) in whole["components"]["schemas"].as_object().unwrap() {
        let parts = schema["allOf"].as_array().into_iter().flatten().chain([schema]);
        for (field, property) in parts.filter_map(|part| part["properties"].as_object()).flatten() {
            let said = ["description", "$ref", "oneOf"].iter().any(|key| property.get(key).is_some());
            if !said && !OBVIOUS.contains(&field.as_str()) {
                problems.push(format!("{name}.{field}"));
            }
        }
    }
    assert_none(&problems);
}
