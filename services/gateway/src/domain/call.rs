//! What can be asked of calls: the statuses there are, and the names a call goes by. The orchestrator decides both.

use uuid::Uuid;

/// Where a call stands, in the order of its life.
pub(crate) const STATUSES: [&str; 9] =
    ["queued", "dialing", "ringing", "in_progress", "completed", "busy", "no_answer", "failed", "canceled"];

/// Digits of a carrier's own id.
const SID_DIGITS: usize = 32;

/// Whether this can name a call: by its id, or by the carrier's own one, such as `CA` and 32 hexadecimal digits.
pub(crate) fn is_name(text: &str) -> bool {
    let is_sid = |text: &str| {
        let digits = text.strip_prefix("CA").unwrap_or_default();
        digits.len() == SID_DIGITS && digits.bytes().all(|b| b.is_ascii_hexdigit())
    };
    Uuid::parse_str(text).is_ok() || is_sid(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_goes_by_its_id_and_by_the_carriers_own() {
        assert!(is_name("01890a5d-ac96-774b-bcce-b302099a0003"));
        assert!(is_name("CA0123456789abcdef0123456789ABCDEF"));
        for nothing in ["", "CA", "CA0123", "call", "CA0123456789abcdef0123456789abcdeg", "'; --"] {
            assert!(!is_name(nothing), "{nothing}");
        }
    }
}
