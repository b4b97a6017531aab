//! What an answer has cost a model: whoever runs one is billed by these.

use serde_json::Value;

/// Tokens of one answer, or of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tokens {
    /// What the model read: prompt, history, tools, schema.
    pub read: u64,
    /// What it wrote, unheard thoughts included.
    pub written: u64,
}

impl Tokens {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            read: self.read.saturating_add(other.read),
            written: self.written.saturating_add(other.written),
        }
    }

    /// What stands in the `usage` of an answer; `None` where a server gives none, or something else under that name.
    pub(crate) fn of(usage: &Value) -> Option<Self> {
        let read = usage["prompt_tokens"].as_u64();
        let written = usage["completion_tokens"].as_u64();
        (read.is_some() || written.is_some())
            .then(|| Self { read: read.unwrap_or_default(), written: written.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_is_a_count_is_counted() {
        let both = json!({"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15});
        assert_eq!(Tokens::of(&both), Some(Tokens { read: 12, written: 3 }));
        assert_eq!(Tokens::of(&json!({"prompt_tokens": 12})), Some(Tokens { read: 12, written: 0 }));
        for nothing in [json!(null), json!({}), json!("12"), json!({"prompt_tokens": "12"})] {
            assert_eq!(Tokens::of(&nothing), None, "{nothing}");
        }
    }
}
