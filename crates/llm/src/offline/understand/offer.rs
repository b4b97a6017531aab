//! Which of several offered times a customer means. The offer is read back from the agent's own words, because the
//! conversation has no other memory.

use super::{number, yes_no};
use crate::offline::lines::{OFFER, WHICH};
use crate::offline::words::Words;

const DAYS: &[&str] = &["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
const MONTHS: &[&str] = &[
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
/// Words that mean a day or an hour which no offer names.
const ELSEWHEN: &[&str] = &[
    "today",
    "tomorrow",
    "tonight",
    "next week",
    "weekend",
    "later",
    "morning",
    "afternoon",
    "evening",
    "noon",
];
const PLACES: &[&[&str]] = &[
    &["the first", "first one", "first", "number one"],
    &["the second", "second one", "second", "number two"],
    &["the third", "third one", "third", "number three"],
    &["the fourth", "fourth one", "fourth", "number four"],
];
const AGAINST: &[&str] = &["not", "cant", "cannot", "dont", "doesnt", "wont", "none", "neither", "never"];

/// The sentence that offers these times.
pub(crate) fn sentence(times: &[&str]) -> String {
    format!("{OFFER} {}. {WHICH}", times.join("; "))
}

/// The times that the agent's words offer, the last offer if there are several.
pub(crate) fn offered(agent: &str) -> Vec<String> {
    let Some(at) = agent.rfind(OFFER) else { return Vec::new() };
    let rest = &agent[at + OFFER.len()..];
    let end = rest.find(WHICH).unwrap_or(rest.len());
    let listed = rest[..end].trim().trim_end_matches('.');
    listed.split(';').map(|time| time.trim().to_owned()).filter(|time| !time.is_empty()).collect()
}

/// The offered time that the words choose; none when they choose none of them or leave it open.
pub(crate) fn chosen(words: &Words<'_>, offered: &[String]) -> Option<usize> {
    if words.has_any(AGAINST) {
        return None;
    }
    // "The second one" counts the offers; "March second" does not.
    let counts = words.len() <= 5 && !DAYS.iter().chain(MONTHS).any(|day| words.has(day));
    if let Some(place) = PLACES.iter().position(|names| words.has_any(names)).filter(|_| counts) {
        return Some(place).filter(|place| *place < offered.len());
    }
    let fits = |time: &String| named(words, &Words::of(time));
    let mut scored = offered.iter().enumerate().filter_map(|(index, time)| Some((index, fits(time)?)));
    let most = scored.clone().map(|(_, hits)| hits).max()?;
    if most > 0 {
        let mut best = scored.filter(|(_, hits)| *hits == most);
        let (index, _) = best.next()?;
        return best.next().is_none().then_some(index);
    }
    let only = scored.next().filter(|_| offered.len() == 1)?;
    (yes_no::meaning(words, WHICH) == Some(true)).then_some(only.0)
}

/// How many of the days, months and numbers in the words the offer names, too; none when it contradicts one of them.
fn named(words: &Words<'_>, offer: &Words<'_>) -> Option<usize> {
    if words.has_any(ELSEWHEN) {
        return None;
    }
    let days: Vec<_> = DAYS.iter().chain(MONTHS).filter(|day| words.has(day)).collect();
    if !days.iter().all(|day| offer.has(day)) {
        return None;
    }
    let own: Vec<_> = offer.list.iter().filter_map(|word| word.text.parse::<f64>().ok()).collect();
    let keys_only = words.len() == 1 && days.is_empty();
    let said: Vec<_> = number::all(words).into_iter().map(|number| number.value).collect();
    let known = |value: &f64| own.iter().any(|own| (own - value).abs() < 1e-9);
    if !keys_only && !said.iter().all(known) {
        return None;
    }
    Some(days.len() + said.iter().filter(|value| known(value)).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offer_reads_back_from_its_own_sentence() {
        let times = ["Friday, March 20 at 10 AM", "Monday, March 23 at 2:30 PM"];
        let said = format!("I understand. {} Are you still there?", sentence(&times));
        assert_eq!(offered(&said), times);
        assert!(offered("Which of these suits you?").is_empty());
    }

    #[test]
    fn a_time_is_chosen_by_what_only_one_offer_says() {
        let times = ["Friday, March 20 at 10 AM", "Friday, March 20 at 2 PM", "Monday, March 23 at 10 AM"]
            .map(str::to_owned);
        for (text, expected) in [
            ("Friday at ten, please", Some(0)),
            ("Friday at 2", Some(1)),
            ("Monday works", Some(2)),
            ("the second one", Some(1)),
            ("Friday", None),
            ("yes", None),
            ("Saturday at ten", None),
            ("Friday at three", None),
            ("tomorrow", None),
            ("not on Monday", None),
            ("none of them", None),
        ] {
            assert_eq!(chosen(&Words::of(text), &times), expected, "{text}");
        }
        assert_eq!(chosen(&Words::of("yes please"), &times[..1]), Some(0));
        assert_eq!(chosen(&Words::of("no"), &times[..1]), None);
    }
}
