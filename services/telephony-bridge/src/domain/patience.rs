//! What is said when nobody behind this service has a sentence in time: a filler, twice; then an apology and a chance to
//! repeat; after two turns of that, goodbye. Silence on the line is bounded here, whatever else is dead.
//!
//! The words themselves, in each language, are in `phrases.rs`. When they are said, after how long without a sentence, is `http/voice.rs`'s. An apology for a model that
//! fails while its service lives is the call-orchestrator's (`domain/reply.rs`).

use super::urls::Place;

/// What this service says by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OwnWords {
    /// "One moment", and ask again.
    Filler,
    /// An apology; the caller may repeat.
    Apology,
    /// An apology, and the end.
    Goodbye,
    /// There is nobody to talk to: the end.
    NobodyHere,
    /// More calls than may come in: the end.
    TooManyCalls,
}

/// Fillers while waiting for one sentence.
const FILLERS: u32 = 2;
/// Turns in a row that may end in an apology.
const APOLOGIES: u32 = 2;
/// Fillers for somebody who rings a bot while nobody can say whose it is: there is nothing yet that they could repeat.
const FILLERS_AT_THE_DOOR: u32 = 3;

impl OwnWords {
    /// All of them.
    pub(crate) const ALL: [Self; 5] =
        [Self::Filler, Self::Apology, Self::Goodbye, Self::NobodyHere, Self::TooManyCalls];

    /// Whether the call ends with them.
    pub(crate) const fn are_the_last(self) -> bool {
        matches!(self, Self::Goodbye | Self::NobodyHere | Self::TooManyCalls)
    }

    /// The name in tables and metrics.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Filler => "filler",
            Self::Apology => "apology",
            Self::Goodbye => "goodbye",
            Self::NobodyHere => "nobody_here",
            Self::TooManyCalls => "too_many_calls",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|w| w.as_str() == text)
    }
}

/// What to say when no sentence came for this place.
pub(crate) const fn own_words(place: Place) -> OwnWords {
    if place.fill < FILLERS {
        OwnWords::Filler
    } else if place.sorry < APOLOGIES {
        OwnWords::Apology
    } else {
        OwnWords::Goodbye
    }
}

/// What to say to somebody who rings a bot while nobody can say whose it is; `fill`: how often they have been asked to wait.
pub(crate) const fn at_the_door(fill: u32) -> OwnWords {
    if fill < FILLERS_AT_THE_DOOR { OwnWords::Filler } else { OwnWords::Goodbye }
}

/// What to say when something was heard and nobody can say in which turn; `sorry`: how many turns have ended so.
pub(crate) const fn without_a_place(sorry: u32) -> OwnWords {
    if sorry < APOLOGIES { OwnWords::Apology } else { OwnWords::Goodbye }
}

/// What to say when something was heard and there is nowhere to keep it: a filler would lose it, so the caller is asked to
/// say it again.
pub(crate) const fn without_memory(place: Place) -> OwnWords {
    own_words(Place { fill: FILLERS, ..place })
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::ids::AttemptId;

    #[test]
    fn a_caller_whom_nobody_answers_hears_a_bounded_number_of_fillers_and_apologies_and_then_goodbye() {
        let mut place = Place::start(AttemptId::new());
        let mut said = Vec::new();
        loop {
            let words = own_words(place);
            said.push(words);
            match words {
                OwnWords::Filler => place = place.after_filler(),
                OwnWords::Apology => place = Place { sorry: place.sorry + 1, ..place.next_turn() },
                last => {
                    assert!(last.are_the_last());
                    break;
                }
            }
        }
        use OwnWords::{Apology, Filler, Goodbye};
        assert_eq!(said, [Filler, Filler, Apology, Filler, Filler, Apology, Filler, Filler, Goodbye]);
    }

    #[test]
    fn what_cannot_be_kept_is_asked_for_again_at_once_and_not_for_ever() {
        let place = Place { turn: 3, ..Place::start(AttemptId::new()) };
        assert_eq!(without_memory(place), OwnWords::Apology);
        assert_eq!(without_memory(Place { sorry: 2, ..place }), OwnWords::Goodbye);
    }

    #[test]
    fn words_read_back_as_they_are_written() {
        for words in OwnWords::ALL {
            assert_eq!(OwnWords::parse(words.as_str()), Some(words));
        }
    }
}
