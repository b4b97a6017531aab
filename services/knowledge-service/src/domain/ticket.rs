//! A question for a person: what is to be opened, checked once at the door, and when two of them are one.

use common::crypto::sha256_hex;
use contracts::calls::QuestionUnanswered;
use contracts::ids::SourceId;
use contracts::knowledge::OpenTicketRequest;
use contracts::rpc::RpcError;
use unicode_segmentation::UnicodeSegmentation as _;
use uuid::Uuid;

use super::query::{AppId, invalid};
use super::question::id;
use super::transcript::{self, Line};

/// The longest question, in characters.
pub(crate) const LONGEST_QUESTION: usize = 4_000;
/// The longest address of a page, in characters.
const LONGEST_URL: usize = 2_048;
/// The longest address that mail can be sent to (RFC 5321, section 4.5.3.1.3).
const LONGEST_EMAIL: usize = 254;

/// How far a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Open,
    Pending,
    Resolved,
}

impl Status {
    /// # Errors
    /// `status` is invalid.
    pub(crate) fn parse(text: &str) -> Result<Self, RpcError> {
        let all = [Self::Open, Self::Pending, Self::Resolved];
        let wrong = || invalid("status", "is none of open, pending, resolved");
        all.into_iter().find(|status| status.name() == text).ok_or_else(wrong)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Pending => "pending",
            Self::Resolved => "resolved",
        }
    }
}

/// A passage that was found for the last question before a ticket.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Trace {
    pub(crate) source: SourceId,
    pub(crate) title: String,
    /// Empty: from nowhere.
    pub(crate) url: String,
    pub(crate) score: f64,
    pub(crate) text: String,
}

/// A ticket that somebody wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wish {
    pub(crate) app: AppId,
    pub(crate) id: Uuid,
    pub(crate) email: Option<String>,
    pub(crate) phone: Option<String>,
    /// None: the last one of the conversation.
    pub(crate) question: Option<String>,
    pub(crate) url: Option<String>,
    /// Oldest first; none: the conversation's, if there is one.
    pub(crate) history: Vec<Line>,
    pub(crate) conversation: Option<Uuid>,
}

impl TryFrom<OpenTicketRequest> for Wish {
    type Error = RpcError;

    fn try_from(request: OpenTicketRequest) -> Result<Self, RpcError> {
        let app = AppId::parse(&request.app_id)?;
        let conversation = match request.conversation_id.as_str() {
            "" => None,
            given => Some(id("conversation_id", given)?),
        };
        Ok(Self {
            app,
            id: id("ticket_id", &request.ticket_id)?,
            email: given(&request.email, email)?,
            phone: given(&request.phone, phone)?,
            question: match conversation {
                Some(_) => given(&request.question, question)?,
                None => Some(question(&request.question)?),
            },
            url: given(&request.url, |text| within("url", text, LONGEST_URL))?,
            history: transcript::told(request.history)?,
            conversation,
        })
    }
}

/// A question of a call. Its id is the same however often the question is told.
impl TryFrom<QuestionUnanswered> for Wish {
    type Error = RpcError;

    fn try_from(told: QuestionUnanswered) -> Result<Self, RpcError> {
        Ok(Self {
            app: AppId::parse(&told.app_id)?,
            id: id_of_turn((&told.call_id, told.turn), told.at_ms),
            email: None,
            // The carrier's word for the caller's number, which it may withhold.
            phone: phone(told.phone.trim()).ok(),
            question: Some(question(&told.question)?),
            url: None,
            history: transcript::of_call(&told.transcript),
            conversation: None,
        })
    }
}

/// Whether two questions are the same but for case, space and punctuation.
pub(crate) fn same_question(one: &str, other: &str) -> bool {
    words(one) == words(other)
}

/// A `UUIDv7` of the moment of the question, with what names its turn in place of the random bits.
fn id_of_turn((call, turn): (&str, u32), at_ms: i64) -> Uuid {
    let digest = sha256_hex(format!("{call}/{turn}").as_bytes());
    let random = u128::from_str_radix(digest.get(..32).unwrap_or_default(), 16).unwrap_or_default();
    let time = u128::from(at_ms.unsigned_abs()) << 80;
    let (high, rest) = (random >> 64 & 0xfff, random & (u128::MAX >> 66));
    Uuid::from_u128(time | 0x7 << 76 | high << 64 | 0b10 << 62 | rest)
}

/// Without control characters: not every database keeps all of them, and mails are made of these texts.
pub(crate) fn printable(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn words(text: &str) -> String {
    let text = text.to_lowercase();
    let words: Vec<&str> = text.unicode_words().collect();
    if words.is_empty() { text.split_whitespace().collect() } else { words.join(" ") }
}

fn question(text: &str) -> Result<String, RpcError> {
    let text = printable(text).trim().to_owned();
    match text.chars().count() {
        1..=LONGEST_QUESTION => Ok(text),
        length => {
            let problem = format!("has {length} characters: give 1 to {LONGEST_QUESTION}");
            Err(invalid("question", problem))
        }
    }
}

/// None where nothing is given.
fn given<T>(text: &str, read: impl Fn(&str) -> Result<T, RpcError>) -> Result<Option<T>, RpcError> {
    let text = text.trim();
    if text.is_empty() { Ok(None) } else { read(text).map(Some) }
}

fn within(field: &str, text: &str, most: usize) -> Result<String, RpcError> {
    if text.contains(char::is_control) {
        return Err(invalid(field, "holds control characters"));
    }
    match text.chars().count() {
        length if length > most => {
            Err(invalid(field, format!("has {length} characters: give at most {most}")))
        }
        _ => Ok(text.to_owned()),
    }
}

/// In lower case: it is the same person however they write it. Whether mail reaches it is seen when some is sent; here it must only
/// not be mistaken for anything else.
fn email(text: &str) -> Result<String, RpcError> {
    let text = within("email", text, LONGEST_EMAIL)?;
    let plain = |part: &str| {
        !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "()<>[],;:\\\"@".contains(c))
    };
    match text.split_once('@') {
        Some((local, domain)) if plain(local) && plain(domain) => Ok(text.to_lowercase()),
        _ => Err(invalid("email", "must be an e-mail address such as you@example.com")),
    }
}

fn phone(text: &str) -> Result<String, RpcError> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let possible = (7..=15).contains(&digits.len())
        && !digits.starts_with('0')
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    let wrong = || invalid("phone", "must be in E.164 form: + and 7 to 15 digits, such as +14155552671");
    possible.then(|| text.to_owned()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> OpenTicketRequest {
        OpenTicketRequest {
            app_id: "app".to_owned(),
            ticket_id: Uuid::now_v7().to_string(),
            question: "Do you ship?".to_owned(),
            ..OpenTicketRequest::default()
        }
    }

    #[test]
    fn what_is_no_ticket_is_refused_by_its_field() {
        type Change = fn(&mut OpenTicketRequest);
        let wrong: [(&str, Change); 11] = [
            ("app_id", |r| r.app_id.clear()),
            ("ticket_id", |r| r.ticket_id = "7".to_owned()),
            ("question", |r| r.question = " \0".to_owned()),
            ("question", |r| r.question = "é".repeat(LONGEST_QUESTION + 1)),
            ("email", |r| r.email = "nobody".to_owned()),
            ("email", |r| r.email = "a@b.example\nBcc: c@d.example".to_owned()),
            ("email", |r| r.email = "a@b@c".to_owned()),
            ("phone", |r| r.phone = "0301234567".to_owned()),
            ("url", |r| r.url = "u".repeat(LONGEST_URL + 1)),
            ("conversation_id", |r| r.conversation_id = "mine".to_owned()),
            ("history", |r| r.history = vec![Default::default()]),
        ];
        for (refused, change) in wrong {
            let mut request = request();
            change(&mut request);
            let Err(RpcError::Invalid { field, .. }) = Wish::try_from(request) else { panic!("{refused}") };
            assert_eq!(field, refused);
        }
        let mut longest = request();
        longest.question = "é".repeat(LONGEST_QUESTION);
        longest.url = "é".repeat(LONGEST_URL);
        (longest.email, longest.phone) = (" You@Example.com ".to_owned(), "+14155552671".to_owned());
        let wish = Wish::try_from(longest).unwrap();
        assert_eq!(wish.email.as_deref(), Some("you@example.com"));
    }

    #[test]
    fn a_status_has_one_of_three_names() {
        for name in ["open", "pending", "resolved"] {
            assert_eq!(Status::parse(name).unwrap().name(), name);
        }
        assert!(Status::parse("").is_err() && Status::parse("Open").is_err());
    }

    #[test]
    fn a_question_of_a_call_always_has_the_same_id_and_stands_at_its_time() {
        let told = QuestionUnanswered {
            app_id: "app".to_owned(),
            call_id: Uuid::now_v7().to_string(),
            turn: 3,
            question: "Do you ship?".to_owned(),
            phone: "anonymous".to_owned(),
            at_ms: 1_700_000_000_123,
            ..QuestionUnanswered::default()
        };
        let id = |told: &QuestionUnanswered| Wish::try_from(told.clone()).unwrap().id;
        let one = id(&told);
        assert_eq!(one, id(&told));
        assert_eq!((one.get_version_num(), one.get_variant()), (7, uuid::Variant::RFC4122));
        assert_eq!(one.get_timestamp().unwrap().to_unix(), (1_700_000_000, 123_000_000));
        assert_ne!(one, id(&QuestionUnanswered { turn: 4, ..told.clone() }));
        assert!(one < id(&QuestionUnanswered { at_ms: told.at_ms + 1, ..told.clone() }));
        assert_eq!(Wish::try_from(told).unwrap().phone, None);
    }

    #[test]
    fn a_question_is_the_same_whatever_its_case_and_punctuation() {
        assert!(same_question("Do you  ship?", "do you ship"));
        assert!(!same_question("Do you ship?", "Do you ship to Iceland?"));
        assert!(same_question("? ?", "??") && !same_question("?", "!"));
    }
}
