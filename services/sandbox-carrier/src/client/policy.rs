//! What went wrong with an attempt, and whether another one is worth it.

use twilio::overrides::RetryOn;

use super::Answer;
use crate::domain::fault::{CONNECT_TIMEOUT, CONNECTION, Problem, TOTAL_TIMEOUT};

/// The kinds of failure that the fragment's `rp` distinguishes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// An answer with 4xx.
    ClientError,
    /// An answer with 5xx, or a connection that broke before the answer was there: a proxy would say 502.
    ServerError,
    /// No connection.
    Connect,
    /// No answer in time.
    Read,
    /// Another attempt would end the same way.
    Final,
}

impl Failure {
    /// What kind of failure this outcome is, if it is one.
    pub(super) fn of(outcome: &Result<Answer, (Failure, Problem)>) -> Option<Failure> {
        match outcome {
            Ok(answer) if answer.status >= 500 => Some(Failure::ServerError),
            Ok(answer) if answer.status >= 400 => Some(Failure::ClientError),
            Ok(_) => None,
            Err((failure, _)) => Some(*failure),
        }
    }

    /// Whether the policy asks for another attempt after it.
    pub(super) fn is_worth_another(self, on: RetryOn) -> bool {
        match self {
            Failure::ClientError => on.client_error,
            Failure::ServerError => on.server_error,
            Failure::Connect => on.connect,
            Failure::Read => on.read,
            Failure::Final => false,
        }
    }
}

/// The failure and the problem behind an error of the HTTP library.
pub(super) fn failed(error: &reqwest::Error) -> (Failure, Problem) {
    let reason = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source())
        .last()
        .map_or_else(String::new, ToString::to_string);
    if error.is_connect() && error.is_timeout() {
        (Failure::Connect, Problem::new(CONNECT_TIMEOUT, "the connection was not made in time"))
    } else if error.is_connect() {
        (Failure::Connect, Problem::new(CONNECTION, format!("the connection could not be made: {reason}")))
    } else if error.is_timeout() {
        timed_out()
    } else {
        (Failure::ServerError, Problem::new(CONNECTION, format!("the connection broke: {reason}")))
    }
}

/// No answer in time.
pub(super) fn timed_out() -> (Failure, Problem) {
    (Failure::Read, Problem::new(TOTAL_TIMEOUT, "the answer did not come in time"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::plan::Hook;
    use twilio::HttpMethod;
    use twilio::overrides::ConnectionOverrides;

    fn answered(status: u16) -> Result<Answer, (Failure, Problem)> {
        let from = Hook { url: "http://h/".to_owned(), method: HttpMethod::Post };
        Ok(Answer { status, content_type: None, body: Vec::new(), from })
    }

    #[test]
    fn by_default_only_a_missing_connection_is_tried_again() {
        let usual = ConnectionOverrides::DEFAULT.retry_on;
        assert!(Failure::Connect.is_worth_another(usual));
        assert!(!Failure::of(&answered(503)).unwrap().is_worth_another(usual));
        assert!(!Failure::Read.is_worth_another(usual));
    }

    #[test]
    fn a_fragment_may_ask_for_more() {
        let asked = ConnectionOverrides::parse("rc=2&rp=5xx,rt").retry_on;
        assert!(Failure::of(&answered(503)).unwrap().is_worth_another(asked));
        assert!(!Failure::of(&answered(404)).unwrap().is_worth_another(asked));
    }

    #[test]
    fn a_good_answer_is_no_failure() {
        assert_eq!(Failure::of(&answered(204)), None);
    }
}
