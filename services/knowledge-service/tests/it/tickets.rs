//! Questions for people: opened once and told once, each with what was said and found before it.

use std::collections::BTreeMap;
use std::time::Duration;

use contracts::calls::QuestionUnanswered;
use contracts::knowledge::{
    ChangeTicketRequest, GetTicketRequest, ListTicketsRequest, ListTicketsResponse, OpenTicketRequest,
    Ticket, TicketLine, TicketOpened,
};
use contracts::rpc::{Context, RpcError};
use testkit::broker;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;
use uuid::Uuid;

use crate::world::World;

on_both_engines!(
    a_ticket_is_opened_once_and_told_once,
    the_same_question_of_the_same_person_within_ten_minutes_is_the_same_ticket,
    too_many_are_not_opened,
    what_is_no_ticket_is_refused_by_its_field,
    nobody_sees_or_changes_a_ticket_of_another_app,
    tickets_are_listed_in_pages_newest_first,
    a_ticket_is_changed_and_keeps_what_belongs_to_it,
    a_ticket_tells_the_conversation_before_it,
    a_ticket_shows_what_was_found_when_it_was_opened,
    without_its_message_there_is_no_ticket,
    a_message_that_nobody_could_be_told_is_told_later,
    a_question_of_a_call_becomes_one_ticket_however_often_it_is_told,
    questions_that_became_tickets_are_counted,
    only_what_was_resolved_long_ago_is_removed,
);

const HOURS: &str = "# Opening hours\nWe are open from nine to five. On Sundays we are closed.";

pub(crate) fn context() -> Context {
    Context::within(Duration::from_secs(10))
}

/// A ticket of `app` from somebody who can be written to.
pub(crate) fn wish(app: &str, question: &str) -> OpenTicketRequest {
    OpenTicketRequest {
        app_id: app.to_owned(),
        ticket_id: Uuid::now_v7().to_string(),
        email: "ada@example.com".to_owned(),
        question: question.to_owned(),
        ..OpenTicketRequest::default()
    }
}

fn line(role: &str, text: &str) -> TicketLine {
    TicketLine { role: role.to_owned(), text: text.to_owned() }
}

fn not_found<T>() -> Result<T, RpcError> {
    Err(RpcError::NotFound("ticket".to_owned()))
}

impl World {
    pub(crate) async fn open_ticket(&self, wish: &OpenTicketRequest) -> Result<String, RpcError> {
        self.tickets.open_ticket(context(), wish.clone()).await.map(|opened| opened.ticket_id)
    }

    async fn opened(&self, wish: OpenTicketRequest) -> String {
        self.open_ticket(&wish).await.expect("it is opened")
    }

    async fn ticket(&self, app: &str, id: &str) -> Result<Ticket, RpcError> {
        let request = GetTicketRequest { app_id: app.to_owned(), ticket_id: id.to_owned() };
        self.tickets.get_ticket(context(), request).await
    }

    async fn set_status(&self, app: &str, id: &str, status: &str) -> Result<Ticket, RpcError> {
        let (app_id, ticket_id, status) = (app.to_owned(), id.to_owned(), status.to_owned());
        self.tickets.change_ticket(context(), ChangeTicketRequest { app_id, ticket_id, status }).await
    }

    async fn listed(
        &self,
        app: &str,
        (status, limit, after): (&str, u32, &str),
    ) -> Result<ListTicketsResponse, RpcError> {
        let (app_id, status, after_id) = (app.to_owned(), status.to_owned(), after.to_owned());
        self.tickets.list_tickets(context(), ListTicketsRequest { app_id, status, limit, after_id }).await
    }

    /// Whatever was told it has had its effect, and what it has told is on its way.
    pub(crate) async fn until_nothing_waits(&self) {
        let waiting = "SELECT (SELECT COUNT(*) FROM bus_queue) + (SELECT COUNT(*) FROM outbox) AS count";
        eventually("nothing waits", Duration::from_secs(20), || async {
            match self.count(waiting).await {
                0 => Ok(()),
                some => Err(some),
            }
        })
        .await;
    }
}

/// The tickets that somebody was told of, each once, when there are so many: whoever moves the clock may have a message delivered again.
async fn told_of(world: &World, count: usize) -> BTreeMap<String, TicketOpened> {
    world.until_nothing_waits().await;
    eventually("tickets are told", Duration::from_secs(20), || async {
        let told = world.neighbour().told(0).await.into_iter();
        let told: BTreeMap<_, _> = told.map(|opened| (opened.ticket_id.clone(), opened)).collect();
        if told.len() >= count { Ok(told) } else { Err(told) }
    })
    .await
}

async fn a_ticket_is_opened_once_and_told_once(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    let mut wanted = wish("app", "Do you ship to Iceland?");
    wanted.url = "https://shop.example/cart".to_owned();
    wanted.history = vec![line("user", "Hi,\nAI: it is free"), line("assistant", "Hello!")];
    for _ in 0..2 {
        assert_eq!(world.opened(wanted.clone()).await, wanted.ticket_id);
    }
    // The same id under which something else is asked is the same ticket too.
    assert_eq!(
        world.opened(OpenTicketRequest { question: "What?".to_owned(), ..wanted.clone() }).await,
        wanted.ticket_id
    );
    let last = world.opened(wish("app", "The last one")).await;
    let told = world.neighbour().told(2).await;
    assert_eq!((told.len(), told[1].ticket_id.as_str()), (2, last.as_str()));
    let ticket = world.ticket("app", &wanted.ticket_id).await.expect("it is there");
    assert_eq!(
        (told[0].app_id.as_str(), told[0].ticket_id.as_str(), told[0].email.as_str(), told[0].phone.as_str()),
        ("app", wanted.ticket_id.as_str(), "ada@example.com", "")
    );
    assert_eq!((&told[0].question, &told[0].url), (&wanted.question, &wanted.url));
    assert_eq!(told[0].transcript, "Customer: Hi, AI: it is free\nAI: Hello!");
    assert_eq!((told[0].at_ms, ticket.updated_at_ms), (ticket.created_at_ms, ticket.created_at_ms));
    assert_eq!((ticket.status.as_str(), ticket.transcript), ("open", wanted.history));
    assert_eq!((ticket.email, ticket.question, ticket.url), (wanted.email, wanted.question, wanted.url));
    world.stop().await;
}

async fn the_same_question_of_the_same_person_within_ten_minutes_is_the_same_ticket(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    let first = world.opened(wish("app", "Do you ship to Iceland?")).await;
    let again =
        OpenTicketRequest { email: "Ada@Example.com".to_owned(), ..wish("app", "do you ship to  iceland") };
    assert_eq!(world.opened(again.clone()).await, first);
    let by_phone = OpenTicketRequest {
        email: String::new(),
        phone: "+14155552671".to_owned(),
        ..wish("app", "Do you ship to Iceland?")
    };
    let second = world.opened(by_phone.clone()).await;
    assert_ne!(second, first, "nobody knows that it is the same person");
    assert_eq!(
        world.opened(OpenTicketRequest { ticket_id: Uuid::now_v7().to_string(), ..by_phone }).await,
        second
    );
    let another =
        OpenTicketRequest { email: "bob@example.com".to_owned(), ..wish("app", "Do you ship to Iceland?") };
    let nobody = OpenTicketRequest { email: String::new(), ..wish("app", "Do you ship to Iceland?") };
    for other in
        [another, nobody, wish("app", "Do you ship to Oslo?"), wish("other", "Do you ship to Iceland?")]
    {
        assert_eq!(world.opened(other.clone()).await, other.ticket_id);
    }
    world.clock.advance(Duration::from_secs(601));
    let later = OpenTicketRequest { ticket_id: Uuid::now_v7().to_string(), ..again };
    assert_eq!(world.opened(later.clone()).await, later.ticket_id);
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM tickets").await, 7);
    assert_eq!(told_of(&world, 7).await.len(), 7);
    world.stop().await;
}

async fn too_many_are_not_opened(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    let refused = |answer: Result<String, RpcError>| match answer {
        Err(RpcError::Conflict { code, .. }) => code == "ticket_limit_reached",
        _ => false,
    };
    for n in 0..30 {
        world.opened(wish("app", &format!("Question {n}"))).await;
    }
    assert!(refused(world.open_ticket(&wish("app", "One more")).await));
    // Another one may, and so may this one in an hour.
    let another =
        |question| OpenTicketRequest { email: "bob@example.com".to_owned(), ..wish("app", question) };
    world.opened(another("Mine")).await;
    world.clock.advance(Duration::from_secs(3_601));
    world.opened(wish("app", "One more")).await;
    let id = match engine {
        Engine::Sqlite => "printf('00000000-0000-7000-8000-%012d', n)",
        Engine::Postgres => "CAST('00000000-0000-7000-8000-' || lpad(CAST(n AS TEXT), 12, '0') AS UUID)",
    };
    // In all there are 10,000 that wait: what is resolved does not count.
    let fill = format!(
        "INSERT INTO tickets (app_id, id, status, question, created_at, updated_at) \
         WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 9978) \
         SELECT 'app', {id}, CASE WHEN n <= 10 THEN 'resolved' WHEN n <= 20 THEN 'pending' ELSE 'open' END, 'q', \
         (SELECT MIN(created_at) FROM tickets), (SELECT MIN(created_at) FROM tickets) FROM numbers"
    );
    world.change(fill).await;
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM tickets WHERE status <> 'resolved'").await, 10_000);
    assert!(refused(world.open_ticket(&another("Too many")).await));
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM tickets WHERE question = 'Too many'").await, 0);
    world
        .set_status("app", "00000000-0000-7000-8000-000000000011", "resolved")
        .await
        .expect("it is resolved");
    world.opened(another("Not too many")).await;
    world.opened(wish("other", "Not too many here")).await;
    world.stop().await;
}

async fn what_is_no_ticket_is_refused_by_its_field(engine: Engine) {
    let world = World::start(engine).await;
    let whole = || wish("app", "Do you ship?");
    let wrong = [
        ("app_id", OpenTicketRequest { app_id: String::new(), ..whole() }),
        ("ticket_id", OpenTicketRequest { ticket_id: "mine".to_owned(), ..whole() }),
        ("email", OpenTicketRequest { email: "ada".to_owned(), ..whole() }),
        ("phone", OpenTicketRequest { phone: "911".to_owned(), ..whole() }),
        ("question", OpenTicketRequest { question: " ".to_owned(), ..whole() }),
        ("question", OpenTicketRequest { question: "é".repeat(4_001), ..whole() }),
        ("url", OpenTicketRequest { url: "u".repeat(2_049), ..whole() }),
        ("history", OpenTicketRequest { history: vec![line("user", "Hi"); 101], ..whole() }),
        ("conversation_id", OpenTicketRequest { conversation_id: "mine".to_owned(), ..whole() }),
    ];
    for (expected, wish) in wrong {
        let answer = world.open_ticket(&wish).await;
        let Err(RpcError::Invalid { field, .. }) = answer else { panic!("{expected}: {answer:?}") };
        assert_eq!(field, expected);
    }
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM tickets").await, 0);
    // The longest of everything is taken.
    let long = OpenTicketRequest {
        question: "𝄞".repeat(4_000),
        url: "é".repeat(2_048),
        history: vec![line("user", &"𝄞".repeat(4_000)); 100],
        ..whole()
    };
    let id = world.opened(long.clone()).await;
    assert_eq!(world.ticket("app", &id).await.expect("it is there").transcript, long.history);
    world.stop().await;
}

async fn nobody_sees_or_changes_a_ticket_of_another_app(engine: Engine) {
    let world = World::start(engine).await;
    let wanted = wish("app", "Do you ship?");
    let id = world.opened(wanted.clone()).await;
    for (app, id) in [("other", id.as_str()), ("app", "mine"), ("app", &Uuid::now_v7().to_string())] {
        assert_eq!(world.ticket(app, id).await, not_found());
        assert_eq!(world.set_status(app, id, "resolved").await, not_found());
    }
    assert_eq!(world.listed("other", ("", 10, "")).await.expect("a page").tickets, []);
    // The same id is another ticket in another app.
    let others = OpenTicketRequest { question: "Do you?".to_owned(), app_id: "other".to_owned(), ..wanted };
    assert_eq!(world.opened(others).await, id);
    world.set_status("other", &id, "resolved").await.expect("it is resolved");
    let own = world.ticket("app", &id).await.expect("it is there");
    assert_eq!((own.question.as_str(), own.status.as_str()), ("Do you ship?", "open"));
    world.stop().await;
}

async fn tickets_are_listed_in_pages_newest_first(engine: Engine) {
    let world = World::start(engine).await;
    let mut ids = Vec::new();
    for question in ["one", "two", "three"] {
        let history = vec![line("user", question)];
        ids.push(world.opened(OpenTicketRequest { history, ..wish("app", question) }).await);
    }
    let questions =
        |page: &ListTicketsResponse| page.tickets.iter().map(|t| t.question.clone()).collect::<Vec<_>>();
    let first = world.listed("app", ("", 2, "")).await.expect("a page");
    assert_eq!((questions(&first), &first.next_after_id), (vec!["three".into(), "two".into()], &ids[1]));
    assert!(first.tickets.iter().all(|ticket| ticket.transcript.is_empty()));
    let second = world.listed("app", ("", 2, &first.next_after_id)).await.expect("a page");
    assert_eq!((questions(&second), second.next_after_id.as_str()), (vec!["one".into()], ""));
    world.set_status("app", &ids[1], "pending").await.expect("it is changed");
    for (status, expected) in [("open", vec!["three", "one"]), ("pending", vec!["two"]), ("resolved", vec![])]
    {
        assert_eq!(questions(&world.listed("app", (status, 10, "")).await.expect("a page")), expected);
    }
    for (expected, page) in [("status", ("closed", 10, "")), ("after_id", ("", 10, "mine"))] {
        let answer = world.listed("app", page).await;
        let Err(RpcError::Invalid { field, .. }) = answer else { panic!("{expected}: {answer:?}") };
        assert_eq!(field, expected);
    }
    world.stop().await;
}

async fn a_ticket_is_changed_and_keeps_what_belongs_to_it(engine: Engine) {
    let world = World::start(engine).await;
    let history = vec![line("system", "They came from the cart.")];
    let id =
        world.opened(OpenTicketRequest { history: history.clone(), ..wish("app", "Do you ship?") }).await;
    world.clock.advance(Duration::from_secs(60));
    let resolved = world.set_status("app", &id, "resolved").await.expect("it is resolved");
    assert_eq!((resolved.status.as_str(), &resolved.transcript), ("resolved", &history));
    assert!(resolved.updated_at_ms >= resolved.created_at_ms + 60_000);
    world.clock.advance(Duration::from_secs(60));
    assert_eq!(world.set_status("app", &id, "resolved").await.expect("it is the same"), resolved);
    let answer = world.set_status("app", &id, "closed").await;
    assert!(matches!(&answer, Err(RpcError::Invalid { field, .. }) if field == "status"), "{answer:?}");
    assert_eq!(world.ticket("app", &id).await.expect("it is there"), resolved);
    world.stop().await;
}

async fn a_ticket_tells_the_conversation_before_it(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    for app in ["app", "other"] {
        world.tell(app, "https://shop.example/hours", HOURS).await.expect("it is taken in");
    }
    let first = world.answer("app", "When are you open?", "").await;
    let conversation = first.begun.as_ref().expect("it began").conversation_id.clone();
    let second = world.answer("app", "Was kostet ein Einhorn?", &conversation).await;
    let said = [
        line("user", "When are you open?"),
        line("assistant", &first.text),
        line("user", "Was kostet ein Einhorn?"),
        line("assistant", &second.text),
    ];
    let of =
        |app, question| OpenTicketRequest { conversation_id: conversation.clone(), ..wish(app, question) };
    let id = world.opened(of("app", "Are you closed on Sundays?")).await;
    let ticket = world.ticket("app", &id).await.expect("it is there");
    assert_eq!((ticket.transcript.as_slice(), &ticket.conversation_id), (said.as_slice(), &conversation));
    let told = &world.neighbour().told(1).await[0];
    let expected = format!("AI: {}", second.text.split_whitespace().collect::<Vec<_>>().join(" "));
    assert!(told.transcript.starts_with("Customer: When are you open?\nAI: "), "{}", told.transcript);
    assert_eq!(told.transcript.lines().last(), Some(expected.as_str()));
    // Where nothing was found for its last question, what the ticket asks is not looked up.
    let unicorn = world.answer("app", "Was kostet ein Einhorn?", "").await.begun.expect("it began");
    let id = world
        .opened(OpenTicketRequest {
            conversation_id: unicorn.conversation_id,
            ..wish("app", "So are you closed on Sundays?")
        })
        .await;
    assert_eq!(world.ticket("app", &id).await.expect("it is there").trace, []);
    // What is told counts before what was kept.
    let history = vec![line("user", "Hello?")];
    let id = world.opened(OpenTicketRequest { history: history.clone(), ..of("app", "Hello?") }).await;
    assert_eq!(world.ticket("app", &id).await.expect("it is there").transcript, history);
    // Where nothing is asked, it is the last question of the conversation.
    let id = world.opened(of("app", "")).await;
    let last = world.ticket("app", &id).await.expect("it is there");
    assert_eq!(
        (last.question.as_str(), last.transcript.as_slice()),
        ("Was kostet ein Einhorn?", said.as_slice())
    );
    assert_eq!(world.opened(of("app", " ")).await, id);
    // Whoever does not say who they are is known by their conversation.
    let unnamed = || OpenTicketRequest { email: String::new(), ..of("app", "") };
    let id = world.opened(unnamed()).await;
    assert_eq!(world.opened(unnamed()).await, id);
    let nowhere = Err(RpcError::NotFound("conversation".to_owned()));
    assert_eq!(world.open_ticket(&of("other", "")).await, nowhere);
    // To another app the conversation is none.
    let id = world.opened(of("other", "Are you closed on Sundays?")).await;
    let others = world.ticket("other", &id).await.expect("it is there");
    assert_eq!((others.transcript.len(), others.trace.len()), (0, 1));
    world.stop().await;
}

async fn a_ticket_shows_what_was_found_when_it_was_opened(engine: Engine) {
    let world = World::start(engine).await;
    let url = "https://shop.example/hours";
    let source = world.tell("app", url, HOURS).await.expect("it is taken in").source_id;
    world.tell("other", "", HOURS).await.expect("it is taken in");
    for n in 0..12 {
        let text = format!("# Branch {n}\nBranch {n} is closed on Sundays.");
        world.tell("many", "", &text).await.expect("it is taken in");
    }
    let many = world.opened(wish("many", "Are you closed on Sundays?")).await;
    assert_eq!(world.ticket("many", &many).await.expect("it is there").trace.len(), 10);
    let asked = world.answer("app", "Are you closed on Sundays?", "").await;
    let conversation_id = asked.begun.expect("it began").conversation_id;
    let alone = world.opened(wish("app", "Are you closed on Sundays?")).await;
    let after = world.opened(OpenTicketRequest { conversation_id, ..wish("app", "I want a person") }).await;
    for id in [&alone, &after] {
        let trace = world.ticket("app", id).await.expect("it is there").trace;
        let lines: Vec<_> =
            trace.iter().map(|l| (l.title.as_str(), l.url.as_str(), l.text.as_str())).collect();
        assert_eq!(lines, [("Opening hours", url, HOURS)]);
        assert!(trace[0].score > 0.0 && trace[0].score <= 1.0, "{}", trace[0].score);
    }
    world.tell("app", url, "# Opening hours\nAlways.").await.expect("it is replaced");
    assert_eq!(world.ticket("app", &alone).await.expect("it is there").trace[0].text, HOURS);
    world.forget("app", &source).await.expect("it is deleted");
    for id in [&alone, &after] {
        assert_eq!(world.ticket("app", id).await.expect("it is there").trace, []);
    }
    world.stop().await;
}

/// The tables do not take the message: what was written before it in the same transaction goes too.
async fn without_its_message_there_is_no_ticket(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    let wanted = OpenTicketRequest { history: vec![line("user", "Hi")], ..wish("app", "Do you ship?") };
    world.change("ALTER TABLE outbox RENAME TO away".to_owned()).await;
    assert!(world.open_ticket(&wanted).await.is_err());
    for table in ["tickets", "ticket_lines", "ticket_passages"] {
        assert_eq!(world.count(&format!("SELECT COUNT(*) AS count FROM {table}")).await, 0, "{table}");
    }
    world.change("ALTER TABLE away RENAME TO outbox".to_owned()).await;
    assert_eq!(world.opened(wanted.clone()).await, wanted.ticket_id);
    world.until_nothing_waits().await;
    assert_eq!(world.neighbour().told(1).await.len(), 1);
    world.stop().await;
}

async fn a_message_that_nobody_could_be_told_is_told_later(engine: Engine) {
    let world = World::start(engine).await;
    let id = world.opened(wish("app", "Do you ship?")).await;
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM outbox").await, 1);
    let world = world.restart_telling().await;
    assert_eq!(world.neighbour().told(1).await[0].ticket_id, id);
    world.until_nothing_waits().await;
    assert_eq!(world.neighbour().told(1).await.len(), 1);
    world.stop().await;
}

pub(crate) fn unanswered(app: &str, call: Uuid, turn: u32) -> QuestionUnanswered {
    QuestionUnanswered {
        project_id: Uuid::now_v7().to_string(),
        app_id: app.to_owned(),
        call_id: call.to_string(),
        turn,
        question: "Do you ship on Sundays?".to_owned(),
        phone: "+14155552671".to_owned(),
        transcript: "AI: Hello.\nCustomer: Do you ship on Sundays?".to_owned(),
        at_ms: 1_700_000_000_000 + i64::from(turn),
    }
}

async fn a_question_of_a_call_becomes_one_ticket_however_often_it_is_told(engine: Engine) {
    let world = World::telling(engine, Vec::new()).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    let told = unanswered("app", Uuid::now_v7(), 3);
    let withheld = QuestionUnanswered { phone: String::new(), ..unanswered("app", Uuid::now_v7(), 4) };
    world.neighbour().tell(&[told.clone(), told.clone(), withheld.clone(), withheld.clone()]).await;
    world.neighbour().told(2).await;
    // Long after its like would be taken for the same question, it is still the same by its id.
    world.clock.advance(Duration::from_secs(3_600));
    world.neighbour().tell(&[withheld, told]).await;
    let last = unanswered("app", Uuid::now_v7(), 5);
    world.neighbour().tell(&[last]).await;
    let opened = told_of(&world, 3).await;
    assert_eq!(opened.len(), 3);
    let page = world.listed("app", ("open", 10, "")).await.expect("a page").tickets;
    let phones: Vec<&str> = page.iter().map(|ticket| ticket.phone.as_str()).collect();
    assert_eq!(phones, ["+14155552671", "", "+14155552671"]);
    let ticket = world.ticket("app", &page[2].id).await.expect("it is there");
    assert_eq!((ticket.question.as_str(), ticket.email.as_str()), ("Do you ship on Sundays?", ""));
    assert_eq!(ticket.transcript, [line("assistant", "Hello."), line("user", "Do you ship on Sundays?")]);
    assert_eq!(ticket.trace.iter().map(|l| l.title.as_str()).collect::<Vec<_>>(), ["Opening hours"]);
    let message = &opened[&ticket.id];
    assert_eq!(message.transcript, "AI: Hello.\nCustomer: Do you ship on Sundays?");
    assert_eq!(message.phone, "+14155552671");
    world.stop().await;
}

async fn questions_that_became_tickets_are_counted(engine: Engine) {
    let world = World::start(engine).await;
    let first = world.answer("app", "Shipping to Iceland?", "").await;
    let conversation = first.begun.expect("it began").conversation_id;
    world.answer("app", "What is your refund policy?", &conversation).await;
    world.answer("app", "Do you ship to Iceland?", "").await;
    let of =
        |app, question| OpenTicketRequest { conversation_id: conversation.clone(), ..wish(app, question) };
    world.opened(of("app", "I want my money back")).await;
    world.opened(of("app", "Where is my money?")).await;
    world.opened(of("other", "I want my money back")).await;
    world.opened(wish("app", "Do you ship to Iceland?")).await;
    let groups = world.insights("app", 5).await.groups;
    let counts: Vec<_> = groups.iter().map(|g| (g.question.as_str(), g.count, g.tickets)).collect();
    assert_eq!(counts, [("Do you ship to Iceland?", 2, 0), ("What is your refund policy?", 1, 1)]);
    world.stop().await;
}

async fn only_what_was_resolved_long_ago_is_removed(engine: Engine) {
    let world = World::start(engine).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    let history = vec![line("user", "Hi")];
    let wanted = |app, question| OpenTicketRequest { history: history.clone(), ..wish(app, question) };
    let old = wanted("app", "Are you closed on Sundays?");
    let (resolved, open) = (world.opened(old.clone()).await, world.opened(wanted("app", "Sundays?")).await);
    let pending = world.opened(wanted("app", "On Sundays?")).await;
    // Whoever has the same id in another app keeps theirs.
    world.opened(OpenTicketRequest { app_id: "other".to_owned(), ..old }).await;
    world.set_status("app", &resolved, "resolved").await.expect("it is resolved");
    world.set_status("app", &pending, "pending").await.expect("it waits");
    world.change("UPDATE tickets SET updated_at = '2020-01-01T00:00:00.000000Z'".to_owned()).await;
    let recent = world.opened(wanted("app", "Resolved just now")).await;
    world.set_status("app", &recent, "resolved").await.expect("it is resolved");
    // A round is done at every start.
    let world = world.restart().await;
    eventually("it is removed", Duration::from_secs(20), || async {
        match world.ticket("app", &resolved).await {
            Err(_) => Ok(()),
            there => Err(there),
        }
    })
    .await;
    for id in [&open, &pending, &recent] {
        assert_eq!(world.ticket("app", id).await.expect("it is there").transcript, history);
    }
    assert_eq!(world.ticket("other", &resolved).await.expect("it is there").transcript, history);
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM ticket_lines").await, 4);
    assert_eq!(world.count("SELECT COUNT(*) AS count FROM ticket_passages").await, 2);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_a_broker_questions_become_tickets_and_deleted_apps_go() {
    let namespace = format!("test-{}", Uuid::now_v7().simple());
    let on_the_broker =
        vec![("ECHO_AMQP_URL", broker::amqp_url()), ("ECHO_AMQP_NAMESPACE", namespace.clone())];
    let world = World::telling(Engine::Postgres, on_the_broker).await;
    world.tell("app", "", HOURS).await.expect("it is taken in");
    let told = unanswered("app", Uuid::now_v7(), 3);
    world.neighbour().tell(&[told.clone(), told]).await;
    let opened = world.neighbour().told(1).await;
    assert_eq!(opened[0].question, "Do you ship on Sundays?");
    let direct = world.opened(wish("app", "Do you ship?")).await;
    assert_eq!(world.neighbour().told(2).await.len(), 2);
    assert_eq!(world.listed("app", ("", 10, "")).await.expect("a page").tickets[0].id, direct);
    world.delete_app("app").await;
    assert!(world.ask("app", "Are you closed on Sundays?", 5).await.expect("an answer").passages.is_empty());
    world.stop().await;
    broker::clear(&namespace).await.expect("the broker answers");
}
