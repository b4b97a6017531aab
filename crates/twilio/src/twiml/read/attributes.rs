//! Attributes, taken one by one: each with the code of the warning for a value that cannot be meant, which then
//! counts as absent. Whatever nobody took is unknown.

use std::num::NonZeroU32;
use std::str::FromStr;

use super::Warning;
use crate::HttpMethod;

/// An unknown verb or attribute, or one in the wrong place.
pub(super) const SCHEMA: u32 = 12200;

/// What has been noticed so far.
pub(super) type Warnings = Vec<Warning>;

pub(super) fn warn(warnings: &mut Warnings, code: u32, message: impl Into<String>) {
    warnings.push(Warning { code, message: message.into() });
}

/// The attributes of one element that have not been taken yet.
pub(super) struct Attributes<'a> {
    element: &'a str,
    left: Vec<(String, String)>,
    warnings: &'a mut Warnings,
}

impl<'a> Attributes<'a> {
    pub(super) fn new(element: &'a str, left: Vec<(String, String)>, warnings: &'a mut Warnings) -> Self {
        Self { element, left, warnings }
    }

    /// The value as it stands, empty ones included.
    pub(super) fn raw(&mut self, name: &str) -> Option<String> {
        let at = self.left.iter().position(|(found, _)| found == name)?;
        Some(self.left.remove(at).1)
    }

    /// The trimmed value, unless it is empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.raw(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// A value that `understand` understands; `right` says what would be right.
    pub(super) fn value<T>(
        &mut self,
        name: &str,
        code: u32,
        right: &str,
        understand: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let value = self.raw(name)?;
        let understood = understand(value.trim());
        if understood.is_none() {
            let message = format!("{name} of <{}> is {value:?}, it must be {right}", self.element);
            warn(self.warnings, code, message);
        }
        understood
    }

    pub(super) fn method(&mut self, name: &str, code: u32) -> Option<HttpMethod> {
        self.value(name, code, "GET or POST", HttpMethod::parse)
    }

    pub(super) fn boolean(&mut self, name: &str, code: u32) -> Option<bool> {
        self.value(name, code, "true or false", |value| match value.to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        })
    }

    pub(super) fn positive(&mut self, name: &str, code: u32) -> Option<NonZeroU32> {
        self.value(name, code, "a whole number from 1", |value| NonZeroU32::from_str(value).ok())
    }

    pub(super) fn number(&mut self, name: &str, code: u32) -> Option<u32> {
        self.value(name, code, "a whole number from 0", |value| value.parse().ok())
    }

    /// A list divided by spaces, of these words only.
    pub(super) fn words(&mut self, name: &str, code: u32, known: &[&str]) -> Vec<String> {
        let right = format!("a list, divided by spaces, of {}", known.join(", "));
        self.value(name, code, &right, |value| {
            let words: Vec<&str> = value.split_whitespace().collect();
            words
                .iter()
                .all(|word| known.contains(word))
                .then(|| words.into_iter().map(str::to_owned).collect())
        })
        .unwrap_or_default()
    }

    /// Takes attributes that Twilio knows and this model does not.
    pub(super) fn skip(&mut self, names: &[&str]) {
        self.left.retain(|(name, _)| !names.contains(&name.as_str()));
    }

    /// Complains about everything that nobody took.
    pub(super) fn finish(self) {
        let foreign = |name: &str| name.contains(':') || name == "xmlns";
        for (name, _) in self.left.iter().filter(|(name, _)| !foreign(name)) {
            warn(self.warnings, SCHEMA, format!("<{}> has no attribute {name}", self.element));
        }
    }
}
