//! The id of a bot: `bot_` and twenty base-58 characters, as a caller of `/v1/voice?bot_id=…` writes it. Behind it stands a UUIDv7
//! like behind every other id: twenty such characters hold 117 bits, and what of a UUIDv7 is not fixed has 122, so the last
//! five of its random ones are always zero here.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

use super::BadId;

const PREFIX: &str = "bot_";
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

/// Somebody who answers the calls to a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BotId(Uuid);

impl BotId {
    /// The noun that this id stands for, as error texts say it.
    pub const NOUN: &'static str = "bot";

    /// A new id that sorts after the ones made before it.
    #[must_use]
    pub fn new() -> Self {
        Self::of(Uuid::now_v7())
    }

    /// The id behind which this UUIDv7 stands, but for its last five bits: always the same one.
    #[must_use]
    pub const fn of(id: Uuid) -> Self {
        Self::from_number(number(id.as_u128()))
    }

    const fn from_number(number: u128) -> Self {
        let (time, random) = (low(number, TIME), number >> TIME);
        let (high, rest) = (random >> LOW, low(random, LOW) << UNUSED);
        Self(Uuid::from_u128(time << 80 | 7 << 76 | high << 64 | 2 << 62 | rest))
    }
}

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

impl Default for BotId {
    fn default() -> Self {
        Self::new()
    }
}

impl From<BotId> for Uuid {
    fn from(id: BotId) -> Self {
        id.0
    }
}

impl fmt::Display for BotId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = number(self.0.as_u128());
        let mut digits = [b'1'; DIGITS];
        for digit in digits.iter_mut().rev() {
            let at = usize::try_from(left % BASE).unwrap_or_default();
            *digit = ALPHABET.get(at).copied().unwrap_or(b'1');
            left /= BASE;
        }
        f.write_str(PREFIX)?;
        digits.iter().try_for_each(|digit| write!(f, "{}", char::from(*digit)))
    }
}

impl FromStr for BotId {
    type Err = BadId;

    fn from_str(text: &str) -> Result<Self, BadId> {
        let bad = || BadId::of("bot", text);
        let digits = text.strip_prefix(PREFIX).filter(|digits| digits.len() == DIGITS).ok_or_else(bad)?;
        let mut number = 0_u128;
        for digit in digits.bytes() {
            let value = ALPHABET.iter().position(|known| *known == digit).ok_or_else(bad)?;
            number = number * BASE + value as u128;
        }
        // Twenty characters hold a little more than the bits that are used.
        if number >> (HIGH + LOW + TIME) != 0 {
            return Err(bad());
        }
        Ok(Self::from_number(number))
    }
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
}
