//! What a piece of the agent's speech asks for: a slot by its own question, or, for an opening line in
//! free words, the slot that its last question fits best.

use super::lines::{ANYTHING_ELSE, CANNOT_HEAR, CHANCE, GO_AHEAD, SAY_AGAIN, STILL_THERE, WHICH};
use super::reading::Pending;
use super::schema::{Kind, Slot};
use super::words::{Words, sentences, stems};

const OWN: &[&str] = &[STILL_THERE, CANNOT_HEAR, SAY_AGAIN];

/// What the words ask for. `open` says which slots are still to be learned.
pub(crate) fn of(slots: &[Slot], agent: &str, open: impl Fn(usize) -> bool) -> Pending {
    let place = |question: &str| agent.rfind(question);
    let slot = slots
        .iter()
        .enumerate()
        .filter_map(|(index, slot)| Some((place(&slot.question)?, Pending::Slot(index))))
        .max_by_key(|(at, _)| *at);
    let chance = [CHANCE, GO_AHEAD, ANYTHING_ELSE]
        .iter()
        .filter_map(|line| Some((place(line)?, Pending::Chance)))
        .max_by_key(|(at, _)| *at);
    let offer = place(WHICH).map(|at| (at, Pending::Offer));
    if let Some((_, pending)) = slot.into_iter().chain(chance).chain(offer).max_by_key(|(at, _)| *at) {
        return pending;
    }
    let question =
        sentences(agent).into_iter().rfind(|sentence| sentence.ends_with('?') && !OWN.contains(sentence));
    match question {
        Some(question) => inferred(slots, question, &open),
        None => Pending::Nothing,
    }
}

/// Whether the agent asks if it speaks to a certain person.
pub(crate) fn asks_identity(agent: &str) -> bool {
    sentences(agent).into_iter().any(|sentence| sentence.ends_with('?') && identity(&Words::of(sentence)))
}

fn identity(words: &Words<'_>) -> bool {
    let leads = [
        "is this",
        "is that",
        "am i speaking",
        "am i talking",
        "may i speak",
        "can i speak",
        "could i speak",
        "do i speak",
    ];
    let Some(at) = leads.iter().find_map(|lead| words.find(lead)) else { return false };
    const THINGS: &[&str] = &[
        "time",
        "a",
        "an",
        "the",
        "good",
        "okay",
        "ok",
        "still",
        "correct",
        "right",
        "date",
        "day",
        "something",
        "what",
        "your",
        "appointment",
        "convenient",
        "all",
        "alright",
        "fine",
        "true",
    ];
    !THINGS.contains(&words.at(at + 2)) && words.len() <= 12
}

fn permission(words: &Words<'_>) -> bool {
    words.has_any(&[
        "a good time",
        "a convenient time",
        "have a minute",
        "have a moment",
        "have a few minutes",
        "have time to talk",
        "have a second",
        "have two minutes",
        "have five minutes",
        "a bad time",
        "may i ask you",
        "can i ask you a",
    ])
}

fn inferred(slots: &[Slot], question: &str, open: &impl Fn(usize) -> bool) -> Pending {
    let words = Words::of(question);
    if identity(&words) {
        return Pending::Identity;
    }
    if permission(&words) {
        return Pending::Permission;
    }
    if words.has("how are you") {
        return Pending::Nothing;
    }
    let about = stems(question);
    let common = |index: usize| slots[index].about.intersection(&about).count();
    // The first of equals: `max_by_key` alone would give the last.
    let best = |among: &dyn Fn(&Slot) -> bool, least: usize| {
        (0..slots.len())
            .rev()
            .filter(|&index| open(index) && among(&slots[index]) && common(index) >= least)
            .max_by_key(|&index| common(index))
    };
    let decides = |slot: &Slot| matches!(slot.kind, Kind::YesNo | Kind::Choice(_));
    let found = if closed(&words) {
        best(&decides, 0).or_else(|| best(&|_| true, 1))
    } else {
        best(&|slot| slot.kind != Kind::YesNo, 1).or_else(|| {
            best(&|slot| matches!(slot.kind, Kind::Text | Kind::Wish) && slot.condition.is_none(), 0)
        })
    };
    found.map_or(Pending::Nothing, Pending::Slot)
}

/// Whether a question wants a yes or no rather than a value.
fn closed(words: &Words<'_>) -> bool {
    const AUXILIARIES: &[&str] = &[
        "do", "does", "did", "is", "are", "was", "were", "can", "could", "will", "would", "have", "has",
        "may", "shall", "should",
    ];
    let value = words.has_any(&[
        "tell me",
        "tell us",
        "give me",
        "share your",
        "what",
        "how",
        "which",
        "when",
        "where",
        "who",
        "spell",
    ]);
    !value && words.list.iter().any(|word| AUXILIARIES.contains(&word.text.as_str()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::offline::schema;

    #[test]
    fn an_opening_question_is_matched_to_its_slot() {
        let slots = schema::slots(&json!({"required": ["confirmed"], "properties": {
            "confirmed": {"type": "boolean", "description": "Whether the patient confirmed the appointment"},
            "reschedule_request": {"type": "string", "description": "Preferred reschedule time if they want to change it"},
            "name": {"type": "string"},
            "wish": {"type": "string"},
        }}));
        let at = |name: &str| Pending::Slot(slots.iter().position(|slot| slot.name() == name).unwrap());
        for (agent, expected) in [
            (
                "Hi, is this Ada? Great — I am calling from Acme. Does that time still work for you?",
                at("confirmed"),
            ),
            ("Hello, may I have your name? Could you tell me your name?", at("name")),
            ("Hi, is this Ada?", Pending::Identity),
            ("Do you have a minute?", Pending::Permission),
            ("Thanks for calling Acme. How can I help you?", at("wish")),
            ("Hello. Goodbye.", Pending::Nothing),
            ("What time would work better for you? Are you still there?", at("reschedule_request")),
            (CHANCE, Pending::Chance),
        ] {
            assert_eq!(of(&slots, agent, |_| true), expected, "{agent}");
        }
    }
}
