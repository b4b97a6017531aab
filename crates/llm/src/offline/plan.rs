//! Decides what to say next. A pure function of the request: the state of the conversation is read back
//! from its words every time.

use super::caller::Caller;
use super::lines::{
    ANYTHING_ELSE, BAD_MOMENT, CALLER_LEAVES, CANNOT_HEAR, CHANCE, GO_AHEAD, GOODBYE, NEVER_MIND, NOT_CAUGHT,
    NOT_KNOWN, NOT_UNDERSTOOD, OF_COURSE, ONE_MOMENT, OPTED_OUT, PASS_ON, SAY_AGAIN, SILENT_END, STILL_THERE,
    THANKS, UNDERSTOOD, WRONG_PERSON,
};
use super::reading::{self, Effect, Exchange, Intent, Offered, Pending, Reading, Step};
use super::schema::{self, Slot};
use super::understand::{phrase, repeat, stop};
use super::words::{Words, as_sentence, sentences};
use super::{acting, bot, closing, knowledge, opening};
use crate::{ChatEvent, ChatRequest, ConversationPlan, EndReason, Heard, Utterance};
use serde_json::Value;

/// Below this confidence an answer is asked for again.
const UNCLEAR: f32 = 0.4;
/// Turns without any progress after which the call ends politely.
const PATIENCE: usize = 6;
const MOST_TURNS: usize = 60;

/// What is said, and what is done after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) text: String,
    pub(crate) then: Option<ChatEvent>,
}

impl Reply {
    pub(super) fn say(text: impl Into<String>) -> Self {
        Self { text: text.into(), then: None }
    }

    pub(super) fn end(text: impl Into<String>, reason: EndReason) -> Self {
        Self { text: text.into(), then: Some(ChatEvent::EndCall { reason }) }
    }
}

/// The reply to one turn.
pub(crate) fn reply(req: &ChatRequest) -> Reply {
    if let ConversationPlan::Question { passages } = &req.plan {
        let question = if let Heard::Speech { text, .. } = &req.heard { text } else { "" };
        return Reply::say(knowledge::answer(passages, question));
    }
    let slots = slots_of(req);
    let caller = Caller::of(&req.plan, &req.system);
    let talk = Talk { req, slots: &slots, caller };
    match &req.heard {
        Heard::CallAnswered => talk.open(),
        Heard::Silence { times } => talk.silence(*times),
        Heard::Digits(digits) => talk.answer(digits, None),
        Heard::Speech { text, .. } if Words::of(text).is_empty() => talk.silence(1),
        Heard::Speech { text, confidence } => talk.answer(text, *confidence),
    }
}

fn slots_of(req: &ChatRequest) -> Vec<Slot> {
    match &req.plan {
        ConversationPlan::Agent => {
            req.schema.as_ref().map_or_else(|| acting::slots(&req.abilities), schema::slots)
        }
        ConversationPlan::Bot { .. } => bot::slots(),
        ConversationPlan::Message { collect_feedback: false, .. } | ConversationPlan::Question { .. } => {
            Vec::new()
        }
        ConversationPlan::Message { .. } => schema::slots(req.schema.as_ref().unwrap_or(&feedback_schema())),
    }
}

/// What a plain message with feedback collects, if the request does not say it.
pub(crate) fn feedback_schema() -> serde_json::Value {
    serde_json::json!({
        "type": "object",
        "required": ["outcome"],
        "properties": {
            "outcome": {"type": "string", "enum": ["confirmed", "cancelled", "reschedule_requested", "no_clear_answer"]},
            "reschedule_request": {"type": ["string", "null"]},
            "feedback": {"type": ["string", "null"]},
        },
    })
}

pub(super) struct Talk<'r> {
    pub(super) req: &'r ChatRequest,
    slots: &'r [Slot],
    caller: Caller,
}

impl Talk<'_> {
    fn read(&self, heard: Option<&str>) -> (Vec<Exchange>, String) {
        let past = self.req.past().iter().map(|Utterance { speaker, text }| (0, *speaker, text.as_str()));
        let now = heard.map(|text| (0, crate::Speaker::Customer, text));
        reading::exchanges(past.chain(now))
    }

    fn open(&self) -> Reply {
        let own = self.req.opening.as_deref().map(str::trim).filter(|text| !text.is_empty());
        let line = match (&self.req.plan, own) {
            (ConversationPlan::Message { message, .. }, own) => {
                let hello = own.map_or_else(|| opening::greeting(&self.caller), str::to_owned);
                format!("{} {}", as_sentence(&hello), as_sentence(message))
            }
            (_, Some(own)) => own.to_owned(),
            (ConversationPlan::Bot { .. }, None) => self.caller.introduction(),
            (ConversationPlan::Agent | ConversationPlan::Question { .. }, None) => {
                opening::quoted(&self.req.system).unwrap_or_else(|| opening::greeting(&self.caller))
            }
        };
        if line.trim_end().ends_with('?') {
            return Reply::say(line);
        }
        match (self.slots.first(), &self.req.plan) {
            (Some(slot), _) => Reply::say(format!("{} {}", as_sentence(&line), slot.question)),
            (None, ConversationPlan::Message { .. }) => {
                Reply::say(format!("{} {CHANCE}", as_sentence(&line)))
            }
            (None, _) => Reply::say(line),
        }
    }

    fn silence(&self, times: u8) -> Reply {
        let (exchanges, after) = self.read(None);
        let spoken =
            if after.is_empty() { exchanges.last().map_or("", |e| e.agent.as_str()) } else { &after };
        if spoken.is_empty() {
            return if times >= 3 { Reply::end(SILENT_END, EndReason::Goodbye) } else { self.open() };
        }
        if spoken.contains(ANYTHING_ELSE) {
            return Reply::end(CALLER_LEAVES, EndReason::Goodbye);
        }
        let again = self.last_question(spoken);
        match times {
            0 | 1 => Reply::say(format!("{STILL_THERE} {again}")),
            2 => Reply::say(format!("{CANNOT_HEAR} {again}")),
            _ => Reply::end(SILENT_END, EndReason::Goodbye),
        }
    }

    /// The open question in the agent's words, else its last sentence.
    fn last_question(&self, spoken: &str) -> String {
        let all = sentences(spoken);
        let question = all.iter().rfind(|sentence| sentence.ends_with('?') && **sentence != STILL_THERE);
        question.or(all.last()).map(|sentence| (*sentence).to_owned()).unwrap_or_default()
    }

    fn answer(&self, text: &str, confidence: Option<f32>) -> Reply {
        let (exchanges, _) = self.read(Some(text));
        let words = Words::of(text);
        let caught = exchanges.iter().rev().skip(1).take_while(|exchange| exchange.not_caught).count();
        let unclear = confidence.is_some_and(|confidence| confidence < UNCLEAR);
        // Better to hear "stop" once too often; and twice "say it again" is enough.
        if unclear && caught < 2 && !stop::asks_to_stop(&words) {
            return Reply::say(format!("{NOT_CAUGHT} {SAY_AGAIN}"));
        }
        let reading = Reading::of(self.slots, &exchanges);
        let Some(step) = reading.last.clone() else { return self.open() };
        let spoken = exchanges.last().map_or("", |exchange| exchange.agent.as_str());
        match step.intent {
            Intent::Stop => return Reply::end(OPTED_OUT, EndReason::OptOut),
            Intent::WrongPerson | Intent::Busy if self.answers() => {
                return Reply::end(CALLER_LEAVES, EndReason::Goodbye);
            }
            Intent::WrongPerson => return Reply::end(WRONG_PERSON, EndReason::Goodbye),
            Intent::Busy => return Reply::end(BAD_MOMENT, EndReason::Goodbye),
            _ => {}
        }
        let most = MOST_TURNS.min(20 + 2 * self.slots.len());
        if reading.fruitless >= PATIENCE || reading.steps >= most {
            return Reply::end(format!("{THANKS} {PASS_ON} {GOODBYE}"), EndReason::Goodbye);
        }
        match step.intent {
            Intent::Repeat => Reply::say(format!("{OF_COURSE} {}", repeatable(spoken))),
            Intent::Who => self.then_ask(&self.caller.introduction(), &reading, spoken),
            Intent::Why => self.then_ask(&self.why(), &reading, spoken),
            Intent::Machine => {
                self.then_ask("Yes, I am an automated assistant, not a person.", &reading, spoken)
            }
            Intent::Person => self.person(&reading, spoken),
            _ if self.answers() => bot::proceed(self, &reading, &step, &words),
            _ => match acting::wanted(&self.req.abilities, &reading, &step, &words) {
                Some(call) => Reply { text: String::new(), then: Some(ChatEvent::CallTool(call)) },
                None => self.proceed(&reading, &step, &words, spoken),
            },
        }
    }

    /// Whether it is rung, and does not ring.
    const fn answers(&self) -> bool {
        matches!(self.req.plan, ConversationPlan::Bot { .. })
    }

    /// The question after which there is nothing more to ask.
    const fn chance(&self) -> &'static str {
        if self.answers() { ANYTHING_ELSE } else { CHANCE }
    }

    fn why(&self) -> String {
        if let ConversationPlan::Bot { goal, .. } = &self.req.plan {
            return bot::purpose(goal);
        }
        if let ConversationPlan::Message { message, .. } = &self.req.plan {
            return as_sentence(message);
        }
        let introduction = self.caller.introduction();
        self.caller.reason().map_or(introduction.clone(), |reason| format!("{introduction} {reason}"))
    }

    fn person(&self, reading: &Reading<'_>, spoken: &str) -> Reply {
        if self.req.abilities.transfer {
            return Reply { text: ONE_MOMENT.to_owned(), then: Some(ChatEvent::Transfer) };
        }
        self.then_ask(
            "I cannot connect you from here, but I will pass on that you would like to speak to a person.",
            reading,
            spoken,
        )
    }

    /// Says something by the way and comes back to the open question.
    fn then_ask(&self, text: &str, reading: &Reading<'_>, spoken: &str) -> Reply {
        let back = match reading.last.as_ref().map_or(Pending::Nothing, |step| step.pending) {
            Pending::Nothing => reading.next().map(|index| self.slots[index].question.clone()),
            Pending::Slot(index) => Some(self.again(index, spoken)),
            Pending::Identity | Pending::Permission => Some(self.last_question(spoken)),
            Pending::Chance => Some(self.chance().to_owned()),
            Pending::Offer => acting::offering(&self.req.abilities),
        };
        match back {
            Some(question) => Reply::say(format!("{text} {question}")),
            None => Reply::say(format!("{text} {}", self.chance())),
        }
    }

    /// The question for a slot as it was asked: an opening line asks in its own words.
    fn again(&self, index: usize, spoken: &str) -> String {
        let question = &self.slots[index].question;
        let own_words =
            !spoken.contains(question.as_str()) && !spoken.starts_with(NOT_CAUGHT) && spoken.contains('?');
        if own_words { self.last_question(spoken) } else { question.clone() }
    }

    /// Goes on after an answer.
    fn proceed(&self, reading: &Reading<'_>, step: &Step, words: &Words<'_>, spoken: &str) -> Reply {
        let abilities = &self.req.abilities;
        if let Some((told, question)) = acting::told(abilities) {
            return match question {
                Some(question) => Reply::say(format!("{told} {question}")),
                None => self.go_on(reading, &told),
            };
        }
        if let Some(offer) = acting::offer(abilities, reading, step, words) {
            return Reply::say(format!("{UNDERSTOOD} {offer}"));
        }
        if step.pending == Pending::Chance {
            return self.after_chance(step, words);
        }
        let knows = step.asks.then(|| self.told(words.source));
        if step.leaves {
            return closing::farewell(reading, knows.as_deref()).into();
        }
        match step.effect {
            Effect::Unclear(index) if reading.may_ask_again(index) => {
                let lead = knows.as_deref().unwrap_or(NOT_UNDERSTOOD);
                Reply::say(format!("{lead} {}", self.again(index, spoken)))
            }
            Effect::Unclear(_) => self.go_on(reading, knows.as_deref().unwrap_or(NEVER_MIND)),
            Effect::Declined(_) => self.go_on(reading, knows.as_deref().unwrap_or(NEVER_MIND)),
            Effect::Filled(index) => {
                let value = reading.learned[index].as_ref().map(|learned| &learned.value);
                let lead = if value == Some(&Value::Bool(false)) { UNDERSTOOD } else { THANKS };
                // "Can we do Friday instead?" only puts the answer as a question; "yes, but what …" asks more.
                let more = value == Some(&Value::Bool(true)) && repeat::asks_something(words);
                let told = knows.filter(|told| more || told != PASS_ON);
                self.go_on(reading, &told.map_or(lead.to_owned(), |told| format!("{lead} {told}")))
            }
            Effect::Offer(offered) => self.after_offer(reading, offered, knows.as_deref()),
            Effect::Nothing => self.after_talk(reading, step, knows),
        }
    }

    /// After an answer to free times that settles none of them.
    fn after_offer(&self, reading: &Reading<'_>, offered: Offered, knows: Option<&str>) -> Reply {
        match (offered, acting::offering(&self.req.abilities)) {
            (Offered::Unclear, Some(offer)) if reading.may_offer_again() => {
                Reply::say(format!("{} {offer}", knows.unwrap_or(NOT_UNDERSTOOD)))
            }
            (Offered::Other, _) => self.go_on(reading, UNDERSTOOD),
            _ => self.go_on(reading, knows.unwrap_or(NEVER_MIND)),
        }
    }

    /// Asks for the next thing, or says goodbye.
    fn go_on(&self, reading: &Reading<'_>, lead: &str) -> Reply {
        match reading.next() {
            Some(index) => Reply::say(format!("{lead} {}", self.slots[index].question)),
            None => {
                let told = (![THANKS, UNDERSTOOD, NEVER_MIND].contains(&lead)).then_some(lead);
                closing::farewell(reading, told).into()
            }
        }
    }

    /// After words that answered no slot: an identity was confirmed, or nothing had been asked.
    fn after_talk(&self, reading: &Reading<'_>, step: &Step, knows: Option<String>) -> Reply {
        let lead = match (knows, step.pending) {
            (Some(told), _) => told,
            (None, Pending::Identity) => self.why(),
            (None, _) => THANKS.to_owned(),
        };
        if reading.next().is_some() {
            return self.go_on(reading, &lead);
        }
        if reading.chance_given || !self.slots.is_empty() {
            return closing::farewell(reading, Some(&lead)).into();
        }
        Reply::say(format!("{lead} {CHANCE}"))
    }

    fn after_chance(&self, step: &Step, words: &Words<'_>) -> Reply {
        if !step.leaves && !step.asks && reading::only_yes(words) {
            return Reply::say(GO_AHEAD);
        }
        let silent = phrase::nothing(words) || (step.leaves && !step.asks && words.len() <= 4);
        let lead = if silent { THANKS.to_owned() } else { self.told(words.source) };
        Reply::end(format!("{lead} {GOODBYE}"), EndReason::Goodbye)
    }

    /// What is known about a question, quoted, the conversation's own facts before those of documents; else the promise to pass
    /// it on, with a call back where somebody is told of it.
    pub(super) fn told(&self, question: &str) -> String {
        let known = self.req.abilities.known.as_ref();
        let own = knowledge::known(&self.req.plan, &self.req.system);
        let documented = knowledge::documented(known);
        match knowledge::quote(&own, question).or_else(|| knowledge::quote(&documented, question)) {
            Some(sentence) => format!("What I know is this: {}", as_sentence(sentence)),
            None if known.is_some_and(|known| known.unanswered) => NOT_KNOWN.to_owned(),
            None => PASS_ON.to_owned(),
        }
    }
}

impl From<String> for Reply {
    fn from(farewell: String) -> Self {
        Self::end(farewell, EndReason::Goodbye)
    }
}

/// The agent's words without what was only said in front of a repetition.
fn repeatable(spoken: &str) -> String {
    let fronts = [OF_COURSE, STILL_THERE, CANNOT_HEAR, NOT_UNDERSTOOD];
    let mut rest = spoken.trim();
    while let Some(stripped) = fronts.iter().find_map(|front| rest.strip_prefix(front)) {
        rest = stripped.trim_start();
    }
    if rest.is_empty() { SAY_AGAIN.to_owned() } else { rest.to_owned() }
}
