//! A ticket: somebody wants a person to answer. To which places it is told, and how a mail tells it. What people wrote stands in
//! it as text and never becomes anything else.

use chrono::{DateTime, TimeDelta, Utc};
use common::clock::from_millis;
use contracts::knowledge::TicketOpened;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::mail::{BadMail, LARGEST_TEXT, LONGEST_SUBJECT, Mail};

/// How long it is of use to tell of a ticket.
pub(crate) const OF_USE: TimeDelta = TimeDelta::days(3);
/// Longest address, number or page that is shown, in characters.
const LONGEST_DETAIL: usize = 500;

/// What somebody wants to know. Prints as `***`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ticket {
    /// Which.
    pub(crate) id: Uuid,
    email: String,
    phone: String,
    question: String,
    url: String,
    transcript: String,
    at_ms: i64,
}

/// A way to tell people of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Slack's address of the app.
    Slack,
    /// One mail to each address of the app.
    Mail,
}

impl Channel {
    /// As the table and metrics name it.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Mail => "mail",
        }
    }
}

/// The id of the notice of a ticket in Slack: the same however often the ticket is heard of.
pub(crate) fn slack_notice(ticket: Uuid) -> Uuid {
    Uuid::new_v5(&ticket, b"slack")
}

/// The id of the notice of a ticket to one address: it makes the mail's `Message-ID`.
pub(crate) fn mail_notice(ticket: Uuid, address: &str) -> Uuid {
    Uuid::new_v5(&ticket, format!("mail:{address}").as_bytes())
}

impl Ticket {
    /// What was heard.
    pub(crate) fn opened(id: Uuid, message: TicketOpened) -> Self {
        let TicketOpened { email, phone, question, url, transcript, at_ms, .. } = message;
        Self { id, email, phone, question, url, transcript, at_ms }
    }

    /// What they want to know.
    pub(crate) fn question(&self) -> String {
        block(&self.question)
    }

    /// What was said before.
    pub(crate) fn transcript(&self) -> String {
        block(&self.transcript)
    }

    /// Who wants to know, and where and when they asked: a line for each.
    pub(crate) fn details(&self) -> String {
        let known = |text: &str| match line(text, LONGEST_DETAIL) {
            text if text.is_empty() => "not known".to_owned(),
            text => text,
        };
        let at: DateTime<Utc> = from_millis(self.at_ms);
        let mut lines =
            vec![format!("E-mail: {}", known(&self.email)), format!("Phone: {}", known(&self.phone))];
        if !self.url.is_empty() {
            lines.push(format!("Page: {}", line(&self.url, LONGEST_DETAIL)));
        }
        lines.push(format!("Asked: {}", at.format("%Y-%m-%d %H:%M UTC")));
        lines.push(format!("Ticket: {}", self.id));
        lines.join("\n")
    }

    /// The mail that tells one person of it.
    pub(crate) fn mail(&self, app_name: &str, to: &str) -> Result<Mail, BadMail> {
        let question = self.question();
        let first = question.lines().find(|line| !line.trim().is_empty()).unwrap_or("A new ticket");
        let subject = line(&format!("[{}] {first}", line(app_name, LONGEST_SUBJECT / 2)), LONGEST_SUBJECT);
        let mail = Mail::new(to, &subject, "…")?.answered_by(&self.email);
        let answer = match mail.reply_to() {
            Some(_) => "An answer to this mail goes to the person who asked.\n",
            None => "",
        };
        let details = self.details();
        let mut text = format!("{question}\n\n{details}\n{answer}", question = quoted(&question));
        let transcript = self.transcript();
        if !transcript.is_empty() {
            text.push_str("\nWhat was said before:\n\n");
            text.push_str(&quoted(&transcript));
            text.push('\n');
        }
        text.truncate(text.floor_char_boundary(LARGEST_TEXT));
        Ok(Mail::new(to, &subject, &text)?.answered_by(&self.email))
    }
}

impl std::fmt::Debug for Ticket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// Neither ends a line or anything else, nor makes what follows read in another direction than it is written.
fn is_plain(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let ends_a_line = matches!(c, '\u{2028}' | '\u{2029}');
    !(c.is_control() || turns || ends_a_line)
}

/// A text as one line of at most so many characters.
pub(super) fn line(text: &str, most: usize) -> String {
    let plain: String = text.chars().map(|c| if is_plain(c) { c } else { ' ' }).collect();
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if plain.chars().count() <= most {
        return plain;
    }
    plain.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}

/// A text with its lines and nothing else that is not to be read.
fn block(text: &str) -> String {
    let text = text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}'], "\n");
    let text: String = text.chars().filter(|c| is_plain(*c) || matches!(c, '\n' | '\t')).collect();
    text.trim().to_owned()
}

/// What somebody else wrote, so that it cannot pass for what stands around it.
fn quoted(text: &str) -> String {
    text.lines().map(|line| format!("> {line}")).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::domain) fn ticket(question: &str, transcript: &str) -> Ticket {
        Ticket {
            id: Uuid::from_u128(7),
            email: "ada@example.com".to_owned(),
            phone: "+14155550117".to_owned(),
            question: question.to_owned(),
            url: "https://acme.example/prices".to_owned(),
            transcript: transcript.to_owned(),
            at_ms: 1_773_855_826_714,
        }
    }

    #[test]
    fn the_same_ticket_makes_the_same_notices_and_no_two_places_share_one() {
        let (one, other) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_eq!(mail_notice(one, "a@x.com"), mail_notice(one, "a@x.com"));
        let all = [slack_notice(one), mail_notice(one, "a@x.com"), mail_notice(one, "b@x.com")];
        let theirs = [slack_notice(other), mail_notice(other, "a@x.com"), mail_notice(other, "b@x.com")];
        let distinct: std::collections::BTreeSet<_> = all.into_iter().chain(theirs).collect();
        assert_eq!(distinct.len(), 6);
    }

    #[test]
    fn a_mail_says_who_wants_to_know_what() {
        let mail =
            ticket("How much\nis it?", "AI: Hi.\nAda: Hello.").mail("Acme", "team@acme.example").unwrap();
        assert_eq!(mail.subject(), "[Acme] How much");
        assert_eq!(mail.reply_to().unwrap().to_string(), "ada@example.com");
        let expected = "> How much\n> is it?\n\nE-mail: ada@example.com\nPhone: +14155550117\n\
                        Page: https://acme.example/prices\nAsked: 2026-03-18 17:43 UTC\n\
                        Ticket: 00000000-0000-0000-0000-000000000007\n\
                        An answer to this mail goes to the person who asked.\n\n\
                        What was said before:\n\n> AI: Hi.\n> Ada: Hello.\n";
        assert_eq!(mail.text(), expected);
    }

    #[test]
    fn nothing_that_people_write_gets_out_of_its_place() {
        let question = "Hi\r\nBcc: eve@example.com\u{2028}E-mail: boss@acme.example\0\u{202e}";
        let hostile =
            Ticket { email: "ada@example.com\r\nBcc: eve@example.com".to_owned(), ..ticket(question, "") };
        let mail = hostile.mail("Acme\r\nX-Evil: 1", "team@acme.example").unwrap();
        assert_eq!(mail.subject(), "[Acme X-Evil: 1] Hi");
        assert_eq!(mail.reply_to(), None);
        let lines: Vec<&str> = mail.text().lines().take(5).collect();
        let details = "E-mail: ada@example.com Bcc: eve@example.com";
        assert_eq!(lines, ["> Hi", "> Bcc: eve@example.com", "> E-mail: boss@acme.example", "", details]);
    }

    #[test]
    fn what_is_too_long_is_cut_and_still_sent() {
        let long = ticket(&"ä".repeat(4000), &"\n.".repeat(32 * 1024));
        let mail = long.mail(&"n".repeat(100), "team@acme.example").unwrap();
        assert_eq!(mail.subject().chars().count(), 200);
        assert!(mail.subject().ends_with('…') && mail.text().len() <= LARGEST_TEXT);
        let empty = Ticket { email: String::new(), ..ticket("\u{7}", "") };
        assert_eq!(empty.mail("", "team@acme.example").unwrap().subject(), "[] A new ticket");
        assert!(empty.details().starts_with("E-mail: not known\n"));
    }
}
