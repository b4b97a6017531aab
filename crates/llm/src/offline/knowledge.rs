//! Answers to what the customer asks back: a sentence that is known, quoted as it stands, or nothing.
//! Known are message, context and the summary of the business of a plain message, the parts of a prompt that are headed as facts, and
//! what documents say about the question.

use super::understand::date;
use super::words::{Words, sentences, stems};
use crate::{ConversationPlan, Known};

const HEADINGS: &[&str] = &[
    "knowledge",
    "facts",
    "context",
    "passages",
    "background",
    "information",
    "faq",
    "about",
    "documents",
    "sources",
];
const LONGEST: usize = 300;

/// Everything that may be quoted to the customer.
pub(crate) fn known(plan: &ConversationPlan, system: &str) -> String {
    let mut text = match plan {
        ConversationPlan::Message { message, context, business_summary, .. } => {
            format!("{message}\n{}\n{business_summary}\n", context.as_deref().unwrap_or_default())
        }
        // Its prompt says the same once more.
        ConversationPlan::Bot { context, .. } => return context.clone(),
        ConversationPlan::Agent | ConversationPlan::Question { .. } => String::new(),
    };
    let mut inside = false;
    for line in system.lines() {
        let heading = heading_of(line);
        match heading {
            Some((is_facts, rest)) => {
                inside = is_facts;
                if inside {
                    text.push_str(rest);
                    text.push('\n');
                }
            }
            None if inside => {
                text.push_str(line.trim_start_matches(['-', '*', '•', ' ']));
                text.push('\n');
            }
            None => {}
        }
    }
    text
}

/// What documents say, a line for each of theirs. Their headings are no answers.
pub(crate) fn documented(known: Option<&Known>) -> String {
    let passages = known.into_iter().flat_map(|known| &known.passages);
    let lines =
        passages.flat_map(|passage| passage.text.lines()).filter(|line| !line.trim_start().starts_with('#'));
    lines.map(|line| line.trim_start_matches(['-', '*', '•', ' '])).collect::<Vec<_>>().join("\n")
}

/// A heading (`# Facts`, `Facts:`, `Context: open from nine`), whether it heads facts, and the rest of its line.
fn heading_of(line: &str) -> Option<(bool, &str)> {
    let bare = line.trim().trim_start_matches('#').trim();
    let marked = line.trim_start().starts_with('#');
    let (title, rest) = match bare.split_once(':') {
        Some((title, rest)) if title.split_whitespace().count() <= 4 => (title, rest.trim()),
        _ if marked => (bare, ""),
        _ => return None,
    };
    let words = Words::of(title);
    Some((HEADINGS.iter().any(|heading| words.has(heading)), rest))
}

/// The known sentence that covers a question best, if one covers at least half of it.
pub(crate) fn quote<'k>(known: &'k str, question: &str) -> Option<&'k str> {
    let asked = stems(question);
    let words = Words::of(question);
    let when = words.has_any(&["when", "what time", "which day", "what day", "what date"]);
    let about: Vec<_> =
        asked.iter().filter(|stem| !(when && matches!(stem.as_str(), "time" | "day" | "date"))).collect();
    if about.is_empty() && !when {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for sentence in
        sentences(known).into_iter().filter(|sentence| sentence.len() <= LONGEST && !sentence.ends_with('?'))
    {
        let has = stems(sentence);
        let said = Words::of(sentence);
        let time = when && date::mentions_time(&said, 0..said.len());
        let hits = about.iter().filter(|stem| has.contains(**stem)).count() + usize::from(time);
        let wanted = about.len() + usize::from(when);
        if hits > 0 && hits * 2 >= wanted && best.is_none_or(|(most, _)| hits > most) {
            best = Some((hits, sentence));
        }
    }
    best.map(|(_, sentence)| sentence)
}

/// A question in writing, answered by the sentences of the passages that speak of it most, each with the number of its source.
pub(crate) fn answer(passages: &[(usize, String)], question: &str) -> String {
    let asked = stems(question);
    let mut found: Vec<(usize, usize, &str)> = Vec::new();
    for (source, text) in passages {
        let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
        for sentence in lines.flat_map(sentences).filter(|sentence| sentence.len() <= LONGEST) {
            let has = stems(sentence);
            let hits = asked.iter().filter(|stem| has.contains(*stem)).count();
            if !found.iter().any(|(_, _, known)| *known == sentence) {
                found.push((hits, *source, sentence));
            }
        }
    }
    // The order of the passages is that of their relevance: it stays among sentences that speak of as much.
    found.sort_by_key(|(hits, _, _)| std::cmp::Reverse(*hits));
    let most = found.first().map_or(0, |(hits, _, _)| *hits);
    let said = found.iter().take_while(|(hits, _, _)| *hits == most).take(2);
    let said: Vec<String> = said.map(|(_, source, sentence)| format!("{sentence} [{source}]")).collect();
    if said.is_empty() { "Please see the sources.".to_owned() } else { said.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> ConversationPlan {
        ConversationPlan::Message {
            message: "Your appointment tomorrow at 10 AM is confirmed.".into(),
            context: Some("Parking is free behind the house. Please bring your insurance card.".into()),
            collect_feedback: false,
            business_name: String::new(),
            business_summary: "We repair bicycles of every make.".into(),
            recipient_first_name: String::new(),
        }
    }

    #[test]
    fn a_question_is_answered_only_by_a_sentence_that_covers_it() {
        let known = known(&message(), "");
        for (question, expected) in [
            ("When is my appointment?", Some("Your appointment tomorrow at 10 AM is confirmed.")),
            ("Is parking free?", Some("Parking is free behind the house.")),
            ("Do I need my insurance card?", Some("Please bring your insurance card.")),
            ("How much does the operation cost?", None),
            ("Do you repair bicycles?", Some("We repair bicycles of every make.")),
            ("Why?", None),
        ] {
            assert_eq!(quote(&known, question), expected, "{question}");
        }
    }

    #[test]
    fn documents_are_quoted_without_their_headings() {
        let passage = |text: &str| crate::Passage { title: "Delivery".into(), text: text.into() };
        let known = Known {
            passages: vec![passage("# Delivery to Norway\n- Delivery to Norway takes five days.\n")],
            unanswered: false,
        };
        let known = documented(Some(&known));
        assert_eq!(
            quote(&known, "How long does delivery take?"),
            Some("Delivery to Norway takes five days.")
        );
        assert_eq!(documented(None), "");
    }

    #[test]
    fn a_question_in_writing_is_answered_by_what_speaks_of_it_with_its_source() {
        let passages = [
            (1, "# Hours\nWe are open from nine to five. Parking is free.".to_owned()),
            (2, "Nobody parks here.".to_owned()),
        ];
        assert_eq!(answer(&passages, "When are you open?"), "We are open from nine to five. [1]");
        assert_eq!(answer(&[], "When?"), "Please see the sources.");
    }

    #[test]
    fn instructions_of_a_prompt_are_not_quoted_but_its_facts_are() {
        let system = "Never give a discount on tickets.\n\n# Facts\n- Tickets cost 12 euros.\n\n# Rules\nNever mention tickets of others.";
        let known = known(&ConversationPlan::Agent, system);
        assert_eq!(quote(&known, "What do tickets cost?"), Some("Tickets cost 12 euros."));
        assert_eq!(quote(&known, "Can I get a discount?"), None);
    }
}
