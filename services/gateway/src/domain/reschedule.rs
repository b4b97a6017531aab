//! Which other times may be offered to somebody who cannot make it: fixed ones, or those that an address names in the call.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::moment;
use super::problem::Problem;
use super::webhook::HookUrl;

/// Most times that may be offered.
const MOST: usize = 50;

/// Where other times come from: at least one of the two.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Reschedule {
    /// These are offered, in order: RFC 3339, UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    slots: Option<Vec<String>>,
    /// Where a time is booked, and what answers which are free.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
}

impl Reschedule {
    /// Accepts `{slots: [times]}`, `{url}` or both.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        let present = |name: &str| value.get(name).filter(|value| !value.is_null());
        let (slots, url) = (present("slots").map(times), present("url").map(address));
        match (slots.transpose(), url.transpose()) {
            (Ok(None), Ok(None)) => Err(vec![Problem::new(
                "",
                "must be {\"slots\": [times]}, {\"url\": address} or an object with both",
            )]),
            (Ok(slots), Ok(url)) => Ok(Self { slots, url }),
            (slots, url) => Err(slots.err().into_iter().chain(url.err()).flatten().collect()),
        }
    }
}

fn address(value: &Value) -> Result<String, Vec<Problem>> {
    let parsed = value.as_str().ok_or_else(|| "must be a string".to_owned()).and_then(HookUrl::parse);
    parsed.map(HookUrl::into_inner).map_err(|problem| vec![Problem::new("/url", problem)])
}

fn times(value: &Value) -> Result<Vec<String>, Vec<Problem>> {
    let items = value.as_array().filter(|items| (1..=MOST).contains(&items.len()));
    let Some(items) = items else {
        return Err(vec![Problem::new("/slots", format!("must be an array of 1 to {MOST} times"))]);
    };
    let (mut slots, mut problems) = (BTreeSet::new(), Vec::new());
    for (at, item) in items.iter().enumerate() {
        match item.as_str().ok_or_else(|| "must be a string".to_owned()).and_then(moment::parse) {
            Ok(time) => {
                slots.insert(moment::text(time));
            }
            Err(problem) => problems.push(Problem::new(format!("/slots/{at}"), problem)),
        }
    }
    if problems.is_empty() { Ok(slots.into_iter().collect()) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn places(value: &Value) -> Vec<String> {
        Reschedule::parse(value).unwrap_err().into_iter().map(|problem| problem.field).collect()
    }

    #[test]
    fn times_are_kept_in_order_and_each_once_and_read_back_as_they_are_stored() {
        let given =
            json!({"slots": ["2026-03-20T11:00:00+01:00", "2026-03-19T10:00:00Z", "2026-03-20T10:00:00Z"]});
        let slots = Reschedule::parse(&given).unwrap();
        let stored = json!({"slots": ["2026-03-19T10:00:00.000Z", "2026-03-20T10:00:00.000Z"]});
        assert_eq!(serde_json::to_value(&slots).unwrap(), stored);
        assert_eq!(Reschedule::parse(&stored), Ok(slots.clone()));
        assert_eq!(serde_json::from_value::<Reschedule>(stored).unwrap(), slots);
    }

    #[test]
    fn it_is_times_or_an_address_or_both() {
        assert!(Reschedule::parse(&json!({"url": "https://example.com/book", "slots": null})).is_ok());
        let both = json!({"slots": ["2026-03-19T10:00:00.000Z"], "url": "https://x.example/book"});
        assert_eq!(serde_json::to_value(Reschedule::parse(&both).unwrap()).unwrap(), both);
        for value in [json!({}), json!([]), json!("x")] {
            assert_eq!(places(&value), [""], "{value}");
        }
        assert_eq!(places(&json!({"url": 7})), ["/url"]);
        assert_eq!(places(&json!({"url": 7, "slots": []})), ["/slots", "/url"]);
        assert_eq!(places(&json!({"slots": []})), ["/slots"]);
        assert_eq!(places(&json!({"slots": vec!["2026-03-19T10:00:00Z"; 51]})), ["/slots"]);
        assert_eq!(places(&json!({"slots": ["2026-03-19T10:00:00Z", "noon", 5]})), ["/slots/1", "/slots/2"]);
    }
}
