//! Fixed windows: so many in each minute, counted from its beginning. The last one that fits is let through, the next one
//! is refused until the window ends.

use std::collections::HashMap;
use std::hash::Hash;

/// How long a window is, in seconds.
pub(crate) const WINDOW: i64 = 60;

/// What is left after one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// How many fit into a window.
    pub(crate) limit: u32,
    /// How many still fit into this one.
    pub(crate) remaining: u32,
    /// Seconds until it ends, at least one.
    pub(crate) reset: u64,
    /// Whether this one did not fit any more.
    pub(crate) exceeded: bool,
}

/// Counters of the current window by whom they count.
#[derive(Debug)]
pub(crate) struct Windows<K> {
    number: i64,
    counts: HashMap<K, u32>,
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self { number: 0, counts: HashMap::new() }
    }
}

impl<K: Hash + Eq> Windows<K> {
    /// Counts one more of `key` at `now` (seconds).
    pub(crate) fn count(&mut self, key: K, limit: u32, now: i64) -> Quota {
        let number = now.div_euclid(WINDOW);
        if number != self.number {
            self.number = number;
            self.counts.clear();
        }
        let count = self.counts.entry(key).or_default();
        let exceeded = *count >= limit;
        if !exceeded {
            *count += 1;
        }
        let reset = u64::try_from(WINDOW - now.rem_euclid(WINDOW)).unwrap_or(1);
        Quota { limit, remaining: limit.saturating_sub(*count), reset, exceeded }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixtieth_fits_and_the_sixty_first_does_not_until_the_next_minute() {
        let mut windows = Windows::default();
        for n in 1..=60 {
            let quota = windows.count("a", 60, 600);
            assert!(!quota.exceeded);
            assert_eq!(quota.remaining, 60 - n);
        }
        let refused = windows.count("a", 60, 630);
        assert!(refused.exceeded);
        assert_eq!(refused.reset, 30);
        assert!(!windows.count("b", 60, 630).exceeded);
        assert!(!windows.count("a", 60, 660).exceeded);
    }
}
