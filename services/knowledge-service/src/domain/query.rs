//! A question that can be looked up: checked once, at the door.

use contracts::knowledge::SearchRequest;
use contracts::rpc::RpcError;

/// The longest question, in characters.
const LONGEST_QUESTION: usize = 500;
/// The most passages that one answer carries.
const MOST_PASSAGES: u32 = 50;

/// The tenant: whose documents are asked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AppId(String);

impl AppId {
    pub(crate) fn parse(text: &str) -> Result<Self, RpcError> {
        let text = text.trim();
        if text.is_empty() {
            return Err(invalid("app_id", "is empty: name the app whose documents are asked"));
        }
        // PostgreSQL keeps no NUL in a text, and no app was ever given one.
        if text.contains('\0') {
            return Err(invalid("app_id", "holds a NUL character: no app id does"));
        }
        Ok(Self(text.to_owned()))
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A question to the documents of one app: 1–500 characters, for 1–50 passages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) app_id: AppId,
    pub(crate) question: String,
    pub(crate) limit: usize,
}

impl TryFrom<SearchRequest> for Query {
    type Error = RpcError;

    fn try_from(request: SearchRequest) -> Result<Self, RpcError> {
        let app_id = AppId::parse(&request.app_id)?;
        let question = request.question.trim().to_owned();
        let length = question.chars().count();
        if !(1..=LONGEST_QUESTION).contains(&length) {
            let problem = format!("has {length} characters: give 1 to {LONGEST_QUESTION}");
            return Err(invalid("question", problem));
        }
        if !(1..=MOST_PASSAGES).contains(&request.limit) {
            let problem = format!("is {}: give 1 to {MOST_PASSAGES}", request.limit);
            return Err(invalid("limit", problem));
        }
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        Ok(Self { app_id, question, limit })
    }
}

pub(crate) fn invalid(field: &str, problem: impl Into<String>) -> RpcError {
    RpcError::Invalid { field: field.to_owned(), problem: problem.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(app_id: &str, question: &str, limit: u32) -> SearchRequest {
        SearchRequest { app_id: app_id.to_owned(), question: question.to_owned(), limit }
    }

    fn refused_field(request: SearchRequest) -> Option<String> {
        match Query::try_from(request) {
            Err(RpcError::Invalid { field, .. }) => Some(field),
            _ => None,
        }
    }

    #[test]
    fn a_question_within_the_limits_is_taken() {
        for (question, limit) in
            [("?", 1), (&*"é".repeat(500), 50), (&*format!("  {}\n", "x".repeat(500)), 5)]
        {
            let query = Query::try_from(request(" app ", question, limit)).unwrap();
            assert_eq!(query.app_id.as_str(), "app");
        }
    }

    #[test]
    fn an_app_that_is_not_named_is_refused() {
        for app_id in ["", "  ", "a\0b"] {
            assert_eq!(refused_field(request(app_id, "when?", 5)).as_deref(), Some("app_id"), "{app_id:?}");
        }
    }

    #[test]
    fn a_question_is_counted_in_characters_without_the_space_around_it() {
        for question in ["", " \n\t ", &*"é".repeat(501)] {
            let field = refused_field(request("app", question, 5));
            assert_eq!(field.as_deref(), Some("question"), "{question:?}");
        }
    }

    #[test]
    fn a_limit_of_none_or_too_many_is_refused_and_says_what_is_right() {
        for limit in [0, 51, u32::MAX] {
            let error = Query::try_from(request("app", "when?", limit)).unwrap_err();
            assert_eq!(error.to_string(), format!("invalid: limit: is {limit}: give 1 to 50"));
        }
    }
}
