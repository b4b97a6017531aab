//! What an app's documents say reaches pages and callers alike, and what they do not say reaches people.

use reqwest::Method;
use serde_json::{Value, json};
use testkit::api::id;
use testkit::wait::eventually;

use crate::echo::{Echo, PATIENCE, Pair};
use crate::on_both_pairs;
use crate::slack::Slack;

on_both_pairs! {
    a_caller_is_answered_from_documents_and_what_nobody_knows_becomes_a_ticket;
    a_page_is_answered_from_documents_until_they_are_gone;
    people_hear_in_slack_what_is_handed_over_to_them;
}

/// Asks whether a dog may come, agrees, and asks where to park.
const ASKS: &str = "+14155550119";
const VISIT: &str =
    "# Your visit\n\nYou can park behind the house, free of charge. The entrance is on Mill Street.";
const PAGE: &str = "https://practice.example/visit";

/// An app that knows the page about a visit. Answers its id and the document's.
async fn app(echo: &Echo) -> (String, String) {
    let app = id(&echo.post("/v1/apps", &json!({"name": "Help"})).await);
    let brought = ask(echo, &format!("/api/{app}/ingest"), &json!({"text": VISIT, "url": PAGE})).await;
    assert_eq!(brought["chunksFailed"], 0, "{brought}");
    (app, brought["sourceId"].as_str().expect("a source").to_owned())
}

/// Asks for something that is answered with 200.
async fn ask(echo: &Echo, path: &str, body: &Value) -> Value {
    let answer = echo.api().try_send(Method::POST, path, Some(body), None).await.expect("an answer");
    assert_eq!(answer.0, 200, "{path}: {}", answer.1);
    answer.1
}

async fn a_caller_is_answered_from_documents_and_what_nobody_knows_becomes_a_ticket(pair: Pair) {
    let echo = Echo::start(pair).await;
    let (app, source) = app(&echo).await;
    let agent = json!({
        "name": "Reminder", "knowledge_app_id": app,
        "system_prompt": "Start the call by saying: \"You have an appointment on Friday. Does that work for you?\" Then end the call.",
        "output_schema": {"type": "object", "properties": {"confirmed": {"type": "boolean", "description": "Whether they confirmed"}}},
    });
    let agent = id(&echo.post("/api/v1/agents", &agent).await);
    let customer = echo.customer(ASKS).await;
    let notification = echo.ring_again(&customer, &agent).await;
    let (summary, _) = echo.summary_of(&notification).await;
    let transcript = summary["data"]["transcript"].as_str().expect("a transcript");
    assert!(transcript.contains("park behind the house"), "{transcript}");
    assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{summary}");

    let call = echo.calls(&notification).await.remove(0);
    let turns = call["turns"].as_array().expect("turns");
    let named: Vec<&Value> = turns.iter().flat_map(|turn| turn["sources"].as_array()).flatten().collect();
    assert_eq!(named, [&json!({"id": source, "title": "Your visit", "url": PAGE})], "{turns:?}");

    let tickets = format!("/api/apps/tickets?appId={app}");
    let opened = eventually("a ticket", PATIENCE, || async {
        let listed = echo.get(&tickets).await;
        if listed.as_array().is_some_and(|all| !all.is_empty()) { Ok(listed) } else { Err(listed) }
    });
    let opened = opened.await;
    assert_eq!(opened.as_array().map(Vec::len), Some(1), "{opened}");
    let ticket = echo.get(&format!("/api/apps/tickets/{}?appId={app}", id(&opened[0]))).await;
    let told = (&ticket["question"], &ticket["phone"], &ticket["status"], &ticket["email"]);
    assert_eq!(told, (&json!("May I bring my dog?"), &json!(ASKS), &json!("open"), &json!(null)));
    let before = ticket["transcript"].to_string();
    assert!(before.contains("Does that work for you?"), "{before}");
    echo.stop().await;
}

async fn a_page_is_answered_from_documents_until_they_are_gone(pair: Pair) {
    let echo = Echo::start(pair).await;
    let (app, source) = app(&echo).await;
    let query = format!("/api/{app}/query");
    let known = ask(&echo, &query, &json!({"message": "Where can I park?"})).await;
    let text = known["message"]["text"].as_str().expect("a text");
    assert!(text.contains("behind the house") && text.contains("[1]"), "{known}");
    assert_eq!((&known["sources"][0]["url"], &known["message"]["sender"]), (&json!(PAGE), &json!("ai")));
    let conversation = known["conversationId"].clone();

    let more = json!({"message": "Do you buy old kettles?", "context": {"conversationId": conversation}});
    let unknown = ask(&echo, &query, &more).await;
    assert_eq!(unknown["message"]["metadata"]["verdict"], "not_covered", "{unknown}");
    assert_eq!(unknown["sources"], json!([]));

    // The JavaScript client hands over with the conversation alone.
    let handover = json!({"appId": app, "conversationId": conversation});
    let opened = ask(&echo, &format!("/api/{app}/handover"), &handover).await;
    let path = format!("/api/apps/tickets/{}?appId={app}", opened["ticketId"].as_str().expect("an id"));
    let ticket = echo.get(&path).await;
    assert_eq!(ticket["question"], "Do you buy old kettles?", "{ticket}");
    assert!(ticket["transcript"].to_string().contains("behind the house"), "{ticket}");
    // Again is the same ticket; another question is another one.
    assert_eq!(ask(&echo, &format!("/api/{app}/handover"), &handover).await, opened);
    let other = json!({"appId": app, "email": "joe@example.com", "question": "And new ones?"});
    assert_ne!(ask(&echo, "/api/handover", &other).await, opened);

    let insights = echo.get(&format!("/api/apps/insights?appId={app}")).await;
    assert_eq!((&insights["questions"], &insights["unanswered"]), (&json!(2), &json!(1)), "{insights}");
    assert_eq!(insights["unansweredQuestions"][0]["question"], "Do you buy old kettles?");

    let gone = format!("/api/apps/sources?appId={app}&id={source}");
    let gone = echo.api().try_send(Method::DELETE, &gone, None, None).await.expect("an answer");
    assert_eq!(gone, (200, json!({"success": true})));
    let after = ask(&echo, &query, &json!({"message": "Where can I park?"})).await;
    assert_eq!(after["message"]["metadata"]["verdict"], "not_covered", "{after}");
    assert!(!after.to_string().contains("behind the house"), "{after}");
    echo.stop().await;
}

async fn people_hear_in_slack_what_is_handed_over_to_them(pair: Pair) {
    let (echo, slack) = (Echo::start(pair).await, Slack::start().await);
    let app = id(&echo.post("/v1/apps", &json!({"name": "Help & more"})).await);
    let change = json!({"slack_webhook_url": slack.url});
    let changed = echo.api().try_send(Method::PATCH, &format!("/v1/apps/{app}"), Some(&change), None).await;
    let changed = changed.expect("an answer");
    assert_eq!(changed.0, 200, "{}", changed.1);
    assert!(!changed.1.to_string().contains("secret"), "{}", changed.1);
    let wish = json!({
        "appId": app, "email": "joe@example.com", "question": "<!channel> May I bring my dog?",
        "history": [{"role": "user", "text": "Hello"}, {"role": "assistant", "text": "Hi, what is it?"}],
    });
    let opened = ask(&echo, "/api/handover", &wish).await;
    assert_eq!(ask(&echo, "/api/handover", &wish).await, opened);
    let another = json!({"appId": app, "email": "joe@example.com", "question": "And my cat?"});
    ask(&echo, "/api/handover", &another).await;
    let told = eventually("two messages", PATIENCE, || async {
        let messages = slack.messages();
        if messages.len() >= 2 { Ok(messages) } else { Err(messages) }
    });
    let told = told.await;
    assert_eq!(told.len(), 2, "each is told once: {told:?}");
    assert_eq!(told[0]["text"], "New ticket in Help &amp; more");
    let all = told.iter().map(Value::to_string).collect::<String>();
    assert!(all.contains(opened["ticketId"].as_str().expect("an id")), "{all}");
    for part in ["&lt;!channel&gt; May I bring my dog?", "joe@example.com", "Hi, what is it?", "And my cat?"]
    {
        assert!(all.contains(part), "{part}: {all}");
    }
    echo.stop().await;
}
