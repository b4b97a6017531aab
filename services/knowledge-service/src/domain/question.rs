//! A question that can be answered: checked once, at the door.

use contracts::knowledge::AskRequest;
use contracts::rpc::RpcError;
use uuid::Uuid;

use super::query::{AppId, invalid};

/// The longest question, in characters.
const LONGEST: usize = 5_000;

/// A question to one app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    pub(crate) app_id: AppId,
    pub(crate) answer_id: Uuid,
    pub(crate) text: String,
    /// Which it goes on with; none: a new one.
    pub(crate) conversation: Option<Uuid>,
}

impl TryFrom<AskRequest> for Question {
    type Error = RpcError;

    fn try_from(request: AskRequest) -> Result<Self, RpcError> {
        let app_id = AppId::parse(&request.app_id)?;
        let answer_id = id("answer_id", &request.answer_id)?;
        // PostgreSQL keeps no NUL in a text.
        let text = request.question.replace('\0', "").trim().to_owned();
        let length = text.chars().count();
        if !(1..=LONGEST).contains(&length) {
            let problem = format!("has {length} characters: give 1 to {LONGEST}");
            return Err(invalid("question", problem));
        }
        let conversation = match request.conversation_id.as_str() {
            "" => None,
            given => Some(id("conversation_id", given)?),
        };
        Ok(Self { app_id, answer_id, text, conversation })
    }
}

pub(crate) fn id(field: &str, text: &str) -> Result<Uuid, RpcError> {
    text.parse().map_err(|_| invalid(field, "is no UUID"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_question_is_refused_by_its_field() {
        let id = Uuid::now_v7().to_string();
        let request = |app: &str, answer: &str, question: &str, conversation: &str| AskRequest {
            app_id: app.to_owned(),
            answer_id: answer.to_owned(),
            question: question.to_owned(),
            conversation_id: conversation.to_owned(),
        };
        let long = "é".repeat(LONGEST + 1);
        for (refused, asked) in [
            ("app_id", request("", &id, "When?", "")),
            ("answer_id", request("app", "7", "When?", "")),
            ("question", request("app", &id, " \0", "")),
            ("question", request("app", &id, &long, "")),
            ("conversation_id", request("app", &id, "When?", "mine")),
        ] {
            let Err(RpcError::Invalid { field, .. }) = Question::try_from(asked) else { panic!("{refused}") };
            assert_eq!(field, refused);
        }
        assert_eq!(Question::try_from(request("app", &id, &long[2..], "")).unwrap().conversation, None);
    }
}
