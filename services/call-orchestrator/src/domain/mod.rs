//! The rules of a notification, a call and a turn: pure, so that every one of them can be read and tested
//! without a database, a clock or a network. Times, policies and what was heard are arguments; decisions and
//! effects are results.
//!
//! | module | decides |
//! | --- | --- |
//! | [`notification`] | when a call is made for a notification, again or not, and how it ends |
//! | [`retry`] | which endings are worth another attempt, and when |
//! | [`call`] | what a report about a call means: states, events, what the carrier is told |
//! | [`exchange`] | whether a person has answered, or perhaps only a machine's greeting |
//! | [`reaping`] | when a call should be over, whatever its reports say |
//! | [`ended_reason`] | the words for why something ended, and what they mean for the notification |
//! | [`turn`] | who may answer a turn, and what a request for one sentence gets |
//! | [`countries`] | which country a number belongs to, and whether the operator lets it be rung |
//! | [`policy`] | what a project has set, and what is known about a customer |
//! | [`calling_hours`] | when somebody may be rung by their own clock, and when again |
//! | [`rules`] | whether a number may be rung now, later or not at all |
//! | [`reply`] | what a turn says by rule, and when the model is asked |
//! | [`silence`] | when to ask again, to ask to repeat, to say goodbye |
//! | [`opt_out`] | whether somebody asked not to be called any more |
//! | [`question`] | what documents are asked, and which of them an answer draws from |
//! | [`sentences`] | where a streamed answer can be cut for speaking |
//! | [`prompt`] | how variables enter a prompt, and which are missing |
//! | [`script`] | the prompt of a call that has a message and no agent |
//! | [`rehearsal`] | where a conversation stands that is held in writing |
//! | [`transcript`] | the conversation as text, for people and for extraction |
//! | [`zones`] | the day and the hour where the customer is |
//! | [`tools`] | what an agent may call while it talks, and what is not called twice |
//! | [`reschedule`] | how another time is agreed on |
//! | [`schema`] | what is learned in a call without an agent |
//! | [`result`] | the shape of a result and whether it obeys its schema |
//! | [`bot_prompt`] | what a bot that answers the phone is told |
//! | [`bot_action`] | what a bot has its business's own system do, and what the answer means |
//! | [`bot_load`] | how many calls a caller and a bot may have |
//! | [`bot_result`] | what a call to a bot has brought |
//! | [`limits`] | how long, how often, how much: the numbers |
//! | [`evidence`] | whether the customer said what a result claims |

pub mod bot_action;
pub mod bot_load;
pub mod bot_prompt;
pub mod bot_result;
pub mod call;
pub mod calling_hours;
pub mod countries;
pub mod ended_reason;
pub mod evidence;
pub mod exchange;
pub mod limits;
pub mod notification;
pub mod opt_out;
pub mod phrases;
pub mod policy;
pub mod prompt;
pub mod question;
pub mod reaping;
pub mod rehearsal;
pub mod reply;
pub mod reschedule;
pub mod result;
pub mod retry;
pub mod rules;
pub mod schema;
pub mod script;
pub mod sentences;
pub mod silence;
pub mod tools;
pub mod transcript;
pub mod turn;
pub mod zones;
