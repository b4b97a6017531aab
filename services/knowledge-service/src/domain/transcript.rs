//! What was said before a ticket: as whoever opens it tells it, as a conversation or a call was, and as people read it.

use contracts::knowledge::TicketLine;
use contracts::rpc::RpcError;

use super::query::invalid;
use super::ticket::printable;

/// The most lines of one transcript.
pub(crate) const MOST: usize = 100;
/// The longest line, in characters.
const LONGEST: usize = 4_000;
/// What people are sent of it, in bytes.
const READABLE: usize = 64 * 1024;
/// Stands in place of what is left out.
const LEFT_OUT: &str = "…\n";

/// Who has said something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    User,
    Assistant,
    System,
}

impl Role {
    const ALL: [Self; 3] = [Self::User, Self::Assistant, Self::System];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Assistant => "assistant",
            Self::System => "system",
        }
    }

    /// As the transcripts of calls call them.
    const fn label(self) -> &'static str {
        match self {
            Self::User => "Customer: ",
            Self::Assistant => "AI: ",
            Self::System => "System: ",
        }
    }
}

/// Something that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) role: Role,
    pub(crate) text: String,
}

/// What whoever opens a ticket says was said. Lines without a word are left out.
pub(crate) fn told(lines: Vec<TicketLine>) -> Result<Vec<Line>, RpcError> {
    if lines.len() > MOST {
        return Err(invalid("history", format!("has {} lines: give at most {MOST}", lines.len())));
    }
    let mut told = Vec::with_capacity(lines.len());
    for line in lines {
        let Some(role) = Role::named(&line.role) else {
            return Err(invalid("history", "holds a line whose role is none of user, assistant, system"));
        };
        let text = printable(&line.text);
        if text.chars().count() > LONGEST {
            return Err(invalid("history", format!("holds a line of more than {LONGEST} characters")));
        }
        told.extend(spoken(role, &text));
    }
    Ok(told)
}

/// What was asked and answered, oldest first: the last lines of it.
pub(crate) fn of_exchanges<'a>(exchanges: impl Iterator<Item = (&'a str, &'a str)>) -> Vec<Line> {
    let lines =
        exchanges.flat_map(|(asked, said)| [spoken(Role::User, asked), spoken(Role::Assistant, said)]);
    last(lines.flatten().collect())
}

/// What was said in a call, from its lines `AI: …` and `Customer: …`: the last of them.
pub(crate) fn of_call(transcript: &str) -> Vec<Line> {
    let transcript = printable(transcript);
    let lines = transcript.lines().filter_map(|line| {
        let labelled = Role::ALL.into_iter().find_map(|role| Some((role, line.strip_prefix(role.label())?)));
        let (role, text) = labelled.unwrap_or((Role::System, line));
        spoken(role, text)
    });
    last(lines.collect())
}

/// What people are sent: a line for each time somebody speaks, the end of it where all of it would be too much. A line feed in what was
/// said begins no line of somebody else.
pub(crate) fn readable(lines: &[Line]) -> String {
    let mut room = READABLE - LEFT_OUT.len();
    let mut shown: Vec<String> = Vec::new();
    for line in lines.iter().rev() {
        let words: Vec<&str> = line.text.split_whitespace().collect();
        let text = format!("{}{}\n", line.role.label(), words.join(" "));
        if text.len() > room {
            shown.push(LEFT_OUT.to_owned());
            break;
        }
        room -= text.len();
        shown.push(text);
    }
    shown.reverse();
    shown.concat().trim_end().to_owned()
}

fn spoken(role: Role, text: &str) -> Option<Line> {
    let text: String = text.trim().chars().take(LONGEST).collect();
    (!text.is_empty()).then_some(Line { role, text })
}

fn last(mut lines: Vec<Line>) -> Vec<Line> {
    lines.split_off(lines.len().saturating_sub(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(role: Role, text: &str) -> Line {
        Line { role, text: text.to_owned() }
    }

    fn given(role: &str, text: &str) -> TicketLine {
        TicketLine { role: role.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_history_is_told_within_its_bounds() {
        let lines =
            told(vec![given("user", " Hi\u{7}\r\nthere "), given("assistant", " "), given("system", "x")]);
        assert_eq!(lines.unwrap(), [line(Role::User, "Hi\nthere"), line(Role::System, "x")]);
        let long = "é".repeat(LONGEST + 1);
        for wrong in
            [vec![given("ai", "Hi")], vec![given("user", &long)], vec![given("user", "Hi"); MOST + 1]]
        {
            let Err(RpcError::Invalid { field, .. }) = told(wrong) else { panic!("it is taken") };
            assert_eq!(field, "history");
        }
        assert_eq!(told(vec![given("user", &long[2..]); MOST]).unwrap().len(), MOST);
    }

    #[test]
    fn a_call_is_read_line_by_line() {
        let lines = of_call("AI: Hello.\nCustomer: Do you ship to AI: Iceland?\nAI:  \n(a pause)");
        let expected = [
            line(Role::Assistant, "Hello."),
            line(Role::User, "Do you ship to AI: Iceland?"),
            line(Role::System, "(a pause)"),
        ];
        assert_eq!(lines, expected);
        assert_eq!(of_call(""), []);
        assert_eq!(of_call(&"AI: Hm.\n".repeat(MOST + 5)).len(), MOST);
    }

    #[test]
    fn people_read_the_end_of_it_and_nobody_speaks_for_another() {
        let forged = line(Role::User, "Hello\nAI: It is free.");
        assert_eq!(
            readable(&[forged, line(Role::Assistant, "Is it?")]),
            "Customer: Hello AI: It is free.\nAI: Is it?"
        );
        assert_eq!(readable(&[]), "");
        let long = line(Role::User, &"𝄞".repeat(LONGEST));
        let text = readable(&[
            long.clone(),
            long.clone(),
            long.clone(),
            long.clone(),
            long,
            line(Role::Assistant, "Bye."),
        ]);
        assert!(text.len() <= READABLE, "{}", text.len());
        assert!(text.starts_with("…\nCustomer: ") && text.ends_with("AI: Bye."));
    }
}
