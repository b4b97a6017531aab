//! What is probably not meant as an agent has it: a variable that misses a built-in one by a letter, no first sentence, a
//! result that the prompt never asks for. Said, and never refused: whoever wrote it may know better. A rule that cannot tell
//! well is left out: a warning that is wrong makes nobody read the others.

use contracts::variables::{BUILT_INS, METADATA_PREFIX};
use serde_json::Value;

use super::agent::required_variables;

/// Marks that begin a quotation. A single straight one does so only behind a space: it is an apostrophe otherwise.
const QUOTES: [&str; 7] = ["\"", "“", "„", "«", "‘", " '", "\n'"];
/// Words by which a prompt gives the first sentence without quoting it.
const LEADS: [&str; 4] = ["opening line:", "greeting:", "first message:", "first sentence:"];
/// Words of a description that say nothing about what it describes.
const EMPTY: [&str; 6] = ["whether", "customer", "caller", "person", "should", "string"];

/// Words by which a prompt says how a call ends.
const ENDS: [&str; 18] = [
    "end the",
    "ends",
    "ending",
    "end with",
    "end politely",
    "hang up",
    "goodbye",
    "good-bye",
    "bye",
    "wrap up",
    "close the call",
    "close with",
    "close by",
    "conclude",
    "finish",
    "farewell",
    "say thank",
    "thank them",
];
/// Words that stand in nearly every English text of some length.
const ENGLISH: [&str; 5] = [" the ", " you ", " and ", " to ", " is "];
/// Shortest prompt, in characters, of which it is said that it does not say how the call ends.
const LONG: usize = 120;
/// Most questions that are asked in one go.
const AT_ONCE: usize = 2;

/// Warnings about an agent, in a fixed order. `templates`: all of its texts in which variables are filled in.
pub(crate) fn warnings(
    templates: &[&str],
    prompt: &str,
    first_message: Option<&str>,
    language: Option<&str>,
    schema: Option<&Value>,
) -> Vec<String> {
    let mut all: Vec<String> =
        required_variables(templates).iter().filter_map(|name| near_miss(name)).collect();
    for template in templates {
        all.extend(single_braces(template));
        all.extend(unfinished(template));
    }
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
    all.extend(many_questions(prompt, first_message));
    if endless(&lower, language) {
        all.push("system_prompt does not say when and how the call ends".to_owned());
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

/// A built-in name between single braces: it is spoken as it stands.
fn single_braces(prompt: &str) -> Vec<String> {
    let written = |name: &&&str| {
        let single = format!("{{{name}}}");
        prompt.match_indices(&single).any(|(at, _)| {
            let before = prompt[..at].chars().next_back();
            let after = prompt[at + single.len()..].chars().next();
            before != Some('{') && after != Some('}')
        })
    };
    let said = |name: &&str| format!("{{{name}}} is not filled in; was {{{{{name}}}}} meant?");
    BUILT_INS.iter().filter(written).map(said).collect()
}

/// A token that is never closed, or that has no name.
fn unfinished(prompt: &str) -> Option<String> {
    prompt.split("{{").skip(1).find_map(|rest| match rest.split_once("}}") {
        Some((name, _)) if name.trim().is_empty() => {
            Some("{{}} has no name: nothing is filled in".to_owned())
        }
        Some((name, _)) if !name.contains('\n') => None,
        _ => {
            let shown: String = rest.chars().take_while(|c| *c != '\n').take(30).collect();
            Some(format!("{{{{{shown} is never closed: a variable ends with }}}}"))
        }
    })
}

/// What is said in one go and asks for more than the person can answer in one go.
fn many_questions(prompt: &str, first_message: Option<&str>) -> Option<String> {
    let quoted = prompt.split(['"', '“', '”', '„', '«', '»']).skip(1).step_by(2);
    let many = |text: &&str| text.matches('?').count() > AT_ONCE;
    let text = first_message.into_iter().chain(quoted).find(many)?;
    let shown: String = text.chars().take(40).collect();
    Some(format!("\"{shown}…\" asks {} questions at once; ask one at a time", text.matches('?').count()))
}

/// Whether an English prompt of some length says nothing about the end of the call.
fn endless(lower: &str, language: Option<&str>) -> bool {
    let english = language.is_none_or(|tag| tag.to_lowercase().starts_with("en"))
        && ENGLISH.iter().filter(|word| lower.contains(**word)).count() >= 2;
    english && lower.chars().count() >= LONG && !ENDS.iter().any(|word| lower.contains(word))
}

fn near_miss(name: &str) -> Option<String> {
    if let Some(key) = name.strip_prefix("metadata.").or_else(|| name.strip_prefix("customer.")) {
        return Some(format!(
            "{{{{{name}}}}} is not filled in by itself; was {{{{{METADATA_PREFIX}{key}}}}} meant?"
        ));
    }
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

    fn warnings(
        prompt: &str,
        first_message: Option<&str>,
        language: Option<&str>,
        schema: Option<&Value>,
    ) -> Vec<String> {
        let templates: Vec<&str> = [Some(prompt), first_message].into_iter().flatten().collect();
        super::warnings(&templates, prompt, first_message, language, schema)
    }

    #[test]
    fn every_text_in_which_variables_are_filled_in_is_looked_at() {
        let said = super::warnings(
            &["\"Hi\"", "Call {business_name}", "{{recipient_nam}}"],
            "\"Hi\"",
            None,
            None,
            None,
        );
        assert_eq!(said.len(), 2, "{said:?}");
    }

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
        assert!(warnings(prompt, None, None, Some(&schema)).is_empty());
    }

    #[test]
    fn near_misses_of_built_in_variables_are_named_with_what_was_meant() {
        let prompt =
            "\"Hi {{recipientFirstName}} of {{buisness_name}}, {{Context}}\" {{order_id}} {{first_name}}";
        let said = warnings(prompt, None, None, None);
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
        let says = |prompt, first| !warnings(prompt, first, None, None).is_empty();
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
        let said = warnings(
            &format!("{OPENS} Ask how many guests come and for allergies."),
            None,
            None,
            Some(&schema),
        );
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("output_schema/properties/favourite_colour: "));
    }

    #[test]
    fn a_token_that_will_be_spoken_as_it_stands_is_named() {
        let said = warnings(
            "\"Hi {recipient_name}\" {{ }} {{metadata.room}} {{customer.metadata.room}}",
            None,
            None,
            None,
        );
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[0].contains("{{metadata.room}}") && said[0].contains("{{customer.metadata.room}}"));
        assert!(said[1].starts_with("{recipient_name} is not filled in"));
        assert!(said[2].contains("has no name"));
        assert_eq!(warnings("\"Hi\" {{name", None, None, None).len(), 1);
        assert!(warnings("\"Hi\" {name} and a {json: {a: 1}}", None, None, None).is_empty());
    }

    #[test]
    fn more_than_two_questions_in_one_go_are_named() {
        let said = |prompt| warnings(prompt, None, None, None);
        assert!(said("Say \"Hi, is this Jo? Does Tuesday still work?\"").is_empty());
        assert!(said("Say \"Is this Jo?\", then \"Your age?\", then \"Your town? And street?\"").is_empty());
        let many = said("Say \"Your name? Your age? Your town?\"");
        assert_eq!(many.len(), 1, "{many:?}");
        assert!(many[0].contains("3 questions at once"));
        assert_eq!(warnings("Talk.", Some("Name? Age? Town?"), None, None).len(), 1);
    }

    #[test]
    fn an_english_prompt_says_how_the_call_ends() {
        let open = "Say \"Hello\". You are calling to remind the customer of the invoice that is due on Friday, and to ask \
                    whether it will be paid in time. Be brief and friendly.";
        assert_eq!(
            warnings(open, None, None, None),
            ["system_prompt does not say when and how the call ends"]
        );
        assert!(warnings(open, None, Some("fr-FR"), None).is_empty());
        for end in ["Then end the call.", "Then say goodbye.", "Thank them and hang up.", "Wrap up warmly."] {
            assert!(warnings(&format!("{open} {end}"), None, None, None).is_empty(), "{end}");
        }
        let german = "Sag \"Guten Tag\". Du rufst an, um an die Rechnung zu erinnern, die am Freitag fällig ist, und fragst, \
                      ob sie rechtzeitig bezahlt wird. Sei freundlich.";
        assert!(warnings(german, None, None, None).is_empty());
    }

    #[test]
    fn distances() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for (from, to, expected) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("abc", "abc", 0)] {
            assert_eq!(distance(&chars(from), &chars(to)), expected, "{from} {to}");
        }
    }
}
