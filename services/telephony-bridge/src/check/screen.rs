//! What the person sees: a line for each thing, and what to do below it. Colours only on a terminal.

use std::io::{self, IsTerminal as _, Write};

use super::{Finding, Verdict};

impl Verdict {
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Wrong => "wrong",
        }
    }

    const fn colour(self) -> &'static str {
        match self {
            Self::Ok => "32",
            Self::Note => "33",
            Self::Wrong => "31",
        }
    }
}

pub(super) fn show(findings: &[Finding]) -> io::Result<()> {
    let out = io::stdout();
    let colours = out.is_terminal();
    write(&mut out.lock(), findings, colours)
}

fn write(out: &mut impl Write, findings: &[Finding], colours: bool) -> io::Result<()> {
    for finding in findings {
        let word = format!("{:<5}", finding.verdict.word());
        let word = match colours {
            true => format!("\x1b[{}m{word}\x1b[0m", finding.verdict.colour()),
            false => word,
        };
        writeln!(out, "{word}  {:<14}  {}", finding.what, finding.seen)?;
        if !finding.to_do.is_empty() {
            writeln!(out, "{:23}→ {}", "", finding.to_do)?;
        }
    }
    out.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(colours: bool) -> String {
        let findings =
            [Finding::ok("account", "AC1 is active"), Finding::wrong("number", "it is not", "buy it")];
        let mut out = Vec::new();
        write(&mut out, &findings, colours).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn each_thing_has_a_line_and_what_to_do_stands_below_it() {
        let text = "ok     account         AC1 is active\nwrong  number          it is not\n                       → buy it\n";
        assert_eq!(shown(false), text);
    }

    #[test]
    fn colours_are_for_terminals() {
        assert!(!shown(false).contains('\x1b'));
        assert!(shown(true).contains("\x1b[31mwrong\x1b[0m"));
    }
}
