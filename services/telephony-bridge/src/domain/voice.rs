//! How a call is spoken: language and voice. They ride in the addresses of a conversation from its first sentence on, so that own
//! words sound like the rest of the call, in any replica, and also when tables and orchestrator are away.

use contracts::calls::TurnPart;
use contracts::spoken::Spoken;
use twilio::twiml::Say;

/// Neither a language nor a voice has a longer name.
const LONGEST: usize = 64;

/// Language and voice of a conversation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Voice {
    /// BCP-47.
    pub(crate) language: Option<String>,
    /// The carrier's name.
    pub(crate) voice: Option<String>,
}

impl Voice {
    /// The carrier's own voice, for when nobody has said which.
    pub(crate) const DEFAULT: Self = Self { language: None, voice: None };

    /// That of a sentence, or of one that is not there yet.
    pub(crate) fn of(part: &TurnPart) -> Self {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Self { language: given(&part.language), voice: given(&part.voice) }
    }

    /// As an address carries it. What could not stand in one as it is, is no name of the carrier's.
    pub(crate) fn in_an_address(&self) -> String {
        let plain = |text: &&String| {
            text.len() <= LONGEST && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        let pair = |name: &str, value: &Option<String>| {
            value.as_ref().filter(plain).map(|value| format!("&{name}={value}")).unwrap_or_default()
        };
        pair("lang", &self.language) + &pair("voice", &self.voice)
    }

    /// In which language own words are said, and with which voice. Where there are none in this language they are English, with the
    /// carrier's own voice: another language's would read them so that nobody understands them.
    pub(crate) fn for_own_words(&self) -> (Spoken, Self) {
        match self.language.as_deref().map(Spoken::of) {
            Some(Some(spoken)) => (spoken, self.clone()),
            Some(None) => (Spoken::English, Self::DEFAULT),
            None => (Spoken::English, self.clone()),
        }
    }

    pub(crate) fn say(&self, text: &str) -> Say {
        Say { voice: self.voice.clone(), language: self.language.clone(), ..Say::new(text) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn voice(language: &str, voice: &str) -> Voice {
        Voice { language: Some(language.to_owned()), voice: Some(voice.to_owned()) }
    }

    #[test]
    fn an_address_carries_names_and_nothing_else() {
        assert_eq!(
            voice("de-DE", "Polly.Vicki-Neural").in_an_address(),
            "&lang=de-DE&voice=Polly.Vicki-Neural"
        );
        assert_eq!(voice("de-DE", "a&b=c").in_an_address(), "&lang=de-DE");
        assert_eq!(voice(&"x".repeat(65), "man").in_an_address(), "&voice=man");
        assert_eq!(Voice::DEFAULT.in_an_address(), "");
    }

    #[test]
    fn english_words_are_not_read_by_the_voice_of_another_language() {
        let german = voice("de-CH", "Polly.Vicki");
        assert_eq!(german.for_own_words(), (Spoken::German, german.clone()));
        assert_eq!(voice("ja-JP", "Polly.Mizuki").for_own_words(), (Spoken::English, Voice::DEFAULT));
        let man = Voice { language: None, voice: Some("man".to_owned()) };
        assert_eq!(man.for_own_words(), (Spoken::English, man.clone()));
    }
}
