//! What answers look like: which fields they have, and what ids, times and secrets are made of.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// The object has all of these fields; others are additions that nobody minds.
pub(crate) fn has(object: &Value, fields: &[&str]) {
    let missing: Vec<_> = fields.iter().filter(|field| object.get(**field).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?} missing in {object}");
}

/// The names of an object's fields, in the order of the alphabet.
pub(crate) fn fields(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

/// The text in a field.
pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_else(|| panic!("no text in {field} of {object}"))
}

/// The elements of a bare array.
pub(crate) fn elements(list: &Value) -> &[Value] {
    list.as_array().unwrap_or_else(|| panic!("no array: {list}"))
}

/// The fields of these names hold UUIDs.
pub(crate) fn ids(object: &Value, fields: &[&str]) {
    for field in fields {
        assert!(is_uuid(text(object, field)), "{field} of {object}");
    }
}

/// 8-4-4-4-12 lower-case hexadecimal digits.
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::parse_str(text).is_ok_and(|id| id.to_string() == text)
}

/// The fields of these names hold times in UTC with milliseconds and `Z`.
pub(crate) fn times(object: &Value, fields: &[&str]) {
    for field in fields {
        assert!(is_time(text(object, field)), "{field} of {object}");
    }
}

/// As in `2026-03-18T17:43:46.714Z`.
pub(crate) fn is_time(text: &str) -> bool {
    text.len() == 24
        && text.ends_with('Z')
        && text.as_bytes()[19] == b'.'
        && DateTime::parse_from_rfc3339(text).is_ok()
}

/// The time in a field.
pub(crate) fn time(object: &Value, field: &str) -> DateTime<Utc> {
    text(object, field).parse().unwrap_or_else(|e| panic!("{field} of {object}: {e}"))
}

/// A prefix and 64 lower-case hexadecimal digits.
pub(crate) fn is_secret(text: &str, prefix: &str) -> bool {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}
