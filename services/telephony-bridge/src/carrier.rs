//! An account that dials, and what is asked of the carrier in its name. Nothing here asks twice: whoever calls decides
//! what a missing answer means.

use std::time::Duration;

use common::config::ConfigError;
use common::telemetry::Masked;
use contracts::ids::{BotId, CarrierId};
use twilio::rest::{
    Account, BaseUrlError, Call, CallEvent, CallFilter, CallList, Client, CreateCall, Credentials, Error,
    Instructions, MachineDetection, MachineDetectionMode, PhoneNumber, Timeouts, UpdateCall, UpdateNumber,
};
use twilio::{HttpMethod, PhoneNumberSid, RecordingSid};

use crate::config::AccountConfig;
use crate::domain::attempt::{DialResult, read_answer};
use crate::domain::urls::VoiceUrls;
use crate::store::attempts::Attempt;

/// Twilio: the call is not in a state in which it can be changed (21220): it is over already.
const ALREADY_OVER: u32 = 21_220;
/// Calls between two numbers that are looked through for evidence, newest first.
const LISTED: usize = 100;

/// An account with the carrier. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Carrier {
    /// The project's own one; `None` for an account of the settings.
    pub(crate) id: Option<CarrierId>,
    pub(crate) account: AccountConfig,
    client: Client,
}

/// The connections to all carriers.
pub(crate) fn connections() -> Result<reqwest::Client, ConfigError> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(4))
        .no_proxy()
        .build()
        .map_err(|e| ConfigError::new("ECHO_CARRIER", format!("the HTTP client cannot be set up: {e}")))
}

impl Carrier {
    pub(crate) fn new(
        http: reqwest::Client,
        id: Option<CarrierId>,
        account: AccountConfig,
    ) -> Result<Self, BaseUrlError> {
        let credentials = Credentials::auth_token(account.sid.clone(), account.auth_token.reveal());
        let client = Client::new(http, account.api.clone(), credentials, Timeouts::default())?;
        Ok(Self { id, account, client })
    }

    /// The account as the carrier sees it.
    pub(crate) async fn look_at_account(&self) -> Result<Account, Error> {
        self.client.fetch_account().await
    }

    /// One of the account's numbers.
    pub(crate) async fn look_at_number(&self, sid: &PhoneNumberSid) -> Result<PhoneNumber, Error> {
        self.client.fetch_number(sid).await
    }

    /// The account's number with these digits, E.164.
    pub(crate) async fn number(&self, number: &str) -> Result<Option<PhoneNumber>, Error> {
        self.client.find_number(number).await
    }

    /// Whether this number, E.164, is one of the account's.
    pub(crate) async fn owns(&self, number: &str) -> Result<bool, Error> {
        Ok(self.number(number).await?.is_some())
    }

    /// The same account, calling from another of its numbers.
    pub(crate) fn calling_from(self, number: &str) -> Self {
        Self { account: AccountConfig { from: number.to_owned(), ..self.account }, ..self }
    }

    /// From now on calls to the number are ours: a bot's, or those of customers who ring back.
    pub(crate) async fn answer_number(
        &self,
        urls: &VoiceUrls,
        sid: &PhoneNumberSid,
        bot: Option<BotId>,
    ) -> Result<(), Error> {
        let ours = UpdateNumber {
            voice_url: Some(bot.map_or_else(|| urls.inbound(), |bot| urls.to_bot(bot, 0))),
            voice_method: Some(HttpMethod::Post),
            status_callback: Some(urls.inbound_status()),
            status_callback_method: Some(HttpMethod::Post),
            // It would decide instead of the address.
            voice_application_sid: Some(String::new()),
            ..UpdateNumber::default()
        };
        self.client.update_number(sid, &ours).await.map(drop)
    }

    /// The one request. Everything that the carrier may need to find us again stands in its addresses.
    pub(crate) async fn place(&self, urls: &VoiceUrls, attempt: &Attempt) -> DialResult {
        let voice = Instructions::Url { url: urls.voice(attempt.id), method: None };
        let call = CreateCall {
            status_callback: Some(urls.status(attempt.id)),
            status_events: CallEvent::ALL.to_vec(),
            timeout: Some(attempt.ring_timeout_seconds),
            time_limit: Some(attempt.time_limit_seconds),
            machine_detection: Some(MachineDetection {
                async_callback: Some(urls.answered_by(attempt.id)),
                ..MachineDetection::new(match attempt.leaves_message {
                    true => MachineDetectionMode::DetectMessageEnd,
                    false => MachineDetectionMode::Enable,
                })
            }),
            record: attempt.records.map(|_| true),
            recording_status_callback: attempt.records.map(|_| urls.recording(attempt.id)),
            ..CreateCall::new(attempt.to.as_str(), attempt.from.as_str(), voice)
        };
        let answer = self.client.create_call(&call).await;
        let to = Masked(&attempt.to);
        match &answer {
            Ok(placed) => {
                tracing::info!(attempt = %attempt.id, call = %attempt.call_id, %to, sid = %placed.sid, "dialled")
            }
            Err(error) => {
                tracing::warn!(attempt = %attempt.id, call = %attempt.call_id, %to, %error, "not dialled, or not known")
            }
        }
        read_answer(answer.map(|call| call.sid.to_string()))
    }

    /// Ends a call that rings or runs. One that is over, or that the carrier has never heard of, is ended.
    pub(crate) async fn end(&self, sid: &str) -> Result<(), Error> {
        let Ok(sid) = sid.parse() else { return Ok(()) };
        match self.client.update_call(&sid, &UpdateCall::Complete).await {
            Ok(_) => Ok(()),
            Err(e) if e.code() == Some(ALREADY_OVER) => Ok(()),
            Err(Error::Api(e)) if e.is_not_found() => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Breaks off what runs in a call and goes on with the document at `url`. A call that is over stays over.
    pub(crate) async fn go_on(&self, sid: &str, url: String) -> Result<(), Error> {
        let Ok(sid) = sid.parse() else { return Ok(()) };
        let update = UpdateCall::Url { url, method: Some(HttpMethod::Post) };
        match self.client.update_call(&sid, &update).await {
            Ok(_) => Ok(()),
            Err(e) if e.code() == Some(ALREADY_OVER) => Ok(()),
            Err(Error::Api(e)) if e.is_not_found() => Ok(()),
            Err(e) => Err(e),
        }
    }

    /// Deletes a recording. One that the carrier does not have is deleted.
    pub(crate) async fn delete_recording(&self, sid: &RecordingSid) -> Result<(), Error> {
        match self.client.delete_recording(sid).await {
            Err(Error::Api(e)) if e.is_not_found() => Ok(()),
            deleted => deleted,
        }
    }

    /// The call as the carrier sees it; `None` when there is no such call.
    pub(crate) async fn look_at(&self, sid: &str) -> Result<Option<Call>, Error> {
        let Ok(sid) = sid.parse() else { return Ok(None) };
        match self.client.fetch_call(&sid).await {
            Ok(call) => Ok(Some(call)),
            Err(Error::Api(e)) if e.is_not_found() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The latest calls from the attempt's number to the one that it rings.
    pub(crate) async fn calls_like(&self, attempt: &Attempt) -> Result<CallList, Error> {
        let filter = CallFilter {
            to: Some(attempt.to.clone()),
            from: Some(attempt.from.clone()),
            ..CallFilter::default()
        };
        self.client.list_calls(&filter, LISTED).await
    }
}
