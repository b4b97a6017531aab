//! What this service says by itself, in each language in which it has words (`contracts::spoken`); everything else is the model's. They
//! promise only what this service itself makes true in the same moment: whether anybody rings again, or gets back in another way, is
//! not ours to say.

use contracts::spoken::Spoken;

/// Words that need no model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phrase {
    /// Whoever wishes not to be called is not called again.
    NotAgain,
    /// The conversation goes in circles.
    LongEnough,
    /// Nothing certain was heard.
    SayAgain,
    /// Nothing was heard, again and again.
    CannotHear,
    /// The model has failed; the caller may repeat.
    Problem,
    /// It has failed again.
    GivingUp,
    /// There is an end, and nothing else to say.
    Goodbye,
    /// A person is about to be rung, and nothing else has been said.
    PuttingThrough,
}

impl Phrase {
    /// What is spoken, in the language of a BCP-47 tag: English where there are no words in it.
    #[must_use]
    pub fn text(self, language: &str) -> &'static str {
        let language = Spoken::of(language).unwrap_or_default();
        match self {
            Self::NotAgain => not_again(language),
            Self::LongEnough => long_enough(language),
            Self::SayAgain => say_again(language),
            Self::CannotHear => cannot_hear(language),
            Self::Problem => problem(language),
            Self::GivingUp => giving_up(language),
            Self::Goodbye => goodbye(language),
            Self::PuttingThrough => putting_through(language),
        }
    }
}

const fn not_again(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "I understand. We will not call you again. Goodbye.",
        Spoken::German => "Ich verstehe. Wir rufen Sie nicht wieder an. Auf Wiederhören.",
        Spoken::French => "Je comprends. Nous ne vous appellerons plus. Au revoir.",
        Spoken::Spanish => "Entiendo. No le volveremos a llamar. Adiós.",
        Spoken::Italian => "Capisco. Non la chiameremo più. Arrivederci.",
        Spoken::Portuguese => "Compreendo. Não voltaremos a ligar-lhe. Adeus.",
        Spoken::Dutch => "Ik begrijp het. We bellen u niet meer. Tot ziens.",
        Spoken::Polish => "Rozumiem. Nie będziemy więcej dzwonić. Do widzenia.",
        Spoken::Turkish => "Anlıyorum. Sizi bir daha aramayacağız. Hoşça kalın.",
    }
}

const fn long_enough(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "Thank you for your time. I have to end this call here. Goodbye.",
        Spoken::German => "Vielen Dank für Ihre Zeit. Ich muss das Gespräch hier beenden. Auf Wiederhören.",
        Spoken::French => "Merci de votre temps. Je dois mettre fin à cet appel. Au revoir.",
        Spoken::Spanish => "Gracias por su tiempo. Debo terminar la llamada aquí. Adiós.",
        Spoken::Italian => "Grazie per il suo tempo. Devo terminare qui la chiamata. Arrivederci.",
        Spoken::Portuguese => "Obrigado pelo seu tempo. Tenho de terminar a chamada aqui. Adeus.",
        Spoken::Dutch => "Bedankt voor uw tijd. Ik moet dit gesprek hier beëindigen. Tot ziens.",
        Spoken::Polish => "Dziękuję za poświęcony czas. Muszę zakończyć tę rozmowę. Do widzenia.",
        Spoken::Turkish => {
            "Zaman ayırdığınız için teşekkürler. Görüşmeyi burada bitirmem gerekiyor. Hoşça kalın."
        }
    }
}

const fn say_again(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "I am sorry, I did not catch that. Could you say it again, please?",
        Spoken::German => "Das habe ich leider nicht verstanden. Könnten Sie es bitte noch einmal sagen?",
        Spoken::French => "Je suis désolé, je n'ai pas compris. Pourriez-vous répéter, s'il vous plaît ?",
        Spoken::Spanish => "Lo siento, no le he entendido. ¿Podría repetirlo, por favor?",
        Spoken::Italian => "Mi dispiace, non ho capito. Potrebbe ripetere, per favore?",
        Spoken::Portuguese => "Lamento, não percebi. Pode repetir, por favor?",
        Spoken::Dutch => {
            "Het spijt me, dat heb ik niet verstaan. Kunt u het nog een keer zeggen, alstublieft?"
        }
        Spoken::Polish => "Przepraszam, nie udało mi się tego zrozumieć. Czy można prosić o powtórzenie?",
        Spoken::Turkish => "Üzgünüm, anlayamadım. Tekrar söyler misiniz lütfen?",
    }
}

const fn cannot_hear(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "I cannot hear you, so I will let you go. Goodbye.",
        Spoken::German => "Ich kann Sie nicht hören und beende das Gespräch. Auf Wiederhören.",
        Spoken::French => "Je ne vous entends pas, je mets donc fin à l'appel. Au revoir.",
        Spoken::Spanish => "No puedo oírle, así que termino la llamada. Adiós.",
        Spoken::Italian => "Non riesco a sentirla, quindi termino la chiamata. Arrivederci.",
        Spoken::Portuguese => "Não consigo ouvir, por isso termino a chamada. Adeus.",
        Spoken::Dutch => "Ik kan u niet horen en beëindig daarom het gesprek. Tot ziens.",
        Spoken::Polish => "Nic nie słychać, więc kończę rozmowę. Do widzenia.",
        Spoken::Turkish => "Sizi duyamıyorum, bu yüzden görüşmeyi bitiriyorum. Hoşça kalın.",
    }
}

const fn problem(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "I am sorry, I have a technical problem. Could you say that again, please?",
        Spoken::German => {
            "Es tut mir leid, ich habe ein technisches Problem. Könnten Sie das bitte noch einmal sagen?"
        }
        Spoken::French => {
            "Je suis désolé, j'ai un problème technique. Pourriez-vous répéter, s'il vous plaît ?"
        }
        Spoken::Spanish => "Lo siento, tengo un problema técnico. ¿Podría repetirlo, por favor?",
        Spoken::Italian => "Mi dispiace, ho un problema tecnico. Potrebbe ripetere, per favore?",
        Spoken::Portuguese => "Lamento, tenho um problema técnico. Pode repetir, por favor?",
        Spoken::Dutch => {
            "Het spijt me, ik heb een technisch probleem. Kunt u dat nog een keer zeggen, alstublieft?"
        }
        Spoken::Polish => "Przepraszam, mam problem techniczny. Czy można prosić o powtórzenie?",
        Spoken::Turkish => "Üzgünüm, teknik bir sorun yaşıyorum. Tekrar söyler misiniz lütfen?",
    }
}

const fn giving_up(language: Spoken) -> &'static str {
    match language {
        Spoken::English => {
            "I am sorry, something is not working on our side, so I have to end this call. Goodbye."
        }
        Spoken::German => {
            "Es tut mir leid, bei uns funktioniert etwas nicht, daher muss ich das Gespräch beenden. Auf Wiederhören."
        }
        Spoken::French => {
            "Je suis désolé, quelque chose ne fonctionne pas chez nous, je dois donc mettre fin à cet appel. Au revoir."
        }
        Spoken::Spanish => {
            "Lo siento, algo no funciona por nuestra parte, así que debo terminar la llamada. Adiós."
        }
        Spoken::Italian => {
            "Mi dispiace, qualcosa non funziona da parte nostra, quindi devo terminare la chiamata. Arrivederci."
        }
        Spoken::Portuguese => {
            "Lamento, algo não está a funcionar do nosso lado, por isso tenho de terminar a chamada. Adeus."
        }
        Spoken::Dutch => {
            "Het spijt me, er werkt iets niet aan onze kant, dus ik moet dit gesprek beëindigen. Tot ziens."
        }
        Spoken::Polish => "Przepraszam, coś u nas nie działa, więc muszę zakończyć tę rozmowę. Do widzenia.",
        Spoken::Turkish => {
            "Üzgünüm, bizim tarafımızda bir şey çalışmıyor, bu yüzden görüşmeyi bitirmem gerekiyor. Hoşça kalın."
        }
    }
}

const fn goodbye(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "Goodbye.",
        Spoken::German => "Auf Wiederhören.",
        Spoken::French => "Au revoir.",
        Spoken::Spanish => "Adiós.",
        Spoken::Italian => "Arrivederci.",
        Spoken::Portuguese => "Adeus.",
        Spoken::Dutch => "Tot ziens.",
        Spoken::Polish => "Do widzenia.",
        Spoken::Turkish => "Hoşça kalın.",
    }
}

const fn putting_through(language: Spoken) -> &'static str {
    match language {
        Spoken::English => "One moment, please. I am putting you through.",
        Spoken::German => "Einen Moment, bitte. Ich verbinde Sie.",
        Spoken::French => "Un instant, s'il vous plaît. Je vous mets en relation.",
        Spoken::Spanish => "Un momento, por favor. Le paso la llamada.",
        Spoken::Italian => "Un momento, per favore. La metto in contatto.",
        Spoken::Portuguese => "Um momento, por favor. Vou passar a chamada.",
        Spoken::Dutch => "Een ogenblik, alstublieft. Ik verbind u door.",
        Spoken::Polish => "Chwileczkę, proszę. Łączę rozmowę.",
        Spoken::Turkish => "Bir dakika lütfen. Sizi bağlıyorum.",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::Phrase::{
        CannotHear, GivingUp, Goodbye, LongEnough, NotAgain, Problem, PuttingThrough, SayAgain,
    };
    use super::*;

    #[test]
    fn each_language_has_sentences_of_its_own_and_every_other_one_the_english_ones() {
        let phrases =
            [CannotHear, Goodbye, GivingUp, LongEnough, NotAgain, Problem, PuttingThrough, SayAgain];
        let mut all = HashSet::new();
        for phrase in phrases {
            for language in Spoken::ALL {
                assert!(all.insert(phrase.text(language.code())), "twice: {}", phrase.text(language.code()));
            }
            assert_eq!(phrase.text("ja-JP"), phrase.text("en-US"));
        }
    }

    #[test]
    fn a_goodbye_promises_nothing_that_nobody_keeps() {
        for phrase in [CannotHear, LongEnough, GivingUp, Goodbye] {
            let text = phrase.text("en");
            assert!(!text.contains(" will ") || text.contains("I will let you go"), "{text}");
        }
    }
}
