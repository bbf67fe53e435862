//! Whole engines: several nodes, one chain, in simulation and over sockets.

mod agreement;
mod byzantine;
mod codec;
mod following;
mod generation;
mod handover;
mod harness;
mod loopback;
mod restart;

pub(crate) use harness::{node, seat_secret, two_nodes};
