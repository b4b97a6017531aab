//! Who may use the REST API: the account with its token, or one of its API keys. A request that was told
//! to be turned away (429) is turned away here.

use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::{Choice, ConstantTimeEq};
use twilio::AccountSid;

use super::error::ApiError;
use crate::config::CarrierConfig;
use crate::state::Shared;

/// Proof that the request may see the account that its path names.
pub(super) struct Account {
    pub(super) shared: Arc<Shared>,
    /// Whether an API key opened the door, which is not enough for the account itself.
    pub(super) by_key: bool,
}

impl FromRequest for Account {
    type Error = ApiError;
    type Future = Ready<Result<Account, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(admit(request))
    }
}

fn admit(request: &HttpRequest) -> Result<Account, ApiError> {
    let Some(shared) = request.app_data::<Data<Shared>>() else {
        return Err(ApiError::new(500, 20500, "The carrier is not mounted"));
    };
    let shared = Arc::clone(shared);
    let wanted = request.match_info().query("account").parse::<AccountSid>();
    let wanted = wanted.map_err(|_| ApiError::not_found(request.path()))?;
    let (user, password) = credentials(request).ok_or_else(ApiError::unauthenticated)?;
    let by_key = opened_by_key(&shared.config, &user, &password).ok_or_else(ApiError::unauthenticated)?;
    if wanted != shared.config.account_sid {
        return Err(ApiError::unauthenticated());
    }
    if shared.books(|books| books.nasty.turns_away()) {
        return Err(ApiError::new(429, 20429, "Too Many Requests"));
    }
    Ok(Account { shared, by_key })
}

fn credentials(request: &HttpRequest) -> Option<(String, String)> {
    let header = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = header.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (user, password) = decoded.split_once(':')?;
    Some((user.to_owned(), password.to_owned()))
}

/// Whether the credentials fit, and if so whether they are an API key's.
fn opened_by_key(config: &CarrierConfig, user: &str, password: &str) -> Option<bool> {
    let fits = |sid: &str, secret: &str| -> Choice {
        sid.as_bytes().ct_eq(user.as_bytes()) & secret.as_bytes().ct_eq(password.as_bytes())
    };
    if bool::from(fits(config.account_sid.as_str(), &config.auth_token)) {
        return Some(false);
    }
    config.api_keys.iter().any(|key| bool::from(fits(&key.sid, &key.secret))).then_some(true)
}
