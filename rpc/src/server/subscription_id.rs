//! Names of subscriptions: hexadecimal, as clients of geth expect.

use jsonrpsee::{core::traits::IdProvider, server::RandomStringIdProvider, types::SubscriptionId};

/// Random bytes in a name.
const BYTES: usize = 16;

#[derive(Debug)]
pub(super) struct HexIds;

impl IdProvider for HexIds {
    fn next_id(&self) -> SubscriptionId<'static> {
        match RandomStringIdProvider::new(BYTES).next_id() {
            SubscriptionId::Str(random) => {
                SubscriptionId::Str(alloy_primitives::hex::encode_prefixed(random.as_bytes()).into())
            }
            SubscriptionId::Num(number) => SubscriptionId::Str(format!("{number:#x}").into()),
        }
    }
}
