//! The bridge as its neighbours see it: messages in and out, the real sandbox carrier on one side, a scripted orchestrator
//! on the other. Every story is told on both engines.

#![cfg(test)]

mod answered_by;
mod bodies;
mod bot_numbers;
mod bots;
mod callbacks;
mod carriers;
mod check;
mod crashes;
mod dialling;
mod documents;
mod erasure;
mod inbound;
mod keys;
mod line;
mod lost_ends;
mod orchestrator;
mod other_carrier;
mod prices;
mod recordings;
mod signatures;
mod silence;
mod stopping;
mod strangers;
mod world;
