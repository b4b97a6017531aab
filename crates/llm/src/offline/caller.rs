//! Who is calling, whom, and what for, as far as an ordinary prompt says it in ordinary words.

use super::questions::second_person;
use crate::ConversationPlan;

/// What is known of the call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) business: Option<String>,
    pub(crate) recipient: Option<String>,
    /// "to confirm your appointment", without a full stop.
    pub(crate) purpose: Option<String>,
}

const BUSINESS: &[&str] = &[
    "on behalf of ",
    "calling from ",
    "call from ",
    "assistant of ",
    "assistant for ",
    "assistant at ",
    "assistant from ",
    "receptionist at ",
    "receptionist for ",
    "receptionist of ",
    "agent of ",
    "agent for ",
    "agent at ",
    "you work for ",
    "you represent ",
    "answering the phone for ",
    "answering calls for ",
    "representing ",
];
const RECIPIENT: &[&str] =
    &["calling ", "call ", "speaking with ", "speaking to ", "talking to ", "phoning "];
const PURPOSES: &[&str] = &["to ", "about ", "regarding ", "because "];
const LONGEST: usize = 60;

impl Caller {
    pub(crate) fn of(plan: &ConversationPlan, system: &str) -> Self {
        match plan {
            ConversationPlan::Agent => Self::from_prompt(system),
            ConversationPlan::Bot { .. } | ConversationPlan::Question { .. } => Self::default(),
            ConversationPlan::Message { business_name, recipient_first_name, .. } => {
                let known = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
                Self { business: known(business_name), recipient: known(recipient_first_name), purpose: None }
            }
        }
    }

    fn from_prompt(system: &str) -> Self {
        let after_business = BUSINESS.iter().filter_map(|lead| after(system, lead)).min_by_key(|(at, _)| *at);
        let business = after_business.and_then(|(_, rest)| named(rest));
        let purpose =
            after_business.zip(business.as_ref()).and_then(|((_, rest), name)| purpose(&rest[name.len()..]));
        let recipient = RECIPIENT.iter().find_map(|lead| person(after(system, lead)?.1));
        Self { business, recipient, purpose }
    }

    /// How the model introduces itself: it says that it is a machine.
    pub(crate) fn introduction(&self) -> String {
        match &self.business {
            Some(business) => format!("This is an automated assistant calling on behalf of {business}."),
            None => "This is an automated assistant.".to_owned(),
        }
    }

    /// What the call is about, if it is known.
    pub(crate) fn reason(&self) -> Option<String> {
        self.purpose.as_ref().map(|purpose| format!("I am calling {purpose}."))
    }
}

/// The place behind the first occurrence of a lead, whatever its case.
fn after<'t>(text: &'t str, lead: &str) -> Option<(usize, &'t str)> {
    // ASCII lower case keeps every byte in its place.
    let at = text.to_ascii_lowercase().find(lead)? + lead.len();
    Some((at, &text[at..]))
}

/// A name up to the word or mark that ends it.
fn named(rest: &str) -> Option<String> {
    let marks =
        rest.find(['.', ',', ';', ':', '\n', '"', '“', '”', '(', '!', '?', '—']).unwrap_or(rest.len());
    // "Acme Inc. to …": the full stop belongs to the name when a small letter follows.
    let marks = match rest[marks..].strip_prefix(". ") {
        Some(more) if more.starts_with(char::is_lowercase) => marks + 1,
        _ => marks,
    };
    let words = [" to ", " about ", " regarding ", " and ", " who ", " because ", " in order "];
    let end = words.iter().filter_map(|word| rest.find(word)).chain([marks]).min()?;
    let name = rest[..end].trim_end();
    (!name.is_empty() && name.len() <= LONGEST).then(|| name.to_owned())
}

fn purpose(rest: &str) -> Option<String> {
    let rest = rest.trim_start();
    let lead = PURPOSES.iter().find(|lead| rest.starts_with(*lead))?;
    let end = rest.find(['.', '\n', '"', '”', '!', '?', ';']).unwrap_or(rest.len());
    let text = rest[..end].trim();
    (text.len() > lead.len() && text.len() <= 160).then(|| second_person(text))
}

fn person(rest: &str) -> Option<String> {
    let names: Vec<&str> = rest
        .split(' ')
        .take(3)
        .take_while(|word| word.starts_with(char::is_uppercase) || word.starts_with("{{"))
        .collect();
    let last = names.len().checked_sub(1)?;
    let mut name = String::new();
    for (index, word) in names.iter().enumerate() {
        let bare = word.trim_end_matches(|c: char| !c.is_alphanumeric() && c != '}');
        name = if index == 0 { bare.to_owned() } else { format!("{name} {bare}") };
        if bare.len() < word.len() && index < last {
            break;
        }
    }
    (!name.is_empty() && name.len() <= LONGEST && !name.contains("{{")).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caller_recipient_and_purpose_are_read_from_a_prompt() {
        let prompt = "You are a friendly assistant calling Ada on behalf of Acme Dental to remind her of her check-up. Be kind.";
        let caller = Caller::from_prompt(prompt);
        assert_eq!(caller.business.as_deref(), Some("Acme Dental"));
        assert_eq!(caller.recipient.as_deref(), Some("Ada"));
        assert_eq!(caller.reason().as_deref(), Some("I am calling to remind you of your check-up."));
    }

    #[test]
    fn a_prompt_that_names_nobody_gives_nobody() {
        assert_eq!(Caller::from_prompt("Be kind. Ask how the weather is."), Caller::default());
        assert_eq!(Caller::from_prompt(""), Caller::default());
    }
}
