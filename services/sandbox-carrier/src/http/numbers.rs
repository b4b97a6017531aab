//! `…/IncomingPhoneNumbers.json` and `…/IncomingPhoneNumbers/{sid}.json`: the account's numbers.

use actix_web::web::{Bytes, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::auth::Account;
use super::error::ApiError;
use super::form::{Form, check_url};
use super::json as shape;
use crate::domain::number::OwnNumber;
use crate::wall;

/// `GET …/IncomingPhoneNumbers.json`, with the filters `PhoneNumber` (`*` stands for anything) and
/// `FriendlyName`.
pub(super) async fn list(account: Account, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let form = Form::of_query(&request);
    let size = form.number("PageSize", 1..=1000, 50, 20007)?;
    let page = form.number("Page", 0..=u64::MAX, 0, 20006)?;
    let wanted = |own: &OwnNumber| {
        form.given("PhoneNumber").is_none_or(|pattern| fits(pattern, &own.number))
            && form.given("FriendlyName").is_none_or(|name| name == own.friendly_name)
    };
    let shared = &account.shared;
    let matching: Vec<Value> = shared.books(|books| {
        books.numbers.iter().filter(|own| wanted(own)).map(|own| shape::number(&shared.config, own)).collect()
    });
    let start = usize::try_from(page.saturating_mul(size)).unwrap_or(usize::MAX);
    let rest = matching.get(start..).unwrap_or_default();
    let shown: Vec<&Value> = rest.iter().take(usize::try_from(size).unwrap_or(usize::MAX)).collect();
    let uri = |page: u64| page_uri(&request, &form, size, page);
    Ok(HttpResponse::Ok().json(json!({
        "incoming_phone_numbers": shown,
        "page": page,
        "page_size": size,
        "start": start,
        "end": start.saturating_add(shown.len()).saturating_sub(1),
        "uri": uri(page),
        "first_page_uri": uri(0),
        "previous_page_uri": page.checked_sub(1).map(uri),
        "next_page_uri": (rest.len() > shown.len()).then(|| uri(page + 1)),
    })))
}

/// A page is asked for with the filters of the first one.
fn page_uri(request: &HttpRequest, form: &Form, size: u64, page: u64) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for name in ["PhoneNumber", "FriendlyName"] {
        if let Some(value) = form.given(name) {
            query.append_pair(name, value);
        }
    }
    query.append_pair("PageSize", &size.to_string()).append_pair("Page", &page.to_string());
    format!("{}?{}", request.path(), query.finish())
}

/// Whether the pieces of `pattern` between its stars occur in order.
fn fits(pattern: &str, number: &str) -> bool {
    if !pattern.contains('*') {
        return number.contains(pattern);
    }
    let mut rest = number;
    pattern.split('*').all(|piece| match rest.find(piece) {
        Some(at) => {
            rest = rest.get(at + piece.len()..).unwrap_or_default();
            true
        }
        None => false,
    })
}

/// `GET …/IncomingPhoneNumbers/{sid}.json`.
pub(super) async fn fetch(
    account: Account,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let shared = &account.shared;
    let found = shared.books(|books| {
        let own = books.numbers.iter().find(|own| has_sid(&account, own, &path.1));
        own.map(|own| shape::number(&shared.config, own))
    });
    Ok(HttpResponse::Ok().json(found.ok_or_else(|| ApiError::not_found(request.path()))?))
}

/// `POST …/IncomingPhoneNumbers/{sid}.json`: an empty value clears a setting.
pub(super) async fn update(
    account: Account,
    path: Path<(String, String)>,
    request: HttpRequest,
    body: Bytes,
) -> Result<HttpResponse, ApiError> {
    let shared = &account.shared;
    let form = Form::of_body(&body);
    let answer = shared.books(|books| {
        let own = books.numbers.iter_mut().find(|own| has_sid(&account, own, &path.1));
        let own = own.ok_or_else(|| ApiError::not_found(request.path()))?;
        *own = changed(own.clone(), &form)?;
        Ok::<_, ApiError>(shape::number(&shared.config, own))
    })?;
    Ok(HttpResponse::Ok().json(answer))
}

/// `DELETE …/IncomingPhoneNumbers/{sid}.json`: the number is given back, and nobody reaches the account by it any more, until this
/// carrier starts again.
pub(super) async fn release(
    account: Account,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let had_it = account.shared.books(|books| {
        let before = books.numbers.len();
        books.numbers.retain(|own| !has_sid(&account, own, &path.1));
        books.numbers.len() < before
    });
    if had_it { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found(request.path())) }
}

fn has_sid(account: &Account, own: &OwnNumber, sid: &str) -> bool {
    account.shared.config.number_sid(&own.number).is_ok_and(|known| known.as_str() == sid)
}

fn changed(mut number: OwnNumber, form: &Form) -> Result<OwnNumber, ApiError> {
    for (name, setting) in [
        ("VoiceUrl", &mut number.voice_url),
        ("VoiceFallbackUrl", &mut number.voice_fallback_url),
        ("StatusCallback", &mut number.status_callback),
    ] {
        if let Some(url) = form.sent(name) {
            if !url.is_empty() {
                check_url(name, url, 21402)?;
            }
            *setting = url.to_owned();
        }
    }
    for (name, setting) in [
        ("VoiceMethod", &mut number.voice_method),
        ("VoiceFallbackMethod", &mut number.voice_fallback_method),
        ("StatusCallbackMethod", &mut number.status_callback_method),
    ] {
        if form.given(name).is_some() {
            *setting = form.method(name, 21403)?;
        }
    }
    for (name, setting) in [
        ("FriendlyName", &mut number.friendly_name),
        ("VoiceApplicationSid", &mut number.voice_application_sid),
        ("TrunkSid", &mut number.trunk_sid),
        ("VoiceReceiveMode", &mut number.voice_receive_mode),
    ] {
        if let Some(text) = form.sent(name) {
            *setting = text.to_owned();
        }
    }
    if let Some(word) = form.given("VoiceCallerIdLookup") {
        number.voice_caller_id_lookup = word == "true";
    }
    if number.voice_url.is_empty() && !number.voice_fallback_url.is_empty() {
        return Err(ApiError::bad(21405, "VoiceFallbackUrl needs a VoiceUrl beside it"));
    }
    number.updated = wall::now();
    Ok(number)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn change(body: &str) -> Result<OwnNumber, ApiError> {
        changed(
            OwnNumber::new("+15005550100".to_owned(), DateTime::UNIX_EPOCH),
            &Form::of_body(body.as_bytes()),
        )
    }

    #[test]
    fn settings_are_made_and_cleared() {
        let number = change("VoiceUrl=https%3A%2F%2Fh%2Fv&VoiceMethod=GET").unwrap();
        assert_eq!((number.voice_url.as_str(), number.voice_method.as_str()), ("https://h/v", "GET"));
        let cleared = changed(number, &Form::of_body(b"VoiceUrl=")).unwrap();
        assert_eq!(cleared.voice_url, "");
    }

    #[test]
    fn wrong_settings_have_their_codes() {
        assert_eq!(change("VoiceUrl=voice").unwrap_err().code(), 21402);
        assert_eq!(change("VoiceMethod=PUT").unwrap_err().code(), 21403);
        assert_eq!(change("VoiceFallbackUrl=https%3A%2F%2Fh%2Ff").unwrap_err().code(), 21405);
    }

    #[test]
    fn a_star_stands_for_any_digits() {
        assert!(
            fits("+1500*", "+15005550100") && fits("*0100", "+15005550100") && fits("5550", "+15005550100")
        );
        assert!(!fits("+49*", "+15005550100"));
    }
}
