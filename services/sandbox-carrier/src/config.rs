//! What a carrier is told when it is started: one account, its numbers, the people, the pace.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use sha2::{Digest, Sha256};
use twilio::{AccountSid, PhoneNumberSid};
use url::Url;

use crate::domain::clock::Speed;
use crate::domain::people::People;

/// Everything a carrier is told. It holds a secret and therefore has no debug form.
#[derive(Clone)]
pub struct CarrierConfig {
    /// Where the runtime that mounts it listens; the carrier itself opens no port.
    pub addr: SocketAddr,
    /// How others reach it; the address of its (made-up) recordings.
    pub base_url: Url,
    /// The one account.
    pub account_sid: AccountSid,
    /// Its primary token: the password of the REST API and the key of every signature.
    pub auth_token: String,
    /// API keys (`SK…`) that open the REST API as well, except for the account itself.
    pub api_keys: Vec<ApiKey>,
    /// The number that the account owns, E.164.
    pub number: String,
    /// Further numbers of the account, E.164.
    pub more_numbers: Vec<String>,
    /// How much faster than life.
    pub speed: Speed,
    /// Who picks up.
    pub people: People,
    /// How many calls leave the queue per second of the carrier's time; nothing means all at once.
    pub calls_per_second: Option<NonZeroU32>,
}

/// A standard API key.
#[derive(Clone)]
pub struct ApiKey {
    /// `SK…`, the user name.
    pub sid: String,
    /// The password.
    pub secret: String,
}

impl CarrierConfig {
    /// All numbers of the account, each once.
    pub fn numbers(&self) -> Vec<String> {
        let mut all = vec![self.number.clone()];
        for number in &self.more_numbers {
            if !all.contains(number) {
                all.push(number.clone());
            }
        }
        all
    }

    /// The sid of one of the account's numbers. It follows from account and number, so that it is the same after
    /// every start.
    ///
    /// # Errors
    ///
    /// None that can happen: 32 hexadecimal digits always make a sid. The type says so because sids check
    /// themselves.
    pub fn number_sid(&self, number: &str) -> Result<PhoneNumberSid, twilio::sid::SidError> {
        let digest = Sha256::digest(format!("{}/{number}", self.account_sid));
        let digits: String = hex::encode(digest).chars().take(32).collect();
        format!("PN{digits}").parse()
    }
}
