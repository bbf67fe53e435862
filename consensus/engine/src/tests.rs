//! Whole engines: several nodes, one chain, in simulation and over sockets.

mod agreement;
mod handover;
mod harness;
mod restart;
