//! Ids that people write: those of a bot, as a caller of `/v1/voice?bot_id=…` writes it, and of an app, which stands in pages on the
//! web. Each is a prefix and twenty base-58 characters. Behind it stands a UUIDv7 like behind every other id: twenty such characters
//! hold 117 bits, and what of a UUIDv7 is not fixed has 122, so the last five of its random ones are always zero here.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::BadId;

const DIGITS: usize = 20;
/// Without what is easily mistaken for another: 0, O, I and l.
const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const BASE: u128 = 58;

/// Bits of a UUIDv7 in front of its version: the time in milliseconds.
const TIME: u32 = 48;
/// Random bits behind the variant that are used.
const LOW: u32 = 57;
/// Random bits behind the variant that are always zero.
const UNUSED: u32 = 5;
/// Random bits between version and variant.
const HIGH: u32 = 12;

/// What is written: the random bits before the time, so that ids that are made one after the other do not look alike.
const fn number(uuid: u128) -> u128 {
    let (time, high) = (uuid >> 80, low(uuid >> 64, HIGH));
    let rest = low(uuid, LOW + UNUSED) >> UNUSED;
    (high << LOW | rest) << TIME | time
}

/// The last so many bits.
const fn low(number: u128, bits: u32) -> u128 {
    number & ((1 << bits) - 1)
}

/// The UUIDv7 that is written as this number.
const fn uuid(number: u128) -> Uuid {
    let (time, random) = (low(number, TIME), number >> TIME);
    let (high, rest) = (random >> LOW, low(random, LOW) << UNUSED);
    Uuid::from_u128(time << 80 | 7 << 76 | high << 64 | 2 << 62 | rest)
}

/// The characters for a UUIDv7, without the prefix.
fn digits(id: Uuid) -> String {
    let mut left = number(id.as_u128());
    let mut digits = ['1'; DIGITS];
    for digit in digits.iter_mut().rev() {
        let at = usize::try_from(left % BASE).unwrap_or_default();
        *digit = ALPHABET.get(at).copied().map_or('1', char::from);
        left /= BASE;
    }
    digits.iter().collect()
}

/// The UUIDv7 behind these characters, if there is one.
fn read(digits: &str) -> Option<Uuid> {
    if digits.len() != DIGITS {
        return None;
    }
    let mut number = 0_u128;
    for digit in digits.bytes() {
        let value = ALPHABET.iter().position(|known| *known == digit)?;
        number = number * BASE + value as u128;
    }
    // Twenty characters hold a little more than the bits that are used.
    (number >> (HIGH + LOW + TIME) == 0).then(|| uuid(number))
}

macro_rules! coded {
    ($($(#[$doc:meta])* $name:ident = $noun:literal, $prefix:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(Uuid);

        impl $name {
            /// The noun that this id stands for, as error texts say it.
            pub const NOUN: &'static str = $noun;

            /// A new id that sorts after the ones made before it.
            #[must_use]
            pub fn new() -> Self {
                Self::of(Uuid::now_v7())
            }

            /// The id behind which this UUIDv7 stands, but for its last five bits: always the same one.
            #[must_use]
            pub const fn of(id: Uuid) -> Self {
                Self(uuid(number(id.as_u128())))
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::new()
            }
        }

        impl From<$name> for Uuid {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}{}", $prefix, digits(self.0))
            }
        }

        impl FromStr for $name {
            type Err = BadId;

            fn from_str(text: &str) -> Result<Self, BadId> {
                text.strip_prefix($prefix).and_then(read).map(Self).ok_or_else(|| BadId::of($noun, text))
            }
        }
    )*};
}

coded! {
    /// Somebody who answers the calls to a number.
    BotId = "bot", "bot_";
    /// Documents that answer questions, and who may ask.
    AppId = "app", "app_";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_reads_back_what_it_prints_and_sorts_by_time() {
        let (first, second) = (BotId::new(), BotId::new());
        assert!(first < second, "{first} {second}");
        for id in [first, second, BotId::of(Uuid::max()), BotId::of(Uuid::nil())] {
            let text = id.to_string();
            assert_eq!(text.len(), 24, "{text}");
            assert_eq!(text.parse(), Ok(id));
            assert_eq!(BotId::of(id.into()), id);
            assert_eq!(Uuid::from(id).get_version_num(), 7);
        }
    }

    #[test]
    fn an_id_keeps_all_of_its_uuid_but_five_bits() {
        let uuid = Uuid::now_v7();
        assert_eq!(Uuid::from(BotId::of(uuid)).as_u128(), uuid.as_u128() >> UNUSED << UNUSED);
    }

    #[test]
    fn what_is_no_id_is_none() {
        let good = BotId::new().to_string();
        let (short, long) = (&good[..23], format!("{good}1"));
        let uuid = Uuid::now_v7().to_string();
        let beyond = format!("bot_{}", "z".repeat(20));
        for text in ["", "bot_", "bot_abc123", short, &long, &uuid, &beyond, "bot_0000000000000000000l"] {
            let problem = text.parse::<BotId>().unwrap_err().to_string();
            assert!(problem.contains("is no bot id"), "{problem}");
        }
    }

    #[test]
    fn an_app_and_a_bot_are_never_the_same() {
        let (app, bot) = (AppId::new(), BotId::new());
        assert_eq!(app.to_string().parse(), Ok(app));
        assert!(app.to_string().parse::<BotId>().is_err() && bot.to_string().parse::<AppId>().is_err());
        let problem = "v1".parse::<AppId>().unwrap_err().to_string();
        assert!(problem.starts_with("`v1` is no app id: expected one such as app_"), "{problem}");
        for reserved in ["v1", "auth", "apps", "handover", "query"] {
            assert!(reserved.parse::<AppId>().is_err(), "{reserved}");
        }
    }
}
