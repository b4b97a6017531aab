//! Creates a call with twilio-async and says on a line of JSON what came of it. Its arguments: account, token, from, to, where
//! the document is and where the callbacks go. `CARRIER` says where the carrier is. Without arguments it writes a document.

use serde_json::{Value, json};
use twilio_async::twiml::{Response, Say, Twiml, Voice};
use twilio_async::{CallbackEvent, Twilio, TwilioJson, TwilioRequest};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let told = match arguments.as_slice() {
        [account, token, from, to, url, status] => create(account, token, [from, to, url, status]).await,
        _ => json!(document()),
    };
    println!("{told}");
}

async fn create(account: &str, token: &str, [from, to, url, status]: [&str; 4]) -> Value {
    let twilio = Twilio::new(account, token).expect("credentials");
    let call = twilio.call(from, to, url).timeout("30").machine_detection(true);
    let call = call.status_callback(status).callback_event(CallbackEvent::Completed);
    match call.run().await {
        Ok(TwilioJson::Success(call)) => json!({"answer": {
            "sid": call.sid, "account_sid": call.account_sid, "from": call.from, "to": call.to, "uri": call.uri,
            "status": format!("{:?}", call.status), "direction": format!("{:?}", call.direction),
        }}),
        Ok(TwilioJson::Fail { code, message, status }) => {
            json!({"refused": {"code": code, "message": message, "status": status}})
        }
        Err(error) => json!({"not_understood": error.to_string()}),
    }
}

fn document() -> String {
    let say = Say::new("Fish & chips, \"ä\"").lang("de-DE").voice(Voice::woman);
    let document = Response::new()
        .say(say)
        .play("https://app.example/a.mp3?a=1&b=2")
        .redirect("https://app.example/next");
    document.build().expect("a document")
}
