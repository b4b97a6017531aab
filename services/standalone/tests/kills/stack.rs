//! Two replicas of each service as processes, balancers before gateways and bridges, and a carrier that never dies.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use testkit::balancer::Balancer;
use testkit::broker;
use testkit::database::{Locked, drop_schemas, postgres_url};
use testkit::processes::{Folder, Process, Program, free_address};
use testkit::proxy::Proxy;
use testkit::wait::eventually;

use crate::tables::{Attempts, Tables};
use crate::town::{SETTLES_WITHIN, SPEED, Town, WEBHOOK_DEADLINE};

/// A service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Room {
    Gateway,
    Orchestrator,
    Bridge,
    Dispatcher,
    Knowledge,
}

impl Room {
    pub(crate) const ALL: [Self; 5] =
        [Self::Gateway, Self::Orchestrator, Self::Bridge, Self::Dispatcher, Self::Knowledge];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Orchestrator => "call-orchestrator",
            Self::Bridge => "telephony-bridge",
            Self::Dispatcher => "webhook-dispatcher",
            Self::Knowledge => "knowledge-service",
        }
    }

    pub(crate) fn schema(self) -> String {
        self.name().replace('-', "_")
    }
}

/// Which of two replicas.
pub(crate) type Which = (Room, usize);

struct Replica {
    process: Process,
    operations: SocketAddr,
}

/// The sandbox carrier as a process, and what others have to know of it.
pub(crate) struct CarrierProcess {
    process: Process,
    address: SocketAddr,
    pub(crate) url: String,
}

const ACCOUNT: [(&str, &str); 2] = [
    ("ECHO_SANDBOX_ACCOUNT_SID", "AC0123456789abcdef0123456789abcdef"),
    ("ECHO_SANDBOX_AUTH_TOKEN", "fedcba9876543210fedcba9876543210"),
];

/// What every process here is told.
pub(crate) fn common_settings(folder: &Folder, operations: SocketAddr) -> Vec<(String, String)> {
    let key = format!("k1:{}=", "A".repeat(43));
    let mut settings: Vec<(String, String)> = [
        ("HOME", folder.path().display().to_string()),
        ("ECHO_OPS_ADDR", operations.to_string()),
        ("ECHO_MASTER_KEYS", key.clone()),
        ("ECHO_JWT_KEYS", key),
        ("ECHO_CARRIER", "sandbox".to_owned()),
        ("ECHO_SANDBOX_SPEED", SPEED.to_string()),
        ("ECHO_CARRIER_CHECK_SECONDS", "2".to_owned()),
        ("ECHO_CARRIER_EVIDENCE_SECONDS", "30".to_owned()),
        ("ECHO_RATE_LIMITS", "off".to_owned()),
        ("ECHO_WEBHOOK_DEADLINE_MS", WEBHOOK_DEADLINE.as_millis().to_string()),
        ("ECHO_WEBHOOK_LEASE_MS", (WEBHOOK_DEADLINE.as_millis() + 5_000).to_string()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    settings.extend(ACCOUNT.map(|(name, value)| (name.to_owned(), value.to_owned())));
    settings
}

impl CarrierProcess {
    pub(crate) async fn start(folder: &Folder) -> Self {
        let (address, operations) = (free_address(), free_address());
        let mut settings = common_settings(folder, operations);
        settings.push(("ECHO_SANDBOX_ADDR".to_owned(), address.to_string()));
        let mut process = Process::start(Program::serving("echo-sandbox-carrier", settings, folder));
        process.ready(operations).await;
        Self { process, address, url: format!("http://{address}") }
    }
}

/// Tables and queues, and how to get rid of them.
pub(crate) struct Ground {
    database_url: String,
    amqp_url: String,
    tag: String,
}

impl Ground {
    /// On the servers of all tests.
    pub(crate) fn shared() -> Self {
        Self::on(postgres_url(), broker::amqp_url())
    }

    /// On these servers.
    pub(crate) fn on(database_url: String, amqp_url: String) -> Self {
        let id = uuid::Uuid::now_v7().simple().to_string();
        // The random end of the id.
        let tag = id.split_at(16).1.to_owned();
        Self { database_url, amqp_url, tag }
    }

    fn schemas(&self) -> String {
        format!("k{}_", self.tag)
    }

    fn namespace(&self) -> String {
        format!("kills.{}", self.tag)
    }

    fn settings(&self) -> [(String, String); 5] {
        [
            ("ECHO_DATABASE_URL", self.database_url.clone()),
            ("ECHO_DATABASE_CONNECTIONS", "2".to_owned()),
            ("ECHO_SCHEMA_PREFIX", self.schemas()),
            ("ECHO_AMQP_URL", self.amqp_url.clone()),
            ("ECHO_AMQP_NAMESPACE", self.namespace()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
    }

    fn tables(&self) -> Tables {
        Tables::Server { url: self.database_url.clone(), schemas: self.schemas() }
    }

    /// Waits until nothing is under way, and makes sure that nothing was given up.
    async fn at_rest(&self) {
        let tables = self.tables();
        eventually("everything to be at rest", SETTLES_WITHIN, || async { tables.at_rest() }).await;
        let dead = broker::dead_letters(&self.amqp_url, &self.namespace()).await.expect("the broker");
        assert_eq!(dead, 0, "messages were given up");
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // A server of the story's own goes away with everything on it.
        if self.database_url == postgres_url() {
            drop_schemas(&self.schemas());
        }
        if self.amqp_url != broker::amqp_url() {
            return;
        }
        let namespace = self.namespace();
        // A destructor cannot wait on the test's own runtime, which may be the one that is ending.
        let clearing = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::time::timeout(Duration::from_secs(20), broker::clear(&namespace)).await.map(drop)
            })
        });
        // What could not be cleared away is garbage, not a failure.
        let _ = clearing.join();
    }
}

/// Everything that runs for one story. The parts go in this order: processes before the ground that they stand on.
pub(crate) struct Stack {
    replicas: BTreeMap<Which, Replica>,
    carrier: CarrierProcess,
    _balancers: [Balancer; 2],
    /// Between the bridges and the carrier's REST API.
    pub(crate) wire: Proxy,
    pub(crate) town: Town,
    ground: Ground,
    _folder: Folder,
}

impl Stack {
    /// Two of each, ready, with an account.
    pub(crate) async fn start(ground: Ground) -> Self {
        let began = Instant::now();
        let folder = Folder::new();
        let carrier = CarrierProcess::start(&folder).await;
        let keys = || Room::ALL.into_iter().flat_map(|room| [(room, 0), (room, 1)]);
        let addresses: BTreeMap<Which, (SocketAddr, SocketAddr)> =
            keys().map(|which| (which, (free_address(), free_address()))).collect();
        let before = |room| Balancer::start(vec![addresses[&(room, 0)].0, addresses[&(room, 1)].0]);
        let gateways = before(Room::Gateway).await.expect("a balancer");
        let bridges = before(Room::Bridge).await.expect("a balancer");
        let wire = Proxy::start(carrier.address).await.expect("a proxy");
        let mut replicas = BTreeMap::new();
        for (which, (http, operations)) in addresses {
            let mut settings = common_settings(&folder, operations);
            settings.extend(ground.settings());
            settings.extend([
                ("ECHO_HTTP_ADDR".to_owned(), http.to_string()),
                ("ECHO_PUBLIC_URL".to_owned(), gateways.url()),
                ("ECHO_VOICE_URL".to_owned(), bridges.url()),
                ("ECHO_SANDBOX_URL".to_owned(), format!("http://{}", wire.addr())),
            ]);
            let name = format!("echo-{}.{}", which.0.name(), which.1);
            let process = Process::start(Program::serving(&name, settings, &folder));
            replicas.insert(which, Replica { process, operations });
        }
        for replica in replicas.values_mut() {
            replica.process.ready(replica.operations).await;
        }
        let town = Town::found(gateways.url(), &carrier.url, began).await;
        Self { replicas, carrier, _balancers: [gateways, bridges], wire, town, ground, _folder: folder }
    }

    /// Takes a table of a service for itself. Only on the servers of all tests.
    pub(crate) fn lock(&self, room: Room, table: &str) -> Locked {
        let schema = format!("{}{}", self.ground.schemas(), room.schema());
        Locked::table(&format!("{schema}.{table}")).expect("a table")
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self, which: Which) {
        self.replicas.get_mut(&which).expect("a replica").process.kill();
        self.town.killed(&[which.0]);
        if which.0 == Room::Dispatcher {
            // Also what the other one has in flight: it writes that down, and does not repeat it.
            self.town.cut_off(self.ground.tables().events(Attempts::InFlight).expect("the tables"));
        }
    }

    /// The events with such an attempt, as soon as the tables answer.
    pub(crate) async fn events(&self, attempts: Attempts) -> BTreeSet<String> {
        let tables = self.ground.tables();
        eventually("the tables to answer", SETTLES_WITHIN, || async { tables.events(attempts) }).await
    }

    /// Starts what was killed, and waits until it is ready.
    pub(crate) async fn start_again(&mut self, which: Which) {
        let replica = self.replicas.get_mut(&which).expect("a replica");
        replica.process.start_again();
        replica.process.ready(replica.operations).await;
    }

    /// Tells it to stop and waits until it has. It must say that all went well.
    pub(crate) async fn stop(&mut self, which: Which) {
        let replica = self.replicas.get_mut(&which).expect("a replica");
        let status = replica.process.stop("TERM").await;
        assert!(status.success(), "{which:?}: {status}:\n{}", replica.process.log_end());
    }

    /// The replica that holds the near end of a connection.
    pub(crate) fn replica_at(&self, room: Room, port: u16) -> Option<Which> {
        [(room, 0), (room, 1)].into_iter().find(|which| self.replicas[which].process.has_port(port))
    }

    /// The numbers of all processes; a process that ended by itself fails the test.
    pub(crate) fn ids(&mut self) -> Vec<Option<u32>> {
        assert!(self.carrier.process.ended().is_none(), "the carrier ended");
        let running = self.replicas.iter_mut().map(|(which, replica)| {
            let ended = replica.process.ended();
            assert!(ended.is_none(), "{which:?} ended: {ended:?}\n{}", replica.process.log_end());
            replica.process.id()
        });
        running.collect()
    }

    /// Waits until every process says that it is ready.
    pub(crate) async fn all_ready(&mut self) {
        for replica in self.replicas.values_mut() {
            replica.process.ready(replica.operations).await;
        }
    }

    /// Waits for rest, checks the accounts of everybody, and says how it went.
    pub(crate) async fn finish(mut self, story: &str) {
        self.ids();
        self.town.all_told().await;
        self.ground.at_rest().await;
        self.town.check_accounts().await;
        self.town.report(story);
    }
}
