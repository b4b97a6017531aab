//! The numbers that an account owns, and where their calls go.

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::client::Client;
use super::error::Error;
use super::fields::Fields;
use crate::HttpMethod;
use crate::sid::{AccountSid, PhoneNumberSid};

/// Numbers of which one is a part are looked through this far.
const MOST_ALIKE: usize = 1_000;

/// A number. All but the SID may be missing; empty texts count as missing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    /// Its identifier.
    pub sid: PhoneNumberSid,
    /// The account that owns it.
    pub account_sid: Option<AccountSid>,
    /// E.164.
    pub phone_number: Option<String>,
    /// Its name in Twilio's console.
    pub friendly_name: Option<String>,
    /// What it can do.
    pub capabilities: Capabilities,
    /// `in-use` and the like.
    pub status: Option<String>,
    /// `local`, `mobile`, `toll-free` and the like.
    pub kind: Option<String>,
    /// `twilio`, or `hosted` elsewhere.
    pub origin: Option<String>,
    /// Whether it is new to Twilio.
    pub beta: Option<bool>,
    /// Where its calls go. Without effect while `voice_application_sid` or `trunk_sid` is set.
    pub voice_url: Option<String>,
    /// How that is requested.
    pub voice_method: Option<HttpMethod>,
    /// Requested when `voice_url` cannot be.
    pub voice_fallback_url: Option<String>,
    /// How that is requested.
    pub voice_fallback_method: Option<HttpMethod>,
    /// Told once, when an inbound call has ended.
    pub status_callback: Option<String>,
    /// How that is told.
    pub status_callback_method: Option<HttpMethod>,
    /// An application that decides instead of `voice_url`.
    pub voice_application_sid: Option<String>,
    /// A trunk that decides instead of `voice_url`.
    pub trunk_sid: Option<String>,
    /// `voice` or `fax`.
    pub voice_receive_mode: Option<String>,
    /// Whether the names of callers are looked up.
    pub voice_caller_id_lookup: Option<bool>,
    /// When it came to the account.
    pub date_created: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub date_updated: Option<DateTime<Utc>>,
    /// Where it is, without the host.
    pub uri: Option<String>,
}

/// What a number can do; `None` when Twilio does not say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capabilities {
    /// Calls.
    pub voice: Option<bool>,
    /// Text messages.
    pub sms: Option<bool>,
    /// Picture messages.
    pub mms: Option<bool>,
    /// Faxes.
    pub fax: Option<bool>,
}

impl Capabilities {
    fn read(value: Option<Value>) -> Self {
        let Some(fields) = value.and_then(|value| Fields::new(value).ok()) else {
            return Self::default();
        };
        Self {
            voice: fields.boolean("voice"),
            sms: fields.boolean("sms"),
            mms: fields.boolean("mms"),
            fax: fields.boolean("fax"),
        }
    }
}

impl PhoneNumber {
    fn from_fields(mut fields: Fields) -> Result<Self, String> {
        let method = |name: &str| fields.text(name).as_deref().and_then(HttpMethod::parse);
        let (voice_method, voice_fallback_method) = (method("voice_method"), method("voice_fallback_method"));
        let status_callback_method = method("status_callback_method");
        Ok(Self {
            sid: fields.sid()?,
            capabilities: Capabilities::read(fields.take("capabilities")),
            account_sid: fields.parsed("account_sid"),
            phone_number: fields.text("phone_number"),
            friendly_name: fields.text("friendly_name"),
            status: fields.text("status"),
            kind: fields.text("type"),
            origin: fields.text("origin"),
            beta: fields.boolean("beta"),
            voice_url: fields.text("voice_url"),
            voice_method,
            voice_fallback_url: fields.text("voice_fallback_url"),
            voice_fallback_method,
            status_callback: fields.text("status_callback"),
            status_callback_method,
            voice_application_sid: fields.text("voice_application_sid"),
            trunk_sid: fields.text("trunk_sid"),
            voice_receive_mode: fields.text("voice_receive_mode"),
            voice_caller_id_lookup: fields.boolean("voice_caller_id_lookup"),
            date_created: fields.date("date_created"),
            date_updated: fields.date("date_updated"),
            uri: fields.text("uri"),
        })
    }
}

/// A change of a number. What is `None` stays; an empty text clears.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UpdateNumber {
    /// Where its calls go.
    pub voice_url: Option<String>,
    /// How that is requested.
    pub voice_method: Option<HttpMethod>,
    /// Requested when `voice_url` cannot be.
    pub voice_fallback_url: Option<String>,
    /// How that is requested.
    pub voice_fallback_method: Option<HttpMethod>,
    /// Told when an inbound call has ended.
    pub status_callback: Option<String>,
    /// How that is told.
    pub status_callback_method: Option<HttpMethod>,
    /// The application that decides instead.
    pub voice_application_sid: Option<String>,
    /// The trunk that decides instead.
    pub trunk_sid: Option<String>,
    /// `voice` or `fax`.
    pub voice_receive_mode: Option<String>,
    /// Whether the names of callers are looked up, for a charge.
    pub voice_caller_id_lookup: Option<bool>,
    /// Its name in Twilio's console.
    pub friendly_name: Option<String>,
}

impl UpdateNumber {
    fn form(&self) -> Vec<(&'static str, String)> {
        let method = |method: Option<HttpMethod>| method.map(|method| method.to_string());
        let fields = [
            ("VoiceUrl", self.voice_url.clone()),
            ("VoiceMethod", method(self.voice_method)),
            ("VoiceFallbackUrl", self.voice_fallback_url.clone()),
            ("VoiceFallbackMethod", method(self.voice_fallback_method)),
            ("StatusCallback", self.status_callback.clone()),
            ("StatusCallbackMethod", method(self.status_callback_method)),
            ("VoiceApplicationSid", self.voice_application_sid.clone()),
            ("TrunkSid", self.trunk_sid.clone()),
            ("VoiceReceiveMode", self.voice_receive_mode.clone()),
            ("VoiceCallerIdLookup", self.voice_caller_id_lookup.map(|looked_up| looked_up.to_string())),
            ("FriendlyName", self.friendly_name.clone()),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// Which numbers are listed. Everything unset is any.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberFilter {
    /// Part of the number; `*` stands for anything.
    pub phone_number: Option<String>,
    /// The whole name.
    pub friendly_name: Option<String>,
    /// Whether numbers that are new to Twilio are among them.
    pub beta: Option<bool>,
    /// `twilio` or `hosted`.
    pub origin: Option<String>,
    /// Numbers in one page, 1 to 1 000, 50 by default.
    pub page_size: Option<u32>,
}

impl NumberFilter {
    fn query(&self) -> Vec<(&'static str, String)> {
        let fields = [
            ("PhoneNumber", self.phone_number.clone()),
            ("FriendlyName", self.friendly_name.clone()),
            ("Beta", self.beta.map(|beta| beta.to_string())),
            ("Origin", self.origin.clone()),
            ("PageSize", self.page_size.map(|size| size.to_string())),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}

/// The result of a listing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NumberList {
    /// In Twilio's order.
    pub numbers: Vec<PhoneNumber>,
    /// Whether these are all; `false` when the bound came first. Then absence proves nothing.
    pub complete: bool,
}

impl Client {
    /// Looks at a number.
    ///
    /// # Errors
    ///
    /// A number that the account does not own is [`Error::Api`] with status 404.
    pub async fn fetch_number(&self, sid: &PhoneNumberSid) -> Result<PhoneNumber, Error> {
        let (status, fields) = self.get(self.resource(&format!("/IncomingPhoneNumbers/{sid}")), &[]).await?;
        read(status, fields)
    }

    /// Lists the account's numbers, following pages until there are `limit` or no more.
    ///
    /// # Errors
    ///
    /// One page that fails or cannot be read fails the listing.
    pub async fn list_numbers(&self, filter: &NumberFilter, limit: usize) -> Result<NumberList, Error> {
        let at = ("/IncomingPhoneNumbers", "incoming_phone_numbers");
        let (numbers, complete) = self.list(at, &filter.query(), limit, PhoneNumber::from_fields).await?;
        Ok(NumberList { numbers, complete })
    }

    /// The account's number with these digits (E.164); `None` when it owns no such number.
    ///
    /// # Errors
    ///
    /// A page that cannot be read fails the search.
    pub async fn find_number(&self, phone_number: &str) -> Result<Option<PhoneNumber>, Error> {
        let filter = NumberFilter { phone_number: Some(phone_number.to_owned()), ..NumberFilter::default() };
        // Twilio's filter also finds numbers of which this is a part.
        let found = self.list_numbers(&filter, MOST_ALIKE).await?.numbers;
        Ok(found.into_iter().find(|number| number.phone_number.as_deref() == Some(phone_number)))
    }

    /// Changes a number. The same change twice is the same as once.
    ///
    /// # Errors
    ///
    /// Codes 21402, 21403 and 21405 for a bad URL, a bad method, a fallback without a voice URL.
    pub async fn update_number(
        &self,
        sid: &PhoneNumberSid,
        update: &UpdateNumber,
    ) -> Result<PhoneNumber, Error> {
        let url = self.resource(&format!("/IncomingPhoneNumbers/{sid}"));
        let (status, fields) = self.post(url, &update.form()).await?;
        read(status, fields)
    }

    /// Gives a number back to Twilio, for ever: somebody else may have it then.
    ///
    /// # Errors
    ///
    /// A number that the account does not own (any more) is [`Error::Api`] with status 404.
    pub async fn release_number(&self, sid: &PhoneNumberSid) -> Result<(), Error> {
        self.delete(self.resource(&format!("/IncomingPhoneNumbers/{sid}"))).await
    }
}

fn read(status: u16, fields: Fields) -> Result<PhoneNumber, Error> {
    PhoneNumber::from_fields(fields).map_err(|reason| Error::Unreadable { status, reason })
}
