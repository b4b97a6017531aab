//! Listing notifications: a page must take as long in a project of a million as in one of a thousand. The rows are copies of one
//! that was placed, written into the tables behind Echo's back: a million calls would take an hour to place.

use std::time::Duration;

use common::clock::Clock;
use common::config::Settings;
use common::db::{Database, DbError};
use common::runtime;
use contracts::ServiceName;
use diesel::RunQueryDsl as _;
use diesel::sql_types::Text;

use crate::carrier::{Carrier, Manners};
use crate::echo::{Echo, Pair, message};
use crate::figures::Table;
use crate::records::repeat;

/// How many there are in each measurement.
const SIZES: [u32; 2] = [1_000, 1_000_000];
/// How many are copied in one statement.
const STEP: u32 = 50_000;
const PAGES: [(&str, &str); 2] =
    [("first page", "limit=100"), ("filtered page", "limit=100&status=in_progress")];

/// `GET /api/v1/notifications` beside ever more of them.
pub(crate) async fn listing(table: &mut Table, pair: Pair) {
    let carrier = Carrier::start(Manners::RingsForEver).await;
    let echo = Echo::start(pair, &carrier.url()).await;
    let project = echo.projects(1, None).await.remove(0);
    let customer = echo.customer(&project, 0).await;
    echo.post("/api/v1/notifications", &project.api_key, &message(&customer)).await;
    let settings = Settings::from_pairs(echo.settings());
    let tables = runtime::database(
        echo_standalone::PROCESS,
        &settings,
        ServiceName::CallOrchestrator,
        Clock::system(),
    )
    .expect("the orchestrator's tables");
    let mut there = 0;
    for size in SIZES {
        while there < size {
            let until = size.min(there + STEP);
            copy(&tables, pair, there, until).await;
            there = until;
        }
        analyse(&tables).await;
        for (what, query) in PAGES {
            let url = format!("{}/api/v1/notifications?{query}", echo.base);
            let listed = repeat(echo.http(), &url, &project.api_key, 4, Duration::from_secs(5)).await;
            let what = format!("GET /api/v1/notifications, {what} of 100 among {size}, 4 connections");
            table.row(&what, pair, &format!("{}; {}", listed.rate(), listed.percentiles()));
        }
    }
    echo.stop().await;
}

/// Both engines are told how much there is, as their own maintenance does it in time.
async fn analyse(tables: &Database) {
    let told = tables.write(|tx| {
        diesel::sql_query("ANALYZE notifications").execute(tx.conn).map(drop).map_err(DbError::from)
    });
    told.await.expect("statistics");
}

#[derive(diesel::QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Copies the one that was placed, as over and done, under ids older than its own.
async fn copy(tables: &Database, pair: Pair, from: u32, to: u32) {
    let copied = tables.write(move |tx| {
        let (columns, id, numbers) = match pair {
            Pair::Embedded => (
                "SELECT name FROM pragma_table_info('notifications')".to_owned(),
                "printf('01900000-0000-7000-8000-%012x', n)",
                format!(
                    "WITH RECURSIVE s(n) AS (SELECT {from} UNION ALL SELECT n + 1 FROM s WHERE n + 1 < {to}) "
                ),
            ),
            Pair::Distributed => (
                "SELECT column_name::text AS name FROM information_schema.columns \
                 WHERE table_name = 'notifications' AND table_schema = current_schema()"
                    .to_owned(),
                "('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid",
                format!("WITH s AS (SELECT generate_series({from}, {to} - 1) AS n) "),
            ),
        };
        let columns: Vec<Column> = diesel::sql_query(columns).load(tx.conn)?;
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        let values: Vec<&str> = names
            .iter()
            .map(|name| match *name {
                "id" => id,
                "status" => "'completed'",
                "ended_reason" => "'customer-ended-call'",
                "live_call" | "summary_due" => "FALSE",
                "summarised" => "TRUE",
                other => other,
            })
            .collect();
        let statement = format!(
            "INSERT INTO notifications ({}) {numbers}SELECT {} FROM s, \
             (SELECT * FROM notifications ORDER BY id DESC LIMIT 1) AS placed",
            names.join(", "),
            values.join(", ")
        );
        diesel::sql_query(statement).execute(tx.conn).map(drop).map_err(DbError::from)
    });
    copied.await.expect("copies");
}
