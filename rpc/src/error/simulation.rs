//! Why calls cannot be simulated: the codes of `eth_simulateV1`.

/// A call or a block that cannot be part of a simulation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct SimulationError {
    /// What is wrong.
    pub reason: SimulationReason,
    /// The same in words, with what was expected and found.
    pub detail: String,
}

/// What can be wrong with a simulation. Tools go by the codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimulationReason {
    /// The account has used this nonce.
    NonceTooLow,
    /// A transaction before it is missing.
    NonceTooHigh,
    /// It pays less than the base fee.
    FeeTooLow,
    /// Less gas than it takes to begin.
    IntrinsicGas,
    /// The sender cannot pay.
    InsufficientFunds,
    /// The block has less gas left.
    BlockGasLimit,
    /// Heights do not rise.
    BlockNumber,
    /// Timestamps fall.
    BlockTimestamp,
    /// A precompile is moved to where it is.
    PrecompileToItself,
    /// A precompile is moved to where another one is moved, or an account is overridden.
    PrecompileTaken,
    /// The sender is a contract.
    SenderNotEoa,
    /// EIP-3860.
    InitCodeTooLarge,
    /// More blocks than one simulation may have.
    TooManyBlocks,
}

impl SimulationReason {
    /// The code on the wire.
    pub const fn code(self) -> i32 {
        match self {
            Self::NonceTooLow => -38010,
            Self::NonceTooHigh => -38011,
            Self::FeeTooLow => -38012,
            Self::IntrinsicGas => -38013,
            Self::InsufficientFunds => -38014,
            Self::BlockGasLimit => -38015,
            Self::BlockNumber => -38020,
            Self::BlockTimestamp => -38021,
            Self::PrecompileToItself => -38022,
            Self::PrecompileTaken => -38023,
            Self::SenderNotEoa => -38024,
            Self::InitCodeTooLarge => -38025,
            Self::TooManyBlocks => -38026,
        }
    }

    /// This, in these words.
    pub fn because(self, detail: impl ToString) -> SimulationError {
        SimulationError { reason: self, detail: detail.to_string() }
    }
}
