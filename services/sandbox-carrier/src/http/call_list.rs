//! The list of calls: filters, pages, envelope.

use std::cmp::Ordering;

use chrono::{DateTime, NaiveDate, Utc};
use serde_json::{Value, json};

use super::error::ApiError;
use super::form::Form;
use super::json;
use crate::config::CarrierConfig;
use crate::domain::bounded::Bounded;
use crate::domain::call::Call;
use twilio::CallSid;

/// A page without a wish.
const USUAL_PAGE: u64 = 50;
/// The largest page.
const MOST_PER_PAGE: u64 = 1000;

/// A bound of a date filter: a UTC day or a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum When {
    Day(NaiveDate),
    Moment(DateTime<Utc>),
}

impl When {
    fn read(text: &str) -> Option<When> {
        if let Ok(day) = text.parse() {
            return Some(When::Day(day));
        }
        DateTime::parse_from_rfc3339(text).ok().map(|at| When::Moment(at.to_utc()))
    }

    fn compare(self, at: DateTime<Utc>) -> Ordering {
        match self {
            When::Day(day) => at.date_naive().cmp(&day),
            // A call shows whole seconds: who asks with what it shows means this one.
            When::Moment(moment) => at.timestamp().cmp(&moment.timestamp()),
        }
    }
}

/// One page, newest calls first. The page token is the last call of the page before, so that new calls do
/// not shift the pages behind.
pub(super) fn page(
    config: &CarrierConfig,
    calls: &Bounded<CallSid, Call>,
    form: &Form,
) -> Result<Value, ApiError> {
    let size = form.number("PageSize", 1..=MOST_PER_PAGE, USUAL_PAGE, 20007)?;
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    let page = form.number("Page", 0..=u64::MAX, 0, 20006)?;
    let matching: Vec<&Call> = calls.newest_first().filter(|call| matches(call, form)).collect();
    let start = start_of(&matching, form.given("PageToken"), page, size);
    let items = matching.get(start..).unwrap_or_default();
    let more = items.len() > size;
    let items: Vec<&&Call> = items.iter().take(size).collect();
    let uri = |page: u64, token: Option<&CallSid>| page_uri(config, form, size, page, token);
    let next = items.last().filter(|_| more).map(|last| uri(page + 1, Some(&last.sid)));
    let previous = page.checked_sub(1).map(|before| {
        let token = start.checked_sub(size + 1).and_then(|at| matching.get(at)).map(|call| &call.sid);
        uri(before, token)
    });
    Ok(json!({
        "calls": items.iter().map(|call| json::call(config, call)).collect::<Vec<_>>(),
        "page": page,
        "page_size": size,
        "start": start,
        "end": (start + items.len()).saturating_sub(1),
        "uri": uri(page, None),
        "first_page_uri": uri(0, None),
        "previous_page_uri": previous,
        "next_page_uri": next,
    }))
}

fn start_of(matching: &[&Call], token: Option<&str>, page: u64, size: usize) -> usize {
    let token = token.and_then(|token| token.strip_prefix("PA"));
    match token.and_then(|sid| matching.iter().position(|call| call.sid.as_str() == sid)) {
        Some(last) => last + 1,
        None => usize::try_from(page).unwrap_or(usize::MAX).saturating_mul(size),
    }
}

fn matches(call: &Call, form: &Form) -> bool {
    let equal = |name: &str, value: &str| form.given(name).is_none_or(|wanted| wanted == value);
    let parent = call.parent.as_ref().map_or("", CallSid::as_str);
    equal("To", &call.to)
        && equal("From", &call.from)
        && equal("Status", call.shown_status())
        && equal("ParentCallSid", parent)
        && within("StartTime", call.started, form)
        && within("EndTime", call.ended, form)
}

/// `Name=`, `Name<=` and `Name>=`; a call without that date matches only if nothing is asked about it.
fn within(name: &str, at: Option<DateTime<Utc>>, form: &Form) -> bool {
    [("", Ordering::Equal), ("<", Ordering::Less), (">", Ordering::Greater)].iter().all(|(sign, order)| {
        let Some(wanted) = form.given(&format!("{name}{sign}")) else { return true };
        let (Some(when), Some(at)) = (When::read(wanted), at) else { return false };
        let found = when.compare(at);
        found == *order || found == Ordering::Equal
    })
}

fn page_uri(config: &CarrierConfig, form: &Form, size: usize, page: u64, token: Option<&CallSid>) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for name in ["To", "From", "Status", "ParentCallSid"] {
        if let Some(value) = form.given(name) {
            query.append_pair(name, value);
        }
    }
    for name in ["StartTime", "EndTime"] {
        for sign in ["", "<", ">"] {
            let name = format!("{name}{sign}");
            if let Some(value) = form.given(&name) {
                query.append_pair(&name, value);
            }
        }
    }
    query.append_pair("PageSize", &size.to_string()).append_pair("Page", &page.to_string());
    if let Some(token) = token {
        query.append_pair("PageToken", &format!("PA{token}"));
    }
    format!("/2010-04-01/Accounts/{}/Calls.json?{}", config.account_sid, query.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(query: &str, at: Option<&str>) -> bool {
        let at = at.map(|at| DateTime::parse_from_rfc3339(at).unwrap().to_utc());
        within("StartTime", at, &Form::of_body(query.as_bytes()))
    }

    #[test]
    fn a_day_is_the_whole_utc_day() {
        let noon = Some("2026-03-18T12:00:00Z");
        assert!(asks("StartTime=2026-03-18", noon));
        assert!(!asks("StartTime=2026-03-19", noon));
        assert!(asks("StartTime%3E=2026-03-18", noon) && asks("StartTime%3C=2026-03-18", noon));
        assert!(!asks("StartTime%3E=2026-03-19", noon));
    }

    #[test]
    fn a_moment_is_the_whole_second() {
        let shortly_after = Some("2026-03-18T12:00:00.700Z");
        for sign in ["", "%3C", "%3E"] {
            assert!(asks(&format!("StartTime{sign}=2026-03-18T12:00:00Z"), shortly_after), "{sign}");
        }
        assert!(!asks("StartTime=2026-03-18T12:00:01Z", shortly_after));
        assert!(!asks("StartTime%3E=2026-03-18T12:00:01Z", shortly_after));
        assert!(!asks("StartTime%3C=2026-03-18T11:59:59Z", shortly_after));
    }

    #[test]
    fn a_call_that_never_began_matches_no_question_about_its_beginning() {
        assert!(!asks("StartTime%3E=2026-03-18", None));
        assert!(asks("", None));
    }
}
