//! The carrier reported a status: once, twice, late or out of order; the state machine sorts it.

use chrono::{DateTime, Utc};
use common::bus::{Meta, Outcome};
use common::clock::from_millis;
use contracts::telephony::CallProgressed;

use super::tell;
use crate::app::App;
use crate::domain::call::{CallInput, Progress};

pub(crate) async fn handle(app: App, meta: Meta, message: CallProgressed) -> Outcome {
    let Ok(status) = message.status.parse() else {
        return Outcome::Dead(format!("`{}` is no status of a call", message.status));
    };
    let progress = Progress {
        status,
        sequence: message.sequence,
        at: from_millis(message.at_ms),
        duration_seconds: message.duration_seconds,
        sip_code: message.sip_response_code,
        gave_up: message.gave_up,
        nobody_reached: message.nobody_reached,
    };
    tell(&app, &meta, (&message.call_id, &message.attempt_id), move |story| {
        Ok(CallInput::Progress(plausible(progress, story.call.created_at, story.tx.now())))
    })
    .await
}

/// The carrier's clock is not ours: nothing happens to a call before it was made or after we hear of it, and it cannot have
/// been talked for longer than that.
fn plausible(progress: Progress, created: DateTime<Utc>, now: DateTime<Utc>) -> Progress {
    let at = progress.at.min(now).max(created);
    let longest = u32::try_from((at - created).num_seconds()).unwrap_or(0);
    Progress { at, duration_seconds: progress.duration_seconds.map(|d| d.min(longest)), ..progress }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::call::CallStatus;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn ended(at: DateTime<Utc>, duration: u32) -> Progress {
        Progress {
            status: CallStatus::Completed,
            sequence: None,
            at,
            duration_seconds: Some(duration),
            sip_code: None,
            gave_up: false,
            nobody_reached: false,
        }
    }

    #[test]
    fn a_report_with_sensible_times_is_believed() {
        assert_eq!(plausible(ended(at(50), 30), at(0), at(60)), ended(at(50), 30));
    }

    #[test]
    fn a_clock_that_is_wrong_neither_ends_calls_in_the_future_nor_makes_them_last_for_years() {
        assert_eq!(plausible(ended(at(90), 30), at(0), at(60)).at, at(60));
        let epoch = plausible(ended(DateTime::UNIX_EPOCH, 30), at(0), at(60));
        assert_eq!((epoch.at, epoch.duration_seconds), (at(0), Some(0)));
        let endless = plausible(ended(at(50), u32::MAX), at(0), at(60));
        assert_eq!(endless.duration_seconds.map(i64::from), Some(TimeDelta::seconds(50).num_seconds()));
    }
}
