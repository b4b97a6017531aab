//! Who belongs to a business: asked to, become, promoted, removed.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Account, Answer, ENGINES, Engine, Gateway, Method, id};

/// The owner of a business, somebody else's view of it, and what they do to its members.
struct House<'a> {
    gateway: &'a Gateway,
    owner: Account,
}

impl<'a> House<'a> {
    async fn of(gateway: &'a Gateway) -> Self {
        Self { gateway, owner: gateway.sign_up("owner@acme.example").await }
    }

    async fn invite(&self, email: &str, role: &str) -> Answer {
        self.invite_as(&self.owner.token, email, role).await
    }

    async fn invite_as(&self, token: &str, email: &str, role: &str) -> Answer {
        self.gateway.send(Method::POST, "/v1/members", token, &invitation(email, role)).await
    }

    /// Invites, accepts, and answers the new member's session.
    async fn join(&self, email: &str, role: &str) -> Value {
        let invited = self.invite(email, role).await.expect(201);
        self.gateway.auth("/auth/invitations/accept", &newcomer(&invited["token"])).await.expect(200)
    }

    async fn members(&self) -> Vec<Value> {
        let list = self.gateway.bearing(Method::GET, "/v1/members", &self.owner.token).await.expect(200);
        list.as_array().unwrap().clone()
    }

    /// The membership of an address.
    async fn member(&self, email: &str) -> String {
        id(self.members().await.iter().find(|m| m["email"] == email).unwrap())
    }

    async fn actions(&self) -> Vec<Value> {
        let log = self.gateway.bearing(Method::GET, "/v1/audit", &self.owner.token).await.expect(200);
        log.as_array().unwrap().iter().map(|entry| entry["action"].clone()).collect()
    }
}

fn invitation(email: &str, role: &str) -> Value {
    json!({"email": email, "role": role})
}

fn newcomer(token: &Value) -> Value {
    json!({"token": token, "password": "YourPassword123!", "first_name": "Max", "last_name": "Doe"})
}

fn token(session: &Value) -> &str {
    session["access_token"].as_str().unwrap()
}

async fn look(gateway: &Gateway, token: &str) -> Answer {
    gateway.bearing(Method::GET, "/v1/customers", token).await
}

async fn build(gateway: &Gateway, token: &str) -> Answer {
    gateway.send(Method::POST, "/v1/agents", token, &crate::support::agent("A")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_invited_gets_a_mail_makes_an_account_and_works_in_the_business() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let house = House::of(&gateway).await;
        let invited = house.invite("Max@Acme.example", "developer").await.expect(201);
        assert_eq!(invited["status"], "invited");
        let link = invited["link"].as_str().unwrap();
        assert!(link.ends_with(&format!("#token={}", invited["token"].as_str().unwrap())), "{link}");
        let mail = gateway.fakes.next_mail().await;
        assert_eq!((mail.to.as_str(), mail.mail_id), ("Max@Acme.example", id(&invited)));
        assert_eq!(mail.business_id, house.owner.business);
        assert_eq!(mail.subject, "You are invited to Acme Inc on Echo");
        assert!(mail.text.contains(link), "{}", mail.text);

        let waiting = &house.members().await[0];
        assert_eq!((&waiting["email"], &waiting["status"]), (&json!("Max@Acme.example"), &json!("invited")));
        assert_eq!((&waiting["user_id"], &waiting["first_name"]), (&Value::Null, &Value::Null));
        assert!(!waiting.to_string().contains(invited["token"].as_str().unwrap()));

        let accept = newcomer(&invited["token"]);
        let session = gateway.auth("/api/auth/invitations/accept", &accept).await.expect(200);
        assert_eq!(session["business"]["id"], house.owner.business.as_str());
        assert_eq!(session["user"]["email"], "Max@Acme.example");
        build(&gateway, token(&session)).await.expect(201);
        look(&gateway, token(&session)).await.expect(200);

        let members = house.members().await;
        let emails: Vec<_> = members.iter().map(|m| (&m["email"], &m["role"], &m["status"])).collect();
        let (max, owner) = (json!("Max@Acme.example"), json!("owner@acme.example"));
        let (developer, owning, active) = (json!("developer"), json!("owner"), json!("active"));
        assert_eq!(emails, [(&max, &developer, &active), (&owner, &owning, &active)]);
        gateway.auth("/auth/invitations/accept", &accept).await.assert_error(410, "invitation_used");
        assert_eq!(house.actions().await[..2], [json!("agent.created"), json!("member.joined")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_has_an_account_joins_with_its_password_or_its_token_and_with_no_other() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let house = House::of(&gateway).await;
        let max = gateway.sign_up("max@other.example").await;
        let eve = gateway.sign_up("eve@other.example").await;
        let invited = house.invite("max@other.example", "viewer").await.expect(201);
        let wrong = json!({"token": invited["token"], "password": "WrongPassword1!"});
        gateway.auth("/auth/invitations/accept", &wrong).await.assert_error(401, "invalid_credentials");
        let only = json!({"token": invited["token"]});
        gateway.auth("/auth/invitations/accept", &only).await.assert_fields(&["password"]);
        let accept = |token: String| {
            let only = only.clone();
            let gateway = &gateway;
            async move { gateway.send(Method::POST, "/auth/invitations/accept", &token, &only).await }
        };
        accept(eve.token).await.assert_error(403, "forbidden");
        let session = accept(max.token.clone()).await.expect(200);
        assert_eq!(session["user"]["id"], max.user.as_str());
        assert_eq!(session["business"]["id"], house.owner.business.as_str());
        build(&gateway, token(&session)).await.assert_error(403, "forbidden");
        look(&gateway, token(&session)).await.expect(200);
        build(&gateway, &max.token).await.expect(201);
        let login = json!({
            "email": "max@other.example", "password": "YourPassword123!", "business_id": house.owner.business,
        });
        let again = gateway.auth("/auth/login", &login).await.expect(200);
        assert_eq!(again["business"]["id"], house.owner.business.as_str());
        house.invite("MAX@other.example", "admin").await.assert_error(409, "already_member");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_can_be_changed_taken_back_and_runs_out_after_seven_days() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let house = House::of(&gateway).await;
        let owner = &house.owner.token;
        let first = house.invite("max@acme.example", "viewer").await.expect(201);
        house.invite("MAX@acme.example", "viewer").await.assert_error(409, "already_invited");
        let path = format!("/v1/members/{}", id(&first));
        let changed = gateway.send(Method::PATCH, &path, owner, &json!({"role": "admin"})).await.expect(200);
        assert_eq!((&changed["role"], &changed["status"]), (&json!("admin"), &json!("invited")));
        gateway.bearing(Method::DELETE, &path, owner).await.expect(204);
        gateway.bearing(Method::DELETE, &path, owner).await.assert_error(404, "member_not_found");
        let late = gateway.auth("/auth/invitations/accept", &newcomer(&first["token"])).await;
        late.assert_error(410, "invitation_revoked");

        let second = house.invite("max@acme.example", "viewer").await.expect(201);
        gateway.clock.advance(Duration::from_secs(7 * 86_400));
        let late = gateway.auth("/auth/invitations/accept", &newcomer(&second["token"])).await;
        late.assert_error(410, "invitation_expired");
        let nobody = gateway.auth("/auth/invitations/accept", &newcomer(&json!("nonsense"))).await;
        nobody.assert_error(404, "invitation_not_found");
        let login = json!({"email": "owner@acme.example", "password": "YourPassword123!"});
        let session = gateway.auth("/auth/login", &login).await.expect(200);
        let list = gateway.bearing(Method::GET, "/v1/members", token(&session)).await.expect(200);
        assert_eq!(list.as_array().unwrap().len(), 1, "{list}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_of_an_invitation_that_was_changed_is_what_the_newcomer_gets() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let house = House::of(&gateway).await;
    let invited = house.invite("max@acme.example", "admin").await.expect(201);
    let path = format!("/v1/members/{}", id(&invited));
    gateway.send(Method::PATCH, &path, &house.owner.token, &json!({"role": "viewer"})).await.expect(200);
    let session = gateway.auth("/auth/invitations/accept", &newcomer(&invited["token"])).await.expect(200);
    build(&gateway, token(&session)).await.assert_error(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_role_and_a_removed_member_count_on_every_replica_within_five_seconds() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let replica = gateway.replica().await;
        let house = House::of(&gateway).await;
        let session = house.join("max@acme.example", "developer").await;
        let max = token(&session);
        build(&gateway, max).await.expect(201);
        build(&replica, max).await.expect(201);
        let path = format!("/v1/members/{}", house.member("max@acme.example").await);
        let owner = &house.owner.token;
        gateway.send(Method::PATCH, &path, owner, &json!({"role": "viewer"})).await.expect(200);
        build(&gateway, max).await.assert_error(403, "forbidden");
        replica.clock.advance(Duration::from_secs(5));
        build(&replica, max).await.assert_error(403, "forbidden");
        look(&replica, max).await.expect(200);
        gateway.bearing(Method::DELETE, &path, owner).await.expect(204);
        look(&gateway, max).await.assert_error(401, "unauthorized");
        replica.clock.advance(Duration::from_secs(5));
        look(&replica, max).await.assert_error(401, "unauthorized");
        let refresh = session["refresh_token"].as_str().unwrap();
        gateway.bearing(Method::POST, "/auth/refresh", refresh).await.assert_error(401, "unauthorized");
        look(&gateway, owner).await.expect(200);
        assert_eq!(house.actions().await[..2], [json!("member.removed"), json!("member.role_changed")]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_keeps_an_owner_and_only_owners_touch_owners() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let house = House::of(&gateway).await;
        let owner = &house.owner.token;
        let own = format!("/v1/members/{}", house.member("owner@acme.example").await);
        let role = |role: &str| json!({"role": role});
        gateway.send(Method::PATCH, &own, owner, &role("admin")).await.assert_error(409, "last_owner");
        gateway.bearing(Method::DELETE, &own, owner).await.assert_error(409, "last_owner");
        let session = house.join("max@acme.example", "admin").await;
        let admin = token(&session);
        let max = format!("/v1/members/{}", house.member("max@acme.example").await);
        gateway.send(Method::PATCH, &max, admin, &role("owner")).await.assert_error(403, "forbidden");
        gateway.send(Method::PATCH, &own, admin, &role("viewer")).await.assert_error(403, "forbidden");
        gateway.bearing(Method::DELETE, &own, admin).await.assert_error(403, "forbidden");
        house.invite_as(admin, "e@acme.example", "owner").await.assert_error(403, "forbidden");
        gateway.send(Method::PATCH, &max, owner, &role("owner")).await.expect(200);
        gateway.send(Method::PATCH, &own, owner, &role("viewer")).await.expect(200);
        house.invite("e@acme.example", "viewer").await.assert_error(403, "forbidden");
        gateway.bearing(Method::DELETE, &max, admin).await.assert_error(409, "last_owner");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_owners_who_remove_each_other_leave_one() {
    let gateway = Gateway::start(Engine::Postgres).await;
    let house = House::of(&gateway).await;
    let session = house.join("max@acme.example", "owner").await;
    let first = format!("/v1/members/{}", house.member("owner@acme.example").await);
    let second = format!("/v1/members/{}", house.member("max@acme.example").await);
    let (one, two) = tokio::join!(
        gateway.bearing(Method::DELETE, &second, &house.owner.token),
        gateway.bearing(Method::DELETE, &first, token(&session)),
    );
    assert_eq!([one.status, two.status].iter().filter(|status| **status == 204).count(), 1);
    let owners = gateway.number("SELECT COUNT(*) AS n FROM memberships WHERE role = 'owner'").await;
    assert_eq!(owners, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_of_another_business_are_not_there_and_keys_invite_nobody() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let house = House::of(&gateway).await;
    let eve = gateway.sign_up("eve@other.example").await;
    let own = format!("/v1/members/{}", house.member("owner@acme.example").await);
    let viewer = json!({"role": "viewer"});
    gateway.send(Method::PATCH, &own, &eve.token, &viewer).await.assert_error(404, "member_not_found");
    gateway.bearing(Method::DELETE, &own, &eve.token).await.assert_error(404, "member_not_found");
    let key = &house.owner.key;
    gateway.get("/v1/members", key).await.expect(200);
    gateway
        .post("/v1/members", key, &invitation("e@acme.example", "viewer"))
        .await
        .assert_error(403, "forbidden");
    house.invite("nobody", "emperor").await.assert_fields(&["email", "role"]);
    gateway.send(Method::PATCH, &own, &house.owner.token, &json!({})).await.assert_fields(&["role"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_list_of_members_and_invitations_has_pages() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let house = House::of(&gateway).await;
    house.join("b@acme.example", "viewer").await;
    house.invite("c@acme.example", "viewer").await.expect(201);
    house.join("d@acme.example", "viewer").await;
    let (mut emails, mut path) = (Vec::new(), "/v1/members?limit=1".to_owned());
    loop {
        let page = gateway.bearing(Method::GET, &path, &house.owner.token).await;
        let next = page.header("x-next-cursor").map(str::to_owned);
        emails.extend(page.expect(200).as_array().unwrap().iter().map(|m| m["email"].clone()));
        match next {
            Some(cursor) => path = format!("/v1/members?limit=1&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(emails, ["d@acme.example", "c@acme.example", "b@acme.example", "owner@acme.example"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invitation_is_made_once_however_often_it_is_asked_for_with_one_key() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let house = House::of(&gateway).await;
    let ask = || async {
        let request = gateway.request(Method::POST, "/v1/members").bearer_auth(&house.owner.token);
        let body = invitation("max@acme.example", "viewer");
        Answer::of(request.header("Idempotency-Key", "one").json(&body).send().await.unwrap()).await
    };
    ask().await.expect(201);
    ask().await.assert_error(409, "secret_already_shown");
    assert_eq!(house.members().await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_business_is_read_by_everybody_and_changed_by_its_admins() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let house = House::of(&gateway).await;
        let owner = &house.owner;
        let business = gateway.get("/api/v1/business", &owner.key).await.expect(200);
        assert_eq!(business["id"], owner.business.as_str());
        assert_eq!(business["summary"], "A SaaS platform for project management");
        assert_eq!(business["created_at"], business["updated_at"]);
        gateway.clock.advance(Duration::from_secs(1));
        let path = "/api/v1/business";
        let change = json!({"summary": "Sells hats", "name": "Acme Inc"});
        let changed = gateway.send(Method::PATCH, path, &owner.token, &change).await.expect(200);
        assert_eq!((&changed["summary"], &changed["industry"]), (&json!("Sells hats"), &json!("Software")));
        assert_ne!(changed["created_at"], changed["updated_at"]);
        assert_eq!(gateway.get(path, &owner.key).await.expect(200), changed);
        let log = gateway.bearing(Method::GET, "/v1/audit?action=business.updated", &owner.token).await;
        assert_eq!(log.expect(200)[0]["details"], json!({"summary": "changed"}));
        let by_key = gateway.request(Method::PATCH, path).header("x-api-key", &owner.key).json(&change);
        Answer::of(by_key.send().await.unwrap()).await.assert_error(403, "forbidden");
        let blank = json!({"name": "", "summary": 7, "industry": "a\nb"});
        let refused = gateway.send(Method::PATCH, path, &owner.token, &blank).await;
        refused.assert_fields(&["name", "summary", "industry"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_has_asked_for_goes_with_their_right_to_ask() {
    for engine in ENGINES {
        let gateway = Gateway::start(engine).await;
        let house = House::of(&gateway).await;
        for end in [Method::PATCH, Method::DELETE] {
            let email = format!("{}@acme.example", end.as_str().to_lowercase());
            let session = house.join(&email, "owner").await;
            let backdoor = house.invite_as(token(&session), &format!("x{email}"), "owner").await.expect(201);
            let path = format!("/v1/members/{}", house.member(&email).await);
            let viewer = json!({"role": "viewer"});
            let ended = gateway.send(end.clone(), &path, &house.owner.token, &viewer).await;
            assert!(matches!(ended.status, 200 | 204), "{}", ended.body);
            let late = gateway.auth("/auth/invitations/accept", &newcomer(&backdoor["token"])).await;
            late.assert_error(410, "invitation_revoked");
        }
        let kept = house.invite("y@acme.example", "viewer").await.expect(201);
        gateway.auth("/auth/invitations/accept", &newcomer(&kept["token"])).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_address_is_invited_three_times_a_day_however_often_it_is_taken_back() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let house = House::of(&gateway).await;
    for _ in 0..3 {
        let invited = house.invite("max@acme.example", "viewer").await.expect(201);
        let path = format!("/v1/members/{}", id(&invited));
        gateway.bearing(Method::DELETE, &path, &house.owner.token).await.expect(204);
    }
    house.invite("max@acme.example", "viewer").await.assert_error(409, "invitation_limit_reached");
    house.invite("else@acme.example", "viewer").await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_removed_and_comes_back_begins_anew() {
    let gateway = Gateway::start(Engine::Sqlite).await;
    let house = House::of(&gateway).await;
    let session = house.join("max@acme.example", "viewer").await;
    let path = format!("/v1/members/{}", house.member("max@acme.example").await);
    gateway.bearing(Method::DELETE, &path, &house.owner.token).await.expect(204);
    house.join("max@acme.example", "viewer").await;
    look(&gateway, token(&session)).await.assert_error(401, "unauthorized");
    let refresh = session["refresh_token"].as_str().unwrap();
    gateway.bearing(Method::POST, "/auth/refresh", refresh).await.assert_error(401, "unauthorized");
}
