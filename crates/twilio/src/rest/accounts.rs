//! The account itself: whether it may be used, and for what.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};

use super::client::Client;
use super::error::Error;
use crate::call::open_words;
use crate::sid::AccountSid;

open_words!(
    /// Whether an account works.
    AccountStatus {
        /// It does.
        Active = "active",
        /// It does not, for now.
        Suspended = "suspended",
        /// It never will again.
        Closed = "closed",
    }
);

open_words!(
    /// What an account may do.
    AccountKind {
        /// Calls verified numbers only, after an announcement.
        Trial = "Trial",
        /// Everything.
        Full = "Full",
    }
);

/// An account. Its auth token, which Twilio sends along, is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// Its identifier.
    pub sid: AccountSid,
    /// Its name in Twilio's console.
    pub friendly_name: Option<String>,
    /// Whether it works.
    pub status: Option<AccountStatus>,
    /// What it may do.
    pub kind: Option<AccountKind>,
    /// Differs from `sid` for a subaccount.
    pub owner_account_sid: Option<AccountSid>,
    /// When it was opened.
    pub date_created: Option<DateTime<Utc>>,
    /// When it was last changed.
    pub date_updated: Option<DateTime<Utc>>,
    /// Where what belongs to it is, by name, without the host.
    pub subresource_uris: BTreeMap<String, String>,
}

impl Client {
    /// Looks at the client's own account. Standard API keys may not do that.
    ///
    /// # Errors
    ///
    /// Wrong credentials are [`Error::Api`] with status 401 and code 20003.
    pub async fn fetch_account(&self) -> Result<Account, Error> {
        let (status, fields) = self.get(self.resource(""), &[]).await?;
        let sid = fields.sid().map_err(|reason| Error::Unreadable { status, reason })?;
        Ok(Account {
            sid,
            friendly_name: fields.text("friendly_name"),
            status: fields.parsed("status"),
            kind: fields.parsed("type"),
            owner_account_sid: fields.parsed("owner_account_sid"),
            date_created: fields.date("date_created"),
            date_updated: fields.date("date_updated"),
            subresource_uris: fields.texts("subresource_uris"),
        })
    }
}
