//! A conversation that is handed over to a person, in each form in which pages and clients tell it.

use contracts::knowledge::TicketLine;
use serde_json::Value;

use super::problem::Problem;

/// Most lines of a conversation: the last ones are kept.
const MOST: usize = 100;
/// Longest line, in characters: the beginning is kept.
const LONGEST: usize = 4000;

/// What was said, oldest first: `[{"role": "user" | "assistant", "text"}]` as documented, or with `sender` (`user`, `ai`, `system`) as
/// EchoSDK's client for JavaScript keeps it. A wish for a person does not fail for a long conversation: it is shortened.
///
/// # Errors
/// Every line that is none.
pub(crate) fn history(value: &Value) -> Result<Vec<TicketLine>, Vec<Problem>> {
    let items = value.as_array().ok_or_else(|| vec![Problem::new("", "must be a list of messages")])?;
    let from = items.len().saturating_sub(MOST);
    let (mut lines, mut problems) = (Vec::new(), Vec::new());
    for (at, item) in items.iter().enumerate().skip(from) {
        match line(item) {
            Ok(line) if line.text.trim().is_empty() => {}
            Ok(line) => lines.push(line),
            Err((field, problem)) => problems.push(Problem::new(format!("/{at}{field}"), problem)),
        }
    }
    if problems.is_empty() { Ok(lines) } else { Err(problems) }
}

fn line(item: &Value) -> Result<TicketLine, (&'static str, &'static str)> {
    let given = |name: &str| item.get(name).filter(|value| !value.is_null());
    let role = match given("role").map(Value::as_str) {
        Some(Some(role @ ("user" | "assistant" | "system"))) => Some(role),
        Some(_) => return Err(("/role", "must be user, assistant or system")),
        None => None,
    };
    let sender = match given("sender").map(Value::as_str) {
        Some(Some("ai")) => Some("assistant"),
        Some(Some(sender @ ("user" | "system"))) => Some(sender),
        Some(_) => return Err(("/sender", "must be user, ai or system")),
        None => None,
    };
    let role = role.or(sender).ok_or(("/role", "is required"))?;
    let text = item.get("text").and_then(Value::as_str).ok_or(("/text", "must be a string"))?;
    Ok(TicketLine { role: role.to_owned(), text: shortened(text) })
}

/// Without control characters, which mean nothing in a sentence and cannot all be stored.
fn shortened(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: &Value) -> Vec<(String, String)> {
        history(value).unwrap().into_iter().map(|line| (line.role, line.text)).collect()
    }

    #[test]
    fn both_forms_of_a_conversation_are_one() {
        let documented =
            json!([{"role": "user", "text": "How much?"}, {"role": "assistant", "text": "$49."}]);
        let of_client = json!([
            {"id": "1", "text": "How much?", "sender": "user", "timestamp": 1},
            {"id": "2", "text": "$49.", "sender": "ai", "timestamp": 2, "metadata": {}}
        ]);
        let said = [("user", "How much?"), ("assistant", "$49.")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(read(&documented), said);
        assert_eq!(read(&of_client), said);
        assert_eq!(read(&json!([{"sender": "system", "text": "Handed over"}]))[0].0, "system");
    }

    #[test]
    fn a_long_conversation_keeps_its_end_and_a_long_line_its_beginning() {
        let lines: Vec<Value> = (0..150).map(|n| json!({"role": "user", "text": n.to_string()})).collect();
        let kept = read(&json!(lines));
        assert_eq!((kept.len(), &*kept[0].1, &*kept[99].1), (100, "50", "149"));
        let long = read(&json!([{"role": "user", "text": format!("a\u{0}\r\n{}", "é".repeat(5000))}]));
        assert_eq!(long[0].1.chars().count(), LONGEST);
        assert!(long[0].1.starts_with("a\né"));
        assert!(read(&json!([{"role": "user", "text": " "}])).is_empty());
    }

    #[test]
    fn what_is_no_line_is_named_by_its_place() {
        let lines = json!([
            {"role": "user", "text": "a"}, {"role": "admin", "text": "a"}, {"text": "a"}, {"role": "user", "text": 7}, "a",
            {"sender": "bot", "text": "a"}, {"role": "user", "sender": {}, "text": "a"}, {"role": 7, "sender": "ai", "text": "a"}
        ]);
        let fields: Vec<String> = history(&lines).unwrap_err().into_iter().map(|p| p.field).collect();
        assert_eq!(fields, ["/1/role", "/2/role", "/3/text", "/4/role", "/5/sender", "/6/sender", "/7/role"]);
        assert_eq!(history(&json!({})).unwrap_err()[0].problem, "must be a list of messages");
    }
}
