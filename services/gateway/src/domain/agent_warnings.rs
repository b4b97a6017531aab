//! What is probably not meant as an agent has it: a variable that misses a built-in one by a letter, no first sentence, a
//! result that the prompt never asks for. Said, and never refused: whoever wrote it may know better.

use contracts::variables::BUILT_INS;
use serde_json::Value;

use super::agent::required_variables;

/// Marks that begin a quotation. A single straight one does so only behind a space: it is an apostrophe otherwise.
const QUOTES: [&str; 7] = ["\"", "“", "„", "«", "‘", " '", "\n'"];
/// Words by which a prompt gives the first sentence without quoting it.
const LEADS: [&str; 4] = ["opening line:", "greeting:", "first message:", "first sentence:"];
/// Words of a description that say nothing about what it describes.
const EMPTY: [&str; 6] = ["whether", "customer", "caller", "person", "should", "string"];

/// Warnings about an agent, in a fixed order.
pub(crate) fn warnings(prompt: &str, first_message: Option<&str>, schema: Option<&Value>) -> Vec<String> {
    let mut all: Vec<String> = required_variables(prompt).iter().filter_map(|name| near_miss(name)).collect();
    let lower = format!("{prompt}\n{}", first_message.unwrap_or_default()).to_lowercase();
    let opens = first_message.is_some()
        || QUOTES.iter().any(|mark| prompt.contains(mark))
        || LEADS.iter().any(|lead| lower.contains(lead));
    if !opens {
        all.push(
            "system_prompt quotes no opening line and there is no first_message: the model makes up what is said first"
                .to_owned(),
        );
    }
    let properties = schema.and_then(|schema| schema.get("properties")?.as_object());
    let unasked = properties.into_iter().flatten().filter(|(name, of)| !asked_for(&lower, name, of));
    all.extend(unasked.map(|(name, _)| {
        format!(
            "output_schema/properties/{name}: system_prompt never asks for it, so calls will hardly bring it"
        )
    }));
    all
}

fn near_miss(name: &str) -> Option<String> {
    let bare = |text: &str| -> Vec<char> {
        text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
    };
    let written = bare(name);
    let meant = BUILT_INS.iter().find(|built_in| {
        let wanted = bare(built_in);
        distance(&written, &wanted) <= if wanted.len() < 9 { 1 } else { 2 }
    })?;
    Some(format!("{{{{{name}}}}} is not filled in by itself; was {{{{{meant}}}}} meant?"))
}

/// How many letters have to be put in, taken out or changed to get from one to the other (Levenshtein).
fn distance(from: &[char], to: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (i, a) in from.iter().enumerate() {
        let mut before = i;
        let mut left = i + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(to) {
            let cheapest = (*cell + 1).min(left + 1).min(before + usize::from(a != b));
            before = std::mem::replace(cell, cheapest);
            left = cheapest;
        }
        if let Some(first) = row.first_mut() {
            *first = i + 1;
        }
    }
    row.last().copied().unwrap_or_default()
}

/// Whether a prompt has a word in common with a property's name or description, but for their endings. A name without a word
/// is given the benefit of the doubt.
fn asked_for(prompt: &str, name: &str, property: &Value) -> bool {
    let described = ["description", "title"].map(|key| property.get(key).and_then(Value::as_str));
    let described = described.into_iter().flatten().flat_map(|text| words(text, 6));
    let mut wanted = words(name, 4).into_iter().chain(described).peekable();
    wanted.peek().is_none() || wanted.any(|word| prompt.contains(&word))
}

/// The beginnings of the words of at least so many letters.
fn words(text: &str, least: usize) -> Vec<String> {
    let mut spaced = String::new();
    for c in text.chars() {
        if c.is_uppercase() {
            spaced.push(' ');
        }
        spaced.extend(c.to_lowercase());
    }
    let long = |word: &&str| word.chars().count() >= least && !EMPTY.contains(word);
    let words = spaced.split(|c: char| !c.is_alphanumeric()).filter(long);
    words.map(|word| word.chars().take(5).collect()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const OPENS: &str = "Say \"Hi\".";

    #[test]
    fn the_documented_example_gives_no_cause_for_a_warning() {
        let prompt = "You are a friendly assistant calling {{recipient_first_name}} on behalf of {{business_name}}. Start \
                      the call by saying: \"Hi, is this {{recipient_first_name}}? Great — I'm calling to confirm your \
                      appointment on {{appointment_time}} with {{doctor_name}}.\" If they need to reschedule, collect a \
                      preferred time and end the call warmly.";
        let schema = json!({"type": "object", "properties": {
            "confirmed": {"type": "boolean", "description": "Whether the patient confirmed the appointment"},
            "reschedule_request": {"type": "string"},
        }});
        assert!(warnings(prompt, None, Some(&schema)).is_empty());
    }

    #[test]
    fn near_misses_of_built_in_variables_are_named_with_what_was_meant() {
        let prompt =
            "\"Hi {{recipientFirstName}} of {{buisness_name}}, {{Context}}\" {{order_id}} {{first_name}}";
        let said = warnings(prompt, None, None);
        let meant = |name: &str, meant: &str| {
            format!("{{{{{name}}}}} is not filled in by itself; was {{{{{meant}}}}} meant?")
        };
        let expected = [
            meant("Context", "context"),
            meant("buisness_name", "business_name"),
            meant("recipientFirstName", "recipient_first_name"),
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_first_sentence_may_be_quoted_led_to_or_fixed() {
        let says = |prompt, first| !warnings(prompt, first, None).is_empty();
        assert!(says("Don't be rude. Ask for the customer's name.", None));
        assert!(!says("Don't be rude. Ask for the customer's name.", Some("Hello.")));
        for prompt in
            [OPENS, "Start with 'Hello there'.", "Begin “Guten Tag”.", "Opening line: Hello, this is Acme"]
        {
            assert!(!says(prompt, None), "{prompt}");
        }
    }

    #[test]
    fn results_that_the_prompt_never_asks_for_are_named() {
        let schema = json!({"type": "object", "properties": {
            "favourite_colour": {"type": "string"},
            "guestCount": {"type": "integer"},
            "note": {"type": "string", "description": "Allergies of the guests"},
            "id": {"type": "string"},
        }});
        let said =
            warnings(&format!("{OPENS} Ask how many guests come and for allergies."), None, Some(&schema));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("output_schema/properties/favourite_colour: "));
    }

    #[test]
    fn distances() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for (from, to, expected) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("abc", "abc", 0)] {
            assert_eq!(distance(&chars(from), &chars(to)), expected, "{from} {to}");
        }
    }
}
