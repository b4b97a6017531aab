//! A business with two projects, another business beside it, one of each thing in all of them, and everybody who tries the door.

use std::time::Duration;

use common::clock::Clock;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::api::id;
use testkit::receiver::Receiver;
use testkit::wait::eventually;

use crate::document::{Operation, Things, filled};
use crate::rows::Who;

/// The one of the document's examples.
const PASSWORD: &str = "YourPassword123!";

/// Somebody with a credential, or without one.
#[derive(Clone)]
pub(crate) struct Caller {
    /// Who, for people who read why a test failed.
    pub(crate) name: &'static str,
    /// What they are there.
    pub(crate) role: Who,
    headers: Vec<(&'static str, String)>,
}

impl Caller {
    fn new(name: &'static str, role: Who) -> Self {
        Self { name, role, headers: Vec::new() }
    }

    /// Whether they are anybody.
    pub(crate) fn shows_nothing(&self) -> bool {
        self.headers.is_empty()
    }

    fn key(self, key: &str) -> Self {
        self.with("x-api-key", key.to_owned())
    }

    fn token(self, token: &str) -> Self {
        self.with("authorization", format!("Bearer {token}"))
    }

    fn project(self, project: &str) -> Self {
        self.with("x-echo-project", project.to_owned())
    }

    fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }
}

/// How far somebody is from the things of the town's first project.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    AnotherBusiness,
    AnotherProject,
}

/// Somebody with things of their own, who wants those of others.
pub(crate) struct Stranger {
    pub(crate) caller: Caller,
    pub(crate) own: Things,
    pub(crate) from: From,
}

impl Stranger {
    /// Whether such a thing of the first project is not theirs. Agents, bots and people are those of all projects of a business, and
    /// its members reach each of its projects by its id.
    pub(crate) fn may_not_reach(&self, thing: &str) -> bool {
        match (self.from, thing) {
            (From::AnotherBusiness, _) => true,
            (From::AnotherProject, "agents" | "bots" | "members") => false,
            (From::AnotherProject, "projects") => self.caller.role == Who::Developer,
            (From::AnotherProject, _) => true,
        }
    }
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) text: String,
}

/// All of it.
pub(crate) struct Town {
    http: reqwest::Client,
    base: String,
    /// Hears the deliveries.
    receiver: Receiver,
    /// Owns the business.
    pub(crate) owner: Caller,
    /// Of the first project.
    pub(crate) things: Things,
    /// Who want them.
    pub(crate) strangers: Vec<Stranger>,
    /// The owner of the other business, who names the first project as theirs.
    pub(crate) pretender: Caller,
    /// Who have no credential, or none that counts any longer.
    pub(crate) outsiders: Vec<Caller>,
    /// Of the business, with less than an owner may, and a key of the first project.
    pub(crate) members: Vec<Caller>,
}

impl Town {
    /// Builds it in a new Echo.
    pub(crate) async fn build(base: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build();
        let nobody = Caller::new("nobody", Who::Anybody);
        let mut town = Self {
            http: http.expect("a client"),
            base: base.to_owned(),
            receiver: Receiver::start(),
            owner: nobody.clone(),
            things: Things::new(),
            strangers: Vec::new(),
            pretender: nobody.clone(),
            outsiders: vec![nobody],
            members: Vec::new(),
        };
        // The address of the document's examples.
        let (ours, theirs) =
            (town.sign_up("you@yourcompany.com").await, town.sign_up("b@acme.example").await);
        town.settle(&ours).await;
        town.neighbour(&theirs).await;
        town
    }

    async fn sign_up(&self, email: &str) -> Value {
        let body = json!({
            "email": email, "password": PASSWORD, "first_name": "Jane", "last_name": "Doe", "business_name": "Acme Inc",
            "business_summary": "A SaaS platform for project management", "industry": "Software",
        });
        self.make(&self.outsiders[0], "/auth/signup", &body).await
    }

    /// The business with its two projects and its people.
    async fn settle(&mut self, signup: &Value) {
        let first = &signup["default_project"];
        let (token, project) = (text(signup, "access_token"), text(first, "id"));
        self.owner = Caller::new("the owner", Who::Owner).token(token).project(project);
        let key = Caller::new("a key", Who::Developer).key(text(first, "api_key"));
        self.things = self.furnish(&self.owner, project, "our").await;
        let second = self.make(&self.owner, "/api/v1/projects", &json!({"name": "staging"})).await;
        let staging = text(&second, "id");
        let own = Caller::new("the owner, in another project", Who::Owner).token(token).project(staging);
        let sibling = Caller::new("a key of another project", Who::Developer).key(text(&second, "api_key"));
        let things = self.furnish(&own, staging, "sibling").await;
        for caller in [own, sibling] {
            self.strangers.push(Stranger { caller, own: things.clone(), from: From::AnotherProject });
        }
        let made = self.make(&key, "/api/v1/api-keys", &json!({"name": "old"})).await;
        let path = format!("/api/v1/api-keys/{}/revoke", id(&made));
        self.is(200, self.request(Method::PATCH, &path, &key)).await;
        self.outsiders.push(Caller::new("a revoked key", Who::Developer).key(text(&made, "key")));
        self.members.push(key);
        self.people(project).await;
    }

    /// Members of each role, and one who is none any longer.
    async fn people(&mut self, project: &str) {
        for (name, role, called) in [
            ("a viewer", Who::Viewer, "viewer"),
            ("a developer", Who::Developer, "developer"),
            ("an admin", Who::Admin, "admin"),
        ] {
            let (token, membership) = self.join(called).await;
            self.things.insert("members", membership);
            self.members.push(Caller::new(name, role).token(&token).project(project));
        }
        let (token, membership) = self.join("owner").await;
        self.is(204, self.request(Method::DELETE, &format!("/api/v1/members/{membership}"), &self.owner))
            .await;
        self.outsiders.push(Caller::new("a removed owner", Who::Owner).token(&token).project(project));
    }

    /// Somebody becomes a member. Answers their token and their membership.
    async fn join(&self, role: &str) -> (String, String) {
        let email = format!("{role}@yourcompany.com");
        let invited = self.make(&self.owner, "/api/v1/members", &json!({"email": email, "role": role})).await;
        let body = json!({
            "token": text(&invited, "token"), "password": PASSWORD, "first_name": "Max", "last_name": "Doe",
        });
        let accept = self.request(Method::POST, "/auth/invitations/accept", &self.outsiders[0]);
        let session = self.is(200, accept.json(&body)).await;
        (text(&session, "access_token").to_owned(), self.membership(&self.owner, &email).await)
    }

    async fn membership(&self, member: &Caller, email: &str) -> String {
        let members = self.is(200, self.request(Method::GET, "/api/v1/members", member)).await;
        id(members.as_array().expect("a list").iter().find(|m| m["email"] == email).expect("a member"))
    }

    /// The other business.
    async fn neighbour(&mut self, signup: &Value) {
        let project = &signup["default_project"];
        let owner =
            Caller::new("the owner of another business", Who::Owner).token(text(signup, "access_token"));
        let key = Caller::new("a key of another business", Who::Developer).key(text(project, "api_key"));
        let things = self.furnish(&owner, text(project, "id"), "their").await;
        self.pretender = owner.clone().project(&self.things["projects"]);
        for caller in [owner, key] {
            self.strangers.push(Stranger { caller, own: things.clone(), from: From::AnotherBusiness });
        }
    }

    /// One of each thing for a project. Nobody's phone rings.
    async fn furnish(&self, owner: &Caller, project: &str, whose: &str) -> Things {
        let customer = json!({
            "external_id": format!("{whose} customer"), "first_name": "John", "last_name": "Smith",
            "phone": "+14155550123",
        });
        let customer = self.make(owner, "/api/v1/customers", &customer).await;
        let agent = json!({"name": whose, "system_prompt": testkit::api::PROMPT});
        let agent = id(&self.make(owner, "/api/v1/agents", &agent).await);
        let tomorrow = Clock::system().now() + chrono::TimeDelta::days(1);
        let call =
            json!({"customer_id": id(&customer), "agent_id": agent, "scheduled_at": tomorrow.to_rfc3339()});
        let placed = self.make(owner, "/api/v1/notifications", &call).await;
        let suppression = json!({"phone": "+14155550199"});
        let suppression = self.make(owner, "/api/v1/suppressions", &suppression).await;
        let key = self.make(owner, "/api/v1/api-keys", &json!({"name": whose})).await;
        let bot = json!({"goal": whose, "webhook": "https://api.eatery.example/book"});
        let bot = self.make(owner, "/v1/bots", &bot).await;
        let app = self.make(owner, "/v1/apps", &json!({"name": whose})).await;
        let app_key = self.make(owner, &format!("/v1/apps/{}/keys", id(&app)), &json!({"name": whose})).await;
        let known = json!({"text": format!("What {whose} people know.")});
        let ingest = self.request(Method::POST, &format!("/api/{}/ingest", id(&app)), owner).json(&known);
        let source = self.is(200, ingest).await;
        let question = json!({"message": format!("What do {whose} people know?")});
        let ask = self.request(Method::POST, &format!("/api/{}/query", id(&app)), owner).json(&question);
        let answer = self.is(200, ask).await;
        let wish = json!({"email": "joe@example.com", "question": format!("What do {whose} people want?")});
        let wish = self.request(Method::POST, &format!("/api/{}/handover", id(&app)), owner).json(&wish);
        let ticket = self.is(200, wish).await;
        let (webhook, delivery) = self.listen(owner, project).await;
        let members = self.is(200, self.request(Method::GET, "/api/v1/members", owner)).await;
        Things::from([
            ("agents", agent),
            ("answers", id(&answer["message"])),
            ("api-keys", id(&key)),
            ("apps", id(&app)),
            ("bots", text(&bot, "bot_id").to_owned()),
            ("calls", text(&placed["call"], "callId").to_owned()),
            ("customers", id(&customer)),
            ("deliveries", delivery),
            ("keys", id(&app_key)),
            ("members", id(&members[0])),
            ("notifications", id(&placed["notification"])),
            ("phones", id(&customer["phones"][0])),
            ("projects", project.to_owned()),
            ("sources", source["sourceId"].as_str().expect("a source").to_owned()),
            ("suppressions", id(&suppression)),
            ("tickets", text(&ticket, "ticketId").to_owned()),
            ("versions", "1".to_owned()),
            ("webhooks", webhook),
        ])
    }

    /// An endpoint, and a delivery that has arrived there.
    async fn listen(&self, owner: &Caller, project: &str) -> (String, String) {
        let all = format!("/api/v1/projects/{project}/webhooks");
        let endpoint = json!({"url": self.receiver.url(), "events": ["call.summary"]});
        let endpoint = self.make(owner, &all, &endpoint).await;
        self.receiver.trust(text(&endpoint, "signing_secret"));
        let one = format!("{all}/{}", id(&endpoint));
        let sent = self.is(202, self.request(Method::POST, &format!("{one}/test"), owner)).await;
        let log = format!("{one}/deliveries/{}", id(&sent));
        let arrived = || async {
            let found = self.is(200, self.request(Method::GET, &log, owner)).await;
            if found["status"] == "success" { Ok(()) } else { Err(found) }
        };
        eventually("the delivery", Duration::from_secs(30), arrived).await;
        (id(&endpoint), id(&sent))
    }

    async fn make(&self, by: &Caller, path: &str, body: &Value) -> Value {
        self.is(201, self.request(Method::POST, path, by).json(body)).await
    }

    async fn is(&self, status: u16, request: RequestBuilder) -> Value {
        let answer = send(request).await;
        assert_eq!(answer.status, status, "{}", answer.text);
        serde_json::from_str(&answer.text).unwrap_or_default()
    }

    fn request(&self, method: Method, path: &str, by: &Caller) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        by.headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
    }

    /// The document of the API.
    pub(crate) async fn document(&self) -> Value {
        self.is(200, self.request(Method::GET, "/openapi.json", &self.outsiders[0])).await
    }

    /// Asks for an operation with these things.
    pub(crate) async fn ask(&self, by: &Caller, operation: &Operation, things: &Things) -> Answer {
        let request = self.request(operation.method.clone(), &filled(&operation.path, things), by);
        send(match &operation.body {
            Some((kind, body)) => request.header("content-type", kind).body(filled(body, things)),
            None => request,
        })
        .await
    }
}

async fn send(request: RequestBuilder) -> Answer {
    let answer = request.send().await.expect("an answer");
    Answer { status: answer.status().as_u16(), text: answer.text().await.expect("the whole answer") }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}
