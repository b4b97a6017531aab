//! Who may connect a Twilio account under an address: somebody new, or whoever proves that the address is theirs. An account
//! with a password is proved with its access token alone; one without is proved with the Twilio account that made it.

/// What is known of an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Known<'a> {
    /// Whether there is a user with this address, and if so whether they have a password.
    pub(crate) password: Option<bool>,
    /// The Twilio account that the user has connected.
    pub(crate) account_sid: Option<&'a str>,
    /// Whether the request bears an access token of this user.
    pub(crate) signed_in: bool,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// A new user, with a business and a project.
    New,
    /// The user's account has another token, perhaps another number.
    Again,
    /// An account that had no number has one.
    Gain,
}

/// Why it cannot be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The address belongs to an account that is proved in another way.
    EmailTaken,
    /// The user has connected another Twilio account.
    OtherAccount,
}

/// Decides for the Twilio account that is to be connected.
pub(crate) fn decide(known: Known<'_>, account_sid: &str) -> Result<Plan, Refused> {
    match (known.password, known.account_sid, known.signed_in) {
        (None, _, _) => Ok(Plan::New),
        (Some(true), _, false) | (Some(false), None, false) => Err(Refused::EmailTaken),
        (Some(_), Some(connected), _) if connected != account_sid => Err(Refused::OtherAccount),
        (Some(_), _, true) => Ok(Plan::Gain),
        (Some(false), Some(_), false) => Ok(Plan::Again),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_proved_with_its_password_account_or_else_with_its_twilio_account() {
        let decided =
            |password, account_sid, signed_in| decide(Known { password, account_sid, signed_in }, "AC1");
        assert_eq!(decided(None, None, false), Ok(Plan::New));
        assert_eq!(decided(Some(false), Some("AC1"), false), Ok(Plan::Again));
        assert_eq!(decided(Some(false), Some("AC2"), false), Err(Refused::OtherAccount));
        assert_eq!(decided(Some(false), None, false), Err(Refused::EmailTaken));
        assert_eq!(decided(Some(true), None, false), Err(Refused::EmailTaken));
        // Twilio's token alone opens no account that has a password.
        assert_eq!(decided(Some(true), Some("AC1"), false), Err(Refused::EmailTaken));
        assert_eq!(decided(Some(true), None, true), Ok(Plan::Gain));
        assert_eq!(decided(Some(true), Some("AC1"), true), Ok(Plan::Gain));
        assert_eq!(decided(Some(true), Some("AC2"), true), Err(Refused::OtherAccount));
    }
}
