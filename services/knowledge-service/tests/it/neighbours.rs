//! Somebody beside the service who is told of its tickets, and who tells it of calls and of apps that are gone.

use std::cell::RefCell;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::bus::{Cause, Meta, Outcome, Subscription};
use common::config::{ConfigError, Settings};
use common::db::{DbError, Durability};
use common::platform::Platform;
use common::runtime::Process;
use common::service::{Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::knowledge::TicketOpened;
use contracts::message::Message;
use contracts::rpc::Caller;
use testkit::wait::eventually;

pub(crate) const PROCESS: Process = Process {
    name: "knowledge-told-test",
    about: "The knowledge service and somebody who is told of its tickets.",
    services: &[echo_knowledge_service::SERVICE, NEIGHBOUR],
    embedded: true,
};

const NEIGHBOUR: ServiceDef = ServiceDef {
    name: ServiceName::WebhookDispatcher,
    tables: Some(Tables { migrations: &[], durability: Durability::Normal }),
    listens: &[],
    build,
};

thread_local! {
    /// The last one that was built: each test starts its processes on its own thread.
    static BUILT: RefCell<Option<Neighbour>> = const { RefCell::new(None) };
}

#[derive(Clone)]
pub(crate) struct Neighbour {
    platform: Platform,
    opened: Arc<Mutex<Vec<TicketOpened>>>,
}

fn build(_: &Settings, platform: &Platform) -> Result<Service, ConfigError> {
    let neighbour = Neighbour { platform: platform.clone(), opened: Arc::default() };
    let opened = Subscription::to(&neighbour.opened, async |opened, _: Meta, message: TicketOpened| {
        let opened: Arc<Mutex<Vec<TicketOpened>>> = opened;
        opened.lock().expect("the tickets").push(message);
        Outcome::Done
    });
    BUILT.set(Some(neighbour));
    Ok(Service { subscriptions: vec![opened], ..Service::default() })
}

/// The one that was built just now.
pub(crate) fn built() -> Option<Neighbour> {
    BUILT.take()
}

impl Neighbour {
    pub(crate) fn caller(&self) -> Arc<dyn Caller> {
        Arc::clone(&self.platform.caller)
    }

    /// Publishes as whoever has something to tell does.
    pub(crate) async fn tell<M: Message + Clone>(&self, messages: &[M]) {
        let messages = messages.to_vec();
        let staged: Result<(), DbError> = self
            .platform
            .database
            .write(move |tx| messages.iter().try_for_each(|message| tx.stage(message, &Cause::own("test"))))
            .await;
        staged.expect("it is told");
    }

    /// The tickets that it was told of, once there are so many.
    pub(crate) async fn told(&self, count: usize) -> Vec<TicketOpened> {
        eventually("tickets are told", Duration::from_secs(20), || async {
            let opened = self.opened.lock().expect("the tickets").clone();
            if opened.len() >= count { Ok(opened) } else { Err(opened) }
        })
        .await
    }
}
