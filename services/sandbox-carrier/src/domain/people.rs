//! The telephone book: which number belongs to which kind of person. A number that is not listed is
//! somebody who picks up and agrees.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::scenario::{Scenario, ScenarioError};

/// The scenario of everybody who is not listed.
const ANYONE: &str = include_str!("../../people/confirms.yaml");

/// The other scenarios that come with the carrier.
const OTHERS: [&str; 21] = [
    include_str!("../../people/reschedules.yaml"),
    include_str!("../../people/asks.yaml"),
    include_str!("../../people/stop.yaml"),
    include_str!("../../people/busy.yaml"),
    include_str!("../../people/no_answer.yaml"),
    include_str!("../../people/rejects.yaml"),
    include_str!("../../people/voicemail.yaml"),
    include_str!("../../people/screener.yaml"),
    include_str!("../../people/talks_over.yaml"),
    include_str!("../../people/silent.yaml"),
    include_str!("../../people/hangs_up.yaml"),
    include_str!("../../people/invalid.yaml"),
    include_str!("../../people/presses_keys.yaml"),
    include_str!("../../people/unreachable.yaml"),
    include_str!("../../people/voicemail_without_beep.yaml"),
    include_str!("../../people/voicemail_detected_late.yaml"),
    include_str!("../../people/mumbles.yaml"),
    include_str!("../../people/books_a_table.yaml"),
    include_str!("../../people/asks_around.yaml"),
    include_str!("../../people/answers_a_survey.yaml"),
    include_str!("../../people/takes_a_slot.yaml"),
];

/// Everybody who can be called.
#[derive(Clone, Debug)]
pub struct People {
    by_number: BTreeMap<String, Arc<Scenario>>,
    anyone: Arc<Scenario>,
}

impl People {
    /// The people with the fixed numbers.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] if a scenario that came with the program is broken.
    pub fn builtin() -> Result<People, ScenarioError> {
        let anyone = Arc::new(Scenario::from_yaml(ANYONE)?);
        let mut people = People { by_number: BTreeMap::new(), anyone: Arc::clone(&anyone) };
        people.enter(anyone);
        for yaml in OTHERS {
            people.enter(Arc::new(Scenario::from_yaml(yaml)?));
        }
        Ok(people)
    }

    /// The same people and one more scenario; it takes its numbers from whoever had them.
    ///
    /// # Errors
    ///
    /// [`ScenarioError`] if the YAML is not a scenario.
    pub fn with_yaml(mut self, yaml: &str) -> Result<People, ScenarioError> {
        self.enter(Arc::new(Scenario::from_yaml(yaml)?));
        Ok(self)
    }

    fn enter(&mut self, scenario: Arc<Scenario>) {
        for number in &scenario.numbers {
            self.by_number.insert(number.clone(), Arc::clone(&scenario));
        }
    }

    /// Who has this number.
    pub(crate) fn at(&self, number: &str) -> &Arc<Scenario> {
        self.by_number.get(number).unwrap_or(&self.anyone)
    }

    /// The whole book, by number.
    pub(crate) fn listed(&self) -> impl Iterator<Item = (&str, &Scenario)> {
        self.by_number.iter().map(|(number, scenario)| (number.as_str(), scenario.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::answer::Answer;
    use super::*;

    #[test]
    fn every_builtin_scenario_is_readable_and_has_a_number_of_its_own() {
        let people = People::builtin().unwrap();
        assert_eq!(people.listed().count(), OTHERS.len() + 1);
    }

    #[test]
    fn a_number_that_is_not_listed_is_somebody_who_confirms() {
        let people = People::builtin().unwrap();
        assert_eq!(people.at("+4930123456").name, people.at("+14155552671").name);
    }

    #[test]
    fn a_scenario_of_ones_own_takes_over_its_number() {
        let yaml = "{name: mine, about: test, numbers: ['+14155552671'], answer: busy}";
        let people = People::builtin().unwrap().with_yaml(yaml).unwrap();
        assert_eq!(people.at("+14155552671").answer, Answer::Busy);
    }

    #[test]
    fn the_readme_lists_every_number_with_its_scenario() {
        let readme = include_str!("../../README.md");
        for (number, scenario) in People::builtin().unwrap().listed() {
            let row = format!("| `{number}` | `{}` |", scenario.name);
            assert!(readme.contains(&row), "the table of fixed numbers misses {row}");
        }
    }
}
