//! A knowledge-service that remembers what it is told.

use common::bus::{Outcome, Subscription};
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::accounts::{AppChanged, AppDeleted};
use std::sync::Arc;

use super::{Fakes, lock};

pub(crate) const KNOWLEDGE: ServiceDef = ServiceDef {
    name: ServiceName::KnowledgeService,
    tables: Some(Tables { migrations: &[], durability: Durability::Normal }),
    listens: &[],
    build: knowledge,
};

#[derive(Clone)]
pub(super) struct Knowledge(pub(super) Arc<Fakes>);

fn knowledge(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let fake = Knowledge(Fakes::find(settings));
    let changed = Subscription::to(&fake, |fake, _, message: AppChanged| async move {
        lock(&fake.0.apps_changed).push(message);
        Outcome::Done
    });
    let deleted = Subscription::to(&fake, |fake, _, message: AppDeleted| async move {
        lock(&fake.0.apps_deleted).push(message);
        Outcome::Done
    });
    Ok(Service { subscriptions: vec![changed, deleted], ..Service::default() })
}
