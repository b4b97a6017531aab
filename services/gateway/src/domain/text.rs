//! Texts that people gave: bounded, and without control characters. A NUL cannot be stored by every database, and no
//! other control character means anything in a name or a sentence.

use url::Url;

/// A text on one line: `1..=max` characters, not blank, no control characters.
pub(crate) fn line(text: &str, max: usize) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("must not be empty".to_owned());
    }
    check(text, max, |c| c.is_control())
}

/// A text of any number of lines: at most `max` characters, no control characters but tabs and line ends.
pub(crate) fn passage(text: &str, max: usize) -> Result<String, String> {
    check(text, max, |c| c.is_control() && !matches!(c, '\n' | '\r' | '\t'))
}

/// Longest address of a page, in characters.
const MAX_ADDRESS: usize = 2048;

/// An address that can stand behind a link: http or https.
pub(crate) fn web_address(text: &str) -> Result<String, String> {
    let text = line(text, MAX_ADDRESS)?;
    match Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => Ok(text),
        _ => Err("must be an http or https address such as https://docs.example.com/intro".to_owned()),
    }
}

fn check(text: &str, max: usize, refused: impl Fn(char) -> bool) -> Result<String, String> {
    let length = text.chars().count();
    if length > max {
        return Err(format!("has {length} characters; at most {max} are allowed"));
    }
    match text.chars().find(|c| refused(*c)) {
        Some(c) => Err(format!("contains the control character U+{:04X}", u32::from(c))),
        None => Ok(text.to_owned()),
    }
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident = |$text:ident| $parse:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub(crate) struct $name(String);

        impl $name {
            /// Accepts the text or says what is wrong with it.
            pub(crate) fn parse($text: &str) -> Result<Self, String> { ($parse).map(Self) }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self { text.0 }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str { &self.0 }
        }
    )*};
}

texts! {
    /// A person's first or last name.
    PersonName = |text| line(text, 200);
    /// The name of a business, an agent, a key; a trade.
    Label = |text| line(text, 200);
    /// The integrator's own id for a customer.
    ExternalId = |text| line(text, 200);
    /// What a business does.
    Summary = |text| required(passage(text, 4000));
    /// An agent's system prompt, with its `{{variables}}` in place.
    Prompt = |text| required(passage(text, 32_000));
    /// What to say on the LLM path, and the nuance for one call.
    Message = |text| passage(text, 4000);
    /// What a bot is there for.
    Goal = |text| required(passage(text, 4000));
    /// A fixed first sentence.
    FirstMessage = |text| required(passage(text, 4000));
    /// What is left on an answering machine.
    VoicemailMessage = |text| required(passage(text, 4000));
    /// A language as a BCP-47 tag, by its form.
    Language = |text| language(text);
    /// A carrier's name for a voice, such as `man` or `Polly.Joanna`.
    Voice = |text| line(text, 200);
}

pub(crate) fn required(text: Result<String, String>) -> Result<String, String> {
    match text {
        Ok(text) if text.trim().is_empty() => Err("must not be empty".to_owned()),
        other => other,
    }
}

fn language(text: &str) -> Result<String, String> {
    let mut parts = text.split('-');
    let primary = parts
        .next()
        .is_some_and(|p| (2..=3).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphabetic()));
    let subtags = parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()));
    if primary && subtags && text.len() <= 35 {
        return Ok(text.to_owned());
    }
    Err("must be a language tag (BCP-47) such as `en-US`".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_one_to_two_hundred_characters_and_not_blank() {
        assert!(PersonName::parse("Zoë").is_ok());
        assert!(PersonName::parse(&"é".repeat(200)).is_ok());
        assert!(PersonName::parse(&"é".repeat(201)).is_err());
        assert!(PersonName::parse("").is_err());
        assert!(PersonName::parse(" \u{a0}").is_err());
    }

    #[test]
    fn control_characters_are_refused_but_a_passage_may_have_lines() {
        assert!(PersonName::parse("a\0b").unwrap_err().contains("U+0000"));
        assert!(PersonName::parse("a\nb").is_err());
        assert!(Prompt::parse("one\n\ttwo\r\n").is_ok());
        assert!(Prompt::parse("one\u{7}").is_err());
        assert!(Message::parse("\u{0}").is_err());
    }

    #[test]
    fn a_prompt_is_one_to_thirty_two_thousand_characters() {
        assert!(Prompt::parse(&"x".repeat(32_000)).is_ok());
        assert!(Prompt::parse(&"x".repeat(32_001)).unwrap_err().contains("at most 32000"));
        assert!(Prompt::parse("").is_err());
    }

    #[test]
    fn a_language_has_the_form_of_a_tag() {
        for good in ["en", "en-US", "zh-Hant-TW", "fil"] {
            assert!(Language::parse(good).is_ok(), "{good}");
        }
        for bad in ["", "english", "en_US", "e", "en-", "1n"] {
            assert!(Language::parse(bad).is_err(), "{bad}");
        }
    }
}
