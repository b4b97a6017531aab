//! Trying an agent without a call: whom it speaks to, and what was said so far.

use serde_json::Value;

use super::customer::TimeZone;
use super::json::Metadata;
use super::problem::{Problem, step};
use super::text::{ExternalId, Message, PersonName};

/// Longest conversation that is tried, in messages.
const MAX_MESSAGES: usize = 100;

/// Somebody who need not exist: what is not said about them is empty.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SampleCustomer {
    /// First name.
    pub(crate) first_name: String,
    /// Last name.
    pub(crate) last_name: String,
    /// The integrator's own id.
    pub(crate) external_id: String,
    /// The integrator's own data.
    pub(crate) metadata: Metadata,
    /// Where they live.
    pub(crate) timezone: Option<TimeZone>,
}

impl SampleCustomer {
    /// Accepts an object with any of the fields of a customer.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        if !value.is_object() {
            return Err(vec![Problem::new("", "must be an object")]);
        }
        let mut problems = Vec::new();
        let first_name = text(value, "first_name", &mut problems, name);
        let last_name = text(value, "last_name", &mut problems, name);
        let external_id =
            text(value, "external_id", &mut problems, |t| ExternalId::parse(t).map(String::from));
        let timezone = text(value, "timezone", &mut problems, TimeZone::parse);
        let metadata = match value.get("metadata").filter(|value| !value.is_null()) {
            Some(given) => Metadata::parse(given).unwrap_or_else(|wrong| {
                problems.extend(wrong.into_iter().map(|problem| problem.inside("/metadata")));
                Metadata::default()
            }),
            None => Metadata::default(),
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self {
            first_name: first_name.unwrap_or_default(),
            last_name: last_name.unwrap_or_default(),
            external_id: external_id.unwrap_or_default(),
            metadata,
            timezone,
        })
    }
}

fn name(text: &str) -> Result<String, String> {
    PersonName::parse(text).map(String::from)
}

fn text<T>(
    object: &Value,
    name: &str,
    problems: &mut Vec<Problem>,
    parse: impl FnOnce(&str) -> Result<T, String>,
) -> Option<T> {
    let parsed = match object.get(name) {
        None | Some(Value::Null) => return None,
        Some(Value::String(text)) => parse(text),
        Some(_) => Err("must be a string".to_owned()),
    };
    parsed.map_err(|problem| problems.push(Problem::new(step(name), problem))).ok()
}

/// One thing said.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    /// The agent said it; else the customer did.
    pub(crate) by_agent: bool,
    /// The words.
    pub(crate) text: String,
}

/// Accepts what was said so far: `[{role, text}]`, oldest first.
pub(crate) fn messages(value: &Value) -> Result<Vec<Said>, Vec<Problem>> {
    let Some(list) = value.as_array() else {
        return Err(vec![Problem::new("", "must be a list of {role, text}")]);
    };
    if list.len() > MAX_MESSAGES {
        let problem = format!("holds {} messages; at most {MAX_MESSAGES} are allowed", list.len());
        return Err(vec![Problem::new("", problem)]);
    }
    let mut problems = Vec::new();
    let mut said = Vec::with_capacity(list.len());
    for (index, item) in list.iter().enumerate() {
        match message(item) {
            Ok(one) => said.push(one),
            Err(wrong) => problems.push(wrong.inside(&format!("/{index}"))),
        }
    }
    if problems.is_empty() { Ok(said) } else { Err(problems) }
}

fn message(item: &Value) -> Result<Said, Problem> {
    let by_agent = match item["role"].as_str() {
        Some("agent") => true,
        Some("customer") => false,
        _ => return Err(Problem::new("/role", "must be `agent` or `customer`")),
    };
    let text = item["text"].as_str().ok_or_else(|| Problem::new("/text", "must be a string"))?;
    let text = Message::parse(text).map_err(|problem| Problem::new("/text", problem))?;
    Ok(Said { by_agent, text: text.into() })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fields(problems: Vec<Problem>) -> Vec<String> {
        problems.into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn everything_that_is_wrong_is_named_with_its_place() {
        let wrong = json!({"first_name": 7, "timezone": "Nowhere", "metadata": []});
        let problems = SampleCustomer::parse(&wrong).unwrap_err();
        assert_eq!(fields(problems), ["/first_name", "/timezone", "/metadata"]);
        let wrong =
            json!([{"role": "agent", "text": "Hi"}, {"role": "ai", "text": "Hi"}, {"role": "customer"}]);
        assert_eq!(fields(messages(&wrong).unwrap_err()), ["/1/role", "/2/text"]);
        assert!(messages(&json!(vec![json!({"role": "agent", "text": "Hi"}); 101])).is_err());
        assert_eq!(
            fields(messages(&json!([{"role": "agent", "text": "x".repeat(4_001)}])).unwrap_err()),
            ["/0/text"]
        );
    }

    #[test]
    fn nothing_has_to_be_said_about_a_sample() {
        assert_eq!(SampleCustomer::parse(&json!({})).unwrap(), SampleCustomer::default());
        let said = messages(&json!([{"role": "customer", "text": "Yes."}])).unwrap();
        assert_eq!(said, [Said { by_agent: false, text: "Yes.".to_owned() }]);
    }
}
