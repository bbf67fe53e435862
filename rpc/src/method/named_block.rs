//! A block that is named by an object (EIP-1898), as geth reads it.

use crate::{argument::Arguments, error::RpcResult, method::signature::Argument};
use alloy_eips::{BlockId, BlockNumberOrTag};
use alloy_primitives::B256;
use serde::Deserialize;

impl Argument for BlockId {
    const KIND: &'static str = "block";

    fn read(arguments: &mut Arguments<'_>) -> RpcResult<Self> {
        match arguments.is_object() {
            true => Ok(arguments.required::<NamedBlock>()?.0),
            false => arguments.required(),
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "NamedBlockForm")]
struct NamedBlock(BlockId);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct NamedBlockForm {
    block_number: Option<BlockNumberOrTag>,
    block_hash: Option<B256>,
    require_canonical: Option<bool>,
}

impl TryFrom<NamedBlockForm> for NamedBlock {
    type Error = &'static str;

    fn try_from(form: NamedBlockForm) -> Result<Self, Self::Error> {
        match (form.block_number, form.block_hash) {
            (Some(number), None) => Ok(Self(number.into())),
            (None, Some(hash)) => Ok(Self((hash, form.require_canonical).into())),
            (Some(_), Some(_)) => {
                Err("cannot specify both blockHash and blockNumber, choose one or the other")
            }
            (None, None) => Err("expected blockNumber or blockHash"),
        }
    }
}
