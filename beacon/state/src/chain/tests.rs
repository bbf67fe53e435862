use super::*;
use crate::testing::Network;
use primitives::Height;

fn network() -> Network {
    let mut network = Network::new(2, &[2, 1, 1]);
    network.grow(0, 3);
    network.accept(0);
    let evidence = network.equivocation(primitives::Chain::Beacon, 0, 0, 1);
    network.step(vec![], vec![evidence]).unwrap();
    network.idle(6);
    network
}

#[test]
fn a_stored_chain_comes_back_and_goes_on() {
    let mut network = network();
    let bytes = network.chain.as_ssz_bytes();
    assert_eq!(bytes.len(), network.chain.ssz_bytes_len());
    let loaded = BeaconChainState::from_ssz_bytes(&bytes).unwrap();
    assert_eq!(loaded, network.chain);
    assert_eq!(loaded.history(), network.chain.history());
    let (block, built) = network.build(vec![], vec![]).unwrap();
    network.chain = loaded;
    assert_eq!(network.apply(&block).unwrap(), built);
}

fn refusal(change: impl FnOnce(&mut BeaconChainState)) -> DecodeError {
    let mut chain = network().chain;
    change(&mut chain);
    BeaconChainState::from_ssz_bytes(&chain.as_ssz_bytes()).unwrap_err()
}

fn invalid(error: DecodeError) -> String {
    match error {
        DecodeError::BytesInvalid(text) => text,
        other => panic!("expected invalid bytes, found {other:?}"),
    }
}

#[test]
fn a_stored_state_that_the_header_does_not_commit_to_is_refused() {
    let error = refusal(|chain| chain.state.mix = B256::ZERO);
    assert!(invalid(error).starts_with("the header commits to state"));
}

#[test]
fn a_stored_history_that_the_header_does_not_commit_to_is_refused() {
    let error = refusal(|chain| chain.below.push(B256::ZERO));
    assert!(invalid(error).starts_with("the header commits to history"));
}

#[test]
fn a_stored_header_of_another_height_is_refused() {
    let error = refusal(|chain| chain.header.height = Height::new(7));
    assert_eq!(invalid(error), "header 7, state 8 and 8 ids below do not meet");
}

#[test]
fn a_chain_cut_short_at_any_byte_is_refused() {
    let bytes = network().chain.as_ssz_bytes();
    for length in (0..bytes.len()).step_by(13) {
        assert!(BeaconChainState::from_ssz_bytes(&bytes[..length]).is_err(), "{length} bytes");
    }
}
