//! The knowledge service as others meet it: started in a process, asked over the bus, on both engines.

#![cfg(test)]

mod answers;
mod asking;
mod deletion;
mod embeddings;
mod ingest;
mod neighbours;
mod pages;
mod search;
mod site;
mod start;
mod tickets;
mod world;
