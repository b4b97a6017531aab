//! What the person at the screen sees. Colours only on a terminal.

use std::io::{IsTerminal as _, Write as _};

use serde_json::Value;

/// The terminal, or a file that is not one.
pub(super) struct Screen {
    colours: bool,
}

#[derive(Clone, Copy)]
enum Colour {
    Bold,
    Dim,
    Green,
    Red,
    Cyan,
}

impl Colour {
    const fn code(self) -> &'static str {
        match self {
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Green => "32",
            Self::Red => "31",
            Self::Cyan => "36",
        }
    }
}

impl Screen {
    pub(super) fn new() -> Self {
        Self { colours: std::io::stdout().is_terminal() }
    }

    fn paint(&self, colour: Colour, text: &str) -> String {
        if self.colours { format!("\x1b[{}m{text}\x1b[0m", colour.code()) } else { text.to_owned() }
    }

    fn line(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        // Nowhere to complain to when nobody reads.
        let _ = writeln!(out, "{text}");
        let _ = out.flush();
    }

    pub(super) fn headline(&self, detail: &str, offline: bool) {
        self.line(&format!("\n{}  {detail}", self.paint(Colour::Bold, "Echo is running")));
        let model = if offline {
            "offline model: no account and no key needed"
        } else {
            "the model server of your settings"
        };
        self.line(&self.paint(Colour::Dim, &format!("sandbox carrier: no real phone rings; {model}\n")));
    }

    pub(super) fn step(&self, number: &str, text: &str) {
        self.line(&format!("  {} {text}", self.paint(Colour::Bold, &format!("{number:>4}"))));
    }

    pub(super) fn call(&self, status: &str) {
        self.line(&self.paint(Colour::Dim, &format!("      … {}", status.replace('-', " "))));
    }

    pub(super) fn said(&self, by_agent: bool, text: &str) {
        let who = if by_agent {
            self.paint(Colour::Cyan, "Echo    ")
        } else {
            self.paint(Colour::Green, "Customer")
        };
        self.line(&format!("      {who}  {text}"));
    }

    pub(super) fn webhook(&self, genuine: bool, body: &Value) {
        let verdict = if genuine {
            self.paint(Colour::Green, "signature verified")
        } else {
            self.paint(Colour::Red, "WRONG SIGNATURE")
        };
        self.line(&format!("\n  The webhook `call.summary` has arrived, {verdict}:\n"));
        self.line(&serde_json::to_string_pretty(body).unwrap_or_default());
    }

    /// What documents do not say, a person is to answer.
    pub(super) fn ticket(&self, ticket: &Value) {
        let told = |name: &str| ticket[name].as_str().unwrap_or_default().to_owned();
        let question = self.paint(Colour::Bold, &told("question"));
        self.line(&format!(
            "\n  The page does not answer \"{question}\": a ticket is open, to ring {} back.",
            told("phone")
        ));
    }

    pub(super) fn next(&self, hints: &[(&str, String)]) {
        self.line(&format!("\n  {}", self.paint(Colour::Bold, "Still serving. What to try next:")));
        for (what, how) in hints {
            self.line(&format!("    {what}\n      {}", self.paint(Colour::Dim, how)));
        }
    }

    pub(super) fn note(&self, text: &str) {
        self.line(&self.paint(Colour::Dim, text));
    }
}
