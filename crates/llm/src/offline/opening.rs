//! The first thing said: the agent's fixed message, else the line that the prompt quotes, else a greeting
//! made from what the prompt says about the call.

use super::caller::Caller;
use super::words::as_sentence;

const LEADS: &[&str] = &[
    "by saying",
    "start by saying",
    "start with",
    "begin with",
    "begin by saying",
    "open with",
    "opening line",
    "first message",
    "first sentence",
    "first line",
    "greet them with",
    "greet the customer with",
    "greeting",
    "start the call with",
    "start the conversation with",
    "say first",
    "first say",
    "say this",
    "say exactly",
    "answer with",
    "introduce yourself with",
    "opening",
    "say",
];
/// Characters between a lead and the line itself.
const BETWEEN: usize = 40;

/// The quoted opening line of a prompt.
pub(crate) fn quoted(system: &str) -> Option<String> {
    let lower = system.to_ascii_lowercase();
    for lead in LEADS {
        let mut from = 0;
        while let Some(at) = lower.get(from..).and_then(|rest| rest.find(lead)).map(|at| from + at) {
            let after = at + lead.len();
            if let Some(line) = line_after(&system[after..]) {
                return Some(line);
            }
            from = after;
        }
    }
    None
}

fn line_after(rest: &str) -> Option<String> {
    let window_end = rest.char_indices().nth(BETWEEN).map_or(rest.len(), |(at, _)| at);
    let window = &rest[..window_end];
    let open = window.char_indices().find(|(_, c)| matches!(c, '"' | '“' | '«' | '„' | '\'' | '‘'));
    // A full stop or line break before the quote ends the sentence that the lead belongs to.
    let broken = |until: usize| window[..until].contains(['.', '!', '?']) || window[..until].contains("\n\n");
    match open {
        Some((at, mark)) if !broken(at) && !inside_word(window, at) => {
            closed(&rest[at + mark.len_utf8()..], mark)
        }
        _ => unquoted(rest),
    }
}

fn inside_word(text: &str, at: usize) -> bool {
    let before = text[..at].chars().next_back();
    before.is_some_and(char::is_alphanumeric)
}

fn closed(rest: &str, mark: char) -> Option<String> {
    let ends: &[char] = match mark {
        '“' | '„' => &['”', '“', '"'],
        '«' => &['»'],
        '\'' | '‘' => &['\'', '’'],
        _ => &['"', '”'],
    };
    let apostrophe = matches!(mark, '\'' | '‘');
    let end = rest.char_indices().find(|(at, c)| {
        let next = rest[at + c.len_utf8()..].chars().next();
        // An apostrophe inside a word does not end a line in single quotes.
        ends.contains(c) && !(apostrophe && next.is_some_and(char::is_alphanumeric))
    })?;
    let line = rest[..end.0].split_whitespace().collect::<Vec<_>>().join(" ");
    (!line.is_empty()).then_some(line)
}

/// `Opening line: Hello, this is …` without quotes, to the end of the line.
fn unquoted(rest: &str) -> Option<String> {
    let line = rest.strip_prefix(':')?.lines().next()?.trim();
    let greeting = ["hi", "hello", "good ", "hey", "welcome", "thank"]
        .iter()
        .any(|word| line.to_lowercase().starts_with(word));
    (greeting && line.len() > 8).then(|| line.to_owned())
}

/// A greeting for a prompt that quotes none.
pub(crate) fn greeting(caller: &Caller) -> String {
    let hello = match &caller.recipient {
        Some(name) => format!("Hello {name}."),
        None => "Hello.".to_owned(),
    };
    let mut text = format!("{hello} {}", caller.introduction());
    if let Some(reason) = caller.reason() {
        text = format!("{text} {}", as_sentence(&reason));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_opening_line_is_found_in_the_ways_prompts_quote_it() {
        for (prompt, expected) in [
            (
                "Be kind. Start the call by saying: \"Hi, is this Ada? Great — does it work?\" If not, stop.",
                Some("Hi, is this Ada? Great — does it work?"),
            ),
            ("Open with “Good morning, this is Acme.” Then ask.", Some("Good morning, this is Acme.")),
            ("Begin with 'Hello, it's Acme calling.' and wait", Some("Hello, it's Acme calling.")),
            ("Opening line:\n\"Hello\nthere\"", Some("Hello there")),
            ("Opening line: Hello, this is Acme.\nBe brief.", Some("Hello, this is Acme.")),
            ("Say hello. The product is called \"Widget\".", None),
            ("If they ask, don't say anything about prices.", None),
            ("", None),
            ("Start by saying \"", None),
        ] {
            assert_eq!(quoted(prompt).as_deref(), expected, "{prompt}");
        }
    }

    #[test]
    fn without_a_quoted_line_the_greeting_names_caller_and_reason() {
        let caller = Caller {
            business: Some("Acme".into()),
            recipient: Some("Ada".into()),
            purpose: Some("to confirm your visit".into()),
        };
        assert_eq!(
            greeting(&caller),
            "Hello Ada. This is an automated assistant calling on behalf of Acme. I am calling to confirm your visit."
        );
    }
}
