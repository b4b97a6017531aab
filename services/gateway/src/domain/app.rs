//! An app: documents that answer questions, and what it says about who may ask.

use contracts::ids::AppId;
use serde_json::Value;

use super::person::Email;
use super::problem::Problem;
use super::sites::Site;
use super::text::Label;

/// Most apps of a business.
pub(crate) const MOST: i64 = 100;
/// Most sites of an app.
const MOST_SITES: usize = 50;
/// Most addresses that are told of a ticket.
const MOST_EMAILS: usize = 10;

/// What a caller says about an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AppSpec {
    /// What people call it.
    pub(crate) name: Label,
    /// The sites from which browsers may ask.
    pub(crate) allowed_domains: Vec<String>,
    /// Refuse whoever does not say from which site they ask.
    pub(crate) require_origin: bool,
    /// Who is told of a new ticket.
    pub(crate) notify_emails: Vec<String>,
}

/// The id of an app, as it is kept where others name it.
pub(crate) fn app_id(text: &str) -> Result<String, String> {
    let id =
        text.parse::<AppId>().map_err(|_| "must be the id of an app such as app_2Wm7cTrNp5xKd9JvHs4B")?;
    Ok(id.to_string())
}

/// The sites of an app: each once, in the form in which they are compared.
pub(crate) fn sites(value: &Value) -> Result<Vec<String>, Vec<Problem>> {
    list(value, MOST_SITES, |text| Site::parse(text).map(|site| site.to_string()))
}

/// Addresses that are told of tickets: each once.
pub(crate) fn emails(value: &Value) -> Result<Vec<String>, Vec<Problem>> {
    list(value, MOST_EMAILS, |text| Email::parse(text).map(|email| email.as_str().to_owned()))
}

/// A list of texts, each of them once.
fn list(
    value: &Value,
    most: usize,
    parse: impl Fn(&str) -> Result<String, String>,
) -> Result<Vec<String>, Vec<Problem>> {
    let items = value.as_array().ok_or_else(|| vec![Problem::new("", "must be a list of texts")])?;
    if items.len() > most {
        return Err(vec![Problem::new(
            "",
            format!("has {} entries; at most {most} are allowed", items.len()),
        )]);
    }
    let (mut read, mut problems) = (Vec::<String>::new(), Vec::new());
    for (at, item) in items.iter().enumerate() {
        let text = item.as_str().ok_or_else(|| "must be a text".to_owned());
        match text.and_then(&parse) {
            Ok(text) if read.iter().any(|known| known.eq_ignore_ascii_case(&text)) => {}
            Ok(text) => read.push(text),
            Err(problem) => problems.push(Problem::new(format!("/{at}"), problem)),
        }
    }
    if problems.is_empty() { Ok(read) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_id_is_one_of_an_app() {
        let id = AppId::new().to_string();
        assert_eq!(app_id(&id), Ok(id));
        for other in ["", "app_1", "v1", "query", "bot_4Zk9mUqQh8vYw2XnRt3L"] {
            assert!(app_id(other).unwrap_err().contains("app_"), "{other}");
        }
    }

    #[test]
    fn a_list_names_what_is_wrong_by_its_place_and_keeps_each_entry_once() {
        let read = sites(&json!(["Example.com", "example.com", "*.example.com"])).unwrap();
        assert_eq!(read, ["example.com", "*.example.com"]);
        let wrong = sites(&json!(["example.com", 7, "https://example.com"])).unwrap_err();
        let fields: Vec<&str> = wrong.iter().map(|problem| problem.field.as_str()).collect();
        assert_eq!(fields, ["/1", "/2"]);
        assert!(sites(&json!("example.com")).is_err());
        let many: Vec<String> = (0..11).map(|n| format!("a{n}@acme.example")).collect();
        assert!(emails(&json!(many)).unwrap_err()[0].problem.contains("at most 10"));
        assert_eq!(emails(&json!(["a@acme.example", "A@acme.example"])).unwrap().len(), 1);
        assert!(emails(&json!(["a@acme"])).is_err());
    }
}
