//! The countries that the operator lets be rung, and the country that a number belongs to.

use std::collections::HashSet;
use std::str::FromStr;

use phonenumber::country::Id;
use phonenumber::metadata::DATABASE;

/// A country by its ISO 3166 code of two letters, in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Country(Id);

impl FromStr for Country {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.to_ascii_uppercase().parse().map(Self).map_err(|_| "is no ISO country code, such as US")
    }
}

/// Countries that may be rung; `None`: all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Countries(Option<HashSet<Id>>);

impl Countries {
    /// All that there are.
    pub const ALL: Self = Self(None);

    /// These; none named means all.
    #[must_use]
    pub fn new(named: Vec<Country>) -> Self {
        Self((!named.is_empty()).then(|| named.into_iter().map(|country| country.0).collect()))
    }

    /// Those with these codes; none named means all. A code that is not known names no country.
    #[must_use]
    pub fn of_codes(codes: &[String]) -> Self {
        let known = |code: &String| code.parse().ok().map(|country: Country| country.0);
        Self((!codes.is_empty()).then(|| codes.iter().filter_map(known).collect()))
    }

    /// Whether a number in E.164 form may be rung. Where countries share a code and the digits do not tell which of them it
    /// is, all of them have to be allowed; numbers of no country, such as satellite phones, are not.
    #[must_use]
    pub fn allow(&self, phone: &str) -> bool {
        let Some(countries) = &self.0 else { return true };
        let Ok(number) = phonenumber::parse(None, phone) else { return false };
        if let Some(country) = number.country().id() {
            return countries.contains(&country);
        }
        let sharing = DATABASE.region(&number.code().value()).unwrap_or_default();
        let allowed = |region: &&str| region.parse::<Id>().is_ok_and(|id| countries.contains(&id));
        !sharing.is_empty() && sharing.iter().all(allowed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(codes: &[&str]) -> Countries {
        Countries::new(codes.iter().map(|code| code.parse().unwrap()).collect())
    }

    #[test]
    fn nothing_named_allows_everything() {
        assert!(of(&[]).allow("+14155552671"));
        assert!(of(&[]).allow("+8816123456"));
    }

    #[test]
    fn a_number_is_allowed_in_its_own_country_only() {
        let (us, de) = ("+14155552671", "+4930901820");
        assert!(of(&["US"]).allow(us) && !of(&["US"]).allow(de));
        assert!(of(&["de", "US"]).allow(us) && of(&["de", "US"]).allow(de));
    }

    #[test]
    fn countries_that_share_a_code_are_told_apart() {
        let (canada, jamaica) = ("+16135550123", "+18765550123");
        assert!(!of(&["US"]).allow(canada) && of(&["CA"]).allow(canada));
        assert!(!of(&["US"]).allow(jamaica) && of(&["JM"]).allow(jamaica));
    }

    #[test]
    fn what_the_countries_of_plus_one_share_counts_as_the_united_states() {
        // Toll-free, premium and personal numbers.
        for phone in ["+18005550123", "+18885550123", "+19005550123", "+15005550123"] {
            assert!(of(&["US"]).allow(phone) && !of(&["CA"]).allow(phone), "{phone}");
        }
    }

    #[test]
    fn what_belongs_to_nobody_known_is_not_rung_where_countries_are_named() {
        // An area code that no country has, and a satellite phone.
        for phone in ["+19995550123", "+8816123456"] {
            assert!(!of(&["US", "CA"]).allow(phone), "{phone}");
        }
    }

    #[test]
    fn only_codes_of_countries_are_taken() {
        for wrong in ["XX", "USA", "U", "1", "001", "Germany"] {
            assert!(wrong.parse::<Country>().is_err(), "{wrong}");
        }
    }
}
