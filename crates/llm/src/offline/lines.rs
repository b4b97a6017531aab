//! The fixed sentences of the offline model. Reading a conversation back relies on some of them, so each
//! stands here once.

pub(crate) const NOT_CAUGHT: &str = "I am sorry, I did not catch that.";
pub(crate) const SAY_AGAIN: &str = "Could you say it again, please?";
pub(crate) const NOT_UNDERSTOOD: &str = "I am sorry, I did not understand.";
pub(crate) const STILL_THERE: &str = "Are you still there?";
pub(crate) const CANNOT_HEAR: &str = "I cannot hear you.";
pub(crate) const OF_COURSE: &str = "Of course.";
pub(crate) const PASS_ON: &str = "I will pass that on.";
pub(crate) const NOT_KNOWN: &str =
    "I do not have an answer to that, so I will pass your question on, and somebody can call you back.";
pub(crate) const CHANCE: &str = "Is there anything you would like to ask?";
pub(crate) const GO_AHEAD: &str = "Please go ahead.";
pub(crate) const ONE_MOMENT: &str = "One moment, please.";
pub(crate) const NEVER_MIND: &str = "That is all right.";
pub(crate) const THANKS: &str = "Thank you.";
pub(crate) const UNDERSTOOD: &str = "I understand.";
pub(crate) const GOODBYE: &str = "Have a nice day. Goodbye.";
pub(crate) const SILENT_END: &str =
    "I have not heard anything from you, so I will end the call here. Goodbye.";
pub(crate) const OPTED_OUT: &str = "I am sorry for the disturbance. We will not call you again. Goodbye.";
pub(crate) const WRONG_PERSON: &str =
    "I am sorry, I must have the wrong person. Please excuse the disturbance. Goodbye.";
pub(crate) const BAD_MOMENT: &str =
    "I am sorry to have caught you at a bad moment. I will pass that on. Goodbye.";
pub(crate) const OTHER_TIME: &str = "What time would work better for you?";
pub(crate) const OFFER: &str = "These times are free:";
pub(crate) const WHICH: &str = "Which of these suits you?";
pub(crate) const TAKEN: &str = "I am sorry, that time is not free.";
pub(crate) const BOOKED: &str = "Thank you. I have booked it for you:";
pub(crate) const LOOKED_UP: &str = "I have looked it up:";
pub(crate) const FOLLOW_UP: &str = "I could not settle that just now, so somebody will follow up on it.";
pub(crate) const ANYTHING_ELSE: &str = "Is there anything else I can do for you?";
pub(crate) const PASSED_ON: &str = "Thank you. I have passed that on.";
pub(crate) const CALLER_LEAVES: &str = "Thank you for calling. Goodbye.";
pub(crate) const OUTCOME: &str = "Would you like to confirm, cancel or reschedule?";
pub(crate) const FEEDBACK: &str = "Is there anything else you would like to tell us?";
