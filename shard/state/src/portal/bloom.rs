//! Bloom filters of the Portal's events.
//!
//! Most of what such an event is found by is the same every time: the Portal's address, the event's name, the other shard.
//! Their bits are computed once; for the thousand receipts of a block that is more than half of all bits.

use std::sync::LazyLock;

use alloy_primitives::{B256, Bloom, BloomInput, Log, U256};
use alloy_sol_types::SolEvent as _;

use super::{PORTAL, abi::IPortal};

/// Shards whose bits are remembered.
const SHARDS: usize = 256;

struct Known {
    portal: Bloom,
    events: [(B256, Bloom); 5],
    shards: Vec<Bloom>,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let bits = |bytes: &[u8]| Bloom::from(BloomInput::Raw(bytes));
    let events = [
        IPortal::Sent::SIGNATURE_HASH,
        IPortal::Credited::SIGNATURE_HASH,
        IPortal::Bounced::SIGNATURE_HASH,
        IPortal::Answered::SIGNATURE_HASH,
        IPortal::Withheld::SIGNATURE_HASH,
    ];
    Known {
        portal: bits(PORTAL.as_slice()),
        events: events.map(|event| (event, bits(event.as_slice()))),
        shards: (0..SHARDS).map(|shard| bits(B256::from(U256::from(shard)).as_slice())).collect(),
    }
});

/// The bloom filter of logs, as Ethereum defines it.
pub(crate) fn logs_bloom(logs: &[Log]) -> Bloom {
    let mut bloom = Bloom::ZERO;
    for log in logs {
        if log.address != PORTAL {
            bloom.accrue_log(log);
            continue;
        }
        bloom |= KNOWN.portal;
        for topic in log.topics() {
            match known(topic) {
                Some(bits) => bloom |= *bits,
                None => bloom.accrue(BloomInput::Raw(topic.as_slice())),
            }
        }
    }
    bloom
}

/// The bits of a topic that are remembered.
fn known(topic: &B256) -> Option<&'static Bloom> {
    let (high, low) = topic.split_at(24);
    if high.iter().all(|byte| *byte == 0) {
        let shard = u64::from_be_bytes(low.try_into().ok()?);
        return KNOWN.shards.get(usize::try_from(shard).ok()?);
    }
    KNOWN.events.iter().find(|(event, _)| event == topic).map(|(_, bits)| bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, Bytes};

    #[test]
    fn remembered_bits_are_those_that_are_computed() {
        let topics = [
            IPortal::Credited::SIGNATURE_HASH,
            B256::ZERO,
            B256::from(U256::from(SHARDS - 1)),
            B256::from(U256::from(SHARDS)),
            B256::repeat_byte(7),
        ];
        for address in [PORTAL, Address::repeat_byte(1)] {
            for count in 0..=4 {
                for first in 0..=topics.len() - count {
                    let topics = topics[first..first + count].to_vec();
                    let log = Log::new_unchecked(address, topics, Bytes::new());
                    let expected = alloy_primitives::logs_bloom([&log]);
                    assert_eq!(logs_bloom(&[log]), expected);
                }
            }
        }
    }
}
