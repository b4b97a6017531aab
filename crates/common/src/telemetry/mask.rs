//! The last look at a log line before it leaves the process: phone numbers, keys, tokens and passwords are masked in it,
//! whichever field or text they stand in. Code masks what it knows to be one ([`super::Masked`]); this is for what it did
//! not know, such as the text of somebody else's error.

use std::borrow::Cow;
use std::io::{self, Write};
use std::sync::LazyLock;

use regex::{Captures, Regex};
use tracing_subscriber::fmt::MakeWriter;

use super::Masked;

/// A number in international form, also as it stands in an address.
const NUMBER: &str = r"(?:\+|%2[Bb])[1-9][0-9]{6,14}";
/// Our own keys and signing secrets, model servers' keys, signed tokens, and what follows `Bearer` or `Basic`.
const SECRET: &str = r"echo_[0-9a-f]{16,}|whsec_[A-Za-z0-9+/=_-]{8,}|\bsk-[A-Za-z0-9_-]{8,}|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+|(?i:\b(?:bearer|basic) )[A-Za-z0-9._~+/=-]{8,}";
/// The password in an address.
const PASSWORD: &str = r"(://[^/\s:@]*:)[^/\s@]+@";
/// A field whose name says what it holds.
const FIELD: &str = r#"("(?:[a-z0-9_]*(?:password|secret|api_key|auth_token|access_token|refresh_token|authorization)|token)":)"(?:[^"\\]|\\.)*""#;
/// A field that holds a number in whatever form.
const PHONE_FIELD: &str = r#"("(?:[a-z0-9_]*phone[a-z0-9_]*|to_number|from_number)":)"((?:[^"\\]|\\.)*)""#;

struct Patterns {
    any: Regex,
    number: Regex,
    secret: Regex,
    password: Regex,
    field: Regex,
    phone_field: Regex,
}

static PATTERNS: LazyLock<Option<Patterns>> = LazyLock::new(|| {
    let any =
        [NUMBER, SECRET, PASSWORD, FIELD, PHONE_FIELD].map(|pattern| format!("(?:{pattern})")).join("|");
    Some(Patterns {
        any: Regex::new(&any).ok()?,
        number: Regex::new(NUMBER).ok()?,
        secret: Regex::new(SECRET).ok()?,
        password: Regex::new(PASSWORD).ok()?,
        field: Regex::new(FIELD).ok()?,
        phone_field: Regex::new(PHONE_FIELD).ok()?,
    })
});

/// `line` without anything in it that can be rung or used.
pub(super) fn masked(line: &str) -> Cow<'_, str> {
    let Some(patterns) = &*PATTERNS else {
        return Cow::Borrowed("{\"level\":\"ERROR\",\"message\":\"a log line could not be masked\"}\n");
    };
    if !patterns.any.is_match(line) {
        return Cow::Borrowed(line);
    }
    let phone = |found: &Captures<'_>| format!("{}\"{}\"", &found[1], Masked(&found[2]));
    let line = patterns.phone_field.replace_all(line, phone);
    let line = patterns.number.replace_all(&line, |found: &Captures<'_>| Masked(&found[0]).to_string());
    let line = patterns.secret.replace_all(&line, "***");
    let line = patterns.password.replace_all(&line, "$1***@");
    Cow::Owned(patterns.field.replace_all(&line, "$1\"***\"").into_owned())
}

/// Gives writers whose lines are masked. The log writes each line in one piece.
#[derive(Clone, Debug)]
pub(super) struct Masking<M>(pub(super) M);

/// See [`Masking`].
pub(super) struct MaskingWriter<W>(W);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Masking<M> {
    type Writer = MaskingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        MaskingWriter(self.0.make_writer())
    }
}

impl<W: Write> Write for MaskingWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.write_all(masked(&String::from_utf8_lossy(line)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(line: &str, what: &str) -> String {
        let masked = masked(line).into_owned();
        assert!(line.contains(what) && !masked.contains(what), "{masked}");
        masked
    }

    #[test]
    fn numbers_are_cut_wherever_they_stand() {
        assert_eq!(
            hidden(r#"{"message":"no answer from +14155552671 yet"}"#, "4155552671"),
            r#"{"message":"no answer from +14***71 yet"}"#
        );
        hidden(r#"{"url":"https://x/Calls?To=%2B4930123456"}"#, "4930123456");
        hidden(r#"{"target_phone":"14155552671"}"#, "4155552671");
    }

    #[test]
    fn keys_tokens_and_passwords_are_gone() {
        let key = format!("echo_{}", "0a".repeat(32));
        hidden(&format!(r#"{{"message":"wrong key {key}"}}"#), &key);
        hidden(r#"{"error":"whsec_c2VjcmV0c2VjcmV0 does not fit"}"#, "c2VjcmV0c2VjcmV0");
        hidden(r#"{"header":"Bearer abc.def-ghi_jkl"}"#, "abc.def");
        hidden(r#"{"token":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln"}"#, "eyJzdWIiOiIxIn0");
        hidden(r#"{"auth_token":"quite \"plain"}"#, "quite");
        hidden(r#"{"error":"postgres://echo:hunter22@db/echo is away"}"#, "hunter22");
    }

    #[test]
    fn everything_else_stays_as_it_is() {
        let line = r#"{"timestamp":"2026-01-02T03:04:05.000006Z","trace_id":"0af7651916cd43dd8448eb211c80319c","seconds":1.5e+10,"tokens":12}"#;
        assert!(matches!(masked(line), Cow::Borrowed(same) if same == line));
    }
}
