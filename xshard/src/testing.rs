//! A source chain that sends whatever it is told, with a committee whose secrets are known: for tests of this package
//! and of others. Not part of a node.

use crate::{Outbox, Payload, Transfer};
use consensus::testing::{Members, table};
use crypto::mmr::MmrTree;
use primitives::{
    Address, AncestorHeader, B256, Bundle, Certificate, CertifiedShardHeader, Chain, Epoch, EpochTable,
    Height, Lane, Receipt, ShardHeader, ShardId, U256, View,
};

/// A transfer of one wei from shard 0.
pub fn receipt(destination: u32, sequence: u64) -> Receipt {
    let payload = Payload::Transfer(Transfer { to: Address::repeat_byte(7) });
    Receipt {
        lane: Lane { source: ShardId::ZERO.into(), destination: ShardId::new(destination).into() },
        sequence,
        kind: payload.kind(),
        sender: Address::repeat_byte(1),
        value: U256::ONE,
        gas: 0,
        deadline: 0,
        payload: payload.encode(),
    }
}

/// For each destination so many transfers, from sequence zero on.
pub fn receipts(counts: &[(u32, u64)]) -> Vec<Receipt> {
    let lane = |(destination, count): &(u32, u64)| {
        let destination = *destination;
        (0..*count).map(move |sequence| receipt(destination, sequence))
    };
    counts.iter().flat_map(lane).collect()
}

/// A chain of headers that send receipts, in one epoch of one committee.
#[derive(Debug)]
pub struct SourceChain {
    /// Who certifies.
    pub members: Members,
    shard: ShardId,
    blocks: Vec<(ShardHeader, Outbox)>,
    history: MmrTree,
}

impl SourceChain {
    /// Before its first block, with four seats.
    pub fn new(shard: ShardId) -> Self {
        let genesis = ShardHeader { shard, ..ShardHeader::default() };
        let members = Members::new(shard.get() as u8 + 1, 4);
        Self { members, shard, blocks: vec![(genesis, Outbox::default())], history: MmrTree::new() }
    }

    /// Its committees: one, for ever.
    pub fn table(&self) -> EpochTable {
        table(&[(0, &self.members)])
    }

    /// Adds a block that sends `receipts`; its height.
    pub fn send(&mut self, receipts: Vec<Receipt>) -> Height {
        let outbox = Outbox::new(receipts).expect("a test's receipts are in order");
        let parent = self.blocks.last().map_or(B256::ZERO, |(header, _)| header.id());
        self.history.push(parent);
        let header = ShardHeader {
            shard: self.shard,
            epoch: Epoch::ZERO,
            view: View::new(self.history.leaf_count()),
            height: Height::new(self.history.leaf_count()),
            parent,
            outbox_root: outbox.root(),
            history_root: self.history.root(),
            ..ShardHeader::default()
        };
        self.blocks.push((header.clone(), outbox));
        header.height
    }

    /// The header at `height`.
    pub fn header(&self, height: Height) -> &ShardHeader {
        &self.blocks[height.get() as usize].0
    }

    /// A quorum's certificate of the header at `height`.
    pub fn certificate(&self, height: Height) -> Certificate {
        let quorum = self.members.committee.quorum();
        self.members.certify(self.shard.into(), 0, self.header(height).id(), quorum)
    }

    /// All that the block at `height` sent to `destination`, under the certificate of the block at `certified`, for who
    /// consumed from `previous` last.
    pub fn whole(
        &self,
        destination: Chain,
        height: Height,
        certified: Height,
        previous: Option<Height>,
    ) -> Bundle {
        let (header, outbox) = &self.blocks[height.get() as usize];
        let receipts =
            outbox.lanes().find(|(to, _)| *to == destination).map_or(Vec::new(), |(_, sent)| sent.to_vec());
        let proof = |ancestor: Height, descendant: Height| {
            self.history.proof(ancestor.get(), descendant.get()).expect("a test asks for an ancestor")
        };
        let ancestor = (certified > height)
            .then(|| AncestorHeader { header: header.clone(), proof: proof(height, certified) });
        Bundle {
            lane: Lane { source: self.shard.into(), destination },
            certified: CertifiedShardHeader {
                header: self.header(certified).clone(),
                certificate: self.certificate(certified),
            },
            ancestor: ancestor.into_iter().collect(),
            continuity: previous.map(|previous| proof(previous, height)).into_iter().collect(),
            outbox: outbox.proof(destination).expect("a test asks for what was sent"),
            receipts,
            range_proof: Vec::new(),
        }
    }
}
