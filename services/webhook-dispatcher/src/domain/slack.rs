//! Slack, as its incoming webhooks want it: an address, a message in which nothing that people wrote becomes markup, and what an
//! answer means.

use std::time::Duration;

use common::egress::{EgressPolicy, Refused};
use serde_json::{Value, json};
use url::Url;

use super::target::{self, BadTarget};
use super::ticket::{Ticket, line};
use super::trying::Tried;

/// Most characters in one section of a message.
const SECTION: usize = 3000;
/// Most characters of a question: with everything else it stays well below what all blocks of a message may have together.
const QUESTION: usize = 4000;
/// Most characters of what was said before: its end.
const SAID: usize = 2500;
/// Most of an app's name.
const NAME: usize = 100;

/// Why an address cannot be used. Does not repeat it: who knows it can write there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadAddress {
    /// None at all.
    #[error(
        "must be the address of an incoming webhook such as https://hooks.slack.com/services/T000/B000/XXXX"
    )]
    NotHttp,
    /// One that is not to be dialled.
    #[error(transparent)]
    Target(BadTarget),
}

/// Checks an address as those of webhooks are checked.
pub(crate) fn address(policy: &EgressPolicy, text: &str) -> Result<Url, BadAddress> {
    target::check(policy, text).map_err(|bad| match bad {
        BadTarget::NotUrl(_) | BadTarget::Refused(Refused::NotHttp(_)) => BadAddress::NotHttp,
        other => BadAddress::Target(other),
    })
}

/// The message that tells of a ticket. All of it is plain text: no mention, no link and no picture is made of it.
pub(crate) fn message(app_name: &str, ticket: &Ticket) -> String {
    let title = format!("New ticket in {}", line(app_name, NAME));
    let mut texts = pieces(&title, SECTION, SECTION);
    texts.extend(pieces(&ticket.question(), QUESTION, SECTION));
    texts.extend(pieces(&ticket.details(), SECTION, SECTION));
    let transcript = ticket.transcript();
    if !transcript.is_empty() {
        let said = latest(&transcript, SAID);
        texts.extend(pieces(&format!("What was said before:\n{said}"), SECTION, SECTION));
    }
    let blocks: Vec<Value> = texts.into_iter().map(section).collect();
    // What stands in a notification is read as markup: nothing that visitors wrote is in it.
    json!({"text": escaped(&title), "unfurl_links": false, "unfurl_media": false, "blocks": blocks})
        .to_string()
}

fn section(text: String) -> Value {
    json!({"type": "section", "text": {"type": "plain_text", "text": text, "emoji": false}})
}

/// The three characters with which markup begins and ends, as Slack wants them where they are meant as themselves.
fn escape(c: char, into: &mut String) {
    match c {
        '&' => into.push_str("&amp;"),
        '<' => into.push_str("&lt;"),
        '>' => into.push_str("&gt;"),
        other => into.push(other),
    }
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    text.chars().for_each(|c| escape(c, &mut escaped));
    escaped
}

/// How long a character is as Slack gets it.
const fn width(c: char) -> usize {
    match c {
        '&' => 5,
        '<' | '>' => 4,
        other => other.len_utf16(),
    }
}

/// A text, escaped, in pieces of at most `each`, and no more than `most` of it.
fn pieces(text: &str, most: usize, each: usize) -> Vec<String> {
    let (mut pieces, mut piece, mut length, mut total) = (Vec::new(), String::new(), 0, 0);
    for c in text.chars() {
        total += width(c);
        if total > most.saturating_sub(1) {
            piece.push('…');
            break;
        }
        // One place is kept free for what says that there is more.
        if length + width(c) > each.saturating_sub(1) {
            pieces.push(std::mem::take(&mut piece));
            length = 0;
        }
        escape(c, &mut piece);
        length += width(c);
    }
    pieces.push(piece);
    pieces.retain(|piece| !piece.trim().is_empty());
    pieces
}

/// The end of a text, not yet escaped, that is at most so long as Slack gets it.
fn latest(text: &str, most: usize) -> String {
    let mut left = most.saturating_sub(1);
    let mut from = text.len();
    for (at, c) in text.char_indices().rev() {
        let Some(rest) = left.checked_sub(width(c)) else {
            return format!("…{}", text.get(from..).unwrap_or_default());
        };
        (left, from) = (rest, at);
    }
    text.to_owned()
}

/// What an answer means. Slack says `ok`; a status of 4xx says that this will not become better, except for 429 and 408.
pub(crate) fn tried(status: u16, body: &[u8], hint: Option<Duration>) -> Tried {
    let body = std::str::from_utf8(body).map(str::trim).unwrap_or_default();
    match status {
        200 if body == "ok" => Tried::Taken,
        408 | 429 => Tried::NotNow { problem: answered(status, body), hint },
        400..=499 => Tried::Refused(answered(status, body)),
        _ => Tried::NotNow { problem: format!("{}, not 200 `ok`", answered(status, body)), hint },
    }
}

/// Slack says why in one word, such as `no_service`. Anything longer may be from somebody else and is not repeated.
fn answered(status: u16, body: &str) -> String {
    let word = (1..=64).contains(&body.len())
        && body.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if word { format!("answered {status} `{body}`") } else { format!("answered {status}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::ticket::tests::ticket;
    use super::*;

    fn texts(message: &str) -> Vec<String> {
        let message: Value = serde_json::from_str(message).unwrap();
        let blocks = message["blocks"].as_array().unwrap().iter();
        blocks.map(|block| block["text"]["text"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_message_is_plain_text_in_which_nothing_is_markup() {
        let hostile = ticket("<!channel> & <http://evil.example|Log in> :tada:", "<@U1>: *hi*");
        let message = message("A<!here>cme", &hostile);
        let parsed: Value = serde_json::from_str(&message).unwrap();
        assert_eq!(parsed["text"], "New ticket in A&lt;!here&gt;cme");
        assert_eq!((&parsed["unfurl_links"], &parsed["unfurl_media"]), (&json!(false), &json!(false)));
        for block in parsed["blocks"].as_array().unwrap() {
            assert_eq!((&block["type"], &block["text"]["type"]), (&json!("section"), &json!("plain_text")));
            assert_eq!(block["text"]["emoji"], false);
        }
        let texts = texts(&message);
        assert_eq!(texts[1], "&lt;!channel&gt; &amp; &lt;http://evil.example|Log in&gt; :tada:");
        assert!(texts[2].contains("\nTicket: 00000000-"));
        assert_eq!(texts[3], "What was said before:\n&lt;@U1&gt;: *hi*");
        assert!(!message.contains(['<', '>']));
    }

    #[test]
    fn what_was_said_last_is_what_remains_of_much() {
        let message = message("Acme", &ticket("?", &format!("{}the end", "a".repeat(60_000))));
        let last = texts(&message).pop().unwrap();
        assert!(last.starts_with("What was said before:\n…aaa") && last.ends_with("the end"));
    }

    proptest! {
        #[test]
        fn no_message_is_larger_than_slack_takes(question in "[a<&ä𝄞\n ]{1,4000}", said in "[a<&ä𝄞\n ]{0,9000}") {
            let texts = texts(&message(&"&".repeat(100), &ticket(&question, &said)));
            let lengths: Vec<usize> = texts.iter().map(|text| text.encode_utf16().count()).collect();
            prop_assert!(lengths.iter().all(|length| (1..=SECTION).contains(length)), "{lengths:?}");
            prop_assert!(lengths.iter().sum::<usize>() < 10_000, "{lengths:?}");
        }
    }

    #[test]
    fn only_200_ok_is_taken_and_4xx_will_not_become_better() {
        let hint = Some(Duration::from_secs(7));
        assert_eq!(tried(200, b"ok", None), Tried::Taken);
        assert_eq!(tried(200, b"ok\n", None), Tried::Taken);
        for (status, body, problem) in [
            (404, "no_service", "answered 404 `no_service`"),
            (403, "invalid_token", "answered 403 `invalid_token`"),
            (410, "channel_is_archived", "answered 410 `channel_is_archived`"),
            (400, "<html>Ada wants to know", "answered 400"),
        ] {
            assert_eq!(tried(status, body.as_bytes(), hint), Tried::Refused(problem.to_owned()));
        }
        for (status, body, problem) in [
            (429, "rate_limited", "answered 429 `rate_limited`"),
            (408, "", "answered 408"),
            (500, "rollup_error", "answered 500 `rollup_error`, not 200 `ok`"),
            (302, "", "answered 302, not 200 `ok`"),
            (200, "<html>", "answered 200, not 200 `ok`"),
        ] {
            let expected = Tried::NotNow { problem: problem.to_owned(), hint };
            assert_eq!(tried(status, body.as_bytes(), hint), expected);
        }
    }

    #[test]
    fn a_refused_address_is_not_repeated() {
        let policy = EgressPolicy::default();
        assert!(address(&policy, "https://hooks.slack.com/services/T0/B0/secret").is_ok());
        for (bad, help) in [
            ("hooks.slack.com/secret", "https://hooks.slack.com/services/"),
            ("ftp://hooks.slack.com/secret", "https://hooks.slack.com/services/"),
            ("http://hooks.slack.com/secret", "must start with https://"),
            ("https://10.0.0.1/secret", "private"),
        ] {
            let problem = address(&policy, bad).unwrap_err().to_string();
            assert!(problem.contains(help) && !problem.contains("secret"), "{problem}");
        }
    }
}
