//! The prompt of a call that carries a message and no agent: it tells the model what to get across and how to
//! end, and leaves the wording of the opening and the closing line to it.

use super::prompt::CallFacts;

/// The system prompt for a call about `facts.message`. With `collect_feedback` the customer is asked to
/// confirm, cancel or reschedule; without, they get one chance to ask something back.
#[must_use]
pub fn system_prompt(facts: &CallFacts<'_>, collect_feedback: bool) -> String {
    let mut lines = vec![task(facts)];
    lines.extend(about(facts));
    lines.push(format!("What you have to tell them: {}", one_line(facts.message)));
    if !facts.context.trim().is_empty() {
        lines.push(format!("Background for this call only: {}", one_line(facts.context)));
    }
    if !facts.current_date.is_empty() {
        lines.push(format!("For them it is {} {}.", facts.current_date, facts.current_time.trim()));
    }
    lines.push(opening(facts));
    lines.push(if collect_feedback { FEEDBACK.to_owned() } else { DELIVERY.to_owned() });
    lines.push(MANNERS.to_owned());
    lines.join("\n")
}

const FEEDBACK: &str = "\
After that, find out whether they confirm, want to cancel or want to reschedule. Ask one question at \
a time. If they want another time, ask which time suits them and repeat it back. If they tell you \
anything else about it, take it as feedback. If the answer stays unclear after two tries, accept \
that.";

const DELIVERY: &str =
    "After that, ask once whether they have a question about it. Answer what they ask, then close.";

const MANNERS: &str = "\
Answer questions only from the message, the background and what is said above about the business; \
for anything else say \"I will pass that on.\" Never invent a fact. Speak in short, plain sentences \
without lists or symbols. Close with one friendly sentence of your own that fits the call, then end \
the call. If they ask not to be called any more, apologise and end the call.";

fn task(facts: &CallFacts<'_>) -> String {
    let name = format!("{} {}", facts.first_name.trim(), facts.last_name.trim());
    let whom = if name.trim().is_empty() { "a customer" } else { name.trim() };
    format!("You are calling {whom} by phone{}.", on_behalf(facts, " on behalf of "))
}

fn about(facts: &CallFacts<'_>) -> Option<String> {
    let (summary, industry) = (one_line(facts.business_summary), one_line(facts.industry));
    match (summary.is_empty(), industry.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("About the business: {summary}")),
        (true, false) => Some(format!("The business is in this trade: {industry}")),
        (false, false) => Some(format!("About the business ({industry}): {summary}")),
    }
}

fn opening(facts: &CallFacts<'_>) -> String {
    // The line stands in quotation marks, so it must not hold any.
    let message = one_line(facts.message).replace('"', "'");
    let greeting = match facts.first_name.trim() {
        "" => "Hello".to_owned(),
        name => format!("Hello {name}"),
    };
    let from = on_behalf(facts, ", I am calling from ").replace('"', "'");
    format!(
        "Open with one or two sentences of your own: greet them, say who is calling, and give the message in \
         natural spoken words. If nothing better comes to mind, start the call by saying: \
         \"{greeting}{from}. {message}\""
    )
}

fn on_behalf(facts: &CallFacts<'_>, words: &str) -> String {
    match facts.business_name.trim().trim_end_matches('.') {
        "" => String::new(),
        name => format!("{words}{name}"),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> CallFacts<'static> {
        CallFacts {
            business_name: "Acme Inc.",
            business_summary: "Repairs bicycles.",
            industry: "Repair",
            first_name: "John",
            last_name: "Smith",
            message: "Your \"red\" bicycle\nis ready.",
            context: "A client for 3 years.",
            ..CallFacts::default()
        }
    }

    #[test]
    fn the_prompt_holds_the_message_the_context_and_the_business() {
        let prompt = system_prompt(&facts(), false);
        for part in [
            "calling John Smith by phone on behalf of Acme Inc.",
            "About the business (Repair): Repairs bicycles.",
            "Your \"red\" bicycle is ready.",
            "A client for 3 years.",
        ] {
            assert!(prompt.contains(part), "{part} is missing in:\n{prompt}");
        }
    }

    #[test]
    fn the_suggested_opening_line_stands_in_one_pair_of_quotation_marks() {
        let prompt = system_prompt(&facts(), true);
        let line = "saying: \"Hello John, I am calling from Acme Inc. Your 'red' bicycle is ready.\"";
        assert!(prompt.contains(line), "{prompt}");
    }

    #[test]
    fn feedback_is_asked_for_only_when_it_is_wanted() {
        assert!(system_prompt(&facts(), true).contains("reschedule"));
        assert!(!system_prompt(&facts(), false).contains("reschedule"));
        assert!(system_prompt(&facts(), false).contains("ask once whether they have a question"));
    }

    #[test]
    fn what_is_not_known_is_not_mentioned() {
        let facts = CallFacts { message: "The shop is closed today.", ..CallFacts::default() };
        let prompt = system_prompt(&facts, false);
        assert!(prompt.starts_with("You are calling a customer by phone.\n"));
        assert!(prompt.contains("saying: \"Hello. The shop is closed today.\""));
        assert!(!prompt.contains("Background") && !prompt.contains("About the business"));
    }
}
