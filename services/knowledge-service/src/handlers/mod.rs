//! What the service answers on the bus, one file per rpc.

mod search;
