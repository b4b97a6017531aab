//! Who calls, as far as the carrier says it.

/// What carriers write in the place of a number that is hidden. As a number it is spelled on the keys of a telephone:
/// `anonymous` is `+266696687`.
const HIDDEN: [&str; 6] = ["anonymous", "restricted", "unavailable", "unknown", "blocked", "private"];

/// The caller's number, E.164; empty when they hide it, and for what is no number, such as a SIP address.
pub(crate) fn caller_number(from: Option<&str>) -> String {
    from.map(str::trim).filter(|from| is_e164(from) && !is_hidden(from)).unwrap_or_default().to_owned()
}

fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

fn is_hidden(number: &str) -> bool {
    HIDDEN.iter().any(|word| number.bytes().skip(1).eq(word.bytes().map(key_of)))
}

/// The key on which a letter stands.
const fn key_of(letter: u8) -> u8 {
    match letter {
        b'a'..=b'c' => b'2',
        b'd'..=b'f' => b'3',
        b'g'..=b'i' => b'4',
        b'j'..=b'l' => b'5',
        b'm'..=b'o' => b'6',
        b'p'..=b's' => b'7',
        b't'..=b'v' => b'8',
        _ => b'9',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_shows_a_number_has_one() {
        for number in ["+14155550117", "+4930123456", " +14155550117 "] {
            assert_eq!(caller_number(Some(number)), number.trim());
        }
    }

    #[test]
    fn whoever_hides_it_has_none() {
        let spelled = ["+266696687", "+7378742833", "+86282452253", "+8656696", "+2562533", "+7748283"];
        let other = [
            "anonymous",
            "Anonymous",
            "Restricted",
            "",
            " ",
            "sip:a@example.com",
            "client:b",
            "+1",
            "+0415555",
        ];
        for hidden in spelled.into_iter().chain(other) {
            assert_eq!(caller_number(Some(hidden)), "", "{hidden}");
        }
        assert_eq!(caller_number(None), "");
    }
}
