//! Tickets: what an app's people are told in Slack and by mail, and that it is told once.

use std::time::Duration;

use common::db::{DbError, Id, Time, sql};
use contracts::accounts::{AppChanged, AppDeleted};
use contracts::ids::{AppId, BusinessId, ProjectId};
use contracts::knowledge::TicketOpened;
use contracts::rpc::RpcError;
use contracts::webhooks::{PutSlackRequest, TicketNoticesClient};
use diesel::RunQueryDsl as _;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::proxy::Proxy;
use testkit::wait::eventually;
use uuid::Uuid;

use crate::receiver::{Received, Receiver, Reply};
use crate::smtp::MailServer;
use crate::world::{World, context};

on_both_engines![
    people_are_told_of_a_ticket_in_slack_and_by_mail,
    a_ticket_that_is_heard_of_twice_is_told_once,
    a_ticket_that_comes_before_its_app_waits_for_it,
    an_older_change_changes_nothing,
    of_an_app_that_is_gone_nothing_is_told_and_nothing_comes_back,
    what_is_not_taken_is_tried_again,
    slack_is_left_alone_as_long_as_it_asks,
    what_slack_refuses_for_good_is_given_up,
    what_could_not_be_told_in_time_is_given_up,
    who_is_not_to_be_told_any_more_is_not,
    only_a_crash_between_acceptance_and_commit_repeats_a_notice,
    a_try_that_comes_after_its_lease_decides_nothing,
    nothing_that_a_visitor_writes_becomes_markup_or_a_header,
    an_address_inside_is_refused_when_it_is_given_and_when_it_is_used,
    an_address_opens_after_the_master_key_was_replaced,
    an_address_that_does_not_answer_holds_up_its_own_app,
    without_a_mail_server_slack_is_told,
];

const TAKEN: Reply = Reply::Body(200, b"ok");

/// A notice as the table has it.
#[derive(Clone, Debug, diesel::QueryableByName)]
struct Notice {
    #[diesel(sql_type = sql::Uuid)]
    id: Id,
    #[diesel(sql_type = sql::Text)]
    channel: String,
    #[diesel(sql_type = sql::Text)]
    status: String,
    #[diesel(sql_type = sql::Integer)]
    failed_attempts: i32,
    #[diesel(sql_type = sql::Nullable<sql::UtcTime>)]
    lease_until: Option<Time>,
    #[diesel(sql_type = sql::Nullable<sql::Text>)]
    problem: Option<String>,
}

/// A text of some row.
#[derive(Clone, Debug, PartialEq, diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = sql::Text)]
    text: String,
}

/// An app, and where its people are.
struct App {
    id: AppId,
    business: BusinessId,
}

impl App {
    fn new() -> Self {
        Self { id: AppId::new(), business: BusinessId::new() }
    }

    /// It says of itself, in this version.
    fn says(&self, version: u64, emails: &[&str]) -> AppChanged {
        AppChanged {
            app_id: self.id.to_string(),
            business_id: self.business.to_string(),
            project_id: ProjectId::new().to_string(),
            version,
            name: format!("Acme {version}"),
            notify_emails: emails.iter().map(|&email| email.to_owned()).collect(),
        }
    }

    /// Somebody wants to know something.
    fn ticket(&self, question: &str) -> TicketOpened {
        TicketOpened {
            app_id: self.id.to_string(),
            ticket_id: Uuid::now_v7().to_string(),
            email: "ada@example.org".to_owned(),
            phone: "+14155550117".to_owned(),
            question: question.to_owned(),
            url: "https://acme.example/prices".to_owned(),
            transcript: "AI: Hi.\nAda: Hello.".to_owned(),
            at_ms: 1_773_855_826_714,
        }
    }

    async fn put_slack(&self, world: &World, url: &str) -> Result<(), RpcError> {
        let request = PutSlackRequest {
            app_id: self.id.to_string(),
            business_id: self.business.to_string(),
            url: url.to_owned(),
        };
        TicketNoticesClient::new(world.caller()).put_slack(context(), request).await.map(drop)
    }

    /// Waits until it is known in this version.
    async fn until_known(&self, world: &World, version: u64) {
        let name = format!("Acme {version}");
        let look = || async {
            let names = texts(world, "SELECT name AS text FROM apps").await;
            if names.contains(&name) { Ok(()) } else { Err(names) }
        };
        eventually(&name, Duration::from_secs(20), look).await;
    }
}

async fn world(engine: Engine, mail_url: &str) -> World {
    World::with(engine, &[("ECHO_SMTP_URL", mail_url), ("ECHO_MAIL_FROM", "Echo <echo@example.com>")]).await
}

/// A world with Slack and a mail server that take everything, and an app that tells both.
async fn all(engine: Engine) -> (World, Receiver, MailServer, App) {
    let (slack, mails) = (Receiver::start(), MailServer::start().await);
    slack.answer(TAKEN);
    let (world, app) = (world(engine, &mails.url).await, App::new());
    app.put_slack(&world, &slack.url).await.unwrap();
    world.publish(&[app.says(1, &["team@acme.example"])]).await;
    app.until_known(&world, 1).await;
    (world, slack, mails, app)
}

async fn texts(world: &World, query: &'static str) -> Vec<String> {
    let tables = world.tables();
    let read = tables.read(move |db| diesel::sql_query(query).load::<Column>(db).map_err(DbError::from));
    read.await.unwrap().into_iter().map(|row| row.text).collect()
}

/// Waits until the notices are as wanted, those in Slack first.
async fn until(world: &World, what: &str, wanted: impl Fn(&[Notice]) -> bool) -> Vec<Notice> {
    let tables = world.tables();
    let look = || async {
        let text = "SELECT * FROM notices ORDER BY channel DESC, created_at, id";
        let read = tables.read(move |db| diesel::sql_query(text).load(db).map_err(DbError::from));
        let rows: Vec<Notice> = read.await.unwrap();
        if wanted(&rows) { Ok(rows) } else { Err(rows) }
    };
    eventually(what, Duration::from_secs(20), look).await
}

/// Waits until there are that many notices, all with this status after so many failed tries, none of them being tried.
async fn all_are(world: &World, count: usize, status: &str, failed: i32) -> Vec<Notice> {
    let as_wanted =
        |row: &Notice| row.status == status && row.failed_attempts == failed && row.lease_until.is_none();
    let what = format!("{count} notices {status} after {failed} failures");
    until(world, &what, |rows| rows.len() == count && rows.iter().all(as_wanted)).await
}

/// The texts of the blocks of a message.
fn blocks(received: &Received) -> Vec<String> {
    let message = received.json();
    let blocks = message["blocks"].as_array().unwrap().iter();
    blocks.map(|block| block["text"]["text"].as_str().unwrap().to_owned()).collect()
}

async fn counted(world: &World, channel: &str, result: &str) -> f64 {
    let name = format!("echo_webhook_dispatcher_notices_total{{channel=\"{channel}\",result=\"{result}\"}}");
    world.metric(&name).await
}

#[track_caller]
fn is(number: f64, expected: f64) {
    assert!((number - expected).abs() < f64::EPSILON, "{number}, not {expected}");
}

async fn people_are_told_of_a_ticket_in_slack_and_by_mail(engine: Engine) {
    let (world, slack, mails, app) = all(engine).await;
    world.publish(&[app.says(2, &["team@acme.example", "boss@acme.example"])]).await;
    app.until_known(&world, 2).await;
    let ticket = app.ticket("How much is it?\nFor two.");
    world.publish(std::slice::from_ref(&ticket)).await;
    let rows = all_are(&world, 3, "sent", 0).await;
    assert_eq!(rows.iter().filter(|row| row.channel == "mail").count(), 2);

    let posted = slack.received();
    assert_eq!((posted.len(), posted[0].path.as_str()), (1, "/hook"));
    assert_eq!(posted[0].header("content-type"), "application/json");
    assert_eq!(posted[0].json()["text"], "New ticket in Acme 2");
    let details = format!(
        "E-mail: ada@example.org\nPhone: +14155550117\nPage: https://acme.example/prices\nAsked: 2026-03-18 17:43 UTC\n\
         Ticket: {}",
        ticket.ticket_id
    );
    let said = "What was said before:\nAI: Hi.\nAda: Hello.";
    assert_eq!(blocks(&posted[0]), ["New ticket in Acme 2", "How much is it?\nFor two.", &details, said]);

    let mut letters = mails.letters();
    letters.sort_by(|a, b| a.to.cmp(&b.to));
    let to: Vec<&str> = letters.iter().map(|letter| letter.header("To")).collect();
    assert_eq!(to, ["boss@acme.example", "team@acme.example"]);
    let ids: Vec<&str> = letters.iter().map(|letter| letter.header("Message-ID")).collect();
    let known: Vec<String> = rows.iter().map(|row| format!("<{}@example.com>", row.id.0)).collect();
    assert!(ids[0] != ids[1] && ids.iter().all(|id| known.contains(&(*id).to_owned())), "{ids:?}");
    let letter = &letters[0];
    assert_eq!(letter.header("From"), "Echo <echo@example.com>");
    assert_eq!(letter.header("Reply-To"), "ada@example.org");
    assert_eq!(letter.header("Auto-Submitted"), "auto-generated");
    assert_eq!(letter.header("Subject"), "[Acme 2] How much is it?");
    assert!(letter.header("Content-Type").starts_with("text/plain; charset=utf-8"));
    let body = letter.text.split_once("\r\n\r\n").unwrap().1.replace("\r\n", "\n");
    let expected = format!(
        "> How much is it?\n> For two.\n\n{details}\nAn answer to this mail goes to the person who asked.\n\n\
         What was said before:\n\n> AI: Hi.\n> Ada: Hello."
    );
    assert_eq!(body.trim_end(), expected);

    assert_eq!(texts(&world, "SELECT content AS text FROM tickets").await, [""], "nothing is left of it");
    let url = texts(&world, "SELECT slack_url AS text FROM apps").await.remove(0);
    assert!(!url.contains("127.0.0.1") && !url.contains("/hook"), "{url}");
    is(counted(&world, "slack", "sent").await, 1.0);
    is(counted(&world, "mail", "sent").await, 2.0);
}

async fn a_ticket_that_is_heard_of_twice_is_told_once(engine: Engine) {
    let (world, slack, mails, app) = all(engine).await;
    let ticket = app.ticket("How much?");
    world.publish(&[ticket.clone(), ticket.clone()]).await;
    all_are(&world, 2, "sent", 0).await;
    // Also where somebody else is told by now.
    world.publish(&[app.says(2, &["team@acme.example", "boss@acme.example"])]).await;
    app.until_known(&world, 2).await;
    world.publish(&[ticket]).await;
    world.all_heard().await;
    world.publish(&[app.ticket("And this?")]).await;
    all_are(&world, 5, "sent", 0).await;
    assert_eq!((slack.received().len(), mails.letters().len()), (2, 3));
}

async fn a_ticket_that_comes_before_its_app_waits_for_it(engine: Engine) {
    let (slack, mails) = (Receiver::start(), MailServer::start().await);
    slack.answer(TAKEN);
    let (world, app) = (world(engine, &mails.url).await, App::new());
    let ticket = app.ticket("How much?");
    world.publish(&[ticket.clone(), ticket]).await;
    let kept = || async {
        let rows = texts(&world, "SELECT content AS text FROM tickets").await;
        if rows.len() == 1 { Ok(rows) } else { Err(rows) }
    };
    let sealed = eventually("a ticket", Duration::from_secs(20), kept).await.remove(0);
    assert!(!sealed.is_empty() && !sealed.contains("How much") && !sealed.contains("ada@"), "{sealed}");
    app.put_slack(&world, &slack.url).await.unwrap();
    assert!(slack.received().is_empty() && mails.letters().is_empty());
    world.publish(&[app.says(1, &["team@acme.example"])]).await;
    all_are(&world, 2, "sent", 0).await;
    assert_eq!((slack.received().len(), mails.letters().len()), (1, 1));
}

async fn an_older_change_changes_nothing(engine: Engine) {
    let (world, slack, mails, app) = all(engine).await;
    world.publish(&[app.says(3, &["new@acme.example"])]).await;
    app.until_known(&world, 3).await;
    world.publish(&[app.says(2, &["old@acme.example"]), app.says(3, &["old@acme.example"])]).await;
    world.all_heard().await;
    world.publish(&[app.ticket("How much?")]).await;
    all_are(&world, 2, "sent", 0).await;
    assert_eq!(blocks(&slack.received()[0])[0], "New ticket in Acme 3");
    assert_eq!(mails.letters()[0].to, ["TO:<new@acme.example>"]);
}

async fn of_an_app_that_is_gone_nothing_is_told_and_nothing_comes_back(engine: Engine) {
    let (world, slack, mails, app) = all(engine).await;
    slack.answer(Reply::Status(500));
    mails.answer_once("450 4.2.1 later");
    world.publish(&[app.ticket("How much?")]).await;
    all_are(&world, 2, "waiting", 1).await;
    let gone = AppDeleted { app_id: app.id.to_string() };
    world.publish(&[gone.clone(), gone]).await;
    until(&world, "no notices", <[Notice]>::is_empty).await;
    assert!(texts(&world, "SELECT content AS text FROM tickets").await.is_empty());

    world.publish(&[app.says(9, &["team@acme.example"])]).await;
    world.publish(&[app.ticket("And this?")]).await;
    world.all_heard().await;
    let refused = app.put_slack(&world, &slack.url).await;
    assert!(matches!(&refused, Err(RpcError::NotFound(_))), "{refused:?}");
    slack.answer(TAKEN);
    world.clock.advance(Duration::from_secs(61));
    let other = App::new();
    world.publish(&[other.says(1, &["other@acme.example"])]).await;
    world.publish(&[other.ticket("How much?")]).await;
    all_are(&world, 1, "sent", 0).await;
    assert_eq!((slack.received().len(), mails.letters().len()), (1, 1), "one try before, one mail to others");
    let left = "SELECT name AS text FROM apps WHERE removed_at IS NOT NULL AND slack_url IS NULL";
    assert_eq!(texts(&world, left).await, [""]);

    // One that nothing was known of is gone as well.
    let never = App::new();
    world.publish(&[AppDeleted { app_id: never.id.to_string() }]).await;
    world.all_heard().await;
    assert_eq!(texts(&world, left).await.len(), 2);
    let refused = never.put_slack(&world, &slack.url).await;
    assert!(matches!(&refused, Err(RpcError::NotFound(_))), "{refused:?}");
}

async fn what_is_not_taken_is_tried_again(engine: Engine) {
    let (slack, mails) = (Receiver::start(), MailServer::start().await);
    slack.answer(Reply::Status(500));
    let server = mails.url.strip_prefix("smtp://").unwrap().parse().unwrap();
    let proxy = Proxy::start(server).await.unwrap();
    proxy.close();
    let (world, app) = (world(engine, &format!("smtp://{}", proxy.addr())).await, App::new());
    app.put_slack(&world, &slack.url).await.unwrap();
    world.publish(&[app.says(1, &["team@acme.example"])]).await;
    world.publish(&[app.ticket("How much?")]).await;
    for (failed, minutes) in [(1, 1), (2, 5), (3, 30), (4, 30)] {
        let rows = all_are(&world, 2, "waiting", failed).await;
        assert_eq!(rows[0].problem.as_deref(), Some("answered 500, not 200 `ok`"));
        assert!(rows[1].problem.is_some(), "{rows:?}");
        world.clock.advance(Duration::from_secs(minutes * 60 - 2));
        assert_eq!(slack.received().len(), usize::try_from(failed).unwrap(), "not before its time");
        if failed == 4 {
            slack.answer(TAKEN);
            proxy.open();
        }
        world.clock.advance(Duration::from_secs(3));
    }
    let rows = all_are(&world, 2, "sent", 4).await;
    assert_eq!((slack.received().len(), mails.letters().len()), (5, 1));
    assert!(rows.iter().all(|row| row.problem.is_none()));
    is(counted(&world, "slack", "failed").await, 4.0);
    is(counted(&world, "mail", "failed").await, 4.0);
}

async fn slack_is_left_alone_as_long_as_it_asks(engine: Engine) {
    let (world, slack, _mails, app) = all(engine).await;
    slack.answer(Reply::Header(429, "retry-after", "600".to_owned()));
    world.publish(&[app.ticket("One?")]).await;
    let waits = |rows: &[Notice]| rows.first().is_some_and(|row| row.failed_attempts == 1);
    until(&world, "a notice that waits", waits).await;
    slack.answer(TAKEN);
    world.publish(&[app.ticket("Two?")]).await;
    world.all_heard().await;
    world.clock.advance(Duration::from_secs(590));
    // The message of another app says that time has gone by.
    let (elsewhere, other) = (Receiver::start(), App::new());
    elsewhere.answer(TAKEN);
    other.put_slack(&world, &elsewhere.url).await.unwrap();
    world.publish(&[other.says(1, &[])]).await;
    world.publish(&[other.ticket("How much?")]).await;
    elsewhere.wait_for(1).await;
    assert_eq!(slack.received().len(), 1);
    world.clock.advance(Duration::from_secs(15));
    let sent = |rows: &[Notice]| rows.len() == 5 && rows.iter().all(|row| row.status == "sent");
    until(&world, "everything sent", sent).await;
    assert_eq!(slack.received().len(), 3);
}

async fn what_slack_refuses_for_good_is_given_up(engine: Engine) {
    let (world, slack, mails, app) = all(engine).await;
    slack.answer(Reply::Body(404, b"no_service"));
    mails.answer_once("550 5.1.1 <team@acme.example> is no user");
    world.publish(&[app.ticket("How much?")]).await;
    let rows = all_are(&world, 2, "refused", 1).await;
    assert_eq!(rows[0].problem.as_deref(), Some("answered 404 `no_service`"));
    let problem = rows[1].problem.clone().unwrap();
    assert!(problem.contains("is no user") && !problem.contains('@'), "{problem}");
    assert_eq!(texts(&world, "SELECT content AS text FROM tickets").await, [""]);
    is(counted(&world, "slack", "refused").await, 1.0);
    is(counted(&world, "mail", "refused").await, 1.0);
    // The next ticket is tried: it may be right by then.
    slack.answer(TAKEN);
    world.publish(&[app.ticket("And this?")]).await;
    until(&world, "two sent", |rows| rows.iter().filter(|row| row.status == "sent").count() == 2).await;
}

async fn what_could_not_be_told_in_time_is_given_up(engine: Engine) {
    let (world, slack, _mails, app) = all(engine).await;
    slack.answer(Reply::Status(500));
    world.publish(&[app.ticket("How much?")]).await;
    // This one's app is never heard of.
    world.publish(&[App::new().ticket("How much?")]).await;
    let both = |rows: &[Notice]| rows.len() == 2 && rows[0].failed_attempts == 1 && rows[1].status == "sent";
    until(&world, "one that waits", both).await;
    world.clock.advance(Duration::from_hours(72));
    until(&world, "one given up", |rows| rows.iter().any(|row| row.status == "expired")).await;
    is(counted(&world, "slack", "expired").await, 1.0);
    world.clock.advance(Duration::from_hours(24 * 8));
    until(&world, "no notices", <[Notice]>::is_empty).await;
    let forgotten = || async {
        let rows = texts(&world, "SELECT content AS text FROM tickets").await;
        if rows.is_empty() { Ok(()) } else { Err(rows) }
    };
    eventually("no tickets", Duration::from_secs(20), forgotten).await;
    is(counted(&world, "none", "expired").await, 1.0);
}

async fn who_is_not_to_be_told_any_more_is_not(engine: Engine) {
    let (world, slack, mails, app) = all(engine).await;
    slack.answer(Reply::Status(500));
    mails.answer_once("450 4.2.1 later");
    world.publish(&[app.ticket("How much?")]).await;
    all_are(&world, 2, "waiting", 1).await;
    slack.answer(TAKEN);
    app.put_slack(&world, "").await.unwrap();
    app.put_slack(&world, "").await.unwrap();
    world.publish(&[app.says(2, &["new@acme.example"])]).await;
    app.until_known(&world, 2).await;
    world.clock.advance(Duration::from_secs(61));
    let rows = all_are(&world, 2, "refused", 2).await;
    assert!(rows.iter().all(|row| row.problem.as_ref().unwrap().contains("any more")), "{rows:?}");
    world.publish(&[app.ticket("And this?")]).await;
    until(&world, "a mail", |rows| rows.iter().any(|row| row.status == "sent")).await;
    assert_eq!((slack.received().len(), mails.letters().len()), (1, 1));
    assert_eq!(mails.letters()[0].to, ["TO:<new@acme.example>"]);
}

async fn only_a_crash_between_acceptance_and_commit_repeats_a_notice(engine: Engine) {
    let (world, slack, mails, app) = all(engine).await;
    // As if the process died there: what came of a try cannot be written down.
    world.execute("ALTER TABLE notices RENAME COLUMN problem TO lost").await;
    world.publish(&[app.ticket("How much?")]).await;
    let let_go = || async {
        let times = world.metric("echo_webhook_dispatcher_unwritten_total").await;
        if times > 5.5 { Ok(()) } else { Err(times) }
    };
    eventually("three times in vain for each", Duration::from_secs(20), let_go).await;
    assert_eq!((slack.received().len(), mails.letters().len()), (1, 1));
    world.execute("ALTER TABLE notices RENAME COLUMN lost TO problem").await;
    world.clock.advance(Duration::from_secs(46));
    all_are(&world, 2, "sent", 0).await;
    let (posted, letters) = (slack.received(), mails.letters());
    assert_eq!((posted.len(), letters.len()), (2, 2));
    assert_eq!(posted[0].body, posted[1].body);
    let ids: Vec<&str> = letters.iter().map(|letter| letter.header("Message-ID")).collect();
    assert_eq!(ids[0], ids[1], "mail programs know it again");
}

async fn a_try_that_comes_after_its_lease_decides_nothing(engine: Engine) {
    let (world, slack, _mails, app) = all(engine).await;
    slack.answer_once(Reply::Held(500));
    world.publish(&[app.ticket("How much?")]).await;
    slack.wait_for_held(1).await;
    world.clock.advance(Duration::from_secs(26));
    all_are(&world, 2, "sent", 0).await;
    slack.release();
    let counted = || async {
        let failed = counted(&world, "slack", "failed").await;
        if failed > 0.5 { Ok(()) } else { Err(failed) }
    };
    eventually("the late answer", Duration::from_secs(20), counted).await;
    world.publish(&[app.ticket("And this?")]).await;
    all_are(&world, 4, "sent", 0).await;
    assert_eq!(slack.received().len(), 3);
}

async fn nothing_that_a_visitor_writes_becomes_markup_or_a_header(engine: Engine) {
    let (world, slack, mails, app) = all(engine).await;
    let question = "<!channel> <http://evil.example|Log in> & *now*\r\nBcc: eve@example.org";
    let ticket = TicketOpened {
        email: "ada@example.org\r\nBcc: eve@example.org".to_owned(),
        url: "javascript:<@U1>\r\nX: y".to_owned(),
        ..app.ticket(question)
    };
    world.publish(&[ticket]).await;
    all_are(&world, 2, "sent", 0).await;
    let posted = slack.received().remove(0);
    let text = String::from_utf8(posted.body.clone()).unwrap();
    assert!(!text.contains(['<', '>']), "{text}");
    let escaped = "&lt;!channel&gt; &lt;http://evil.example|Log in&gt; &amp; *now*\nBcc: eve@example.org";
    assert_eq!(blocks(&posted)[1], escaped);
    let kinds = posted.json();
    let mut kinds = kinds["blocks"].as_array().unwrap().iter().map(|block| &block["text"]["type"]);
    assert!(kinds.all(|kind| kind == "plain_text"));
    assert_eq!(posted.json()["text"], "New ticket in Acme 1");

    let letter = mails.letters().remove(0);
    let head = letter.text.split("\r\n\r\n").next().unwrap();
    assert!(!head.contains("eve@") && !head.contains("Bcc") && !head.contains("Reply-To"), "{head}");
    assert_eq!(letter.to, ["TO:<team@acme.example>"]);
    assert_eq!(letter.header("Subject"), "[Acme 1] <!channel> <http://evil.example|Log in> & *now*");
}

async fn an_address_inside_is_refused_when_it_is_given_and_when_it_is_used(engine: Engine) {
    let (mut world, slack, mails, app) = all(engine).await;
    world.stop().await;
    world.start(&[("ECHO_CARRIER", "twilio")]).await;
    let long = format!("https://example.com/{}", "a".repeat(2048));
    for (url, help) in [
        (slack.url.as_str(), "private, loopback"),
        ("https://169.254.169.254/hook", "private, loopback"),
        ("http://hooks.slack.com/services/secret", "must start with https://"),
        ("ftp://hooks.slack.com/services/secret", "https://hooks.slack.com/services/"),
        ("secret", "https://hooks.slack.com/services/"),
        (&long, "at most 2048"),
    ] {
        match app.put_slack(&world, url).await.unwrap_err() {
            RpcError::Invalid { field, problem } => {
                assert_eq!(field, "slack_webhook_url");
                assert!(problem.contains(help) && !problem.contains("secret"), "{problem}");
            }
            other => panic!("{other}"),
        }
    }
    let stranger = App { id: app.id, business: BusinessId::new() };
    let refused = stranger.put_slack(&world, "").await;
    assert!(matches!(&refused, Err(RpcError::NotFound(_))), "{refused:?}");
    world.publish(&[app.ticket("How much?")]).await;
    let rows = until(&world, "one refused", |rows| rows.len() == 2 && rows[0].status == "refused").await;
    assert!(rows[0].problem.as_ref().unwrap().contains("private, loopback"), "{rows:?}");
    mails.wait_for(1).await;
    assert!(slack.received().is_empty());
}

async fn an_address_opens_after_the_master_key_was_replaced(engine: Engine) {
    const OLD: &str = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    const BOTH: &str =
        "k2:YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXphYmNkZWY=,k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    let slack = Receiver::start();
    slack.answer(TAKEN);
    let mut world = World::with(engine, &[("ECHO_MASTER_KEYS", OLD)]).await;
    let app = App::new();
    app.put_slack(&world, &slack.url).await.unwrap();
    world.publish(&[app.says(1, &[])]).await;
    app.until_known(&world, 1).await;
    world.stop().await;
    world.start(&[("ECHO_MASTER_KEYS", BOTH)]).await;
    world.publish(&[app.ticket("How much?")]).await;
    all_are(&world, 1, "sent", 0).await;
    assert_eq!(slack.received().len(), 1);
}

async fn an_address_that_does_not_answer_holds_up_its_own_app(engine: Engine) {
    let (world, slack, _mails, app) = all(engine).await;
    let (dead, other) = (Receiver::start(), App::new());
    dead.answer(Reply::Held(200));
    other.put_slack(&world, &dead.url).await.unwrap();
    world.publish(&[other.says(1, &[])]).await;
    let many: Vec<_> = (0..40).map(|_| other.ticket("Are you there?")).collect();
    world.publish(&many).await;
    dead.wait_for_held(1).await;
    world.publish(&[app.ticket("How much?")]).await;
    slack.wait_for(1).await;
    assert_eq!(dead.held(), (1, 1), "one at a time");
    dead.release();
}

async fn without_a_mail_server_slack_is_told(engine: Engine) {
    let slack = Receiver::start();
    slack.answer(TAKEN);
    let (world, app) = (World::new(engine).await, App::new());
    app.put_slack(&world, &slack.url).await.unwrap();
    world.publish(&[app.says(1, &["team@acme.example"])]).await;
    world.publish(&[app.ticket("How much?")]).await;
    let rows = all_are(&world, 1, "sent", 0).await;
    assert_eq!((rows[0].channel.as_str(), slack.received().len()), ("slack", 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_dispatchers_over_the_same_tables_tell_each_ticket_once() {
    const TICKETS: usize = 40;
    let (world, slack, mails, app) = all(Engine::Postgres).await;
    let mut second = world.second().await;
    let tickets: Vec<_> = (0..TICKETS).map(|_| app.ticket("How much?")).collect();
    world.publish(&tickets).await;
    all_are(&world, 2 * TICKETS, "sent", 0).await;
    assert_eq!((slack.received().len(), mails.letters().len()), (TICKETS, TICKETS));
    second.stop().await;
}
