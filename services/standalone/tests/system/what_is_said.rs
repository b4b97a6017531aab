//! What the prompt says is spoken as it is: markup, emoji, other scripts, and variables that hold variables.

use serde_json::json;

use crate::echo::{Echo, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    markup_emoji_and_right_to_left_text_are_spoken_as_they_are;
    a_variable_whose_value_looks_like_a_variable_is_not_read_again;
}

const PHONE: &str = "+14155552671";

async fn opening(echo: &Echo, prompt: &str, variables: &serde_json::Value) -> String {
    let (customer, agent) = (echo.customer(PHONE).await, echo.agent_with(prompt).await);
    let body = json!({"customer_id": customer, "agent_id": agent, "variables": variables});
    let placed = echo.post("/api/v1/notifications", &body).await;
    echo.summary_of(placed["notification"]["id"].as_str().expect("an id")).await;
    assert_eq!(echo.carrier("faults").await, json!([]), "the carrier found fault with a document");
    echo.spoken(PHONE).await.into_iter().next().unwrap_or_default()
}

async fn markup_emoji_and_right_to_left_text_are_spoken_as_they_are(pair: Pair) {
    let echo = Echo::start(pair).await;
    let prompt = "Start the call by saying: \"Fish & <chips> at 5 < 6 🐟 שלום, does that work for you?\"";
    let said = opening(&echo, prompt, &json!({})).await;
    for piece in ["Fish & <chips> at 5 < 6", "🐟", "שלום"] {
        assert!(said.contains(piece), "{said}");
    }
    echo.stop().await;
}

async fn a_variable_whose_value_looks_like_a_variable_is_not_read_again(pair: Pair) {
    let echo = Echo::start(pair).await;
    let prompt = "Start the call by saying: \"Is {{ what }} fine for you?\"";
    let said = opening(&echo, prompt, &json!({"what": "{{business_name}}"})).await;
    assert!(said.contains("{{business_name}}"), "{said}");
    echo.stop().await;
}
