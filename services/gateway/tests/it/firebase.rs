//! ID tokens of Firebase at the door of an app: whose are believed, and whose keys. A key set of our own stands in for Google's.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::{App, HttpResponse, HttpServer, web};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512, RsaEncoding};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::doors::{Door, sent};
use crate::fakes::lock;
use crate::support::{Account, Answer, ENGINES, Engine, GATEWAY, Gateway, Method, id};

const PROJECT: &str = "my-project-1234";

/// Somebody who signs as Firebase does.
struct Signer {
    kid: &'static str,
    pair: KeyPair,
}

static FIRST: LazyLock<Signer> = LazyLock::new(|| Signer::new("first"));
static SECOND: LazyLock<Signer> = LazyLock::new(|| Signer::new("second"));
/// Calls its key as the first one does.
static FORGER: LazyLock<Signer> = LazyLock::new(|| Signer::new("first"));

fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Header and claims as they are signed.
fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string()))
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        Self { kid, pair: KeyPair::generate(KeySize::Rsa2048).unwrap() }
    }

    fn jwk(&self) -> Value {
        let key = self.pair.public_key();
        let n = encoded(key.modulus().big_endian_without_leading_zero());
        let e = encoded(key.exponent().big_endian_without_leading_zero());
        json!({"kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.kid, "n": n, "e": e})
    }

    fn signed(&self, header: &Value, claims: &Value, how: &'static dyn RsaEncoding) -> String {
        let text = unsigned(header, claims);
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair.sign(how, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
        format!("{text}.{}", encoded(signature))
    }

    fn token(&self, claims: &Value) -> String {
        self.signed(&self.header(), claims, &RSA_PKCS1_SHA256)
    }

    fn header(&self) -> Value {
        json!({"alg": "RS256", "kid": self.kid, "typ": "JWT"})
    }
}

fn key_set(signers: &[&Signer]) -> String {
    json!({"keys": signers.iter().map(|signer| signer.jwk()).collect::<Vec<_>>()}).to_string()
}

/// What Firebase says of somebody who has signed in ten minutes ago.
fn claims(gateway: &Gateway, email: &str) -> Value {
    let now = gateway.clock.now().timestamp();
    json!({
        "iss": format!("https://securetoken.google.com/{PROJECT}"), "aud": PROJECT, "sub": "uVxJ1kq2", "user_id": "uVxJ1kq2",
        "auth_time": now - 600, "iat": now, "exp": now + 3600, "email": email, "email_verified": true,
        "firebase": {"identities": {"email": [email]}, "sign_in_provider": "password"}
    })
}

/// Where keys are published.
struct KeyServer {
    served: Arc<Served>,
    url: String,
    handle: ServerHandle,
}

struct Served {
    answer: Mutex<(u16, String)>,
    asked: AtomicUsize,
}

impl KeyServer {
    fn start(answer: String) -> Self {
        let served = Arc::new(Served { answer: Mutex::new((200, answer)), asked: AtomicUsize::new(0) });
        let data = web::Data::from(Arc::clone(&served));
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).route("/keys", web::get().to(keys)));
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/keys", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { served, url, handle }
    }

    fn answers(&self, status: u16, body: impl Into<String>) {
        *self.served.answer.lock().unwrap() = (status, body.into());
    }

    fn asked(&self) -> usize {
        self.served.asked.load(Ordering::SeqCst)
    }

    async fn gateway(&self, engine: Engine) -> Gateway {
        believing(engine, &self.url).await
    }
}

async fn keys(served: web::Data<Served>) -> HttpResponse {
    served.asked.fetch_add(1, Ordering::SeqCst);
    let (status, body) = served.answer.lock().unwrap().clone();
    let mut answer = HttpResponse::build(actix_web::http::StatusCode::from_u16(status).unwrap());
    answer.insert_header(("cache-control", "public, max-age=3600, must-revalidate, no-transform"));
    answer.insert_header(("location", "/keys")).body(body)
}

/// A gateway that believes those whose keys are there.
async fn believing(engine: Engine, keys: &str) -> Gateway {
    let extra =
        [("ECHO_FIREBASE_PROJECT_ID", PROJECT), ("ECHO_FIREBASE_KEYS", keys), ("ECHO_RATE_LIMITS", "off")];
    Gateway::start_with(engine, GATEWAY, &extra).await
}

impl Door<'_> {
    /// Looks for something, as whoever has this token.
    async fn look(&self, token: &str) -> Answer {
        sent(self.request(Method::GET, "search?q=hello").bearer_auth(token)).await
    }
}

const EMAIL: &str = "jane@acme.example";

/// Jane's account, and the door of her app.
async fn house(gateway: &Gateway) -> (Account, Door<'_>) {
    let account = gateway.sign_up(EMAIL).await;
    let door = Door::of(gateway, &account, &["example.com"]).await;
    (account, door)
}

fn refused(answer: &Answer, why: &str) {
    answer.assert_error(401, "unauthorized");
    let told = answer.body["message"].as_str().unwrap();
    assert!(told.contains(why), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fact_3_1_a_member_who_has_signed_in_at_firebase_does_what_a_member_may() {
    for engine in ENGINES {
        let server = KeyServer::start(key_set(&[&FIRST]));
        let gateway = server.gateway(engine).await;
        let (account, door) = house(&gateway).await;
        let token = FIRST.token(&claims(&gateway, "Jane@ACME.example"));
        // Wherever from: a member is bound to no site.
        let question = json!({"question": "How?"});
        let ask = door.request(Method::POST, "query").header("origin", "https://evil.example");
        assert_eq!(sent(ask.bearer_auth(&token).json(&question)).await.expect(200), "One two How?");
        let named = json!({"question": "How?", "appId": door.app});
        gateway.send(Method::POST, "/api/query", &token, &named).await.expect(200);
        let brought =
            door.request(Method::POST, "ingest").bearer_auth(&token).json(&json!({"text": "Hello."}));
        let brought = sent(brought).await.expect(200);
        door.look(&token).await.expect(200);
        // The documents' own request.
        let sources = format!("/api/apps/sources?appId={}", door.app);
        let listed = gateway.bearing(Method::GET, &sources, &token).await.expect(200);
        assert_eq!(listed[0]["id"], brought["sourceId"]);
        let one = format!("{sources}&id={}", brought["sourceId"].as_str().unwrap());
        assert_eq!(gateway.bearing(Method::DELETE, &one, &token).await.expect(200), json!({"success": true}));
        let insights = format!("/api/apps/insights?appId={}", door.app);
        gateway.bearing(Method::GET, &insights, &token).await.expect(200);
        let log = gateway.bearing(Method::GET, "/v1/audit", &account.token).await.expect(200);
        assert_eq!(
            (&log[0]["action"], &log[0]["actor"]["id"]),
            (&json!("source.deleted"), &json!(account.user))
        );
        // The apps themselves, and their keys.
        let made = gateway.send(Method::POST, "/v1/apps", &token, &json!({"name": "B"})).await.expect(201);
        let path = format!("/v1/apps/{}", id(&made));
        gateway.send(Method::POST, &format!("{path}/keys"), &token, &json!({"name": "a"})).await.expect(201);
        let apps = gateway.bearing(Method::GET, "/v1/apps", &token).await.expect(200);
        assert_eq!(apps.as_array().unwrap().len(), 2);
        assert_eq!(gateway.bearing(Method::DELETE, &path, &token).await.status, 204);
        // The keys were fetched once for all of that. Nowhere else is it a credential.
        assert_eq!(server.asked(), 1);
        for elsewhere in ["/v1/agents", "/v1/audit", "/auth/me", "/v1/projects"] {
            gateway.bearing(Method::GET, elsewhere, &token).await.assert_error(401, "unauthorized");
        }
        gateway.bearing(Method::GET, "/v1/my-number", &token).await.assert_link_error(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_project_is_the_one_of_the_app_unless_another_is_named() {
    let server = KeyServer::start(key_set(&[&FIRST]));
    let gateway = server.gateway(Engine::Sqlite).await;
    let (account, door) = house(&gateway).await;
    let token = FIRST.token(&claims(&gateway, EMAIL));
    let staging = json!({"name": "staging"});
    let staging = gateway.send(Method::POST, "/v1/projects", &account.token, &staging).await.expect(201);
    let theirs = gateway.sign_up("b@other.example").await;
    // As with our own token.
    for token in [&token, &account.token] {
        let look = |project: &str| {
            door.request(Method::GET, "search?q=a").bearer_auth(token).header("x-echo-project", project)
        };
        sent(look(&account.project)).await.expect(200);
        sent(look(&id(&staging))).await.assert_error(404, "app_not_found");
        sent(look(&theirs.project)).await.assert_error(404, "project_not_found");
        sent(look("nonsense")).await.assert_error(404, "project_not_found");
        let apps = |project: &str| {
            gateway.request(Method::GET, "/v1/apps").bearer_auth(token).header("x-echo-project", project)
        };
        assert_eq!(sent(apps(&account.project)).await.expect(200)[0]["id"], json!(door.app));
        assert_eq!(sent(apps(&id(&staging))).await.expect(200), json!([]));
        sent(apps(&theirs.project)).await.assert_error(404, "project_not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_members_are_known_and_only_in_their_businesses() {
    for engine in ENGINES {
        let server = KeyServer::start(key_set(&[&FIRST]));
        let gateway = server.gateway(engine).await;
        let (account, door) = house(&gateway).await;
        let said = |email: &str| claims(&gateway, email);
        // One whom nobody knows and one whose address nobody has verified are told the same.
        let stranger = door.look(&FIRST.token(&said("stranger@acme.example"))).await;
        refused(&stranger, "verified");
        let mut unverified = said(EMAIL);
        unverified["email_verified"] = json!(false);
        let mut unnamed = said(EMAIL);
        unnamed.as_object_mut().unwrap().remove("email");
        for claims in [&unverified, &unnamed] {
            let told = door.look(&FIRST.token(claims)).await;
            assert_eq!((told.status, &told.body["message"]), (401, &stranger.body["message"]));
        }
        unverified.as_object_mut().unwrap().remove("email_verified");
        refused(&door.look(&FIRST.token(&unverified)).await, "verified");
        // Nobody has become anybody by it.
        let counted = gateway.number("SELECT COUNT(*) AS n FROM users").await;
        assert_eq!(counted, 1);

        let other = gateway.sign_up("max@other.example").await;
        let token = FIRST.token(&said("max@other.example"));
        door.look(&token).await.assert_error(404, "app_not_found");
        let sources = format!("/api/apps/sources?appId={}", door.app);
        gateway.bearing(Method::GET, &sources, &token).await.assert_error(404, "app_not_found");
        // Who belongs to two businesses reaches the apps of both, with the role that they have there.
        let invitation = json!({"email": "max@other.example", "role": "viewer"});
        let invited =
            gateway.send(Method::POST, "/v1/members", &account.token, &invitation).await.expect(201);
        let accept = json!({"token": invited["token"], "password": "YourPassword123!"});
        gateway.auth("/auth/invitations/accept", &accept).await.expect(200);
        let own = Door::of(&gateway, &other, &[]).await;
        let text = json!({"text": "a"});
        for (door, status) in [(&own, 200), (&door, 403)] {
            door.look(&token).await.expect(200);
            let brought = sent(door.request(Method::POST, "ingest").bearer_auth(&token).json(&text)).await;
            assert_eq!(brought.status, status, "{}", brought.body);
        }
        let list = gateway.bearing(Method::GET, "/v1/members", &account.token).await.expect(200);
        let max = list.as_array().unwrap().iter().find(|m| m["email"] == "max@other.example").unwrap();
        let path = format!("/v1/members/{}", id(max));
        assert_eq!(gateway.bearing(Method::DELETE, &path, &account.token).await.status, 204);
        door.look(&token).await.assert_error(404, "app_not_found");
        own.look(&token).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_refused_for_each_thing_that_is_wrong_with_it() {
    let server = KeyServer::start(key_set(&[&FIRST]));
    let gateway = server.gateway(Engine::Sqlite).await;
    let (_, door) = house(&gateway).await;
    let good = claims(&gateway, EMAIL);
    let now = gateway.clock.now().timestamp();
    door.look(&FIRST.token(&good)).await.expect(200);
    for (claim, value, why) in [
        ("aud", json!("other"), "another Firebase project"),
        ("iss", json!("https://securetoken.google.com/other"), "another Firebase project"),
        ("iss", json!("https://accounts.example.com/"), "not valid"),
        ("sub", json!(""), "no user"),
        ("sub", json!("a".repeat(129)), "no user"),
        ("sub", json!(7), "not valid"),
        ("exp", json!(now - 120), "run out"),
        ("exp", json!("tomorrow"), "not valid"),
        ("iat", json!(now + 600), "in the future"),
        ("auth_time", json!(now + 600), "in the future"),
    ] {
        let mut wrong = good.clone();
        wrong[claim] = value;
        refused(&door.look(&FIRST.token(&wrong)).await, why);
    }
    for claim in ["aud", "iss", "sub", "exp", "iat", "auth_time"] {
        let mut wrong = good.clone();
        wrong.as_object_mut().unwrap().remove(claim);
        refused(&door.look(&FIRST.token(&wrong)).await, "not valid");
    }
    // Signed in another way, or by somebody else.
    let mut tokens = vec![
        FORGER.token(&good),
        format!("{}.", unsigned(&json!({"alg": "none", "kid": "first"}), &good)),
        FIRST.signed(&json!({"alg": "RS256", "typ": "JWT"}), &good, &RSA_PKCS1_SHA256),
        FIRST.signed(&json!({"alg": "RS512", "kid": "first"}), &good, &RSA_PKCS1_SHA512),
        FIRST.token(&good).replace('.', "-"),
    ];
    let token = FIRST.token(&good);
    tokens.push(token[..token.len() - 8].to_owned());
    let public = FIRST.pair.public_key();
    let der = AsDer::<PublicKeyX509Der<'_>>::as_der(public).unwrap();
    for secret in [public.as_ref(), der.as_ref(), FIRST.jwk()["n"].as_str().unwrap().as_bytes()] {
        let text = unsigned(&json!({"alg": "HS256", "kid": "first"}), &good);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), text.as_bytes());
        tokens.push(format!("{text}.{}", encoded(tag)));
    }
    for token in &tokens {
        refused(&door.look(token).await, "not valid");
        let ask = door.request(Method::POST, "query").bearer_auth(token).json(&json!({"question": "a"}));
        refused(&sent(ask).await, "not valid");
    }
    assert!(lock(&gateway.fakes.asked).is_empty());
    assert_eq!(server.asked(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_is_fetched_when_a_token_names_it_and_once_a_minute_at_most() {
    let server = KeyServer::start(key_set(&[&FIRST]));
    let gateway = server.gateway(Engine::Sqlite).await;
    let (_, door) = house(&gateway).await;
    // The first ones of all come at the same time.
    let token = FIRST.token(&claims(&gateway, EMAIL));
    for answer in join_all((0..20).map(|_| door.look(&token))).await {
        answer.expect(200);
    }
    assert_eq!(server.asked(), 1);
    server.answers(200, key_set(&[&SECOND]));
    let newer = |gateway: &Gateway| SECOND.token(&claims(gateway, EMAIL));
    refused(&door.look(&newer(&gateway)).await, "not valid");
    gateway.clock.advance(Duration::from_secs(61));
    door.look(&newer(&gateway)).await.expect(200);
    assert_eq!(server.asked(), 2);
    // The old one is gone now.
    refused(&door.look(&FIRST.token(&claims(&gateway, EMAIL))).await, "not valid");

    let client = reqwest::Client::new();
    let good = claims(&gateway, EMAIL);
    let stray = |n: usize| {
        let header = json!({"alg": "RS256", "kid": format!("kid-{n}"), "typ": "JWT"});
        // Nobody looks at the signature, for nobody has the key.
        let token = format!("{}.{}", unsigned(&header, &good), encoded([0; 256]));
        let request = client.get(format!("{}/api/{}/search?q=a", gateway.url, door.app));
        sent(request.bearer_auth(token))
    };
    for (minute, fetched) in [(0, 2), (61, 3), (61, 4)] {
        gateway.clock.advance(Duration::from_secs(minute));
        for begins in (0..340).step_by(20) {
            for answer in join_all((begins..begins + 20).map(&stray)).await {
                refused(&answer, "not valid");
            }
        }
        assert_eq!(server.asked(), fetched);
    }
    door.look(&newer(&gateway)).await.expect(200);
    // When their time is over, they are fetched without anybody's missing one.
    gateway.clock.advance(Duration::from_secs(3600));
    door.look(&newer(&gateway)).await.expect(200);
    assert_eq!(server.asked(), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn known_keys_outlive_their_server_by_a_day() {
    let server = KeyServer::start(key_set(&[&FIRST]));
    let gateway = server.gateway(Engine::Sqlite).await;
    let (_, door) = house(&gateway).await;
    let token = |signer: &Signer| signer.token(&claims(&gateway, EMAIL));
    door.look(&token(&FIRST)).await.expect(200);
    server.handle.stop(false).await;
    gateway.clock.advance(Duration::from_secs(3601));
    door.look(&token(&FIRST)).await.expect(200);
    // Whether there is another one by now, nobody can say.
    door.look(&token(&SECOND)).await.assert_error(503, "unavailable");
    gateway.clock.advance(Duration::from_secs(24 * 3600 - 10));
    door.look(&token(&FIRST)).await.expect(200);
    gateway.clock.advance(Duration::from_secs(10));
    door.look(&token(&FIRST)).await.assert_error(503, "unavailable");
    // What needs no key is told all the same.
    let unsigned = unsigned(&json!({"alg": "none"}), &claims(&gateway, EMAIL));
    refused(&door.look(&format!("{unsigned}.")).await, "not valid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_key_set_leaves_the_keys_that_are_there() {
    let server = KeyServer::start("<!doctype html><title>Sign in to the network</title>".to_owned());
    let gateway = server.gateway(Engine::Sqlite).await;
    let (account, door) = house(&gateway).await;
    let token = |signer: &Signer| signer.token(&claims(&gateway, EMAIL));
    // None were ever there: nobody's fault but the server's, and it is left alone for a minute.
    for _ in 0..3 {
        door.look(&token(&FIRST)).await.assert_error(503, "unavailable");
    }
    let question = json!({"question": "a"});
    let ask = door.request(Method::POST, "query").bearer_auth(token(&FIRST)).json(&question);
    sent(ask).await.assert_error(503, "unavailable");
    assert_eq!(server.asked(), 1);
    // Other credentials do not need them.
    door.look(&account.token).await.expect(200);
    server.answers(200, key_set(&[&FIRST]));
    gateway.clock.advance(Duration::from_secs(61));
    door.look(&token(&FIRST)).await.expect(200);

    let large = format!("{}{}", key_set(&[&SECOND]), " ".repeat(64 * 1024));
    for (status, rubbish) in [
        (200, "<!doctype html>".to_owned()),
        (200, String::new()),
        (200, json!({"keys": []}).to_string()),
        (200, json!({"keys": [{"kty": "RSA", "kid": "second", "n": "!", "e": "!"}]}).to_string()),
        (200, large),
        (302, key_set(&[&SECOND])),
        (500, key_set(&[&SECOND])),
    ] {
        server.answers(status, rubbish);
        gateway.clock.advance(Duration::from_secs(61));
        let asked = server.asked();
        refused(&door.look(&token(&SECOND)).await, "not valid");
        door.look(&token(&FIRST)).await.expect(200);
        assert_eq!(server.asked(), asked + 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_may_stand_in_a_file_that_is_read_again_when_one_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.json");
    let gateway = believing(Engine::Sqlite, path.to_str().unwrap()).await;
    let (_, door) = house(&gateway).await;
    let token = |signer: &Signer| signer.token(&claims(&gateway, EMAIL));
    door.look(&token(&FIRST)).await.assert_error(503, "unavailable");
    std::fs::write(&path, key_set(&[&FIRST])).unwrap();
    gateway.clock.advance(Duration::from_secs(61));
    door.look(&token(&FIRST)).await.expect(200);
    std::fs::write(&path, key_set(&[&FIRST, &SECOND])).unwrap();
    refused(&door.look(&token(&SECOND)).await, "not valid");
    gateway.clock.advance(Duration::from_secs(61));
    door.look(&token(&SECOND)).await.expect(200);
    std::fs::remove_file(&path).unwrap();
    gateway.clock.advance(Duration::from_secs(3600));
    door.look(&token(&SECOND)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_project_is_set_a_token_of_firebases_is_refused_and_the_setting_is_named() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let (_, door) = house(&gateway).await;
    let token = FIRST.token(&claims(&gateway, EMAIL));
    refused(&door.look(&token).await, "ECHO_FIREBASE_PROJECT_ID");
    refused(&gateway.bearing(Method::GET, "/v1/apps", &token).await, "ECHO_FIREBASE_PROJECT_ID");
    // Also where anybody may ask: a wrong credential is one.
    let ask = door.request(Method::POST, "query").bearer_auth(&token).json(&json!({"question": "a"}));
    refused(&sent(ask).await, "ECHO_FIREBASE_PROJECT_ID");
}
