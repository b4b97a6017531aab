//! Delivery of one call's callbacks, both legs: one after the other, in the order in which they were fired, unless
//! the carrier has been told to be nasty about it. Failed ones are written down and not sent again, as
//! Twilio does.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use twilio::CallSid;

use crate::client::{Client, Errand, Params};
use crate::domain::fault::{CALLBACK_ANSWER, Problem};
use crate::domain::plan::Hook;
use crate::state::Shared;

/// A callback on its way.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) sid: CallSid,
    pub(super) hook: Hook,
    pub(super) params: Params,
    pub(super) kind: Kind,
}

/// What a callback tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// How the call goes; only these are lost, doubled and swapped.
    Progress,
    /// An interim result.
    Partial,
    /// Anything else.
    Other,
}

/// Delivers until the leg is over and nothing is left.
pub(super) async fn deliver(shared: Arc<Shared>, mut outgoing: mpsc::UnboundedReceiver<Outgoing>) {
    let mut held: Option<Outgoing> = None;
    let mut overtaken = JoinSet::new();
    while let Some(next) = outgoing.recv().await {
        if next.kind == Kind::Partial {
            let late = shared.books(|books| books.nasty.partials_late_ms);
            let shared = Arc::clone(&shared);
            overtaken.spawn(async move {
                tokio::time::sleep(Duration::from_millis(late)).await;
                send(&shared, &next).await;
            });
            continue;
        }
        if next.kind == Kind::Other {
            send(&shared, &next).await;
            continue;
        }
        let (lost, swap) =
            shared.books(|books| (books.nasty.loses_callback(), books.nasty.callbacks_reordered));
        if lost {
            continue;
        }
        match held.take() {
            None if swap => held = Some(next),
            before => {
                send(&shared, &next).await;
                if let Some(before) = before {
                    send(&shared, &before).await;
                }
            }
        }
    }
    if let Some(last) = held {
        send(&shared, &last).await;
    }
    while overtaken.join_next().await.is_some() {}
}

async fn send(shared: &Shared, outgoing: &Outgoing) {
    let (late, twice) = shared.books(|books| (books.nasty.callbacks_late_ms, books.nasty.callbacks_twice));
    let (token, progress) = (Client::token(), outgoing.kind == Kind::Progress);
    if progress {
        tokio::time::sleep(Duration::from_millis(late)).await;
    }
    let times = if progress && twice { 2 } else { 1 };
    for _ in 0..times {
        let (hook, params) = (&outgoing.hook, &outgoing.params);
        let signed_wrongly = shared.signs_wrongly();
        let errand = Errand { hook, params, token: &token, cookies: None, signed_wrongly };
        let problem = match shared.client.send(&errand).await {
            Ok(answer) if answer.status < 400 => continue,
            Ok(answer) => {
                Problem::new(CALLBACK_ANSWER, format!("the callback was answered {}", answer.status))
            }
            Err(problem) => problem,
        };
        shared.fault(&outgoing.sid, problem, Some(&outgoing.hook.url));
    }
}
