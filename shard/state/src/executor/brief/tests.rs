use alloy_primitives::{Bytes, hex};

use super::*;
use crate::{
    account::Account,
    executor::{
        call,
        tests::{environment, party},
    },
    state::MemoryState,
};

const GAS: u64 = 50_000_000;

/// What a contract of this code gives when it is called, briefly and as usual.
fn both(code: &[u8], input: &[u8]) -> (Option<CallOutcome>, CallOutcome) {
    let mut state = MemoryState::new();
    let code_hash = state.set_code(Bytes::copy_from_slice(code));
    state.set_account(party(0), Account { code_hash, ..Account::default() });
    let request =
        CallRequest { to: Some(party(0)), input: Bytes::copy_from_slice(input), ..CallRequest::default() };
    let briefly = call_briefly(&state, &environment(), &request, GAS).expect("an outcome");
    (briefly, call(&state, &environment(), &request, GAS).expect("an outcome"))
}

/// A call of `to` with `size` bytes of input, of all gas, whose success is returned.
fn calling(to: u16, size: u16) -> Vec<u8> {
    let [to, size] = [to, size].map(u16::to_be_bytes);
    let (head, tail) = (hex!("5f5f61"), hex!("5f5f61"));
    [&head[..], &size, &tail, &to, &hex!("5af15f5260205ff3")].concat()
}

#[test]
fn a_short_call_gives_what_it_gives_when_nobody_watches() {
    let codes: [&[u8]; 6] = [
        // Hashes and stores: PUSH1 20 PUSH0 KECCAK256 PUSH0 SSTORE PUSH0 SLOAD PUSH0 MSTORE PUSH1 20 PUSH0 RETURN.
        &hex!("60205f205f555f545f5260205ff3"),
        // Returns the gas it has left: GAS PUSH0 MSTORE PUSH1 20 PUSH0 RETURN.
        &hex!("5a5f5260205ff3"),
        // Reverts with a word.
        &hex!("60205ffd"),
        // No such instruction.
        &hex!("fe"),
        &calling(1, 128),
        &calling(4, 1_024),
    ];
    for code in codes {
        let (briefly, usual) = both(code, &[]);
        assert_eq!(briefly, Some(usual), "{}", hex::encode(code));
    }
}

#[test]
fn what_takes_longer_is_given_up() {
    let codes: [&[u8]; 6] = [
        // For ever: JUMPDEST PUSH0 JUMP.
        &hex!("5b5f56"),
        // Calls itself: PUSH0 (four times) ADDRESS GAS ... as far as it goes.
        &hex!("5f5f5f5f5f305af1"),
        // Hashes a megabyte.
        &hex!("621000005f20"),
        // Takes a megabyte of memory: its gas tells.
        &hex!("5f6210000052"),
        // Creates.
        &hex!("5f5f5ff0"),
        // MODEXP.
        &calling(5, 96),
    ];
    for code in codes {
        assert_eq!(both(code, &[]).0, None, "{}", hex::encode(code));
    }
}

#[test]
fn what_looks_long_is_not_begun() {
    assert_eq!(both(&hex!("00"), &[0; BYTES_MAX + 1]).0, None);
    let state = MemoryState::new();
    let creation = CallRequest { to: None, ..CallRequest::default() };
    assert_eq!(call_briefly(&state, &environment(), &creation, GAS), Ok(None));
}

#[test]
fn a_call_that_cannot_be_made_is_refused_as_usual() {
    let state = MemoryState::new();
    let poor =
        CallRequest { to: Some(party(0)), value: alloy_primitives::U256::ONE, ..CallRequest::default() };
    let refused = call_briefly(&state, &environment(), &poor, GAS).expect_err("it has nothing");
    assert_eq!(Some(refused), call(&state, &environment(), &poor, GAS).err());
}
