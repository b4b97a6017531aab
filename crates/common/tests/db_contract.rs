//! What the tables promise, on both engines: the same tests run over `SQLite` and `PostgreSQL`, and the few that speak of
//! one engine only say so in their names.

#![cfg(test)]

#[path = "db_contract/clock.rs"]
mod clock;
#[path = "db_contract/columns.rs"]
mod columns;
#[path = "db_contract/concurrency.rs"]
mod concurrency;
#[path = "db_contract/connections.rs"]
mod connections;
#[path = "db_contract/inbox.rs"]
mod inbox;
#[path = "db_contract/leases.rs"]
mod leases;
#[path = "db_contract/migrations.rs"]
mod migrations;
#[path = "db_contract/outbox.rs"]
mod outbox;
#[path = "db_contract/queries.rs"]
mod queries;
#[path = "db_contract/tables.rs"]
mod tables;
#[path = "db_contract/transactions.rs"]
mod transactions;
