//! Pages of the log: how many rows stand on one, and which.

use super::delivery::Status;
use super::event::EventName;

/// Most rows, and the default.
const LARGEST: u32 = 100;
/// Most bytes of bodies: more in one answer would hold up others on the bus.
const HEAVIEST: usize = 4 * 1024 * 1024;

/// How many rows are wanted.
pub(crate) fn limit(asked: u32) -> u32 {
    if asked == 0 { LARGEST } else { asked.min(LARGEST) }
}

/// How many of the rows with bodies of these sizes are shown: at least one, if there is one.
pub(crate) fn shown(sizes: impl Iterator<Item = usize>, limit: u32) -> usize {
    let mut sum = 0_usize;
    let light = sizes.take(usize::try_from(limit).unwrap_or(usize::MAX)).take_while(|size| {
        let first = sum == 0;
        sum = sum.saturating_add(*size).saturating_add(1);
        first || sum <= HEAVIEST
    });
    light.count()
}

/// A filter that nothing can match.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadFilter {
    /// No status.
    #[error("must be one of {}", Status::ALL.map(Status::as_str).join(", "))]
    Status,
    /// No event.
    #[error("must be one of {}", EventName::ALL.map(EventName::as_str).join(", "))]
    Event,
}

/// Reads a filter; an empty one filters nothing.
pub(crate) fn filter<T>(
    text: &str,
    parse: impl FnOnce(&str) -> Option<T>,
    bad: BadFilter,
) -> Result<Option<T>, BadFilter> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some).ok_or(bad) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_cut_where_it_gets_too_long_or_too_heavy_but_never_empty() {
        assert_eq!(shown([10; 7].into_iter(), 5), 5);
        assert_eq!(shown([10; 3].into_iter(), 5), 3);
        assert_eq!(shown([HEAVIEST / 2; 7].into_iter(), 5), 1);
        assert_eq!(shown([HEAVIEST / 3; 7].into_iter(), 5), 2);
        assert_eq!(shown([HEAVIEST * 2, 1].into_iter(), 5), 1);
        assert_eq!(shown(std::iter::empty(), 5), 0);
    }

    #[test]
    fn a_filter_names_what_there_is() {
        assert_eq!(filter("", Status::parse, BadFilter::Status), Ok(None));
        assert_eq!(filter("failed", Status::parse, BadFilter::Status), Ok(Some(Status::Failed)));
        let bad = filter("lost", Status::parse, BadFilter::Status).unwrap_err();
        assert_eq!(bad.to_string(), "must be one of pending, retrying, success, failed");
        assert!(BadFilter::Event.to_string().ends_with("webhook.test"));
    }
}
