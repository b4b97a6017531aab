//! In which language a question is, as far as its small words tell, and what Echo itself says in it.

use unicode_segmentation::UnicodeSegmentation as _;

/// A language by its small words, and its sentences.
struct Language {
    small: &'static [&'static str],
    not_covered: &'static str,
    person: &'static str,
}

const ENGLISH: Language = Language {
    small: &[
        "the", "is", "are", "what", "how", "do", "you", "can", "i", "when", "where", "my", "of", "does",
        "and", "which", "to",
    ],
    not_covered: "I could not find anything about this in the documents. Would you like to ask a person?",
    person: "You would like to speak to a person: leave your question and your address, and somebody will answer you.",
};

const OTHERS: [Language; 6] = [
    Language {
        small: &[
            "der", "die", "das", "ist", "wie", "was", "wann", "ich", "und", "ein", "eine", "wo", "sie",
            "mein", "mit", "kann", "gibt", "es",
        ],
        not_covered: "Dazu habe ich in den Unterlagen nichts gefunden. Möchten Sie einen Menschen fragen?",
        person: "Sie möchten mit einem Menschen sprechen: Hinterlassen Sie Ihre Frage und Ihre Adresse, und jemand antwortet Ihnen.",
    },
    Language {
        small: &[
            "le", "la", "les", "est", "quel", "quelle", "comment", "je", "et", "une", "un", "où", "vous",
            "mon", "avec", "quand", "des", "du", "à", "au",
        ],
        not_covered: "Je n'ai rien trouvé à ce sujet dans les documents. Voulez-vous demander à une personne ?",
        person: "Vous souhaitez parler à une personne : laissez votre question et votre adresse, et quelqu'un vous répondra.",
    },
    Language {
        small: &[
            "el", "la", "los", "es", "qué", "cómo", "cuándo", "yo", "una", "un", "dónde", "mi", "con",
            "cuál", "del", "puedo", "hay", "cuánto", "quiero",
        ],
        not_covered: "No he encontrado nada sobre esto en los documentos. ¿Quiere preguntar a una persona?",
        person: "Quiere hablar con una persona: deje su pregunta y su dirección, y alguien le responderá.",
    },
    Language {
        small: &[
            "il", "la", "è", "che", "come", "quando", "io", "una", "un", "dove", "mio", "con", "quale",
            "del", "posso", "sono", "gli", "vorrei",
        ],
        not_covered: "Non ho trovato nulla su questo nei documenti. Vuole chiedere a una persona?",
        person: "Desidera parlare con una persona: lasci la sua domanda e il suo indirizzo, e qualcuno le risponderà.",
    },
    Language {
        small: &[
            "o", "a", "os", "é", "que", "como", "quando", "eu", "uma", "um", "onde", "meu", "com", "qual",
            "do", "posso", "são", "não", "quero",
        ],
        not_covered: "Não encontrei nada sobre isto nos documentos. Quer perguntar a uma pessoa?",
        person: "Deseja falar com uma pessoa: deixe a sua pergunta e o seu endereço, e alguém responderá.",
    },
    Language {
        small: &[
            "de", "het", "een", "is", "wat", "hoe", "wanneer", "ik", "en", "waar", "mijn", "met", "kan",
            "van", "zijn", "jullie", "welke",
        ],
        not_covered: "Hierover heb ik in de documenten niets gevonden. Wilt u het aan een persoon vragen?",
        person: "U wilt met een persoon spreken: laat uw vraag en uw adres achter, en iemand antwoordt u.",
    },
];

/// The one whose small words are the most; English where none stands out.
fn of(text: &str) -> &'static Language {
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.unicode_words().take(200).collect();
    let count = |language: &Language| words.iter().filter(|word| language.small.contains(word)).count();
    let mut best = (&ENGLISH, count(&ENGLISH));
    for language in &OTHERS {
        let found = count(language);
        if found > best.1 {
            best = (language, found);
        }
    }
    best.0
}

/// That nothing is known, and that a person can be asked.
pub(crate) fn not_covered(question: &str) -> &'static str {
    of(question).not_covered
}

/// That a person will answer.
pub(crate) fn person(question: &str) -> &'static str {
    of(question).person
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_of_a_question_is_told_by_its_small_words() {
        for (question, begins) in [
            ("What is the price of a unicorn?", "I could"),
            ("Was kostet ein Einhorn, und wo gibt es das?", "Dazu"),
            ("Quel est le prix d'une licorne ?", "Je n'ai"),
            ("¿Cuánto cuesta un unicornio y dónde hay?", "No he"),
            ("Come posso comprare gli unicorni?", "Non ho"),
            ("Onde posso comprar um unicórnio?", "Não"),
            ("Wat kost een eenhoorn en waar kan ik het kopen?", "Hierover"),
            ("unicorn", "I could"),
            ("独角兽多少钱", "I could"),
        ] {
            assert!(not_covered(question).starts_with(begins), "{question}: {}", not_covered(question));
        }
    }
}
