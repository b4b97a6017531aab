//! What an agent is made of, and which variables its prompt asks for.

use std::collections::BTreeSet;

use contracts::variables;
use serde::{Deserialize, Serialize};

use super::reschedule::Reschedule;
use super::schema::OutputSchema;
use super::text::{Label, Prompt};
use super::tool::Tool;

/// Longest call on the agent path where the agent names none, in seconds.
pub(crate) const DEFAULT_MAX_DURATION: u32 = 600;

/// One version of an agent.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct AgentSpec {
    /// A label, never spoken.
    pub(crate) name: Label,
    /// The prompt with its `{{variables}}` in place.
    pub(crate) prompt: Prompt,
    /// What to extract after the call.
    pub(crate) schema: Option<OutputSchema>,
    /// Everything that is optional.
    pub(crate) options: AgentOptions,
}

/// What an agent may say about its calls. Kept as JSON; what is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AgentOptions {
    /// BCP-47 tag; absent means the project's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) language: Option<String>,
    /// The carrier's name for the voice; absent means the project's voice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) voice: Option<String>,
    /// A fixed first sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_message: Option<String>,
    /// Longest call, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max_duration_seconds: Option<u32>,
    /// What is left on an answering machine.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) voicemail_message: Option<String>,
    /// The person to whom a call can be handed over, E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) transfer_number: Option<String>,
    /// The app whose documents answer questions; absent means the project's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) knowledge_app_id: Option<String>,
    /// What can be called in the conversation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) tools: Vec<Tool>,
    /// Which other times may be offered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reschedule: Option<Reschedule>,
}

/// The tokens of an agent's texts that every notification has to bring values for, in alphabetical order.
pub(crate) fn required_variables(texts: &[&str]) -> Vec<String> {
    let names: BTreeSet<&str> = texts.iter().flat_map(|text| variables::required(text)).collect();
    names.into_iter().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_variables_are_the_tokens_that_nobody_else_fills() {
        let prompt = "Hi {{recipient_first_name}}, {{ doctor_name }} on {{appointment_time}} ({{doctor_name}}) at \
                      {{business_name}}, {{customer.metadata.room}} {{{clinic}}} {{unfinished";
        assert_eq!(required_variables(&[prompt]), ["appointment_time", "clinic", "doctor_name"]);
        let texts = ["{{b}} {{a}}", "Hi {{c}}, it is {{a}}", "no tokens"];
        assert_eq!(required_variables(&texts), ["a", "b", "c"]);
        assert!(required_variables(&[]).is_empty());
    }
}
