//! The scenario format: one YAML file per kind of person. `README.md` describes it for those who write
//! one; this is the same in types, checked on the way in.

use std::time::Duration;

use regex::{Regex, RegexBuilder};
use serde::Deserialize;

use super::answer::{Answer, WrittenAnswer};
use super::span::Span;

/// One kind of person: who they are, how they take a call, what they do when they hear something.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub(crate) name: String,
    pub(crate) about: String,
    pub(crate) numbers: Vec<String>,
    pub(crate) answer: Answer,
    pub(crate) greeting: Option<String>,
    pub(crate) script: Vec<Rule>,
}

/// One line of a script: when it applies and what the person then does.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    pub(crate) when: When,
    pub(crate) does: Deed,
    /// How long after the end of the prompt the person begins, or how far into it.
    pub(crate) pace: Pace,
    pub(crate) confidence: Option<f64>,
}

/// When a rule applies.
#[derive(Clone, Debug)]
pub(crate) enum When {
    /// The pattern occurs in what was said since the person last spoke.
    Heard(Regex),
    /// It is the person's n-th turn, from 1.
    Turn(u32),
    /// Always, as often as it is reached.
    Otherwise,
}

/// What a person does with their turn.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Says something; with `leaves`, hangs up once the other side has answered it.
    Say { text: String, leaves: bool },
    /// Presses keys.
    Press(String),
    /// Stays silent.
    Silence,
    /// Hangs up.
    HangUp,
}

/// When the deed begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// This long after the prompt's end.
    After(Duration),
    /// This long after the prompt's beginning, whether it has ended or not.
    Into(Duration),
}

/// A scenario that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// It is not YAML of the documented shape.
    #[error("scenario is not readable: {0}")]
    Unreadable(#[from] serde_norway::Error),
    /// It is readable, but says something impossible.
    #[error("scenario `{scenario}`: {problem}")]
    Wrong {
        /// The scenario's name.
        scenario: String,
        /// What is wrong and what would be right.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenScenario {
    name: String,
    about: String,
    #[serde(default)]
    numbers: Vec<String>,
    answer: WrittenAnswer,
    greeting: Option<String>,
    #[serde(default)]
    script: Vec<WrittenRule>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    heard: Option<String>,
    turn: Option<u32>,
    #[serde(default)]
    otherwise: bool,
    say: Option<String>,
    digits: Option<String>,
    #[serde(default)]
    silence: bool,
    #[serde(default)]
    hang_up: bool,
    after: Option<Span>,
    interrupt: Option<Span>,
    confidence: Option<f64>,
}

/// The time a person takes before they speak, when the script names none.
pub(crate) const USUAL_DELAY: Duration = Duration::from_millis(700);

impl Scenario {
    /// Reads one scenario file.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] names the scenario, the rule and what would be right.
    pub fn from_yaml(yaml: &str) -> Result<Scenario, ScenarioError> {
        let written: WrittenScenario = serde_norway::from_str(yaml)?;
        let name = written.name;
        let wrong = |problem: String| ScenarioError::Wrong { scenario: name.clone(), problem };
        let answer = Answer::try_from(written.answer).map_err(&wrong)?;
        let script = written
            .script
            .into_iter()
            .enumerate()
            .map(|(at, rule)| {
                Rule::try_from(rule).map_err(|problem| wrong(format!("rule {}: {problem}", at + 1)))
            })
            .collect::<Result<_, _>>()?;
        let (about, numbers, greeting) = (written.about, written.numbers, written.greeting);
        Ok(Scenario { name, about, numbers, answer, greeting, script })
    }
}

impl TryFrom<WrittenRule> for Rule {
    type Error = String;

    fn try_from(written: WrittenRule) -> Result<Rule, String> {
        let when = match (&written.heard, written.turn, written.otherwise) {
            (Some(pattern), None, false) => When::Heard(pattern_of(pattern)?),
            (None, Some(turn), false) if turn > 0 => When::Turn(turn),
            (None, None, true) => When::Otherwise,
            _ => {
                return Err(
                    "needs exactly one of `heard: …`, `turn: 1` or more, `otherwise: true`".to_owned()
                );
            }
        };
        let does = match (written.say, written.digits, written.silence, written.hang_up) {
            (Some(text), None, false, leaves) => Deed::Say { text, leaves },
            (None, Some(keys), false, false) => Deed::Press(keys_of(keys)?),
            (None, None, true, false) => Deed::Silence,
            (None, None, false, true) => Deed::HangUp,
            _ => {
                return Err("needs exactly one of `say`, `digits`, `silence: true`, `hang_up: true` \
                            (only `say` goes together with `hang_up`)"
                    .to_owned());
            }
        };
        let pace = match (written.after, written.interrupt) {
            (after, None) => Pace::After(after.map_or(USUAL_DELAY, |span| span.0)),
            (None, Some(into)) => Pace::Into(into.0),
            (Some(_), Some(_)) => return Err("has both `after` and `interrupt`: choose one".to_owned()),
        };
        if written.confidence.is_some_and(|value| !(0.0..=1.0).contains(&value)) {
            return Err("`confidence` is a number from 0 to 1".to_owned());
        }
        Ok(Rule { when, does, pace, confidence: written.confidence })
    }
}

fn pattern_of(pattern: &str) -> Result<Regex, String> {
    RegexBuilder::new(pattern)
        .case_insensitive(true)
        .build()
        .map_err(|error| format!("`heard` is no regular expression: {error}"))
}

fn keys_of(keys: String) -> Result<String, String> {
    let known = |key: char| key.is_ascii_digit() || matches!(key, '*' | '#' | 'A'..='D' | 'w' | 'W');
    if !keys.is_empty() && keys.chars().all(known) {
        Ok(keys)
    } else {
        Err(format!("`digits: \"{keys}\"` may hold 0-9, *, #, A-D, and w (half a second) or W (a second)"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(line: &str) -> Result<Rule, String> {
        let yaml = format!("{{name: n, about: a, answer: after 1s, script: [{line}]}}");
        match Scenario::from_yaml(&yaml) {
            Ok(scenario) => Ok(scenario.script[0].clone()),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_rule_has_one_condition_and_one_deed() {
        let said = rule("{heard: 'what time', say: Noon., after: 2s, confidence: 0.4}").unwrap();
        assert_eq!(said.pace, Pace::After(Duration::from_secs(2)));
        assert_eq!(said.confidence, Some(0.4));
        assert_eq!(rule("{turn: 1, digits: '12#'}").unwrap().does, Deed::Press("12#".to_owned()));
        assert_eq!(rule("{otherwise: true, hang_up: true}").unwrap().does, Deed::HangUp);
        for wrong in [
            "{say: hello}",
            "{turn: 0, say: hello}",
            "{turn: 1, heard: x, say: hello}",
            "{turn: 1}",
            "{turn: 1, say: hello, digits: '1'}",
            "{turn: 1, silence: true, hang_up: true}",
            "{turn: 1, say: hello, after: 1s, interrupt: 1s}",
            "{turn: 1, say: hello, confidence: 2}",
            "{turn: 1, digits: ring}",
            "{heard: '(', say: hello}",
        ] {
            assert!(rule(wrong).unwrap_err().contains("rule 1"), "{wrong} was accepted");
        }
    }

    #[test]
    fn a_misspelt_key_is_an_error_and_not_ignored() {
        assert!(rule("{turn: 1, says: hello}").unwrap_err().contains("says"));
    }
}
