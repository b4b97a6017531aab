//! The words that REST answers and webhooks share about a call: its status, its direction, who answered.
//!
//! Each keeps a word that it does not know: Twilio adds values without notice.

macro_rules! open_words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
            /// A word that this version does not know, as it came.
            Other(String),
        }

        impl $name {
            /// The word on the wire.
            #[must_use]
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = ::std::convert::Infallible;

            fn from_str(word: &str) -> Result<Self, ::std::convert::Infallible> {
                Ok(Self::from(word))
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use open_words;

open_words!(
    /// `CallStatus` of a webhook and `status` of the call resource.
    CallStatus {
        /// Waits for its slot in the account's calls per second.
        Queued = "queued",
        /// Dialling has begun. Only in callbacks: the resource still says `queued`.
        Initiated = "initiated",
        /// The other side rings. Some carriers never say so.
        Ringing = "ringing",
        /// Answered and running. The event is named `answered`, its status is this.
        InProgress = "in-progress",
        /// Answered and ended, voicemail included.
        Completed = "completed",
        /// The line was busy.
        Busy = "busy",
        /// It could not be placed.
        Failed = "failed",
        /// Nobody answered in time, or the call was rejected.
        NoAnswer = "no-answer",
        /// Cancelled over REST before it was answered.
        Canceled = "canceled",
    }
);

impl CallStatus {
    /// How far along the call is, 0 (queued) to 4 (ended); `None` for an unknown word. A call's rank never falls,
    /// so of two statuses without a sequence number the one of higher rank is the later.
    #[must_use]
    pub fn rank(&self) -> Option<u8> {
        match self {
            Self::Queued => Some(0),
            Self::Initiated => Some(1),
            Self::Ringing => Some(2),
            Self::InProgress => Some(3),
            Self::Completed | Self::Busy | Self::Failed | Self::NoAnswer | Self::Canceled => Some(4),
            Self::Other(_) => None,
        }
    }

    /// Whether the call is over for good. An unknown word is not: asking again costs less than a lost call.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        self.rank() == Some(4)
    }
}

open_words!(
    /// Who called whom.
    Direction {
        /// Somebody called one of our numbers.
        Inbound = "inbound",
        /// Placed over REST.
        OutboundApi = "outbound-api",
        /// The second leg of a `<Dial>`.
        OutboundDial = "outbound-dial",
    }
);

open_words!(
    /// What answering-machine detection says about the one who picked up.
    AnsweredBy {
        /// A person.
        Human = "human",
        /// A machine, told as soon as that was clear (`Enable`).
        MachineStart = "machine_start",
        /// A machine whose greeting ended with a beep (`DetectMessageEnd`).
        MachineEndBeep = "machine_end_beep",
        /// A machine whose greeting ended in silence.
        MachineEndSilence = "machine_end_silence",
        /// A machine whose greeting ended in some other way.
        MachineEndOther = "machine_end_other",
        /// A fax.
        Fax = "fax",
        /// No verdict in time. Twilio's advice is to treat it as a person.
        Unknown = "unknown",
    }
);

impl AnsweredBy {
    /// Whether a machine answered, with or without the end of its greeting. `unknown` is not a machine.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        matches!(
            self,
            Self::MachineStart | Self::MachineEndBeep | Self::MachineEndSilence | Self::MachineEndOther
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_and_unknown_words_survive_the_trip() {
        for word in ["queued", "initiated", "in-progress", "no-answer", "canceled", "parked"] {
            assert_eq!(CallStatus::from(word).as_str(), word);
        }
        assert_eq!(CallStatus::from("parked"), CallStatus::Other("parked".to_owned()));
    }

    #[test]
    fn only_the_five_ends_are_terminal() {
        let ends = ["completed", "busy", "failed", "no-answer", "canceled"];
        let running = ["queued", "initiated", "ringing", "in-progress", "parked", ""];
        assert!(ends.iter().all(|word| CallStatus::from(*word).is_terminal()));
        assert!(!running.iter().any(|word| CallStatus::from(*word).is_terminal()));
    }

    #[test]
    fn rank_rises_along_the_life_of_a_call() {
        let life = ["queued", "initiated", "ringing", "in-progress", "completed"];
        let ranks: Vec<_> = life.iter().filter_map(|word| CallStatus::from(*word).rank()).collect();
        assert_eq!(ranks, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn an_unknown_verdict_is_not_a_machine() {
        assert!(AnsweredBy::from("machine_end_beep").is_machine());
        assert!(!AnsweredBy::from("unknown").is_machine());
        assert!(!AnsweredBy::from("fax").is_machine());
    }
}
