//! What an agent can call in a conversation: a name and a description for the model, the form of what it sends, and where to.

use std::collections::HashSet;

use contracts::reserved_tools;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::problem::Problem;
use super::schema::OutputSchema;
use super::text::passage;
use super::webhook::HookUrl;

/// Most tools of one agent.
const MOST: usize = 20;
/// Most that they have together, in bytes of compact JSON: they travel with every call.
const MAX_BYTES: usize = 64 * 1024;
/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 1000;
/// Longest name.
const MAX_NAME: usize = 64;

/// One tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tool {
    /// How the model calls it.
    pub(crate) name: String,
    /// What it is for, for the model.
    pub(crate) description: String,
    /// A JSON Schema of type object: what it is given.
    pub(crate) parameters: Value,
    /// Where it is.
    pub(crate) url: String,
}

/// Accepts at most twenty tools with names of their own.
pub(crate) fn parse_all(value: &Value) -> Result<Vec<Tool>, Vec<Problem>> {
    let refused = |problem: String| Err(vec![Problem::new("", problem)]);
    let Some(items) = value.as_array() else {
        return refused("must be an array of tools: {name, description, parameters, url}".to_owned());
    };
    if items.len() > MOST {
        return refused(format!("has {} tools; at most {MOST} are allowed", items.len()));
    }
    let bytes = value.to_string().len();
    if bytes > MAX_BYTES {
        return refused(format!("has {bytes} bytes; at most {MAX_BYTES} are allowed"));
    }
    let (mut tools, mut problems) = (Vec::new(), Vec::new());
    for (at, item) in items.iter().enumerate() {
        match parse(item) {
            Ok(tool) => tools.push(tool),
            Err(found) => problems.extend(found.into_iter().map(|problem| problem.inside(&format!("/{at}")))),
        }
    }
    let mut names = HashSet::new();
    for (at, tool) in tools.iter().enumerate() {
        if problems.is_empty() && !names.insert(tool.name.as_str()) {
            problems.push(Problem::new(format!("/{at}/name"), "is the name of an earlier tool, too"));
            break;
        }
    }
    if problems.is_empty() { Ok(tools) } else { Err(problems) }
}

fn parse(item: &Value) -> Result<Tool, Vec<Problem>> {
    let Some(fields) = item.as_object() else {
        return Err(vec![Problem::new("", "must be an object: {name, description, parameters, url}")]);
    };
    let mut problems = Vec::new();
    let mut kept = |field: &str, parsed: Result<String, String>| match parsed {
        Ok(text) => Some(text),
        Err(problem) => {
            problems.push(Problem::new(format!("/{field}"), problem));
            None
        }
    };
    let name = kept("name", text(fields, "name").and_then(name));
    let description = kept("description", text(fields, "description").and_then(description));
    let url = text(fields, "url").and_then(|url| HookUrl::parse(&url).map(HookUrl::into_inner));
    let url = kept("url", url);
    let parameters = match fields.get("parameters").filter(|value| !value.is_null()) {
        Some(schema) => OutputSchema::parse(schema),
        None => Err(vec![Problem::new("", "is required: a JSON Schema such as {\"type\": \"object\"}")]),
    };
    match (name, description, parameters, url) {
        (Some(name), Some(description), Ok(parameters), Some(url)) => {
            Ok(Tool { name, description, parameters: parameters.into_inner(), url })
        }
        (_, _, parameters, _) => {
            let found = parameters.err().unwrap_or_default();
            problems.extend(found.into_iter().map(|problem| problem.inside("/parameters")));
            Err(problems)
        }
    }
}

fn text(fields: &Map<String, Value>, field: &str) -> Result<String, String> {
    match fields.get(field) {
        None | Some(Value::Null) => Err("is required".to_owned()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err("must be a string".to_owned()),
    }
}

fn name(text: String) -> Result<String, String> {
    if reserved_tools::ALL.contains(&text.as_str()) {
        return Err("is what every agent can do of itself: give the tool another name".to_owned());
    }
    let letters = text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
    if letters && (1..=MAX_NAME).contains(&text.len()) {
        return Ok(text);
    }
    Err("must be 1 to 64 letters, digits, underscores or hyphens, such as book_table".to_owned())
}

fn description(text: String) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("must not be empty: the model decides by it when to call the tool".to_owned());
    }
    passage(&text, MAX_DESCRIPTION)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn tool(name: &str) -> Value {
        json!({
            "name": name,
            "description": "Looks up free tables.",
            "parameters": {"type": "object", "properties": {"guests": {"type": "integer"}}},
            "url": "https://example.com/tables"
        })
    }

    fn places(value: &Value) -> Vec<String> {
        parse_all(value).unwrap_err().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn up_to_twenty_tools_with_names_of_their_own() {
        let many = |count: usize| (0..count).map(|n| tool(&format!("t{n}"))).collect::<Value>();
        assert_eq!(parse_all(&many(20)).unwrap().len(), 20);
        assert_eq!(places(&many(21)), [""]);
        assert_eq!(places(&json!([tool("a"), tool("b"), tool("a")])), ["/2/name"]);
        assert_eq!(parse_all(&json!([])), Ok(vec![]));
        assert_eq!(places(&json!({})), [""]);
        let mut large = tool("a");
        large["parameters"]["description"] = json!("x".repeat(30_000));
        let mut other = large.clone();
        other["name"] = json!("b");
        assert!(parse_all(&json!([large, other])).is_ok());
        let mut third = large.clone();
        third["name"] = json!("c");
        assert_eq!(places(&json!([large, other, third])), [""]);
    }

    #[test]
    fn everything_wrong_in_a_tool_is_named_with_its_place() {
        let wrong =
            json!([tool("a"), {"name": "book table", "parameters": {"type": "array"}, "url": "ftp://x"}]);
        assert_eq!(places(&wrong), ["/1/name", "/1/description", "/1/url", "/1/parameters/type"]);
        assert_eq!(places(&json!([7])), ["/0"]);
        for name in ["", &"x".repeat(65), "ä", "a.b", "book_time", "end_call"] {
            assert_eq!(places(&json!([tool(name)])), ["/0/name"], "{name}");
        }
    }
}
