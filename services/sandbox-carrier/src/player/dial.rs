//! `<Dial>`: rings one number after the other until somebody picks up, connects the two people for a
//! while, and says how it went. The second leg is a call of its own in the books.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use twilio::CallSid;
use twilio::HttpMethod;
use twilio::call::Direction;
use twilio::twiml::{Dial, DialNoun, Number};

use super::leg::{Leg, whole_seconds};
use super::outbound::{dial_out, pick_up};
use super::verbs::{follow, resolve};
use super::{Flow, Task, until_ended};
use crate::client::Params;
use crate::domain::call::Parties;
use crate::domain::ending::Ending;
use crate::domain::fault::{DIAL_NOUN, DIAL_NUMBER, Problem};
use crate::domain::number::is_e164;
use crate::domain::person::Person;
use crate::domain::plan::{Events, Hook, LONGEST_CALL, Plan};

/// How long two people talk who were connected, unless a limit ends it earlier.
const CONVERSATION: Duration = Duration::from_secs(20);

/// How a second leg went.
struct Second {
    sid: Option<CallSid>,
    status: String,
    talked: Duration,
}

impl Second {
    fn failed() -> Second {
        Second { sid: None, status: "failed".to_owned(), talked: Duration::ZERO }
    }
}

/// A second leg that ends when it is dropped: an interruption of the first leg drops it.
struct Tied(Leg);

impl Drop for Tied {
    fn drop(&mut self) {
        self.0.settle();
        self.0.end(if self.0.is_answered() { Ending::Completed } else { Ending::Canceled });
    }
}

/// Performs the verb; without an action the document goes on behind it.
pub(super) async fn run(leg: &mut Leg, base: Option<&Hook>, dial: &Dial) -> Flow<Option<Task>> {
    let mut last = Second::failed();
    for noun in &dial.nouns {
        match noun {
            DialNoun::Number(number) => last = second_leg(leg, base, dial, number).await?,
            DialNoun::Other(kind, _) => {
                let message = format!("the sandbox cannot dial a <{}>, only a <Number>", kind.as_str());
                leg.fault(Problem::new(DIAL_NOUN, message), base);
            }
        }
        if last.status == "completed" {
            break;
        }
    }
    let Some(action) = dial.action.as_deref() else { return Ok(None) };
    let mut extra: Params = vec![
        ("DialBridged".to_owned(), (last.status == "completed").to_string()),
        ("DialCallStatus".to_owned(), last.status),
    ];
    if let Some(sid) = last.sid {
        extra.push(("DialCallSid".to_owned(), sid.to_string()));
        extra.push(("DialCallDuration".to_owned(), whole_seconds(last.talked).to_string()));
    }
    follow(leg, base, Some(action), dial.method, extra).map(Some)
}

async fn second_leg(leg: &mut Leg, base: Option<&Hook>, dial: &Dial, number: &Number) -> Flow<Second> {
    let to = number.number.trim().to_owned();
    let sid = CallSid::random();
    let (true, Ok(sid)) = (is_e164(&to), sid) else {
        leg.fault(
            Problem::new(DIAL_NUMBER, format!("`{to}` is no number in E.164, such as +14155550100")),
            base,
        );
        return Ok(Second::failed());
    };
    let caller = leg.shared.call(&leg.sid, |call| call.from.clone()).unwrap_or_default();
    let from = dial.caller_id.clone().unwrap_or(caller);
    let plan = plan_of(leg, base, dial, number);
    let limit = plan.time_limit;
    let person = Person::new(Arc::clone(leg.shared.config.people.at(&to)));
    let rings = person.takes_calls().to_a_call(plan.timeout).lasts;
    let parties = Parties { to, from, direction: Direction::OutboundDial, parent: Some(leg.sid.clone()) };
    let mut commands = leg.shared.enter_call(&sid, parties, plan.clone());
    let mut second = Tied(leg.second(sid.clone(), plan, person));
    if let Some(ending) = leg.alongside(rings, dial_out(&mut second.0, &mut commands)).await? {
        second.0.end(ending);
        return Ok(Second { sid: Some(sid), status: ending.status().to_string(), talked: Duration::ZERO });
    }
    pick_up(&mut second.0);
    let talk = CONVERSATION.min(limit).min(leg.clock.left());
    let talking = async {
        tokio::select! {
            biased;
            () = until_ended(&mut commands) => second.0.settle(),
            // Whether the talk or its limit is over makes no difference to how the leg ends.
            _ = second.0.wait(talk) => {}
        }
    };
    let outcome = leg.alongside(talk, talking).await;
    second.0.end(Ending::Completed);
    outcome?;
    let talked = second.0.clock.elapsed();
    Ok(Second { sid: Some(sid), status: "completed".to_owned(), talked })
}

fn plan_of(leg: &Leg, base: Option<&Hook>, dial: &Dial, number: &Number) -> Plan {
    let seconds =
        |wanted: Option<NonZeroU32>, usual| wanted.map_or(usual, |n| Duration::from_secs(u64::from(n.get())));
    let callback = number.status_callback.as_deref();
    let method = number.status_callback_method.unwrap_or(HttpMethod::Post);
    let status = callback.and_then(|url| match resolve(base, Some(url), Some(method)) {
        Ok(hook) => Some(hook),
        Err(problem) => {
            leg.fault(problem, base);
            None
        }
    });
    Plan {
        source: None,
        fallback: None,
        status,
        events: Events::of(number.status_callback_event.iter().map(String::as_str)),
        timeout: seconds(dial.timeout, Duration::from_secs(30)).min(leg.clock.left()),
        time_limit: seconds(dial.time_limit, LONGEST_CALL),
        detection: None,
        recording: None,
    }
}
