//! How variables enter a prompt.
//!
//! `{{name}}` stands for a value; white space inside the braces is allowed. The built-ins are set first and
//! the caller's variables over them, so the caller's value wins. Substitution is one pass: a value that holds
//! `{{…}}` itself is not looked into. A token without a value stays as it is, so that a forgotten variable
//! can be seen.

use std::collections::BTreeMap;

use contracts::variables::{METADATA_PREFIX, Part, parts};
use serde_json::{Map, Value};

use super::limits::{MAX_RENDERED_CHARS, MAX_TEMPLATE_CHARS, MAX_VALUE_CHARS, MAX_VARIABLES};

/// What the built-ins are made of. A text that is absent is empty: a built-in always has a value.
#[derive(Debug, Clone, Copy, Default)]
pub struct CallFacts<'a> {
    /// Name of the business.
    pub business_name: &'a str,
    /// What the business does.
    pub business_summary: &'a str,
    /// Its trade.
    pub industry: &'a str,
    /// First name of the customer.
    pub first_name: &'a str,
    /// Last name of the customer.
    pub last_name: &'a str,
    /// What is to be said.
    pub message: &'a str,
    /// Nuance for this one call.
    pub context: &'a str,
    /// The date where the customer is, as it is to be read out.
    pub current_date: &'a str,
    /// The time of day where the customer is, as it is to be read out.
    pub current_time: &'a str,
    /// The customer's metadata: texts, numbers and booleans at its top are variables.
    pub metadata: Option<&'a Map<String, Value>>,
}

/// Why a prompt or its variables are refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptProblem {
    /// More than [`MAX_VARIABLES`].
    #[error("variables holds {0} values; at most {MAX_VARIABLES} are allowed")]
    TooManyVariables(usize),
    /// A value longer than [`MAX_VALUE_CHARS`].
    #[error("variables.{0} is longer than {MAX_VALUE_CHARS} characters")]
    ValueTooLong(String),
    /// An array, an object or null.
    #[error("variables.{0} must be a string, a number or a boolean")]
    ValueNotScalar(String),
    /// Empty, or longer than [`MAX_TEMPLATE_CHARS`].
    #[error("the prompt has {0} characters; 1 to {MAX_TEMPLATE_CHARS} are allowed")]
    Template(usize),
    /// Longer than [`MAX_RENDERED_CHARS`] with its variables filled in.
    #[error(
        "the prompt is longer than {MAX_RENDERED_CHARS} characters once its variables are filled in; \
         shorten it or use a long variable less often"
    )]
    RenderedTooLong,
}

/// The values that a prompt may use, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables(BTreeMap<String, String>);

impl Variables {
    /// The built-ins, and the caller's variables over them.
    ///
    /// # Errors
    /// Too many variables, a value that is too long, or one that is no string, number or boolean.
    pub fn new(facts: &CallFacts<'_>, caller: &Map<String, Value>) -> Result<Self, PromptProblem> {
        if caller.len() > MAX_VARIABLES {
            return Err(PromptProblem::TooManyVariables(caller.len()));
        }
        let mut values = built_ins(facts);
        for (name, value) in caller {
            let text = scalar(value).ok_or_else(|| PromptProblem::ValueNotScalar(name.clone()))?;
            if text.chars().count() > MAX_VALUE_CHARS {
                return Err(PromptProblem::ValueTooLong(name.clone()));
            }
            values.insert(name.trim().to_owned(), text);
        }
        Ok(Self(values))
    }

    /// The value of `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }
}

fn built_ins(facts: &CallFacts<'_>) -> BTreeMap<String, String> {
    let full_name = format!("{} {}", facts.first_name.trim(), facts.last_name.trim());
    let fixed = [
        ("business_name", facts.business_name),
        ("business_summary", facts.business_summary),
        ("industry", facts.industry),
        ("recipient_name", full_name.trim()),
        ("recipient_first_name", facts.first_name),
        ("recipient_last_name", facts.last_name),
        ("message", facts.message),
        ("context", facts.context),
        ("current_date", facts.current_date),
        ("current_time", facts.current_time),
    ];
    let metadata = facts.metadata.into_iter().flatten();
    fixed
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(
            metadata.filter_map(|(key, value)| {
                Some((format!("{METADATA_PREFIX}{}", key.trim()), scalar(value)?))
            }),
        )
        .collect()
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The prompt with its tokens replaced.
///
/// # Errors
/// The template is empty or too long, or the result is too long.
pub fn render(template: &str, variables: &Variables) -> Result<String, PromptProblem> {
    let length = template.chars().count();
    if length == 0 || length > MAX_TEMPLATE_CHARS {
        return Err(PromptProblem::Template(length));
    }
    let mut rendered = String::with_capacity(template.len());
    let mut chars = 0;
    for part in parts(template) {
        let text = match part {
            Part::Text(text) => text,
            Part::Token { name, whole } => variables.get(name).unwrap_or(whole),
        };
        chars += text.chars().count();
        if chars > MAX_RENDERED_CHARS {
            return Err(PromptProblem::RenderedTooLong);
        }
        rendered.push_str(text);
    }
    Ok(rendered)
}

/// The tokens of a text that stay as they are, each once, in the order of their first use.
#[must_use]
pub fn unresolved(template: &str, variables: &Variables) -> Vec<String> {
    let mut names = Vec::<String>::new();
    for part in parts(template) {
        if let Part::Token { name, .. } = part
            && variables.get(name).is_none()
            && !names.iter().any(|known| known == name)
        {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests;
