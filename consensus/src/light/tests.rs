mod anchor;
mod client;
