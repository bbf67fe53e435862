//! Who takes part in the tests, and what they do.

use std::sync::Arc;

use alloy_consensus::TxEip1559;
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::{SolCall, SolEvent};
use primitives::ShardId;

use super::token;
use crate::{
    atomic::{
        ATOMIC,
        abi::IAtomic::{self, Leg, bundleCall, consentCall, escrowCall, openCall},
        bundle_id,
    },
    block::Executed,
    executor::{CallOutcome, CallRequest},
    portal::abi::IPortal,
    receipt::TransactionReceipt,
    testing::{Sender, TestNet, key, sign, verified},
};

/// As much gas as a transaction may have.
pub(super) const GAS: u64 = 16_000_000;
pub(super) const SALT: B256 = B256::repeat_byte(7);
/// What is in a bundle's or an escrow's status.
pub(super) const NONE: u8 = 0;
pub(super) const OPEN: u8 = 1;
pub(super) const COMMITTED: u8 = 2;
pub(super) const ABORTED: u8 = 3;

/// The native coin.
pub(super) const COIN: Address = Address::ZERO;

/// The user of a number.
pub(super) fn user(number: u64) -> Address {
    key(number).address()
}

pub(super) fn leg(shard: u32, token: Address, from: u64, to: u64, amount: u64) -> Leg {
    Leg { shard, token, from: user(from), to: user(to), amount: U256::from(amount) }
}

/// Shards on which there is a token, of which users 0 to 3 have a thousand each, and allow the Atomic all.
pub(super) struct Scene {
    pub(super) net: TestNet,
    /// One on each shard.
    pub(super) tokens: Vec<Address>,
}

impl Scene {
    pub(super) fn new() -> Self {
        Self::on(TestNet::new())
    }

    pub(super) fn on(net: TestNet) -> Self {
        let mut scene = Self { net, tokens: Vec::new() };
        for shard in 0..3 {
            let token = scene.deploy(shard, token::creation());
            for number in 0..4 {
                let mint = token::mintCall { to: user(number), amount: U256::from(1_000) };
                assert!(scene.send(shard, number, token, mint).success());
                let approve = token::approveCall { spender: ATOMIC, amount: U256::MAX };
                assert!(scene.send(shard, number, token, approve).success());
            }
            scene.tokens.push(token);
        }
        scene
    }

    /// Creates a contract, by user 7.
    pub(super) fn deploy(&mut self, shard: u32, creation: Bytes) -> Address {
        let receipt = self.transact(shard, 7, None, creation, U256::ZERO).receipts[0].clone();
        receipt.contract_address.filter(|_| receipt.success()).expect("is created")
    }

    /// A block with one transaction.
    pub(super) fn transact(
        &mut self,
        shard: u32,
        from: u64,
        to: Option<Address>,
        input: Bytes,
        value: U256,
    ) -> Arc<Executed> {
        let sender = Sender::new(ShardId::new(shard));
        let nonce = self.net.nonce(shard, &user(from));
        let unsigned = TxEip1559 { gas_limit: GAS, ..sender.unsigned(nonce, to, value, input) };
        self.net.advance(shard, &[verified(&sign(unsigned, &key(from)), &sender.limits)], &[])
    }

    pub(super) fn send(
        &mut self,
        shard: u32,
        from: u64,
        to: Address,
        call: impl SolCall,
    ) -> TransactionReceipt {
        self.transact(shard, from, Some(to), call.abi_encode().into(), U256::ZERO).receipts[0].clone()
    }

    /// Seconds since the Unix epoch on a shard.
    pub(super) fn time(&self, shard: u32) -> u64 {
        self.net.head(shard).timestamp_ms / 1_000
    }

    /// Lets time pass on a shard.
    pub(super) fn pass(&mut self, shard: u32, until: u64) {
        while self.time(shard) <= until {
            self.net.advance(shard, &[], &[]);
        }
    }

    /// A user allows its legs on a shard.
    pub(super) fn consent(&mut self, shard: u32, owner: u64, legs: &[Leg], deadline: u64) {
        let call = consentCall { coordinator: 0, legs: legs.to_vec(), deadline, salt: SALT };
        assert!(self.send(shard, owner, ATOMIC, call).success());
        assert!(self.consented(shard, bundle_id(0, legs, deadline, SALT), owner));
    }

    pub(super) fn consented(&self, shard: u32, id: B256, owner: u64) -> bool {
        self.ask(shard, &IAtomic::consentedCall { id, owner: user(owner) })
    }

    /// Opens a bundle on shard 0 by user 0; its id.
    pub(super) fn open(&mut self, legs: &[Leg], deadline: u64) -> B256 {
        let call = openCall { legs: legs.to_vec(), deadline, salt: SALT };
        let receipt = self.send(0, 0, ATOMIC, call);
        assert!(receipt.success(), "{receipt:?}");
        bundle_id(0, legs, deadline, SALT)
    }

    /// All that is under way arrives and is answered; no money is made or lost.
    pub(super) fn settle(&mut self) {
        self.net.settle();
        self.net.assert_conserved();
        for shard in 0..3 {
            let lanes = self.net.lanes(shard);
            assert!(lanes.iter().all(|lane| lane.outgoing.reserved == 0), "{lanes:?}");
        }
    }

    /// The status of a bundle on shard 0.
    pub(super) fn status(&self, id: B256) -> u8 {
        self.ask(0, &bundleCall { id }).status
    }

    /// The status of an escrow.
    pub(super) fn escrow(&self, shard: u32, id: B256, leg: u8) -> u8 {
        self.ask(shard, &escrowCall { id, leg }).status
    }

    /// What a user has of a shard's token.
    pub(super) fn tokens_of(&self, shard: u32, owner: Address) -> u64 {
        self.ask_of(shard, self.tokens[shard as usize], &token::balanceOfCall { owner }).to::<u64>()
    }

    /// How a token misbehaves from now on.
    pub(super) fn set_mode(&mut self, shard: u32, mode: u8) {
        let call = token::setModeCall { to: U256::from(mode) };
        assert!(self.send(shard, 7, self.tokens[shard as usize], call).success());
    }

    pub(super) fn ask<C: SolCall>(&self, shard: u32, call: &C) -> C::Return {
        self.ask_of(shard, ATOMIC, call)
    }

    fn ask_of<C: SolCall>(&self, shard: u32, to: Address, call: &C) -> C::Return {
        match self.net.call(shard, to, U256::ZERO, call.abi_encode()) {
            CallOutcome::Success { output, .. } => C::abi_decode_returns(&output).expect("as declared"),
            other => panic!("a question is answered: {other:?}"),
        }
    }

    /// What a call by a user reverts with.
    pub(super) fn reason(&self, shard: u32, from: u64, call: impl SolCall) -> Bytes {
        let (from, input) = (user(from), call.abi_encode().into());
        let request = CallRequest { from, to: Some(ATOMIC), input, ..CallRequest::default() };
        match self.net.view(shard).call(&request, GAS).expect("can be called") {
            CallOutcome::Revert { output, .. } => output,
            other => panic!("a test expects that it reverts: {other:?}"),
        }
    }

    /// What an opening by user 0 reverts with.
    pub(super) fn reason_of_open(&self, legs: &[Leg], deadline: u64) -> Bytes {
        self.reason(0, 0, openCall { legs: legs.to_vec(), deadline, salt: SALT })
    }

    /// Events of one kind among all that a shard's blocks have.
    pub(super) fn events<E: SolEvent>(&self, shard: u32) -> Vec<E> {
        let blocks = self.net.blocks(shard);
        let logs = blocks.flat_map(|executed| &executed.receipts).flat_map(TransactionReceipt::logs);
        let logs = logs.filter(|log| log.address == ATOMIC);
        logs.filter_map(|log| E::decode_log_data(&log.data).ok()).collect()
    }

    /// Receipts of the Portal among those that a shard sent, by the tag of their kind.
    pub(super) fn sent(&self, shard: u32) -> Vec<u16> {
        let blocks = self.net.blocks(shard);
        let logs = blocks.flat_map(|executed| &executed.receipts).flat_map(TransactionReceipt::logs);
        logs.filter_map(|log| IPortal::Sent::decode_log_data(&log.data).ok()).map(|sent| sent.kind).collect()
    }
}
