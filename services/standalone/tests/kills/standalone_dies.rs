//! Everything in one process: killed in the middle of a call and started again on the same data.

use std::time::Instant;

use testkit::processes::{Folder, Process, Program, free_address};
use testkit::wait::eventually;

use crate::ONE_AT_A_TIME;
use crate::stack::{CarrierProcess, Room, common_settings};
use crate::tables::{Attempts, Tables};
use crate::town::{Moment, Promise, SETTLES_WITHIN, Town};

/// Calls at the same time.
const CALLS: usize = 4;

/// An Echo in one process, and whoever speaks with it.
struct Standalone {
    process: Process,
    operations: std::net::SocketAddr,
    town: Town,
    tables: Tables,
    _folder: Folder,
}

impl Standalone {
    /// Before this carrier, or before the one inside it.
    async fn start(folder: Folder, carrier: Option<&CarrierProcess>) -> Self {
        let began = Instant::now();
        let data = folder.path().join("data");
        let [http, operations, inside] = [free_address(), free_address(), free_address()];
        let mut settings = common_settings(&folder, operations);
        settings.extend([
            ("ECHO_HTTP_ADDR".to_owned(), http.to_string()),
            ("ECHO_SANDBOX_ADDR".to_owned(), inside.to_string()),
            ("ECHO_DATA_DIR".to_owned(), data.display().to_string()),
        ]);
        settings.extend(carrier.map(|carrier| ("ECHO_SANDBOX_URL".to_owned(), carrier.url.clone())));
        let mut process = Process::start(Program::serving("echo-standalone", settings, &folder));
        process.ready(operations).await;
        let carrier = carrier.map_or_else(|| format!("http://{inside}"), |carrier| carrier.url.clone());
        let town = Town::found(format!("http://{http}"), &carrier, began).await;
        Self { process, operations, town, tables: Tables::Files(data), _folder: folder }
    }

    async fn kill_and_start_again(&mut self) {
        self.process.kill();
        self.town.killed(&Room::ALL);
        self.town.cut_off(self.tables.events(Attempts::InFlight).expect("the tables"));
        self.process.start_again();
        self.process.ready(self.operations).await;
    }

    /// Waits for rest, checks the accounts of everybody, and says how it went.
    async fn finish(mut self, story: &str) {
        self.town.all_told().await;
        eventually("everything to be at rest", SETTLES_WITHIN, || async { self.tables.at_rest() }).await;
        assert_eq!(self.tables.given_up(), Ok(0), "messages were given up");
        self.town.check_accounts().await;
        self.town.report(story);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_killed_at_any_moment_of_a_call_rings_nobody_twice_and_brings_one_summary() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let folder = Folder::new();
    let carrier = CarrierProcess::start(&folder).await;
    let mut echo = Standalone::start(folder, Some(&carrier)).await;
    for moment in Moment::ALL {
        let mut rung = echo.town.ring(CALLS).await;
        echo.town.until_somebody_is(moment, &mut rung).await;
        echo.kill_and_start_again().await;
        echo.town.settle(rung, Promise::OnlyTheAccounts).await;
    }
    echo.finish("standalone killed at every moment").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standalone_killed_with_its_carrier_inside_ends_the_call_and_does_not_ring_again() {
    let _alone = ONE_AT_A_TIME.lock().await;
    let mut echo = Standalone::start(Folder::new(), None).await;
    let mut rung = echo.town.ring(CALLS).await;
    // Whoever has not been dialled before may be afterwards, once.
    echo.town.all_called(&rung, false).await;
    echo.town.until_somebody_is(Moment::Talking, &mut rung).await;
    echo.kill_and_start_again().await;
    let phones: Vec<String> = rung.iter().map(|rung| rung.phone.clone()).collect();
    echo.town.settle(rung, Promise::OnlyTheAccounts).await;
    // The carrier has forgotten what it dialled before.
    for phone in phones {
        assert_eq!(echo.town.carrier.rings(&phone).await, (0, 0), "{phone} was rung after the restart");
    }
    echo.finish("standalone killed with its carrier").await;
}
