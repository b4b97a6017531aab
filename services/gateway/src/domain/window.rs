//! Fixed windows: so many in each minute or hour, counted from its beginning. The last one that fits is let through, the next one
//! is refused until the window ends.

use std::collections::HashMap;
use std::hash::Hash;

/// A minute, in seconds.
pub(crate) const MINUTE: i64 = 60;
/// An hour, in seconds.
pub(crate) const HOUR: i64 = 3600;

/// What is left after one more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// What the limit is called.
    pub(crate) name: &'static str,
    /// How long a window is, in seconds.
    pub(crate) window: i64,
    /// How many fit into a window.
    pub(crate) limit: u32,
    /// How many still fit into this one.
    pub(crate) remaining: u32,
    /// Seconds until it ends, at least one.
    pub(crate) reset: u64,
    /// Whether this one did not fit any more.
    pub(crate) exceeded: bool,
}

/// A count in one window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// Which: so many windows since 1970.
    pub(crate) number: i64,
    /// How many there have been in it.
    pub(crate) count: u32,
}

impl Window {
    /// Counts one more at `now` (seconds), where so many fit into a window of so many seconds. A clock that is behind counts in the
    /// window that has begun elsewhere.
    pub(crate) fn count(&mut self, name: &'static str, (limit, window): (u32, i64), now: i64) -> Quota {
        let number = now.div_euclid(window);
        if number > self.number {
            *self = Self { number, count: 0 };
        }
        let exceeded = self.count >= limit;
        if !exceeded {
            self.count += 1;
        }
        let ends = (self.number + 1) * window;
        let reset = u64::try_from(ends - now).unwrap_or(1).max(1);
        Quota { name, window, limit, remaining: limit.saturating_sub(self.count), reset, exceeded }
    }
}

/// Counters of the current minute by whom they count.
#[derive(Debug)]
pub(crate) struct Windows<K> {
    number: i64,
    counts: HashMap<K, Window>,
}

impl<K> Default for Windows<K> {
    fn default() -> Self {
        Self { number: 0, counts: HashMap::new() }
    }
}

impl<K: Hash + Eq> Windows<K> {
    /// Counts one more of `key` at `now` (seconds).
    pub(crate) fn count(&mut self, name: &'static str, key: K, limit: u32, now: i64) -> Quota {
        let number = now.div_euclid(MINUTE);
        if number != self.number {
            self.number = number;
            self.counts.clear();
        }
        self.counts.entry(key).or_default().count(name, (limit, MINUTE), now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sixtieth_fits_and_the_sixty_first_does_not_until_the_next_minute() {
        let mut windows = Windows::default();
        for n in 1..=60 {
            let quota = windows.count("auth", "a", 60, 600);
            assert!(!quota.exceeded);
            assert_eq!((quota.name, quota.window, quota.remaining), ("auth", 60, 60 - n));
        }
        let refused = windows.count("auth", "a", 60, 630);
        assert!(refused.exceeded);
        assert_eq!(refused.reset, 30);
        assert!(!windows.count("auth", "b", 60, 630).exceeded);
        assert!(!windows.count("auth", "a", 60, 660).exceeded);
    }

    #[test]
    fn an_hour_begins_for_all_when_it_has_begun_for_one() {
        let mut window = Window::default();
        assert!(!window.count("query", (1, HOUR), 3599).exceeded);
        assert!(window.count("query", (1, HOUR), 3599).exceeded);
        assert!(!window.count("query", (1, HOUR), 3600).exceeded);
        let late = window.count("query", (1, HOUR), 3590);
        assert!(late.exceeded);
        assert_eq!(late.reset, 3610);
    }
}
