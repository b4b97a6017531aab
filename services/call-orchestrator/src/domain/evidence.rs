//! Whether the customer said what a result claims.
//!
//! The model names, for each property, a turn and the customer's words in it. Code, not the model, checks
//! that these words stand there. Compared are the words alone: case, punctuation and white space do not
//! count.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::transcript::{Speaker, Utterance};

/// What the model says about where it found a property.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Number of the turn.
    #[serde(default)]
    pub turn: Option<u32>,
    /// The customer's words.
    #[serde(default)]
    pub quote: Option<String>,
}

/// How well a property is founded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceStatus {
    /// The quote stands in that turn, spoken by the customer.
    Grounded,
    /// The property is null: it was not learned.
    NotSaid,
    /// The property has a value, and no quote that stands where it should.
    Invalid,
}

/// The checked evidence of one property.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// How well the property is founded.
    pub status: EvidenceStatus,
    /// The turn that the model named; null when the property was not learned.
    pub turn: Option<u32>,
    /// The words that the model quoted; null when the property was not learned.
    pub quote: Option<String>,
}

/// The evidence of each property of `result`, under the same names.
#[must_use]
pub fn check(
    result: &Map<String, Value>,
    claims: &BTreeMap<String, Claim>,
    utterances: &[Utterance],
) -> BTreeMap<String, Evidence> {
    result
        .iter()
        .map(|(name, value)| (name.clone(), check_one(value, claims.get(name), utterances)))
        .collect()
}

fn check_one(value: &Value, claim: Option<&Claim>, utterances: &[Utterance]) -> Evidence {
    if value.is_null() {
        return Evidence { status: EvidenceStatus::NotSaid, turn: None, quote: None };
    }
    let claim = claim.cloned().unwrap_or_default();
    let grounded = match (claim.turn, claim.quote.as_deref()) {
        (Some(turn), Some(quote)) => said(turn, quote, utterances),
        _ => false,
    };
    let status = if grounded { EvidenceStatus::Grounded } else { EvidenceStatus::Invalid };
    Evidence { status, turn: claim.turn, quote: claim.quote }
}

fn said(turn: u32, quote: &str, utterances: &[Utterance]) -> bool {
    let quote = words(quote);
    !quote.is_empty()
        && utterances
            .iter()
            .filter(|said| said.turn.0 == turn && said.speaker == Speaker::Customer)
            .any(|said| words(&said.text).windows(quote.len()).any(|window| window == quote))
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars().filter(|c| !matches!(c, '\'' | '’')) {
        if c.is_alphanumeric() && !stands_alone(c) {
            word.extend(c.to_lowercase());
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if stands_alone(c) {
            words.push(c.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

// Scripts without spaces between words: kana, Han, Thai.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{0e00}'..='\u{0e7f}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::turn::TurnNumber;
    use super::*;

    fn call() -> Vec<Utterance> {
        let say =
            |turn, speaker, text: &str| Utterance { turn: TurnNumber(turn), speaker, text: text.to_owned() };
        vec![
            say(0, Speaker::Ai, "Does Thursday at 2 PM work?"),
            say(1, Speaker::Customer, "No, I can't. Could we do Friday at 10:30 instead?"),
            say(1, Speaker::Ai, "Friday at 10:30, very well."),
            say(2, Speaker::Customer, "はい、そうです"),
        ]
    }

    fn status(value: Value, turn: u32, quote: &str) -> EvidenceStatus {
        let result = json!({ "p": value });
        let claim = Claim { turn: Some(turn), quote: Some(quote.to_owned()) };
        let claims = BTreeMap::from([("p".to_owned(), claim)]);
        check(result.as_object().unwrap(), &claims, &call())["p"].status
    }

    #[test]
    fn a_quote_that_the_customer_said_in_that_turn_is_grounded() {
        assert_eq!(status(json!(false), 1, "No, I can't."), EvidenceStatus::Grounded);
        assert_eq!(status(json!("10:30"), 1, "friday  at 10:30"), EvidenceStatus::Grounded);
        assert_eq!(status(json!(true), 2, "そうです"), EvidenceStatus::Grounded);
    }

    #[test]
    fn a_quote_from_another_turn_or_from_the_agent_is_invalid() {
        assert_eq!(status(json!("x"), 2, "Friday at 10:30"), EvidenceStatus::Invalid);
        assert_eq!(status(json!("x"), 0, "Thursday at 2 PM"), EvidenceStatus::Invalid);
        assert_eq!(status(json!("x"), 1, "very well"), EvidenceStatus::Invalid);
    }

    #[test]
    fn a_quote_of_invented_or_partial_words_is_invalid() {
        for quote in ["I can", "day at 10:30", "Friday at 11", "", "…"] {
            assert_eq!(status(json!("x"), 1, quote), EvidenceStatus::Invalid, "{quote}");
        }
    }

    #[test]
    fn a_property_that_is_null_was_not_said_whatever_is_quoted() {
        assert_eq!(status(json!(null), 1, "No"), EvidenceStatus::NotSaid);
    }

    #[test]
    fn a_value_without_any_claim_is_invalid() {
        let result = json!({"p": 1});
        let evidence = check(result.as_object().unwrap(), &BTreeMap::new(), &call());
        assert_eq!(
            serde_json::to_value(&evidence["p"]).unwrap(),
            json!({"status": "invalid", "turn": null, "quote": null})
        );
    }
}
