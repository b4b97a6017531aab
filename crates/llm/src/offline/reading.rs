//! A conversation read back from its words alone: what each answer was an answer to, what was learned,
//! what is still open. Talking and extracting both rest on this, so they cannot disagree.

use serde_json::Value;

use super::fill::{self, Answer};
use super::lines::{CHANCE, GO_AHEAD, NOT_CAUGHT};
use super::schema::{Kind, Slot};
use super::target;
use super::understand::{choice, date, name, offer, phrase, repeat, stop, wish, yes_no};
use super::words::{Words, sentences};
use crate::Speaker;

const QUOTE_BYTES: usize = 300;

/// Something the customer said, and what the agent had said before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) agent: String,
    pub(crate) turn: u32,
    pub(crate) text: String,
    /// The agent asked to say it again because the line was bad: the words are not an answer.
    pub(crate) not_caught: bool,
}

/// Splits a conversation into exchanges; the agent's words after the last of them come second.
pub(crate) fn exchanges<'t>(said: impl Iterator<Item = (u32, Speaker, &'t str)>) -> (Vec<Exchange>, String) {
    let mut found: Vec<Exchange> = Vec::new();
    let mut agent = String::new();
    for (turn, speaker, text) in said {
        match speaker {
            Speaker::Agent => {
                if agent.is_empty()
                    && text.trim_start().starts_with(NOT_CAUGHT)
                    && let Some(last) = found.last_mut()
                {
                    last.not_caught = true;
                }
                if !agent.is_empty() {
                    agent.push(' ');
                }
                agent.push_str(text.trim());
            }
            Speaker::Customer => {
                let agent = std::mem::take(&mut agent);
                found.push(Exchange { agent, turn, text: text.to_owned(), not_caught: false });
            }
        }
    }
    (found, agent)
}

/// What the agent's last words asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pending {
    Nothing,
    Slot(usize),
    /// Whether the right person is on the line.
    Identity,
    /// Whether the moment suits.
    Permission,
    /// Whether there is something to ask back.
    Chance,
    /// Which of the offered times suits.
    Offer,
}

/// What a customer's turn does to the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Intent {
    Answer,
    Stop,
    WrongPerson,
    Repeat,
    Who,
    Why,
    Machine,
    Person,
    Busy,
}

/// What a customer's turn did to the slots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    Nothing,
    Filled(usize),
    Declined(usize),
    Unclear(usize),
    /// The answer to an offer of free times.
    Offer(Offered),
}

/// What a customer says to an offer of free times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offered {
    /// This one of them.
    Chose(usize),
    /// Another time.
    Other,
    /// None of them.
    Refused,
    /// It is not clear.
    Unclear,
}

/// One customer's turn, understood.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) pending: Pending,
    pub(crate) intent: Intent,
    pub(crate) effect: Effect,
    pub(crate) asks: bool,
    pub(crate) leaves: bool,
}

/// A value with the words it rests on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Learned {
    pub(crate) value: Value,
    pub(crate) turn: u32,
    pub(crate) quote: String,
}

/// A whole conversation, understood.
pub(crate) struct Reading<'s> {
    pub(crate) slots: &'s [Slot],
    pub(crate) learned: Vec<Option<Learned>>,
    declined: Vec<bool>,
    unclear: Vec<u8>,
    pending: Pending,
    named: bool,
    pub(crate) steps: usize,
    /// Turns in a row that brought nothing.
    pub(crate) fruitless: usize,
    pub(crate) last: Option<Step>,
    pub(crate) stopped: bool,
    pub(crate) chance_given: bool,
    /// The times that were offered last.
    pub(crate) offer: Vec<String>,
    /// Offers in a row that brought no clear answer.
    unclear_offers: u8,
}

impl<'s> Reading<'s> {
    pub(crate) fn of(slots: &'s [Slot], exchanges: &[Exchange]) -> Self {
        let mut reading = Self {
            slots,
            learned: vec![None; slots.len()],
            declined: vec![false; slots.len()],
            unclear: vec![0; slots.len()],
            pending: Pending::Nothing,
            named: false,
            steps: 0,
            fruitless: 0,
            last: None,
            stopped: false,
            chance_given: false,
            offer: Vec::new(),
            unclear_offers: 0,
        };
        exchanges.iter().for_each(|exchange| reading.step(exchange));
        reading
    }

    fn step(&mut self, exchange: &Exchange) {
        // "Say that again" leaves the question open as it was.
        if !exchange.agent.is_empty() && !exchange.agent.starts_with(NOT_CAUGHT) {
            self.pending = self.asked_by(&exchange.agent);
            self.named |= target::asks_identity(&exchange.agent);
            self.chance_given |= exchange.agent.contains(CHANCE) || exchange.agent.contains(GO_AHEAD);
            if self.pending == Pending::Offer {
                self.offer = offer::offered(&exchange.agent);
            }
        }
        self.steps += 1;
        let words = Words::of(&exchange.text);
        let intent = if exchange.not_caught { Intent::Repeat } else { self.intent(&words) };
        let effect = match (intent, self.pending) {
            (Intent::Answer, Pending::Slot(index)) => self.absorb(index, &words, exchange),
            (Intent::Answer, Pending::Offer) => Effect::Offer(self.heard_to_offer(&words, exchange)),
            _ => Effect::Nothing,
        };
        if intent == Intent::Answer {
            self.introduced(&words, exchange);
            self.by_the_way(&words, exchange);
        }
        self.stopped |= intent == Intent::Stop;
        let fruitful = matches!(effect, Effect::Filled(_) | Effect::Declined(_))
            || matches!(effect, Effect::Offer(offered) if offered != Offered::Unclear);
        self.fruitless = if fruitful { 0 } else { self.fruitless + 1 };
        self.last = Some(Step {
            pending: self.pending,
            intent,
            effect,
            asks: repeat::is_question(&words),
            leaves: stop::takes_leave(&words),
        });
    }

    /// What these words of the agent ask for.
    pub(crate) fn asked_by(&self, agent: &str) -> Pending {
        target::of(self.slots, agent, |index| self.learned[index].is_none() && !self.declined[index])
    }

    fn intent(&self, words: &Words<'_>) -> Intent {
        let no = || yes_no::meaning(words, "") == Some(false);
        if stop::asks_to_stop(words) {
            Intent::Stop
        } else if stop::wrong_person(words, self.named) || (self.pending == Pending::Identity && no()) {
            Intent::WrongPerson
        } else if repeat::asks_again(words) {
            Intent::Repeat
        } else if repeat::asks_who(words) {
            Intent::Who
        } else if repeat::asks_why(words) {
            Intent::Why
        } else if repeat::asks_machine(words) {
            Intent::Machine
        } else if repeat::asks_person(words) {
            Intent::Person
        } else if stop::busy(words) || (self.pending == Pending::Permission && no()) {
            Intent::Busy
        } else {
            Intent::Answer
        }
    }

    fn absorb(&mut self, index: usize, words: &Words<'_>, exchange: &Exchange) -> Effect {
        let slot = &self.slots[index];
        let asked = sentences(&exchange.agent).into_iter().rfind(|sentence| sentence.ends_with('?'));
        let question = asked.unwrap_or(&slot.question);
        let mut answer = fill::answer(&slot.kind, words, question);
        if answer == Answer::Unclear && slot.kind == Kind::YesNo && proposes_time(words) {
            answer = Answer::Value(Value::Bool(false));
        }
        // "When should it be?" "Seven."
        if answer == Answer::Unclear && slot.kind == Kind::When && self.of_a_bot() && wish::is_hour(words) {
            answer = Answer::Value(Value::from(words.text(0..words.len())));
        }
        match answer {
            Answer::Value(value) => {
                self.other_time(&value, words, exchange);
                self.remark(index, words, exchange);
                self.learn(index, value, exchange);
                Effect::Filled(index)
            }
            Answer::Declined => {
                self.declined[index] = true;
                Effect::Declined(index)
            }
            // Whoever rings a bot may ask as much as they like before they answer.
            Answer::Unclear if self.of_a_bot() && repeat::is_question(words) => Effect::Unclear(index),
            Answer::Unclear => {
                self.unclear[index] = self.unclear[index].saturating_add(1);
                Effect::Unclear(index)
            }
        }
    }

    /// What is said to an offer. A time that was not offered is the wish that the form may ask for.
    fn heard_to_offer(&mut self, words: &Words<'_>, exchange: &Exchange) -> Offered {
        let wish = self.slots.iter().position(Slot::takes_other_time);
        if let Some(chosen) = offer::chosen(words, &self.offer) {
            if let Some(wish) = wish {
                self.declined[wish] = true;
            }
            return Offered::Chose(chosen);
        }
        if let Some(range) = date::when(words) {
            if let Some(wish) = wish {
                self.learn(wish, Value::from(words.text(range)), exchange);
            }
            return Offered::Other;
        }
        if phrase::nothing(words)
            || words.has_any(&["none of", "neither"])
            || yes_no::meaning(words, "") == Some(false)
        {
            return Offered::Refused;
        }
        self.unclear_offers = self.unclear_offers.saturating_add(1);
        Offered::Unclear
    }

    /// Whether times may be offered once more after an unclear answer.
    pub(crate) const fn may_offer_again(&self) -> bool {
        self.unclear_offers < 2
    }

    fn learn(&mut self, index: usize, value: Value, exchange: &Exchange) {
        let quote = quote_for(&value, &exchange.text);
        self.learned[index] = Some(Learned { value, turn: exchange.turn, quote });
    }

    /// "No, Friday would be better" answers the next question as well.
    fn other_time(&mut self, value: &Value, words: &Words<'_>, exchange: &Exchange) {
        let moves = *value == Value::Bool(false) || value.as_str().is_some_and(|v| v.contains("reschedul"));
        let open = |(index, slot): &(usize, &Slot)| slot.takes_other_time() && self.learned[*index].is_none();
        let Some((index, _)) = self.slots.iter().enumerate().find(open).filter(|_| moves) else { return };
        if let Some(range) = date::when(words) {
            self.learn(index, Value::from(words.text(range)), exchange);
        }
    }

    /// What is said behind a "but" next to a clear answer is feedback, where the form has a place for it.
    fn remark(&mut self, answered: usize, words: &Words<'_>, exchange: &Exchange) {
        let open = |(index, slot): &(usize, &Slot)| {
            *index != answered
                && slot.name().eq_ignore_ascii_case("feedback")
                && self.learned[*index].is_none()
        };
        let Some((index, _)) = self.slots.iter().enumerate().find(open) else { return };
        let Some(but) = words.find("but").filter(|at| words.len() > at + 3) else { return };
        let rest = words.text(but + 1..words.len());
        let own_words = Words::of(rest);
        if date::when(&own_words).is_none() && !repeat::is_question(&own_words) {
            self.learn(index, Value::from(rest), exchange);
        }
    }

    /// A name given by the way.
    fn introduced(&mut self, words: &Words<'_>, exchange: &Exchange) {
        let open = |(index, slot): &(usize, &Slot)| slot.kind == Kind::Name && self.learned[*index].is_none();
        let Some((index, _)) = self.slots.iter().enumerate().find(open) else { return };
        if words.has("my name is")
            && let Some(range) = name::introduced(words)
        {
            self.learn(index, Value::from(words.text(range)), exchange);
        }
    }

    fn of_a_bot(&self) -> bool {
        self.slots.iter().any(|slot| slot.kind == Kind::Wish)
    }

    /// What a caller says of a bot's form before they are asked: "a table for four on Friday".
    fn by_the_way(&mut self, words: &Words<'_>, exchange: &Exchange) {
        let only_asks = repeat::is_question(words) && wish::wish(words).is_none();
        if !self.of_a_bot() || self.pending == Pending::Chance || only_asks {
            return;
        }
        for index in 0..self.slots.len() {
            let found = match self.slots[index].kind {
                Kind::Count => wish::count(words).map(Value::from),
                Kind::When => wish::time_said(words).map(Value::from),
                _ => None,
            };
            if let Some(value) = found.filter(|_| self.learned[index].is_none()) {
                self.learn(index, value, exchange);
            }
        }
    }

    /// The next slot to ask for.
    pub(crate) fn next(&self) -> Option<usize> {
        (0..self.slots.len()).find(|&index| {
            self.learned[index].is_none()
                && !self.declined[index]
                && self.unclear[index] < 2
                && self.wanted(index)
        })
    }

    /// Whether everything is known that was not declined.
    pub(crate) fn knows_all(&self) -> bool {
        (0..self.slots.len())
            .all(|index| self.learned[index].is_some() || self.declined[index] || !self.wanted(index))
    }

    /// Whether a slot may be asked again after an unclear answer.
    pub(crate) fn may_ask_again(&self, index: usize) -> bool {
        self.unclear[index] < 2
    }

    /// Whether the condition of a slot holds, judged by the answers before it.
    fn wanted(&self, index: usize) -> bool {
        let Some(condition) = &self.slots[index].condition else { return true };
        let deciders = || {
            (0..self.slots.len()).filter(move |&other| {
                other != index && matches!(self.slots[other].kind, Kind::YesNo | Kind::Choice(_))
            })
        };
        let common = |other: usize| condition.about.intersection(&self.slots[other].about).count();
        if let Some(best) = deciders().filter(|&other| common(other) > 0).max_by_key(|&other| common(other)) {
            return match self.learned[best].as_ref().map(|learned| &learned.value) {
                Some(Value::Bool(yes)) => *yes != condition.negated,
                Some(option) => {
                    let said = super::words::stems(&choice::label(option));
                    said.is_disjoint(&condition.about) == condition.negated
                }
                None => false,
            };
        }
        let mut answers = deciders().filter_map(|other| self.learned[other].as_ref()).peekable();
        let none_before = deciders().next().is_none();
        none_before
            || answers.any(|learned| match &learned.value {
                Value::Bool(yes) => !yes,
                Value::String(option) => option.contains("reschedul") || option.contains("declin"),
                _ => false,
            })
    }
}

fn proposes_time(words: &Words<'_>) -> bool {
    let proposal =
        ["better", "prefer", "rather", "how about", "what about", "can we", "could we", "can i come"];
    words.has_any(&proposal) && date::when(words).is_some()
}

fn quote_for(value: &Value, text: &str) -> String {
    let whole = text.trim();
    if whole.len() <= QUOTE_BYTES {
        return whole.to_owned();
    }
    if let Some(part) = value.as_str().filter(|part| part.len() <= QUOTE_BYTES && whole.contains(*part)) {
        return part.to_owned();
    }
    let end = (0..=QUOTE_BYTES).rev().find(|&at| whole.is_char_boundary(at)).unwrap_or(0);
    whole[..end].trim_end().to_owned()
}

/// Whether an answer to "anything to ask?" is a yes and nothing more.
pub(crate) fn only_yes(words: &Words<'_>) -> bool {
    words.len() <= 5 && !phrase::nothing(words) && yes_no::meaning(words, CHANCE) == Some(true)
}
