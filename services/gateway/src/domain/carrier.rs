//! What a project asks to call with: an account of its own, or the sandbox. Whether the account is a real one the carrier
//! alone can say.

/// Longest token that is passed on.
const MAX_TOKEN: usize = 128;

/// A kind of carrier that can be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An account of the project's own.
    Twilio,
    /// No real phone ever rings.
    Sandbox,
}

impl Kind {
    /// Accepts the name or says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        match text {
            "twilio" => Ok(Self::Twilio),
            "sandbox" => Ok(Self::Sandbox),
            _ => Err("must be twilio or sandbox; DELETE goes back to the operator's carrier".to_owned()),
        }
    }
}

/// `AC` and 32 hexadecimal digits.
pub(crate) fn account_sid(text: &str) -> Result<String, String> {
    sid("AC", text)
}

/// `PN` and 32 hexadecimal digits.
pub(crate) fn phone_number_sid(text: &str) -> Result<String, String> {
    sid("PN", text)
}

fn sid(prefix: &str, text: &str) -> Result<String, String> {
    let digits = text.strip_prefix(prefix).unwrap_or_default();
    if digits.len() == 32 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Ok(text.to_owned());
    }
    // What was sent is not repeated: it may be a secret in the wrong field.
    Err(format!("must be {prefix} followed by 32 hexadecimal digits, as Twilio's console shows it"))
}

/// The account's token.
pub(crate) fn auth_token(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > MAX_TOKEN || !text.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(format!(
            "must be 1 to {MAX_TOKEN} letters, digits and signs, as Twilio's console shows it"
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sid_is_its_prefix_and_digits_and_a_wrong_one_is_not_repeated() {
        let right = format!("AC{}", "0a".repeat(16));
        assert_eq!(account_sid(&right).as_deref(), Ok(right.as_str()));
        for wrong in ["", "AC", "PN0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a", "AC0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0g"] {
            let problem = account_sid(wrong).unwrap_err();
            assert!(wrong.is_empty() || wrong == "AC" || !problem.contains(wrong), "{problem}");
        }
        assert!(phone_number_sid(&right).is_err());
    }

    #[test]
    fn a_token_fits_into_a_header() {
        assert!(auth_token("0123456789abcdef").is_ok());
        for wrong in ["", "a b", "a\n", "ü", &"a".repeat(129)] {
            assert!(auth_token(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_kind_is_a_known_one() {
        assert_eq!(Kind::parse("twilio"), Ok(Kind::Twilio));
        assert_eq!(Kind::parse("sandbox"), Ok(Kind::Sandbox));
        assert!(Kind::parse("operator").unwrap_err().contains("DELETE"));
    }
}
