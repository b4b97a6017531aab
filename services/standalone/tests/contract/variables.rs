//! What `{{names}}` in a prompt become, as the callee hears it.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Account, Client, new_signup};
use crate::echo::Echo;
use crate::promises;
use crate::shape::text;

promises! {
    the_business_fills_its_name_summary_and_industry;
    the_customer_fills_recipient_name_and_first_name;
    the_request_fills_message_and_context;
    every_other_token_is_filled_from_the_variables_of_the_request;
    a_value_of_the_caller_wins_over_a_built_in_one;
    a_token_without_a_value_stays_as_it_is_and_nothing_is_refused;
    tokens_are_filled_anywhere_in_the_prompt_before_the_call_starts;
}

/// What a customer hears first when the prompt opens with `line` and the request has these fields, too.
async fn heard(echo: &Echo, own: &Account, line: &str, request: Value) -> String {
    let (customer, agent) = (own.customer().await, own.agent_who_says(line).await);
    let mut body = request;
    body["customer_id"] = customer["id"].clone();
    body["agent_id"] = agent["id"].clone();
    own.place(&body).await;
    echo.opening(text(&customer["phones"][0], "value")).await
}

fn says(said: &str, line: &str) {
    assert!(said.starts_with(line), "{line} is not what was said: {said}");
}

async fn the_business_fills_its_name_summary_and_industry(echo: Arc<Echo>) {
    let mut signup = new_signup();
    signup["business_name"] = json!("Blue Door Bakery");
    signup["business_summary"] = json!("bread of the day before");
    signup["industry"] = json!("Baking");
    let signup = Client::stranger(&echo).post("/auth/signup", &signup).await.is(201);
    let own = Account::of(&echo, signup);
    let line = "This is {{business_name}}, {{industry}}, with {{business_summary}}.";
    let said = heard(&echo, &own, line, json!({})).await;
    says(&said, "This is Blue Door Bakery, Baking, with bread of the day before.");
}

async fn the_customer_fills_recipient_name_and_first_name(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let line = "Is this {{recipient_name}}? Hello {{recipient_first_name}}.";
    let said = heard(&echo, &own, line, json!({})).await;
    says(&said, "Is this John Smith? Hello John.");
}

async fn the_request_fills_message_and_context(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let request = json!({"message": "the car is ready", "context": "it was a long repair"});
    let said = heard(&echo, &own, "Good news, {{message}}, and {{context}}.", request).await;
    says(&said, "Good news, the car is ready, and it was a long repair.");
}

async fn every_other_token_is_filled_from_the_variables_of_the_request(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let request = json!({"variables": {"doctor_name": "Dr. Patel", "anything_else_7": "room nine"}});
    let said = heard(&echo, &own, "You see {{doctor_name}} in {{anything_else_7}}.", request).await;
    says(&said, "You see Dr. Patel in room nine.");
}

async fn a_value_of_the_caller_wins_over_a_built_in_one(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let request = json!({
        "context": "from the request",
        "variables": {"recipient_first_name": "Johnny", "business_name": "Acme Dental", "context": "from the caller"},
    });
    let line = "Hello {{recipient_first_name}}, this is {{business_name}}, {{context}}.";
    let said = heard(&echo, &own, line, request).await;
    says(&said, "Hello Johnny, this is Acme Dental, from the caller.");
}

async fn a_token_without_a_value_stays_as_it_is_and_nothing_is_refused(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let said =
        heard(&echo, &own, "Hello {{recipient_first_name}}, you owe {{amount_due}} now.", json!({})).await;
    says(&said, "Hello John, you owe {{amount_due}} now.");
}

async fn tokens_are_filled_anywhere_in_the_prompt_before_the_call_starts(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let customer = own.customer().await;
    let agent = json!({
        "name": "Anywhere",
        "system_prompt": "{{instruction}} \"{{greeting}} {{recipient_first_name}}{{mark}}\"",
    });
    let agent = own.api.post("/api/v1/agents", &agent).await.is(201);
    own.place(&json!({
        "customer_id": customer["id"], "agent_id": agent["id"],
        "variables": {"instruction": "Start the call by saying:", "greeting": "Good evening", "mark": "!"},
    }))
    .await;
    says(&echo.opening(text(&customer["phones"][0], "value")).await, "Good evening John!");
}
