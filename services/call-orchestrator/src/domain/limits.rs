//! How long, how often, how much: every number of this service that is a rule of the product, each with its reason. None
//! is an operator's setting, unless it says so. What only tunes the machine (page sizes, caches, polling) stands where it is used.

use std::time::Duration;

use chrono::TimeDelta;

// ---- Ringing.

/// How long a phone may ring, seconds: six to eight rings, and less than most mailboxes take to pick up.
pub const RING_TIMEOUT_SECONDS: u32 = 40;
/// An accepted wish to dial is of no use after this long: the rules were asked then, and may say otherwise by now.
pub const DIAL_BEFORE: TimeDelta = TimeDelta::seconds(30);
/// Calls of one project that may be alive at the same time where it has set nothing else: one project must not take the
/// lines of the others.
pub const MAX_CONCURRENT_CALLS: u32 = 10;
/// How soon a notification that waits for a free call looks again: the wake-up at a call's end may have been lost.
pub const LOOK_AGAIN: TimeDelta = TimeDelta::seconds(5);
/// The pause before the rules run again when the bridge was too late to dial: it was away, and may be still.
pub const WAIT_AFTER_LATE: TimeDelta = TimeDelta::seconds(1);
/// The pause before the rules run again when another call to the number is alive: no call is over in less.
pub const WAIT_AFTER_LINE_BUSY: TimeDelta = TimeDelta::seconds(15);
/// How long after it became due a notification without `expires_at` is given up: yesterday's news is not worth a call.
pub const EXPIRES_AFTER: TimeDelta = TimeDelta::hours(24);

// ---- Ringing again.

/// Most attempts that a retry policy may ask for: more is harassment.
pub const MAX_ATTEMPTS: u32 = 5;
/// Longest pause between two attempts, seconds: a day, as long as a notification lives by default.
pub const MAX_DELAY_SECONDS: u32 = 86_400;
/// The pause when a policy names none, seconds: long enough for a conversation on a busy line to end.
pub const DEFAULT_DELAY_SECONDS: u32 = 300;

// ---- One turn.

/// How long a turn may go without a sign of life from the replica that answers it, before another takes over: as much
/// silence as a caller bears beside the bridge's fillers.
pub const TURN_LEASE: Duration = Duration::from_secs(3);
/// How often the replica that answers a turn gives a sign of life: two may be lost before the lease is.
pub const TURN_HEARTBEAT: Duration = Duration::from_secs(1);
/// Time for the model's whole answer to one turn: whoever waits longer has hung up.
pub const TURN_DEADLINE: Duration = Duration::from_secs(20);
/// Nobody waits longer than this in one request for a sentence: longer than [`TURN_DEADLINE`], so that its end is heard.
pub const MAX_PATIENCE: Duration = Duration::from_secs(25);
/// Bytes of an answer after which nobody listens any more: about two minutes of speech. What comes after is not spoken.
pub const LONGEST_ANSWER: usize = 2_000;
/// Characters of what was heard in one turn that are kept: more than anybody says in one go.
pub const MAX_HEARD_CHARS: usize = 4_000;

// ---- What an agent may call.

/// Most tools of an agent: each costs the model attention in every turn.
pub const MAX_TOOLS: usize = 20;
/// Calls of tools in one turn: somebody waits on the line.
pub const MAX_TOOL_CALLS_A_TURN: usize = 5;
/// Calls of tools in one conversation: one that needs more goes in circles.
pub const MAX_TOOL_CALLS_A_CALL: usize = 20;
/// Characters of a tool's answer that the model is handed: more than can be told on the phone.
pub const MAX_TOOL_RESULT_CHARS: usize = 4_000;
/// Most free times that a notification may bring: nobody listens to more.
pub const MAX_SLOTS: usize = 50;
/// Characters of the line that discloses an automated call: longer ones are cut, for somebody waits to speak.
pub const MAX_DISCLOSURE_CHARS: usize = 500;

// ---- Documents that answer questions.

/// Milliseconds for looking something up: a search takes some, and nobody hears a third of a second. Later, the turn goes on without. This
/// is a setting: a search may be far away.
pub const SEARCH_DEADLINE_MS: u64 = 300;
/// Time for the search that only has the index built, while it rings.
pub const WARM_DEADLINE: Duration = Duration::from_secs(10);
/// Passages that the model is handed: more is no help for one or two sentences.
pub const PASSAGES: u32 = 4;
/// Characters of what was heard that are asked, as many as a search takes.
pub const MAX_QUESTION_CHARS: usize = 500;
/// Questions of one call that somebody is told of: whoever calls back hears the rest.
pub const UNANSWERED_A_CALL: usize = 3;
/// Bytes of the conversation that are told with one: the end of it matters.
pub const MAX_TOLD_BYTES: usize = 64 * 1024;

// ---- Calls to bots.

/// Calls of one caller to bots of one project at the same time: a household shares a number, a machine that rings for ever does too.
/// Callers who hide their number count as one of each bot. This and the two below are settings: who tries a bot rings it often.
pub const BOT_CALLS_OF_CALLER: u32 = 3;
/// Calls of one caller in an hour: nobody books more tables than that.
pub const BOT_CALLS_OF_CALLER_AN_HOUR: u32 = 20;
/// Calls of one bot at the same time: what a stranger can make it cost has an end.
pub const BOT_CALLS: u32 = 20;
/// The window of [`BOT_CALLS_OF_CALLER_AN_HOUR`]. No call to a bot is alive for longer.
pub const AN_HOUR: TimeDelta = TimeDelta::hours(1);
/// Longest call to a bot, seconds: whoever needs longer needs a person.
pub const BOT_CALL_SECONDS: u32 = 1_800;
/// Characters of what a business's system lets its bot say: half a minute.
pub const MAX_SAID_CHARS: usize = 600;
/// Characters of the conversation that a business's system is told: with what stands around it, far less than the dispatcher takes.
pub const MAX_HISTORY_CHARS: usize = 30_000;
/// Most things that are kept of what a caller said: more than anybody asks for on the phone.
pub const MAX_COLLECTED: usize = 30;
/// Characters of one of them.
pub const MAX_COLLECTED_CHARS: usize = 500;
/// Characters of its name.
pub const MAX_COLLECTED_NAME_CHARS: usize = 40;

// ---- A conversation.

/// A conversation of this many turns goes in circles.
pub const MAX_TURNS: u32 = 200;
/// Turns in a row in which the model fails after which the agent says goodbye: one apology may be enough, two are not.
pub const FAILURES: usize = 2;
/// How often a silent customer is asked again before the goodbye: once may be a bad line.
pub const ASK_AGAIN_AT_MOST: u32 = 2;
/// How often in a row the customer is asked to repeat; the next text is taken as it is, for it will not get clearer.
pub const ASK_TO_REPEAT_AT_MOST: u32 = 2;
/// Speech that was recognised with less confidence than this is not taken for what was said. Carriers do not
/// promise the number: where it is absent, or exactly zero, the text is believed.
pub const LOW_CONFIDENCE: f32 = 0.4;

// ---- A conversation in writing.

/// Most utterances of a conversation that is tried in writing: as many as a long call has.
pub const MAX_SIMULATED: usize = 100;

// ---- The end.

/// How long the bridge may leave a wish to dial unanswered. It has its own, shorter limit for dialling: this is for a bridge
/// that is away, and whose refusal would bring the rules back.
pub const UNANSWERED: TimeDelta = TimeDelta::hours(1);
/// How long beyond its limits a call may be without a final report, and how long a stop may take: the carrier sends its
/// reports again for minutes.
pub const GRACE: TimeDelta = TimeDelta::minutes(5);
/// A withdrawal from before this long has met its notification or never will: a message is tried for less.
pub const WITHDRAWN_FOR: TimeDelta = TimeDelta::hours(48);
/// Time for reading the result out of a conversation, each of two tries: a webhook is waited for, but not by a caller.
pub const EXTRACT_DEADLINE: Duration = Duration::from_secs(20);
/// Time for holding one result against its schema: it takes a millisecond unless somebody means harm.
pub const CHECK_DEADLINE: Duration = Duration::from_secs(5);
/// How long a summary is one replica's alone: longer than two extractions and the checks of their results take.
pub const SUMMARY_LEASE: Duration = Duration::from_secs(90);

/// Days that personal data is kept where the project has set nothing else: a season of looking back.
pub const RETENTION_DAYS: u32 = 90;

// ---- What a notification may bring.

/// Most variables: as many as a prompt can sensibly name.
pub const MAX_VARIABLES: usize = 64;
/// Longest value of one, in characters: a paragraph.
pub const MAX_VALUE_CHARS: usize = 2_000;
/// Longest prompt before its variables are filled in, in characters.
pub const MAX_TEMPLATE_CHARS: usize = 32_000;
/// Longest prompt afterwards, in characters: values may repeat, a model's window does not grow.
pub const MAX_RENDERED_CHARS: usize = 256_000;
