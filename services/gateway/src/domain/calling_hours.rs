//! A daily window in which customers may be rung: `{"from": "09:00", "to": "20:00", "days": ["mon", "tue"]}`.

use contracts::accounts;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::problem::Problem;

/// Days, the first is Monday.
pub(crate) const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Minutes of a day.
const DAY: u32 = 24 * 60;

/// A window. One that ends before it begins goes on past midnight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub(crate) struct CallingHours {
    /// First minute, 0–1439.
    from: u32,
    /// First minute behind it, 1–1440.
    to: u32,
    /// Days on which it begins, 1 is Monday; never none.
    days: Vec<u32>,
}

impl CallingHours {
    /// Accepts the window; without `days` it is every day's.
    pub(crate) fn parse(value: &Value) -> Result<Self, Vec<Problem>> {
        let form = "must be an object such as {\"from\": \"09:00\", \"to\": \"20:00\", \"days\": [\"mon\", \"tue\"]}";
        let object = value.as_object().ok_or_else(|| vec![Problem::new("", form)])?;
        let (from, to, days) = (minute(object, "from"), minute(object, "to"), days(object));
        match (from, to, days) {
            (Ok(from), Ok(to), Ok(days)) => {
                let to = if to == 0 { DAY } else { to };
                match from % DAY == to % DAY && to != DAY {
                    true => Err(vec![Problem::new("/to", "must not be the same time as from")]),
                    false => Ok(Self { from: from % DAY, to, days }),
                }
            }
            (from, to, days) => Err([from.err(), to.err(), days.err()].into_iter().flatten().collect()),
        }
    }
}

fn minute(object: &Map<String, Value>, name: &str) -> Result<u32, Problem> {
    let text = object.get(name).and_then(Value::as_str).and_then(clock);
    text.ok_or_else(|| {
        Problem::new(format!("/{name}"), "must be a time of day from 00:00 to 24:00 such as 09:00")
    })
}

/// `HH:MM` as minutes since midnight.
fn clock(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !two_digits(hours) || !two_digits(minutes) {
        return None;
    }
    let (hours, minutes): (u32, u32) = (hours.parse().ok()?, minutes.parse().ok()?);
    let at = hours * 60 + minutes;
    (minutes < 60 && at <= DAY).then_some(at)
}

fn days(object: &Map<String, Value>) -> Result<Vec<u32>, Problem> {
    let wrong = || Problem::new("/days", format!("must be an array of at least one of {}", DAYS.join(", ")));
    let given = match object.get("days") {
        None | Some(Value::Null) => return Ok((1..=7).collect()),
        Some(value) => value.as_array().filter(|days| !days.is_empty()).ok_or_else(wrong)?,
    };
    let number = |day: &Value| {
        let at = DAYS.iter().position(|name| day.as_str() == Some(name))?;
        u32::try_from(at + 1).ok()
    };
    let mut days = given.iter().map(number).collect::<Option<Vec<u32>>>().ok_or_else(wrong)?;
    days.sort_unstable();
    days.dedup();
    Ok(days)
}

fn shown(minute: u32) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

impl TryFrom<Value> for CallingHours {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        Self::parse(&value).map_err(|problems| format!("calling hours: {problems:?}"))
    }
}

impl From<CallingHours> for Value {
    fn from(hours: CallingHours) -> Self {
        let day = |number: &u32| DAYS.iter().zip(1..).find(|(_, n)| n == number).map(|(name, _)| *name);
        let days: Vec<&str> = hours.days.iter().filter_map(day).collect();
        json!({"from": shown(hours.from), "to": shown(hours.to), "days": days})
    }
}

impl From<&CallingHours> for accounts::CallingHours {
    fn from(hours: &CallingHours) -> Self {
        Self { from_minute: hours.from, to_minute: hours.to, weekdays: hours.days.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &Value) -> Result<Value, Vec<String>> {
        CallingHours::parse(value)
            .map(Value::from)
            .map_err(|problems| problems.into_iter().map(|problem| problem.field).collect())
    }

    #[test]
    fn a_window_reads_back_as_it_was_given_with_its_days_in_order() {
        let given = json!({"from": "09:00", "to": "20:00", "days": ["sun", "mon", "sun"]});
        assert_eq!(read(&given), Ok(json!({"from": "09:00", "to": "20:00", "days": ["mon", "sun"]})));
        let all = read(&json!({"from": "22:30", "to": "06:00", "days": null})).unwrap();
        assert_eq!(all["days"], json!(DAYS));
        let day = json!({"from": "00:00", "to": "24:00", "days": ["tue"]});
        assert_eq!(read(&day), Ok(day.clone()));
        assert_eq!(read(&json!({"from": "18:00", "to": "00:00"})).unwrap()["to"], "24:00");
    }

    #[test]
    fn what_is_no_window_is_refused_where_it_is_wrong() {
        for (bad, fields) in [
            (json!([]), vec![""]),
            (json!({}), vec!["/from", "/to"]),
            (json!({"from": "9:00", "to": "20:00"}), vec!["/from"]),
            (json!({"from": "09:60", "to": "24:01"}), vec!["/from", "/to"]),
            (json!({"from": "09:00", "to": "20:00", "days": []}), vec!["/days"]),
            (json!({"from": "09:00", "to": "20:00", "days": ["monday"]}), vec!["/days"]),
            (json!({"from": "09:00", "to": "09:00"}), vec!["/to"]),
        ] {
            assert_eq!(read(&bad).unwrap_err(), fields, "{bad}");
        }
    }
}
