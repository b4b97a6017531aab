//! Cuts a streamed answer into sentences that can be spoken while the rest is still being written.
//!
//! A piece is given out as soon as it is certain that it ends there, which takes one character more than the
//! sentence itself, so the end of the text comes out of [`Splitter::finish`] and is known to be the last.
//! Where the text is cut does not depend on how it was chopped into pushes. Nothing is lost, doubled or
//! re-ordered, except the white space around a piece and the marks of Markdown that a voice would read aloud:
//!
//! - backticks, everywhere;
//! - `*` and `_`, unless they stand between two letters or digits (`john_doe`, `2*3`) or, further back than
//!   the start, alone between spaces ("press * now");
//! - `#` at the start of a piece, when a space or another `#` follows.

mod boundary;

/// The longest piece, in characters; a longer sentence is cut at a comma or a space.
pub const MAX_CHARS: usize = 400;

/// Takes an answer in as it is written and gives sentences out.
#[derive(Debug, Default)]
pub struct Splitter {
    pending: Vec<char>,
}

impl Splitter {
    /// A splitter that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bit of text and gives the sentences that are complete now, in order; never an empty
    /// one.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        let mut sentences = Vec::new();
        for c in text.chars() {
            if self.pending.is_empty() && c.is_whitespace() {
                continue;
            }
            self.pending.push(c);
            while let Some(end) = boundary::find(&self.pending) {
                sentences.extend(speakable(&self.pending[..end]));
                self.pending.drain(..end);
                let blank = self.pending.iter().take_while(|c| c.is_whitespace()).count();
                self.pending.drain(..blank);
            }
        }
        sentences
    }

    /// The text has ended: gives what is left, if there is anything to speak. The splitter is empty
    /// afterwards.
    pub fn finish(&mut self) -> Option<String> {
        speakable(&std::mem::take(&mut self.pending))
    }
}

/// The piece without the marks that are not to be read aloud; `None` when nothing is left.
fn speakable(piece: &[char]) -> Option<String> {
    let start = piece.iter().position(|c| !c.is_whitespace())?;
    let piece = &piece[start..];
    let hashes = piece.iter().take_while(|c| **c == '#').count();
    let heading = piece.get(hashes).is_none_or(|c| c.is_whitespace());
    let kept = piece.iter().enumerate().filter(|&(at, c)| match c {
        '`' => false,
        '*' | '_' => is_spoken(piece, at),
        '#' => at >= hashes || !heading,
        _ => true,
    });
    let text = kept.map(|(_, c)| *c).collect::<String>();
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn is_spoken(piece: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| piece.get(before));
    match (before, piece.get(at + 1)) {
        (Some(before), Some(after)) => {
            (before.is_alphanumeric() && after.is_alphanumeric())
                || (before.is_whitespace() && after.is_whitespace())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests;
