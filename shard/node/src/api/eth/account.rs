//! Accounts whose keys the node holds: none.

use crate::api::ShardApi;
use rpc::method::AccountApi;

impl AccountApi for ShardApi {}
