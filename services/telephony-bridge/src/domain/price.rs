//! What a call costs: when the carrier is asked for it, and how its answer reads.

use chrono::{DateTime, TimeDelta, Utc};
use twilio::rest::Call;

/// The pauses between two questions, in minutes; the first is the one behind the end of the call. A price is mostly there in a
/// minute or two; one that takes longer takes hours.
const PAUSES: [i64; 7] = [1, 2, 5, 15, 60, 180, 360];
/// A price that is not there by then is not waited for: an account that was replaced is kept hardly longer.
const GIVEN_UP_AFTER: TimeDelta = TimeDelta::hours(24);
/// Digits behind the point that millionths have.
const PLACES: usize = 6;

/// When the carrier is first asked about a call that ended at `ended_at`.
pub(crate) fn first_question(ended_at: DateTime<Utc>) -> DateTime<Utc> {
    ended_at + TimeDelta::minutes(PAUSES[0])
}

/// When it is asked again after `asked` questions, of which the last was at `now`; `None`: not any more.
pub(crate) fn next_question(
    ended_at: DateTime<Utc>,
    asked: u32,
    now: DateTime<Utc>,
) -> Option<DateTime<Utc>> {
    let pause = usize::try_from(asked).ok().and_then(|asked| PAUSES.get(asked)).or(PAUSES.last())?;
    let last = ended_at + GIVEN_UP_AFTER;
    (now < last).then(|| (now + TimeDelta::minutes(*pause)).min(last))
}

/// What the carrier charges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Price {
    /// Millionths of the currency.
    pub(crate) micros: i64,
    /// For example `USD`.
    pub(crate) currency: String,
}

impl Price {
    /// The price of a call, if the carrier knows it yet. It writes what it takes with a minus.
    pub(crate) fn of(call: &Call) -> Option<Self> {
        let micros = micros(call.price.as_deref()?.trim().trim_start_matches('-'))?;
        // Without a currency it is Twilio's own.
        let currency = call.price_unit.clone().unwrap_or_else(|| "USD".to_owned()).to_uppercase();
        Some(Self { micros, currency })
    }
}

impl Price {
    /// Both together; `None` when they are in different currencies.
    pub(crate) fn and(self, other: &Self) -> Option<Self> {
        let same = self.currency == other.currency;
        let micros = self.micros.checked_add(other.micros).filter(|_| same)?;
        Some(Self { micros, ..self })
    }
}

/// A decimal without a sign in millionths; what is smaller than one is rounded up.
fn micros(text: &str) -> Option<i64> {
    let (whole, parts) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if (whole.is_empty() && parts.is_empty()) || !digits(whole) || !digits(parts) {
        return None;
    }
    let kept: String = parts.chars().chain("000000".chars()).take(PLACES).collect();
    let rest = parts.get(PLACES..).unwrap_or_default().bytes().any(|b| b != b'0');
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    whole.checked_mul(1_000_000)?.checked_add(kept.parse::<i64>().ok()?)?.checked_add(i64::from(rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::minutes(minutes)
    }

    #[test]
    fn a_price_is_asked_for_less_and_less_often_and_for_no_longer_than_a_day() {
        let mut asked_at = vec![first_question(at(0))];
        for asked in 1.. {
            let last = *asked_at.last().unwrap();
            let Some(next) = next_question(at(0), asked, last) else { break };
            assert!(next > last);
            asked_at.push(next);
        }
        let minutes: Vec<i64> = asked_at.iter().map(|t| (*t - at(0)).num_minutes()).collect();
        assert_eq!(minutes, [1, 3, 8, 23, 83, 263, 623, 983, 1343, 1440]);
    }

    #[test]
    fn only_amounts_of_one_currency_can_be_added() {
        let price = |micros, currency: &str| Price { micros, currency: currency.to_owned() };
        assert_eq!(price(14_000, "USD").and(&price(28_000, "USD")), Some(price(42_000, "USD")));
        assert_eq!(price(14_000, "USD").and(&price(28_000, "EUR")), None);
        assert_eq!(price(i64::MAX, "USD").and(&price(1, "USD")), None);
    }

    #[test]
    fn amounts_are_read_as_they_are_written() {
        for (text, expected) in [
            ("0.0140", Some(14_000)),
            ("1", Some(1_000_000)),
            (".5", Some(500_000)),
            ("0.00000", Some(0)),
            ("0.0000011", Some(2)),
            ("12.3456789", Some(12_345_679)),
            ("", None),
            (".", None),
            ("1e3", None),
            ("-1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(micros(text), expected, "{text}");
        }
    }
}
