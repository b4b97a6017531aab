//! What a caller asks for: the fields of a notification, read and checked by themselves. What they name is looked up in
//! `lookup.rs`.

use contracts::ids::{AgentId, CustomerId};

use super::super::customers::NewCustomer;
use super::super::fields::{Fields, within};
use crate::domain::json::{Metadata, Variables};
use crate::domain::moment;
use crate::domain::notification::{Schedule, voicemail};
use crate::domain::phone::PhoneE164;
use crate::domain::reschedule::Reschedule;
use crate::domain::retry::Retry;
use crate::domain::text::{ExternalId, Message};

/// Longest call on the LLM path where the caller names none, in seconds.
const DEFAULT_SECONDS: u32 = 180;
/// The three ways to say who is rung.
const WAYS: [&str; 3] = ["customer_id", "customer_external_id", "customer"];

/// A notification that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(super) whom: Whom,
    pub(super) agent: Option<WantedAgent>,
    pub(super) message: Option<Message>,
    pub(super) context: Option<Message>,
    pub(super) variables: Variables,
    pub(super) collect_feedback: bool,
    pub(super) max_duration_seconds: u32,
    pub(super) metadata: Option<Metadata>,
    pub(super) dialling: Dialling,
}

/// Who is rung.
#[derive(Clone, Debug)]
pub(super) enum Whom {
    /// By our id.
    Id(CustomerId),
    /// By the integrator's own.
    ExternalId(ExternalId),
    /// Described here: somebody new, or known by the external id.
    Inline(Box<NewCustomer>),
}

/// Which agent, and in which version; without one the newest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct WantedAgent {
    pub(super) id: AgentId,
    pub(super) version: Option<u32>,
}

/// When and how it is dialled.
#[derive(Clone, Debug)]
pub(super) struct Dialling {
    pub(super) schedule: Schedule,
    pub(super) retry: Option<Retry>,
    pub(super) from: Option<PhoneE164>,
    pub(super) voicemail: Option<String>,
    pub(super) reschedule: Option<Reschedule>,
}

impl Order {
    /// Reads all fields, and says of each what is wrong with it.
    pub(crate) fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let whom = whom(fields);
        let agent = agent(fields);
        let message = fields.optional_text("message", Message::parse);
        let context = fields.optional_text("context", Message::parse);
        let variables = fields.nested("variables", Variables::parse);
        let collect_feedback = fields.flag("collect_feedback");
        let max_duration_seconds = fields.integer("max_duration_seconds", 30..=600);
        let metadata = fields.nested("metadata", Metadata::parse);
        let dialling = Dialling::read(fields);
        let silent =
            message.as_ref().is_some_and(|m| m.as_ref().is_none_or(|m| m.as_ref().trim().is_empty()));
        if silent && matches!(agent, Some(None)) {
            fields.refuse("message", "is required when there is no agent_id: it is what the call says");
        }
        Some(Self {
            whom: whom?,
            agent: agent?,
            message: message?,
            context: context?,
            variables: variables?.unwrap_or_default(),
            collect_feedback: collect_feedback?.unwrap_or(false),
            max_duration_seconds: max_duration_seconds?.unwrap_or(DEFAULT_SECONDS),
            metadata: metadata?,
            dialling: dialling?,
        })
    }
}

/// Exactly one of the three ways.
fn whom(fields: &mut Fields<'_>) -> Option<Whom> {
    let given: Vec<&str> = WAYS.into_iter().filter(|name| fields.has(name)).collect();
    match given.as_slice() {
        ["customer_id"] => fields.id("customer_id").map(Whom::Id),
        ["customer_external_id"] => {
            fields.text("customer_external_id", ExternalId::parse).map(Whom::ExternalId)
        }
        ["customer"] => {
            let new = fields.required("customer", |value| within(value, NewCustomer::read));
            new.map(|new| Whom::Inline(Box::new(new)))
        }
        [] => {
            let problem =
                "is required: or send customer_external_id, or customer with the fields of POST /customers";
            fields.refuse("customer_id", problem);
            None
        }
        [first, rest @ ..] => {
            for name in rest {
                fields.refuse(name, format!("cannot stand beside {first}: send one of the two"));
            }
            None
        }
    }
}

fn agent(fields: &mut Fields<'_>) -> Option<Option<WantedAgent>> {
    let id = fields.optional_id("agent_id");
    let version = fields.integer("agent_version", 1..=u32::MAX);
    if id == Some(None) && matches!(version, Some(Some(_))) {
        fields.refuse("agent_version", "needs an agent_id: it is the version of that agent");
    }
    let (id, version) = (id?, version?);
    Some(id.map(|id| WantedAgent { id, version }))
}

impl Dialling {
    fn read(fields: &mut Fields<'_>) -> Option<Self> {
        let scheduled_at = fields.optional_text("scheduled_at", moment::parse);
        let expires_at = fields.optional_text("expires_at", moment::parse);
        let retry = fields.nested("retry", Retry::parse);
        let from = fields.optional_text("from", PhoneE164::parse);
        let voicemail = fields.optional_text("voicemail", voicemail);
        let reschedule = fields.nested("reschedule", Reschedule::parse);
        Some(Self {
            schedule: Schedule { scheduled_at: scheduled_at?, expires_at: expires_at? },
            retry: retry?,
            from: from?,
            voicemail: voicemail?,
            reschedule: reschedule?,
        })
    }
}
