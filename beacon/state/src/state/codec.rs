//! Decoding of the beacon state: what is decoded is a state that a chain can have.

use super::BeaconState;
use primitives::{B256, Height};
use ssz::{Decode, DecodeError, SszDecoderBuilder};

impl Decode for BeaconState {
    fn is_ssz_fixed_len() -> bool {
        false
    }

    fn from_ssz_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let state = decode_fields(bytes)?;
        state.check().map_err(|error| DecodeError::BytesInvalid(error.to_string()))?;
        Ok(state)
    }
}

/// The fields in the order in which the derived encoder writes them.
fn decode_fields(bytes: &[u8]) -> Result<BeaconState, DecodeError> {
    let mut builder = SszDecoderBuilder::new(bytes);
    builder.register_type::<B256>()?;
    builder.register_type::<B256>()?;
    builder.register_anonymous_variable_length_item()?;
    builder.register_anonymous_variable_length_item()?;
    builder.register_anonymous_variable_length_item()?;
    builder.register_type::<u64>()?;
    builder.register_type::<Height>()?;
    builder.register_anonymous_variable_length_item()?;
    builder.register_anonymous_variable_length_item()?;
    builder.register_anonymous_variable_length_item()?;
    builder.register_type::<super::Stake>()?;
    builder.register_anonymous_variable_length_item()?;
    let mut decoder = builder.build()?;
    Ok(BeaconState {
        genesis_hash: decoder.decode_next()?,
        mix: decoder.decode_next()?,
        beacon_table: decoder.decode_next()?,
        shards: decoder.decode_next()?,
        lanes: decoder.decode_next()?,
        genesis_timestamp_ms: decoder.decode_next()?,
        height: decoder.decode_next()?,
        validators: decoder.decode_next()?,
        progress: decoder.decode_next()?,
        offences: decoder.decode_next()?,
        stake: decoder.decode_next()?,
        exits: decoder.decode_next()?,
    })
}
