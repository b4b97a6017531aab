//! Whether a question can be answered from what was found. Without a model this is a weak judgement, and meant as one: it looks
//! at how much of the question one of the best chunks speaks of. No similarity decides it alone (a threshold that lets 95 % of the
//! answerable questions through refuses a quarter of the others at best).

use contracts::knowledge::Verdict;

use super::contents::Hit;

/// Chunks that are looked at: what means most need not be what says most of the question's words.
const BEST: usize = 3;
/// One of them speaks of this much of a question: it is taken for an answer…
const ANSWERS: f32 = 0.6;
/// …and of this much: for a part of one.
const TOUCHES: f32 = 0.25;

/// The verdict on what was found, best first.
pub(crate) fn verdict(hits: &[Hit]) -> Verdict {
    match hits.iter().take(BEST).map(|hit| hit.covered).fold(0.0, f32::max) {
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
        let hit = |covered| Hit { key: (SourceId::new(), 0), score: 0.1, covered };
        assert_eq!(verdict(&[hit(0.0), hit(0.2), hit(0.7)]), Verdict::Answerable);
        assert_eq!(verdict(&[hit(0.0), hit(0.0), hit(0.0), hit(0.7)]), Verdict::NotCovered);
    }
}
