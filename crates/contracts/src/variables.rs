//! The variables of a prompt: what a token is, and which ones the platform fills in by itself. Whoever checks a prompt when it
//! is written down and whoever renders it before a call mean the same tokens and the same names.

/// The names that always have a value.
pub const BUILT_INS: [&str; 10] = [
    "business_name",
    "business_summary",
    "industry",
    "recipient_name",
    "recipient_first_name",
    "recipient_last_name",
    "message",
    "context",
    "current_date",
    "current_time",
];
/// What the names of the customer's own metadata begin with; the key follows.
pub const METADATA_PREFIX: &str = "customer.metadata.";

/// A piece of a prompt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Stands as it is.
    Text(&'a str),
    /// `{{name}}`: stands for a value. White space inside the braces does not belong to the name.
    Token {
        /// The name.
        name: &'a str,
        /// With its braces.
        whole: &'a str,
    },
}

/// A prompt in pieces, from its beginning to its end. A name has one line and no braces.
pub fn parts(template: &str) -> impl Iterator<Item = Part<'_>> {
    let mut rest = template;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (part, tail) = match next_token(rest) {
            Some((0, length, name)) => {
                let (whole, tail) = rest.split_at(length);
                (Part::Token { name, whole }, tail)
            }
            Some((start, ..)) => {
                let (text, tail) = rest.split_at(start);
                (Part::Text(text), tail)
            }
            None => (Part::Text(rest), ""),
        };
        rest = tail;
        Some(part)
    })
}

/// The first token: where it begins, how many bytes it has, its name.
fn next_token(text: &str) -> Option<(usize, usize, &str)> {
    let mut from = 0;
    while let Some(found) = text[from..].find("{{") {
        let start = from + found;
        let inside = &text[start + 2..];
        let end = inside.find(['{', '}', '\n'])?;
        let name = inside[..end].trim();
        if !name.is_empty() && inside[end..].starts_with("}}") {
            return Some((start, end + 4, name));
        }
        from = start + 1;
    }
    None
}

/// The tokens that only the caller can fill, in the order of the prompt; one that is used twice comes twice.
pub fn required(prompt: &str) -> impl Iterator<Item = &str> {
    parts(prompt).filter_map(|part| match part {
        Part::Token { name, .. } if !BUILT_INS.contains(&name) && !name.starts_with(METADATA_PREFIX) => {
            Some(name)
        }
        Part::Token { .. } | Part::Text(_) => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_a_name_on_one_line_between_the_innermost_braces() {
        let found = |text| {
            let name = |part| match part {
                Part::Token { name, .. } => Some(name),
                Part::Text(_) => None,
            };
            parts(text).filter_map(name).collect::<Vec<_>>()
        };
        assert_eq!(found("{{{a}}} {{ {{ b }} {{}} {{c\nd}} {{e"), ["a", "b"]);
        assert_eq!(found("no tokens"), Vec::<&str>::new());
    }

    #[test]
    fn the_pieces_are_the_prompt() {
        let prompt = "Hi {{ recipient_first_name }}, {{{x}}} {{";
        let text = |part| match part {
            Part::Text(text) | Part::Token { whole: text, .. } => text,
        };
        assert_eq!(parts(prompt).map(text).collect::<String>(), prompt);
    }

    #[test]
    fn what_the_platform_fills_in_nobody_has_to_bring() {
        let prompt = "{{recipient_name}} {{doctor_name}} {{customer.metadata.plan}} {{context}} {{ time }}";
        assert_eq!(required(prompt).collect::<Vec<_>>(), ["doctor_name", "time"]);
    }
}
