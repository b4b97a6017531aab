//! Endpoints through the rpcs.

use common::db::{DbError, sql};
use contracts::ids::{EndpointId, ProjectId};
use contracts::rpc::RpcError;
use contracts::webhooks::{CreateEndpointRequest, GetEndpointRequest, ListEndpointsRequest};
use diesel::RunQueryDsl as _;
use futures_util::future::join_all;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{World, context};

on_both_engines![
    an_endpoint_is_made_once_however_often_it_is_asked_for,
    a_project_sees_its_own_endpoints_newest_first_page_by_page,
    an_endpoint_that_cannot_work_is_refused_with_what_would_be_right,
    a_secret_is_not_to_be_read_from_the_table,
    a_project_has_only_so_many_endpoints_also_when_all_are_asked_for_at_once,
];

const URL: &str = "https://your-server.com/webhooks/echo";

fn request(world: &World) -> CreateEndpointRequest {
    CreateEndpointRequest {
        endpoint_id: EndpointId::new().to_string(),
        project_id: world.project.to_string(),
        url: URL.to_owned(),
        events: vec!["call.summary".to_owned(), "call.summary".to_owned()],
    }
}

async fn an_endpoint_is_made_once_however_often_it_is_asked_for(engine: Engine) {
    let world = World::new(engine).await;
    let request = request(&world);
    let first = world.client().create_endpoint(context(), request.clone()).await.unwrap();
    assert_eq!(first.id, request.endpoint_id);
    assert_eq!((first.url.as_str(), first.status.as_str()), (URL, "active"));
    assert_eq!((first.events.as_slice(), first.consecutive_failures), (&["call.summary".to_owned()][..], 0));
    let digits = first.signing_secret.strip_prefix("whsec_").unwrap();
    assert!(digits.len() == 64 && digits.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
    let again = world.client().create_endpoint(context(), request.clone()).await.unwrap();
    assert_eq!(again, first);
    assert_eq!(world.endpoint_now(&first.id).await, first);

    let moved = CreateEndpointRequest { url: format!("{URL}/2"), ..request.clone() };
    let refused = world.client().create_endpoint(context(), moved).await.unwrap_err();
    assert!(matches!(&refused, RpcError::Conflict { code, .. } if code == "endpoint_exists"), "{refused}");
    let stolen = CreateEndpointRequest { project_id: ProjectId::new().to_string(), ..request };
    let refused = world.client().create_endpoint(context(), stolen).await.unwrap_err();
    assert!(matches!(refused, RpcError::Conflict { .. }), "{refused}");
}

async fn a_project_has_only_so_many_endpoints_also_when_all_are_asked_for_at_once(engine: Engine) {
    let world = World::with(engine, &[("ECHO_WEBHOOK_ENDPOINT_LIMIT", "3")]).await;
    let requests: Vec<_> = (0..12).map(|_| request(&world)).collect();
    let client = world.client();
    let asked = requests.iter().map(|request| client.create_endpoint(context(), request.clone()));
    let (made, refused): (Vec<_>, Vec<_>) = join_all(asked).await.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (3, 9));
    for refused in refused {
        let refused = refused.unwrap_err();
        let limit = matches!(&refused, RpcError::Conflict { code, .. } if code == "webhook_limit_reached");
        assert!(limit, "{refused}");
    }
    let made = made[0].clone().unwrap();
    let again = requests.iter().find(|request| request.endpoint_id == made.id).unwrap();
    assert_eq!(client.create_endpoint(context(), again.clone()).await.unwrap(), made);
    let elsewhere = CreateEndpointRequest { project_id: ProjectId::new().to_string(), ..request(&world) };
    client.create_endpoint(context(), elsewhere).await.unwrap();
    // One that is switched off makes room.
    let off = format!("UPDATE endpoints SET status = 'disabled' WHERE id = '{}'", made.id);
    let write = world
        .tables()
        .write(move |tx| diesel::sql_query(off).execute(tx.conn).map(drop).map_err(DbError::from))
        .await;
    write.unwrap();
    client.create_endpoint(context(), request(&world)).await.unwrap();
}

async fn a_project_sees_its_own_endpoints_newest_first_page_by_page(engine: Engine) {
    let world = World::new(engine).await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.create(URL, &["call.started"]).await.unwrap().id);
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut after_id = String::new();
    loop {
        let request = ListEndpointsRequest { project_id: world.project.to_string(), limit: 2, after_id };
        let page = world.client().list_endpoints(context(), request).await.unwrap();
        assert!(page.endpoints.len() <= 2);
        seen.extend(page.endpoints.into_iter().map(|e| e.id));
        after_id = page.next_after_id;
        if after_id.is_empty() {
            break;
        }
    }
    assert_eq!(seen, made);

    let stranger = ProjectId::new().to_string();
    let none = ListEndpointsRequest { project_id: stranger.clone(), limit: 100, after_id: String::new() };
    assert!(world.client().list_endpoints(context(), none).await.unwrap().endpoints.is_empty());
    let theirs = GetEndpointRequest { project_id: stranger, endpoint_id: seen.remove(0) };
    let refused = world.client().get_endpoint(context(), theirs).await.unwrap_err();
    assert!(matches!(refused, RpcError::NotFound(_)), "{refused}");
}

async fn an_endpoint_that_cannot_work_is_refused_with_what_would_be_right(engine: Engine) {
    let world = World::new(engine).await;
    let long = format!("https://example.com/{}", "a".repeat(2048));
    for (url, events, field, help) in [
        ("your-server.com", &["call.ended"][..], "url", "https://your-server.com/webhooks/echo"),
        ("https://10.0.0.1/hook", &["call.ended"], "url", "private"),
        (long.as_str(), &["call.ended"], "url", "at most 2048"),
        (URL, &[], "events", "at least one of call.started"),
        (URL, &["call.finished"], "events", "there is no event `call.finished`"),
    ] {
        match world.create(url, events).await.unwrap_err() {
            RpcError::Invalid { field: named, problem } => {
                assert_eq!(named, field, "{problem}");
                assert!(problem.contains(help), "{problem}");
            }
            other => panic!("{other}"),
        }
    }
}

async fn a_secret_is_not_to_be_read_from_the_table(engine: Engine) {
    #[derive(diesel::QueryableByName)]
    struct Row {
        #[diesel(sql_type = sql::Text)]
        secret: String,
    }
    let world = World::new(engine).await;
    let endpoint = world.create(URL, &["call.ended"]).await.unwrap();
    let text = "SELECT secret FROM endpoints";
    let tables = world.tables();
    let read = tables.read(move |db| diesel::sql_query(text).load(db).map_err(DbError::from));
    let rows: Vec<Row> = read.await.unwrap();
    assert_eq!(rows.len(), 1);
    assert!(!rows[0].secret.contains("whsec_") && !rows[0].secret.contains(&endpoint.signing_secret[6..]));
}
