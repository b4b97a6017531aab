//! What the bridge reports and asks.

use common::bus::Cause;
use common::db::DbError;
use contracts::accounts::CancelNotification;
use contracts::calls::turn_input::Input;
use contracts::calls::{
    Answered, BeginInboundRequest, ConversationClient, DialRequested, InboundClient, NextSentenceRequest,
    Notification, PlaceNotificationRequest, Silence, Speech, StartTurnRequest, TurnInput, TurnPart,
};
use contracts::message::Message;
use contracts::rpc::RpcError;
use contracts::telephony::{
    CallProgressed, DialAccepted, DialFailed, DialRefused, dial_failed, dial_refused,
};

use super::{World, context, neighbours};

/// The call was picked up.
pub(crate) fn answered() -> Input {
    Input::Answered(Answered {})
}

/// The customer said this, clearly.
pub(crate) fn heard(text: &str) -> Input {
    Input::Speech(Speech { text: text.to_owned(), confidence: Some(0.95) })
}

/// The customer pressed these keys.
pub(crate) fn digits(keys: &str) -> Input {
    Input::Digits(keys.to_owned())
}

/// Nothing was heard.
pub(crate) fn silence() -> Input {
    Input::Silence(Silence {})
}

/// The carrier's report number `sequence` about a call.
pub(crate) fn progressed(dial: &DialRequested, status: &str, sequence: u32, at_ms: i64) -> CallProgressed {
    CallProgressed {
        attempt_id: dial.attempt_id.clone(),
        call_id: dial.call_id.clone(),
        project_id: dial.project_id.clone(),
        carrier_call_sid: "CA1".to_owned(),
        status: status.to_owned(),
        sequence: Some(sequence),
        at_ms,
        ..CallProgressed::default()
    }
}

/// The carrier's last report about a call that was answered.
pub(crate) fn completed(dial: &DialRequested, sequence: u32, at_ms: i64, seconds: u32) -> CallProgressed {
    CallProgressed { duration_seconds: Some(seconds), ..progressed(dial, "completed", sequence, at_ms) }
}

impl World {
    /// Publishes as the bridge or the gateway does.
    pub(crate) async fn publish<M: Message + Clone>(&self, messages: &[M]) {
        let messages = messages.to_vec();
        let cause = Cause::own(self.project);
        let database = neighbours::bridge_of(&self.process).database;
        let staged: Result<(), DbError> =
            database.write(move |tx| messages.iter().try_for_each(|message| tx.stage(message, &cause))).await;
        staged.unwrap();
    }

    pub(crate) async fn cancel(&self, project: &str, notification: &str) {
        let message =
            CancelNotification { project_id: project.to_owned(), notification_id: notification.to_owned() };
        self.publish(&[message]).await;
    }

    pub(crate) async fn accept(&self, dial: &DialRequested) {
        let message = DialAccepted {
            attempt_id: dial.attempt_id.clone(),
            call_id: dial.call_id.clone(),
            project_id: dial.project_id.clone(),
            carrier_call_sid: "CA1".to_owned(),
        };
        self.publish(&[message]).await;
    }

    pub(crate) async fn refuse(&self, dial: &DialRequested, reason: dial_refused::Reason) {
        let message = DialRefused {
            attempt_id: dial.attempt_id.clone(),
            call_id: dial.call_id.clone(),
            project_id: dial.project_id.clone(),
            reason: reason.into(),
        };
        self.publish(&[message]).await;
    }

    pub(crate) async fn fail(&self, dial: &DialRequested, cause: dial_failed::Cause, carrier_code: u32) {
        let message = DialFailed {
            attempt_id: dial.attempt_id.clone(),
            call_id: dial.call_id.clone(),
            project_id: dial.project_id.clone(),
            cause: cause.into(),
            carrier_code,
        };
        self.publish(&[message]).await;
    }

    /// A customer rings back. Answers whether the call is recorded.
    pub(crate) async fn begin(&self, request: &BeginInboundRequest) -> Result<bool, RpcError> {
        let client = InboundClient::new(neighbours::bridge_of(&self.process).caller);
        Ok(client.begin_inbound(context(), request.clone()).await?.records)
    }

    /// The carrier says that the call is over, after so many seconds of talk.
    pub(crate) async fn complete(&self, dial: &DialRequested, seconds: u32) {
        let now = self.clock.now().timestamp_millis();
        self.publish(&[completed(dial, 9, now, seconds)]).await;
    }

    /// Places a notification whose call the carrier takes.
    pub(crate) async fn ring(&self, request: PlaceNotificationRequest) -> (Notification, DialRequested) {
        let placed = self.place(request).await;
        let dial = self.dial(&placed.call_id, 1).await;
        self.accept(&dial).await;
        self.quiet().await;
        (placed, dial)
    }

    /// The same, and somebody picks up and hears the opening.
    pub(crate) async fn talk(&self, request: PlaceNotificationRequest) -> (Notification, DialRequested) {
        let (placed, dial) = self.ring(request).await;
        self.whole_turn(&dial, 0, answered()).await;
        (placed, dial)
    }

    pub(crate) async fn try_turn(
        &self,
        call_id: &str,
        turn: u32,
        input: Input,
        wait_ms: u32,
    ) -> Result<TurnPart, RpcError> {
        let request = StartTurnRequest {
            call_id: call_id.to_owned(),
            turn,
            input: Some(TurnInput { input: Some(input) }),
            wait_ms,
        };
        ConversationClient::new(neighbours::bridge_of(&self.process).caller)
            .start_turn(context(), request)
            .await
    }

    /// Opens a turn and waits for its first sentence.
    pub(crate) async fn turn(&self, dial: &DialRequested, turn: u32, input: Input) -> TurnPart {
        self.try_turn(&dial.call_id, turn, input, 25_000).await.unwrap()
    }

    /// Waits for a sentence of a turn.
    pub(crate) async fn part(&self, dial: &DialRequested, turn: u32, part: u32, wait_ms: u32) -> TurnPart {
        let request = NextSentenceRequest { call_id: dial.call_id.clone(), turn, part, wait_ms };
        let client = ConversationClient::new(neighbours::bridge_of(&self.process).caller);
        client.next_sentence(context(), request).await.unwrap()
    }

    /// All that is said in a turn, and what follows.
    pub(crate) async fn whole_turn(&self, dial: &DialRequested, turn: u32, input: Input) -> (String, i32) {
        let mut part = self.turn(dial, turn, input).await;
        let mut said = part.text.clone();
        let mut n = 0;
        while part.then == i32::from(contracts::calls::Then::NextPart) {
            n += 1;
            part = self.part(dial, turn, n, 25_000).await;
            said = format!("{said} {}", part.text).trim().to_owned();
        }
        (said, part.then)
    }
}
