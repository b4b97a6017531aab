//! What an attempt came to, by the status of its answer.

use std::time::Duration;

/// What an attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The receiver has taken it.
    Delivered,
    /// 410: the receiver wants nothing more, ever.
    Gone,
    /// Anything else, a redirect included: what is signed for one address is not carried to another.
    Failed {
        /// How long the receiver asked to be left alone.
        retry_after: Option<Duration>,
    },
}

impl Verdict {
    /// By the status of the answer.
    pub(crate) const fn of(status: u16, retry_after: Option<Duration>) -> Self {
        match status {
            200..=299 => Self::Delivered,
            410 => Self::Gone,
            _ => Self::Failed { retry_after },
        }
    }

    /// There was no answer, or only a part of one.
    pub(crate) const NO_ANSWER: Self = Self::Failed { retry_after: None };

    /// As metrics name it.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::Delivered => "success",
            Self::Gone => "gone",
            Self::Failed { .. } => "failed",
        }
    }
}

/// What the attempt log says about a status that is no success; `None` for one that is.
pub(crate) fn problem(status: u16) -> Option<String> {
    match status {
        200..=299 => None,
        300..=399 => {
            Some(format!("answered {status}: redirects are not followed; register the final address"))
        }
        410 => Some("answered 410 Gone: the endpoint has been disabled".to_owned()),
        _ => Some(format!("answered {status}; any status from 200 to 299 counts as received")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_2xx_is_success_and_only_410_is_final() {
        for status in 100..=999 {
            let expected = match status {
                200..=299 => Verdict::Delivered,
                410 => Verdict::Gone,
                _ => Verdict::NO_ANSWER,
            };
            assert_eq!(Verdict::of(status, None), expected, "{status}");
            assert_eq!(problem(status).is_none(), expected == Verdict::Delivered, "{status}");
        }
    }

    #[test]
    fn a_hint_is_kept_for_failures() {
        let hint = Some(Duration::from_secs(7));
        assert_eq!(Verdict::of(503, hint), Verdict::Failed { retry_after: hint });
    }
}
