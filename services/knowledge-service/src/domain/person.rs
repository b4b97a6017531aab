//! Whether somebody asks for a person instead of an answer. Decided by words alone: no model is asked, and none can be talked into it.

use unicode_segmentation::UnicodeSegmentation as _;

/// To speak, with or to, a person: in each language.
const WISHES: [(&[&str], &[&str], &[&str]); 5] = [
    (
        &["speak", "talk", "chat", "speaking", "talking", "connect", "transfer"],
        &["to", "with"],
        &[
            "human",
            "humans",
            "person",
            "agent",
            "representative",
            "someone",
            "somebody",
            "operator",
            "employee",
        ],
    ),
    (
        &["sprechen", "spreche", "reden", "verbinden", "verbinde", "chatten"],
        &["mit"],
        &["mensch", "menschen", "mitarbeiter", "mitarbeiterin", "person", "jemandem", "jemanden", "berater"],
    ),
    (
        &["parler", "discuter", "contacter", "parle"],
        &["à", "avec", "un", "une"],
        &["humain", "personne", "conseiller", "conseillère", "agent", "quelqu'un"],
    ),
    (
        &["hablar", "contactar", "hablo"],
        &["con"],
        &["humano", "humana", "persona", "agente", "alguien", "operador"],
    ),
    (
        &["parlare", "falar"],
        &["con", "com"],
        &["persona", "operatore", "umano", "pessoa", "atendente", "qualcuno", "alguém"],
    ),
];
/// So many words may stand between the preposition and the person ("to a real person").
const BETWEEN: usize = 3;
/// A longer text tells of more than this wish.
const LONGEST: usize = 40;

/// Whether a question asks for a person.
pub(crate) fn is_asked_for(question: &str) -> bool {
    let lower = question.to_lowercase().replace('’', "'");
    let words: Vec<&str> = lower.unicode_words().take(LONGEST + 1).collect();
    words.len() <= LONGEST && WISHES.iter().any(|wish| wishes(&words, *wish))
}

fn wishes(words: &[&str], (verbs, prepositions, people): (&[&str], &[&str], &[&str])) -> bool {
    // "Who can I talk to" names nobody; "connect an agent" is no wish for one.
    let verb = words.iter().any(|word| match *word {
        "connect" | "transfer" => words.contains(&"me"),
        word => verbs.contains(&word),
    });
    let to_somebody = words.iter().enumerate().any(|(at, word)| {
        let before = &words[at.saturating_sub(BETWEEN)..at];
        people.contains(word) && before.iter().any(|word| prepositions.contains(word))
    });
    verb && to_somebody
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_person_is_asked_for_in_some_languages() {
        for asked in [
            "Can I talk to a real person?",
            "connect me with an agent please",
            "I WANT TO SPEAK TO SOMEONE",
            "Ich möchte mit einem Menschen sprechen.",
            "Je voudrais parler à un conseiller",
            "Quiero hablar con una persona",
            "Vorrei parlare con un operatore",
        ] {
            assert!(is_asked_for(asked), "{asked}");
        }
        for other in [
            "When are you open?",
            "How do I connect an agent to the calendar?",
            "Who can I talk to?",
            "What does a ticket for one person cost?",
            "",
        ] {
            assert!(!is_asked_for(other), "{other}");
        }
    }
}
