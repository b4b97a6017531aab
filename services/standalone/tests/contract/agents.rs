//! Agents: the voice personas of a business.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::model_server::ModelServer;

use crate::client::{Account, Client, appointment, new_agent, new_customer, new_phone, new_signup};
use crate::echo::Echo;
use crate::promises;
use crate::shape::{elements, has, ids, text, times};

promises! {
    an_agent_has_the_documented_fields;
    making_an_agent_answers_201_with_the_whole_agent;
    an_agent_needs_a_name_and_a_system_prompt;
    the_name_of_an_agent_is_a_label_and_never_spoken;
    a_system_prompt_keeps_its_variable_tokens;
    an_output_schema_is_optional_and_absent_when_there_is_none;
    an_output_schema_is_a_json_schema_of_type_object;
    listing_agents_answers_an_array_of_all_of_them;
    one_agent_is_read_by_its_id;
    changing_an_agent_changes_only_what_is_sent;
    disabling_an_agent_keeps_it_as_disabled;
    a_disabled_agent_cannot_be_used;
    a_prompt_without_an_opening_line_is_warned_of;
    a_schema_field_that_the_prompt_does_not_ask_for_is_warned_of;
    the_opening_line_that_the_prompt_fixes_is_said_first;
    the_prompt_is_all_that_the_model_gets;
}

fn path(agent: &Value) -> String {
    format!("/api/v1/agents/{}", text(agent, "id"))
}

async fn an_agent_has_the_documented_fields(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let agent = own.agent().await;
    has(
        &agent,
        &[
            "id",
            "business_id",
            "name",
            "system_prompt",
            "output_schema",
            "status",
            "created_at",
            "updated_at",
        ],
    );
    ids(&agent, &["id", "business_id"]);
    times(&agent, &["created_at", "updated_at"]);
    assert_eq!(agent["business_id"], own.signup["business"]["id"]);
    assert_eq!(agent["status"], "active");
}

async fn making_an_agent_answers_201_with_the_whole_agent(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let made = own.api.post("/api/v1/agents", &new_agent()).await.is(201);
    for name in ["name", "system_prompt", "output_schema"] {
        assert_eq!(made[name], new_agent()[name]);
    }
    assert_eq!(own.api.get(&path(&made)).await.is(200), made);
}

async fn an_agent_needs_a_name_and_a_system_prompt(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for name in ["name", "system_prompt"] {
        for wrong in [Value::Null, json!(1), json!("")] {
            let mut body = new_agent();
            body[name] = wrong;
            own.api.post("/api/v1/agents", &body).await.refuses(400, name);
        }
    }
}

async fn the_name_of_an_agent_is_a_label_and_never_spoken(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (mut body, customer) = (new_agent(), own.customer().await);
    body["name"] = json!("Zanzibar");
    let agent = own.api.post("/api/v1/agents", &body).await.is(201);
    own.ended(&own.place(&appointment(&customer, &agent)).await).await;
    let said = echo.carrier().spoken(text(&customer["phones"][0], "value")).await.join(" ");
    assert!(said.contains("Acme Inc") && !said.contains("Zanzibar"), "{said}");
}

async fn a_system_prompt_keeps_its_variable_tokens(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let agent = own.agent().await;
    let prompt = text(&agent, "system_prompt");
    assert!(prompt.contains("{{recipient_first_name}}") && prompt.contains("{{doctor_name}}"), "{prompt}");
}

async fn an_output_schema_is_optional_and_absent_when_there_is_none(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let agent = own.agent_who_says("Hello there.").await;
    assert_eq!(agent.get("output_schema"), None);
    assert_eq!(own.api.get(&path(&agent)).await.is(200).get("output_schema"), None);
}

async fn an_output_schema_is_a_json_schema_of_type_object(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut body = new_agent();
    for wrong in
        [json!("object"), json!({"type": "string"}), json!({"type": "object", "required": "confirmed"})]
    {
        body["output_schema"] = wrong;
        own.api.post("/api/v1/agents", &body).await.refuses(400, "output_schema");
    }
    body["output_schema"] = new_agent()["output_schema"].clone();
    let made = own.api.post("/api/v1/agents", &body).await.is(201);
    assert_eq!(made["output_schema"]["properties"]["confirmed"]["type"], "boolean");
    assert_eq!(made["output_schema"]["properties"]["reschedule_request"]["type"], "string");
}

async fn listing_agents_answers_an_array_of_all_of_them(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (first, second) = (own.agent().await, own.agent().await);
    let disabled = own.api.delete(&path(&first)).await.is(200);
    let listed = own.api.get("/api/v1/agents").await.is(200);
    assert_eq!(listed, json!([second, disabled]));
}

async fn one_agent_is_read_by_its_id(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (agent, _) = (own.agent().await, own.agent().await);
    assert_eq!(own.api.get(&path(&agent)).await.is(200), agent);
}

async fn changing_an_agent_changes_only_what_is_sent(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let before = own.agent().await;
    let after = own.api.patch(&path(&before), &json!({"name": "Another name"})).await.is(200);
    assert_eq!(after["name"], "Another name");
    for same in ["id", "business_id", "system_prompt", "output_schema", "status", "created_at"] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert_eq!(own.api.get(&path(&before)).await.is(200), after);
}

async fn disabling_an_agent_keeps_it_as_disabled(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let agent = own.agent().await;
    let disabled = own.api.delete(&path(&agent)).await.is(200);
    assert_eq!(disabled["status"], "disabled");
    assert_eq!(disabled["id"], agent["id"]);
    assert_eq!(own.api.get(&path(&agent)).await.is(200), disabled);
}

async fn a_disabled_agent_cannot_be_used(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (agent, customer) = (own.agent().await, own.customer().await);
    own.api.delete(&path(&agent)).await.is(200);
    let order = appointment(&customer, &agent);
    let refused = own.api.post("/api/v1/notifications", &order).await.is(409);
    assert_eq!(refused["code"], "agent_disabled");
    assert_eq!(own.api.get("/api/v1/notifications").await.is(200), json!([]));
    own.api.patch(&path(&agent), &json!({"status": "active"})).await.is(200);
    own.place(&order).await;
}

/// What is said of an agent with this prompt and the quickstart's schema.
async fn warnings(own: &Account, prompt: &str) -> String {
    let mut body = new_agent();
    body["system_prompt"] = json!(prompt);
    let agent = own.api.post("/api/v1/agents", &body).await.is(201);
    elements(&agent["warnings"]).iter().map(Value::to_string).collect()
}

async fn a_prompt_without_an_opening_line_is_warned_of(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let said =
        warnings(&own, "Ask whether the patient confirmed, and for a preferred reschedule time.").await;
    assert!(said.to_lowercase().contains("opening") || said.contains("first"), "{said}");
    assert_eq!(own.agent().await["warnings"], json!([]));
}

async fn a_schema_field_that_the_prompt_does_not_ask_for_is_warned_of(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let said = warnings(&own, "Start the call by saying: \"Is it confirmed?\"").await;
    assert!(said.contains("reschedule_request") && !said.contains("properties/confirmed"), "{said}");
}

async fn the_opening_line_that_the_prompt_fixes_is_said_first(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (customer, line) = (own.customer().await, "Good morning, this is the library calling.");
    let agent = own.agent_who_says(line).await;
    own.place(&appointment(&customer, &agent)).await;
    let said = echo.opening(text(&customer["phones"][0], "value")).await;
    assert!(said.starts_with(line), "{said}");
}

async fn the_prompt_is_all_that_the_model_gets(echo: Arc<Echo>) {
    let model = ModelServer::start().await.expect("a model server");
    // With another model than the others.
    let echo = Echo::start_with(echo.pair, &[("OPENAI_BASE_URL", model.url())]).await;
    let mut signup = new_signup();
    signup["business_summary"] = json!("bread of the day before");
    signup["industry"] = json!("Baking");
    let own = Account::of(&echo, Client::stranger(&echo).post("/auth/signup", &signup).await.is(201));
    let prompt = "You ring {{recipient_first_name}} about {{subject}}. Say goodbye soon.";
    let agent = json!({"name": "Nightingale", "system_prompt": prompt});
    let agent = own.api.post("/api/v1/agents", &agent).await.is(201);
    let phone = new_phone();
    let mut customer = new_customer(&phone);
    customer["metadata"] = json!({"plan": "platinum"});
    let customer = own.api.post("/api/v1/customers", &customer).await.is(201);
    let mut call = appointment(&customer, &agent);
    call["variables"] = json!({"subject": "a leaking tap", "color": "turquoise"});
    call["context"] = json!("it was a long repair");
    call["message"] = json!("the car is ready");
    call["metadata"] = json!({"order": "order-4711"});
    own.ended(&own.place(&call).await).await;
    let asked: Vec<_> = model.requests().iter().map(|request| request.body.to_string()).collect();
    assert!(!asked.is_empty(), "the model was asked");
    for body in asked {
        assert!(body.contains("You ring John about a leaking tap. Say goodbye soon."), "{body}");
        for untold in [
            "Smith",
            "platinum",
            "turquoise",
            "long repair",
            "car is ready",
            "order-4711",
            "Nightingale",
            "Acme",
            "day before",
            "Baking",
            text(&customer, "external_id"),
            &phone,
        ] {
            assert!(!body.contains(untold), "{untold} does not stand in the prompt: {body}");
        }
    }
}
