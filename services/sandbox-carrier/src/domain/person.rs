//! One person during one call: remembers what was heard, works through the script, falls back on manners.

use std::sync::Arc;
use std::time::Duration;

use super::answer::Answer;
use super::clock::speaking_time;
use super::manners::{self, Manner};
use super::scenario::{Deed, Pace, Rule, Scenario, USUAL_DELAY, When};

/// How sure a recogniser is of somebody who speaks clearly.
const CLEAR: f64 = 0.92;

/// What somebody does with the turn that a listening moment gives them.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reaction {
    pub(crate) act: Act,
    pub(crate) pace: Pace,
}

/// The act itself.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Act {
    /// Speaks for so long; `confidence` is what a recogniser would report.
    Say { text: String, lasts: Duration, confidence: f64 },
    /// Presses keys.
    Press(String),
    /// Nothing.
    Silence,
    /// Hangs up.
    HangUp,
}

/// A person in a call.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    scenario: Arc<Scenario>,
    used: Vec<bool>,
    turn: u32,
    heard: String,
    said: Option<String>,
    leaving: bool,
}

impl Person {
    /// Somebody who has heard nothing yet.
    pub(crate) fn new(scenario: Arc<Scenario>) -> Person {
        let used = vec![false; scenario.script.len()];
        Person { scenario, used, turn: 0, heard: String::new(), said: None, leaving: false }
    }

    /// How they take a call.
    pub(crate) fn takes_calls(&self) -> &Answer {
        &self.scenario.answer
    }

    /// What is said at pick-up, by the person or by their machine.
    pub(crate) fn greeting(&self) -> Option<&str> {
        match &self.scenario.answer {
            Answer::Voicemail(machine) => Some(&machine.greeting),
            _ => self.scenario.greeting.as_deref(),
        }
    }

    /// Whether they are a machine that is told late.
    pub(crate) fn is_detected_late(&self) -> bool {
        matches!(&self.scenario.answer, Answer::Voicemail(machine) if machine.detected_late)
    }

    /// Takes in what the other side says.
    pub(crate) fn hear(&mut self, text: &str) {
        if !self.heard.is_empty() {
            self.heard.push(' ');
        }
        self.heard.push_str(text.trim());
    }

    /// Whether they have said their last word and hang up after the next thing they hear.
    pub(crate) fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// How far into something of this length they hang up, if they do not hear it to its end.
    pub(crate) fn walks_away_within(&mut self, length: Duration) -> Option<Duration> {
        let (at, rule) = self.first_rule(self.turn + 1)?;
        match (&rule.does, rule.pace) {
            (Deed::HangUp, Pace::Into(into)) if into < length => {
                self.mark(at);
                Some(into)
            }
            _ => None,
        }
    }

    /// What they do now that they are listened to; `now` is the time since pick-up.
    pub(crate) fn answer(&mut self, now: Duration) -> Reaction {
        if let Answer::Voicemail(machine) = &self.scenario.answer {
            return machine_reaction(&machine.greeting, machine.greeting_time(), now);
        }
        if self.leaving {
            return Reaction { act: Act::HangUp, pace: Pace::After(Duration::ZERO) };
        }
        self.turn += 1;
        let reaction = match self.first_rule(self.turn) {
            Some((at, rule)) => {
                let rule = rule.clone();
                self.mark(at);
                self.follow(rule)
            }
            None => self.be_polite(),
        };
        self.heard.clear();
        reaction
    }

    fn first_rule(&self, turn: u32) -> Option<(usize, &Rule)> {
        self.scenario.script.iter().enumerate().find(|(at, rule)| match &rule.when {
            When::Otherwise => true,
            When::Turn(wanted) => *wanted == turn && !self.is_used(*at),
            When::Heard(pattern) => !self.is_used(*at) && pattern.is_match(&self.heard),
        })
    }

    fn is_used(&self, at: usize) -> bool {
        self.used.get(at).copied().unwrap_or(true)
    }

    fn mark(&mut self, at: usize) {
        if let Some(used) = self.used.get_mut(at) {
            *used = true;
        }
    }

    fn follow(&mut self, rule: Rule) -> Reaction {
        let act = match rule.does {
            Deed::Say { text, leaves } => {
                self.leaving = leaves;
                self.say(text, rule.confidence.unwrap_or(CLEAR))
            }
            Deed::Press(keys) => Act::Press(keys),
            Deed::Silence => Act::Silence,
            Deed::HangUp => Act::HangUp,
        };
        Reaction { act, pace: rule.pace }
    }

    fn be_polite(&mut self) -> Reaction {
        let act = match manners::reply(&self.heard, self.said.as_deref()) {
            Manner::Say(text) => self.say(text, CLEAR),
            Manner::Leave(text) => {
                self.leaving = true;
                self.say(text, CLEAR)
            }
            Manner::Press(keys) => Act::Press(keys),
            Manner::Wait => Act::Silence,
        };
        Reaction { act, pace: Pace::After(USUAL_DELAY) }
    }

    fn say(&mut self, text: String, confidence: f64) -> Act {
        self.said = Some(text.clone());
        Act::Say { lasts: speaking_time(&text), text, confidence }
    }
}

/// A machine talks until its greeting is over, whoever speaks meanwhile, and then only records.
fn machine_reaction(greeting: &str, lasts: Duration, now: Duration) -> Reaction {
    let act = match lasts.checked_sub(now) {
        Some(left) if !left.is_zero() => {
            Act::Say { text: greeting.to_owned(), lasts: left, confidence: CLEAR }
        }
        _ => Act::Silence,
    };
    Reaction { act, pace: Pace::Into(Duration::ZERO) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(script: &str) -> Person {
        let yaml = format!("{{name: n, about: a, answer: after 1s, script: [{script}]}}");
        Person::new(Arc::new(Scenario::from_yaml(&yaml).unwrap()))
    }

    fn asked(person: &mut Person, text: &str) -> String {
        person.hear(text);
        match person.answer(Duration::ZERO).act {
            Act::Say { text, .. } => text,
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_first_matching_rule_that_was_not_used_wins() {
        let mut somebody =
            person("{heard: 'day', say: Monday.}, {heard: 'day', say: Friday.}, {turn: 1, say: Hm.}");
        assert_eq!(asked(&mut somebody, "Which DAY?"), "Monday.");
        assert_eq!(asked(&mut somebody, "Which day?"), "Friday.");
        assert_eq!(asked(&mut somebody, "Does that work?"), "Yes, that works for me.");
    }

    #[test]
    fn an_otherwise_rule_applies_every_time() {
        let mut somebody = person("{otherwise: true, digits: '1'}");
        assert_eq!(asked(&mut somebody, "Press something."), "Press(\"1\")");
        assert_eq!(asked(&mut somebody, "Again."), "Press(\"1\")");
    }

    #[test]
    fn a_rule_sees_all_that_was_said_since_the_person_last_spoke() {
        let mut somebody = person("{heard: 'one.*two', say: Both.}");
        somebody.hear("one");
        assert_eq!(asked(&mut somebody, "two"), "Both.");
        assert_eq!(asked(&mut somebody, "three."), "Okay.");
    }

    #[test]
    fn somebody_who_said_goodbye_hangs_up_when_listened_to_again() {
        let mut somebody = person("");
        assert_eq!(asked(&mut somebody, "Thank you, goodbye."), "Thank you, goodbye.");
        assert!(somebody.is_leaving());
        assert_eq!(asked(&mut somebody, "Are you there?"), "HangUp");
    }

    #[test]
    fn walking_away_needs_a_sentence_that_is_long_enough() {
        let mut somebody = person("{turn: 1, hang_up: true, interrupt: 2s}");
        assert_eq!(somebody.walks_away_within(Duration::from_secs(1)), None);
        assert_eq!(somebody.walks_away_within(Duration::from_secs(3)), Some(Duration::from_secs(2)));
    }

    #[test]
    fn a_machine_talks_over_whoever_calls_until_its_greeting_ends() {
        let yaml = "{name: n, about: a, answer: {voicemail: {greeting: fifteen letters, beep: false}}}";
        let mut machine = Person::new(Arc::new(Scenario::from_yaml(yaml).unwrap()));
        let early = machine.answer(Duration::from_millis(400));
        assert!(matches!(early.act, Act::Say { lasts, .. } if lasts == Duration::from_millis(600)));
        assert_eq!(machine.answer(Duration::from_secs(1)).act, Act::Silence);
    }
}
