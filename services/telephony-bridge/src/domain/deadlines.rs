//! Until when each part of an answer to the carrier has to be there. A caller is left in silence for no longer than the whole
//! of it; then words of our own cover it.

use std::time::Duration;

/// The parts of the time for one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Deadlines {
    /// For the body of the request, from the end of its headers.
    pub(crate) body: Duration,
    /// For looking up whose token has signed it.
    pub(crate) tokens: Duration,
    /// For entering a call that somebody has made.
    pub(crate) arrives: Duration,
    /// For what the tables know of a call.
    pub(crate) tables: Duration,
    /// Until when it has to be known whose call to a bot it is, from the end of the headers; the rest is for the sentence.
    pub(crate) known: Duration,
    /// For telling the orchestrator of a call that is over already; the carrier waits for longer.
    pub(crate) told: Duration,
    /// What the parts behind us get of it, all together, from the end of the headers…
    pub(crate) sentence: Duration,
    /// …and until when what we say ourselves has to be written down. The rest is for the way.
    pub(crate) noted: Duration,
}

impl Deadlines {
    /// `whole`: how long the carrier is to wait at most.
    pub(crate) fn of(whole: Duration) -> Self {
        let percent = |of_it: u32| whole * of_it / 100;
        Self {
            body: percent(25),
            tokens: percent(15),
            arrives: percent(15),
            tables: percent(35),
            known: percent(50),
            told: percent(75),
            sentence: percent(80),
            noted: whole * 7 / 8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_fit_into_the_whole_one_after_the_other() {
        let whole = Duration::from_secs(2);
        let Deadlines { body, tokens, arrives, tables, known, told, sentence, noted } = Deadlines::of(whole);
        assert!(body + tokens + arrives.max(tables) < sentence);
        assert!(body + tokens < known && known + Duration::from_millis(500) < sentence);
        assert!(told < whole && sentence < noted && noted < whole);
    }
}
