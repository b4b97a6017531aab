//! Bots of EchoLink: made, listed, read, changed, removed.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Account, Client};
use crate::echo::Echo;
use crate::link::{Link, Number, table};
use crate::promises;
use crate::shape::{elements, fields, is_secret, text, times};

promises! {
    making_a_bot_takes_goal_webhook_and_context_and_answers_201_with_the_whole_bot;
    a_bot_that_says_nothing_of_itself_has_the_documented_greeting_and_the_voice_man;
    goal_and_webhook_are_required_and_context_is_not;
    a_bots_id_is_bot_and_twenty_base_58_digits;
    a_bots_secret_is_shown_once;
    bots_are_listed_newest_first_as_a_bare_array;
    changing_a_bot_changes_what_is_named;
    a_bot_that_is_removed_is_204_and_gone;
    a_bot_that_is_not_there_or_not_yours_is_404;
    a_bot_answers_the_number_when_it_is_asked_to;
    a_bot_without_a_number_to_answer_is_409_and_none_is_made;
    bots_may_be_made_with_a_key_and_an_access_token;
}

const HOOK: &str = "https://api.eatery.com/book";
const NOBODY: &str = "/v1/bots/bot_4Zk9mUqQh8vYw2XnRt3L";

const BOT: [&str; 12] = [
    "bot_id",
    "context",
    "created_at",
    "goal",
    "greeting",
    "knowledge_app_id",
    "language",
    "status",
    "transfer_number",
    "voice",
    "voice_url",
    "webhook",
];

fn path(bot: &Value) -> String {
    format!("/v1/bots/{}", text(bot, "bot_id"))
}

/// The bot as it is shown after its first answer.
fn without_secret(bot: &Value) -> Value {
    let mut bot = bot.clone();
    bot.as_object_mut().expect("an object").remove("webhook_secret").expect("a secret");
    bot
}

async fn making_a_bot_takes_goal_webhook_and_context_and_answers_201_with_the_whole_bot(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.api.post("/v1/bots", &table(HOOK)).await.is(201);
    let mut expected = [BOT.as_slice(), &["webhook_secret"]].concat();
    expected.sort_unstable();
    assert_eq!(fields(&bot), expected);
    for (field, said) in table(HOOK).as_object().expect("an object") {
        assert_eq!(&bot[field], said);
    }
    times(&bot, &["created_at"]);
    let id = text(&bot, "bot_id");
    assert_eq!(bot["voice_url"], format!("{}/v1/voice?bot_id={id}", echo.base), "{bot}");
}

async fn a_bot_that_says_nothing_of_itself_has_the_documented_greeting_and_the_voice_man(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.bot(HOOK).await;
    assert_eq!(bot["greeting"], "Hi, welcome to your AI assistant. How can I help you today?");
    assert_eq!(
        (&bot["voice"], &bot["language"], &bot["status"]),
        (&json!("man"), &json!("en-US"), &json!("active"))
    );
    assert_eq!((&bot["transfer_number"], &bot["knowledge_app_id"]), (&json!(null), &json!(null)));
}

async fn goal_and_webhook_are_required_and_context_is_not(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    for field in ["goal", "webhook"] {
        for nothing in [json!(null), json!("")] {
            let mut body = table(HOOK);
            body[field] = nothing;
            link.api.post("/v1/bots", &body).await.link_refuses(400, field);
        }
    }
    let mut body = table("no address");
    link.api.post("/v1/bots", &body).await.link_refuses(400, "webhook");
    body = json!({"goal": "Book table", "webhook": HOOK});
    assert_eq!(link.api.post("/v1/bots", &body).await.is(201)["context"], json!(null));
    assert_eq!(link.api.get("/v1/my-number").await.is(200)["bots_count"], 1);
}

async fn a_bots_id_is_bot_and_twenty_base_58_digits(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.bot(HOOK).await;
    let digits = text(&bot, "bot_id").strip_prefix("bot_").expect("the prefix");
    let base58 = |c: char| c.is_ascii_alphanumeric() && !"0OIl".contains(c);
    assert!(digits.len() == 20 && digits.chars().all(base58), "{digits}");
}

async fn a_bots_secret_is_shown_once(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.bot(HOOK).await;
    let secret = text(&bot, "webhook_secret");
    assert!(is_secret(secret, "whsec_"), "{secret}");
    for answer in [link.api.get("/v1/bots").await, link.api.get(&path(&bot)).await] {
        let answer = answer.is(200).to_string();
        assert!(!answer.contains(secret) && !answer.contains("webhook_secret"), "{answer}");
    }
    let rotated = link.api.act(&format!("{}/rotate-secret", path(&bot))).await.is(200);
    let new = text(&rotated, "webhook_secret");
    assert!(is_secret(new, "whsec_") && new != secret, "{new}");
}

async fn bots_are_listed_newest_first_as_a_bare_array(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    assert_eq!(link.api.get("/v1/bots").await.is(200), json!([]));
    let (first, second) = (link.bot(HOOK).await, link.bot(HOOK).await);
    let listed = link.api.get("/v1/bots").await.is(200);
    assert_eq!(listed, json!([without_secret(&second), without_secret(&first)]));
    assert_eq!(fields(&listed[0]), BOT);
    let page = link.api.get("/v1/bots?limit=1").await;
    let cursor = page.headers["x-next-cursor"].to_str().expect("a cursor").to_owned();
    assert_eq!(elements(&page.is(200)).len(), 1);
    let rest = link.api.get(&format!("/v1/bots?limit=1&cursor={cursor}")).await.is(200);
    assert_eq!(rest, json!([without_secret(&first)]));
}

async fn changing_a_bot_changes_what_is_named(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.bot(HOOK).await;
    let changed =
        link.api.patch(&path(&bot), &json!({"goal": "Order pizza", "voice": "woman"})).await.is(200);
    let mut expected = without_secret(&bot);
    expected["goal"] = json!("Order pizza");
    expected["voice"] = json!("woman");
    assert_eq!(changed, expected);
    assert_eq!(link.api.get(&path(&bot)).await.is(200), expected);
    link.api.patch(&path(&bot), &json!({"goal": ""})).await.link_refuses(400, "goal");
    link.api.patch(&path(&bot), &json!({"status": "asleep"})).await.link_refuses(400, "status");
    let disabled = link.api.patch(&path(&bot), &json!({"status": "disabled"})).await.is(200);
    assert_eq!(disabled["status"], "disabled");
    assert_eq!(link.api.patch(&path(&bot), &json!({"status": "active"})).await.is(200), expected);
}

async fn a_bot_that_is_removed_is_204_and_gone(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.bot(HOOK).await;
    assert_eq!(link.api.delete(&path(&bot)).await.is(204), json!(null));
    link.api.get(&path(&bot)).await.link_refuses(404, "bot not found");
    link.api.delete(&path(&bot)).await.link_refuses(404, "bot not found");
    assert_eq!(link.api.get("/v1/bots").await.is(200), json!([]));
    assert_eq!(link.api.get("/v1/my-number").await.is(200)["bots_count"], 0);
}

async fn a_bot_that_is_not_there_or_not_yours_is_404(echo: Arc<Echo>) {
    let (link, other) = (Link::new(&echo).await, Link::new(&echo).await);
    let bot = other.bot(HOOK).await;
    for path in [NOBODY, "/v1/bots/bot_abc123", &path(&bot)] {
        link.api.get(path).await.link_refuses(404, "bot not found");
        link.api.patch(path, &json!({"goal": "Mine"})).await.link_refuses(404, "bot not found");
        link.api.delete(path).await.link_refuses(404, "bot not found");
        link.api.get(&format!("{path}/deliveries")).await.link_refuses(404, "bot not found");
        link.api.act(&format!("{path}/rotate-secret")).await.link_refuses(404, "bot not found");
    }
    assert_eq!(other.api.get(&path(&bot)).await.is(200), without_secret(&bot));
}

async fn a_bot_answers_the_number_when_it_is_asked_to(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let at_the_number = || async {
        let account = echo.carrier().get("account").await;
        let own = elements(&account["numbers"]).iter().find(|n| n["number"] == link.number.number.as_str());
        own.expect("the number")["voice_url"].as_str().unwrap_or_default().to_owned()
    };
    let bot = link.bot(HOOK).await;
    assert!(!at_the_number().await.contains("bot_id"));
    let second = link.bot_at_the_number(HOOK).await;
    assert!(at_the_number().await.starts_with(text(&second, "voice_url")));
    link.api.patch(&path(&bot), &json!({"configure_number": true})).await.is(200);
    assert!(at_the_number().await.starts_with(text(&bot, "voice_url")));
}

async fn a_bot_without_a_number_to_answer_is_409_and_none_is_made(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut wanted = table(HOOK);
    wanted["configure_number"] = json!(true);
    let refused = own.api.post("/v1/bots", &wanted).await.link_refuses(409, "number");
    assert_eq!(refused["code"], "no_number");
    assert_eq!(own.api.get("/v1/bots").await.is(200), json!([]));
    assert_eq!(own.api.get("/v1/my-number").await.is(200), json!({"phone_number": null, "bots_count": 0}));
}

async fn bots_may_be_made_with_a_key_and_an_access_token(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut connection = Number::free(&echo).await.connection();
    connection["email"] = own.signup["user"]["email"].clone();
    let person = own.person(&echo);
    let connected = person.post("/v1/connect-twilio", &connection).await.is(200);
    let link = Client::stranger(&echo).with_bearer(text(&connected, "access_token"));
    let mut made = Vec::new();
    for credential in [&own.api, &person, &link] {
        made.insert(0, without_secret(&credential.post("/v1/bots", &table(HOOK)).await.is(201)));
    }
    for credential in [&own.api, &person, &link] {
        assert_eq!(credential.get("/v1/bots").await.is(200), json!(made));
    }
}
