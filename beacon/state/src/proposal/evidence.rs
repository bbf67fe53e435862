//! Choosing evidence.

use crate::operation::evidence::{apply, check, verify};
use crate::state::BeaconState;
use primitives::{ChainSpec, Evidence};

/// The pieces that a block above `state` may bring, in the order given: each proves an offence that is not
/// punished yet, by the state or by a piece before it.
pub fn choose_evidence<'a>(
    spec: &ChainSpec,
    state: &BeaconState,
    pool: impl IntoIterator<Item = &'a Evidence>,
) -> Vec<Evidence> {
    let (mut state, mut chosen) = (state.clone(), Vec::new());
    for piece in pool {
        if chosen.len() >= spec.evidence_max as usize {
            break;
        }
        let judged = verify(state.genesis_hash(), piece)
            .and_then(|verdict| check(spec, &state, &verdict).map(|penalty| (verdict, penalty)));
        if let Ok((verdict, penalty)) = judged {
            apply(&mut state, &verdict, penalty, &mut Vec::new());
            chosen.push(piece.clone());
        }
    }
    chosen
}
