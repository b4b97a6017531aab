//! The last words of a call: what was noted is said once more, then goodbye.

use serde_json::Value;

use super::lines::{GOODBYE, PASS_ON, THANKS, UNDERSTOOD};
use super::reading::{Learned, Reading};
use super::words::stems;

/// The farewell after all that was learned; `told` is said before it.
pub(crate) fn farewell(reading: &Reading<'_>, told: Option<&str>) -> String {
    let lead = told.map(|told| format!("{told} ")).unwrap_or_default();
    format!("{lead}{} {GOODBYE}", noted(reading))
}

fn noted(reading: &Reading<'_>) -> String {
    let answers =
        || reading.slots.iter().zip(&reading.learned).filter_map(|(slot, l)| Some((slot, l.as_ref()?)));
    let time = answers().find(|(slot, _)| slot.takes_other_time());
    if let Some((_, Learned { value: Value::String(time), .. })) = time {
        return format!("{THANKS} I have noted: {time}. {PASS_ON}");
    }
    let option = answers().find_map(|(slot, l)| l.value.as_str().filter(|_| slot.name() == "outcome"));
    match option {
        Some("confirmed") => return "Thank you for confirming.".to_owned(),
        Some("cancelled") => return format!("{UNDERSTOOD} It will be cancelled. {PASS_ON}"),
        Some("reschedule_requested") => return format!("{UNDERSTOOD} {PASS_ON}"),
        _ => {}
    }
    let confirms = |yes: bool| {
        answers().any(|(slot, l)| {
            l.value == Value::Bool(yes) && slot.about.iter().any(|stem| stems("confirmed").contains(stem))
        })
    };
    if confirms(true) {
        "Great, thank you for confirming.".to_owned()
    } else if confirms(false) {
        format!("{UNDERSTOOD} {PASS_ON}")
    } else {
        "Thank you for your time.".to_owned()
    }
}
