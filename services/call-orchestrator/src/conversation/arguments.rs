//! What a model gives a tool, held against what the tool asks for. A user's system is called with what it promised to
//! understand; else the model is told what was wrong.

use common::json_schema::Validator;
use serde_json::Value;

use super::learning::in_time;
use crate::domain::limits::CHECK_DEADLINE;
use crate::store::notifications::Spec;

/// Most problems that the model is told of at once.
const TOLD: usize = 5;

/// What is wrong with the arguments for a tool; `None` when nothing is, when the tool asks for nothing, and when its schema
/// cannot be used: then the system that is called has the last word.
pub(super) async fn wrong(spec: &Spec, wish: &llm::ToolCall) -> Option<String> {
    let tool = spec.tools.iter().find(|tool| tool.name == wish.name)?;
    if !tool.parameters.is_object() {
        return None;
    }
    let (schema, arguments) = (tool.parameters.clone(), Value::Object(wish.arguments.clone()));
    // A schema is the tenant's program, here as for results.
    let checked = in_time(CHECK_DEADLINE, move || problems(&schema, &arguments)).await;
    match checked.unwrap_or_else(Err) {
        Ok(problems) if problems.is_empty() => None,
        Ok(problems) => Some(told(&problems)),
        Err(problem) => {
            tracing::warn!(
                tool = wish.name,
                problem,
                "arguments could not be held against the tool's schema"
            );
            None
        }
    }
}

fn problems(schema: &Value, arguments: &Value) -> Result<Vec<String>, String> {
    let validator = Validator::new(schema).map_err(|problem| problem.to_string())?;
    Ok(validator.problems(arguments))
}

fn told(problems: &[String]) -> String {
    let listed: Vec<&str> = problems.iter().take(TOLD).map(String::as_str).collect();
    format!(
        "it was not called, because its arguments are wrong: {}. Correct them and call it again; ask the customer for what is \
         not known",
        listed.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_problem_is_told_with_its_place_up_to_a_few() {
        let schema = json!({
            "type": "object", "required": ["order"], "additionalProperties": false,
            "properties": {"order": {"type": "integer"}, "day": {"type": "string", "format": "date"}}
        });
        assert_eq!(problems(&schema, &json!({"order": 7, "day": "2026-03-18"})), Ok(vec![]));
        let found = problems(&schema, &json!({"day": "Friday", "size": 3})).unwrap();
        assert_eq!(found.len(), 3, "{found:?}");
        let text = told(&found);
        assert!(text.contains("/day: ") && text.contains("order") && text.contains("size"), "{text}");
        assert_eq!(told(&vec!["x".to_owned(); 9]).matches('x').count(), TOLD);
    }
}
