//! `kill -9`, for every process, at every moment of a call: no call is lost, nobody is rung twice, and exactly one summary
//! arrives. The programs run as they are shipped, as processes; whoever rings and whoever receives webhooks is outside.
//!
//! `make test` builds the programs first. One story runs at a time: each starts a dozen processes.

#![cfg(test)]

mod any_one_process;
mod line;
mod servers_die;
mod stack;
mod standalone_dies;
mod tables;
mod town;
mod under_load;

/// Held by the story that runs.
static ONE_AT_A_TIME: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
