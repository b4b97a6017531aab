//! How another time is agreed on: from a list of free times, at an address of the user's that books, or both.

use chrono::{DateTime, SecondsFormat, Utc};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::evidence::{Evidence, EvidenceStatus};
use super::limits::MAX_SLOTS;
use super::turn::TurnNumber;
use super::zones;

/// What a notification or its agent says about another time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reschedule {
    /// Free times.
    #[serde(default)]
    pub slots: Vec<DateTime<Utc>>,
    /// Who is asked to book, and which times are free instead.
    #[serde(default)]
    pub url: Option<String>,
}

/// Reads `reschedule`; `None` when there is none.
///
/// # Errors
/// What is wrong and what would be right.
pub fn parse(text: &str) -> Result<Option<Reschedule>, String> {
    if text.is_empty() {
        return Ok(None);
    }
    let read: Reschedule = serde_json::from_str(text)
        .map_err(|e| format!("must hold slots (RFC 3339 times), a url, or both: {e}"))?;
    if read.slots.len() > MAX_SLOTS {
        return Err(format!("holds {} slots; at most {MAX_SLOTS} are allowed", read.slots.len()));
    }
    let nothing = read.slots.is_empty() && read.url.is_none();
    Ok((!nothing).then_some(read))
}

impl Reschedule {
    /// The times that can be offered at `now`, the nearest first: what has passed is not.
    #[must_use]
    pub fn free(&self, now: DateTime<Utc>, zone: Tz) -> Vec<llm::FreeTime> {
        let mut slots: Vec<_> = self.slots.iter().copied().filter(|slot| *slot > now).collect();
        slots.sort_unstable();
        slots.dedup();
        slots.into_iter().map(|slot| free_time(slot, zone)).collect()
    }
}

fn free_time(at: DateTime<Utc>, zone: Tz) -> llm::FreeTime {
    llm::FreeTime { time: rfc3339(at), spoken: zones::offered(at, zone) }
}

fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// What the model wants to have booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// One exact time.
    At(DateTime<Utc>),
    /// A time in the customer's words.
    Words(String),
}

impl Wish {
    /// Reads the arguments of [`llm::BOOK_TIME`]; `None` when they name no time.
    #[must_use]
    pub fn of(arguments: &Map<String, Value>) -> Option<Self> {
        let text =
            |name: &str| arguments.get(name).and_then(Value::as_str).map(str::trim).filter(|t| !t.is_empty());
        let exact = text("time").and_then(|t| DateTime::parse_from_rfc3339(t).ok());
        match (exact, text("preferred").or_else(|| text("time"))) {
            (Some(at), _) => Some(Self::At(at.to_utc())),
            (None, Some(words)) => Some(Self::Words(words.chars().take(200).collect())),
            (None, None) => None,
        }
    }

    /// As the address that books is told.
    #[must_use]
    pub fn told(&self) -> String {
        match self {
            Self::At(at) => rfc3339(*at),
            Self::Words(words) => words.clone(),
        }
    }
}

/// What became of a wish; kept, and told to the model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Booking {
    /// Whether it is settled.
    pub booked: bool,
    /// The time that is settled, where it is known exactly.
    pub at: Option<DateTime<Utc>>,
    /// The customer's words, where they gave no exact time.
    pub words: Option<String>,
    /// What is free instead.
    pub free: Vec<DateTime<Utc>>,
}

impl Booking {
    /// Where nobody has to be asked: one of the free times is settled, anything else is not.
    #[must_use]
    pub fn from_slots(reschedule: &Reschedule, wish: &Wish, now: DateTime<Utc>) -> Self {
        let free: Vec<_> = reschedule.slots.iter().copied().filter(|slot| *slot > now).collect();
        match wish {
            Wish::At(at) if free.contains(at) => {
                Self { booked: true, at: Some(*at), words: None, free: Vec::new() }
            }
            Wish::At(_) => Self { booked: false, at: None, words: None, free },
            Wish::Words(words) => Self { booked: false, at: None, words: Some(words.clone()), free },
        }
    }

    /// From the answer `{accepted, time?, slots?}` of the address that books.
    ///
    /// # Errors
    /// Why the answer cannot be used.
    pub fn from_answer(wish: &Wish, body: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Answer {
            accepted: bool,
            #[serde(default)]
            time: Option<DateTime<Utc>>,
            #[serde(default)]
            slots: Vec<DateTime<Utc>>,
        }
        let answer: Answer = serde_json::from_str(body)
            .map_err(|e| format!("the answer is not {{accepted, time?, slots?}}: {e}"))?;
        let (exact, words) = match wish {
            Wish::At(at) => (Some(*at), None),
            Wish::Words(words) => (None, Some(words.clone())),
        };
        let at = answer.accepted.then(|| answer.time.or(exact)).flatten();
        Ok(Self {
            booked: answer.accepted,
            words: words.filter(|_| at.is_none()),
            at,
            free: answer.slots.into_iter().take(MAX_SLOTS).collect(),
        })
    }

    /// As the model is told: the text of a JSON object.
    #[must_use]
    pub fn told(&self, zone: Tz) -> String {
        let free: Vec<_> = self.free.iter().map(|slot| free_time(*slot, zone)).collect();
        let free: Vec<_> = free.iter().map(|f| json!({"time": f.time, "spoken": f.spoken})).collect();
        json!({
            "booked": self.booked,
            "time": self.at.map(rfc3339),
            "spoken": self.at.map(|at| zones::offered(at, zone)).or_else(|| self.words.clone()),
            "preferred": self.words,
            "free": free,
        })
        .to_string()
    }
}

/// What became of another time in a call, from what the model was told about its wishes, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Agreed {
    /// A new time is settled; the exact one where it is known, else in the customer's words.
    To {
        /// RFC 3339, where it is known.
        time: Option<String>,
        /// The customer's words, where it is not.
        words: Option<String>,
    },
    /// A time was wished for, and nothing is settled.
    Wished(String),
}

impl Agreed {
    /// The last of the bookings counts, with the turn in which it was made; without one, the last wish.
    #[must_use]
    pub fn of<'r>(told: impl Iterator<Item = (TurnNumber, &'r str)>) -> Option<(TurnNumber, Self)> {
        let read: Vec<(TurnNumber, Value)> =
            told.filter_map(|(turn, text)| Some((turn, serde_json::from_str(text).ok()?))).collect();
        let text = |value: &Value, name: &str| value[name].as_str().map(str::to_owned);
        let booked = read.iter().rfind(|(_, value)| value["booked"] == true);
        if let Some((turn, value)) = booked {
            return Some((*turn, Self::To { time: text(value, "time"), words: text(value, "preferred") }));
        }
        let wished =
            |(turn, value): &(TurnNumber, Value)| Some((*turn, Self::Wished(text(value, "preferred")?)));
        read.iter().rev().find_map(wished)
    }

    /// The result of a call without an agent, and its evidence, once another time is settled: what else was learned stays.
    #[must_use]
    pub fn into_result(
        self,
        (result, evidence): (Option<Value>, Option<Value>),
        (turn, quote): (TurnNumber, &str),
    ) -> (Value, Value) {
        let (said, time, words) = match self {
            Self::To { time, words } => ("rescheduled", time, words),
            Self::Wished(words) => ("reschedule_requested", None, Some(words)),
        };
        let mut result = result.unwrap_or_else(|| json!({"feedback": null}));
        let mut evidence = evidence.unwrap_or_else(|| json!({"feedback": evidence_of(false, turn, quote)}));
        let values =
            [("outcome", json!(said)), ("rescheduled_to", json!(time)), ("reschedule_request", json!(words))];
        for (name, value) in values {
            evidence[name] = evidence_of(!value.is_null(), turn, quote);
            result[name] = value;
        }
        (result, evidence)
    }

    /// As it stands beside a result: `{outcome, rescheduled_to, reschedule_request}`.
    #[must_use]
    pub fn shown(&self) -> Value {
        match self {
            Self::To { time, words } => {
                json!({"outcome": "rescheduled", "rescheduled_to": time, "reschedule_request": words})
            }
            Self::Wished(words) => {
                json!({"outcome": "reschedule_requested", "rescheduled_to": null, "reschedule_request": words})
            }
        }
    }
}

fn evidence_of(known: bool, turn: TurnNumber, quote: &str) -> Value {
    let evidence = if known {
        Evidence { status: EvidenceStatus::Grounded, turn: Some(turn.0), quote: Some(quote.to_owned()) }
    } else {
        Evidence { status: EvidenceStatus::NotSaid, turn: None, quote: None }
    };
    serde_json::to_value(evidence).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn two() -> Reschedule {
        parse(r#"{"slots": ["2026-03-23T14:00:00Z", "2026-03-20T10:00:00+01:00"]}"#).unwrap().unwrap()
    }

    #[test]
    fn free_times_are_offered_in_order_and_without_those_that_have_passed() {
        let zone = zones::zone("Europe/Berlin", "");
        let spoken = |now: &str| two().free(at(now), zone).into_iter().map(|f| f.spoken).collect::<Vec<_>>();
        assert_eq!(spoken("2026-03-19T00:00:00Z"), ["Friday, March 20 at 10 AM", "Monday, March 23 at 3 PM"]);
        assert_eq!(spoken("2026-03-21T00:00:00Z"), ["Monday, March 23 at 3 PM"]);
    }

    #[test]
    fn only_a_free_time_is_settled_without_asking_anybody() {
        let now = at("2026-03-19T00:00:00Z");
        let book = |wish| Booking::from_slots(&two(), &wish, now);
        assert!(book(Wish::At(at("2026-03-20T09:00:00Z"))).booked);
        let taken = book(Wish::At(at("2026-03-20T09:30:00Z")));
        assert_eq!((taken.booked, taken.free.len()), (false, 2));
        let wished = book(Wish::Words("Sunday".to_owned()));
        assert_eq!((wished.booked, wished.words.as_deref()), (false, Some("Sunday")));
    }

    #[test]
    fn the_answer_of_whoever_books_says_what_is_settled_or_free() {
        let words = Wish::Words("Friday at ten".to_owned());
        let booked =
            Booking::from_answer(&words, r#"{"accepted": true, "time": "2026-03-20T09:00:00Z"}"#).unwrap();
        assert_eq!((booked.at, booked.words), (Some(at("2026-03-20T09:00:00Z")), None));
        let inexact = Booking::from_answer(&words, r#"{"accepted": true}"#).unwrap();
        assert_eq!((inexact.at, inexact.words.as_deref()), (None, Some("Friday at ten")));
        let refused =
            Booking::from_answer(&words, r#"{"accepted": false, "slots": ["2026-03-23T14:00:00Z"]}"#)
                .unwrap();
        assert_eq!((refused.booked, refused.free.len()), (false, 1));
        assert!(Booking::from_answer(&words, "yes").is_err());
    }

    #[test]
    fn the_last_booking_counts_and_a_wish_only_without_one() {
        let told = |booked: bool, time: Option<&str>, preferred: Option<&str>| {
            json!({"booked": booked, "time": time, "preferred": preferred}).to_string()
        };
        let (refused, settled) = (told(false, None, Some("Sunday")), told(true, Some("T1"), None));
        let of = |told: &[&str]| Agreed::of((1..).map(TurnNumber).zip(told.iter().copied()));
        assert_eq!(of(&[&refused]), Some((TurnNumber(1), Agreed::Wished("Sunday".to_owned()))));
        let to = Agreed::To { time: Some("T1".to_owned()), words: None };
        assert_eq!(of(&[&settled, &refused]), Some((TurnNumber(1), to)));
        assert_eq!(of(&["nonsense"]), None);
    }

    #[test]
    fn a_result_says_what_is_settled_and_keeps_what_else_was_learned() {
        let to = Agreed::To { time: Some("T1".to_owned()), words: None };
        let learned = json!({"outcome": "no_clear_answer", "feedback": "Nice.", "reschedule_request": null});
        let (result, evidence) =
            to.clone().into_result((Some(learned), None), (TurnNumber(2), "The first one."));
        let expected = json!({
            "outcome": "rescheduled", "rescheduled_to": "T1", "reschedule_request": null, "feedback": "Nice.",
        });
        assert_eq!(result, expected);
        let grounded = json!({"status": "grounded", "turn": 2, "quote": "The first one."});
        assert_eq!((&evidence["outcome"], &evidence["rescheduled_to"]), (&grounded, &grounded));
        assert_eq!(evidence["reschedule_request"]["status"], "not_said");
        assert_eq!(to.into_result((None, None), (TurnNumber(2), "x")).0["feedback"], json!(null));
    }

    #[test]
    fn a_wish_is_an_exact_time_or_the_customers_words() {
        let of = |value: Value| Wish::of(value.as_object().unwrap());
        assert_eq!(of(json!({"time": "2026-03-20T09:00:00Z"})), Some(Wish::At(at("2026-03-20T09:00:00Z"))));
        assert_eq!(of(json!({"time": "Friday"})), Some(Wish::Words("Friday".to_owned())));
        assert_eq!(of(json!({"preferred": " Sunday "})), Some(Wish::Words("Sunday".to_owned())));
        assert_eq!(of(json!({})), None);
    }
}
