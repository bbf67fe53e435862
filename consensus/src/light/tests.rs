mod anchor;
mod client;
mod genesis;
