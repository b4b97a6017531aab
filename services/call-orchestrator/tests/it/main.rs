//! The service as its neighbours see it: messages and rpcs in, messages out, rows left behind. Every story is told on both
//! engines.

#![cfg(test)]

mod endings;
mod extraction;
mod life;
mod model_fails;
mod placing;
mod reaper;
mod replicas;
mod rules;
mod summaries;
mod turns;
mod world;
