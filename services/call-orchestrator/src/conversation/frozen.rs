//! What a conversation is made of does not change while it runs, so each replica reads it once per call.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use contracts::ids::{AgentId, BotId, CallId, CustomerId, NotificationId, ProjectId};
use llm::ConversationPlan;

use crate::app::App;
use crate::error::OrchestratorError;
use crate::store::calls;
use crate::store::notifications::{self, Notification, Spec, ToBot};

/// As many calls as may well run in one replica. A call that is not among them is read again, nothing worse.
const KEPT: usize = 1024;

/// What a call is made of: the part of its notification that never changes.
pub(crate) struct Frozen {
    pub(crate) spec: Spec,
    pub(crate) plan: ConversationPlan,
    pub(crate) names: Names,
}

/// Whose conversation it is, as a system that is called in it is told.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) project: ProjectId,
    pub(crate) notification: NotificationId,
    pub(crate) customer: Option<CustomerId>,
    /// `None` on the LLM path.
    pub(crate) agent: Option<AgentId>,
    /// The bot that answers, where it is no notification.
    pub(crate) bot: Option<Answering>,
}

/// A call that a bot answers, as its business's system is told of it.
#[derive(Clone, Debug)]
pub(crate) struct Answering {
    pub(crate) bot: BotId,
    /// The carrier's own id of the call.
    pub(crate) call_sid: String,
    /// Who calls; `None` where it is hidden.
    pub(crate) from: Option<String>,
}

impl Frozen {
    fn of(n: Notification) -> Self {
        let from = n.known_phone().map(str::to_owned);
        let answering = |to: &ToBot| Answering { bot: to.bot, call_sid: to.part.call_sid.clone(), from };
        let names = Names {
            project: n.project_id,
            notification: n.id,
            customer: n.customer_id,
            agent: n.agent_id,
            bot: n.to_bot.as_ref().map(answering),
        };
        let plan = match (n.agent_id, n.to_bot) {
            (_, Some(ToBot { part, .. })) => ConversationPlan::Bot { goal: part.goal, context: part.context },
            (Some(_), None) => ConversationPlan::Agent,
            (None, None) => message_plan(&n.spec, n.message, n.context, n.collect_feedback),
        };
        Self { spec: n.spec, plan, names }
    }
}

/// The plan of a conversation without an agent.
pub(crate) fn message_plan(
    spec: &Spec,
    message: String,
    context: Option<String>,
    collect_feedback: bool,
) -> ConversationPlan {
    ConversationPlan::Message {
        message,
        context,
        collect_feedback,
        business_name: spec.business_name.clone(),
        business_summary: spec.business_summary.clone(),
        recipient_first_name: spec.first_name.clone(),
    }
}

/// What this replica has read.
#[derive(Clone, Default)]
pub(crate) struct FrozenSpecs(Arc<Mutex<HashMap<CallId, Arc<Frozen>>>>);

impl FrozenSpecs {
    fn get(&self, call: CallId) -> Option<Arc<Frozen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&call).cloned()
    }

    fn put(&self, call: CallId, frozen: &Arc<Frozen>) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Calls that ended in another replica are never forgotten one by one.
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(call, Arc::clone(frozen));
    }

    /// A call is over: hardly anybody asks again.
    pub(crate) fn forget(&self, call: CallId) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&call);
    }
}

/// What a call is made of, from memory or from the table.
pub(crate) async fn of(app: &App, call: CallId) -> Result<Arc<Frozen>, OrchestratorError> {
    if let Some(frozen) = app.frozen.get(call) {
        return Ok(frozen);
    }
    let notification = app
        .platform
        .database
        .read(move |db| {
            let row = calls::find(db, call)?.ok_or(OrchestratorError::NotFound("call"))?;
            notifications::find(db, row.project_id, row.notification_id)?
                .ok_or(OrchestratorError::NotFound("notification"))
        })
        .await?;
    let frozen = Arc::new(Frozen::of(notification));
    app.frozen.put(call, &frozen);
    Ok(frozen)
}
