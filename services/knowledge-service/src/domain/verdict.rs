//! Whether a question can be answered from what was found. Without a model this is a weak judgement, and meant as one: it looks
//! at how much of the question the best chunk speaks of. No similarity decides it alone (a threshold that lets 95 % of the
//! answerable questions through refuses a quarter of the others at best).

use contracts::knowledge::Verdict;

use super::contents::Hit;

/// The best chunk speaks of this much of a question: it is taken for an answer…
const ANSWERS: f32 = 0.6;
/// …and of this much: for a part of one.
const TOUCHES: f32 = 0.25;

/// The verdict on what was found, best first.
pub(crate) fn verdict(hits: &[Hit]) -> Verdict {
    match hits.first().map_or(0.0, |hit| hit.covered) {
        covered if covered >= ANSWERS => Verdict::Answerable,
        covered if covered >= TOUCHES => Verdict::Partial,
        _ => Verdict::NotCovered,
    }
}

#[cfg(test)]
mod tests {
    use contracts::ids::SourceId;

    use super::*;

    #[test]
    fn what_speaks_of_the_question_answers_it() {
        let found = |covered| verdict(&[Hit { key: (SourceId::new(), 0), score: 0.1, covered }]);
        assert_eq!(found(0.9), Verdict::Answerable);
        assert_eq!(found(0.4), Verdict::Partial);
        assert_eq!(found(0.1), Verdict::NotCovered);
        assert_eq!(verdict(&[]), Verdict::NotCovered);
    }
}
