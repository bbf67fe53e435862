//! What the nodes serve and how clients speak to them: method traits, views, servers, clients.
//!
//! What holds here: this is the only package that knows the JSON of the wire. A node implements
//! [`method::EthApi`] and its sisters, or [`beacon::BeaconApi`], on a newtype of its own and speaks in
//! views and typed errors; names, codes, error texts, limits and encodings are decided here.
//!
//! Rules: the Ethereum JSON-RPC specification and geth where it is silent; the standard Beacon API.

pub mod argument;
pub mod beacon;
mod body;
pub mod client;
pub mod error;
pub mod method;
mod methods;
pub mod rest;
pub mod server;
pub mod view;

mod subscription;

pub use client::{Client, ClientError};
pub use error::RpcError;
pub use methods::Methods;
pub use rest::{RestConfig, RestHandle, serve_rest};
pub use server::{Cors, ServeError, ServerConfig, ServerHandle, serve};
