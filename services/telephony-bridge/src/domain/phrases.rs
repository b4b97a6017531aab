//! What this service says by itself, in each language in which it has words (`contracts::spoken`). They promise nothing: whoever says
//! them does not know what will become of the call.

use contracts::spoken::Spoken;

use super::patience::OwnWords;

impl OwnWords {
    /// What is spoken.
    pub(crate) const fn text(self, language: Spoken) -> &'static str {
        match self {
            Self::Filler => filler(language),
            Self::Apology => apology(language),
            Self::Goodbye => goodbye(language),
            Self::NobodyHere => nobody_here(language),
            Self::TooManyCalls => too_many_calls(language),
        }
    }
}

/// Said to a customer who was to be put through to a person, when that person was not reached.
pub(crate) const fn nobody_to_talk_to(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "I am sorry, nobody could be reached. Goodbye.",
        Spoken::German => "Es tut mir leid, es war niemand zu erreichen. Auf Wiederhören.",
        Spoken::French => "Je suis désolé, personne n'a pu être joint. Au revoir.",
        Spoken::Spanish => "Lo siento, no se ha podido localizar a nadie. Adiós.",
        Spoken::Italian => "Mi dispiace, non è stato possibile raggiungere nessuno. Arrivederci.",
        Spoken::Portuguese => "Lamento, não foi possível falar com ninguém. Adeus.",
        Spoken::Dutch => "Het spijt me, er was niemand te bereiken. Tot ziens.",
        Spoken::Polish => "Przepraszam, z nikim nie udało się połączyć. Do widzenia.",
        Spoken::Turkish => "Üzgünüm, kimseye ulaşılamadı. Hoşça kalın.",
    }
}

const fn filler(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "One moment, please.",
        Spoken::German => "Einen Moment, bitte.",
        Spoken::French => "Un instant, s'il vous plaît.",
        Spoken::Spanish => "Un momento, por favor.",
        Spoken::Italian => "Un momento, per favore.",
        Spoken::Portuguese => "Um momento, por favor.",
        Spoken::Dutch => "Een ogenblik, alstublieft.",
        Spoken::Polish => "Chwileczkę, proszę.",
        Spoken::Turkish => "Bir dakika lütfen.",
    }
}

const fn apology(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "I am sorry, we have a technical problem. Could you say that again, please?",
        Spoken::German => {
            "Es tut mir leid, wir haben ein technisches Problem. Könnten Sie das bitte noch einmal sagen?"
        }
        Spoken::French => {
            "Je suis désolé, nous avons un problème technique. Pourriez-vous répéter, s'il vous plaît ?"
        }
        Spoken::Spanish => "Lo siento, tenemos un problema técnico. ¿Podría repetirlo, por favor?",
        Spoken::Italian => "Mi dispiace, abbiamo un problema tecnico. Potrebbe ripetere, per favore?",
        Spoken::Portuguese => "Lamento, temos um problema técnico. Pode repetir, por favor?",
        Spoken::Dutch => {
            "Het spijt me, we hebben een technisch probleem. Kunt u dat nog een keer zeggen, alstublieft?"
        }
        Spoken::Polish => "Przepraszam, mamy problem techniczny. Czy można prosić o powtórzenie?",
        Spoken::Turkish => "Üzgünüm, teknik bir sorun yaşıyoruz. Tekrar söyler misiniz lütfen?",
    }
}

const fn goodbye(language: Spoken) -> &'static str {
    match language {
        Spoken::English => {
            "I am sorry, we have a technical problem and I have to end this call now. Goodbye."
        }
        Spoken::German => {
            "Es tut mir leid, wir haben ein technisches Problem, und ich muss das Gespräch jetzt beenden. Auf Wiederhören."
        }
        Spoken::French => {
            "Je suis désolé, nous avons un problème technique et je dois mettre fin à cet appel. Au revoir."
        }
        Spoken::Spanish => "Lo siento, tenemos un problema técnico y debo terminar la llamada. Adiós.",
        Spoken::Italian => {
            "Mi dispiace, abbiamo un problema tecnico e devo terminare la chiamata. Arrivederci."
        }
        Spoken::Portuguese => "Lamento, temos um problema técnico e tenho de terminar esta chamada. Adeus.",
        Spoken::Dutch => {
            "Het spijt me, we hebben een technisch probleem en ik moet dit gesprek nu beëindigen. Tot ziens."
        }
        Spoken::Polish => "Przepraszam, mamy problem techniczny i muszę zakończyć tę rozmowę. Do widzenia.",
        Spoken::Turkish => {
            "Üzgünüm, teknik bir sorun yaşıyoruz ve görüşmeyi şimdi bitirmem gerekiyor. Hoşça kalın."
        }
    }
}

const fn nobody_here(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "I am sorry, there is nobody here to take this call. Goodbye.",
        Spoken::German => "Es tut mir leid, hier ist niemand, der den Anruf annehmen kann. Auf Wiederhören.",
        Spoken::French => "Je suis désolé, personne ne peut prendre cet appel. Au revoir.",
        Spoken::Spanish => "Lo siento, no hay nadie que pueda atender esta llamada. Adiós.",
        Spoken::Italian => {
            "Mi dispiace, non c'è nessuno che possa rispondere a questa chiamata. Arrivederci."
        }
        Spoken::Portuguese => "Lamento, não há ninguém que possa atender esta chamada. Adeus.",
        Spoken::Dutch => "Het spijt me, er is hier niemand om dit gesprek aan te nemen. Tot ziens.",
        Spoken::Polish => "Przepraszam, nikt nie może odebrać tego połączenia. Do widzenia.",
        Spoken::Turkish => "Üzgünüm, bu aramayı yanıtlayacak kimse yok. Hoşça kalın.",
    }
}

const fn too_many_calls(language: Spoken) -> &'static str {
    match language {
        Spoken::English => {
            "I am sorry, too many calls are coming in at the moment. Please try again later. Goodbye."
        }
        Spoken::German => {
            "Es tut mir leid, im Moment gehen zu viele Anrufe ein. Bitte versuchen Sie es später noch einmal. Auf Wiederhören."
        }
        Spoken::French => {
            "Je suis désolé, nous recevons trop d'appels en ce moment. Veuillez réessayer plus tard. Au revoir."
        }
        Spoken::Spanish => {
            "Lo siento, en este momento recibimos demasiadas llamadas. Inténtelo más tarde, por favor. Adiós."
        }
        Spoken::Italian => {
            "Mi dispiace, al momento riceviamo troppe chiamate. La preghiamo di riprovare più tardi. Arrivederci."
        }
        Spoken::Portuguese => {
            "Lamento, neste momento recebemos demasiadas chamadas. Tente mais tarde, por favor. Adeus."
        }
        Spoken::Dutch => {
            "Het spijt me, er komen op dit moment te veel gesprekken binnen. Probeer het later nog eens. Tot ziens."
        }
        Spoken::Polish => {
            "Przepraszam, w tej chwili jest zbyt wiele połączeń. Proszę spróbować później. Do widzenia."
        }
        Spoken::Turkish => {
            "Üzgünüm, şu anda çok fazla arama geliyor. Lütfen daha sonra tekrar deneyin. Hoşça kalın."
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_language_has_sentences_of_its_own() {
        let mut all = HashSet::new();
        for language in Spoken::ALL {
            for words in OwnWords::ALL {
                assert!(all.insert(words.text(language)), "twice: {}", words.text(language));
            }
            assert!(all.insert(nobody_to_talk_to(language)));
        }
        assert!(all.into_iter().all(|text| text.ends_with(['.', '?'])));
    }
}
