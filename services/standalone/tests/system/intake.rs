//! An intake survey: eight questions, one of each kind, asked on the phone and answered as a result that obeys its schema.

use serde_json::{Value, json};

use crate::echo::{Echo, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    an_intake_survey_of_eight_kinds_of_question_comes_back_complete;
}

/// Somebody who answers the eight questions.
const PHONE: &str = "+14155550130";
const ORDER: [&str; 8] = [
    "full_name",
    "contact_method",
    "household_size",
    "height_m",
    "birth_date",
    "has_insurance",
    "allergies",
    "address",
];

/// String, enum, integer, number, date, boolean, array and nested object.
fn schema() -> Value {
    json!({"type": "object", "required": ORDER, "additionalProperties": false, "properties": {
        "full_name": {"type": "string", "description": "The patient's full name"},
        "contact_method": {"type": "string", "enum": ["phone", "email", "post"], "description": "Preferred contact method"},
        "household_size": {"type": "integer", "minimum": 1, "description": "Number of people in the household"},
        "height_m": {"type": "number", "description": "How tall are you, in metres?"},
        "birth_date": {"type": "string", "format": "date", "description": "What is your date of birth?"},
        "has_insurance": {"type": "boolean", "description": "Whether the patient has health insurance"},
        "allergies": {"type": "array", "items": {"type": "string"}, "description": "Known allergies"},
        "address": {"type": "object", "required": ["street", "city"], "properties": {
            "street": {"type": "string", "description": "Which street do you live in?"},
            "city": {"type": "string", "description": "Which city do you live in?"},
        }},
    }})
}

async fn an_intake_survey_of_eight_kinds_of_question_comes_back_complete(pair: Pair) {
    let echo = Echo::start(pair).await;
    let customer = echo.customer(PHONE).await;
    let agent = json!({
        "name": "Intake",
        "system_prompt": "You call {{recipient_first_name}} on behalf of {{business_name}} to prepare the first visit.",
        "output_schema": schema(),
    });
    let agent = echo.post("/api/v1/agents", &agent).await;
    let order = json!({"customer_id": customer, "agent_id": agent["id"]});
    let placed = echo.post("/api/v1/notifications", &order).await;
    let (summary, stored) = echo.summary_of(placed["notification"]["id"].as_str().expect("an id")).await;
    let data = &summary["data"];
    let expected = json!({
        "full_name": "Alex Example",
        "contact_method": "email",
        "household_size": 4,
        "height_m": 1.75,
        "birth_date": "1990-03-03",
        "has_insurance": true,
        "allergies": ["Peanuts", "penicillin"],
        "address": {"street": "12 Elm Street", "city": "Springfield"},
    });
    assert_eq!(data["analysis"], expected, "{}", data["transcript"]);
    assert_eq!(stored["call_result"], expected);
    for name in ORDER {
        assert_eq!(data["evidence"][name]["status"], "grounded", "{name}: {}", data["evidence"]);
    }
    assert_eq!(data["ended_reason"], "agent-ended-call");
    echo.stop().await;
}
