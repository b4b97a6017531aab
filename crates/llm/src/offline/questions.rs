//! Questions made from what a schema says about a property: its description, title, name, options, type.

use super::lines::{FEEDBACK, OTHER_TIME, OUTCOME};
use super::schema::{Kind, Slot};
use super::understand::choice;
use super::words::Words;

/// `reschedule_request` and `rescheduleRequest` as "reschedule request".
pub(crate) fn humanised(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if matches!(c, '_' | '-' | '.') {
            text.push(' ');
        } else if c.is_uppercase() && !text.is_empty() && !text.ends_with(' ') {
            text.push(' ');
            text.extend(c.to_lowercase());
        } else {
            text.extend(c.to_lowercase());
        }
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The question that asks for a property.
pub(crate) fn question(name: &str, title: &str, description: &str, kind: &Kind) -> String {
    for text in [description, title] {
        if text.ends_with('?') {
            return text.to_owned();
        }
    }
    if let Some(known) = well_known(name, kind) {
        return known;
    }
    let words = if description.is_empty() { title } else { unconditional(description) };
    match kind {
        Kind::YesNo => yes_no(name, words),
        Kind::Choice(options) => choice_of(name, words, options),
        _ => open(name, words, kind),
    }
}

/// The fields of a plain message call, and what people name a new time.
fn well_known(name: &str, kind: &Kind) -> Option<String> {
    let lower = name.to_lowercase();
    match kind {
        Kind::Choice(options) if lower == "outcome" => {
            let has = |word: &str| {
                options.iter().any(|option| option.as_str().is_some_and(|o| o.starts_with(word)))
            };
            (has("confirm") && has("cancel") && has("reschedul")).then(|| OUTCOME.to_owned())
        }
        Kind::When | Kind::Text if lower.contains("reschedul") => Some(OTHER_TIME.to_owned()),
        Kind::When if another(&humanised(name)) => Some(OTHER_TIME.to_owned()),
        Kind::Text if lower == "feedback" => Some(FEEDBACK.to_owned()),
        _ => None,
    }
}

/// Whether a name such as `new_time` stands for something in place of what was offered.
pub(crate) fn another(humanised: &str) -> bool {
    humanised.split(' ').any(|word| matches!(word, "new" | "alternative" | "other" | "another" | "different"))
}

/// The description up to its condition: "Preferred time if …" asks for the preferred time.
fn unconditional(description: &str) -> &str {
    let first = super::words::sentences(description).first().copied().unwrap_or_default();
    let first = first.trim_end_matches(['.', '!', ';', ':']);
    let cut = [" only if ", " if ", " in case ", ", e.g", " e.g", " (", ", for example", " such as "]
        .iter()
        .filter_map(|mark| first.to_lowercase().find(mark).filter(|at| first.is_char_boundary(*at)))
        .filter(|at| !explains_yes(&first[..*at].to_lowercase()))
        .min();
    cut.map_or(first, |at| first[..at].trim_end_matches(','))
}

/// Whether the words before an "if" only say what a yes means.
pub(crate) fn explains_yes(before: &str) -> bool {
    let last = before.trim_end_matches([',', ' ']).rsplit(' ').next().unwrap_or_default();
    matches!(
        last,
        "true" | "yes" | "set" | "check" | "determine" | "indicates" | "flag" | "ask" | "know" | "only"
    )
}

fn yes_no(name: &str, words: &str) -> String {
    let lower = words.to_lowercase();
    for lead in [
        "whether or not ",
        "whether ",
        "true if ",
        "yes if ",
        "set to true if ",
        "indicates whether ",
        "indicates if ",
        "if ",
    ] {
        if lower.starts_with(lead) && words.is_char_boundary(lead.len()) {
            return format!("Can you tell me whether {}?", second_person(&words[lead.len()..]));
        }
    }
    let spoken = humanised(name);
    const STARTS: &[(&str, &str)] = &[
        ("has ", "Do you have"),
        ("have ", "Do you have"),
        ("is ", "Are you"),
        ("wants ", "Do you want"),
        ("needs ", "Do you need"),
        ("will ", "Will you"),
        ("can ", "Can you"),
        ("likes ", "Do you like"),
    ];
    for (start, question) in STARTS {
        if let Some(rest) = spoken.strip_prefix(start) {
            return format!("{question} {rest}?");
        }
    }
    if !words.is_empty() {
        return format!("{}: yes or no?", capitalised(&second_person(words)));
    }
    match spoken.as_str() {
        "confirmed" | "confirm" | "confirmation" => "Can you confirm that for me?".to_owned(),
        "interested" => "Are you interested?".to_owned(),
        _ => format!("{}: yes or no?", capitalised(&spoken)),
    }
}

fn choice_of(name: &str, words: &str, options: &[serde_json::Value]) -> String {
    let labels: Vec<String> =
        options.iter().filter(|o| o.as_str() != Some("no_clear_answer")).map(choice::label).collect();
    let topic = if words.is_empty() { humanised(name) } else { second_person(words) };
    let question = open_words(&topic, false);
    let listed = match labels.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    };
    format!("{}: {listed}?", question.trim_end_matches('?'))
}

fn open(name: &str, words: &str, kind: &Kind) -> String {
    let topic = if words.is_empty() { humanised(name) } else { second_person(words) };
    open_words(&topic, matches!(kind, Kind::List(_)))
}

fn open_words(topic: &str, several: bool) -> String {
    let words = Words::of(topic);
    let lower_first = lowered(topic);
    match words.at(0) {
        "how" | "what" | "when" | "where" | "which" if words.at(1) == "to" => {
            format!("{} should we {}?", capitalised(words.at(0)), words.text(2..words.len()))
        }
        "how" | "what" | "when" | "where" | "which" | "who" | "why" => format!("{}?", capitalised(topic)),
        "number" if words.at(1) == "of" && words.len() > 2 => {
            format!("How many {}?", words.text(2..words.len()))
        }
        "any" | "additional" | "other" | "further" => format!("Do you have {lower_first}?"),
        "the" | "your" | "a" | "an" => format!("What {} {lower_first}?", if several { "are" } else { "is" }),
        _ => format!("What {} your {lower_first}?", if several { "are" } else { "is" }),
    }
}

const PEOPLE: &[&str] =
    &["patient", "customer", "caller", "user", "client", "person", "recipient", "guest", "member"];
const THIRD_PERSON: &[&str] = &[
    "wants", "needs", "likes", "prefers", "agrees", "confirms", "accepts", "plans", "attends", "owns",
    "lives", "knows",
];

const AFTER_PERSON: &[&str] = &["of", "to", "about", "that", "on", "for", "if", "with", "and", "when", "in"];

/// "the patient confirmed their appointment" as said to the patient.
pub(crate) fn second_person(text: &str) -> String {
    let mut out: Vec<String> = Vec::new();
    let mut subject = false;
    let mut words = text.split_whitespace().peekable();
    while let Some(word) = words.next() {
        let bare = word.trim_end_matches([',', '.', ';', ':']);
        let tail = &word[bare.len()..];
        let said = match bare {
            // "remind her of her visit": the first stands for a person, the second owns something.
            "her" if words.peek().is_none_or(|next| AFTER_PERSON.contains(next)) => "you".to_owned(),
            "her" => "your".to_owned(),
            _ => in_second_person(bare, subject),
        };
        let person = said != bare && out.last().is_some_and(|before| before.eq_ignore_ascii_case("the"));
        if person && said.starts_with("you") {
            out.pop();
        }
        subject = said == "you";
        out.push(format!("{said}{tail}"));
    }
    out.join(" ")
}

fn in_second_person(word: &str, after_you: bool) -> String {
    let lower = word.to_lowercase();
    let owner = lower.strip_suffix("'s").or_else(|| lower.strip_suffix("’s"));
    match lower.as_str() {
        "they" | "them" | "he" | "she" | "him" => "you".to_owned(),
        "their" | "his" => "your".to_owned(),
        "is" if after_you => "are".to_owned(),
        "was" if after_you => "were".to_owned(),
        "has" if after_you => "have".to_owned(),
        "does" if after_you => "do".to_owned(),
        verb if after_you && THIRD_PERSON.contains(&verb) => verb.trim_end_matches('s').to_owned(),
        person if PEOPLE.contains(&person) => "you".to_owned(),
        _ if owner.is_some_and(|owner| PEOPLE.contains(&owner)) => "your".to_owned(),
        _ => word.to_owned(),
    }
}

/// The text with a capital first letter.
pub(crate) fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

/// A first letter in lower case, unless the word is an abbreviation.
fn lowered(text: &str) -> String {
    let mut chars = text.chars();
    match (chars.next(), chars.clone().next()) {
        (Some(first), second) if second.is_none_or(|c| !c.is_uppercase()) => {
            first.to_lowercase().chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}

/// Two slots must not ask the same words: the answer is found by the question.
pub(crate) fn make_unique(slots: &mut [Slot]) {
    for index in 1..slots.len() {
        let (before, rest) = slots.split_at_mut(index);
        let Some(slot) = rest.first_mut() else { return };
        if before.iter().any(|other| other.question == slot.question) {
            let place: Vec<String> = slot.path.iter().map(|name| humanised(name)).collect();
            slot.question = format!("About {}: {}", place.join(", "), lowered(&slot.question));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::offline::schema::Bounds;

    #[test]
    fn questions_are_made_from_what_the_schema_says() {
        let number = Kind::Number(Bounds { whole: true, least: 0.0, most: 9.0 });
        let colours = Kind::Choice(vec![json!("red"), json!("dark_blue")]);
        let table: [(&str, &str, &Kind, &str); 14] = [
            (
                "confirmed",
                "Whether the patient confirmed the appointment",
                &Kind::YesNo,
                "Can you tell me whether you confirmed the appointment?",
            ),
            (
                "callback",
                "Whether the customer wants a callback",
                &Kind::YesNo,
                "Can you tell me whether you want a callback?",
            ),
            ("has_insurance", "", &Kind::YesNo, "Do you have insurance?"),
            ("confirmed", "", &Kind::YesNo, "Can you confirm that for me?"),
            (
                "reschedule_request",
                "Preferred reschedule time if they want to change it",
                &Kind::When,
                OTHER_TIME,
            ),
            ("full_name", "The customer's full name", &Kind::Name, "What is your full name?"),
            ("guests", "Number of guests", &number, "How many guests?"),
            ("guests", "How many people will attend", &number, "How many people will attend?"),
            ("reason", "Reason for the visit", &Kind::Text, "What is your reason for the visit?"),
            ("color", "Preferred colour", &colours, "What is your preferred colour: red or dark blue?"),
            (
                "allergies",
                "Known allergies (food only)",
                &Kind::List(Box::new(Kind::Text)),
                "What are your known allergies?",
            ),
            (
                "alternative",
                "Where to leave the parcel if the recipient is out",
                &Kind::Text,
                "Where should we leave the parcel?",
            ),
            ("new_time", "", &Kind::When, OTHER_TIME),
            ("q", "Do you own a dog?", &Kind::YesNo, "Do you own a dog?"),
        ];
        for (name, description, kind, expected) in table {
            assert_eq!(question(name, "", description, kind), expected);
        }
    }

    #[test]
    fn names_in_any_style_become_words() {
        for name in ["reschedule_request", "rescheduleRequest", "reschedule-request"] {
            assert_eq!(humanised(name), "reschedule request");
        }
    }
}
