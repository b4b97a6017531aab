//! Where a project wants its events. Which networks may be dialled is decided where they are dialled; here stands what an
//! address and an event must look like.

use serde_json::Value;
use url::Url;

use super::problem::Problem;
use super::text::line;

/// Longest address.
const MAX_URL: usize = 2048;
/// The events there are.
pub(crate) const EVENTS: [&str; 3] = ["call.started", "call.ended", "call.summary"];

/// An http or https address with a host and without a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HookUrl(String);

impl HookUrl {
    /// Accepts the address as it is given.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = line(text, MAX_URL)?;
        let url = Url::parse(&text)
            .map_err(|e| format!("is no address: {e}; an example: https://example.com/hook"))?;
        if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
            return Err("must start with https:// and name a host".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must not contain a user name or a password".to_owned());
        }
        Ok(Self(text))
    }

    /// The address.
    pub(crate) fn into_inner(self) -> String {
        self.0
    }
}

/// The events that an endpoint wants: at least one, each once.
pub(crate) fn events(value: &Value) -> Result<Vec<String>, Vec<Problem>> {
    let Some(items) = value.as_array() else {
        return Err(vec![Problem::new("", format!("must be an array of {}", EVENTS.join(", ")))]);
    };
    if items.is_empty() {
        return Err(vec![Problem::new("", format!("must have at least one of {}", EVENTS.join(", ")))]);
    }
    let mut wanted: Vec<String> = Vec::new();
    let mut problems = Vec::new();
    for (at, item) in items.iter().enumerate() {
        match item.as_str().filter(|name| EVENTS.contains(name)) {
            Some(name) if wanted.iter().any(|known| known == name) => {}
            Some(name) => wanted.push(name.to_owned()),
            None => {
                problems.push(Problem::new(format!("/{at}"), format!("must be one of {}", EVENTS.join(", "))))
            }
        }
    }
    if problems.is_empty() { Ok(wanted) } else { Err(problems) }
}

/// What an endpoint is to be.
pub(crate) fn status(text: &str) -> Result<String, String> {
    match text {
        "active" | "disabled" => Ok(text.to_owned()),
        _ => Err("must be active or disabled".to_owned()),
    }
}

/// Reads one of these words.
pub(crate) fn one_of(words: &'static [&'static str]) -> impl Fn(&str) -> Result<&'static str, String> {
    move |text| {
        let found = words.iter().copied().find(|word| *word == text);
        found.ok_or_else(|| format!("must be one of {}", words.join(", ")))
    }
}

/// Where a delivery may stand.
pub(crate) const DELIVERY_STATUSES: &[&str] = &["pending", "retrying", "success", "failed"];
/// The events that are delivered.
pub(crate) const DELIVERED: &[&str] = &["call.started", "call.ended", "call.summary", "webhook.test"];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_address_is_http_with_a_host_and_without_credentials() {
        assert!(HookUrl::parse("https://your-server.com/webhooks/echo").is_ok());
        assert!(HookUrl::parse("http://127.0.0.1:9000/hook").is_ok());
        for bad in
            ["", "your-server.com", "ftp://x.com", "https://", "https://u:p@x.com/", "javascript:alert(1)"]
        {
            assert!(HookUrl::parse(bad).is_err(), "{bad}");
        }
        assert!(HookUrl::parse(&format!("https://x.com/{}", "a".repeat(2048))).is_err());
    }

    #[test]
    fn a_word_is_one_of_those_there_are() {
        assert_eq!(one_of(DELIVERED)("webhook.test"), Ok("webhook.test"));
        assert!(one_of(DELIVERY_STATUSES)("lost").unwrap_err().ends_with("retrying, success, failed"));
        assert!(status("deleted").is_err() && status("active").is_ok());
    }

    #[test]
    fn events_are_known_ones_each_once() {
        assert_eq!(events(&json!(["call.summary", "call.summary"])), Ok(vec!["call.summary".to_owned()]));
        assert!(events(&json!([])).is_err());
        assert!(events(&json!("call.summary")).is_err());
        assert_eq!(events(&json!(["call.summary", "call.begun", 7])).unwrap_err()[1].field, "/2");
    }
}
