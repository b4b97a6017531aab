//! The account and its number.

use serde_json::json;

use super::both;
use crate::harness::{ACCOUNT, MORE_NUMBERS, NUMBER, Sandbox, text};
use crate::receiver::Receiver;

#[tokio::test]
async fn the_account_is_fetched() {
    let sandbox = Sandbox::start();
    for mut client in both(&sandbox).await {
        let account = client.asks(json!({"at": ["accounts", ACCOUNT], "do": "fetch"})).await;
        for (name, value) in
            [("sid", ACCOUNT), ("owner_account_sid", ACCOUNT), ("status", "active"), ("type", "Full")]
        {
            assert_eq!(account[name], value, "{}: {name}", client.name);
        }
        assert!(account["date_created"]["date"].is_string(), "{}: {account}", client.name);
        let uris = &account["subresource_uris"];
        assert_eq!(uris["calls"], format!("/2010-04-01/Accounts/{ACCOUNT}/Calls.json"), "{}", client.name);
    }
}

#[tokio::test]
async fn the_number_is_found_fetched_and_given_addresses() {
    let sandbox = Sandbox::start();
    let list = |with| json!({"at": ["incoming_phone_numbers"], "do": "list", "with": with});
    for mut client in both(&sandbox).await {
        let found = client.asks(list(json!({"phone_number": NUMBER}))).await;
        let number = found[0].clone();
        assert_eq!(
            (found.as_array().unwrap().len(), &number["phone_number"]),
            (1, &json!(NUMBER)),
            "{}",
            client.name
        );
        assert_eq!((&number["capabilities"]["voice"], &number["beta"]), (&json!(true), &json!(false)));
        assert!(number["date_created"]["date"].is_string(), "{}: {number}", client.name);
        assert_eq!(client.asks(list(json!({"phone_number": "+49*"}))).await, json!([]));

        let at = json!(["incoming_phone_numbers", text(&number["sid"])]);
        let settings = json!({
            "voice_url": format!("https://app.example/{}?a=1&b=2", client.name), "voice_method": "GET",
            "status_callback": "https://app.example/over", "voice_caller_id_lookup": true,
        });
        let updated = client.asks(json!({"at": at, "do": "update", "with": settings})).await;
        let fetched = client.asks(json!({"at": at, "do": "fetch"})).await;
        for (name, value) in settings.as_object().unwrap() {
            assert_eq!((&updated[name], &fetched[name]), (value, value), "{}: {name}", client.name);
        }
        let cleared = client.asks(json!({"at": at, "do": "update", "with": {"voice_url": ""}})).await;
        assert_eq!(cleared["voice_url"], "", "{}", client.name);
    }
}

#[tokio::test]
async fn a_number_that_is_given_back_is_the_accounts_no_longer() {
    let sandbox = Sandbox::start();
    let receiver = Receiver::with(&[]);
    for (mut client, number) in both(&sandbox).await.into_iter().zip(MORE_NUMBERS) {
        let mine = json!({"at": ["incoming_phone_numbers"], "do": "list", "with": {"phone_number": number}});
        let sid = text(&client.asks(mine.clone()).await[0]["sid"]).to_owned();
        let delete = json!({"at": ["incoming_phone_numbers", sid], "do": "delete"});
        assert_eq!(client.asks(delete.clone()).await, json!(true), "{}", client.name);
        assert_eq!(client.is_refused(delete).await.code, 20404, "{}", client.name);
        assert_eq!(client.asks(mine).await, json!([]), "{}", client.name);
        // Nobody is called from it, and nobody reaches the account by it.
        let form = [("To", "+14155550101"), ("From", number), ("Url", &*receiver.url)];
        assert_eq!(sandbox.post("/Calls.json", &form).await.1["code"], 21210, "{}", client.name);
        let ringing = json!({"from": "+14155550117", "to": number});
        assert_eq!(sandbox.control("incoming", ringing).await.0, 404, "{}", client.name);
    }
}
