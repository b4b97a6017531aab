//! How a document is cut: windows of 1,000 characters that overlap by 200, cut where the text itself makes a break if there is
//! one near the end. Characters are Unicode's, not bytes. Each window begins 200 characters before the end of the one before,
//! so that whoever leaves these out puts the document together again.

use std::ops::Range;

/// The longest chunk, in characters.
pub(crate) const LONGEST: usize = 1_000;
/// How many characters of a chunk stand in the one before as well.
pub(crate) const OVERLAP: usize = 200;
/// A break is looked for in the last 15 % of a window.
const EARLIEST_CUT: usize = 850;

/// The chunks of a text, as ranges of its bytes. A text of white space alone has none.
pub(crate) fn chunks(text: &str) -> Vec<Range<usize>> {
    if text.trim().is_empty() {
        return Vec::new();
    }
    let (mut found, mut start) = (Vec::new(), 0);
    loop {
        let window = &text[start..];
        let Some(cut) = cut(window) else {
            found.push(start..text.len());
            return found;
        };
        let end = start + cut;
        found.push(start..end);
        start = before(text, end, OVERLAP);
    }
}

/// Where a window ends, in bytes. `None`: all of it fits.
fn cut(window: &str) -> Option<usize> {
    let mut places = window.char_indices().enumerate().skip(EARLIEST_CUT).take(LONGEST - EARLIEST_CUT + 1);
    let mut best: Option<(Break, usize)> = None;
    let mut end = None;
    for (count, (at, next)) in places.by_ref() {
        if let Some(found) = Break::before(&window[..at], next)
            && best.is_none_or(|(known, _)| known <= found)
        {
            best = Some((found, at));
        }
        if count == LONGEST {
            end = Some(at);
        }
    }
    let end = end?;
    Some(best.map_or(end, |(_, at)| at))
}

/// The byte that is `count` characters before `end`.
fn before(text: &str, end: usize, count: usize) -> usize {
    text[..end].char_indices().rev().nth(count - 1).map_or(0, |(at, _)| at)
}

/// What ends at a place; the last is the best one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Break {
    Word,
    Sentence,
    Line,
    Paragraph,
    Section,
}

impl Break {
    /// The break between a text and the character that follows it.
    fn before(text: &str, next: char) -> Option<Self> {
        if next.is_whitespace() || !text.ends_with(char::is_whitespace) {
            return None;
        }
        let gap = text.trim_end();
        let lines = text[gap.len()..].matches('\n').count();
        Some(match lines {
            0 if gap.ends_with(['.', '!', '?', '…', '。', '！', '？']) => Self::Sentence,
            0 => Self::Word,
            _ if next == '#' => Self::Section,
            1 => Self::Line,
            _ => Self::Paragraph,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut_up(text: &str) -> Vec<&str> {
        chunks(text).into_iter().map(|range| &text[range]).collect()
    }

    /// The document again: of each chunk but the first, what the one before does not have.
    fn rejoined(chunks: &[&str]) -> String {
        let mut all = String::new();
        for (i, chunk) in chunks.iter().enumerate() {
            all.extend(chunk.chars().skip(if i == 0 { 0 } else { OVERLAP }));
        }
        all
    }

    #[test]
    fn a_short_text_is_one_chunk_and_white_space_is_none() {
        assert_eq!(cut_up("Open from 9 to 5."), ["Open from 9 to 5."]);
        assert_eq!(cut_up(&"é".repeat(LONGEST)).len(), 1);
        assert!(chunks(" \n\t ").is_empty() && chunks("").is_empty());
    }

    #[test]
    fn a_text_without_breaks_is_cut_at_a_thousand_characters_not_bytes() {
        let text = "é".repeat(1_801);
        let lengths: Vec<_> = cut_up(&text).iter().map(|chunk| chunk.chars().count()).collect();
        assert_eq!(lengths, [1_000, 1_000, 201]);
    }

    #[test]
    fn the_best_break_near_the_end_is_taken_and_of_two_alike_the_later_one() {
        let at = |breaks: &[(usize, &str)]| {
            let mut text = "x".repeat(2_000);
            for (at, mark) in breaks.iter().rev() {
                text.replace_range(*at..at + mark.len(), mark);
            }
            cut_up(&text)[0].len()
        };
        assert_eq!(at(&[(860, " "), (900, " ")]), 901);
        assert_eq!(at(&[(860, ". "), (900, " ")]), 862);
        assert_eq!(at(&[(860, "\n"), (900, ". ")]), 861);
        assert_eq!(at(&[(860, "\n\n"), (900, "\n")]), 862);
        assert_eq!(at(&[(860, "\n# "), (900, "\n\n")]), 861);
        assert_eq!(at(&[(100, "\n\n")]), 1_000, "too far from the end");
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_no_chunk_is_too_long(text in "(?s)([a-zé漢😀]{1,30}[ \n.!?#]{1,3}){0,400}") {
            let cut = cut_up(&text);
            if text.trim().is_empty() {
                prop_assert!(cut.is_empty());
            } else {
                prop_assert_eq!(rejoined(&cut), text.as_str());
            }
            for (i, chunk) in cut.iter().enumerate() {
                let length = chunk.chars().count();
                prop_assert!(length <= LONGEST);
                prop_assert!(length >= EARLIEST_CUT || i + 1 == cut.len());
            }
        }
    }
}
