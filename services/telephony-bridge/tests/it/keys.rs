//! The keys that seal the projects' tokens are replaced: what is stored opens as long as its key is in the ring, what is written
//! is sealed with the first one, and a key that is gone is named and harms nothing else.

use contracts::rpc::RpcError;
use contracts::telephony::dial_failed::Cause;
use testkit::database::Engine;
use testkit::on_both_engines;
use twilio::signature::sign;

use crate::carriers::stored_tokens;
use crate::line::Answer;
use crate::other_carrier::{NUMBER, OtherCarrier};
use crate::world::{NOBODY_ANSWERS, World};

const RING: &str = "ECHO_MASTER_KEYS";
const OLD: &str = "old:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
const NEW: &str = "new:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";

on_both_engines![
    a_stored_token_opens_as_long_as_its_key_is_in_the_ring,
    a_key_that_is_gone_is_named_and_the_account_can_be_connected_again,
];

impl World {
    /// With a project whose token was sealed with the old key.
    async fn sealed_with_the_old_key(engine: Engine, other: &OtherCarrier) -> Self {
        let world = Self::with(engine, &[("ECHO_TWILIO_API_URL", &other.url), (RING, OLD)]).await;
        world.connected(world.project, other.own()).await;
        assert_eq!(world.sealing_keys().await, ["old"]);
        world
    }

    /// Which keys the stored tokens are sealed with.
    async fn sealing_keys(&self) -> Vec<String> {
        let stored = stored_tokens(self).await;
        stored.iter().map(|sealed| sealed.split('.').next().unwrap().to_owned()).collect()
    }

    /// Somebody rings a bot of the project; the request is signed with the project's token.
    async fn signed_by(&self, other: &OtherCarrier) -> Answer {
        let (bot, line) = (self.bot_of(self.project), self.caller());
        let path = format!("/v1/voice?bot_id={bot}");
        let mut form = line.form(&[("From", "+14155550117"), ("To", NUMBER)]);
        form[1].1.clone_from(&other.account);
        let signed = sign(&other.token, &format!("{}{path}", self.base), &form);
        line.post_signed(&path, &form, Some(&signed)).await
    }

    /// The stored token checks a signature, and speaks for the account at the carrier.
    async fn token_works(&self, other: &OtherCarrier) {
        let answer = self.signed_by(other).await;
        assert!(answer.spoken().starts_with("Sentence 0"), "{}", answer.body);
        assert_eq!(self.answer_with(self.project, self.bot_of(self.project)).await.unwrap(), NUMBER);
    }
}

async fn a_stored_token_opens_as_long_as_its_key_is_in_the_ring(engine: Engine) {
    let other = OtherCarrier::start().await;
    let mut world = World::sealed_with_the_old_key(engine, &other).await;
    world.restart(&[(RING, &format!("{NEW},{OLD}"))]).await;
    world.token_works(&other).await;
    assert_eq!(world.sealing_keys().await, ["old"], "nobody has written it");

    world.connected(world.project, other.own()).await;
    assert_eq!(world.sealing_keys().await, ["new"]);
    world.token_works(&other).await;
    world.restart(&[(RING, NEW)]).await;
    world.token_works(&other).await;
}

async fn a_key_that_is_gone_is_named_and_the_account_can_be_connected_again(engine: Engine) {
    let other = OtherCarrier::start().await;
    let mut world = World::sealed_with_the_old_key(engine, &other).await;
    world.restart(&[(RING, NEW)]).await;
    assert_eq!(world.signed_by(&other).await.status, 403, "nobody can say that it is the carrier's");
    let refused = world.answer_with(world.project, world.bot_of(world.project)).await.unwrap_err();
    let names_it = |text: &str| text.contains("`old`") && text.contains(RING);
    assert!(matches!(&refused, RpcError::Internal(why) if names_it(why)), "{refused}");
    let wish = world.wish(NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&wish)).await;
    let failed = world.heard("the failure", |heard| heard.failed.first().cloned()).await;
    assert_eq!((failed.cause(), &failed.attempt_id), (Cause::CarrierError, &wish.attempt_id));
    assert_eq!(other.dialled(NOBODY_ANSWERS).await, 0);

    world.connected(world.project, other.own()).await;
    assert_eq!(world.sealing_keys().await, ["new"]);
    world.token_works(&other).await;
}
