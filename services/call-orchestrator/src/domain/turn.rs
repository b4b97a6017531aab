//! Who may answer a turn, and what a request for one of its sentences gets.
//!
//! A turn is answered once, whoever asks and how often. It is leased under a generation number; each sentence
//! is stored before it is spoken. When a lease is lost, a turn of which nothing was stored is run again under
//! the next generation, and a turn of which something was stored is closed where it stands: what the customer
//! may have heard is not said again.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};

/// Number of a turn within its call: 0 when the call is answered, then one more for each thing heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TurnNumber(pub u32);

impl TurnNumber {
    /// The turn after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

impl fmt::Display for TurnNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// What follows the last sentence of a turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Then {
    /// Listen to the customer.
    Listen,
    /// End the call.
    HangUp,
    /// Put the customer through to a person.
    Transfer,
}

impl Then {
    /// The text under which it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Listen => "listen",
            Self::HangUp => "hang_up",
            Self::Transfer => "transfer",
        }
    }

    /// Reads the stored text; `None` for any other.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Listen, Self::HangUp, Self::Transfer].into_iter().find(|then| then.as_str() == text)
    }
}

/// How a turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurnState {
    /// A replica is answering it.
    Running {
        /// Which run this is, from 1.
        generation: u32,
        /// Until when it is that replica's alone.
        lease_until: DateTime<Utc>,
    },
    /// Every sentence is stored.
    Done {
        /// What follows the last one.
        then: Then,
    },
    /// The run failed or was given up; what is stored is all there will be, and then the customer is listened
    /// to.
    Broken,
}

/// One stored sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// What is spoken.
    pub text: String,
    /// What follows, where it was known when the sentence was stored that it is the last; never changed
    /// afterwards, so that the same question gets the same answer.
    pub last: Option<Then>,
}

/// A turn as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TurnView {
    /// How it stands.
    pub state: TurnState,
    /// What has been stored of it, in order.
    pub sentences: Vec<Sentence>,
}

/// What a replica that was asked to answer a turn does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Take the lease with this generation and run the model.
    Run {
        /// The generation to store.
        generation: u32,
        /// The lease to store.
        lease_until: DateTime<Utc>,
    },
    /// Nothing to run: answer from what is stored.
    AlreadyDone,
    /// Another request is running it: wait for its sentences.
    RunningElsewhere,
    /// The run was lost after something had been stored: store [`TurnState::Done`] with [`Then::Listen`],
    /// then answer.
    CloseHere,
}

/// Decides about a turn that somebody asked for at `now`; `lease` is how long a run may go without renewing.
#[must_use]
pub fn claim(existing: Option<&TurnView>, now: DateTime<Utc>, lease: TimeDelta) -> Claim {
    let run = |generation| Claim::Run { generation, lease_until: now + lease };
    match existing {
        None => run(1),
        Some(turn) => match turn.state {
            TurnState::Done { .. } | TurnState::Broken => Claim::AlreadyDone,
            TurnState::Running { lease_until, .. } if now < lease_until => Claim::RunningElsewhere,
            TurnState::Running { .. } if !turn.sentences.is_empty() => Claim::CloseHere,
            TurnState::Running { generation, .. } => run(generation.saturating_add(1)),
        },
    }
}

/// Whether the run `generation` may still store a sentence or finish the turn at `now`. A run that lost its
/// lease, or was replaced or given up, may not: somebody else may have answered already.
#[must_use]
pub fn may_store(turn: &TurnView, generation: u32, now: DateTime<Utc>) -> bool {
    matches!(turn.state, TurnState::Running { generation: current, lease_until }
        if current == generation && now < lease_until)
}

/// What a request for one sentence gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// Speak this.
    Sentence {
        /// The words.
        text: String,
        /// What follows; `None`: ask for the next part.
        last: Option<Then>,
    },
    /// Not there yet.
    Pending,
    /// There is no such sentence: speak nothing and go on.
    Nothing {
        /// How to go on.
        then: Then,
    },
}

/// What a request for sentence `n` (from 0) gets. A sentence, once answered, is answered the same way for
/// ever.
///
/// A running turn whose lease is lost stays pending here: [`claim`] decides about it.
#[must_use]
pub fn part(turn: &TurnView, n: usize) -> Part {
    match (turn.sentences.get(n), turn.state) {
        (Some(sentence), _) => Part::Sentence { text: sentence.text.clone(), last: sentence.last },
        (None, TurnState::Running { .. }) => Part::Pending,
        (None, TurnState::Done { then }) => Part::Nothing { then },
        (None, TurnState::Broken) => Part::Nothing { then: Then::Listen },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    const LEASE: TimeDelta = TimeDelta::seconds(20);

    fn running(generation: u32, sentences: &[&str]) -> TurnView {
        view(TurnState::Running { generation, lease_until: at(20) }, sentences)
    }

    fn view(state: TurnState, sentences: &[&str]) -> TurnView {
        let sentences =
            sentences.iter().map(|text| Sentence { text: (*text).to_owned(), last: None }).collect();
        TurnView { state, sentences }
    }

    #[test]
    fn the_first_to_ask_runs_the_turn() {
        assert_eq!(claim(None, at(0), LEASE), Claim::Run { generation: 1, lease_until: at(20) });
    }

    #[test]
    fn a_turn_that_runs_is_not_run_a_second_time() {
        assert_eq!(claim(Some(&running(1, &[])), at(19), LEASE), Claim::RunningElsewhere);
        assert_eq!(claim(Some(&running(1, &["Hello."])), at(19), LEASE), Claim::RunningElsewhere);
    }

    #[test]
    fn a_lost_turn_of_which_nothing_was_stored_is_run_again() {
        let expected = Claim::Run { generation: 2, lease_until: at(40) };
        assert_eq!(claim(Some(&running(1, &[])), at(20), LEASE), expected);
    }

    #[test]
    fn a_lost_turn_of_which_something_was_stored_is_closed_there() {
        assert_eq!(claim(Some(&running(1, &["Hello."])), at(20), LEASE), Claim::CloseHere);
    }

    #[test]
    fn a_finished_or_broken_turn_is_answered_from_what_is_stored() {
        let done = view(TurnState::Done { then: Then::HangUp }, &["Bye."]);
        assert_eq!(claim(Some(&done), at(99), LEASE), Claim::AlreadyDone);
        assert_eq!(claim(Some(&view(TurnState::Broken, &[])), at(99), LEASE), Claim::AlreadyDone);
    }

    #[test]
    fn only_the_current_run_with_its_lease_may_store() {
        assert!(may_store(&running(2, &[]), 2, at(19)));
        assert!(!may_store(&running(2, &[]), 1, at(19)), "an older run");
        assert!(!may_store(&running(2, &[]), 2, at(20)), "a lost lease");
        assert!(!may_store(&view(TurnState::Broken, &[]), 2, at(0)), "given up");
    }

    #[test]
    fn the_same_sentence_is_answered_the_same_way_before_and_after_the_end() {
        let before = part(&running(1, &["Hello."]), 0);
        let after = part(&view(TurnState::Done { then: Then::Listen }, &["Hello."]), 0);
        assert_eq!(before, after);
    }

    #[test]
    fn a_sentence_that_is_known_to_be_the_last_says_what_follows() {
        let mut turn = running(1, &["Hello.", "Bye."]);
        turn.sentences[1].last = Some(Then::HangUp);
        let expected = Part::Sentence { text: "Bye.".to_owned(), last: Some(Then::HangUp) };
        assert_eq!(part(&turn, 1), expected);
    }

    #[test]
    fn a_sentence_that_will_never_come_is_nothing_to_say() {
        assert_eq!(part(&running(1, &["Hello."]), 1), Part::Pending);
        let done = view(TurnState::Done { then: Then::Transfer }, &["Hello."]);
        assert_eq!(part(&done, 1), Part::Nothing { then: Then::Transfer });
        let broken = view(TurnState::Broken, &["Hello."]);
        assert_eq!(part(&broken, 1), Part::Nothing { then: Then::Listen });
    }

    #[test]
    fn what_follows_reads_back_from_its_stored_text() {
        for then in [Then::Listen, Then::HangUp, Then::Transfer] {
            assert_eq!(Then::parse(then.as_str()), Some(then));
        }
        assert_eq!(Then::parse("sing"), None);
    }
}
