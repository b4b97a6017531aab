//! The day and the hour where the customer is, in the words in which they are spoken.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;

/// The zone in which a customer lives: their own, else the project's, else UTC. A name that no zone has counts as none.
#[must_use]
pub fn zone(customer: &str, project: &str) -> Tz {
    let known = |name: &str| name.trim().parse::<Tz>().ok();
    known(customer).or_else(|| known(project)).unwrap_or(Tz::UTC)
}

/// `Thursday, March 20, 2026`.
#[must_use]
pub fn date(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%A, %B %-d, %Y").to_string()
}

/// `2:00 PM`.
#[must_use]
pub fn time(at: DateTime<Utc>, zone: Tz) -> String {
    at.with_timezone(&zone).format("%-I:%M %p").to_string()
}

/// `Friday, March 20 at 2 PM`, as it is offered on the phone.
#[must_use]
pub fn offered(at: DateTime<Utc>, zone: Tz) -> String {
    let local = at.with_timezone(&zone);
    let whole = local.format("%M").to_string() == "00";
    local.format(if whole { "%A, %B %-d at %-I %p" } else { "%A, %B %-d at %-I:%M %p" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn the_customers_zone_counts_before_the_projects_and_utc_is_the_last_resort() {
        for (customer, project, expected) in [
            ("Asia/Tokyo", "Europe/Berlin", "Friday, March 20, 2026 8:30 AM"),
            ("", "Europe/Berlin", "Friday, March 20, 2026 12:30 AM"),
            ("Nowhere/Town", "Europe/Berlin", "Friday, March 20, 2026 12:30 AM"),
            ("", "", "Thursday, March 19, 2026 11:30 PM"),
        ] {
            let (zone, now) = (zone(customer, project), at("2026-03-19T23:30:00Z"));
            assert_eq!(format!("{} {}", date(now, zone), time(now, zone)), expected, "{customer} {project}");
        }
    }

    #[test]
    fn a_time_is_offered_in_plain_words_also_behind_a_change_of_clocks() {
        let berlin = zone("Europe/Berlin", "");
        assert_eq!(offered(at("2026-03-27T09:00:00Z"), berlin), "Friday, March 27 at 10 AM");
        assert_eq!(offered(at("2026-03-30T08:30:00Z"), berlin), "Monday, March 30 at 10:30 AM");
    }
}
