//! The service as its neighbours see it: messages and rpcs in, messages out, rows left behind. Every story is told on both
//! engines.

#![cfg(test)]

mod bot_calls;
mod bots;
mod endings;
mod erasure;
mod extraction;
mod inbound;
mod knowledge;
mod life;
mod machines;
mod model_fails;
mod pages;
mod placing;
mod reaper;
mod recordings;
mod replicas;
mod reschedule;
mod retention;
mod rules;
mod rules_preview;
mod rules_set;
mod schedules;
mod simulations;
mod summaries;
mod suppressions;
mod tools;
mod turns;
mod usage;
mod variables;
mod world;
