//! Phone numbers in E.164 form that could exist.

use phonenumber::Mode;
use phonenumber::metadata::{DATABASE, Metadata};

/// A *possible* phone number: the country code exists and the rest has a length that occurs there.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct PhoneE164(String);

impl PhoneE164 {
    /// Accepts `+`, a country code and the national number, digits only (ITU-T E.164: at most 15).
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        const FORM: &str = "must be in E.164 form: + and 7 to 15 digits, such as +14155552671";
        let digits = text.strip_prefix('+').ok_or(FORM)?;
        if !(7..=15).contains(&digits.len())
            || digits.starts_with('0')
            || !digits.bytes().all(|b| b.is_ascii_digit())
        {
            return Err(FORM.to_owned());
        }
        let parsed =
            phonenumber::parse(None, text).map_err(|e| format!("is no possible phone number: {e}"))?;
        let code = parsed.code().value();
        let national = digits.strip_prefix(&code.to_string()).ok_or(FORM)?;
        let plans = DATABASE.by_code(&code).unwrap_or_default();
        // The library takes off what it holds for a trunk prefix. Where the digits as given fit the numbering plan, they
        // are the number; where only the shortened ones do, a wrong person could be rung, so nothing is guessed.
        let rewritten = parsed.format().mode(Mode::E164).to_string();
        if rewritten != text && !plans.iter().any(|plan| plan.descriptors().general().is_match(national)) {
            return Err(format!("is no possible phone number; was {rewritten} meant?"));
        }
        if !plans.iter().any(|plan| has_length(plan, national.len())) {
            return Err(format!(
                "is no possible phone number: +{code} has none with {} digits",
                national.len()
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// The number, for storing and dialling.
    pub(crate) fn into_inner(self) -> String {
        self.0
    }
}

/// Whether a numbering plan has numbers of this length. The general description carries none; its kinds of numbers do.
fn has_length(plan: &Metadata, length: usize) -> bool {
    let d = plan.descriptors();
    let kinds = [
        d.fixed_line(),
        d.mobile(),
        d.toll_free(),
        d.premium_rate(),
        d.shared_cost(),
        d.personal_number(),
        d.voip(),
        d.pager(),
        d.uan(),
        d.voicemail(),
    ];
    kinds
        .iter()
        .flatten()
        .flat_map(|kind| kind.possible_length())
        .any(|possible| usize::from(*possible) == length)
}

impl std::fmt::Debug for PhoneE164 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        common::telemetry::Masked(&self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn possible_numbers_of_many_countries_are_kept_as_given() {
        for number in [
            "+14155552671",
            "+15005550006",
            "+971123456789",
            "+442079460018",
            "+390612345678",
            "+78001234567",
            "+4930123456",
            "+33612345678",
            "+5511987654321",
            "+8613812345678",
            "+80012345678",
        ] {
            assert_eq!(PhoneE164::parse(number).map(PhoneE164::into_inner), Ok(number.to_owned()));
        }
    }

    #[test]
    fn what_is_no_e164_number_is_refused_with_what_would_be_right() {
        for text in
            ["", "4155552671", "14155552671", "+1 415 555 2671", "+1-415-555-2671", "tel:+14155552671"]
        {
            assert!(PhoneE164::parse(text).unwrap_err().contains("E.164"), "{text}");
        }
        for text in
            ["+0123456789", "+1415555267a", "+1234567890123456", "++14155552671", "+１４１５５５５２６７１"]
        {
            assert!(PhoneE164::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn impossible_numbers_are_refused() {
        for text in ["+141555526", "+1415555267199", "+999123456789", "+2101234567"] {
            assert!(PhoneE164::parse(text).is_err(), "{text}");
        }
        assert!(PhoneE164::parse("+4402079460018").unwrap_err().contains("+442079460018"));
    }

    #[test]
    fn a_number_is_not_printed_in_full() {
        assert!(!format!("{:?}", PhoneE164::parse("+14155552671").unwrap()).contains("5552"));
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_sent_is_refused_or_kept_as_it_is(text in "\\+?[0-9]{0,17}|.{0,20}") {
            if let Ok(number) = PhoneE164::parse(&text) {
                proptest::prop_assert_eq!(number.into_inner(), text);
            }
        }
    }
}
