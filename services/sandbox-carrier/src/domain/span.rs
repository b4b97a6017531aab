//! Lengths of time as people write them in scenario files: `2s`, `800ms`, `1.5s`, `1m`, or a plain
//! number of seconds.

use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// A length of time read from a scenario file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// Reads `2s`, `800ms`, `1.5 s`, `1m`, `3`; nothing for anything else.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let number: f64 = number.parse().ok()?;
    let seconds = match unit.trim() {
        "ms" => number / 1000.0,
        "" | "s" => number,
        "m" | "min" => number * 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Seconds(f64),
            Text(String),
        }
        let written = match Written::deserialize(deserializer)? {
            Written::Seconds(seconds) => seconds.to_string(),
            Written::Text(text) => text,
        };
        parse(&written).map(Span).ok_or_else(|| {
            de::Error::custom(format!(
                "`{written}` is no length of time: write `2s`, `800ms`, `1.5s`, `1m` or a number of seconds"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_ways_to_write_a_length_are_read() {
        for (text, millis) in [("2s", 2000), ("800ms", 800), ("1.5s", 1500), ("1 m", 60_000), ("3", 3000)] {
            assert_eq!(parse(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_length_is_refused() {
        for text in ["", "soon", "2 hours", "-1s", "1.2.3s"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
