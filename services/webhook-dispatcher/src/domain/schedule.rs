//! When a delivery is tried again: at once, then 1, 5 and 30 minutes after the previous failure, each up to a tenth later so
//! that what failed together does not come back together; four automatic attempts in all. What is tried for as long as it is of
//! use goes on every 30 minutes.

use std::time::Duration;

/// Pauses after the first, second and third failure.
const PAUSES: [Duration; 3] =
    [Duration::from_secs(60), Duration::from_secs(5 * 60), Duration::from_secs(30 * 60)];

/// The longest `Retry-After` that is believed.
pub(crate) const LONGEST_HINT: Duration = Duration::from_secs(3600);

/// How much later than planned, from nothing to a tenth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Jitter(u16);

impl Jitter {
    const PARTS: u16 = 1000;
    #[cfg(test)]
    pub(crate) const NONE: Self = Self(0);

    /// From two random bytes.
    pub(crate) fn from_random(bytes: [u8; 2]) -> Self {
        Self(u16::from_be_bytes(bytes) % (Self::PARTS + 1))
    }

    fn added_to(self, pause: Duration) -> Duration {
        pause + pause * u32::from(self.0) / u32::from(Self::PARTS) / 10
    }
}

/// How long after a failure the next automatic attempt is made; `None` when there is none. `failed` counts the automatic
/// attempts that have failed, this one included. A hint of the receiver makes the pause longer, never shorter.
pub(crate) fn pause(failed: u32, jitter: Jitter, hint: Option<Duration>) -> Option<Duration> {
    let at = usize::try_from(failed).ok()?.checked_sub(1)?;
    let planned = jitter.added_to(*PAUSES.get(at)?);
    Some(hint.map_or(planned, |hint| planned.max(hint.min(LONGEST_HINT))))
}

/// How long after the failure with this number something is tried again that is tried for as long as it is of use. A hint makes
/// the pause longer, never shorter.
pub(crate) fn pause_while_of_use(failed: u32, hint: Option<Duration>) -> Duration {
    let at = usize::try_from(failed).unwrap_or(usize::MAX).saturating_sub(1);
    let planned = PAUSES.get(at.min(PAUSES.len() - 1)).copied().unwrap_or_default();
    hint.map_or(planned, |hint| planned.max(hint.min(LONGEST_HINT)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn four_attempts_at_the_documented_distances() {
        let minutes = |failed| pause(failed, Jitter::NONE, None).map(|p| p.as_secs() / 60);
        assert_eq!([1, 2, 3, 4].map(minutes), [Some(1), Some(5), Some(30), None]);
    }

    #[test]
    fn the_largest_jitter_is_a_tenth() {
        assert_eq!(pause(1, Jitter(Jitter::PARTS), None), Some(Duration::from_secs(66)));
        assert_eq!(pause(3, Jitter(Jitter::PARTS), None), Some(Duration::from_secs(33 * 60)));
    }

    proptest! {
        #[test]
        fn a_pause_is_never_shorter_than_documented_and_without_a_hint_at_most_a_tenth_longer(
            failed in 1_u32..=3, bytes: [u8; 2],
        ) {
            let base = pause(failed, Jitter::NONE, None).unwrap();
            let with = pause(failed, Jitter::from_random(bytes), None).unwrap();
            prop_assert!(with >= base && with <= base + base / 10, "{base:?} {with:?}");
        }

        #[test]
        fn a_hint_only_ever_lengthens_and_never_beyond_an_hour(
            failed in 1_u32..=3, bytes: [u8; 2], hint in 0_u64..1_000_000,
        ) {
            let jitter = Jitter::from_random(bytes);
            let without = pause(failed, jitter, None).unwrap();
            let hint = Duration::from_secs(hint);
            let with = pause(failed, jitter, Some(hint)).unwrap();
            prop_assert!(with >= without);
            prop_assert!(with <= LONGEST_HINT.max(without));
            prop_assert!(with >= hint.min(LONGEST_HINT));
        }

        #[test]
        fn there_are_never_more_than_four_attempts(failed in 4_u32.., bytes: [u8; 2], hint: Option<u32>) {
            let hint = hint.map(|s| Duration::from_secs(s.into()));
            prop_assert_eq!(pause(failed, Jitter::from_random(bytes), hint), None);
        }
    }
}
