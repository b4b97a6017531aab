//! The languages in which Echo has words of its own: what a service says on the phone when no model says anything. In any other
//! language it is English. What they say is each service's own.

/// A language with words of Echo's own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Spoken {
    /// Also for every language that is not here.
    #[default]
    English,
    /// German.
    German,
    /// French.
    French,
    /// Spanish.
    Spanish,
    /// Italian.
    Italian,
    /// Portuguese.
    Portuguese,
    /// Dutch.
    Dutch,
    /// Polish.
    Polish,
    /// Turkish.
    Turkish,
}

impl Spoken {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::English,
        Self::German,
        Self::French,
        Self::Spanish,
        Self::Italian,
        Self::Portuguese,
        Self::Dutch,
        Self::Polish,
        Self::Turkish,
    ];

    /// That of a BCP-47 tag, wherever it is spoken: `de-AT` is German. `None`: one without words of ours.
    #[must_use]
    pub fn of(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or_default();
        Self::ALL.into_iter().find(|spoken| spoken.code().eq_ignore_ascii_case(language))
    }

    /// ISO 639-1.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Italian => "it",
            Self::Portuguese => "pt",
            Self::Dutch => "nl",
            Self::Polish => "pl",
            Self::Turkish => "tr",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_names_its_language_wherever_it_is_spoken() {
        assert_eq!(Spoken::of("de-AT"), Some(Spoken::German));
        assert_eq!(Spoken::of("PT_br"), Some(Spoken::Portuguese));
        assert_eq!(Spoken::of("en"), Some(Spoken::English));
        assert_eq!(Spoken::of("cmn-Hans-CN"), None);
        assert_eq!(Spoken::of(""), None);
        assert!(Spoken::ALL.into_iter().all(|spoken| Spoken::of(spoken.code()) == Some(spoken)));
    }
}
