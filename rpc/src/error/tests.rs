use super::*;
use alloy_primitives::hex;

fn wire(error: RpcError) -> serde_json::Value {
    serde_json::to_value(ErrorObjectOwned::from(error)).expect("an error object is JSON")
}

fn word(value: u8) -> Vec<u8> {
    let mut word = vec![0; 32];
    word[31] = value;
    word
}

fn error_string(length: u8, text: &[u8]) -> Bytes {
    let mut data = hex!("08c379a0").to_vec();
    data.extend(word(0x20));
    data.extend(word(length));
    data.extend(text);
    data.into()
}

#[test]
fn a_revert_with_a_reason_has_code_three_the_reason_and_the_data() {
    let mut text = b"not owner".to_vec();
    text.resize(32, 0);
    let data = error_string(9, &text);
    assert_eq!(
        wire(RpcError::Reverted { data: data.clone() }),
        serde_json::json!({ "code": 3, "message": "execution reverted: not owner", "data": data })
    );
}

#[test]
fn a_revert_without_a_reason_has_empty_data() {
    assert_eq!(
        wire(RpcError::Reverted { data: Bytes::new() }),
        serde_json::json!({ "code": 3, "message": "execution reverted", "data": "0x" })
    );
}

#[test]
fn a_custom_error_is_left_to_the_callers_abi() {
    let error = RpcError::Reverted { data: hex!("deadbeef00").into() };
    assert_eq!(error.to_string(), "execution reverted");
}

#[test]
fn a_panic_is_named() {
    let mut data = hex!("4e487b71").to_vec();
    data.extend(word(0x12));
    let error = RpcError::Reverted { data: data.into() };
    assert_eq!(error.to_string(), "execution reverted: division or modulo by zero");
}

#[test]
fn a_reason_that_claims_more_bytes_than_there_are_is_not_decoded() {
    let error = RpcError::Reverted { data: error_string(200, &[b'a'; 32]) };
    assert_eq!(error.to_string(), "execution reverted");
    let mut huge = hex!("08c379a0").to_vec();
    huge.extend([0xff; 64]);
    assert_eq!(RpcError::Reverted { data: huge.into() }.to_string(), "execution reverted");
}

#[test]
fn transaction_refusals_have_geths_words() {
    let texts = [
        RpcError::from(TransactionError::NonceTooLow { expected: 5, found: 3 }),
        TransactionError::AlreadyKnown.into(),
        TransactionError::ReplacementUnderpriced.into(),
        TransactionError::InsufficientFunds { balance: U256::from(1), cost: U256::from(5) }.into(),
        TransactionError::ChainId { found: 1, expected: 2 }.into(),
        RpcError::HeaderNotFound,
    ]
    .map(|error| format!("{} {error}", error.code()));
    assert_eq!(
        texts,
        [
            "-32000 nonce too low: next nonce 5, tx nonce 3",
            "-32000 already known",
            "-32000 replacement transaction underpriced",
            "-32000 insufficient funds for gas * price + value: balance 1, tx cost 5, overshot 4",
            "-32000 invalid chain id for signer: have 1 want 2",
            "-32000 header not found",
        ]
    );
}

#[test]
fn codes_tell_whose_fault_it_is() {
    assert_eq!(RpcError::NotAnArray.code(), INVALID_PARAMS);
    assert_eq!(RpcError::MethodNotFound { method: "eth_foo".into() }.code(), METHOD_NOT_FOUND);
    assert_eq!(RpcError::LimitExceeded("too much".into()).code(), LIMIT_EXCEEDED);
    assert_eq!(RpcError::Internal("disk".into()).code(), INTERNAL);
}
