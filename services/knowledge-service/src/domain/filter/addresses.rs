//! Addresses in a text: one that leads to a host that is not allowed loses what makes it a link. Nothing else is changed.

use super::is_allowed;

/// No address is longer; what is more is left out.
const LONGEST: usize = 2_000;

pub(super) struct Addresses {
    hosts: Vec<String>,
    /// The letters before a `:`, as far as they can say `https`.
    scheme: String,
    state: State,
}

enum State {
    Text,
    /// `:` or `:/` is held back.
    Colon(&'static str),
    /// What stands behind `://`.
    Address(String),
}

impl Addresses {
    pub(super) fn new(hosts: Vec<String>) -> Self {
        Self { hosts, scheme: String::new(), state: State::Text }
    }

    pub(super) fn push(&mut self, piece: &str) -> String {
        let mut out = String::new();
        for next in piece.chars() {
            self.next(next, &mut out);
        }
        out
    }

    fn next(&mut self, next: char, out: &mut String) {
        match (&mut self.state, next) {
            (State::Text, ':') => self.state = State::Colon(":"),
            (State::Text, _) => self.text(next, out),
            (State::Colon(":"), '/') => self.state = State::Colon(":/"),
            (State::Colon(":/"), '/') => self.state = State::Address(String::new()),
            (State::Colon(_), _) => {
                self.end(out);
                self.next(next, out);
            }
            (State::Address(_), _) if ends_address(next) => {
                self.end(out);
                self.next(next, out);
            }
            (State::Address(address), _) if address.len() < LONGEST => address.push(next),
            (State::Address(address), _) => {
                if !address.ends_with('…') {
                    address.push('…');
                }
            }
        }
    }

    fn text(&mut self, next: char, out: &mut String) {
        out.push(next);
        if !(next.is_ascii_alphanumeric() || matches!(next, '+' | '-' | '.')) {
            self.scheme.clear();
        } else if self.scheme.len() < 6 {
            self.scheme.push(next.to_ascii_lowercase());
        }
    }

    /// What was held back, now that nothing more belongs to it.
    fn end(&mut self, out: &mut String) {
        match std::mem::replace(&mut self.state, State::Text) {
            State::Text => {}
            State::Colon(held) => out.push_str(held),
            State::Address(rest) if is_allowed(&format!("{}://{rest}", self.scheme), &self.hosts) => {
                out.push_str("://");
                out.push_str(&rest);
            }
            State::Address(rest) => {
                out.push(' ');
                out.push_str(&rest.replace("://", " "));
            }
        }
        self.scheme.clear();
    }

    pub(super) fn rest(&mut self) -> String {
        let mut out = String::new();
        self.end(&mut out);
        out
    }
}

/// Whether no address goes on behind it.
pub(super) fn ends_address(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '<' | '>' | '(' | ')' | '[' | ']' | '{' | '}' | '"' | '\'' | '`' | '|' | '^')
}
