//! Whole conversations in which something is called: what was called, and what was said about it.

use serde_json::{Value, json};

use super::super::conversations::{QUICKSTART, agent, hold_with, quickstart_schema, read_out};
use crate::{
    Abilities, BOOK_TIME, ChatEvent, ChatRequest, EndReason, FreeTime, Rescheduling, Tool, ToolCall,
    ToolOutcome,
};

const GOODBYE: Option<ChatEvent> = Some(ChatEvent::EndCall { reason: EndReason::Goodbye });

fn free(time: &str, spoken: &str) -> FreeTime {
    FreeTime { time: time.into(), spoken: spoken.into() }
}

fn rescheduling(any_time: bool, free: Vec<FreeTime>) -> ChatRequest {
    let rescheduling = Some(Rescheduling { free, any_time });
    let abilities = Abilities { rescheduling, ..Abilities::default() };
    ChatRequest { abilities, ..agent(QUICKSTART, Some(quickstart_schema())) }
}

fn two_free() -> Vec<FreeTime> {
    vec![free("T1", "Friday, March 20 at 10 AM"), free("T2", "Monday, March 23 at 2 PM")]
}

fn booked(call: &ToolCall) -> ToolOutcome {
    let spoken = call.arguments.get("time").or(call.arguments.get("preferred")).cloned();
    ToolOutcome::Answered(json!({"booked": true, "spoken": spoken}).to_string())
}

#[test]
fn free_times_are_offered_to_whom_the_time_does_not_suit_and_the_chosen_one_is_settled() {
    let held =
        hold_with(rescheduling(false, two_free()), &["No, I need another time", "Monday works"], booked);
    assert_eq!(
        held.held.agent[1],
        "I understand. These times are free: Friday, March 20 at 10 AM; Monday, March 23 at 2 PM. Which of these \
         suits you?"
    );
    assert_eq!(held.calls.len(), 1, "{:?}", held.held.agent);
    assert_eq!((held.calls[0].name.as_str(), &held.calls[0].arguments["time"]), (BOOK_TIME, &json!("T2")));
    assert!(
        held.held.agent[2].starts_with("Thank you. I have booked it for you: T2."),
        "{:?}",
        held.held.agent
    );
    assert_eq!(held.held.end, GOODBYE, "{:?}", held.held.agent);
    let read = read_out(&held.held, &quickstart_schema());
    assert_eq!(read.value, json!({"confirmed": false, "reschedule_request": null}));
}

#[test]
fn a_time_that_was_named_at_once_is_settled_without_an_offer() {
    let held = hold_with(rescheduling(false, two_free()), &["No, but Friday at ten would work"], booked);
    assert_eq!(held.calls[0].arguments["time"], "T1", "{:?}", held.held.agent);
}

#[test]
fn another_time_than_the_free_ones_is_noted_where_nobody_can_be_asked() {
    let held = hold_with(rescheduling(false, two_free()), &["No", "Can we do Sunday at noon?"], booked);
    assert!(held.calls.is_empty());
    let read = read_out(&held.held, &quickstart_schema());
    assert_eq!(read.value["reschedule_request"], "Sunday at noon", "{:?}", held.held.agent);
    assert_eq!(held.held.end, GOODBYE);
}

#[test]
fn who_books_is_asked_for_a_time_in_the_customers_words_and_may_name_others() {
    let answer = |call: &ToolCall| match call.arguments.get("preferred") {
        Some(_) => {
            let free = json!([{"time": "T9", "spoken": "Tuesday, March 24 at 9 AM"}]);
            ToolOutcome::Answered(json!({"booked": false, "free": free}).to_string())
        }
        None => booked(call),
    };
    let held =
        hold_with(rescheduling(true, vec![]), &["No", "Saturday at noon", "yes, that is fine"], answer);
    assert_eq!(held.held.agent[1], "I understand. What time would work better for you?");
    assert_eq!(held.calls[0].arguments, *json!({"preferred": "Saturday at noon"}).as_object().unwrap());
    assert!(
        held.held.agent[2].starts_with("I am sorry, that time is not free. These times are free: Tuesday")
    );
    assert_eq!(held.calls[1].arguments, *json!({"time": "T9"}).as_object().unwrap(), "{:?}", held.held.agent);
}

#[test]
fn a_booking_that_fails_is_followed_up() {
    let answers = [ToolOutcome::Unknown, ToolOutcome::Failed("gone".into())];
    for outcome in answers {
        let held = hold_with(rescheduling(true, two_free()), &["No", "Friday"], |_| outcome.clone());
        assert!(held.held.agent[2].contains("somebody will follow up"), "{:?}", held.held.agent);
        assert_eq!((held.calls.len(), &held.held.end), (1, &GOODBYE));
    }
}

fn with_tool(schema: Option<Value>) -> ChatRequest {
    let parameters = json!({"type": "object", "required": ["order_number"], "properties": {
        "order_number": {"type": "integer", "description": "Number of the order"},
    }});
    let look_up = Tool { name: "look_up_order".into(), description: "Finds an order.".into(), parameters };
    let hours = Tool {
        name: "opening_hours".into(),
        description: "Says when the shop is open.".into(),
        parameters: json!({"type": "object"}),
    };
    let abilities = Abilities { tools: vec![look_up, hours], ..Abilities::default() };
    ChatRequest { abilities, ..agent("You call on behalf of Acme.", schema) }
}

#[test]
fn a_tool_is_called_once_when_everything_that_it_requires_is_known() {
    let schema = json!({"type": "object", "required": ["order_number", "happy"], "properties": {
        "order_number": {"type": "integer", "description": "What is your order number?"},
        "happy": {"type": "boolean", "description": "Are you happy with it?"},
    }});
    let answer =
        |_: &ToolCall| ToolOutcome::Answered(json!({"message": "It was sent on Monday"}).to_string());
    let held = hold_with(with_tool(Some(schema.clone())), &["forty two", "yes"], answer);
    assert_eq!(held.calls.len(), 1);
    assert_eq!(held.calls[0].arguments, *json!({"order_number": 42}).as_object().unwrap());
    assert_eq!(held.held.agent[1], "I have looked it up: It was sent on Monday. Are you happy with it?");
    assert_eq!(read_out(&held.held, &schema).value, json!({"order_number": 42, "happy": true}));
}

#[test]
fn an_agent_without_a_schema_asks_for_what_its_tool_requires() {
    let held = hold_with(with_tool(None), &["seven"], |_| ToolOutcome::Unknown);
    assert!(held.held.agent[0].contains("How many the order") || held.held.agent[0].ends_with('?'));
    assert_eq!(held.calls[0].arguments, *json!({"order_number": 7}).as_object().unwrap());
    assert!(held.held.agent[1].contains("somebody will follow up"), "{:?}", held.held.agent);
}

#[test]
fn a_question_that_a_tool_is_for_is_put_to_it() {
    let answer = |_: &ToolCall| ToolOutcome::Answered("Open until six? Yes".into());
    let held = hold_with(with_tool(None), &["When is the shop open?"], answer);
    assert_eq!(held.calls.len(), 1, "{:?}", held.held.agent);
    assert_eq!(held.calls[0].name, "opening_hours");
    assert!(
        held.held.agent[1].starts_with("I have looked it up: Open until six. Yes."),
        "{:?}",
        held.held.agent
    );
}
