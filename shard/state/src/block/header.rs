//! The rules of a header that need no execution.

use consensus::light::{AnchorView, verify_anchor};
use primitives::{ChainSpec, ShardBlock, ShardHeader, View};

use super::{BlockError, ParentView};
use crate::fee::next_base_fee;

/// Returns the error unless both are equal.
macro_rules! expect_equal {
    ($name:ident, $expected:expr, $found:expr) => {
        let (expected, found) = ($expected, $found);
        if expected != found {
            return Err(BlockError::$name { expected, found });
        }
    };
}
pub(super) use expect_equal;

/// Checks everything about a header that follows from its parent alone.
pub(super) fn check(
    spec: &ChainSpec,
    parent: &ParentView<'_>,
    header: &ShardHeader,
) -> Result<(), BlockError> {
    let above = parent.header;
    expect_equal!(Shard, above.shard, header.shard);
    expect_equal!(Height, above.height.next(), header.height);
    expect_equal!(Parent, parent.id, header.parent);
    check_view(above, header)?;
    if header.timestamp_ms <= above.timestamp_ms {
        return Err(BlockError::Timestamp { parent: above.timestamp_ms, found: header.timestamp_ms });
    }
    check_anchor_order(above, header)?;
    expect_equal!(GasLimit, spec.gas_limit, header.gas_limit);
    expect_equal!(BaseFee, next_base_fee(above, spec), header.base_fee);
    expect_equal!(HistoryRoot, parent.child_history().root(), header.history_root);
    Ok(())
}

/// Checks what a block takes from its anchor, and that its committee rules its height.
pub(super) fn check_anchor<'a>(
    spec: &ChainSpec,
    block: &'a ShardBlock,
) -> Result<AnchorView<'a>, BlockError> {
    let header = &block.header;
    let view = verify_anchor(header, &block.body.anchor)?;
    // An anchor that does not know the next epoch yet does not prolong this one.
    let heights = spec.shard_epoch_heights.get();
    match view.record.table.last_height(header.epoch, heights) {
        Some(last) if header.height > last => {
            Err(BlockError::EpochOver { epoch: header.epoch, last, found: header.height })
        }
        _ => Ok(view),
    }
}

/// Views start anew with every epoch.
fn check_view(above: &ShardHeader, header: &ShardHeader) -> Result<(), BlockError> {
    if header.epoch < above.epoch {
        return Err(BlockError::EpochFell { parent: above.epoch, found: header.epoch });
    }
    let parent_view = if header.epoch == above.epoch { above.view } else { View::ZERO };
    expect_equal!(ParentView, parent_view, header.parent_view);
    if header.view <= parent_view {
        return Err(BlockError::View { parent_view, found: header.view });
    }
    Ok(())
}

/// The anchor never falls, and at one height there is one; a shard's genesis has none.
fn check_anchor_order(above: &ShardHeader, header: &ShardHeader) -> Result<(), BlockError> {
    let (before, now) = (above.anchor, header.anchor);
    if now.height < before.height {
        return Err(BlockError::AnchorFell { parent: before.height, found: now.height });
    }
    if now.height == before.height && now.id != before.id && !before.id.is_zero() {
        let (expected, found) = (before.id, now.id);
        return Err(BlockError::AnchorChanged { height: now.height, expected, found });
    }
    Ok(())
}
