use proptest::prelude::*;
use serde_json::json;

use super::*;

fn variables(caller: Value) -> Result<Variables, PromptProblem> {
    let metadata = json!({"plan": "gold", "visits": 3, "tags": ["a"]});
    let facts = CallFacts {
        business_name: "Acme Inc",
        first_name: "John",
        last_name: "Smith",
        context: "A new client.",
        current_date: "Thursday, March 20",
        metadata: metadata.as_object(),
        ..CallFacts::default()
    };
    Variables::new(&facts, caller.as_object().unwrap())
}

fn rendered(template: &str, caller: Value) -> String {
    render(template, &variables(caller).unwrap()).unwrap()
}

#[test]
fn built_ins_and_variables_are_filled() {
    let text = rendered(
        "Call {{recipient_name}} ({{ recipient_first_name }}, {{recipient_last_name}}) for {{business_name}} \
         on {{current_date}} about {{\tappointment_time }}.",
        json!({"appointment_time": "2:00 PM"}),
    );
    assert_eq!(text, "Call John Smith (John, Smith) for Acme Inc on Thursday, March 20 about 2:00 PM.");
}

#[test]
fn the_callers_value_wins_over_a_built_in() {
    assert_eq!(rendered("{{business_name}}", json!({"business_name": "Acme East"})), "Acme East");
}

#[test]
fn numbers_and_booleans_are_written_as_in_json() {
    assert_eq!(rendered("{{n}} {{x}} {{b}}", json!({"n": 3, "x": 1.5, "b": true})), "3 1.5 true");
}

#[test]
fn values_are_never_looked_into() {
    assert_eq!(rendered("{{a}}{{b}}", json!({"a": "{{b}}", "b": "{{a}}"})), "{{b}}{{a}}");
}

#[test]
fn a_token_without_a_value_stays_exactly_as_it_is() {
    for text in ["Hi {{ doctor_name }}.", "{{}} { {a} } {{a}", "{{customer.metadata.tags}}", "{{A\nB}} {{"] {
        assert_eq!(rendered(text, json!({"a": "x", "doctor": "y"})), text);
    }
}

#[test]
fn a_built_in_that_was_not_given_is_empty() {
    assert_eq!(rendered("[{{message}}]", json!({})), "[]");
}

#[test]
fn the_customers_metadata_can_be_used() {
    assert_eq!(rendered("{{customer.metadata.plan}}/{{ customer.metadata.visits }}", json!({})), "gold/3");
}

#[test]
fn braces_around_a_token_are_kept() {
    assert_eq!(rendered("{{{a}}} {{ {{a}}", json!({"a": "x"})), "{x} {{ x");
}

#[test]
fn values_out_of_bounds_are_refused_by_name() {
    let many = (0..65).map(|n| (format!("v{n}"), json!(n))).collect::<Map<_, _>>();
    assert_eq!(variables(Value::Object(many)), Err(PromptProblem::TooManyVariables(65)));
    let long = variables(json!({"note": "x".repeat(2_001)}));
    assert_eq!(long, Err(PromptProblem::ValueTooLong("note".to_owned())));
    for value in [json!(null), json!([1]), json!({"a": 1})] {
        let refused = variables(json!({ "note": value }));
        assert_eq!(refused, Err(PromptProblem::ValueNotScalar("note".to_owned())));
    }
    assert!(variables(json!({"note": "ü".repeat(2_000)})).is_ok());
}

#[test]
fn prompts_out_of_bounds_are_refused() {
    let values = variables(json!({"a": "x".repeat(2_000)})).unwrap();
    assert_eq!(render("", &values), Err(PromptProblem::Template(0)));
    assert_eq!(render(&"x".repeat(32_001), &values), Err(PromptProblem::Template(32_001)));
    assert_eq!(render(&"{{a}}".repeat(129), &values), Err(PromptProblem::RenderedTooLong));
    assert!(render(&"{{a}}".repeat(128), &values).is_ok());
}

#[test]
fn what_nothing_fills_is_named_once_also_metadata_that_a_customer_does_not_have() {
    let values = variables(json!({"doctor_name": "Dr. Patel"})).unwrap();
    let prompt = "{{doctor_name}} {{ time }} {{customer.metadata.plan}} {{customer.metadata.age}} {{time}} {{context}}";
    assert_eq!(unresolved(prompt, &values), ["time", "customer.metadata.age"]);
}

proptest! {
    #[test]
    fn rendering_with_nothing_to_fill_changes_nothing(text in "[{}a \n]{1,40}") {
        prop_assert_eq!(render(&text, &Variables::default()).unwrap(), text);
    }

    #[test]
    fn rendering_replaces_each_token_by_its_value(
        before in "[^{}]{0,10}", value in "[{}ab]{0,10}", after in "[^{}]{0,10}",
    ) {
        let text = rendered(&format!("{before}{{{{ v }}}}{after}"), json!({"v": value.clone()}));
        prop_assert_eq!(text, format!("{before}{value}{after}"));
    }
}
