//! Somebody rings a bot: a call of its own, with the bot as it is at this moment, in the same story as every other call. What it
//! is for has a row among the notifications; nobody is ever rung for that.

use chrono::{DateTime, Utc};
use common::bus::Cause;
use common::clock::from_millis;
use common::db::{Tx, lease};
use common::trace;
use contracts::calls::{BeginBotCallRequest, BeginBotCallResponse};
use contracts::ids::{AttemptId, BotId, BusinessId, CallId, NotificationId, ProjectId};

use super::find_bot::{NOBODY, answering};
use crate::app::App;
use crate::conversation::spec::bot_spec;
use crate::domain::bot_load::{self, Refusal};
use crate::domain::call::CallInput;
use crate::domain::limits::AN_HOUR;
use crate::domain::notification::NotificationState;
use crate::domain::policy::Policy;
use crate::error::OrchestratorError;
use crate::rulebook;
use crate::store::bot_calls;
use crate::store::bots::Bot;
use crate::store::calls::{self, Call};
use crate::store::notifications::{BotPart, HIDDEN, Notification, Options, Spec, ToBot};
use crate::story::{Story, new_call};

/// The call as the bridge names it.
#[derive(Clone, Copy)]
struct Named {
    project: ProjectId,
    call: CallId,
    attempt: AttemptId,
    bot: BotId,
}

pub(super) async fn begin(
    app: &App,
    request: BeginBotCallRequest,
) -> Result<BeginBotCallResponse, OrchestratorError> {
    let named = Named {
        project: request.project_id.parse()?,
        call: request.call_id.parse()?,
        attempt: request.attempt_id.parse()?,
        bot: request.bot_id.parse()?,
    };
    trace::of_call(named.call);
    let inner = app.clone();
    let records = app.write(move |tx| one(&inner, tx, named, &request)).await?;
    Ok(BeginBotCallResponse { records })
}

/// Answers whether it is recorded.
fn one(
    app: &App,
    tx: &mut Tx<'_>,
    named: Named,
    request: &BeginBotCallRequest,
) -> Result<bool, OrchestratorError> {
    // Two calls at the same moment would both find room for one more.
    lease::exclusive(tx.conn, &format!("calls to the bots of {}", named.project))?;
    if let Some(known) = calls::find(tx.conn, named.call)? {
        return Ok(rulebook::records_call(tx.conn, &known)?);
    }
    let found = answering(tx.conn, named.bot)?;
    let (bot, _) = found.filter(|(_, project)| *project == named.project).ok_or(NOBODY)?;
    // A project that nothing was heard of gets its row: by it, what is kept for long enough is found.
    let policy = Policy::from(&rulebook::learn_policy(app, tx, named.project, None)?.settings);
    let phone = if request.from_e164.is_empty() { HIDDEN } else { &request.from_e164 };
    let now = tx.now();
    let load = bot_calls::load(tx.conn, named.project, (named.bot, phone), now - AN_HOUR)?;
    bot_load::judge(&app.bot_limits, &load).map_err(refused)?;
    let reaches = |number: &str| app.countries.allow(number) && policy.countries.allow(number);
    let spec = bot_spec(&bot, reaches, &policy, now);
    let records = policy.records(spec.disclosure.as_deref());
    let asked = asks(named, (bot, spec), request, now);
    let at = from_millis(request.at_ms).min(now);
    let call = Call { inbound: true, attempt_id: Some(named.attempt), ..new_call(&asked, named.call, 1, at) };
    let cause = Cause::own(named.project);
    let mut story = Story::begin(app, tx, &cause, (asked, call))?;
    // It rings, and nobody but the carrier had to be asked for that.
    story.call_input(CallInput::DialRequested)?;
    story.call_input(CallInput::DialAccepted { carrier_sid: request.carrier_call_sid.clone() })?;
    story.save()?;
    Ok(records)
}

fn refused(refusal: Refusal) -> OrchestratorError {
    match refusal {
        Refusal::Caller(limit) => OrchestratorError::CallerLimit(limit),
        Refusal::Bot(most) => OrchestratorError::BotLimit(most),
    }
}

/// What the call is for, with everything that it is made of.
fn asks(
    named: Named,
    (bot, spec): (Bot, Spec),
    request: &BeginBotCallRequest,
    now: DateTime<Utc>,
) -> Notification {
    let phone = if request.from_e164.is_empty() { HIDDEN.to_owned() } else { request.from_e164.clone() };
    let part = BotPart {
        goal: bot.goal,
        context: bot.context,
        webhook: bot.webhook,
        rung: request.to_e164.clone(),
        call_sid: request.carrier_call_sid.clone(),
        outcome: None,
    };
    Notification {
        id: NotificationId(named.call.0),
        project_id: named.project,
        customer_id: None,
        agent_id: None,
        agent_version: 0,
        phone,
        message: String::new(),
        context: None,
        collect_feedback: false,
        max_duration_seconds: spec.time_limit_seconds,
        spec,
        metadata: None,
        options: Options::default(),
        state: NotificationState::answering(now),
        summary_due: false,
        result_due: false,
        found: None,
        call_id: named.call,
        to_bot: Some(ToBot { bot: named.bot, business: BusinessId(bot.business_id.0), part }),
        created_at: now,
        updated_at: now,
        version: 0,
    }
}
