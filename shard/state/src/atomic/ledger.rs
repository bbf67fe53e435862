//! The Atomic's storage.
//!
//! Slot = tag (top byte) ‖ the last 31 bytes of Keccak-256(tag ‖ what it is of).
//!
//! | tag | of | value |
//! |---|---|---|
//! | 1 | bundle, owner | the legs that are consented to, a bit each |
//! | 2 | bundle, leg | hash of what was consented to |
//! | 3 | bundle | held (1 byte) ‖ waiting (1 byte) ‖ status (1 byte) ‖ deadline (8 bytes) |
//! | 4 | bundle | the legs' shards, 4 bytes each, the first lowest |
//! | 5 | prepare receipt | its bundle |
//! | 6 | prepare receipt | its leg |
//! | 7 | bundle, leg | status (1 byte) ‖ coordinator (4 bytes) ‖ token (20 bytes) |
//! | 8, 9, 10 | bundle, leg | from, to, amount |
//!
//! Of a bundle that is done the status alone remains, so that it is never opened again; everything else is deleted.

use alloy_primitives::{Address, B256, U256, keccak256};

use super::bundle::members;
use crate::portal::ledger::Slots;

const CONSENT: u8 = 1;
const TERMS: u8 = 2;
const BUNDLE: u8 = 3;
const SHARDS: u8 = 4;
const PENDING: u8 = 5;
const PENDING_LEG: u8 = 6;
const ESCROW: u8 = 7;
const FROM: u8 = 8;
const TO: u8 = 9;
const AMOUNT: u8 = 10;

/// How far a bundle is on its coordinator, or an escrow on its shard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Status {
    /// Never opened; nothing in escrow.
    #[default]
    None,
    /// Undecided.
    Open,
    /// Goes to whom it is for.
    Committed,
    /// Goes back.
    Aborted,
}

impl Status {
    /// As the interface has it.
    pub(super) const fn code(self) -> u8 {
        self as u8
    }

    const fn of(code: u8) -> Self {
        match code {
            1 => Self::Open,
            2 => Self::Committed,
            3 => Self::Aborted,
            _ => Self::None,
        }
    }

    /// What a decision makes of it.
    pub(super) const fn decided(is_committed: bool) -> Self {
        if is_committed { Self::Committed } else { Self::Aborted }
    }
}

/// A bundle on its coordinator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Bundle {
    pub status: Status,
    /// Legs without an answer, a bit each.
    pub waiting: u8,
    /// Legs in escrow whose shard has not been told the decision, a bit each.
    pub held: u8,
    /// Seconds since the Unix epoch.
    pub deadline: u64,
    /// Each leg's shard.
    pub shards: [u32; 8],
}

/// An amount in escrow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Escrow {
    pub status: Status,
    /// Who decides.
    pub coordinator: u32,
    pub token: Address,
    pub from: Address,
    pub to: Address,
    pub amount: U256,
}

impl Escrow {
    /// Whom it goes to.
    pub(super) const fn owner(&self) -> Address {
        if matches!(self.status, Status::Committed) { self.to } else { self.from }
    }
}

/// The legs that an owner has consented to, a bit each.
pub(super) fn consent<S: Slots>(slots: &mut S, id: B256, owner: Address) -> Result<u8, S::Error> {
    Ok(slots.slot(owner_key(id, owner))?.saturating_to::<u8>())
}

/// Notes which legs an owner consents to.
pub(super) fn set_consent<S: Slots>(
    slots: &mut S,
    id: B256,
    owner: Address,
    legs: u8,
) -> Result<(), S::Error> {
    slots.set_slot(owner_key(id, owner), U256::from(legs))
}

/// Hash of what was consented to for a leg; zero if nothing was.
pub(super) fn terms<S: Slots>(slots: &mut S, id: B256, leg: u8) -> Result<B256, S::Error> {
    Ok(slots.slot(leg_key(TERMS, id, leg))?.into())
}

/// Notes what was consented to for a leg.
pub(super) fn set_terms<S: Slots>(slots: &mut S, id: B256, leg: u8, hash: B256) -> Result<(), S::Error> {
    slots.set_slot(leg_key(TERMS, id, leg), hash.into())
}

/// A bundle as its coordinator knows it.
pub(super) fn bundle<S: Slots>(slots: &mut S, id: B256) -> Result<Bundle, S::Error> {
    let [deadline, rest, ..] = slots.slot(key(BUNDLE, id.as_slice()))?.into_limbs();
    let [status, waiting, held, ..] = rest.to_le_bytes();
    let mut bundle = Bundle { status: Status::of(status), waiting, held, deadline, shards: [0; 8] };
    if waiting | held != 0 {
        let packed = slots.slot(key(SHARDS, id.as_slice()))?.to_le_bytes::<32>();
        for (shard, bytes) in bundle.shards.iter_mut().zip(packed.as_chunks::<4>().0) {
            *shard = u32::from_le_bytes(*bytes);
        }
    }
    Ok(bundle)
}

/// Notes a bundle; of one that is done, its status.
pub(super) fn set_bundle<S: Slots>(slots: &mut S, id: B256, bundle: &Bundle) -> Result<(), S::Error> {
    let Bundle { status, waiting, held, .. } = *bundle;
    let is_done = waiting | held == 0;
    let deadline = if is_done { 0 } else { bundle.deadline };
    let rest = u64::from_le_bytes([status.code(), waiting, held, 0, 0, 0, 0, 0]);
    slots.set_slot(key(BUNDLE, id.as_slice()), U256::from_limbs([deadline, rest, 0, 0]))?;
    let mut packed = [0; 32];
    for leg in members(waiting | held) {
        let place = usize::from(leg);
        packed[4 * place..4 * place + 4].copy_from_slice(&bundle.shards[place].to_le_bytes());
    }
    slots.set_slot(key(SHARDS, id.as_slice()), U256::from_le_bytes(packed))
}

/// Notes which leg a prepare is of.
pub(super) fn set_pending<S: Slots>(slots: &mut S, receipt: B256, id: B256, leg: u8) -> Result<(), S::Error> {
    slots.set_slot(key(PENDING, receipt.as_slice()), id.into())?;
    slots.set_slot(key(PENDING_LEG, receipt.as_slice()), U256::from(leg))
}

/// Which leg of which bundle a prepare was of that is answered now, once; `None` if nobody waits for its answer.
pub(super) fn take_pending<S: Slots>(slots: &mut S, receipt: B256) -> Result<Option<(B256, u8)>, S::Error> {
    let id = B256::from(slots.slot(key(PENDING, receipt.as_slice()))?);
    if id.is_zero() {
        return Ok(None);
    }
    let leg = slots.slot(key(PENDING_LEG, receipt.as_slice()))?.saturating_to::<u8>();
    set_pending(slots, receipt, B256::ZERO, 0)?;
    Ok(Some((id, leg)))
}

/// What is in escrow for a leg.
pub(super) fn escrow<S: Slots>(slots: &mut S, id: B256, leg: u8) -> Result<Escrow, S::Error> {
    let head = slots.slot(leg_key(ESCROW, id, leg))?.to_be_bytes::<32>();
    let [_, _, _, _, _, _, _, status, a, b, c, d, ..] = head;
    let mut address = |tag| Ok(Address::from_word(slots.slot(leg_key(tag, id, leg))?.into()));
    let (from, to) = (address(FROM)?, address(TO)?);
    Ok(Escrow {
        status: Status::of(status),
        coordinator: u32::from_be_bytes([a, b, c, d]),
        token: Address::from_slice(&head[12..]),
        from,
        to,
        amount: slots.slot(leg_key(AMOUNT, id, leg))?,
    })
}

/// Notes what is in escrow for a leg; an empty one is deleted.
pub(super) fn set_escrow<S: Slots>(
    slots: &mut S,
    id: B256,
    leg: u8,
    escrow: &Escrow,
) -> Result<(), S::Error> {
    let mut head = escrow.token.into_word();
    head[7] = escrow.status.code();
    head[8..12].copy_from_slice(&escrow.coordinator.to_be_bytes());
    slots.set_slot(leg_key(ESCROW, id, leg), head.into())?;
    slots.set_slot(leg_key(FROM, id, leg), escrow.from.into_word().into())?;
    slots.set_slot(leg_key(TO, id, leg), escrow.to.into_word().into())?;
    slots.set_slot(leg_key(AMOUNT, id, leg), escrow.amount)
}

fn owner_key(id: B256, owner: Address) -> U256 {
    key(CONSENT, &[id.as_slice(), owner.as_slice()].concat())
}

fn leg_key(tag: u8, id: B256, leg: u8) -> U256 {
    key(tag, &[id.as_slice(), &[leg]].concat())
}

fn key(tag: u8, of: &[u8]) -> U256 {
    let mut slot = keccak256([&[tag], of].concat());
    slot[0] = tag;
    slot.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::BTreeMap, convert::Infallible};

    impl Slots for BTreeMap<U256, U256> {
        type Error = Infallible;

        fn slot(&mut self, key: U256) -> Result<U256, Infallible> {
            Ok(self.get(&key).copied().unwrap_or_default())
        }

        fn set_slot(&mut self, key: U256, value: U256) -> Result<(), Infallible> {
            if value.is_zero() {
                self.remove(&key);
            } else {
                self.insert(key, value);
            }
            Ok(())
        }
    }

    const ID: B256 = B256::repeat_byte(9);

    #[test]
    fn what_is_noted_is_read_again() {
        let mut slots = BTreeMap::new();
        let (status, shards) = (Status::Open, [u32::MAX, 1, 2, 3, 4, 5, 6, 7]);
        let bundle_before = Bundle { status, waiting: 0x0f, held: 0xf0, deadline: u64::MAX, shards };
        set_bundle(&mut slots, ID, &bundle_before).unwrap();
        assert_eq!(bundle(&mut slots, ID), Ok(bundle_before));
        let [token, from, to] = [1, 2, 3].map(Address::repeat_byte);
        let status = Status::Aborted;
        let before = Escrow { status, coordinator: u32::MAX - 1, token, from, to, amount: U256::MAX };
        set_escrow(&mut slots, ID, 7, &before).unwrap();
        assert_eq!(escrow(&mut slots, ID, 7), Ok(before));
        assert_eq!(escrow(&mut slots, ID, 6), Ok(Escrow::default()));
    }

    #[test]
    fn what_is_done_leaves_its_status_alone() {
        let mut slots = BTreeMap::new();
        let mut done = Bundle { status: Status::Open, waiting: 1, deadline: 7, ..Bundle::default() };
        set_bundle(&mut slots, ID, &done).unwrap();
        set_escrow(&mut slots, ID, 0, &Escrow { amount: U256::ONE, ..Escrow::default() }).unwrap();
        set_escrow(&mut slots, ID, 0, &Escrow::default()).unwrap();
        (done.status, done.waiting) = (Status::Committed, 0);
        set_bundle(&mut slots, ID, &done).unwrap();
        assert_eq!(slots.len(), 1);
        let found = bundle(&mut slots, ID).unwrap();
        assert_eq!((found.status, found.deadline), (Status::Committed, 0));
    }

    #[test]
    fn a_prepare_is_answered_once() {
        let mut slots = BTreeMap::new();
        let receipt = B256::repeat_byte(1);
        set_pending(&mut slots, receipt, ID, 3).unwrap();
        assert_eq!(take_pending(&mut slots, receipt), Ok(Some((ID, 3))));
        assert_eq!(take_pending(&mut slots, receipt), Ok(None));
        assert_eq!(slots.len(), 0);
    }
}
