//! The bots of a business, as the gateway keeps them here.

use contracts::calls::{
    Bot, BotsClient, CountBotsRequest, CreateBotRequest, DeleteBotRequest, GetBotRequest, ListBotsRequest,
    UpdateBotRequest,
};
use contracts::ids::{BotId, BusinessId};
use contracts::rpc::RpcError;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{World, context};

on_both_engines![
    a_bot_is_made_once_changed_in_part_and_removed,
    the_bots_are_read_page_by_page_newest_first,
    the_bots_of_another_business_are_not_there,
    two_changes_at_once_both_land,
    what_is_no_id_and_no_status_is_refused,
];

fn table(business: BusinessId) -> CreateBotRequest {
    CreateBotRequest {
        bot_id: BotId::new().to_string(),
        business_id: business.to_string(),
        goal: "Book table".to_owned(),
        webhook: "https://api.eatery.example/book".to_owned(),
        context: "Open 5-10PM. Tables: 2,4,6".to_owned(),
        language: "en-US".to_owned(),
        voice: "man".to_owned(),
        greeting: "Hi.".to_owned(),
        ..CreateBotRequest::default()
    }
}

/// A bot and what is asked of it, as its business or another one.
struct Desk {
    client: BotsClient,
    business: BusinessId,
}

impl Desk {
    fn of(world: &World) -> Self {
        Self { client: BotsClient::new(world.caller()), business: BusinessId::new() }
    }

    async fn create(&self, request: CreateBotRequest) -> Result<Bot, RpcError> {
        self.client.create_bot(context(), request).await
    }

    async fn get(&self, bot: &str) -> Result<Bot, RpcError> {
        let (business_id, bot_id) = (self.business.to_string(), bot.to_owned());
        self.client.get_bot(context(), GetBotRequest { business_id, bot_id }).await
    }

    fn change(&self, bot: &str) -> UpdateBotRequest {
        let (business_id, bot_id) = (self.business.to_string(), bot.to_owned());
        UpdateBotRequest { business_id, bot_id, ..UpdateBotRequest::default() }
    }

    async fn update(&self, request: UpdateBotRequest) -> Result<Bot, RpcError> {
        self.client.update_bot(context(), request).await
    }

    async fn delete(&self, bot: &str) -> Result<(), RpcError> {
        let (business_id, bot_id) = (self.business.to_string(), bot.to_owned());
        self.client.delete_bot(context(), DeleteBotRequest { business_id, bot_id }).await.map(drop)
    }

    async fn count(&self) -> u32 {
        let request = CountBotsRequest { business_id: self.business.to_string() };
        self.client.count_bots(context(), request).await.unwrap().count
    }

    /// All of them, read in pages of this size.
    async fn list(&self, limit: u32) -> Vec<Bot> {
        let (mut all, mut after_id) = (Vec::new(), String::new());
        loop {
            let business_id = self.business.to_string();
            let request = ListBotsRequest { business_id, limit, after_id };
            let page = self.client.list_bots(context(), request).await.unwrap();
            assert!(page.bots.len() <= limit as usize);
            all.extend(page.bots);
            after_id = page.next_after_id;
            if after_id.is_empty() {
                return all;
            }
        }
    }
}

async fn a_bot_is_made_once_changed_in_part_and_removed(engine: Engine) {
    let world = World::new(engine).await;
    let desk = Desk::of(&world);
    let request = table(desk.business);
    let made = desk.create(request.clone()).await.unwrap();
    assert_eq!((made.id.as_str(), made.status.as_str()), (request.bot_id.as_str(), "active"));
    assert_eq!(made.created_at_ms / 60_000, world.clock.now().timestamp() / 60);
    let again = CreateBotRequest { goal: "Another".to_owned(), ..request.clone() };
    assert_eq!(desk.create(again).await, Ok(made.clone()));
    assert_eq!(desk.get(&made.id).await, Ok(made.clone()));

    let change = UpdateBotRequest {
        context: Some(String::new()),
        transfer_number: Some("+14155552671".to_owned()),
        status: Some("disabled".to_owned()),
        ..desk.change(&made.id)
    };
    let changed = Bot {
        context: String::new(),
        transfer_number: "+14155552671".to_owned(),
        status: "disabled".to_owned(),
        ..made.clone()
    };
    assert_eq!(desk.update(change).await, Ok(changed.clone()));
    assert_eq!(desk.update(desk.change(&made.id)).await, Ok(changed.clone()));
    assert_eq!(desk.get(&made.id).await, Ok(changed));

    assert_eq!(desk.count().await, 1);
    desk.delete(&made.id).await.unwrap();
    assert_eq!(desk.count().await, 0);
    assert!(matches!(desk.get(&made.id).await, Err(RpcError::NotFound(_))));
    assert!(matches!(desk.delete(&made.id).await, Err(RpcError::NotFound(_))));
}

async fn the_bots_are_read_page_by_page_newest_first(engine: Engine) {
    let world = World::new(engine).await;
    let (desk, other) = (Desk::of(&world), Desk::of(&world));
    let mut all = Vec::new();
    for _ in 0..5 {
        all.insert(0, desk.create(table(desk.business)).await.unwrap());
    }
    other.create(table(other.business)).await.unwrap();
    for limit in [1, 2, 5, 100] {
        assert_eq!(desk.list(limit).await, all, "{limit}");
    }
    assert_eq!(desk.count().await, 5);
}

async fn the_bots_of_another_business_are_not_there(engine: Engine) {
    let world = World::new(engine).await;
    let (desk, other) = (Desk::of(&world), Desk::of(&world));
    let made = desk.create(table(desk.business)).await.unwrap();
    let change = UpdateBotRequest { goal: Some("Mine now".to_owned()), ..other.change(&made.id) };
    for refused in [other.get(&made.id).await, other.update(change).await] {
        assert!(matches!(refused, Err(RpcError::NotFound(_))), "{refused:?}");
    }
    assert!(matches!(other.delete(&made.id).await, Err(RpcError::NotFound(_))));
    // An id that is taken does not become another business's bot, and shows nothing of the one that has it.
    let stolen = CreateBotRequest { bot_id: made.id.clone(), ..table(other.business) };
    assert!(other.create(stolen).await.is_err());
    assert_eq!((other.count().await, desk.get(&made.id).await), (0, Ok(made)));
}

async fn two_changes_at_once_both_land(engine: Engine) {
    let world = World::new(engine).await;
    let desk = Desk::of(&world);
    let made = desk.create(table(desk.business)).await.unwrap();
    let goal = UpdateBotRequest { goal: Some("Cancel table".to_owned()), ..desk.change(&made.id) };
    let voice = UpdateBotRequest { voice: Some("woman".to_owned()), ..desk.change(&made.id) };
    let (one, two) = tokio::join!(desk.update(goal), desk.update(voice));
    one.and(two).unwrap();
    let now = desk.get(&made.id).await.unwrap();
    assert_eq!((now.goal.as_str(), now.voice.as_str()), ("Cancel table", "woman"));
}

async fn what_is_no_id_and_no_status_is_refused(engine: Engine) {
    let world = World::new(engine).await;
    let desk = Desk::of(&world);
    let made = desk.create(table(desk.business)).await.unwrap();
    let wrong = CreateBotRequest { bot_id: "bot_abc123".to_owned(), ..table(desk.business) };
    assert!(matches!(desk.create(wrong).await, Err(RpcError::Invalid { .. })));
    let wrong = CreateBotRequest { business_id: "nobody".to_owned(), ..table(desk.business) };
    assert!(matches!(desk.create(wrong).await, Err(RpcError::Invalid { .. })));
    let wrong = UpdateBotRequest { status: Some("asleep".to_owned()), ..desk.change(&made.id) };
    assert!(matches!(desk.update(wrong).await, Err(RpcError::Invalid { field, .. }) if field == "status"));
    assert_eq!(desk.get(&made.id).await, Ok(made));
}
